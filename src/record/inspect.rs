//! What a sealed record shows to anybody: its header and directory. Nothing of it is authenticated.

use super::Record;
use crate::{error::Result, keys::RecordId, suite::Suite};

/// Header and directory of a sealed record. Not authenticated: only opening a part shows that they were not altered.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Inspection {
    /// The suite it is sealed with.
    pub suite: Suite,
    /// The vault it belongs to.
    pub vault_id: [u8; 16],
    /// What the store knows it by.
    pub record_id: RecordId,
    /// Counter of its changes.
    pub revision: u32,
    /// The generation of field keys it is sealed under.
    pub epoch: u32,
    /// Which policy it was sealed under: the first 16 bytes of its digest.
    pub policy: [u8; 16],
    /// Part numbers and the lengths of their ciphertexts, tags included, in bytes.
    pub parts: Vec<(u16, usize)>,
    /// Size of the whole record in bytes.
    pub size: usize,
}

/// Reads the outside of a sealed record, without any key.
///
/// # Errors
/// `Damaged` for bytes that are no record, `NewerFormat` for a later version's.
pub fn inspect(record: &[u8]) -> Result<Inspection> {
    let record = Record::parse(record)?;
    let header = record.header;
    Ok(Inspection {
        suite: header.suite,
        vault_id: header.vault.0,
        record_id: header.record_id,
        revision: header.revision,
        epoch: header.epoch,
        policy: header.policy,
        parts: record.parts().map(|(part, ciphertext)| (part.get(), ciphertext.len())).collect(),
        size: record.bytes().len(),
    })
}
