//! The root key: where it comes from, and how it wraps the vault's other keys.

mod key_file;
mod local;
mod passphrase;
#[cfg(feature = "pkcs11")]
mod pkcs11;

use std::path::Path;

use zeroize::Zeroizing;

#[cfg(feature = "sqlite")]
pub(crate) use key_file::KEY_FILE_PREFIX;
pub use key_file::KeyFile;
#[cfg(constant_time)]
pub(crate) use key_file::{key_line, parse_key_line};
pub use passphrase::Passphrase;
#[cfg(constant_time)]
pub(crate) use passphrase::argon2id;
#[cfg(feature = "pkcs11")]
pub use pkcs11::Pkcs11;

use super::VaultId;
use crate::{
    error::{Error, Result},
    suite::Suite,
};

/// Where a vault's root key comes from: a passphrase, a key file, a token, a service.
///
/// Blocking. A provider that talks to a token or service may wait for it, at unlocking the vault and at changes of keys; never
/// per order. What a vault has unwrapped it keeps: an unlocked vault goes on when the token is pulled out or the service is away.
///
/// `examples/kms.rs` shows a provider for a key management service. Its errors are made by [`Error::root_key`].
pub trait RootKeyProvider: Send + Sync {
    /// Parameters for a new vault, or for one that changes to this root key: kept in clear beside the wrapped keys and bound into
    /// each wrap. The first byte is the kind: 1 key bytes, 2 passphrase, 3 PKCS#11. Those below 128 are this library's, from 128
    /// on they are free for providers of yours.
    ///
    /// # Errors
    /// `RootKey` when no randomness or no token can be had.
    fn new_parameters(&self) -> Result<Vec<u8>>;

    /// The root key for these parameters.
    ///
    /// # Errors
    /// `RootKey` when the parameters are another provider's ([`Error::other_root_key`]), or out of bounds.
    fn unlock(&self, parameters: &[u8]) -> Result<Box<dyn RootKey>>;

    /// File that holds the key, if there is one: a vault refuses a root key that lies in its own folder.
    fn location(&self) -> Option<&Path> {
        None
    }
}

/// A root key, ready to wrap and unwrap.
pub trait RootKey: Send + Sync {
    /// Wraps a key; `context` must be authenticated with it.
    ///
    /// # Errors
    /// `RootKey` when the token or service fails.
    fn wrap(&self, context: &[u8], key: &[u8; 32]) -> Result<Vec<u8>>;

    /// Unwraps what `wrap` made under the same context.
    ///
    /// # Errors
    /// `RootKey` when the key, the context or the bytes are wrong ([`Error::other_root_key`]). Which of them is not told.
    fn unwrap(&self, context: &[u8], wrapped: &[u8]) -> Result<Zeroizing<[u8; 32]>>;
}

/// Kinds of wrapped keys (`docs/format.md`, section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyKind {
    Field = 1,
    Index = 2,
    Release = 3,
    Id = 4,
    Alias = 5,
    Issuing = 6,
    Ledger = 7,
    Registry = 8,
    Query = 9,
}

impl KeyKind {
    const ALL: [Self; 9] = [
        Self::Field,
        Self::Index,
        Self::Release,
        Self::Id,
        Self::Alias,
        Self::Issuing,
        Self::Ledger,
        Self::Registry,
        Self::Query,
    ];

    pub(crate) fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == number)
    }

    /// Whether the vault has one key of the kind, at (0, 0).
    pub(crate) fn is_single(self) -> bool {
        !matches!(self, Self::Field | Self::Index | Self::Release)
    }
}

/// The place of a wrapped key. Without it, whoever writes the key store could have every later phone number sealed under the
/// key of its masked form, which support holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WrapContext {
    pub(crate) vault: VaultId,
    pub(crate) kind: KeyKind,
    pub(crate) id: u32,
    pub(crate) generation: u32,
    pub(crate) suite: Option<Suite>,
}

impl WrapContext {
    /// "consignee/v1/wrap" ‖ vault id ‖ kind ‖ key id ‖ epoch or generation ‖ suite ‖ provider parameters
    pub(crate) fn associated_data(&self, parameters: &[u8]) -> Vec<u8> {
        [
            b"consignee/v1/wrap".as_slice(),
            &self.vault.0,
            &[self.kind as u8],
            &self.id.to_le_bytes(),
            &self.generation.to_le_bytes(),
            &[self.suite.map_or(0, Suite::number)],
            parameters,
        ]
        .concat()
    }
}

/// First bytes of the parameters: which provider they are of.
const KEY_BYTES: u8 = 1;
const PASSPHRASE: u8 = 2;
#[cfg(feature = "pkcs11")]
const TOKEN: u8 = 3;

fn root_error(message: &'static str) -> Error {
    Error::root_key(message)
}

fn other_root(message: &'static str) -> Error {
    Error::other_root_key(message)
}

fn no_randomness() -> Error {
    root_error("the operating system gives no random bytes")
}
