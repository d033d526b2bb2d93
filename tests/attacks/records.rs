//! Records and their secret rows: swapped, spliced, cut, rewritten.

use std::collections::BTreeSet;

use consignee::{
    ErrorKind, ExistingOrders, Patch, Setup, Suite, Value,
    policy::{DEFAULT_POLICY, Policy},
    store::{RecordRow, SecretRow},
};
use rusqlite::params;

use crate::{
    Shop,
    common::{Folder, order, order_json},
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

/// A record without one of its parts, in its bytes and in its directory.
fn without_part(sealed: &[u8], part: u16) -> Vec<u8> {
    let mut pieces = Pieces::of(sealed);
    pieces.parts.retain(|(number, _)| *number != part);
    pieces.join()
}

/// A part is cut out of a record, so that whoever may open nothing else of it takes the order to have no such part: a supplier
/// sees nothing to deliver, a search does not hit, an update forgets the note.
#[test]
fn a_part_cut_out_of_a_record_is_not_taken_for_absent() {
    let folder = Folder::new();
    let vault = folder.unlock();
    vault.put(&order("SO-1")).unwrap();
    let orders = database(&folder, "orders.db");
    let sealed: Vec<u8> = orders.query_row("SELECT sealed FROM record", [], |row| row.get(0)).unwrap();
    let cut = |part| {
        orders.execute("UPDATE record SET sealed = ?1", params![without_part(&sealed, part)]).unwrap();
    };
    let (items, phone, note) = (6, 4, 8);
    cut(items);
    let refused = vault.open("Yixing Ltd", "fulfilment", "SO-1").unwrap_err();
    assert_eq!(refused.kind(), &ErrorKind::CannotOpen);
    cut(phone);
    let refused = vault.open("agent 17", "call_back", "SO-1").unwrap_err();
    assert_eq!(refused.kind(), &ErrorKind::CannotOpen);
    let found = vault.find("agent 17", "after_sale", "consignee.phone", "13812345678").unwrap();
    assert_eq!((found.hits.len(), found.unreadable), (0, 1));
    cut(note);
    let rest = order_json("SO-1").replace(r#","note":"Canary-Note""#, "").replace("138.00", "139.00");
    let patch = Patch::from_json(&rest, &Policy::built_in()).unwrap();
    assert_eq!(vault.update("SO-1", 1, patch).unwrap_err().kind(), &ErrorKind::CannotOpen);
    orders.execute("UPDATE record SET sealed = ?1", params![sealed]).unwrap();
    assert_eq!(vault.update("SO-1", 1, Patch::from_json(&rest, &Policy::built_in()).unwrap()).unwrap(), 2);
    let kept = vault.open("shop", "operation", "SO-1").unwrap();
    assert_eq!(kept.text("note").unwrap(), "Canary-Note");
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
    nonce: Vec<u8>,
    parts: Vec<(u16, Vec<u8>)>,
}

impl Pieces {
    fn of(sealed: &[u8]) -> Self {
        let (header, rest) = sealed.split_at(72);
        let (directory, rest) = rest[1..].split_at(5 * usize::from(rest[0]));
        let (nonce, mut rest) = rest.split_at(12);
        let mut part = |entry: &[u8; 5]| {
            let length = u32::from_le_bytes([entry[2], entry[3], entry[4], 0]);
            let (ciphertext, after) = rest.split_at(length.try_into().unwrap());
            rest = after;
            (u16::from_le_bytes([entry[0], entry[1]]), ciphertext.to_vec())
        };
        let parts = directory.as_chunks::<5>().0.iter().map(&mut part).collect();
        Self { header: header.to_vec(), nonce: nonce.to_vec(), parts }
    }

    fn join(&self) -> Vec<u8> {
        let mut sealed = self.header.clone();
        sealed.push(u8::try_from(self.parts.len()).unwrap());
        for (part, ciphertext) in &self.parts {
            sealed.extend(part.to_le_bytes());
            sealed.extend(&u32::try_from(ciphertext.len()).unwrap().to_le_bytes()[..3]);
        }
        sealed.extend(&self.nonce);
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

/// Who opens a part in these tests: the shop the fields, support the facets.
fn who_opens(part: u16) -> (&'static str, &'static str) {
    if part < 10 { ("shop", "operation") } else { ("agent 17", "after_sale") }
}

fn note(text: &str) -> Patch {
    Patch::new().set("note", Value::Text(text.into()))
}

/// Everything that is filed under one order (record, tags, secret rows) changes places with another's, record ids rewritten
/// throughout, so that the parcel of one goes to the other.
#[test]
fn records_that_change_places_with_rows_tags_and_rewritten_ids_are_refused() {
    let mut other = order("SO-2");
    other.consignee.phone = "13999990000".into();
    let shop = Shop::new(&[order("SO-1"), other]);
    assert!(shop.open("SO-1").is_ok() && shop.open("SO-2").is_ok());
    let taken = ["SO-1", "SO-2"].map(|number| (shop.record(number), shop.rows(number).remove(0)));
    for (number, (record, row)) in ["SO-2", "SO-1"].into_iter().zip(taken) {
        let id = shop.id(number);
        let mut sealed = record.sealed;
        sealed[22..38].copy_from_slice(&id);
        shop.set_record(RecordRow { id, sealed, ..record });
        shop.set_rows(number, &[SecretRow { record_id: id, ..row }]);
    }
    for number in ["SO-1", "SO-2"] {
        assert_eq!(shop.open(number).err(), Some(ErrorKind::CannotOpen));
    }
    let hits = shop.vault.find("agent 17", "after_sale", "consignee.phone", "13999990000").unwrap();
    assert_eq!((hits.hits.len(), hits.unreadable), (0, 1));
}

/// The ciphertext of one part, or one number of the header, comes from another order: the courier is to call somebody else.
#[test]
fn a_part_spliced_in_from_another_order_is_refused() {
    let shop = Shop::new(&[order("SO-1"), order("SO-2")]);
    let [one, two] = ["SO-1", "SO-2"].map(|number| Pieces::of(&shop.record(number).sealed));
    shop.set_sealed("SO-1", &one.join());
    for (number, ciphertext) in &two.parts {
        let (party, purpose) = who_opens(*number);
        assert!(shop.opens(party, purpose, "SO-1").is_ok());
        let mut spliced = one.clone();
        *spliced.part(*number) = ciphertext.clone();
        shop.set_sealed("SO-1", &spliced.join());
        assert_eq!(shop.opens(party, purpose, "SO-1").err(), Some(ErrorKind::CannotOpen), "part {number}");
        shop.set_sealed("SO-1", &one.join());
    }
    let mut spliced = one.clone();
    spliced.header[62..].copy_from_slice(&two.header[62..]);
    shop.set_sealed("SO-1", &spliced.join());
    assert_eq!(shop.open("SO-1").err(), Some(ErrorKind::RolledBack), "N1");
    shop.set_sealed("SO-1", &Pieces { nonce: two.nonce.clone(), ..one.clone() }.join());
    assert_eq!(shop.open("SO-1").err(), Some(ErrorKind::CannotOpen), "N2");
    // All parts under the right header.
    shop.set_sealed("SO-1", &Pieces { parts: two.parts, ..one }.join());
    assert_eq!(shop.open("SO-1").err(), Some(ErrorKind::CannotOpen));
}

/// A customer corrected his address; the attacker puts the old one's ciphertext into the newer record.
#[test]
fn a_part_of_an_earlier_revision_spliced_into_the_next_is_refused() {
    let shop = Shop::new(&[order("SO-1")]);
    let first = Pieces::of(&shop.record("SO-1").sealed);
    shop.vault.update("SO-1", 1, note("new")).unwrap();
    let second = Pieces::of(&shop.record("SO-1").sealed);
    assert!(shop.open("SO-1").is_ok());
    for (number, ciphertext) in first.parts {
        let mut spliced = second.clone();
        *spliced.part(number) = ciphertext;
        shop.set_sealed("SO-1", &spliced.join());
        let (party, purpose) = who_opens(number);
        assert_eq!(shop.opens(party, purpose, "SO-1").err(), Some(ErrorKind::CannotOpen), "part {number}");
    }
}

/// Two parts of one record change places, or their numbers do: support is to open the whole telephone number as its masked form.
#[test]
fn a_fields_ciphertext_in_place_of_its_facets_is_refused() {
    let shop = Shop::new(&[order("SO-1")]);
    let whole = Pieces::of(&shop.record("SO-1").sealed);
    assert!(shop.opens("agent 17", "after_sale", "SO-1").is_ok());
    for (field, facet) in [(3, 13), (4, 14)] {
        let mut swapped = whole.clone();
        let (of_field, of_facet) = (swapped.part(field).clone(), swapped.part(facet).clone());
        assert_eq!(of_field.len(), of_facet.len(), "the lengths do not give it away");
        (*swapped.part(field), *swapped.part(facet)) = (of_facet, of_field);
        shop.set_sealed("SO-1", &swapped.join());
        for (party, purpose) in [("agent 17", "after_sale"), ("SF Express", "delivery")] {
            assert_eq!(shop.opens(party, purpose, "SO-1").err(), Some(ErrorKind::CannotOpen), "{facet}");
        }
    }
}

/// The directory says something else, and all lengths fit: a part left out (no note, so leave the parcel anywhere), added, given
/// another number, moved.
#[test]
fn a_directory_that_was_made_to_fit_is_refused() {
    let shop = Shop::new(&[order("SO-1")]);
    let whole = Pieces::of(&shop.record("SO-1").sealed);
    let everybody_is_refused = |pieces: &Pieces, kind: ErrorKind, what: &str| {
        shop.set_sealed("SO-1", &pieces.join());
        for (party, purpose) in
            [("shop", "operation"), ("SF Express", "delivery"), ("agent 17", "after_sale")]
        {
            assert_eq!(shop.opens(party, purpose, "SO-1").err(), Some(kind.clone()), "{what}: {party}");
        }
        shop.set_sealed("SO-1", &whole.join());
        assert!(shop.open("SO-1").is_ok());
    };
    for at in 0..whole.parts.len() {
        let mut without = whole.clone();
        let (number, _) = without.parts.remove(at);
        everybody_is_refused(&without, ErrorKind::CannotOpen, &format!("without part {number}"));
        let mut twice = whole.clone();
        twice.parts.insert(at, whole.parts[at].clone());
        everybody_is_refused(&twice, ErrorKind::Damaged, &format!("part {number} twice"));
    }
    for at in 1..whole.parts.len() {
        let mut moved = whole.clone();
        moved.parts.swap(at - 1, at);
        everybody_is_refused(&moved, ErrorKind::Damaged, "moved");
        let (one, other) = (moved.parts[at - 1].0, moved.parts[at].0);
        (moved.parts[at - 1].0, moved.parts[at].0) = (other, one);
        // Where their lengths are the same, the directory is as it was: then those two parts are at fault, and no others.
        shop.set_sealed("SO-1", &moved.join());
        let (party, purpose) = who_opens(one);
        assert_eq!(
            shop.opens(party, purpose, "SO-1").err(),
            Some(ErrorKind::CannotOpen),
            "{one} and {other}"
        );
    }
    let mut more = whole.clone();
    more.parts.push((99, vec![0; 16]));
    everybody_is_refused(&more, ErrorKind::CannotOpen, "one more");
    let mut longer = whole.clone();
    longer.parts[2].1.push(0);
    everybody_is_refused(&longer, ErrorKind::CannotOpen, "a byte longer");
}

/// The header is rewritten, and the secret row with it where that has the same column: to another accepted policy, a later
/// revision, another epoch, suite, vault.
#[test]
fn a_header_rewritten_with_its_row_is_refused() {
    let shop = Shop::new(&[order("SO-1")]);
    let wide = DEFAULT_POLICY.replace(r#""placed_at", "amount"]"#, r#""placed_at", "amount", "note"]"#);
    shop.vault.apply_policy(&wide, ExistingOrders::No).unwrap();
    shop.vault.put(&order("SO-2")).unwrap();
    let (good, row) = (Pieces::of(&shop.record("SO-1").sealed), shop.rows("SO-1").remove(0));
    let newer = Pieces::of(&shop.record("SO-2").sealed).header[46..62].to_vec();
    assert_ne!(newer, good.header[46..62]);
    let other_vault = Pieces::of(&Shop::new(&[order("SO-1")]).record("SO-1").sealed).header[6..22].to_vec();
    let rewritten: [(usize, &[u8], SecretRow, ErrorKind); 8] = [
        (5, &[2], row.clone(), ErrorKind::Damaged),
        (6, &other_vault, row.clone(), ErrorKind::CannotOpen),
        (22, &shop.id("SO-2"), row.clone(), ErrorKind::CannotOpen),
        (38, &[2, 0, 0, 0], row.clone(), ErrorKind::RolledBack),
        (38, &[2, 0, 0, 0], SecretRow { revision: 2, ..row.clone() }, ErrorKind::CannotOpen),
        (42, &[2, 0, 0, 0], row.clone(), ErrorKind::CannotOpen),
        (46, &newer, row.clone(), ErrorKind::CannotOpen),
        (46, &newer, SecretRow { policy: 1, ..row.clone() }, ErrorKind::CannotOpen),
    ];
    for (at, bytes, changed, kind) in rewritten {
        let mut pieces = good.clone();
        pieces.header[at..at + bytes.len()].copy_from_slice(bytes);
        shop.set_sealed("SO-1", &pieces.join());
        shop.set_rows("SO-1", &[changed]);
        assert_eq!(shop.open("SO-1").err(), Some(kind), "byte {at}");
        shop.set_sealed("SO-1", &good.join());
        shop.set_rows("SO-1", std::slice::from_ref(&row));
        assert!(shop.open("SO-1").is_ok());
    }
}

/// A record that was sealed with one suite is put into a vault of the other, under the same root key, every number in it rewritten.
#[test]
fn a_record_of_one_suite_in_a_vault_of_the_other_is_refused() {
    let of_suite = |suite| Shop::with(&Setup { suite, ..Setup::default() }, &[order("SO-1")]);
    let shops = [Suite::Aes256Gcm, Suite::ChaCha20Poly1305].map(of_suite);
    for (from, to) in [(&shops[0], &shops[1]), (&shops[1], &shops[0])] {
        let (own, foreign) = (to.record("SO-1").sealed, from.record("SO-1").sealed);
        assert!(to.open("SO-1").is_ok());
        let (mut header, mut as_it_is) = (foreign.clone(), foreign.clone());
        as_it_is[62..72].copy_from_slice(&own[62..72]);
        // Suite, vault id, record id; and then everything up to the parts.
        header[5..38].copy_from_slice(&own[5..38]);
        header[62..72].copy_from_slice(&own[62..72]);
        let head = |sealed: &[u8]| 85 + 5 * usize::from(sealed[72]);
        let body = [&own[..head(&own)], &foreign[head(&foreign)..]].concat();
        for forged in [as_it_is, header, body] {
            to.set_sealed("SO-1", &forged);
            assert_eq!(to.open("SO-1").err(), Some(ErrorKind::CannotOpen));
        }
        to.set_sealed("SO-1", &own);
    }
}

/// Wrapped secrets change places: of two orders, and of two revisions of each.
#[test]
fn a_wrapped_secret_in_another_row_does_not_open() {
    let shop = Shop::new(&[order("SO-1"), order("SO-2")]);
    for number in ["SO-1", "SO-2"] {
        shop.vault.update(number, 1, note("new")).unwrap();
    }
    let wrapped: Vec<_> =
        ["SO-1", "SO-2"].iter().flat_map(|number| shop.rows(number)).map(|row| row.wrapped).collect();
    assert_eq!(wrapped.len(), 4);
    for number in ["SO-1", "SO-2"] {
        let rows = shop.rows(number);
        assert!(shop.open(number).is_ok());
        for foreign in wrapped.iter().filter(|wrapped| **wrapped != rows[1].wrapped) {
            shop.set_rows(
                number,
                &[rows[0].clone(), SecretRow { wrapped: foreign.clone(), ..rows[1].clone() }],
            );
            assert_eq!(shop.open(number).err(), Some(ErrorKind::CannotOpen));
        }
        shop.set_rows(number, &rows);
    }
}

/// The same order is in two vaults of one shop, under one root key. Whoever steals both joins nothing by it.
#[test]
fn one_order_in_two_vaults_of_one_root_key_shares_nothing() {
    let stolen = || {
        let shop = Shop::new(&[order("SO-1")]);
        let alias = shop.opens("SF Express", "delivery", "SO-1").unwrap().alias().to_string();
        let (record, row) = (shop.record("SO-1"), shop.rows("SO-1").remove(0));
        let items = shop.stores.keys.items().unwrap().into_iter().filter(|item| item.kind < 32);
        let entries = shop.vault.ledger_entries(0, 100).unwrap();
        let ids = entries
            .iter()
            .flat_map(|entry| [entry.handle.to_vec(), entry.party.to_vec(), entry.detail.clone()]);
        let commitments = entries.iter().flat_map(|entry| &entry.commitments).map(|bytes| bytes.to_vec());
        let mut sealed = record.sealed;
        // What a header says of neither order nor vault: magic, format, suite, revision, epoch, digest of the policy.
        sealed.drain(38..78);
        sealed.drain(..6);
        let bytes = [sealed, row.wrapped, row.fingerprint, row.record_id.to_vec()];
        let tags = record.tags.iter().map(|tag| tag.value).collect::<Vec<_>>();
        (
            bytes
                .into_iter()
                .chain(items.map(|item| item.body))
                .chain(ids)
                .chain(commitments)
                .collect::<Vec<_>>(),
            tags,
            alias,
        )
    };
    let windows = |all: &[Vec<u8>]| -> BTreeSet<Vec<u8>> {
        let blocks = all.iter().flat_map(|bytes| bytes.windows(16)).map(<[u8]>::to_vec);
        // Zeros: entries without an order. Lengths in a directory.
        blocks.filter(|block| block.iter().filter(|byte| **byte == 0).count() < 6).collect()
    };
    let (one, other) = (stolen(), stolen());
    let (ones, others) = (windows(&one.0), windows(&other.0));
    assert!(ones.len() > 2_000 && ones == windows(&one.0));
    assert_eq!(ones.intersection(&others).count(), 0);
    assert!(one.1 != other.1 && one.2 != other.2, "tags of 28 bits agree by chance once in 268 million");
}
