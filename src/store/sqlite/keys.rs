//! keys.db: what the vault keeps about itself.

use std::{ops::RangeInclusive, time::Duration};

use rusqlite::{OptionalExtension, Row, params};

use super::{Database, fault, signed, unsigned, until_done};
use crate::store::{Item, KeyStore, LOCK_WAIT, StoreError, StoreResult};

pub(super) const TABLES: &str = "
    CREATE TABLE item (
        kind INTEGER NOT NULL,
        id INTEGER NOT NULL,
        generation INTEGER NOT NULL,
        body BLOB NOT NULL,
        PRIMARY KEY (kind, id, generation)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE counter (
        name INTEGER PRIMARY KEY NOT NULL,
        next INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE spent (
        account INTEGER NOT NULL,
        at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX spent_by_account ON spent (account, at);";

pub(super) struct Keys {
    database: Database,
}

/// Name of the counter of writes to the items. `PRAGMA data_version` would not do: the other counters move it, too.
const ITEMS_VERSION: i64 = -1;

impl Keys {
    pub(super) fn new(database: Database) -> StoreResult<Self> {
        // A replaced key must be gone from the file.
        database.connection()?.execute_batch("PRAGMA secure_delete = ON;").map_err(fault)?;
        Ok(Self { database })
    }

    /// Writes the whole file anew, and moves and truncates its write-ahead log. `false` if somebody is in the way.
    ///
    /// Items differ in size, so that `secure_delete` alone does not do: SQLite may have written a page anew when one was removed, and
    /// copies of moved rows stay in free space (`secrets.rs`). The file is small: VACUUM takes only the rows that are there along.
    fn try_wipe(&self) -> StoreResult<bool> {
        let connection = self.database.connection()?;
        // Waiting in SQLite would keep this process's other threads from their keys meanwhile.
        connection.busy_timeout(Duration::ZERO).map_err(fault)?;
        let wiped = connection.execute_batch("VACUUM").and_then(|()| {
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0))
        });
        connection.busy_timeout(LOCK_WAIT).map_err(fault)?;
        match wiped.map_err(fault) {
            Err(StoreError::Locked) => Ok(false),
            busy => Ok(busy? == 0),
        }
    }
}

impl KeyStore for Keys {
    fn items(&self) -> StoreResult<Vec<Item>> {
        self.database.read(|transaction| {
            let sql = "SELECT kind, id, generation, body FROM item ORDER BY kind, id, generation";
            let mut select = transaction.prepare_cached(sql).map_err(fault)?;
            let columns = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
            let items = select.query_map([], columns).map_err(fault)?;
            items
                .map(|item| {
                    let (kind, id, generation, body) = item.map_err(fault)?;
                    Ok(Item {
                        kind: unsigned(kind)?,
                        id: unsigned(id)?,
                        generation: unsigned(generation)?,
                        body,
                    })
                })
                .collect()
        })
    }

    fn write_items(&self, items: &[Item]) -> StoreResult<()> {
        self.database.write(|transaction| {
            let sql = "INSERT OR REPLACE INTO item (kind, id, generation, body) VALUES (?1, ?2, ?3, ?4)";
            let mut insert = transaction.prepare_cached(sql).map_err(fault)?;
            let sql = "DELETE FROM item WHERE kind = ?1 AND id = ?2 AND generation = ?3";
            let mut delete = transaction.prepare_cached(sql).map_err(fault)?;
            for Item { kind, id, generation, body } in items {
                let changed = match body.is_empty() {
                    true => delete.execute(params![kind, id, generation]),
                    false => insert.execute(params![kind, id, generation, body]),
                };
                changed.map_err(fault)?;
            }
            let sql = "INSERT INTO counter (name, next) VALUES (?1, 1) ON CONFLICT (name) DO UPDATE SET next = next + 1";
            transaction.execute(sql, [ITEMS_VERSION]).map_err(fault)?;
            Ok(())
        })
    }

    fn wipe_removed(&self, wait: Duration) -> StoreResult<()> {
        until_done(wait, || self.try_wipe())
    }

    fn items_version(&self) -> StoreResult<u64> {
        self.database.read(|transaction| {
            let sql = "SELECT next FROM counter WHERE name = ?1";
            let mut select = transaction.prepare_cached(sql).map_err(fault)?;
            let version = select.query_row([ITEMS_VERSION], |row| row.get(0)).optional().map_err(fault)?;
            version.map_or(Ok(0), unsigned)
        })
    }

    fn allot(&self, counter: u32, count: u64) -> StoreResult<u64> {
        self.database.write(|transaction| {
            let sql = "SELECT next FROM counter WHERE name = ?1";
            let next: Option<i64> =
                transaction.query_row(sql, [counter], |row| row.get(0)).optional().map_err(fault)?;
            let first: u64 = next.map_or(Ok(0), unsigned)?;
            let next = signed(first.checked_add(count).ok_or(StoreError::Failed)?)?;
            let sql = "INSERT OR REPLACE INTO counter (name, next) VALUES (?1, ?2)";
            transaction.execute(sql, params![counter, next]).map_err(fault)?;
            Ok(first)
        })
    }

    fn allotted(&self, counter: u32) -> StoreResult<u64> {
        self.database.read(|transaction| {
            let sql = "SELECT next FROM counter WHERE name = ?1";
            let mut select = transaction.prepare_cached(sql).map_err(fault)?;
            let next = select.query_row([counter], |row| row.get(0)).optional().map_err(fault)?;
            next.map_or(Ok(0), unsigned)
        })
    }

    fn check(&self) -> StoreResult<()> {
        self.database.check()
    }

    fn spend(&self, account: u64, at: u64, windows: &[(u64, u64)]) -> StoreResult<bool> {
        self.database.write(|transaction| {
            let account = signed(account)?;
            let begin = |length: u64| signed(at.saturating_sub(length));
            let longest = windows.iter().map(|(length, _)| *length).max().unwrap_or_default();
            let sql = "DELETE FROM spent WHERE account = ?1 AND at <= ?2";
            transaction.execute(sql, [account, begin(longest)?]).map_err(fault)?;
            for (length, most) in windows {
                let sql = "SELECT count(*) FROM spent WHERE account = ?1 AND at > ?2";
                let count: i64 = transaction
                    .query_row(sql, [account, begin(*length)?], |row| row.get(0))
                    .map_err(fault)?;
                if unsigned::<u64>(count)? >= *most {
                    return Ok(false);
                }
            }
            let sql = "INSERT INTO spent (account, at) VALUES (?1, ?2)";
            transaction.execute(sql, [account, signed(at)?]).map_err(fault)?;
            Ok(true)
        })
    }

    fn forget_spent(&self, accounts: RangeInclusive<u64>, until: u64) -> StoreResult<()> {
        self.database.write(|transaction| {
            let sql = "DELETE FROM spent WHERE account BETWEEN ?1 AND ?2 AND at <= ?3";
            let range = [signed(*accounts.start())?, signed(*accounts.end())?, signed(until)?];
            transaction.execute(sql, range).map_err(fault).map(drop)
        })
    }
}
