//! The files of the stores: triggers, rows that cannot be settled, records that are gone.

use consignee::{ErrorKind, Severity, ShredMode};

use crate::{
    common::{Folder, order},
    database, faults, open_fails, unlock_fails,
};

/// A trigger in a database drops the ledger's inserts, so that openings leave no entry; others keep a revocation from being
/// written, or copy what a shred deletes.
#[test]
fn triggers_in_the_files_are_refused_and_do_not_run() {
    let plant = |folder: &Folder, file, sql| database(folder, file).execute_batch(sql).unwrap();
    let triggers = [
        ("ledger.db", "CREATE TRIGGER t BEFORE INSERT ON entry BEGIN SELECT RAISE(IGNORE); END"),
        ("keys.db", "CREATE TRIGGER t BEFORE INSERT ON item BEGIN SELECT RAISE(IGNORE); END"),
        (
            "secrets.db",
            "CREATE TABLE loot (bytes BLOB); CREATE TRIGGER t BEFORE DELETE ON piece BEGIN
             INSERT INTO loot VALUES (old.bytes); END",
        ),
        ("orders.db", "CREATE VIEW v AS SELECT sealed FROM record"),
    ];
    for (file, sql) in triggers {
        let folder = Folder::new();
        plant(&folder, file, sql);
        assert_eq!(unlock_fails(&folder), ErrorKind::Damaged, "{file}");
    }
    // Planted while the vault is in use.
    let folder = Folder::new();
    let vault = folder.unlock();
    vault.put_many(&[order("SO-1"), order("SO-2")]).unwrap();
    for (file, sql) in triggers {
        plant(&folder, file, sql);
    }
    let before = vault.ledger_state().unwrap().size;
    assert_eq!(vault.open("shop", "operation", "SO-1").unwrap().ledger_index(), before);
    assert_eq!(vault.ledger_state().unwrap().size, before + 1);
    vault.revoke_party("shop").unwrap();
    assert_eq!(open_fails(&vault, "SO-1"), ErrorKind::Revoked);
    vault.shred("SO-1", "asked for", ShredMode::WithEvidence).unwrap();
    let loot: i64 =
        database(&folder, "secrets.db").query_row("SELECT count(*) FROM loot", [], |r| r.get(0)).unwrap();
    assert_eq!(loot, 0);
}

/// All records are removed: doctor must not take the secrets for leftovers, or the newest backup of the records is worthless.
#[test]
fn doctor_keeps_the_secrets_of_orders_whose_records_are_missing() {
    let folder = Folder::new();
    folder.unlock().put(&order("SO-1")).unwrap();
    let backup = folder.dir.path().join("backup.db");
    std::fs::copy(folder.path().join("orders.db"), &backup).unwrap();
    database(&folder, "orders.db").execute("DELETE FROM record", []).unwrap();
    let findings = folder.unlock().doctor().unwrap();
    assert!(findings.iter().any(|f| f.severity == Severity::Warning && f.check == "orders"));
    std::fs::copy(&backup, folder.path().join("orders.db")).unwrap();
    assert!(folder.unlock().open("shop", "operation", "SO-1").is_ok());
}

/// One row that cannot be settled keeps nobody from unlocking, storing, revoking or asking the doctor.
#[test]
fn a_row_that_cannot_be_settled_is_a_finding_and_no_obstacle() {
    let folder = Folder::new();
    folder.unlock().put_many(&[order("SO-1"), order("SO-2")]).unwrap();
    let sql = "UPDATE secret SET state = 4, put_at = put_at + 1 WHERE serial = 0";
    database(&folder, "secrets.db").execute(sql, []).unwrap();
    let vault = folder.unlock();
    vault.put(&order("SO-3")).unwrap();
    vault.revoke_party("SF Express").unwrap();
    assert!(faults(&vault).contains(&"orders"));
}

/// An alias whose party and order a long reader holds open: an online backup delays the wipe, and nothing else.
#[test]
fn a_long_reader_of_the_secrets_does_not_stop_the_others() {
    let folder = Folder::new();
    let vault = folder.unlock();
    vault.put_many(&[order("SO-1"), order("SO-2")]).unwrap();
    let reader = database(&folder, "secrets.db");
    reader.execute_batch("BEGIN; SELECT count(*) FROM secret;").unwrap();
    let _rows: i64 = reader.query_row("SELECT count(*) FROM secret", [], |row| row.get(0)).unwrap();
    assert_eq!(
        vault.shred("SO-1", "asked for", ShredMode::KeepEvidence).unwrap_err().kind(),
        &ErrorKind::Locked
    );
    assert_eq!(open_fails(&vault, "SO-1"), ErrorKind::Shredded);
    let since = std::time::Instant::now();
    vault.put(&order("SO-3")).unwrap();
    vault.revoke_party("SF Express").unwrap();
    assert!(since.elapsed().as_secs() < 8, "they waited for the reader");
    drop(reader);
    assert!(faults(&vault).is_empty());
}
