//! Where the root key comes from, and every way it can be wrong.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::{Shop, finish, order};

#[test]
fn without_terminal_and_key_it_stops_at_once() {
    let shop = Shop::staffed();
    for arguments in [
        ["init", "w"].as_slice(),
        &["put", "v", "-"],
        &["open", "v", "--party", "Swift", "--purpose", "delivery", "A-1"],
        &["find", "v", "--party", "agent 17", "--purpose", "after_sale", "consignee.phone=1"],
        &["get", "v", "--party", "shop", "--purpose", "operation", "A-1"],
        &["update", "v", "A-1", "--revision", "1", "-"],
        &["doctor", "v"],
        &["inspect", "v", "A-1"],
        &["party", "add", "v", "X", "--role", "courier"],
        &["shred", "v", "A-1", "--reason", "x", "--yes"],
    ] {
        shop.run_without_key(arguments).exits(2).says("no root key: give --key-file FILE");
    }
    assert!(!shop.path("w").exists());
}

/// One test for passphrases: a derivation takes most of a second, and much longer without optimisation.
#[test]
fn a_passphrase_opens_its_vault_and_no_other_does() {
    let shop = Shop::empty();
    let by_environment = |passphrase: &str, arguments: &[&str]| {
        finish(shop.command(arguments).env("CONSIGNEE_PASSPHRASE", passphrase), b"")
    };
    by_environment("short", &["init", "v"]).exits(2).says("at least 8 characters");
    by_environment("five random words would do", &["init", "v"]).exits(0);
    // Standard input gives the passphrase and then the orders.
    let both = format!("five random words would do\n{}\n", order("A-1"));
    finish(&mut shop.command(&["put", "v", "-", "--passphrase-fd", "0"]), both.as_bytes())
        .exits(0)
        .prints("1 stored");
    shop.write("pass", "five random words would not do\n");
    let script = format!("exec {} doctor v --passphrase-fd 3 3< pass", env!("CARGO_BIN_EXE_consignee"));
    let mut command = std::process::Command::new("sh");
    finish(command.args(["-c", &script]).current_dir(shop.folder.path()), b"")
        .exits(2)
        .says("wrong passphrase");

    shop.run(&["init", "other"]).exits(0);
    shop.run(&["doctor", "v"]).exits(2).says("give its passphrase");
    by_environment("five random words would do", &["doctor", "other"]).exits(2).says("give its key file");
    shop.run_without_key(&["doctor", "v", "--passphrase-fd", "77"]).exits(2).says("--passphrase-fd 77: ");
}

#[test]
fn a_wrong_or_damaged_key_file_opens_nothing() {
    let shop = Shop::staffed();
    shop.run(&["init", "w", "--key-file", "other.key"]).exits(0);
    let doctor = |key| shop.run(&["doctor", "v", "--key-file", key]);
    doctor("other.key").exits(2).says("the root key does not open this vault");
    doctor("missing.key").exits(2).says("there is no such key file");
    doctor(".").exits(2).says("not a plain file");
    let text = std::fs::read_to_string(shop.path("key")).unwrap();
    // One digit wrong; the checksum notices.
    let digit = if text.as_bytes()[20] == b'0' { '1' } else { '0' };
    private(&shop, "bad.key", &format!("{}{digit}{}", &text[..20], &text[21..]));
    doctor("bad.key").exits(2).says("holds no whole key");
    private(&shop, "empty.key", "");
    doctor("empty.key").exits(2).says("holds no whole key");
}

fn private(shop: &Shop, name: &str, text: &str) {
    let path = shop.write(name, text);
    #[cfg(unix)]
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
}

#[cfg(unix)]
#[test]
fn a_key_file_that_others_can_read_or_that_lies_in_the_vault_is_refused() {
    use std::{fs, os::unix::fs::PermissionsExt};
    let shop = Shop::staffed();
    fs::set_permissions(shop.path("key"), fs::Permissions::from_mode(0o640)).unwrap();
    shop.run(&["doctor", "v"]).exits(2).says("chmod 600");
    fs::set_permissions(shop.path("key"), fs::Permissions::from_mode(0o600)).unwrap();
    std::os::unix::fs::symlink("key", shop.path("link.key")).unwrap();
    shop.run(&["doctor", "v", "--key-file", "link.key"]).exits(2).says("links are not followed");
    fs::copy(shop.path("key"), shop.path("v/key")).unwrap();
    shop.run(&["doctor", "v", "--key-file", "v/key"]).exits(2).says("inside the vault");
    shop.run(&["init", "w", "--key-file", "w/key"]).exits(2).says("inside the vault");
    assert!(!shop.path("w").exists());
    fs::set_permissions(shop.path("v/orders.db"), fs::Permissions::from_mode(0o644)).unwrap();
    let run = shop.run(&["doctor", "v"]).exits(1).says("orders.db: ").says("0600");
    run.prints("FAULT\tfiles\torders.db can be reached by other users: chmod 600 it");
    shop.run_without_key(&["list", "v"]).exits(1);
}

#[test]
fn a_key_that_was_made_for_nothing_is_removed() {
    let shop = Shop::empty();
    shop.run(&["init", "no/such/folder/v"]).exits(1);
    assert!(!shop.path("key").exists());
    shop.write("bad.toml", "version = 1\n[field.x]\n");
    shop.run(&["init", "v", "--policy", "bad.toml"]).exits(2).says("bad.toml: line 2");
    assert!(!shop.path("key").exists() && !shop.path("v").exists());
}

#[test]
fn keys_root_changes_the_key_file_and_says_what_the_old_one_still_opens() {
    let shop = Shop::staffed();
    let root = |arguments: &[&str]| shop.run(&[&["keys", "root", "v"], arguments].concat());
    root(&[]).exits(2).says("say which root key is the new one");
    root(&["--new-passphrase"]).exits(2).says("there is no terminal to ask at");
    root(&["--new-key-file", "new.key", "--new-passphrase-fd", "3"]).exits(2).says("cannot be used with");
    root(&["--new-key-file", "v/new.key"]).exits(2).says("inside the vault");
    assert!(!shop.path("v/new.key").exists());
    // A wrong old key is told before a new one is made.
    shop.run(&["init", "w", "--key-file", "other.key"]).exits(0);
    root(&["--key-file", "other.key", "--new-key-file", "new.key"]).exits(2).says("does not open this vault");
    assert!(!shop.path("new.key").exists());

    root(&["--new-key-file", "new.key"])
        .exits(0)
        .prints("changed the root key of v")
        .prints("made the key file new.key")
        .prints("Copies of keys.db from before still open under it");
    shop.run(&["doctor", "v"])
        .exits(2)
        .says("the root key does not open this vault")
        .says("of the ledger): the one from before opens no more");
    shop.run(&["doctor", "v", "--key-file", "new.key"]).exits(0);
    shop.run(&["ledger", "show", "v"]).exits(0).prints("rotation").prints("root key changed");
    let entries = shop.run(&["ledger", "show", "v", "--json"]).exits(0);
    let detail =
        |entry: &serde_json::Value| entry["type"] == "rotation" && entry["detail"]["key"] == "root key";
    assert_eq!(entries.json().iter().filter(|entry| detail(entry)).count(), 1);
    // To one that is there already, and back.
    root(&["--key-file", "new.key", "--new-key-file", "key"]).exits(0);
    shop.run(&["doctor", "v"]).exits(0);
}

/// A test of its own, as a derivation takes its time.
#[test]
fn keys_root_changes_to_a_passphrase_and_back() {
    let shop = Shop::staffed();
    shop.write("pass", "five random words would do\n");
    let program = env!("CARGO_BIN_EXE_consignee");
    let script = format!("exec {program} keys root v --key-file key --new-passphrase-fd 3 3< pass");
    let mut command = std::process::Command::new("sh");
    finish(command.args(["-c", &script]).current_dir(shop.folder.path()), b"").exits(0).prints("changed");
    shop.run(&["doctor", "v"]).exits(2).says("this vault is not opened by a key file");
    let script = format!("exec {program} keys root v --passphrase-fd 3 --new-key-file key 3< pass");
    let mut command = std::process::Command::new("sh");
    finish(command.args(["-c", &script]).current_dir(shop.folder.path()), b"").exits(0);
    shop.run(&["doctor", "v"]).exits(0);
}
