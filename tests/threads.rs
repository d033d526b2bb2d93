//! Eight threads put and open while one shreds, in one process that shares a vault.
//!
//! Rules: what was acknowledged holds from that moment on, for every thread; each view has its entry; nothing is lost.
#![allow(clippy::unwrap_used)]

mod common;

use std::{
    collections::HashSet,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use common::{Folder, in_memory, order};
use consignee::{EntryKind, ErrorKind, OwnTables, Patch, Severity, ShredMode, Value, Vault};

const WRITERS: usize = 8;
const EACH: usize = 25;

fn storm(vault: &Vault) {
    let (put, shredded) = (Mutex::new(Vec::new()), Mutex::new(HashSet::new()));
    let over = AtomicBool::new(false);
    let views: usize = thread::scope(|scope| {
        let writer = |number: usize| {
            let (put, shredded) = (&put, &shredded);
            move || {
                let mut views = 0;
                for step in 0..EACH {
                    let order_no = format!("SO-{number}-{step}");
                    vault.put(&order(&order_no)).unwrap();
                    put.lock().unwrap().push(order_no);
                    let wanted = {
                        let put = put.lock().unwrap();
                        put[(step * 7919 + number) % put.len()].clone()
                    };
                    let gone_before = shredded.lock().unwrap().contains(&wanted);
                    match vault.open("SF Express", "delivery", &wanted) {
                        Ok(view) => {
                            assert!(!gone_before, "{wanted} opened after its shredding was acknowledged");
                            assert_eq!(view.text("consignee.name").unwrap(), format!("Canary-Name {wanted}"));
                            let entry = vault.ledger_entries(view.ledger_index(), 1).unwrap().remove(0);
                            assert_eq!((entry.kind, &*entry.purpose), (EntryKind::Disclosure, "delivery"));
                            views += 1;
                        }
                        // A shredding in between is a conflict first, and then shredded.
                        Err(e) => {
                            assert!(matches!(e.kind(), ErrorKind::Shredded | ErrorKind::Conflict), "{e}");
                        }
                    }
                }
                views
            }
        };
        let writers: Vec<_> = (0..WRITERS).map(|number| scope.spawn(writer(number))).collect();
        let shredder = scope.spawn(|| {
            let mut at = 0;
            while !over.load(Ordering::Acquire) {
                let Some(order_no) = put.lock().unwrap().get(at).cloned() else {
                    thread::yield_now();
                    continue;
                };
                at += 3;
                vault.shred(&order_no, "asked for", ShredMode::KeepEvidence).unwrap();
                shredded.lock().unwrap().insert(order_no);
            }
        });
        let views = writers.into_iter().map(|writer| writer.join().unwrap()).sum();
        over.store(true, Ordering::Release);
        shredder.join().unwrap();
        views
    });
    let (put, shredded) = (put.into_inner().unwrap(), shredded.into_inner().unwrap());
    assert_eq!(put.len(), WRITERS * EACH);
    assert!(views > 0 && !shredded.is_empty());
    for order_no in &put {
        let opened = vault.open("shop", "operation", order_no).map(drop);
        let kind = opened.err().map(|e| e.kind().clone());
        assert_eq!(kind, shredded.contains(order_no).then_some(ErrorKind::Shredded), "{order_no}");
    }
    for finding in vault.doctor().unwrap() {
        assert!(finding.severity == Severity::Fine, "{}: {}", finding.check, finding.message);
    }
    let entries = vault.ledger_entries(0, 100_000).unwrap();
    let count = |kind| entries.iter().filter(|entry| entry.kind == kind).count();
    assert_eq!((count(EntryKind::Put), count(EntryKind::Shred)), (put.len(), shredded.len()));
}

#[test]
fn eight_threads_put_and_open_while_one_shreds_in_memory() {
    storm(&in_memory());
}

#[test]
fn eight_threads_put_and_open_while_one_shreds_in_a_folder() {
    storm(&Folder::new().unlock());
}

/// More orders than one core takes, some of which cannot be sealed: each result stands in its order's place, by its own entry.
#[test]
fn a_batch_on_all_cores_keeps_its_order() {
    let vault = in_memory();
    let bad = |n: usize| n % 50 == 7;
    let orders: Vec<_> = (0..700)
        .map(|n| {
            let mut order = order(&format!("SO-{n}"));
            order.note = if bad(n) { "x".repeat(2 << 20) } else { format!("note {n}") };
            order
        })
        .collect();
    for (n, put) in vault.put_many(&orders).unwrap().into_iter().enumerate() {
        assert_eq!(put.is_err(), bad(n), "{n}");
    }
    let numbers: Vec<_> = orders.iter().map(|order| order.order_no.as_str()).collect();
    let views = vault.open_many("shop", "operation", &numbers).unwrap();
    assert_eq!(views.len(), orders.len());
    let (mut entries, mut aliases) = (Vec::new(), HashSet::new());
    for (n, view) in views.into_iter().enumerate() {
        match view {
            Err(e) => assert!(bad(n) && *e.kind() == ErrorKind::NotFound, "{n}: {e}"),
            Ok(view) => {
                assert_eq!(view.text("order_no").unwrap(), numbers[n]);
                assert_eq!(view.text("note").unwrap(), format!("note {n}"));
                entries.push(view.ledger_index());
                assert!(aliases.insert(view.alias().to_string()));
            }
        }
    }
    assert!(entries.windows(2).all(|pair| pair[0] + 1 == pair[1]));
}

/// One thread rotates, seals anew, rewraps and destroys, again and again, while others put, open, change, find and shred: they notice
/// nothing of it.
fn storm_of_keys(vault: &Vault, other: &Vault) {
    let over = AtomicBool::new(false);
    for agent in 0..WRITERS {
        vault.add_party(&format!("agent-{agent}"), "support", None).unwrap();
    }
    let rounds = thread::scope(|scope| {
        let worker = |number: usize| {
            let vault = if number.is_multiple_of(2) { vault } else { other };
            move || {
                let agent = format!("agent-{number}");
                for step in 0..EACH {
                    let order_no = format!("SO-{number}-{step}");
                    let mut order = order(&order_no);
                    order.consignee.phone = format!("138{number:04}{step:04}");
                    vault.put(&order).unwrap();
                    let view = vault.open("SF Express", "delivery", &order_no).unwrap();
                    assert_eq!(view.text("consignee.name").unwrap(), format!("Canary-Name {order_no}"));
                    let note = Value::Text(format!("note {step}"));
                    assert_eq!(vault.update(&order_no, 1, Patch::new().set("note", note)).unwrap(), 2);
                    let found = vault.find(&agent, "after_sale", "consignee.phone", &order.consignee.phone);
                    let found = found.unwrap();
                    assert_eq!((found.hits.len(), found.unreadable), (1, 0), "{order_no}");
                    let alias = found.hits[0].alias.to_string();
                    assert_eq!(vault.resolve_alias(&alias).unwrap().order_no.as_deref(), Some(&*order_no));
                    if step.is_multiple_of(5) {
                        vault.shred(&order_no, "asked for", ShredMode::KeepEvidence).unwrap();
                        let shredded = vault.open("shop", "operation", &order_no).map(drop).unwrap_err();
                        assert_eq!(*shredded.kind(), ErrorKind::Shredded);
                    }
                }
            }
        };
        let workers: Vec<_> = (0..WRITERS / 2).map(|number| scope.spawn(worker(number))).collect();
        let keys = scope.spawn(|| {
            let mut rounds = 0;
            while !over.load(Ordering::Acquire) {
                let epoch = vault.rotate(None).unwrap();
                let moved = vault.reseal(epoch - 1, |_| ()).unwrap();
                assert_eq!(moved.failed, 0);
                vault.destroy_epoch(epoch - 1, OwnTables::None).unwrap();
                vault.rewrap(OwnTables::None, |_| ()).unwrap();
                rounds += 1;
            }
            rounds
        });
        workers.into_iter().for_each(|worker| worker.join().unwrap());
        over.store(true, Ordering::Release);
        keys.join().unwrap()
    });
    assert!(rounds > 1, "{rounds} rounds");
    for (number, step) in (0..WRITERS / 2).flat_map(|number| (0..EACH).map(move |step| (number, step))) {
        let opened = vault.open("shop", "operation", &format!("SO-{number}-{step}"));
        let shredded = step.is_multiple_of(5).then_some(ErrorKind::Shredded);
        assert_eq!(opened.map(drop).err().map(|e| e.kind().clone()), shredded);
    }
    for finding in vault.doctor().unwrap() {
        assert!(finding.severity != Severity::Fault, "{}: {}", finding.check, finding.message);
    }
}

#[test]
fn keys_are_rotated_and_destroyed_under_everybodys_hands_in_memory() {
    let vault = in_memory();
    storm_of_keys(&vault, &vault.clone());
}

/// The second vault is unlocked by itself: as another process has it.
#[test]
fn keys_are_rotated_and_destroyed_under_everybodys_hands_in_a_folder() {
    let folder = Folder::new();
    storm_of_keys(&folder.unlock(), &folder.unlock());
}
