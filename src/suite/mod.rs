//! The cipher suites: an AEAD, a key derivation and a wrap each. This layer has no notion of field, role or record.
//!
//! | suite | AEAD | KDF(key, 12 bytes) | wrap, 192-bit nonce |
//! |---|---|---|---|
//! | 1 | AES-256-GCM | that of C2SP XAES-256-GCM | XAES-256-GCM |
//! | 2 | ChaCha20-Poly1305 | HChaCha20(key, "cns1" ‖ x) | XChaCha20-Poly1305 |

mod aead;
mod chacha;
mod hash;
mod kdf;
mod kem;
mod rng;
mod secret;
mod sign;
mod stack;

pub(crate) use aead::{TAG, WrapKey, open_in_place, seal_in_place, wrapped_len};
#[cfg(test)]
pub(crate) use aead::{unwrap, wrap};
pub(crate) use hash::{Mac, commit, digest, digest_id};
pub(crate) use kdf::{DERIVED_AT_ONCE, Kdf};
pub use kem::Kem;
pub(crate) use kem::{can_be_sealed_to, is_public, open_from, public_of, seal_to};
pub use rng::after_fork;
pub(crate) use rng::{SealRng, os_random};
pub(crate) use secret::Secret;
pub(crate) use sign::{SIGNATURE, SigningKey, is_verifying, verify};
pub(crate) use stack::{wiping_stack, wiping_stack_once};

/// A cipher suite, a property of an epoch: all records of an epoch use the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Suite {
    /// AES-256-GCM, keys derived as in C2SP XAES-256-GCM (SP 800-108r1 counter mode on CMAC-AES-256). The default.
    #[default]
    Aes256Gcm = 1,
    /// ChaCha20-Poly1305 (RFC 8439), keys derived by HChaCha20. For machines without AES instructions.
    ChaCha20Poly1305 = 2,
}

impl Suite {
    /// Its number in files and on the command line.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The suite of a number, `None` for a number that no suite has.
    pub fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Aes256Gcm),
            2 => Some(Self::ChaCha20Poly1305),
            _ => None,
        }
    }

    /// Its AEAD's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Aes256Gcm => "AES-256-GCM",
            Self::ChaCha20Poly1305 => "ChaCha20-Poly1305",
        }
    }
}

/// Puts the pieces one after the other into the beginning of `out`, which has room for them.
pub(crate) fn join_into(out: &mut [u8], pieces: &[&[u8]]) {
    let mut at = 0;
    for piece in pieces {
        out[at..at + piece.len()].copy_from_slice(piece);
        at += piece.len();
    }
}

/// A wrong key, wrong associated data or altered bytes. Deliberately no more than that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unauthentic;

#[cfg(test)]
pub(crate) mod published_tests;
#[cfg(test)]
pub(crate) mod tests;
