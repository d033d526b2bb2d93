//! Aliases: serial numbers given twice, numbers that look like aliases, rows filed under another's serial.

use consignee::{ErrorKind, ShredMode, store::SecretRow};

use crate::{
    Shop,
    common::{Folder, order},
    database, faults,
};

/// The counter of serial numbers has no tag and is set back, so that two orders would have one alias.
#[test]
fn a_serial_counter_set_back_gives_no_number_twice() {
    let folder = Folder::new();
    folder.unlock().put(&order("SO-1")).unwrap();
    database(&folder, "keys.db").execute("UPDATE counter SET next = 0 WHERE name = 1", []).unwrap();
    let vault = folder.unlock();
    vault.put(&order("SO-2")).unwrap();
    let alias = |number| vault.open("SF Express", "delivery", number).unwrap().alias().to_string();
    let (one, two) = (alias("SO-1"), alias("SO-2"));
    assert_ne!(one, two);
    assert_eq!(vault.resolve_alias(&one).unwrap().order_no.as_deref(), Some("SO-1"));
    assert!(faults(&vault).is_empty());
    // Set forward instead, orders would be sealed that no alias can name: refused before anything is stored.
    database(&folder, "keys.db").execute("UPDATE counter SET next = 1 << 36 WHERE name = 1", []).unwrap();
    assert_eq!(folder.unlock().put(&order("SO-3")).unwrap_err().kind(), &ErrorKind::Limit);
}

/// A shop's order number that is another order's alias does not lead the alias astray.
#[test]
fn an_order_number_that_reads_as_an_alias_shadows_nothing() {
    let folder = Folder::new();
    let vault = folder.unlock();
    vault.put(&order("SO-1")).unwrap();
    let alias = vault.open("SF Express", "delivery", "SO-1").unwrap().alias().to_string();
    vault.put(&order(&alias)).unwrap();
    let resolved = vault.resolve_alias(&alias).unwrap();
    assert_eq!((resolved.order_no.as_deref(), resolved.seen.unwrap().len()), (Some("SO-1"), 1));
    // Marked shredded by hand: an error, not an acquittal.
    let sql = "UPDATE secret SET state = 4, fingerprint_size = 0 WHERE serial = 0";
    database(&folder, "secrets.db").execute(sql, []).unwrap();
    assert_eq!(vault.resolve_alias(&alias).unwrap_err().kind(), &ErrorKind::CannotOpen);
}

/// A row with the serial of one order is filed under another, so that the courier who asks by his alias for the first is given the
/// address of the second, or the shop shreds the second.
#[test]
fn a_row_filed_under_another_orders_serial_leads_no_alias_astray() {
    let shop = Shop::new(&[order("SO-1"), order("SO-2")]);
    let alias = shop.opens("SF Express", "delivery", "SO-1").unwrap().alias().to_string();
    assert_eq!(shop.vault.resolve_alias(&alias).unwrap().order_no.as_deref(), Some("SO-1"));
    let (victim, other) = (shop.rows("SO-1").remove(0), shop.rows("SO-2").remove(0));
    let planted = SecretRow { n1: [1; 10], serial: victim.serial, ..other };
    shop.set_rows("SO-1", &[SecretRow { serial: 9, ..victim }, planted]);
    let misled = shop
        .opens("SF Express", "delivery", &alias)
        .map(|view| view.text("consignee.name").unwrap().to_owned());
    assert_eq!(misled, Err(ErrorKind::RolledBack));
    assert_eq!(
        shop.vault.shred(&alias, "asked for", ShredMode::WithEvidence).unwrap_err().kind(),
        &ErrorKind::RolledBack
    );
    assert!(shop.open("SO-2").is_ok(), "by its number the other order opens");
    assert!(shop.vault.resolve_alias(&alias).is_err());
    assert!(faults(&shop.vault).contains(&"orders"));
}
