//! A witness for other firms' ledgers: it signs that a checkpoint continues what it saw before, and keeps what it signed in a file.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use crate::{
    error::{Error, ErrorKind, Result},
    file_lock::FileLock,
    keys::{create_private, lock_private, read_private, replace},
    ledger::now,
    tlog::{
        Hash, NoteKey, NoteSignature, Seen, VerifierKey, WitnessRequest, cosign, hash_from_base64, to_base64,
    },
};

const FIRST_LINE: &str = "consignee-witness-v1";
/// Most bytes of the file.
const LONGEST: usize = 1 << 20;

/// A witness: its key, and a file of the newest checkpoint of each log that it has cosigned.
///
/// Whoever sets the file back makes the witness sign two histories: keep it where nothing is restored from a snapshot.
pub struct Witness {
    key: NoteKey,
    file: PathBuf,
}

impl Witness {
    /// A witness with this key. The file is made with the first cosignature.
    pub fn new(key: NoteKey, file: &Path) -> Self {
        Self { key, file: file.to_owned() }
    }

    /// What it has cosigned of a log last; nothing of one that it does not know.
    ///
    /// # Errors
    /// `Damaged` for a file that does not follow its format, `Storage`.
    pub fn seen(&self, origin: &str) -> Result<Option<Seen>> {
        Ok(self.read()?.into_iter().find(|seen| seen.log.name() == origin))
    }

    /// Cosigns a checkpoint that continues the newest of its log that this witness has cosigned. What it has seen is durable before
    /// the signature is handed out. A log that it does not know yet must be given with its key, and begins at nothing.
    ///
    /// # Errors
    /// As [`cosign`] says; `NotFound` for a log that it does not know, `Exists` for one that it knows by another key; `Storage`.
    pub fn cosign(&self, request: &WitnessRequest, log: Option<&VerifierKey>) -> Result<NoteSignature> {
        // Two at once would each sign, and one of them be forgotten.
        let lock = lock_file(&self.file)?;
        if !self.is_there() {
            create_private(&self.file, format!("{FIRST_LINE}\n").as_bytes())?;
        }
        let mut all = self.read()?;
        let origin = &request.checkpoint.checkpoint().origin;
        let at = match (all.iter().position(|seen| seen.log.name() == origin), log) {
            (Some(at), Some(log)) if all.get(at).is_some_and(|seen| seen.log != *log) => {
                let message = "the witness knows this log by another key";
                return Err(Error::new(ErrorKind::Exists, message));
            }
            (Some(at), _) => at,
            (None, Some(log)) => {
                all.push(Seen::nothing(log.clone()));
                all.len() - 1
            }
            (None, None) => {
                let message = "the witness does not know this log";
                return Err(Error::new(ErrorKind::NotFound, message)
                    .with_hint("give its key, once you know that it is the log's own"));
            }
        };
        let Some(known) = all.get_mut(at) else { return Err(damaged(at)) };
        let (seen, signature) = cosign(request, known, &self.key, now())?;
        *known = seen;
        self.write(&all)?;
        drop(lock);
        Ok(signature)
    }

    fn read(&self) -> Result<Vec<Seen>> {
        if !self.is_there() {
            return Ok(Vec::new());
        }
        let bytes = read_private(&self.file, LONGEST)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| damaged(1))?;
        let mut lines = text.split_inclusive('\n').zip(1..);
        if lines.next().is_none_or(|(line, _)| line.strip_suffix('\n') != Some(FIRST_LINE)) {
            return Err(damaged(1));
        }
        let mut all: Vec<Seen> = Vec::new();
        for (line, at) in lines {
            let seen = line.strip_suffix('\n').and_then(seen_of).ok_or_else(|| damaged(at))?;
            // A log that stands there twice has two newest checkpoints.
            if all.iter().any(|other| other.log.name() == seen.log.name()) {
                return Err(damaged(at));
            }
            all.push(seen);
        }
        Ok(all)
    }

    /// A link that leads nowhere is there: it is refused, and no fresh start.
    fn is_there(&self) -> bool {
        self.file.symlink_metadata().is_ok()
    }

    fn write(&self, all: &[Seen]) -> Result<()> {
        let mut text = format!("{FIRST_LINE}\n");
        for Seen { log, size, root } in all {
            let _to_a_string = writeln!(text, "{log} {size} {}", to_base64(root));
        }
        replace(&self.file, text.as_bytes())
    }
}

impl NoteKey {
    /// Makes a key for a witness, and its file (mode 0600).
    ///
    /// # Errors
    /// `Input` for a name that is none, `Exists` if there is a file of this name, `Storage`.
    pub fn make_witness(name: &str, file: &Path) -> Result<Self> {
        let (key, text) = Self::generate_witness(name)?;
        create_private(file, text.as_bytes())?;
        Ok(key)
    }

    /// Reads the file of a private key.
    ///
    /// # Errors
    /// `NotFound`; `Storage` for a link, and a file that is another user's or can be reached by others; `Damaged`, `NewerFormat`.
    pub fn read(file: &Path) -> Result<Self> {
        let bytes = read_private(file, LONGEST)?;
        let text = std::str::from_utf8(&bytes);
        let wrong = |_| Error::new(ErrorKind::Damaged, "it is no private key of a witness or log");
        Self::parse(text.map_err(wrong)?)
    }
}

/// A lock beside the file, which is replaced: a lock on itself would go with it.
fn lock_file(file: &Path) -> Result<FileLock> {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".lock");
    let beside = file.with_file_name(name);
    if !beside.exists() {
        // Another one may have made it meanwhile.
        let _there = create_private(&beside, b"");
    }
    lock_private(&beside)
}

fn seen_of(line: &str) -> Option<Seen> {
    let mut words = line.split(' ');
    let log = VerifierKey::parse(words.next()?).ok()?;
    let size = words.next()?;
    let size = size.parse().ok().filter(|number: &u64| number.to_string() == size)?;
    let root: Hash = hash_from_base64(words.next()?)?;
    words.next().is_none().then_some(Seen { log, size, root })
}

fn damaged(line: usize) -> Error {
    let message = format!("line {line} of the witness's file does not follow its format");
    Error::new(ErrorKind::Damaged, message)
        .with_hint("restore what it has signed from the cosignatures that it gave")
}
