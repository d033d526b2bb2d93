//! HPKE (RFC 9180), base mode, KDF HKDF-SHA256, AEAD AES-256-GCM: for what a party opens with a private key of its own.

use hpke::{
    Deserializable, Kem as HpkeKem, OpModeR, OpModeS, Serializable,
    aead::{AeadTag, AesGcm256},
    kdf::HkdfSha256,
    kem::{X25519HkdfSha256, XWing},
};

use super::{RandomFailed, SealRng, Secret, TAG, Unauthentic};

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

/// Why nothing was sealed to a party.
pub(crate) enum SealFailed {
    /// Its public key is none.
    Key,
    /// The operating system gives no randomness.
    Random,
}

impl From<RandomFailed> for SealFailed {
    fn from(_: RandomFailed) -> Self {
        Self::Random
    }
}

/// Encrypts `buffer` in place for whoever has the private key, and gives the encapsulated key and the tag. Its randomness comes
/// straight from the operating system.
pub(crate) fn seal_to(
    kem: Kem,
    public: &[u8],
    info: &[u8],
    buffer: &mut [u8],
) -> Result<(Vec<u8>, [u8; TAG]), SealFailed> {
    fn seal<K: HpkeKem>(
        public: &[u8],
        info: &[u8],
        buffer: &mut [u8],
    ) -> Result<(Vec<u8>, [u8; TAG]), SealFailed> {
        let public = K::PublicKey::from_bytes(public).map_err(|_| SealFailed::Key)?;
        let mut rng = SealRng::seeded()?;
        let (encapsulated, tag) = hpke::single_shot_seal_inout_detached_with_rng::<AesGcm256, HkdfSha256, K>(
            &OpModeS::Base,
            &public,
            info,
            buffer.into(),
            &[],
            rng.generator(),
        )
        .map_err(|_| SealFailed::Key)?;
        let tag = tag.to_bytes().as_slice().try_into().map_err(|_| SealFailed::Key)?;
        Ok((encapsulated.to_bytes().to_vec(), tag))
    }
    match kem {
        Kem::X25519 => seal::<X25519HkdfSha256>(public, info, buffer),
        Kem::XWing => seal::<XWing>(public, info, buffer),
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
    fn open<K: HpkeKem>(
        private: &Secret<32>,
        (encapsulated, info): (&[u8], &[u8]),
        buffer: &mut [u8],
        tag: &[u8; TAG],
    ) -> Result<(), Unauthentic> {
        let private = K::PrivateKey::from_bytes(private.expose()).map_err(|_| Unauthentic)?;
        let encapsulated = K::EncappedKey::from_bytes(encapsulated).map_err(|_| Unauthentic)?;
        let tag = AeadTag::from_bytes(tag).map_err(|_| Unauthentic)?;
        hpke::single_shot_open_inout_detached::<AesGcm256, HkdfSha256, K>(
            &OpModeR::Base,
            &private,
            &encapsulated,
            info,
            buffer.into(),
            &[],
            &tag,
        )
        .map_err(|_| Unauthentic)
    }
    match kem {
        Kem::X25519 => open::<X25519HkdfSha256>(private, (encapsulated, info), buffer, tag),
        Kem::XWing => open::<XWing>(private, (encapsulated, info), buffer, tag),
    }
}
