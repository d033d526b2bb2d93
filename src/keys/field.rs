//! Field keys: one per part and epoch. They say which fields may be opened.

use std::sync::Arc;

use consignee_policy::PartId;

use super::{IndexKey, VaultId};
use crate::suite::{DERIVED_AT_ONCE, Kdf, Secret, Suite, commit, wiping_stack};

/// FK[e, f]. Not `Clone`: epochs and keyrings share it.
pub(crate) struct FieldKey {
    raw: Secret<32>,
    kdf: Kdf,
}

impl FieldKey {
    pub(crate) fn new(suite: Suite, raw: Secret<32>) -> Self {
        Self { kdf: Kdf::new(suite, raw.expose()), raw }
    }

    /// A[f] = KDF(FK[e, f], N1 ‖ 0)   (docs/format.md, section 3)
    fn half(&self, n1: &[u8; 10]) -> Secret<32> {
        self.kdf.derive(&half_input(n1))
    }

    /// DEK[f] = A[f] XOR T[f]: with either half unknown, the key is.
    pub(crate) fn data_key(&self, n1: &[u8; 10], ticket_part: &Secret<32>) -> Secret<32> {
        data_key(&self.half(n1), ticket_part)
    }

    /// For the keyring of a party.
    pub(crate) fn expose(&self) -> &[u8; 32] {
        self.raw.expose()
    }

    /// Commitment of the epoch entry, by which a field key shown later can be told to be the one in use then.
    pub(crate) fn commitment(&self, vault: VaultId, epoch: u32, part: PartId, suite: Suite) -> [u8; 32] {
        let (epoch, part, suite) = (epoch.to_le_bytes(), part.get().to_le_bytes(), [suite.number()]);
        commit("consignee/v1/commit/fk", &[&vault.0, &epoch, &part, &suite, self.raw.expose()])
    }
}

fn half_input(n1: &[u8; 10]) -> [u8; 12] {
    let mut input = [0; 12];
    input[..10].copy_from_slice(n1);
    input
}

fn data_key(half: &Secret<32>, ticket_part: &Secret<32>) -> Secret<32> {
    let mut key = Secret::new(*half.expose());
    key.expose_mut().iter_mut().zip(ticket_part.expose()).for_each(|(k, t)| *k ^= t);
    key
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

    /// DEK[f] of the sealing with this N1: by its half among `halves` if it is there, else by one that is derived for it alone.
    /// None where the epoch has no key of the part.
    pub(crate) fn data_key(
        &self,
        halves: HalvesOf<'_>,
        n1: &[u8; 10],
        part: PartId,
        ticket_part: &Secret<32>,
    ) -> Option<Secret<32>> {
        if let Some(half) = halves.find(self.epoch, n1, part) {
            return Some(data_key(half, ticket_part));
        }
        Some(self.get(part)?.data_key(n1, ticket_part))
    }

    fn only(&self, parts: &[PartId]) -> Self {
        let keys =
            self.keys.iter().filter(|(part, _)| parts.contains(part)).map(|(p, k)| (*p, Arc::clone(k)));
        Self { epoch: self.epoch, suite: self.suite, keys: keys.collect(), index_keys: Vec::new() }
    }
}

/// A[f] of several sealings of one epoch, for some of its parts: the cipher takes hardly longer for all of them than for one.
#[derive(Default)]
pub(crate) struct Halves {
    epoch: u32,
    n1s: Vec<[u8; 10]>,
    parts: Vec<PartId>,
    /// Part by part, and of each part sealing by sealing.
    secrets: Vec<Secret<32>>,
}

impl Halves {
    /// Sealings that are derived for at once.
    pub(crate) const AT_ONCE: usize = DERIVED_AT_ONCE;

    /// Derives anew: for these parts, as far as the epoch has keys of them, and these sealings, [`Halves::AT_ONCE`] at most. Gives
    /// N1 of the first.
    pub(crate) fn derive(
        &mut self,
        keys: &EpochKeys,
        parts: impl Iterator<Item = PartId>,
        n1s: impl Iterator<Item = [u8; 10]>,
    ) -> [u8; 10] {
        self.clear();
        let Self { epoch, n1s: numbers, parts: known, secrets } = self;
        *epoch = keys.epoch;
        numbers.extend(n1s.take(Self::AT_ONCE));
        known.extend(parts.filter(|part| keys.get(*part).is_some()));
        // At once, while it is empty: growing would leave copies of secrets behind.
        secrets.resize_with(known.len() * numbers.len(), || Secret::new([0; 32]));
        let mut inputs = [[0; 12]; Self::AT_ONCE];
        inputs.iter_mut().zip(numbers.iter()).for_each(|(input, n1)| *input = half_input(n1));
        let inputs = inputs.get(..numbers.len()).unwrap_or_default();
        wiping_stack(|| {
            for (part, out) in known.iter().zip(secrets.chunks_mut(inputs.len().max(1))) {
                if let Some(key) = keys.get(*part) {
                    key.kdf.derive_all(inputs, out);
                }
            }
        });
        numbers.first().copied().unwrap_or_default()
    }

    pub(crate) fn clear(&mut self) {
        self.n1s.clear();
        self.parts.clear();
        self.secrets.clear();
    }

    /// The halves of the sealing at this place among those that were derived for.
    pub(crate) fn of(&self, at: usize) -> HalvesOf<'_> {
        HalvesOf { halves: self, at }
    }

    /// N1 of the sealing at this place.
    pub(crate) fn n1(&self, at: usize) -> Option<[u8; 10]> {
        self.n1s.get(at).copied()
    }
}

/// The halves of one sealing.
#[derive(Clone, Copy)]
pub(crate) struct HalvesOf<'a> {
    halves: &'a Halves,
    at: usize,
}

impl HalvesOf<'_> {
    fn find(&self, epoch: u32, n1: &[u8; 10], part: PartId) -> Option<&Secret<32>> {
        let Halves { epoch: of, n1s, parts, secrets } = self.halves;
        let is_it = *of == epoch && n1s.get(self.at) == Some(n1);
        let place = parts.iter().position(|known| *known == part).filter(|_| is_it)?;
        secrets.get(place * n1s.len() + self.at)
    }
}

/// The field keys of one role in all epochs that can be opened: the union of what its purposes may open.
///
/// A keyring opens nothing by itself; each order needs its ticket too.
pub(crate) struct Keyring {
    epochs: Vec<Arc<EpochKeys>>,
}

impl Keyring {
    /// Only the keys of `parts` (ascending or not) of these epochs.
    pub(crate) fn of(epochs: &[Arc<EpochKeys>], parts: &[PartId]) -> Self {
        Self { epochs: epochs.iter().map(|epoch| Arc::new(epoch.only(parts))).collect() }
    }

    pub(crate) fn new(epochs: Vec<Arc<EpochKeys>>) -> Self {
        Self { epochs }
    }

    #[cfg(fuzzing)]
    pub(crate) fn shared(&self) -> &[Arc<EpochKeys>] {
        &self.epochs
    }

    pub(crate) fn epochs(&self) -> impl Iterator<Item = &EpochKeys> {
        self.epochs.iter().map(|keys| &**keys)
    }

    pub(crate) fn epoch(&self, epoch: u32) -> Option<&EpochKeys> {
        self.epochs().find(|keys| keys.epoch == epoch)
    }
}
