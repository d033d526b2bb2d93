//! Orders that cannot be taken, and names that mean nothing: each gets a clear message that repeats no content.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::{Shop, finish, order, tells_nothing};
use consignee::policy::DEFAULT_POLICY;

#[test]
fn a_bad_line_is_named_and_the_good_ones_around_it_are_kept() {
    let good = order("A-1");
    let with = |from: &str, to: &str| {
        assert!(good.contains(from));
        good.replacen(from, to, 1).replacen("A-1", "BAD", 1).into_bytes()
    };
    let rows: Vec<(&str, Vec<u8>, &str)> = vec![
        ("malformed", b"{\"order_no\": Canary-Name".to_vec(), "JSON"),
        ("cut short", good.as_bytes()[..good.len() / 2].to_vec(), "JSON"),
        ("no object", b"[\"Canary-Name\"]".to_vec(), "expected an object"),
        ("unknown key", with("\"note\":", "\"Canary-Note\":"), "unknown key"),
        ("unknown key below", with("\"city\":", "\"Canary-City\":"), "consignee.address"),
        ("key twice", with("\"note\":", "\"order_no\":\"Canary-Note\",\"note\":"), "twice"),
        ("undeclared extra", with("\"note\":", "\"extra\":{\"gift\":\"Canary-Note\"},\"note\":"), "extra"),
        ("missing", with("\"amount\":{\"value\":\"138.00\",\"currency\":\"CNY\"},", ""), "amount"),
        ("wrong type", with("\"quantity\":1", "\"quantity\":\"Canary-Cup\""), "items[0].quantity"),
        ("month 13", with("2026-11-11", "2026-13-11"), "placed_at"),
        ("year 0", with("2026-11-11", "0000-11-11"), "placed_at"),
        ("30 February", with("2026-11-11", "2026-02-30"), "placed_at"),
        ("no offset", with("05+08:00", "05"), "placed_at"),
        ("huge amount", with("138.00", "99999999999999999999"), "amount"),
        ("empty number", good.replacen("A-1", "", 1).into_bytes(), "order_no"),
        ("invalid UTF-8", [b"{\"order_no\":\"Canary-Name".as_slice(), &[0xff, 0xfe]].concat(), "UTF-8"),
        ("long field", with("Canary-Note", &"Canary-Note".repeat(6_000)), "note"),
        ("10 MB field", with("Canary-Note", &"Canary-Note".repeat(950_000)), "longer than 2 MiB"),
        ("deep", "[".repeat(100_000).into_bytes(), ""),
    ];
    let shop = Shop::new();
    let mut lines = vec![order("A-0").into_bytes()];
    for (n, (_, row, _)) in rows.iter().enumerate() {
        lines.extend([row.clone(), order(&format!("B-{n}")).into_bytes()]);
    }
    let run = shop.run_with(&["put", "v", "-", "--json"], &lines.join(&b'\n')).exits(1);
    let summary = format!("{{\"stored\":{},\"unchanged\":0,\"failed\":{}}}\n", rows.len() + 1, rows.len());
    assert_eq!(run.out, summary, "{}", run.err);
    for (n, (what, _, reason)) in rows.iter().enumerate() {
        let start = format!("consignee: line {}: ", 2 * n + 2);
        let said = run
            .err
            .lines()
            .find(|line| line.starts_with(&start))
            .unwrap_or_else(|| panic!("{what}: {}", run.err));
        assert!(said.contains(reason), "{what}: {said}");
    }
    assert_eq!(run.err.lines().count(), rows.len());
    tells_nothing(&run.err);
}

#[test]
fn the_same_number_with_other_content_is_refused_and_changes_nothing() {
    let shop = Shop::staffed();
    let other = order("A-1").replacen("Canary-Name", "Canary-Nobody", 1);
    let run =
        shop.run_with(&["put", "v", "-"], other.as_bytes()).exits(1).says("line 1: another order is stored");
    assert!(!run.err.contains("A-1") && !run.err.contains("Nobody"), "{}", run.err);
    assert_eq!(shop.opened("Swift", "delivery", &["A-1"])[0]["fields"]["consignee.name"], "Canary-Name");
    // In one file, too: the first of the two is stored.
    let both = [order("A-7"), order("A-7").replacen("Canary-Note", "other", 1)].join("\n");
    shop.run_with(&["put", "v", "-"], both.as_bytes()).exits(1).says("line 2: ").prints("1 stored");
}

#[test]
fn a_long_line_without_end_is_not_held_in_memory() {
    let shop = Shop::new();
    // 200 MB in one line, and an address space that could not hold it.
    let script = format!(
        "ulimit -v 400000; (head -c 200000000 /dev/zero | tr '\\0' x; echo; cat good) | {} put v - --json",
        env!("CARGO_BIN_EXE_consignee")
    );
    shop.write("good", order("A-1"));
    let mut command = std::process::Command::new("sh");
    command.args(["-c", &script]).current_dir(shop.folder.path()).env("CONSIGNEE_KEY_FILE", shop.path("key"));
    let run = finish(&mut command, b"").exits(1).says("line 1: the line is longer than 2 MiB");
    assert_eq!(run.out, "{\"stored\":1,\"unchanged\":0,\"failed\":1}\n");
}

#[test]
fn names_that_mean_nothing() {
    let shop = Shop::staffed();
    let open =
        |party, purpose, order| shop.run(&["open", "v", "--party", party, "--purpose", purpose, order]);
    open("Nobody", "delivery", "A-1").exits(1).says("no party of this name");
    open("Swift", "accounting", "A-1").exits(3).says("its purposes are delivery");
    open("Swift", "marketing", "A-1").exits(3);
    open("Swift", "delivery", "A-9").exits(1).says("consignee: A-9: no such order");
    open("Swift", "delivery", "A\u{1b}[2J9").exits(1).says("A\u{fffd}[2J9");
    shop.run(&["party", "add", "v", "X", "--role", "pirate"]).exits(2).says("it has courier, finance");
    shop.run(&["party", "add", "v", "Swift", "--role", "courier"])
        .exits(1)
        .says("there is a party of this name");
    for name in [" ", "vault", "Swift\u{202e}xe"] {
        shop.run(&["party", "add", "v", name, "--role", "courier"]).exits(2).says("party: ");
    }
    shop.run(&["party", "revoke", "v", "Nobody"]).exits(1);
    shop.run(&["alias", "resolve", "v", "7K2M-9QX4-TB6H-J"]).exits(1).says("never made this alias");
    shop.run(&["alias", "resolve", "v", "7K2M-9QX4-TB6H-0"]).exits(2);
    shop.run(&["alias", "resolve", "v", "A-1"]).exits(2);
    shop.run(&["inspect", "v", "A-9"]).exits(1).says("no such order");
    shop.run(&["shred", "v", "A-9", "--reason", "x", "--yes"]).exits(1);
    shop.run(&["shred", "v", "A-1", "--reason", &"x".repeat(1025), "--yes"]).exits(1).says("1,024 bytes");
    shop.run(&["init", "w", "--suite", "3"]).exits(2);
    shop.run(&["put", "v", "missing.jsonl"]).exits(2).says("missing.jsonl: there is no such file");
    shop.run(&["put", "v", "."]).exits(2).says("this is a folder");
    shop.run(&["put", "nowhere", "-"]).exits(1).says("there is no vault");
    for command in [["list", "nowhere"].as_slice(), &["ledger", "show", "key"], &["party", "list", "."]] {
        shop.run(command).exits(1).says("there is no vault");
    }
}

#[test]
fn a_revoked_party_opens_nothing() {
    let shop = Shop::staffed();
    shop.run(&["party", "revoke", "v", "Swift"]).exits(0);
    let run = shop.run(&["open", "v", "--party", "Swift", "--purpose", "delivery", "A-1"]).exits(3);
    tells_nothing(&(run.out + &run.err));
    shop.run(&["party", "revoke", "v", "Swift"]).exits(3).says("already");
    shop.run_without_key(&["ledger", "show", "v"]).exits(0).prints("\tdenied\tSwift\tdelivery\t");
}

#[test]
fn a_purpose_that_is_over_opens_nothing() {
    let shop = Shop::with_policy(&DEFAULT_POLICY.replacen("expires = \"30d\"", "expires = \"1s\"", 1));
    shop.put(&[order("A-1")]);
    shop.staff();
    std::thread::sleep(std::time::Duration::from_millis(2_200));
    let run = shop.run(&["open", "v", "--party", "Swift", "--purpose", "delivery", "A-1"]).exits(3);
    tells_nothing(&run.says("A-1: the time in which this purpose may open the order is over").out);
    shop.opened("books", "accounting", &["A-1"]);
    // One that opens is enough for "some of it failed".
    shop.put(&[order("A-2")]);
    shop.run(&["open", "v", "--party", "Swift", "--purpose", "delivery", "A-1", "A-2"]).exits(1);
}

#[test]
fn a_closed_standard_input_is_an_empty_one() {
    let shop = Shop::new();
    let script = format!("exec {} put v - --json <&-", env!("CARGO_BIN_EXE_consignee"));
    let mut command = std::process::Command::new("sh");
    command.args(["-c", &script]).current_dir(shop.folder.path()).env("CONSIGNEE_KEY_FILE", shop.path("key"));
    let run = finish(&mut command, b"").exits(0);
    assert_eq!(run.out, "{\"stored\":0,\"unchanged\":0,\"failed\":0}\n");
}

#[test]
fn a_reader_that_had_enough_is_no_failure() {
    let shop = Shop::new();
    let orders: Vec<String> = (0..1500).map(|n| order(&format!("B-{n}"))).collect();
    shop.put(&orders);
    let script = format!("({} list v; echo status $? >&2) | head -1", env!("CARGO_BIN_EXE_consignee"));
    let mut command = std::process::Command::new("sh");
    command.args(["-c", &script]).current_dir(shop.folder.path());
    let run = finish(&mut command, b"").exits(0);
    assert_eq!((run.out.lines().count(), run.err.as_str()), (1, "status 0\n"));
}
