//! `ledger publish`, `verify`, `proof`, `cosign` and what goes with them: a shop that shows two histories is caught.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::{fs, path::Path};

use common::{Shop, order, tells_nothing};

/// A shop whose ledger is published in `out`, with its card, a witness, and a policy that wants that witness.
fn published() -> Shop {
    let shop = Shop::staffed();
    shop.run(&["vault", "card", "v", "-o", "card"]).exits(0);
    shop.run(&["ledger", "publish", "v", "out"]).exits(0);
    shop.run_without_key(&["ledger", "witness-key", "w.example", "-o", "w.key"]).exits(0);
    let witness = fs::read_to_string(shop.path("w.key.pub")).unwrap();
    let key = shop.run(&["ledger", "publish", "v", "out", "--json"]).exits(0).json()[0]["key"].clone();
    shop.write("policy", format!("log {}\nwitness W {witness}quorum W\n", key.as_str().unwrap()));
    shop
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(&path, &to).unwrap();
        }
    }
}

const COSIGN: [&str; 8] = ["ledger", "cosign", "--key", "w.key", "--state", "w.state", "--log", "card"];

fn cosign<'a>(further: &[&'a str]) -> Vec<&'a str> {
    COSIGN.iter().chain(further).copied().collect()
}

#[test]
fn a_published_ledger_is_verified_without_a_secret() {
    let shop = published();
    let run = shop.run_without_key(&["ledger", "verify", "out", "--key", "card"]).exits(0);
    tells_nothing(&run.out);
    assert!(run.out.contains("word only"), "{}", run.out);
    let json = shop.run_without_key(&["ledger", "verify", "out", "--key", "card", "--json"]).exits(0).json();
    assert_eq!((&json[0]["entries_verified"], &json[0]["witnessed"]), (&true.into(), &0.into()));
    let json =
        shop.run_without_key(&["ledger", "verify", "out/public", "--key", "card", "--json"]).exits(0).json();
    assert_eq!(json[0]["entries_verified"], false);
    let size = json[0]["size"].as_u64().unwrap();
    shop.run_without_key(&["ledger", "proof", "out", "3", "-o", "3.tlog-proof"]).exits(0);
    assert!(
        fs::read_to_string(shop.path("3.tlog-proof"))
            .unwrap()
            .starts_with("c2sp.org/tlog-proof@v1\nindex 3\n")
    );
    shop.run_without_key(&["ledger", "proof", "out", &size.to_string()]).exits(2);
    shop.run(&["ledger", "publish", "v", "v/out"]).exits(2).says("vault's own folder");
}

#[test]
fn a_byte_that_was_altered_is_told_with_its_entry() {
    let shop = published();
    let (path, mut bytes) = (shop.path("out/audit/tile/entries"), Vec::new());
    let partial = fs::read_dir(path.join("000.p")).unwrap().next().unwrap().unwrap().path();
    bytes.extend(fs::read(&partial).unwrap());
    let first = 2 + usize::from(u16::from_be_bytes([bytes[0], bytes[1]]));
    bytes[first + 20] ^= 1;
    fs::write(&partial, &bytes).unwrap();
    shop.run_without_key(&["ledger", "verify", "out", "--key", "card"]).exits(1).says("entry 1 ");
}

#[test]
fn a_witness_makes_the_shops_word_more_than_that() {
    let shop = published();
    let verify = ["ledger", "verify", "out", "--key", "card", "--policy", "policy"];
    shop.run_without_key(&verify).exits(1).says("too few witnesses");
    shop.run_without_key(&cosign(&["out/public/checkpoint", "-o", "cosigned"])).exits(0);
    let add = ["ledger", "add-cosignature", "out", "cosigned", "--policy", "policy"];
    shop.run_without_key(&add).exits(0).prints("cosigned by 1 witness");
    shop.run_without_key(&verify).exits(0).prints("enough witnesses have seen all of it");
    // The next ones are nobody's yet; what was seen stays seen.
    shop.put(&[order("A-3")]);
    shop.run(&["ledger", "publish", "v", "out"]).exits(0);
    shop.run_without_key(&verify).exits(0).prints("those after them are the shop's word only");
    let seen = shop.run_without_key(&verify).exits(0).out;
    shop.run_without_key(&cosign(&["out/public/checkpoint", "-o", "again"])).exits(0);
    fs::write(shop.path("wrong"), fs::read_to_string(shop.path("cosigned")).unwrap().replace("\nw", "\nv"))
        .unwrap();
    shop.run_without_key(&["ledger", "add-cosignature", "out", "card", "--policy", "policy"]).exits(1);
    assert_eq!(shop.run_without_key(&verify).exits(0).out, seen, "what is no cosignature changes nothing");
    shop.run_without_key(&["ledger", "add-cosignature", "out", "again", "--policy", "policy"]).exits(0);
    shop.run_without_key(&verify).exits(0).prints("enough witnesses have seen all of it");
}

/// Two histories: the vault's files are copied, and each copy goes its own way. Both sign with the vault's key.
fn split() -> Shop {
    let shop = published();
    copy(&shop.path("out"), &shop.path("other"));
    let folder = shop.path("v");
    copy(&folder, &shop.path("kept"));
    shop.put(&[order("A-3")]);
    shop.run(&["ledger", "publish", "v", "out"]).exits(0);
    for file in ["orders.db", "secrets.db", "keys.db", "ledger.db"] {
        fs::copy(shop.path("kept").join(file), folder.join(file)).unwrap();
        for log in ["-wal", "-shm"] {
            let _none = fs::remove_file(folder.join(format!("{file}{log}")));
        }
    }
    shop.put(&[order("B-3"), order("B-4")]);
    shop.run(&["ledger", "publish", "v", "other"]).exits(0);
    // Each verifies by itself.
    for out in ["out", "other"] {
        shop.run_without_key(&["ledger", "verify", out, "--key", "card"]).exits(0);
    }
    shop
}

#[test]
fn a_witness_signs_one_of_two_histories_whichever_comes_first() {
    for (first, second) in [("out", "other"), ("other", "out")] {
        let shop = split();
        let checkpoint = |of: &str| format!("{of}/public/checkpoint");
        shop.run_without_key(&cosign(&[&checkpoint(first)])).exits(0);
        let run = shop.run_without_key(&cosign(&[&checkpoint(second)])).exits(1);
        assert!(run.err.contains("seen"), "{}", run.err);
        shop.run_without_key(&cosign(&[&checkpoint(first)])).exits(0);
        // With a request of its own making.
        let from = ["ledger", "consistency", second, "--from", "0", "-o", "request"];
        shop.run_without_key(&from).exits(0);
        shop.run_without_key(&cosign(&["request"])).exits(1).says("has seen");
    }
}

#[test]
fn whoever_kept_a_checkpoint_finds_the_other_history_and_entries_that_are_gone() {
    let shop = split();
    for (kept, shown) in [("out", "other"), ("other", "out")] {
        let checkpoint = format!("{kept}/public/checkpoint");
        let verify = ["ledger", "verify", shown, "--key", "card", "--checkpoint", &checkpoint];
        let run = shop.run_without_key(&verify);
        assert!(run.status != 0 && run.err.contains("checkpoint that was kept"), "{run:?}");
        let same = ["ledger", "verify", kept, "--key", "card", "--checkpoint", &checkpoint];
        shop.run_without_key(&same).exits(0);
    }
    // The vault, which has the second history now, says of the first what was published of it.
    let run = shop.run(&["ledger", "publish", "v", "out"]);
    assert!(run.status != 0, "{run:?}");
}

#[test]
fn the_ledger_after_a_restore_is_held_against_the_one_before_it() {
    let shop = published();
    shop.run(&["backup", "v", "saved"]).exits(0);
    shop.put(&[order("A-3")]);
    shop.run(&["ledger", "publish", "v", "out"]).exits(0);
    shop.run(&["restore", "back", "--from", "saved"]).exits(0);
    shop.run(&["ledger", "publish", "back", "out"]).exits(0);
    let verify = ["ledger", "verify", "out", "--key", "card"];
    let run = shop.run_without_key(&verify).exits(0).prints("ledger 2 succeeds ledger 1");
    assert!(run.out.contains("1 entry published beyond those"), "{}", run.out);
    let json = shop.run_without_key(&[verify.as_slice(), &["--json"]].concat()).exits(0).json();
    assert_eq!((&json[2]["ledger"], &json[2]["lost"]), (&2.into(), &0.into()));
    fs::rename(shop.path("out/public"), shop.path("public")).unwrap();
    shop.run_without_key(&verify).exits(1);
    fs::rename(shop.path("public"), shop.path("out/public")).unwrap();
    copy(&shop.path("out/ledger-2"), &shop.path("out/ledger-3"));
    fs::remove_dir_all(shop.path("out/ledger-2")).unwrap();
    shop.run_without_key(&verify).exits(1).says("ledger 2 is missing");
}
