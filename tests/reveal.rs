//! What a party reveals of a bundle: what the ledger's commitments are over, for whoever checks them.
#![allow(clippy::unwrap_used)]

mod common;

use base64::{Engine, engine::general_purpose::STANDARD};
use common::{Link, bundle, in_memory, order};
use consignee::{ErrorKind, Kem, Party, PartyKey, RevealedBundle, Vault};
use serde_json::{Value as Json, json};

const COURIER: &str = "SF Express";
const SUPPLIER: &str = "Yixing Ltd";

fn stocked() -> Vault {
    let vault = in_memory();
    assert!(vault.put_many(&[order("SO-1"), order("SO-2")]).unwrap().iter().all(Result::is_ok));
    vault
}

/// What the vault's ledger has of a copy.
fn entered(vault: &Vault, index: u64) -> [u8; 32] {
    let [commitment] = vault.ledger_entries(index, 1).unwrap()[0].commitments[..] else { panic!() };
    commitment
}

#[test]
fn what_a_party_reveals_gives_the_commitment_of_each_entry() {
    let vault = stocked();
    for (name, purpose, lines) in [(COURIER, "delivery", ""), (SUPPLIER, "fulfilment", "Yixing")] {
        let link = Link::of(&vault, name, Kem::X25519);
        let file = bundle(&vault, name, purpose, &["SO-1", "SO-2"]);
        let text = link.party.reveal(&file).unwrap().to_json().unwrap();
        let revealed = RevealedBundle::from_json(&text).unwrap();
        assert_eq!(revealed.to_json().unwrap(), text);
        assert_eq!((revealed.copies().len(), revealed.origin()), (2, &*vault.ledger_origin().unwrap()));
        for copy in revealed.copies() {
            let entry = vault.ledger_entries(copy.place().index, 1).unwrap().remove(0);
            assert_eq!((entry.party, entry.parts), (*revealed.party(), copy.parts().collect::<Vec<_>>()));
            let commitment = revealed.commitment(copy, lines).unwrap();
            assert_eq!(commitment, entered(&vault, copy.place().index), "{name}");
            assert_ne!(revealed.commitment(copy, "Dehua").unwrap(), commitment, "another's lines");
        }
        // Two copies are two.
        let [first, second] = revealed.copies() else { panic!() };
        assert_ne!(entered(&vault, first.place().index), revealed.commitment(second, lines).unwrap());
        let one = link.party.reveal(&file).unwrap().select(std::slice::from_ref(second.alias())).unwrap();
        assert_eq!((one.copies().len(), one.copies()[0].place()), (1, second.place()));
        let stranger = consignee::Alias::parse("0000-0000-0000-0").unwrap();
        assert_eq!(one.select(&[stranger]).unwrap_err().kind(), &ErrorKind::NotFound);
    }
}

/// The party, or whoever has its file, makes out that something else was disclosed.
#[test]
fn a_copy_of_which_any_byte_was_altered_gives_another_commitment() {
    let vault = stocked();
    let courier = Link::of(&vault, COURIER, Kem::X25519);
    let file = bundle(&vault, COURIER, "delivery", &["SO-1"]);
    let whole: Json = serde_json::from_str(&courier.party.reveal(&file).unwrap().to_json().unwrap()).unwrap();
    let index = whole["copies"][0]["index"].as_u64().unwrap();
    let mut refused = 0;
    let mut differs =
        |what: &str, at: usize, altered: &Json| match RevealedBundle::from_json(&altered.to_string()) {
            Ok(revealed) => {
                let commitment = revealed.commitment(&revealed.copies()[0], "").unwrap();
                assert_ne!(commitment, entered(&vault, index), "{what}, byte {at}");
            }
            Err(e) => {
                assert!(
                    matches!(e.kind(), ErrorKind::Damaged | ErrorKind::NewerFormat),
                    "{what}, byte {at}: {e}"
                );
                refused += 1;
            }
        };
    let flipped = |node: &Json, at: usize| -> Option<Json> {
        let mut bytes = STANDARD.decode(node.as_str().unwrap()).unwrap();
        *bytes.get_mut(at)? ^= 1;
        Some(STANDARD.encode(bytes).into())
    };
    let mut altered = whole.clone();
    for at in 0.. {
        let Some(record) = flipped(&whole["copies"][0]["record"], at) else { break };
        altered["copies"][0]["record"] = record;
        differs("record", at, &altered);
    }
    altered = whole.clone();
    for ticket in 0..3 {
        for at in 0..32 {
            altered["copies"][0]["tickets"][ticket]["t"] =
                flipped(&whole["copies"][0]["tickets"][ticket]["t"], at).unwrap();
            differs("ticket", at, &altered);
        }
        altered = whole.clone();
    }
    altered["party_key_id"] = "00".repeat(16).into();
    differs("party", 0, &altered);
    assert!(refused > 0, "the outside of a record is looked at");
}

#[test]
fn what_is_no_file_of_revealed_copies_is_refused() {
    let vault = stocked();
    let courier = Link::of(&vault, COURIER, Kem::X25519);
    let file = bundle(&vault, COURIER, "delivery", &["SO-1"]);
    let text = courier.party.reveal(&file).unwrap().to_json().unwrap();
    let whole: Json = serde_json::from_str(&text).unwrap();
    let kind = |text: &str| RevealedBundle::from_json(text).map(drop).unwrap_err().kind().clone();
    for at in 0..text.len() {
        assert_eq!(kind(&text[..at]), ErrorKind::Damaged, "cut at {at}");
    }
    let with = |path: &str, value: Json| {
        let mut changed = whole.clone();
        *changed.pointer_mut(path).unwrap() = value;
        kind(&changed.to_string())
    };
    assert_eq!(with("/version", 2.into()), ErrorKind::NewerFormat);
    for (path, value) in [
        ("/version", json!(0)),
        ("/format", json!("consignee-other")),
        ("/vault", json!("00".repeat(16))),
        ("/vault", json!("00")),
        ("/origin", json!("an origin")),
        ("/copies", json!([])),
        ("/copies/0/index", json!(-1)),
        ("/copies/0/alias", json!("0000-0000-0000-1")),
        ("/copies/0/record", json!("")),
        ("/copies/0/record", json!("!")),
        ("/copies/0/tickets", json!([])),
        ("/copies/0/tickets/0/part", json!(0)),
        ("/copies/0/tickets/0/part", json!(9_999)),
        ("/copies/0/tickets/0/t", json!(STANDARD.encode([1; 31]))),
    ] {
        assert_eq!(with(path, value.clone()), ErrorKind::Damaged, "{path}: {value}");
    }
    let mut more = whole.clone();
    more["plaintext"] = "x".into();
    assert_eq!(kind(&more.to_string()), ErrorKind::Damaged);
    // And whoever is not the party, or pinned no card, reveals nothing.
    let other = Link::of(&vault, SUPPLIER, Kem::X25519);
    assert_eq!(other.party.reveal(&file).unwrap_err().kind(), &ErrorKind::CannotOpen);
    let unpinned = Party::new(PartyKey::generate(Kem::X25519).unwrap());
    assert_eq!(unpinned.reveal(&file).unwrap_err().kind(), &ErrorKind::NotFound);
}

/// What is handed over holds no value, and neither do logs of it hold a ticket or an alias.
#[test]
fn what_a_party_reveals_holds_no_value_and_is_not_printed_for_debugging() {
    let vault = stocked();
    let courier = Link::of(&vault, COURIER, Kem::X25519);
    let file = bundle(&vault, COURIER, "delivery", &["SO-1"]);
    let revealed = courier.party.reveal(&file).unwrap();
    let text = revealed.to_json().unwrap();
    let whole: Json = serde_json::from_str(&text).unwrap();
    let record = STANDARD.decode(whole["copies"][0]["record"].as_str().unwrap()).unwrap();
    for value in ["Canary", "13812345678", "SO-1"] {
        assert!(!text.contains(value) && !common::contains(&record, value.as_bytes()), "{value}");
    }
    let printed = format!("{revealed:?} {:?}", revealed.copies());
    for secret in [&whole["copies"][0]["alias"], &whole["copies"][0]["tickets"][0]["t"]] {
        assert!(!printed.contains(secret.as_str().unwrap()), "{printed}");
    }
}
