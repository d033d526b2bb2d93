//! secrets.db: secret rows. What is removed here must be gone from the files.

use std::{collections::HashSet, ops::Range, time::Duration};

use rusqlite::{OptionalExtension, Params, Row, Transaction, params};

use super::{Database, fault, limit, one_row, signed, unsigned, until_done};
use crate::store::{LOCK_WAIT, RecordIdBytes, SecretRow, SecretState, SecretStore, StoreError, StoreResult};

// Fingerprint and wrapped secret lie in pieces that all have one size. `secure_delete` zeroes a row that is removed, but when
// rows of different sizes move between pages, SQLite may have to write a page anew and then leaves the old copies of moved
// rows in its free space (`rebuildPage` in btree.c). Measured with the bytes in table `secret`: of 15,000 shreds up to 4 left
// half a secret or more in the file. Rows of one size always fit where one was, so that pages are never written anew.
//
// `unsettled` holds only what a crash left, so finding that costs nothing; `superseded` the rows of a day. The states are 2
// "pending", 3 "superseded", 4 "shredded".
pub(super) const TABLES: &str = "
    CREATE TABLE secret (
        record_id BLOB NOT NULL,
        n1 BLOB NOT NULL,
        revision INTEGER NOT NULL,
        generation INTEGER NOT NULL,
        state INTEGER NOT NULL,
        put_at INTEGER NOT NULL,
        serial INTEGER NOT NULL,
        policy INTEGER NOT NULL,
        changed_at INTEGER NOT NULL,
        slot INTEGER NOT NULL,
        fingerprint_size INTEGER NOT NULL,
        wrapped_size INTEGER NOT NULL,
        PRIMARY KEY (record_id, n1)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX secret_by_serial ON secret (serial);
    CREATE INDEX unsettled ON secret (record_id) WHERE state = 2 OR (state = 4 AND fingerprint_size > 0);
    CREATE INDEX superseded ON secret (changed_at) WHERE state = 3;
    CREATE TABLE piece (
        slot INTEGER PRIMARY KEY NOT NULL,
        bytes BLOB NOT NULL
    ) STRICT;";

const COLUMNS: &str = "slot, fingerprint_size, wrapped_size, record_id, n1, revision, generation, state, put_at, serial, \
    policy, changed_at";

/// Bytes of a piece: fingerprint (16) and wrapped secret (104), so that an order's row needs one. The last is filled with zeros.
const PIECE: usize = 120;
/// Slots from here to 2^35 take five bytes in a row, so that they do not make rows differ in size.
const FIRST_SLOT: i64 = 1 << 28;

pub(super) struct Secrets(pub(super) Database);

impl Secrets {
    pub(super) fn new(database: Database) -> StoreResult<Self> {
        // Removed rows are overwritten with zeros in the file.
        database.connection()?.execute_batch("PRAGMA secure_delete = ON;").map_err(fault)?;
        let secrets = Self(database);
        // A crash may have come between removing and wiping. If somebody is in the way, their next wipe does it.
        let _wiped = secrets.try_wipe();
        Ok(secrets)
    }

    /// Moves the write-ahead log, which holds old pages, into the file and truncates it. `false` if somebody is reading.
    fn try_wipe(&self) -> StoreResult<bool> {
        let connection = self.0.connection()?;
        // Waiting in SQLite would keep this process's other threads from their secrets meanwhile.
        connection.busy_timeout(Duration::ZERO).map_err(fault)?;
        let busy = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
        connection.busy_timeout(LOCK_WAIT).map_err(fault)?;
        Ok(busy.map_err(fault)? == 0)
    }

    /// Repeats [`Secrets::try_wipe`] until it succeeds, at most for `wait`.
    pub(super) fn wipe(&self, wait: Duration) -> StoreResult<()> {
        until_done(wait, || self.try_wipe())
    }
}

/// Where the bytes of a row lie.
struct Place {
    slot: i64,
    fingerprint: u32,
    wrapped: u32,
}

impl Place {
    /// Of a row that begins with these three columns.
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { slot: row.get(0)?, fingerprint: row.get(1)?, wrapped: row.get(2)? })
    }

    fn slots(&self) -> StoreResult<Range<i64>> {
        let pieces = (u64::from(self.fingerprint) + u64::from(self.wrapped)).div_ceil(PIECE as u64);
        let end = i64::try_from(pieces).ok().and_then(|pieces| self.slot.checked_add(pieces));
        Ok(self.slot..end.ok_or(StoreError::Damaged)?)
    }

    /// Fingerprint and wrapped secret; nothing where the pieces are not what the row says.
    fn read(&self, transaction: &Transaction<'_>) -> StoreResult<(Vec<u8>, Vec<u8>)> {
        let sql = "SELECT bytes FROM piece WHERE slot >= ?1 AND slot < ?2 ORDER BY slot";
        let mut select = transaction.prepare_cached(sql).map_err(fault)?;
        let Ok(slots) = self.slots() else { return Ok(Default::default()) };
        let mut pieces = select.query([slots.start, slots.end]).map_err(fault)?;
        let mut bytes = Vec::with_capacity(PIECE);
        while let Some(piece) = pieces.next().map_err(fault)? {
            // Of another size: then the bytes end too early, and are none.
            bytes.extend(piece.get::<_, [u8; PIECE]>(0).into_iter().flatten());
        }
        let size = |size: u32| usize::try_from(size).unwrap_or(usize::MAX);
        let whole = bytes.split_at_checked(size(self.fingerprint)).and_then(|(fingerprint, rest)| {
            Some((fingerprint.to_vec(), rest.get(..size(self.wrapped))?.to_vec()))
        });
        Ok(whole.unwrap_or_default())
    }
}

fn select(transaction: &Transaction<'_>, rest: &str, params: impl Params) -> StoreResult<Vec<SecretRow>> {
    select_all(transaction, rest, params)?.into_iter().collect()
}

/// The rows that can be read: for what every writer looks through, and one altered row must not stop.
fn select_readable(
    transaction: &Transaction<'_>,
    rest: &str,
    params: impl Params,
) -> StoreResult<Vec<SecretRow>> {
    let rows = select_all(transaction, rest, params)?.into_iter();
    rows.filter(|row| !matches!(row, Err(StoreError::Damaged))).collect()
}

fn select_all(
    transaction: &Transaction<'_>,
    rest: &str,
    params: impl Params,
) -> StoreResult<Vec<StoreResult<SecretRow>>> {
    let mut select =
        transaction.prepare_cached(&format!("SELECT {COLUMNS} FROM secret {rest}")).map_err(fault)?;
    let mut rows = select.query(params).map_err(fault)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(fault)? {
        found.push(secret_row(transaction, row));
    }
    Ok(found)
}

fn secret_row(transaction: &Transaction<'_>, row: &Row<'_>) -> StoreResult<SecretRow> {
    let number = |column| row.get::<_, i64>(column).map_err(fault);
    let (fingerprint, wrapped) = Place::of(row).map_err(fault)?.read(transaction)?;
    Ok(SecretRow {
        record_id: row.get(3).map_err(fault)?,
        n1: row.get(4).map_err(fault)?,
        revision: unsigned(number(5)?)?,
        generation: unsigned(number(6)?)?,
        state: SecretState::from_number(unsigned(number(7)?)?).ok_or(StoreError::Damaged)?,
        put_at: unsigned(number(8)?)?,
        serial: unsigned(number(9)?)?,
        policy: unsigned(number(10)?)?,
        changed_at: unsigned(number(11)?)?,
        fingerprint,
        wrapped,
    })
}

fn insert(transaction: &Transaction<'_>, rows: &[SecretRow]) -> StoreResult<()> {
    let last = transaction.query_row("SELECT max(slot) FROM piece", [], |row| row.get::<_, Option<i64>>(0));
    let mut slot = last.map_err(fault)?.map_or(Some(FIRST_SLOT), |last| last.checked_add(1));
    let sql =
        format!("INSERT INTO secret ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)");
    let mut insert = transaction.prepare_cached(&sql).map_err(fault)?;
    let sql = "INSERT INTO piece (slot, bytes) VALUES (?1, ?2)";
    let mut insert_piece = transaction.prepare_cached(sql).map_err(fault)?;
    for row in rows {
        let first = slot.ok_or(StoreError::Damaged)?;
        insert
            .execute(params![
                first,
                size(&row.fingerprint)?,
                size(&row.wrapped)?,
                row.record_id,
                row.n1,
                row.revision,
                row.generation,
                row.state as u8,
                signed(row.put_at)?,
                signed(row.serial)?,
                row.policy,
                signed(row.changed_at)?,
            ])
            .map_err(fault)?;
        for bytes in [&row.fingerprint[..], &row.wrapped].concat().chunks(PIECE) {
            let at = slot.ok_or(StoreError::Damaged)?;
            insert_piece.execute(params![at, filled(bytes)]).map_err(fault)?;
            slot = at.checked_add(1);
        }
    }
    Ok(())
}

/// Overwrites a row where it lies, if its bytes take as many pieces as before. `false`, and nothing changed, if not, or if there is
/// no such row.
fn overwrite(transaction: &Transaction<'_>, row: &SecretRow) -> StoreResult<bool> {
    let Some(old) = place_of(transaction, &(row.record_id, row.n1))? else { return Ok(false) };
    let bytes = [&row.fingerprint[..], &row.wrapped].concat();
    let place = Place { slot: old.slot, fingerprint: size(&row.fingerprint)?, wrapped: size(&row.wrapped)? };
    if place.slots()? != old.slots()? {
        return Ok(false);
    }
    let sql = "UPDATE secret SET revision = ?3, generation = ?4, state = ?5, put_at = ?6, serial = ?7, policy = ?8, \
               changed_at = ?9, fingerprint_size = ?10, wrapped_size = ?11 WHERE record_id = ?1 AND n1 = ?2";
    let mut update = transaction.prepare_cached(sql).map_err(fault)?;
    let updated = update.execute(params![
        row.record_id,
        row.n1,
        row.revision,
        row.generation,
        row.state as u8,
        signed(row.put_at)?,
        signed(row.serial)?,
        row.policy,
        signed(row.changed_at)?,
        place.fingerprint,
        place.wrapped,
    ]);
    one_row(updated)?;
    let mut update =
        transaction.prepare_cached("UPDATE piece SET bytes = ?2 WHERE slot = ?1").map_err(fault)?;
    for (slot, bytes) in place.slots()?.zip(bytes.chunks(PIECE)) {
        one_row(update.execute(params![slot, filled(bytes)]))?;
    }
    Ok(true)
}

fn place_of(
    transaction: &Transaction<'_>,
    (id, n1): &(RecordIdBytes, [u8; 10]),
) -> StoreResult<Option<Place>> {
    let sql = "SELECT slot, fingerprint_size, wrapped_size FROM secret WHERE record_id = ?1 AND n1 = ?2";
    let mut find = transaction.prepare_cached(sql).map_err(fault)?;
    find.query_row(params![id, n1], Place::of).optional().map_err(fault)
}

/// A piece of these bytes, zeros behind them.
fn filled(bytes: &[u8]) -> [u8; PIECE] {
    let mut piece = [0; PIECE];
    piece.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    piece
}

/// Replaces rows that stay in their places, removes the others of `old`, adds the others of `add`.
fn replace(
    transaction: &Transaction<'_>,
    old: &[(RecordIdBytes, [u8; 10])],
    add: &[SecretRow],
) -> StoreResult<()> {
    let mut gone: HashSet<_> = old.iter().copied().collect();
    let mut others = Vec::new();
    for row in add {
        let key = (row.record_id, row.n1);
        // A key that is to be added twice is there when it comes the second time.
        let stays = gone.contains(&key) && overwrite(transaction, row)?;
        if stays {
            gone.remove(&key);
        } else {
            others.push(row.clone());
        }
    }
    remove(transaction, &gone.into_iter().collect::<Vec<_>>())?;
    insert(transaction, &others)
}

fn size(bytes: &[u8]) -> StoreResult<u32> {
    u32::try_from(bytes.len()).map_err(|_| StoreError::Failed)
}

fn remove(transaction: &Transaction<'_>, keys: &[(RecordIdBytes, [u8; 10])]) -> StoreResult<()> {
    let sql = "DELETE FROM secret WHERE record_id = ?1 AND n1 = ?2";
    let mut delete = transaction.prepare_cached(sql).map_err(fault)?;
    let sql = "DELETE FROM piece WHERE slot >= ?1 AND slot < ?2";
    let mut delete_pieces = transaction.prepare_cached(sql).map_err(fault)?;
    for key @ (id, n1) in keys {
        if let Some(place) = place_of(transaction, key)? {
            delete.execute(params![id, n1]).map_err(fault)?;
            let slots = place.slots()?;
            delete_pieces.execute([slots.start, slots.end]).map_err(fault)?;
        }
    }
    Ok(())
}

impl SecretStore for Secrets {
    fn secrets(&self, ids: &[RecordIdBytes]) -> StoreResult<Vec<Vec<SecretRow>>> {
        let rest = "WHERE record_id = ?1 ORDER BY n1";
        self.0.read(|transaction| ids.iter().map(|id| select(transaction, rest, [id])).collect())
    }

    fn insert_secrets(&self, rows: &[SecretRow]) -> StoreResult<()> {
        self.0.write(|transaction| insert(transaction, rows))
    }

    fn replace_secrets(&self, old: &[(RecordIdBytes, [u8; 10])], add: &[SecretRow]) -> StoreResult<()> {
        self.0.write(|transaction| replace(transaction, old, add))
    }

    fn make_current(&self, keys: &[(RecordIdBytes, [u8; 10])], at: u64) -> StoreResult<()> {
        let at = signed(at)?;
        self.0.write(|transaction| {
            let sql =
                "SELECT slot, fingerprint_size, wrapped_size, n1, state FROM secret WHERE record_id = ?1";
            let mut select = transaction.prepare_cached(sql).map_err(fault)?;
            let sql = "UPDATE secret SET state = ?3, changed_at = ?4, fingerprint_size = ?5
                WHERE record_id = ?1 AND n1 = ?2";
            let mut update = transaction.prepare_cached(sql).map_err(fault)?;
            let sql = "UPDATE piece SET bytes = ?2 WHERE slot = ?1";
            let mut update_piece = transaction.prepare_cached(sql).map_err(fault)?;
            for (id, n1) in keys {
                let columns =
                    |row: &Row<'_>| Ok((Place::of(row)?, row.get::<_, [u8; 10]>(3)?, row.get::<_, i64>(4)?));
                let rows = select.query_map([id], columns).map_err(fault)?;
                let rows = rows.collect::<Result<Vec<_>, _>>().map_err(fault)?;
                if rows.iter().all(|(_, other, _)| other != n1) {
                    continue;
                }
                for (place, other, state) in rows {
                    if other == *n1 {
                        let current = SecretState::Current as u8;
                        one_row(update.execute(params![id, other, current, at, place.fingerprint]))?;
                    } else if state == SecretState::Current as i64 {
                        let (_, wrapped) = place.read(transaction)?;
                        let shorter = Place { fingerprint: 0, ..place };
                        if shorter.slots()? != place.slots()? {
                            // A row as no vault writes it.
                            return Err(StoreError::Damaged);
                        }
                        one_row(update.execute(params![id, other, SecretState::Superseded as u8, at, 0]))?;
                        for (slot, bytes) in place.slots()?.zip(wrapped.chunks(PIECE)) {
                            one_row(update_piece.execute(params![slot, filled(bytes)]))?;
                        }
                    } else if state == SecretState::Pending as i64 {
                        remove(transaction, &[(*id, other)])?;
                    }
                }
            }
            Ok(())
        })
    }

    fn count_generations(&self) -> StoreResult<Vec<(u32, u64)>> {
        self.0.read(|transaction| {
            let sql = "SELECT generation, count(*) FROM secret WHERE wrapped_size > 0 GROUP BY 1 ORDER BY 1";
            let mut select = transaction.prepare_cached(sql).map_err(fault)?;
            let columns = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
            let counts = select.query_map([], columns).map_err(fault)?;
            counts
                .map(|count| count.map_err(fault).and_then(|(g, n)| Ok((unsigned(g)?, unsigned(n)?))))
                .collect()
        })
    }

    fn wipe_removed(&self, wait: Duration) -> StoreResult<()> {
        self.wipe(wait)
    }

    fn greatest_serial(&self) -> StoreResult<Option<u64>> {
        self.0.read(|transaction| {
            let mut select = transaction.prepare_cached("SELECT max(serial) FROM secret").map_err(fault)?;
            let greatest: Option<i64> = select.query_row([], |row| row.get(0)).map_err(fault)?;
            greatest.map(unsigned).transpose()
        })
    }

    fn secrets_by_serial(&self, serial: u64) -> StoreResult<Vec<SecretRow>> {
        let Ok(serial) = i64::try_from(serial) else { return Ok(Vec::new()) };
        let rest = "WHERE serial = ?1 ORDER BY record_id, n1";
        self.0.read(|transaction| select(transaction, rest, [serial]))
    }

    fn unsettled(&self) -> StoreResult<Vec<SecretRow>> {
        let rest = "WHERE state = 2 OR (state = 4 AND fingerprint_size > 0) ORDER BY record_id, n1";
        self.0.read(|transaction| select_readable(transaction, rest, []))
    }

    fn superseded_before(&self, time: u64, rows: usize) -> StoreResult<Vec<SecretRow>> {
        let rest = "WHERE state = 3 AND changed_at < ?1 ORDER BY changed_at LIMIT ?2";
        self.0.read(|transaction| select_readable(transaction, rest, params![signed(time)?, limit(rows)]))
    }

    fn count_superseded(&self, before: u64) -> StoreResult<u64> {
        self.0.read(|transaction| {
            let sql = "SELECT count(*) FROM secret WHERE state = 3 AND changed_at < ?1";
            let before = i64::try_from(before).unwrap_or(i64::MAX);
            let count = transaction.query_row(sql, [before], |row| row.get(0)).map_err(fault)?;
            unsigned(count)
        })
    }

    fn check(&self) -> StoreResult<()> {
        self.0.check()
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
