//! The root key on a token, from the command line, with a real PKCS#11 module.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;
#[path = "../../../tests/softhsm/mod.rs"]
mod softhsm;

use common::{Shop, finish, order};
use softhsm::{PIN, on_softhsm};

#[test]
fn a_vault_is_made_on_a_token_used_and_changed_to_a_key_file() {
    on_softhsm("a_vault_is_made_on_a_token_used_and_changed_to_a_key_file", |hsm| {
        let shop = Shop::empty();
        let module = hsm.module.to_str().unwrap();
        let options = ["--pkcs11-module", module, "--pkcs11-token", "shop"];
        let with_pin = |pin: &str, arguments: &[&str]| {
            finish(shop.command(&[arguments, &options].concat()).env("CONSIGNEE_PIN", pin), b"")
        };
        shop.run_without_key(&[&["init", "v"], &options[..]].concat())
            .exits(2)
            .says("--pin-fd N or CONSIGNEE_PIN is missing");
        with_pin("wrong", &["init", "v"]).exits(2).says("the token refuses the PIN");
        assert!(!shop.path("v").exists());
        with_pin(PIN, &["init", "v"]).exits(0).prints("made v");
        with_pin(PIN, &["init", "v", "--key-file", "key"]).exits(2).says("cannot be used with");
        // All by the environment.
        let by_environment = |arguments: &[&str], input: &str| {
            let mut command = shop.command(arguments);
            command.env("CONSIGNEE_PKCS11_MODULE", module).env("CONSIGNEE_PKCS11_TOKEN", "shop");
            finish(command.env("CONSIGNEE_PIN", PIN), input.as_bytes())
        };
        by_environment(&["put", "v", "-"], &order("A-1")).exits(0).prints("1 stored");
        by_environment(&["doctor", "v"], "").exits(0);
        let run = by_environment(&["doctor", "v", "--pkcs11-token", "other"], "");
        let run = run.exits(2).says("the token is not there");
        assert!(!run.err.contains(PIN) && !run.out.contains(PIN));
        // By a descriptor: standard input, the PIN first and the orders after it.
        let arguments = [&["put", "v", "-", "--pin-fd", "0"], &options[..]].concat();
        let both = format!("{PIN}\n{}\n", order("A-2"));
        finish(&mut shop.command(&arguments), both.as_bytes()).exits(0).prints("1 stored");

        by_environment(&["keys", "root", "v", "--new-key-file", "key"], "")
            .exits(0)
            .prints("made the key file key");
        shop.run(&["doctor", "v"]).exits(0);
        by_environment(&["doctor", "v"], "").exits(2).says("this vault is not opened by a token");
        // And back, to a second key on the token.
        let arguments = ["keys", "root", "v", "--new-pkcs11-module", module, "--new-pkcs11-token", "shop"];
        let mut command = shop.command(&arguments);
        command.env("CONSIGNEE_KEY_FILE", shop.path("key")).env("CONSIGNEE_NEW_PIN", PIN);
        finish(&mut command, b"").exits(0).prints("changed the root key of v");
        by_environment(&["doctor", "v"], "").exits(0);
    });
}
