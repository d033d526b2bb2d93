//! A published log as files: `public/` (checkpoint and hash tiles, for everybody) and `audit/` (entry bundles, for auditors).

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use crate::{
    error::{Error, ErrorKind, Result},
    tlog::{Bundle, Hash, SignedCheckpoint, Tile, Tiles, VerifierKey},
};

/// File of the newest checkpoint.
pub(super) const CHECKPOINT: &str = "checkpoint";
/// File of the newest checkpoint that witnesses have cosigned, where a newer one has come since.
pub(super) const COSIGNED: &str = "checkpoint.cosigned";
/// Most bytes of a file: 256 entries of 65,535 bytes, each with its length.
const LONGEST: u64 = 256 * (2 + 65_535);

/// Where one ledger is published, or was copied to. Read as it comes: nothing in it is believed that does not hash to a checkpoint.
#[derive(Debug, Clone)]
pub struct Published {
    pub(super) public: PathBuf,
    pub(super) audit: PathBuf,
}

impl Published {
    /// The log in a folder: in its `public` and `audit`, or, where it has no `public`, in the folder itself, as a log server has it.
    pub fn at(folder: &Path) -> Self {
        let public = folder.join("public");
        if public.is_dir() || !folder.join(CHECKPOINT).exists() {
            return Self { public, audit: folder.join("audit") };
        }
        Self { public: folder.to_owned(), audit: folder.to_owned() }
    }

    /// The ledger of this number of a vault, below the folder into which the vault is published: the first in it, later ones in
    /// `ledger-2` and so on.
    pub fn ledger(folder: &Path, number: u32) -> Self {
        if number == 1 { Self::at(folder) } else { Self::at(&folder.join(format!("ledger-{number}"))) }
    }

    /// A file beside its folders, or where it is one folder, in that.
    pub(super) fn beside(&self, file: &str) -> PathBuf {
        let own = if self.public == self.audit { Some(self.public.as_path()) } else { self.public.parent() };
        own.unwrap_or(Path::new("")).join(file)
    }

    /// Whether there is a checkpoint.
    pub fn is_there(&self) -> bool {
        self.public.join(CHECKPOINT).exists()
    }

    /// Whether entries are there, and not only their hashes.
    pub fn has_entries(&self) -> bool {
        self.audit.join("tile").join("entries").is_dir()
    }

    /// Its newest checkpoint, signed by whomever.
    ///
    /// # Errors
    /// `NotFound`, `Damaged`, `Limit`, `Storage`.
    pub fn checkpoint(&self) -> Result<SignedCheckpoint> {
        SignedCheckpoint::parse(&read(&self.public.join(CHECKPOINT))?).map_err(|e| e.in_file(CHECKPOINT))
    }

    /// The newest checkpoint that witnesses have cosigned, where a newer one has come since.
    ///
    /// # Errors
    /// `Damaged`, `Limit`, `Storage`.
    pub fn cosigned(&self) -> Result<Option<SignedCheckpoint>> {
        match read(&self.public.join(COSIGNED)) {
            Ok(bytes) => SignedCheckpoint::parse(&bytes).map(Some).map_err(|e| e.in_file(COSIGNED)),
            Err(e) if *e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// The bytes of a bundle of this width, also where a wider one has taken its place.
    pub(super) fn bundle_bytes(&self, bundle: Bundle) -> Result<Vec<u8>> {
        let (mut bytes, is_wider) = self.read_wider(&self.audit, &bundle.to_string())?;
        if is_wider {
            let mut rest = bytes.as_slice();
            (0..bundle.width).try_for_each(|_| take_entry(&mut rest).map(drop));
            let length = bytes.len() - rest.len();
            bytes.truncate(length);
        }
        Ok(bytes)
    }

    /// An entry of a log of `size` entries.
    ///
    /// # Errors
    /// `NotFound`, `Damaged`, `Storage`.
    pub fn entry(&self, index: u64, size: u64) -> Result<Vec<u8>> {
        let missing = || Error::new(ErrorKind::NotFound, format!("there is no entry {index}"));
        let number = index / 256;
        let width = size.saturating_sub(number * 256).min(256);
        let bundle = Bundle { index: number, width: u16::try_from(width).unwrap_or(0) };
        if index >= size {
            return Err(missing());
        }
        let bytes = self.bundle_bytes(bundle)?;
        let at = usize::try_from(index % 256).unwrap_or(0);
        bundle.parse(&bytes)?.get(at).map(|entry| entry.to_vec()).ok_or_else(missing)
    }

    /// A file, or where a partial one is gone the full one that has replaced it (`true`).
    fn read_wider(&self, below: &Path, path: &str) -> Result<(Vec<u8>, bool)> {
        match (read(&below.join(path)), path.split_once(".p/")) {
            (Err(e), Some((full, _))) if *e.kind() == ErrorKind::NotFound => {
                Ok((read(&below.join(full)).map_err(|_| e)?, true))
            }
            (read, _) => Ok((read?, false)),
        }
        .map_err(|e: Error| {
            if *e.kind() == ErrorKind::NotFound {
                return Error::new(ErrorKind::NotFound, format!("{path} is missing"));
            }
            e
        })
    }

    /// The newest checkpoint if the log with this key signed it; `None` where nothing was published.
    pub(super) fn own_checkpoint(&self, key: &VerifierKey) -> Result<Option<SignedCheckpoint>> {
        if !self.is_there() {
            return Ok(None);
        }
        let signed = self.checkpoint()?;
        signed.check_log(key).map_err(|e| {
            e.in_file(CHECKPOINT)
                .with_hint("publish into a folder of its own: another log is in this one, or it was altered")
        })?;
        Ok(Some(signed))
    }
}

impl Tiles for &Published {
    fn tile(&self, tile: Tile) -> Result<Vec<Hash>> {
        match self.read_wider(&self.public, &tile.to_string())? {
            (bytes, false) => tile.parse(&bytes),
            (bytes, true) => {
                let mut hashes = Tile { width: 256, ..tile }.parse(&bytes)?;
                hashes.truncate(usize::from(tile.width));
                Ok(hashes)
            }
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // A pipe would keep whoever opens it waiting.
    let file = fs::metadata(path)
        .and_then(|meta| if meta.is_file() { File::open(path) } else { Err(io::ErrorKind::NotFound.into()) });
    let read = file.and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes));
    match read {
        Ok(_) if bytes.len() as u64 > LONGEST => {
            Err(Error::new(ErrorKind::Limit, "a file of the log is longer than any can be"))
        }
        Ok(_) => Ok(bytes),
        Err(e) if e.kind() == io::ErrorKind::NotFound || e.kind() == io::ErrorKind::NotADirectory => {
            Err(Error::new(ErrorKind::NotFound, "a file of the log is missing"))
        }
        Err(_) => Err(Error::new(ErrorKind::Storage, "a file of the log cannot be read")),
    }
}

/// Takes the first entry off the bytes of a bundle.
pub(super) fn take_entry<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, tail) = rest.split_first_chunk::<2>()?;
    let (entry, tail) = tail.split_at_checked(u16::from_be_bytes(*length).into())?;
    *rest = tail;
    Some(entry)
}
