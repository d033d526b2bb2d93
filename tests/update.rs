//! Changing orders, on memory and on SQLite alike: what a patch changes, what it leaves, and every refusal.
#![allow(clippy::unwrap_used)]

mod common;

use std::{sync::Arc, thread};

use common::{Folder, ROOT, all_bytes, contains, in_memory, order, staffed};
use consignee::{
    EntryKind, ErrorKind, ExistingOrders, Fields, KeyFile, Order, OrderForPlatform, Patch, Put, Setup,
    Severity, ShredMode, Value, Vault,
    policy::DEFAULT_POLICY,
    store::{Memory, SecretState},
};

fn on_each_store(test: impl Fn(&Vault)) {
    test(&in_memory());
    test(&Folder::new().unlock());
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

fn note(vault: &Vault) -> (String, u32) {
    let order = vault.get::<Order>("shop", "operation", "SO-1").unwrap();
    (order.note.clone(), order.revision)
}

fn sound(vault: &Vault) {
    for finding in vault.doctor().unwrap() {
        assert!(finding.severity == Severity::Fine, "{}: {}", finding.check, finding.message);
    }
}

#[test]
fn a_patch_changes_what_it_names_with_its_facets_and_leaves_the_rest() {
    on_each_store(|vault| {
        vault.put(&order("SO-1")).unwrap();
        let patch = Patch::new().set("consignee.phone", text("13999990000")).set("note", text("new"));
        assert_eq!(vault.update("SO-1", 1, patch).unwrap(), 2);
        let now = vault.get::<Order>("shop", "operation", "SO-1").unwrap();
        assert_eq!(
            (now.revision, now.consignee.phone.as_str(), now.note.as_str()),
            (2, "13999990000", "new")
        );
        let mut before = order("SO-1");
        before.consignee.phone = "13999990000".into();
        before.note = "new".into();
        assert!(now.value == before, "the rest is as it was");
        let support = vault.open("agent 17", "after_sale", "SO-1").unwrap();
        assert_eq!(support.text("consignee.phone:masked").unwrap(), "139****0000");
        let supplier = vault.open("Yixing Ltd", "fulfilment", "SO-1").unwrap();
        assert!(supplier.to_json().to_string().contains("Canary-Teapot"));
        sound(vault);
    });
}

#[test]
fn an_update_has_its_entries_and_keeps_handles_and_aliases() {
    on_each_store(|vault| {
        vault.put(&order("SO-1")).unwrap();
        let before = vault.open("SF Express", "delivery", "SO-1").unwrap();
        let put = vault.ledger_entries(0, 1000).unwrap();
        let put = put.iter().find(|entry| entry.kind == EntryKind::Put).unwrap().clone();
        let from = vault.ledger_state().unwrap().size;
        vault.update("SO-1", 1, Patch::new().set("note", text("new"))).unwrap();
        let entries = vault.ledger_entries(from, 10).unwrap();
        let kinds: Vec<_> = entries.iter().map(|entry| entry.kind).collect();
        assert_eq!(
            kinds,
            [EntryKind::Disclosure, EntryKind::Update],
            "the vault's own opening is an entry, too"
        );
        assert_eq!(entries[0].purpose, "update");
        assert!(
            entries[0].parts.iter().all(|part| ![1, 8, 13, 14].contains(&part.get())),
            "only what it needs"
        );
        assert_eq!(
            (entries[1].handle, entries[1].revision, entries[1].commitments.len()),
            (put.handle, 2, 3)
        );
        assert_eq!(entries[1].commitments[2], put.commitments[2], "the same order, by its number");
        assert_ne!(entries[1].commitments[..2], put.commitments[..2], "another record under another secret");
        let after = vault.open("SF Express", "delivery", "SO-1").unwrap();
        assert_eq!(before.alias(), after.alias());
        assert_eq!((before.revision(), after.revision()), (1, 2));
    });
}

#[test]
fn a_whole_order_is_read_changed_and_handed_back() {
    on_each_store(|vault| {
        vault.put(&order("SO-1")).unwrap();
        let mut opened = vault.get::<Order>("shop", "operation", "SO-1").unwrap();
        opened.value.items.pop();
        let from = vault.ledger_state().unwrap().size;
        let patch = Patch::whole(&opened.value).unwrap();
        assert_eq!(vault.update(&opened.order, opened.revision, patch).unwrap(), 2);
        let entries = vault.ledger_entries(from, 10).unwrap();
        assert_eq!(entries.len(), 1, "nothing had to be opened");
        let again = vault.get::<Order>("shop", "operation", "SO-1").unwrap();
        assert!(again.value == opened.value);
    });
}

/// The default policy with two fields more, which the shop's own purpose opens or not.
fn with_gift(opened: bool) -> String {
    let fields = "\n[field.\"extra.gift\"]\nid = 20\ntype = \"text\"\n[field.gift]\nid = 21\ntype = \"text\"\n\
                  [role.packer.wrap]\nopen = [\"extra.gift\", \"gift\"]\n";
    let opens = if opened { "\"note\",\n    \"extra.gift\",\n    \"gift\",\n]" } else { "\"note\",\n]" };
    DEFAULT_POLICY.replace("\"note\",\n]", opens) + fields
}

#[test]
fn a_field_taken_out_of_a_whole_order_goes_with_the_update() {
    on_each_store(|vault| {
        vault.apply_policy(&with_gift(true), ExistingOrders::Yes).unwrap();
        let mut given = order("SO-1");
        given.extra =
            Fields::new().with("extra.gift", text("Canary-Gift")).with("gift", text("Canary-Other"));
        vault.put(&given).unwrap();
        let mut opened = vault.get::<Order>("shop", "operation", "SO-1").unwrap();
        opened.value.extra.remove("extra.gift").unwrap();
        assert_eq!(vault.update("SO-1", 1, Patch::whole(&opened.value).unwrap()).unwrap(), 2);
        let again = vault.get::<Order>("shop", "operation", "SO-1").unwrap();
        assert!(again.value == opened.value && again.extra.get("gift").is_some());
        // The same of the untyped record; what is set beside it is set.
        let fields = Fields::of(&order("SO-1")).unwrap();
        let patch = Patch::whole(&fields).unwrap().set("extra.gift", text("bow"));
        assert_eq!(vault.update("SO-1", 2, patch).unwrap(), 3);
        let again = vault.get::<Order>("shop", "operation", "SO-1").unwrap();
        assert!(again.extra == Fields::new().with("extra.gift", text("bow")));
        let without_number = Patch::whole(&Fields::new().with("note", text("x"))).unwrap();
        let refused = vault.update("SO-1", 3, without_number).unwrap_err();
        assert_eq!(refused.to_string(), "order_no: is missing");
        sound(vault);
    });
}

/// Two fields, one JSON key: the value of the one went to whoever may open the other.
#[test]
fn a_whole_order_as_json_and_back_changes_nothing() {
    on_each_store(|vault| {
        vault.apply_policy(&with_gift(true), ExistingOrders::Yes).unwrap();
        let mut given = order("SO-1");
        given.extra = Fields::new().with("extra.gift", text("ribbon")).with("gift", text("Canary-Other"));
        vault.put(&given).unwrap();
        let json = vault.get::<Order>("shop", "operation", "SO-1").unwrap().to_json().to_string();
        let read = Order::from_json(&json, &vault.policy().unwrap()).unwrap();
        assert_eq!(vault.update("SO-1", 1, Patch::whole(&read).unwrap()).unwrap(), 1);
        assert!(matches!(vault.put(&read).unwrap(), Put::Unchanged(_)));
    });
}

/// Handed back as an update, it would clear what it does not show.
#[test]
fn whoever_does_not_open_all_that_an_order_has_gets_no_whole_order() {
    on_each_store(|vault| {
        let mut given = order("SO-1");
        given.extra.set("extra.gift", text("Canary-Gift"));
        vault.apply_policy(&with_gift(false), ExistingOrders::Yes).unwrap();
        vault.put(&given).unwrap();
        vault.put(&order("SO-2")).unwrap();
        let refused =
            |order: &str| vault.get::<Order>("shop", "operation", order).err().map(|e| e.kind().clone());
        assert_eq!((refused("SO-1"), refused("SO-2")), (Some(ErrorKind::NotPermitted), None));
        // A grant that is withheld from orders that were there.
        vault.apply_policy(&with_gift(true), ExistingOrders::No).unwrap();
        given.order_no = "SO-3".into();
        vault.put(&given).unwrap();
        assert_eq!((refused("SO-1"), refused("SO-3")), (Some(ErrorKind::NotPermitted), None));
    });
}

/// Handed back as an update, a part of the lines would delete the others.
#[test]
fn who_sees_own_lines_only_gets_no_whole_order() {
    on_each_store(|vault| {
        vault.put(&order("SO-1")).unwrap();
        let lines = DEFAULT_POLICY.replace("\"note\",\n]", "\"note\",\n]\nlines = { items = \"supplier\" }");
        assert_ne!(lines, DEFAULT_POLICY);
        vault.apply_policy(&lines, ExistingOrders::Yes).unwrap();
        vault.add_party("branch", "platform", Some("Yixing")).unwrap();
        let refused = vault.get::<Order>("branch", "operation", "SO-1").unwrap_err();
        assert_eq!(refused.kind(), &ErrorKind::NotPermitted, "{refused}");
        // A view that was compiled without the rule has fewer rows, and lacks nothing.
        let view = vault.open_as::<OrderForPlatform>("branch", "SO-1").unwrap();
        assert_eq!(view.items.iter().map(|item| item.supplier.as_str()).collect::<Vec<_>>(), ["Yixing"]);
    });
}

#[test]
fn a_stale_revision_is_a_conflict_and_nothing_changes() {
    on_each_store(|vault| {
        vault.put(&order("SO-1")).unwrap();
        vault.update("SO-1", 1, Patch::new().set("note", text("first"))).unwrap();
        let ledger = vault.ledger_state().unwrap();
        for stale in [0, 1, 3, u32::MAX] {
            let refused = vault.update("SO-1", stale, Patch::new().set("note", text("second"))).unwrap_err();
            assert_eq!(refused.kind(), &ErrorKind::Conflict);
        }
        assert_eq!(vault.ledger_state().unwrap(), ledger);
        assert_eq!(note(vault), ("first".into(), 2));
    });
}

#[test]
fn what_changes_nothing_is_not_a_revision() {
    on_each_store(|vault| {
        vault.put(&order("SO-1")).unwrap();
        let same = Patch::new().set("note", text("Canary-Note"));
        assert_eq!(vault.update("SO-1", 1, same).unwrap(), 1);
        assert_eq!(vault.update("SO-1", 1, Patch::new()).unwrap(), 1);
        assert_eq!(note(vault), ("Canary-Note".into(), 1));
    });
}

#[test]
fn bad_patches_are_refused_and_name_the_field() {
    on_each_store(|vault| {
        vault.put(&order("SO-1")).unwrap();
        for (patch, part) in [
            (Patch::new().set("order_no", text("SO-2")), "order_no"),
            (Patch::new().clear("order_no"), "order_no"),
            (Patch::new().set("note", Value::Integer(7)), "note"),
            (Patch::new().set("no such field", text("x")), "field that the policy does not declare"),
            (Patch::new().set("consignee.phone:masked", text("x")), "field that the policy does not declare"),
        ] {
            let refused = vault.update("SO-1", 1, patch).unwrap_err();
            assert!(matches!(refused.kind(), ErrorKind::Input { .. }), "{refused}");
            assert!(refused.to_string().contains(part), "{refused}");
        }
        let long = Patch::new().set("note", text(&"x".repeat(10 << 20)));
        assert_eq!(vault.update("SO-1", 1, long).unwrap_err().kind(), &ErrorKind::Limit);
        let missing = vault.update("SO-9", 1, Patch::new()).unwrap_err();
        assert_eq!(missing.kind(), &ErrorKind::NotFound);
        assert_eq!(note(vault), ("Canary-Note".into(), 1));
        sound(vault);
        vault.shred("SO-1", "asked for", ShredMode::KeepEvidence).unwrap();
        assert_eq!(vault.update("SO-1", 1, Patch::new()).unwrap_err().kind(), &ErrorKind::Shredded);
    });
}

#[test]
fn an_alias_updates_too_and_a_cleared_field_is_absent() {
    on_each_store(|vault| {
        vault.put(&order("SO-1")).unwrap();
        let alias = vault.open("SF Express", "delivery", "SO-1").unwrap().alias().to_string();
        assert_eq!(vault.update(&alias, 1, Patch::new().clear("note")).unwrap(), 2);
        let view = vault.open("shop", "operation", "SO-1").unwrap();
        assert_eq!(view.get("note").unwrap_err().kind(), &ErrorKind::Absent);
        assert_eq!(view.text("order_no").unwrap(), "SO-1");
        let json = r#"{"consignee":{"name":"B"},"note":"back","consignee.phone":"1"}"#;
        let patch = Patch::from_json(json, &vault.policy().unwrap()).unwrap();
        assert_eq!(vault.update("SO-1", 2, patch).unwrap(), 3);
        assert_eq!(note(vault), ("back".into(), 3));
    });
}

#[test]
fn the_same_order_as_updated_is_unchanged_and_the_first_one_is_another() {
    on_each_store(|vault| {
        vault.put(&order("SO-1")).unwrap();
        vault.update("SO-1", 1, Patch::new().set("note", text("new"))).unwrap();
        let mut updated = order("SO-1");
        updated.note = "new".into();
        assert!(matches!(vault.put(&updated).unwrap(), Put::Unchanged(_)));
        assert_eq!(vault.put(&order("SO-1")).unwrap_err().kind(), &ErrorKind::Exists);
    });
}

#[test]
fn an_old_record_put_back_is_refused_as_rolled_back() {
    let stores = Memory::stores();
    let vault = Vault::begin(stores.clone(), &KeyFile::from_bytes(ROOT), &Setup::default()).unwrap();
    staffed(&vault);
    vault.put(&order("SO-1")).unwrap();
    let id = vault.list(None, 1).unwrap()[0].id;
    let old = stores.orders.records(&[id]).unwrap().remove(0).unwrap();
    vault
        .update("SO-1", 1, Patch::new().set("consignee.address", Value::Address(Default::default())))
        .unwrap();
    stores.orders.delete_records(&[id]).unwrap();
    stores.orders.insert_records(std::slice::from_ref(&old)).unwrap();
    let kind = |vault: &Vault| vault.open("SF Express", "delivery", "SO-1").unwrap_err().kind().clone();
    assert_eq!(kind(&vault), ErrorKind::RolledBack);
    assert_eq!(vault.update("SO-1", 1, Patch::new()).unwrap_err().kind(), &ErrorKind::RolledBack);
    // The superseded secret is gone after a day; then there is no row at all for the old record.
    let rows = stores.secrets.secrets(&[id]).unwrap().concat();
    let superseded = rows.iter().find(|row| row.state == SecretState::Superseded).unwrap();
    stores.secrets.replace_secrets(&[(id, superseded.n1)], &[]).unwrap();
    assert_eq!(kind(&vault), ErrorKind::RolledBack);
}

#[test]
fn an_old_record_is_not_finished_as_an_update() {
    let stores = Memory::stores();
    let vault = Vault::begin(stores.clone(), &KeyFile::from_bytes(ROOT), &Setup::default()).unwrap();
    staffed(&vault);
    vault.put(&order("SO-1")).unwrap();
    let id = vault.list(None, 1).unwrap()[0].id;
    vault.update("SO-1", 1, Patch::new().set("note", text("second"))).unwrap();
    let second = stores.orders.records(&[id]).unwrap().remove(0).unwrap();
    vault.update("SO-1", 2, Patch::new().set("note", text("third"))).unwrap();
    // Whoever writes the files stages the second revision as if it came after the third, and marks its row pending.
    let mut rows = stores.secrets.secrets(&[id]).unwrap().concat();
    let n1_of_second = &second.sealed[62..72];
    let row = rows.iter_mut().find(|row| row.n1 == n1_of_second).unwrap();
    let pending = consignee::store::SecretRow { state: SecretState::Pending, ..row.clone() };
    stores.secrets.replace_secrets(&[(id, row.n1)], &[pending]).unwrap();
    let staged = consignee::store::StagedRecord {
        record: consignee::store::RecordRow { revision: 4, ..second },
        replaces: 3,
        ledger_size: 0,
    };
    stores.orders.stage_record(&staged).unwrap();
    vault.put(&order("SO-2")).unwrap();
    assert_eq!(note(&vault), ("third".into(), 3), "settling did not put the old record back");
}

#[test]
fn a_superseded_secret_goes_after_a_day_and_with_a_shred_at_once() {
    let folder = Folder::new();
    let vault = folder.unlock();
    vault.put(&order("SO-1")).unwrap();
    let secrets = || rusqlite::Connection::open(folder.path().join("secrets.db")).unwrap();
    let piece: Vec<u8> = secrets().query_row("SELECT bytes FROM piece", [], |row| row.get(0)).unwrap();
    let wrapped = piece[16..112].to_vec();
    let there = || wrapped.chunks(16).any(|piece| contains(&all_bytes(&folder.path()), piece));
    vault.update("SO-1", 1, Patch::new().set("note", text("new"))).unwrap();
    assert!(there(), "kept for a day, for backups taken at slightly different moments");
    secrets().execute("UPDATE secret SET changed_at = changed_at - 90000 WHERE state = 3", []).unwrap();
    vault.put(&order("SO-2")).unwrap();
    assert!(!there(), "the next writer destroys it after a day");
    let rows: i64 = secrets().query_row("SELECT count(*) FROM secret", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 2);
    vault.update("SO-1", 2, Patch::new().set("note", text("newer"))).unwrap();
    vault.shred("SO-1", "asked for", ShredMode::KeepEvidence).unwrap();
    let rows: i64 = secrets().query_row("SELECT count(*) FROM secret", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 2, "SO-2's, and the evidence of SO-1");
    sound(&vault);
}

#[test]
fn an_update_does_not_hand_out_a_grant_that_was_withheld() {
    let wider = DEFAULT_POLICY.replace(
        r#"open = ["order_no", "placed_at", "amount"]"#,
        r#"open = ["order_no", "placed_at", "amount", "note"]"#,
    );
    for (existing, reaches) in [(ExistingOrders::Yes, true), (ExistingOrders::No, false)] {
        on_each_store(|vault| {
            vault.put(&order("SO-1")).unwrap();
            vault.apply_policy(&wider, existing).unwrap();
            vault.update("SO-1", 1, Patch::new().set("note", text("new"))).unwrap();
            let seen = vault.open("ledger clerk", "accounting", "SO-1").unwrap();
            assert_eq!(seen.text("note").is_ok(), reaches);
        });
    }
}

#[test]
fn an_update_adds_the_facets_and_fields_of_a_newer_policy() {
    let wider = format!(
        "{}\n[field.\"extra.gift\"]\nid = 20\ntype = \"text\"\nfacets = {{ end = {{ id = 21, mask = \"last4\" }} }}\n\
         [role.courier.gifts]\nopen = [\"extra.gift:end\"]\n",
        DEFAULT_POLICY
    );
    on_each_store(|vault| {
        vault.put(&order("SO-1")).unwrap();
        vault.apply_policy(&wider, ExistingOrders::Yes).unwrap();
        vault.update("SO-1", 1, Patch::new().set("extra.gift", text("ribbon 1234"))).unwrap();
        let seen = vault.open("SF Express", "gifts", "SO-1").unwrap();
        assert_eq!(seen.text("extra.gift:end").unwrap(), "****1234");
        let whole = vault.open("SF Express", "delivery", "SO-1").unwrap();
        assert!(whole.text("consignee.name").is_ok());
    });
}

#[test]
fn an_update_drops_what_the_policy_has_retired() {
    on_each_store(|vault| {
        vault.apply_policy(&with_gift(true), ExistingOrders::Yes).unwrap();
        let mut given = order("SO-1");
        given.extra.set("extra.gift", text("ribbon"));
        vault.put(&given).unwrap();
        let retired = DEFAULT_POLICY.replacen("version = 1\n", "version = 1\nretired = [20, 21]\n", 1);
        vault.apply_policy(&retired, ExistingOrders::Yes).unwrap();
        let parts = |vault: &Vault| consignee::inspect(&vault.sealed("SO-1").unwrap()).unwrap().parts.len();
        let before = parts(vault);
        assert!(
            vault.get::<Order>("shop", "operation", "SO-1").is_ok(),
            "retired for everybody: nothing is hidden"
        );
        vault.update("SO-1", 1, Patch::new().set("note", text("new"))).unwrap();
        assert_eq!(parts(vault), before - 1);
        sound(vault);
    });
}

#[test]
fn a_record_without_a_type_goes_in_and_is_updated() {
    on_each_store(|vault| {
        let policy = vault.policy().unwrap();
        let fields = Fields::from_json(&common::order_json("SO-1"), &policy).unwrap();
        vault.put(&fields).unwrap();
        assert!(matches!(vault.put(&fields).unwrap(), Put::Unchanged(_)));
        vault.update("SO-1", 1, Patch::new().set("note", text("new"))).unwrap();
        assert_eq!(note(vault), ("new".into(), 2));
    });
}

#[test]
fn of_eight_writers_with_one_revision_one_wins_each_time() {
    const ROUNDS: u32 = 10;
    let folder = Folder::new();
    let vault = Arc::new(folder.unlock());
    vault.put(&order("SO-1")).unwrap();
    let won: u32 = thread::scope(|scope| {
        let writers: Vec<_> = (0..8)
            .map(|writer| {
                let vault = if writer % 2 == 0 { Arc::clone(&vault) } else { Arc::new(folder.unlock()) };
                scope.spawn(move || {
                    let mut won = 0;
                    while won < ROUNDS / 5 {
                        let seen = vault.get::<Order>("shop", "operation", "SO-1");
                        let Ok(seen) = seen else {
                            assert_eq!(seen.err().unwrap().kind(), &ErrorKind::Conflict);
                            continue;
                        };
                        let counted = seen.note.strip_prefix("Canary-Note").unwrap_or(&seen.note);
                        let count: u32 = counted.parse().unwrap_or(0) + 1;
                        let patch = Patch::new().set("note", text(&count.to_string()));
                        match vault.update("SO-1", seen.revision, patch) {
                            Ok(_) => won += 1,
                            Err(e) => assert_eq!(e.kind(), &ErrorKind::Conflict),
                        }
                    }
                    won
                })
            })
            .collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).sum()
    });
    assert_eq!(note(&vault), (won.to_string(), won + 1), "no update was lost");
    sound(&vault);
}

#[test]
fn superseded_secrets_are_wiped_even_if_somebody_was_reading_them() {
    let folder = Folder::new();
    let vault = folder.unlock();
    vault.put(&order("SO-1")).unwrap();
    vault.update("SO-1", 1, Patch::new().set("note", text("second"))).unwrap();
    let secrets = rusqlite::Connection::open(folder.path().join("secrets.db")).unwrap();
    let sql = "SELECT bytes FROM piece JOIN secret USING (slot) WHERE state = 3";
    let old: Vec<u8> = secrets.query_row(sql, [], |row| row.get(0)).unwrap();
    secrets.execute("UPDATE secret SET changed_at = changed_at - 90000 WHERE state = 3", []).unwrap();
    secrets.execute_batch("BEGIN; SELECT count(*) FROM secret").unwrap(); // a backup
    let _count: i64 = secrets.query_row("SELECT count(*) FROM secret", [], |row| row.get(0)).unwrap();
    vault.put(&order("SO-2")).unwrap();
    let there = || contains(&all_bytes(&folder.path()), &old[..104]);
    assert!(there(), "who reads keeps the old pages in the log");
    secrets.execute_batch("ROLLBACK").unwrap();
    // Whatever process comes next.
    folder.unlock().put(&order("SO-3")).unwrap();
    assert!(!there());
    sound(&vault);
}

#[test]
fn a_writer_destroys_all_that_is_due() {
    let folder = Folder::new();
    let vault = folder.unlock();
    vault.put(&order("SO-1")).unwrap();
    let secrets = rusqlite::Connection::open(folder.path().join("secrets.db")).unwrap();
    let sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
        INSERT INTO secret SELECT record_id, CAST(printf('%010d', i) AS BLOB), 1, 1, 3, 0, serial, 0, 5, 1, 0, 0 FROM secret, n";
    secrets.execute_batch(sql).unwrap();
    vault.put(&order("SO-2")).unwrap();
    let left: i64 = secrets.query_row("SELECT count(*) FROM secret", [], |row| row.get(0)).unwrap();
    assert_eq!(left, 2);
}

#[test]
fn updates_count_as_sealings_of_the_epoch() {
    let folder = Folder::new();
    folder.unlock().put(&order("SO-1")).unwrap();
    let vault = folder.unlock();
    let keys = rusqlite::Connection::open(folder.path().join("keys.db")).unwrap();
    keys.execute("UPDATE counter SET next = 4294967296 WHERE name = 65537", []).unwrap();
    let refused = vault.update("SO-1", 1, Patch::new().set("note", text("one more"))).unwrap_err();
    assert_eq!(refused.kind(), &ErrorKind::Limit);
    assert_eq!(note(&vault), ("Canary-Note".into(), 1));
}

/// A crash before the last step; then orders.db is lost, somebody unlocks, and orders.db comes back.
#[test]
fn the_secret_of_an_entered_update_outlives_a_lost_orders_db() {
    let folder = Folder::new();
    {
        let vault = folder.unlock();
        vault.put(&order("SO-1")).unwrap();
        vault.update("SO-1", 1, Patch::new().set("note", text("second"))).unwrap();
    }
    let open = |file| rusqlite::Connection::open(folder.path().join(file)).unwrap();
    let back = "UPDATE secret SET state = 2 WHERE state = 1; UPDATE secret SET state = 1 WHERE state = 3";
    open("secrets.db").execute_batch(back).unwrap();
    let orders = open("orders.db");
    orders.execute_batch("CREATE TEMP TABLE kept AS SELECT * FROM record; DELETE FROM record").unwrap();
    folder.unlock().put(&order("SO-2")).unwrap();
    orders.execute_batch("INSERT INTO record SELECT * FROM kept").unwrap();
    assert_eq!(note(&folder.unlock()), ("second".into(), 2));
    folder.unlock().put(&order("SO-3")).unwrap();
    sound(&folder.unlock());
}

#[test]
fn an_update_as_a_type_leaves_an_order_of_that_type() {
    on_each_store(|vault| {
        vault.put(&order("SO-1")).unwrap();
        let policy = vault.policy().unwrap();
        for (json, said) in [
            (r#"{"amount":null}"#, "amount"),
            (r#"{"consignee":{"phone":null},"note":"x"}"#, "consignee.phone"),
            (r#"{"items":[{"sku":"T-1","quantity":2}]}"#, "title"),
            (
                r#"{"items":[{"sku":"T-1","title":"x","quantity":"2","unit_price":"1","supplier":"x"}]}"#,
                "quantity",
            ),
        ] {
            let patch = || Patch::from_json(json, &policy).unwrap();
            let refused = vault.update_as::<Order>("SO-1", 1, patch()).unwrap_err();
            assert!(
                matches!(refused.kind(), ErrorKind::Input { .. }) && refused.to_string().contains(said),
                "{refused}"
            );
            assert_eq!(note(vault), ("Canary-Note".into(), 1));
        }
        let items =
            r#"{"items":[{"sku":"T-1","title":"Pot","quantity":2,"unit_price":"8.00","supplier":"Yixing"}]}"#;
        vault.update_as::<Order>("SO-1", 1, Patch::from_json(items, &policy).unwrap()).unwrap();
        let whole = vault.get::<Order>("shop", "operation", "SO-1").unwrap();
        assert_eq!((whole.items.len(), whole.items[0].unit_price.to_string()), (1, "8.00".into()));
        // Decimals came as texts and are decimals again: the same order as if it had been put so.
        assert!(matches!(vault.put(&whole.value).unwrap(), Put::Unchanged(_)));
    });
}

#[test]
fn fields_are_read_as_a_type_or_refused_by_name() {
    let vault = in_memory();
    let policy = vault.policy().unwrap();
    let read = |json: &str| Fields::from_json(json, &policy).unwrap().into_record::<Order>(&policy);
    assert!(read(&common::order_json("SO-1")).unwrap() == order("SO-1"));
    let without = common::order_json("SO-1").replace(r#""name":"Canary-Name SO-1","#, "");
    let refused = read(&without).unwrap_err();
    assert_eq!(refused.to_string(), "consignee.name: the order has no value for this part");
    assert!(
        matches!(refused.kind(), ErrorKind::Input { field: Some(field), .. } if field == "consignee.name")
    );
    let column = common::order_json("SO-1").replacen(r#""sku":"#, r#""Canary-Column":"x","sku":"#, 1);
    let refused = read(&column).unwrap_err();
    assert_eq!(refused.to_string(), "items: has a column that rows of this type do not have");
}

#[test]
fn a_type_of_another_policys_numbers_reads_nothing() {
    let swapped = DEFAULT_POLICY
        .replacen("[field.\"consignee.name\"]\nid = 3", "[field.\"consignee.name\"]\nid = X", 1)
        .replacen("id = 4\n", "id = 3\n", 1)
        .replacen("id = X", "id = 4", 1);
    let policy = Arc::new(consignee::policy::Policy::parse(&swapped).unwrap());
    assert_eq!(policy.part_named("consignee.name").unwrap().id.get(), 4);
    let fields = Fields::from_json(&common::order_json("SO-1"), &policy).unwrap();
    let refused = fields.into_record::<Order>(&policy).err().unwrap();
    assert_eq!(*refused.kind(), ErrorKind::PolicyMismatch, "{refused}");
}

#[test]
fn an_update_as_a_type_keeps_the_columns_that_the_type_does_not_know() {
    on_each_store(|vault| {
        let json = common::order_json("SO-1").replacen(r#""sku":"#, r#""engraving":"for M.","sku":"#, 1);
        let policy = vault.policy().unwrap();
        vault.put(&Fields::from_json(&json, &policy).unwrap()).unwrap();
        vault.update_as::<Order>("SO-1", 1, Patch::new().set("note", text("new"))).unwrap();
        let view = vault.open("shop", "operation", "SO-1").unwrap();
        let items = view.to_json()["fields"]["items"].to_string();
        assert!(items.contains("for M."), "{items}");
    });
}
