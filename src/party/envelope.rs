//! The outside of what leaves the vault for a party: sealed to its key, and signed by the vault. Parsed before anything of it is
//! authentic, so its layout is fixed.

use std::borrow::Cow;

use base64::{
    Engine, alphabet,
    engine::{GeneralPurpose, general_purpose::PAD},
};
use zeroize::Zeroizing;

use super::frame::{Frame, put_str8};
use crate::{
    error::{Error, ErrorKind, Result},
    keys::{PartyKey, PublicKey, VaultCard, VaultId, is_origin},
    suite::{Kem, SIGNATURE, SealRng, SigningKey, TAG, digest, seal_to, verify},
};

pub(super) const FORMAT: u8 = 1;

/// What an envelope holds; and a request, which has none, but a magic, a text form and faults of the same kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Keyring,
    Bundle,
    Request,
}

impl Kind {
    pub(super) fn magic(self) -> &'static [u8; 4] {
        match self {
            Self::Keyring => b"CNSK",
            Self::Bundle => b"CNSB",
            Self::Request => b"CNSR",
        }
    }

    /// Its name in messages.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Keyring => "keyring",
            Self::Bundle => "bundle",
            Self::Request => "request",
        }
    }

    /// Most bytes of a file.
    pub(crate) const fn longest(self) -> usize {
        match self {
            Self::Keyring => 1 << 20,
            Self::Bundle => 64 << 20,
            Self::Request => 2 << 20,
        }
    }
}

/// To whom something is sealed, and in whose name.
pub(crate) struct Address<'a> {
    pub(crate) card: &'a VaultCard,
    /// Of the ledger.
    pub(crate) origin: &'a str,
    pub(crate) party: [u8; 16],
    pub(crate) key: &'a PublicKey,
    pub(crate) policy: [u8; 32],
}

/// Seals what is in `payload` and signs the whole. Its randomness comes straight from the operating system.
///
/// # Errors
/// `Limit` where it is too long, `Storage` where the operating system gives no randomness.
pub(crate) fn seal(
    kind: Kind,
    to: &Address<'_>,
    issuing: &SigningKey,
    payload: Zeroizing<Vec<u8>>,
) -> Result<Vec<u8>> {
    let no_randomness = |_| Error::new(ErrorKind::Storage, "the operating system gives no random bytes");
    seal_with(kind, to, issuing, payload, &mut SealRng::seeded().map_err(no_randomness)?)
}

/// The same with a generator of the caller's choice, for vectors.
pub(crate) fn seal_with(
    kind: Kind,
    to: &Address<'_>,
    issuing: &SigningKey,
    mut payload: Zeroizing<Vec<u8>>,
    rng: &mut SealRng,
) -> Result<Vec<u8>> {
    let kem = to.key.kem();
    let mut out = Vec::with_capacity(512 + kem.encapsulated_len() + payload.len());
    out.extend_from_slice(kind.magic());
    out.push(FORMAT);
    out.extend_from_slice(&kem.number().to_le_bytes());
    out.extend_from_slice(&to.card.vault.0);
    out.extend_from_slice(&to.party);
    out.extend_from_slice(&to.policy);
    put_str8(&mut out, to.origin)?;
    let (encapsulated, tag) = seal_to((kem, to.key.opening()), &out, &mut payload, rng)
        .map_err(|_| Error::input("key", "is no public key of a party"))?;
    out.extend_from_slice(&encapsulated);
    let length = payload.len() + TAG;
    if out.len() + 4 + length + SIGNATURE > kind.longest() {
        return Err(too_long(kind));
    }
    out.extend_from_slice(&u32::try_from(length).map_err(|_| too_long(kind))?.to_le_bytes());
    out.extend_from_slice(&payload);
    out.extend_from_slice(&tag);
    let signature = issuing.sign(&signed(&out));
    out.extend_from_slice(&signature);
    Ok(out)
}

pub(super) fn not_one(kind: Kind) -> Error {
    let (name, sender) = (kind.name(), if kind == Kind::Request { "party" } else { "shop" });
    damaged(kind)
        .with_hint(format!("it is no {name}, or not a whole one: give the {name} that the {sender} sent"))
}

fn too_long(kind: Kind) -> Error {
    let message = format!("a {} holds at most {} MiB", kind.name(), kind.longest() >> 20);
    Error::new(ErrorKind::Limit, message).with_hint("share fewer orders at a time")
}

// "consignee/v1/file" ‖ SHA-256(all before the signature)
fn signed(bytes: &[u8]) -> Vec<u8> {
    [b"consignee/v1/file".as_slice(), &digest(bytes)].concat()
}

/// An envelope cut into its pieces. Nothing of it is authentic before it has been opened.
pub(crate) struct Envelope<'a> {
    pub(crate) vault: VaultId,
    /// Key id of the party that it is for.
    pub(super) party: &'a [u8; 16],
    pub(crate) origin: &'a str,
    kind: Kind,
    kem: Kem,
    head: &'a [u8],
    encapsulated: &'a [u8],
    sealed: &'a [u8],
    tag: &'a [u8; TAG],
    signed: &'a [u8],
    signature: &'a [u8; SIGNATURE],
}

impl<'a> Envelope<'a> {
    /// # Errors
    /// `Damaged` for bytes that are no whole envelope of this kind, `NewerFormat`.
    pub(crate) fn parse(kind: Kind, bytes: &'a [u8]) -> Result<Self> {
        let damaged = || damaged(kind);
        if bytes.len() > kind.longest() {
            return Err(damaged());
        }
        let mut frame = Frame::new(bytes, kind);
        frame.magic()?;
        let kem = Kem::from_number(frame.u16()?).ok_or_else(|| newer(kind))?;
        let vault = VaultId(*frame.array()?);
        // Party key id and digest of the policy: bound as part of the head.
        let party = frame.array()?;
        frame.bytes(32)?;
        let origin = Some(frame.str8()?).filter(|origin| is_origin(origin)).ok_or_else(damaged)?;
        let head = frame.before();
        let encapsulated = frame.bytes(kem.encapsulated_len())?;
        let length = frame.u32()?;
        let (sealed, tag) = frame.bytes(length)?.split_last_chunk().ok_or_else(damaged)?;
        let signed = frame.before();
        let signature = frame.array()?;
        frame.end()?;
        Ok(Self { vault, party, origin, kind, kem, head, encapsulated, sealed, tag, signed, signature })
    }

    /// One of which only the vault counts.
    #[cfg(fuzzing)]
    pub(super) fn of_vault(vault: VaultId) -> Self {
        let (kind, kem) = (Kind::Bundle, Kem::X25519);
        let [head, encapsulated, sealed, signed] = [b"".as_slice(); 4];
        let (tag, signature) = (&[0; TAG], &[0; SIGNATURE]);
        Self {
            vault,
            party: &[0; 16],
            origin: "fuzz",
            kind,
            kem,
            head,
            encapsulated,
            sealed,
            tag,
            signed,
            signature,
        }
    }

    /// What is in it, once it is known to come from the vault of this card: an envelope that anybody may have made is not
    /// decapsulated.
    ///
    /// # Errors
    /// `CannotOpen` where it was altered, or is another vault's or another party's.
    pub(crate) fn open(&self, card: &VaultCard, key: &PartyKey) -> Result<Zeroizing<Vec<u8>>> {
        let name = self.kind.name();
        let cannot = |what: &str| Error::new(ErrorKind::CannotOpen, format!("the {name} {what}"));
        if verify(&card.issuing, &signed(self.signed), self.signature).is_err() || self.vault != card.vault {
            let hint =
                "ask for it again; if the shop's card has changed, compare its fingerprint and pin it anew";
            return Err(cannot("was altered, or is not signed by the vault that is trusted").with_hint(hint));
        }
        let mut payload = Zeroizing::new(self.sealed.to_vec());
        let sealed = (self.kem, self.encapsulated, self.head);
        key.open(sealed, &mut payload, self.tag).map_err(|_| {
            cannot("is sealed to another key")
                .with_hint("it is another party's, or of before or after your key was exchanged")
        })?;
        Ok(payload)
    }
}

/// A file's bytes, of which the text form is base64 (RFC 4648, section 4), with white space wherever.
///
/// # Errors
/// `Damaged` for what is neither.
pub(crate) fn binary(kind: Kind, bytes: &[u8]) -> Result<Cow<'_, [u8]>> {
    const STRICT: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, PAD);
    if bytes.starts_with(b"CNS") {
        return Ok(Cow::Borrowed(bytes));
    }
    // Base64 is a third longer.
    if bytes.len() / 2 > kind.longest() {
        return Err(damaged(kind));
    }
    let text: Vec<u8> = bytes.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STRICT.decode(text).map(Cow::Owned).map_err(|_| not_one(kind))
}

/// The text form of a keyring, a bundle or a request, for JSON and the like: base64 (RFC 4648, section 4). What reads them takes either.
pub fn to_base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

pub(super) fn damaged(kind: Kind) -> Error {
    Error::new(ErrorKind::Damaged, format!("the {} does not follow its format", kind.name()))
        .with_hint("it was cut or altered on the way: ask for it again")
}

pub(super) fn newer(kind: Kind) -> Error {
    Error::new(ErrorKind::NewerFormat, format!("the {} is of a newer version", kind.name()))
        .with_hint("update this program")
}
