//! Vaults of format 1, made when it was frozen, which every later version must open: `tests/compat/README.md`.
#![allow(clippy::unwrap_used)]

#[path = "compat/make.rs"]
mod make;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use consignee::{
    Fields, Finding, KeyFile, Passphrase, Patch, Put, RootKeyProvider, Severity, ShredMode, StoredOrder,
    Suite, Value, Vault, store::SecretRow,
};
use serde_json::{Map, Value as Json, json};
use sha2::{Digest, Sha256};

/// Each party that is not revoked, with its purpose.
const ASKS: [(&str, &str); 8] = [
    ("SF Express", "delivery"),
    ("Yixing Ltd", "fulfilment"),
    ("Dehua Ltd", "fulfilment"),
    ("agent 17", "after_sale"),
    ("agent 17", "call_back"),
    ("clerk", "accounting"),
    ("wrapper", "wrapping"),
    ("shop", "operation"),
];
const ORDERS: [&str; 6] = ["W-1", "W-2", "W-3", "W-4", "单号 5", "L-1"];
const SHREDDED: &str = "W-6";
const FOUND: [(&str, &str); 2] =
    [("consignee.phone", "13812345678"), ("consignee.phone", "138 1234 5678 ext. 9")];
const SUITES: [(Suite, &str); 2] = [(Suite::Aes256Gcm, "suite-1"), (Suite::ChaCha20Poly1305, "suite-2")];

fn folder(suite: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compat/v1").join(suite)
}

/// One vault by a key file, the other by a passphrase.
fn root_key(suite: Suite, folder: &Path) -> Box<dyn RootKeyProvider> {
    match suite {
        Suite::Aes256Gcm => {
            // Of the file only the text counts here: a checkout does not keep its mode.
            let text = fs::read_to_string(folder.join("root.key")).unwrap();
            let private = tempfile::NamedTempFile::new().unwrap();
            fs::write(private.path(), text).unwrap();
            Box::new(KeyFile::read(private.path()).unwrap())
        }
        _ => Box::new(Passphrase::new("a passphrase of the tests")),
    }
}

/// What opening gives: fields, alias and revision, or the kind of the refusal.
fn opened(vault: &Vault, orders: &[&str]) -> Json {
    let mut all = Map::new();
    for (party, purpose) in ASKS {
        let views = vault.open_many(party, purpose, orders).unwrap();
        let shown = views.into_iter().zip(orders).map(|(view, order)| {
            let shown = match view {
                Ok(view) => {
                    json!({ "fields": view.to_json()["fields"], "alias": view.alias().to_string(), "revision": view.revision() })
                }
                Err(e) => format!("{:?}", e.kind()).into(),
            };
            ((*order).to_owned(), shown)
        });
        all.insert(format!("{party}, {purpose}"), shown.collect());
    }
    Json::Object(all)
}

fn found(vault: &Vault) -> Json {
    let find = |(field, value): (&str, &str)| {
        let hits = vault.find("agent 17", "after_sale", field, value).unwrap().hits;
        hits.iter().map(|hit| hit.alias.to_string()).collect::<Json>()
    };
    FOUND.into_iter().map(find).collect()
}

fn refused(vault: &Vault) -> Json {
    let kind = |party, purpose, order| match vault.open(party, purpose, order) {
        Ok(_) => "opened".to_owned(),
        Err(e) => format!("{:?}", e.kind()),
    };
    json!({
        "expired": kind("SF Express", "express", "W-1"), "revoked": kind("Gone Express", "delivery", "W-1"),
        "not permitted": kind("SF Express", "accounting", "W-1"), "shredded": kind("shop", "operation", SHREDDED),
        "not found": kind("shop", "operation", "W-7"),
    })
}

/// Records and secret rows, for tables of one's own.
fn records(vault: &Vault, rows: &[(Vec<u8>, SecretRow)]) -> Json {
    let stored: Vec<_> = rows.iter().map(|(record, secret)| StoredOrder { record, secret }).collect();
    let views = vault.opener().open_many("shop", "operation", &stored).unwrap();
    views.into_iter().map(|view| view.unwrap().to_json()["fields"].clone()).collect()
}

fn ledger(vault: &Vault) -> Json {
    let state = vault.ledger_state().unwrap();
    json!({ "size": state.size, "root": hex(&state.root) })
}

/// What is wrong with it. The clock alone is the machine's: whether it is behind the vault's.
fn faults(vault: &Vault) -> (Vec<Finding>, bool) {
    let found = vault.doctor().unwrap();
    let behind = found.iter().any(|finding| finding.check == "clock");
    (found.into_iter().filter(|finding| finding.severity == Severity::Fault).collect(), behind)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn digests(folder: &Path) -> String {
    let mut all = BTreeMap::new();
    let mut left = vec![folder.to_owned()];
    while let Some(at) = left.pop() {
        if at.is_dir() {
            left.extend(fs::read_dir(at).unwrap().map(|entry| entry.unwrap().path()));
        } else if at.file_name().unwrap() != "SHA256SUMS" {
            let name = at.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
            all.insert(name, hex(&Sha256::digest(fs::read(at).unwrap())));
        }
    }
    all.into_iter().map(|(name, digest)| format!("{digest}  {name}\n")).collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
}

/// The files of a frozen version are what they were.
#[test]
fn nobody_has_changed_the_files_of_version_1() {
    let folder = folder("");
    assert_eq!(digests(&folder), fs::read_to_string(folder.join("SHA256SUMS")).unwrap());
}

#[test]
fn vaults_of_version_1_open_and_go_on() {
    for (suite, name) in SUITES {
        let (kept, scratch) = (folder(name), tempfile::tempdir().unwrap());
        let mut expected: Json =
            serde_json::from_str(&fs::read_to_string(kept.join("expected.json")).unwrap()).unwrap();
        let path = scratch.path().join("vault");
        copy(&kept.join("vault"), &path);
        private(&path);
        let vault = Vault::unlock(&path, &*root_key(suite, &kept)).unwrap();
        let (wrong, clock_behind) = faults(&vault);
        assert!(wrong.is_empty(), "{name}: {wrong:?}");
        if clock_behind {
            expected["refused"]["expired"] = "opened".into();
        }
        assert_eq!(ledger(&vault), expected["ledger"], "{name}");
        assert_eq!(opened(&vault, &ORDERS), expected["opened"], "{name}");
        assert_eq!(found(&vault), expected["found"], "{name}");
        assert_eq!(refused(&vault), expected["refused"], "{name}");
        for (asked, orders) in expected["opened"].as_object().unwrap() {
            for (order, shown) in orders.as_object().unwrap() {
                let Some(alias) = shown["alias"].as_str() else { continue };
                let owner = vault.resolve_alias(alias).unwrap();
                assert!(asked.starts_with(&format!("{}, ", owner.party.name)), "{name}: {asked}");
                assert_eq!(owner.order_no.as_deref(), Some(&**order), "{name}");
                assert!(!owner.seen.unwrap().is_empty(), "{name}");
            }
        }
        let read = |n: usize, what: &str| fs::read(kept.join(format!("records/{n}.{what}"))).unwrap();
        let row = |n| (read(n, "record"), SecretRow::from_bytes(&read(n, "secret")).unwrap());
        let rows = [row(0), row(1)];
        for (n, (_, secret)) in rows.iter().enumerate() {
            assert_eq!(secret.to_bytes(), read(n, "secret"), "{name}");
        }
        assert_eq!(records(&vault, &rows), expected["records"], "{name}");

        go_on(&vault, &rows, &expected);
        drop(vault);
        let again = Vault::unlock(&path, &*root_key(suite, &kept)).unwrap();
        let wrong = faults(&again).0;
        assert!(wrong.is_empty(), "{name}: {wrong:?}");
        assert_eq!(again.open("shop", "operation", "W-1").unwrap().revision(), 3);
    }
}

/// This version writes to every file of the vault, and what it writes lies beside what was there.
fn go_on(vault: &Vault, rows: &[(Vec<u8>, SecretRow)], expected: &Json) {
    let note = || Patch::new().set("note", Value::Text("later".into()));
    let shown = |order| vault.open("shop", "operation", order).unwrap().to_json()["fields"].clone();
    let mut updated = expected["opened"]["shop, operation"]["W-1"]["fields"].clone();
    updated["note"] = "later".into();
    assert_eq!(vault.update("W-1", 2, note()).unwrap(), 3);
    assert_eq!(shown("W-1"), updated);

    let order = Fields::from_json(ORDER, &vault.policy().unwrap()).unwrap();
    assert!(matches!(vault.put(&order).unwrap(), Put::Stored(_)));
    let fields = json!({ "order_no": "N-1", "placed_at": "2031-01-01T00:00:00Z", "consignee.name": "Ada", "consignee.phone": "+86 138-1234-5678" });
    assert_eq!(shown("N-1"), fields);
    let mut hits = expected["found"][0].as_array().unwrap().clone();
    hits.insert(0, vault.open("agent 17", "after_sale", "N-1").unwrap().alias().to_string().into());
    assert_eq!(found(vault)[0], Json::Array(hits), "newest first");

    vault.shred("W-3", "", ShredMode::KeepEvidence).unwrap();
    vault.add_party("New Express", "courier", None).unwrap();
    assert_eq!(vault.open("New Express", "delivery", "W-2").unwrap().text("consignee.name").unwrap(), "O");

    let (record, secret) = &rows[0];
    let old = StoredOrder { record, secret };
    let next = vault.sealer().update(&old, Some("W-1"), 1, note()).unwrap().unwrap();
    vault.sealer().log(std::slice::from_ref(&next)).unwrap();
    let mut updated = expected["records"][0].clone();
    updated["note"] = "later".into();
    assert_eq!(records(vault, &[(next.record, next.secret)]), json!([updated]));
}

/// As a vault's folder and files are when they are made; a checkout does not keep that.
fn private(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;

    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        fs::set_permissions(entry.unwrap().path(), fs::Permissions::from_mode(0o600)).unwrap();
    }
}

const ORDER: &str = r#"{"order_no":"N-1","placed_at":"2031-01-01T00:00:00Z","consignee":{"name":"Ada","phone":"+86 138-1234-5678"}}"#;
