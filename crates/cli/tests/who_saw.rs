//! `who-saw`: for people and programs.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::{Shop, tells_nothing};
use serde_json::{Value as Json, json};

fn seen() -> Shop {
    let shop = Shop::staffed();
    shop.opened("Swift", "delivery", &["A-1", "A-2"]);
    shop.opened("agent 17", "after_sale", &["A-1"]);
    let find = ["find", "v", "--party", "agent 17", "--purpose", "after_sale", "consignee.phone=13812345678"];
    shop.run(&find).exits(0);
    shop.run(&["party", "keygen", "-o", "swift.key", "--kem", "x25519"]).exits(0);
    shop.run(&["party", "key", "v", "Swift", "--key", "swift.key.pub"]).exits(0);
    shop.run(&["share", "v", "--party", "Swift", "--purpose", "delivery", "A-1", "-o", "a.bundle"]).exits(0);
    shop
}

#[test]
fn people_read_who_saw_an_order_and_what_the_vault_did_with_it() {
    let shop = seen();
    let run = shop.run(&["who-saw", "v", "A-1"]).exits(0);
    tells_nothing(&run.out);
    let lines: Vec<&str> = run.out.lines().collect();
    assert_eq!((lines[0], lines[1]), ("who saw order A-1", "time\twho\trole\twhy\tparts\thow\tentry"));
    let rows = |lines: &[&str]| -> Vec<String> {
        lines.iter().map(|line| line.split('\t').skip(1).take(5).collect::<Vec<_>>().join("|")).collect()
    };
    let address = "consignee.name, consignee.phone, consignee.address";
    let seen = rows(&lines[2..6]);
    assert_eq!(seen[0], format!("Swift|courier|delivery|{address}|opened in the vault, revision 1"));
    assert_eq!(
        seen[1],
        "agent 17|support|after_sale|placed_at, items, consignee.name:masked, consignee.phone:masked|opened in the vault, revision 1"
    );
    assert_eq!(seen[2], "agent 17|support|after_sale|consignee.phone|found it by the value of this part");
    assert!(seen[3].starts_with(&format!("Swift|courier|delivery|{address}|copy sent out, until 20")));
    assert_eq!(lines[6], "what the vault did with it");
    let own: Vec<_> = lines[7..10].iter().map(|line| line.split('\t').collect::<Vec<_>>()).collect();
    assert_eq!(own[0], ["time", "what", "why", "parts", "entry"]);
    assert_eq!(own[1][1..4], ["put, revision 1", "", "10 parts"]);
    assert_eq!(own[2][1..4], ["compared with a search of agent 17", "search", "consignee.phone"]);
    assert!(lines[10].starts_with("Ledgers read from their first entry on, with size and root: "));
    assert!(lines[10].ends_with(
        "Not shown: what a party passed on, and openings by a changed program that had the root key."
    ));
    assert_eq!(lines.len(), 11);
}

#[test]
fn programs_read_a_line_for_each_entry_and_one_at_the_end() {
    let shop = seen();
    let told = shop.run(&["who-saw", "v", "A-1", "--json"]).exits(0);
    tells_nothing(&told.out);
    let lines = told.json();
    let of = |way: &str| -> &Json { lines.iter().find(|line| line["way"] == way).unwrap() };
    let opened = of("opened");
    assert_eq!(
        [
            &opened["party"],
            &opened["party_role"],
            &opened["purpose"],
            &opened["disclosure"],
            &opened["request"]
        ],
        [&json!("Swift"), &json!("courier"), &json!("delivery"), &json!(true), &json!(null)]
    );
    assert_eq!(opened["parts"][0], json!({ "number": 3, "name": "consignee.name" }));
    assert!(of("copied")["ends"].as_str().unwrap().starts_with("20"));
    assert_ne!(of("copied")["party_key_id"], opened["party_key_id"], "under its new key");
    let compared = of("compared");
    assert_eq!(
        [&compared["party"], &compared["searcher"], &compared["searcher_role"], &compared["disclosure"]],
        [&json!("vault"), &json!("agent 17"), &json!("support"), &json!(false)]
    );
    let last = lines.last().unwrap();
    assert_eq!((last["entries"].as_u64(), last["disclosures"].as_u64()), (Some(6), Some(4)));
    let size = last["ledgers"][0]["size"].as_u64().unwrap();
    let ledger = shop.run(&["ledger", "show", "v", "--json"]).json();
    assert_eq!(ledger.last().unwrap()["size"].as_u64(), Some(size), "asking leaves no entry");
    let shown = &ledger[usize::try_from(opened["index"].as_u64().unwrap()).unwrap()];
    assert_eq!(
        ["time", "policy", "party"].map(|key| &shown[key]),
        ["time", "policy", "party"].map(|key| &opened[key])
    );
    // Several by standard input; one that is not there fails, and the others are told.
    let run = shop
        .run_with(&["who-saw", "v", "--json", "-"], b"A-1\nA-9\nA-2\n")
        .exits(1)
        .says("line 2: no such order");
    assert_eq!(run.json().iter().filter(|line| line["ledgers"].is_array()).count(), 2);
}

#[test]
fn that_nobody_saw_it_is_an_answer_and_destroyed_evidence_is_not() {
    let shop = Shop::staffed();
    shop.run(&["who-saw", "v", "A-1"]).exits(0).prints("who saw order A-1\nnobody\n");
    shop.run_without_key(&["who-saw", "v", "A-1"]).exits(2);
    shop.opened("Swift", "delivery", &["A-1"]);
    shop.run(&["shred", "v", "A-1", "--reason", "asked for", "--yes"]).exits(0);
    shop.run(&["who-saw", "v", "A-1"]).exits(0).prints("\tSwift\tcourier\t").prints("shred, evidence kept");
    shop.run(&["shred", "v", "A-2", "--reason", "asked for", "--with-evidence", "--yes"]).exits(0);
    shop.run(&["who-saw", "v", "A-2"]).exits(1).says("who saw it cannot be told any more");
}
