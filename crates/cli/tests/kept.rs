//! `ledger checkpoint` and `--checkpoint`: a vault is held to what was kept outside of it.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Shop, order, tells_nothing};

const FILES: [&str; 4] = ["orders.db", "secrets.db", "keys.db", "ledger.db"];

fn copy(shop: &Shop, from: &str, to: &str) {
    std::fs::create_dir_all(shop.path(to)).unwrap();
    for file in FILES {
        std::fs::copy(shop.path(from).join(file), shop.path(to).join(file)).unwrap();
    }
}

const OPEN: [&str; 7] = ["open", "v", "--party", "Swift", "--purpose", "delivery", "A-1"];

#[test]
fn a_vault_that_was_copied_back_opens_again_only_after_a_restore_with_the_checkpoint() {
    let shop = Shop::staffed();
    let made = shop.run(&["ledger", "checkpoint", "v", "-o", "c"]).exits(0).prints("give it as --checkpoint");
    tells_nothing(&made.out);
    copy(&shop, "v", "older");
    let kept = |arguments: &[&str]| shop.run(&[arguments, &["--checkpoint", "c"]].concat());
    kept(&OPEN).exits(0).prints("Canary-Name");
    copy(&shop, "older", "v");
    let refused = kept(&OPEN).exits(1).says("it was rolled back").says("restore it with this checkpoint");
    assert!(refused.out.is_empty());
    shop.run_with(&["put", "v", "-", "--checkpoint", "c"], order("A-9").as_bytes())
        .exits(1)
        .says("rolled back");
    kept(&["doctor", "v"]).exits(1).prints("it was rolled back");
    kept(&["ledger", "checkpoint", "v"]).exits(1).says("it was rolled back");
    shop.run(&["ledger", "show", "v"]).exits(0);
    kept(&["backup", "v", "b"]).exits(0);
    kept(&["restore", "r", "--from", "b"])
        .exits(0)
        .prints("the last that is known is ledger 1")
        .prints("it goes on from the checkpoint kept outside");
    kept(&["open", "r", "--party", "Swift", "--purpose", "delivery", "A-1"]).exits(0).prints("entry 2/1");
    kept(&OPEN).exits(1).says("is of ledger 2");
}

#[test]
fn the_environment_names_it_and_mistakes_are_said() {
    let shop = Shop::staffed();
    let missing = shop.run(&[OPEN.as_slice(), &["--checkpoint", "c"]].concat());
    missing
        .exits(1)
        .says("c: there is no checkpoint kept at this path")
        .says("ledger checkpoint VAULT -o FILE");
    shop.run(&["ledger", "checkpoint", "v", "-o", "v/c"]).exits(2).says("inside the vault");
    shop.run(&["ledger", "checkpoint", "v", "-o", "c"]).exits(0);
    shop.run(&["ledger", "checkpoint", "v", "-o", "c"]).exits(1).says("there is a file of this name already");
    shop.run(&["init", "w", "--checkpoint", "c"]).exits(2).says("a new vault has no checkpoint yet");
    let root = "0".repeat(64);
    let both = ["restore", "r", "--from", "b", "--checkpoint", "c", "--last-known", &format!("1:{root}")];
    shop.run(&both).exits(2);
    let printed = shop.run(&["ledger", "checkpoint", "v", "--checkpoint", "c"]).exits(0);
    assert!(
        printed.out.starts_with("consignee/") && printed.out.contains("\n\n\u{2014} consignee/"),
        "{}",
        printed.out
    );
    let before = std::fs::read(shop.path("c")).unwrap();
    let environment = |arguments: &[&str]| {
        let mut command = shop.command(arguments);
        command.env("CONSIGNEE_KEY_FILE", shop.path("key")).env("CONSIGNEE_CHECKPOINT", shop.path("c"));
        command.output().unwrap()
    };
    assert!(environment(&OPEN).status.success());
    assert_ne!(std::fs::read(shop.path("c")).unwrap(), before, "it was moved on");
    // The kept file is a checkpoint to verify by, too.
    shop.run(&["vault", "card", "v", "-o", "card"]).exits(0);
    shop.run(&["ledger", "verify", "v", "--key", "card", "--checkpoint", "c"]).exits(0);
    // A disk that takes nothing is a warning.
    std::fs::create_dir(shop.path("c.new")).unwrap();
    let run = environment(&OPEN);
    assert!(run.status.success());
    shop.run(&[OPEN.as_slice(), &["--checkpoint", "c"]].concat())
        .exits(0)
        .says("warning: c: the checkpoint's file cannot be written");
}

#[test]
fn programs_that_run_at_once_keep_one_file() {
    let shop = Shop::staffed();
    shop.run(&["ledger", "checkpoint", "v", "-o", "c"]).exits(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..3 {
                    shop.run(&[OPEN.as_slice(), &["--checkpoint", "c"]].concat()).exits(0);
                }
            });
        }
    });
    let kept = std::fs::read_to_string(shop.path("c")).unwrap();
    let size = kept.split("\n\n").nth(1).unwrap().lines().nth(1).unwrap().to_owned();
    let shown = shop.run(&["ledger", "show", "v", "--json"]).exits(0).json().len() - 1;
    assert_eq!(size, shown.to_string());
}
