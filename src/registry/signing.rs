//! Keys with which the vault signs its ledgers' checkpoints.

use super::Registry;
use crate::{
    error::{Error, ErrorKind, Result},
    keys::KeyKind,
    tlog::NoteKey,
};

impl Registry {
    /// The key that signs checkpoints of the ledger of this number: one key for all of them, under the name of each.
    ///
    /// # Errors
    /// `NotFound` before the vault has keys that sign.
    pub(crate) fn checkpoint_key(&self, ledger: u32) -> Result<NoteKey> {
        let seed = self.unwrapped.get(&(KeyKind::Ledger as u8, 0, 0)).map(|(_, seed)| seed);
        let seed = seed.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "the vault has no key that signs its ledger")
                .with_hint("vault card makes one")
        })?;
        NoteKey::of_log(&self.origin_of(ledger), seed)
    }
}
