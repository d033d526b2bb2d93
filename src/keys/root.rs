//! The root key: where it comes from, and how it wraps the vault's other keys.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use argon2::{Algorithm, Argon2, Params, Version};
use zeroize::Zeroizing;

use super::VaultId;
use crate::{
    error::{Error, ErrorKind, Result},
    suite::{self, SealRng, Secret, Suite, WrapKey, os_random, wrapped_len},
};

/// Where a vault's root key comes from: a passphrase, a key file, a token, a service.
///
/// Blocking. A provider that talks to a token or service may wait for it, at opening the vault and at changes of keys; never
/// per order.
pub trait RootKeyProvider: Send + Sync {
    /// Parameters for a new vault, kept in clear beside the wrapped keys and bound into each wrap. The first byte is the kind:
    /// 1 key bytes, 2 passphrase; others are free for other providers.
    ///
    /// # Errors
    /// `RootKey` when no randomness or no token can be had.
    fn new_parameters(&self) -> Result<Vec<u8>>;

    /// The root key for these parameters.
    ///
    /// # Errors
    /// `RootKey` when the parameters are another provider's, or out of bounds.
    fn unlock(&self, parameters: &[u8]) -> Result<Box<dyn RootKey>>;

    /// File that holds the key, if there is one: a vault refuses a root key that lies in its own folder.
    fn location(&self) -> Option<&Path> {
        None
    }
}

/// A root key, ready to wrap and unwrap.
pub trait RootKey: Send + Sync {
    /// Wraps a key; `context` must be authenticated with it.
    ///
    /// # Errors
    /// `RootKey` when the token or service fails.
    fn wrap(&self, context: &[u8], key: &[u8; 32]) -> Result<Vec<u8>>;

    /// Unwraps what `wrap` made under the same context.
    ///
    /// # Errors
    /// `RootKey` when the key, the context or the bytes are wrong. Which of them is not told.
    fn unwrap(&self, context: &[u8], wrapped: &[u8]) -> Result<Zeroizing<[u8; 32]>>;
}

/// Kinds of wrapped keys (`docs/format.md`, section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyKind {
    Field = 1,
    Index = 2,
    Release = 3,
    Id = 4,
    Alias = 5,
    Issuing = 6,
    Ledger = 7,
    Registry = 8,
    Query = 9,
}

/// The place of a wrapped key. Without it, whoever writes the key store could have every later phone number sealed under the
/// key of its masked form, which support holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WrapContext {
    pub(crate) vault: VaultId,
    pub(crate) kind: KeyKind,
    pub(crate) id: u32,
    pub(crate) generation: u32,
    pub(crate) suite: Option<Suite>,
}

impl WrapContext {
    /// "consignee/v1/wrap" ‖ vault id ‖ kind ‖ key id ‖ epoch or generation ‖ suite ‖ provider parameters
    pub(crate) fn associated_data(&self, parameters: &[u8]) -> Vec<u8> {
        [
            b"consignee/v1/wrap".as_slice(),
            &self.vault.0,
            &[self.kind as u8],
            &self.id.to_le_bytes(),
            &self.generation.to_le_bytes(),
            &[self.suite.map_or(0, Suite::number)],
            parameters,
        ]
        .concat()
    }
}

const KEY_BYTES: u8 = 1;
const PASSPHRASE: u8 = 2;

/// A root key of 32 random bytes, from a file or from the caller's own secret store.
///
/// The file is one line of text: `consignee-root-v1:`, 64 hexadecimal digits, `-`, and 8 digits of a checksum.
pub struct KeyFile {
    key: Secret<32>,
    path: Option<PathBuf>,
}

/// More than a key file has, so that of a larger file no more is read.
const LONGEST_KEY_FILE: usize = 256;

/// What a key file begins with.
pub(crate) const KEY_FILE_PREFIX: &str = "consignee-root-v1:";

impl KeyFile {
    /// A key that the caller keeps elsewhere.
    pub fn from_bytes(key: [u8; 32]) -> Self {
        Self { key: Secret::new(key), path: None }
    }

    /// Reads a key file.
    ///
    /// # Errors
    /// `RootKey` if there is no such file, if it is a link, belongs to another user or can be reached by others (it must have
    /// mode 0600 or 0400), or if it holds no whole key.
    pub fn read(path: &Path) -> Result<Self> {
        let file_error = |e: io::Error| match e.kind() {
            io::ErrorKind::NotFound => root_error("there is no such key file").with_hint(
                "restore it from its copy; a new key opens no old vault, \
                     init --key-file makes one for a new vault",
            ),
            _ => root_error("the key file cannot be read"),
        };
        let meta = fs::symlink_metadata(path).map_err(file_error)?;
        if !meta.is_file() {
            return Err(root_error("the key file is not a plain file").with_hint("links are not followed"));
        }
        check_private(&meta)?;
        let mut text = Zeroizing::new(Vec::with_capacity(LONGEST_KEY_FILE));
        let file = fs::File::open(path).map_err(file_error)?;
        file.take(LONGEST_KEY_FILE as u64).read_to_end(&mut text).map_err(file_error)?;
        let line = Some(&text).filter(|text| text.len() < LONGEST_KEY_FILE);
        let key = line.and_then(|line| parse_key_line(line)).ok_or_else(|| {
            root_error("the key file holds no whole key").with_hint("restore it from its backup")
        })?;
        Ok(Self { key, path: Some(path.to_owned()) })
    }

    /// Makes a new key file, mode 0600.
    ///
    /// # Errors
    /// `Exists` if there is a file already; `RootKey` if it cannot be written or no randomness can be had.
    pub fn create(path: &Path) -> Result<Self> {
        let key = Secret::fill(|key| os_random(key)).map_err(|_| no_randomness())?;
        let line = key_line(&key).ok_or_else(|| root_error("the key file cannot be written"))?;
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let written = options.open(path).and_then(|mut file| {
            io::Write::write_all(&mut file, &line)?;
            file.sync_all()
        });
        written.map_err(|e| match e.kind() {
            io::ErrorKind::AlreadyExists => {
                Error::new(ErrorKind::Exists, "there is a file of this name already")
            }
            _ => root_error("the key file cannot be written"),
        })?;
        Ok(Self { key, path: Some(path.to_owned()) })
    }
}

// Digits of a key are neither looked up in a table nor told apart by branches, which formatting and parsing of numbers do.

pub(crate) fn key_line(key: &Secret<32>) -> Option<Zeroizing<Vec<u8>>> {
    let (mut digits, mut check) = (Zeroizing::new([0; 64]), [0; 8]);
    base16ct::lower::encode(key.expose(), digits.as_mut_slice()).ok()?;
    base16ct::lower::encode(&checksum(key.expose()), &mut check).ok()?;
    let pieces = [KEY_FILE_PREFIX.as_bytes(), digits.as_slice(), b"-", &check, b"\n"];
    Some(Zeroizing::new(pieces.concat()))
}

pub(crate) fn parse_key_line(line: &[u8]) -> Option<Secret<32>> {
    let (digits, rest) = line.strip_prefix(KEY_FILE_PREFIX.as_bytes())?.split_at_checked(64)?;
    let rest: &[u8; 8] =
        str::from_utf8(rest).ok()?.trim_end().strip_prefix('-')?.as_bytes().try_into().ok()?;
    let mut check = [0; 4];
    base16ct::mixed::decode(rest, &mut check).ok()?;
    let mut key = Secret::new([0; 32]);
    base16ct::mixed::decode(digits, key.expose_mut()).ok()?;
    if !Secret::new(checksum(key.expose())).equals(&check) {
        return None;
    }
    Some(key)
}

fn checksum(key: &[u8; 32]) -> [u8; 4] {
    let mut sum = [0; 4];
    sum.copy_from_slice(&suite::commit("consignee/v1/key-file", &[key])[..4]);
    sum
}

#[cfg(unix)]
fn check_private(meta: &fs::Metadata) -> Result<()> {
    use std::os::unix::fs::MetadataExt;
    if meta.uid() != rustix::process::geteuid().as_raw() {
        return Err(root_error("the key file belongs to another user"));
    }
    if meta.mode() & 0o077 != 0 {
        return Err(root_error("the key file can be reached by other users").with_hint("chmod 600 it"));
    }
    Ok(())
}

// Elsewhere the system's own access lists guard the file; the library does not read them.
#[cfg(not(unix))]
fn check_private(_meta: &fs::Metadata) -> Result<()> {
    Ok(())
}

impl RootKeyProvider for KeyFile {
    fn new_parameters(&self) -> Result<Vec<u8>> {
        Ok(vec![KEY_BYTES])
    }

    fn unlock(&self, parameters: &[u8]) -> Result<Box<dyn RootKey>> {
        if parameters != [KEY_BYTES] {
            return Err(root_error("this vault is not opened by a key file").with_hint("give its passphrase"));
        }
        Ok(Box::new(LocalKey::new(Secret::new(*self.key.expose()))))
    }

    fn location(&self) -> Option<&Path> {
        self.path.as_deref()
    }
}

/// A root key derived from a passphrase by Argon2id (RFC 9106): 256 MiB of memory, 3 passes, 1 lane for a new vault.
pub struct Passphrase(Zeroizing<String>);

/// Memory in KiB, passes, lanes of a new vault.
const NEW_COST: (u32, u32, u32) = (256 * 1024, 3, 1);
/// The least a vault's file may ask for: a forged file must not weaken the derivation …
const LEAST_COST: (u32, u32, u32) = (19 * 1024, 2, 1);
/// … nor exhaust the machine.
const MOST_COST: (u32, u32, u32) = (4 * 1024 * 1024, 16, 16);

impl Passphrase {
    /// A root key by passphrase. An empty one is refused when a vault is made.
    pub fn new(passphrase: impl Into<String>) -> Self {
        Self(Zeroizing::new(passphrase.into()))
    }
}

impl RootKeyProvider for Passphrase {
    fn new_parameters(&self) -> Result<Vec<u8>> {
        if self.0.chars().count() < 8 {
            return Err(root_error("the passphrase is too short")
                .with_hint("at least 8 characters, better 5 random words"));
        }
        let mut salt = [0; 16];
        os_random(&mut salt).map_err(|_| no_randomness())?;
        let (memory, passes, lanes) = NEW_COST;
        Ok([
            &[PASSPHRASE],
            salt.as_slice(),
            &memory.to_le_bytes(),
            &passes.to_le_bytes(),
            &lanes.to_le_bytes(),
        ]
        .concat())
    }

    fn unlock(&self, parameters: &[u8]) -> Result<Box<dyn RootKey>> {
        Ok(Box::new(LocalKey::new(self.key(parameters)?)))
    }
}

impl Passphrase {
    /// Bytes of its parameters.
    pub(super) const PARAMETERS: usize = 1 + 16 + 3 * 4;

    /// The key that it gives under these parameters, which may be anybody's.
    pub(super) fn key(&self, parameters: &[u8]) -> Result<Secret<32>> {
        let damaged = || root_error("the passphrase parameters are out of bounds");
        let [PASSPHRASE, rest @ ..] = parameters else {
            return Err(root_error("this vault is not opened by a passphrase").with_hint("give its key file"));
        };
        let (salt, numbers) = rest.split_at_checked(16).ok_or_else(damaged)?;
        let numbers: &[u8; 12] = numbers.try_into().map_err(|_| damaged())?;
        let number =
            |at: usize| u32::from_le_bytes([numbers[at], numbers[at + 1], numbers[at + 2], numbers[at + 3]]);
        let cost = (number(0), number(4), number(8));
        if !is_within_bounds(cost) {
            return Err(damaged());
        }
        argon2id(&self.0, salt, cost).map_err(|_| root_error("the passphrase cannot be used"))
    }
}

fn is_within_bounds((memory, passes, lanes): (u32, u32, u32)) -> bool {
    (LEAST_COST.0..=MOST_COST.0).contains(&memory)
        && (LEAST_COST.1..=MOST_COST.1).contains(&passes)
        && (LEAST_COST.2..=MOST_COST.2).contains(&lanes)
}

pub(crate) fn argon2id(
    passphrase: &str,
    salt: &[u8],
    (memory, passes, lanes): (u32, u32, u32),
) -> argon2::Result<Secret<32>> {
    let params = Params::new(memory, passes, lanes, Some(32))?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    Secret::fill(|key| argon2.hash_password_into(passphrase.as_bytes(), salt, key))
}

/// A root key held in this process; wraps by XAES-256-GCM.
struct LocalKey(WrapKey);

impl LocalKey {
    fn new(key: Secret<32>) -> Self {
        Self(WrapKey::new(Suite::Aes256Gcm, key))
    }
}

impl RootKey for LocalKey {
    fn wrap(&self, context: &[u8], key: &[u8; 32]) -> Result<Vec<u8>> {
        let mut wrapped = vec![0; wrapped_len(key.len())];
        // Its own generator: a clone of this machine must not wrap another key in this place under the same nonce.
        let mut rng = SealRng::seeded().map_err(|_| no_randomness())?;
        self.0
            .wrap(&mut rng, &[0; 16], context, key, &mut wrapped)
            .map_err(|_| root_error("the key cannot be wrapped"))?;
        Ok(wrapped)
    }

    fn unwrap(&self, context: &[u8], wrapped: &[u8]) -> Result<Zeroizing<[u8; 32]>> {
        let mut key = Zeroizing::new([0; 32]);
        self.0.unwrap(context, wrapped, key.as_mut_slice()).map_err(|_| {
            root_error("the root key does not open this vault")
                .with_hint("wrong passphrase or key file, or altered keys")
        })?;
        Ok(key)
    }
}

fn root_error(message: &'static str) -> Error {
    Error::new(ErrorKind::RootKey, message)
}

fn no_randomness() -> Error {
    root_error("the operating system gives no random bytes")
}

#[cfg(test)]
mod tests {
    use argon2::{AssociatedData, ParamsBuilder};

    use super::*;
    use crate::suite::published_tests::hex;

    /// RFC 9106, section 5.3. It has a secret and associated data, which our derivation does without: this is of the crate alone.
    #[test]
    fn the_crates_argon2id_is_that_of_rfc_9106() {
        let data = AssociatedData::new(&[4; 12]).unwrap();
        let params = ParamsBuilder::new().m_cost(32).t_cost(3).p_cost(4).data(data).build().unwrap();
        let argon2 = Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, params).unwrap();
        let mut tag = [0; 32];
        argon2.hash_password_into(&[1; 32], &[2; 16], &mut tag).unwrap();
        assert_eq!(tag.as_slice(), hex("0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"));
    }

    /// phc-winner-argon2, src/test.c: Argon2id 0x13, 2 passes, 2^16 and 2^8 KiB, 1 and 2 lanes. The derivation of a whole root key
    /// is computed anew by tests/interop/check_vectors.py (tests/vectors/passphrase-good.json).
    #[test]
    fn our_argon2id_is_that_of_the_reference_implementation() {
        for (cost, key) in [
            ((1 << 16, 2, 1), "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"),
            ((1 << 8, 2, 1), "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe"),
            ((1 << 8, 2, 2), "6d093c501fd5999645e0ea3bf620d7b8be7fd2db59c20d9fff9539da2bf57037"),
        ] {
            let made = argon2id("password", b"somesalt", cost).unwrap();
            assert_eq!(made.expose().as_slice(), hex(key), "{cost:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_key_file_is_one_line_that_reads_back_and_is_not_written_over() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.key");
        assert!(KeyFile::read(&path).err().unwrap().to_string().starts_with("there is no such key file"));
        let made = KeyFile::create(&path).unwrap();
        let line = fs::read(&path).unwrap();
        let digits: String = made.key.expose().iter().map(|byte| format!("{byte:02x}")).collect();
        let start = format!("consignee-root-v1:{digits}-");
        assert!(line.starts_with(start.as_bytes()) && line.len() == start.len() + 9 && line.ends_with(b"\n"));
        let read = KeyFile::read(&path).unwrap();
        assert!(read.key.equals(made.key.expose()) && read.location() == Some(path.as_path()));
        assert_eq!(KeyFile::create(&path).err().unwrap().kind(), &ErrorKind::Exists);
        assert_eq!(fs::read(&path).unwrap(), line);
        // White space behind it, up to 255 bytes in all.
        for (length, reads) in [(255, true), (256, false)] {
            let mut longer = line.clone();
            longer.resize(length, b' ');
            fs::write(&path, longer).unwrap();
            assert_eq!(KeyFile::read(&path).is_ok(), reads, "{length} bytes");
        }
        fs::write(&path, line).unwrap();
        for (mode, reads) in [(0o400, true), (0o640, false), (0o604, false), (0o600, true)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(KeyFile::read(&path).is_ok(), reads, "{mode:o}");
        }
    }

    fn refusal(provider: &dyn RootKeyProvider, parameters: &[u8]) -> Option<String> {
        provider.unlock(parameters).err().map(|error| error.to_string())
    }

    fn with_cost((memory, passes, lanes): (u32, u32, u32)) -> Vec<u8> {
        let numbers = [memory, passes, lanes].map(u32::to_le_bytes).concat();
        [&[PASSPHRASE], [7; 16].as_slice(), &numbers].concat()
    }

    #[test]
    fn a_new_passphrase_has_8_characters_and_costs_256_mib() {
        assert!(Passphrase::new("7 chars").new_parameters().is_err());
        let passphrase = Passphrase::new("8 chárs.");
        let [one, other] = [(); 2].map(|()| passphrase.new_parameters().unwrap());
        assert_ne!(one[1..17], other[1..17], "the salt is drawn");
        assert_eq!(
            [&one[..1], &one[17..]].concat(),
            [[2].as_slice(), &with_cost((262_144, 3, 1))[17..]].concat()
        );
        assert_eq!(KeyFile::from_bytes([1; 32]).new_parameters().unwrap(), [1]);
    }

    /// A forged file makes the derivation weak, so that the passphrase can be guessed, or lets it exhaust the machine.
    #[test]
    fn a_cost_out_of_bounds_is_refused_before_anything_is_derived() {
        let passphrase = Passphrase::new("a passphrase");
        for least in [(19_456, 2, 1), (19_456, 2, 16), (19_456, 16, 1)] {
            assert_eq!(refusal(&passphrase, &with_cost(least)), None);
        }
        // Four gibibytes are not spent on it here.
        assert!(is_within_bounds((4_194_304, 16, 16)));
        let refused = root_error("the passphrase parameters are out of bounds").to_string();
        for cost in [
            (19_455, 2, 1),
            (4_194_305, 2, 1),
            (19_456, 1, 1),
            (19_456, 17, 1),
            (19_456, 2, 0),
            (19_456, 2, 17),
        ] {
            assert_eq!(refusal(&passphrase, &with_cost(cost)), Some(refused.clone()), "{cost:?}");
        }
        let longer = [with_cost((19_456, 2, 1)), vec![0]].concat();
        assert_eq!(refusal(&passphrase, &longer), Some(refused));
    }
}
