//! Who saw an order: all that the ledgers have of it, of nobody else's, whatever became of the order meanwhile.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Folder, Link, ROOT, bundle, in_memory, order};
use consignee::{
    BackupSets, Disclosures, EntryPlace, ErrorKind, ExistingOrders, Kem, KeyFile, OrderEntry, Patch,
    ShredMode, StoredOrder, Value, Vault, Way, Who, policy::DEFAULT_POLICY,
};
use rusqlite::Connection;

fn note(text: &str) -> Patch {
    Patch::new().set("note", Value::Text(text.into()))
}

fn name_of(who: &Who) -> &str {
    match who {
        Who::Vault => "vault",
        Who::Party { name, .. } => name.as_deref().unwrap_or("?"),
        _ => "nobody",
    }
}

/// Way, who, purpose, parts and revision of each entry, on a line.
fn lines(told: &Disclosures) -> Vec<String> {
    let line = |told: &OrderEntry| {
        let parts: Vec<&str> = told.parts.iter().map(|part| part.name.as_deref().unwrap_or("?")).collect();
        let OrderEntry { who, way, entry, .. } = told;
        let (name, purpose) = (name_of(who), &entry.purpose);
        format!("{} {name} [{purpose}] {} r{}", way.name(), parts.join(","), entry.revision)
    };
    told.entries.iter().map(line).collect()
}

const ALL: &str = "order_no,placed_at,consignee.name,consignee.phone,consignee.address,items,amount,note,consignee.name:masked,consignee.phone:masked";
const ADDRESS: &str = "consignee.name,consignee.phone,consignee.address";
const MASKED: &str = "placed_at,items,consignee.name:masked,consignee.phone:masked";

/// SO-1's whole life, and 2,000 entries of other orders in between.
fn whole_life(vault: &Vault, parcel: &str) -> Vec<String> {
    let others: Vec<_> = (0..500).map(|n| order(&format!("{parcel}-{n}"))).collect();
    let numbers: Vec<String> = (0..500).map(|n| format!("{parcel}-{n}")).collect();
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    vault.put(&order("SO-1")).unwrap();
    vault.put_many(&others).unwrap();
    vault.open("SF Express", "delivery", "SO-1").unwrap();
    vault.open_many("SF Express", "delivery", &numbers).unwrap();
    vault.open("agent 17", "after_sale", "SO-1").unwrap();
    vault.open("agent 17", "call_back", "SO-1").unwrap();
    vault.open_many("agent 17", "after_sale", &numbers).unwrap();
    vault.open("Yixing Ltd", "fulfilment", "SO-1").unwrap();
    vault.open("SF Express", "accounting", "SO-1").unwrap_err();
    let alias = vault.open("ledger clerk", "accounting", "SO-1").unwrap().alias().to_string();
    vault.resolve_alias(&alias).unwrap();
    vault.open_many("ledger clerk", "accounting", &numbers).unwrap();
    vault.update("SO-1", 1, note("ring twice")).unwrap();
    [
        format!("put vault [] {ALL} r1"),
        format!("opened SF Express [delivery] {ADDRESS} r1"),
        format!("opened agent 17 [after_sale] {MASKED} r1"),
        "opened agent 17 [call_back] consignee.phone r1".to_owned(),
        "opened Yixing Ltd [fulfilment] items r1".to_owned(),
        "opened ledger clerk [accounting] order_no,placed_at,amount r1".to_owned(),
        "opened vault [resolve] order_no r1".to_owned(),
        "opened vault [update] placed_at,consignee.name,consignee.phone,consignee.address,items,amount r1"
            .to_owned(),
        format!("update vault [] {ALL} r2"),
    ]
    .to_vec()
}

#[test]
fn every_entry_of_an_orders_life_is_told_and_none_of_two_thousand_others() {
    let vault = in_memory();
    let mut expected = whole_life(&vault, "SO-OTHER");
    let link = Link::of(&vault, "SF Express", Kem::X25519);
    drop(bundle(&vault, "SF Express", "delivery", &["SO-1", "SO-OTHER-7"]));
    // All 501 have the number that is searched: each is opened, and each is a hit.
    vault.find("agent 17", "after_sale", "consignee.phone", "13812345678").unwrap();
    vault.find("agent 17", "after_sale", "consignee.phone", "13900000000").unwrap();
    vault.rotate(None).unwrap();
    vault.reseal(1, |_| ()).unwrap();
    vault.close("SO-1").unwrap();
    drop(link);
    expected.extend([
        format!("copied SF Express [delivery] {ADDRESS} r2"),
        "compared vault [search] consignee.phone r2".to_owned(),
        "found agent 17 [after_sale] consignee.phone r2".to_owned(),
        format!("reseal vault [] {ALL} r2"),
        "close vault []  r2".to_owned(),
    ]);
    let told = vault.who_saw("SO-1").unwrap();
    assert_eq!(lines(&told), expected);
    let state = vault.ledger_state().unwrap();
    assert!(state.size > 3_500 && told.ledgers.len() == 1 && told.ledgers[0].state == state);
    let seen: Vec<&str> =
        told.entries.iter().filter(|entry| entry.is_disclosure()).map(|entry| name_of(&entry.who)).collect();
    let agents = ["agent 17", "agent 17"];
    assert_eq!(
        seen,
        [&["SF Express"], &agents[..], &["Yixing Ltd", "ledger clerk", "SF Express", "agent 17"]].concat()
    );
    // What the enum and the entry say beside their names.
    let ends = |way: &Way| matches!(way, Way::Copied { ends: Some(_), .. });
    assert!(told.entries.iter().any(|entry| ends(&entry.way)));
    let searchers = told.entries.iter().filter_map(|entry| match &entry.way {
        Way::Compared { searcher, .. } => Some(name_of(searcher)),
        _ => None,
    });
    assert_eq!(searchers.collect::<Vec<_>>(), ["agent 17"]);
    for told in &told.entries {
        let EntryPlace { ledger, index } = told.place;
        assert_eq!((ledger, &vault.ledger_entries(index, 1).unwrap()[0]), (1, &told.entry));
    }
    // Asking leaves no entry, and an alias names the same order.
    let alias = vault.find("agent 17", "after_sale", "consignee.phone", "13812345678").unwrap();
    let alias = alias.hits.last().unwrap().alias.to_string();
    assert_eq!(lines(&vault.who_saw(&alias).unwrap()).len(), expected.len() + 2);
    let before = vault.ledger_state().unwrap();
    vault.shred("SO-1", "asked for", ShredMode::KeepEvidence).unwrap();
    let told = vault.who_saw("SO-1").unwrap();
    assert_eq!(lines(&told).last().unwrap(), "shred vault []  r2");
    assert!(matches!(told.entries.last().unwrap().way, Way::Shred { evidence_kept: true, .. }));
    assert_eq!(vault.ledger_state().unwrap().size, before.size + 1);
}

#[test]
fn of_an_order_shredded_with_its_evidence_it_cannot_be_told_any_more() {
    let vault = in_memory();
    vault.put_many(&[order("SO-1"), order("SO-2")]).unwrap();
    vault.open("SF Express", "delivery", "SO-1").unwrap();
    vault.shred("SO-1", "asked for", ShredMode::WithEvidence).unwrap();
    let refused = vault.who_saw("SO-1").unwrap_err();
    assert_eq!(refused.kind(), &ErrorKind::Shredded);
    assert_eq!(refused.hint(), "who saw it cannot be told any more");
    assert_eq!(vault.who_saw("SO-3").unwrap_err().kind(), &ErrorKind::NotFound);
    // Nobody saw the other one, and that is an answer.
    let told = vault.who_saw("SO-2").unwrap();
    assert!(told.entries.len() == 1 && !told.entries[0].is_disclosure());
}

#[test]
fn the_entries_of_former_ledgers_are_told_after_a_restore() {
    let folder = Folder::new();
    let vault = folder.unlock();
    vault.put_many(&[order("SO-1"), order("SO-2")]).unwrap();
    vault.open("SF Express", "delivery", "SO-1").unwrap();
    vault.open("SF Express", "delivery", "SO-2").unwrap();
    vault.find("agent 17", "after_sale", "consignee.phone", "13812345678").unwrap();
    let noted = vault.backup(&folder.dir.path().join("backup")).unwrap();
    drop(vault);
    let (sets, to) =
        (BackupSets::below(&folder.dir.path().join("backup")), folder.dir.path().join("restored"));
    let vault = Vault::restore(&sets, &to, &KeyFile::from_bytes(ROOT), None).unwrap().vault;
    vault.open("agent 17", "call_back", "SO-1").unwrap();
    let told = vault.who_saw("SO-1").unwrap();
    let expected = [
        format!("put vault [] {ALL} r1"),
        format!("opened SF Express [delivery] {ADDRESS} r1"),
        "compared vault [search] consignee.phone r1".to_owned(),
        "found agent 17 [after_sale] consignee.phone r1".to_owned(),
        "opened agent 17 [call_back] consignee.phone r1".to_owned(),
    ];
    assert_eq!(lines(&told), expected);
    let ledgers: Vec<u32> = told.entries.iter().map(|entry| entry.place.ledger).collect();
    assert_eq!(ledgers, [1, 1, 1, 1, 2]);
    assert_eq!((told.ledgers.len(), told.ledgers[0]), (2, noted));
}

#[test]
fn a_party_is_told_under_each_of_its_keys() {
    let vault = in_memory();
    vault.put(&order("SO-1")).unwrap();
    vault.open("SF Express", "delivery", "SO-1").unwrap();
    for _ in 0..2 {
        let _link = Link::of(&vault, "SF Express", Kem::X25519);
        vault.open("SF Express", "delivery", "SO-1").unwrap();
    }
    vault.revoke_party("SF Express").unwrap();
    let told = vault.who_saw("SO-1").unwrap();
    let mut ids = Vec::new();
    for told in told.entries.iter().filter(|entry| entry.is_disclosure()) {
        let Who::Party { key_id, name, role, .. } = &told.who else { panic!("{:?}", told.who) };
        assert_eq!((name.as_deref(), role.as_deref()), (Some("SF Express"), Some("courier")));
        ids.push(*key_id);
    }
    ids.dedup();
    assert_eq!(ids.len(), 3, "three key ids of one party");
}

/// A field gets another name by a new number, the old one being retired: each entry has the names of its own policy.
#[test]
fn parts_have_the_names_of_the_policy_of_their_entry() {
    let vault = in_memory();
    let with = |name: &str, id: u16, retired: &str| {
        let opened = DEFAULT_POLICY.replacen(
            "open = [\"consignee.name\", \"consignee.phone\", \"consignee.address\"]",
            &format!("open = [\"consignee.name\", \"{name}\"]"),
            1,
        );
        let field = format!("[field.\"{name}\"]\nid = {id}\ntype = \"text\"\n\n[role.courier.delivery]");
        let opened = opened.replacen("[role.courier.delivery]", &field, 1);
        opened.replacen("version = 1\n", &format!("version = 1\nretired = [{retired}]\n"), 1)
    };
    vault.apply_policy(&with("extra.gift", 20, ""), ExistingOrders::Yes).unwrap();
    let mut given = order("SO-1");
    given.extra.set("extra.gift", Value::Text("ribbon".into()));
    vault.put(&given).unwrap();
    vault.open("SF Express", "delivery", "SO-1").unwrap();
    vault.apply_policy(&with("extra.present", 21, "20"), ExistingOrders::Yes).unwrap();
    vault.update("SO-1", 1, Patch::new().set("extra.present", Value::Text("ribbon".into()))).unwrap();
    vault.open("SF Express", "delivery", "SO-1").unwrap();
    let retired = DEFAULT_POLICY.replacen("version = 1\n", "version = 1\nretired = [20, 21]\n", 1);
    vault.apply_policy(&retired, ExistingOrders::Yes).unwrap();
    vault.open("SF Express", "delivery", "SO-1").unwrap();
    let told = vault.who_saw("SO-1").unwrap();
    let opened: Vec<_> = told.entries.iter().filter(|entry| entry.is_disclosure()).collect();
    let names =
        |told: &OrderEntry| told.parts.iter().map(|part| part.name.clone().unwrap()).collect::<Vec<_>>();
    let expected = [
        &["consignee.name", "extra.gift"][..],
        &["consignee.name", "extra.present"],
        &["consignee.name", "consignee.phone", "consignee.address"],
    ];
    assert!(opened.iter().map(|told| names(told)).eq(expected), "{opened:?}");
    assert_eq!([opened[0].parts[1].id.get(), opened[1].parts[1].id.get()], [20, 21]);
}

/// Whoever writes the files files a leaker's entry under another handle, or cuts the ledger short.
#[test]
fn an_entry_that_the_index_hides_is_told_and_one_that_is_gone_is_missed() {
    let folder = Folder::new();
    let vault = folder.unlock();
    vault.put(&order("SO-1")).unwrap();
    vault.open("SF Express", "delivery", "SO-1").unwrap();
    vault.find("agent 17", "after_sale", "consignee.phone", "13812345678").unwrap();
    let before = lines(&vault.who_saw("SO-1").unwrap());
    assert_eq!(before.len(), 4);
    let ledger = Connection::open(folder.path().join("ledger.db")).unwrap();
    ledger.execute("UPDATE entry SET handle = zeroblob(16)", []).unwrap();
    assert_eq!(lines(&vault.who_saw("SO-1").unwrap()), before);
    for sql in [
        "DELETE FROM entry WHERE idx = (SELECT max(idx) FROM entry)",
        "DELETE FROM entry WHERE idx = (SELECT max(idx) - 1 FROM entry)",
    ] {
        ledger.execute(sql, []).unwrap();
        assert_eq!(vault.who_saw("SO-1").unwrap_err().kind(), &ErrorKind::Damaged, "{sql}");
    }
}

/// What is left of an order in secrets.db is enough; states there are not believed.
#[test]
fn an_order_without_its_record_is_told_too() {
    let folder = Folder::new();
    let vault = folder.unlock();
    vault.put(&order("SO-1")).unwrap();
    vault.open("SF Express", "delivery", "SO-1").unwrap();
    let before = lines(&vault.who_saw("SO-1").unwrap());
    Connection::open(folder.path().join("orders.db")).unwrap().execute("DELETE FROM record", []).unwrap();
    assert_eq!(vault.open("SF Express", "delivery", "SO-1").unwrap_err().kind(), &ErrorKind::NotFound);
    assert_eq!(lines(&vault.who_saw("SO-1").unwrap()), before);
    let secrets = Connection::open(folder.path().join("secrets.db")).unwrap();
    for state in 1..=4 {
        secrets.execute("UPDATE secret SET state = ?1", [state]).unwrap();
        assert_eq!(lines(&vault.who_saw("SO-1").unwrap()), before, "state {state}");
    }
    secrets.execute("DELETE FROM secret", []).unwrap();
    assert_eq!(vault.who_saw("SO-1").unwrap_err().kind(), &ErrorKind::NotFound);
}

#[test]
fn who_saw_an_order_of_the_shops_own_tables_is_told_by_its_secret_row() {
    let vault = in_memory();
    let sealed = vault.sealer().seal(&order("SO-1")).unwrap();
    vault.sealer().log(std::slice::from_ref(&sealed)).unwrap();
    let stored = StoredOrder { record: &sealed.record, secret: &sealed.secret };
    let opener = vault.opener();
    opener.open_many("SF Express", "delivery", &[stored]).unwrap();
    let told = opener.who_saw(&sealed.secret).unwrap().unwrap();
    assert_eq!(told.record_id, sealed.record_id);
    assert_eq!(
        lines(&told),
        [format!("put vault [] {ALL} r1"), format!("opened SF Express [delivery] {ADDRESS} r1")]
    );
    let gone = opener.shred(&stored, "asked for", ShredMode::KeepEvidence).unwrap();
    assert_eq!(opener.who_saw(&gone).unwrap().unwrap().entries.len(), 3);
    let other = vault.sealer().seal(&order("SO-2")).unwrap();
    let stored = StoredOrder { record: &other.record, secret: &other.secret };
    let gone = opener.shred(&stored, "asked for", ShredMode::WithEvidence).unwrap();
    assert!(opener.who_saw(&gone).unwrap().is_none());
}
