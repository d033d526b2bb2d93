//! Databases as they are at one moment, to be copied while others read and write them.

use std::path::Path;

use rusqlite::{
    Connection,
    backup::{Backup, StepResult},
};

use super::{configure, connect, fault, ledger};
use crate::store::{LedgerHead, StoreError, StoreResult};

/// What a database was when this was made, whatever is written to it meanwhile.
///
/// As long as there is one, its write-ahead log is not emptied: nothing that was removed is wiped from the files.
pub(crate) struct Snapshot(Connection);

impl Snapshot {
    pub(crate) fn of(path: &Path) -> StoreResult<Self> {
        let connection = connect(path)?;
        configure(&connection)?;
        // A transaction that reads sees one state; it begins with the first that it reads.
        connection.execute_batch("BEGIN").map_err(fault)?;
        let sql = "SELECT count(*) FROM sqlite_schema";
        connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(fault)?;
        Ok(Self(connection))
    }

    /// Copies it into an empty file. Durable when this returns.
    pub(crate) fn copy_to(&self, file: &Path) -> StoreResult<()> {
        let mut copy = connect(file)?;
        let backup = Backup::new(&self.0, &mut copy).map_err(fault)?;
        match backup.step(ALL_PAGES).map_err(fault)? {
            StepResult::Done => Ok(()),
            StepResult::Busy | StepResult::Locked => Err(StoreError::Locked),
            _ => Err(StoreError::Failed),
        }
    }

    /// The head of a ledger.
    pub(crate) fn ledger_head(&self) -> StoreResult<LedgerHead> {
        ledger::head(&self.0)
    }
}

const ALL_PAGES: i32 = -1;
