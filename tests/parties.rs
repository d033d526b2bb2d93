//! Parties with keys of their own: what they are sent, and what they make of it.
#![allow(clippy::unwrap_used)]

mod common;

use std::{fs, os::unix::fs::PermissionsExt, time::Duration};

use common::{Link, bundle, in_memory, order};
use consignee::{
    Bundle, ErrorKind, ExistingOrders, Kem, KeyFile, Order, OrderForCourier, OrderForSupplier, Party,
    PartyKey, Passphrase, Patch, Setup, ShredMode, Suite, Value, Vault, policy::DEFAULT_POLICY, public_path,
    store::Memory, to_base64, trust_path,
};

const COURIER: &str = "SF Express";
const DAY: u64 = 86_400;

fn stocked() -> Vault {
    let vault = in_memory();
    assert!(vault.put_many(&[order("SO-1"), order("SO-2")]).unwrap().iter().all(Result::is_ok));
    vault
}

fn views(bundle: &Bundle, link: &Link) -> Vec<serde_json::Value> {
    bundle.views(&link.keyring).map(|view| view.unwrap().to_json()).collect()
}

#[test]
fn a_card_is_compared_with_what_was_read_out_and_not_with_less() {
    let mut cards = std::iter::repeat_with(|| in_memory().card().unwrap());
    let other = cards.next().unwrap();
    let card = cards.find(|card| card.fingerprint().to_string().contains(['0', '1'])).unwrap();
    let fingerprint = card.fingerprint().to_string();
    let bare = fingerprint.replace('-', "");
    let alike = fingerprint.replace('0', "o").replace('1', "l");
    for same in [&fingerprint, &format!(" {}\n", fingerprint.to_lowercase()), &bare, &alike] {
        card.compare(same).unwrap();
    }
    let digit = if bare.starts_with('7') { "8" } else { "7" };
    let altered = format!("{digit}{}", &bare[1..]);
    let longer = format!("{bare}0");
    for wrong in ["", "-", &bare[..19], &longer, &altered, &other.fingerprint().to_string(), "é"] {
        let refused = card.compare(wrong).unwrap_err();
        assert_eq!(refused.kind(), &ErrorKind::CannotOpen);
        assert!(!refused.to_string().contains(&bare[..4]), "it is read out, not copied: {refused}");
    }
}

#[test]
fn a_courier_reads_its_parts_and_the_alias_and_a_supplier_its_lines_in_both_suites() {
    for suite in [Suite::Aes256Gcm, Suite::ChaCha20Poly1305] {
        let vault = Vault::in_memory(&Setup { suite, ..Setup::default() }).unwrap();
        common::staffed(&vault);
        vault.put(&order("SO-1")).unwrap();
        for kem in [Kem::X25519, Kem::XWing] {
            let mut courier = Link::of(&vault, COURIER, kem);
            let file = bundle(&vault, COURIER, "delivery", &["SO-1"]);
            let bundle = courier.party.read(&courier.keyring, &file).unwrap();
            assert_eq!((bundle.party(), bundle.role(), bundle.purpose()), (COURIER, "courier", "delivery"));
            let here = vault.open(COURIER, "delivery", "SO-1").unwrap();
            let mut expected = here.to_json();
            // The vault was asked by the number, which the courier does not have.
            expected["order"] = here.alias().to_string().into();
            assert_eq!(views(&bundle, &courier), [expected]);
            let view = bundle.views(&courier.keyring).next().unwrap().unwrap();
            assert_eq!(view.get("consignee.name").unwrap(), here.get("consignee.name").unwrap());
            assert!(matches!(view.get("items").unwrap_err().kind(), ErrorKind::Input { .. }));
        }
        let mut supplier = Link::of(&vault, "Yixing Ltd", Kem::X25519);
        let file = bundle(&vault, "Yixing Ltd", "fulfilment", &["SO-1"]);
        let bundle = supplier.party.read(&supplier.keyring, &file).unwrap();
        let text = views(&bundle, &supplier)[0].to_string();
        assert!(text.contains("Canary-Teapot") && !text.contains("Canary-Cup"), "{text}");
        // Whom the policy gives the number has it.
        let mut clerk = Link::of(&vault, "ledger clerk", Kem::X25519);
        let file = common::bundle(&vault, "ledger clerk", "accounting", &["SO-1"]);
        assert_eq!(clerk.views(&file).unwrap()[0].as_ref().unwrap().order(), "SO-1");
    }
}

#[test]
fn a_bundle_is_read_as_the_types_of_the_program_and_not_as_others() {
    let vault = stocked();
    let mut courier = Link::of(&vault, COURIER, Kem::X25519);
    let file = bundle(&vault, COURIER, "delivery", &["SO-1", "SO-2"]);
    let bundle = courier.party.read(&courier.keyring, to_base64(&file).as_bytes()).unwrap();
    let names: Vec<String> = bundle
        .views_as::<OrderForCourier>(&courier.keyring)
        .unwrap()
        .map(|order| order.unwrap().consignee.name.clone())
        .collect();
    assert_eq!(names, ["Canary-Name SO-1", "Canary-Name SO-2"]);
    let wrong = bundle.views_as::<OrderForSupplier>(&courier.keyring).map(drop).unwrap_err();
    assert_eq!(wrong.kind(), &ErrorKind::PolicyMismatch);
    assert!(courier.party.keyring(to_base64(&courier.keyring_file).as_bytes()).is_ok());
}

#[test]
fn one_order_that_cannot_be_shared_leaves_the_others_be() {
    let vault = stocked();
    let mut courier = Link::of(&vault, COURIER, Kem::X25519);
    vault.put(&order("SO-3")).unwrap();
    vault.shred("SO-3", "asked for", ShredMode::KeepEvidence).unwrap();
    vault.close("SO-2").unwrap();
    let shared = vault.share(COURIER, "delivery", &["SO-3", "SO-1", "SO-2", "SO-9"], None).unwrap();
    let kinds: Vec<_> = shared.orders.iter().map(|r| r.as_ref().err().map(|e| e.kind().clone())).collect();
    let expected = [Some(ErrorKind::Shredded), None, Some(ErrorKind::Expired), Some(ErrorKind::NotFound)];
    assert_eq!(kinds, expected);
    let seen = courier.views(&shared.bundle.unwrap()).unwrap();
    assert_eq!(seen.len(), 1);
    let alias = seen[0].as_ref().unwrap().alias();
    assert_eq!(shared.orders[1].as_ref().unwrap().alias, *alias);
    // By its alias, which the courier quotes.
    let again = vault.share(COURIER, "delivery", &[&alias.to_string()], None).unwrap();
    assert_eq!(again.orders[0].as_ref().unwrap().alias, *alias);
    let none = vault.share(COURIER, "delivery", &["SO-9"], None).unwrap();
    assert!(none.bundle.is_none() && none.to_base64().is_none());
    for (purpose, kind) in [("accounting", ErrorKind::NotPermitted), ("delivery", ErrorKind::NotFound)] {
        let party = if kind == ErrorKind::NotFound { "nobody" } else { COURIER };
        assert_eq!(vault.share(party, purpose, &["SO-1"], None).map(drop).unwrap_err().kind(), &kind);
    }
    let without = vault.share("agent 17", "after_sale", &["SO-1"], None).map(drop).unwrap_err();
    assert!(
        matches!(without.kind(), ErrorKind::Input { .. }) && without.to_string().contains("party keygen")
    );
}

#[test]
fn a_bundle_ends_with_its_purpose_or_earlier() {
    let vault = stocked();
    let mut courier = Link::of(&vault, COURIER, Kem::X25519);
    let end_of = |courier: &mut Link, valid| {
        let file = vault.share(COURIER, "delivery", &["SO-1"], valid).unwrap().bundle.unwrap();
        let bundle = courier.party.read(&courier.keyring, &file).unwrap();
        bundle.expires_at().unwrap() - bundle.issued_at()
    };
    let month = end_of(&mut courier, None);
    assert!((30 * DAY - 60..=30 * DAY).contains(&month), "{month}: 30 days from put");
    let day = end_of(&mut courier, Some(Duration::from_secs(DAY)));
    assert!((DAY - 1..=DAY + 1).contains(&day), "{day}");
    assert!(
        end_of(&mut courier, Some(Duration::from_secs(365 * DAY))) <= 30 * DAY,
        "no longer than the purpose"
    );
    // A purpose without an end.
    let mut supplier = Link::of(&vault, "Yixing Ltd", Kem::X25519);
    let file = bundle(&vault, "Yixing Ltd", "fulfilment", &["SO-1"]);
    assert_eq!(supplier.party.read(&supplier.keyring, &file).unwrap().expires_at(), None);
    // One that is over.
    let short =
        vault.share(COURIER, "delivery", &["SO-1"], Some(Duration::from_secs(1))).unwrap().bundle.unwrap();
    std::thread::sleep(Duration::from_millis(2_100));
    assert_eq!(courier.views(&short).unwrap_err(), ErrorKind::Expired);
}

#[test]
fn closing_ends_what_has_an_end_and_stays_through_updates_and_another_put() {
    let vault = stocked();
    let opens = |party, purpose| vault.open(party, purpose, "SO-1").map(drop).map_err(|e| e.kind().clone());
    assert_eq!(opens(COURIER, "delivery"), Ok(()));
    let before = vault.ledger_state().unwrap().size;
    vault.close("SO-1").unwrap();
    vault.close("SO-1").unwrap();
    assert_eq!(vault.ledger_state().unwrap().size, before + 1, "closed once");
    let revision = vault.update("SO-1", 1, Patch::new().set("note", Value::Text("returned".into()))).unwrap();
    for (party, purpose, expected) in [
        (COURIER, "delivery", Err(ErrorKind::Expired)),
        ("agent 17", "call_back", Err(ErrorKind::Expired)),
        ("agent 17", "after_sale", Ok(())),
        ("ledger clerk", "accounting", Ok(())),
        ("shop", "operation", Ok(())),
    ] {
        assert_eq!(opens(party, purpose), expected, "{party} for {purpose}, revision {revision}");
    }
    assert!(vault.open(COURIER, "delivery", "SO-2").is_ok(), "another order");
    vault.shred("SO-1", "asked for", ShredMode::KeepEvidence).unwrap();
    assert_eq!(vault.close("SO-1").unwrap_err().kind(), &ErrorKind::Shredded);
    assert_eq!(vault.close("SO-9").unwrap_err().kind(), &ErrorKind::NotFound);
    let faults = vault.doctor().unwrap().into_iter().filter(|f| f.severity == consignee::Severity::Fault);
    assert_eq!(faults.count(), 0);
}

#[test]
fn what_a_policy_newly_grants_needs_a_new_keyring() {
    let vault = stocked();
    let mut courier = Link::of(&vault, COURIER, Kem::X25519);
    let more = DEFAULT_POLICY.replace(
        "open = [\"consignee.name\", \"consignee.phone\", \"consignee.address\"]",
        "open = [\"consignee.name\", \"consignee.phone\", \"consignee.address\", \"note\"]",
    );
    assert_ne!(more, DEFAULT_POLICY);
    vault.apply_policy(&more, ExistingOrders::Yes).unwrap();
    let file = bundle(&vault, COURIER, "delivery", &["SO-1"]);
    let refused = courier.party.read(&courier.keyring, &file).unwrap();
    let refused = refused.views(&courier.keyring).next().unwrap().unwrap_err();
    assert!(*refused.kind() == ErrorKind::CannotOpen && refused.hint().contains("new keyring"), "{refused}");
    courier.keyring = courier.party.keyring(&vault.issue_keyring(COURIER).unwrap()).unwrap();
    assert_eq!(courier.keyring.parts().last(), Some("note"));
    let view = courier.views(&file).unwrap().remove(0).unwrap();
    assert_eq!(view.text("note").unwrap(), "Canary-Note");
}

#[test]
fn a_partys_files_are_its_own_whole_and_private() {
    let vault = stocked();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("courier.key");
    let key = PartyKey::generate(Kem::XWing).unwrap();
    key.write(&file, None).unwrap();
    assert_eq!(key.write(&file, None).unwrap_err().kind(), &ErrorKind::Exists);
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&file), 0o600);
    assert_eq!(public_path(&file), folder.path().join("courier.key.pub"));
    vault.set_party_key(COURIER, key.public()).unwrap();

    let mut party = Party::open(&file, None).unwrap();
    assert_eq!(party.key().public(), key.public());
    assert!(!trust_path(&file).exists());
    party.trust(vault.card().unwrap());
    party.save().unwrap();
    assert_eq!(mode(&trust_path(&file)), 0o600);
    let keyring = party.keyring(&vault.issue_keyring(COURIER).unwrap()).unwrap();
    party.save().unwrap();
    // Another process of the party's goes on where this one ended.
    let mut again = Party::open(&file, None).unwrap();
    assert_eq!(again.trusted().count(), 1);
    assert!(again.read(&keyring, &bundle(&vault, COURIER, "delivery", &["SO-1"])).is_ok());
    let pins = fs::read_to_string(trust_path(&file)).unwrap();
    fs::write(trust_path(&file), pins.replace("consignee-vault-card-v1:", "consignee-vault-card-v1:A"))
        .unwrap();
    assert_eq!(Party::open(&file, None).unwrap_err().kind(), &ErrorKind::Damaged);
    fs::remove_file(trust_path(&file)).unwrap();

    let text = fs::read(&file).unwrap();
    for (at, kind) in [(25, ErrorKind::Damaged), (text.len() - 2, ErrorKind::Damaged)] {
        let mut wrong = text.clone();
        wrong[at] = if wrong[at] == b'0' { b'1' } else { b'0' };
        fs::write(&file, wrong).unwrap();
        assert_eq!(Party::open(&file, None).unwrap_err().kind(), &kind, "byte {at}");
    }
    fs::write(&file, &text).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(Party::open(&file, None).unwrap_err().kind(), &ErrorKind::Storage);
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    assert_eq!(Party::open(&link, None).unwrap_err().kind(), &ErrorKind::Storage);
    assert_eq!(Party::open(&folder.path().join("none"), None).unwrap_err().kind(), &ErrorKind::NotFound);
}

#[test]
fn a_locked_key_opens_with_its_passphrase_only() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("courier.key");
    let key = PartyKey::generate(Kem::X25519).unwrap();
    assert_eq!(key.write(&file, Some(&Passphrase::new("short"))).unwrap_err().kind(), &ErrorKind::RootKey);
    assert!(!file.exists());
    key.write(&file, Some(&Passphrase::new("correct horse"))).unwrap();
    assert!(PartyKey::is_locked(&file).unwrap());
    assert_eq!(
        PartyKey::read(&file, Some(&Passphrase::new("correct horse"))).unwrap().public(),
        key.public()
    );
    for wrong in [None, Some(Passphrase::new("correct house"))] {
        let refused = PartyKey::read(&file, wrong.as_ref()).map(drop).unwrap_err();
        assert_eq!(refused.kind(), &ErrorKind::CannotOpen);
    }
}

/// Logs of a party's program: neither keys nor values.
#[test]
fn what_is_printed_for_debugging_holds_no_key_and_no_value() {
    let vault = stocked();
    let mut courier = Link::of(&vault, COURIER, Kem::X25519);
    let file = bundle(&vault, COURIER, "delivery", &["SO-1"]);
    let bundle = courier.party.read(&courier.keyring, &file).unwrap();
    let shared = vault.share(COURIER, "delivery", &["SO-1"], None).unwrap();
    let alias = shared.orders[0].as_ref().unwrap().alias.to_string();
    let printed = format!("{:?} {:?} {bundle:?} {:?}", courier.party, courier.keyring, shared.orders);
    assert!(printed.contains("consignee.name") && printed.contains("delivery"));
    for secret in ["Canary", "SO-1", &alias] {
        assert!(!printed.contains(secret), "{printed}");
    }
}

/// Two programs on the machine of one party, such as two readings at once.
#[test]
fn those_who_write_the_pins_at_once_keep_each_others() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("courier.key");
    PartyKey::generate(Kem::X25519).unwrap().write(&file, None).unwrap();
    let vaults: Vec<_> = (0..8).map(|_| Vault::in_memory(&Setup::default()).unwrap()).collect();
    std::thread::scope(|scope| {
        for vault in &vaults {
            scope.spawn(|| {
                let mut party = Party::open(&file, None).unwrap();
                party.trust(vault.card().unwrap());
                party.save().unwrap();
            });
        }
    });
    let mut slow = Party::open(&file, None).unwrap();
    assert_eq!(slow.trusted().count(), 8);
    // Whoever began earlier and ends later sets no mark back, and pins nothing again that was forgotten.
    let name = "SF Express";
    vaults[0].add_party_with_key(name, "courier", None, slow.key().public()).unwrap();
    let early = vaults[0].issue_keyring(name).unwrap();
    let mut fast = Party::open(&file, None).unwrap();
    assert!(fast.distrust(&vaults[1].card().unwrap()));
    fast.keyring(&early).unwrap();
    fast.save().unwrap();
    let marks = || fs::read_to_string(trust_path(&file)).unwrap();
    let before = marks();
    slow.trust(vaults[2].card().unwrap());
    slow.save().unwrap();
    let after = marks();
    assert_eq!(slow.trusted().count(), 7);
    let marked = |text: &str| text.lines().filter(|line| line.contains(" 0 ")).count();
    assert_eq!((marked(&before), marked(&after)), (6, 6), "one has the time of a keyring");
}

#[test]
fn a_supplier_is_not_given_an_order_without_a_line_of_its_own() {
    let vault = stocked();
    vault.add_party("Nobody Ltd", "supplier", Some("Nobody")).unwrap();
    let _nobody = Link::of(&vault, "Nobody Ltd", Kem::X25519);
    let entries = vault.ledger_state().unwrap().size;
    let shared = vault.share("Nobody Ltd", "fulfilment", &["SO-1", "SO-2"], None).unwrap();
    assert!(shared.bundle.is_none());
    assert!(shared.orders.iter().all(|order| order.as_ref().is_err_and(|e| *e.kind() == ErrorKind::Absent)));
    assert_eq!(vault.ledger_state().unwrap().size, entries, "nothing was disclosed");
}

#[test]
fn more_than_a_bundle_holds_is_refused_before_anything_is_entered() {
    let vault = in_memory();
    let _shop = Link::of(&vault, "shop", Kem::X25519);
    vault.put(&Order { note: "x".repeat(1_048_000), ..order("SO-1") }).unwrap();
    let before = vault.ledger_state().unwrap().size;
    let shared = vault.share("shop", "operation", &["SO-1"; 65], None);
    assert_eq!(shared.err().unwrap().kind(), &ErrorKind::Limit);
    assert_eq!(vault.ledger_state().unwrap().size, before);
}

/// An older version would write a party back without its keys, and then find nothing that was entered under them.
#[test]
fn a_vault_with_keys_of_parties_is_of_the_layout_that_older_versions_refuse() {
    for with_card in [false, true] {
        let stores = Memory::stores();
        let vault = Vault::begin(stores.clone(), &KeyFile::from_bytes([7; 32]), &Setup::default()).unwrap();
        let layout = || stores.keys.items().unwrap().iter().find(|item| item.kind == 100).unwrap().body[0];
        vault.add_party(COURIER, "courier", None).unwrap();
        assert_eq!(layout(), 1);
        if with_card {
            vault.card().unwrap();
        } else {
            vault.set_party_key(COURIER, PartyKey::generate(Kem::X25519).unwrap().public()).unwrap();
        }
        assert_eq!(layout(), 2);
    }
}

/// A party that keeps its key and pins in a store of its own, not in files.
#[test]
fn a_party_without_files_keeps_in_mind_what_one_with_files_does() {
    let vault = stocked();
    let key = PartyKey::generate(Kem::X25519).unwrap();
    vault.add_party_with_key("DHL", "courier", None, key.public()).unwrap();
    let passphrase = Passphrase::new("correct horse");
    let locked = key.to_bytes(Some(&passphrase)).unwrap();
    assert_eq!(PartyKey::from_bytes(&locked, Some(&passphrase)).unwrap().public(), key.public());
    assert_eq!(PartyKey::from_bytes(&locked, None).map(drop).unwrap_err().kind(), &ErrorKind::CannotOpen);
    let bytes = key.to_bytes(None).unwrap();
    let read = |bytes: &[u8]| PartyKey::from_bytes(bytes, None);
    let mut party = Party::with_pins(read(&bytes).unwrap(), "").unwrap();
    party.trust(vault.card().unwrap());
    let older = vault.issue_keyring("DHL").unwrap();
    std::thread::sleep(Duration::from_millis(1100));
    party.keyring(&vault.issue_keyring("DHL").unwrap()).unwrap();
    let mut later = Party::with_pins(read(&bytes).unwrap(), &party.pins()).unwrap();
    assert_eq!(later.keyring(&older).unwrap_err().kind(), &ErrorKind::RolledBack);
    assert!(Party::with_pins(read(&bytes).unwrap(), "").unwrap().keyring(&older).is_err(), "trusts nobody");
    for wrong in ["x", "consignee-trust-v1\nx 1 2\n"] {
        let refused = Party::with_pins(read(&bytes).unwrap(), wrong).unwrap_err();
        assert_eq!(refused.kind(), &ErrorKind::Damaged);
    }
    for wrong in [&bytes[..bytes.len() - 12], b"", key.public().to_text().as_bytes()] {
        assert_eq!(read(wrong).map(drop).unwrap_err().kind(), &ErrorKind::Damaged);
    }
}

#[test]
fn some_orders_of_a_bundle_are_read_as_they_are_among_all() {
    let vault = stocked();
    let numbers: Vec<String> = (3..40).map(|n| format!("SO-{n}")).collect();
    let orders: Vec<Order> = numbers.iter().map(|number| order(number)).collect();
    vault.put_many(&orders).unwrap();
    let mut courier = Link::of(&vault, COURIER, Kem::X25519);
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let bundle =
        courier.party.read(&courier.keyring, &bundle(&vault, COURIER, "delivery", &numbers)).unwrap();
    let all = views(&bundle, &courier);
    for (first, end) in [(0, 37), (0, 0), (7, 20), (36, 37), (30, 1000), (37, 40), (1000, 2000), (20, 7)] {
        let some: Vec<_> =
            bundle.views_of(first..end, &courier.keyring).map(|view| view.unwrap().to_json()).collect();
        let expected: Vec<_> =
            all.iter().take(end).skip(first).take(end.saturating_sub(first)).cloned().collect();
        assert_eq!(some, expected, "{first} to {end}");
    }
}

#[test]
fn a_wiped_view_has_no_value_left() {
    use zeroize::Zeroize;
    let vault = stocked();
    let mut view = vault.open("ledger clerk", "accounting", "SO-1").unwrap();
    assert!(view.parts().count() > 0 && view.order() == "SO-1");
    view.zeroize();
    assert_eq!((view.parts().count(), view.order()), (0, view.alias().to_string()));
}
