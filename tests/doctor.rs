//! Each finding of `doctor`, brought about on purpose.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used)]

mod common;
mod faulty;

use std::{
    fs,
    io::{Seek, SeekFrom, Write},
    path::Path,
};

use common::{Folder, ROOT, order, staffed};
use consignee::{
    Finding, KeyFile, OwnTables, Patch, Put, Setup, Severity, ShredMode, Value, Vault,
    policy::DEFAULT_POLICY,
    store::{Memory, SecretRow, SecretState, StagedRecord, Stores},
};
use faulty::{Fault, Switch};
use rusqlite::Connection;

fn key() -> KeyFile {
    KeyFile::from_bytes(ROOT)
}

fn database(folder: &Folder, file: &str) -> Connection {
    Connection::open(folder.path().join(file)).unwrap()
}

/// Findings other than "fine": severity, check and message.
fn bad(findings: Vec<Finding>) -> Vec<(Severity, &'static str, String)> {
    let bad = findings.into_iter().filter(|finding| finding.severity != Severity::Fine);
    bad.map(|finding| (finding.severity, finding.check, finding.message)).collect()
}

/// The one finding that is not fine.
#[track_caller]
fn only(findings: Vec<Finding>, severity: Severity, check: &str, says: &str) -> String {
    let bad = bad(findings);
    let fits = |(found, name, message): &(Severity, &str, String)| {
        *found == severity && *name == check && message.contains(says)
    };
    assert!(bad.len() == 1 && fits(&bad[0]), "{bad:#?}");
    bad[0].2.clone()
}

fn in_stores() -> (Stores, Vault) {
    let stores = Memory::stores();
    let vault = Vault::begin(stores.clone(), &key(), &Setup::default()).unwrap();
    staffed(&vault);
    (stores, vault)
}

/// A vault whose put of SO-1 failed at the last step: secret and entry are there, and no record.
fn after_a_crashed_put() -> (Stores, Vault) {
    let (stores, vault) = in_stores();
    drop(vault);
    let switch = Switch::default();
    let vault = Vault::resume(faulty::stores(&stores, &switch), &key()).unwrap();
    // This one is given serial numbers for both.
    vault.put(&order("SO-0")).unwrap();
    // Secret, entry, record.
    switch.arm(Fault::Refused, 3);
    assert!(vault.put(&order("SO-1")).is_err());
    assert_eq!(switch.mend(), Some("insert_records"));
    drop(vault);
    let vault = Vault::resume(stores.clone(), &key()).unwrap();
    (stores, vault)
}

#[test]
fn a_crashed_put_is_told_with_its_entry_and_ends_when_it_is_put_again() {
    let (stores, vault) = after_a_crashed_put();
    let entry = vault.ledger_state().unwrap().size - 1;
    let message = only(vault.doctor().unwrap(), Severity::Warning, "orders", "put them again");
    assert!(message.starts_with("1 orders have a secret and no record"), "{message}");
    assert!(message.contains(&format!("(entries {entry} of the ledger)")), "{message}");
    assert!(matches!(vault.put(&order("SO-1")).unwrap(), Put::Stored(_)));
    assert!(bad(vault.doctor().unwrap()).is_empty(), "{:?}", bad(vault.doctor().unwrap()));
    assert_eq!(stores.secrets.secrets_page(None, 10).unwrap().len(), 2);
    let entries = vault.ledger_entries(entry, 2).unwrap();
    assert_eq!(entries[0].handle, entries[1].handle, "both entries are the one order's");
    vault.shred("SO-1", "asked for", ShredMode::WithEvidence).unwrap();
    assert!(bad(vault.doctor().unwrap()).is_empty());
}

/// What was acknowledged, and opened or changed, did not come from a crashed put.
#[test]
fn a_lost_record_that_somebody_opened_is_a_fault() {
    for used in ["opened", "updated", "searched"] {
        let folder = Folder::new();
        let vault = folder.unlock();
        vault.put(&order("SO-1")).unwrap();
        match used {
            "opened" => drop(vault.open("SF Express", "delivery", "SO-1").unwrap()),
            "updated" => {
                vault.update("SO-1", 1, Patch::new().set("note", Value::Text("x".into()))).unwrap();
            }
            _ => drop(vault.find("agent 17", "after_sale", "consignee.phone", "13812345678").unwrap()),
        }
        let alias = vault.open("shop", "operation", "SO-1").map(|view| view.alias().to_string());
        let backup = folder.dir.path().join("backup.db");
        drop(vault);
        fs::copy(folder.path().join("orders.db"), &backup).unwrap();
        database(&folder, "orders.db").execute("DELETE FROM record", []).unwrap();
        only(folder.unlock().doctor().unwrap(), Severity::Fault, "orders", "restore its newest backup");
        // Put again instead, it goes on under its alias and handles: who saw it can still be told.
        folder.unlock().put(&order("SO-1")).unwrap();
        let resolved = folder.unlock().resolve_alias(&alias.unwrap()).unwrap();
        assert_eq!((resolved.order_no.as_deref(), resolved.seen.unwrap().len()), (Some("SO-1"), 1));
        assert!(bad(folder.unlock().doctor().unwrap()).is_empty());
    }
}

#[test]
fn an_entry_without_any_row_says_what_to_compare() {
    let (stores, vault) = in_stores();
    vault.put(&order("SO-1")).unwrap();
    let rows = stores.secrets.secrets_page(None, 10).unwrap();
    stores.secrets.replace_secrets(&[(rows[0].record_id, rows[0].n1)], &[]).unwrap();
    stores.orders.delete_records(&[rows[0].record_id]).unwrap();
    let message = only(vault.doctor().unwrap(), Severity::Warning, "orders", "tables of its own");
    assert!(message.starts_with("1 orders have an entry and neither secret nor record"), "{message}");
    // Own tables look the same from here.
    let (_, vault) = in_stores();
    let sealed = vault.sealer().seal(&order("SO-1")).unwrap();
    vault.sealer().log(&[sealed]).unwrap();
    only(vault.doctor().unwrap(), Severity::Warning, "orders", "tables of its own");
}

/// Secrets from before a shred are brought back, the record removed, and the shop puts the order again.
#[test]
fn a_shredded_number_put_again_after_a_roll_back_is_a_fault() {
    let (stores, vault) = in_stores();
    vault.put(&order("SO-1")).unwrap();
    let old = stores.secrets.secrets_page(None, 10).unwrap();
    vault.shred("SO-1", "asked for", ShredMode::KeepEvidence).unwrap();
    stores.secrets.replace_secrets(&[(old[0].record_id, old[0].n1)], &old).unwrap();
    vault.put(&order("SO-1")).unwrap();
    only(vault.doctor().unwrap(), Severity::Fault, "orders", "was shredded and is there again");
}

#[test]
fn a_secret_without_entry_is_a_harmless_leftover() {
    let (stores, vault) = in_stores();
    let row = stray_row(SecretState::Current, [9; 16], 0);
    stores.secrets.insert_secrets(&[row]).unwrap();
    let findings = vault.doctor().unwrap();
    let said = findings.iter().find(|f| f.check == "leftovers").unwrap();
    assert!(said.severity == Severity::Fine && said.message.starts_with("1 secrets"), "{said:?}");
}

fn stray_row(state: SecretState, record_id: [u8; 16], n: u16) -> SecretRow {
    let mut n1 = [7; 10];
    n1[..2].copy_from_slice(&n.to_le_bytes());
    SecretRow {
        record_id,
        n1,
        revision: 1,
        generation: 1,
        state,
        put_at: 1,
        serial: 1 << 30,
        policy: 0,
        changed_at: 1,
        fingerprint: Vec::new(),
        wrapped: vec![0; 104],
    }
}

#[test]
fn superseded_secrets_that_are_overdue_are_counted() {
    let folder = Folder::new();
    let vault = folder.unlock();
    vault.put(&order("SO-1")).unwrap();
    vault.update("SO-1", 1, Patch::new().set("note", Value::Text("new".into()))).unwrap();
    let secrets = database(&folder, "secrets.db");
    secrets.execute("UPDATE secret SET changed_at = changed_at - 90000 WHERE state = 3", []).unwrap();
    assert_eq!(vault.stats().unwrap().superseded_secrets, 1);
    secrets.execute_batch("BEGIN").unwrap(); // a backup
    let _count: i64 = secrets.query_row("SELECT count(*) FROM secret", [], |row| row.get(0)).unwrap();
    let message = only(vault.doctor().unwrap(), Severity::Warning, "leftovers", "older than a day");
    assert!(message.starts_with("1 "), "{message}");
    secrets.execute_batch("ROLLBACK").unwrap();
    assert!(bad(vault.doctor().unwrap()).is_empty(), "running it again is what it says to do");
}

#[test]
fn a_secret_that_cannot_be_settled_is_counted() {
    let folder = Folder::new();
    folder.unlock().put_many(&[order("SO-1"), order("SO-2")]).unwrap();
    let sql = "UPDATE secret SET state = 4, put_at = put_at + 1 WHERE serial = 0";
    database(&folder, "secrets.db").execute(sql, []).unwrap();
    let vault = folder.unlock();
    assert_eq!(vault.stats().unwrap().unsettled_secrets, 1);
    let found = bad(vault.doctor().unwrap());
    let leftover = found.iter().find(|(_, check, _)| *check == "leftovers").unwrap();
    assert!(leftover.0 == Severity::Warning && leftover.2.starts_with("1 secrets of a shred"), "{found:?}");
}

#[test]
fn a_kept_revision_without_a_secret_is_counted() {
    let (stores, vault) = in_stores();
    vault.put(&order("SO-1")).unwrap();
    let id = vault.list(None, 1).unwrap()[0].id;
    let record = stores.orders.records(&[id]).unwrap().remove(0).unwrap();
    stores.orders.stage_record(&StagedRecord { record, replaces: 1, ledger_size: 0 }).unwrap();
    only(vault.doctor().unwrap(), Severity::Warning, "leftovers", "different moments");
    vault.update("SO-1", 1, Patch::new().set("note", Value::Text("new".into()))).unwrap();
    assert!(bad(vault.doctor().unwrap()).is_empty(), "an update replaces it, as the finding says");
}

#[test]
fn kept_revisions_are_found_in_a_folder_too() {
    let folder = Folder::new();
    let vault = folder.unlock();
    vault.put(&order("SO-1")).unwrap();
    let sql = "INSERT INTO staged SELECT id, revision, put_day, tags, sealed, 1, 0 FROM record";
    database(&folder, "orders.db").execute(sql, []).unwrap();
    only(vault.doctor().unwrap(), Severity::Warning, "leftovers", "different moments");
}

#[test]
fn orders_without_tags_are_counted_and_an_update_gives_them() {
    let without =
        DEFAULT_POLICY.lines().filter(|line| !line.starts_with("index = ") && !line.starts_with("search = "));
    let without = without.collect::<Vec<_>>().join("\n");
    let vault = Vault::in_memory(&Setup { policy: without.into(), ..Setup::default() }).unwrap();
    staffed(&vault);
    vault.put(&order("SO-1")).unwrap();
    let said = |vault: &Vault| {
        let findings = vault.doctor().unwrap();
        assert!(findings.iter().all(|finding| finding.severity == Severity::Fine), "{findings:?}");
        findings.into_iter().find(|finding| finding.check == "search").map(|finding| finding.message)
    };
    assert_eq!(said(&vault), None);
    vault.apply_policy(DEFAULT_POLICY, consignee::ExistingOrders::Yes).unwrap();
    assert!(said(&vault).unwrap().contains("no tag of it: 1, put"));
    vault.update("SO-1", 1, Patch::new().set("note", Value::Text("new".into()))).unwrap();
    assert_eq!(said(&vault), None);
}

#[test]
fn a_clock_behind_the_ledger_is_told() {
    let folder = Folder::new();
    let vault = folder.unlock();
    let ledger = database(&folder, "ledger.db");
    let (idx, mut bytes): (i64, Vec<u8>) = ledger
        .query_row("SELECT idx, bytes FROM entry ORDER BY idx DESC LIMIT 1", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    let ahead = u64::from_le_bytes(bytes[5..13].try_into().unwrap()) + 1_000;
    bytes[5..13].copy_from_slice(&ahead.to_le_bytes());
    ledger.execute("UPDATE entry SET bytes = ?1 WHERE idx = ?2", rusqlite::params![bytes, idx]).unwrap();
    let found = bad(vault.doctor().unwrap());
    let clock = found.iter().find(|(_, check, _)| *check == "clock").unwrap();
    assert!(clock.0 == Severity::Warning && clock.2.contains("set it"), "{found:?}");
}

/// Pages in the middle of a file are overwritten, which unlocking does not read.
#[test]
fn a_damaged_file_is_named() {
    for file in ["orders.db", "secrets.db", "keys.db", "ledger.db"] {
        let folder = Folder::new();
        let orders: Vec<_> = (0..60).map(|n| order(&format!("SO-{n}"))).collect();
        folder.unlock().put_many(&orders).unwrap();
        let path = folder.path().join(file);
        // Into the file, so that the damage is not in a log that goes.
        database(&folder, file).query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        let vault = folder.unlock();
        let pages = fs::metadata(&path).unwrap().len() / 4_096;
        assert!(pages > 2, "{file} has {pages} pages");
        let mut damaged = fs::OpenOptions::new().write(true).open(&path).unwrap();
        damaged.seek(SeekFrom::Start((pages - 1) * 4_096)).unwrap();
        damaged.write_all(&[0xa5; 2_000]).unwrap();
        let found = bad(vault.doctor().unwrap());
        assert!(
            found.iter().any(|(severity, check, message)| {
                *severity == Severity::Fault && *check == "files" && message.starts_with(file)
            }),
            "{file}: {found:?}"
        );
        let others =
            ["orders.db", "secrets.db", "keys.db", "ledger.db"].into_iter().filter(|other| *other != file);
        for other in others {
            assert!(found.iter().all(|(_, _, message)| !message.starts_with(other)), "{file}: {found:?}");
        }
    }
}

/// What no engine notices: rows that are missing, values of another meaning.
#[test]
fn content_that_no_version_wrote_is_a_finding_with_its_file() {
    for (file, sql) in [
        ("ledger.db", "DELETE FROM entry WHERE idx = 3"),
        ("ledger.db", "UPDATE entry SET bytes = x'00' WHERE idx = 3"),
        ("secrets.db", "UPDATE secret SET state = 9"),
    ] {
        let folder = Folder::new();
        let vault = folder.unlock();
        vault.put(&order("SO-1")).unwrap();
        database(&folder, file).execute(sql, []).unwrap();
        let found = bad(vault.doctor().unwrap());
        assert!(
            found
                .iter()
                .any(|(severity, _, message)| { *severity == Severity::Fault && message.contains(file) }),
            "{sql}: {found:?}"
        );
    }
}

#[test]
fn a_sound_folder_with_its_key_elsewhere_has_only_fine_findings() {
    let (folder, elsewhere) = (Folder::new(), tempfile::tempdir().unwrap());
    let root = KeyFile::create(&elsewhere.path().join("key")).unwrap();
    let vault = Vault::create(&folder.dir.path().join("keyed"), &root, &Setup::default()).unwrap();
    staffed(&vault);
    vault.put(&order("SO-1")).unwrap();
    let findings = Vault::check_folder(&folder.dir.path().join("keyed"), &root);
    assert!(findings.len() == 1 && findings[0].severity == Severity::Fine, "{findings:?}");
    let findings = vault.doctor().unwrap();
    let checks: Vec<_> = findings.iter().map(|finding| finding.check).collect();
    assert_eq!(checks, ["files", "keys", "ledger", "orders"]);
}

#[test]
fn a_key_beside_the_vault_is_told() {
    let folder = Folder::new();
    let root = KeyFile::create(&folder.dir.path().join("key")).unwrap();
    let path = folder.dir.path().join("keyed");
    drop(Vault::create(&path, &root, &Setup::default()).unwrap());
    only(Vault::check_folder(&path, &root), Severity::Warning, "key", "beside the vault");
    fs::remove_file(folder.dir.path().join("key")).unwrap();
    only(Vault::check_folder(&path, &root), Severity::Warning, "key", "not where it was");
}

#[test]
fn what_is_not_the_vaults_is_counted_and_a_key_among_it_is_a_fault() {
    let folder = Folder::new();
    fs::write(folder.path().join("SO-1.json"), "{}").unwrap();
    let message =
        only(Vault::check_folder(&folder.path(), &key()), Severity::Warning, "files", "Move them away");
    assert!(message.starts_with("1 things") && !message.contains("SO-1"), "{message}");
    KeyFile::create(&folder.path().join("another")).unwrap();
    let found = bad(Vault::check_folder(&folder.path(), &key()));
    assert!(
        found.iter().any(|(severity, check, _)| (*severity, *check) == (Severity::Fault, "key")),
        "{found:?}"
    );
    // The key in use is refused when the vault is unlocked, and said here, too.
    let root = KeyFile::read(&folder.path().join("another")).unwrap();
    let found = bad(Vault::check_folder(&folder.path(), &root));
    assert!(found.iter().any(|(_, _, message)| message.contains("inside the vault")), "{found:?}");
}

#[cfg(unix)]
#[test]
fn each_file_that_others_can_reach_is_named() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = Folder::new();
    let vault = folder.unlock();
    vault.put(&order("SO-1")).unwrap();
    let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let check = || Vault::check_folder(&folder.path(), &key());
    let mut checked = 0;
    for entry in fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let severity = if name == "policy.toml" { Severity::Warning } else { Severity::Fault };
        for mode in [0o640, 0o604] {
            set(&path, mode);
            let message = only(check(), severity, "files", "chmod 600");
            assert!(message.starts_with(&format!("{name} ")), "{message}");
        }
        set(&path, 0o600);
        checked += 1;
    }
    assert!(checked >= 4 * 3 + 2, "{checked} files");
    fs::write(folder.path().join("keys.db-journal"), "").unwrap();
    set(&folder.path().join("keys.db-journal"), 0o644);
    only(check(), Severity::Fault, "files", "keys.db-journal can be reached");
    fs::remove_file(folder.path().join("keys.db-journal")).unwrap();
    set(&folder.path(), 0o750);
    only(check(), Severity::Fault, "files", "the folder can be reached by other users: chmod 700");
    set(&folder.path(), 0o700);
    let elsewhere = folder.dir.path().join("elsewhere");
    fs::rename(folder.path().join("lock"), &elsewhere).unwrap();
    only(check(), Severity::Fault, "files", "lock is missing");
    symlink(&elsewhere, folder.path().join("lock")).unwrap();
    only(check(), Severity::Fault, "files", "lock is a link");
    fs::remove_file(folder.path().join("lock")).unwrap();
    fs::rename(&elsewhere, folder.path().join("lock")).unwrap();
    assert!(bad(check()).is_empty());
}

#[cfg(unix)]
#[test]
fn another_users_file_and_an_exposed_key_are_named() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
    let (folder, elsewhere) = (Folder::new(), tempfile::tempdir().unwrap());
    let path = elsewhere.path().join("key");
    let root = KeyFile::create(&path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    only(Vault::check_folder(&folder.path(), &root), Severity::Fault, "key", "can be reached by other users");
    if elsewhere.path().metadata().unwrap().uid() != 0 {
        eprintln!("NOT RUN: only root can give a file to another user");
        return;
    }
    chown(folder.path().join("secrets.db"), Some(65_534), None).unwrap();
    only(
        Vault::check_folder(&folder.path(), &key()),
        Severity::Fault,
        "files",
        "secrets.db belongs to another user",
    );
}

#[test]
fn an_epoch_near_its_limit_is_told() {
    let (stores, vault) = in_stores();
    let stats = vault.stats().unwrap();
    let left = stats.epoch_sealings_warned - stats.epoch_sealings;
    stores.keys.allot((1 << 16) + stats.epoch, left - 1).unwrap();
    assert!(bad(vault.doctor().unwrap()).is_empty());
    stores.keys.allot((1 << 16) + stats.epoch, 1).unwrap();
    only(vault.doctor().unwrap(), Severity::Warning, "keys", "over 2^30 orders: keys rotate");
}

/// Without the entries a destroyed key that is back, or an epoch that is gone again, would go unnoticed.
#[test]
fn keys_of_another_moment_than_the_ledger_are_told() {
    for rotates in [true, false] {
        let (stores, vault) = in_stores();
        vault.put(&order("SO-1")).unwrap();
        let before = stores.keys.items().unwrap();
        match rotates {
            true => assert_eq!(vault.rotate(None).unwrap(), 2),
            false => assert_eq!(vault.rewrap(OwnTables::None, |_| ()).unwrap().generation, 2),
        }
        assert!(bad(vault.doctor().unwrap()).is_empty());
        let gone = stores.keys.items().unwrap();
        let gone = gone.into_iter().map(|item| consignee::store::Item { body: Vec::new(), ..item });
        stores.keys.write_items(&gone.collect::<Vec<_>>()).unwrap();
        stores.keys.write_items(&before).unwrap();
        let found = vault.doctor().unwrap();
        let told = |finding: &Finding| {
            finding.severity == Severity::Fault
                && finding.check == "keys"
                && finding.message.contains("rolled back")
        };
        assert!(found.iter().any(told), "{found:?}");
    }
}

#[test]
fn an_unfinished_rewrap_and_an_epoch_that_nothing_needs_are_told() {
    let (stores, vault) = in_stores();
    vault.put(&order("SO-1")).unwrap();
    vault.rotate(None).unwrap();
    vault.reseal(1, |_| ()).unwrap();
    only(
        vault.doctor().unwrap(),
        Severity::Warning,
        "keys",
        "epoch 1: nothing stored needs it: keys destroy",
    );
    vault.destroy_epoch(1, OwnTables::None).unwrap();
    let mut row = stores.secrets.secrets_page(None, 1).unwrap().pop().unwrap();
    let good = row.clone();
    row.wrapped[60] ^= 1;
    let put = |row: &SecretRow| {
        stores.secrets.replace_secrets(&[(row.record_id, row.n1)], std::slice::from_ref(row)).unwrap();
    };
    put(&row);
    assert!(vault.rewrap(OwnTables::None, |_| ()).is_err());
    put(&good);
    only(vault.doctor().unwrap(), Severity::Warning, "keys", "release key 1: a rewrap was not finished");
    vault.rewrap(OwnTables::None, |_| ()).unwrap();
    assert!(bad(vault.doctor().unwrap()).is_empty());
}
