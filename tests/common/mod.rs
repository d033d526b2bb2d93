//! Orders and vaults that several tests use.
#![allow(dead_code, missing_docs, clippy::unwrap_used, unreachable_pub)]

pub mod canaries;

use std::path::{Path, PathBuf};

use consignee::{
    Error, ErrorKind, Kem, KeyFile, Keyring, Order, Party, PartyKey, Setup, Vault, View, policy::Policy,
};

/// An order with canaries in every field, so that a leak of any is found by searching.
pub fn order_json(order_no: &str) -> String {
    format!(
        r#"{{"order_no":"{order_no}","placed_at":"2026-11-11T20:14:05+08:00",
        "consignee":{{"name":"Canary-Name {order_no}","phone":"13812345678",
          "address":{{"lines":["Canary-Street 1"],"city":"Canary-City","region":"","postal_code":"210000","country":"CN"}}}},
        "items":[{{"sku":"C-1","title":"Canary-Teapot","quantity":1,"unit_price":"88.00","supplier":"Yixing"}},
                 {{"sku":"C-2","title":"Canary-Cup","quantity":4,"unit_price":"12.50","supplier":"Dehua"}}],
        "amount":{{"value":"138.00","currency":"CNY"}},"note":"Canary-Note"}}"#
    )
}

pub fn order(order_no: &str) -> Order {
    Order::from_json(&order_json(order_no), &Policy::built_in()).unwrap()
}

/// A vault with one party for each role of the default policy.
pub fn staffed(vault: &Vault) {
    vault.add_party("SF Express", "courier", None).unwrap();
    vault.add_party("Yixing Ltd", "supplier", Some("Yixing")).unwrap();
    vault.add_party("Dehua Ltd", "supplier", Some("Dehua")).unwrap();
    vault.add_party("agent 17", "support", None).unwrap();
    vault.add_party("ledger clerk", "finance", None).unwrap();
    vault.add_party("shop", "platform", None).unwrap();
}

pub fn in_memory() -> Vault {
    let vault = Vault::in_memory(&Setup::default()).unwrap();
    staffed(&vault);
    vault
}

/// A folder with a vault in it; the key is in the test's hands.
pub struct Folder {
    pub dir: tempfile::TempDir,
}

pub const ROOT: [u8; 32] = [42; 32];

impl Folder {
    pub fn new() -> Self {
        let folder = Self { dir: tempfile::tempdir().unwrap() };
        staffed(&Vault::create(&folder.path(), &KeyFile::from_bytes(ROOT), &Setup::default()).unwrap());
        folder
    }

    pub fn path(&self) -> PathBuf {
        self.dir.path().join("vault")
    }

    pub fn unlock(&self) -> Vault {
        Vault::unlock(&self.path(), &KeyFile::from_bytes(ROOT)).unwrap()
    }
}

/// All bytes of all files below a folder.
pub fn all_bytes(folder: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        bytes.extend(if path.is_dir() { all_bytes(&path) } else { std::fs::read(&path).unwrap() });
    }
    bytes
}

pub fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

/// A party with a key of its own, which the vault knows, and with its keyring.
pub struct Link {
    pub party: Party,
    pub keyring: Keyring,
    /// As the vault issued it.
    pub keyring_file: Vec<u8>,
}

impl Link {
    /// Gives a key to a party of this name.
    pub fn of(vault: &Vault, name: &str, kem: Kem) -> Self {
        let mut party = Party::new(PartyKey::generate(kem).unwrap());
        vault.set_party_key(name, party.key().public()).unwrap();
        party.trust(vault.card().unwrap());
        let keyring_file = vault.issue_keyring(name).unwrap();
        let keyring = party.keyring(&keyring_file).unwrap();
        Self { party, keyring, keyring_file }
    }

    /// What it sees in a bundle.
    pub fn views(&mut self, bundle: &[u8]) -> Result<Vec<Result<View, ErrorKind>>, ErrorKind> {
        let kind = |e: Error| e.kind().clone();
        let bundle = self.party.read(&self.keyring, bundle).map_err(kind)?;
        Ok(bundle.views(&self.keyring).map(|view| view.map_err(kind)).collect())
    }
}

/// The bundle of orders that all can be shared.
pub fn bundle(vault: &Vault, party: &str, purpose: &str, orders: &[&str]) -> Vec<u8> {
    let shared = vault.share(party, purpose, orders, None).unwrap();
    assert!(shared.orders.iter().all(Result::is_ok), "{:?}", shared.orders);
    shared.bundle.unwrap()
}
