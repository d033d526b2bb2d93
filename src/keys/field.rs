//! Field keys: one per part and epoch. They say which fields may be opened.

use std::sync::Arc;

use consignee_policy::PartId;

use super::{IndexKey, VaultId};
use crate::suite::{Kdf, Secret, Suite, commit};

/// FK[e, f]. Not `Clone`: epochs and keyrings share it.
pub(crate) struct FieldKey {
    raw: Secret<32>,
    kdf: Kdf,
}

impl FieldKey {
    pub(crate) fn new(suite: Suite, raw: Secret<32>) -> Self {
        Self { kdf: Kdf::new(suite, raw.expose()), raw }
    }

    // A[f] = KDF(FK[e, f], N1 ‖ 0)   (docs/format.md, section 3)
    fn half(&self, n1: &[u8; 10]) -> Secret<32> {
        let mut input = [0; 12];
        input[..10].copy_from_slice(n1);
        self.kdf.derive(&input)
    }

    /// DEK[f] = A[f] XOR T[f]: with either half unknown, the key is.
    pub(crate) fn data_key(&self, n1: &[u8; 10], ticket_part: &Secret<32>) -> Secret<32> {
        let mut key = self.half(n1);
        key.expose_mut().iter_mut().zip(ticket_part.expose()).for_each(|(k, t)| *k ^= t);
        key
    }

    /// Commitment of the epoch entry, by which a field key shown later can be told to be the one in use then.
    pub(crate) fn commitment(&self, vault: VaultId, epoch: u32, part: PartId, suite: Suite) -> [u8; 32] {
        let (epoch, part, suite) = (epoch.to_le_bytes(), part.get().to_le_bytes(), [suite.number()]);
        commit("consignee/v1/commit/fk", &[&vault.0, &epoch, &part, &suite, self.raw.expose()])
    }
}

/// The field keys of one epoch, which has exactly one suite: a key never serves two algorithms.
pub(crate) struct EpochKeys {
    pub(crate) epoch: u32,
    pub(crate) suite: Suite,
    keys: Vec<(PartId, Arc<FieldKey>)>,
    index_keys: Vec<(PartId, IndexKey)>,
}

impl EpochKeys {
    pub(crate) fn new(
        epoch: u32,
        suite: Suite,
        mut keys: Vec<(PartId, Arc<FieldKey>)>,
        index_keys: Vec<(PartId, IndexKey)>,
    ) -> Self {
        keys.sort_unstable_by_key(|(part, _)| *part);
        Self { epoch, suite, keys, index_keys }
    }

    /// Key of a field's search tags; none where the field had no index when the epoch's keys were made.
    pub(crate) fn index_key(&self, field: PartId) -> Option<&IndexKey> {
        self.index_keys.iter().find(|(f, _)| *f == field).map(|(_, key)| key)
    }

    pub(crate) fn get(&self, part: PartId) -> Option<&FieldKey> {
        let at = self.keys.binary_search_by_key(&part, |(p, _)| *p).ok()?;
        self.keys.get(at).map(|(_, key)| &**key)
    }

    fn only(&self, parts: &[PartId]) -> Self {
        let keys =
            self.keys.iter().filter(|(part, _)| parts.contains(part)).map(|(p, k)| (*p, Arc::clone(k)));
        Self { epoch: self.epoch, suite: self.suite, keys: keys.collect(), index_keys: Vec::new() }
    }
}

/// The field keys of one role in all epochs that can be opened: the union of what its purposes may open.
///
/// A keyring opens nothing by itself; each order needs its ticket too.
pub(crate) struct Keyring {
    epochs: Vec<EpochKeys>,
}

impl Keyring {
    /// Only the keys of `parts` (ascending or not) of these epochs.
    pub(crate) fn of(epochs: &[Arc<EpochKeys>], parts: &[PartId]) -> Self {
        Self { epochs: epochs.iter().map(|epoch| epoch.only(parts)).collect() }
    }

    pub(crate) fn epoch(&self, epoch: u32) -> Option<&EpochKeys> {
        self.epochs.iter().find(|keys| keys.epoch == epoch)
    }
}
