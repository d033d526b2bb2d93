//! `keys`: rotation and lists, as an operator and a reviewer use them.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::{Run, Shop};
use serde_json::{Value as Json, json};

fn whole(run: &Run) -> Json {
    serde_json::from_str(&run.out).unwrap()
}

#[test]
fn an_epoch_is_begun_filled_and_the_old_one_destroyed() {
    let shop = Shop::staffed();
    shop.run(&["keys", "rotate", "v", "--suite", "2"]).exits(0).prints("epoch 2 seals from now on");
    let listed = whole(&shop.run(&["keys", "list", "v", "--json"]).exits(0));
    assert_eq!((&listed["schema"], &listed["authenticated"]), (&json!(1), &json!(true)));
    let of = |listed: &Json, field: &str| {
        let ages = listed["epochs"].as_array().unwrap();
        ages.iter().map(|age| age[field].clone()).collect::<Vec<_>>()
    };
    assert_eq!(of(&listed, "state"), ["open-only", "active"]);
    assert_eq!(
        (of(&listed, "orders"), of(&listed, "suite")),
        (vec![json!(2), json!(0)], vec![json!(1), json!(2)])
    );
    assert!(of(&listed, "made").iter().all(Json::is_u64));

    shop.run(&["keys", "destroy", "v", "1"]).exits(2).says("--yes");
    let refused = shop.run(&["keys", "destroy", "v", "1", "--yes"]).exits(1);
    refused.says("2 orders are sealed under this epoch").says("keys reseal --from 1");
    shop.run(&["keys", "destroy", "v", "2", "--yes"]).exits(1).says("this epoch seals");
    let done = shop.run(&["keys", "reseal", "v", "--from", "1"]).exits(0).prints("2 sealed anew, 0 failed");
    assert!(done.err.is_empty(), "no bar where there is no terminal");
    shop.run(&["keys", "reseal", "v", "--from", "1"]).exits(0).prints("0 sealed anew");
    shop.run(&["keys", "reseal", "v", "--from", "9"]).exits(1).says("no keys of this epoch");
    shop.run(&["keys", "list", "v"]).exits(0).prints("nothing stored needs it: keys destroy");
    shop.run(&["keys", "destroy", "v", "1", "--yes"]).exits(0).prints("epoch 1 destroyed");
    assert_eq!(
        of(&whole(&shop.run(&["keys", "list", "v", "--json"]).exits(0)), "state"),
        ["destroyed", "active"]
    );
    assert_eq!(shop.opened("Swift", "delivery", &["A-1", "A-2"]).len(), 2);
    shop.run(&["doctor", "v"]).exits(0);
    shop.run(&["ledger", "show", "v"]).exits(0).prints("rotation").prints("reseal");
}

#[test]
fn a_rewrap_says_for_which_orders_shredding_is_final() {
    let shop = Shop::staffed();
    let shredded = shop.run(&["shred", "v", "A-1", "--reason", "asked for", "--yes"]).exits(0).out;
    let id = shredded.split("record ").nth(1).unwrap().split(':').next().unwrap().to_owned();
    let done = shop.run(&["keys", "rewrap", "v"]).exits(0);
    done.prints("2 rows moved to release key 2")
        .prints("release key 1 destroyed")
        .prints(&format!("record {id}: its shredding is final"));
    let listed = whole(&shop.run_without_key(&["keys", "list", "v", "--json"]).exits(0));
    assert_eq!(listed["authenticated"], false);
    let states: Vec<_> = listed["release_keys"].as_array().unwrap().iter().map(|age| &age["state"]).collect();
    assert_eq!(states, ["destroyed", "active"]);
    assert_eq!(shop.opened("Swift", "delivery", &["A-2"]).len(), 1);
    shop.run(&["doctor", "v"]).exits(0);
}

#[test]
fn the_inventory_names_purpose_state_uses_and_holders_and_needs_no_key() {
    let shop = Shop::staffed();
    shop.run(&["keys", "rotate", "v"]).exits(0);
    shop.run(&["party", "revoke", "v", "Swift"]).exits(0);
    let inventory = whole(&shop.run_without_key(&["keys", "inventory", "v", "--json"]).exits(0));
    assert_eq!(inventory["authenticated"], false);
    let keys = inventory["keys"].as_array().unwrap();
    let find = |id: &str| keys.iter().find(|key| key["id"] == id).unwrap();
    assert_eq!(find("root")["purpose"], "wraps all others; from a key file");
    let phone = find("1.4.1");
    assert_eq!((&phone["kind"], &phone["state"]), (&json!("field key"), &json!("open-only")));
    assert_eq!(phone["purpose"], "seals and opens consignee.phone");
    let holders = phone["holders"].as_array().unwrap();
    assert!(
        holders.contains(&json!("the vault")) && holders.contains(&json!("role courier: Swift (revoked)")),
        "{holders:?}"
    );
    assert!(!holders.iter().any(|holder| holder.as_str().unwrap().contains("books")));
    assert_eq!(
        (&find("1.4.2")["state"], &find("2.4.2")["holders"]),
        (&json!("active"), &json!(["the vault"]))
    );
    assert_eq!((&find("3.0.1")["uses"], &find("3.0.1")["state"]), (&json!(2), &json!("active")));
    for id in ["4.0.0", "5.0.0", "8.0.0", "9.0.0"] {
        assert_eq!(find(id)["state"], "active");
    }
    let lines = shop.run_without_key(&["keys", "inventory", "v"]).exits(0).prints("not authenticated").out;
    assert_eq!(lines.lines().count(), keys.len() + 2);
    // Nothing of it is a key.
    let wrapped = std::fs::read(shop.path("key")).unwrap();
    let digits = String::from_utf8_lossy(&wrapped).split(':').nth(1).unwrap()[..64].to_owned();
    assert!(!lines.contains(&digits));
}
