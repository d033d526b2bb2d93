//! Searching, on memory and on SQLite alike: who finds what, what it costs, what the ledger says.
#![allow(clippy::unwrap_used)]

mod common;

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use common::{Folder, ROOT, all_bytes, contains, in_memory, order, order_json, staffed};
use consignee::{
    EntryKind, ErrorKind, ExistingOrders, KeyFile, Order, Patch, Setup, ShredMode, Value, Vault,
    policy::{DEFAULT_POLICY, Policy, SEARCHES_AN_HOUR},
    store::{LedgerHead, LedgerRow, LedgerStore, Memory, StoreResult},
};

const PHONE: &str = "consignee.phone";

fn on_each_store(test: impl Fn(&Vault)) {
    test(&in_memory());
    test(&Folder::new().unlock());
}

/// An order with this telephone number.
fn called(order_no: &str, phone: &str) -> Order {
    let mut order = order(order_no);
    order.consignee.phone = phone.into();
    order
}

/// The orders that support finds, by their numbers.
fn found(vault: &Vault, phone: &str) -> Vec<String> {
    let hits = vault.find("agent 17", "after_sale", PHONE, phone).unwrap();
    assert_eq!(hits.unreadable, 0);
    hits.hits.iter().map(|hit| number_of(vault, &hit.alias.to_string())).collect()
}

fn number_of(vault: &Vault, alias: &str) -> String {
    vault.resolve_alias(alias).unwrap().order_no.unwrap()
}

#[test]
fn orders_are_found_by_any_way_to_write_the_number_newest_first() {
    on_each_store(|vault| {
        vault.put_many(&[called("SO-1", "13812345678"), called("SO-2", "+86 138-1234-5678")]).unwrap();
        vault.put_many(&[called("SO-3", "13999990000"), called("SO-4", "")]).unwrap();
        for phone in ["13812345678", "138 1234 5678", "+8613812345678", "0086 138 1234 5678"] {
            assert_eq!(found(vault, phone), ["SO-2", "SO-1"], "{phone}");
        }
        assert_eq!(found(vault, "13999990000"), ["SO-3"]);
        assert!(found(vault, "13000000000").is_empty());
        let empty = vault.find("agent 17", "after_sale", PHONE, "").unwrap_err();
        assert!(matches!(empty.kind(), ErrorKind::Input { .. }), "{empty}");
    });
}

/// How many orders with one number are found by the other.
fn meet(country: &str, one: &str, other: &str) -> usize {
    let policy = DEFAULT_POLICY.replace("phone:CN", &format!("phone:{country}"));
    let vault = Vault::in_memory(&Setup { policy: policy.into(), ..Setup::default() }).unwrap();
    staffed(&vault);
    vault.put(&called("SO-1", one)).unwrap();
    vault.find("agent 17", "after_sale", PHONE, other).unwrap().hits.len()
}

#[test]
fn different_peoples_numbers_do_not_find_each_other() {
    for (country, one, other) in [
        // One virtual number, many shoppers.
        ("CN", "18412345678转1234", "18412345678转5678"),
        ("CN", "18412345678转1234", "18412345678"),
        ("CN", "18412345678", "18412345678#1234"),
        ("CN", "18412345678转0123", "18412345678转123"),
        ("CN", "18412345678转", "18412345678"),
        // Singapore, and Tampa.
        ("HK", "001 65 6234 5678", "+1 656 234 5678"),
        ("SG", "001 65 6234 5678", "+1 656 234 5678"),
        ("KR", "001 65 6234 5678", "+1 656 234 5678"),
        ("TH", "001 65 6234 5678", "+1 656 234 5678"),
        ("CN", "+013812345678", "+1 381 234 5678"),
        ("CN", "138****5678", "1385678"),
        ("CN", "138****5678", "138-5678"),
        ("CN", "138****5678", "138*5678"),
        ("US", "+1 800 555 CALL", "+1 800 555 SHOP"),
        ("DE", "30 123456", "+49 30 123456"),
        ("US", "206-555-411/2", "+1 206 555 4112"),
    ] {
        assert_eq!(meet(country, one, other), 0, "{one} and {other} in {country}");
        assert_eq!(meet(country, other, one), 0, "{other} and {one} in {country}");
        assert_eq!(meet(country, one, one), 1, "{one} in {country}");
    }
    for (country, one, other) in [
        ("CN", "18412345678转1234", "+86 184-1234-5678 ext. 1234"),
        ("CN", "0755-1234567 分机 801", "+86 755 1234567 x801"),
        ("AU", "0011 65 6234 5678", "+65 6234 5678"),
        ("HK", "6234 5678", "+852 6234 5678"),
        ("DE", "030/123456", "+49 30 123456"),
    ] {
        assert_eq!((meet(country, one, other), meet(country, other, one)), (1, 1), "{one} and {other}");
    }
}

#[test]
fn each_hit_is_an_entry_before_the_answer_and_a_miss_is_one_too() {
    on_each_store(|vault| {
        vault.put_many(&[called("SO-1", "13812345678"), called("SO-2", "13812345678")]).unwrap();
        let from = vault.ledger_state().unwrap().size;
        let hits = vault.find("agent 17", "after_sale", PHONE, "13812345678").unwrap().hits;
        let entries = vault.ledger_entries(from, 100).unwrap();
        let kinds: Vec<_> = entries.iter().map(|entry| (entry.kind, entry.purpose.as_str())).collect();
        let (opened, search) = ((EntryKind::Disclosure, "search"), (EntryKind::Search, "after_sale"));
        assert_eq!(kinds, [opened, opened, search, search], "the vault's own openings are entries, too");
        for (hit, entry) in hits.iter().zip(&entries[2..]) {
            assert_eq!(vault.ledger_entries(hit.ledger_index, 1).unwrap()[0], *entry);
            assert_eq!(entry.parts.iter().map(|part| part.get()).collect::<Vec<_>>(), [4]);
            assert_ne!(entry.handle, [0; 16]);
            let seen = vault.resolve_alias(&hit.alias.to_string()).unwrap().seen.unwrap();
            assert_eq!(seen.iter().map(|(place, _)| place.index).collect::<Vec<_>>(), [hit.ledger_index]);
        }
        assert_eq!((entries[2].detail.len(), &entries[2].detail), (32, &entries[3].detail));

        let from = vault.ledger_state().unwrap().size;
        assert!(vault.find("agent 17", "after_sale", PHONE, "13000000000").unwrap().hits.is_empty());
        let entries = vault.ledger_entries(from, 100).unwrap();
        let only = entries.last().unwrap();
        assert_eq!((entries.len(), only.kind, only.handle), (1, EntryKind::Search, [0; 16]));
    });
}

#[test]
fn debug_of_hits_names_neither_order_nor_party() {
    let vault = in_memory();
    vault.put(&called("SO-1", "13812345678")).unwrap();
    let hits = vault.find("agent 17", "after_sale", PHONE, "13812345678").unwrap();
    let index = hits.hits[0].ledger_index;
    assert_eq!(
        format!("{hits:?}"),
        format!("Hits {{ hits: [Hit {{ revision: 1, ledger_index: {index}, .. }}], unreadable: 0 }}")
    );
}

#[test]
fn two_parties_searches_for_one_value_cannot_be_joined() {
    on_each_store(|vault| {
        vault.add_party("agent 18", "support", None).unwrap();
        vault.put(&called("SO-1", "13812345678")).unwrap();
        let search = |party| {
            let hits = vault.find(party, "after_sale", PHONE, "13812345678").unwrap().hits;
            let entry = vault.ledger_entries(hits[0].ledger_index, 1).unwrap().remove(0);
            (hits[0].alias.to_string(), entry.handle, entry.detail)
        };
        let (one, other) = (search("agent 17"), search("agent 18"));
        assert!(one.0 != other.0 && one.1 != other.1 && one.2 != other.2);
        assert_eq!(search("agent 17"), one, "the shop can tell that one party asked twice");
    });
}

#[test]
fn who_may_not_search_is_refused_and_entered() {
    on_each_store(|vault| {
        vault.put(&called("SO-1", "13812345678")).unwrap();
        for (party, purpose, field) in [
            ("SF Express", "delivery", PHONE),
            ("agent 17", "call_back", PHONE),
            ("agent 17", "after_sale", "consignee.name"),
            ("agent 17", "after_sale", "no such field"),
            ("agent 17", "no such purpose", PHONE),
            ("shop", "operation", PHONE),
        ] {
            let refused = vault.find(party, purpose, field, "13812345678").unwrap_err();
            assert_eq!(refused.kind(), &ErrorKind::NotPermitted, "{party} {purpose} {field}");
        }
        let entries = vault.ledger_entries(0, 1000).unwrap();
        assert!(entries.iter().any(|entry| entry.kind == EntryKind::Denied));
        assert!(entries.iter().all(|entry| entry.kind != EntryKind::Search));
        assert_eq!(vault.find("nobody", "after_sale", PHONE, "1").unwrap_err().kind(), &ErrorKind::NotFound);
        vault.revoke_party("agent 17").unwrap();
        let revoked = vault.find("agent 17", "after_sale", PHONE, "13812345678").unwrap_err();
        assert_eq!(revoked.kind(), &ErrorKind::Revoked);
    });
}

#[test]
fn a_partys_searches_are_counted_whatever_process_it_asks() {
    let folder = Folder::new();
    let (one, two) = (folder.unlock(), folder.unlock());
    one.add_party("agent 18", "support", None).unwrap();
    let mut asked = 0;
    let refused = loop {
        let vault = if asked % 2 == 0 { &one } else { &two };
        match vault.find("agent 17", "after_sale", PHONE, &format!("138{asked:08}")) {
            Ok(_) => asked += 1,
            Err(e) => break e,
        }
    };
    assert_eq!((asked, refused.kind()), (SEARCHES_AN_HOUR, &ErrorKind::Limit), "{refused}");
    let last = one.ledger_entries(0, 1000).unwrap().pop().unwrap();
    assert_eq!((last.kind, last.detail[0]), (EntryKind::Denied, 4));
    assert!(two.find("agent 18", "after_sale", PHONE, "1").is_ok(), "each party has its own");
    // An hour later it may go on; a day's budget is longer.
    let keys = rusqlite::Connection::open(folder.path().join("keys.db")).unwrap();
    keys.execute("UPDATE spent SET at = at - 3700", []).unwrap();
    assert!(one.find("agent 17", "after_sale", PHONE, "1").is_ok());
    keys.execute("INSERT INTO spent SELECT account, at FROM spent, (SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4)", [])
        .unwrap();
    assert_eq!(one.find("agent 17", "after_sale", PHONE, "1").unwrap_err().kind(), &ErrorKind::Limit);
}

#[test]
fn tags_follow_an_update_and_go_with_a_shred() {
    on_each_store(|vault| {
        vault.put_many(&[called("SO-1", "13812345678"), called("SO-2", "13812345678")]).unwrap();
        let patch = Patch::new().set(PHONE, Value::Text("13999990000".into()));
        vault.update("SO-1", 1, patch).unwrap();
        assert_eq!(found(vault, "13812345678"), ["SO-2"]);
        assert_eq!(found(vault, "13999990000"), ["SO-1"]);
        vault.shred("SO-2", "asked for", ShredMode::KeepEvidence).unwrap();
        assert!(found(vault, "13812345678").is_empty());
    });
}

/// A tag is no proof: it is not authenticated. Whoever writes the database copies the tag of the order he wants to see onto one
/// that support may see anyway, or the other way round; only the value inside decides.
#[test]
fn tags_copied_from_one_order_to_another_find_nothing() {
    let stores = Memory::stores();
    let vault = Vault::begin(stores.clone(), &KeyFile::from_bytes(ROOT), &Setup::default()).unwrap();
    staffed(&vault);
    vault.put_many(&[called("SO-1", "13812345678"), called("SO-2", "13999990000")]).unwrap();
    let ids: Vec<_> = vault.list(None, 2).unwrap().iter().map(|row| row.id).collect();
    let mut rows: Vec<_> = stores.orders.records(&ids).unwrap().into_iter().flatten().collect();
    let tags: Vec<_> = rows.iter().flat_map(|row| row.tags.clone()).collect();
    assert_eq!(tags.iter().collect::<BTreeSet<_>>().len(), 2);
    stores.orders.delete_records(&ids).unwrap();
    rows.iter_mut().for_each(|row| row.tags = tags.clone());
    stores.orders.insert_records(&rows).unwrap();
    assert_eq!(found(&vault, "13812345678"), ["SO-1"]);
    assert_eq!(found(&vault, "13999990000"), ["SO-2"]);
    // What does not open is counted, and keeps nobody from his answer.
    let mut broken = rows.remove(0);
    broken.sealed[50] ^= 1; // of the header, which every part authenticates
    stores.orders.delete_records(&ids[..1]).unwrap();
    stores.orders.insert_records(&[broken]).unwrap();
    let hits = vault.find("agent 17", "after_sale", PHONE, "13812345678").unwrap();
    let other = vault.find("agent 17", "after_sale", PHONE, "13999990000").unwrap();
    assert_eq!((hits.unreadable, other.unreadable), (1, 1));
    assert_eq!(hits.hits.len() + other.hits.len(), 1);
}

#[test]
fn orders_whose_purpose_has_expired_are_not_found() {
    let brief = DEFAULT_POLICY
        .replace("search = [\"consignee.phone\"]", "search = [\"consignee.phone\"]\nexpires = \"1s\"");
    let vault = Vault::in_memory(&Setup { policy: brief.into(), ..Setup::default() }).unwrap();
    staffed(&vault);
    vault.put(&called("SO-1", "13812345678")).unwrap();
    assert_eq!(found(&vault, "13812345678"), ["SO-1"]);
    std::thread::sleep(std::time::Duration::from_millis(2_100));
    assert!(found(&vault, "13812345678").is_empty());
}

#[test]
fn orders_with_the_tags_of_an_earlier_policys_index_are_found() {
    let digits = DEFAULT_POLICY.replace("phone:CN\", expect = 1_000_000_000", "digits\", expect = 1_000_000");
    assert_ne!(digits, DEFAULT_POLICY);
    on_each_store(|vault| {
        vault.put(&called("SO-1", "13812345678")).unwrap();
        vault.apply_policy(&digits, ExistingOrders::Yes).unwrap();
        vault.put(&called("SO-2", "138-1234-5678")).unwrap();
        assert_eq!(found(vault, "13812345678"), ["SO-2", "SO-1"]);
    });
}

#[test]
fn a_narrower_indexs_tags_are_not_the_beginnings_of_the_wider_ones() {
    let folder = Folder::new();
    let vault = folder.unlock();
    vault.put(&called("SO-1", "13812345678")).unwrap();
    vault.apply_policy(&DEFAULT_POLICY.replace("1_000_000_000", "1_000_000"), ExistingOrders::Yes).unwrap();
    vault.put(&called("SO-2", "13812345678")).unwrap();
    assert_eq!(found(&vault, "13812345678"), ["SO-2", "SO-1"]);
    let orders = rusqlite::Connection::open(folder.path().join("orders.db")).unwrap();
    let mut tags = orders.prepare("SELECT value FROM tag ORDER BY value").unwrap();
    let tags: Vec<i64> = tags.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(tags.len(), 2);
    // 28 bits and 18: by chance once in 262,144.
    assert_ne!(tags[1] >> 10, tags[0]);
}

#[test]
fn an_index_is_for_orders_put_since_it_is_there() {
    let without = DEFAULT_POLICY
        .replace("index = { normalise = \"phone:CN\", expect = 1_000_000_000 }\n", "")
        .replace("search = [\"consignee.phone\"]\n", "");
    Policy::parse(&without).unwrap();
    let vault = Vault::in_memory(&Setup { policy: without.into(), ..Setup::default() }).unwrap();
    staffed(&vault);
    vault.put(&called("SO-1", "13812345678")).unwrap();
    vault.apply_policy(DEFAULT_POLICY, ExistingOrders::Yes).unwrap();
    assert!(found(&vault, "13812345678").is_empty());
    vault.put(&called("SO-2", "13812345678")).unwrap();
    vault.update("SO-1", 1, Patch::new().set("note", Value::Text("new".into()))).unwrap();
    assert_eq!(found(&vault, "13812345678"), ["SO-2", "SO-1"], "an update gives the order its tags");
}

#[test]
fn more_than_a_thousand_candidates_are_refused() {
    let coarse = DEFAULT_POLICY.replace("expect = 1_000_000_000", "expect = 8");
    let vault = Vault::in_memory(&Setup { policy: coarse.into(), ..Setup::default() }).unwrap();
    staffed(&vault);
    // Two bits of tag: 4,500 orders are over 1,000 to a tag.
    let orders: Vec<_> = (0..4_500).map(|n| called(&format!("SO-{n}"), &format!("138{n:08}"))).collect();
    vault.put_many(&orders).unwrap();
    let refused: Vec<_> = (0..8)
        .filter_map(|n| vault.find("agent 17", "after_sale", PHONE, &format!("138{n:08}")).err())
        .collect();
    assert!(!refused.is_empty() && refused.iter().all(|e| *e.kind() == ErrorKind::Limit));
    let last = vault.ledger_entries(0, 100_000).unwrap().pop().unwrap();
    assert_eq!(last.kind, EntryKind::Search);
}

#[test]
fn no_form_of_a_searched_value_is_in_any_file_of_the_vault() {
    let folder = Folder::new();
    let vault = folder.unlock();
    let json = order_json("SO-1234567");
    vault.put(&Order::from_json(&json, &vault.policy().unwrap()).unwrap()).unwrap();
    vault.find("agent 17", "after_sale", PHONE, "138 1234 5678").unwrap();
    vault.update("SO-1234567", 1, Patch::new().set("note", Value::Text("Canary-2".into()))).unwrap();
    drop(vault);
    let bytes = all_bytes(&folder.path());
    for canary in ["Canary", "SO-1234567", "13812345678", "+8613812345678", "138 1234 5678"] {
        assert!(!contains(&bytes, canary.as_bytes()), "{canary}");
    }
}

/// Beside each search stand the vault's own openings of its candidates. Under the handle of the order's put they would tell whoever
/// reads the ledger which party's handle is which order's, and so join all parties' entries.
#[test]
fn the_ledger_alone_does_not_join_two_parties_by_their_searches() {
    let vault = in_memory();
    vault.add_party("agent 18", "support", None).unwrap();
    vault.put_many(&[called("SO-1", "13812345678"), called("SO-2", "13999990000")]).unwrap();
    for party in ["agent 17", "agent 18", "agent 17"] {
        vault.find(party, "after_sale", PHONE, "13812345678").unwrap();
    }
    let entries = vault.ledger_entries(0, 1000).unwrap();
    let handles = |kind: EntryKind, purpose: &str| {
        let of = entries.iter().filter(|entry| entry.kind == kind && entry.purpose == purpose);
        of.map(|entry| entry.handle).collect::<Vec<_>>()
    };
    let put = handles(EntryKind::Put, "");
    let (opened, hits) = (handles(EntryKind::Disclosure, "search"), handles(EntryKind::Search, "after_sale"));
    assert_eq!((put.len(), opened.len(), hits.len()), (2, 3, 3));
    assert!(opened[0] == opened[2] && opened[0] != opened[1], "one party's one query, and another's");
    assert!(opened.iter().all(|handle| !put.contains(handle) && !hits.contains(handle)));
}

/// Something that happens right after a chosen append is durable.
struct Hooked {
    inner: Arc<dyn LedgerStore>,
    at: AtomicU32,
    hook: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl LedgerStore for Hooked {
    fn append(&self, build: &mut dyn FnMut(&LedgerHead) -> (Vec<LedgerRow>, LedgerHead)) -> StoreResult<()> {
        self.inner.append(build)?;
        if self.at.load(Ordering::SeqCst) > 0 && self.at.fetch_sub(1, Ordering::SeqCst) == 1 {
            let hook = self.hook.lock().unwrap().take();
            hook.into_iter().for_each(|hook| hook());
        }
        Ok(())
    }

    fn head(&self) -> StoreResult<LedgerHead> {
        self.inner.head()
    }

    fn entries(&self, from: u64, limit: usize) -> StoreResult<Vec<LedgerRow>> {
        self.inner.entries(from, limit)
    }

    fn find_handle(&self, handle: &[u8; 16]) -> StoreResult<Vec<u64>> {
        self.inner.find_handle(handle)
    }
}

#[test]
fn what_is_shredded_or_revoked_in_mid_search_is_not_answered() {
    let happenings: [fn(&Vault); 3] = [
        |vault| {
            vault.shred("SO-1", "asked for", ShredMode::WithEvidence).unwrap();
        },
        |vault| {
            vault.update("SO-1", 1, Patch::new().set(PHONE, Value::Text("13999990000".into()))).unwrap();
        },
        |vault| drop(vault.revoke_party("agent 17").unwrap()),
    ];
    for (number, happening) in happenings.into_iter().enumerate() {
        // After the entries of the vault's own openings, and after those of the hits.
        for at in [1, 2] {
            let mut stores = Memory::stores();
            let other = Vault::begin(stores.clone(), &KeyFile::from_bytes(ROOT), &Setup::default()).unwrap();
            staffed(&other);
            let (inner, hook) = (stores.ledger.clone(), Mutex::new(None));
            let hooked = Arc::new(Hooked { inner, at: AtomicU32::new(0), hook });
            stores.ledger = hooked.clone();
            let vault = Vault::resume(stores, &KeyFile::from_bytes(ROOT)).unwrap();
            vault.put(&called("SO-1", "13812345678")).unwrap();
            *hooked.hook.lock().unwrap() = Some(Box::new(move || happening(&other)));
            hooked.at.store(at, Ordering::SeqCst);
            match vault.find("agent 17", "after_sale", PHONE, "13812345678") {
                Ok(hits) => assert!(number < 2 && hits.hits.is_empty() && hits.unreadable == 0),
                Err(e) => assert_eq!((number, e.kind()), (2, &ErrorKind::Revoked)),
            }
        }
    }
}
