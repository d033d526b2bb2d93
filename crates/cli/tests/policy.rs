//! Policies and scopes on the command line.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::collections::BTreeSet;

use common::{Shop, order};
use consignee::policy::DEFAULT_POLICY;
use serde_json::Value as Json;

/// The default policy with one text in the place of another.
fn changed(from: &str, to: &str) -> String {
    assert!(DEFAULT_POLICY.contains(from));
    DEFAULT_POLICY.replacen(from, to, 1)
}

/// The courier gains the note.
fn wider() -> String {
    changed(
        r#""consignee.address"]
expires = "30d""#,
        r#""consignee.address", "note"]
expires = "30d""#,
    )
}

/// Support loses the call back.
fn narrower() -> String {
    changed("[role.support.call_back]\nopen = [\"consignee.phone\"]\nexpires = \"7d\"\n", "")
}

#[test]
fn check_names_every_mistake_with_its_place() {
    let shop = Shop::empty();
    shop.write("good.toml", DEFAULT_POLICY);
    let run = shop.run_without_key(&["policy", "check", "good.toml"]).exits(0);
    run.prints("no mistakes: 8 fields, 2 facets, 5 roles").prints("warning: support opens");
    shop.write("bad.toml", changed("type = \"text\"", "type = \"txet\"").replacen("id = 2", "id = 1", 1));
    let run = shop.run_without_key(&["policy", "check", "bad.toml"]).exits(2);
    assert_eq!(run.err.lines().count(), 2, "{}", run.err);
    run.says("bad.toml: line 16, column 8: ").says("line 19, column 6: ");
    shop.run_without_key(&["policy", "check", "missing.toml"]).exits(2).says("there is no such file");
    shop.run_without_key(&["policy", "check", "."]).exits(2).says("this is a folder");
}

#[test]
fn check_tells_what_an_index_shows_of_so_many_orders() {
    let shop = Shop::empty();
    shop.write("p.toml", DEFAULT_POLICY);
    let check = |orders| shop.run_without_key(&["policy", "check", "p.toml", "--orders", orders]);
    check("1000").exits(0).prints(
        "warning: index on consignee.phone (phone:CN): 1,000 orders over 268,435,456 tags, by chance about 1 in 268,435",
    );
    check("2000000000").exits(0).prints("about 7 to a tag");
    check("0").exits(2);
}

#[test]
fn diff_exits_with_1_if_anybody_gains() {
    let shop = Shop::empty();
    shop.write("old.toml", DEFAULT_POLICY);
    shop.write("wider.toml", wider());
    shop.write("narrower.toml", narrower());
    let diff = |a, b| shop.run_without_key(&["policy", "diff", a, b]);
    diff("old.toml", "wider.toml").exits(1).prints("+ courier/delivery opens note");
    diff("old.toml", "narrower.toml").exits(0).prints("- support/call_back opens consignee.phone");
    diff("narrower.toml", "old.toml").exits(1);
    diff("old.toml", "old.toml").exits(0).prints("no change");
}

#[test]
fn apply_asks_whether_a_gain_reaches_orders_that_are_there() {
    let shop = Shop::staffed();
    shop.write("wider.toml", wider());
    let apply = |more: &[&str]| shop.run(&[&["policy", "apply", "v", "wider.toml"], more].concat());
    let note = |number| shop.opened("Swift", "delivery", &[number])[0]["fields"].get("note").cloned();
    let copy = || std::fs::read_to_string(shop.path("v/policy.toml")).unwrap();

    apply(&[]).exits(2).says("--existing-orders yes|no").prints("+ courier/delivery opens note");
    apply(&["--dry-run"]).exits(0).prints("dry run");
    assert_eq!((note("A-1"), copy().as_str()), (None, DEFAULT_POLICY));
    apply(&["--existing-orders", "no"]).exits(0).prints("is in force");
    assert_eq!(copy(), wider());
    shop.put(&[order("A-3")]);
    assert_eq!((note("A-1"), note("A-3")), (None, Some(Json::from("Canary-Note"))));
    apply(&[]).exits(0).prints("in force already");

    shop.write("narrower.toml", narrower());
    shop.run(&["policy", "apply", "v", "narrower.toml"]).exits(0).prints("- courier/delivery opens note");
    shop.run(&["open", "v", "--party", "agent 17", "--purpose", "call_back", "A-1"]).exits(3);
}

#[test]
fn a_grant_reaches_orders_that_are_there_if_it_shall() {
    let shop = Shop::staffed();
    shop.write("wider.toml", wider());
    shop.run(&["policy", "apply", "v", "wider.toml", "--existing-orders", "yes"]).exits(0);
    assert_eq!(shop.opened("Swift", "delivery", &["A-1"])[0]["fields"]["note"], "Canary-Note");
}

#[test]
fn a_number_does_not_change_its_meaning() {
    let shop = Shop::staffed();
    shop.write(
        "other.toml",
        DEFAULT_POLICY.replace("\"note\"", "\"memo\"").replace("field.note", "field.memo"),
    );
    let apply = ["policy", "apply", "v", "other.toml"];
    shop.run(&[apply.as_slice(), &["--dry-run"]].concat()).exits(1).prints("! number 8 was note");
    shop.run(&apply).exits(1).says("orders are sealed under the old meaning");
    shop.run(&["doctor", "v"]).exits(0).prints("policy.toml is the policy in force");
}

#[test]
fn what_is_retired_for_ever_is_confirmed() {
    let shop = Shop::staffed();
    let fewer = changed("[field.note]\nid = 8\ntype = \"text\"\n", "").replacen(r#""note","#, "", 1);
    shop.write("fewer.toml", fewer.replacen("version = 1\n", "version = 1\nretired = [8]\n", 1));
    let apply = ["policy", "apply", "v", "fewer.toml"];
    shop.run(&apply).exits(2).prints("~ note (number 8) is retired").says("confirm it with --yes");
    shop.run(&[apply.as_slice(), &["--dry-run"]].concat()).exits(0).prints("this is a dry run");
    shop.run(&["doctor", "v"]).exits(0).prints("policy.toml is the policy in force");
    shop.run(&[apply.as_slice(), &["--yes"]].concat()).exits(0).prints("is in force");
    shop.run(&apply).exits(0).prints("in force already");
}

#[test]
fn an_edited_copy_is_not_in_force_and_doctor_says_so() {
    let shop = Shop::staffed();
    shop.write("v/policy.toml", wider());
    shop.run(&["doctor", "v"]).exits(0).prints("warning\tpolicy\tpolicy.toml is not the policy in force");
    assert!(shop.opened("Swift", "delivery", &["A-1"])[0]["fields"].get("note").is_none());
    // Names of parts come from a copy only if it is the policy in force.
    let entries = shop.run_without_key(&["ledger", "show", "v", "--json"]).exits(0).json();
    assert!(!entries[entries.len() - 2]["parts"][0]["name"].is_null(), "names come from the policy in force");
}

#[test]
fn scopes_need_no_key_and_say_when_they_are_not_authenticated() {
    let shop = Shop::staffed();
    shop.run(&["party", "revoke", "v", "Swift"]).exits(0);
    let bare = shop.run_without_key(&["scopes", "v"]).exits(0).prints("not authenticated");
    bare.prints(
        "courier\tdelivery\tconsignee.name; consignee.phone; consignee.address\t\t\t30d\tSwift (revoked)\n",
    )
    .prints(
        "supplier\tfulfilment\titems (own supplier)\t\t\tno end\tYixing Ltd as Yixing; Dehua Ltd as Dehua\n",
    );
    shop.run(&["scopes", "v"]).exits(0).prints("authenticated with the root key");
    shop.write("p.toml", DEFAULT_POLICY);
    shop.run_without_key(&["scopes", "p.toml"]).exits(0).prints("a policy file: not authenticated");

    let json = |run: common::Run| serde_json::from_str::<Json>(&run.exits(0).out).unwrap();
    let (bare, keyed) =
        (json(shop.run_without_key(&["scopes", "v", "--json"])), json(shop.run(&["scopes", "v", "--json"])));
    assert_eq!((&bare["authenticated"], &keyed["authenticated"]), (&Json::from(false), &Json::from(true)));
    assert_eq!(bare["scopes"], keyed["scopes"]);
    assert_eq!((&bare["indexes"], &keyed["indexes"][0]["orders"]), (&keyed["indexes"], &Json::from(2)));
    shop.run(&["scopes", "v"]).exits(0).prints("\nindex on consignee.phone (phone:CN): 2 orders over ");
    let of_file = json(shop.run_without_key(&["scopes", "p.toml", "--json"]));
    assert_eq!(of_file["policy"]["digest"], keyed["policy"]["digest"]);
    assert!(of_file["policy"]["ledger_index"].is_null() && of_file["indexes"][0]["orders"].is_null());
}

/// docs/scopes.md is the schema; its example has the keys that the program prints, and those only.
#[test]
fn the_written_schema_is_what_is_printed() {
    let text = include_str!("../../../docs/scopes.md");
    let example = text.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    let example: Json = serde_json::from_str(example).unwrap();
    let run = Shop::staffed().run(&["scopes", "v", "--json"]).exits(0);
    let printed: Json = serde_json::from_str(&run.out).unwrap();
    assert_eq!(shape(&printed), shape(&example));
    for key in shape(&printed).iter().filter_map(|path| path.rsplit('.').next()) {
        assert!(text.contains(&format!("| `{key}`")), "{key} is not described");
    }
}

/// Paths of all keys; elements of a list share one, and what stands in `lines` are names of a policy.
fn shape(json: &Json) -> BTreeSet<String> {
    fn walk(json: &Json, path: &str, paths: &mut BTreeSet<String>) {
        match json {
            Json::Object(object) => {
                for (key, value) in object {
                    paths.insert(format!("{path}.{key}"));
                    if key != "lines" {
                        walk(value, &format!("{path}.{key}"), paths);
                    }
                }
            }
            Json::Array(list) => list.iter().for_each(|element| walk(element, path, paths)),
            _ => {}
        }
    }
    let mut paths = BTreeSet::new();
    walk(json, "", &mut paths);
    paths
}
