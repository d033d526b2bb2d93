//! SHA-256 and HMAC-SHA256 over unambiguous inputs.

use hmac::{Hmac, KeyInit, Mac as _};
use sha2::{Digest, Sha256};

use super::Secret;

/// H(label, inputs…): SHA-256 with every input length-prefixed, so that no two lists of inputs read the same.
///
/// A commitment is hiding only if one input holds a 256-bit secret or is random-looking itself.
pub(crate) fn commit(label: &str, inputs: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for input in [label.as_bytes()].iter().chain(inputs) {
        // Inputs are records, keys and names: far below 2^32 bytes. Saturation could only make two over-long inputs alike.
        hash.update(u32::try_from(input.len()).unwrap_or(u32::MAX).to_le_bytes());
        hash.update(input);
    }
    hash.finalize().into()
}

/// An HMAC-SHA256 key, prepared.
pub(crate) struct Mac(Hmac<Sha256>);

impl Mac {
    pub(crate) fn new(key: &Secret<32>) -> Self {
        Self(<Hmac<Sha256> as KeyInit>::new(&{
            let mut block = [0; 64];
            block[..32].copy_from_slice(key.expose());
            block.into()
        }))
    }

    /// HMAC of the inputs, one after the other. The caller sees to it that they cannot be read in two ways.
    pub(crate) fn of(&self, inputs: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.0.clone();
        for input in inputs {
            mac.update(input);
        }
        mac.finalize().into_bytes().into()
    }

    /// The first 16 bytes of [`Mac::of`], for ids.
    pub(crate) fn id(&self, inputs: &[&[u8]]) -> [u8; 16] {
        let mut id = [0; 16];
        id.copy_from_slice(&self.of(inputs)[..16]);
        id
    }
}

/// SHA-256.
pub(crate) fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// The first 16 bytes of the SHA-256 of the inputs, one after the other, for ids of public things.
pub(crate) fn digest_id(inputs: &[&[u8]]) -> [u8; 16] {
    let mut hash = Sha256::new();
    inputs.iter().for_each(|input| hash.update(input));
    let mut id = [0; 16];
    id.copy_from_slice(&hash.finalize()[..16]);
    id
}
