//! Keys of the vault itself: ids of orders, authenticity of what it keeps about itself.

use super::{RecordId, VaultId};
use crate::suite::{Mac, Secret};

/// Derives record ids and fingerprints. As secret as the release key: order numbers can be guessed one after the other.
pub(crate) struct IdKey(Mac);

impl IdKey {
    pub(crate) fn new(raw: &Secret<32>) -> Self {
        Self(Mac::new(raw))
    }

    // HMAC-SHA256(id key, "consignee/v1/id" ‖ order number)[..16]
    pub(crate) fn record_id(&self, order_no: &str) -> RecordId {
        RecordId(self.0.id(&[b"consignee/v1/id", order_no.as_bytes()]))
    }

    // HMAC-SHA256(id key, "consignee/v1/copy" ‖ party key id ‖ record id)[..16]
    /// The record id of a party's copies of an order: no other party's, and none that a store has.
    pub(crate) fn copy_id(&self, party: &[u8; 16], id: RecordId) -> RecordId {
        RecordId(self.0.id(&[b"consignee/v1/copy", party, &id.0]))
    }

    // HMAC-SHA256(id key, "consignee/v1/same" ‖ record id ‖ OS ‖ canonical values)[..16]
    pub(crate) fn fingerprint(
        &self,
        id: RecordId,
        secret: &super::OrderSecret,
        canonical: &[u8],
    ) -> [u8; 16] {
        self.0.id(&[b"consignee/v1/same", &id.0, secret.expose(), canonical])
    }

    /// Whether a row's fingerprint is that of these values; a row without one is of none. In constant time, so that who writes rows
    /// and times puts does not find the right one byte by byte.
    pub(crate) fn is_fingerprint(
        &self,
        stored: &[u8],
        id: RecordId,
        secret: &super::OrderSecret,
        canonical: &[u8],
    ) -> bool {
        let made = Secret::new(self.fingerprint(id, secret, canonical));
        stored.try_into().is_ok_and(|stored| made.equals(stored))
    }
}

/// Authenticates policies, parties and settings at rest: whoever can only write the key store cannot grant anything.
pub(crate) struct RegistryKey(Mac);

impl RegistryKey {
    pub(crate) fn new(raw: &Secret<32>) -> Self {
        Self(Mac::new(raw))
    }

    /// The tag of an item's body in its place. The fixed-width place comes first, so inputs cannot be read in two ways.
    pub(crate) fn tag(&self, vault: VaultId, kind: u8, id: u32, generation: u32, body: &[u8]) -> [u8; 32] {
        let place = [&[kind][..], &id.to_le_bytes(), &generation.to_le_bytes()].concat();
        self.0.of(&[b"consignee/v1/registry", &vault.0, &place, body])
    }

    /// The tag of what a set of a backup says of itself.
    #[cfg(feature = "sqlite")]
    pub(crate) fn backup_tag(&self, vault: VaultId, manifest: &[u8]) -> [u8; 32] {
        self.0.of(&[b"consignee/v1/backup", &vault.0, manifest])
    }
}

/// Number of the vault among its parties.
pub(crate) const VAULT_PARTY: u32 = 0;

/// SHA-256("consignee/v1/party" ‖ vault id ‖ party number ‖ public keys)[..16]; public keys are empty before there are any.
pub(crate) fn party_key_id(vault: VaultId, number: u32, public_keys: &[u8]) -> [u8; 16] {
    crate::suite::digest_id(&[b"consignee/v1/party", &vault.0, &number.to_le_bytes(), public_keys])
}
