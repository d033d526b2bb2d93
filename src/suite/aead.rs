//! Sealing in place under a key used once, and wrapping under a long-lived key with a 192-bit random nonce.

use aes::Aes256Enc;
use aes_gcm::{
    AesGcm,
    aead::{AeadInOut, KeyInit, consts::U12},
};
use chacha20poly1305::{ChaCha20Poly1305, XChaCha20Poly1305};

use super::{Kdf, SealRng, Secret, Suite, Unauthentic};

/// Length of a tag in bytes, the same in all suites.
pub(crate) const TAG: usize = 16;
const WRAP_NONCE: usize = 24;

// GCM only ever encrypts blocks; Aes256Enc spares the schedule for decryption.
type Aes256Gcm = AesGcm<Aes256Enc, U12>;

/// Encrypts `buffer` in place and returns the tag.
///
/// `key` must be fresh for every call; a record derives one for each part of each sealing, so `nonce` is no more than a
/// second line. With a repeated key and nonce GCM gives away both plaintexts' XOR and its authentication key.
pub(crate) fn seal_in_place(
    suite: Suite,
    key: &Secret<32>,
    nonce: &[u8; 12],
    aad: &[u8],
    buffer: &mut [u8],
) -> Result<[u8; TAG], Unauthentic> {
    let (key, nonce) = (key.expose().into(), nonce.into());
    let tag = match suite {
        Suite::Aes256Gcm => Aes256Gcm::new(key).encrypt_inout_detached(nonce, aad, buffer.into()),
        Suite::ChaCha20Poly1305 => {
            ChaCha20Poly1305::new(key).encrypt_inout_detached(nonce, aad, buffer.into())
        }
    };
    Ok(tag.map_err(|_| Unauthentic)?.0)
}

/// Decrypts `buffer` in place after checking its tag; on failure `buffer` holds no plaintext.
pub(crate) fn open_in_place(
    suite: Suite,
    key: &Secret<32>,
    nonce: &[u8; 12],
    aad: &[u8],
    buffer: &mut [u8],
    tag: &[u8; TAG],
) -> Result<(), Unauthentic> {
    let (key, nonce, tag) = (key.expose().into(), nonce.into(), tag.into());
    match suite {
        Suite::Aes256Gcm => Aes256Gcm::new(key).decrypt_inout_detached(nonce, aad, buffer.into(), tag),
        Suite::ChaCha20Poly1305 => {
            ChaCha20Poly1305::new(key).decrypt_inout_detached(nonce, aad, buffer.into(), tag)
        }
    }
    .map_err(|_| Unauthentic)
}

/// Length of what [`wrap`] makes of `len` bytes.
pub(crate) const fn wrapped_len(len: usize) -> usize {
    WRAP_NONCE + len + TAG
}

/// Wraps `plaintext` under a long-lived key: nonce ‖ ciphertext ‖ tag.
///
/// The nonce is random. With 192 bits, 2^80 wraps under one key collide with probability below 2^-32.
pub(crate) fn wrap(
    suite: Suite,
    key: &Secret<32>,
    rng: &mut SealRng,
    aad: &[u8],
    plaintext: &[u8],
) -> Result<Vec<u8>, Unauthentic> {
    let mut out = vec![0; wrapped_len(plaintext.len())];
    let (nonce, rest) = out.split_at_mut(WRAP_NONCE);
    let (body, tag) = rest.split_at_mut(plaintext.len());
    rng.fill(nonce);
    body.copy_from_slice(plaintext);
    let made = match suite {
        Suite::Aes256Gcm => {
            let (key, nonce) = xaes(key, nonce)?;
            seal_in_place(suite, &key, &nonce, aad, body)?
        }
        Suite::ChaCha20Poly1305 => {
            let nonce: &[u8; WRAP_NONCE] = (&*nonce).try_into().map_err(|_| Unauthentic)?;
            XChaCha20Poly1305::new(key.expose().into())
                .encrypt_inout_detached(nonce.into(), aad, body.into())
                .map_err(|_| Unauthentic)?
                .0
        }
    };
    tag.copy_from_slice(&made);
    Ok(out)
}

/// Opens what [`wrap`] made into `out`, whose length must be that of the plaintext.
pub(crate) fn unwrap(
    suite: Suite,
    key: &Secret<32>,
    aad: &[u8],
    wrapped: &[u8],
    out: &mut [u8],
) -> Result<(), Unauthentic> {
    if wrapped.len() != wrapped_len(out.len()) {
        return Err(Unauthentic);
    }
    let (nonce, rest) = wrapped.split_at(WRAP_NONCE);
    let (body, tag) = rest.split_at(out.len());
    let tag: &[u8; TAG] = tag.try_into().map_err(|_| Unauthentic)?;
    out.copy_from_slice(body);
    match suite {
        Suite::Aes256Gcm => {
            let (key, nonce) = xaes(key, nonce)?;
            open_in_place(suite, &key, &nonce, aad, out, tag)
        }
        Suite::ChaCha20Poly1305 => {
            let nonce: &[u8; WRAP_NONCE] = nonce.try_into().map_err(|_| Unauthentic)?;
            XChaCha20Poly1305::new(key.expose().into())
                .decrypt_inout_detached(nonce.into(), aad, out.into(), tag.into())
                .map_err(|_| Unauthentic)
        }
    }
}

// C2SP XAES-256-GCM: the first 12 bytes of the nonce derive the key, the last 12 are the nonce of AES-256-GCM.
fn xaes(key: &Secret<32>, nonce: &[u8]) -> Result<(Secret<32>, [u8; 12]), Unauthentic> {
    let (derive, rest) = nonce.split_at_checked(12).ok_or(Unauthentic)?;
    let derive: &[u8; 12] = derive.try_into().map_err(|_| Unauthentic)?;
    let rest: [u8; 12] = rest.try_into().map_err(|_| Unauthentic)?;
    Ok((Kdf::new(Suite::Aes256Gcm, key.expose()).derive(derive), rest))
}
