//! A party that asks by a signed request, a shop that shares what was asked for, and what the party reveals of it.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::os::unix::fs::PermissionsExt;

use common::{Shop, tells_nothing};
use serde_json::json;

/// A shop with a courier that has a key of its own; its aliases of the two orders.
fn shop() -> (Shop, [String; 2]) {
    let shop = Shop::staffed();
    shop.run(&["party", "keygen", "-o", "c.key", "--kem", "x25519"]).exits(0);
    shop.run(&["party", "key", "v", "Swift", "--key", "c.key.pub"]).exits(0);
    let card = shop.run(&["vault", "card", "v", "-o", "card"]).exits(0).out;
    shop.run(&["keyring", "issue", "v", "--party", "Swift", "-o", "ring"]).exits(0);
    let fingerprint =
        card.lines().last().unwrap()["fingerprint ".len()..].split(':').next().unwrap().to_owned();
    let trust = ["party", "trust", "--key", "c.key", "card", "--fingerprint", &fingerprint];
    shop.run_without_key(&trust).exits(0);
    let opened = shop.opened("Swift", "delivery", &["A-1", "A-2"]);
    let aliases = [0, 1].map(|at| opened[at]["alias"].as_str().unwrap().to_owned());
    (shop, aliases)
}

fn request<'a>(more: &[&'a str], file: &'a str) -> Vec<&'a str> {
    [&["party", "request", "--key", "c.key", "--purpose", "delivery"], more, &["-o", file]].concat()
}

#[test]
fn a_party_asks_and_the_shop_shares_that_and_no_more() {
    let (shop, [first, second]) = shop();
    let asked = ["--keyring", "ring", "--part", "consignee.phone", &first, &second];
    let run = shop.run_without_key(&request(&asked, "r")).exits(0).prints("within a day, once");
    let hash = run.out.trim().rsplit(' ').next().unwrap().to_owned();
    assert_eq!(hash.len(), 64);
    let run = shop.run(&["share", "v", "--request", "r", "-o", "b", "--json"]).exits(0);
    let lines = run.json();
    assert_eq!(lines.len(), 2);
    for (line, alias) in lines.iter().zip([&first, &second]) {
        assert_eq!((&line["alias"], &line["request"]), (&json!(alias), &json!(hash)));
    }
    let read = ["read", "--key", "c.key", "--keyring", "ring", "b", "--json"];
    for view in shop.run_without_key(&read).exits(0).json() {
        assert_eq!(view["fields"], json!({ "consignee.phone": "13812345678" }));
    }
    // The ledger names the request, for programs and for people.
    let entries = shop.run_without_key(&["ledger", "show", "v", "--json"]).exits(0).json();
    let named: Vec<_> = entries.iter().filter(|entry| entry["request"] == json!(hash)).collect();
    assert_eq!(named.len(), 2);
    assert!(
        named.iter().all(|entry| entry["party"] == "Swift" && entry["parts"].as_array().unwrap().len() == 1)
    );
    assert!(entries.iter().any(|entry| entry["type"] == "put" && entry["request"].is_null()));
    shop.run_without_key(&["ledger", "show", "v"]).exits(0).prints(&format!("request {}", &hash[..8]));
    // Again, it is not taken, and the bundle is not written.
    let again = shop.run(&["share", "v", "--request", "r", "-o", "b2"]).exits(1).says("taken before");
    tells_nothing(&again.err);
    assert!(!shop.path("b2").exists());
}

#[test]
fn a_request_in_base64_by_numbers_and_for_people() {
    let (shop, [first, _]) = shop();
    let asked = ["--base64", "--card", "card", "--part", "3", "-"];
    let mut command = shop.command(&request(&asked, "r"));
    common::finish(&mut command, format!("{}\n", first.to_lowercase()).as_bytes()).exits(0);
    assert!(std::fs::read(shop.path("r")).unwrap().is_ascii());
    let run = shop.run(&["share", "v", "--request", "r", "-o", "b"]).exits(0);
    run.prints("shared 1 order with Swift for delivery in b").prints("keep the request");
    let read = ["read", "--key", "c.key", "--keyring", "ring", "b", "--json"];
    let fields = shop.run_without_key(&read).exits(0).json()[0]["fields"].as_object().unwrap().len();
    assert_eq!(fields, 1);
}

#[test]
fn what_cannot_be_asked_is_said_before_anything_is_signed() {
    let (shop, [first, _]) = shop();
    for (more, status, says) in [
        (["--part", "consignee.phone", &first].as_slice(), 2, "for parts by name, give --keyring"),
        (&["--keyring", "ring", "--part", "items", &first], 2, "the keyring has consignee.name"),
        (&["--part", "0", &first], 2, "no such part"),
        (&["A-1"], 2, "no alias"),
        (&["--keyring", "ring", "--card", "card", &first], 2, "cannot be used with"),
        (&["--card", "c.key.pub", &first], 2, "no card"),
    ] {
        shop.run_without_key(&request(more, "r")).exits(status).says(says);
        assert!(!shop.path("r").exists(), "{more:?}");
    }
    shop.run_without_key(&request(&[&first], "r")).exits(0);
    shop.run_without_key(&request(&[&first], "r")).exits(1).says("there is a file of this name already");
    // A second shop: which one is asked must be said, and one that is not trusted is not asked.
    shop.run(&["init", "w"]).exits(0);
    shop.run(&["vault", "card", "w", "-o", "other"]).exits(0);
    shop.run_without_key(&request(&["--card", "other", &first], "r2")).exits(1).says("not trusted");
    shop.run_without_key(&["party", "trust", "--key", "c.key", "card", "--remove"]).exits(0);
    shop.run_without_key(&request(&[&first], "r2")).exits(2).says("party trust pins it");
    // And the other shop does not take what was asked of the first.
    shop.run(&["share", "w", "--request", "r", "-o", "b"]).exits(2).says("made to another vault");
    shop.run(&["share", "v", "--request", "card", "-o", "b"]).exits(1).says("it is no request");
    for arguments in [
        ["share", "v", "--request", "r", "--party", "Swift", "-o", "b"].as_slice(),
        &["share", "v", "--request", "r", "-o", "b", "A-1"],
        &["share", "v", "-o", "b", "A-1"],
        &["share", "v", "--party", "Swift", "--purpose", "delivery", "-o", "b"],
    ] {
        shop.run(arguments).exits(2);
    }
    shop.run(&["share", "v", "--request", "r", "-o", "b"]).exits(0);
}

#[test]
fn a_refused_request_exits_3_and_the_vault_may_come_from_the_environment() {
    let (shop, [first, second]) = shop();
    let accounting = ["party", "request", "--key", "c.key", "--purpose", "accounting", &first, "-o", "r"];
    shop.run_without_key(&accounting).exits(0);
    shop.run(&["share", "v", "--request", "r", "-o", "b"]).exits(3).says("no such purpose");
    shop.run_without_key(&request(&[&second], "r2")).exits(0);
    let mut share = shop.command(&["share", "--request", "r2", "-o", "b"]);
    share.env("CONSIGNEE_VAULT", shop.path("v")).env("CONSIGNEE_KEY_FILE", shop.path("key"));
    common::finish(&mut share, b"").exits(0);
    // One of two orders.
    shop.run(&["close", "v", "A-1"]).exits(0);
    shop.run_without_key(&request(&[&first, &second], "r3")).exits(0);
    let run = shop.run(&["share", "v", "--request", "r3", "-o", "b3"]).exits(1);
    let run = run.says("order 1 of the request: the order has been closed").prints("shared 1 order");
    assert!(!run.err.contains(&first), "{}", run.err);
}

#[test]
fn what_is_revealed_is_private_and_holds_the_orders_that_were_named() {
    let (shop, [first, second]) = shop();
    let share =
        ["share", "v", "--party", "Swift", "--purpose", "delivery", "A-1", "A-2", "-o", "b", "--json"];
    let shared = shop.run(&share).exits(0).json();
    let reveal = |more: &[&str], file: &str| {
        shop.run_without_key(&[&["party", "reveal", "--key", "c.key", "b"], more, &["-o", file]].concat())
    };
    reveal(&[], "all").exits(0).prints("2 orders with their tickets").prints("whoever has the keyring");
    reveal(&[&second], "one").exits(0).prints("1 order with");
    let text = std::fs::read_to_string(shop.path("all")).unwrap();
    tells_nothing(&text);
    let one: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(shop.path("one")).unwrap()).unwrap();
    assert_eq!((one["format"].as_str(), one["version"].as_u64()), (Some("consignee-revealed"), Some(1)));
    assert_eq!(
        (&one["copies"][0]["index"], &one["copies"][0]["alias"]),
        (&shared[1]["entry"], &json!(second))
    );
    assert_eq!((one["copies"].as_array().unwrap().len(), text.contains(&first)), (1, true));
    assert_eq!(std::fs::metadata(shop.path("all")).unwrap().permissions().mode() & 0o777, 0o600);
    reveal(&[], "all").exits(1).says("already");
    reveal(&["A-1"], "x").exits(2).says("no alias");
    reveal(&["0000-0000-0000-0"], "x").exits(1).says("no order of this alias");
    shop.run_without_key(&["party", "reveal", "--key", "c.key", "ring", "-o", "x"]).exits(1);
    assert!(!shop.path("x").exists());
}
