//! Every command where all is well.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::{Shop, finish, order};
use serde_json::json;

#[test]
fn init_makes_a_vault_and_its_key_and_overwrites_neither() {
    let shop = Shop::empty();
    shop.run(&["init", "v", "--suite", "2"]).exits(0).prints("ChaCha20-Poly1305").prints("key file");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |name| shop.path(name).metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("key"), mode("v"), mode("v/secrets.db")), (0o600, 0o700, 0o600));
    }
    let key = std::fs::read(shop.path("key")).unwrap();
    shop.run(&["init", "v"]).exits(1).says("something here already");
    shop.run(&["init", "w"]).exits(0);
    assert_eq!(std::fs::read(shop.path("key")).unwrap(), key, "a key that is there is used");
    shop.write("file", "mine");
    shop.run(&["init", "file"]).exits(1);
    assert_eq!(std::fs::read(shop.path("file")).unwrap(), b"mine");
}

#[test]
fn put_stores_once_and_says_so() {
    let shop = Shop::new();
    shop.write("orders.jsonl", format!("{}\n\n{}\r\n", order("A-1"), order("A-2")));
    let run = shop.run(&["put", "v", "orders.jsonl", "--json"]).exits(0);
    assert_eq!(run.out, "{\"stored\":2,\"unchanged\":0,\"failed\":0}\n");
    let run = shop.run_with(&["put", "v", "-", "--json"], order("A-2").as_bytes()).exits(0);
    assert_eq!(run.out, "{\"stored\":0,\"unchanged\":1,\"failed\":0}\n");
    shop.run_with(&["put", "v", "-"], b"").exits(0).prints("0 stored");
    shop.run_with(&["put", "v", "-"], format!("\u{feff}{}", order("A-3")).as_bytes())
        .exits(0)
        .prints("1 stored");
}

#[test]
fn put_takes_more_orders_than_a_batch() {
    let shop = Shop::new();
    let orders: Vec<String> = (0..2100).map(|n| order(&format!("B-{n}"))).collect();
    let run = shop.run_with(&["put", "v", "-", "--json"], orders.join("\n").as_bytes()).exits(0);
    assert_eq!(run.out, "{\"stored\":2100,\"unchanged\":0,\"failed\":0}\n");
    let listed = shop.run_without_key(&["list", "v"]).exits(0).out;
    let ids: std::collections::BTreeSet<&str> =
        listed.lines().skip(1).map(|line| line.split('\t').next().unwrap()).collect();
    assert_eq!((listed.lines().count(), ids.len()), (2101, 2100), "one line of headings, each order once");
}

#[test]
fn each_role_opens_its_own() {
    let shop = Shop::staffed();
    let courier = shop.opened("Swift", "delivery", &["A-2", "A-1"]);
    assert_eq!([&courier[0]["order"], &courier[1]["order"]], ["A-2", "A-1"], "in the order asked");
    let address = json!({"lines":["Canary-Street 1"],"city":"Canary-City","region":"","postal_code":"210000","country":"CN"});
    let fields =
        json!({"consignee.name":"Canary-Name","consignee.phone":"13812345678","consignee.address":address});
    assert_eq!(courier[0]["fields"], fields);
    assert_eq!(
        [&courier[0]["party"], &courier[0]["role"], &courier[0]["purpose"]],
        ["Swift", "courier", "delivery"]
    );
    let supplier = &shop.opened("Dehua Ltd", "fulfilment", &["A-1"])[0]["fields"];
    let cup = json!({"sku":"C-2","title":"Canary-Cup","quantity":4,"unit_price":"12.50","supplier":"Dehua"});
    assert_eq!(*supplier, json!({ "items": [cup] }));
    let support = &shop.opened("agent 17", "after_sale", &["A-1"])[0]["fields"];
    assert_eq!(support["consignee.phone:masked"], "138****5678");
    assert!(support.get("consignee.phone").is_none() && support.get("amount").is_none());
    let platform = &shop.opened("shop", "operation", &["A-1"])[0]["fields"];
    assert_eq!([&platform["note"], &platform["order_no"]], ["Canary-Note", "A-1"]);
}

#[test]
fn an_alias_stands_for_the_order_and_never_tells_its_number() {
    let shop = Shop::staffed();
    let alias = shop.opened("Swift", "delivery", &["A-1"])[0]["alias"].as_str().unwrap().to_owned();
    let again = &shop.opened("Swift", "delivery", &[&alias])[0];
    assert_eq!([&again["order"], &again["alias"]], [&json!(alias), &json!(alias)]);
    assert!(!again.to_string().contains("A-1"));
    assert_eq!(
        shop.opened("books", "accounting", &[&alias])[0]["order"],
        "A-1",
        "finance may open the number"
    );

    let run = shop.run(&["alias", "resolve", "v", &alias]).exits(0).prints("Swift (courier)").prints("A-1");
    run.prints("disclosure for delivery (entry ");
    let unseen = shop.opened("Yixing Ltd", "fulfilment", &["A-2"])[0]["alias"].as_str().unwrap().to_owned();
    shop.run_with(&["alias", "resolve", "v", "-"], format!("{alias}\n{unseen}\n").as_bytes())
        .exits(0)
        .prints("Yixing Ltd (supplier, as Yixing)");
}

#[test]
fn orders_come_from_standard_input_too() {
    let shop = Shop::staffed();
    let arguments = ["open", "v", "--party", "books", "--purpose", "accounting", "--json", "A-2", "-"];
    let run =
        shop.run_with(&arguments, b"A-1\r\n\nA-9\nA-2").exits(1).says("consignee: line 3: no such order");
    let orders: Vec<_> = run.json().iter().map(|view| view["order"].as_str().unwrap().to_owned()).collect();
    assert_eq!(orders, ["A-2", "A-1", "A-2"]);
    shop.run_with(&["open", "v", "--party", "books", "--purpose", "accounting", "-"], b"\n")
        .exits(2)
        .says("no order was given");
}

#[test]
fn for_people_an_order_is_a_block_of_lines() {
    let shop = Shop::staffed();
    let run = shop.run(&["open", "v", "--party", "shop", "--purpose", "operation", "A-1"]).exits(0);
    run.prints("order A-1\nalias ")
        .prints(", revision 1, entry 10 of the ledger\nopened by shop as platform for operation\n")
        .prints("consignee.name\tCanary-Name\n")
        .prints("consignee.address\tCanary-Street 1, 210000 Canary-City, CN\n")
        .prints("items\tC-1, Canary-Teapot, 1, 88.00, Yixing; C-2, Canary-Cup, 4, 12.50, Dehua\n")
        .prints("amount\t138.00 CNY\n");
}

#[test]
fn parties_are_listed_and_revoked() {
    let shop = Shop::staffed();
    let listed = shop.run_without_key(&["party", "list", "v"]).exits(0);
    let listed = listed.prints("Swift\tcourier\t\tactive\t").prints("Yixing Ltd\tsupplier\tYixing\tactive\t");
    assert_eq!(listed.out.lines().count(), 7);
    shop.run(&["party", "revoke", "v", "Swift"]).exits(0).prints("what it has been given it keeps");
    shop.run_without_key(&["party", "list", "v"]).exits(0).prints("Swift\tcourier\t\trevoked\t");
    shop.run(&["party", "add", "v", "Mei", "--role", "supplier"]).exits(0).prints("it has no --as VALUE");
}

#[test]
fn inspect_shows_the_outside() {
    let shop = Shop::staffed();
    let run = shop.run(&["inspect", "v", "A-1"]).exits(0).prints("not authenticated");
    let run = run.prints("suite\t1 (AES-256-GCM)\n").prints("revision\t1\n").prints("4\tconsignee.phone\t");
    common::tells_nothing(&run.out);

    let database = rusqlite::Connection::open(shop.path("v/orders.db")).unwrap();
    let record: Vec<u8> = database.query_row("SELECT sealed FROM record", [], |row| row.get(0)).unwrap();
    shop.write("record.bin", &record);
    let from_file = shop.run_without_key(&["inspect", "--file", "record.bin"]).exits(0);
    from_file.prints(&format!("bytes\t{}\n", record.len())).prints("14\t\t48\n");
    shop.run_without_key(&["inspect", "--file", "key"]).exits(1);
    shop.run_without_key(&["inspect"]).exits(2);
}

#[test]
fn the_ledger_has_every_step() {
    let shop = Shop::staffed();
    shop.opened("Swift", "delivery", &["A-1"]);
    let mut entries = shop.run_without_key(&["ledger", "show", "v", "--json"]).exits(0).json();
    let state = entries.pop().unwrap();
    let mut kinds: Vec<_> = entries.iter().map(|entry| entry["type"].as_str().unwrap()).collect();
    // A new vault's policy and its first field keys are one step.
    kinds[..2].sort_unstable();
    let expected = [["epoch", "policy", "put", "put"].as_slice(), &["party"; 6], &["disclosure"]].concat();
    assert_eq!(kinds, expected);
    let last = &entries[10];
    assert_eq!(
        [&last["index"], &last["party"], &last["purpose"]],
        [&json!(10), &json!("Swift"), &json!("delivery")]
    );
    let parts = json!([
        {"number":3,"name":"consignee.name"},{"number":4,"name":"consignee.phone"},{"number":5,"name":"consignee.address"}
    ]);
    assert_eq!(last["parts"], parts);
    assert_eq!(
        (last["handle"].as_str().unwrap().len(), last["commitments"].as_array().unwrap().len()),
        (32, 1)
    );
    assert!(last["time"].as_str().unwrap().ends_with('Z') && entries[1]["handle"].is_null());
    assert_eq!(entries[2]["party"], "vault");
    let shown = shop.run_without_key(&["ledger", "show", "v"]).exits(0);
    let root = state["root"].as_str().unwrap();
    assert_eq!((&state["size"], root.len()), (&json!(11), 64));
    let shown = shown.prints("\tdisclosure\tSwift\tdelivery\t").prints(&format!("11 entries; root {root}\n"));
    assert!(shown.out.ends_with(&format!("{root}\n")));
    shop.run(&["doctor", "v"]).exits(0).prints(&format!("11 entries give the ledger's root, {root}\n"));
}

#[test]
fn details_of_entries_are_in_words() {
    let shop = Shop::staffed();
    let find = ["find", "v", "--party", "agent 17", "--purpose", "after_sale", "consignee.phone=13812345678"];
    shop.run(&find).exits(0);
    shop.run_with(&["update", "v", "A-1", "--revision", "1", "-"], br#"{"note":"new"}"#).exits(0);
    shop.run(&["open", "v", "--party", "Swift", "--purpose", "accounting", "A-1"]).exits(3);
    shop.run(&["shred", "v", "A-2", "--reason", "x", "--yes"]).exits(0);
    let show = |more: &[&str]| shop.run_without_key(&[&["ledger", "show", "v"], more].concat()).exits(0);
    let shown = show(&[]).prints("\tepoch\tvault\t\t\tepoch 1, AES-256-GCM: order_no, ");
    let shown =
        shown.prints(", for existing orders too\n").prints("\tdenied\tSwift\t\t\tnot permitted, 1 time\n");
    shown
        .prints("\tvault\t\t")
        .prints("\trevision 2: order_no, ")
        .prints("\tas supplier\n")
        .prints("\tevidence kept\n");
    let entries = show(&["--json"]).json();
    let details = |kind: &str| -> Vec<_> {
        entries.iter().filter(|entry| entry["type"] == kind).map(|entry| entry["detail"].clone()).collect()
    };
    assert_eq!(details("denied"), [json!({"reason":"not permitted","count":1})]);
    assert_eq!(details("epoch"), [json!({"epoch":1,"suite":1})]);
    assert_eq!(details("policy"), [json!({"existing_orders":true})]);
    assert_eq!(details("shred"), [json!({"evidence_kept":true})]);
    assert_eq!(details("party")[0], json!({"role":"courier"}));
    let searches = details("search");
    assert_eq!((searches.len(), &searches[0]), (2, &searches[1]), "one search, an entry for each hit");
    let query = searches[0]["query"].as_str().unwrap();
    assert_eq!(query.len(), 64);
    show(&[]).prints(&format!("\tquery {}: consignee.phone\n", &query[..8]));
}

#[test]
fn shred_is_confirmed_and_leaves_the_evidence() {
    let shop = Shop::staffed();
    let alias = shop.opened("Swift", "delivery", &["A-1"])[0]["alias"].as_str().unwrap().to_owned();
    let command = ["shred", "v", "A-1", "--reason", "asked for"];
    shop.run(&command).exits(2).says("--yes");
    shop.opened("Swift", "delivery", &["A-1"]);
    let run = shop.run(&[command.as_slice(), &["--yes"]].concat()).exits(0);
    run.prints("not final against old copies of secrets.db");
    let open = ["open", "v", "--party", "Swift", "--purpose", "delivery"];
    shop.run(&[open.as_slice(), &["A-1"]].concat()).exits(1).says("A-1: the order has been shredded");
    shop.run_with(&["put", "v", "-"], order("A-1").as_bytes()).exits(1).says("line 1: ");
    shop.run(&["alias", "resolve", "v", &alias])
        .exits(0)
        .prints("Swift")
        .prints("shredded")
        .prints("disclosure");
    shop.run(&["shred", "v", "A-2", "--reason", "court", "--with-evidence", "--yes"]).exits(0);
    shop.run(&["shred", "v", "A-2", "--reason", "court", "--yes"]).exits(1);
    shop.run(&["doctor", "v"]).exits(0).prints("shredded: 2");
}

#[test]
fn doctor_is_content_with_a_good_vault() {
    let run = Shop::staffed().run(&["doctor", "v"]).exits(0);
    let run = run.prints("warning\tkey\tthe key file lies beside the vault's folder");
    run.prints("fine\torders\torders that fit their newest entry: 2;")
        .prints("fine\tpolicy\tpolicy.toml is the policy in force");
}

#[test]
fn the_environment_names_the_vault() {
    let shop = Shop::staffed();
    let run = |arguments: &[&str]| {
        let mut command = shop.command(arguments);
        finish(command.env("CONSIGNEE_VAULT", "v").env("CONSIGNEE_KEY_FILE", shop.path("key")), b"")
    };
    run(&["list"]).exits(0);
    run(&["doctor"]).exits(0);
    run(&["party", "revoke", "Swift"]).exits(0);
    let open = ["open", "--party", "books", "--purpose", "accounting", "--json"];
    assert_eq!(run(&[open.as_slice(), &["A-1", "A-2"]].concat()).exits(0).json().len(), 2);
    assert_eq!(run(&[open.as_slice(), &["v", "A-2"]].concat()).exits(0).json().len(), 1);
    run(&["policy", "check"]).exits(2).says("<FILE>");
}

#[test]
fn every_command_has_examples() {
    let shop = Shop::empty();
    for words in [
        "",
        "demo",
        "init",
        "put",
        "party add",
        "party list",
        "party revoke",
        "open",
        "find",
        "get",
        "update",
        "list",
        "scopes",
        "policy check",
        "policy diff",
        "policy apply",
        "inspect",
        "shred",
        "alias resolve",
        "ledger show",
        "doctor",
    ] {
        let arguments: Vec<&str> = words.split_whitespace().chain(["--help"]).collect();
        shop.run_without_key(&arguments).exits(0).prints("EXAMPLES\n  ").prints("Usage: consignee");
    }
    shop.run_without_key(&[]).exits(2);
    shop.run_without_key(&["opne"]).exits(2).says("opne");
}
