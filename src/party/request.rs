//! Requests: what a party asks for, signed, so that it cannot deny having asked and no shop can invent it (`docs/format.md`,
//! section 14). Parsed before anything of it is authentic.

use consignee_policy::PartId;

use super::{
    envelope::{FORMAT, Kind, binary, damaged},
    frame::{Frame, put_str8},
};
use crate::{
    alias::Alias,
    error::{Error, ErrorKind, Result},
    keys::{PartyKey, PublicKey, VaultCard, VaultId, is_origin},
    ledger::{Entry, EntryKind},
    suite::{SIGNATURE, commit, digest, os_random, verify},
};

/// Most orders of a request, as of a bundle.
const MOST_ALIASES: usize = super::MOST_COPIES;
const MOST_PARTS: usize = 255;

/// What a party asks a vault for, under its signature: orders by their aliases, why, and which parts of them.
///
/// Whoever has the party's public key can check it, without the vault and without any secret.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedRequest {
    bytes: Vec<u8>,
    vault: VaultId,
    key: [u8; 32],
    origin: String,
    time: u64,
    purpose: String,
    parts: Vec<PartId>,
    aliases: Vec<Alias>,
}

/// What is to be signed.
pub(super) struct Asking<'a> {
    pub(super) card: &'a VaultCard,
    pub(super) purpose: &'a str,
    pub(super) parts: &'a [PartId],
    pub(super) aliases: &'a [Alias],
    pub(super) time: u64,
    pub(super) nonce: [u8; 16],
}

impl SignedRequest {
    /// Reads a request, in its bytes or in base64. Nothing of it is authentic before [`SignedRequest::verify`].
    ///
    /// # Errors
    /// `Damaged` for bytes that are no whole request, `NewerFormat`.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let bytes = binary(Kind::Request, bytes)?.into_owned();
        let wrong = || damaged(Kind::Request);
        if bytes.len() > Kind::Request.longest() {
            return Err(wrong());
        }
        let mut frame = Frame::new(&bytes, Kind::Request);
        frame.magic()?;
        let (vault, key) = (VaultId(*frame.array()?), *frame.array()?);
        let origin = Some(frame.str8()?).filter(|origin| is_origin(origin)).ok_or_else(wrong)?.to_owned();
        let time = frame.u64()?;
        // The nonce: two requests that say the same are two.
        frame.bytes(16)?;
        let purpose = Some(frame.str8()?).filter(|purpose| !purpose.is_empty()).ok_or_else(wrong)?.to_owned();
        let parts = frame.parts()?;
        let count = frame.u32()?;
        if !(1..=MOST_ALIASES).contains(&count) || count > frame.left() / Alias::WRITTEN {
            return Err(wrong());
        }
        let aliases = (0..count).map(|_| frame.alias()).collect::<Result<Vec<_>>>()?;
        frame.array::<SIGNATURE>()?;
        frame.end()?;
        Ok(Self { vault, key, origin, time, purpose, parts, aliases, bytes })
    }

    /// Makes and signs one.
    ///
    /// # Errors
    /// `Input` without an order or purpose, `Limit`.
    pub(super) fn sign(key: &PartyKey, asking: &Asking<'_>) -> Result<Self> {
        let Asking { card, purpose, aliases, time, ref nonce, .. } = *asking;
        if purpose.is_empty() {
            return Err(Error::input("purpose", "a request says why"));
        }
        if aliases.is_empty() {
            return Err(Error::input("alias", "a request names an order at least"));
        }
        let mut parts = asking.parts.to_vec();
        parts.sort_unstable();
        parts.dedup();
        if aliases.len() > MOST_ALIASES || parts.len() > MOST_PARTS {
            return Err(Error::new(ErrorKind::Limit, "a request has at most 65,536 orders and 255 parts"));
        }
        let mut bytes = Vec::with_capacity(512 + Alias::WRITTEN * aliases.len());
        bytes.extend_from_slice(Kind::Request.magic());
        bytes.push(FORMAT);
        bytes.extend_from_slice(&card.vault.0);
        bytes.extend_from_slice(&key.public().digest());
        put_str8(&mut bytes, &card.origin)?;
        bytes.extend_from_slice(&time.to_le_bytes());
        bytes.extend_from_slice(nonce);
        put_str8(&mut bytes, purpose)?;
        bytes.push(u8::try_from(parts.len()).unwrap_or(u8::MAX));
        parts.iter().for_each(|part| bytes.extend_from_slice(&part.get().to_le_bytes()));
        bytes.extend_from_slice(&u32::try_from(aliases.len()).unwrap_or(u32::MAX).to_le_bytes());
        aliases.iter().for_each(|alias| bytes.extend_from_slice(alias.to_string().as_bytes()));
        let signature = key.sign(&message(&bytes));
        bytes.extend_from_slice(&signature);
        Self::parse(&bytes)
    }

    /// Checks that the holder of this key signed it, strictly: no other key has the same signature, and no other bytes.
    ///
    /// # Errors
    /// `CannotOpen` where another key signed it, or where it was altered.
    pub fn verify(&self, key: &PublicKey) -> Result<()> {
        let message_and_signature = self.bytes.split_last_chunk::<SIGNATURE>();
        let verified = message_and_signature.is_some_and(|(signed, signature)| {
            self.is_of(key) && verify(key.verifying(), &message(signed), signature).is_ok()
        });
        if verified { Ok(()) } else { Err(not_signed()) }
    }

    /// What goes into the ledger's entries of what it caused: H("consignee/v1/commit/request", all of its bytes).
    pub fn hash(&self) -> [u8; 32] {
        commit("consignee/v1/commit/request", &[&self.bytes])
    }

    /// Whether it names this key as the one that signs it. Who has that key's party number has the party's id in the ledger.
    pub fn is_of(&self, key: &PublicKey) -> bool {
        self.key == key.digest()
    }

    /// Checks that an entry of the vault's ledger is of this request, whose party has this number in the vault and had this key: hash,
    /// signature, the party's id in the ledger, purpose and parts. Needs no secret. Which of the orders the entry is of only shows to
    /// who can resolve the alias, or has the bundle.
    ///
    /// # Errors
    /// `CannotOpen` where another key signed it, or where the entry is not of it.
    pub fn check_entry(&self, entry: &Entry, party_number: u32, key: &PublicKey) -> Result<()> {
        self.verify(key)?;
        // A denial has no parts, and no purpose where the role has none of that name.
        let is_denied = entry.kind == EntryKind::Denied;
        let purpose = entry.purpose == self.purpose || is_denied && entry.purpose.is_empty();
        let parts = self.parts.is_empty() || entry.parts.iter().all(|part| self.parts.contains(part));
        let kind = is_denied || entry.kind == EntryKind::Disclosure;
        let its = entry.request == self.hash() && entry.party == key.key_id(self.vault, party_number);
        if its && kind && purpose && parts {
            return Ok(());
        }
        Err(Error::new(ErrorKind::CannotOpen, "the entry is not of this request"))
    }

    /// Whether it is made to the vault of this card.
    pub fn is_to(&self, card: &VaultCard) -> bool {
        (self.vault, self.origin.as_str()) == (card.vault, card.origin.as_str())
    }

    /// Its bytes, as they are kept and hashed.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Name of the ledgers of the vault that it is made to, as on the vault's card.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// When it was signed, by the party's clock: seconds since 1970.
    pub fn time(&self) -> u64 {
        self.time
    }

    /// Why the party asks.
    pub fn purpose(&self) -> &str {
        &self.purpose
    }

    /// Numbers of the parts that it asks for, ascending; none where it asks for all that the purpose opens.
    pub fn parts(&self) -> &[PartId] {
        &self.parts
    }

    /// The orders that it asks for, as the party knows them.
    pub fn aliases(&self) -> &[Alias] {
        &self.aliases
    }
}

// Without the aliases: they name order and party, in whatever log they get into.
impl std::fmt::Debug for SignedRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignedRequest")
            .field("time", &self.time)
            .field("parts", &self.parts)
            .field("orders", &self.aliases.len())
            .finish_non_exhaustive()
    }
}

/// 16 bytes of the operating system's.
pub(super) fn nonce() -> Result<[u8; 16]> {
    let mut nonce = [0; 16];
    os_random(&mut nonce)
        .map_err(|_| Error::new(ErrorKind::Storage, "the operating system gives no random bytes"))?;
    Ok(nonce)
}

// "consignee/v1/request" ‖ SHA-256(all before the signature)
fn message(signed: &[u8]) -> Vec<u8> {
    [b"consignee/v1/request".as_slice(), &digest(signed)].concat()
}

fn not_signed() -> Error {
    Error::new(ErrorKind::CannotOpen, "the request was altered, or another key signed it")
        .with_hint("ask the party for it again")
}
