//! What opens the commitments to parties in the ledger.

use super::{KnownParty, Registry};
use crate::{
    keys::{PublicKey, VaultId, party_key_id},
    suite::commit,
};

/// One key id of one party, and what shows whose it is: number and public key give the id, salt, role, name and value for `lines`
/// the commitment of its entry.
///
/// Number, name, role, value and salt of a party never change, so each of its entries opens, also those of former keys. Of a party
/// that the registry has not (its entry is newer than this `keys.db`) no entry opens: salt and name were in that file alone.
#[derive(Clone, Copy)]
pub(crate) struct PartyOpening<'a> {
    pub(crate) party: &'a KnownParty,
    /// Bytes of the public key that it had under this id; empty from before it had one.
    pub(crate) public: &'a [u8],
    vault: VaultId,
}

impl PartyOpening<'_> {
    /// What the ledger calls the party.
    pub(crate) fn key_id(&self) -> [u8; 16] {
        party_key_id(self.vault, self.party.number, self.public)
    }

    /// Whether it is the opening of this entry of type party.
    #[cfg(test)]
    pub(crate) fn opens(&self, entry: &crate::ledger::Entry) -> bool {
        let named = entry.kind == crate::ledger::EntryKind::Party && entry.party == self.key_id();
        named && entry.commitments == [self.party.commitment()]
    }
}

impl KnownParty {
    /// What its entries commit to.
    pub(crate) fn commitment(&self) -> [u8; 32] {
        party_commitment(&self.salt, &self.role, &self.name, self.lines.as_deref().unwrap_or_default())
    }
}

/// What the entries of a party commit to; `lines` is its value for them, or nothing.
pub(crate) fn party_commitment(salt: &[u8; 32], role: &str, name: &str, lines: &str) -> [u8; 32] {
    commit("consignee/v1/commit/party", &[salt, role.as_bytes(), name.as_bytes(), lines.as_bytes()])
}

impl Registry {
    /// Every party with every key id it has had, the one without a key among them.
    pub(crate) fn party_openings(&self) -> impl Iterator<Item = PartyOpening<'_>> {
        let vault = self.vault;
        self.parties.iter().flat_map(move |party| {
            let publics = party.keys.iter().map(PublicKey::as_bytes);
            let publics = std::iter::once::<&[u8]>(&[]).chain(publics);
            publics.map(move |public| PartyOpening { party, public, vault })
        })
    }
}
