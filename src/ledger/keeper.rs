//! Keeping a checkpoint outside of the vault, and refusing to append to a ledger that does not go on from it.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    process,
    sync::{
        Mutex, MutexGuard, OnceLock, PoisonError, TryLockError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use super::{KeptCheckpoint, Ledger, LedgerState, Receipt, extended};
use crate::{
    error::{Error, ErrorKind, Result},
    file_lock::FileLock,
    observe::{Operation, Watch},
    store::LOCK_WAIT,
    tlog::NoteKey,
};

/// How often the file is written at most.
const INTERVAL: Duration = Duration::from_secs(1);
/// How long an append waits for another process that writes the file.
const SHORT_WAIT: Duration = Duration::from_millis(100);

const RESTORE: &str = "nothing more is appended: make a backup, and restore it with this checkpoint";
const COMPARE: &str = "nothing more is appended: keep a copy of the vault, and restore the newest backup that fits this checkpoint, with it";

/// What the ledger is held to.
#[derive(Default)]
pub(crate) struct Kept {
    /// Entries that this process knows the ledger to have.
    size: AtomicU64,
    /// Why nothing is appended any more.
    refusal: OnceLock<(String, &'static str)>,
    keeper: Mutex<Option<Keeper>>,
}

/// Whose checkpoints they are, and the last that the vault knows of its former ledgers, oldest first.
pub(crate) struct Signs {
    pub(crate) name: String,
    pub(crate) key: NoteKey,
    pub(crate) known: Vec<LedgerState>,
}

/// One file that is kept up to date.
struct Keeper {
    file: PathBuf,
    signs: Signs,
    process: u32,
    tried: Instant,
    status: KeptStatus,
}

/// How far the file is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct KeptStatus {
    /// Entries of the present ledger that its checkpoint has.
    pub(crate) size: u64,
    /// How many times it could not be written or read again.
    pub(crate) failures: u64,
    /// Whether the last time was one of them.
    pub(crate) is_failing: bool,
}

/// What comparing gives.
enum Verdict {
    /// The ledger goes on from what was kept, and this is what it has now.
    GoesOn {
        now: KeptCheckpoint,
        is_more: bool,
    },
    RolledBack(String, &'static str),
}

impl Ledger {
    /// # Errors
    /// `RolledBack` where nothing may be appended any more.
    pub(crate) fn check_open(&self) -> Result<()> {
        self.kept.refusal.get().map_or(Ok(()), |(message, hint)| Err(rolled_back(message, hint)))
    }

    /// Appends nothing from now on. The first reason stays.
    pub(crate) fn refuse(&self, message: String, hint: &'static str) -> Error {
        let (message, hint) = self.kept.refusal.get_or_init(|| (message, hint));
        rolled_back(message, hint)
    }

    /// Before entries are appended: how many the ledger has at least.
    pub(super) fn admit(&self) -> Result<u64> {
        self.check_open()?;
        Ok(self.kept.size.load(Ordering::Acquire))
    }

    /// After entries were appended to a ledger that had `before` at least, durably.
    pub(super) fn appended(&self, before: u64, receipts: &[Receipt]) -> Result<()> {
        let (Some(first), Some(last)) = (receipts.first(), receipts.last()) else { return Ok(()) };
        if first.place.index < before {
            let message = format!(
                "the ledger had {before} entries and went on from {}: its file was exchanged for an older one",
                first.place.index
            );
            return Err(self.refuse(message, RESTORE));
        }
        self.kept.size.fetch_max(last.place.index + 1, Ordering::AcqRel);
        // Whoever finds it at work leaves it to the next.
        let mut keeper = match self.kept.keeper.try_lock() {
            Ok(keeper) => keeper,
            Err(TryLockError::Poisoned(keeper)) => keeper.into_inner(),
            Err(TryLockError::WouldBlock) => return Ok(()),
        };
        match keeper.as_mut().filter(|keeper| keeper.tried.elapsed() >= INTERVAL) {
            Some(keeper) => self.move_on(keeper, SHORT_WAIT),
            None => Ok(()),
        }
    }

    /// Compares the ledger with the file, and keeps that up to date from then on.
    pub(crate) fn keep(&self, file: PathBuf, signs: Signs) -> Result<()> {
        let (process, tried) = (process::id(), Instant::now());
        let mut keeper = Keeper { file, signs, process, tried, status: KeptStatus::default() };
        let verdict = self.compare(&mut keeper)?;
        let written = match verdict {
            Verdict::RolledBack(message, hint) => return Err(self.refuse(message, hint)),
            verdict => keeper.write(verdict, LOCK_WAIT),
        };
        keeper.count(&written);
        *held(&self.kept.keeper) = Some(keeper);
        written
    }

    /// What a file holds that is made now.
    pub(crate) fn kept_now(&self, key: &NoteKey) -> Result<KeptCheckpoint> {
        Ok(KeptCheckpoint::of(self.store.head()?, key))
    }

    pub(crate) fn kept_status(&self) -> Option<KeptStatus> {
        held(&self.kept.keeper).as_ref().map(|keeper| keeper.status)
    }

    /// What was appended and is not in the file yet, when the ledger is closed.
    pub(super) fn keep_last(&mut self) {
        let keeper = self.kept.keeper.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        let size = self.kept.size.load(Ordering::Acquire);
        // A forked child leaves it to its parent.
        let keeper = keeper.filter(|keeper| keeper.process == process::id() && keeper.status.size < size);
        if let Some(mut keeper) = keeper {
            let _nobody_to_tell = self.move_on(&mut keeper, INTERVAL);
        }
    }

    /// Moves the file on to what the ledger has. A file that cannot be read or written keeps nobody from appending: it is counted.
    fn move_on(&self, keeper: &mut Keeper, wait: Duration) -> Result<()> {
        let watch = Watch::uncounted(Operation::KeepCheckpoint, 0);
        let moved = self.compare(keeper).and_then(|verdict| match verdict {
            Verdict::RolledBack(message, hint) => Err(self.refuse(message, hint)),
            verdict => keeper.write(verdict, wait),
        });
        let moved = watch.one(moved);
        keeper.count(&moved);
        match moved {
            Err(e) if *e.kind() == ErrorKind::RolledBack => Err(e),
            _ => Ok(()),
        }
    }

    /// Reads the file first and the ledger afterwards: whatever process wrote the one, the other has it.
    fn compare(&self, keeper: &mut Keeper) -> Result<Verdict> {
        keeper.tried = Instant::now();
        let Signs { name, key, known } = &keeper.signs;
        let kept = KeptCheckpoint::read(&keeper.file)?;
        let note = kept.note(name, key.public().public())?;
        let (number, head) = (self.number(), self.store.head()?);
        self.kept.size.fetch_max(head.size, Ordering::AcqRel);
        if note.ledger > number {
            let message = format!(
                "the checkpoint kept outside is of ledger {}, and the vault is at ledger {number}: it is older",
                note.ledger
            );
            return Ok(Verdict::RolledBack(message, RESTORE));
        }
        if let Some((message, hint)) = match note.ledger == number {
            true => self.fault_of_present(&kept, (&head).into())?,
            false => self.fault_of_former(&kept, note.ledger, known)?,
        } {
            return Ok(Verdict::RolledBack(message, hint));
        }
        let is_more = note.ledger < number || note.state.size < head.size;
        Ok(Verdict::GoesOn { now: KeptCheckpoint::of(head, key), is_more })
    }

    fn fault_of_present(
        &self,
        kept: &KeptCheckpoint,
        now: LedgerState,
    ) -> Result<Option<(String, &'static str)>> {
        let size = kept.head().size;
        if now.size < size {
            let message = format!(
                "the ledger has {} entries, and the checkpoint kept outside has {size}: it was rolled back",
                now.size
            );
            return Ok(Some((message, RESTORE)));
        }
        Ok((!goes_on(&*self.store, kept, now)?).then(|| other_entries(size, now.size)))
    }

    /// Of a former ledger, what came back of it was closed, and the rest was noted or is lost.
    fn fault_of_former(
        &self,
        kept: &KeptCheckpoint,
        number: u32,
        known: &[LedgerState],
    ) -> Result<Option<(String, &'static str)>> {
        let at = usize::try_from(number - 1).unwrap_or(usize::MAX);
        let missing =
            || Error::new(ErrorKind::Damaged, format!("ledger-{number}.db of the vault is missing"));
        let (known, store) = known.get(at).zip(self.former.get(at)).ok_or_else(missing)?;
        let (size, closed) = (kept.head().size, LedgerState::from(&store.head()?));
        let (fits, has_known) = (LedgerState::from(kept.head()) == *known, known.size);
        if has_known < size || has_known == size && !fits {
            let message = format!(
                "ledger {number} was closed as one of which {has_known} entries were known, and the checkpoint kept outside has {size}"
            );
            return Ok(Some((
                message,
                "nothing more is appended: restore that backup again, with this checkpoint",
            )));
        }
        let is_whole = size > closed.size || goes_on(&**store, kept, closed)?;
        Ok((!is_whole).then(|| other_entries(size, closed.size)))
    }
}

impl Keeper {
    /// Replaces the file, unless another process has moved it further meanwhile.
    fn write(&mut self, verdict: Verdict, wait: Duration) -> Result<()> {
        let Verdict::GoesOn { now, is_more } = verdict else { return Ok(()) };
        if is_more {
            let _alone = lock(&beside(&self.file, ".lock"), wait)?;
            let there =
                KeptCheckpoint::read(&self.file)?.note(&self.signs.name, self.signs.key.public().public())?;
            let next = now.note(&self.signs.name, self.signs.key.public().public())?;
            if (there.ledger, there.state.size) < (next.ledger, next.state.size) {
                replace(&self.file, now.to_string().as_bytes())?;
            }
        }
        self.status.size = now.head().size;
        Ok(())
    }

    fn count(&mut self, done: &Result<()>) {
        self.status.is_failing = done.is_err();
        self.status.failures += u64::from(done.is_err());
    }
}

/// Whether the entries that a ledger of this state has beyond the checkpoint lead from the one to the other.
fn goes_on(store: &dyn crate::store::LedgerStore, kept: &KeptCheckpoint, now: LedgerState) -> Result<bool> {
    let now_by_entries = extended(store, kept.head().clone(), now.size)?;
    Ok(now_by_entries.is_some_and(|head| LedgerState::from(&head) == now))
}

fn other_entries(kept: u64, now: u64) -> (String, &'static str) {
    let message = format!(
        "the ledger's {now} entries do not go on from the {kept} of the checkpoint kept outside: it was rolled back and went on, or \
         was rewritten"
    );
    (message, COMPARE)
}

fn rolled_back(message: &str, hint: &'static str) -> Error {
    Error::new(ErrorKind::RolledBack, message.to_owned()).with_hint(hint)
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What a panicking holder leaves is compared anew.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes the file that is to be kept. It is there whole or not at all.
pub(crate) fn create_kept(file: &Path, kept: &KeptCheckpoint) -> Result<()> {
    create(file, kept.to_string().as_bytes()).map_err(|e| match e.kind() {
        io::ErrorKind::AlreadyExists => {
            Error::new(ErrorKind::Exists, "there is a file of this name already; it stays as it is")
        }
        _ => unwritable(),
    })
}

fn create(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut made = private().create_new(true).open(file)?;
    let written = made.write_all(bytes).and_then(|()| made.sync_all()).and_then(|()| sync_name(file));
    if written.is_err() {
        let _half_written = fs::remove_file(file);
    }
    written
}

/// Replaces the file in one step, durably. Its caller holds the lock.
fn replace(file: &Path, bytes: &[u8]) -> Result<()> {
    let new = beside(file, ".new");
    // What a crash left; or a link or pipe, which is not to be written through.
    let _nothing_there = fs::remove_file(&new);
    let replaced = create(&new, bytes).and_then(|()| fs::rename(&new, file)).and_then(|()| sync_name(file));
    replaced.map_err(|_| unwritable())
}

/// The lock of those who write the file: the file itself is another one after each writing.
fn lock(file: &Path, wait: Duration) -> Result<FileLock> {
    if file.symlink_metadata().is_ok_and(|meta| !meta.is_file()) {
        return Err(unwritable());
    }
    let lock = private().create(true).open(file).map_err(|_| unwritable())?;
    let held = FileLock::within(lock, wait).map_err(|_| unwritable())?;
    held.ok_or_else(|| Error::new(ErrorKind::Locked, "another process writes the checkpoint's file"))
}

fn unwritable() -> Error {
    Error::new(ErrorKind::Storage, "the checkpoint's file cannot be written")
        .with_hint("this user must be able to make files in its folder, and the disk have space")
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name: OsString = file.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    file.with_file_name(name)
}

#[cfg(unix)]
fn sync_name(file: &Path) -> io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

// Elsewhere a folder is not opened as a file is.
#[cfg(not(unix))]
fn sync_name(_file: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, thread};

    use super::*;
    use crate::{
        ledger::{Entry, EntryKind},
        store::{LedgerHead, LedgerRow, LedgerStore, Memory, StoreResult, Stores},
    };

    /// A store in whose place another comes.
    struct Exchanged(Mutex<Arc<dyn LedgerStore>>);

    impl Exchanged {
        fn is_now(&self) -> Arc<dyn LedgerStore> {
            Arc::clone(&held(&self.0))
        }
    }

    impl LedgerStore for Exchanged {
        fn append(
            &self,
            build: &mut dyn FnMut(&LedgerHead) -> (Vec<LedgerRow>, LedgerHead),
        ) -> StoreResult<()> {
            self.is_now().append(build)
        }

        fn head(&self) -> StoreResult<LedgerHead> {
            self.is_now().head()
        }

        fn entries(&self, from: u64, limit: usize) -> StoreResult<Vec<LedgerRow>> {
            self.is_now().entries(from, limit)
        }

        fn find_handle(&self, handle: &[u8; 16]) -> StoreResult<Vec<u64>> {
            self.is_now().find_handle(handle)
        }
    }

    fn entry(number: u8) -> Entry {
        Entry::new(EntryKind::Put, [number; 16], [0; 32])
    }

    #[test]
    fn a_ledger_exchanged_under_a_running_program_gives_no_receipt() {
        let (stores, older) = (Memory::stores(), Memory::stores().ledger);
        let store = Arc::new(Exchanged(Mutex::new(stores.ledger.clone())));
        let ledger = Ledger::new(&Stores { ledger: store.clone(), ..stores });
        for number in 0..3 {
            assert_eq!(ledger.append(vec![entry(number)]).unwrap().len(), 1);
        }
        *held(&store.0) = older;
        let refused = ledger.append(vec![entry(3)]).err().unwrap();
        assert_eq!(refused.kind(), &ErrorKind::RolledBack);
        assert!(refused.to_string().contains("went on from 0"), "{refused}");
        // Nothing more is appended, to neither of them.
        assert_eq!(store.head().unwrap().size, 1);
        assert!(ledger.append(vec![entry(4)]).is_err() && ledger.check_open().is_err());
        assert_eq!(store.head().unwrap().size, 1);
    }

    #[test]
    fn threads_that_append_at_once_are_not_taken_for_an_exchange() {
        let ledger = Ledger::new(&Memory::stores());
        thread::scope(|scope| {
            for number in 0..8 {
                let ledger = &ledger;
                scope.spawn(move || {
                    (0..200).for_each(|_| drop(ledger.append(vec![entry(number)]).unwrap()));
                });
            }
        });
        assert_eq!(ledger.state().unwrap().size, 1_600);
    }
}
