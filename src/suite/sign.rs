//! Ed25519 (RFC 8032): who made what is handed to others.

use ed25519_dalek::{Signature, Signer, SigningKey as Dalek, VerifyingKey};

use super::{Secret, Unauthentic};

/// Bytes of a signature.
pub(crate) const SIGNATURE: usize = 64;

/// A private key that signs; wiped on drop.
pub(crate) struct SigningKey(Dalek);

impl SigningKey {
    pub(crate) fn new(seed: &Secret<32>) -> Self {
        Self(Dalek::from_bytes(seed.expose()))
    }

    pub(crate) fn public(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; SIGNATURE] {
        self.0.sign(message).to_bytes()
    }
}

/// Checks a signature strictly: neither keys of small order nor signatures in another encoding are taken, so that one signature
/// stands for one key and one message.
pub(crate) fn verify(
    public: &[u8; 32],
    message: &[u8],
    signature: &[u8; SIGNATURE],
) -> Result<(), Unauthentic> {
    let key = VerifyingKey::from_bytes(public).map_err(|_| Unauthentic)?;
    key.verify_strict(message, &Signature::from_bytes(signature)).map_err(|_| Unauthentic)
}

/// Whether these bytes are a public key that [`verify`] may take.
pub(crate) fn is_verifying(public: &[u8; 32]) -> bool {
    VerifyingKey::from_bytes(public).is_ok_and(|key| !key.is_weak())
}
