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

use common::Folder;
use consignee::{ErrorKind, KeyFile, Severity, Vault};
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
