//! ledger.db: entries in their order, and the head they give.

use rusqlite::{Connection, Row, params};

use super::{Database, fault, limit, one_row, signed, unsigned};
use crate::store::{LedgerHead, LedgerRow, LedgerStore, StoreError, StoreResult};

pub(super) const TABLES: &str = "
    CREATE TABLE entry (
        idx INTEGER PRIMARY KEY NOT NULL,
        handle BLOB NOT NULL,
        bytes BLOB NOT NULL
    ) STRICT;
    CREATE INDEX entry_by_handle ON entry (handle);
    CREATE TABLE head (
        id INTEGER PRIMARY KEY NOT NULL CHECK (id = 1),
        size INTEGER NOT NULL,
        frontier BLOB NOT NULL
    ) STRICT;
    INSERT INTO head (id, size, frontier) VALUES (1, 0, x'');";

pub(super) struct Entries(pub(super) Database);

impl Entries {
    /// A ledger that was succeeded: SQLite refuses to write it.
    pub(super) fn read_only(database: Database) -> StoreResult<Self> {
        database.connection()?.execute_batch("PRAGMA query_only = ON;").map_err(fault)?;
        Ok(Self(database))
    }
}

pub(super) fn head(connection: &Connection) -> StoreResult<LedgerHead> {
    let sql = "SELECT size, frontier FROM head WHERE id = 1";
    let columns = |row: &Row<'_>| Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?));
    let (size, frontier) = connection.query_row(sql, [], columns).map_err(fault)?;
    let (hashes, rest) = frontier.as_chunks::<32>();
    let head = LedgerHead { size: unsigned(size)?, frontier: hashes.to_vec() };
    // One subtree for each bit of the size, or appending would build a wrong tree.
    let whole = rest.is_empty() && head.frontier.len() == head.size.count_ones() as usize;
    if whole { Ok(head) } else { Err(StoreError::Damaged) }
}

impl LedgerStore for Entries {
    fn append(&self, build: &mut dyn FnMut(&LedgerHead) -> (Vec<LedgerRow>, LedgerHead)) -> StoreResult<()> {
        self.0.write(|transaction| {
            let before = head(transaction)?;
            let (rows, after) = build(&before);
            let sql = "INSERT INTO entry (idx, handle, bytes) VALUES (?1, ?2, ?3)";
            let mut insert = transaction.prepare_cached(sql).map_err(fault)?;
            for (index, row) in (before.size..).zip(&rows) {
                one_row(insert.execute(params![signed(index)?, row.handle, row.bytes]))?;
            }
            let sql = "UPDATE head SET size = ?1, frontier = ?2 WHERE id = 1";
            let mut update = transaction.prepare_cached(sql).map_err(fault)?;
            one_row(update.execute(params![signed(after.size)?, after.frontier.concat()]))?;
            Ok(())
        })
    }

    fn head(&self) -> StoreResult<LedgerHead> {
        self.0.read(|transaction| head(transaction))
    }

    fn entries(&self, from: u64, rows: usize) -> StoreResult<Vec<LedgerRow>> {
        let Ok(from) = i64::try_from(from) else { return Ok(Vec::new()) };
        self.0.read(|transaction| {
            let sql = "SELECT idx, handle, bytes FROM entry WHERE idx >= ?1 ORDER BY idx LIMIT ?2";
            let mut select = transaction.prepare_cached(sql).map_err(fault)?;
            let columns = |row: &Row<'_>| {
                Ok((row.get::<_, i64>(0)?, LedgerRow { handle: row.get(1)?, bytes: row.get(2)? }))
            };
            let entries = select.query_map(params![from, limit(rows)], columns).map_err(fault)?;
            // A missing row would pass every later entry off under the index before its own.
            let in_place = |(expected, entry): (i64, rusqlite::Result<(i64, LedgerRow)>)| {
                let (index, row) = entry.map_err(fault)?;
                if index == expected { Ok(row) } else { Err(StoreError::Damaged) }
            };
            (from..).zip(entries).map(in_place).collect()
        })
    }

    fn check(&self) -> StoreResult<()> {
        self.0.check()
    }

    fn find_handle(&self, handle: &[u8; 16]) -> StoreResult<Vec<u64>> {
        self.0.read(|transaction| {
            let sql = "SELECT idx FROM entry WHERE handle = ?1 ORDER BY idx";
            let mut select = transaction.prepare_cached(sql).map_err(fault)?;
            let indices = select.query_map([handle], |row| row.get(0)).map_err(fault)?;
            indices.map(|index| index.map_err(fault).and_then(unsigned)).collect()
        })
    }
}
