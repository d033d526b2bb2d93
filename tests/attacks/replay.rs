//! What was true once comes back: old revisions, shredded orders, numbers that were used up.

use consignee::{
    EntryKind, ErrorKind, ExistingOrders, Opened, Order, Patch, Put, Setup, Severity, ShredMode, StoredOrder,
    Value,
    policy::DEFAULT_POLICY,
    store::{SecretRow, SecretState},
};

use crate::{
    Shop,
    common::{self, Folder, order},
    copy, faults,
};

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

fn note(text: &str) -> Patch {
    Patch::new().set("note", Value::Text(text.into()))
}

/// The courier has a friend who removes the record of an order whose time is over for couriers. The shop repeats its import, and the
/// order would be new: open for another 30 days, and under a policy that gives finance the name for orders put since.
#[test]
fn an_order_put_again_after_its_record_was_removed_keeps_its_put_time_and_policy() {
    let brief = DEFAULT_POLICY.replace("expires = \"30d\"", "expires = \"1s\"");
    let wide = brief.replace(r#""placed_at", "amount"]"#, r#""placed_at", "amount", "consignee.name"]"#);
    let shop = Shop::with(&Setup { policy: brief.into(), ..Setup::default() }, &[order("SO-1")]);
    assert!(shop.opens("SF Express", "delivery", "SO-1").is_ok());
    shop.vault.apply_policy(&wide, ExistingOrders::No).unwrap();
    shop.vault.update("SO-1", 1, note("moved to another address")).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(2_100));
    assert_eq!(shop.opens("SF Express", "delivery", "SO-1").err(), Some(ErrorKind::Expired));

    shop.stores.orders.delete_records(&[shop.id("SO-1")]).unwrap();
    assert!(matches!(shop.vault.put(&order("SO-1")), Ok(Put::Stored(_))));
    assert_eq!(shop.opens("SF Express", "delivery", "SO-1").err(), Some(ErrorKind::Expired));
    let clerk = shop.opens("ledger clerk", "accounting", "SO-1").unwrap();
    assert!(clerk.get("amount").is_ok() && clerk.get("consignee.name").is_err());
    // What was changed is lost, and only the ledger's entries say so.
    let first = shop.open("SO-1").unwrap();
    assert_eq!((first.revision(), first.text("note").unwrap()), (1, "Canary-Note"));
    assert!(faults(&shop.vault).is_empty());
}

/// An address was corrected. Within the day in which the old secret row is kept, the attacker sets it back to current and puts the
/// old record back.
#[test]
fn an_old_revision_with_its_row_set_back_opens_and_is_found() {
    let shop = Shop::new(&[order("SO-1")]);
    let (old, old_row) = (shop.record("SO-1"), shop.rows("SO-1").remove(0));
    shop.vault.update("SO-1", 1, note("corrected")).unwrap();
    assert!(faults(&shop.vault).is_empty());
    let newer = shop.rows("SO-1").remove(1);
    shop.set_record(old);
    assert_eq!(shop.open("SO-1").err(), Some(ErrorKind::RolledBack), "its row is superseded");
    let superseded = SecretRow { state: SecretState::Superseded, ..newer };
    shop.set_rows("SO-1", &[old_row, superseded]);
    assert_eq!(shop.open("SO-1").unwrap().text("note").unwrap(), "Canary-Note", "a state is not authentic");
    assert_eq!(faults(&shop.vault), ["orders"]);
}

/// A shredded order's secret row and record come back from a backup of before.
#[test]
fn a_shredded_order_put_back_opens_and_is_found() {
    let shop = Shop::new(&[order("SO-1")]);
    let (record, row) = (shop.record("SO-1"), shop.rows("SO-1").remove(0));
    shop.vault.shred("SO-1", "asked for", ShredMode::KeepEvidence).unwrap();
    shop.set_record(record);
    assert_eq!(shop.open("SO-1").err(), Some(ErrorKind::Shredded), "the record alone opens nothing");
    let tombstone = shop.rows("SO-1").remove(0);
    shop.set_rows("SO-1", &[row.clone(), SecretRow { n1: [1; 10], ..tombstone }]);
    assert_eq!(
        shop.open("SO-1").err(),
        Some(ErrorKind::Shredded),
        "nor with the row, beside what is left of it"
    );
    shop.set_rows("SO-1", &[row]);
    assert!(shop.open("SO-1").is_ok(), "its release key lives");
    assert_eq!(faults(&shop.vault), ["orders"]);
}

/// What is left of a shredded order is removed, so that its number can be used again. With evidence the ledger tells, without it
/// nothing has the order's handle any more.
#[test]
fn a_shredded_number_whose_last_row_was_removed_can_be_put_again() {
    for (mode, told) in [(ShredMode::KeepEvidence, 1), (ShredMode::WithEvidence, 0)] {
        let shop = Shop::new(&[order("SO-1")]);
        shop.vault.shred("SO-1", "asked for", mode).unwrap();
        assert_eq!(shop.vault.put(&order("SO-1")).unwrap_err().kind(), &ErrorKind::Shredded);
        shop.set_rows("SO-1", &[]);
        assert!(matches!(shop.vault.put(&order("SO-1")), Ok(Put::Stored(_))));
        let findings = shop.vault.doctor().unwrap();
        let warnings = findings.iter().filter(|finding| finding.severity == Severity::Warning);
        assert_eq!((faults(&shop.vault).len(), warnings.count()), (0, told), "{mode:?}");
    }
}

/// What is left of one shredded order takes the place of what is left of another, to clear whoever saw that.
#[test]
fn the_evidence_of_another_shredded_order_clears_nobody() {
    let shop = Shop::new(&[order("SO-1"), order("SO-2")]);
    let alias = shop.opens("SF Express", "delivery", "SO-1").unwrap().alias().to_string();
    for number in ["SO-1", "SO-2"] {
        shop.vault.shred(number, "asked for", ShredMode::KeepEvidence).unwrap();
    }
    assert_eq!(shop.vault.resolve_alias(&alias).unwrap().seen.unwrap().len(), 1);
    let (own, other) = (shop.rows("SO-1").remove(0), shop.rows("SO-2").remove(0));
    for forged in [
        SecretRow { wrapped: other.wrapped.clone(), ..own.clone() },
        SecretRow { serial: own.serial, ..other.clone() },
    ] {
        shop.set_rows("SO-2", &[]);
        shop.set_rows("SO-1", &[forged]);
        assert_eq!(shop.vault.resolve_alias(&alias).unwrap_err().kind(), &ErrorKind::CannotOpen);
    }
}

/// What somebody read before an order was changed or shredded is handed back afterwards.
#[test]
fn what_was_read_before_a_change_does_not_undo_it() {
    let shop = Shop::new(&[order("SO-1")]);
    let read: Opened<Order> = shop.vault.get("shop", "operation", "SO-1").unwrap();
    shop.vault.update("SO-1", read.revision, note("corrected")).unwrap();
    let back = Patch::whole(&read.value).unwrap();
    assert_eq!(
        shop.vault.update("SO-1", read.revision, back.clone()).unwrap_err().kind(),
        &ErrorKind::Conflict
    );
    assert_eq!(shop.open("SO-1").unwrap().text("note").unwrap(), "corrected");
    shop.vault.shred("SO-1", "asked for", ShredMode::KeepEvidence).unwrap();
    assert_eq!(shop.vault.update("SO-1", 2, back).unwrap_err().kind(), &ErrorKind::Shredded);
}

/// In the shop's own tables an attacker puts the row back that shredding took, or the row and record of an older revision.
#[test]
fn own_tables_that_are_put_back_open_again_and_only_the_ledger_has_the_change() {
    let vault = common::in_memory();
    let sealed = vault.sealer().seal(&order("SO-1")).unwrap();
    vault.sealer().log(std::slice::from_ref(&sealed)).unwrap();
    let open = |record: &[u8], secret: &SecretRow| {
        let stored = StoredOrder { record, secret };
        let view = vault.opener().open_many("shop", "operation", &[stored]).unwrap().remove(0);
        view.map(|view| view.text("note").unwrap().to_owned()).map_err(|e| e.kind().clone())
    };
    let old = StoredOrder { record: &sealed.record, secret: &sealed.secret };
    let next = vault.sealer().update(&old, Some("SO-1"), 1, note("corrected")).unwrap().unwrap();
    vault.sealer().log(std::slice::from_ref(&next)).unwrap();
    assert_eq!(open(&next.record, &next.secret).unwrap(), "corrected");
    // Pieces of both revisions, and of another order.
    let other = vault.sealer().seal(&order("SO-2")).unwrap();
    for (record, row) in [
        (&sealed.record, &next.secret),
        (&next.record, &sealed.secret),
        (&next.record, &other.secret),
        (&other.record, &next.secret),
    ] {
        let refused = open(record, row).unwrap_err();
        assert!([ErrorKind::RolledBack, ErrorKind::CannotOpen].contains(&refused), "{refused:?}");
    }
    assert_eq!(
        open(&sealed.record, &sealed.secret).unwrap(),
        "Canary-Note",
        "rows and records are the shop's to keep"
    );
    let stored = StoredOrder { record: &next.record, secret: &next.secret };
    let left = vault.opener().shred(&stored, "asked for", ShredMode::KeepEvidence).unwrap();
    assert_eq!(open(&next.record, &left).unwrap_err(), ErrorKind::Shredded);
    assert!(open(&next.record, &next.secret).is_ok());
    let kinds: Vec<_> = vault.ledger_entries(0, 100).unwrap().iter().map(|entry| entry.kind).collect();
    assert!(kinds.contains(&EntryKind::Update) && kinds.contains(&EntryKind::Shred));
    // The shredded row made living again by its state alone.
    let revived =
        SecretRow { state: SecretState::Current, fingerprint: next.secret.fingerprint.clone(), ..left };
    assert_eq!(open(&next.record, &revived).unwrap_err(), ErrorKind::CannotOpen);
}
