//! A root key that is 32 bytes, in a file or in the caller's own secret store.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use super::{KEY_BYTES, RootKey, RootKeyProvider, local::LocalKey, no_randomness, other_root, root_error};
use crate::{
    error::{Error, ErrorKind, Result},
    suite::{self, Secret, os_random},
};

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
            file.sync_all()?;
            sync_name(path)
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

/// Makes the file's name durable: a vault under it outlives a power failure.
#[cfg(unix)]
fn sync_name(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

// Elsewhere a folder is not opened as a file is.
#[cfg(not(unix))]
fn sync_name(_path: &Path) -> io::Result<()> {
    Ok(())
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
            return Err(other_root("this vault is not opened by a key file")
                .with_hint("give its passphrase or token"));
        }
        Ok(Box::new(LocalKey::new(Secret::new(*self.key.expose()))))
    }

    fn location(&self) -> Option<&Path> {
        self.path.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
