//! ChaCha20-Poly1305 (RFC 8439), by ring: the Poly1305 of the crate that has the rest of the ciphers calls a function for each
//! vector instruction where the CPU is asked at run time, and takes seven times as long (`docs/benchmarks.md`, "Suite 2").

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, Tag, UnboundKey};

use super::{Secret, TAG, Unauthentic};

/// Encrypts `buffer` in place and returns the tag.
pub(super) fn seal_in_place(
    key: &Secret<32>,
    nonce: &[u8; 12],
    aad: &[u8],
    buffer: &mut [u8],
) -> Result<[u8; TAG], Unauthentic> {
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let tag = prepared(key)?.seal_in_place_separate_tag(nonce, Aad::from(aad), buffer);
    tag.map_err(|_| Unauthentic)?.as_ref().try_into().map_err(|_| Unauthentic)
}

/// Decrypts `buffer` in place after checking its tag; on failure ring fills `buffer` with zeros.
pub(super) fn open_in_place(
    key: &Secret<32>,
    nonce: &[u8; 12],
    aad: &[u8],
    buffer: &mut [u8],
    tag: &[u8; TAG],
) -> Result<(), Unauthentic> {
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let opened =
        prepared(key)?.open_in_place_separate_tag(nonce, Aad::from(aad), Tag::from(*tag), buffer, 0..);
    opened.map(|_| ()).map_err(|_| Unauthentic)
}

fn prepared(key: &Secret<32>) -> Result<LessSafeKey, Unauthentic> {
    UnboundKey::new(&CHACHA20_POLY1305, key.expose()).map(LessSafeKey::new).map_err(|_| Unauthentic)
}
