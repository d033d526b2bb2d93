//! `backup` and `restore`, and what other commands say of a restored vault.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Shop, order, tells_nothing};
use serde_json::Value as Json;

/// What `backup` says to note, as restore takes it.
fn note(out: &str) -> String {
    let line = out.lines().last().unwrap();
    line.split_once("--last-known ").unwrap().1.to_owned()
}

#[test]
fn a_vault_comes_back_from_its_backup() {
    let shop = Shop::staffed();
    let made = shop.run(&["backup", "v", "b"]).exits(0);
    tells_nothing(&made.out);
    shop.put(&[order("A-3")]);
    let later = note(&shop.run(&["backup", "v", "later"]).exits(0).out);
    let restored = shop.run(&["restore", "r", "--from", "b", "--last-known", &later]).exits(0);
    let restored = restored.prints("ledger 1 came back with").prints("ledger 2 follows");
    let restored =
        restored.prints("the last that is known is ledger 1").prints("do again what was done since");
    let restored = restored.prints("this is ledger 2").prints("policy.toml is the policy in force");
    tells_nothing(&restored.out);
    let opened = shop.run(&["open", "r", "--party", "Swift", "--purpose", "delivery", "A-2"]).exits(0);
    opened.prints("Canary-Name").prints("entry 2/1 of the ledger");
    let numbers = |ledger: &str| {
        let shown = shop.run(&["ledger", "show", "r", "--json", "--ledger", ledger]).exits(0).json();
        let last = shown.last().unwrap().clone();
        (shown[0]["type"].as_str().unwrap().to_owned(), last["ledger"].as_u64().unwrap(), shown.len() - 1)
    };
    let size = |note: &str| note.split_once(':').unwrap().0.parse::<usize>().unwrap();
    assert_eq!(numbers("1"), ("policy".to_owned(), 1, size(&note(&made.out))));
    assert_eq!(numbers("2"), ("lost".to_owned(), 2, 2));
    shop.run(&["ledger", "show", "r"])
        .exits(0)
        .prints("2/0")
        .prints("the ledger before this one, last known with");
    shop.run(&["ledger", "show", "r", "--ledger", "3"]).exits(1).says("it has 1 to 2");
    let scopes: Json = serde_json::from_str(&shop.run(&["scopes", "r", "--json"]).exits(0).out).unwrap();
    assert_eq!(
        (scopes["policy"]["ledger"].as_u64(), scopes["policy"]["ledger_index"].as_u64()),
        (Some(1), Some(0))
    );
    let found = shop.run(&[
        "find",
        "r",
        "--party",
        "agent 17",
        "--purpose",
        "after_sale",
        "--json",
        "consignee.phone=13812345678",
    ]);
    assert!(found.exits(0).json().iter().all(|hit| hit["ledger"] == 2));
    let noted = note(&shop.run(&["backup", "r", "again"]).exits(0).out);
    assert!(noted.starts_with("2/"), "{noted}");
    shop.run(&["restore", "r2", "--from", "again", "--last-known", &noted])
        .exits(0)
        .prints("ledger 3 follows");
}

#[test]
fn sets_that_were_kept_apart_are_given_one_by_one() {
    let shop = Shop::staffed();
    shop.run(&["backup", "v", "b"]).exits(0);
    shop.run(&["backup", "v", "c"]).exits(0);
    let restore = |to: &str, keys: &str| {
        shop.run(&["restore", to, "--records", "b/records", "--secrets", "b/secrets", "--keys", keys])
    };
    restore("r", "b/keys").exits(0);
    restore("r", "b/keys").exits(1).says("there is something here already");
    restore("s", "c/keys").exits(1).says("the sets are not of one backup");
    restore("s", "b/secrets").exits(1).says("this is the set of secrets");
    restore("s", "nothing").exits(1).says("there is no set of keys of a backup at this path");
    std::fs::write(shop.path("b/secrets/secrets.db"), b"cut").unwrap();
    restore("s", "b/keys").exits(1).says("secrets.db was cut or altered");
    shop.run(&["backup", "v", "b"]).exits(1).says("there is something at this path already");
    assert!(!shop.path("s").exists());
}

#[test]
fn what_cannot_work_is_said() {
    let shop = Shop::staffed();
    shop.run(&["backup", "v", "b"]).exits(0);
    shop.run(&["restore", "r"]).exits(2);
    shop.run(&["restore", "r", "--records", "b/records"]).exits(2);
    shop.run(&["restore", "r", "--from", "b", "--keys", "b/keys"]).exits(2);
    let root = "0".repeat(64);
    for wrong in ["12", "12:07", &format!("x:{root}"), &format!("0/12:{root}")] {
        shop.run(&["restore", "r", "--from", "b", "--last-known", wrong]).exits(2).says("SIZE:ROOT");
    }
    let other = format!("1:{root}");
    shop.run(&["restore", "r", "--from", "b", "--last-known", &other])
        .exits(1)
        .says("did not have this root");
    shop.run_without_key(&["restore", "r", "--from", "b"]).exits(2).says("no root key");
    shop.run_without_key(&["backup", "v", "c"]).exits(2).says("no root key");
    assert!(!shop.path("r").exists() && !shop.path("c").exists());
}
