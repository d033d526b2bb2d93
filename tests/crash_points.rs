//! Each operation, failing at its first write, its second, its third, until it succeeds.
//!
//! Rules, whichever write it is and whether it was refused (full disk) or the power went before or after it:
//! 1. The operation reports an error of the kind `Storage`.
//! 2. Nothing is half there, neither for the vault that goes on nor for one that is unlocked afterwards: an order opens whole or
//!    does not exist; it opens whole or is shredded, its record gone, its secret destroyed and wiped; a party, a policy is in
//!    force or is not.
//! 3. What is there has its entry in the ledger, entries are never lost, and there is no view without an entry.
//! 4. `doctor` finds no fault: a crash is not taken for a restored backup.
//! 5. What was acknowledged before is untouched, and repeating the operation succeeds.
#![cfg(feature = "sqlite")] // for the fixtures
#![allow(clippy::unwrap_used)]

mod common;
mod faulty;

use common::{ROOT, order, staffed};
use consignee::{
    Entry, EntryKind, Error, ErrorKind, ExistingOrders, KeyFile, OwnTables, Patch, Put, Setup, Severity,
    ShredMode, Value, Vault,
    policy::{DEFAULT_POLICY, Policy},
    store::{Memory, SecretRow, SecretState, Stores},
};
use faulty::{Fault, Switch};

/// Rules that were broken, with the place.
struct Broken<'a> {
    place: String,
    found: &'a mut Vec<String>,
}

impl Broken<'_> {
    fn unless(&mut self, holds: bool, rule: &str) {
        if !holds {
            self.found.push(format!("{}: {rule}", self.place));
        }
    }
}

/// What an operation left.
struct Left<'a> {
    vault: &'a Vault,
    stores: &'a Stores,
    switch: &'a Switch,
    /// Entries and secret rows before the operation.
    entries: Vec<Entry>,
    secrets: Vec<SecretRow>,
}

impl Left<'_> {
    /// Entries since the operation began, with their index.
    fn new_entries(&self) -> Vec<Entry> {
        self.vault.ledger_entries(self.entries.len() as u64, 10_000).unwrap()
    }

    fn has_new(&self, kind: EntryKind) -> bool {
        self.new_entries().iter().any(|entry| entry.kind == kind)
    }

    /// Rules 3 to 5, as far as they are the same for all operations.
    fn sound(&self, broken: &mut Broken<'_>) {
        let old = self.vault.ledger_entries(0, self.entries.len()).unwrap();
        broken.unless(old == self.entries, "entries were lost or altered");
        broken
            .unless(matches!(state(self.vault, "SO-old"), State::Whole), "an order put earlier is not whole");
        for finding in self.vault.doctor().unwrap() {
            let message = format!("doctor: {}", finding.message);
            broken.unless(finding.severity != Severity::Fault, &message);
        }
    }
}

fn key() -> KeyFile {
    KeyFile::from_bytes(ROOT)
}

/// Runs `operation` on fresh vaults, failing at each of its writes in turn; `check` sees the vault as it was left.
fn at_each_write<T>(
    prepare: impl Fn(&Vault),
    operation: impl Fn(&Vault) -> Result<T, Error>,
    check: impl Fn(&Left<'_>, &mut Broken<'_>),
) {
    let mut found = Vec::new();
    for (fault, resumed) in
        [(Fault::Refused, false), (Fault::Refused, true), (Fault::CutBefore, true), (Fault::CutAfter, true)]
    {
        for write in 1.. {
            let (stores, switch) = (Memory::stores(), Switch::default());
            let vault = Vault::begin(stores.clone(), &key(), &Setup::default()).unwrap();
            staffed(&vault);
            vault.put(&order("SO-old")).unwrap();
            prepare(&vault);
            let entries = vault.ledger_entries(0, 10_000).unwrap();
            let secrets = stores.secrets.secrets_page(None, 1_000).unwrap();
            drop(vault);
            let resume = || Vault::resume(faulty::stores(&stores, &switch), &key()).unwrap();
            let vault = resume();
            switch.arm(fault, write);
            let result = operation(&vault).map(drop);
            // Dropped before the switch is mended: what is left of the old process must not write any more.
            let going_on = (!resumed).then_some(vault);
            let Some(name) = switch.mend() else {
                assert!(result.is_ok() && write > 1, "{:?} after {write} writes", result.err());
                break;
            };
            let vault = going_on.unwrap_or_else(resume);
            let after = if resumed { "unlocked again" } else { "going on" };
            let place = format!("{fault:?}, write {write} ({name}), {after}");
            let mut broken = Broken { place, found: &mut found };
            let kind = result.err().map(|error| error.kind().clone());
            broken.unless(kind == Some(ErrorKind::Storage), "the failure was not reported as Storage");
            check(&Left { vault: &vault, stores: &stores, switch: &switch, entries, secrets }, &mut broken);
        }
    }
    assert!(found.is_empty(), "{} rules broken: {found:#?}", found.len());
}

enum State {
    Whole,
    Missing,
    Shredded,
    Other,
}

/// The order as the shop sees it, compared with what was put.
fn state(vault: &Vault, order_no: &str) -> State {
    match vault.open("shop", "operation", order_no) {
        Ok(view) => {
            let (fields, given) = (&view.to_json()["fields"], order(order_no).to_json());
            let same =
                ["order_no", "placed_at", "items", "amount", "note"].iter().all(|f| fields[f] == given[f])
                    && ["name", "phone", "address"]
                        .iter()
                        .all(|f| fields[format!("consignee.{f}")] == given["consignee"][f]);
            let entries = vault.ledger_entries(view.ledger_index(), 1).unwrap();
            let entered = entries.iter().any(|entry| entry.kind == EntryKind::Disclosure);
            if same && entered { State::Whole } else { State::Other }
        }
        Err(e) => match e.kind() {
            ErrorKind::NotFound => State::Missing,
            ErrorKind::Shredded => State::Shredded,
            _ => State::Other,
        },
    }
}

fn check_put(left: &Left<'_>, broken: &mut Broken<'_>, numbers: &[&str]) {
    left.sound(broken);
    for order_no in numbers {
        let before = state(left.vault, order_no);
        broken
            .unless(matches!(before, State::Whole | State::Missing), "an order is neither whole nor absent");
        let again = left.vault.put(&order(order_no));
        broken.unless(
            match before {
                State::Whole => matches!(again, Ok(Put::Unchanged(_))),
                _ => matches!(again, Ok(Put::Stored(_))),
            },
            "putting again does not agree with what is there",
        );
        broken.unless(matches!(state(left.vault, order_no), State::Whole), "put again, it does not open");
    }
    let (rows, records) =
        (left.stores.secrets.secrets_page(None, 1_000).unwrap(), left.stores.orders.count_records().unwrap());
    broken.unless(rows.len() as u64 == records, "secrets of the failed put are left after it was repeated");
    let mut serials: Vec<u64> = rows.iter().map(|row| row.serial).collect();
    serials.sort_unstable();
    broken.unless(serials.is_sorted_by(|a, b| a < b), "two orders have one serial number");
    left.sound(broken);
}

#[test]
fn put() {
    at_each_write(
        |_| {},
        |vault| vault.put(&order("SO-1")),
        |left, broken| {
            check_put(left, broken, &["SO-1"]);
        },
    );
}

#[test]
fn put_many_with_old_and_doubled_numbers() {
    let orders = ["SO-old", "SO-1", "SO-2", "SO-1", "SO-3"].map(order);
    at_each_write(
        |_| {},
        |vault| vault.put_many(&orders),
        |left, broken| check_put(left, broken, &["SO-1", "SO-2", "SO-3"]),
    );
}

/// What the first failed put left is removed by the second, which fails, too.
#[test]
fn put_again_after_a_put_that_failed() {
    let failed_twice = std::cell::Cell::new(0);
    for second in 1..=4 {
        at_each_write(
            |_| {},
            |vault| vault.put(&order("SO-1")),
            |left, broken| {
                left.switch.arm(Fault::Refused, second);
                let again = left.vault.put(&order("SO-1"));
                if left.switch.mend().is_some() {
                    broken.unless(again.is_err(), "the second failure was not reported");
                    failed_twice.set(failed_twice.get() + 1);
                }
                check_put(left, broken, &["SO-1"]);
            },
        );
    }
    assert!(failed_twice.get() > 16, "few second failures were reached: {}", failed_twice.get());
}

#[test]
fn open_and_open_many() {
    for orders in [&["SO-1"][..], &["SO-1", "SO-2", "SO-old"]] {
        at_each_write(
            |vault| drop(vault.put_many(&[order("SO-1"), order("SO-2")]).unwrap()),
            |vault| vault.open_many("SF Express", "delivery", orders),
            |left, broken| {
                let entered = left.new_entries().len();
                broken.unless(entered == 0 || entered == orders.len(), "some of a batch's entries, not all");
                let size = left.vault.ledger_state().unwrap().size;
                let views = left.vault.open_many("SF Express", "delivery", orders).unwrap();
                for (view, index) in views.iter().flatten().zip(size..) {
                    broken.unless(view.ledger_index() == index, "a view without an entry of its own");
                }
                broken.unless(views.iter().all(Result::is_ok), "an order does not open any more");
                left.sound(broken);
            },
        );
    }
}

/// Whoever is told that it may not is in the ledger, also if the first attempt to enter it failed.
#[test]
fn a_refused_opening() {
    let refused = |vault: &Vault| match vault.open("SF Express", "accounting", "SO-old").map(drop) {
        Err(e) if *e.kind() == ErrorKind::NotPermitted => Ok(()),
        other => Err(other.unwrap_err()),
    };
    at_each_write(
        |_| {},
        refused,
        |left, broken| {
            broken.unless(refused(left.vault).is_ok(), "the refusal is not repeated");
            broken.unless(left.has_new(EntryKind::Denied), "a refusal was told and is not in the ledger");
            left.sound(broken);
        },
    );
}

fn check_shred(left: &Left<'_>, broken: &mut Broken<'_>, mode: ShredMode) {
    let before = state(left.vault, "SO-1");
    broken
        .unless(matches!(before, State::Whole | State::Shredded), "the order is neither whole nor shredded");
    let entered = left.has_new(EntryKind::Shred);
    broken.unless(
        matches!(before, State::Shredded) == entered,
        "the ledger's entry and the order do not agree",
    );
    left.sound(broken);
    match left.vault.shred("SO-1", "asked for", mode) {
        Ok(_) => broken.unless(matches!(before, State::Whole), "a shredded order was shredded again"),
        Err(e) => broken.unless(
            *e.kind() == ErrorKind::Shredded && matches!(before, State::Shredded),
            "shredding cannot be repeated",
        ),
    }
    broken.unless(matches!(state(left.vault, "SO-1"), State::Shredded), "shredded again, it is not shredded");
    let shreds = left.new_entries().iter().filter(|entry| entry.kind == EntryKind::Shred).count();
    broken.unless(shreds == 1, "a shredded order has not exactly one entry that says so");
    broken.unless(left.stores.orders.count_records().unwrap() == 1, "its record is still there");
    let rows = left.stores.secrets.secrets_page(None, 1_000).unwrap();
    let old = left.secrets.iter().filter(|old| !rows.iter().any(|row| row.wrapped == old.wrapped));
    broken.unless(old.count() == 1, "its secret is still there");
    broken.unless(left.stores.secrets.unsettled().unwrap().is_empty(), "something is left to settle");
    broken.unless(!left.switch.unwiped(), "its secret was not wiped from the files");
    let again = left.vault.put(&order("SO-1")).map(drop).unwrap_err();
    broken.unless(*again.kind() == ErrorKind::Shredded, "its number can be put again");
    left.sound(broken);
}

#[test]
fn shred() {
    for mode in [ShredMode::KeepEvidence, ShredMode::WithEvidence] {
        let alias = std::cell::RefCell::new(String::new());
        at_each_write(
            |vault| {
                vault.put(&order("SO-1")).unwrap();
                let seen = vault.open("SF Express", "delivery", "SO-1").unwrap();
                alias.replace(seen.alias().to_string());
            },
            |vault| vault.shred("SO-1", "asked for", mode),
            |left, broken| {
                check_shred(left, broken, mode);
                let seen =
                    left.vault.resolve_alias(&alias.borrow()).unwrap().seen.map_or(0, |seen| seen.len());
                let wanted = usize::from(mode == ShredMode::KeepEvidence);
                broken.unless(seen == wanted, "the evidence is not what the mode says");
            },
        );
    }
}

#[test]
fn add_party() {
    let is_known = |vault: &Vault| vault.parties().unwrap().iter().any(|party| party.name == "New Ltd");
    let opens = |vault: &Vault| vault.open("New Ltd", "delivery", "SO-old").is_ok();
    at_each_write(
        |_| {},
        |vault| vault.add_party("New Ltd", "courier", None),
        |left, broken| {
            let known = is_known(left.vault);
            broken.unless(opens(left.vault) == known, "a party is known and cannot open, or the reverse");
            broken.unless(!known || left.has_new(EntryKind::Party), "a party without an entry");
            left.sound(broken);
            match left.vault.add_party("New Ltd", "courier", None) {
                Ok(_) => broken.unless(!known, "one name was given twice"),
                Err(e) => broken.unless(known && *e.kind() == ErrorKind::Exists, "adding cannot be repeated"),
            }
            broken.unless(is_known(left.vault) && opens(left.vault), "added again, it cannot open");
            left.sound(broken);
        },
    );
}

/// The number of the party whose adding failed may be given to another one.
#[test]
fn add_another_party_after_one_that_failed() {
    at_each_write(
        |_| {},
        |vault| vault.add_party("New Ltd", "courier", None),
        |left, broken| {
            left.vault.add_party("Other Ltd", "support", None).unwrap();
            broken.unless(left.vault.open("Other Ltd", "call_back", "SO-old").is_ok(), "it cannot open");
            broken.unless(
                left.vault.open("Other Ltd", "delivery", "SO-old").is_err(),
                "it has the other's role",
            );
            left.sound(broken);
        },
    );
}

#[test]
fn revoke_party() {
    let open = |vault: &Vault| match vault.open("SF Express", "delivery", "SO-old").map(drop) {
        Ok(()) => Some(true),
        Err(e) if *e.kind() == ErrorKind::Revoked => Some(false),
        Err(_) => None,
    };
    at_each_write(
        |_| {},
        |vault| vault.revoke_party("SF Express"),
        |left, broken| {
            let may = open(left.vault);
            broken.unless(may.is_some(), "the party is neither active nor revoked");
            let entered = left.has_new(EntryKind::Revoke);
            broken.unless((may == Some(false)) == entered, "the ledger's entry and the party do not agree");
            left.sound(broken);
            let again = left.vault.revoke_party("SF Express").map(drop);
            let kind = again.err().map(|e| e.kind().clone());
            broken.unless(
                if may == Some(true) { kind.is_none() } else { kind == Some(ErrorKind::Revoked) },
                "revoking cannot be repeated",
            );
            broken.unless(open(left.vault) == Some(false), "revoked again, it still opens");
            left.sound(broken);
        },
    );
}

#[test]
fn apply_policy() {
    let wider = format!(
        "{}\n[field.\"extra.gift\"]\nid = 20\ntype = \"text\"\n[role.courier.gifts]\nopen = [\"extra.gift\"]\n",
        DEFAULT_POLICY
    );
    let (before, after) = (Policy::built_in().digest(), Policy::parse(&wider).unwrap().digest());
    at_each_write(
        |_| {},
        |vault| vault.apply_policy(&wider, ExistingOrders::Yes),
        |left, broken| {
            let in_force = left.vault.policy().unwrap().digest();
            broken.unless([before, after].contains(&in_force), "another policy is in force");
            let entries = left.vault.ledger_entries(0, 10_000).unwrap();
            let newest = entries.iter().rev().find(|entry| entry.kind == EntryKind::Policy);
            broken.unless(
                newest.is_some_and(|entry| entry.policy == in_force),
                "the policy in force is not the ledger's newest",
            );
            broken.unless(left.vault.put(&order("SO-2")).is_ok(), "nothing can be put");
            broken.unless(matches!(state(left.vault, "SO-2"), State::Whole), "what was put does not open");
            left.sound(broken);
            broken.unless(
                left.vault.apply_policy(&wider, ExistingOrders::Yes).is_ok(),
                "applying cannot be repeated",
            );
            broken
                .unless(left.vault.policy().unwrap().digest() == after, "applied again, it is not in force");
            broken
                .unless(matches!(state(left.vault, "SO-2"), State::Whole), "an earlier order does not open");
            left.sound(broken);
        },
    );
}

#[test]
fn update() {
    let note = |vault: &Vault| {
        let view = vault.open("shop", "operation", "SO-1").ok()?;
        Some((view.text("note").ok()?.to_owned(), view.revision()))
    };
    let patch = || Patch::new().set("note", Value::Text("new".into()));
    let (before, after) = (Some(("Canary-Note".to_owned(), 1)), Some(("new".to_owned(), 2)));
    at_each_write(
        |vault| {
            vault.put(&order("SO-1")).unwrap();
        },
        |vault| vault.update("SO-1", 1, patch()),
        |left, broken| {
            // Read before anybody writes, so before anything is settled: one of the two revisions, whole.
            let seen = note(left.vault);
            broken.unless(seen == before || seen == after, "neither the old revision nor the new one opens");
            broken.unless(left.vault.put(&order("SO-2")).is_ok(), "nothing can be put");
            let settled = note(left.vault);
            broken.unless(
                (settled == after) == left.has_new(EntryKind::Update),
                "the revision that opens and the ledger do not agree",
            );
            broken.unless(settled == before || settled == after, "settling left neither revision");
            broken.unless(!(seen == after && settled == before), "a revision that was seen was undone");
            let rows = left.stores.secrets.secrets_page(None, 1_000).unwrap();
            broken.unless(
                rows.iter().all(|row| row.state != SecretState::Pending),
                "a pending secret was left",
            );
            left.sound(broken);
            let again = left.vault.update("SO-1", if settled == before { 1 } else { 2 }, patch());
            broken.unless(again.is_ok_and(|revision| revision == 2), "updating cannot be repeated");
            broken.unless(note(left.vault) == after, "updated again, the new revision does not open");
            left.sound(broken);
        },
    );
}

#[test]
fn find() {
    at_each_write(
        |vault| {
            vault.put(&order("SO-1")).unwrap();
        },
        |vault| vault.find("agent 17", "after_sale", "consignee.phone", "13812345678"),
        |left, broken| {
            left.sound(broken);
            let hits = left.vault.find("agent 17", "after_sale", "consignee.phone", "13812345678");
            broken.unless(hits.is_ok_and(|hits| hits.hits.len() == 2), "searching cannot be repeated");
            broken.unless(left.has_new(EntryKind::Search), "a search without an entry");
        },
    );
}

/// Every order of the fixtures opens whole and is found.
fn all_whole(left: &Left<'_>, broken: &mut Broken<'_>, numbers: &[&str]) {
    for order_no in numbers {
        broken.unless(matches!(state(left.vault, order_no), State::Whole), "an order does not open whole");
    }
    let hits = left.vault.find("agent 17", "after_sale", "consignee.phone", "13812345678");
    let found = hits.is_ok_and(|hits| hits.unreadable == 0 && hits.hits.len() == numbers.len());
    broken.unless(found, "search does not find every order once");
}

fn items_of(stores: &Stores, kinds: std::ops::RangeInclusive<u8>, generation: u32) -> usize {
    let items = stores.keys.items().unwrap();
    items.iter().filter(|item| kinds.contains(&item.kind) && item.generation == generation).count()
}

fn rotations(vault: &Vault) -> Vec<Vec<u8>> {
    let entries = vault.ledger_entries(0, 10_000).unwrap();
    entries.into_iter().filter(|entry| entry.kind == EntryKind::Rotation).map(|entry| entry.detail).collect()
}

#[test]
fn rotate() {
    at_each_write(
        |_| {},
        |vault| vault.rotate(None),
        |left, broken| {
            left.sound(broken);
            let (entered, there) = (rotations(left.vault).len(), items_of(left.stores, 1..=2, 2) > 0);
            broken.unless(there == (entered == 1), "an epoch without its entry, or the reverse");
            left.vault.put(&order("SO-new")).unwrap();
            let epoch = left.vault.rotate(None).unwrap();
            broken.unless(epoch == if there { 3 } else { 2 }, "a number was left out or used twice");
            all_whole(left, broken, &["SO-old", "SO-new"]);
            left.sound(broken);
        },
    );
}

#[test]
fn reseal() {
    let numbers = ["SO-old", "SO-1", "SO-2", "SO-3"];
    at_each_write(
        |vault| {
            vault.put_many(&["SO-1", "SO-2", "SO-3"].map(order)).unwrap();
            vault.rotate(None).unwrap();
        },
        |vault| vault.reseal(1, |_| ()),
        |left, broken| {
            all_whole(left, broken, &numbers);
            left.sound(broken);
            broken.unless(left.stores.secrets.unsettled().unwrap().is_empty(), "something is left to settle");
            let updated = left.vault.update("SO-1", 1, Patch::new().set("note", Value::Text("new".into())));
            broken.unless(updated.is_ok_and(|revision| revision == 2), "a resealed order cannot be updated");
            let shredded = left.vault.shred("SO-2", "asked for", ShredMode::KeepEvidence);
            broken.unless(shredded.is_ok(), "a resealed order cannot be shredded");
            let again = left.vault.reseal(1, |_| ());
            broken.unless(again.is_ok_and(|again| again.failed == 0), "resealing cannot be repeated");
            let left_there = left.stores.orders.count_epochs().unwrap();
            broken.unless(left_there == [(2, 3)], "orders are left in the old epoch");
            let destroyed = left.vault.destroy_epoch(1, OwnTables::None);
            broken.unless(destroyed.is_ok(), "the old epoch cannot be destroyed");
            for order_no in ["SO-old", "SO-3"] {
                broken.unless(matches!(state(left.vault, order_no), State::Whole), "an order was lost");
            }
            left.sound(broken);
        },
    );
}

/// The settling of what a reseal left fails, too.
#[test]
fn reseal_again_after_a_reseal_that_failed() {
    let failed_twice = std::cell::Cell::new(0);
    for second in 1..=6 {
        at_each_write(
            |vault| {
                vault.rotate(None).unwrap();
            },
            |vault| vault.reseal(1, |_| ()),
            |left, broken| {
                left.switch.arm(Fault::Refused, second);
                let again = left.vault.reseal(1, |_| ());
                if left.switch.mend().is_some() {
                    broken.unless(again.is_err(), "the second failure was not reported");
                    failed_twice.set(failed_twice.get() + 1);
                }
                left.vault.reseal(1, |_| ()).unwrap();
                all_whole(left, broken, &["SO-old"]);
                broken.unless(left.stores.orders.count_epochs().unwrap() == [(2, 1)], "it was not moved");
                left.sound(broken);
            },
        );
    }
    assert!(failed_twice.get() > 16, "few second failures were reached: {}", failed_twice.get());
}

#[test]
fn rewrap() {
    at_each_write(
        |vault| {
            vault.put_many(&["SO-1", "SO-2"].map(order)).unwrap();
            vault.shred("SO-2", "asked for", ShredMode::KeepEvidence).unwrap();
        },
        |vault| vault.rewrap(OwnTables::None, |_| ()),
        |left, broken| {
            all_whole(left, broken, &["SO-old", "SO-1"]);
            broken.unless(matches!(state(left.vault, "SO-2"), State::Shredded), "a shredded order is back");
            left.sound(broken);
            let left_there = items_of(left.stores, 3..=3, 1);
            // Where the first was whole but for the wiping of the files, which is done by the next writer.
            let gone = left_there == 0;
            let again = left.vault.rewrap(OwnTables::None, |_| ()).unwrap();
            let goes_on = again.generation == if gone { 3 } else { 2 };
            broken.unless(goes_on, "a rewrap that was cut short is not gone on with");
            broken.unless(items_of(left.stores, 3..=3, 1) == 0, "the old release key is still there");
            let last = left.stores.secrets.count_generations().unwrap();
            broken.unless(last == [(again.generation, 3)], "rows are left behind");
            broken.unless(!left.switch.unwiped(), "old bytes were not wiped from the files");
            all_whole(left, broken, &["SO-old", "SO-1"]);
            left.sound(broken);
        },
    );
}

#[test]
fn destroy_epoch() {
    at_each_write(
        |vault| {
            vault.rotate(None).unwrap();
            vault.reseal(1, |_| ()).unwrap();
        },
        |vault| vault.destroy_epoch(1, OwnTables::None),
        |left, broken| {
            all_whole(left, broken, &["SO-old"]);
            left.sound(broken);
            let gone = items_of(left.stores, 1..=2, 1) == 0;
            let entered = rotations(left.vault).len() == 2;
            broken.unless(gone == entered, "keys are gone without an entry, or the reverse");
            match left.vault.destroy_epoch(1, OwnTables::None) {
                Ok(()) => broken.unless(!gone, "an epoch was destroyed twice"),
                Err(e) => broken.unless(gone && *e.kind() == ErrorKind::NotFound, "it cannot be repeated"),
            }
            broken.unless(items_of(left.stores, 1..=2, 1) == 0, "the keys are still there");
            all_whole(left, broken, &["SO-old"]);
            left.sound(broken);
        },
    );
}
