//! Publishing, verifying and witnessing, against who would falsify them.

mod cosigned;
mod faults;
mod publishing;
mod split;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use super::*;
use crate::{
    error::ErrorKind,
    ledger::{Entry, EntryKind, push_leaf},
    store::{LedgerHead, LedgerRow, Memory},
    tlog::TrustPolicy,
};

/// A ledger of cheap entries, and a folder to publish it into.
struct Shop {
    store: Memory,
    key: NoteKey,
    dir: tempfile::TempDir,
}

/// The key of a log, from a seed of one byte.
fn log_key(seed: u8) -> NoteKey {
    NoteKey::of_log("consignee/00/1", &crate::suite::Secret::new([seed; 32])).unwrap()
}

/// An entry of its own length and bytes for each number, dated a second after the one before it.
fn cheap(number: u64) -> Entry {
    let mut entry = Entry::new(EntryKind::Denied, [1; 16], [2; 32]);
    entry.time = 1_700_000_000 + number;
    entry.detail = [number.to_le_bytes().as_slice(), &vec![7; usize::try_from(number % 5).unwrap()]].concat();
    entry
}

impl Shop {
    /// With this many entries.
    fn of(entries: u64) -> Self {
        let shop = Self { store: Memory::default(), key: log_key(1), dir: tempfile::tempdir().unwrap() };
        shop.append((0..entries).map(cheap));
        shop
    }

    fn append(&self, entries: impl Iterator<Item = Entry>) {
        let rows: Vec<_> =
            entries.map(|entry| LedgerRow { handle: entry.handle, bytes: entry.encode().unwrap() }).collect();
        self.store
            .append(&mut |head: &LedgerHead| {
                let mut next = head.clone();
                rows.iter().for_each(|row| push_leaf(&mut next, leaf_hash(&row.bytes)));
                (rows.clone(), next)
            })
            .unwrap();
    }

    /// Until it has this many entries.
    fn grow(&self, size: u64) {
        self.append((self.store.head().unwrap().size..size).map(cheap));
    }

    fn publish_into(&self, folder: &Path) -> Result<(u64, SignedCheckpoint)> {
        publish(&self.store, &self.key, &Published::at(folder), true)
    }

    fn publish(&self) -> SignedCheckpoint {
        self.publish_into(self.dir.path()).unwrap().1
    }

    fn published(&self) -> Published {
        Published::at(self.dir.path())
    }

    fn trust(&self) -> TrustPolicy {
        TrustPolicy::log_only(self.key.public().clone())
    }

    fn verify(&self) -> Result<Verified> {
        self.published().verify(&self.trust(), |_, _, _| Ok(()))
    }

    #[track_caller]
    fn fault(&self) -> (ErrorKind, String) {
        let e = self.verify().unwrap_err();
        (e.kind().clone(), e.to_string())
    }

    fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }
}

/// All files below a folder with their bytes, but for the lock.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(folder: &Path, base: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, base, found);
            } else {
                let name = path.strip_prefix(base).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(folder, folder, &mut found);
    found.remove("publish.lock");
    found
}
