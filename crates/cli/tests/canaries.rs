//! What the program prints, to whoever reads over a shoulder, in a log of a job, or in a terminal's scrollback: nothing of an order
//! but what the party that opens may see, and nothing of a key, whatever goes wrong. What its user typed, it may repeat.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../../../tests/common/canaries.rs"]
mod canaries;
mod common;

use std::collections::BTreeSet;

use canaries::{Canaries, MAIL, NUMBER, PHONE};
use common::{Run, Shop, finish};

/// A vault with the order that has a canary in every field, and a party for each role.
fn shop() -> Shop {
    let shop = Shop::with_policy(&canaries::policy());
    shop.put(&[canaries::json(NUMBER)]);
    shop.staff();
    shop
}

fn text(run: &Run) -> String {
    format!("{}\n{}", run.out, run.err)
}

/// Without the number, which is typed, and whatever contains it.
fn values() -> Canaries {
    canaries::of_order()
}

#[test]
fn a_party_that_opens_sees_its_own_fields_and_no_other_value_in_any_form() {
    let shop = shop();
    shop.run(&["party", "add", "v", "own", "--role", "supplier", "--as", "Haus Nachtigall"]).exits(0);
    let values = values();
    for (party, purpose, own) in [
        (
            "Swift",
            "delivery",
            ["name", "phone", "lines", "city", "region", "postal_code", "country"].as_slice(),
        ),
        ("own", "fulfilment", &["sku", "title", "supplier", "unit_price", "quantity"]),
        ("Yixing Ltd", "fulfilment", &[]),
        ("agent 17", "after_sale", &["placed_at", "sku", "title", "supplier", "unit_price", "quantity"]),
        ("agent 17", "call_back", &["phone"]),
        ("books", "accounting", &["placed_at", "amount"]),
    ] {
        for form in [["open"].as_slice(), &["open", "--json"]] {
            let arguments = [form, &["v", "--party", party, "--purpose", purpose, NUMBER]].concat();
            let run = shop.run(&arguments).exits(0);
            let printed = text(&run);
            let mut seen = values.seen_in(&printed);
            seen.remove("order_no");
            assert_eq!(seen, own.iter().copied().collect::<BTreeSet<_>>(), "{party}, {purpose}: {printed}");
        }
    }
    let run = shop.run(&["get", "v", "--party", "shop", "--purpose", "operation", NUMBER]).exits(0);
    let seen = values.seen_in(text(&run));
    let unseen: Vec<_> = canaries::fields().into_iter().filter(|field| !seen.contains(field)).collect();
    assert!(unseen.is_empty(), "the shop itself sees all: {unseen:?}");
}

#[test]
fn whoever_reads_what_commands_print_that_open_nothing_reads_no_value() {
    let shop = shop();
    let key = std::fs::read_to_string(shop.path("key")).unwrap();
    let key = key.trim().strip_prefix("consignee-root-v1:").unwrap().split('-').next().unwrap();
    let values = values().text("root key", key).text("half of the root key", &key[..32]);
    let patch = format!(r#"{{"note":"{PHONE}"}}"#);
    shop.write("policy.new", canaries::policy().replace("30d", "29d"));
    let by_line = [NUMBER, "\n"].concat();
    let find = ["find", "v", "--party", "agent 17", "--purpose", "after_sale", "-"];
    for (arguments, input) in [
        (["list", "v"].as_slice(), ""),
        (&["scopes", "v"], ""),
        (&["scopes", "v", "--json"], ""),
        (&["doctor", "v"], ""),
        (&["party", "add", "v", "late", "--role", "courier"], ""),
        (&["party", "revoke", "v", "late"], ""),
        (&["inspect", "v", "-"], by_line.as_str()),
        (&find, &format!("consignee.phone={PHONE}\nextra.mail={MAIL}\n")),
        (&["update", "v", NUMBER, "--revision", "1", "-"], &patch),
        (&["policy", "check", "policy.new"], ""),
        (&["policy", "diff", "v/policy.toml", "policy.new"], ""),
        (&["policy", "apply", "v", "policy.new", "--existing-orders", "yes"], ""),
        (&["put", "v", "-"], &canaries::json("SO-2")),
        (&["shred", "v", "SO-2", "--reason", PHONE, "--yes"], ""),
        (&["ledger", "show", "v"], ""),
        (&["ledger", "show", "v", "--json"], ""),
    ] {
        let run = shop.run_with(arguments, input.as_bytes());
        assert!(run.status == 0 || arguments[0..2] == ["policy", "diff"], "{arguments:?}: {}", run.err);
        let printed = text(&run).replace(NUMBER, "(typed)");
        assert!(printed.len() > 5, "{arguments:?} prints nothing");
        values.none_in(&printed, &arguments.join(" "));
        assert_eq!(values.seen_in(printed + MAIL).len(), 1);
    }
}

#[test]
fn whoever_reads_the_errors_of_failing_commands_reads_no_value_and_no_key() {
    let shop = shop();
    let key = std::fs::read_to_string(shop.path("key")).unwrap();
    let digits = key.trim().strip_prefix("consignee-root-v1:").unwrap().split('-').next().unwrap().to_owned();
    let values = values().text("root key", &digits).text("half of the root key", &digits[..32]);
    let order = canaries::json(NUMBER);
    private(&shop, "orders.jsonl", &[order.as_str(), &order.replace("CNY", PHONE), &order[..400]].join("\n"));
    private(&shop, "table.csv", &format!("number,phone\n{NUMBER},{PHONE}\n"));
    private(&shop, "phrase", "Zaunkönig Adalbert 13870917263\n");
    private(&shop, "other.key", &key.replace(&digits[..4], "0000"));
    shop.write("bad.toml", canaries::policy().replace("version = 1", &format!("version = \"{PHONE}\"")));
    let patches = [
        format!(r#"{{"note":{{"{PHONE}":"{MAIL}"}}}}"#),
        format!(r#"{{"{PHONE}":"{MAIL}"}}"#),
        format!(r#"{{"consignee":{{"phone":["{PHONE}"]}}}}"#),
        format!(r#"{{"items":[{{"sku":"{PHONE}","{MAIL}":1}}]}}"#),
        format!(r#"{{"note":"{PHONE}"#),
        format!(r#"{{"note":"{}"}}"#, PHONE.repeat(9_000)),
        order.replace(NUMBER, PHONE),
        PHONE.to_owned(),
    ];
    let mut failing: Vec<(Vec<&str>, &str)> = vec![
        // One file in the place of another.
        (vec!["put", "v", "key"], ""),
        (vec!["put", "v", "table.csv"], ""),
        (vec!["put", "v", "v/secrets.db"], ""),
        (vec!["put", "v", "phrase"], ""),
        (vec!["init", "w", "--policy", "orders.jsonl"], ""),
        (vec!["init", "w", "--policy", "key"], ""),
        (vec!["init", "w", "--policy", "phrase"], ""),
        (vec!["policy", "check", "orders.jsonl"], ""),
        (vec!["policy", "check", "key"], ""),
        (vec!["policy", "check", "table.csv"], ""),
        (vec!["policy", "diff", "orders.jsonl", "phrase"], ""),
        (vec!["policy", "apply", "v", "orders.jsonl"], ""),
        (vec!["policy", "apply", "v", "bad.toml"], ""),
        (vec!["scopes", "orders.jsonl"], ""),
        (vec!["scopes", "key"], ""),
        (vec!["inspect", "--file", "orders.jsonl"], ""),
        (vec!["inspect", "--file", "key"], ""),
        (vec!["update", "v", NUMBER, "--revision", "1", "key"], ""),
        (vec!["update", "v", NUMBER, "--revision", "1", "orders.jsonl"], ""),
        // The wrong key.
        (vec!["doctor", "v", "--key-file", "orders.jsonl"], ""),
        (vec!["doctor", "v", "--key-file", "phrase"], ""),
        (vec!["doctor", "v", "--key-file", "other.key"], ""),
        (
            vec!["open", "v", "--party", "Swift", "--purpose", "delivery", NUMBER, "--passphrase-fd", "0"],
            &key,
        ),
        // The wrong party, purpose, number, revision, field.
        (vec!["open", "v", "--party", "Swift", "--purpose", "accounting", NUMBER], ""),
        (vec!["open", "v", "--party", "Nobody", "--purpose", "delivery", "-"], NUMBER),
        (vec!["open", "v", "--party", "Swift", "--purpose", "delivery", "-"], PHONE),
        (vec!["get", "v", "--party", "books", "--purpose", "accounting", NUMBER], ""),
        (vec!["get", "v", "--party", "shop", "--purpose", "operation", "-"], MAIL),
        (vec!["inspect", "v", "-"], PHONE),
        (vec!["shred", "v", "-", "--reason", "asked for", "--yes"], PHONE),
        (vec!["alias", "resolve", "v", "-"], PHONE),
        (vec!["find", "v", "--party", "Swift", "--purpose", "delivery", "-"], "consignee.phone=13870917263"),
        (vec!["find", "v", "--party", "agent 17", "--purpose", "after_sale", "-"], "13870917263=13870917263"),
        (vec!["find", "v", "--party", "agent 17", "--purpose", "after_sale", "-"], "phone 13870917263"),
        (
            vec!["find", "v", "--party", "agent 17", "--purpose", "after_sale", "-"],
            "note=Bitte beim Steinkauz abgeben",
        ),
        (vec!["update", "v", NUMBER, "--revision", "8", "-"], r#"{"note":"Bitte beim Steinkauz abgeben"}"#),
        (vec!["put", "v", "-"], "{\"order_no\":\"SO-Uhu-90210771\",\"note\":13870917263"),
    ];
    let update = ["update", "v", NUMBER, "--revision", "1", "-"];
    failing.extend(patches.iter().map(|patch| (update.to_vec(), patch.as_str())));
    let other = order.replace("Steinkauz", "Waldkauz");
    failing.push((vec!["put", "v", "-"], &other));
    let fails = |arguments: &[&str], input: &str| {
        let run = shop.run_with(arguments, input.as_bytes());
        assert!(run.status != 0 && text(&run).len() > 20, "{arguments:?} {input}: {}", text(&run));
        values.none_in(text(&run).replace(NUMBER, "(typed)"), &arguments.join(" "));
    };
    failing.iter().for_each(|(arguments, input)| fails(arguments, input));
    // Damaged, each in its own way, one upon the other.
    let open = ["open", "v", "--party", "shop", "--purpose", "operation", NUMBER];
    for (file, sql) in [
        (
            "orders.db",
            "UPDATE record SET sealed = CAST(substr(sealed, 1, 900) || 'x' || substr(sealed, 902) AS BLOB)",
        ),
        ("orders.db", "UPDATE record SET sealed = zeroblob(200)"),
        ("secrets.db", "UPDATE secret SET state = 9"),
        ("ledger.db", "DELETE FROM entry WHERE idx = 2"),
        ("secrets.db", "DELETE FROM secret"),
        ("orders.db", "DELETE FROM record"),
    ] {
        rusqlite::Connection::open(shop.path("v").join(file)).unwrap().execute_batch(sql).unwrap();
        fails(&open, "");
        fails(&["doctor", "v"], "");
    }
    shop.write("v/keys.db", order.repeat(9));
    fails(&open, "");
    fails(&["list", "v"], "");
    // What is searched finds a value where there is one.
    let typed =
        shop.run(&["open", "v", "--party", "Swift", "--purpose", "delivery", PHONE, "--key-file", MAIL]);
    assert_eq!(values.seen_in(text(&typed) + PHONE).len(), 1);
}

/// The passphrase is in nothing that is printed, of a vault that it makes, opens and does not open.
#[test]
fn whoever_reads_what_is_printed_reads_no_passphrase() {
    const PHRASE: &str = "fuenf zufaellige Voegel im Nest";
    let (shop, values) = (Shop::empty(), Canaries::default().text("passphrase", PHRASE));
    let by_line = |arguments: &[&str], phrase: &str| {
        let run =
            finish(&mut shop.command(&[arguments, &["--passphrase-fd", "0"]].concat()), phrase.as_bytes());
        values.none_in(text(&run), &arguments.join(" "));
        run
    };
    by_line(&["init", "v"], PHRASE).exits(0);
    by_line(&["doctor", "v"], &format!("{PHRASE}s")).exits(2).says("wrong passphrase");
    assert_eq!(values.seen_in(format!("({PHRASE})")).len(), 1);
}

fn private(shop: &Shop, name: &str, text: &str) {
    let path = shop.write(name, text);
    #[cfg(unix)]
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
}
