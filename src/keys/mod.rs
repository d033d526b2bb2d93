//! The keys, a type for each kind, so that none can stand in for another.
//!
//! ```text
//! root key (RootKeyProvider: passphrase | key file | a token or service)
//!  └─ wraps, each bound to its place (WrapContext):
//!       FieldKey[epoch, part]   which fields         ReleaseKey[generation]  wraps the secret rows
//!       IndexKey[epoch, field]  search tags          QueryKey                names searches in the ledger
//!       IdKey  AliasKey  RegistryKey       issuing and ledger keys: sign what parties are sent, and the ledger's heads
//! OrderSecret (one per sealing) ─► ticket parts      which orders
//! HandleKey   (one per order)   ─► handles in the ledger
//! ```
//!
//! A part opens only with its field key and its ticket part together.

mod field;
mod index;
mod party;
mod private_file;
mod root;
mod row;
mod text;
#[cfg(test)]
#[cfg(feature = "sqlite")]
mod thief_tests;
mod ticket;
mod vault_key;

pub(crate) use field::{EpochKeys, FieldKey, Halves, HalvesOf, Keyring};
pub(crate) use index::{IndexKey, QueryKey};
pub use party::{PartyKey, PublicKey, VaultCard, public_path};
pub(crate) use party::{beside, is_origin};
pub(crate) use private_file::{
    create as create_private, lock as lock_private, read as read_private, replace,
};
#[cfg(feature = "sqlite")]
pub(crate) use root::KEY_FILE_PREFIX;
#[cfg(feature = "pkcs11")]
pub use root::Pkcs11;
pub use root::{KeyFile, Passphrase, RootKey, RootKeyProvider};
pub(crate) use root::{KeyKind, WrapContext};
#[cfg(constant_time)]
pub(crate) use root::{argon2id, key_line, parse_key_line};
pub(crate) use row::{Evidence, HandleKey, OrderSecret, ReleaseKey, RowContext};
pub use text::Fingerprint;
pub(crate) use text::{CROCKFORD, Line, crockford};
pub(crate) use ticket::{PreparedTicket, Sought, Ticket, disclosure_commitment};
pub(crate) use vault_key::{IdKey, RegistryKey, VAULT_PARTY, party_key_id};

/// 16 random bytes that name a vault, in every record, key and entry of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct VaultId(pub(crate) [u8; 16]);

impl VaultId {
    /// Name of the vault's ledgers in the world, whatever their number.
    pub(crate) fn ledgers_name(self) -> String {
        let id: String = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("consignee/{id}")
    }
}

/// What the store knows an order by. Says nothing of the order number to whoever lacks the vault's id key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId(pub(crate) [u8; 16]);

impl RecordId {
    /// The id's bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl From<[u8; 16]> for RecordId {
    fn from(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl std::fmt::Debug for RecordId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RecordId({self})")
    }
}

impl std::fmt::Display for RecordId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
