//! A root key on a token, with a real PKCS#11 module (`softhsm/mod.rs`).
#![allow(clippy::unwrap_used)]

mod common;
mod softhsm;

use std::{fs, path::PathBuf};

use common::{all_bytes, contains, order, staffed};
use consignee::{
    Error, ErrorKind, KeyFile, Passphrase, Pkcs11, RootKeyProvider, Setup, Severity, ShredMode, Vault,
};
use cryptoki::{
    error::{Error as Fault, RvError},
    mechanism::Mechanism,
    object::{Attribute, AttributeType, KeyType},
};
use softhsm::{Hsm, PIN, on_softhsm};

impl Hsm {
    fn provider(&self, token: &str) -> Pkcs11 {
        Pkcs11::new(&self.module, token, PIN)
    }

    fn vault(&self) -> PathBuf {
        self.folder.join("vault")
    }

    fn create(&self) -> Vault {
        let vault = Vault::create(&self.vault(), &self.provider("shop"), &Setup::default()).unwrap();
        staffed(&vault);
        vault.put(&order("SO-1")).unwrap();
        vault
    }

    fn unlock(&self) -> Result<Vault, Error> {
        Vault::unlock(&self.vault(), &self.provider("shop"))
    }

    /// The parameters in clear in keys.db.
    fn parameters(&self) -> Vec<u8> {
        let database = rusqlite::Connection::open(self.vault().join("keys.db")).unwrap();
        let sql = "SELECT body FROM item WHERE kind = 100";
        let body: Vec<u8> = database.query_row(sql, [], |row| row.get(0)).unwrap();
        body[17..].to_vec()
    }

    fn set_parameters(&self, parameters: &[u8]) {
        let database = rusqlite::Connection::open(self.vault().join("keys.db")).unwrap();
        let sql = "UPDATE item SET body = CAST(substr(body, 1, 17) || ?1 AS BLOB) WHERE kind = 100";
        assert_eq!(database.execute(sql, [parameters]).unwrap(), 1);
    }
}

fn opens(vault: &Vault) -> bool {
    vault.open("SF Express", "delivery", "SO-1").is_ok()
}

fn is_sound(vault: &Vault) -> bool {
    vault.doctor().unwrap().iter().all(|finding| finding.severity != Severity::Fault)
}

/// Errors never hold the PIN.
fn says<T>(result: Result<T, Error>, text: &str) {
    let error = result.err().unwrap();
    assert_eq!(error.kind(), &ErrorKind::RootKey, "{error}");
    assert!(error.to_string().contains(text), "{error}");
    assert!(!format!("{error:?}").contains(PIN));
}

#[test]
fn a_vault_is_made_on_a_token_and_opens_with_it() {
    on_softhsm("a_vault_is_made_on_a_token_and_opens_with_it", |hsm| {
        drop(hsm.create());
        let vault = hsm.unlock().unwrap();
        assert!(opens(&vault) && is_sound(&vault));
        vault.put(&order("SO-2")).unwrap();
        drop(vault);
        // By its serial number, too.
        let slots = hsm.context.get_slots_with_initialized_token().unwrap();
        let serial = hsm.context.get_token_info(slots[0]).unwrap().serial_number().to_owned();
        assert!(opens(&Vault::unlock(&hsm.vault(), &hsm.provider(&serial)).unwrap()));
        // nonce ‖ ciphertext ‖ tag behind the suite, a tag of the registry behind it.
        let database = rusqlite::Connection::open(hsm.vault().join("keys.db")).unwrap();
        let mut select = database.prepare("SELECT length(body) FROM item WHERE kind < 32").unwrap();
        let lengths = select.query_map([], |row| row.get::<_, i64>(0)).unwrap();
        assert!(lengths.map(|length| length.unwrap()).all(|length| length == 1 + 12 + 32 + 16 + 32));
        assert_eq!(hsm.parameters()[..6], *b"\x03\x04shop");
        assert!(!contains(&all_bytes(&hsm.vault()), PIN.as_bytes()));
    });
}

#[test]
fn a_wrong_pin_another_token_and_another_key_are_refused() {
    on_softhsm("a_wrong_pin_another_token_and_another_key_are_refused", |hsm| {
        drop(hsm.create());
        says(Vault::unlock(&hsm.vault(), &Pkcs11::new(&hsm.module, "shop", "wrong")), "refuses the PIN");
        assert!(opens(&hsm.unlock().unwrap()));
        says(Vault::unlock(&hsm.vault(), &hsm.provider("other")), "the token is not there");
        hsm.add_token("other");
        says(
            Vault::unlock(&hsm.vault(), &hsm.provider("other")),
            "the token has no key of this vault (the vault's key was made on the token shop)",
        );
        hsm.add_token("other");
        says(Vault::unlock(&hsm.vault(), &hsm.provider("other")), "several tokens have this label");
        for (provider, text) in [
            (Box::new(KeyFile::from_bytes([1; 32])) as Box<dyn RootKeyProvider>, "not opened by a key file"),
            (Box::new(Passphrase::new("a passphrase")), "not opened by a passphrase"),
            (Box::new(Pkcs11::new("/nowhere/module.so", "shop", PIN)), "no PKCS#11 module at this path"),
            (Box::new(Pkcs11::new(hsm.folder.join("softhsm2.conf"), "shop", PIN)), "cannot be loaded"),
        ] {
            says(Vault::unlock(&hsm.vault(), &*provider), text);
        }
        // Another key under the same id.
        let session = hsm.session("shop");
        let keys = hsm.keys(&session);
        assert_eq!(keys.len(), 1);
        session.update_attributes(keys[0], &[Attribute::Id(vec![0; 16])]).unwrap();
        says(hsm.unlock(), "the token has no key of this vault");
        let id = Attribute::Id(hsm.parameters()[6..].to_vec());
        let new = |sensitive, extractable| {
            let template = [
                Attribute::KeyType(KeyType::AES),
                Attribute::ValueLen(32.into()),
                Attribute::Token(true),
                Attribute::Sensitive(sensitive),
                Attribute::Extractable(extractable),
                Attribute::Encrypt(true),
                Attribute::Decrypt(true),
                id.clone(),
            ];
            session.generate_key(&Mechanism::AesKeyGen, &template).unwrap()
        };
        let another = new(true, false);
        says(hsm.unlock(), "the root key does not open this vault (another token's key, or altered keys)");
        let second = new(true, false);
        says(hsm.unlock(), "several keys under the id");
        session.destroy_object(second).unwrap();
        session.destroy_object(another).unwrap();
        for (sensitive, extractable) in [(true, true), (false, false)] {
            let readable = new(sensitive, extractable);
            says(hsm.unlock(), "can be read out of it");
            session.destroy_object(readable).unwrap();
        }
        session.update_attributes(keys[0], std::slice::from_ref(&id)).unwrap();
        assert!(opens(&hsm.unlock().unwrap()));
    });
}

#[test]
fn the_key_cannot_be_read_out_of_the_token() {
    on_softhsm("the_key_cannot_be_read_out_of_the_token", |hsm| {
        let vault = hsm.create();
        let session = hsm.session("shop");
        let [key] = hsm.keys(&session)[..] else { panic!("one key") };
        let value = session.get_attributes(key, &[AttributeType::Value]);
        assert!(value.as_ref().map_or(true, Vec::is_empty), "{value:?}");
        let wrapping = [
            Attribute::KeyType(KeyType::AES),
            Attribute::ValueLen(32.into()),
            Attribute::Token(false),
            Attribute::Wrap(true),
        ];
        let wrapping = session.generate_key(&Mechanism::AesKeyGen, &wrapping).unwrap();
        let wrapped = session.wrap_key(&Mechanism::AesKeyWrap, wrapping, key);
        assert!(matches!(wrapped, Err(Fault::Pkcs11(RvError::KeyUnextractable, _))), "{wrapped:?}");
        // Nor made readable later.
        for attribute in [Attribute::Extractable(true), Attribute::Sensitive(false)] {
            assert!(session.update_attributes(key, &[attribute]).is_err());
        }
        let expected = [
            (AttributeType::Private, Attribute::Private(true)),
            (AttributeType::AlwaysSensitive, Attribute::AlwaysSensitive(true)),
            (AttributeType::NeverExtractable, Attribute::NeverExtractable(true)),
        ];
        for (kind, attribute) in expected {
            assert_eq!(session.get_attributes(key, &[kind]).unwrap(), [attribute]);
        }
        assert!(opens(&vault));
    });
}

#[test]
fn forged_parameters_and_wraps_are_refused() {
    on_softhsm("forged_parameters_and_wraps_are_refused", |hsm| {
        drop(hsm.create());
        let (good, session) = (hsm.parameters(), hsm.session("shop"));
        // Another label is bound into the wraps as the id is, though the key is found.
        for at in [2, 5] {
            let mut forged = good.clone();
            forged[at] ^= 1;
            hsm.set_parameters(&forged);
            says(hsm.unlock(), "the root key does not open this vault");
        }
        let mut forged = good.clone();
        forged[6] ^= 1;
        hsm.set_parameters(&forged);
        says(hsm.unlock(), "the token has no key of this vault");
        for forged in [&good[..good.len() - 1], &[&good[..], &[0]].concat(), &[3, 0], &[3]] {
            hsm.set_parameters(forged);
            says(hsm.unlock(), "out of bounds");
        }
        hsm.set_parameters(&good);
        assert!(opens(&hsm.unlock().unwrap()));
        // Each byte of a wrap, by the key itself: nonce, ciphertext, tag.
        let root = hsm.provider("shop").unlock(&good).unwrap();
        let wrapped = root.wrap(b"context", &[7; 32]).unwrap();
        assert_eq!(*root.unwrap(b"context", &wrapped).unwrap(), [7; 32]);
        assert_ne!(root.wrap(b"context", &[7; 32]).unwrap()[..12], wrapped[..12]);
        says(root.unwrap(b"contexs", &wrapped), "does not open");
        for at in 0..wrapped.len() {
            let mut forged = wrapped.clone();
            forged[at] ^= 1;
            says(root.unwrap(b"context", &forged), "does not open");
        }
        for length in [0, 11, 12, 28, 59] {
            says(root.unwrap(b"context", &wrapped[..length]), "does not open");
        }
        says(root.unwrap(b"context", &[&wrapped[..], &[0]].concat()), "does not open");
        // It is AES-256-GCM with the context as associated data, so that others can read it who have the token.
        assert_eq!(*root.unwrap(b"context", &wrapped).unwrap(), [7; 32]);
        drop(session);
    });
}

#[test]
fn a_token_pulled_out_in_mid_work_stops_changes_of_keys_only() {
    on_softhsm("a_token_pulled_out_in_mid_work_stops_changes_of_keys_only", |hsm| {
        let vault = hsm.create();
        let (tokens, away) = (hsm.folder.join("tokens"), hsm.folder.join("away"));
        fs::rename(&tokens, &away).unwrap();
        fs::create_dir(&tokens).unwrap();
        // The work goes on, revoking included.
        assert!(opens(&vault));
        vault.put(&order("SO-2")).unwrap();
        vault.revoke_party("Dehua Ltd").unwrap();
        vault.add_party("New Ltd", "courier", None).unwrap();
        let found = vault.find("agent 17", "after_sale", "consignee.phone", "13812345678").unwrap();
        assert_eq!(found.hits.len(), 2);
        vault.put(&order("SO-3")).unwrap();
        vault.shred("SO-3", "asked for", ShredMode::KeepEvidence).unwrap();
        assert!(opens(&vault) && vault.open("New Ltd", "delivery", "SO-2").is_ok());
        let wider = format!(
            "{}\n[field.\"extra.gift\"]\nid = 20\ntype = \"text\"\n",
            consignee::policy::DEFAULT_POLICY
        );
        let entries = vault.ledger_state().unwrap().size;
        for _ in 0..2 {
            let applied = vault.apply_policy(&wider, consignee::ExistingOrders::Yes);
            says(applied, "the token is not there");
        }
        says(hsm.unlock(), "the token is not there");
        assert_eq!(vault.ledger_state().unwrap().size, entries, "nothing was begun");
        assert!(opens(&vault));
        fs::remove_dir(&tokens).unwrap();
        fs::rename(&away, &tokens).unwrap();
        // SoftHSM looks for tokens when it starts; modules of devices see them come back by themselves.
        hsm.context.clone().finalize().unwrap();
        vault.apply_policy(&wider, consignee::ExistingOrders::Yes).unwrap();
        assert!(opens(&vault) && is_sound(&vault));
        drop(vault);
        assert!(opens(&hsm.unlock().unwrap()));
    });
}

#[test]
fn a_vault_changes_to_a_token_between_tokens_and_away_from_a_lost_one() {
    on_softhsm("a_vault_changes_to_a_token_between_tokens_and_away_from_a_lost_one", |hsm| {
        let key = || KeyFile::from_bytes([9; 32]);
        let vault = Vault::create(&hsm.vault(), &key(), &Setup::default()).unwrap();
        staffed(&vault);
        vault.put(&order("SO-1")).unwrap();
        vault.change_root(&hsm.provider("shop")).unwrap();
        assert!(opens(&vault) && is_sound(&vault));
        drop(vault);
        says(Vault::unlock(&hsm.vault(), &key()), "not opened by a key file");
        let vault = hsm.unlock().unwrap();
        hsm.add_token("spare");
        vault.change_root(&hsm.provider("spare")).unwrap();
        says(hsm.unlock(), "the token has no key of this vault");
        drop(vault);
        let vault = Vault::unlock(&hsm.vault(), &hsm.provider("spare")).unwrap();
        // The spare is lost for ever while a vault is unlocked.
        let session = hsm.session("spare");
        session.destroy_object(hsm.keys(&session)[0]).unwrap();
        vault.change_root(&key()).unwrap();
        assert!(opens(&vault) && is_sound(&vault));
        drop(vault);
        assert!(opens(&Vault::unlock(&hsm.vault(), &key()).unwrap()));
    });
}

#[test]
fn a_forked_child_does_not_use_the_tokens_session() {
    on_softhsm("a_forked_child_does_not_use_the_tokens_session", |hsm| {
        let vault = hsm.create();
        let root = hsm.provider("shop").unlock(&hsm.parameters()).unwrap();
        match fork::fork().unwrap() {
            fork::Fork::Parent(child) => {
                assert_eq!(fork::waitpid(child).unwrap(), 0);
                assert!(root.wrap(b"", &[1; 32]).is_ok() && opens(&vault));
            }
            fork::Fork::Child => {
                let refused = |e: Error| e.to_string().contains("was in use when this process was forked");
                let held = root.wrap(b"", &[1; 32]).err().is_some_and(refused);
                let unlocked = hsm.provider("shop").unlock(&hsm.parameters()).err().is_some_and(refused);
                drop(root);
                std::process::exit(i32::from(!(held && unlocked)));
            }
        }
    });
}
