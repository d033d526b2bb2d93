//! A writer of the database files, without any key, tries what the threat model says he cannot do. Each test tells its attack.
#![allow(clippy::unwrap_used)]

mod aliases;
#[path = "../common/mod.rs"]
mod common;
mod files;
mod keys;
mod ledger;
mod policy;
mod records;
mod replay;
mod requests;
mod roles;
mod search;
mod sharing;
mod shred;

use common::Folder;
use consignee::{
    ErrorKind, KeyFile, Order, Setup, Severity, Vault, View,
    store::{Memory, RecordRow, SecretRow, Stores},
};
use rusqlite::Connection;

const FILES: [&str; 4] = ["orders.db", "secrets.db", "keys.db", "ledger.db"];

fn database(folder: &Folder, file: &str) -> Connection {
    Connection::open(folder.path().join(file)).unwrap()
}

/// The checks of `doctor` that found a fault.
fn faults(vault: &Vault) -> Vec<&'static str> {
    let findings = vault.doctor().unwrap();
    findings.into_iter().filter(|f| f.severity == Severity::Fault).map(|f| f.check).collect()
}

fn unlock_fails(folder: &Folder) -> ErrorKind {
    Vault::unlock(&folder.path(), &KeyFile::from_bytes(common::ROOT)).map(drop).unwrap_err().kind().clone()
}

fn open_fails(vault: &Vault, order: &str) -> ErrorKind {
    vault.open("shop", "operation", order).unwrap_err().kind().clone()
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for file in FILES {
        std::fs::copy(from.join(file), to.join(file)).unwrap();
    }
}

/// A vault whose stores the attacker may write: what he does in SQL to the files, in the words of the stores.
struct Shop {
    stores: Stores,
    vault: Vault,
}

impl Shop {
    fn new(orders: &[Order]) -> Self {
        Self::with(&Setup::default(), orders)
    }

    /// With a root key that all vaults of these tests have.
    fn with(setup: &Setup<'_>, orders: &[Order]) -> Self {
        let stores = Memory::stores();
        let vault = Vault::begin(stores.clone(), &KeyFile::from_bytes(common::ROOT), setup).unwrap();
        common::staffed(&vault);
        assert!(vault.put_many(orders).unwrap().iter().all(Result::is_ok));
        Self { stores, vault }
    }

    fn id(&self, order_no: &str) -> [u8; 16] {
        *self.vault.sealer().record_id(order_no).unwrap().as_bytes()
    }

    fn record(&self, order_no: &str) -> RecordRow {
        self.stores.orders.records(&[self.id(order_no)]).unwrap().remove(0).unwrap()
    }

    /// Puts a record where its row says, in place of what is there.
    fn set_record(&self, row: RecordRow) {
        self.stores.orders.delete_records(&[row.id]).unwrap();
        self.stores.orders.insert_records(&[row]).unwrap();
    }

    fn set_sealed(&self, order_no: &str, sealed: &[u8]) {
        self.set_record(RecordRow { sealed: sealed.to_vec(), ..self.record(order_no) });
    }

    /// All secret rows of an order, by revision.
    fn rows(&self, order_no: &str) -> Vec<SecretRow> {
        let mut rows = self.stores.secrets.secrets(&[self.id(order_no)]).unwrap().remove(0);
        rows.sort_by_key(|row| row.revision);
        rows
    }

    /// Takes all secret rows of an order out and puts these into the store.
    fn set_rows(&self, order_no: &str, rows: &[SecretRow]) {
        let old: Vec<_> = self.rows(order_no).iter().map(|row| (row.record_id, row.n1)).collect();
        self.stores.secrets.replace_secrets(&old, rows).unwrap();
    }

    /// The same stores, unlocked anew: what another process of the shop sees.
    fn unlock(&self) -> Result<Vault, ErrorKind> {
        let vault = Vault::resume(self.stores.clone(), &KeyFile::from_bytes(common::ROOT));
        vault.map_err(|e| e.kind().clone())
    }

    /// What opening as this party says.
    fn opens(&self, party: &str, purpose: &str, order: &str) -> Result<View, ErrorKind> {
        self.vault.open(party, purpose, order).map_err(|e| e.kind().clone())
    }

    /// As the shop itself, which opens every field.
    fn open(&self, order: &str) -> Result<View, ErrorKind> {
        self.opens("shop", "operation", order)
    }
}
