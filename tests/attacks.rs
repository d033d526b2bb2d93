//! A writer of the database files, without any key, tries what the threat model says he cannot do. Each test tells its attack.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Folder, order};
use consignee::{
    Cell, ErrorKind, ExistingOrders, Fields, KeyFile, List, Patch, Setup, Severity, ShredMode, Value, Vault,
    policy::{DEFAULT_POLICY, Policy},
};
use rusqlite::{Connection, params};

const FILES: [&str; 4] = ["orders.db", "secrets.db", "keys.db", "ledger.db"];

fn database(folder: &Folder, file: &str) -> Connection {
    Connection::open(folder.path().join(file)).unwrap()
}

/// The checks of `doctor` that found a fault.
fn faults(vault: &Vault) -> Vec<&'static str> {
    let findings = vault.doctor().unwrap();
    findings.into_iter().filter(|f| f.severity == Severity::Fault).map(|f| f.check).collect()
}

fn unlock_fails(folder: &Folder) -> ErrorKind {
    Vault::unlock(&folder.path(), &KeyFile::from_bytes(common::ROOT)).map(drop).unwrap_err().kind().clone()
}

fn open_fails(vault: &Vault, order: &str) -> ErrorKind {
    vault.open("shop", "operation", order).unwrap_err().kind().clone()
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for file in FILES {
        std::fs::copy(from.join(file), to.join(file)).unwrap();
    }
}

/// Two orders' sealed bytes change places, so that a courier delivers one customer's parcel to the other.
#[test]
fn records_that_change_places_are_refused() {
    let folder = Folder::new();
    folder.unlock().put_many(&[order("SO-1"), order("SO-2")]).unwrap();
    let orders = database(&folder, "orders.db");
    let rows: Vec<(Vec<u8>, Vec<u8>)> = orders
        .prepare("SELECT id, sealed FROM record")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    for (row, other) in [(0, 1), (1, 0)] {
        orders
            .execute("UPDATE record SET sealed = ?1 WHERE id = ?2", params![rows[other].1, rows[row].0])
            .unwrap();
    }
    let vault = folder.unlock();
    for number in ["SO-1", "SO-2"] {
        assert_eq!(open_fails(&vault, number), ErrorKind::RolledBack);
    }
    // Their secret rows change places with them: the wrap is bound to the order.
    let secrets = database(&folder, "secrets.db");
    secrets
        .execute("UPDATE secret SET record_id = zeroblob(16) WHERE record_id = ?1", params![rows[0].0])
        .unwrap();
    secrets
        .execute("UPDATE secret SET record_id = ?1 WHERE record_id = ?2", params![rows[0].0, rows[1].0])
        .unwrap();
    secrets
        .execute("UPDATE secret SET record_id = ?1 WHERE record_id = zeroblob(16)", params![rows[1].0])
        .unwrap();
    for number in ["SO-1", "SO-2"] {
        assert_eq!(open_fails(&vault, number), ErrorKind::CannotOpen);
    }
    assert!(faults(&vault).contains(&"orders"));
}

/// Every single byte of a record is altered. Whoever opens the part that it belongs to is refused; header and directory belong
/// to all. Between them the shop and its support open every part.
#[test]
fn a_record_altered_anywhere_does_not_open() {
    let folder = Folder::new();
    let vault = folder.unlock();
    vault.put(&order("SO-1")).unwrap();
    let orders = database(&folder, "orders.db");
    let sealed: Vec<u8> = orders.query_row("SELECT sealed FROM record", [], |row| row.get(0)).unwrap();
    for at in 0..sealed.len() {
        let mut altered = sealed.clone();
        altered[at] ^= 0x40;
        orders.execute("UPDATE record SET sealed = ?1", params![altered]).unwrap();
        let opened = [vault.open("shop", "operation", "SO-1"), vault.open("agent 17", "after_sale", "SO-1")];
        let kinds: Vec<_> = opened.into_iter().filter_map(Result::err).map(|e| e.kind().clone()).collect();
        let refused =
            [ErrorKind::CannotOpen, ErrorKind::Damaged, ErrorKind::NewerFormat, ErrorKind::RolledBack];
        assert!(!kinds.is_empty() && kinds.iter().all(|kind| refused.contains(kind)), "byte {at}: {kinds:?}");
    }
    for len in 0..sealed.len() {
        orders.execute("UPDATE record SET sealed = ?1", params![&sealed[..len]]).unwrap();
        assert_eq!(open_fails(&vault, "SO-1"), ErrorKind::Damaged, "cut at {len}");
    }
}

/// A record without one of its parts, in its bytes and in its directory.
fn without_part(sealed: &[u8], part: u16) -> Vec<u8> {
    let count = usize::from(u16::from_le_bytes(sealed[100..102].try_into().unwrap()));
    let (directory, mut rest) = sealed[102..].split_at(6 * count);
    let count = u16::try_from(count - 1).unwrap().to_le_bytes();
    let (mut head, mut body) = ([&sealed[..100], &count].concat(), Vec::new());
    for entry in directory.chunks(6) {
        let length = u32::from_le_bytes(entry[2..].try_into().unwrap());
        let (ciphertext, after) = rest.split_at(length.try_into().unwrap());
        rest = after;
        if entry[..2] != part.to_le_bytes() {
            head.extend_from_slice(entry);
            body.extend_from_slice(ciphertext);
        }
    }
    [head, body].concat()
}

/// A part is cut out of a record, so that whoever may open nothing else of it takes the order to have no such part: a supplier
/// sees nothing to deliver, a search does not hit, an update forgets the note.
#[test]
fn a_part_cut_out_of_a_record_is_not_taken_for_absent() {
    let folder = Folder::new();
    let vault = folder.unlock();
    vault.put(&order("SO-1")).unwrap();
    let orders = database(&folder, "orders.db");
    let sealed: Vec<u8> = orders.query_row("SELECT sealed FROM record", [], |row| row.get(0)).unwrap();
    let cut = |part| {
        orders.execute("UPDATE record SET sealed = ?1", params![without_part(&sealed, part)]).unwrap();
    };
    let (items, phone, note) = (6, 4, 8);
    cut(items);
    let refused = vault.open("Yixing Ltd", "fulfilment", "SO-1").unwrap_err();
    assert_eq!(refused.kind(), &ErrorKind::CannotOpen);
    cut(phone);
    let refused = vault.open("agent 17", "call_back", "SO-1").unwrap_err();
    assert_eq!(refused.kind(), &ErrorKind::CannotOpen);
    let found = vault.find("agent 17", "after_sale", "consignee.phone", "13812345678").unwrap();
    assert_eq!((found.hits.len(), found.unreadable), (0, 1));
    cut(note);
    let rest = common::order_json("SO-1").replace(r#","note":"Canary-Note""#, "").replace("138.00", "139.00");
    let patch = Patch::from_json(&rest, &Policy::built_in()).unwrap();
    assert_eq!(vault.update("SO-1", 1, patch).unwrap_err().kind(), &ErrorKind::CannotOpen);
    orders.execute("UPDATE record SET sealed = ?1", params![sealed]).unwrap();
    assert_eq!(vault.update("SO-1", 1, Patch::from_json(&rest, &Policy::built_in()).unwrap()).unwrap(), 2);
    let kept = vault.open("shop", "operation", "SO-1").unwrap();
    assert_eq!(kept.text("note").unwrap(), "Canary-Note");
}

/// The put time is moved so that an expired purpose opens again, the serial so that an alias names another order.
#[test]
fn the_columns_of_a_secret_row_are_bound() {
    let folder = Folder::new();
    let vault = folder.unlock();
    vault.put(&order("SO-1")).unwrap();
    let secrets = database(&folder, "secrets.db");
    for (column, kind) in [
        ("put_at", ErrorKind::CannotOpen),
        ("serial", ErrorKind::CannotOpen),
        ("generation", ErrorKind::CannotOpen),
        ("revision", ErrorKind::RolledBack),
    ] {
        secrets.execute(&format!("UPDATE secret SET {column} = {column} + 1"), []).unwrap();
        assert_eq!(open_fails(&vault, "SO-1"), kind, "{column}");
        secrets.execute(&format!("UPDATE secret SET {column} = {column} - 1"), []).unwrap();
    }
    assert!(vault.open("shop", "operation", "SO-1").is_ok(), "with all columns put back it opens");
}

/// The wrapped key of the whole phone is put in place of its masked form's, so that every later phone is sealed under the key
/// support holds; a party row is edited; an item is removed; an old one put back.
#[test]
fn altered_items_are_refused() {
    let change_and_unlock = |sql: &str| {
        let folder = Folder::new();
        let changed = database(&folder, "keys.db").execute(sql, []).unwrap();
        assert!(changed > 0, "{sql}");
        unlock_fails(&folder)
    };
    for sql in [
        "UPDATE item SET body = (SELECT body FROM item WHERE kind = 1 AND id = 14) WHERE kind = 1 AND id = 4",
        "UPDATE item SET body = CAST(replace(CAST(body AS TEXT), 'courier', 'finance') AS BLOB) WHERE kind = 33 AND id = 1",
        "UPDATE item SET body = (SELECT body FROM item WHERE kind = 33 AND id = 2) WHERE kind = 33 AND id = 1",
        "DELETE FROM item WHERE kind = 33 AND id = 1",
        "DELETE FROM item WHERE kind = 1 AND id = 8",
        "DELETE FROM item WHERE kind = 32",
        "DELETE FROM item WHERE kind = 40",
        "UPDATE item SET body = substr(body, 1, length(body) - 1) WHERE kind = 32",
    ] {
        assert_eq!(change_and_unlock(sql), ErrorKind::Damaged, "{sql}");
    }
    // A revocation is taken back by the party's own older row.
    let folder = Folder::new();
    let row = |keys: &Connection| -> Vec<u8> {
        keys.query_row("SELECT body FROM item WHERE kind = 33 AND id = 1", [], |row| row.get(0)).unwrap()
    };
    let before = row(&database(&folder, "keys.db"));
    folder.unlock().revoke_party("SF Express").unwrap();
    let keys = database(&folder, "keys.db");
    keys.execute("UPDATE item SET body = ?1 WHERE kind = 33 AND id = 1", params![before]).unwrap();
    assert_eq!(unlock_fails(&folder), ErrorKind::Damaged);
}

/// The whole of `keys.db` is put back to before a revocation.
#[test]
fn a_key_store_rolled_back_is_found() {
    let folder = Folder::new();
    let old = folder.dir.path().join("old");
    copy(&folder.path(), &old);
    folder.unlock().revoke_party("SF Express").unwrap();
    std::fs::copy(old.join("keys.db"), folder.path().join("keys.db")).unwrap();
    assert_eq!(faults(&folder.unlock()), ["parties"]);
}

/// A shredded order's record and secret row come back from a backup while their release key lives.
#[test]
fn a_shredded_order_that_is_there_again_is_found() {
    let folder = Folder::new();
    folder.unlock().put(&order("SO-1")).unwrap();
    let old = folder.dir.path().join("old");
    copy(&folder.path(), &old);
    folder.unlock().shred("SO-1", "asked for", ShredMode::KeepEvidence).unwrap();
    for file in ["orders.db", "secrets.db"] {
        std::fs::copy(old.join(file), folder.path().join(file)).unwrap();
    }
    assert_eq!(faults(&folder.unlock()), ["orders"]);
}

#[test]
fn removed_orders_are_counted() {
    let folder = Folder::new();
    folder.unlock().put_many(&[order("SO-1"), order("SO-2"), order("SO-3")]).unwrap();
    database(&folder, "orders.db")
        .execute("DELETE FROM record WHERE id = (SELECT min(id) FROM record)", [])
        .unwrap();
    database(&folder, "secrets.db")
        .execute("DELETE FROM secret WHERE record_id = (SELECT min(record_id) FROM secret)", [])
        .unwrap();
    let findings = folder.unlock().doctor().unwrap();
    let warned = findings.iter().filter(|f| f.severity == Severity::Warning).map(|f| f.message.as_str());
    let warned: Vec<_> = warned.collect();
    assert!(warned.len() == 1 && warned[0].starts_with("1 order"), "{warned:?}");
}

/// An entry is altered, removed, put behind the last one, or two change places.
#[test]
fn an_altered_ledger_is_found() {
    for sql in [
        "UPDATE entry SET bytes = CAST(bytes || x'00' AS BLOB) WHERE idx = 3",
        "DELETE FROM entry WHERE idx = (SELECT max(idx) FROM entry)",
        "UPDATE entry SET bytes = (SELECT bytes FROM entry WHERE idx = 4) WHERE idx = 3",
        "UPDATE head SET frontier = zeroblob(length(frontier))",
        "INSERT INTO entry SELECT idx + 1, handle, bytes FROM entry ORDER BY idx DESC LIMIT 1",
    ] {
        let folder = Folder::new();
        let vault = folder.unlock();
        vault.put(&order("SO-1")).unwrap();
        assert!(faults(&vault).is_empty());
        database(&folder, "ledger.db").execute(sql, []).unwrap();
        let found = vault.doctor().map_or(true, |f| f.iter().any(|f| f.severity == Severity::Fault));
        assert!(found, "{sql}");
    }
}

/// A vault's records are put into another vault that has the same order number.
#[test]
fn another_vaults_record_and_row_do_not_open() {
    let (one, two) = (Folder::new(), Folder::new());
    for folder in [&one, &two] {
        folder.unlock().put(&order("SO-1")).unwrap();
    }
    let sealed: Vec<u8> =
        database(&one, "orders.db").query_row("SELECT sealed FROM record", [], |row| row.get(0)).unwrap();
    database(&two, "orders.db").execute("UPDATE record SET sealed = ?1", params![sealed]).unwrap();
    assert_eq!(open_fails(&two.unlock(), "SO-1"), ErrorKind::RolledBack);
}

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

/// The column by which entries are found is blanked, so that a leaker's opening is not found, or a shred is forgotten.
#[test]
fn blanked_handles_hide_nothing() {
    let folder = Folder::new();
    let vault = folder.unlock();
    vault.put(&order("SO-1")).unwrap();
    let view = vault.open("SF Express", "delivery", "SO-1").unwrap();
    database(&folder, "ledger.db").execute("UPDATE entry SET handle = zeroblob(16)", []).unwrap();
    let resolved = vault.resolve_alias(&view.alias().to_string()).unwrap();
    assert_eq!(resolved.seen.unwrap().len(), 1);
    assert!(faults(&vault).contains(&"ledger"));
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

/// The counter of serial numbers has no tag and is set back, so that two orders would have one alias.
#[test]
fn a_serial_counter_set_back_gives_no_number_twice() {
    let folder = Folder::new();
    folder.unlock().put(&order("SO-1")).unwrap();
    database(&folder, "keys.db").execute("UPDATE counter SET next = 0 WHERE name = 1", []).unwrap();
    let vault = folder.unlock();
    vault.put(&order("SO-2")).unwrap();
    let alias = |number| vault.open("SF Express", "delivery", number).unwrap().alias().to_string();
    let (one, two) = (alias("SO-1"), alias("SO-2"));
    assert_ne!(one, two);
    assert_eq!(vault.resolve_alias(&one).unwrap().order_no.as_deref(), Some("SO-1"));
    assert!(faults(&vault).is_empty());
    // Set forward instead, orders would be sealed that no alias can name: refused before anything is stored.
    database(&folder, "keys.db").execute("UPDATE counter SET next = 1 << 36 WHERE name = 1", []).unwrap();
    assert_eq!(folder.unlock().put(&order("SO-3")).unwrap_err().kind(), &ErrorKind::Limit);
}

/// A shop's order number that is another order's alias does not lead the alias astray.
#[test]
fn an_order_number_that_reads_as_an_alias_shadows_nothing() {
    let folder = Folder::new();
    let vault = folder.unlock();
    vault.put(&order("SO-1")).unwrap();
    let alias = vault.open("SF Express", "delivery", "SO-1").unwrap().alias().to_string();
    vault.put(&order(&alias)).unwrap();
    let resolved = vault.resolve_alias(&alias).unwrap();
    assert_eq!((resolved.order_no.as_deref(), resolved.seen.unwrap().len()), (Some("SO-1"), 1));
    // Marked shredded by hand: an error, not an acquittal.
    let sql = "UPDATE secret SET state = 4, fingerprint_size = 0 WHERE serial = 0";
    database(&folder, "secrets.db").execute(sql, []).unwrap();
    assert_eq!(vault.resolve_alias(&alias).unwrap_err().kind(), &ErrorKind::CannotOpen);
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

/// Two policies come and go so that a grant withheld from existing orders would reach them after all.
#[test]
fn a_grant_that_was_withheld_stays_withheld() {
    let folder = Folder::new();
    let vault = folder.unlock();
    vault.put(&order("SO-1")).unwrap();
    let name = |vault: &Vault| {
        let view = vault.open("ledger clerk", "accounting", "SO-1").unwrap();
        view.get("consignee.name").is_ok()
    };
    let old = DEFAULT_POLICY;
    let wide = old.replace(r#""placed_at", "amount"]"#, r#""placed_at", "amount", "consignee.name"]"#);
    let wide_and_longer = wide.replace(r#"expires = "7d""#, r#"expires = "8d""#);
    vault.apply_policy(&wide, ExistingOrders::No).unwrap();
    assert!(!name(&vault));
    vault.apply_policy(&wide_and_longer, ExistingOrders::Yes).unwrap();
    assert!(!name(&vault), "the yes was for something else");
    // Back to the first policy, and the grant again, withheld again.
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    vault.apply_policy(old, ExistingOrders::No).unwrap();
    vault.apply_policy(&wide, ExistingOrders::No).unwrap();
    assert!(!name(&vault));
    vault.apply_policy(old, ExistingOrders::Yes).unwrap();
    vault.apply_policy(&wide, ExistingOrders::Yes).unwrap();
    assert!(name(&vault), "a yes for it reaches it");
}

/// A policy by which nobody gains gives nothing to orders from which something was withheld.
#[test]
fn lines_and_times_that_were_withheld_stay_withheld() {
    let text = |text: &str| Value::Text(text.into());
    let kept = |policy: &str, end: &str| Policy::parse(policy).unwrap().diff(&Policy::parse(end).unwrap());
    // Lines: all of a list from now on, not for old orders; then another list is cut.
    let lists = |lines: &str| {
        format!(
            "version = 1\n[field.order_no]\nid = 1\ntype = \"text\"\n[field.items]\nid = 2\ntype = \"list\"\n\
             [field.gifts]\nid = 3\ntype = \"list\"\n[role.supplier.fulfilment]\nopen = [\"items\", \"gifts\"]\n{lines}\n"
        )
    };
    let (own, all, other) =
        (lists("lines = { items = \"supplier\" }"), lists(""), lists("lines = { gifts = \"supplier\" }"));
    let vault = Vault::in_memory(&Setup { policy: own.into(), ..Setup::default() }).unwrap();
    vault.add_party("Yixing", "supplier", Some("Yixing")).unwrap();
    let rows = |names: &[&str]| {
        let rows = names.iter().map(|name| vec![Cell::Text((*name).into())]).collect();
        Value::List(List::new(vec!["supplier".into()], rows).unwrap())
    };
    let order = Fields::new().with("order_no", text("SO-1")).with("items", rows(&["Yixing", "Dehua"]));
    vault.put(&order.with("gifts", rows(&["Yixing"]))).unwrap();
    let seen = || vault.open("Yixing", "fulfilment", "SO-1").unwrap().to_json().to_string();
    for (policy, existing) in [(&all, ExistingOrders::No), (&other, ExistingOrders::Yes)] {
        vault.apply_policy(policy, existing).unwrap();
        assert!(seen().contains("Yixing") && !seen().contains("Dehua"));
    }
    assert!(!kept(&all, &other).anyone_gains());
    vault
        .apply_policy(&lists("lines = { items = \"supplier\", gifts = \"supplier\" }"), ExistingOrders::Yes)
        .unwrap();
    vault.apply_policy(&all, ExistingOrders::Yes).unwrap();
    assert!(seen().contains("Dehua"), "given for old orders, it reaches them");

    // Time: without an end from now on, not for old orders; then an end again, a later one than the first.
    let ends = |expires: &str| {
        let end = format!("\"consignee.address\"]\n{expires}");
        let policy = DEFAULT_POLICY.replace("\"consignee.address\"]\nexpires = \"30d\"", &end);
        Policy::parse(&policy).unwrap();
        policy
    };
    let vault =
        Vault::in_memory(&Setup { policy: ends("expires = \"1s\"").into(), ..Setup::default() }).unwrap();
    common::staffed(&vault);
    vault.put(&common::order("SO-1")).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(2_100));
    assert!(!kept(&ends(""), &ends("expires = \"30d\"")).anyone_gains());
    for (end, existing) in [("", ExistingOrders::No), ("expires = \"30d\"", ExistingOrders::Yes)] {
        vault.apply_policy(&ends(end), existing).unwrap();
        let refused = vault.open("SF Express", "delivery", "SO-1").unwrap_err();
        assert_eq!(refused.kind(), &ErrorKind::Expired, "{end}");
    }
    vault.apply_policy(&ends("expires = \"60d\""), ExistingOrders::Yes).unwrap();
    assert!(
        vault.open("SF Express", "delivery", "SO-1").is_ok(),
        "a longer time, given for old orders, reaches them"
    );
}
