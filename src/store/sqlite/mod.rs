//! Stores on SQLite: a folder (0700) with a database each for orders, secrets, keys and ledger (0600).
//!
//! Four files because they are backed up apart. SQLite does not commit two files atomically in WAL mode; the vault's order of
//! writes (secret, ledger, order) is the recovery rule.

mod files;
mod keys;
mod ledger;
mod lock;
mod orders;
mod secrets;

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior, ffi};

pub(crate) use files::FILES;

use super::{LOCK_WAIT, StoreError, StoreResult, Stores};

/// "cns1", so that a foreign database is not taken for a vault's.
const APPLICATION: i32 = 0x636e_7331;
const LAYOUT: i32 = 1;

/// Makes the folder, its files and their tables.
///
/// # Errors
/// `Exists` if there is something at `folder`, or the file system's failures.
pub(crate) fn create(folder: &Path) -> StoreResult<Stores> {
    files::create(folder)?;
    for (file, tables) in FILES.iter().zip([orders::TABLES, secrets::TABLES, keys::TABLES, ledger::TABLES]) {
        let connection = connect(&folder.join(file))?;
        connection.execute_batch(tables).map_err(fault)?;
        connection.pragma_update(None, "application_id", APPLICATION).map_err(fault)?;
        connection.pragma_update(None, "user_version", LAYOUT).map_err(fault)?;
    }
    open(folder)
}

/// Opens the files of a folder.
///
/// # Errors
/// `Exposed` if others can reach them, `Damaged` for files that are no vault's, `Newer` for a later version's.
pub(crate) fn open(folder: &Path) -> StoreResult<Stores> {
    // Whole and without links, as SQLITE_OPEN_NOFOLLOW wants it.
    let folder = folder.canonicalize().map_err(|e| files::fault(&e))?;
    files::check_private(&folder)?;
    let [orders, secrets, keys, ledger] = FILES.map(|file| Database::open(&folder.join(file)));
    Ok(Stores {
        orders: Arc::new(orders::Orders(orders?)),
        secrets: Arc::new(secrets::Secrets::new(secrets?)?),
        keys: Arc::new(keys::Keys::new(keys?)?),
        ledger: Arc::new(ledger::Entries(ledger?)),
        lock: Arc::new(lock::Lock::open(&folder)?),
    })
}

/// One file, one connection, one user at a time.
struct Database(Mutex<Connection>);

impl Database {
    fn open(path: &Path) -> StoreResult<Self> {
        let connection = connect(path)?;
        let pragma =
            |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0)).map_err(fault);
        match (pragma("application_id")?, pragma("user_version")?) {
            (APPLICATION, LAYOUT) => Ok(Self(Mutex::new(connection))),
            (APPLICATION, layout) if layout > LAYOUT => Err(StoreError::Newer),
            _ => Err(StoreError::Damaged),
        }
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        // A transaction that a panic cut short was rolled back when it was dropped.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `work` in a transaction that has the write lock from its start; durable when this returns.
    fn write<T>(&self, work: impl FnOnce(&Transaction<'_>) -> StoreResult<T>) -> StoreResult<T> {
        let mut connection = self.connection();
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fault)?;
        let done = work(&transaction)?;
        transaction.commit().map_err(fault)?;
        Ok(done)
    }

    /// Runs `work` on one state of the file.
    fn read<T>(&self, work: impl FnOnce(&Transaction<'_>) -> StoreResult<T>) -> StoreResult<T> {
        let mut connection = self.connection();
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Deferred).map_err(fault)?;
        work(&transaction)
    }
}

fn connect(path: &Path) -> StoreResult<Connection> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(path, flags).map_err(fault)?;
    connection.busy_timeout(LOCK_WAIT).map_err(fault)?;
    connection.set_prepared_statement_cache_capacity(32);
    // FULL makes a commit durable in WAL mode; MEMORY keeps rows out of temporary files.
    let settings = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;
                    PRAGMA mmap_size = 0; PRAGMA trusted_schema = OFF;";
    connection.execute_batch(settings).map_err(fault)?;
    Ok(connection)
}

/// What a failure of SQLite means. Its text is dropped: it can repeat the values of a statement.
#[allow(clippy::needless_pass_by_value)] // for map_err
fn fault(e: rusqlite::Error) -> StoreError {
    let rusqlite::Error::SqliteFailure(failure, _) = e else {
        // A value of another type than the column's, or no row where one must be.
        return StoreError::Damaged;
    };
    match failure.code {
        ErrorCode::DiskFull | ErrorCode::TooBig => StoreError::Full,
        ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied => StoreError::ReadOnly,
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
