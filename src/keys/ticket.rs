//! Tickets: the order's half of the keys, for one party and the parts of one purpose.
//!
//! The order of events is in the types. A [`PreparedTicket`] shows only its commitment; it becomes a [`Ticket`] only by
//! consuming the [`Receipt`] of the ledger entry that names this commitment, and takes its parts from that entry.

use consignee_policy::PartId;

use super::{OrderSecret, RecordId};
use crate::{
    ledger::Receipt,
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
    parts: Vec<(PartId, Secret<32>)>,
}

impl PreparedTicket {
    pub(crate) fn new(secret: &OrderSecret, sought: &Sought<'_>) -> Self {
        let (mut ticket_parts, parts) = (Vec::new(), sought.parts.iter().map(|(part, _)| *part));
        secret.ticket_parts(sought.record_id, parts.clone(), &mut ticket_parts);
        let parts: Vec<_> = parts.zip(ticket_parts).collect();
        Self { record_id: sought.record_id, commitment: disclosure_commitment(sought, &parts), parts }
    }

    /// All it shows before the ledger has it.
    pub(crate) fn commitment(&self) -> [u8; 32] {
        self.commitment
    }

    /// Gives the ticket out against the receipt of its entry; `None` if the receipt is of another entry.
    ///
    /// The parts are those the entry lists: what the ledger does not name is not in the ticket.
    pub(crate) fn release(self, receipt: Receipt) -> Option<Ticket> {
        let entry = receipt.entry();
        if entry.commitments.as_slice() != [self.commitment] {
            return None;
        }
        let listed = |(part, _): &(PartId, Secret<32>)| entry.parts.contains(part);
        let parts = self.parts.into_iter().filter(listed).collect();
        Some(Ticket { record_id: self.record_id, index: receipt.index(), parts })
    }
}

/// Permission to open some parts of one record. Made from a receipt only.
pub(crate) struct Ticket {
    record_id: RecordId,
    index: u64,
    parts: Vec<(PartId, Secret<32>)>,
}

impl Ticket {
    /// A ticket without a receipt: what an attacker would like to have, and benches measure.
    #[cfg(any(test, feature = "bench"))]
    pub(crate) fn unlogged(record_id: RecordId, parts: Vec<(PartId, Secret<32>)>) -> Self {
        Self { record_id, index: 0, parts }
    }

    pub(crate) fn record_id(&self) -> RecordId {
        self.record_id
    }

    /// Index of its entry in the ledger.
    pub(crate) fn index(&self) -> u64 {
        self.index
    }

    pub(crate) fn parts(&self) -> impl Iterator<Item = (PartId, &Secret<32>)> {
        self.parts.iter().map(|(part, secret)| (*part, secret))
    }
}

// Field key, T and ciphertext together fix the plaintext, which the AEADs alone do not: without T and the ciphertext in here, a
// shop could find another ticket under which the same record opens to something else (crypto: invisible salamanders).
fn disclosure_commitment(sought: &Sought<'_>, tickets: &[(PartId, Secret<32>)]) -> [u8; 32] {
    let size: usize = sought.parts.iter().map(|(_, ciphertext)| 2 + 32 + 4 + ciphertext.len()).sum();
    let mut parts = zeroize::Zeroizing::new(Vec::with_capacity(size));
    for ((part, ciphertext), (_, ticket_part)) in sought.parts.iter().zip(tickets) {
        parts.extend_from_slice(&part.get().to_le_bytes());
        parts.extend_from_slice(ticket_part.expose());
        parts.extend_from_slice(&u32::try_from(ciphertext.len()).unwrap_or(u32::MAX).to_le_bytes());
        parts.extend_from_slice(ciphertext);
    }
    commit("consignee/v1/commit/disclosure", &[&sought.party, sought.lines.as_bytes(), sought.head, &parts])
}
