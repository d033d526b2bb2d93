//! What was true once comes back: old revisions, shredded orders, numbers that were used up.

use consignee::ShredMode;

use crate::{
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
