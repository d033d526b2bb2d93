//! The main path, on memory and on SQLite alike: put, open as each role, shred, and every refusal.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering},
};

use common::{Folder, all_bytes, contains, in_memory, order, order_json, staffed};
use consignee::{
    EntryKind, ErrorKind, ExistingOrders, Fields, KeyFile, Order, Put, Record, RecordField, Setup, Severity,
    ShredMode, StoredOrder, Value, ValueRef, Vault,
    policy::DEFAULT_POLICY,
    store::{LedgerHead, LedgerRow, LedgerStore, Memory, StoreResult, Stores},
};

fn on_each_store(test: impl Fn(&Vault)) {
    test(&in_memory());
    test(&Folder::new().unlock());
}

fn kinds_of(vault: &Vault) -> Vec<EntryKind> {
    vault.ledger_entries(0, 10_000).unwrap().iter().map(|entry| entry.kind).collect()
}

#[test]
fn each_role_opens_its_own_parts_and_no_others() {
    on_each_store(|vault| {
        vault.put(&order("SO-1")).unwrap();
        let parts = |party, purpose| {
            let view = vault.open(party, purpose, "SO-1").unwrap();
            view.parts().map(|(name, _)| name.to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(
            parts("SF Express", "delivery"),
            ["consignee.name", "consignee.phone", "consignee.address"]
        );
        assert_eq!(parts("Yixing Ltd", "fulfilment"), ["items"]);
        assert_eq!(
            parts("agent 17", "after_sale"),
            ["placed_at", "items", "consignee.name:masked", "consignee.phone:masked"]
        );
        assert_eq!(parts("agent 17", "call_back"), ["consignee.phone"]);
        assert_eq!(parts("ledger clerk", "accounting"), ["order_no", "placed_at", "amount"]);
        assert_eq!(parts("shop", "operation").len(), 8);
    });
}

#[test]
fn orders_as_json_have_a_result_each_and_one_that_is_none_leaves_the_others_be() {
    on_each_store(|vault| {
        let [first, second] = ["SO-1", "SO-2"].map(order_json);
        let put =
            vault.put_many_json(&[first.as_str(), "{", &second, &first, r#"{"order_no":"SO-3"}"#]).unwrap();
        let [Ok(Put::Stored(id)), Err(torn), Ok(Put::Stored(other)), Ok(Put::Unchanged(again)), Err(without)] =
            &put[..]
        else {
            panic!("{put:?}")
        };
        assert!(id == again && id != other);
        for e in [torn, without] {
            assert!(matches!(e.kind(), ErrorKind::Input { .. }), "{e}");
        }
        assert_eq!(kinds_of(vault).iter().filter(|kind| **kind == EntryKind::Put).count(), 2);
        assert_eq!(
            vault.open("ledger clerk", "accounting", "SO-2").unwrap().text("order_no").unwrap(),
            "SO-2"
        );
    });
}

#[test]
fn what_comes_out_is_what_went_in() {
    on_each_store(|vault| {
        vault.put(&order("SO-1")).unwrap();
        let view = vault.open("shop", "operation", "SO-1").unwrap().to_json();
        let given = order("SO-1").to_json();
        let fields = &view["fields"];
        for name in ["order_no", "placed_at", "items", "amount", "note"] {
            assert_eq!(fields[name], given[name], "{name}");
        }
        for name in ["name", "phone", "address"] {
            assert_eq!(fields[format!("consignee.{name}")], given["consignee"][name], "{name}");
        }
        let support = vault.open("agent 17", "after_sale", "SO-1").unwrap();
        assert_eq!(support.text("consignee.name:masked").unwrap(), "C**");
        assert_eq!(support.text("consignee.phone:masked").unwrap(), "138****5678");
        assert_eq!(support.get("consignee.phone").unwrap_err().kind(), &ErrorKind::NotPermitted);
        let misspelt = support.get("consignee.phone:maskd").unwrap_err();
        assert!(matches!(misspelt.kind(), ErrorKind::Input { .. }), "{misspelt}");
        assert!(misspelt.hint().contains("consignee.phone:masked"), "{misspelt}");
    });
}

#[test]
fn a_supplier_sees_exactly_its_own_lines() {
    on_each_store(|vault| {
        vault.put(&order("SO-1")).unwrap();
        for (party, own) in [("Yixing Ltd", "Canary-Teapot"), ("Dehua Ltd", "Canary-Cup")] {
            let view = vault.open(party, "fulfilment", "SO-1").unwrap();
            let Value::List(items) = view.get("items").unwrap() else { panic!("items is a list") };
            assert_eq!(items.rows().len(), 1);
            assert!(view.to_json().to_string().contains(own));
        }
        vault.add_party("nobody's", "supplier", None).unwrap();
        let refused = vault.open("nobody's", "fulfilment", "SO-1").unwrap_err();
        assert_eq!(refused.kind(), &ErrorKind::NotPermitted);
    });
}

#[test]
fn the_entry_is_in_the_ledger_before_the_plaintext_and_stays_when_opening_fails() {
    on_each_store(|vault| {
        vault.put(&order("SO-1")).unwrap();
        let before = vault.ledger_state().unwrap().size;
        let view = vault.open("SF Express", "delivery", "SO-1").unwrap();
        assert_eq!(view.ledger_index(), before);
        let entry = vault.ledger_entries(before, 1).unwrap().remove(0);
        assert_eq!(
            (entry.kind, entry.purpose.as_str(), entry.revision),
            (EntryKind::Disclosure, "delivery", 1)
        );
        assert_eq!(entry.parts.iter().map(|part| part.get()).collect::<Vec<_>>(), [3, 4, 5]);
        assert_eq!(entry.commitments.len(), 1);
    });
}

#[test]
fn two_parties_handles_and_aliases_of_one_order_differ() {
    on_each_store(|vault| {
        vault.put(&order("SO-1")).unwrap();
        let courier = vault.open("SF Express", "delivery", "SO-1").unwrap();
        let support = vault.open("agent 17", "after_sale", "SO-1").unwrap();
        assert_ne!(courier.alias(), support.alias());
        let entries = vault.ledger_entries(courier.ledger_index(), 2).unwrap();
        assert_ne!(entries[0].handle, entries[1].handle);
        let again = vault.open("SF Express", "delivery", &courier.alias().to_string()).unwrap();
        assert_eq!(again.order(), courier.alias().to_string(), "who asks by alias is answered by alias");
        assert_eq!(courier.order(), "SO-1", "who asks by number is answered by number");
    });
}

#[test]
fn a_quoted_alias_names_the_party_it_was_given_to() {
    on_each_store(|vault| {
        vault.put(&order("SO-1")).unwrap();
        let courier = vault.open("SF Express", "delivery", "SO-1").unwrap();
        let resolved = vault.resolve_alias(&courier.alias().to_string()).unwrap();
        assert_eq!(
            (resolved.party.name.as_str(), resolved.order_no.as_deref()),
            ("SF Express", Some("SO-1"))
        );
        let seen = resolved.seen.unwrap();
        assert_eq!(seen.iter().map(|(place, _)| place.index).collect::<Vec<_>>(), [courier.ledger_index()]);
        assert!(
            kinds_of(vault).ends_with(&[EntryKind::Disclosure, EntryKind::Disclosure]),
            "resolving is an entry, too"
        );
        vault.shred("SO-1", "asked for", ShredMode::KeepEvidence).unwrap();
        let resolved = vault.resolve_alias(&courier.alias().to_string()).unwrap();
        assert_eq!(
            (resolved.order_no, resolved.seen.unwrap().len()),
            (None, 1),
            "who saw it can still be told"
        );
        let mistyped = format!("{}0", &courier.alias().to_string()[..15]);
        let other_check = vault.resolve_alias(&mistyped);
        assert!(other_check.is_err() || mistyped == courier.alias().to_string());
    });
}

#[test]
fn the_same_order_again_is_unchanged_and_another_one_is_refused() {
    on_each_store(|vault| {
        assert!(matches!(vault.put(&order("SO-1")).unwrap(), Put::Stored(_)));
        let entries = vault.ledger_state().unwrap();
        assert!(matches!(vault.put(&order("SO-1")).unwrap(), Put::Unchanged(_)));
        let mut other = order("SO-1");
        other.note = "another".into();
        assert_eq!(vault.put(&other).unwrap_err().kind(), &ErrorKind::Exists);
        assert_eq!(vault.ledger_state().unwrap(), entries);
    });
}

#[test]
fn a_number_twice_in_one_call_is_put_once_and_compared() {
    on_each_store(|vault| {
        let mut other = order("SO-1");
        other.note = "another".into();
        let results = vault.put_many(&[order("SO-1"), order("SO-1"), other, order("SO-2")]).unwrap();
        assert!(matches!(results[0], Ok(Put::Stored(_))) && matches!(results[1], Ok(Put::Unchanged(_))));
        assert_eq!(results[2].as_ref().unwrap_err().kind(), &ErrorKind::Exists);
        assert!(matches!(results[3], Ok(Put::Stored(_))));
        assert_eq!(vault.list(None, 10).unwrap().len(), 2);
    });
}

/// A record that has another number from the time on that it was asked `until` times.
struct Changing {
    orders: [Order; 2],
    asked: AtomicU32,
    until: u32,
}

impl Changing {
    fn after(until: u32) -> Self {
        Self { orders: ["SO-A", "SO-B"].map(Self::called), asked: AtomicU32::new(0), until }
    }

    fn called(number: &str) -> Order {
        Order { order_no: number.to_owned(), ..order("SO") }
    }

    fn now(&self) -> usize {
        usize::from(self.asked.fetch_add(1, Ordering::SeqCst) >= self.until)
    }
}

impl Record for Changing {
    const FIELDS: &'static [RecordField] = Order::FIELDS;

    fn field(&self, index: usize) -> Option<ValueRef<'_>> {
        let now = if Self::FIELDS[index].name == "order_no" { self.now() } else { 0 };
        self.orders[now].field(index)
    }
}

/// The same without fields of its own.
struct ChangingMore(Changing, [Fields; 2]);

impl Record for ChangingMore {
    const FIELDS: &'static [RecordField] = &[];

    fn field(&self, _index: usize) -> Option<ValueRef<'_>> {
        None
    }

    fn more(&self) -> Option<&Fields> {
        Some(&self.1[self.0.now()])
    }
}

#[test]
fn a_record_that_changes_its_number_is_one_order_and_harms_no_other() {
    let put = |until, vault: &Vault| {
        let fields = || Changing::after(0).orders.each_ref().map(|order| Fields::of(order).unwrap());
        let more = ChangingMore(Changing::after(until), fields());
        let results = match until % 2 {
            0 => vault.put_many(&[Changing::after(until), Changing::after(u32::MAX)]),
            _ => vault.put_many(&[more, ChangingMore(Changing::after(u32::MAX), fields())]),
        };
        for result in results.unwrap() {
            result.unwrap();
        }
    };
    for until in 0..40 {
        let vault = in_memory();
        vault.put(&Changing::called("SO-B")).unwrap();
        put(until, &vault);
        for number in ["SO-A", "SO-B"] {
            let seen = vault.get::<Order>("shop", "operation", number).unwrap();
            assert!(seen.value == Changing::called(number), "{number}, asked {until} times");
        }
        assert_eq!(vault.list(None, 10).unwrap().len(), 2);
        let findings = vault.doctor().unwrap();
        assert!(findings.iter().all(|finding| finding.severity == Severity::Fine));

        let sealed = vault.sealer().seal(&Changing::after(until)).unwrap();
        let number = if until == 0 { "SO-B" } else { "SO-A" };
        assert_eq!(sealed.record_id, vault.sealer().record_id(number).unwrap());
        let stored = StoredOrder { record: &sealed.record, secret: &sealed.secret };
        let seen = vault.opener().get_many::<Order>("shop", "operation", &[stored]).unwrap().pop().unwrap();
        assert!(seen.unwrap().value == Changing::called(number));
    }
}

#[test]
fn one_bad_order_leaves_the_others_be() {
    on_each_store(|vault| {
        let mut long = order("SO-2");
        long.note = "x".repeat(10 << 20);
        let mut nameless = order("SO-3");
        nameless.order_no = String::new();
        let results = vault.put_many(&[order("SO-1"), long, nameless, order("SO-4")]).unwrap();
        let error = results[1].as_ref().unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Limit);
        assert!(error.to_string().contains("note"), "{error}");
        assert!(matches!(results[2].as_ref().unwrap_err().kind(), ErrorKind::Input { .. }));
        assert_eq!(vault.list(None, 10).unwrap().len(), 2);
        assert!(vault.open("shop", "operation", "SO-4").is_ok());
    });
}

#[test]
fn unknown_parties_purposes_and_orders_are_refused_with_their_kind() {
    on_each_store(|vault| {
        vault.put(&order("SO-1")).unwrap();
        let kind = |party, purpose, order| vault.open(party, purpose, order).unwrap_err().kind().clone();
        assert_eq!(kind("nobody", "delivery", "SO-1"), ErrorKind::NotFound);
        assert_eq!(kind("SF Express", "accounting", "SO-1"), ErrorKind::NotPermitted);
        assert_eq!(kind("SF Express", "delivery", "SO-9"), ErrorKind::NotFound);
        assert_eq!(*kinds_of(vault).last().unwrap(), EntryKind::Denied);
        vault.revoke_party("SF Express").unwrap();
        assert_eq!(kind("SF Express", "delivery", "SO-1"), ErrorKind::Revoked);
        let refused = vault.add_party("SF Express", "courier", None).unwrap_err();
        assert_eq!(refused.kind(), &ErrorKind::Exists);
        assert!(matches!(
            vault.add_party("x", "no such role", None).unwrap_err().kind(),
            ErrorKind::Input { .. }
        ));
    });
}

#[test]
fn no_party_is_listed_under_a_name_that_reads_as_another_s() {
    let vault = in_memory();
    for name in ["vault", "Vault", "SF \u{202e}sserpxE", "SF Express\u{200f}", "a\u{7}", " a", ""] {
        let refused = vault.add_party(name, "courier", None).unwrap_err();
        assert!(matches!(refused.kind(), ErrorKind::Input { .. }), "{name:?}: {refused}");
    }
    // What an order says of its supplier is not for the party's name to decide.
    vault.add_party("vault builders", "supplier", Some("Yixing\u{200e}")).unwrap();
}

#[test]
fn repeated_denials_are_one_entry() {
    on_each_store(|vault| {
        for _ in 0..20 {
            assert!(vault.open("SF Express", "accounting", "SO-1").is_err());
        }
        assert_eq!(kinds_of(vault).iter().filter(|kind| **kind == EntryKind::Denied).count(), 1);
    });
}

#[test]
fn denials_not_yet_entered_are_entered_when_the_vault_is_closed() {
    let folder = Folder::new();
    let vault = folder.unlock();
    for _ in 0..20 {
        assert!(vault.open("SF Express", "accounting", "SO-1").is_err());
    }
    drop(vault);
    let entries = folder.unlock().ledger_entries(0, 100).unwrap();
    let denied: Vec<_> = entries.iter().filter(|entry| entry.kind == EntryKind::Denied).collect();
    let counts = denied.iter().map(|entry| u32::from_le_bytes(entry.detail[1..5].try_into().unwrap()));
    assert_eq!(counts.collect::<Vec<_>>(), [1, 19]);
}

#[test]
fn a_shredded_order_opens_for_nobody_and_its_number_is_used_up() {
    for mode in [ShredMode::KeepEvidence, ShredMode::WithEvidence] {
        on_each_store(|vault| {
            vault.put(&order("SO-1")).unwrap();
            vault.shred("SO-1", "asked for", mode).unwrap();
            assert_eq!(vault.open("shop", "operation", "SO-1").unwrap_err().kind(), &ErrorKind::Shredded);
            assert_eq!(vault.put(&order("SO-1")).unwrap_err().kind(), &ErrorKind::Shredded);
            assert_eq!(vault.shred("SO-1", "again", mode).unwrap_err().kind(), &ErrorKind::Shredded);
            assert!(vault.list(None, 10).unwrap().is_empty());
            assert_eq!(*kinds_of(vault).last().unwrap(), EntryKind::Shred);
        });
    }
}

#[test]
fn what_was_shredded_is_in_no_file_of_the_vault() {
    let folder = Folder::new();
    let vault = folder.unlock();
    vault.put(&order("SO-1")).unwrap();
    let secrets = rusqlite::Connection::open(folder.path().join("secrets.db")).unwrap();
    let bytes: Vec<u8> = secrets.query_row("SELECT bytes FROM piece", [], |row| row.get(0)).unwrap();
    let wrapped = &bytes[16..]; // behind the fingerprint, which says nothing once the secret is gone
    drop(secrets);
    assert!(contains(&all_bytes(&folder.path()), &wrapped[..32]), "the search finds what is there");
    vault.shred("SO-1", "asked for", ShredMode::KeepEvidence).unwrap();
    for piece in wrapped.chunks(16) {
        assert!(
            !contains(&all_bytes(&folder.path()), piece),
            "a piece of the wrapped secret is still in a file"
        );
    }
}

#[test]
fn no_value_of_an_order_is_in_any_file_of_the_vault() {
    let folder = Folder::new();
    let vault = folder.unlock();
    vault.put(&order("SO-1234567")).unwrap();
    vault.open("shop", "operation", "SO-1234567").unwrap();
    let bytes = all_bytes(&folder.path());
    for canary in ["Canary", "SO-1234567", "13812345678", "210000", "2026-11-11", "138.00"] {
        assert!(!contains(&bytes, canary.as_bytes()), "{canary}");
    }
}

#[test]
fn purposes_expire() {
    let brief = DEFAULT_POLICY.replace(r#"expires = "30d""#, r#"expires = "1s""#);
    let vault = Vault::in_memory(&Setup { policy: brief.into(), ..Setup::default() }).unwrap();
    staffed(&vault);
    vault.put(&order("SO-1")).unwrap();
    assert!(vault.open("SF Express", "delivery", "SO-1").is_ok());
    std::thread::sleep(std::time::Duration::from_millis(2_100));
    assert_eq!(vault.open("SF Express", "delivery", "SO-1").unwrap_err().kind(), &ErrorKind::Expired);
    assert!(vault.open("shop", "operation", "SO-1").is_ok(), "the others' purposes have no end");
    assert_eq!(*kinds_of(&vault).iter().rev().nth(1).unwrap(), EntryKind::Denied);
}

#[test]
fn a_grant_reaches_existing_orders_only_when_told_to() {
    let wider = DEFAULT_POLICY.replace(
        r#"open = ["order_no", "placed_at", "amount"]"#,
        r#"open = ["order_no", "placed_at", "amount", "note"]"#,
    );
    for (existing, reaches) in [(ExistingOrders::Yes, true), (ExistingOrders::No, false)] {
        on_each_store(|vault| {
            vault.put(&order("SO-1")).unwrap();
            vault.apply_policy(&wider, existing).unwrap();
            vault.put(&order("SO-2")).unwrap();
            let note = |order| vault.open("ledger clerk", "accounting", order).unwrap().get("note").is_ok();
            assert_eq!((note("SO-1"), note("SO-2")), (reaches, true));
            let narrower = DEFAULT_POLICY.replace(r#", "amount"]"#, "]");
            vault.apply_policy(&narrower, ExistingOrders::Yes).unwrap();
            let amount =
                |order| vault.open("ledger clerk", "accounting", order).unwrap().get("amount").is_ok();
            assert_eq!((amount("SO-1"), amount("SO-2")), (false, false), "a grant removed stops at once");
        });
    }
}

#[test]
fn a_new_field_is_absent_in_old_orders_and_there_in_new_ones() {
    let with_gift = format!(
        "{}\n[field.\"extra.gift\"]\nid = 20\ntype = \"text\"\n[role.courier.gifts]\nopen = [\"extra.gift\"]\n",
        DEFAULT_POLICY
    );
    on_each_store(|vault| {
        vault.put(&order("SO-1")).unwrap();
        let policy = vault.apply_policy(&with_gift, ExistingOrders::Yes).unwrap();
        let json =
            order_json("SO-2").replace(r#""note":"Canary-Note""#, r#""note":"","extra":{"gift":"ribbon"}"#);
        vault.put(&Order::from_json(&json, &policy).unwrap()).unwrap();
        let gift =
            |order| vault.open("SF Express", "gifts", order).unwrap().text("extra.gift").map(str::to_owned);
        assert_eq!(gift("SO-2").unwrap(), "ribbon");
        assert_eq!(gift("SO-1").unwrap_err().kind(), &ErrorKind::Absent);
    });
}

#[test]
fn a_number_that_changes_its_meaning_is_refused() {
    let swapped = DEFAULT_POLICY
        .replace("[field.note]\nid = 8\ntype = \"text\"", "[field.note]\nid = 8\ntype = \"json\"");
    assert_ne!(swapped, DEFAULT_POLICY);
    on_each_store(|vault| {
        assert_eq!(
            vault.apply_policy(&swapped, ExistingOrders::Yes).unwrap_err().kind(),
            &ErrorKind::Conflict
        );
    });
}

#[test]
fn a_sound_vault_has_nothing_for_the_doctor() {
    on_each_store(|vault| {
        let orders: Vec<_> = (0..20).map(|n| order(&format!("SO-{n}"))).collect();
        vault.put_many(&orders).unwrap();
        vault.shred("SO-3", "asked for", ShredMode::KeepEvidence).unwrap();
        vault.shred("SO-4", "asked for", ShredMode::WithEvidence).unwrap();
        vault.open("shop", "operation", "SO-5").unwrap();
        vault.revoke_party("SF Express").unwrap();
        for finding in vault.doctor().unwrap() {
            assert_eq!(finding.severity, Severity::Fine, "{}: {}", finding.check, finding.message);
        }
    });
}

#[test]
fn listing_pages_by_cursor_and_opens_nothing() {
    on_each_store(|vault| {
        let orders: Vec<_> = (0..25).map(|n| order(&format!("SO-{n}"))).collect();
        vault.put_many(&orders).unwrap();
        let entries = vault.ledger_state().unwrap();
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = vault.list(after, 10).unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.id.into());
            seen.extend(page.iter().map(|row| row.id));
        }
        assert_eq!(seen.len(), 25);
        assert!(seen.is_sorted_by(|a, b| a < b));
        assert_eq!(vault.ledger_state().unwrap(), entries);
    });
}

#[test]
fn own_tables_seal_log_and_open_without_a_store() {
    on_each_store(|vault| {
        let sealed = vault.sealer().seal(&order("SO-1")).unwrap();
        vault.sealer().log(std::slice::from_ref(&sealed)).unwrap();
        let stored = StoredOrder { record: &sealed.record, secret: &sealed.secret };
        let mut views = vault.opener().open_many("SF Express", "delivery", &[stored]).unwrap();
        assert_eq!(views.remove(0).unwrap().text("consignee.name").unwrap(), "Canary-Name SO-1");
        assert!(vault.list(None, 1).unwrap().is_empty());
        assert!(kinds_of(vault).ends_with(&[EntryKind::Put, EntryKind::Disclosure]));
    });
}

#[test]
fn a_vault_is_the_same_after_it_was_closed_and_another_key_does_not_open_it() {
    let folder = Folder::new();
    let vault = folder.unlock();
    vault.put(&order("SO-1")).unwrap();
    drop(vault);
    assert!(folder.unlock().open("shop", "operation", "SO-1").is_ok());
    let wrong = Vault::unlock(&folder.path(), &KeyFile::from_bytes([1; 32])).map(drop).unwrap_err();
    assert_eq!(wrong.kind(), &ErrorKind::RootKey);
    let phrase = consignee::Passphrase::new("correct horse battery");
    assert_eq!(Vault::unlock(&folder.path(), &phrase).map(drop).unwrap_err().kind(), &ErrorKind::RootKey);
}

#[test]
fn another_process_sees_a_revocation_and_a_policy_at_once() {
    let folder = Folder::new();
    let (one, two) = (folder.unlock(), folder.unlock());
    one.put(&order("SO-1")).unwrap();
    assert!(two.open("SF Express", "delivery", "SO-1").is_ok());
    one.revoke_party("SF Express").unwrap();
    assert_eq!(two.open("SF Express", "delivery", "SO-1").unwrap_err().kind(), &ErrorKind::Revoked);
    let narrower = DEFAULT_POLICY.replace(r#", "amount"]"#, "]");
    two.apply_policy(&narrower, ExistingOrders::Yes).unwrap();
    assert_eq!(one.policy().unwrap().digest(), two.policy().unwrap().digest());
}

/// A ledger store that lets something else happen right after the entries of one call are durable.
struct Interrupted {
    ledger: Arc<dyn LedgerStore>,
    then: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl LedgerStore for Interrupted {
    fn append(&self, build: &mut dyn FnMut(&LedgerHead) -> (Vec<LedgerRow>, LedgerHead)) -> StoreResult<()> {
        self.ledger.append(build)?;
        let then = self.then.lock().unwrap().take();
        if let Some(then) = then {
            then();
        }
        Ok(())
    }

    fn head(&self) -> StoreResult<LedgerHead> {
        self.ledger.head()
    }

    fn entries(&self, from: u64, limit: usize) -> StoreResult<Vec<LedgerRow>> {
        self.ledger.entries(from, limit)
    }

    fn find_handle(&self, handle: &[u8; 16]) -> StoreResult<Vec<u64>> {
        self.ledger.find_handle(handle)
    }
}

#[test]
fn what_was_revoked_or_shredded_while_it_was_opened_is_not_opened() {
    let narrower =
        DEFAULT_POLICY.replace(r#""consignee.phone", "consignee.address"]"#, r#""consignee.address"]"#);
    type Change = Box<dyn Fn(&Vault) + Send + Sync>;
    let changes: [(Change, ErrorKind); 3] = [
        (Box::new(|vault| drop(vault.revoke_party("SF Express").unwrap())), ErrorKind::Revoked),
        (
            Box::new(move |vault| drop(vault.apply_policy(&narrower, ExistingOrders::Yes).unwrap())),
            ErrorKind::Conflict,
        ),
        (
            Box::new(|vault| {
                vault.shred("SO-1", "asked for", ShredMode::KeepEvidence).unwrap();
            }),
            ErrorKind::Conflict,
        ),
    ];
    for (change, refused) in changes {
        let (stores, key) = (Memory::stores(), KeyFile::from_bytes(common::ROOT));
        let other = Vault::begin(stores.clone(), &key, &Setup::default()).unwrap();
        staffed(&other);
        other.put(&order("SO-1")).unwrap();
        let interrupted = Arc::new(Interrupted { ledger: stores.ledger.clone(), then: Mutex::default() });
        let vault = Vault::resume(Stores { ledger: interrupted.clone(), ..stores }, &key).unwrap();
        assert!(vault.open("SF Express", "delivery", "SO-1").is_ok());
        *interrupted.then.lock().unwrap() = Some(Box::new(move || change(&other)));
        let entries = vault.ledger_state().unwrap().size;
        let kind = vault.open("SF Express", "delivery", "SO-1").unwrap_err().kind().clone();
        assert_eq!(kind, refused);
        let entry = vault.ledger_entries(entries, 1).unwrap().remove(0);
        assert_eq!(entry.kind, EntryKind::Disclosure, "the entry of the attempt stays");
    }
}

#[test]
fn an_order_above_16_mib_is_refused_and_the_others_are_stored() {
    let fields: String =
        (0..17).map(|at| format!("[field.f{at}]\nid = {}\ntype = \"bytes\"\n", at + 10)).collect();
    let policy = format!(
        "version = 1\n[field.order_no]\nid = 1\ntype = \"text\"\n{fields}[role.platform.operation]\nopen = [\"order_no\", \"f0\", \"f15\"]\n"
    );
    let vault = Vault::in_memory(&Setup { policy: policy.into(), ..Setup::default() }).unwrap();
    vault.add_party("shop", "platform", None).unwrap();
    let order = |number: &str, parts: u8| {
        let mut order = Fields::new().with("order_no", Value::Text(number.to_owned()));
        (0..parts).for_each(|at| order.set(format!("f{at}"), Value::Bytes(vec![at; 1_000_000])));
        order
    };
    let results = vault.put_many(&[order("SO-1", 16), order("SO-2", 17), order("SO-3", 1)]).unwrap();
    let kinds: Vec<_> =
        results.iter().map(|result| result.as_ref().err().map(|e| e.kind().clone())).collect();
    assert_eq!(kinds, [None, Some(ErrorKind::Limit), None]);
    let view = vault.open("shop", "operation", "SO-1").unwrap();
    assert!(view.get("f15").unwrap() == &Value::Bytes(vec![15; 1_000_000]));
    assert_eq!(vault.open("shop", "operation", "SO-2").unwrap_err().kind(), &ErrorKind::NotFound);
}
