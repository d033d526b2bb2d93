//! The ledger: entries altered, removed, moved, forged, with the head and without.

use consignee::{
    Entry, EntryKind, ErrorKind, KeyFile, Patch, Severity, ShredMode, Value, Vault,
    store::{LedgerHead, LedgerRow, Memory, SecretRow, SecretState, Stores},
};
use sha2::{Digest, Sha256};

use crate::{
    Shop,
    common::{Folder, ROOT, order},
    database, faults,
};

/// An entry is altered, removed, or two change places.
#[test]
fn an_altered_ledger_is_found() {
    for sql in [
        "UPDATE entry SET bytes = CAST(bytes || x'00' AS BLOB) WHERE idx = 3",
        "DELETE FROM entry WHERE idx = (SELECT max(idx) FROM entry)",
        "UPDATE entry SET bytes = (SELECT bytes FROM entry WHERE idx = 4) WHERE idx = 3",
        "UPDATE head SET frontier = zeroblob(length(frontier))",
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

/// Head of a ledger of these entries, as RFC 6962 has it: what anybody can compute.
fn head_of(entries: &[LedgerRow]) -> LedgerHead {
    let mut head = LedgerHead { size: entries.len() as u64, ..LedgerHead::default() };
    let mut rest: Vec<[u8; 32]> = entries
        .iter()
        .map(|row| Sha256::new_with_prefix([0]).chain_update(&row.bytes).finalize().into())
        .collect();
    while let Some(bits) = rest.len().checked_ilog2() {
        let tail = rest.split_off(1 << bits);
        while rest.len() > 1 {
            let node = |pair: &[[u8; 32]]| {
                Sha256::new_with_prefix([1]).chain_update(pair.concat()).finalize().into()
            };
            rest = rest.chunks(2).map(node).collect();
        }
        head.frontier.append(&mut rest);
        rest = tail;
    }
    head
}

impl Shop {
    fn entries(&self) -> Vec<LedgerRow> {
        self.stores.ledger.entries(0, 1000).unwrap()
    }

    /// This vault with another ledger, unlocked anew.
    fn with_ledger(&self, entries: &[LedgerRow], head: LedgerHead) -> Vault {
        let stores = Stores { ledger: Memory::stores().ledger, ..self.stores.clone() };
        let mut write = Some((entries.to_vec(), head));
        stores.ledger.append(&mut |_| write.take().unwrap()).unwrap();
        Vault::resume(stores, &KeyFile::from_bytes(ROOT)).unwrap()
    }

    /// With a head that fits.
    fn with_forged_ledger(&self, entries: &[LedgerRow]) -> Vault {
        self.with_ledger(entries, head_of(entries))
    }
}

fn kind(row: &LedgerRow) -> EntryKind {
    Entry::decode(&row.bytes).unwrap().kind
}

fn at(entries: &[LedgerRow], wanted: EntryKind) -> usize {
    entries.iter().position(|row| kind(row) == wanted).unwrap()
}

/// Each check that found something, faults and warnings.
fn found(vault: &Vault) -> Vec<&'static str> {
    let findings = vault.doctor().unwrap();
    findings.into_iter().filter(|f| f.severity > Severity::Fine).map(|f| f.check).collect()
}

/// Whoever writes ledger.db replaces entries and leaves the head: by another vault's entries, by two orders' entries that change
/// places, by none.
#[test]
fn a_ledger_that_does_not_give_its_head_is_found() {
    let shop = Shop::new(&[order("SO-1"), order("SO-2")]);
    let foreign = Shop::new(&[order("SO-1"), order("SO-2")]).entries();
    let entries = shop.entries();
    let head = shop.stores.ledger.head().unwrap();
    assert_eq!(head_of(&entries), head);
    assert!(found(&shop.with_ledger(&entries, head.clone())).is_empty());
    let put = at(&entries, EntryKind::Put);
    for index in 0..entries.len() {
        let mut spliced = entries.clone();
        spliced[index] = foreign[index].clone();
        assert!(found(&shop.with_ledger(&spliced, head.clone())).contains(&"ledger"), "entry {index}");
    }
    let mut swapped = entries.clone();
    swapped.swap(put, put + 1);
    assert!(found(&shop.with_ledger(&swapped, head.clone())).contains(&"ledger"));
    assert!(found(&shop.with_ledger(&foreign, head.clone())).contains(&"ledger"));
    assert!(found(&shop.with_ledger(&entries[..entries.len() - 1], head.clone())).contains(&"ledger"));
}

/// The head is one of fewer entries, so that the last ones are listed and in no root.
#[test]
fn entries_behind_the_head_are_found() {
    let shop = Shop::new(&[order("SO-1")]);
    let entries = shop.entries();
    for left_out in 0..3 {
        let head = head_of(&entries[..entries.len() - left_out]);
        let ledger = shop.with_ledger(&entries, head);
        assert_eq!(found(&ledger).contains(&"ledger"), left_out > 0, "{left_out} left out");
    }
}

/// He replaces the head, too. What the stores can be compared with is found all the same.
#[test]
fn a_forged_ledger_with_its_head_is_found_where_the_stores_say_otherwise() {
    let shop = Shop::new(&[order("SO-1"), order("SO-2")]);
    let foreign = Shop::new(&[order("SO-1"), order("SO-2")]).entries();
    let entries = shop.entries();
    let (put, party, policy) =
        (at(&entries, EntryKind::Put), at(&entries, EntryKind::Party), at(&entries, EntryKind::Policy));
    for (index, check) in [(put, "orders"), (party, "parties"), (policy, "policy")] {
        let mut spliced = entries.clone();
        spliced[index] = foreign[index].clone();
        if index == policy {
            // Both vaults have one policy: its entry says now that it did not reach existing orders.
            let last = spliced[index].bytes.len() - 1;
            spliced[index].bytes[last] ^= 1;
        }
        assert!(found(&shop.with_forged_ledger(&spliced)).contains(&check), "{check}");
        let without = [&entries[..index], &entries[index + 1..]].concat();
        assert!(found(&shop.with_forged_ledger(&without)).contains(&check), "{check} left out");
    }
    // One order's put under the handle of another.
    let mut handles = entries.clone();
    let (one, other) = (entries[put].handle, entries[put + 1].handle);
    for (row, handle) in handles[put..].iter_mut().zip([other, one]) {
        row.handle = handle;
        row.bytes[13..29].copy_from_slice(&handle);
    }
    assert_eq!(found(&shop.with_forged_ledger(&handles)), ["orders"]);
}

/// What only the ledger says, a forged one with its head says otherwise, and nothing inside of the vault tells: an opening left out,
/// two orders' entries in another order. A root noted elsewhere does.
#[test]
fn a_forged_ledger_with_its_head_differs_from_a_root_that_was_noted() {
    let shop = Shop::new(&[order("SO-1"), order("SO-2")]);
    let alias = shop.opens("SF Express", "delivery", "SO-1").unwrap().alias().to_string();
    assert_eq!(shop.vault.resolve_alias(&alias).unwrap().seen.unwrap().len(), 1);
    let (entries, noted) = (shop.entries(), shop.vault.ledger_state().unwrap());
    let opening = entries.iter().position(|row| kind(row) == EntryKind::Disclosure).unwrap();
    let acquitted = [&entries[..opening], &entries[opening + 1..]].concat();
    let vault = shop.with_forged_ledger(&acquitted);
    assert!(found(&vault).is_empty());
    assert!(vault.resolve_alias(&alias).unwrap().seen.unwrap().is_empty());
    let put = at(&entries, EntryKind::Put);
    let mut swapped = entries.clone();
    swapped.swap(put, put + 1);
    let vault = shop.with_forged_ledger(&swapped);
    assert!(found(&vault).is_empty());
    let state = vault.ledger_state().unwrap();
    assert!(state.size == noted.size && state.root != noted.root);
}

/// An innocent is to be shown as the leak: an opening of one party is written to the name of another. The order's handle for that
/// one is not known to whoever lacks the keys, so that nobody finds it.
#[test]
fn a_forged_opening_accuses_nobody() {
    let shop = Shop::new(&[order("SO-1")]);
    let innocent = shop.vault.open("Dehua Ltd", "fulfilment", "SO-1").unwrap().alias().to_string();
    shop.opens("SF Express", "delivery", "SO-1").unwrap();
    let entries = shop.entries();
    let party = |name: &str| {
        shop.vault.parties().unwrap().iter().find(|party| party.name == name).unwrap().number as usize
    };
    let registered = at(&entries, EntryKind::Party);
    let key_id = |name| Entry::decode(&entries[registered + party(name) - 1].bytes).unwrap().party;
    let by = |name| {
        move |row: &&LedgerRow| {
            let entry = Entry::decode(&row.bytes).unwrap();
            entry.kind == EntryKind::Disclosure && entry.party == name
        }
    };
    let courier = entries.iter().find(by(key_id("SF Express"))).unwrap().clone();
    let without: Vec<_> = entries.iter().filter(|row| !by(key_id("Dehua Ltd"))(row)).cloned().collect();
    assert_eq!(without.len(), entries.len() - 1);
    let mut forged = courier;
    forged.bytes[29..45].copy_from_slice(&key_id("Dehua Ltd"));
    let vault = shop.with_forged_ledger(&[without, vec![forged]].concat());
    assert!(vault.resolve_alias(&innocent).unwrap().seen.unwrap().is_empty());
    assert_eq!(
        shop.vault.resolve_alias(&innocent).unwrap().seen.unwrap().len(),
        1,
        "the genuine one is found"
    );
}

/// A destroyed order is to look like one that the shop shredded: the attacker marks its row, and enters a shred under the handle that
/// its put shows. The vault finishes it. A root that was noted before, and the shop's own list of what it shredded, tell.
#[test]
fn a_forged_shred_with_a_new_head_is_finished_by_the_vault() {
    let shop = Shop::new(&[order("SO-1")]);
    assert!(shop.open("SO-1").is_ok());
    let mut entries = shop.entries();
    let (put, noted) = (at(&entries, EntryKind::Put), shop.vault.ledger_state().unwrap());
    let mut forged = entries[put].clone();
    forged.bytes[4] = 14;
    // Detail: the evidence is kept. It stands behind its length, which was 0.
    let end = forged.bytes.len();
    forged.bytes[end - 2] = 1;
    forged.bytes.push(1);
    assert_eq!(kind(&forged), EntryKind::Shred);
    let row = shop.rows("SO-1").remove(0);
    let marked = SecretRow { state: SecretState::Shredded, ..row };
    shop.set_rows("SO-1", std::slice::from_ref(&marked));
    assert!(
        shop.unlock().unwrap().open("shop", "operation", "SO-1").is_ok(),
        "without an entry it is undone"
    );
    shop.set_rows("SO-1", &[marked]);
    entries.push(forged);
    let vault = shop.with_forged_ledger(&entries);
    assert_eq!(vault.open("shop", "operation", "SO-1").unwrap_err().kind(), &ErrorKind::Shredded);
    assert!(found(&vault).is_empty());
    assert_ne!(vault.ledger_state().unwrap().root, noted.root);
    assert_eq!(
        vault.shred("SO-1", "asked for", ShredMode::KeepEvidence).unwrap_err().kind(),
        &ErrorKind::Shredded
    );
}

/// A process died after it staged an update and before it entered it. The attacker moves the staged record into place: the update is
/// made current without an entry, and `doctor` says that the order is not the one its newest entry names.
#[test]
fn an_update_without_an_entry_that_is_moved_into_place_is_found() {
    let shop = Shop::new(&[order("SO-1")]);
    let (entries, old) = (shop.entries(), shop.rows("SO-1").remove(0));
    let note = Patch::new().set("note", Value::Text("new".into()));
    shop.vault.update("SO-1", 1, note).unwrap();
    let pending = SecretRow { state: SecretState::Pending, ..shop.rows("SO-1").remove(1) };
    shop.set_rows("SO-1", &[old, pending]);
    let vault = shop.with_forged_ledger(&entries);
    assert_eq!(vault.open("shop", "operation", "SO-1").unwrap().revision(), 2);
    vault.put(&order("SO-2")).unwrap();
    assert_eq!(shop.rows("SO-1")[1].state, SecretState::Current);
    assert_eq!(faults(&vault), ["orders"]);
}
