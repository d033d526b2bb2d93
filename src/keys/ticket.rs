//! Tickets: the order's half of the keys, for one party and the parts of one purpose.
//!
//! The order of events is in the types. A [`PreparedTicket`] shows only its commitment; it becomes a [`Ticket`] only by
//! consuming the [`Receipt`] of the ledger entry that names this commitment and its parts, and no others.

use consignee_policy::PartId;

use super::{OrderSecret, RecordId};
use crate::{
    ledger::{EntryPlace, Receipt},
    suite::{Secret, commit},
};

/// What a ticket is to be made for: one sealed record, one party, some of the record's parts.
pub(crate) struct Sought<'a> {
    pub(crate) record_id: RecordId,
    /// Key id of the party.
    pub(crate) party: [u8; 16],
    /// The party's value for `lines`, or nothing.
    pub(crate) lines: &'a str,
    /// What stands before the record's first ciphertext.
    pub(crate) head: &'a [u8],
    /// The record's parts that are sought, ascending, each with its ciphertext and tag.
    pub(crate) parts: &'a [(PartId, &'a [u8])],
}

/// A ticket nobody has yet.
pub(crate) struct PreparedTicket {
    record_id: RecordId,
    commitment: [u8; 32],
    parts: Vec<PartId>,
    secrets: Vec<Secret<32>>,
}

impl PreparedTicket {
    pub(crate) fn new(secret: &OrderSecret, sought: &Sought<'_>) -> Self {
        let parts: Vec<PartId> = sought.parts.iter().map(|(part, _)| *part).collect();
        let mut secrets = Vec::new();
        secret.ticket_parts(sought.record_id, parts.iter().copied(), &mut secrets);
        let commitment = disclosure_commitment(sought, &secrets);
        Self { record_id: sought.record_id, commitment, parts, secrets }
    }

    /// All it shows before the ledger has it.
    pub(crate) fn commitment(&self) -> [u8; 32] {
        self.commitment
    }

    /// Gives the ticket out against the receipt of its entry; `None` if the receipt is of another entry, or of one that names
    /// other parts.
    pub(crate) fn release(self, receipt: Receipt) -> Option<Ticket> {
        let Self { record_id, commitment, parts, secrets } = self;
        let entry = receipt.entry();
        let is_its_own = entry.commitments.as_slice() == [commitment] && entry.parts == parts;
        is_its_own.then(|| Ticket { record_id, place: receipt.place(), parts, secrets })
    }
}

/// Permission to open some parts of one record. Made from a receipt only.
pub(crate) struct Ticket {
    record_id: RecordId,
    place: EntryPlace,
    parts: Vec<PartId>,
    secrets: Vec<Secret<32>>,
}

impl Ticket {
    /// The ticket of a copy that was shared: it was released against a receipt before it left the vault.
    pub(crate) fn received(
        record_id: RecordId,
        place: EntryPlace,
        parts: Vec<PartId>,
        secrets: Vec<Secret<32>>,
    ) -> Self {
        Self { record_id, place, parts, secrets }
    }

    /// A ticket without a receipt: what an attacker would like to have, and benches measure.
    #[cfg(any(test, feature = "bench"))]
    pub(crate) fn unlogged(record_id: RecordId, parts: Vec<PartId>, secrets: Vec<Secret<32>>) -> Self {
        Self { record_id, place: EntryPlace { ledger: 1, index: 0 }, parts, secrets }
    }

    pub(crate) fn record_id(&self) -> RecordId {
        self.record_id
    }

    /// Place of its entry.
    pub(crate) fn place(&self) -> EntryPlace {
        self.place
    }

    pub(crate) fn parts(&self) -> impl Iterator<Item = (PartId, &Secret<32>)> {
        self.parts.iter().copied().zip(&self.secrets)
    }
}

// Field key, T and ciphertext together fix the plaintext, which the AEADs alone do not: without T and the ciphertext in here, a
// shop could find another ticket under which the same record opens to something else (crypto: invisible salamanders).
pub(crate) fn disclosure_commitment<'a>(
    sought: &Sought<'_>,
    secrets: impl IntoIterator<Item = &'a Secret<32>>,
) -> [u8; 32] {
    let size: usize = sought.parts.iter().map(|(_, ciphertext)| 2 + 32 + 4 + ciphertext.len()).sum();
    let mut parts = zeroize::Zeroizing::new(Vec::with_capacity(size));
    for ((part, ciphertext), ticket_part) in sought.parts.iter().zip(secrets) {
        parts.extend_from_slice(&part.get().to_le_bytes());
        parts.extend_from_slice(ticket_part.expose());
        parts.extend_from_slice(&u32::try_from(ciphertext.len()).unwrap_or(u32::MAX).to_le_bytes());
        parts.extend_from_slice(ciphertext);
    }
    commit("consignee/v1/commit/disclosure", &[&sought.party, sought.lines.as_bytes(), sought.head, &parts])
}
