//! Bytes that are wiped when dropped.

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// `N` secret bytes, wiped on drop.
///
/// Deliberately not `Clone`, `Debug` or `Serialize`, and without `Deref`: [`Secret::expose`] is the only door, so a reviewer
/// finds every use by searching for it. Not locked in memory; a move may leave a copy on the stack (threat model, "memory").
pub(crate) struct Secret<const N: usize>([u8; N]);

impl<const N: usize> Zeroize for Secret<N> {
    fn zeroize(&mut self) {
        // As a slice it is wiped at once, as an array byte by byte.
        self.0.as_mut_slice().zeroize();
    }
}

impl<const N: usize> Drop for Secret<N> {
    fn drop(&mut self) {
        self.zeroize();
    }
}

impl<const N: usize> ZeroizeOnDrop for Secret<N> {}

impl<const N: usize> Secret<N> {
    pub(crate) fn new(bytes: [u8; N]) -> Self {
        Self(bytes)
    }

    /// Fills a secret in place, so that no copy of it stays behind in the caller's frame.
    pub(crate) fn fill<E>(fill: impl FnOnce(&mut [u8; N]) -> Result<(), E>) -> Result<Self, E> {
        let mut secret = Self([0; N]);
        fill(&mut secret.0)?;
        Ok(secret)
    }

    pub(crate) fn expose(&self) -> &[u8; N] {
        &self.0
    }

    pub(crate) fn expose_mut(&mut self) -> &mut [u8; N] {
        &mut self.0
    }

    /// Equality in constant time.
    pub(crate) fn equals(&self, other: &[u8; N]) -> bool {
        self.0.ct_eq(other).into()
    }
}
