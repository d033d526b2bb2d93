//! A published log as files: `public/` (checkpoint and hash tiles, for everybody) and `audit/` (entry bundles, for auditors).

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use crate::{
    error::{Error, ErrorKind, Result},
    tlog::{
        Bundle, Hash, NoteSignature, SignedCheckpoint, Tile, TileHashes, Tiles, TrustPolicy, VerifierKey,
        root_of,
    },
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
    public: PathBuf,
    audit: PathBuf,
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

    pub(super) fn make(&self) -> Result<()> {
        for folder in [&self.public, &self.audit] {
            fs::create_dir_all(folder).map_err(|e| cannot_write(&e))?;
        }
        Ok(())
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
            let entries = Bundle { width: 256, ..bundle }.parse(&bytes)?;
            let length = entries.iter().take(usize::from(bundle.width)).map(|entry| 2 + entry.len()).sum();
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

    /// Adds what witnesses signed: a checkpoint of this log with cosignatures, or their lines alone if they are of the newest checkpoint.
    /// Where a newer one has been published since, it is kept beside that as `checkpoint.cosigned`. Returns how many of the policy's
    /// witnesses signed it.
    ///
    /// # Errors
    /// `CannotOpen` for a wrong signature by a known key; `Input` where no witness of the policy signed it; `Damaged` for a checkpoint
    /// that the published tiles do not give; `NotFound`, `Limit`, `Storage`.
    pub fn add_cosignatures(&self, bytes: &[u8], witnesses: &TrustPolicy) -> Result<usize> {
        let mut newest = self.checkpoint()?;
        let given = match SignedCheckpoint::parse(bytes) {
            Ok(given) => given,
            Err(_) => {
                let mut signed = newest.clone();
                for line in String::from_utf8_lossy(bytes).lines().filter(|line| !line.is_empty()) {
                    signed.note_mut().add(NoteSignature::parse(line)?)?;
                }
                signed
            }
        };
        let mut found = 0;
        for (_, key) in witnesses.witnesses() {
            found += usize::from(given.note().signed_by(key)?.is_some());
        }
        if found == 0 {
            let message = "no witness of the policy has signed it";
            return Err(Error::input("cosignature", message));
        }
        if given.note().text() == newest.note().text() {
            for signature in given.note().signatures() {
                newest.note_mut().add(signature.clone())?;
            }
            self.write_checkpoint(CHECKPOINT, &newest)?;
            return Ok(found);
        }
        let size = given.checkpoint().size;
        let root = root_of(&TileHashes::new(self, size), size)?;
        if given.checkpoint().origin != newest.checkpoint().origin || root != given.checkpoint().root {
            let message = "it is a checkpoint of another log, or of another history of this one";
            return Err(Error::new(ErrorKind::Damaged, message));
        }
        if self.cosigned()?.is_none_or(|kept| kept.checkpoint().size <= size) {
            self.write_checkpoint(COSIGNED, &given)?;
        }
        Ok(found)
    }

    pub(super) fn write_tile(&self, tile: Tile, hashes: &[Hash]) -> Result<()> {
        write(&self.public.join(tile.to_string()), hashes.as_flattened())
    }

    pub(super) fn write_bundle(&self, bundle: Bundle, bytes: &[u8]) -> Result<()> {
        write(&self.audit.join(bundle.to_string()), bytes)
    }

    pub(super) fn write_checkpoint(&self, file: &str, checkpoint: &SignedCheckpoint) -> Result<()> {
        write(&self.public.join(file), checkpoint.to_string().as_bytes())
    }

    /// Removes partial tiles and bundles that full ones have replaced.
    pub(super) fn remove_partial(&self, tile: Tile) {
        let _left_there = fs::remove_dir_all(self.public.join(format!("{}.p", Tile { width: 256, ..tile })));
        if tile.level == 0 {
            let bundle = Bundle { index: tile.index, width: 256 };
            let _left_there = fs::remove_dir_all(self.audit.join(format!("{bundle}.p")));
        }
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
    let file = File::open(path).and_then(|file| {
        // A pipe would keep its reader waiting.
        if file.metadata()?.is_file() { Ok(file) } else { Err(io::ErrorKind::NotFound.into()) }
    });
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

/// Writes a file whole or not at all, durably.
fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    let written = || {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = File::create(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&new, path)
    };
    written().map_err(|e| cannot_write(&e))
}

fn cannot_write(e: &io::Error) -> Error {
    let message = match e.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "no space is left for the published log",
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "this user may not write where the log is to be published"
        }
        _ => "the published log cannot be written",
    };
    Error::new(ErrorKind::Storage, message).with_hint("what was published before stays; repeat publish")
}
