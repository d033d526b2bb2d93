//! A shop's table with plaintext columns moves into a vault, while the shop goes on selling.
//!
//! 1. **Prepare**: a vault beside the database, a column that says which rows are in it.
//! 2. **Write both**: new orders go into the vault and, as before, into the table; changes too.
//! 3. **Backfill** old rows in batches. It may be killed at any moment and started again: putting the same order twice is one.
//! 4. **Compare** each order with its row.
//! 5. **Read** from the vault.
//! 6. **Drop** the plaintext columns, and wipe them from the file.
//!
//! The program runs these steps on a table of 2,500 orders; it starts the backfill as a process of its own, which dies half-way, and
//! starts it again.
//!
//! Leaves out: several instances of the service during the roll-out (deploy step 2 everywhere before step 3 begins), and what
//! **backups, replicas, exports and logs** still hold after step 6. Those keep the plaintext until they are gone, too: note their dates,
//! let them expire, and only then say that the data is sealed.
#![allow(clippy::print_stdout)]

use std::{error::Error, path::Path, process::Command};

use consignee::{ErrorKind, KeyFile, Opened, Order, Patch, Put, Setup, Vault};
use rusqlite::{Connection, params};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const BATCH: usize = 500;
const OLD_ORDERS: u32 = 2_500;

fn open_database(folder: &Path) -> Result<Connection> {
    let db = Connection::open(folder.join("shop.db"))?;
    db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 10000;")?;
    Ok(db)
}

fn unlock(folder: &Path) -> Result<Vault> {
    // On a server the key file lies on another disk than the vault, and in another backup.
    Ok(Vault::unlock(&folder.join("vault"), &KeyFile::read(&folder.join("shop.key"))?)?)
}

/// What the shop has had so far.
fn old_table(db: &mut Connection) -> Result<()> {
    db.execute_batch(
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, order_no TEXT NOT NULL UNIQUE, status TEXT NOT NULL, placed_at TEXT NOT NULL,
             name TEXT NOT NULL, phone TEXT NOT NULL, street TEXT NOT NULL, city TEXT NOT NULL, total TEXT NOT NULL) STRICT",
    )?;
    let transaction = db.transaction()?;
    for n in 0..OLD_ORDERS {
        transaction.execute(
            "INSERT INTO orders (order_no, status, placed_at, name, phone, street, city, total)
             VALUES (?1, 'paid', '2026-11-11T20:14:05+08:00', ?2, ?3, '中山路 1 号', '南京', '88.00')",
            params![format!("SO-{n}"), format!("王小明 {n}"), format!("138{n:08}")],
        )?;
    }
    Ok(transaction.commit()?)
}

/// Step 1.
fn prepare(folder: &Path, db: &Connection) -> Result<()> {
    let key = KeyFile::create(&folder.join("shop.key"))?;
    let vault = Vault::create(&folder.join("vault"), &key, &Setup::default())?;
    vault.add_party("shop", "platform", None)?;
    // The order number stays a column: by it the shop finds its orders. What is personal goes.
    db.execute_batch(
        "ALTER TABLE orders ADD COLUMN sealed INTEGER NOT NULL DEFAULT 0;
         CREATE INDEX orders_to_seal ON orders (id) WHERE sealed = 0;",
    )?;
    Ok(())
}

/// A row as the order it is.
fn order_of(row: &rusqlite::Row<'_>) -> rusqlite::Result<serde_json::Value> {
    let text = |column: &str| row.get::<_, String>(column);
    Ok(serde_json::json!({
        "order_no": text("order_no")?, "placed_at": text("placed_at")?,
        "consignee": { "name": text("name")?, "phone": text("phone")?,
            "address": { "lines": [text("street")?], "city": text("city")?, "country": "CN" } },
        "items": [], "amount": { "value": text("total")?, "currency": "CNY" },
    }))
}

fn rows(
    vault: &Vault,
    db: &Connection,
    sql: &str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<(i64, Order)>> {
    let policy = vault.policy()?;
    let mut statement = db.prepare(sql)?;
    let rows = statement.query_map(parameters, |row| Ok((row.get("id")?, order_of(row)?)))?;
    let read = rows.map(|row| {
        let (id, json) = row?;
        Ok((id, Order::from_json(&json.to_string(), &policy)?))
    });
    read.collect()
}

/// Step 2. The vault first: what is in the table is then never without its sealed twin, and a crash in between leaves an order in
/// the vault that the shopper was not told of; he orders again under the next number, or the same request is repeated.
fn check_out(vault: &Vault, db: &Connection, order: &Order) -> Result<()> {
    vault.put(order)?;
    let Order { order_no, placed_at, consignee, amount, .. } = order;
    let street = consignee.address.lines.join("\n");
    db.execute(
        "INSERT INTO orders (order_no, status, placed_at, name, phone, street, city, total, sealed)
         VALUES (?1, 'paid', ?2, ?3, ?4, ?5, ?6, ?7, 1)",
        params![
            order_no,
            placed_at.to_string(),
            consignee.name,
            consignee.phone,
            street,
            consignee.address.city,
            amount.amount().to_string()
        ],
    )?;
    Ok(())
}

/// Step 2, of changes: in the table, and the row is to be sealed again. One statement, so that no reader sees half of it; the
/// backfill brings the vault after. (A change that must show in the vault at once calls `Vault::update` here.)
fn change_phone(db: &Connection, order_no: &str, phone: &str) -> Result<()> {
    db.execute("UPDATE orders SET phone = ?1, sealed = 0 WHERE order_no = ?2", [phone, order_no])?;
    Ok(())
}

/// Step 3. `die_after` is for the demonstration: how many batches until the process dies between its two writes.
fn backfill(folder: &Path, die_after: Option<usize>) -> Result<usize> {
    let (vault, mut db) = (unlock(folder)?, open_database(folder)?);
    let all: u32 = db.query_row("SELECT count(*) FROM orders WHERE sealed = 0", [], |row| row.get(0))?;
    let mut done = 0;
    for batch in 1.. {
        let sql = "SELECT * FROM orders WHERE sealed = 0 ORDER BY id LIMIT ?1";
        let (ids, orders): (Vec<_>, Vec<_>) =
            rows(&vault, &db, sql, [i64::try_from(BATCH)?])?.into_iter().unzip();
        if ids.is_empty() {
            break;
        }
        // One call for the batch: three disk syncs for 500 orders. What a killed run has put already is `Unchanged`.
        for (order, put) in orders.iter().zip(vault.put_many(&orders)?) {
            match put {
                Ok(Put::Stored(_) | Put::Unchanged(_)) => {}
                // The row was changed after it was put.
                Err(e) if *e.kind() == ErrorKind::Exists => bring_up_to_date(&vault, order)?,
                Err(e) => return Err(e.into()),
            }
        }
        if die_after == Some(batch) {
            std::process::abort();
        }
        let transaction = db.transaction()?;
        for (id, order) in ids.iter().zip(&orders) {
            // Only if it still says what was put: a change in between stays to be done.
            let sql = "UPDATE orders SET sealed = 1 WHERE id = ?1 AND name = ?2 AND phone = ?3 AND street = ?4 AND city = ?5";
            let consignee = &order.consignee;
            let street = consignee.address.lines.join("\n");
            transaction
                .execute(sql, params![id, consignee.name, consignee.phone, street, consignee.address.city])?;
        }
        transaction.commit()?;
        done += ids.len();
        println!("    {done} of {all}");
    }
    Ok(done)
}

fn bring_up_to_date(vault: &Vault, order: &Order) -> Result<()> {
    let stored: Opened<Order> = vault.get("shop", "operation", &order.order_no)?;
    vault.update(&order.order_no, stored.revision, Patch::whole(order)?)?;
    Ok(())
}

/// Step 4. Each order is opened, which is an entry of the ledger for each: the shop's own, for the purpose `operation`.
fn compare(vault: &Vault, db: &Connection) -> Result<usize> {
    let (mut after, mut compared) = (0, 0);
    loop {
        let sql = "SELECT * FROM orders WHERE id > ?1 ORDER BY id LIMIT ?2";
        let batch = rows(vault, db, sql, params![after, i64::try_from(BATCH)?])?;
        let Some((last, _)) = batch.last() else { return Ok(compared) };
        after = *last;
        let numbers: Vec<&str> = batch.iter().map(|(_, order)| order.order_no.as_str()).collect();
        for (view, (id, row)) in vault.open_many("shop", "operation", &numbers)?.into_iter().zip(&batch) {
            let sealed: Opened<Order> = view?.into_typed()?;
            if sealed.value != *row {
                return Err(format!("row {id} is not what is sealed").into());
            }
            compared += 1;
        }
    }
}

/// Step 5: what the shop's code calls from now on.
fn phone_of(vault: &Vault, order_no: &str) -> Result<String> {
    Ok(vault.get::<Order>("shop", "operation", order_no)?.value.consignee.phone)
}

/// Step 6. Not to be undone.
fn drop_plaintext(db: &Connection) -> Result<()> {
    let left: u32 = db.query_row("SELECT count(*) FROM orders WHERE sealed = 0", [], |row| row.get(0))?;
    if left > 0 {
        return Err(format!("{left} rows are not sealed yet").into());
    }
    db.execute_batch(
        "BEGIN;
         DROP INDEX orders_to_seal;
         ALTER TABLE orders DROP COLUMN name;
         ALTER TABLE orders DROP COLUMN phone;
         ALTER TABLE orders DROP COLUMN street;
         ALTER TABLE orders DROP COLUMN city;
         ALTER TABLE orders DROP COLUMN total;
         COMMIT;",
    )?;
    // Dropping a column leaves its old pages in the file; VACUUM writes the file anew, and the checkpoint empties the log.
    db.execute_batch("VACUUM")?;
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(())
}

fn main() -> Result<()> {
    // The backfill as a process of its own.
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [command, folder, die_after] = arguments.as_slice()
        && command == "backfill"
    {
        return backfill(Path::new(folder), die_after.parse().ok()).map(drop);
    }
    let folder = tempfile::tempdir()?;
    let folder = folder.path();
    let mut db = open_database(folder)?;
    old_table(&mut db)?;
    assert!(in_files(folder, "王小明")?);

    println!("1  prepare");
    prepare(folder, &db)?;
    let vault = unlock(folder)?;

    println!("2  write both");
    let new = rows(&vault, &db, "SELECT * FROM orders WHERE order_no = 'SO-7'", [])?.remove(0).1;
    let new = Order { order_no: "SO-9000".into(), ..new };
    check_out(&vault, &db, &new)?;
    change_phone(&db, "SO-7", "13700000007")?;

    println!("3  backfill, killed in its third batch");
    let run = |die_after: &str| {
        Command::new(std::env::current_exe()?)
            .args(["backfill".as_ref(), folder.as_os_str(), die_after.as_ref()])
            .status()
    };
    assert!(!run("3")?.success());
    let sealed: u32 = db.query_row("SELECT count(*) FROM orders WHERE sealed = 1", [], |row| row.get(0))?;
    assert_eq!(sealed, 1_001, "the third batch is in the vault, and the table does not know it");
    change_phone(&db, "SO-1100", "13700001100")?;
    change_phone(&db, "SO-8", "13700000008")?;
    println!("   and again");
    assert!(run("never")?.success());

    println!("4  compare");
    println!("    {} orders are what their rows say", compare(&vault, &db)?);

    println!("5  read");
    assert_eq!(phone_of(&vault, "SO-8")?, "13700000008");
    assert_eq!(phone_of(&vault, "SO-1100")?, "13700001100");
    assert_eq!(phone_of(&vault, "SO-9000")?, new.consignee.phone);

    println!("6  drop");
    drop_plaintext(&db)?;
    drop(db);
    for canary in ["王小明", "13700000008", "中山路"] {
        assert!(!in_files(folder, canary)?, "{canary} is still in a file");
    }
    println!(
        "   no name, number or street is in shop.db any more; backups and replicas hold them until they are gone"
    );
    Ok(())
}

/// Whether any of the database's files holds this text.
fn in_files(folder: &Path, text: &str) -> Result<bool> {
    let mut found = false;
    for file in std::fs::read_dir(folder)? {
        let path = file?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with("shop.db") {
            found |= std::fs::read(&path)?.windows(text.len()).any(|window| window == text.as_bytes());
        }
    }
    Ok(found)
}
