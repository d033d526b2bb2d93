//! The ledger goes to auditors, byte for byte: no entry has a value of any order, a number, an alias or a name in any form.
#![allow(clippy::unwrap_used)]

mod common;
#[path = "common/orders.rs"]
mod orders;

use std::collections::BTreeSet;

use common::{
    Link, ROOT, bundle,
    canaries::{self, MAIL, NUMBER, PHONE},
    order_json, staffed,
};
use consignee::{
    Entry, ErrorKind, ExistingOrders, Kem, KeyFile, Order, Patch, Setup, ShredMode, Value, Vault,
    policy::{DEFAULT_POLICY, Policy},
    store::Memory,
};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

/// Of a file of real orders, as many.
const MOST: usize = 300;
const REASON: &str = "Widerruf vom Blaukehlchen";
const NEW_NOTE: &str = "Schluessel beim Schwarzspecht";

/// Orders in JSON: with a canary in every field, those of the other tests, made-up ones, and the file that CONSIGNEE_ORDERS names.
fn lines() -> Vec<String> {
    let real = std::env::var_os("CONSIGNEE_ORDERS").filter(|path| !path.is_empty());
    let real = real.map(|path| std::fs::read_to_string(path).unwrap()).unwrap_or_default();
    let made_up = (1..=60).map(orders::order_json);
    let known = [canaries::json(NUMBER), order_json("SO-77001"), orders::reference_json(7)];
    known.into_iter().chain(made_up).chain(real.lines().take(MOST).map(str::to_owned)).collect()
}

/// Every text and number of four bytes or more in an order's JSON.
fn values(json: &Json, found: &mut BTreeSet<String>) {
    match json {
        Json::Object(pairs) => pairs.values().for_each(|value| values(value, found)),
        Json::Array(all) => all.iter().for_each(|value| values(value, found)),
        Json::String(text) => found.extend([text.clone()]),
        Json::Number(number) => found.extend([number.to_string()]),
        _ => {}
    }
}

/// What an entry says without what is random: ids, handle, digest, hashes, and a query.
fn without_random(entry: &Entry) -> Vec<u8> {
    let query = entry.kind == consignee::EntryKind::Search;
    let parts = entry.parts.iter().flat_map(|part| part.get().to_le_bytes());
    let fixed =
        [entry.time.to_le_bytes().as_slice(), &entry.revision.to_le_bytes(), entry.purpose.as_bytes()]
            .concat();
    let detail = if query { &[] } else { entry.detail.as_slice() };
    fixed.into_iter().chain(parts).chain(detail.iter().copied()).collect()
}

/// All that is done with orders; gives the aliases that parties were shown.
fn lives(vault: &Vault, orders: &[Order], link: &mut Link) -> BTreeSet<String> {
    let mut aliases = BTreeSet::new();
    assert!(vault.put_many(orders).unwrap().iter().all(Result::is_ok));
    let numbers: Vec<&str> = orders.iter().map(|order| order.order_no.as_str()).collect();
    for (party, purpose) in [
        ("agent 17", "after_sale"),
        ("agent 17", "call_back"),
        ("ledger clerk", "accounting"),
        ("shop", "operation"),
        ("Yixing Ltd", "fulfilment"),
    ] {
        for view in vault.open_many(party, purpose, &numbers).unwrap() {
            aliases.insert(view.unwrap().alias().to_string());
        }
    }
    for some in numbers.chunks(50) {
        for view in link.views(&bundle(vault, "SF Express", "delivery", some)).unwrap() {
            aliases.insert(view.unwrap().alias().to_string());
        }
    }
    assert_eq!(
        vault.open("SF Express", "accounting", numbers[0]).unwrap_err().kind(),
        &ErrorKind::NotPermitted
    );
    for order in orders.iter().take(20) {
        vault.find("agent 17", "after_sale", "consignee.phone", &order.consignee.phone).unwrap();
    }
    assert_eq!(vault.find("agent 17", "after_sale", "extra.mail", MAIL).unwrap().hits.len(), 1);
    vault.resolve_alias(aliases.first().unwrap()).unwrap();
    for number in &numbers {
        vault.update(number, 1, Patch::new().set("note", Value::Text(NEW_NOTE.into()))).unwrap();
    }
    vault.rotate(None).unwrap();
    vault.reseal(1, |_| ()).unwrap();
    for number in numbers.iter().step_by(3) {
        vault.close(number).unwrap();
    }
    for (number, mode) in
        numbers.iter().zip([ShredMode::KeepEvidence, ShredMode::WithEvidence].into_iter().cycle())
    {
        vault.shred(number, REASON, mode).unwrap();
    }
    aliases
}

#[test]
fn an_auditor_who_reads_every_byte_of_the_ledger_reads_no_value_of_any_order() {
    let policy = Policy::parse(&canaries::policy()).unwrap();
    let stores = Memory::stores();
    let setup = Setup { policy: canaries::policy().into(), ..Setup::default() };
    let vault = Vault::begin(stores.clone(), &KeyFile::from_bytes(ROOT), &setup).unwrap();
    staffed(&vault);
    let mut link = Link::of(&vault, "SF Express", Kem::X25519);
    let lines = lines();
    let orders: Vec<_> = lines.iter().map(|line| Order::from_json(line, &policy).unwrap()).collect();
    let aliases = lives(&vault, &orders, &mut link);
    vault.revoke_party("Dehua Ltd").unwrap();
    vault
        .apply_policy(
            &canaries::policy().replacen("expires = \"7d\"", "expires = \"6d\"", 1),
            ExistingOrders::No,
        )
        .unwrap();

    let mut texts = BTreeSet::new();
    lines.iter().for_each(|line| values(&serde_json::from_str(line).unwrap(), &mut texts));
    assert!(texts.contains(NUMBER) && texts.contains(PHONE) && aliases.len() == 5 * orders.len());
    texts.extend(aliases);
    texts.extend(orders.iter().map(|order| format!("+86{}", order.consignee.phone)));
    texts.extend(
        ["SF Express", "Yixing Ltd", "Dehua Ltd", "agent 17", "ledger clerk", REASON, NEW_NOTE]
            .map(str::to_owned),
    );
    // Roles and purposes stand in entries as such.
    texts.retain(|text| text.len() >= 4 && !DEFAULT_POLICY.contains(text.as_str()));
    let secrets = texts
        .iter()
        .fold(canaries::of_order(), |all, text| all.with_hash(text, text, &Sha256::digest(text.as_bytes())));

    let rows = stores.ledger.entries(0, usize::MAX).unwrap();
    assert_eq!(rows.len() as u64, vault.ledger_state().unwrap().size);
    let kinds: BTreeSet<u8> = rows.iter().map(|row| row.bytes[4]).collect();
    assert!(kinds.iter().copied().eq(1..=14), "entries of every type but lost: {kinds:?}");
    let bytes: Vec<u8> = rows.iter().flat_map(|row| row.bytes.iter().copied()).collect();
    assert!(bytes.len() > 1_000 * orders.len());
    secrets.none_in(&bytes, "the ledger");
    let said: Vec<u8> =
        rows.iter().flat_map(|row| without_random(&Entry::decode(&row.bytes).unwrap())).collect();
    let short = secrets.short_in(&said);
    assert!(short.is_empty(), "{short:?}");
    // They are found if they are there.
    for text in [PHONE, orders[5].consignee.name.as_str(), orders[1].order_no.as_str()] {
        assert!(!secrets.seen_in([&bytes, text.as_bytes()].concat()).is_empty(), "{text}");
    }
    let hash = Sha256::digest(orders[9].order_no.as_bytes());
    assert!(!secrets.seen_in([&bytes[..999], &hash[..10]].concat()).is_empty());
    let four = texts.iter().find(|text| text.len() == 4).unwrap();
    assert!(!secrets.short_in(&[&said, four.as_bytes()].concat()).is_empty(), "{four}");
}
