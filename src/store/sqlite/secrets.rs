//! secrets.db: secret rows. What is removed here must be gone from the files.

use std::{
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Params, Row, Transaction, params};

use super::{Database, fault, limit, signed, unsigned};
use crate::store::{LOCK_WAIT, RecordIdBytes, SecretRow, SecretState, SecretStore, StoreError, StoreResult};

// `unsettled` holds only what a crash left, so finding that costs nothing. State 4 is "shredded".
pub(super) const TABLES: &str = "
    CREATE TABLE secret (
        record_id BLOB NOT NULL,
        n1 BLOB NOT NULL,
        revision INTEGER NOT NULL,
        generation INTEGER NOT NULL,
        state INTEGER NOT NULL,
        put_at INTEGER NOT NULL,
        serial INTEGER NOT NULL,
        fingerprint BLOB NOT NULL,
        wrapped BLOB NOT NULL,
        PRIMARY KEY (record_id, n1)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX secret_by_serial ON secret (serial);
    CREATE INDEX unsettled ON secret (record_id) WHERE state = 4 AND length(fingerprint) > 0;";

const COLUMNS: &str = "record_id, n1, revision, generation, state, put_at, serial, fingerprint, wrapped";

pub(super) struct Secrets(Database);

impl Secrets {
    pub(super) fn new(database: Database) -> StoreResult<Self> {
        // Removed rows are overwritten with zeros in the file.
        database.connection().execute_batch("PRAGMA secure_delete = ON;").map_err(fault)?;
        Ok(Self(database))
    }
}

fn select(transaction: &Transaction<'_>, rest: &str, params: impl Params) -> StoreResult<Vec<SecretRow>> {
    let mut select =
        transaction.prepare_cached(&format!("SELECT {COLUMNS} FROM secret {rest}")).map_err(fault)?;
    let mut rows = select.query(params).map_err(fault)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(fault)? {
        found.push(secret_row(row)?);
    }
    Ok(found)
}

fn secret_row(row: &Row<'_>) -> StoreResult<SecretRow> {
    let number = |column| row.get::<_, i64>(column).map_err(fault);
    let bytes = |column| row.get::<_, Vec<u8>>(column).map_err(fault);
    Ok(SecretRow {
        record_id: row.get(0).map_err(fault)?,
        n1: row.get(1).map_err(fault)?,
        revision: unsigned(number(2)?)?,
        generation: unsigned(number(3)?)?,
        state: SecretState::from_number(unsigned(number(4)?)?).ok_or(StoreError::Damaged)?,
        put_at: unsigned(number(5)?)?,
        serial: unsigned(number(6)?)?,
        fingerprint: bytes(7)?,
        wrapped: bytes(8)?,
    })
}

fn insert(transaction: &Transaction<'_>, rows: &[SecretRow]) -> StoreResult<()> {
    let sql = format!("INSERT INTO secret ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
    let mut insert = transaction.prepare_cached(&sql).map_err(fault)?;
    for row in rows {
        let (put_at, serial) = (signed(row.put_at)?, signed(row.serial)?);
        insert
            .execute(params![
                row.record_id,
                row.n1,
                row.revision,
                row.generation,
                row.state as u8,
                put_at,
                serial,
                row.fingerprint,
                row.wrapped
            ])
            .map_err(fault)?;
    }
    Ok(())
}

impl SecretStore for Secrets {
    fn secrets(&self, ids: &[RecordIdBytes]) -> StoreResult<Vec<Vec<SecretRow>>> {
        self.0.read(|transaction| {
            ids.iter().map(|id| select(transaction, "WHERE record_id = ?1", [id])).collect()
        })
    }

    fn insert_secrets(&self, rows: &[SecretRow]) -> StoreResult<()> {
        self.0.write(|transaction| insert(transaction, rows))
    }

    fn replace_secrets(&self, remove: &[(RecordIdBytes, [u8; 10])], add: &[SecretRow]) -> StoreResult<()> {
        self.0.write(|transaction| {
            let sql = "DELETE FROM secret WHERE record_id = ?1 AND n1 = ?2";
            let mut delete = transaction.prepare_cached(sql).map_err(fault)?;
            for (id, n1) in remove {
                delete.execute(params![id, n1]).map_err(fault)?;
            }
            insert(transaction, add)
        })
    }

    fn wipe_removed(&self) -> StoreResult<()> {
        // Old pages stay in the write-ahead log until it is truncated, which waits for readers of other processes.
        let until = Instant::now() + LOCK_WAIT;
        loop {
            let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
            let busy: i64 = self.0.connection().query_row(checkpoint, [], |row| row.get(0)).map_err(fault)?;
            match busy {
                0 => return Ok(()),
                _ if Instant::now() > until => return Err(StoreError::Locked),
                _ => thread::sleep(Duration::from_millis(10)),
            }
        }
    }

    fn secrets_by_serial(&self, serial: u64) -> StoreResult<Vec<SecretRow>> {
        let serial = signed(serial)?;
        self.0.read(|transaction| select(transaction, "WHERE serial = ?1", [serial]))
    }

    fn unsettled(&self) -> StoreResult<Vec<SecretRow>> {
        self.0.read(|transaction| select(transaction, "WHERE state = 4 AND length(fingerprint) > 0", []))
    }

    fn secrets_page(
        &self,
        after: Option<&(RecordIdBytes, [u8; 10])>,
        rows: usize,
    ) -> StoreResult<Vec<SecretRow>> {
        let (id, n1): (&[u8], &[u8]) = after.map_or((&[], &[]), |(id, n1)| (id, n1));
        let rest = "WHERE (record_id, n1) > (?1, ?2) ORDER BY record_id, n1 LIMIT ?3";
        self.0.read(|transaction| select(transaction, rest, params![id, n1, limit(rows)]))
    }
}
