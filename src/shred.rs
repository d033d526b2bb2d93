//! Shredding as a pure step: the entry, and what takes the place of the secret row.

use crate::{
    error::{Error, ErrorKind, Result},
    keys::Evidence,
    ledger::{Entry, EntryKind, now},
    opener::{StoredOrder, cannot_open, unlock},
    record::Record,
    registry::Registry,
    sealer::no_randomness,
    store::{SecretRow, SecretState},
    suite::SealRng,
};

/// What remains of a shredded order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShredMode {
    /// Who saw the order can still be proved; its content is gone.
    KeepEvidence,
    /// Not even that.
    WithEvidence,
}

/// Longest reason, in bytes.
const MAX_REASON: usize = 1024;

/// One order about to be shredded.
pub(crate) struct Shred {
    /// To be durable before anything is destroyed.
    pub(crate) entry: Entry,
    /// The row as it is, but in the state in which nobody opens it.
    pub(crate) marked: SecretRow,
    /// What is wrapped in it from then on: evidence, or nothing.
    pub(crate) evidence: Vec<u8>,
}

impl Shred {
    /// # Errors
    /// `Limit` for a reason above 1,024 bytes, and as opening does.
    pub(crate) fn prepare(
        registry: &Registry,
        stored: &StoredOrder<'_>,
        reason: &str,
        mode: ShredMode,
    ) -> Result<Self> {
        if reason.len() > MAX_REASON {
            return Err(Error::new(ErrorKind::Limit, "a reason holds at most 1,024 bytes"));
        }
        let row = stored.secret;
        let record = Record::parse(stored.record)?;
        let (_, handle_key) = unlock(registry, &record, row)?;
        let id = record.header.record_id;
        let mut entry = Entry::new(EntryKind::Shred, registry.own_key_id(), registry.policy()?.digest());
        entry.handle = handle_key.handle(&registry.own_key_id());
        entry.revision = row.revision;
        entry.commitments = vec![handle_key.reason_commitment(id, reason)];
        entry.detail = vec![u8::from(mode == ShredMode::KeepEvidence)];
        let evidence = match mode {
            ShredMode::WithEvidence => Vec::new(),
            ShredMode::KeepEvidence => {
                let context = registry.row_context(row);
                let release = registry.release(row.generation).ok_or_else(cannot_open)?;
                let evidence = Evidence { handle_key, reason: reason.to_owned() };
                SealRng::with(|rng| release.wrap_evidence(rng, &context, &evidence))
                    .map_err(|_| no_randomness())?
                    .map_err(|_| no_randomness())?
            }
        };
        let marked = SecretRow { state: SecretState::Shredded, changed_at: now(), ..row.clone() };
        Ok(Self { entry, marked, evidence })
    }

    /// The row that is left in the end.
    pub(crate) fn destroyed(self) -> SecretRow {
        SecretRow { wrapped: self.evidence, fingerprint: Vec::new(), ..self.marked }
    }
}
