//! Vaults of format 1, made when it was frozen, which every later version must open: `tests/compat/README.md`.
#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeMap,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use consignee::{
    ExistingOrders, Fields, KeyFile, Passphrase, Patch, Put, RootKeyProvider, Setup, Severity, ShredMode,
    StoredOrder, Suite, Value, Vault, store::SecretRow,
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
    let kind = |party, purpose, order| {
        format!("{:?}", vault.open(party, purpose, order).map(drop).unwrap_err().kind())
    };
    json!({
        "expired": kind("SF Express", "express", "W-1"), "revoked": kind("Gone Express", "delivery", "W-1"),
        "not permitted": kind("SF Express", "accounting", "W-1"), "shredded": kind("shop", "operation", SHREDDED),
        "not found": kind("shop", "operation", "W-7"),
    })
}

/// Records and secret rows as bytes, for tables of one's own.
fn records(vault: &Vault, rows: &[(Vec<u8>, Vec<u8>)]) -> Json {
    let rows: Vec<_> =
        rows.iter().map(|(record, row)| (record, SecretRow::from_bytes(row).unwrap())).collect();
    let stored: Vec<_> = rows.iter().map(|(record, secret)| StoredOrder { record, secret }).collect();
    let views = vault.opener().open_many("shop", "operation", &stored).unwrap();
    views.into_iter().map(|view| view.unwrap().to_json()["fields"].clone()).collect()
}

fn digests(folder: &Path) -> String {
    let mut all = BTreeMap::new();
    let mut left = vec![folder.to_owned()];
    while let Some(at) = left.pop() {
        if at.is_dir() {
            left.extend(fs::read_dir(at).unwrap().map(|entry| entry.unwrap().path()));
        } else if at.file_name().unwrap() != "SHA256SUMS" {
            let name = at.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
            let hex = Sha256::digest(fs::read(at).unwrap()).iter().fold(String::new(), |mut hex, byte| {
                write!(hex, "{byte:02x}").unwrap();
                hex
            });
            all.insert(name, hex);
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
        let expected: Json =
            serde_json::from_str(&fs::read_to_string(kept.join("expected.json")).unwrap()).unwrap();
        let path = scratch.path().join("vault");
        copy(&kept.join("vault"), &path);
        private(&path);
        let vault = Vault::unlock(&path, &*root_key(suite, &kept)).unwrap();
        let state = vault.ledger_state().unwrap();
        let root = state.root.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(json!({ "size": state.size, "root": root }), expected["ledger"], "{name}");
        assert_eq!(opened(&vault, &ORDERS), expected["opened"], "{name}");
        assert_eq!(found(&vault), expected["found"], "{name}");
        assert_eq!(refused(&vault), expected["refused"], "{name}");
        for order in ORDERS {
            let alias = &expected["opened"]["SF Express, delivery"][order]["alias"];
            let resolved = vault.resolve_alias(alias.as_str().unwrap()).unwrap();
            assert_eq!(
                (resolved.party.name.as_str(), resolved.order_no.as_deref()),
                ("SF Express", Some(order))
            );
            assert!(!resolved.seen.unwrap().is_empty());
        }
        let read = |n: usize, what: &str| fs::read(kept.join(format!("records/{n}.{what}"))).unwrap();
        let rows: Vec<_> = (0..2).map(|n| (read(n, "record"), read(n, "secret"))).collect();
        assert_eq!(records(&vault, &rows), expected["records"], "{name}");

        // And this version writes to it.
        assert_eq!(vault.update("W-1", 2, Patch::new().set("note", Value::Text("later".into()))).unwrap(), 3);
        let order = Fields::from_json(ORDER, &vault.policy().unwrap()).unwrap();
        assert!(matches!(vault.put(&order).unwrap(), Put::Stored(_)));
        let seen = vault.open("shop", "operation", "N-1").unwrap().to_json();
        assert_eq!(
            seen["fields"],
            json!({ "order_no": "N-1", "placed_at": "2031-01-01T00:00:00Z", "consignee.name": "Ada" })
        );
        let faults: Vec<_> =
            vault.doctor().unwrap().into_iter().filter(|f| f.severity == Severity::Fault).collect();
        assert!(faults.is_empty(), "{faults:?}");
    }
}

/// As a vault's folder and files are when they are made; a checkout does not keep that.
fn private(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;

    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        fs::set_permissions(entry.unwrap().path(), fs::Permissions::from_mode(0o600)).unwrap();
    }
}

const ORDER: &str = r#"{"order_no":"N-1","placed_at":"2031-01-01T00:00:00Z","consignee":{"name":"Ada"}}"#;

/// Made them, with `CONSIGNEE_WRITE_COMPAT=1`, and shows how those of the next format are made: never again for a frozen one.
#[test]
fn files_are_made_on_demand() {
    if std::env::var("CONSIGNEE_WRITE_COMPAT").is_ok_and(|value| value == "1") {
        SUITES.into_iter().for_each(|(suite, name)| make(suite, &folder(name)));
        fs::write(folder("").join("SHA256SUMS"), digests(&folder(""))).unwrap();
    }
}

fn make(suite: Suite, folder: &Path) {
    let without_end = |policy: &str| policy.replace("expires = \"30d\"\n", "");
    let first = without_end(include_str!("interop/samples/policy.toml"));
    let later = without_end(include_str!("interop/samples/later.toml"));
    let (_old, scratch) = (fs::remove_dir_all(folder), tempfile::tempdir().unwrap());
    fs::create_dir_all(folder.join("records")).unwrap();
    if suite == Suite::Aes256Gcm {
        let path = scratch.path().join("root.key");
        drop(KeyFile::create(&path).unwrap());
        fs::copy(path, folder.join("root.key")).unwrap();
    }
    let (path, key) = (scratch.path().join("vault"), root_key(suite, folder));
    let vault = Vault::create(&path, &*key, &Setup { suite, policy: first.into() }).unwrap();
    for (name, role, lines) in [
        ("SF Express", "courier", None),
        ("Yixing Ltd", "supplier", Some("Yixing")),
        ("Dehua Ltd", "supplier", Some("Dehua")),
        ("agent 17", "support", None),
        ("clerk", "finance", None),
        ("wrapper", "gift", None),
        ("shop", "platform", None),
        ("Gone Express", "courier", None),
    ] {
        vault.add_party(name, role, lines).unwrap();
    }
    let put = |lines: &str| {
        let policy = vault.policy().unwrap();
        let orders: Vec<_> = lines.lines().map(|line| Fields::from_json(line, &policy).unwrap()).collect();
        vault.put_many(&orders).unwrap().into_iter().for_each(|put| assert!(put.is_ok()));
        orders
    };
    let orders = put(include_str!("interop/samples/orders.jsonl"));
    vault.open_many("SF Express", "delivery", &ORDERS[..5]).unwrap();
    let policy = vault.policy().unwrap();
    let patch = Patch::from_json(include_str!("interop/samples/patch-W-1.json"), &policy).unwrap();
    assert_eq!(vault.update("W-1", 1, patch).unwrap(), 2);
    vault.shred(SHREDDED, "erasure request, Art. 17", ShredMode::KeepEvidence).unwrap();
    vault.revoke_party("Gone Express").unwrap();
    vault.apply_policy(&later, ExistingOrders::No).unwrap();
    put(include_str!("interop/samples/later.jsonl"));
    let rows: Vec<_> = orders[..2]
        .iter()
        .map(|order| {
            let sealed = vault.sealer().seal(order).unwrap();
            vault.sealer().log(std::slice::from_ref(&sealed)).unwrap();
            (sealed.record, sealed.secret.to_bytes())
        })
        .collect();
    for (n, (record, row)) in rows.iter().enumerate() {
        fs::write(folder.join(format!("records/{n}.record")), record).unwrap();
        fs::write(folder.join(format!("records/{n}.secret")), row).unwrap();
    }
    // Over, as it will be whenever this is read.
    thread::sleep(Duration::from_secs(2));
    let mut expected = json!({
        "opened": opened(&vault, &ORDERS), "found": found(&vault), "refused": refused(&vault), "records": records(&vault, &rows),
    });
    let state = vault.ledger_state().unwrap();
    let root: String = state.root.iter().map(|byte| format!("{byte:02x}")).collect();
    expected["ledger"] = json!({ "size": state.size, "root": root });
    drop(vault);
    fs::write(folder.join("expected.json"), serde_json::to_string_pretty(&expected).unwrap() + "\n").unwrap();
    copy(&path, &folder.join("vault"));
}
