//! Records and their secret rows: swapped, spliced, cut, rewritten.

use consignee::{ErrorKind, Patch, Value};
use rusqlite::params;

use crate::{
    Shop,
    common::{Folder, order},
    database, faults, open_fails,
};

/// Two orders' sealed bytes change places, so that a courier delivers one customer's parcel to the other.
#[test]
fn records_that_change_places_are_refused() {
    let folder = Folder::new();
    folder.unlock().put_many(&[order("SO-1"), order("SO-2")]).unwrap();
    let orders = database(&folder, "orders.db");
    let rows: Vec<(Vec<u8>, Vec<u8>)> = orders
        .prepare("SELECT id, sealed FROM record")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    for (row, other) in [(0, 1), (1, 0)] {
        orders
            .execute("UPDATE record SET sealed = ?1 WHERE id = ?2", params![rows[other].1, rows[row].0])
            .unwrap();
    }
    let vault = folder.unlock();
    for number in ["SO-1", "SO-2"] {
        assert_eq!(open_fails(&vault, number), ErrorKind::RolledBack);
    }
    // Their secret rows change places with them: the wrap is bound to the order.
    let secrets = database(&folder, "secrets.db");
    secrets
        .execute("UPDATE secret SET record_id = zeroblob(16) WHERE record_id = ?1", params![rows[0].0])
        .unwrap();
    secrets
        .execute("UPDATE secret SET record_id = ?1 WHERE record_id = ?2", params![rows[0].0, rows[1].0])
        .unwrap();
    secrets
        .execute("UPDATE secret SET record_id = ?1 WHERE record_id = zeroblob(16)", params![rows[1].0])
        .unwrap();
    for number in ["SO-1", "SO-2"] {
        assert_eq!(open_fails(&vault, number), ErrorKind::CannotOpen);
    }
    assert!(faults(&vault).contains(&"orders"));
}

/// Every single byte of a record is altered. Whoever opens the part that it belongs to is refused; header and directory belong
/// to all. Between them the shop and its support open every part.
#[test]
fn a_record_altered_anywhere_does_not_open() {
    let folder = Folder::new();
    let vault = folder.unlock();
    vault.put(&order("SO-1")).unwrap();
    let orders = database(&folder, "orders.db");
    let sealed: Vec<u8> = orders.query_row("SELECT sealed FROM record", [], |row| row.get(0)).unwrap();
    for at in 0..sealed.len() {
        let mut altered = sealed.clone();
        altered[at] ^= 0x40;
        orders.execute("UPDATE record SET sealed = ?1", params![altered]).unwrap();
        let opened = [vault.open("shop", "operation", "SO-1"), vault.open("agent 17", "after_sale", "SO-1")];
        let kinds: Vec<_> = opened.into_iter().filter_map(Result::err).map(|e| e.kind().clone()).collect();
        let refused =
            [ErrorKind::CannotOpen, ErrorKind::Damaged, ErrorKind::NewerFormat, ErrorKind::RolledBack];
        assert!(!kinds.is_empty() && kinds.iter().all(|kind| refused.contains(kind)), "byte {at}: {kinds:?}");
    }
    for len in 0..sealed.len() {
        orders.execute("UPDATE record SET sealed = ?1", params![&sealed[..len]]).unwrap();
        assert_eq!(open_fails(&vault, "SO-1"), ErrorKind::Damaged, "cut at {len}");
    }
}

/// The put time is moved so that an expired purpose opens again, the serial so that an alias names another order.
#[test]
fn the_columns_of_a_secret_row_are_bound() {
    let folder = Folder::new();
    let vault = folder.unlock();
    vault.put(&order("SO-1")).unwrap();
    let secrets = database(&folder, "secrets.db");
    for (column, kind) in [
        ("put_at", ErrorKind::CannotOpen),
        ("serial", ErrorKind::CannotOpen),
        ("generation", ErrorKind::CannotOpen),
        ("revision", ErrorKind::RolledBack),
    ] {
        secrets.execute(&format!("UPDATE secret SET {column} = {column} + 1"), []).unwrap();
        assert_eq!(open_fails(&vault, "SO-1"), kind, "{column}");
        secrets.execute(&format!("UPDATE secret SET {column} = {column} - 1"), []).unwrap();
    }
    assert!(vault.open("shop", "operation", "SO-1").is_ok(), "with all columns put back it opens");
}

/// A vault's records are put into another vault that has the same order number.
#[test]
fn another_vaults_record_and_row_do_not_open() {
    let (one, two) = (Folder::new(), Folder::new());
    for folder in [&one, &two] {
        folder.unlock().put(&order("SO-1")).unwrap();
    }
    let sealed: Vec<u8> =
        database(&one, "orders.db").query_row("SELECT sealed FROM record", [], |row| row.get(0)).unwrap();
    database(&two, "orders.db").execute("UPDATE record SET sealed = ?1", params![sealed]).unwrap();
    assert_eq!(open_fails(&two.unlock(), "SO-1"), ErrorKind::RolledBack);
}

/// A record as the attacker takes it apart and puts it together again, lengths made to fit.
#[derive(Clone)]
struct Pieces {
    header: Vec<u8>,
    parts: Vec<(u16, Vec<u8>)>,
}

impl Pieces {
    fn of(sealed: &[u8]) -> Self {
        let number = |at: usize| u16::from_le_bytes([sealed[at], sealed[at + 1]]);
        let length = |at: usize| usize::from(number(at)) | usize::from(number(at + 2)) << 16;
        let count = usize::from(number(100));
        let mut from = 102 + 6 * count;
        let mut part = |entry: usize| {
            let ciphertext = sealed[from..from + length(entry + 2)].to_vec();
            from += ciphertext.len();
            (number(entry), ciphertext)
        };
        let parts = (0..count).map(|at| part(102 + 6 * at)).collect();
        Self { header: sealed[..100].to_vec(), parts }
    }

    fn join(&self) -> Vec<u8> {
        let mut sealed = self.header.clone();
        sealed.extend(u16::try_from(self.parts.len()).unwrap().to_le_bytes());
        for (part, ciphertext) in &self.parts {
            sealed.extend(part.to_le_bytes());
            sealed.extend(u32::try_from(ciphertext.len()).unwrap().to_le_bytes());
        }
        self.parts.iter().for_each(|(_, ciphertext)| sealed.extend(ciphertext));
        sealed
    }

    fn part(&mut self, number: u16) -> &mut Vec<u8> {
        &mut self.parts.iter_mut().find(|(part, _)| *part == number).unwrap().1
    }
}

/// All parts but a worthless one are taken out, so that an opening of other parts finds none whose tag does not fit, and the order
/// seems to have no values; or so that the next update seals an order without them, which is then genuine.
#[test]
fn an_order_of_which_only_rubbish_is_left_is_not_taken_for_an_empty_one() {
    let shop = Shop::new(&[order("SO-1")]);
    let alias = shop.opens("SF Express", "delivery", "SO-1").unwrap().alias().to_string();
    let mut rubbish = Pieces::of(&shop.record("SO-1").sealed);
    rubbish.parts = vec![(8, vec![7; 48])];
    shop.set_sealed("SO-1", &rubbish.join());
    for (party, purpose) in
        [("SF Express", "delivery"), ("ledger clerk", "accounting"), ("agent 17", "after_sale")]
    {
        let seen = shop.opens(party, purpose, "SO-1").map(|view| view.to_json().to_string());
        assert_eq!(seen, Err(ErrorKind::CannotOpen), "{party}");
    }
    let patch = Patch::new().set("note", Value::Text("ring twice".into()));
    assert_eq!(shop.vault.update("SO-1", 1, patch).unwrap_err().kind(), &ErrorKind::CannotOpen);
    assert_eq!(shop.vault.resolve_alias(&alias).unwrap_err().kind(), &ErrorKind::CannotOpen);
    let hits = shop.vault.find("agent 17", "after_sale", "consignee.phone", "13812345678").unwrap();
    assert_eq!((hits.hits.len(), hits.unreadable), (0, 1));
    // A record of a part that this vault has no key for.
    rubbish.parts = vec![(999, vec![7; 48])];
    shop.set_sealed("SO-1", &rubbish.join());
    assert_eq!(shop.open("SO-1").err(), Some(ErrorKind::CannotOpen));
}
