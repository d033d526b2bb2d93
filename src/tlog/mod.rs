//! Transparency logs as C2SP specifies them, so that programs of others read what a vault publishes: tlog-tiles, tlog-checkpoint,
//! signed-note, tlog-cosignature, tlog-proof, tlog-policy, tlog-witness (<https://c2sp.org>), over the tree of RFC 6962.
//!
//! Bytes and decisions only: no files, no clock, and no notion of order or vault. All that is parsed here comes from outside: it is
//! bounded, and refused with the line at fault.

mod checkpoint;
mod key;
mod note;
mod proof;
mod tile;
mod tree;
mod trust;
mod witness;

pub use checkpoint::{Checkpoint, SignedCheckpoint};
pub use key::{NoteKey, VerifierKey};
pub use note::{Note, NoteSignature};
pub use proof::Proof;
pub use tile::{Bundle, Tile, TileHashes, Tiles, bundles};
pub use tree::{
    EMPTY_ROOT, Hash, Hashes, consistency_proof, inclusion_proof, is_consistent, is_included, leaf_hash,
    node_hash, root_of, root_through,
};
pub use trust::{TrustPolicy, Vouched};
pub use witness::{Seen, WitnessRequest, cosign};

use base64::{Engine as _, prelude::BASE64_STANDARD};

#[cfg(test)]
use crate::error::Result;
use crate::error::{Error, ErrorKind};

/// A text that does not follow its format, at a line counted from 1.
fn wrong(line: usize, what: &str) -> Error {
    Error::new(ErrorKind::Damaged, format!("line {line}: {what}"))
}

pub(crate) fn to_base64(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}

/// Standard base64 (RFC 4648, section 4) in its one canonical form.
fn from_base64(text: &str) -> Option<Vec<u8>> {
    BASE64_STANDARD.decode(text).ok()
}

pub(crate) fn hash_from_base64(text: &str) -> Option<Hash> {
    from_base64(text)?.try_into().ok()
}

/// A decimal number without zeros before it.
fn decimal(text: &str) -> Option<u64> {
    let is_plain = text == "0" || text.starts_with(|c: char| ('1'..='9').contains(&c));
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    (is_plain && digits).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests;
