//! Sealed orders in the shop's own SQLite tables, beside its own columns, in its own transaction.
//!
//! Shows: sealing into a table that also has the shop's plaintext columns (status and day, nothing personal); the secret rows in
//! a database file of their own; one transaction for both; opening, finding by telephone number, changing, shredding.
//!
//! **Why two files.** A record and its secret row, with the vault's release key, are an order. The file with the records goes where
//! shops' databases go: to replicas, reports, nightly backups. The file with the secrets goes nowhere but to a backup of its own.
//! And shredding is as final as the oldest copy of the secrets: few bytes, quickly backed up, soon overwritten.
//!
//! The vault still holds the keys, the parties and the ledger; its own tables of orders stay empty. What they would do is now the
//! shop's: that a number is put once (the primary key), that a stale change is refused (`WHERE revision`), that old secrets leave
//! the file (`secure_delete`).
//!
//! Leaves out: several processes (SQLite's busy timeout), and a pool of connections.
#![allow(clippy::print_stdout)]

use std::{collections::BTreeMap, error::Error, path::Path};

use consignee::{
    KeyFile, Order, OrderForCourier, Patch, RecordId, SealedOrder, Setup, ShredMode, StoredOrder, Value,
    Vault,
    store::{SecretRow, Tag},
};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The shop's database. A transaction over both files is whole or not at all in SQLite's rollback journal, not in WAL mode.
fn open_database(folder: &Path) -> Result<Connection> {
    let db = Connection::open(folder.join("shop.db"))?;
    let secrets = folder.join("shop-secrets.db");
    db.execute("ATTACH ?1 AS secrets", [secrets.to_str().ok_or("the path is not UTF-8")?])?;
    db.execute_batch(
        "PRAGMA main.journal_mode = DELETE;
         PRAGMA secrets.journal_mode = DELETE;
         PRAGMA main.synchronous = FULL;
         PRAGMA secrets.synchronous = FULL;
         PRAGMA secrets.secure_delete = ON;
         CREATE TABLE IF NOT EXISTS main.orders (
             record_id BLOB PRIMARY KEY,
             status TEXT NOT NULL,
             created_day INTEGER NOT NULL,
             revision INTEGER NOT NULL,
             sealed BLOB
         ) STRICT;
         CREATE TABLE IF NOT EXISTS main.order_tag (
             field INTEGER NOT NULL,
             value INTEGER NOT NULL,
             record_id BLOB NOT NULL REFERENCES orders,
             PRIMARY KEY (field, value, record_id)
         ) STRICT, WITHOUT ROWID;
         CREATE INDEX IF NOT EXISTS main.tags_of_order ON order_tag (record_id);
         CREATE TABLE IF NOT EXISTS secrets.secret (
             record_id BLOB PRIMARY KEY,
             serial INTEGER NOT NULL UNIQUE,
             row BLOB NOT NULL
         ) STRICT;",
    )?;
    Ok(db)
}

/// Takes orders: seal → log → own transaction. An order without an entry never exists; an entry without an order does no harm.
fn check_out(vault: &Vault, db: &mut Connection, orders: &[Order]) -> Result<()> {
    let sealer = vault.sealer();
    let sealed = orders.iter().map(|order| sealer.seal(order)).collect::<consignee::Result<Vec<_>>>()?;
    sealer.log(&sealed)?;
    let transaction = db.transaction()?;
    for SealedOrder { record_id, record, tags, secret, .. } in &sealed {
        transaction.execute(
            "INSERT INTO orders VALUES (?1, 'new', ?2, ?3, ?4)",
            params![record_id.as_bytes(), secret.put_at.cast_signed() / 86_400, secret.revision, record],
        )?;
        insert_tags(&transaction, record_id, tags)?;
        transaction.execute(
            "INSERT INTO secret VALUES (?1, ?2, ?3)",
            params![record_id.as_bytes(), secret.serial.cast_signed(), secret.to_bytes()],
        )?;
    }
    Ok(transaction.commit()?)
}

fn insert_tags(transaction: &Transaction<'_>, id: &RecordId, tags: &[Tag]) -> Result<()> {
    for tag in tags {
        let sql = "INSERT INTO order_tag VALUES (?1, ?2, ?3)";
        transaction.execute(sql, params![tag.field, tag.value.cast_signed(), id.as_bytes()])?;
    }
    Ok(())
}

/// Record and secret row of an order, by the record's id.
fn read(db: &Connection, id: &RecordId) -> Result<Option<(Vec<u8>, SecretRow)>> {
    let sql = "SELECT o.sealed, s.row FROM orders o JOIN secret s USING (record_id)
               WHERE o.record_id = ?1 AND o.sealed IS NOT NULL";
    let found = db.query_row(sql, [id.as_bytes()], |row| Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?)));
    let Some((record, secret)) = found.optional()? else { return Ok(None) };
    Ok(Some((record, SecretRow::from_bytes(&secret)?)))
}

/// Fifty labels are one call: one disk sync for all their entries.
fn labels(vault: &Vault, db: &Connection, courier: &str, numbers: &[&str]) -> Result<Vec<String>> {
    let sealer = vault.sealer();
    let mut rows = Vec::new();
    for number in numbers {
        rows.push(read(db, &sealer.record_id(number)?)?.ok_or("no such order")?);
    }
    let stored: Vec<_> = rows.iter().map(|(record, secret)| StoredOrder { record, secret }).collect();
    let opened = vault.opener().open_many_as::<OrderForCourier>(courier, &stored)?;
    let mut labels = Vec::new();
    for seen in opened {
        let seen = seen?;
        labels.push(format!("{}  {}, {}", seen.alias, seen.consignee.name, seen.consignee.address.city));
    }
    Ok(labels)
}

/// What an order that support found by telephone number is called in our tables, and its status.
fn find(vault: &Vault, db: &Connection, agent: &str, phone: &str) -> Result<Vec<(RecordId, String)>> {
    let opener = vault.opener();
    let hits = opener.find(agent, "after_sale", "consignee.phone", phone, |tags| candidates(db, tags))?;
    let mut found = Vec::new();
    for hit in hits.hits {
        // The agent is told the alias only. It leads to our row by the serial.
        let owner = opener.alias_owner(&hit.alias.to_string())?;
        let sql =
            "SELECT o.record_id, o.status FROM orders o JOIN secret s USING (record_id) WHERE s.serial = ?1";
        let id_and_status = |row: &rusqlite::Row<'_>| Ok((row.get::<_, [u8; 16]>(0)?, row.get(1)?));
        let (id, status) = db.query_row(sql, [owner.serial.cast_signed()], id_and_status)?;
        found.push((RecordId::from(id), status));
    }
    Ok(found)
}

/// Orders that have one of the tags, each once.
fn candidates(db: &Connection, tags: &[Tag]) -> Result<Vec<(Vec<u8>, SecretRow)>> {
    let most = consignee::Opener::MOST_CANDIDATES + 1;
    let mut ids = BTreeMap::new();
    let mut statement =
        db.prepare("SELECT record_id FROM order_tag WHERE field = ?1 AND value = ?2 LIMIT ?3")?;
    for tag in tags {
        let rows = statement
            .query_map(params![tag.field, tag.value.cast_signed(), i64::try_from(most)?], |row| {
                row.get::<_, [u8; 16]>(0)
            })?;
        for id in rows {
            ids.insert(id?, ());
        }
    }
    let mut found = Vec::new();
    for id in ids.into_keys().take(most) {
        found.extend(read(db, &RecordId::from(id))?);
    }
    Ok(found)
}

/// Changes an order. `false` if somebody else was faster: read again and repeat.
fn change(vault: &Vault, db: &mut Connection, number: &str, expected: u32, patch: Patch) -> Result<bool> {
    let sealer = vault.sealer();
    let id = sealer.record_id(number)?;
    let (record, secret) = read(db, &id)?.ok_or("no such order")?;
    let stored = StoredOrder { record: &record, secret: &secret };
    let Some(next) = sealer.update(&stored, Some(number), expected, patch)? else { return Ok(true) };
    sealer.log(std::slice::from_ref(&next))?;
    let transaction = db.transaction()?;
    let swapped = transaction.execute(
        "UPDATE orders SET revision = ?1, sealed = ?2, status = 'changed' WHERE record_id = ?3 AND revision = ?4",
        params![next.secret.revision, next.record, id.as_bytes(), expected],
    )?;
    if swapped == 0 {
        return Ok(false);
    }
    transaction.execute("DELETE FROM order_tag WHERE record_id = ?1", [id.as_bytes()])?;
    insert_tags(&transaction, &id, &next.tags)?;
    let sql = "UPDATE secret SET row = ?1 WHERE record_id = ?2";
    transaction.execute(sql, params![next.secret.to_bytes(), id.as_bytes()])?;
    transaction.commit()?;
    Ok(true)
}

/// Shreds an order. If the program dies between the entry and the commit, the order still opens: shred it again.
///
/// `secure_delete` wipes the old row from the file. What the deleted journal leaves in blocks of the disk is beyond SQLite.
fn shred(vault: &Vault, db: &mut Connection, number: &str, reason: &str) -> Result<()> {
    let id = vault.sealer().record_id(number)?;
    let (record, secret) = read(db, &id)?.ok_or("no such order")?;
    let stored = StoredOrder { record: &record, secret: &secret };
    let left = vault.opener().shred(&stored, reason, ShredMode::KeepEvidence)?;
    let transaction = db.transaction()?;
    let sql = "UPDATE secret SET row = ?1 WHERE record_id = ?2";
    transaction.execute(sql, params![left.to_bytes(), id.as_bytes()])?;
    // Our own columns stay, for the books; the key keeps the number from being put again.
    transaction.execute(
        "UPDATE orders SET sealed = NULL, status = 'shredded' WHERE record_id = ?1",
        [id.as_bytes()],
    )?;
    transaction.execute("DELETE FROM order_tag WHERE record_id = ?1", [id.as_bytes()])?;
    Ok(transaction.commit()?)
}

fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let key = KeyFile::create(&folder.path().join("shop.key"))?;
    let vault = Vault::create(&folder.path().join("vault"), &key, &Setup::default())?;
    vault.add_party("SF Express", "courier", None)?;
    vault.add_party("agent 17", "support", None)?;
    let mut db = open_database(folder.path())?;

    check_out(&vault, &mut db, &[order("SO-1", "13812345678"), order("SO-2", "13999990000")])?;
    assert!(check_out(&vault, &mut db, &[order("SO-1", "13812345678")]).is_err(), "a number is put once");
    for label in labels(&vault, &db, "SF Express", &["SO-1", "SO-2"])? {
        println!("label  {label}");
    }

    let found = find(&vault, &db, "agent 17", "+86 138 1234 5678")?;
    assert_eq!(found, [(vault.sealer().record_id("SO-1")?, "new".to_owned())]);

    let phone = |phone: &str| Patch::new().set("consignee.phone", Value::Text(phone.into()));
    assert!(change(&vault, &mut db, "SO-1", 1, phone("13700001111"))?);
    let stale = change(&vault, &mut db, "SO-1", 1, phone("13700002222"));
    println!("stale  {}", stale.err().ok_or("a stale change is refused")?);
    assert!(find(&vault, &db, "agent 17", "13812345678")?.is_empty());
    assert_eq!(find(&vault, &db, "agent 17", "13700001111")?[0].1, "changed");

    let secret = read(&db, &vault.sealer().record_id("SO-1")?)?.ok_or("it is there")?.1;
    shred(&vault, &mut db, "SO-1", "the customer asked for it")?;
    assert!(labels(&vault, &db, "SF Express", &["SO-1"]).is_err());
    assert!(
        check_out(&vault, &mut db, &[order("SO-1", "13812345678")]).is_err(),
        "nor after it was shredded"
    );
    let proof: Vec<u8> =
        db.query_row("SELECT row FROM secret WHERE serial = ?1", [secret.serial.cast_signed()], |row| {
            row.get(0)
        })?;
    let seen = vault.opener().seen("SF Express", &SecretRow::from_bytes(&proof)?)?;
    let times = seen.ok_or("the evidence is kept")?.len();
    println!("proof  of the shredded order the ledger still says that the courier saw it, {times} time(s)");

    let shop = std::fs::read(folder.path().join("shop.db"))?;
    assert!(
        !contains(&shop, "王小明".as_bytes()) && !contains(&shop, b"SO-2") && !contains(&shop, b"1399999")
    );
    let secrets = std::fs::read(folder.path().join("shop-secrets.db"))?;
    assert!(!contains(&secrets, &secret.wrapped), "what was shredded is not in the file");
    println!("files  nothing personal in shop.db, nothing shredded in shop-secrets.db");
    Ok(())
}

fn order(number: &str, phone: &str) -> Order {
    let json = format!(
        r#"{{"order_no":"{number}","placed_at":"2026-11-11T20:14:05+08:00",
            "consignee":{{"name":"王小明","phone":"{phone}",
              "address":{{"lines":["中山路 1 号"],"city":"南京","country":"CN"}}}},
            "items":[{{"sku":"T-1","title":"Teapot","quantity":1,"unit_price":"88.00","supplier":"Yixing"}}],
            "amount":{{"value":"88.00","currency":"CNY"}}}}"#
    );
    Order::from_json(&json, &consignee::policy::Policy::built_in()).unwrap_or_else(|e| panic!("{e}"))
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}
