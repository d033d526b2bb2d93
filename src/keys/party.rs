//! Keys of a party's own, and the vault's public ones: what the two sides give each other before anything is shared.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use zeroize::Zeroizing;

use super::{
    Passphrase, VaultId, party_key_id, private_file,
    root::RootKeyProvider,
    text::{Fingerprint, LONGEST, Line},
};
use crate::{
    error::{Error, ErrorKind, Result},
    suite::{
        Kem, SIGNATURE, SealRng, Secret, SigningKey, Suite, TAG, Unauthentic, WrapKey, can_be_sealed_to,
        digest, is_public, is_verifying, open_from, os_random, public_of, wrapped_len,
    },
    tlog::VerifierKey,
};

const PRIVATE: Line = Line { prefix: "consignee-party-v1:", label: "consignee/v1/party-key" };
const LOCKED: Line = Line { prefix: "consignee-party-locked-v1:", label: "consignee/v1/party-locked" };
const PUBLIC: Line = Line { prefix: "consignee-party-pub-v1:", label: "consignee/v1/party-pub" };
const CARD: Line = Line { prefix: "consignee-vault-card-v1:", label: "consignee/v1/vault-card" };

/// KEM, its private key, seed of the signing key.
const PRIVATE_BYTES: usize = 2 + 32 + 32;

/// The private key of a party: opens what is sealed to it, and signs what it asks for. Whoever has it reads all that the party was
/// ever sent.
pub struct PartyKey {
    kem: Kem,
    opening: Secret<32>,
    signing: SigningKey,
    seed: Secret<32>,
    public: PublicKey,
}

impl PartyKey {
    /// A new key.
    ///
    /// # Errors
    /// `Storage` when the operating system gives no random bytes.
    pub fn generate(kem: Kem) -> Result<Self> {
        let draw = || Secret::fill(|key| os_random(key)).map_err(|_| no_randomness());
        Self::of(kem, draw()?, draw()?)
    }

    fn of(kem: Kem, opening: Secret<32>, seed: Secret<32>) -> Result<Self> {
        let signing = SigningKey::new(&seed);
        let public = public_of(kem, &opening).map_err(|_| no_key())?;
        let bytes = [kem.number().to_le_bytes().as_slice(), &public, &signing.public()].concat();
        Ok(Self { kem, opening, signing, seed, public: PublicKey { kem, bytes } })
    }

    /// Writes it into a new file, mode 0600; under a passphrase, where there is one.
    ///
    /// # Errors
    /// `Exists` if there is a file of this name, `RootKey` for a passphrase of fewer than 8 characters, `Storage`.
    pub fn write(&self, path: &Path, passphrase: Option<&Passphrase>) -> Result<()> {
        private_file::create(path, &self.to_bytes(passphrase)?)
    }

    /// What its file holds, for a secret store of the caller's own; under a passphrase, where there is one. Wiped when it is dropped.
    ///
    /// # Errors
    /// `RootKey` for a passphrase of fewer than 8 characters, `Storage` when the operating system gives no random bytes.
    pub fn to_bytes(&self, passphrase: Option<&Passphrase>) -> Result<Zeroizing<Vec<u8>>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(PRIVATE_BYTES));
        bytes.extend_from_slice(&self.kem.number().to_le_bytes());
        bytes.extend_from_slice(self.opening.expose());
        bytes.extend_from_slice(self.seed.expose());
        Ok(match passphrase {
            None => PRIVATE.of_secret(&bytes),
            Some(passphrase) => LOCKED.of_secret(&lock(passphrase, &bytes)?),
        })
    }

    /// Reads it from its file. One that is locked needs its passphrase (and about a second), another takes none.
    ///
    /// # Errors
    /// `NotFound`, `Storage` for a file that others can reach, `Damaged`, `CannotOpen` for a missing or wrong passphrase.
    pub fn read(path: &Path, passphrase: Option<&Passphrase>) -> Result<Self> {
        check_not_public(path)?;
        Self::from_bytes(&private_file::read(path, LONGEST)?, passphrase)
    }

    /// Reads it from what its file holds. One that is locked needs its passphrase (and about a second), another takes none.
    ///
    /// # Errors
    /// `Damaged`, `NewerFormat`, `CannotOpen` for a missing or wrong passphrase.
    pub fn from_bytes(line: &[u8], passphrase: Option<&Passphrase>) -> Result<Self> {
        if line.starts_with(PUBLIC.prefix.as_bytes()) {
            return Err(is_public_half());
        }
        let bytes = match (LOCKED.parse_secret(line), passphrase) {
            (Some(locked), Some(passphrase)) => unlock(passphrase, &locked)?,
            (Some(_), None) => {
                return Err(Error::new(ErrorKind::CannotOpen, "the key file is locked by a passphrase"));
            }
            (None, _) => PRIVATE.parse_secret(line).ok_or_else(no_key)?,
        };
        Self::parse(&bytes)
    }

    /// Whether a key file is locked by a passphrase.
    ///
    /// # Errors
    /// As for [`PartyKey::read`].
    pub fn is_locked(path: &Path) -> Result<bool> {
        check_not_public(path)?;
        Ok(private_file::read(path, LONGEST)?.starts_with(LOCKED.prefix.as_bytes()))
    }

    fn parse(bytes: &[u8]) -> Result<Self> {
        let bytes: &[u8; PRIVATE_BYTES] = bytes.try_into().map_err(|_| no_key())?;
        let (kem, rest) = bytes.split_first_chunk::<2>().ok_or_else(no_key)?;
        let (opening, rest) = rest.split_first_chunk::<32>().ok_or_else(no_key)?;
        let seed: &[u8; 32] = rest.try_into().map_err(|_| no_key())?;
        let kem = Kem::from_number(u16::from_le_bytes(*kem)).ok_or_else(newer)?;
        Self::of(kem, Secret::new(*opening), Secret::new(*seed))
    }

    /// What the shop gets of it.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    pub(crate) fn open(
        &self,
        (kem, encapsulated, info): (Kem, &[u8], &[u8]),
        buffer: &mut [u8],
        tag: &[u8; TAG],
    ) -> Result<(), Unauthentic> {
        if kem != self.kem {
            return Err(Unauthentic);
        }
        open_from(kem, &self.opening, (encapsulated, info), buffer, tag)
    }

    /// Signs what the party asks for.
    pub(crate) fn sign(&self, message: &[u8]) -> [u8; SIGNATURE] {
        self.signing.sign(message)
    }
}

/// The public half in place of the private one: it may be read by anybody, which is not what is wrong with it.
fn check_not_public(path: &Path) -> Result<()> {
    let mut start = Vec::new();
    let read =
        File::open(path).and_then(|file| file.take(PUBLIC.prefix.len() as u64).read_to_end(&mut start));
    if read.is_ok() && start == PUBLIC.prefix.as_bytes() {
        return Err(is_public_half());
    }
    Ok(())
}

fn is_public_half() -> Error {
    Error::new(ErrorKind::Damaged, "the key file is the public half of a key")
        .with_hint("give the private one, without .pub")
}

// parameters ‖ XAES-256-GCM(key of the passphrase, nonce, private bytes, "consignee/v1/party-locked" ‖ parameters)
fn lock(passphrase: &Passphrase, bytes: &[u8]) -> Result<Vec<u8>> {
    let parameters = passphrase.new_parameters()?;
    let key = WrapKey::new(Suite::Aes256Gcm, passphrase.key(&parameters)?);
    let mut wrapped = vec![0; wrapped_len(bytes.len())];
    let mut rng = SealRng::seeded().map_err(|_| no_randomness())?;
    key.wrap(&mut rng, &[0; 16], &bound(&parameters), bytes, &mut wrapped).map_err(|_| no_key())?;
    Ok([parameters, wrapped].concat())
}

fn unlock(passphrase: &Passphrase, locked: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let (parameters, wrapped) = locked.split_at_checked(Passphrase::PARAMETERS).ok_or_else(no_key)?;
    let key = WrapKey::new(Suite::Aes256Gcm, passphrase.key(parameters)?);
    let mut bytes = Zeroizing::new(vec![0; wrapped.len().saturating_sub(wrapped_len(0))]);
    key.unwrap(&bound(parameters), wrapped, &mut bytes)
        .map_err(|_| Error::new(ErrorKind::CannotOpen, "the passphrase does not open the key file"))?;
    Ok(bytes)
}

fn bound(parameters: &[u8]) -> Vec<u8> {
    [LOCKED.label.as_bytes(), parameters].concat()
}

/// The public key of a party: what is sealed to it, and by what its requests are told to be its own.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    kem: Kem,
    // kem u16 ‖ public key of the KEM ‖ Ed25519 public key
    bytes: Vec<u8>,
}

impl PublicKey {
    /// Reads the text of a public key file.
    ///
    /// # Errors
    /// `Input` for text that is none, or has a letter wrong; `NewerFormat` for a KEM that this version does not know.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = || {
            Error::input("key", "is no public key of a party, or not a whole one")
                .with_hint("party keygen writes it into the file that ends in .pub")
        };
        let key = Self::of_bytes(PUBLIC.parse_public(text).ok_or_else(wrong)?)?;
        if can_be_sealed_to(key.kem, key.opening()) { Ok(key) } else { Err(wrong()) }
    }

    pub(crate) fn of_bytes(bytes: Vec<u8>) -> Result<Self> {
        let wrong = || Error::input("key", "is no public key of a party");
        let (kem, rest) = bytes.split_first_chunk::<2>().ok_or_else(wrong)?;
        let kem = Kem::from_number(u16::from_le_bytes(*kem)).ok_or_else(newer)?;
        let (opening, verifying) = rest.split_last_chunk::<32>().ok_or_else(wrong)?;
        if opening.len() != kem.public_len() || !is_public(kem, opening) || !is_verifying(verifying) {
            return Err(wrong());
        }
        Ok(Self { kem, bytes })
    }

    /// Its text: one line, to send to the shop.
    pub fn to_text(&self) -> String {
        PUBLIC.of_public(&self.bytes)
    }

    /// To compare by telephone, before the shop takes the key for the party's.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&PUBLIC, &self.bytes)
    }

    /// How keys are agreed on with it.
    pub fn kem(&self) -> Kem {
        self.kem
    }

    /// The key that is sealed to.
    pub(crate) fn opening(&self) -> &[u8] {
        self.bytes.get(2..2 + self.kem.public_len()).unwrap_or_default()
    }

    /// The bytes that go into key ids.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The key that requests are verified by.
    pub(crate) fn verifying(&self) -> &[u8; 32] {
        self.bytes.last_chunk().unwrap_or(&[0; 32])
    }

    /// By what a request names the key that signs it.
    pub(crate) fn digest(&self) -> [u8; 32] {
        digest(&self.bytes)
    }

    /// Key id of the party with this number in a vault.
    pub(crate) fn key_id(&self, vault: VaultId, number: u32) -> [u8; 16] {
        party_key_id(vault, number, &self.bytes)
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PublicKey({}, {})", self.kem.name(), self.fingerprint())
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.bytes))
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        let bytes = STANDARD.decode(text.as_bytes()).map_err(|_| de::Error::custom("base64"))?;
        Self::of_bytes(bytes).map_err(|_| de::Error::custom("public key"))
    }
}

/// What a vault shows of itself to its parties: its id, the key that signs what they are sent, and that of its ledger.
#[derive(Clone, PartialEq, Eq)]
pub struct VaultCard {
    pub(crate) vault: VaultId,
    pub(crate) issuing: [u8; 32],
    pub(crate) ledger: [u8; 32],
    pub(crate) origin: String,
}

impl VaultCard {
    /// Reads the text of a card.
    ///
    /// # Errors
    /// `Input` for text that is none, or has a letter wrong.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = || {
            Error::input("card", "is no card of a vault, or not a whole one")
                .with_hint("vault card writes it")
        };
        let bytes = CARD.parse_public(text).ok_or_else(wrong)?;
        let (vault, rest) = bytes.split_first_chunk::<16>().ok_or_else(wrong)?;
        let (issuing, rest) = rest.split_first_chunk::<32>().ok_or_else(wrong)?;
        let (ledger, origin) = rest.split_first_chunk::<32>().ok_or_else(wrong)?;
        let origin = String::from_utf8(origin.to_vec()).map_err(|_| wrong())?;
        if !is_origin(&origin) || !is_verifying(issuing) || !is_verifying(ledger) {
            return Err(wrong());
        }
        Ok(Self { vault: VaultId(*vault), issuing: *issuing, ledger: *ledger, origin })
    }

    /// Its text: one line, to send to the parties.
    pub fn to_text(&self) -> String {
        CARD.of_public(&self.bytes())
    }

    /// To compare by telephone, before a party takes the card for the shop's.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&CARD, &self.bytes())
    }

    /// Takes what the shop reads out by telephone for this card's fingerprint, or refuses it: before [`crate::Party::trust`].
    ///
    /// # Errors
    /// `CannotOpen` for another one.
    pub fn compare(&self, read_out: &str) -> Result<()> {
        if self.fingerprint().is(read_out) {
            return Ok(());
        }
        Err(Error::new(ErrorKind::CannotOpen, "the card has another fingerprint")
            .with_hint("it is not the shop's card, or was misread: compare it once more"))
    }

    /// Whether both are of one vault.
    pub fn is_of(&self, other: &Self) -> bool {
        self.vault == other.vault
    }

    /// Name of its ledgers, the first and those that succeed it.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Public key of the ledger of this number, with its name: what a verifier of that ledger must know.
    ///
    /// # Errors
    /// `Input` for an origin that leaves no room for the number.
    pub fn ledger_key(&self, number: u32) -> Result<VerifierKey> {
        VerifierKey::of_log(&format!("{}/{number}", self.origin), self.ledger)
    }

    fn bytes(&self) -> Vec<u8> {
        [&self.vault.0, self.issuing.as_slice(), &self.ledger, self.origin.as_bytes()].concat()
    }
}

impl std::fmt::Debug for VaultCard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "VaultCard({}, {})", self.origin, self.fingerprint())
    }
}

/// Whether it may name a ledger: the first line of its checkpoints (C2SP tlog-checkpoint), without spaces or plus signs.
pub(crate) fn is_origin(text: &str) -> bool {
    (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'+')
}

/// Where the public half of a key file is written: `FILE.pub`.
pub fn public_path(key_file: &Path) -> PathBuf {
    beside(key_file, ".pub")
}

/// The file beside another whose name goes on like this.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    path.with_file_name(name)
}

fn no_key() -> Error {
    Error::new(ErrorKind::Damaged, "the file holds no whole key of a party")
        .with_hint("restore it from its copy, or make a new one with party keygen and send the shop its .pub")
}

fn newer() -> Error {
    Error::new(ErrorKind::NewerFormat, "the key is of a newer version").with_hint("update this program")
}

fn no_randomness() -> Error {
    Error::new(ErrorKind::Storage, "the operating system gives no random bytes")
}
