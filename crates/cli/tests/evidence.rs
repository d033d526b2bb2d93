//! `ledger prove`, `ledger clear` and `ledger verify-bundle`.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::{fs, process::Command};

use common::{Shop, tells_nothing};

fn shop() -> Shop {
    let shop = Shop::staffed();
    shop.opened("Swift", "delivery", &["A-1"]);
    shop.opened("agent 17", "after_sale", &["A-1"]);
    shop.run(&["vault", "card", "v", "-o", "v.card"]).exits(0);
    shop
}

fn clear<'a>(party: &'a str, field: &'a str, to: &'a str) -> Vec<&'a str> {
    vec!["ledger", "clear", "v", "--party", party, "--order", "A-1", "--field", field, "-o", to]
}

#[test]
fn an_expert_checks_evidence_with_the_card_alone() {
    let shop = shop();
    let run = shop.run(&["ledger", "prove", "v", "A-1", "-o", "evidence"]).exits(0);
    tells_nothing(&run.out);
    run.prints("Swift (courier) was given consignee.name, consignee.phone, consignee.address for delivery")
        .prints("the shop's word only")
        .prints("WARNING: whoever has it finds every entry");
    shop.run(&["ledger", "prove", "v", "A-1", "-o", "evidence"]).exits(1).says("something of this name");
    let verify = ["ledger", "verify-bundle", "evidence", "--key", "v.card"];
    let run = shop.run_without_key(&verify).exits(0);
    tells_nothing(&run.out);
    run.prints("everything in the folder holds").prints("NOT PROVEN: that there are no further entries");
    let run = shop.run_without_key(&["ledger", "verify-bundle", "evidence"]).exits(0);
    run.prints("the keys are the folder's own word");
    let lines = shop.run_without_key(&["ledger", "verify-bundle", "evidence", "--json"]).exits(0).json();
    let given: Vec<_> = lines.iter().filter(|line| line["what"] == "disclosure").collect();
    assert!(given.len() == 2 && given.iter().all(|line| line["opened"] == true), "{given:?}");
    let whole = lines.last().unwrap();
    assert_eq!((&whole["order"], &whole["shops_word_only"]), (&"A-1".into(), &true.into()));
    let closed = ["ledger", "prove", "v", "A-1", "--without-tickets", "-o", "closed", "--json"];
    let lines = shop.run(&closed).exits(0).json();
    assert!(lines.iter().filter(|line| line["what"] == "disclosure").all(|line| line["opened"] == false));
    // Another vault's card.
    shop.run(&["init", "w", "--key-file", "other"]).exits(0);
    shop.run(&["vault", "card", "w", "-o", "w.card", "--key-file", "other"]).exits(0);
    shop.run(&["ledger", "verify-bundle", "evidence", "--key", "w.card"])
        .exits(1)
        .says("of which no key was given");
    // A value of the order is in none of its files but the order's own number.
    for folder in ["entries", "openings", "parties", "policies", "records"] {
        for file in fs::read_dir(shop.path("evidence").join(folder)).unwrap() {
            tells_nothing(&String::from_utf8_lossy(&fs::read(file.unwrap().path()).unwrap()));
        }
    }
    let mut sum = Command::new("sha256sum");
    sum.args(["-c", "--quiet", "manifest"]).current_dir(shop.path("evidence"));
    if let Ok(summed) = sum.output() {
        assert!(summed.status.success(), "{}", String::from_utf8_lossy(&summed.stdout));
    }
    let entries = shop.path("evidence").join("entries.json");
    let text = fs::read_to_string(&entries).unwrap();
    fs::write(&entries, text.replace("Swift", "Swoft")).unwrap();
    shop.run(&verify).exits(1).says("entries.json was altered");
}

#[test]
fn an_honest_party_clears_itself_and_one_that_was_given_it_does_not() {
    let shop = shop();
    let run = shop.run(&clear("agent 17", "amount", "cleared")).exits(0);
    tells_nothing(&run.out);
    run.prints("agent 17 (support) was never given amount of order A-1")
        .prints("NOT PROVEN: that a changed program")
        .prints("the shop's word only");
    shop.run_without_key(&["ledger", "verify-bundle", "cleared", "--key", "v.card"])
        .exits(0)
        .prints("agent 17 (support) was never given amount")
        .prints("everything in the folder holds");
    shop.run(&clear("Swift", "consignee.phone", "none"))
        .exits(1)
        .says("was given consignee.phone of this order");
    // A facet alone.
    shop.run(&clear("agent 17", "consignee.phone", "none")).exits(1).says("a reduced form of it");
    assert!(!shop.path("none").exists());
    shop.run(&clear("agent 17", "consignee.phone:masked", "none")).exits(2).says("no policy of the vault");
    let told =
        shop.run(&[clear("Swift", "consignee.phone", "none"), vec!["--json"]].concat()).exits(1).json();
    assert_eq!((&told[0]["cleared"], told[0]["entries"].as_array().unwrap().len()), (&false.into(), 1));
    shop.run(&[
        "ledger", "clear", "v", "--party", "nobody", "--order", "A-1", "--field", "amount", "-o", "none",
    ])
    .exits(1)
    .says("no party of this name");
}

#[test]
fn a_party_that_was_added_with_its_key_is_cleared() {
    let shop = shop();
    shop.run(&["party", "keygen", "-o", "k"]).exits(0);
    shop.run(&["party", "add", "v", "Falcon", "--role", "courier", "--key", "k.pub"]).exits(0);
    shop.run(&clear("Falcon", "items", "cleared")).exits(0).prints("Falcon (courier) was never given items");
    shop.run_without_key(&["ledger", "verify-bundle", "cleared", "--key", "v.card"])
        .exits(0)
        .prints("everything in the folder holds");
}

/// After a restore the second ledger begins with what was known of the first; what was lost is a gap, and told.
#[test]
fn a_clearing_proof_covers_both_ledgers_and_names_what_was_lost() {
    let shop = shop();
    let note = |run: &str| {
        let run = shop.run(&["ledger", "show", run]).exits(0).out;
        let last = run.lines().last().unwrap().to_owned();
        let (size, root) = last.split_once(" entries; root ").unwrap();
        format!("{size}:{root}")
    };
    shop.run(&["backup", "v", "b"]).exits(0);
    let noted = note("v");
    shop.run(&["restore", "r", "--from", "b", "--last-known", &noted]).exits(0);
    let in_vault = |vault: &'static str, party: &'static str, field: &'static str, to: &'static str| {
        let mut words = clear(party, field, to);
        words[2] = vault;
        shop.run(&words)
    };
    in_vault("r", "agent 17", "amount", "whole").exits(0);
    let run = shop.run(&["ledger", "verify-bundle", "whole", "--key", "v.card"]).exits(0);
    assert!(!run.out.contains("GAP"), "{}", run.out);
    run.prints("/2: ");
    // What was given by the first ledger counts still.
    in_vault("r", "Swift", "consignee.phone", "none").exits(1).says("was given");
    shop.run(&["ledger", "prove", "r", "A-1", "-o", "evidence"]).exits(0);
    shop.run(&["ledger", "verify-bundle", "evidence", "--key", "v.card"]).exits(0);
    shop.opened("Swift", "delivery", &["A-2"]);
    let later = note("v");
    shop.run(&["restore", "s", "--from", "b", "--last-known", &later]).exits(0);
    in_vault("s", "agent 17", "amount", "gap").exits(0).prints("GAP: of ledger 1");
    shop.run(&["ledger", "verify-bundle", "gap", "--key", "v.card"]).exits(0).prints("were lost");
    // The first ledger of another history does not fit the second.
    fs::remove_dir_all(shop.path("gap").join("log/ledger-2")).unwrap();
    shop.run(&["ledger", "verify-bundle", "gap", "--key", "v.card"]).exits(1).says("log/ledger-2");
}
