//! The ledger: entries altered, removed, moved, forged, with the head and without.

use consignee::Severity;

use crate::{
    common::{Folder, order},
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
