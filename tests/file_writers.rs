//! Somebody writes the vault's files and has no key: he may spoil the order he writes to, and nobody else's; he makes the vault
//! do nothing that it would not do; what cannot be repaired is a finding of `doctor`.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used)]

mod common;

use common::{Folder, order};
use consignee::{EntryKind, Patch, Value, Vault};
use rusqlite::Connection;

fn database(folder: &Folder, file: &str) -> Connection {
    Connection::open(folder.path().join(file)).unwrap()
}

fn patch(note: &str) -> Patch {
    Patch::new().set("note", Value::Text(note.into()))
}

/// A vault with SO-1 in it, after something was done to its files.
fn after(what: impl FnOnce(&Folder, &Vault)) -> (Folder, Vault) {
    let folder = Folder::new();
    let vault = folder.unlock();
    vault.put(&order("SO-1")).unwrap();
    what(&folder, &vault);
    (folder, vault)
}

/// Writers write, the vault unlocks, and a party can be revoked: perhaps the one who did it.
fn nobody_is_kept(folder: &Folder, vault: &Vault) {
    vault.put(&order("SO-NEW")).unwrap();
    vault.revoke_party("agent 17").unwrap();
    folder.unlock().open("shop", "operation", "SO-NEW").unwrap();
}

/// States and revisions of the rows of SO-1.
fn rows(folder: &Folder) -> Vec<(i64, i64)> {
    let sql = "SELECT revision, state FROM secret WHERE serial = (SELECT min(serial) FROM secret) ORDER BY revision";
    let secrets = database(folder, "secrets.db");
    let mut select = secrets.prepare(sql).unwrap();
    let found = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    found.map(Result::unwrap).collect()
}

/// Puts the state back that an update leaves when the process dies after its entry.
fn crash_between_entry_and_swap(folder: &Folder, vault: &Vault) {
    let (orders, secrets) = (database(folder, "orders.db"), database(folder, "secrets.db"));
    orders.execute_batch("CREATE TEMP TABLE old AS SELECT * FROM record").unwrap();
    let size = i64::try_from(vault.ledger_state().unwrap().size).unwrap();
    vault.update("SO-1", 1, patch("second")).unwrap();
    let sql = "INSERT INTO staged (id, revision, put_day, tags, sealed, replaces, ledger_size)
        SELECT id, revision, put_day, tags, sealed, 1, ?1 FROM record";
    orders.execute(sql, [size]).unwrap();
    orders.execute_batch("DELETE FROM record; INSERT INTO record SELECT * FROM old; DROP TABLE old").unwrap();
    secrets
        .execute_batch(
            "UPDATE secret SET state = 2 WHERE state = 1; UPDATE secret SET state = 1 WHERE state = 3",
        )
        .unwrap();
}

#[test]
fn the_crash_that_the_others_build_on_is_settled() {
    let (folder, vault) = after(crash_between_entry_and_swap);
    nobody_is_kept(&folder, &vault);
    assert_eq!(vault.open("shop", "operation", "SO-1").unwrap().revision(), 2);
}

#[test]
fn rows_without_their_bytes_keep_nobody_from_his_work() {
    for state in 1..=4 {
        let (folder, vault) = after(|folder, _| {
            let sql = "INSERT INTO secret (record_id, n1, revision, generation, state, put_at, serial, policy, changed_at,
                slot, fingerprint_size, wrapped_size) VALUES (randomblob(16), randomblob(10), 1, 1, ?1, 0, 900, 0, 0, 1, 16, 104)";
            database(folder, "secrets.db").execute(sql, [state]).unwrap();
        });
        nobody_is_kept(&folder, &vault);
        vault.doctor().unwrap();
    }
}

#[test]
fn rows_with_broken_columns_keep_nobody_from_the_others() {
    let (folder, vault) = after(|folder, vault| {
        vault.put(&order("SO-2")).unwrap();
        let orders = database(folder, "orders.db");
        orders.execute("UPDATE record SET tags = x'00', put_day = -5 WHERE rowid = 1", []).unwrap();
    });
    let views = vault.open_many("SF Express", "delivery", &["SO-1", "SO-2"]).unwrap();
    assert!(views.iter().all(Result::is_ok), "an opening needs neither");
    let hits = vault.find("agent 17", "after_sale", "consignee.phone", "13812345678").unwrap();
    assert_eq!((hits.hits.len(), hits.unreadable), (2, 0));
    nobody_is_kept(&folder, &vault);
    let (folder, vault) = after(|folder, _| {
        database(folder, "secrets.db").execute("UPDATE secret SET state = 2", []).unwrap();
        database(folder, "orders.db").execute("UPDATE record SET tags = x'00'", []).unwrap();
    });
    nobody_is_kept(&folder, &vault);
}

#[test]
fn an_update_that_cannot_be_finished_keeps_nobody_from_his_work() {
    for damage in [
        "secrets.db UPDATE secret SET state = 3 WHERE state = 1",
        // Plain damage of the disk does it, too.
        "orders.db UPDATE record SET sealed = CAST(x'00' || substr(sealed, 2) AS BLOB)",
        "orders.db UPDATE staged SET sealed = CAST(substr(sealed, 1, 60) AS BLOB)",
    ] {
        let (folder, vault) = after(|folder, vault| {
            crash_between_entry_and_swap(folder, vault);
            let (file, sql) = damage.split_once(' ').unwrap();
            assert_eq!(database(folder, file).execute(sql, []).unwrap(), 1);
        });
        nobody_is_kept(&folder, &vault);
    }
}

#[test]
fn a_row_that_does_not_authenticate_is_not_made_current() {
    let (folder, vault) = after(|folder, _| {
        // A row of random bytes, and the record's N1 (bytes 62 to 71) set to its own.
        let sql = "INSERT INTO piece VALUES (1, randomblob(120));
            INSERT INTO secret (record_id, n1, revision, generation, state, put_at, serial, policy, changed_at, slot,
                fingerprint_size, wrapped_size)
            SELECT record_id, x'01010101010101010101', 2, generation, 2, put_at, serial, policy, 0, 1, 16, 104 FROM secret;";
        database(folder, "secrets.db").execute_batch(sql).unwrap();
        let sql = "UPDATE record SET sealed =
            CAST(substr(sealed, 1, 62) || x'01010101010101010101' || substr(sealed, 73) AS BLOB)";
        database(folder, "orders.db").execute(sql, []).unwrap();
    });
    nobody_is_kept(&folder, &vault);
    assert_eq!(rows(&folder), [(1, 1), (2, 2)], "the genuine secret is neither superseded nor destroyed");
}

#[test]
fn a_superseded_row_marked_shredded_is_not_made_current() {
    let (folder, vault) = after(|folder, vault| {
        vault.update("SO-1", 1, patch("second")).unwrap();
        let sql = "INSERT INTO piece SELECT 9000000000, CAST(zeroblob(16) || substr(bytes, 1, 104) AS BLOB)
                FROM piece JOIN secret USING (slot) WHERE state = 3;
            UPDATE secret SET state = 4, fingerprint_size = 16, slot = 9000000000 WHERE state = 3";
        database(folder, "secrets.db").execute_batch(sql).unwrap();
    });
    nobody_is_kept(&folder, &vault);
    assert_eq!(rows(&folder), [(1, 4), (2, 1)]);
}

#[test]
fn the_secret_that_a_record_needs_is_not_destroyed_by_its_state() {
    let (folder, vault) = after(|folder, _| {
        let secrets = database(folder, "secrets.db");
        secrets.execute("UPDATE secret SET state = 3, changed_at = 0", []).unwrap();
    });
    nobody_is_kept(&folder, &vault);
    assert_eq!(rows(&folder), [(1, 3)]);
    database(&folder, "secrets.db").execute("UPDATE secret SET state = 1 WHERE state = 3", []).unwrap();
    assert!(vault.open("shop", "operation", "SO-1").is_ok(), "what was done can be undone");
}

/// The listed revision is for listings: it decides nothing.
#[test]
fn an_altered_listing_keeps_no_order_from_being_updated() {
    let (folder, vault) = after(|folder, _| {
        database(folder, "orders.db").execute("UPDATE record SET revision = 7", []).unwrap();
    });
    assert_eq!(vault.update("SO-1", 1, patch("second")).unwrap(), 2);
    assert_eq!(vault.open("shop", "operation", "SO-1").unwrap().text("note").unwrap(), "second");
    let entries = vault.ledger_entries(0, 1000).unwrap();
    assert_eq!(entries.iter().filter(|entry| entry.kind == EntryKind::Update).count(), 1);
    nobody_is_kept(&folder, &vault);
}
