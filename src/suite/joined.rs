//! Inputs put one after the other, without a heap.

/// At most `N` bytes, joined from pieces.
pub(crate) struct Joined<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Joined<N> {
    /// The pieces, one after the other. Together they have at most `N` bytes, which is for the caller to see to: what is beyond
    /// is cut off.
    pub(crate) fn of(pieces: &[&[u8]]) -> Self {
        let mut joined = Self { bytes: [0; N], len: 0 };
        for piece in pieces {
            debug_assert!(joined.len + piece.len() <= N);
            let room = joined.bytes.get_mut(joined.len..).unwrap_or_default();
            room.iter_mut().zip(*piece).for_each(|(to, from)| *to = *from);
            joined.len += piece.len().min(room.len());
        }
        joined
    }
}

impl<const N: usize> std::ops::Deref for Joined<N> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}
