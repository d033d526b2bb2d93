//! A party on its own machine: a private key, the vaults that it trusts, keyrings and bundles. No vault and no store.
//!
//! ```
//! use consignee::{Kem, OrderForCourier, Party, PartyKey, Setup, Vault};
//! # fn main() -> Result<(), consignee::Error> {
//! # let vault = Vault::in_memory(&Setup::default())?;
//! # let order = consignee::Order::from_json(r#"{"order_no":"SO-1001","placed_at":"2026-11-11T20:14:05+08:00",
//! #   "consignee":{"name":"王小明","phone":"13812345678","address":{"lines":["中山路 1 号"],"city":"南京","country":"CN"}},
//! #   "items":[],"amount":{"value":"88.00","currency":"CNY"}}"#, &*vault.policy()?)?;
//! # vault.put(&order)?;
//! // The courier makes a key and sends its public half; the shop enters it, and sends its card.
//! let mut courier = Party::new(PartyKey::generate(Kem::XWing)?);
//! vault.add_party_with_key("SF Express", "courier", None, courier.key().public())?;
//! courier.trust(vault.card()?);
//!
//! // Once, and again after each rotation:
//! let keyring = courier.keyring(&vault.issue_keyring("SF Express")?)?;
//! // As often as there are parcels:
//! let shared = vault.share("SF Express", "delivery", &["SO-1001"], None)?;
//! let bundle = courier.read(&keyring, &shared.bundle.unwrap())?;
//! for order in bundle.views_as::<OrderForCourier>(&keyring)? {
//!     println!("{}", order?.consignee.name);
//! }
//! // Or it asks, by the alias that it knows an order by: signed, so that neither side can say later that something else was asked.
//! let alias = shared.orders[0].as_ref().unwrap().alias.clone();
//! let request = courier.request(&vault.card()?, "delivery", &[], &[alias])?;
//! let answer = vault.share_request(request.as_bytes(), None)?;
//! assert!(courier.read(&keyring, &answer.bundle.unwrap()).is_ok());
//! # Ok(())
//! # }
//! ```

mod bundle;
#[cfg(all(test, target_os = "linux"))]
mod bundle_tests;
mod envelope;
mod frame;
mod keyring;
mod request;
mod reveal;
mod trust;

use std::path::{Path, PathBuf};

use consignee_policy::PartId;

pub use bundle::Bundle;
use bundle::expired;
pub(crate) use bundle::{BEFORE_RECORD, Contents, MOST_COPIES, PackedCopy};
#[cfg(test)]
pub(crate) use envelope::seal_with;
pub use envelope::to_base64;
pub(crate) use envelope::{Address, Kind, seal};
use envelope::{Envelope, binary};
pub(crate) use keyring::Issue;
pub use keyring::Keyring;
pub use request::SignedRequest;
use request::{Asking, nonce};
pub use reveal::{RevealedBundle, RevealedCopy};
use trust::{LONGEST, Trust};

use crate::{
    alias::Alias,
    error::{Error, ErrorKind, Result},
    keys::{PartyKey, Passphrase, VaultCard, VaultId, beside, lock_private, read_private, replace},
    ledger::now,
};

/// A party on its own machine. It reads what vaults that it trusts have sealed to its key.
///
/// It keeps in mind the newest keyring and the latest time that it has seen, so that neither an older keyring nor a clock that was
/// set back is taken. That is its own good manners: a program of the party's that ignores them reads all that it was ever sent.
pub struct Party {
    key: PartyKey,
    trust: Trust,
    key_file: Option<PathBuf>,
    /// The vaults that were pinned or forgotten since it was opened.
    decided: Vec<VaultId>,
    changed: bool,
}

impl Party {
    /// A party that trusts no vault yet, and whose pins live as long as the process.
    pub fn new(key: PartyKey) -> Self {
        Self { key, trust: Trust::default(), key_file: None, decided: Vec::new(), changed: false }
    }

    /// Reads a key file, and the pins beside it in FILE.trust, if there are any.
    ///
    /// # Errors
    /// As for [`PartyKey::read`]; `Damaged` for pins that do not follow their format.
    pub fn open(key_file: &Path, passphrase: Option<&Passphrase>) -> Result<Self> {
        let key = PartyKey::read(key_file, passphrase)?;
        let trust = read_trust(key_file)?;
        Ok(Self { key, trust, key_file: Some(key_file.to_owned()), decided: Vec::new(), changed: false })
    }

    /// A party whose key and pins the caller keeps: the pins are what [`Party::pins`] gave, or nothing.
    ///
    /// # Errors
    /// `Damaged` for pins that do not follow their format.
    pub fn with_pins(key: PartyKey, pins: &str) -> Result<Self> {
        let trust = if pins.is_empty() { Trust::default() } else { Trust::parse(pins)? };
        Ok(Self { trust, ..Self::new(key) })
    }

    /// What it trusts and has seen, for a caller who keeps it in place of FILE.trust: after each keyring and bundle that was taken, or
    /// older ones will be taken again. Whoever can alter it can have the party trust another vault.
    pub fn pins(&self) -> String {
        self.trust.to_text()
    }

    /// Its key.
    pub fn key(&self) -> &PartyKey {
        &self.key
    }

    /// Trusts the vault of this card, after its fingerprint was compared with what the shop reads out on the telephone: whoever
    /// passes off a card of his own can send orders that no shop has. A card of a vault that is trusted already takes the place of
    /// the one before; what was seen of that vault stays.
    pub fn trust(&mut self, card: VaultCard) {
        self.decided.push(card.vault);
        self.trust.pin(card);
        self.changed = true;
    }

    /// The vaults that it trusts.
    pub fn trusted(&self) -> impl Iterator<Item = &VaultCard> {
        self.trust.cards()
    }

    /// Trusts the vault of this card no more, and forgets what was seen of it; whether it was trusted.
    pub fn distrust(&mut self, card: &VaultCard) -> bool {
        let was = self.trust.unpin(card.vault);
        self.decided.push(card.vault);
        self.changed |= was;
        was
    }

    /// Writes the pins beside the key file, in one step, if anything has changed: over what others have written there meanwhile, of
    /// which the later marks and pins of other vaults stay. For a party without a file there is nothing to do.
    ///
    /// # Errors
    /// `Storage`, `Damaged`.
    pub fn save(&mut self) -> Result<()> {
        if let Some(key_file) = self.key_file.as_deref().filter(|_| self.changed) {
            let _alone = lock_private(key_file)?;
            let mut newest = read_trust(key_file)?;
            newest.take_over(&self.trust, &self.decided);
            let replaced = replace(&trust_path(key_file), newest.to_text().as_bytes());
            replaced.map_err(|e| e.with_prefix("the pins beside the key, in FILE.trust"))?;
            self.trust = newest;
        }
        self.decided.clear();
        self.changed = false;
        Ok(())
    }

    /// Takes a keyring, in its bytes or in base64.
    ///
    /// # Errors
    /// `NotFound` for a vault that is not trusted, `RolledBack` for a keyring older than the newest that was taken, `CannotOpen` for
    /// one that was altered or is another party's or vault's, `Damaged`, `NewerFormat`.
    pub fn keyring(&mut self, bytes: &[u8]) -> Result<Keyring> {
        self.keyring_at(bytes, now())
    }

    pub(crate) fn keyring_at(&mut self, bytes: &[u8], clock: u64) -> Result<Keyring> {
        let bytes = binary(Kind::Keyring, bytes)?;
        let outside = Envelope::parse(Kind::Keyring, &bytes)?;
        let pin = self.trust.of_mut(outside.vault).ok_or_else(|| not_trusted(Kind::Keyring))?;
        let payload = outside.open(&pin.card, &self.key)?;
        let keyring = Keyring::parse(&payload, outside.vault)?;
        if keyring.issued < pin.keyring {
            return Err(Error::new(
                ErrorKind::RolledBack,
                "the keyring is older than the newest one that was taken",
            )
            .with_hint("use the newest, or ask the shop for it"));
        }
        pin.now(clock.max(keyring.issued));
        pin.keyring = keyring.issued;
        self.changed = true;
        Ok(keyring)
    }

    /// The card of the vault that issued a keyring, if it is trusted.
    pub fn card_of(&self, keyring: &Keyring) -> Option<&VaultCard> {
        self.trust.of(keyring.vault).map(|pin| &pin.card)
    }

    /// Asks a vault for orders, by the aliases by which the party knows them: a signed request, for `Vault::share_request`. No
    /// `parts` are all that the purpose opens. It is good for a day, once.
    ///
    /// The party cannot deny having asked, and the shop cannot say that it asked for more.
    ///
    /// # Errors
    /// `NotFound` for a vault that is not trusted, `Input` without an order or purpose, `Limit` beyond 65,536 orders or 255 parts,
    /// `Storage` where the operating system gives no random bytes.
    pub fn request(
        &self,
        card: &VaultCard,
        purpose: &str,
        parts: &[PartId],
        aliases: &[Alias],
    ) -> Result<SignedRequest> {
        self.request_at(card, (purpose, parts, aliases), (now(), nonce()?))
    }

    pub(crate) fn request_at(
        &self,
        card: &VaultCard,
        (purpose, parts, aliases): (&str, &[PartId], &[Alias]),
        (time, nonce): (u64, [u8; 16]),
    ) -> Result<SignedRequest> {
        if !self.trusted().any(|trusted| trusted == card) {
            return Err(not_trusted(Kind::Request));
        }
        SignedRequest::sign(&self.key, &Asking { card, purpose, parts, aliases, time, nonce })
    }

    /// Unseals a bundle, in its bytes or in base64, for the keyring of the same vault. Its orders are opened by [`Bundle::views`].
    ///
    /// # Errors
    /// `NotFound` for a vault that is not trusted, `Expired`, `CannotOpen` for a bundle that was altered, or is another party's or
    /// another vault's than the keyring, `Damaged`, `NewerFormat`.
    pub fn read(&mut self, keyring: &Keyring, bytes: &[u8]) -> Result<Bundle> {
        self.read_at(keyring, bytes, now())
    }

    pub(crate) fn read_at(&mut self, keyring: &Keyring, bytes: &[u8], clock: u64) -> Result<Bundle> {
        let bytes = binary(Kind::Bundle, bytes)?;
        let outside = Envelope::parse(Kind::Bundle, &bytes)?;
        let pin = self.trust.of_mut(outside.vault).ok_or_else(|| not_trusted(Kind::Bundle))?;
        if keyring.vault != outside.vault {
            return Err(Error::new(ErrorKind::CannotOpen, "keyring and bundle are of two vaults")
                .with_hint("give the keyring of the shop that sent the bundle"));
        }
        let payload = outside.open(&pin.card, &self.key)?;
        pin.now(clock);
        let mut bundle = Bundle::parse(payload, &outside)?;
        bundle.now = pin.now(bundle.issued);
        self.changed = true;
        if bundle.expires_at().is_some_and(|end| bundle.now > end) {
            return Err(expired("the time in which the bundle may be read is over")
                .with_hint("ask the shop for a new one, if it may still share these orders"));
        }
        Ok(bundle)
    }

    /// What the ledger's commitments to the copies of a bundle are over, to be handed to whoever is to check them: the copies and their
    /// tickets. Needs no keyring, and opens nothing. A bundle that is over is revealed, too: evidence has no end.
    ///
    /// # Errors
    /// `NotFound` for a vault that is not trusted, `CannotOpen` for a bundle that was altered, or is another party's, `Damaged`,
    /// `NewerFormat`.
    pub fn reveal(&self, bundle: &[u8]) -> Result<RevealedBundle> {
        let bytes = binary(Kind::Bundle, bundle)?;
        let outside = Envelope::parse(Kind::Bundle, &bytes)?;
        let pin = self.trust.of(outside.vault).ok_or_else(|| not_trusted(Kind::Bundle))?;
        let payload = outside.open(&pin.card, &self.key)?;
        RevealedBundle::of(&Bundle::parse(payload, &outside)?, &outside)
    }
}

/// What is in an envelope, for whoever has the card and the key.
#[cfg(test)]
pub(crate) fn open_envelope(
    kind: Kind,
    bytes: &[u8],
    card: &VaultCard,
    key: &PartyKey,
) -> Result<zeroize::Zeroizing<Vec<u8>>> {
    Envelope::parse(kind, bytes)?.open(card, key)
}

// By hand: no key.
impl std::fmt::Debug for Party {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let vaults: Vec<_> = self.trusted().collect();
        f.debug_struct("Party").field("key", self.key.public()).field("trusts", &vaults).finish()
    }
}

/// Where the pins of a key file are kept: `FILE.trust`.
pub fn trust_path(key_file: &Path) -> PathBuf {
    beside(key_file, ".trust")
}

fn read_trust(key_file: &Path) -> Result<Trust> {
    let trust = match read_private(&trust_path(key_file), LONGEST) {
        Ok(bytes) => Trust::parse(&String::from_utf8_lossy(&bytes)),
        Err(e) if *e.kind() == ErrorKind::NotFound => Ok(Trust::default()),
        Err(e) => Err(e),
    };
    // Not to be taken for the key file, which must not be removed.
    trust.map_err(|e| e.with_prefix("the pins beside it, in FILE.trust"))
}

fn not_trusted(kind: Kind) -> Error {
    let of = if kind == Kind::Request { "to" } else { "of" };
    Error::new(ErrorKind::NotFound, format!("the {} is {of} a vault that is not trusted", kind.name()))
        .with_hint("compare the fingerprint of the shop's card by telephone, then party trust pins it")
}

/// What is sent to a party, for the fuzz targets: its outside, which anybody may make, and what a shop that runs other code may have
/// sealed and signed.
#[cfg(fuzzing)]
#[allow(missing_docs, unreachable_pub)]
pub mod fuzzing {
    use std::sync::Arc;

    use consignee_policy::{FieldType, PartId};
    use zeroize::Zeroizing;

    use super::*;
    use crate::{
        keys::{self, EpochKeys, FieldKey, VaultId},
        suite::{Secret, Suite},
        view::NamedPart,
    };

    fn envelope(kind: Kind, bytes: &[u8]) {
        if let Ok(bytes) = binary(kind, bytes) {
            let _parsed = Envelope::parse(kind, &bytes).map(drop);
        }
    }

    /// What parses in its bytes is of one form, and is signed by nobody.
    pub fn request(bytes: &[u8]) {
        if let Ok(request) = SignedRequest::parse(bytes) {
            assert!(!bytes.starts_with(b"CNS") || request.as_bytes() == bytes);
            assert!(request.parts().is_sorted() && !request.aliases().is_empty());
        }
    }

    /// What parses is written back as something that parses.
    pub fn revealed(text: &str) {
        if let Ok(revealed) = RevealedBundle::from_json(text) {
            let again = revealed.to_json().and_then(|text| RevealedBundle::from_json(&text)?.to_json());
            assert!(again.is_ok_and(|again| revealed.to_json().is_ok_and(|text| text == again)));
            let copies = revealed.copies().iter();
            assert!(copies.map(|copy| revealed.commitment(copy, "")).all(|commitment| commitment.is_ok()));
        }
    }

    /// What parses is written back byte for byte.
    pub fn keyring(bytes: &[u8]) {
        envelope(Kind::Keyring, bytes);
        if let Ok(keyring) = Keyring::parse(bytes, VaultId([1; 16])) {
            let epochs: Vec<_> = keyring.keys.shared().to_vec();
            let (party, role) = (keyring.party(), keyring.role());
            let issue = Issue { issued: keyring.issued, party, role, parts: &keyring.parts, epochs: &epochs };
            assert!(issue.encode().is_ok_and(|again| *again == bytes));
        }
    }

    /// Each copy opens or does not, under a keyring of another shop.
    pub fn bundle(bytes: &[u8]) {
        envelope(Kind::Bundle, bytes);
        let outside = Envelope::of_vault(VaultId([1; 16]));
        if let Ok(bundle) = Bundle::parse(Zeroizing::new(bytes.to_vec()), &outside) {
            let part = |number: u16| {
                let id = PartId::new(number)?;
                Some((id, Arc::new(FieldKey::new(Suite::Aes256Gcm, Secret::new([7; 32])))))
            };
            let parts: Vec<_> = (1..=16).filter_map(part).collect();
            let named =
                |(id, _): &(PartId, _)| NamedPart { id: *id, name: "part".into(), ty: FieldType::Text };
            let named = parts.iter().map(named).collect();
            let epoch = Arc::new(EpochKeys::new(1, Suite::Aes256Gcm, parts, Vec::new()));
            let keyring = Keyring::of(VaultId([1; 16]), named, keys::Keyring::new(vec![epoch]));
            assert_eq!(bundle.views(&keyring).count(), bundle.len());
        }
    }
}
