//! The files of an evidence folder: a manifest in the form of `sha256sum`, a signed note over it, and all that it lists.
//!
//! The folder comes from a party to a lawsuit: its names, sizes and links are hostile until they are checked.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs::{self, File},
    io::{ErrorKind as Io, Read, Write as _},
    path::{Path, PathBuf},
};

use crate::{
    error::{Error, ErrorKind, Result},
    suite::digest,
    tlog::{Note, NoteKey, VerifierKey},
};

pub(super) const MANIFEST: &str = "manifest";
pub(super) const SIGNED: &str = "manifest.note";
/// Folder of the copied logs, of which the manifest lists the checkpoints: the rest hashes to these.
pub(super) const LOG: &str = "log";
/// First line of the note: with the origin on the second, it is no checkpoint.
const FIRST_LINE: &str = "consignee-evidence-v1";
/// Most files, and most bytes of each.
const MOST_FILES: usize = 65_536;
const LONGEST: u64 = 192 << 20;
/// Most bytes of the manifest: its longest lines, as many as there may be.
const LONGEST_MANIFEST: u64 = 16 << 20;

/// An evidence folder that is being written; removed again unless it is kept.
pub(super) struct Writer {
    root: PathBuf,
    digests: BTreeMap<String, [u8; 32]>,
    kept: bool,
}

impl Writer {
    /// Makes the folder, for its owner alone: it holds the order's number and handle key.
    pub(super) fn new(root: &Path) -> Result<Self> {
        make(root).map_err(|e| match e.kind() {
            Io::AlreadyExists => Error::new(ErrorKind::Exists, "there is something of this name already")
                .with_hint("name a folder that is not there yet"),
            _ => cannot_write(),
        })?;
        Ok(Self { root: root.to_owned(), digests: BTreeMap::new(), kept: false })
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn add(&mut self, path: &str, bytes: &[u8]) -> Result<()> {
        let to = self.root.join(path);
        if let Some(folder) = to.parent().filter(|folder| !folder.is_dir()) {
            make(folder).map_err(|_| cannot_write())?;
        }
        let mut file = File::create_new(&to).map_err(|_| cannot_write())?;
        file.write_all(bytes).and_then(|()| file.sync_all()).map_err(|_| cannot_write())?;
        self.list(path, digest(bytes))
    }

    pub(super) fn add_json(&mut self, path: &str, value: &impl serde::Serialize) -> Result<()> {
        let mut text = serde_json::to_string_pretty(value).map_err(|_| cannot_write())?;
        text.push('\n');
        self.add(path, text.as_bytes())
    }

    /// Lists a file that is there already.
    pub(super) fn add_written(&mut self, path: &str) -> Result<()> {
        let bytes = read(&self.root, path, LONGEST)?;
        self.list(path, digest(&bytes))
    }

    fn list(&mut self, path: &str, digest: [u8; 32]) -> Result<()> {
        if self.digests.len() >= MOST_FILES {
            return Err(Error::new(ErrorKind::Limit, "an evidence folder has at most 65,536 files"));
        }
        self.digests.insert(path.to_owned(), digest);
        Ok(())
    }

    /// Writes the manifest and signs it.
    pub(super) fn seal(&mut self, key: &NoteKey) -> Result<()> {
        let mut text = String::new();
        for (path, digest) in &self.digests {
            let _to_a_string = writeln!(text, "{:x}  {path}", base16ct::HexDisplay(digest));
        }
        let mut note = Note::of(signed_text(key.public().name(), &digest(text.as_bytes())));
        note.sign(key, 0);
        self.add(MANIFEST, text.as_bytes())?;
        self.add(SIGNED, note.to_string().as_bytes())
    }

    pub(super) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if !self.kept {
            let _half_written = fs::remove_dir_all(&self.root);
        }
    }
}

/// An evidence folder, as somebody handed it over. What it lists is what it has, and nothing else.
pub(super) struct Folder {
    root: PathBuf,
    digests: BTreeMap<String, [u8; 32]>,
    /// SHA-256 of the manifest.
    digest: [u8; 32],
}

impl Folder {
    /// Reads the manifest and hashes what it lists, one file at a time.
    pub(super) fn open(root: &Path) -> Result<Self> {
        let bytes = read(root, MANIFEST, LONGEST_MANIFEST)?;
        let digests = parse(&bytes)?;
        let folder = Self { root: root.to_owned(), digests, digest: digest(&bytes) };
        folder.check_nothing_else()?;
        for path in folder.digests.keys() {
            folder.read(path)?;
        }
        Ok(folder)
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Whether the log with this key signed the manifest.
    pub(super) fn check_signed(&self, key: &VerifierKey) -> Result<()> {
        let note = read(&self.root, SIGNED, LONGEST_MANIFEST)?;
        let note = Note::parse(&note).map_err(|e| e.in_file(SIGNED))?;
        if note.text() != signed_text(key.name(), &self.digest) {
            return Err(wrong(SIGNED, "is the note of another manifest, or of another ledger"));
        }
        match note.signed_by(key).map_err(|e| e.in_file(SIGNED))? {
            // Whoever adds a line that nobody checks would have altered it unnoticed.
            Some(_) if note.signatures().len() == 1 => Ok(()),
            Some(_) => Err(wrong(SIGNED, "has further signatures")),
            None => Err(Error::new(ErrorKind::CannotOpen, "the manifest is not signed by the ledger's key")),
        }
    }

    /// A file that the manifest lists, and which is what it lists.
    pub(super) fn read(&self, path: &str) -> Result<Vec<u8>> {
        let listed = self.digests.get(path).ok_or_else(|| wrong(path, "is missing from the manifest"))?;
        let bytes = read(&self.root, path, LONGEST)?;
        if digest(&bytes) == *listed {
            Ok(bytes)
        } else {
            Err(wrong(path, "was altered: its SHA-256 is another"))
        }
    }

    pub(super) fn read_json<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<T> {
        serde_json::from_slice(&self.read(path)?).map_err(|_| wrong(path, "does not follow its format"))
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.digests.contains_key(path)
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.digests.keys().map(String::as_str)
    }

    /// Names of the files of a folder that end so, without that ending.
    pub(super) fn names<'a>(&'a self, folder: &'a str, ending: &'a str) -> impl Iterator<Item = &'a str> {
        self.paths()
            .filter_map(move |path| path.strip_prefix(folder)?.strip_prefix('/')?.strip_suffix(ending))
    }

    fn check_nothing_else(&self) -> Result<()> {
        let mut left = MOST_FILES + 64;
        self.check_in(&self.root, "", &mut left)
    }

    fn check_in(&self, folder: &Path, prefix: &str, left: &mut usize) -> Result<()> {
        for entry in fs::read_dir(folder).map_err(|_| cannot_read(prefix))? {
            let entry = entry.map_err(|_| cannot_read(prefix))?;
            *left = left.checked_sub(1).ok_or_else(|| {
                Error::new(ErrorKind::Limit, "there are more files in the evidence folder than it can have")
            })?;
            let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
            let kind = entry.file_type().map_err(|_| cannot_read(&path))?;
            let is_known = self.has(&path) || [MANIFEST, SIGNED].contains(&path.as_str());
            if kind.is_dir() && prefix.is_empty() {
                // Of a log, only what its checkpoint needs is read.
                if path != LOG {
                    self.check_in(&entry.path(), &format!("{path}/"), left)?;
                }
            } else if !kind.is_file() || !is_known {
                return Err(wrong(&path, "is not in the manifest, or is no plain file"));
            }
        }
        Ok(())
    }
}

// Sorted lines, so that one set of files has one manifest.
fn parse(bytes: &[u8]) -> Result<BTreeMap<String, [u8; 32]>> {
    let at_line = |line: usize| wrong(MANIFEST, &format!("does not follow its format at line {line}"));
    let text = std::str::from_utf8(bytes).map_err(|_| at_line(1))?;
    let text = text.strip_suffix('\n').ok_or_else(|| at_line(1))?;
    let mut digests = BTreeMap::new();
    for (line, number) in text.split('\n').zip(1..) {
        if number > MOST_FILES {
            return Err(Error::new(ErrorKind::Limit, "an evidence folder has at most 65,536 files"));
        }
        let read = || {
            let (hex, path) = line.split_once("  ")?;
            let mut digest = [0; 32];
            let whole = base16ct::lower::decode(hex, &mut digest).ok()?.len() == 32;
            let after = digests.last_key_value().is_none_or(|(last, _): (&String, _)| last.as_str() < path);
            (whole && after && is_path(path)).then(|| (path.to_owned(), digest))
        };
        let (path, digest) = read().ok_or_else(|| at_line(number))?;
        digests.insert(path, digest);
    }
    Ok(digests)
}

/// Names of small letters, digits, `.`, `-` and `_`, none beginning with a point; at most four folders deep.
fn is_path(path: &str) -> bool {
    let is_name = |name: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        (1..=128).contains(&name.len()) && !name.starts_with('.') && name.bytes().all(plain)
    };
    path.split('/').count() <= 4 && path.split('/').all(is_name) && ![MANIFEST, SIGNED].contains(&path)
}

/// Reads a plain file, through no link.
fn read(root: &Path, path: &str, longest: u64) -> Result<Vec<u8>> {
    let mut at = root.to_owned();
    for name in path.split('/') {
        at.push(name);
        let found = fs::symlink_metadata(&at).map_err(|e| match e.kind() {
            Io::NotFound | Io::NotADirectory => Error::new(ErrorKind::NotFound, format!("{path} is missing")),
            _ => cannot_read(path),
        })?;
        if found.is_symlink() {
            return Err(wrong(path, "is reached by a link"));
        }
    }
    let file = File::open(&at).map_err(|_| cannot_read(path))?;
    let found = file.metadata().map_err(|_| cannot_read(path))?;
    if !found.is_file() {
        return Err(wrong(path, "is no plain file"));
    }
    if found.len() > longest {
        return Err(Error::new(ErrorKind::Limit, format!("{path} is longer than it can be")));
    }
    let mut bytes = Vec::new();
    file.take(longest).read_to_end(&mut bytes).map_err(|_| cannot_read(path))?;
    Ok(bytes)
}

fn make(folder: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn signed_text(origin: &str, digest: &[u8; 32]) -> String {
    format!("{FIRST_LINE}\n{origin}\n{:x}  {MANIFEST}\n", base16ct::HexDisplay(digest))
}

pub(super) fn wrong(path: &str, what: &str) -> Error {
    Error::new(ErrorKind::Damaged, format!("{} {what}", path.escape_debug()))
}

fn cannot_read(path: &str) -> Error {
    Error::new(ErrorKind::Storage, format!("{} cannot be read", path.escape_debug()))
}

pub(super) fn cannot_write() -> Error {
    Error::new(ErrorKind::Storage, "the evidence folder cannot be written")
        .with_hint("see whether there is space, and whether this user may write there")
}
