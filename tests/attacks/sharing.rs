//! Bundles and keyrings in the wrong hands, and forged ones.

use consignee::{EntryKind, ErrorKind, Kem, Party, PartyKey, PublicKey, VaultCard, to_base64};

use crate::{
    Shop,
    common::{self, Folder, Link, bundle, contains, order},
    copy,
};

const COURIER: &str = "SF Express";
const SUPPLIER: &str = "Yixing Ltd";

fn shop() -> Shop {
    Shop::new(&[order("SO-1"), order("SO-2")])
}

fn seen(link: &mut Link, bundle: &[u8]) -> String {
    link.views(bundle).unwrap().into_iter().map(|view| view.unwrap().to_json().to_string()).collect()
}

/// Somebody takes the courier's bundle or keyring on its way, and has a private key, a keyring and all files of the shop besides.
#[test]
fn a_bundle_opens_with_the_key_of_its_party_and_no_other() {
    for kem in [Kem::XWing, Kem::X25519] {
        let shop = shop();
        let mut courier = Link::of(&shop.vault, COURIER, kem);
        let mut supplier = Link::of(&shop.vault, SUPPLIER, kem);
        let delivery = bundle(&shop.vault, COURIER, "delivery", &["SO-1"]);
        assert!(seen(&mut courier, &delivery).contains("Canary-Street"));
        assert_eq!(supplier.views(&delivery).unwrap_err(), ErrorKind::CannotOpen);
        assert_eq!(
            supplier.party.keyring(&courier.keyring_file).unwrap_err().kind(),
            &ErrorKind::CannotOpen,
            "nor does its keyring"
        );
        // With the private key of the one and the keyring of the other: no key of any part.
        let read = courier.party.read(&courier.keyring, &delivery).unwrap();
        let views: Vec<_> = read.views(&supplier.keyring).collect();
        assert_eq!(views.len(), 1);
        assert!(views.iter().all(|view| view.as_ref().is_err_and(|e| *e.kind() == ErrorKind::CannotOpen)));
        for file in [&delivery, &courier.keyring_file] {
            for canary in ["Canary", "13812345678", "SO-1", COURIER, "delivery", "consignee.name"] {
                assert!(!contains(file, canary.as_bytes()), "{canary} in clear");
            }
        }
    }
}

/// A thief has the whole database and all that the courier's machine holds: private key, keyring, bundles.
#[test]
fn a_stolen_database_and_a_couriers_machine_open_what_the_courier_was_given_and_no_more() {
    let folder = Folder::new();
    let vault = folder.unlock();
    vault.put_many(&[order("SO-1"), order("SO-2")]).unwrap();
    let mut courier = Link::of(&vault, COURIER, Kem::X25519);
    let delivery = bundle(&vault, COURIER, "delivery", &["SO-1"]);
    let stolen = tempfile::tempdir().unwrap();
    copy(&folder.path(), stolen.path());
    let text = seen(&mut courier, &delivery);
    assert!(text.contains("Canary-Name SO-1") && !text.contains("SO-2") && !text.contains("Canary-Teapot"));
    // The stored record of the very order, in place of its copy: no bundle of it can be made without the issuing key.
    let record = vault.sealed("SO-1").unwrap();
    let own_id = &record[22..38];
    assert!(!contains(&delivery, own_id), "the copy has an id of its own");
    assert!(!contains(&common::all_bytes(stolen.path()), b"Canary"));
    // The files of the vault name no bundle: nothing in them is a copy's.
    let forged = [&delivery[..delivery.len() / 2], &record, &delivery[delivery.len() / 2..]].concat();
    assert_eq!(courier.views(&forged).unwrap_err(), ErrorKind::Damaged);
}

/// A courier and a supplier put together everything that they were ever given.
#[test]
fn a_courier_and_a_supplier_that_pool_bundles_and_keyrings_have_the_union_and_no_more() {
    let shop = shop();
    let mut courier = Link::of(&shop.vault, COURIER, Kem::X25519);
    let mut supplier = Link::of(&shop.vault, SUPPLIER, Kem::X25519);
    let for_courier = bundle(&shop.vault, COURIER, "delivery", &["SO-1"]);
    let for_supplier = bundle(&shop.vault, SUPPLIER, "fulfilment", &["SO-1"]);
    let mut pooled = seen(&mut courier, &for_courier) + &seen(&mut supplier, &for_supplier);
    // And the one's private key with the other's keyring.
    let read = courier.party.read(&courier.keyring, &for_courier).unwrap();
    pooled += &read.views(&supplier.keyring).flatten().map(|v| v.to_json().to_string()).collect::<String>();
    for theirs in ["Canary-Name", "13812345678", "Canary-Street", "Canary-Teapot"] {
        assert!(pooled.contains(theirs), "{theirs}");
    }
    for withheld in ["Canary-Cup", "Dehua", "138.00", "Canary-Note", "2026-11-11", "\"SO-1\""] {
        assert!(!pooled.contains(withheld), "{withheld}");
    }
    // Nothing says that it is one order: neither aliases nor handles are equal.
    let alias = |link: &mut Link, file: &[u8]| link.views(file).unwrap()[0].as_ref().unwrap().alias().clone();
    assert_ne!(alias(&mut courier, &for_courier), alias(&mut supplier, &for_supplier));
}

/// Every byte of a bundle and of a keyring is altered, and both are cut everywhere.
#[test]
fn altered_and_truncated_files_are_refused_whole() {
    let shop = shop();
    let mut courier = Link::of(&shop.vault, COURIER, Kem::X25519);
    let delivery = bundle(&shop.vault, COURIER, "delivery", &["SO-1"]);
    let refused = [ErrorKind::CannotOpen, ErrorKind::Damaged, ErrorKind::NewerFormat, ErrorKind::NotFound];
    for at in 0..delivery.len() {
        let mut altered = delivery.clone();
        altered[at] ^= 1;
        assert!(refused.contains(&courier.views(&altered).unwrap_err()), "byte {at}");
        assert!(courier.views(&delivery[..at]).is_err(), "cut at {at}");
    }
    assert_eq!(courier.views(&[delivery.as_slice(), b"x"].concat()).unwrap_err(), ErrorKind::Damaged);
    for at in 0..courier.keyring_file.len() {
        let mut altered = courier.keyring_file.clone();
        altered[at] ^= 1;
        assert!(refused.contains(courier.party.keyring(&altered).unwrap_err().kind()), "byte {at}");
        assert!(courier.party.keyring(&courier.keyring_file[..at]).is_err(), "cut at {at}");
    }
    // One for the other.
    assert_eq!(courier.views(&courier.keyring_file.clone()).unwrap_err(), ErrorKind::Damaged);
    assert_eq!(courier.party.keyring(&delivery).unwrap_err().kind(), &ErrorKind::Damaged);
    assert_eq!(courier.views(to_base64(&delivery).as_bytes()).unwrap().len(), 1, "it was whole all the time");
}

/// Anybody knows a party's public key. Somebody makes a vault of his own, with a party of that key, and sends a delivery to the thief's
/// address.
#[test]
fn a_bundle_of_a_vault_that_is_not_trusted_is_refused() {
    let (shop, forger) = (shop(), shop_of_a_forger());
    let mut courier = Link::of(&shop.vault, COURIER, Kem::X25519);
    forger.vault.set_party_key(COURIER, courier.party.key().public()).unwrap();
    let keyring = forger.vault.issue_keyring(COURIER).unwrap();
    let forged = bundle(&forger.vault, COURIER, "delivery", &["SO-1"]);
    assert_eq!(courier.party.keyring(&keyring).unwrap_err().kind(), &ErrorKind::NotFound);
    assert_eq!(courier.views(&forged).unwrap_err(), ErrorKind::NotFound);
    // Under the name of the vault that is trusted: its id in the place of his.
    let genuine = bundle(&shop.vault, COURIER, "delivery", &["SO-1"]);
    let mut renamed = forged.clone();
    renamed[7..23].copy_from_slice(&genuine[7..23]);
    assert_eq!(courier.views(&renamed).unwrap_err(), ErrorKind::CannotOpen);
    // His signature under the shop's bundle, and the other way round.
    let signature = genuine.len() - 64;
    let swapped = [&genuine[..signature], &forged[forged.len() - 64..]].concat();
    assert_eq!(courier.views(&swapped).unwrap_err(), ErrorKind::CannotOpen);
    // Whoever trusts both reads each with its own keyring, and not with the other's.
    courier.party.trust(forger.vault.card().unwrap());
    let theirs = courier.party.keyring(&keyring).unwrap();
    assert_eq!(courier.party.read(&courier.keyring, &forged).unwrap_err().kind(), &ErrorKind::CannotOpen);
    assert_eq!(courier.party.read(&theirs, &forged).unwrap().views(&theirs).filter(Result::is_ok).count(), 1);
}

fn shop_of_a_forger() -> Shop {
    let mut order = order("SO-1");
    order.consignee.address.lines = vec!["The thief's street".into()];
    Shop::new(&[order])
}

/// A party that never pinned a card is sent a bundle that is in order.
#[test]
fn nothing_is_read_without_a_pinned_card() {
    let shop = shop();
    let mut courier = Link::of(&shop.vault, COURIER, Kem::X25519);
    let delivery = bundle(&shop.vault, COURIER, "delivery", &["SO-1"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    courier.party.key().write(&file, None).unwrap();
    let mut without = Party::open(&file, None).unwrap();
    assert_eq!(without.keyring(&courier.keyring_file).unwrap_err().kind(), &ErrorKind::NotFound);
    assert_eq!(without.read(&courier.keyring, &delivery).unwrap_err().kind(), &ErrorKind::NotFound);
    assert_eq!(courier.views(&delivery).unwrap().len(), 1);
}

/// A keyring of last year is sent again, so that the party goes on with keys that were replaced.
#[test]
fn a_keyring_older_than_the_newest_is_refused() {
    let shop = shop();
    let mut courier = Link::of(&shop.vault, COURIER, Kem::X25519);
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    let newer = shop.vault.issue_keyring(COURIER).unwrap();
    assert!(courier.party.keyring(&courier.keyring_file).is_ok(), "it is the newest that was seen");
    courier.party.keyring(&newer).unwrap();
    assert_eq!(courier.party.keyring(&courier.keyring_file).unwrap_err().kind(), &ErrorKind::RolledBack);
    assert!(courier.party.keyring(&newer).is_ok());
}

/// A revoked party asks for more, with keys that are in order.
#[test]
fn a_revoked_party_gets_neither_keyring_nor_bundle_and_keeps_what_it_has() {
    let shop = shop();
    let mut courier = Link::of(&shop.vault, COURIER, Kem::X25519);
    let before = bundle(&shop.vault, COURIER, "delivery", &["SO-1"]);
    shop.vault.revoke_party(COURIER).unwrap();
    let key = PartyKey::generate(Kem::X25519).unwrap();
    for refused in [
        shop.vault.share(COURIER, "delivery", &["SO-2"], None).map(drop),
        shop.vault.issue_keyring(COURIER).map(drop),
        shop.vault.set_party_key(COURIER, key.public()).map(drop),
    ] {
        assert_eq!(refused.unwrap_err().kind(), &ErrorKind::Revoked);
    }
    assert!(
        seen(&mut courier, &before).contains("Canary-Street"),
        "what it was given it keeps: the README says so"
    );
}

/// Two parties are entered under one key, so that whoever has it reads what is sent to either.
#[test]
fn a_key_belongs_to_one_party() {
    let shop = shop();
    let courier = Link::of(&shop.vault, COURIER, Kem::X25519);
    let again =
        |name| shop.vault.set_party_key(name, courier.party.key().public()).unwrap_err().kind().clone();
    assert_eq!((again(SUPPLIER), again(COURIER)), (ErrorKind::Exists, ErrorKind::Exists));
    let added = shop.vault.add_party_with_key("twin", "courier", None, courier.party.key().public());
    assert_eq!(added.unwrap_err().kind(), &ErrorKind::Exists);
}

/// A new key takes the place of one that was stolen: what is shared from then on the thief does not read, and the ledger has both ids.
#[test]
fn a_stolen_private_key_reads_nothing_that_is_shared_after_it_was_replaced() {
    let shop = shop();
    let mut thief = Link::of(&shop.vault, COURIER, Kem::X25519);
    let before = bundle(&shop.vault, COURIER, "delivery", &["SO-1"]);
    let alias = thief.views(&before).unwrap()[0].as_ref().unwrap().alias().to_string();
    let mut courier = Link::of(&shop.vault, COURIER, Kem::XWing);
    let after = bundle(&shop.vault, COURIER, "delivery", &["SO-1"]);
    assert_eq!(thief.views(&after).unwrap_err(), ErrorKind::CannotOpen);
    assert!(seen(&mut courier, &after).contains("Canary-Street"));
    assert_eq!(courier.views(&before).unwrap_err(), ErrorKind::CannotOpen, "that was sealed to the old key");
    // Both openings are the party's, under whatever id.
    let entries = shop.vault.resolve_alias(&alias).unwrap().seen.unwrap();
    let ids: std::collections::BTreeSet<_> = entries.iter().map(|(_, entry)| entry.party).collect();
    assert_eq!((entries.len(), ids.len()), (2, 2));
    assert!(crate::faults(&shop.vault).is_empty());
}

/// A closed order is opened by changing the columns of its row, or by putting back the row of before.
#[test]
fn a_closed_order_does_not_open_again_by_its_columns_and_an_old_row_is_found() {
    let shop = shop();
    let before = shop.rows("SO-1");
    shop.vault.close("SO-1").unwrap();
    let closed = shop.rows("SO-1");
    assert_eq!((before.len(), closed.len(), before[0].state), (1, 1, closed[0].state));
    assert_eq!(shop.opens(COURIER, "delivery", "SO-1").unwrap_err(), ErrorKind::Expired);
    for state in [consignee::store::SecretState::Current, consignee::store::SecretState::Pending] {
        let row = consignee::store::SecretRow { state, changed_at: 0, ..closed[0].clone() };
        shop.set_rows("SO-1", &[row]);
        assert_eq!(shop.opens(COURIER, "delivery", "SO-1").unwrap_err(), ErrorKind::Expired, "{state:?}");
    }
    assert!(shop.open("SO-1").is_ok(), "what has no end stays open");
    shop.set_rows("SO-1", &before);
    assert!(shop.opens(COURIER, "delivery", "SO-1").is_ok(), "the row of before the closing is authentic");
    assert!(crate::faults(&shop.vault).contains(&"orders"), "and doctor finds it");
}

/// Texts that are sent by telephone, mail and copying: with a letter wrong, cut, or one for the other.
#[test]
fn keys_and_cards_with_a_letter_wrong_are_refused() {
    let shop = shop();
    let courier = Link::of(&shop.vault, COURIER, Kem::X25519);
    let key = courier.party.key().public();
    let (key_text, card) = (key.to_text(), shop.vault.card().unwrap());
    assert_eq!(&PublicKey::parse(&key_text).unwrap(), key);
    assert_eq!(VaultCard::parse(&card.to_text()).unwrap(), card);
    assert!(PublicKey::parse(&card.to_text()).is_err() && VaultCard::parse(&key_text).is_err());
    for (text, parses) in [
        (key_text, (|text| PublicKey::parse(text).is_ok()) as fn(&str) -> bool),
        (card.to_text(), |text| VaultCard::parse(text).is_ok()),
    ] {
        let text = text.trim_end();
        for at in 0..text.len() {
            // Digits of the checksum may be capitals.
            let wrong = if text[at..=at].eq_ignore_ascii_case("A") { "B" } else { "A" };
            assert!(!parses(&[&text[..at], wrong, &text[at + 1..]].concat()), "letter {at}");
            assert!(!parses(&text[..at]), "cut at {at}");
        }
    }
}

/// Every copy has its entry, and a copy that was not made has none.
#[test]
fn each_copy_is_a_disclosure_of_its_party_and_nothing_else_is_entered() {
    let shop = shop();
    let _courier = Link::of(&shop.vault, COURIER, Kem::X25519);
    let before = shop.vault.ledger_state().unwrap().size;
    let shared = shop.vault.share(COURIER, "delivery", &["SO-1", "SO-9", "SO-2"], None).unwrap();
    let entries = shop.vault.ledger_entries(before, 100).unwrap();
    assert_eq!(entries.len(), 2);
    for (entry, order) in entries.iter().zip(shared.orders.iter().flatten()) {
        assert_eq!((entry.kind, entry.purpose.as_str()), (EntryKind::Disclosure, "delivery"));
        assert_eq!((entry.parts.len(), entry.commitments.len(), entry.revision), (3, 1, 1));
        assert_eq!(shop.vault.ledger_entries(order.ledger_index, 1).unwrap()[0], *entry);
    }
    assert_eq!(shared.orders[1].as_ref().unwrap_err().kind(), &ErrorKind::NotFound);
}

/// A keyring from before a rotation: of what is sealed from then on it opens nothing, and its epoch can be destroyed.
#[test]
fn an_old_keyring_opens_nothing_that_is_shared_after_a_rotation() {
    for suite in [None, Some(consignee::Suite::ChaCha20Poly1305)] {
        let shop = shop();
        let mut courier = Link::of(&shop.vault, COURIER, Kem::X25519);
        let before = bundle(&shop.vault, COURIER, "delivery", &["SO-1"]);
        shop.vault.rotate(suite).unwrap();
        // The stored order is still of the old epoch; its copy is of the new one.
        let after = bundle(&shop.vault, COURIER, "delivery", &["SO-1"]);
        assert_eq!(courier.views(&after).unwrap()[0].as_ref().unwrap_err(), &ErrorKind::CannotOpen);
        assert!(courier.views(&before).unwrap()[0].is_ok(), "what it was sent it keeps");
        courier.keyring = courier.party.keyring(&shop.vault.issue_keyring(COURIER).unwrap()).unwrap();
        assert_eq!(courier.keyring.epochs().collect::<Vec<_>>(), [1, 2]);
        assert!(courier.views(&after).unwrap()[0].is_ok());
        shop.vault.reseal(1, |_| ()).unwrap();
        shop.vault.destroy_epoch(1, consignee::OwnTables::None).unwrap();
        let newest = courier.party.keyring(&shop.vault.issue_keyring(COURIER).unwrap()).unwrap();
        assert_eq!(newest.epochs().collect::<Vec<_>>(), [2]);
    }
}

/// A closed order is rewrapped, and sealed anew, so that it opens again.
#[test]
fn a_closed_order_stays_closed_when_its_keys_are_exchanged() {
    let shop = shop();
    let _courier = Link::of(&shop.vault, COURIER, Kem::X25519);
    shop.vault.close("SO-1").unwrap();
    let refused = |what: &str| {
        assert_eq!(shop.opens(COURIER, "delivery", "SO-1").unwrap_err(), ErrorKind::Expired, "{what}");
        let shared = shop.vault.share(COURIER, "delivery", &["SO-1"], None).unwrap();
        assert_eq!(shared.orders[0].as_ref().unwrap_err().kind(), &ErrorKind::Expired, "{what}");
        assert!(shop.open("SO-1").is_ok(), "{what}");
    };
    refused("closed");
    assert_eq!(shop.vault.rewrap(consignee::OwnTables::None, |_| ()).unwrap().moved, 2);
    refused("rewrapped");
    shop.vault.rotate(None).unwrap();
    shop.vault.reseal(1, |_| ()).unwrap();
    refused("sealed anew");
    shop.vault.rewrap(consignee::OwnTables::None, |_| ()).unwrap();
    refused("and rewrapped");
    assert!(crate::faults(&shop.vault).is_empty());
}
