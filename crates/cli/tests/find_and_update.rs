//! Finding orders by a value, taking them out whole, and changing them.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::{Run, Shop, finish, order, patch_record, tells_nothing};
use serde_json::{Value as Json, json};

const PHONE: &str = "consignee.phone=138 1234 5678";

fn find(shop: &Shop, more: &[&str]) -> Run {
    shop.run(&[&["find", "v", "--party", "agent 17", "--purpose", "after_sale"], more].concat())
}

fn find_lines(shop: &Shop, lines: &str, more: &[&str]) -> Run {
    let arguments = ["find", "v", "--party", "agent 17", "--purpose", "after_sale", "-"];
    shop.run_with(&[&arguments, more].concat(), lines.as_bytes())
}

fn update(shop: &Shop, revision: &str, patch: &str, more: &[&str]) -> Run {
    let arguments = ["update", "v", "A-1", "--revision", revision, "-"];
    shop.run_with(&[&arguments, more].concat(), patch.as_bytes())
}

fn get(shop: &Shop, order: &str) -> Run {
    shop.run(&["get", "v", "--party", "shop", "--purpose", "operation", order])
}

/// The number of the order that this alias stands for.
fn number_of(shop: &Shop, alias: &Json) -> String {
    shop.opened("books", "accounting", &[alias.as_str().unwrap()])[0]["order"].as_str().unwrap().to_owned()
}

#[test]
fn orders_are_found_by_a_value_newest_first() {
    let shop = Shop::staffed();
    let hits = find(&shop, &[PHONE, "--json"]).exits(0).json();
    let numbers: Vec<String> = hits.iter().map(|hit| number_of(&shop, &hit["alias"])).collect();
    assert_eq!(numbers, ["A-2", "A-1"]);
    let entries = shop.run_without_key(&["ledger", "show", "v", "--json"]).exits(0).json();
    for hit in &hits {
        assert_eq!(
            (hit.as_object().unwrap().len(), &hit["ledger"], &hit["revision"]),
            (4, &json!(1), &json!(1))
        );
        let index = usize::try_from(hit["ledger_index"].as_u64().unwrap()).unwrap();
        assert_eq!(
            (&entries[index]["type"], &entries[index]["party"]),
            (&json!("search"), &json!("agent 17"))
        );
    }
    let table = find(&shop, &[PHONE]).exits(0).prints("alias\trevision\tentry\n");
    let alias = hits[0]["alias"].as_str().unwrap();
    assert!(table.out.lines().nth(1).unwrap().starts_with(&format!("{alias}\t1\t")), "{}", table.out);
}

#[test]
fn aliases_go_straight_into_open() {
    let shop = Shop::staffed();
    let aliases = find(&shop, &[PHONE, "--aliases"]).exits(0).out;
    assert_eq!(aliases.lines().count(), 2);
    let open = ["open", "v", "--party", "agent 17", "--purpose", "after_sale", "--json", "-"];
    let opened = shop.run_with(&open, aliases.as_bytes()).exits(0).json();
    let by_alias: Vec<&str> = opened.iter().map(|view| view["alias"].as_str().unwrap()).collect();
    assert_eq!(by_alias, aliases.lines().collect::<Vec<_>>());
    find(&shop, &[PHONE, "--aliases", "--json"]).exits(2);
}

#[test]
fn no_hit_is_no_failure_and_prints_nothing() {
    let shop = Shop::staffed();
    for more in [[].as_slice(), &["--json"], &["--aliases"]] {
        let run = find(&shop, &[&["consignee.phone=13000000000"], more].concat()).exits(0);
        assert_eq!(
            (run.out.as_str(), run.err.as_str()),
            ("", "consignee: consignee.phone: no order has this value\n")
        );
    }
}

#[test]
fn searches_come_by_lines_and_are_called_by_them() {
    let shop = Shop::staffed();
    let lines = "consignee.phone=13812345678\n\nconsignee.phone=13000000000\r\nCanary-Name\nconsignee.name=Canary-Name\nconsignee.phone=\n";
    let run = find_lines(&shop, lines, &["--json"]).exits(1);
    assert!(run.json().iter().all(|hit| hit["line"] == 1) && run.json().len() == 2);
    tells_nothing(&run.err);
    let run = run.says("line 3: no order has this value").says("line 4: expected FIELD=VALUE");
    run.says("line 5: the policy").says("line 6: consignee.phone: an empty value");
    let table = find_lines(&shop, &format!("{PHONE}\n{PHONE}\n"), &[]).exits(0).out;
    let lines: Vec<&str> = table.lines().filter_map(|line| line.split('\t').next()).collect();
    assert_eq!(lines, ["line", "1", "1", "2", "2"]);
    find_lines(&shop, "\n", &[]).exits(2).says("nothing was asked for");
    find_lines(&shop, "consignee.name=1\nnote=2\n", &[]).exits(3);
}

#[test]
fn who_may_not_search_is_refused() {
    let shop = Shop::staffed();
    let run = |party, purpose, sought| {
        let run = shop.run(&["find", "v", "--party", party, "--purpose", purpose, sought]);
        assert!(run.out.is_empty() && !run.err.contains("13812345678"), "{}", run.err);
        run
    };
    run("Swift", "delivery", "consignee.phone=13812345678").exits(3).says("does not let courier search");
    run("agent 17", "marketing", "consignee.phone=13812345678").exits(3);
    run("agent 17", "after_sale", "consignee.name=13812345678").exits(3).says("consignee.name: ");
    run("Nobody", "after_sale", "consignee.phone=13812345678").exits(1).says("no party of this name");
    run("agent 17", "after_sale", "13812345678").exits(2).says("expected FIELD=VALUE");
    let empty = run("agent 17", "after_sale", "consignee.phone=").exits(2);
    assert_eq!(empty.err.matches("consignee.phone").count(), 1, "{}", empty.err);
    shop.run(&["party", "revoke", "v", "agent 17"]).exits(0);
    run("agent 17", "after_sale", "consignee.phone=13812345678").exits(3).says("revoked");
}

#[test]
fn searches_are_used_up() {
    let shop = Shop::staffed();
    let lines = "consignee.phone=13000000000\n".repeat(61);
    let run = find_lines(&shop, &lines, &[]).exits(1);
    run.says("line 60: no order").says("line 61: the party has used up its searches");
    find(&shop, &[PHONE]).exits(1).says("used up");
    shop.run_without_key(&["ledger", "show", "v"]).exits(0).prints("searches used up, 1 time");
}

#[test]
fn orders_that_do_not_open_are_told_beside_the_hits() {
    let shop = Shop::new();
    shop.put(&[order("A-1")]);
    shop.staff();
    patch_record(&shop.path("v"), 50, |byte| byte ^ 1);
    let run = find(&shop, &[PHONE])
        .exits(1)
        .says("consignee.phone: 1 order that may have this value cannot be opened");
    assert_eq!(run.out, "");
    tells_nothing(&run.err);
}

#[test]
fn an_update_changes_what_it_names() {
    let shop = Shop::staffed();
    let run = update(&shop, "1", r#"{"consignee":{"phone":"13999990000"},"note":null}"#, &[]).exits(0);
    assert_eq!(run.out, "A-1: revision 2\n");
    let view = &shop.opened("shop", "operation", &["A-1"])[0];
    assert_eq!((&view["revision"], &view["fields"]["consignee.phone"]), (&json!(2), &json!("13999990000")));
    assert_eq!(
        (view["fields"].get("note"), &view["fields"]["consignee.name"]),
        (None, &json!("Canary-Name"))
    );
    assert_eq!(find(&shop, &["consignee.phone=13999990000", "--aliases"]).exits(0).out.lines().count(), 1);
    assert_eq!(
        shop.opened("agent 17", "after_sale", &["A-1"])[0]["fields"]["consignee.phone:masked"],
        "139****0000"
    );

    shop.write("patch.json", "{\n  \"consignee.name\": \"Canary-New\"\n}\n");
    let alias = view["alias"].as_str().unwrap();
    let run = shop.run(&["update", "v", alias, "--revision", "2", "patch.json", "--json"]).exits(0);
    assert_eq!(run.json(), [json!({"revision":3,"changed":true})]);
    let again = shop.run(&["update", "v", alias, "--revision", "3", "patch.json", "--json"]).exits(0);
    assert_eq!(again.json(), [json!({"revision":3,"changed":false})]);
    shop.run(&["update", "v", "A-1", "--revision", "3", "patch.json"])
        .exits(0)
        .prints("A-1: nothing to change; revision 3");
    shop.run(&["doctor", "v"]).exits(0);
}

#[test]
fn a_stale_revision_changes_nothing() {
    let shop = Shop::staffed();
    update(&shop, "1", r#"{"note":"one"}"#, &[]).exits(0);
    let run = update(&shop, "1", r#"{"note":"Canary-Note"}"#, &["--json"]).exits(1);
    assert!(run.out.is_empty(), "{}", run.out);
    tells_nothing(&run.err);
    run.says("A-1: nothing was changed: the order has revision 2, not 1");
    assert_eq!(shop.opened("shop", "operation", &["A-1"])[0]["fields"]["note"], "one");
}

#[test]
fn bad_patches_are_refused_and_repeat_no_content() {
    let shop = Shop::staffed();
    let rows = [
        ("", "JSON"),
        ("{\"note\":\"Canary-Note\"", "JSON"),
        ("[]", "expected an object"),
        (r#"{"Canary-Note":1}"#, "the policy does not know"),
        (r#"{"note":12}"#, "note: "),
        (r#"{"note":"Canary-Note","note":""}"#, "twice"),
        (r#"{"consignee":{"name":"a"},"consignee.name":"b"}"#, "twice"),
        (r#"{"order_no":"Canary-Name"}"#, "order_no: cannot be changed"),
        (r#"{"order_no":null}"#, "order_no: "),
        (r#"{"items":[{"sku":"Canary-Cup"}]}"#, "items[0]"),
        (
            r#"{"items":[{"sku":"C","title":"Canary-Cup","quantity":"1","unit_price":"1","supplier":""}]}"#,
            "items[0].quantity",
        ),
        (r#"{"amount":{"value":"138.00"}}"#, "amount"),
        (r#"{"consignee.phone:masked":"13812345678"}"#, "the policy does not know"),
    ];
    for (patch, reason) in rows {
        let run = update(&shop, "1", patch, &[]).exits(2);
        assert!(run.err.contains(reason), "{patch}: {}", run.err);
        tells_nothing(&run.err);
    }
    let with = |patch: &[u8]| shop.run_with(&["update", "v", "A-1", "--revision", "1", "-"], patch).exits(2);
    with(&[b'"', 0xff, b'"']).says("UTF-8");
    with("x".repeat(3_000_000).as_bytes()).says("longer than 2 MiB");
    let run = |arguments: &[&str]| shop.run(&[&["update", "v"], arguments].concat());
    run(&["A-1", "--revision", "1", "missing.json"]).exits(2).says("missing.json: there is no such file");
    run(&["A-1", "--revision", "1", "."]).exits(2).says("this is a folder");
    run(&["A-1", "--revision", "0", "-"]).exits(2);
    run(&["A-1", "-"]).exits(2).says("--revision");
    run(&["-", "--revision", "1", "-"]).exits(2).says("an update is of one order");
    shop.write("p.json", "{}");
    run(&["A-9", "--revision", "1", "p.json"]).exits(1).says("A-9: no such order");
    run(&["A-1", "--revision", "1", "p.json"]).exits(0).prints("nothing to change");
    shop.run(&["shred", "v", "A-1", "--reason", "x", "--yes"]).exits(0);
    run(&["A-1", "--revision", "1", "p.json"]).exits(1).says("shredded");
}

#[test]
fn what_get_gives_put_and_update_take() {
    let shop = Shop::staffed();
    let got = get(&shop, "A-1").exits(0).says("consignee: A-1: revision 1\n").out;
    assert_eq!(
        serde_json::from_str::<Json>(&got).unwrap(),
        serde_json::from_str::<Json>(&order("A-1")).unwrap()
    );
    let run = shop.run_with(&["put", "v", "-", "--json"], got.as_bytes()).exits(0);
    assert_eq!(run.out, "{\"stored\":0,\"unchanged\":1,\"failed\":0}\n");
    update(&shop, "1", &got, &[]).exits(0).prints("nothing to change");
    let edited = got.replacen("\"quantity\":4", "\"quantity\":5", 1);
    update(&shop, "1", &edited, &[]).exits(0).prints("A-1: revision 2");
    let now = get(&shop, "A-1").exits(0).says("revision 2").out;
    assert_eq!(now, edited);
    // Typed readers take it, too: prices are numbers still.
    shop.run_with(&["put", "v", "-"], now.as_bytes()).exits(0).prints("1 unchanged");

    let run =
        shop.run_with(&["get", "v", "--party", "shop", "--purpose", "operation", "-"], b"A-2\nA-9\nA-1\n");
    let run = run.exits(1);
    assert_eq!((run.json().len(), run.err.as_str()), (2, "consignee: line 2: no such order\n"));
}

#[test]
fn get_wants_the_whole_or_nothing() {
    let shop = Shop::staffed();
    let get = |party, purpose| {
        let run = shop.run(&["get", "v", "--party", party, "--purpose", purpose, "A-1"]);
        assert!(run.out.is_empty());
        tells_nothing(&run.err);
        run
    };
    get("Swift", "delivery").exits(3).says("courier does not open order_no for delivery");
    get("shop", "marketing").exits(3);
    get("Nobody", "operation").exits(1).says("no party of this name");
    get_of_own_lines_only();
}

/// Every field, but of the list only its own lines.
fn get_of_own_lines_only() {
    let all = r#"open = ["order_no", "placed_at", "consignee.name", "consignee.phone", "consignee.address", "items", "amount", "note"]"#;
    let policy = consignee::policy::DEFAULT_POLICY.replacen("open = [\"items\"]", all, 1);
    let shop = Shop::with_policy(&policy);
    shop.put(&[order("A-1")]);
    shop.staff();
    let run = shop.run(&["get", "v", "--party", "Dehua Ltd", "--purpose", "fulfilment", "A-1"]).exits(3);
    assert!(run.out.is_empty());
    run.says("sees its own lines only");
}

#[test]
fn a_field_of_extra_stays_where_it_belongs() {
    let policy = consignee::policy::DEFAULT_POLICY
        .replacen("# ---- Roles", "[field.\"extra.gift\"]\nid = 20\ntype = \"text\"\n# ---- Roles", 1)
        .replacen("    \"note\",\n]", "    \"note\",\n    \"extra.gift\",\n]", 1);
    let shop = Shop::with_policy(&policy);
    shop.staff();
    let with_gift = order("A-1").replacen("\"note\":", "\"extra\":{\"gift\":\"ribbon\"},\"note\":", 1);
    shop.put(&[with_gift.clone(), order("A-2")]);
    let got = get(&shop, "A-1").exits(0).out;
    assert_eq!(
        serde_json::from_str::<Json>(&got).unwrap(),
        serde_json::from_str::<Json>(&with_gift).unwrap()
    );
    update(&shop, "1", &got.replacen("ribbon", "bow", 1), &[]).exits(0).prints("revision 2");
    assert_eq!(get(&shop, "A-1").json()[0]["extra"]["gift"], "bow");
}

#[test]
fn a_passphrase_comes_before_the_patch() {
    let shop = Shop::empty();
    let passphrase = "five random words would do";
    finish(shop.command(&["init", "v"]).env("CONSIGNEE_PASSPHRASE", passphrase), b"").exits(0);
    let put = format!("{passphrase}\n{}\n", order("A-1"));
    finish(&mut shop.command(&["put", "v", "-", "--passphrase-fd", "0"]), put.as_bytes()).exits(0);
    let both = format!("{passphrase}\n{{\"note\":\"new\"}}\n");
    let arguments = ["update", "v", "A-1", "--revision", "1", "-", "--passphrase-fd", "0"];
    finish(&mut shop.command(&arguments), both.as_bytes()).exits(0).prints("A-1: revision 2");
}
