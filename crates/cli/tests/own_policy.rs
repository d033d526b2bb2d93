//! A vault whose policy has fields of its own, not those of the built-in order.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::{Shop, tells_nothing};
use serde_json::{Value as Json, json};

const POLICY: &str = r#"
version = 1
[field.order_no]
id = 1
type = "text"
[field."customer.name"]
id = 2
type = "text"
facets = { masked = { id = 12, mask = "name" } }
[field."customer.mail"]
id = 3
type = "text"
index = { normalise = "exact", expect = 1_000_000 }
[field.parcels]
id = 4
type = "list"
[field.weight]
id = 5
type = "integer"
[role.depot.handling]
open = ["parcels", "weight"]
lines = { parcels = "depot" }
[role.desk.questions]
open = ["customer.name:masked", "weight"]
search = ["customer.mail"]
[role.shop.operation]
open = ["order_no", "customer.name", "customer.mail", "parcels", "weight"]
"#;

const RECORD: &str = r#"{"order_no":"R-1","customer":{"name":"Canary-Name","mail":"canary@example.org"},"parcels":[{"label":"P-1","kilos":"2.50","depot":"north"},{"label":"P-2","kilos":"1.00","depot":"south"}],"weight":4}"#;

fn shop() -> Shop {
    let shop = Shop::with_policy(POLICY);
    for arguments in [
        ["North depot", "--role", "depot", "--as", "north"].as_slice(),
        &["Mei", "--role", "desk"],
        &["owner", "--role", "shop"],
    ] {
        shop.run(&[&["party", "add", "v"], arguments].concat()).exits(0);
    }
    shop.put(&[RECORD.to_owned()]);
    shop
}

#[test]
fn records_go_in_and_each_role_opens_its_own() {
    let shop = shop();
    let run = shop.run_with(&["put", "v", "-", "--json"], RECORD.as_bytes()).exits(0);
    assert_eq!(run.out, "{\"stored\":0,\"unchanged\":1,\"failed\":0}\n");
    // Whole names do as well, and only the number is needed.
    shop.put(&[
        r#"{"order_no":"R-2","customer.mail":"second@example.org"}"#.into(),
        r#"{"order_no":"R-3"}"#.into(),
    ]);
    let fields = |party, purpose| shop.opened(party, purpose, &["R-1"])[0]["fields"].clone();
    let own = json!([{"label":"P-1","kilos":"2.50","depot":"north"}]);
    assert_eq!(fields("North depot", "handling"), json!({"parcels":own,"weight":4}));
    assert_eq!(fields("Mei", "questions"), json!({"customer.name:masked":"C**","weight":4}));
    assert_eq!(fields("owner", "operation")["customer.mail"], "canary@example.org");
}

#[test]
fn records_are_found_changed_and_shredded() {
    let shop = shop();
    let find = |mail| {
        let sought = format!("customer.mail={mail}");
        shop.run(&["find", "v", "--party", "Mei", "--purpose", "questions", "--aliases", &sought])
            .exits(0)
            .out
    };
    assert_eq!(find("canary@example.org").lines().count(), 1);
    let get = || shop.run(&["get", "v", "--party", "owner", "--purpose", "operation", "R-1"]).exits(0).out;
    let got = get();
    assert_eq!(serde_json::from_str::<Json>(&got).unwrap(), serde_json::from_str::<Json>(RECORD).unwrap());
    let update = |revision, patch: &str| {
        shop.run_with(&["update", "v", "R-1", "--revision", revision, "-"], patch.as_bytes())
    };
    update("1", &got).exits(0).prints("nothing to change");
    update("1", &got.replacen("canary@", "moved@", 1)).exits(0).prints("R-1: revision 2");
    assert_eq!((find("canary@example.org").as_str(), find("moved@example.org").lines().count()), ("", 1));
    update("2", r#"{"weight":null,"customer":{"name":"Canary-New"}}"#).exits(0);
    assert_eq!(
        get(),
        got.replacen("canary@", "moved@", 1).replacen("-Name", "-New", 1).replacen(",\"weight\":4", "", 1)
    );
    shop.run(&["shred", "v", "R-1", "--reason", "x", "--yes"]).exits(0);
    assert_eq!(find("moved@example.org"), "");
    shop.run(&["open", "v", "--party", "owner", "--purpose", "operation", "R-1"]).exits(1).says("shredded");
    shop.run(&["doctor", "v"]).exits(0);
}

#[test]
fn bad_records_are_named_by_line() {
    let shop = shop();
    let rows = [
        (r#"{"customer":{"name":"Canary-Name"}}"#, "order_no: is missing"),
        (r#"{"order_no":7}"#, "order_no: "),
        (
            r#"{"order_no":"R-4","customer":{"Canary-Name":""}}"#,
            "customer: has a key that the policy does not know",
        ),
        (r#"{"order_no":"R-4","note":"Canary-Note"}"#, "the policy does not know"),
        (r#"{"order_no":"R-4","weight":"Canary-Note"}"#, "weight: "),
        (r#"{"order_no":"R-4","parcels":[["Canary-Cup"]]}"#, "parcels[0]"),
        (r#"{"order_no":"R-4","customer.name":"a","customer":{"name":"Canary-Name"}}"#, "twice"),
        (r#"{"order_no":"R-4","customer":"Canary-Name"}"#, "customer: expected an object"),
        (r#"{"order_no":"R-1"}"#, "another order is stored"),
    ];
    let lines: Vec<&str> = rows.iter().map(|(line, _)| *line).collect();
    let run = shop.run_with(&["put", "v", "-"], lines.join("\n").as_bytes()).exits(1);
    for (n, (_, reason)) in rows.iter().enumerate() {
        let start = format!("consignee: line {}: ", n + 1);
        let said =
            run.err.lines().find(|line| line.starts_with(&start)).unwrap_or_else(|| panic!("{}", run.err));
        assert!(said.contains(reason), "{said}");
    }
    tells_nothing(&run.err);
    assert!(!run.err.contains("R-1"));
}

/// A policy that has all of the built-in order and more, none of it called `extra.NAME`.
#[test]
fn further_fields_go_in_and_come_back_in_what_get_prints() {
    for taken in ["consignee.email", "consignee", "extra"] {
        let policy = consignee::policy::DEFAULT_POLICY.replacen(
            "    \"note\",\n]",
            &format!("    \"note\",\n    \"gift\",\n    \"{taken}\",\n]"),
            1,
        ) + &format!(
            "[field.gift]\nid = 20\ntype = \"text\"\n[field.\"{taken}\"]\nid = 21\ntype = \"text\"\n"
        );
        let shop = Shop::with_policy(&policy);
        shop.run(&["party", "add", "v", "owner", "--role", "platform"]).exits(0);
        let line = common::order("A-1").replacen('{', r#"{"gift":"ribbon","consignee.email":"a@b","#, 1);
        let line = match taken {
            "consignee.email" => line,
            // Then lines are the policy's own fields, by name.
            other => line
                .replacen("\"consignee.email\":\"a@b\",", &format!("\"{other}\":\"a@b\","), 1)
                .replacen(r#""consignee":{"name":"#, r#""consignee.name":"#, 1)
                .replacen(r#","phone":"#, r#","consignee.phone":"#, 1)
                .replacen(r#","address":"#, r#","consignee.address":"#, 1)
                .replacen(r#""country":"CN"}}"#, r#""country":"CN"}"#, 1),
        };
        shop.put(&[line]);
        let got = shop.run(&["get", "v", "--party", "owner", "--purpose", "operation", "A-1"]).exits(0);
        let json = got.json()[0].clone();
        assert_eq!(json["gift"], "ribbon");
        match taken {
            "consignee.email" => assert_eq!(json["consignee"]["email"], "a@b"),
            other => assert_eq!(json[other], "a@b"),
        }
        shop.run_with(&["put", "v", "-"], got.out.as_bytes()).exits(0).prints("1 unchanged");
        let update = shop.run_with(&["update", "v", "A-1", "--revision", "1", "-"], got.out.as_bytes());
        update.exits(0).prints("nothing to change");
    }
}

#[test]
fn two_names_one_within_the_other_come_back() {
    let policy = "version = 1\n[field.order_no]\nid = 1\ntype = \"text\"\n[field.a]\nid = 2\ntype = \"address\"\n\
        [field.\"a.b.c\"]\nid = 3\ntype = \"text\"\n[field.\"d.e.f\"]\nid = 4\ntype = \"text\"\n\
        [role.shop.operation]\nopen = [\"order_no\", \"a\", \"a.b.c\", \"d.e.f\"]\n";
    let shop = Shop::with_policy(policy);
    shop.run(&["party", "add", "v", "owner", "--role", "shop"]).exits(0);
    let record = json!({"order_no":"R-1","a":{"lines":["x"],"city":"y","region":"","postal_code":"","country":"DE"},"a.b.c":"z","d":{"e":{"f":"g"}}});
    shop.put(&[record.to_string()]);
    let got = shop.run(&["get", "v", "--party", "owner", "--purpose", "operation", "R-1"]).exits(0);
    assert_eq!(got.json(), std::slice::from_ref(&record));
    shop.run_with(&["put", "v", "-"], got.out.as_bytes()).exits(0).prints("1 unchanged");
}
