//! Sealing in place under a key used once, and wrapping under a long-lived key with a 192-bit random nonce.

use aes::Aes256Enc;
use aes_gcm::{
    AesGcm,
    aead::{AeadInOut, KeyInit, consts::U12},
};

use super::{Kdf, SealRng, Secret, Suite, Unauthentic, chacha, kdf::hchacha20, wiping_stack};

/// Length of a tag in bytes, the same in all suites.
pub(crate) const TAG: usize = 16;
const WRAP_NONCE: usize = 24;

// GCM only ever encrypts blocks; Aes256Enc spares the schedule for decryption.
type Aes256Gcm = AesGcm<Aes256Enc, U12>;

/// Encrypts `buffer` in place and returns the tag.
///
/// `key` must be fresh for every call; a record derives one for each part of each sealing, so `nonce` is no more than a
/// second line. With a repeated key and nonce GCM gives away both plaintexts' XOR and its authentication key.
///
/// It leaves copies of `key` on the stack, as [`open_in_place`] does: for use within [`wiping_stack`].
pub(crate) fn seal_in_place(
    suite: Suite,
    key: &Secret<32>,
    nonce: &[u8; 12],
    aad: &[u8],
    buffer: &mut [u8],
) -> Result<[u8; TAG], Unauthentic> {
    match suite {
        Suite::Aes256Gcm => {
            let cipher = Aes256Gcm::new(key.expose().into());
            let tag = cipher.encrypt_inout_detached(nonce.into(), aad, buffer.into());
            Ok(tag.map_err(|_| Unauthentic)?.0)
        }
        Suite::ChaCha20Poly1305 => chacha::seal_in_place(key, nonce, aad, buffer),
    }
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
    match suite {
        Suite::Aes256Gcm => {
            let cipher = Aes256Gcm::new(key.expose().into());
            let opened = cipher.decrypt_inout_detached(nonce.into(), aad, buffer.into(), tag.into());
            opened.map_err(|_| Unauthentic)
        }
        Suite::ChaCha20Poly1305 => chacha::open_in_place(key, nonce, aad, buffer, tag),
    }
}

/// Length of what [`WrapKey::wrap`] makes of `len` bytes.
pub(crate) const fn wrapped_len(len: usize) -> usize {
    WRAP_NONCE + len + TAG
}

/// A long-lived key that wraps, prepared for its suite.
pub(crate) struct WrapKey(Prepared);

#[expect(clippy::large_enum_variant, reason = "there are as many of these as generations of keys: a few")]
enum Prepared {
    /// XAES-256-GCM.
    Aes(Kdf),
    /// XChaCha20-Poly1305.
    ChaCha(Secret<32>),
}

impl WrapKey {
    pub(crate) fn new(suite: Suite, key: Secret<32>) -> Self {
        Self(match suite {
            Suite::Aes256Gcm => Prepared::Aes(Kdf::new(suite, key.expose())),
            Suite::ChaCha20Poly1305 => Prepared::ChaCha(key),
        })
    }

    /// Wraps `plaintext` into `out`, which has [`wrapped_len`] bytes: nonce ‖ ciphertext ‖ tag.
    ///
    /// The nonce is random. With 192 bits, 2^80 wraps under one key collide with probability below 2^-32. `apart` is mixed into it:
    /// two clones of a machine, whose generators repeat each other, do not repeat a nonce for places that it tells apart.
    pub(crate) fn wrap(
        &self,
        rng: &mut SealRng,
        apart: &[u8; 16],
        aad: &[u8],
        plaintext: &[u8],
        out: &mut [u8],
    ) -> Result<(), Unauthentic> {
        if out.len() != wrapped_len(plaintext.len()) {
            return Err(Unauthentic);
        }
        let (nonce, rest) = out.split_first_chunk_mut::<WRAP_NONCE>().ok_or(Unauthentic)?;
        let (body, tag) = rest.split_last_chunk_mut::<TAG>().ok_or(Unauthentic)?;
        rng.fill(nonce);
        nonce.iter_mut().zip(apart).for_each(|(byte, apart)| *byte ^= apart);
        body.copy_from_slice(plaintext);
        *tag = wiping_stack(|| self.seal(nonce, aad, body))?;
        Ok(())
    }

    // Not for others: a nonce of the caller's choice may repeat, and then it is as with a repeated key above.
    fn seal(&self, nonce: &[u8; WRAP_NONCE], aad: &[u8], body: &mut [u8]) -> Result<[u8; TAG], Unauthentic> {
        let (suite, key, nonce) = self.derive(nonce);
        seal_in_place(suite, &key, &nonce, aad, body)
    }

    /// Opens what [`WrapKey::wrap`] made into `out`, whose length must be that of the plaintext.
    pub(crate) fn unwrap(&self, aad: &[u8], wrapped: &[u8], out: &mut [u8]) -> Result<(), Unauthentic> {
        if wrapped.len() != wrapped_len(out.len()) {
            return Err(Unauthentic);
        }
        let (nonce, rest) = wrapped.split_first_chunk::<WRAP_NONCE>().ok_or(Unauthentic)?;
        let (body, tag) = rest.split_last_chunk::<TAG>().ok_or(Unauthentic)?;
        out.copy_from_slice(body);
        wiping_stack(|| {
            let (suite, key, nonce) = self.derive(nonce);
            open_in_place(suite, &key, &nonce, aad, out, tag)
        })
    }

    /// The key that what was wrapped has been sealed under.
    #[cfg(test)]
    pub(super) fn derived_for(&self, wrapped: &[u8]) -> [u8; 32] {
        *self.derive(wrapped.first_chunk().unwrap()).1.expose()
    }

    /// The AEAD, key and nonce of one wrap. C2SP XAES-256-GCM: the first 12 bytes derive the key, the last 12 are the nonce.
    /// draft-irtf-cfrg-xchacha-03, section 2.3: the first 16 derive it, the last 8 stand behind four zeros.
    fn derive(&self, nonce: &[u8; WRAP_NONCE]) -> (Suite, Secret<32>, [u8; 12]) {
        let mut rest = [0; 12];
        match &self.0 {
            Prepared::Aes(kdf) => {
                let mut input = [0; 12];
                input.copy_from_slice(&nonce[..12]);
                rest.copy_from_slice(&nonce[12..]);
                (Suite::Aes256Gcm, kdf.derive(&input), rest)
            }
            Prepared::ChaCha(key) => {
                let mut input = [0; 16];
                input.copy_from_slice(&nonce[..16]);
                rest[4..].copy_from_slice(&nonce[16..]);
                (Suite::ChaCha20Poly1305, hchacha20(key, &input), rest)
            }
        }
    }
}

/// Wraps under a key that is not prepared.
#[cfg(test)]
pub(crate) fn wrap(
    suite: Suite,
    key: &Secret<32>,
    rng: &mut SealRng,
    aad: &[u8],
    plaintext: &[u8],
) -> Result<Vec<u8>, Unauthentic> {
    let mut out = vec![0; wrapped_len(plaintext.len())];
    WrapKey::new(suite, Secret::new(*key.expose())).wrap(rng, &[0; 16], aad, plaintext, &mut out)?;
    Ok(out)
}

/// Wraps under a nonce that is given, as published vectors have it.
#[cfg(test)]
pub(super) fn wrap_under(
    suite: Suite,
    key: &Secret<32>,
    nonce: &[u8; WRAP_NONCE],
    aad: &[u8],
    plaintext: &[u8],
) -> Result<Vec<u8>, Unauthentic> {
    let mut body = plaintext.to_vec();
    let tag = WrapKey::new(suite, Secret::new(*key.expose())).seal(nonce, aad, &mut body)?;
    Ok([nonce.as_slice(), &body, &tag].concat())
}

/// Unwraps under a key that is not prepared.
#[cfg(test)]
pub(crate) fn unwrap(
    suite: Suite,
    key: &Secret<32>,
    aad: &[u8],
    wrapped: &[u8],
    out: &mut [u8],
) -> Result<(), Unauthentic> {
    WrapKey::new(suite, Secret::new(*key.expose())).unwrap(aad, wrapped, out)
}
