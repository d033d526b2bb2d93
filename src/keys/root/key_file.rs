//! A root key that is 32 bytes, in a file or in the caller's own secret store.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{KEY_BYTES, RootKey, RootKeyProvider, local::LocalKey, no_randomness, other_root, root_error};
use crate::{
    error::{ErrorKind, Result},
    keys::{private_file, text::Line},
    suite::{Secret, os_random},
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
const LINE: Line = Line { prefix: KEY_FILE_PREFIX, label: "consignee/v1/key-file" };

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
        let text = private_file::read(path, LONGEST_KEY_FILE).map_err(|e| match e.kind() {
            ErrorKind::NotFound => e.of_kind(ErrorKind::RootKey).with_hint(
                "restore it from its copy; a new key opens no old vault, init --key-file makes one for a new vault",
            ),
            _ => e.of_kind(ErrorKind::RootKey),
        })?;
        let key = parse_key_line(&text).ok_or_else(|| {
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
        private_file::create(path, &key_line(&key)).map_err(|e| match e.kind() {
            ErrorKind::Exists => e,
            _ => e.of_kind(ErrorKind::RootKey),
        })?;
        Ok(Self { key, path: Some(path.to_owned()) })
    }
}

pub(crate) fn key_line(key: &Secret<32>) -> Zeroizing<Vec<u8>> {
    LINE.of_secret(key.expose())
}

pub(crate) fn parse_key_line(line: &[u8]) -> Option<Secret<32>> {
    let bytes = LINE.parse_secret(line)?;
    Some(Secret::new(*bytes.first_chunk().filter(|_| bytes.len() == 32)?))
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
        use std::{fs, os::unix::fs::PermissionsExt};

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
