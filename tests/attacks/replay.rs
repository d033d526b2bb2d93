//! What was true once comes back: old revisions, shredded orders, numbers that were used up.

use consignee::{ErrorKind, ExistingOrders, Patch, Put, Setup, ShredMode, Value, policy::DEFAULT_POLICY};

use crate::{
    Shop,
    common::{Folder, order},
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
