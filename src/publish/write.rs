//! Files of a published log: each written whole or not at all, all of them durable before the checkpoint that counts them.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::folder::Published;
use crate::{
    error::{Error, ErrorKind, Result},
    file_lock::FileLock,
    tlog::{Bundle, Hash, SignedCheckpoint, Tile},
};

/// Locked by whoever writes; never removed, for a lock on a removed file excludes nobody.
const LOCK: &str = "publish.lock";

/// Who may read: everybody, or the owner's group too. The process's umask takes away from it.
#[derive(Clone, Copy)]
enum For {
    Everybody,
    Auditors,
}

impl For {
    fn folder_mode(self) -> u32 {
        match self {
            Self::Everybody => 0o755,
            Self::Auditors => 0o750,
        }
    }
}

/// The only one that writes into a published log, until it is dropped.
pub(super) struct Writer<'a> {
    log: &'a Published,
    /// Folders with names that are not known to be durable yet.
    touched: RefCell<BTreeSet<PathBuf>>,
    _lock: FileLock,
}

impl Published {
    /// Of a copy that is made once: nobody publishes into it, and nobody waits for its lock.
    pub(crate) fn remove_lock(&self) -> Result<()> {
        fs::remove_file(self.beside(LOCK)).map_err(|e| cannot_write(&e))
    }
}

impl<'a> Writer<'a> {
    /// Makes the folders and waits for others that write into them.
    pub(super) fn of(log: &'a Published) -> Result<Self> {
        let made = || {
            make_folder(&log.public, For::Everybody)?;
            make_folder(&log.audit, For::Auditors)?;
            let lock = OpenOptions::new().read(true).append(true).create(true).open(log.beside(LOCK))?;
            FileLock::wait(lock)
        };
        let lock = made().map_err(|e| cannot_write(&e))?;
        Ok(Self { log, touched: RefCell::default(), _lock: lock })
    }

    pub(super) fn tile(&self, tile: Tile, hashes: &[Hash]) -> Result<()> {
        self.write(&self.log.public.join(tile.to_string()), hashes.as_flattened(), For::Everybody)
    }

    pub(super) fn bundle(&self, bundle: Bundle, bytes: &[u8]) -> Result<()> {
        self.write(&self.log.audit.join(bundle.to_string()), bytes, For::Auditors)
    }

    /// Writes a checkpoint once all that was written before it is durable, and makes it durable.
    pub(super) fn checkpoint(&self, file: &str, checkpoint: &SignedCheckpoint) -> Result<()> {
        self.sync()?;
        self.write(&self.log.public.join(file), checkpoint.to_string().as_bytes(), For::Everybody)?;
        self.sync()
    }

    /// Removes a checkpoint that says nothing any more.
    pub(super) fn remove(&self, file: &str) -> Result<()> {
        match fs::remove_file(self.log.public.join(file)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(cannot_write(&e)),
            _ => Ok(()),
        }
    }

    /// Removes partial tiles and bundles that full ones have replaced.
    pub(super) fn remove_partial(&self, tile: Tile) {
        let full = Tile { width: 256, ..tile };
        let _left_there = fs::remove_dir_all(self.log.public.join(format!("{full}.p")));
        if tile.level == 0 {
            let bundle = Bundle { index: tile.index, width: 256 };
            let _left_there = fs::remove_dir_all(self.log.audit.join(format!("{bundle}.p")));
        }
    }

    fn write(&self, path: &Path, bytes: &[u8], whom: For) -> Result<()> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".new");
        let new = path.with_file_name(name);
        let written = || {
            if let Some(folder) = path.parent() {
                make_folder(folder, whom)?;
                let above = folder.ancestors().take_while(|above| *above != self.log.beside(""));
                self.touched.borrow_mut().extend(above.map(Path::to_owned));
            }
            // What a crash left; or a link, which is not to be written through.
            let _nothing_there = fs::remove_file(&new);
            let mut file = new_file(whom).open(&new)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&new, path)
        };
        written().map_err(|e| cannot_write(&e))
    }

    fn sync(&self) -> Result<()> {
        let mut folders = self.touched.take();
        folders.insert(self.log.beside("."));
        folders.iter().try_for_each(|folder| sync_folder(folder)).map_err(|e| cannot_write(&e))
    }
}

fn new_file(whom: For) -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, whom.folder_mode() & 0o666);
    options
}

fn make_folder(path: &Path, whom: For) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, whom.folder_mode());
    builder.create(path)
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

// Elsewhere a folder is not opened as a file is.
#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
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
