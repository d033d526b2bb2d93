//! Changing the root key of a vault: from each kind to each, cut short at each write, rolled back, beside other processes.
//!
//! Rules: one of the two root keys opens the vault at any moment, never both and never none; which of them is told by the error of
//! the other; orders, parties and the ledger stay what they were.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used)]

mod common;
mod faulty;

use std::{fs, path::Path};

use common::{Folder, ROOT, all_bytes, contains, order, staffed};
use consignee::{
    EntryKind, Error, ErrorKind, KeyFile, Passphrase, RootKeyProvider, Setup, Severity, Vault,
    store::{Memory, Stores},
};
use faulty::{Fault, Switch};

const OTHER: [u8; 32] = [43; 32];

fn old() -> KeyFile {
    KeyFile::from_bytes(ROOT)
}

fn new() -> KeyFile {
    KeyFile::from_bytes(OTHER)
}

fn opens(vault: &Vault) -> bool {
    vault.open("SF Express", "delivery", "SO-1").is_ok()
}

fn faults(vault: &Vault) -> Vec<String> {
    let findings = vault.doctor().unwrap().into_iter();
    findings.filter(|finding| finding.severity == Severity::Fault).map(|finding| finding.message).collect()
}

fn refused(unlocked: Result<Vault, Error>) -> Error {
    let error = unlocked.err().unwrap();
    assert_eq!(error.kind(), &ErrorKind::RootKey, "{error}");
    error
}

fn changes_of_root(vault: &Vault) -> usize {
    let entries = vault.ledger_entries(0, 10_000).unwrap();
    let changes = entries.iter().filter(|entry| entry.kind == EntryKind::Rotation);
    changes
        .inspect(|entry| assert_eq!((&entry.detail[..], entry.commitments.len()), (&[0; 9][..], 1)))
        .count()
}

#[test]
fn each_kind_of_root_key_changes_to_each() {
    let phrase = |text: &str| Box::new(Passphrase::new(text)) as Box<dyn RootKeyProvider>;
    let file = |key| Box::new(KeyFile::from_bytes(key)) as Box<dyn RootKeyProvider>;
    let chain =
        [file(ROOT), file(OTHER), phrase("a first passphrase"), phrase("a second passphrase"), file(ROOT)];
    let stores = Memory::stores();
    let vault = Vault::begin(stores.clone(), &*chain[0], &Setup::default()).unwrap();
    staffed(&vault);
    vault.put(&order("SO-1")).unwrap();
    for (at, pair) in chain.windows(2).enumerate() {
        let vault = Vault::resume(stores.clone(), &*pair[0]).unwrap();
        vault.change_root(&*pair[1]).unwrap();
        // The vault that did it goes on, changes of keys and parties included.
        vault.add_party(&format!("party {at}"), "courier", None).unwrap();
        assert!(opens(&vault) && faults(&vault).is_empty(), "{:?}", faults(&vault));
        let error = refused(Vault::resume(stores.clone(), &*pair[0])).to_string();
        assert!(
            error.contains("the root key was changed (entry ") && error.contains("opens no more"),
            "{error}"
        );
        assert!(opens(&Vault::resume(stores.clone(), &*pair[1]).unwrap()));
        assert_eq!(changes_of_root(&vault), at + 1);
    }
}

#[test]
fn whoever_had_the_vault_unlocked_is_told_to_unlock_it_again() {
    let folder = Folder::new();
    let (vault, other) = (folder.unlock(), folder.unlock());
    vault.put(&order("SO-1")).unwrap();
    assert!(opens(&other));
    vault.change_root(&new()).unwrap();
    let clone = vault.clone();
    assert!(opens(&vault) && opens(&clone));
    for error in [
        other.open("SF Express", "delivery", "SO-1").err().unwrap(),
        other.put(&order("SO-2")).err().unwrap(),
        other.revoke_party("SF Express").err().unwrap(),
        other.change_root(&old()).err().unwrap(),
    ] {
        assert_eq!(error.kind(), &ErrorKind::RootKey);
        assert!(error.to_string().starts_with("the root key was changed: unlock again"), "{error}");
    }
    assert!(opens(&Vault::unlock(&folder.path(), &new()).unwrap()));
    // The ledger has what was opened, and nothing of what was refused.
    let puts = vault.ledger_entries(0, 1_000).unwrap();
    assert_eq!(puts.iter().filter(|entry| entry.kind == EntryKind::Put).count(), 1);
}

/// Whoever can write keys.db cannot make unlocked vaults believe in a change: they take the altered keys for what they are.
#[test]
fn altered_keys_are_not_taken_for_a_change_of_the_root_key() {
    let stores = Memory::stores();
    let vault = Vault::begin(stores.clone(), &old(), &Setup::default()).unwrap();
    let mut item = stores.keys.items().unwrap().into_iter().find(|item| item.kind == 8).unwrap();
    item.body[20] ^= 1;
    stores.keys.write_items(&[item]).unwrap();
    let error = vault.parties().unwrap_err().to_string();
    assert!(!error.contains("was changed"), "{error}");
}

#[test]
fn the_new_key_must_not_lie_in_the_vault() {
    let folder = Folder::new();
    let vault = folder.unlock();
    let inside = folder.path().join("new.key");
    let error = vault.change_root(&KeyFile::create(&inside).unwrap()).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::RootKey);
    assert!(error.to_string().starts_with("the key file lies inside the vault"), "{error}");
    assert_eq!(changes_of_root(&vault), 0);
    let outside = folder.dir.path().join("new.key");
    vault.change_root(&KeyFile::create(&outside).unwrap()).unwrap();
    drop(vault);
    assert!(Vault::unlock(&folder.path(), &KeyFile::read(&outside).unwrap()).is_ok());
}

/// A root key that wraps and does not unwrap would close the vault for ever.
#[test]
fn a_root_key_that_does_not_unwrap_what_it_wraps_is_refused_before_anything_is_written() {
    struct Lossy;
    struct Lost(Box<dyn consignee::RootKey>);
    impl RootKeyProvider for Lossy {
        fn new_parameters(&self) -> consignee::Result<Vec<u8>> {
            new().new_parameters()
        }
        fn unlock(&self, parameters: &[u8]) -> consignee::Result<Box<dyn consignee::RootKey>> {
            Ok(Box::new(Lost(new().unlock(parameters)?)))
        }
    }
    impl consignee::RootKey for Lost {
        fn wrap(&self, context: &[u8], key: &[u8; 32]) -> consignee::Result<Vec<u8>> {
            let mut wrapped = self.0.wrap(context, key)?;
            wrapped[30] ^= 1;
            Ok(wrapped)
        }
        fn unwrap(&self, context: &[u8], wrapped: &[u8]) -> consignee::Result<zeroize::Zeroizing<[u8; 32]>> {
            self.0.unwrap(context, wrapped)
        }
    }
    let stores = Memory::stores();
    let vault = Vault::begin(stores.clone(), &old(), &Setup::default()).unwrap();
    let before = stores.keys.items().unwrap();
    let error = vault.change_root(&Lossy).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::RootKey);
    assert_eq!(stores.keys.items().unwrap(), before);
    assert_eq!(changes_of_root(&vault), 0);
}

#[test]
fn a_change_cut_short_at_any_write_leaves_one_root_key_that_opens() {
    let mut ends = [0; 2];
    for (fault, resumed) in
        [(Fault::Refused, false), (Fault::Refused, true), (Fault::CutBefore, true), (Fault::CutAfter, true)]
    {
        for write in 1.. {
            let (stores, switch) = (Memory::stores(), Switch::default());
            let vault = Vault::begin(stores.clone(), &old(), &Setup::default()).unwrap();
            staffed(&vault);
            vault.put(&order("SO-1")).unwrap();
            drop(vault);
            let vault = Vault::resume(faulty::stores(&stores, &switch), &old()).unwrap();
            switch.arm(fault, write);
            let result = vault.change_root(&new());
            let going_on = (!resumed).then_some(vault);
            let Some(name) = switch.mend() else {
                assert!(result.is_ok() && write > 3, "{:?} after {write} writes", result.err());
                break;
            };
            let place = format!("{fault:?}, write {write} ({name}), unlocked again: {resumed}");
            assert_eq!(result.unwrap_err().kind(), &ErrorKind::Storage, "{place}");
            if let Some(vault) = going_on {
                assert!(opens(&vault), "{place}: the vault that goes on");
            }
            let changed = opened_by_one_of_two(&stores, &place);
            ends[usize::from(changed)] += 1;
        }
    }
    assert!(ends.iter().all(|count| *count > 2), "dropped and finished: {ends:?}");
}

/// Whether it is the new one. What is announced, the new key is told of; the old one finishes or drops it.
fn opened_by_one_of_two(stores: &Stores, place: &str) -> bool {
    let by_new = Vault::resume(stores.clone(), &new());
    if let Err(error) = &by_new {
        let text = error.to_string();
        let waits = text.contains("a change of the root key was cut short: unlock it with the old one once");
        let by_old = Vault::resume(stores.clone(), &old());
        match by_old {
            Ok(vault) => {
                assert!(opens(&vault) && faults(&vault).is_empty(), "{place}: {:?}", faults(&vault));
                assert_eq!(changes_of_root(&vault), 0, "{place}: entered and not in force");
                // It can be repeated.
                vault.change_root(&new()).unwrap();
                drop(vault);
                assert!(Vault::resume(stores.clone(), &old()).is_err());
                assert!(opens(&Vault::resume(stores.clone(), &new()).unwrap()), "{place}");
                return false;
            }
            // Finished by this attempt.
            Err(error) => {
                assert!(waits, "{place}: {text}");
                let text = error.to_string();
                assert!(text.starts_with("the root key was changed: unlock again"), "{place}: {text}");
            }
        }
    }
    let vault = Vault::resume(stores.clone(), &new()).unwrap();
    assert!(opens(&vault) && faults(&vault).is_empty(), "{place}: {:?}", faults(&vault));
    assert_eq!(changes_of_root(&vault), 1, "{place}");
    refused(Vault::resume(stores.clone(), &old()));
    true
}

/// Whoever brings back an older keys.db opens the vault under the root key of then. The ledger says that it is not the newest.
#[test]
fn keys_from_before_a_change_of_the_root_key_are_found_against_the_ledger() {
    let folder = Folder::new();
    let path = folder.path();
    folder.unlock().put(&order("SO-1")).unwrap();
    let before = fs::read(path.join("keys.db")).unwrap();
    folder.unlock().change_root(&new()).unwrap();
    let vault = Vault::unlock(&path, &new()).unwrap();
    assert!(faults(&vault).is_empty());
    drop(vault);
    fs::write(path.join("keys.db"), before).unwrap();
    refused(Vault::unlock(&path, &new()));
    let rolled_back = faults(&folder.unlock());
    assert_eq!(rolled_back.len(), 1, "{rolled_back:?}");
    assert!(
        rolled_back[0].starts_with("the root key is not the one that the ledger's newest change of it names")
    );
}

/// What `docs/operations.md` advises for a token that breaks: a copy of keys.db under a root key that lies in a safe.
#[test]
fn a_copy_of_the_keys_under_another_root_key_opens_the_vault_whose_own_is_lost() {
    let folder = Folder::new();
    let (path, copy) = (folder.path(), folder.dir.path().join("copy"));
    folder.unlock().put(&order("SO-1")).unwrap();
    copy_folder(&path, &copy);
    Vault::unlock(&copy, &old()).unwrap().change_root(&new()).unwrap();
    folder.unlock().put(&order("SO-2")).unwrap();
    // The old one is lost.
    fs::copy(copy.join("keys.db"), path.join("keys.db")).unwrap();
    let vault = Vault::unlock(&path, &new()).unwrap();
    assert!(opens(&vault) && vault.open("SF Express", "delivery", "SO-2").is_ok());
    vault.change_root(&KeyFile::from_bytes([44; 32])).unwrap();
    assert!(faults(&vault).is_empty(), "{:?}", faults(&vault));
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    fs::set_permissions(to, fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[test]
fn no_wrap_under_the_old_root_key_is_left_in_the_files() {
    let folder = Folder::new();
    let vault = folder.unlock();
    let wraps = wraps(&folder.path());
    assert!(wraps.len() > 15 && wraps.iter().all(|wrap| contains(&all_bytes(&folder.path()), wrap)));
    vault.change_root(&new()).unwrap();
    let bytes = all_bytes(&folder.path());
    assert_eq!(wraps.iter().filter(|wrap| contains(&bytes, wrap)).count(), 0, "of {}", wraps.len());
}

/// Nothing is undone for it: the message says that it is done, and what is left to do.
#[test]
fn whoever_reads_the_keys_meanwhile_keeps_old_wraps_from_being_wiped_and_that_is_said() {
    let folder = Folder::new();
    let vault = folder.unlock();
    let reader = rusqlite::Connection::open(folder.path().join("keys.db")).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM item;").unwrap();
    let old_wraps = wraps(&folder.path());
    let error = vault.change_root(&new()).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Locked);
    assert!(error.to_string().starts_with("the root key was changed, but keys under the old one"), "{error}");
    drop(reader);
    // The same again wipes, and says that the vault has this one already.
    assert_eq!(vault.change_root(&new()).unwrap_err().kind(), &ErrorKind::Exists);
    let bytes = all_bytes(&folder.path());
    assert!(old_wraps.iter().all(|wrap| !contains(&bytes, wrap)));
    assert_eq!(changes_of_root(&vault), 1);
}

/// The wrapped keys in keys.db, without suite and tag.
fn wraps(folder: &Path) -> Vec<Vec<u8>> {
    let database = rusqlite::Connection::open(folder.join("keys.db")).unwrap();
    let mut select = database.prepare("SELECT body FROM item WHERE kind < 32").unwrap();
    let bodies = select.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap();
    bodies.map(|body| body.unwrap()).map(|body| body[1..body.len() - 32].to_vec()).collect()
}
