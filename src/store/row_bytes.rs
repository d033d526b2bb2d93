//! A secret row as bytes, for tables of the caller's own (`docs/format.md`, section 4). Parsed before anything is authentic:
//! fixed layout, bounded, never panics.

use super::{SecretRow, SecretState};
use crate::error::{Error, ErrorKind, Result};

const MAGIC: &[u8; 4] = b"CNSS";
const FORMAT: u8 = 1;
/// Rows are filled up to multiples of this, which is one for a row that opens: so it is replaced by one of its own size.
const PIECE: usize = 192;
const FINGERPRINT: usize = 16;
/// The wrapped evidence with the longest reason: nonce, handle key, 1,024 bytes, tag.
const MAX_WRAPPED: usize = 24 + 32 + 1024 + 16;

impl SecretRow {
    /// The row as bytes for a column of your own: 192 of them, or a multiple for one that was shredded with a long reason. It
    /// holds every column; only `record_id`, `serial` and `revision` are worth columns of their own, to be found by.
    pub fn to_bytes(&self) -> Vec<u8> {
        let size = |bytes: &[u8]| u16::try_from(bytes.len()).unwrap_or(u16::MAX);
        let mut out = [
            MAGIC.as_slice(),
            &[FORMAT, self.state as u8],
            &self.record_id,
            &self.n1,
            &self.revision.to_le_bytes(),
            &self.generation.to_le_bytes(),
            &self.put_at.to_le_bytes(),
            &self.serial.to_le_bytes(),
            &self.policy.to_le_bytes(),
            &self.changed_at.to_le_bytes(),
            &[u8::try_from(self.fingerprint.len()).unwrap_or(u8::MAX)],
            &size(&self.wrapped).to_le_bytes(),
            &self.fingerprint,
            &self.wrapped,
        ]
        .concat();
        out.resize(out.len().next_multiple_of(PIECE), 0);
        out
    }

    /// Reads what [`SecretRow::to_bytes`] wrote. Nothing of it is authentic until an order has been opened with it.
    ///
    /// # Errors
    /// `Damaged` for bytes that are no secret row, `NewerFormat` for a later version's.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut rest = bytes;
        if take::<4>(&mut rest)? != *MAGIC {
            return Err(damaged());
        }
        match take::<1>(&mut rest)? {
            [FORMAT] => {}
            [0] => return Err(damaged()),
            _ => {
                return Err(Error::new(ErrorKind::NewerFormat, "a secret row is of a newer format")
                    .with_hint("update this program"));
            }
        }
        let [state] = take(&mut rest)?;
        let mut row = Self {
            state: SecretState::from_number(state).ok_or_else(damaged)?,
            record_id: take(&mut rest)?,
            n1: take(&mut rest)?,
            revision: u32::from_le_bytes(take(&mut rest)?),
            generation: u32::from_le_bytes(take(&mut rest)?),
            put_at: u64::from_le_bytes(take(&mut rest)?),
            serial: u64::from_le_bytes(take(&mut rest)?),
            policy: u32::from_le_bytes(take(&mut rest)?),
            changed_at: u64::from_le_bytes(take(&mut rest)?),
            fingerprint: Vec::new(),
            wrapped: Vec::new(),
        };
        let [fingerprint] = take(&mut rest)?;
        let wrapped = usize::from(u16::from_le_bytes(take(&mut rest)?));
        let fingerprint = usize::from(fingerprint);
        let used = bytes.len() - rest.len() + fingerprint + wrapped;
        let fits = [0, FINGERPRINT].contains(&fingerprint) && wrapped <= MAX_WRAPPED;
        if !fits || bytes.len() != used.next_multiple_of(PIECE) {
            return Err(damaged());
        }
        row.fingerprint = cut(&mut rest, fingerprint)?.to_vec();
        row.wrapped = cut(&mut rest, wrapped)?.to_vec();
        if rest.iter().all(|byte| *byte == 0) { Ok(row) } else { Err(damaged()) }
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N]> {
    let (head, tail) = rest.split_first_chunk::<N>().ok_or_else(damaged)?;
    *rest = tail;
    Ok(*head)
}

fn cut<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8]> {
    let (head, tail) = rest.split_at_checked(length).ok_or_else(damaged)?;
    *rest = tail;
    Ok(head)
}

fn damaged() -> Error {
    Error::new(ErrorKind::Damaged, "a secret row does not follow its format")
        .with_hint("restore it from a backup")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_row_comes_back_and_nothing_else_is_one(
            state in 1..=4u8,
            numbers in any::<(u32, u32, u64, u64, u32, u64)>(),
            ids in any::<([u8; 16], [u8; 10])>(),
            fingerprint in prop_oneof![Just(vec![]), proptest::collection::vec(any::<u8>(), 16)],
            wrapped in proptest::collection::vec(any::<u8>(), 0..=MAX_WRAPPED),
            at in any::<prop::sample::Index>(),
        ) {
            let (revision, generation, put_at, serial, policy, changed_at) = numbers;
            let state = SecretState::from_number(state).unwrap();
            let row = SecretRow {
                record_id: ids.0, n1: ids.1, revision, generation, state, put_at, serial, policy, changed_at, fingerprint, wrapped,
            };
            let bytes = row.to_bytes();
            prop_assert!(bytes.len().is_multiple_of(PIECE));
            prop_assert_eq!(SecretRow::from_bytes(&bytes).unwrap(), row);
            let cut = &bytes[..at.index(bytes.len())];
            prop_assert!(SecretRow::from_bytes(cut).is_err());
            let mut altered = bytes.clone();
            altered[at.index(bytes.len())] ^= 1;
            // Each byte means something: what still parses is another row.
            prop_assert!(SecretRow::from_bytes(&altered).map_or(true, |other| other.to_bytes() == altered));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _row_or_error = SecretRow::from_bytes(&[b"CNSS\x01\x01", bytes.as_slice()].concat());
        }
    }
}
