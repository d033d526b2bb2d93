//! Signed requests: forged, altered, replayed, and of those who may not ask.

use std::sync::Barrier;

use consignee::{
    Alias, Entry, EntryKind, ErrorKind, Kem, Party, PartyKey, Shared, SignedRequest, Vault, policy::PartId,
    to_base64,
};

use crate::{
    Shop, common,
    common::{Folder, Link, order},
    database,
};

const COURIER: &str = "SF Express";
const SUPPLIER: &str = "Yixing Ltd";

fn shop() -> Shop {
    Shop::new(&[order("SO-1"), order("SO-2")])
}

fn alias(vault: &Vault, party: &str, purpose: &str, order: &str) -> Alias {
    vault.open(party, purpose, order).unwrap().alias().clone()
}

fn delivery(shop: &Shop, link: &Link, orders: &[&str]) -> SignedRequest {
    let aliases: Vec<_> = orders.iter().map(|order| alias(&shop.vault, COURIER, "delivery", order)).collect();
    link.party.request(&shop.vault.card().unwrap(), "delivery", &[], &aliases).unwrap()
}

fn refusal(vault: &Vault, request: &[u8]) -> ErrorKind {
    vault.share_request(request, None).map(drop).unwrap_err().kind().clone()
}

fn entries_since(vault: &Vault, before: u64) -> Vec<Entry> {
    vault.ledger_entries(before, 1_000).unwrap()
}

fn part(number: u16) -> PartId {
    PartId::new(number).unwrap()
}

/// Numbers of parts that the vault's policy has.
fn number(vault: &Vault, name: &str) -> PartId {
    vault.policy().unwrap().parts().find(|part| part.name == name).unwrap().id
}

/// What was asked for is what is sent and entered, and each entry names the request.
#[test]
fn a_request_is_answered_with_its_parts_alone_and_each_entry_has_its_hash() {
    let shop = shop();
    let mut courier = Link::of(&shop.vault, COURIER, Kem::XWing);
    for parts in [&["consignee.name", "consignee.phone"][..], &[]] {
        let aliases = ["SO-1", "SO-2"].map(|order| alias(&shop.vault, COURIER, "delivery", order));
        let numbers: Vec<_> = parts.iter().map(|name| courier.keyring.part(name).unwrap()).collect();
        let card = courier.party.card_of(&courier.keyring).unwrap().clone();
        let request = courier.party.request(&card, "delivery", &numbers, &aliases).unwrap();
        let before = shop.vault.ledger_state().unwrap().size;
        let file = match parts {
            [] => to_base64(request.as_bytes()).into_bytes(),
            _ => request.as_bytes().to_vec(),
        };
        let Shared { bundle, orders, .. } = shop.vault.share_request(&file, None).unwrap();
        assert!(orders.iter().zip(&aliases).all(|(shared, alias)| shared.as_ref().unwrap().alias == *alias));
        let entries = entries_since(&shop.vault, before);
        assert_eq!(entries.len(), 2);
        let expected = if parts.is_empty() { 3 } else { 2 };
        for entry in &entries {
            assert_eq!((entry.kind, entry.request), (EntryKind::Disclosure, request.hash()));
            assert_eq!(entry.parts.len(), expected);
            assert!(parts.is_empty() || entry.parts == numbers);
        }
        let views = courier.views(&bundle.unwrap()).unwrap();
        for view in &views {
            let view = view.as_ref().unwrap();
            assert_eq!(view.parts().count(), expected);
            let address = view.get("consignee.address").map(drop).map_err(|e| e.kind().clone());
            assert_eq!(address.is_ok(), parts.is_empty(), "what was not asked for");
            assert!(address.is_ok() || address == Err(ErrorKind::NotPermitted));
        }
    }
    // What nobody signed has no hash.
    let shared = shop.vault.share(COURIER, "delivery", &["SO-1"], None).unwrap();
    let index = shared.orders[0].as_ref().unwrap().ledger_index;
    assert_eq!(shop.vault.ledger_entries(index, 1).unwrap()[0].request, [0; 32]);
    assert!(crate::faults(&shop.vault).is_empty());
}

/// Every byte of a request is altered, and it is cut everywhere.
#[test]
fn a_request_that_was_altered_or_cut_anywhere_is_refused() {
    let shop = shop();
    let courier = Link::of(&shop.vault, COURIER, Kem::X25519);
    let request = delivery(&shop, &courier, &["SO-1", "SO-2"]);
    let before = shop.vault.ledger_state().unwrap().size;
    let refused = |kind: &ErrorKind| {
        matches!(kind, ErrorKind::Input { .. })
            || [ErrorKind::CannotOpen, ErrorKind::Damaged, ErrorKind::NewerFormat, ErrorKind::NotFound]
                .contains(kind)
    };
    let whole = request.as_bytes();
    for at in 0..whole.len() {
        for bit in [1, 0x80] {
            let mut altered = whole.to_vec();
            altered[at] ^= bit;
            assert!(refused(&refusal(&shop.vault, &altered)), "byte {at}");
        }
        assert_eq!(refusal(&shop.vault, &whole[..at]), ErrorKind::Damaged, "cut at {at}");
    }
    assert_eq!(refusal(&shop.vault, &[whole, b"x"].concat()), ErrorKind::Damaged);
    assert_eq!(refusal(&shop.vault, &courier.keyring_file), ErrorKind::Damaged);
    assert_eq!(shop.vault.ledger_state().unwrap().size, before, "nobody was made to have asked");
    assert!(shop.vault.share_request(whole, None).unwrap().bundle.is_some(), "it was whole all the time");
}

/// A shop has a request that a party made to another shop, or of a party that it does not know.
#[test]
fn a_request_to_another_vault_or_of_another_key_is_refused() {
    let (shop, other) = (shop(), shop());
    let mut courier = Link::of(&shop.vault, COURIER, Kem::X25519);
    other.vault.set_party_key(COURIER, courier.party.key().public()).unwrap();
    let request = delivery(&shop, &courier, &["SO-1"]);
    assert!(matches!(refusal(&other.vault, request.as_bytes()), ErrorKind::Input { .. }));
    assert!(request.is_to(&shop.vault.card().unwrap()) && !request.is_to(&other.vault.card().unwrap()));
    // Nobody asks a vault whose card it has not compared.
    let card = other.vault.card().unwrap();
    let refused = courier.party.request(&card, "delivery", &[], request.aliases()).unwrap_err();
    assert_eq!(refused.kind(), &ErrorKind::NotFound);
    courier.party.trust(card.clone());
    assert!(courier.party.request(&card, "delivery", &[], request.aliases()).is_ok());
    let mut stranger = Party::new(PartyKey::generate(Kem::X25519).unwrap());
    stranger.trust(shop.vault.card().unwrap());
    let theirs = stranger.request(&shop.vault.card().unwrap(), "delivery", &[], request.aliases()).unwrap();
    assert_eq!(refusal(&shop.vault, theirs.as_bytes()), ErrorKind::NotFound);
}

/// The shop says that the courier asked for what it sent of its own accord.
#[test]
fn a_shop_cannot_invent_a_request() {
    let shop = shop();
    let courier = Link::of(&shop.vault, COURIER, Kem::X25519);
    let genuine = delivery(&shop, &courier, &["SO-1"]);
    let public = courier.party.key().public();
    assert!(genuine.verify(public).is_ok());
    // Signed with a key that the shop made: it names that key, and verifies under no other.
    let mut forger = Party::new(PartyKey::generate(Kem::X25519).unwrap());
    forger.trust(shop.vault.card().unwrap());
    let forged = forger.request(&shop.vault.card().unwrap(), "delivery", &[], genuine.aliases()).unwrap();
    assert_eq!(forged.verify(public).unwrap_err().kind(), &ErrorKind::CannotOpen);
    assert!(forged.hash() != genuine.hash() && forged.verify(forger.key().public()).is_ok());
    // Made out in the courier's name: its key's digest in the place of the forger's.
    let key = 4 + 1 + 16;
    let renamed =
        [&forged.as_bytes()[..key], &genuine.as_bytes()[key..key + 32], &forged.as_bytes()[key + 32..]]
            .concat();
    let renamed = SignedRequest::parse(&renamed).unwrap();
    assert!(renamed.is_of(public));
    assert_eq!(renamed.verify(public).unwrap_err().kind(), &ErrorKind::CannotOpen);
    // More orders than it asked for, under its signature.
    let more = delivery(&shop, &courier, &["SO-1", "SO-2"]);
    let signature = genuine.as_bytes().len() - 64;
    let grown = [&more.as_bytes()[..more.as_bytes().len() - 64], &genuine.as_bytes()[signature..]].concat();
    let grown = SignedRequest::parse(&grown).unwrap();
    assert_eq!(grown.verify(public).unwrap_err().kind(), &ErrorKind::CannotOpen);
    assert_eq!(refusal(&shop.vault, grown.as_bytes()), ErrorKind::CannotOpen);
}

/// The shop enters the hash of a genuine request where it sent something else, or to somebody else.
#[test]
fn an_entry_is_of_a_request_only_with_its_party_purpose_and_parts() {
    let shop = shop();
    let courier = Link::of(&shop.vault, COURIER, Kem::X25519);
    let public = courier.party.key().public();
    let known = [alias(&shop.vault, COURIER, "delivery", "SO-1")];
    let parts = [number(&shop.vault, "consignee.name"), number(&shop.vault, "consignee.phone")];
    let card = shop.vault.card().unwrap();
    let request = courier.party.request(&card, "delivery", &parts, &known).unwrap();
    let shared = shop.vault.share_request(request.as_bytes(), None).unwrap();
    let index = shared.orders[0].as_ref().unwrap().ledger_index;
    let entry = shop.vault.ledger_entries(index, 1).unwrap().remove(0);
    let named =
        |name: &str| shop.vault.parties().unwrap().into_iter().find(|party| party.name == name).unwrap();
    let (ours, theirs) = (named(COURIER).number, named(SUPPLIER).number);
    let check = |entry: &Entry| request.check_entry(entry, ours, public).map_err(|e| e.kind().clone());
    assert_eq!(check(&entry), Ok(()));
    let supplier = Link::of(&shop.vault, SUPPLIER, Kem::X25519);
    for refused in [
        request.check_entry(&entry, theirs, public),
        request.check_entry(&entry, ours, supplier.party.key().public()),
    ] {
        assert_eq!(refused.unwrap_err().kind(), &ErrorKind::CannotOpen);
    }
    let altered = |change: &dyn Fn(&mut Entry)| {
        let mut entry = entry.clone();
        change(&mut entry);
        assert_eq!(check(&entry), Err(ErrorKind::CannotOpen), "{entry:?}");
    };
    altered(&|entry| entry.request[0] ^= 1);
    altered(&|entry| entry.party[0] ^= 1);
    altered(&|entry| entry.purpose = "call_back".into());
    altered(&|entry| entry.parts = vec![number(&shop.vault, "consignee.address")]);
    altered(&|entry| entry.kind = EntryKind::Put);
    // What was refused is of it, too.
    let wrong = courier.party.request(&card, "accounting", &[], &known).unwrap();
    let before = shop.vault.ledger_state().unwrap().size;
    assert_eq!(refusal(&shop.vault, wrong.as_bytes()), ErrorKind::NotPermitted);
    assert!(wrong.check_entry(&entries_since(&shop.vault, before)[0], ours, public).is_ok());
}

/// Whoever saw the request sends it again, at once, from many places, and to another process.
#[test]
fn a_request_is_taken_once_by_however_many_ask_at_a_time() {
    let folder = Folder::new();
    let vault = folder.unlock();
    vault.put(&order("SO-1")).unwrap();
    let courier = Link::of(&vault, COURIER, Kem::X25519);
    let aliases = [alias(&vault, COURIER, "delivery", "SO-1")];
    for _ in 0..5 {
        let request = courier.party.request(&vault.card().unwrap(), "delivery", &[], &aliases).unwrap();
        let before = vault.ledger_state().unwrap().size;
        let start = Barrier::new(4);
        let results: Vec<_> = std::thread::scope(|scope| {
            let ask = || {
                let another = folder.unlock();
                start.wait();
                another.share_request(request.as_bytes(), None).map(drop).map_err(|e| e.kind().clone())
            };
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
        assert_eq!(results.iter().filter(|result| **result == Err(ErrorKind::Exists)).count(), 3);
        assert_eq!(entries_since(&vault, before).len(), 1);
        assert_eq!(refusal(&folder.unlock(), request.as_bytes()), ErrorKind::Exists);
    }
}

/// Who writes `keys.db`, or restored it, made it forget which requests were taken: the ledger has not forgotten.
#[test]
fn a_request_that_keys_db_has_forgotten_is_not_taken_again() {
    let folder = Folder::new();
    let vault = folder.unlock();
    vault.put(&order("SO-1")).unwrap();
    let courier = Link::of(&vault, COURIER, Kem::X25519);
    let aliases = [alias(&vault, COURIER, "delivery", "SO-1")];
    let ask = || courier.party.request(&vault.card().unwrap(), "delivery", &[], &aliases).unwrap();
    let (first, second) = (ask(), ask());
    assert!(vault.share_request(first.as_bytes(), None).is_ok());
    for _ in 0..30 {
        vault.open("shop", "operation", "SO-1").unwrap();
    }
    assert!(database(&folder, "keys.db").execute("DELETE FROM spent", []).unwrap() > 0);
    let before = vault.ledger_state().unwrap().size;
    assert_eq!(refusal(&vault, first.as_bytes()), ErrorKind::Exists);
    assert_eq!(vault.ledger_state().unwrap().size, before);
    assert!(vault.share_request(second.as_bytes(), None).is_ok(), "it was not taken");
}

/// Parties ask for what the policy does not give them, or ask when they may not any more. What they signed is in the ledger.
#[test]
fn a_request_for_what_is_not_granted_is_refused_and_entered_with_its_hash() {
    let shop = shop();
    let courier = Link::of(&shop.vault, COURIER, Kem::X25519);
    let card = shop.vault.card().unwrap();
    let known = [alias(&shop.vault, COURIER, "delivery", "SO-1")];
    let items = number(&shop.vault, "items");
    let ask = |purpose: &str, parts: &[PartId]| courier.party.request(&card, purpose, parts, &known).unwrap();
    let name = number(&shop.vault, "consignee.name");
    let denied = |request: &SignedRequest, kind: ErrorKind, reason: u8, says: &str| {
        let before = shop.vault.ledger_state().unwrap().size;
        let refused = shop.vault.share_request(request.as_bytes(), None).map(drop).unwrap_err();
        assert!(*refused.kind() == kind && refused.to_string().contains(says), "{refused}");
        let [entry] = entries_since(&shop.vault, before).try_into().unwrap();
        assert_eq!((entry.kind, entry.request), (EntryKind::Denied, request.hash()));
        assert_eq!((entry.detail[0], entry.parts.len()), (reason, 0));
        assert_eq!(refusal(&shop.vault, request.as_bytes()), ErrorKind::Exists, "taken, whatever came of it");
        entry
    };
    denied(&ask("accounting", &[]), ErrorKind::NotPermitted, 1, "no such purpose");
    // Each of them is entered: none is counted into another's.
    denied(&ask("delivery", &[items]), ErrorKind::NotPermitted, 1, "does not open items");
    denied(&ask("delivery", &[name, items]), ErrorKind::NotPermitted, 1, "does not open items");
    denied(&ask("delivery", &[part(9_999)]), ErrorKind::NotPermitted, 1, "part 9999");
    // An order that is closed.
    let closed = ask("delivery", &[]);
    shop.vault.close("SO-1").unwrap();
    let before = shop.vault.ledger_state().unwrap().size;
    let shared = shop.vault.share_request(closed.as_bytes(), None).unwrap();
    assert_eq!(shared.orders[0].as_ref().unwrap_err().kind(), &ErrorKind::Expired);
    let [entry] = entries_since(&shop.vault, before).try_into().unwrap();
    assert_eq!((entry.kind, entry.request, entry.detail[0]), (EntryKind::Denied, closed.hash(), 2));
    // A key that was replaced, because it was stolen: the entry is under the id of that key.
    let stolen = ask("delivery", &[]);
    let old = denied(&ask("accounting", &[]), ErrorKind::NotPermitted, 1, "no such purpose").party;
    let _new = Link::of(&shop.vault, COURIER, Kem::X25519);
    assert_eq!(denied(&stolen, ErrorKind::NotPermitted, 1, "another key by now").party, old);
    // A party that was revoked.
    let revoked = Link::of(&shop.vault, COURIER, Kem::X25519);
    let last = revoked.party.request(&card, "delivery", &[], &known).unwrap();
    shop.vault.revoke_party(COURIER).unwrap();
    denied(&last, ErrorKind::Revoked, 3, "revoked");
    assert!(crate::faults(&shop.vault).is_empty());
}

/// A courier guesses, or was told, by what alias a supplier knows an order, and asks for that; or for an order by its number.
#[test]
fn another_partys_alias_is_as_unknown_as_one_that_nobody_has() {
    let shop = shop();
    let courier = Link::of(&shop.vault, COURIER, Kem::X25519);
    let own = alias(&shop.vault, COURIER, "delivery", "SO-1");
    let foreign = alias(&shop.vault, SUPPLIER, "fulfilment", "SO-1");
    let made_up = Alias::parse("0000-0000-0000-0").unwrap();
    // An order whose number is the alias that the courier has of another one.
    let numbered = alias(&shop.vault, COURIER, "delivery", "SO-2");
    shop.vault.put(&order(&foreign.to_string())).unwrap();
    let aliases = [foreign, own.clone(), made_up, numbered.clone()];
    let request = courier.party.request(&shop.vault.card().unwrap(), "delivery", &[], &aliases).unwrap();
    let before = shop.vault.ledger_state().unwrap().size;
    let shared = shop.vault.share_request(request.as_bytes(), None).unwrap();
    let results: Vec<_> = shared.orders.iter().map(|r| r.as_ref().map(|o| &o.alias)).collect();
    assert_eq!((*results[1].as_ref().unwrap(), *results[3].as_ref().unwrap()), (&own, &numbered));
    let (foreign, made_up) = (results[0].as_ref().unwrap_err(), results[2].as_ref().unwrap_err());
    assert_eq!(foreign.kind(), &ErrorKind::NotFound);
    assert_eq!(format!("{foreign:?}"), format!("{made_up:?}"), "no oracle");
    assert_eq!(entries_since(&shop.vault, before).len(), 2);
}

/// Logs of a program that takes requests.
#[test]
fn what_is_printed_of_a_request_for_debugging_names_no_order() {
    let shop = shop();
    let courier = Link::of(&shop.vault, COURIER, Kem::X25519);
    let request = delivery(&shop, &courier, &["SO-1"]);
    let alias = request.aliases()[0].to_string();
    assert!(!format!("{request:?}").contains(&alias) && request.purpose() == "delivery");
    assert!(!common::contains(format!("{request:?}").as_bytes(), request.origin().as_bytes()));
}
