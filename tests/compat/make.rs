//! How the files were made.

use std::{fs, path::Path, thread, time::Duration};

use consignee::{ExistingOrders, Fields, KeyFile, Patch, Setup, ShredMode, Suite, Vault};
use serde_json::json;

use super::{
    ORDERS, SHREDDED, SUITES, copy, digests, folder, found, ledger, opened, records, refused, root_key,
};

/// Writes them if `CONSIGNEE_WRITE_COMPAT` is 1, and shows how those of the next format are made: never again for a frozen one.
#[test]
fn files_are_made_on_demand() {
    if std::env::var("CONSIGNEE_WRITE_COMPAT").is_ok_and(|value| value == "1") {
        SUITES.into_iter().for_each(|(suite, name)| make(suite, &folder(name)));
        fs::write(folder("").join("SHA256SUMS"), digests(&folder(""))).unwrap();
    }
}

fn make(suite: Suite, folder: &Path) {
    let without_end = |policy: &str| policy.replace("expires = \"30d\"\n", "");
    let first = without_end(include_str!("../interop/samples/policy.toml"));
    let later = without_end(include_str!("../interop/samples/later.toml"));
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
    let orders = put(include_str!("../interop/samples/orders.jsonl"));
    vault.open_many("SF Express", "delivery", &ORDERS[..5]).unwrap();
    let policy = vault.policy().unwrap();
    let patch = Patch::from_json(include_str!("../interop/samples/patch-W-1.json"), &policy).unwrap();
    assert_eq!(vault.update("W-1", 1, patch).unwrap(), 2);
    vault.shred(SHREDDED, "erasure request, Art. 17", ShredMode::KeepEvidence).unwrap();
    vault.revoke_party("Gone Express").unwrap();
    vault.apply_policy(&later, ExistingOrders::No).unwrap();
    put(include_str!("../interop/samples/later.jsonl"));
    let rows: Vec<_> = orders[..2]
        .iter()
        .map(|order| {
            let sealed = vault.sealer().seal(order).unwrap();
            vault.sealer().log(std::slice::from_ref(&sealed)).unwrap();
            (sealed.record, sealed.secret)
        })
        .collect();
    for (n, (record, row)) in rows.iter().enumerate() {
        fs::write(folder.join(format!("records/{n}.record")), record).unwrap();
        fs::write(folder.join(format!("records/{n}.secret")), row.to_bytes()).unwrap();
    }
    // Over, as it will be whenever this is read.
    thread::sleep(Duration::from_secs(2));
    let mut expected = json!({
        "opened": opened(&vault, &ORDERS), "found": found(&vault), "refused": refused(&vault), "records": records(&vault, &rows),
    });
    expected["ledger"] = ledger(&vault);
    drop(vault);
    fs::write(folder.join("expected.json"), serde_json::to_string_pretty(&expected).unwrap() + "\n").unwrap();
    copy(&path, &folder.join("vault"));
}
