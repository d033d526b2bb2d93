//! HPKE (RFC 9180), base mode, KDF HKDF-SHA256, AEAD AES-256-GCM: for what a party opens with a private key of its own.

use hpke::{
    Deserializable, Kem as HpkeKem, OpModeR, OpModeS, Serializable,
    aead::{Aead, AeadTag, AesGcm256},
    kdf::HkdfSha256,
    kem::{X25519HkdfSha256, XWing},
};

use super::{SealRng, Secret, TAG, Unauthentic};

/// How a key is agreed on with a party. The numbers are those of IANA's registry of HPKE KEMs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Kem {
    /// DHKEM(X25519, HKDF-SHA256) of RFC 9180. Short keys, and in every cryptographic library; whoever records it now and has a
    /// quantum computer later reads it then.
    X25519 = 0x0020,
    /// X-Wing (draft-connolly-cfrg-xwing-kem): X25519 and ML-KEM-768, safe as long as one of them is. The default. Neither an RFC
    /// yet nor is its crate audited.
    #[default]
    XWing = 0x647a,
}

impl Kem {
    /// Its number in files.
    pub fn number(self) -> u16 {
        self as u16
    }

    /// The KEM of a number, `None` for a number that none has.
    pub fn from_number(number: u16) -> Option<Self> {
        [Self::X25519, Self::XWing].into_iter().find(|kem| kem.number() == number)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::X25519 => "X25519",
            Self::XWing => "X-Wing",
        }
    }

    /// Bytes of a public key.
    pub(crate) const fn public_len(self) -> usize {
        match self {
            Self::X25519 => 32,
            Self::XWing => 1216,
        }
    }

    /// Bytes of an encapsulated key.
    pub(crate) const fn encapsulated_len(self) -> usize {
        match self {
            Self::X25519 => 32,
            Self::XWing => 1120,
        }
    }
}

/// The public key of a private one: of X25519 its 32 bytes, of X-Wing its seed.
pub(crate) fn public_of(kem: Kem, private: &Secret<32>) -> Result<Vec<u8>, Unauthentic> {
    fn public<K: HpkeKem>(private: &Secret<32>) -> Result<Vec<u8>, Unauthentic> {
        let private = K::PrivateKey::from_bytes(private.expose()).map_err(|_| Unauthentic)?;
        Ok(K::sk_to_pk(&private).to_bytes().to_vec())
    }
    match kem {
        Kem::X25519 => public::<X25519HkdfSha256>(private),
        Kem::XWing => public::<XWing>(private),
    }
}

/// Whether these bytes are a public key.
pub(crate) fn is_public(kem: Kem, bytes: &[u8]) -> bool {
    match kem {
        Kem::X25519 => <X25519HkdfSha256 as HpkeKem>::PublicKey::from_bytes(bytes).is_ok(),
        Kem::XWing => <XWing as HpkeKem>::PublicKey::from_bytes(bytes).is_ok(),
    }
}

/// Whether something can be sealed to a public key. With a point of small order X25519 gives zeros, whoever the sender is, which
/// RFC 9180 refuses (section 7.1.4).
pub(crate) fn can_be_sealed_to(kem: Kem, public: &[u8]) -> bool {
    let agrees = || {
        let anybodys = <X25519HkdfSha256 as HpkeKem>::PrivateKey::from_bytes(&[1; 32])?;
        let encapsulated = <X25519HkdfSha256 as HpkeKem>::EncappedKey::from_bytes(public)?;
        X25519HkdfSha256::decap(&anybodys, None, &encapsulated)
    };
    kem != Kem::X25519 || agrees().is_ok()
}

/// Encrypts `buffer` in place for whoever has the private key, and gives the encapsulated key and the tag.
pub(crate) fn seal_to(
    (kem, public): (Kem, &[u8]),
    info: &[u8],
    buffer: &mut [u8],
    rng: &mut SealRng,
) -> Result<(Vec<u8>, [u8; TAG]), Unauthentic> {
    fn seal<K: HpkeKem>(
        public: &[u8],
        info: &[u8],
        buffer: &mut [u8],
        rng: &mut SealRng,
    ) -> Result<(Vec<u8>, [u8; TAG]), Unauthentic> {
        let public = K::PublicKey::from_bytes(public).map_err(|_| Unauthentic)?;
        let (encapsulated, tag) = hpke::single_shot_seal_inout_detached_with_rng::<AesGcm256, HkdfSha256, K>(
            &OpModeS::Base,
            &public,
            info,
            buffer.into(),
            &[],
            rng.generator(),
        )
        .map_err(|_| Unauthentic)?;
        let tag = tag.to_bytes().as_slice().try_into().map_err(|_| Unauthentic)?;
        Ok((encapsulated.to_bytes().to_vec(), tag))
    }
    match kem {
        Kem::X25519 => seal::<X25519HkdfSha256>(public, info, buffer, rng),
        Kem::XWing => seal::<XWing>(public, info, buffer, rng),
    }
}

/// Decrypts in place what [`seal_to`] made for this private key.
pub(crate) fn open_from(
    kem: Kem,
    private: &Secret<32>,
    (encapsulated, info): (&[u8], &[u8]),
    buffer: &mut [u8],
    tag: &[u8; TAG],
) -> Result<(), Unauthentic> {
    match kem {
        Kem::X25519 => open::<X25519HkdfSha256, AesGcm256>(private, (encapsulated, info, &[]), buffer, tag),
        Kem::XWing => open::<XWing, AesGcm256>(private, (encapsulated, info, &[]), buffer, tag),
    }
}

fn open<K: HpkeKem, A: Aead>(
    private: &Secret<32>,
    (encapsulated, info, aad): (&[u8], &[u8], &[u8]),
    buffer: &mut [u8],
    tag: &[u8; TAG],
) -> Result<(), Unauthentic> {
    let private = K::PrivateKey::from_bytes(private.expose()).map_err(|_| Unauthentic)?;
    let encapsulated = K::EncappedKey::from_bytes(encapsulated).map_err(|_| Unauthentic)?;
    let tag = AeadTag::from_bytes(tag).map_err(|_| Unauthentic)?;
    hpke::single_shot_open_inout_detached::<A, HkdfSha256, K>(
        &OpModeR::Base,
        &private,
        &encapsulated,
        info,
        buffer.into(),
        aad,
        &tag,
    )
    .map_err(|_| Unauthentic)
}

#[cfg(test)]
mod tests {
    use hpke::aead::ChaCha20Poly1305;

    use super::*;
    use crate::suite::{digest, published_tests::hex};

    fn secret(digits: &str) -> Secret<32> {
        Secret::new(hex(digits).try_into().unwrap())
    }

    fn opens<K: HpkeKem, A: Aead>(private: &Secret<32>, bound: [&str; 3], sealed: &str) -> Option<String> {
        let [encapsulated, info, aad] = bound.map(hex);
        let sealed = hex(sealed);
        let (ciphertext, tag) = sealed.split_last_chunk().unwrap();
        let mut buffer = ciphertext.to_vec();
        open::<K, A>(private, (&encapsulated, &info, &aad), &mut buffer, tag).ok()?;
        Some(String::from_utf8(buffer).unwrap())
    }

    /// The vectors of RFC 9180 (cfrg/draft-irtf-cfrg-hpke, test-vectors.json): mode 0, KEM 0x0020, KDF 1, AEAD 2, first message.
    #[test]
    fn x25519_opens_what_rfc_9180_sealed() {
        let private = secret("497b4502664cfea5d5af0b39934dac72242a74f8480451e1aee7d6a53320333d");
        assert_eq!(
            public_of(Kem::X25519, &private).unwrap(),
            hex("430f4b9859665145a6b1ba274024487bd66f03a2dd577d7753c68d7d7d00c00c")
        );
        let enc = "6c93e09869df3402d7bf231bf540fadd35cd56be14f97178f0954db94b7fc256";
        let (info, aad) = ("4f6465206f6e2061204772656369616e2055726e", "436f756e742d30");
        let sealed =
            "e5d84cd531cfb583096e7cfa9641bd3079cf3a91cda813c52deb5f512be9931980a41de125a925cdad859d5b7a";
        let opened = |bound| opens::<X25519HkdfSha256, AesGcm256>(&private, bound, sealed);
        assert_eq!(opened([enc, info, aad]).as_deref(), Some("Beauty is truth, truth beauty"));
        assert_eq!(opened([enc, info, "436f756e742d31"]), None);
        assert_eq!(opened([enc, "4f", aad]), None);
    }

    /// draft-ietf-hpke-pq (hpkewg/hpke-pq, test-vectors.json): mode 0, KEM 0x647a, KDF 1, AEAD 3, first message. There is none of our
    /// AEAD, which the other test is of. The plaintext is itself in hexadecimal digits there.
    #[test]
    fn x_wing_opens_what_the_draft_sealed() {
        let private = secret("3ec47fa82dd5689d27c6190e724c74ec8f608df3331ce331929e37b829676630");
        let public = public_of(Kem::XWing, &private).unwrap();
        let expected = hex("ad8aaf3f00d8a39bfeec2947a7d5dde68be08bba19bd301a348a45dc5fcc8341");
        assert_eq!((public.len(), digest(&public).to_vec()), (1216, expected));
        let enc = include_str!("../../tests/published/x-wing-enc.txt").trim_end();
        let info = "34663634363532303666366532303631323034373732363536333639363136653230353537323665";
        let sealed = "c5c591f99092d5e38df0a52699af249c66f8275a863423c076de8147a53e65cc584041c963b77a7e59ea93841b1339b5efda\
                      8909b71f74bb0073ad62e899de310c1566dea2fd29eba377";
        let opened =
            opens::<XWing, ChaCha20Poly1305>(&private, [enc, info, "436f756e742d30"], sealed).unwrap();
        assert_eq!(hex(&opened), b"Beauty is truth, truth beauty");
    }

    /// draft-connolly-cfrg-xwing-kem, appendix C: public keys of its three seeds, as SHA-256.
    #[test]
    fn x_wing_makes_the_public_keys_of_its_draft() {
        for (seed, public) in [
            (
                "7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26",
                "2e816deebcd76c5c80d0cd2d174478871658e8e2ff42bc9d4a6e486372e856bb",
            ),
            (
                "badfd6dfaac359a5efbb7bcc4b59d538df9a04302e10c8bc1cbf1a0b3a5120ea",
                "c42ba5f8430d7d2c83739338203819f090e8303ce9c8b02107c272bfa5376916",
            ),
            (
                "ef58538b8d23f87732ea63b02b4fa0f4873360e2841928cd60dd4cee8cc0d4c9",
                "6b080d6b84f095342092fa7a22423e58bd681397ad0ef00eac92bd254db4fa95",
            ),
        ] {
            assert_eq!(digest(&public_of(Kem::XWing, &secret(seed)).unwrap()).to_vec(), hex(public));
        }
    }

    #[test]
    fn what_is_sealed_to_one_key_opens_with_that_key_and_context_only() {
        for kem in [Kem::X25519, Kem::XWing] {
            let [one, other] = [[1; 32], [2; 32]].map(Secret::new);
            let mut buffer = *b"for one alone";
            let (public, mut rng) = (public_of(kem, &one).unwrap(), SealRng::seeded().unwrap());
            let (encapsulated, tag) = seal_to((kem, &public), b"info", &mut buffer, &mut rng).unwrap();
            assert_eq!(encapsulated.len(), kem.encapsulated_len());
            let open = |private: &Secret<32>, info: &[u8]| {
                let mut buffer = buffer;
                open_from(kem, private, (&encapsulated, info), &mut buffer, &tag).map(|()| buffer)
            };
            assert_eq!(open(&one, b"info"), Ok(*b"for one alone"));
            assert_eq!(open(&other, b"info"), Err(Unauthentic));
            assert_eq!(open(&one, b"INFO"), Err(Unauthentic));
        }
    }
}
