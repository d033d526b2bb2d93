//! orders.db: sealed records.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::{Database, fault, limit, one_row, signed, unsigned};
use crate::store::{
    MOST_AT_ONCE, OrderStore, RecordIdBytes, RecordRow, RecordSummary, StagedRecord, StoreError, StoreResult,
    Tag,
};

// A rowid table: SQLite's documentation advises WITHOUT ROWID only for rows below a twentieth of a page, and records have
// about 750 bytes. Ids are random, so the index is written all over; the rows themselves are appended. Measured with 400,000
// rows of 700 bytes in batches of 1,000: WITHOUT ROWID writes at 0.4 times the rate and reads as fast; only pages of a listing
// are slower here (4 µs a row against 0.8).
//
// A record's tags stand in its row, too: by them its rows in `tag` are found when it goes, without an index of their own.
pub(super) const TABLES: &str = "
    CREATE TABLE record (
        id BLOB PRIMARY KEY NOT NULL,
        revision INTEGER NOT NULL,
        put_day INTEGER NOT NULL,
        tags BLOB NOT NULL,
        sealed BLOB NOT NULL
    ) STRICT;
    CREATE TABLE tag (
        field INTEGER NOT NULL,
        value INTEGER NOT NULL,
        id BLOB NOT NULL,
        PRIMARY KEY (field, value, id)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE staged (
        id BLOB PRIMARY KEY NOT NULL,
        revision INTEGER NOT NULL,
        put_day INTEGER NOT NULL,
        tags BLOB NOT NULL,
        sealed BLOB NOT NULL,
        replaces INTEGER NOT NULL,
        ledger_size INTEGER NOT NULL
    ) STRICT;";

pub(super) struct Orders(pub(super) Database);

/// Bytes of a tag: field u16, value u64, little endian.
const TAG: usize = 10;

fn encode(tags: &[Tag]) -> Vec<u8> {
    tags.iter().flat_map(|tag| tag.field.to_le_bytes().into_iter().chain(tag.value.to_le_bytes())).collect()
}

/// What are no whole tags is none: a search passes over the order, and an opening does not need them.
fn decode(bytes: &[u8]) -> Vec<Tag> {
    let (tags, rest) = bytes.as_chunks::<TAG>();
    let tag = |[f0, f1, value @ ..]: &[u8; TAG]| Tag {
        field: u16::from_le_bytes([*f0, *f1]),
        value: u64::from_le_bytes(*value),
    };
    if rest.is_empty() { tags.iter().map(tag).collect() } else { Vec::new() }
}

/// The record in a row that begins with its revision, day, tags and bytes.
fn record_row(id: &RecordIdBytes, row: &Row<'_>) -> StoreResult<RecordRow> {
    let number = |column| row.get::<_, i64>(column).map(|number| u32::try_from(number).unwrap_or(0));
    Ok(RecordRow {
        id: *id,
        revision: number(0).map_err(fault)?,
        put_day: number(1).map_err(fault)?,
        tags: decode(row.get_ref(2).map_err(fault)?.as_blob().map_err(|_| StoreError::Damaged)?),
        sealed: row.get(3).map_err(fault)?,
    })
}

fn record(transaction: &Transaction<'_>, id: &RecordIdBytes) -> StoreResult<Option<RecordRow>> {
    let sql = "SELECT revision, put_day, tags, sealed FROM record WHERE id = ?1";
    let mut select = transaction.prepare_cached(sql).map_err(fault)?;
    let mut rows = select.query([id]).map_err(fault)?;
    rows.next().map_err(fault)?.map(|row| record_row(id, row)).transpose()
}

fn staged(transaction: &Transaction<'_>, id: &RecordIdBytes) -> StoreResult<Option<StagedRecord>> {
    let sql = "SELECT revision, put_day, tags, sealed, replaces, ledger_size FROM staged WHERE id = ?1";
    let mut select = transaction.prepare_cached(sql).map_err(fault)?;
    let mut rows = select.query([id]).map_err(fault)?;
    let Some(row) = rows.next().map_err(fault)? else { return Ok(None) };
    let (replaces, ledger_size) = (row.get(4).map_err(fault)?, row.get(5).map_err(fault)?);
    let record = record_row(id, row)?;
    Ok(Some(StagedRecord { record, replaces: unsigned(replaces)?, ledger_size: unsigned(ledger_size)? }))
}

fn insert(transaction: &Transaction<'_>, rows: &[RecordRow]) -> StoreResult<()> {
    let sql = "INSERT INTO record (id, revision, put_day, tags, sealed) VALUES (?1, ?2, ?3, ?4, ?5)";
    let mut insert = transaction.prepare_cached(sql).map_err(fault)?;
    for row in rows {
        insert
            .execute(params![row.id, row.revision, row.put_day, encode(&row.tags), row.sealed])
            .map_err(fault)?;
    }
    rows.iter().try_for_each(|row| insert_tags(transaction, row.tags.iter(), &row.id))
}

fn delete_tags(transaction: &Transaction<'_>, id: &RecordIdBytes) -> StoreResult<()> {
    let sql = "SELECT tags FROM record WHERE id = ?1";
    let mut select = transaction.prepare_cached(sql).map_err(fault)?;
    let tags: Option<Vec<u8>> = select.query_row([id], |row| row.get(0)).optional().map_err(fault)?;
    decode(&tags.unwrap_or_default()).iter().try_for_each(|tag| delete_tag(transaction, tag, id))
}

/// Where the row lies, if the one that is there has its revision. Tags that stay are left alone.
fn replace(transaction: &Transaction<'_>, row: &RecordRow) -> StoreResult<bool> {
    let sql = "SELECT rowid, revision, tags FROM record WHERE id = ?1";
    let mut select = transaction.prepare_cached(sql).map_err(fault)?;
    let columns =
        |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, Vec<u8>>(2)?));
    let old = select.query_row([row.id], columns).optional().map_err(fault)?;
    let Some((place, _, tags)) = old.filter(|(_, revision, _)| *revision == i64::from(row.revision)) else {
        return Ok(false);
    };
    let sql = "UPDATE record SET put_day = ?2, tags = ?3, sealed = ?4 WHERE rowid = ?1";
    let mut update = transaction.prepare_cached(sql).map_err(fault)?;
    one_row(update.execute(params![place, row.put_day, encode(&row.tags), row.sealed]))?;
    let old = decode(&tags);
    for tag in old.iter().filter(|tag| !row.tags.contains(tag)) {
        delete_tag(transaction, tag, &row.id)?;
    }
    insert_tags(transaction, row.tags.iter().filter(|tag| !old.contains(tag)), &row.id)?;
    Ok(true)
}

fn delete_tag(transaction: &Transaction<'_>, tag: &Tag, id: &RecordIdBytes) -> StoreResult<()> {
    let Ok(value) = i64::try_from(tag.value) else { return Ok(()) };
    let sql = "DELETE FROM tag WHERE field = ?1 AND value = ?2 AND id = ?3";
    let mut delete = transaction.prepare_cached(sql).map_err(fault)?;
    delete.execute(params![tag.field, value, id]).map_err(fault)?;
    Ok(())
}

fn insert_tags<'a>(
    transaction: &Transaction<'_>,
    tags: impl Iterator<Item = &'a Tag>,
    id: &RecordIdBytes,
) -> StoreResult<()> {
    let sql = "INSERT OR IGNORE INTO tag (field, value, id) VALUES (?1, ?2, ?3)";
    let mut insert = transaction.prepare_cached(sql).map_err(fault)?;
    for tag in tags {
        insert.execute(params![tag.field, signed(tag.value)?, id]).map_err(fault)?;
    }
    Ok(())
}

fn delete(transaction: &Transaction<'_>, id: &RecordIdBytes) -> StoreResult<()> {
    delete_tags(transaction, id)?;
    for sql in ["DELETE FROM record WHERE id = ?1", "DELETE FROM staged WHERE id = ?1"] {
        transaction.prepare_cached(sql).map_err(fault)?.execute([id]).map_err(fault)?;
    }
    Ok(())
}

impl OrderStore for Orders {
    fn records(&self, ids: &[RecordIdBytes]) -> StoreResult<Vec<Option<RecordRow>>> {
        self.0.read(|transaction| ids.iter().map(|id| record(transaction, id)).collect())
    }

    fn insert_records(&self, rows: &[RecordRow]) -> StoreResult<()> {
        self.0.write(|transaction| insert(transaction, rows))
    }

    fn tagged(&self, tags: &[Tag], most: usize) -> StoreResult<Vec<RecordIdBytes>> {
        self.0.read(|transaction| {
            let sql = "SELECT id FROM tag WHERE field = ?1 AND value = ?2 ORDER BY id LIMIT ?3";
            let mut select = transaction.prepare_cached(sql).map_err(fault)?;
            let mut found = std::collections::BTreeSet::new();
            for tag in tags {
                let values = params![tag.field, signed(tag.value)?, limit(most)];
                let ids = select.query_map(values, |row| row.get(0)).map_err(fault)?;
                for id in ids {
                    found.insert(id.map_err(fault)?);
                }
            }
            Ok(found.into_iter().take(most).collect())
        })
    }

    fn stage_record(&self, staged: &StagedRecord) -> StoreResult<()> {
        self.0.write(|transaction| {
            let sql =
                "INSERT OR REPLACE INTO staged (id, revision, put_day, tags, sealed, replaces, ledger_size)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
            let mut insert = transaction.prepare_cached(sql).map_err(fault)?;
            let RecordRow { id, revision, put_day, sealed, tags } = &staged.record;
            let (replaces, size) = (staged.replaces, signed(staged.ledger_size)?);
            let values = params![id, revision, put_day, encode(tags), sealed, replaces, size];
            insert.execute(values).map_err(fault)?;
            Ok(())
        })
    }

    fn staged(&self, id: &RecordIdBytes) -> StoreResult<Option<StagedRecord>> {
        self.0.read(|transaction| staged(transaction, id))
    }

    fn swap_staged(&self, id: &RecordIdBytes) -> StoreResult<bool> {
        self.0.write(|transaction| {
            let Some(staged) = staged(transaction, id)? else { return Ok(false) };
            if record(transaction, id)?.map(|record| record.revision) != Some(staged.replaces) {
                return Ok(false);
            }
            delete(transaction, id)?;
            insert(transaction, &[staged.record])?;
            Ok(true)
        })
    }

    fn drop_staged(&self, id: &RecordIdBytes) -> StoreResult<()> {
        self.0.write(|transaction| {
            let sql = "DELETE FROM staged WHERE id = ?1";
            transaction.prepare_cached(sql).map_err(fault)?.execute([id]).map_err(fault)?;
            Ok(())
        })
    }

    fn delete_records(&self, ids: &[RecordIdBytes]) -> StoreResult<()> {
        self.0.write(|transaction| ids.iter().try_for_each(|id| delete(transaction, id)))
    }

    fn page(&self, after: Option<&RecordIdBytes>, rows: usize) -> StoreResult<Vec<RecordSummary>> {
        self.0.read(|transaction| {
            // The empty blob is below every id.
            let sql =
                "SELECT id, revision, put_day, length(sealed) FROM record WHERE id > ?1 ORDER BY id LIMIT ?2";
            let mut select = transaction.prepare_cached(sql).map_err(fault)?;
            let after: &[u8] = after.map_or(&[], |after| after);
            let columns = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
            let page = select.query_map(params![after, limit(rows)], columns).map_err(fault)?;
            page.map(|row| {
                let (id, revision, put_day, size) = row.map_err(fault)?;
                let (revision, put_day) = (unsigned(revision)?, unsigned(put_day)?);
                Ok(RecordSummary { id, revision, put_day, size: unsigned(size)? })
            })
            .collect()
        })
    }

    fn count_records(&self) -> StoreResult<u64> {
        self.0.read(|transaction| {
            let count =
                transaction.query_row("SELECT count(*) FROM record", [], |row| row.get(0)).map_err(fault)?;
            unsigned(count)
        })
    }

    fn staged_ids(&self, rows: usize) -> StoreResult<Vec<RecordIdBytes>> {
        self.0.read(|transaction| {
            let sql = "SELECT id FROM staged ORDER BY id LIMIT ?1";
            let mut select = transaction.prepare_cached(sql).map_err(fault)?;
            let ids = select.query_map([limit(rows)], |row| row.get(0)).map_err(fault)?;
            ids.map(|id| id.map_err(fault)).collect()
        })
    }

    fn of_epoch(&self, epoch: u32, after: Option<u128>, rows: usize) -> StoreResult<Vec<(u128, RecordRow)>> {
        self.0.read(|transaction| {
            // In the order of the rows in the file: records that are replaced by some of their size stay where they are.
            let sql = "SELECT revision, put_day, tags, sealed, id, rowid FROM record
                WHERE rowid > ?1 AND substr(sealed, 43, 4) = ?2 ORDER BY rowid LIMIT ?3";
            let mut select = transaction.prepare_cached(sql).map_err(fault)?;
            let after = after.map_or(Ok(i64::MIN), i64::try_from).map_err(|_| StoreError::Failed)?;
            let mut rows = select.query(params![after, epoch.to_le_bytes(), limit(rows)]).map_err(fault)?;
            let (mut found, mut bytes) = (Vec::new(), 0);
            while let Some(row) = rows.next().map_err(fault)? {
                let (id, place): (RecordIdBytes, i64) =
                    (row.get(4).map_err(fault)?, row.get(5).map_err(fault)?);
                let record = record_row(&id, row)?;
                bytes += record.sealed.len();
                found.push((unsigned::<u64>(place)?.into(), record));
                if bytes > MOST_AT_ONCE {
                    break;
                }
            }
            Ok(found)
        })
    }

    fn count_epochs(&self) -> StoreResult<Vec<(u32, u64)>> {
        self.0.read(|transaction| {
            let sql = "SELECT substr(sealed, 43, 4), count(*) FROM
                (SELECT sealed FROM record UNION ALL SELECT sealed FROM staged) GROUP BY 1";
            let mut select = transaction.prepare_cached(sql).map_err(fault)?;
            let columns = |row: &Row<'_>| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, i64>(1)?));
            let mut counts = BTreeMap::new();
            for row in select.query_map([], columns).map_err(fault)? {
                let (epoch, count) = row.map_err(fault)?;
                let epoch = epoch.try_into().map_or(0, u32::from_le_bytes);
                *counts.entry(epoch).or_insert(0) += unsigned::<u64>(count)?;
            }
            Ok(counts.into_iter().collect())
        })
    }

    fn replace_records(&self, rows: &[RecordRow]) -> StoreResult<Vec<bool>> {
        self.0.write(|transaction| rows.iter().map(|row| replace(transaction, row)).collect())
    }

    fn check(&self) -> StoreResult<()> {
        self.0.check()
    }
}
