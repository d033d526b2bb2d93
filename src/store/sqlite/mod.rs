//! Stores on SQLite: a folder (0700) with a database each for orders, secrets, keys and ledger (0600).
//!
//! Four files because they are backed up apart. SQLite does not commit two files atomically in WAL mode; the vault's order of
//! writes (secret, ledger, order) is the recovery rule.

mod files;
mod forks;
mod keys;
mod ledger;
mod lock;
mod orders;
mod secrets;
mod snapshot;
#[cfg(test)]
mod tests;

use std::{
    mem,
    path::{Path, PathBuf},
    process,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use rusqlite::{
    Connection, ErrorCode, OpenFlags, Row, Transaction, TransactionBehavior, config::DbConfig, ffi,
};

pub(crate) use files::{
    Access, FILES, LOCK, SUFFIXES, access, create_file, create_folder, fault as file_fault, former_ledger,
    former_ledgers,
};
pub(crate) use snapshot::Snapshot;

use super::{LOCK_WAIT, LedgerStore, StoreError, StoreResult, Stores};

/// "cns1", so that a foreign database is not taken for a vault's.
const APPLICATION: i32 = 0x636e_7331;
const LAYOUT: i32 = 1;

/// Makes the folder, its files and their tables.
///
/// # Errors
/// `Exists` if there is something at `folder`, or the file system's failures.
pub(crate) fn create(folder: &Path) -> Result<Stores, OpenError> {
    files::create(folder)?;
    for (file, tables) in
        FILES.into_iter().zip([orders::TABLES, secrets::TABLES, keys::TABLES, ledger::TABLES])
    {
        make(&folder.join(file), tables)?;
    }
    open(folder)
}

/// Makes a ledger without entries, where there is none.
pub(crate) fn create_ledger(file: &Path) -> StoreResult<()> {
    create_file(file).map_err(|e| files::fault(&e))?;
    make(file, ledger::TABLES)
}

/// Makes the tables in an empty file.
fn make(path: &Path, tables: &str) -> StoreResult<()> {
    let connection = connect(path)?;
    configure(&connection)?;
    connection.execute_batch(tables).map_err(fault)?;
    connection.pragma_update(None, "application_id", APPLICATION).map_err(fault)?;
    connection.pragma_update(None, "user_version", LAYOUT).map_err(fault)
}

/// Why a folder does not open, and which of its files is at fault, where it is one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct OpenError {
    pub(crate) file: Option<String>,
    pub(crate) fault: StoreError,
}

impl From<StoreError> for OpenError {
    fn from(fault: StoreError) -> Self {
        Self { file: None, fault }
    }
}

fn in_file(file: &str) -> impl Fn(StoreError) -> OpenError {
    move |fault| OpenError { file: Some(file.to_owned()), fault }
}

/// Opens the files of a folder.
///
/// # Errors
/// `Exposed` if others can reach them, `Damaged` for files that are no vault's, `Newer` for a later version's.
///
/// # Not across a fork
/// A forked child opens the folder for itself, and only if its parent had not: SQLite's locks do not survive in it (`forks.rs`).
pub(crate) fn open(folder: &Path) -> Result<Stores, OpenError> {
    // Without a slash at the end, which would make the system follow a link.
    files::check_private(folder.components().as_path())?;
    // Whole and without links, as SQLITE_OPEN_NOFOLLOW wants it; and a path that begins with "file:" would be an URI.
    let folder = folder.canonicalize().map_err(|e| files::fault(&e))?;
    let database = |file: &str, tables| Database::open(&folder.join(file), tables).map_err(in_file(file));
    let former = |file: &String| {
        let store = ledger::Entries::read_only(database(file, ledger::TABLES)?).map_err(in_file(file))?;
        Ok::<_, OpenError>(Arc::new(store) as Arc<dyn LedgerStore>)
    };
    let [of_orders, of_secrets, of_keys, of_ledger] = FILES;
    let secrets = secrets::Secrets::new(database(of_secrets, secrets::TABLES)?);
    let keys = keys::Keys::new(database(of_keys, keys::TABLES)?);
    Ok(Stores {
        orders: Arc::new(orders::Orders(database(of_orders, orders::TABLES)?)),
        secrets: Arc::new(secrets.map_err(in_file(of_secrets))?),
        keys: Arc::new(keys.map_err(in_file(of_keys))?),
        ledger: Arc::new(ledger::Entries(database(of_ledger, ledger::TABLES)?)),
        former: former_ledgers(&folder).iter().map(former).collect::<Result<_, _>>()?,
        lock: Arc::new(lock::Lock::open(&folder).map_err(in_file(LOCK))?),
    })
}

/// One file, one connection, one user at a time.
struct Database {
    /// None when it has been dropped in a forked child.
    connection: Option<Mutex<Connection>>,
    path: PathBuf,
    process: u32,
    /// Dropped after the connection.
    _registered: forks::Registered,
}

impl Database {
    fn open(path: &Path, tables: &str) -> StoreResult<Self> {
        let registered = forks::Registered::new(path)?;
        let connection = connect(path)?;
        let pragma =
            |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0)).map_err(fault);
        // Before the settings, which write to the file: it may be somebody else's.
        match (pragma("application_id")?, pragma("user_version")?) {
            (APPLICATION, LAYOUT) => {}
            (APPLICATION, layout) if layout > LAYOUT => return Err(StoreError::Newer),
            _ => return Err(StoreError::Damaged),
        }
        configure(&connection)?;
        check_schema(&connection, tables)?;
        Ok(Self {
            connection: Some(Mutex::new(connection)),
            path: path.to_owned(),
            process: process::id(),
            _registered: registered,
        })
    }

    /// # Errors
    /// `Forked` in a process that did not open it.
    fn connection(&self) -> StoreResult<MutexGuard<'_, Connection>> {
        let own = self.connection.as_ref().filter(|_| self.process == process::id());
        let connection = own.ok_or(StoreError::Forked)?;
        // A transaction that a panic cut short was rolled back when it was dropped.
        Ok(connection.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// SQLite's own check of the whole file, pages and indices, through a connection of its own: it takes as long as reading the
    /// file, and nobody waits for it meanwhile.
    fn check(&self) -> StoreResult<()> {
        drop(self.connection()?);
        let connection = connect(&self.path)?;
        configure(&connection)?;
        let check = |row: &Row<'_>| row.get::<_, String>(0);
        match connection.query_row("PRAGMA integrity_check(1)", [], check).map_err(fault)?.as_str() {
            "ok" => Ok(()),
            _ => Err(StoreError::Damaged),
        }
    }

    /// Runs `work` in a transaction that has the write lock from its start; durable when this returns.
    fn write<T>(&self, work: impl FnOnce(&Transaction<'_>) -> StoreResult<T>) -> StoreResult<T> {
        let mut connection = self.connection()?;
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fault)?;
        let done = work(&transaction)?;
        transaction.commit().map_err(fault)?;
        Ok(done)
    }

    /// Runs `work` on one state of the file.
    fn read<T>(&self, work: impl FnOnce(&Transaction<'_>) -> StoreResult<T>) -> StoreResult<T> {
        let mut connection = self.connection()?;
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Deferred).map_err(fault)?;
        work(&transaction)
    }
}

impl Drop for Database {
    /// In a forked child SQLite must not even close what the parent opened: it would take the parent's locks for its own, and remove
    /// a log that others write to. Nor may it be called for anything else: its allocator may be held by a thread that is not there.
    fn drop(&mut self) {
        if self.process != process::id() {
            mem::forget(self.connection.take());
        }
    }
}

/// Refuses a file whose tables, indices, triggers and views are not exactly those that `tables` makes.
fn check_schema(connection: &Connection, tables: &str) -> StoreResult<()> {
    let schema = |connection: &Connection| {
        let sql = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name";
        let mut select = connection.prepare(sql).map_err(fault)?;
        let columns = |row: &Row<'_>| {
            let text = |column| row.get::<_, Option<String>>(column);
            Ok([text(0)?, text(1)?, text(2)?, text(3)?])
        };
        let rows = select.query_map([], columns).map_err(fault)?;
        rows.collect::<Result<Vec<_>, _>>().map_err(fault)
    };
    let fresh = Connection::open_in_memory().map_err(fault)?;
    fresh.execute_batch(tables).map_err(fault)?;
    if schema(connection)? == schema(&fresh)? { Ok(()) } else { Err(StoreError::Damaged) }
}

/// A statement that must have changed one row.
fn one_row(changed: rusqlite::Result<usize>) -> StoreResult<()> {
    if changed.map_err(fault)? == 1 { Ok(()) } else { Err(StoreError::Damaged) }
}

fn connect(path: &Path) -> StoreResult<Connection> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(path, flags).map_err(fault)?;
    connection.busy_timeout(LOCK_WAIT).map_err(fault)?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}

fn configure(connection: &Connection) -> StoreResult<()> {
    // FULL makes a commit durable in WAL mode; MEMORY keeps rows out of temporary files. Ids are random, so that a batch of
    // 1,000 rows changes more than the 1,000 pages at which SQLite moves the log into the file by default; with 8,000
    // (32 MiB) imports are about 1.7 times as fast. The cache is to hold the pages of one transaction: with SQLite's usual 2 MB it
    // writes them out before the end and reads them again, which took two thirds of the system's time of a reseal, and a fifth
    // of the rate of imports.
    let settings =
        "PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0;
                    PRAGMA trusted_schema = OFF; PRAGMA wal_autocheckpoint = 8000;
                    PRAGMA cache_size = -65536;";
    connection.execute_batch(settings).map_err(fault)?;
    // A trigger in a file would run inside the vault: one that drops inserts makes openings without entries, one that copies
    // what is deleted undoes a shred. See also `check_schema`.
    for (setting, on) in [
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
    ] {
        connection.set_db_config(setting, on).map_err(fault)?;
    }
    // Otherwise SQLite plans a statement anew for each value it is given, which was a fifth of the instructions of an opening.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(fault)?;
    let mode = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0));
    // Some network file systems cannot; SQLite then keeps the old mode without an error.
    if mode.map_err(fault)? == "wal" { Ok(()) } else { Err(StoreError::Failed) }
}

/// Tries again until it is done, at most for `wait`, while somebody reads what is to be wiped.
fn until_done(wait: Duration, mut attempt: impl FnMut() -> StoreResult<bool>) -> StoreResult<()> {
    let until = Instant::now() + wait;
    while !attempt()? {
        if Instant::now() > until {
            return Err(StoreError::Locked);
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

/// What a failure of SQLite means. Its text is dropped: it can repeat the values of a statement.
#[allow(clippy::needless_pass_by_value)] // for map_err
fn fault(e: rusqlite::Error) -> StoreError {
    let rusqlite::Error::SqliteFailure(failure, _) = e else {
        // A value of another type than the column's, or no row where one must be.
        return StoreError::Damaged;
    };
    match failure.code {
        // SQLite says "full" for ENOSPC alone: a quota or a limit of the file's size fails the write (a faulty disk fails the
        // sync, or a read), and no room for the log's index fails its growth.
        _ if matches!(failure.extended_code, ffi::SQLITE_IOERR_WRITE | ffi::SQLITE_IOERR_SHMSIZE) => {
            StoreError::Full
        }
        _ if failure.extended_code == ffi::SQLITE_CANTOPEN_SYMLINK => StoreError::Exposed,
        ErrorCode::DiskFull | ErrorCode::TooBig => StoreError::Full,
        ErrorCode::CannotOpen => files::cannot_open(),
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied => StoreError::ReadOnly,
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Locked,
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreError::Damaged,
        ErrorCode::ConstraintViolation
            if matches!(
                failure.extended_code,
                ffi::SQLITE_CONSTRAINT_PRIMARYKEY
                    | ffi::SQLITE_CONSTRAINT_UNIQUE
                    | ffi::SQLITE_CONSTRAINT_ROWID
            ) =>
        {
            StoreError::Exists
        }
        // A table that is missing.
        ErrorCode::Unknown if failure.extended_code == ffi::SQLITE_ERROR => StoreError::Damaged,
        _ => StoreError::Failed,
    }
}

/// SQLite's integers are signed: what does not fit was not written by us.
fn unsigned<T: TryFrom<i64>>(value: i64) -> StoreResult<T> {
    T::try_from(value).map_err(|_| StoreError::Damaged)
}

fn signed(value: u64) -> StoreResult<i64> {
    i64::try_from(value).map_err(|_| StoreError::Failed)
}

fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}
