//! Backups, and vaults that are made from them.
#![cfg(all(feature = "sqlite", unix))]
#![allow(clippy::unwrap_used)]

mod common;

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use common::{Folder, Link, ROOT, all_bytes, bundle, contains, order};
use consignee::{
    BackupSets, EntryKind, EntryPlace, Error, ErrorKind, Kem, KeyFile, LedgerNote, Order, OwnTables, Patch,
    Peek, Restored, Setup, Severity, ShredMode, Value, Vault,
};

fn key() -> KeyFile {
    KeyFile::from_bytes(ROOT)
}

/// A vault with orders, one that was changed and one that was shredded, and a backup of it.
struct Shop {
    folder: Folder,
    noted: LedgerNote,
}

impl Shop {
    fn new() -> Self {
        let folder = Folder::new();
        let vault = folder.unlock();
        let orders: Vec<_> = (1..=5).map(|number| order(&format!("SO-{number}"))).collect();
        vault.put_many(&orders).unwrap();
        vault.update("SO-1", 1, Patch::new().set("note", Value::Text("new".into()))).unwrap();
        vault.shred("SO-2", "asked for", ShredMode::KeepEvidence).unwrap();
        vault.open("SF Express", "delivery", "SO-3").unwrap();
        let noted = vault.backup(&folder.dir.path().join("backup")).unwrap();
        assert_eq!((noted.ledger, noted.state), (1, vault.ledger_state().unwrap()));
        Self { folder, noted }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.dir.path().join(name)
    }

    fn sets(&self) -> BackupSets {
        BackupSets::below(&self.path("backup"))
    }

    fn restore(&self, to: &str) -> Result<Restored, Error> {
        Vault::restore(&self.sets(), &self.path(to), &key(), None)
    }

    #[track_caller]
    fn refused(&self, sets: &BackupSets, last_known: Option<LedgerNote>) -> (ErrorKind, String) {
        let before = self.names();
        let refused = Vault::restore(sets, &self.path("restored"), &key(), last_known).unwrap_err();
        assert_eq!(self.names(), before, "something was left behind");
        (refused.kind().clone(), refused.to_string())
    }

    fn names(&self) -> Vec<String> {
        names(self.folder.dir.path())
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// The whole order, or why it does not open.
fn said(vault: &Vault, number: &str) -> Result<Order, ErrorKind> {
    let order = vault.get::<Order>("shop", "operation", number);
    order.map(|order| order.value).map_err(|e| e.kind().clone())
}

#[track_caller]
fn sound(vault: &Vault) {
    let findings = vault.doctor().unwrap();
    assert!(findings.iter().all(|finding| finding.severity == Severity::Fine), "{findings:?}");
}

#[test]
fn a_restored_vault_is_the_vault_as_it_was_and_its_ledger_goes_on_as_another() {
    let shop = Shop::new();
    let old = shop.folder.unlock();
    let Restored { vault, closed, known, .. } = shop.restore("restored").unwrap();
    assert_eq!((closed, known), (shop.noted, shop.noted));
    for number in ["SO-1", "SO-2", "SO-3", "SO-4", "SO-5", "SO-6"] {
        assert_eq!(said(&vault, number), said(&old, number), "{number}");
    }
    assert_eq!(vault.policy().unwrap().digest(), old.policy().unwrap().digest());
    assert_eq!(vault.parties().unwrap(), old.parties().unwrap());
    assert_eq!((old.ledger_number().unwrap(), vault.ledger_number().unwrap()), (1, 2));
    let lost = vault.ledger_entries(0, 1).unwrap().remove(0);
    let detail = [closed.state.size.to_le_bytes().as_slice(), &closed.state.root].concat();
    assert_eq!((lost.kind, lost.detail), (EntryKind::Lost, detail));
    vault.put(&order("SO-6")).unwrap();
    vault.update("SO-3", 1, Patch::new().set("note", Value::Text("later".into()))).unwrap();
    vault.shred("SO-4", "asked for", ShredMode::KeepEvidence).unwrap();
    vault.revoke_party("SF Express").unwrap();
    sound(&vault);
    drop(vault);
    let vault = Vault::unlock(&shop.path("restored"), &key()).unwrap();
    sound(&vault);
    assert_eq!(said(&vault, "SO-6"), Ok(order("SO-6")));
    assert_eq!(said(&vault, "SO-4"), Err(ErrorKind::Shredded));
    let folder = Vault::check_folder(&shop.path("restored"), &key());
    assert!(folder.iter().all(|finding| finding.severity == Severity::Fine), "{folder:?}");
}

const NUMBER_OF_FILES: usize = 8;

#[test]
fn a_backup_is_three_private_folders_and_appears_whole_or_not_at_all() {
    let shop = Shop::new();
    let mut files = 0;
    for (set, databases) in [
        ("records", vec!["ledger.db", "manifest", "orders.db", "policy.toml"]),
        ("secrets", vec!["manifest", "secrets.db"]),
        ("keys", vec!["keys.db", "manifest"]),
    ] {
        let set = shop.path("backup").join(set);
        assert_eq!(names(&set), databases);
        assert_eq!(set.metadata().unwrap().mode() & 0o777, 0o700);
        for name in &databases {
            assert_eq!(set.join(name).metadata().unwrap().mode() & 0o777, 0o600, "{name}");
            files += 1;
        }
    }
    assert_eq!(files, NUMBER_OF_FILES);
    let (vault, before) = (shop.folder.unlock(), all_bytes(&shop.path("backup")));
    let kind = |to: &Path| vault.backup(to).unwrap_err().kind().clone();
    assert_eq!(kind(&shop.path("backup")), ErrorKind::Exists);
    assert_eq!(kind(&shop.path("not there/backup")), ErrorKind::NotFound);
    assert!(matches!(kind(&shop.folder.path().join("backup")), ErrorKind::Input { .. }));
    assert_eq!(all_bytes(&shop.path("backup")), before);
    assert_eq!(shop.names(), ["backup", "vault"]);
    let in_memory = Vault::in_memory(&Setup::default()).unwrap();
    assert!(matches!(in_memory.backup(&shop.path("other")).unwrap_err().kind(), ErrorKind::Input { .. }));
}

#[test]
fn a_backup_has_no_value_of_an_order_and_no_secret_of_a_shredded_one() {
    let folder = Folder::new();
    let pieces = || -> BTreeSet<Vec<u8>> {
        let database = rusqlite::Connection::open(folder.path().join("secrets.db")).unwrap();
        let mut select = database.prepare("SELECT bytes FROM piece").unwrap();
        let rows = select.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    };
    let vault = folder.unlock();
    vault.put_many(&[order("SO-1"), order("SO-2"), order("SO-3")]).unwrap();
    let before = pieces();
    vault.shred("SO-2", "asked for", ShredMode::KeepEvidence).unwrap();
    let after = pieces();
    let (gone, kept): (Vec<_>, Vec<_>) = before.iter().partition(|piece| !after.contains(*piece));
    vault.backup(&folder.dir.path().join("backup")).unwrap();
    let bytes = all_bytes(&folder.dir.path().join("backup"));
    assert!(!gone.is_empty() && gone.iter().all(|piece| !contains(&bytes, &piece[..60])));
    assert!(!kept.is_empty() && kept.iter().all(|piece| contains(&bytes, &piece[..60])));
    for canary in ["Canary", "13812345678", "SO-1", "SO-3"] {
        assert!(!contains(&bytes, canary.as_bytes()), "{canary}");
    }
}

/// Who saw an order is found in every ledger, and each entry is named by the ledger that has it.
#[test]
fn who_saw_an_order_is_told_over_all_ledgers() {
    let shop = Shop::new();
    let before = shop.folder.unlock().open("SF Express", "delivery", "SO-5").unwrap();
    shop.folder.unlock().backup(&shop.path("first")).unwrap();
    let mut seen = vec![EntryPlace { ledger: 1, index: before.ledger_index() }];
    for (from, to, next) in [("first", "second vault", "second"), ("second", "third vault", "third")] {
        let sets = BackupSets::below(&shop.path(from));
        let vault = Vault::restore(&sets, &shop.path(to), &key(), None).unwrap().vault;
        let view = vault.open("SF Express", "delivery", "SO-5").unwrap();
        assert_eq!((view.alias(), view.ledger()), (before.alias(), vault.ledger_number().unwrap()));
        seen.push(EntryPlace { ledger: view.ledger(), index: view.ledger_index() });
        let resolved = vault.resolve_alias(&before.alias().to_string()).unwrap();
        let found: Vec<_> = resolved.seen.unwrap().into_iter().map(|(place, _)| place).collect();
        assert_eq!(found, seen);
        sound(&vault);
        vault.backup(&shop.path(next)).unwrap();
    }
    assert_eq!(seen.iter().map(EntryPlace::to_string).collect::<Vec<_>>()[1..], ["2/1", "3/1"]);
    let vault = Vault::unlock(&shop.path("third vault"), &key()).unwrap();
    assert_eq!(vault.shred("SO-5", "asked for", ShredMode::KeepEvidence).unwrap().as_bytes().len(), 16);
    let resolved = vault.resolve_alias(&before.alias().to_string()).unwrap();
    assert_eq!((resolved.order_no, resolved.seen.unwrap().len()), (None, 3));
    assert!(vault.ledger_origin().unwrap().ends_with("/3"));
    let peek = || Peek::read(&shop.path("third vault")).unwrap();
    for (number, kind) in [(1, EntryKind::Policy), (2, EntryKind::Lost), (3, EntryKind::Lost)] {
        let ledger = peek().in_ledger(number).unwrap();
        assert_eq!((ledger.ledger_number(), ledger.ledger_entries(0, 1).unwrap()[0].kind), (number, kind));
    }
    assert!([0, 4].into_iter().all(|number| peek().in_ledger(number).is_err()));
    let scopes = vault.scopes().unwrap().policy;
    assert_eq!((scopes.ledger, scopes.ledger_index), (Some(1), Some(0)));
    assert!(vault.stats().unwrap().ledger_entries > vault.ledger_state().unwrap().size);
}

#[test]
fn an_alias_from_the_time_that_is_lost_is_no_other_orders() {
    let shop = Shop::new();
    let vault = shop.folder.unlock();
    let lost: Vec<_> = (0..600).map(|number| order(&format!("LOST-{number}"))).collect();
    vault.put_many(&lost).unwrap();
    let view = |number: u32| vault.open("SF Express", "delivery", &format!("LOST-{number}")).unwrap();
    let given: Vec<_> = [0, 255, 256, 599].map(|number| view(number).alias().to_string()).into();
    let vault = shop.restore("restored").unwrap().vault;
    let new: Vec<_> = (0..600).map(|number| order(&format!("NEW-{number}"))).collect();
    vault.put_many(&new).unwrap();
    for alias in given {
        assert_eq!(vault.resolve_alias(&alias).unwrap_err().kind(), &ErrorKind::NotFound);
        assert_eq!(vault.open("SF Express", "delivery", &alias).unwrap_err().kind(), &ErrorKind::NotFound);
    }
    assert!(vault.stats().unwrap().epoch_sealings > 1 << 24, "sealings of the lost time count, too");
    sound(&vault);
}

/// What was noted outside goes into the successor's first entry, and a ledger that was rewritten is not taken.
#[test]
fn the_last_known_head_is_entered_and_a_rewritten_ledger_is_refused() {
    let shop = Shop::new();
    let vault = shop.folder.unlock();
    let before = vault.ledger_state().unwrap();
    vault.open("SF Express", "delivery", "SO-5").unwrap();
    let later = LedgerNote { ledger: 1, state: vault.ledger_state().unwrap() };
    let restore =
        |to: &str, known| Vault::restore(&shop.sets(), &shop.path(to), &key(), Some(known)).unwrap();
    let entered = |restored: &Restored| restored.vault.ledger_entries(0, 1).unwrap().remove(0).detail;
    let detail = |note: LedgerNote| [note.state.size.to_le_bytes().as_slice(), &note.state.root].concat();
    let restored = restore("with a later one", later);
    assert_eq!((restored.closed, restored.known, entered(&restored)), (shop.noted, later, detail(later)));
    sound(&restored.vault);
    let earlier = Peek::read(&shop.folder.path()).unwrap().ledger_entries(0, 3).unwrap();
    assert_eq!(earlier.len(), 3);
    let restored = restore("with the same", LedgerNote { ledger: 1, state: before });
    assert_eq!((restored.known, entered(&restored)), (shop.noted, detail(shop.noted)));
    for size in [0, 1, before.size] {
        let state = consignee::LedgerState { size, root: [7; 32] };
        let (kind, message) = shop.refused(&shop.sets(), Some(LedgerNote { ledger: 1, state }));
        assert!(kind == ErrorKind::Damaged && message.contains("did not have this root"), "{message}");
    }
}

/// A vault was restored and is lost, too, and only a backup from before its restore is there: its second ledger must not be begun
/// a second time.
#[test]
fn a_ledger_of_which_nothing_came_back_is_succeeded_as_well() {
    let shop = Shop::new();
    let second = shop.restore("second").unwrap().vault;
    second.put(&order("SO-9")).unwrap();
    let alias = second.open("SF Express", "delivery", "SO-9").unwrap().alias().to_string();
    let known = LedgerNote { ledger: 2, state: second.ledger_state().unwrap() };
    let restored = Vault::restore(&shop.sets(), &shop.path("third"), &key(), Some(known)).unwrap();
    assert_eq!((restored.vault.ledger_number().unwrap(), restored.known), (3, known));
    let new: Vec<_> = (0..600).map(|number| order(&format!("NEW-{number}"))).collect();
    restored.vault.put_many(&new).unwrap();
    assert_eq!(restored.vault.resolve_alias(&alias).unwrap_err().kind(), &ErrorKind::NotFound);
    sound(&restored.vault);
    restored.vault.backup(&shop.path("again")).unwrap();
    let sets = BackupSets::below(&shop.path("again"));
    let again = Vault::restore(&sets, &shop.path("fourth"), &key(), None).unwrap();
    assert_eq!(again.vault.ledger_number().unwrap(), 4);
    sound(&again.vault);
    let far = LedgerNote { ledger: 102, state: known.state };
    assert!(matches!(shop.refused(&shop.sets(), Some(far)).0, ErrorKind::Input { .. }));
}

/// Every file of every set cut, altered, made longer, taken away, and in place of another.
#[test]
fn a_set_that_is_not_whole_is_refused_and_nothing_is_left_behind() {
    let shop = Shop::new();
    let mut tried = 0;
    for set in ["records", "secrets", "keys"] {
        for name in names(&shop.path("backup").join(set)) {
            let path = shop.path("backup").join(set).join(&name);
            let good = fs::read(&path).unwrap();
            let mut altered = good.clone();
            let middle = altered.len() / 2;
            altered[middle] ^= 1;
            let longer = [good.as_slice(), b"\n"].concat();
            for bad in [good[..good.len() - 1].to_vec(), altered, longer, Vec::new()] {
                fs::write(&path, bad).unwrap();
                let (kind, message) = shop.refused(&shop.sets(), None);
                let fits = [ErrorKind::Damaged, ErrorKind::Conflict].contains(&kind);
                assert!(fits && (message.contains(set) || kind == ErrorKind::Conflict), "{name}: {message}");
                tried += 1;
            }
            fs::remove_file(&path).unwrap();
            let missing = if name == "manifest" { ErrorKind::NotFound } else { ErrorKind::Damaged };
            assert_eq!(shop.refused(&shop.sets(), None).0, missing, "{name}");
            std::os::unix::fs::symlink(&path, &path).unwrap();
            assert_eq!(shop.refused(&shop.sets(), None).0, missing, "{name}");
            fs::remove_file(&path).unwrap();
            fs::write(&path, good).unwrap();
        }
    }
    assert_eq!(tried, NUMBER_OF_FILES * 4);
    shop.restore("restored").unwrap();
}

/// Who may write the backup makes manifest and file fit. The tag needs the root key.
#[test]
fn a_manifest_that_was_made_to_fit_is_refused() {
    let shop = Shop::new();
    let manifest = shop.path("backup/secrets/manifest");
    let good = fs::read_to_string(&manifest).unwrap();
    let vault = shop.folder.unlock();
    vault.backup(&shop.path("other")).unwrap();
    let other = fs::read_to_string(shop.path("other/secrets/manifest")).unwrap();
    let line = |text: &str, key: &str| text.lines().find(|line| line.starts_with(key)).unwrap().to_owned();
    // Another backup's secrets, said to be of this one; and a time that is not that of the backup.
    let forged = other.replace(&line(&other, "backup "), &line(&good, "backup "));
    let forged = forged.replace(&line(&other, "time "), &line(&good, "time "));
    fs::write(&manifest, forged.replace(&line(&other, "ledger "), &line(&good, "ledger "))).unwrap();
    fs::copy(shop.path("other/secrets/secrets.db"), shop.path("backup/secrets/secrets.db")).unwrap();
    let (kind, message) = shop.refused(&shop.sets(), None);
    assert!(kind == ErrorKind::Damaged && message.contains("not the one that the vault made"), "{message}");
}

#[test]
fn sets_of_different_backups_vaults_or_kinds_are_refused() {
    let shop = Shop::new();
    shop.folder.unlock().backup(&shop.path("newer")).unwrap();
    let other = Folder::new();
    other.unlock().backup(&shop.path("others")).unwrap();
    let own = shop.sets();
    for from in ["newer", "others"] {
        let foreign = BackupSets::below(&shop.path(from));
        for mixed in [
            BackupSets { records: foreign.records.clone(), ..own.clone() },
            BackupSets { secrets: foreign.secrets.clone(), ..own.clone() },
            BackupSets { keys: foreign.keys.clone(), ..own.clone() },
        ] {
            let (kind, message) = shop.refused(&mixed, None);
            assert!(kind == ErrorKind::Conflict && message.contains("not of one backup"), "{message}");
        }
    }
    let swapped = BackupSets { secrets: own.keys.clone(), keys: own.secrets.clone(), ..own.clone() };
    let (kind, message) = shop.refused(&swapped, None);
    assert!(kind == ErrorKind::Conflict && message.contains("this is the set of keys"), "{message}");
    let wrong = Vault::restore(&own, &shop.path("restored"), &KeyFile::from_bytes([1; 32]), None);
    assert_eq!(wrong.unwrap_err().kind(), &ErrorKind::RootKey);
    assert_eq!(
        Vault::restore(&own, &shop.folder.path(), &key(), None).unwrap_err().kind(),
        &ErrorKind::Exists
    );
    let newer = fs::read_to_string(own.keys.join("manifest")).unwrap().replace("backup-v1", "backup-v2");
    fs::write(own.keys.join("manifest"), newer).unwrap();
    assert_eq!(shop.refused(&own, None).0, ErrorKind::NewerFormat);
}

/// Somebody takes the ledger away that says who saw what, exchanges it, cuts it or puts it in the present one's place.
#[test]
fn a_former_ledger_that_is_missing_or_another_is_damage() {
    let shop = Shop::new();
    drop(shop.restore("restored").unwrap());
    let former = shop.path("restored/ledger-1.db");
    let opens = || Vault::unlock(&shop.path("restored"), &key());
    let refused = |what: &str| {
        let refused = opens().map(drop).unwrap_err();
        assert!(*refused.kind() == ErrorKind::Damaged && refused.to_string().contains(what), "{refused}");
    };
    fs::rename(&former, shop.path("kept")).unwrap();
    refused("ledger-1.db of the vault is missing");
    fs::copy(shop.path("restored/ledger.db"), &former).unwrap();
    refused("is not the ledger that was closed");
    fs::copy(shop.path("kept"), &former).unwrap();
    sound(&opens().unwrap());
    // An entry of it altered: its head still fits, and doctor hashes all.
    let sql = "UPDATE entry SET bytes = (SELECT bytes FROM entry WHERE idx = 1) WHERE idx = 2";
    rusqlite::Connection::open(&former).unwrap().execute(sql, []).unwrap();
    let findings = opens().unwrap().doctor().unwrap();
    let fault = findings.iter().find(|finding| finding.severity == Severity::Fault).unwrap();
    assert!(fault.check == "ledger" && fault.message.contains("ledger-1.db"), "{fault:?}");
    fs::copy(shop.path("kept"), &former).unwrap();
    // Once more, as a second one; then another vault's in the present one's place.
    fs::copy(shop.path("kept"), shop.path("restored/ledger-2.db")).unwrap();
    refused("no record of ledger-2.db");
    fs::remove_file(shop.path("restored/ledger-2.db")).unwrap();
    fs::copy(shop.path("kept"), shop.path("restored/ledger.db")).unwrap();
    let findings = opens().unwrap().doctor().unwrap();
    let said = |finding: &consignee::Finding| finding.message.contains("ledger 2 does not begin with");
    assert!(
        findings.iter().any(|finding| finding.severity == Severity::Fault && said(finding)),
        "{findings:?}"
    );
}

/// The former ledger alone says that there are orders in tables elsewhere, whose keys must not be destroyed.
#[test]
fn orders_in_tables_elsewhere_are_known_from_a_former_ledger() {
    let shop = Shop::new();
    let vault = shop.folder.unlock();
    let sealed = vault.sealer().seal(&order("ELSEWHERE-1")).unwrap();
    vault.sealer().log(&[sealed]).unwrap();
    vault.backup(&shop.path("with it")).unwrap();
    let restored = |from: &str, to: &str| {
        let sets = BackupSets::below(&shop.path(from));
        Vault::restore(&sets, &shop.path(to), &key(), None).unwrap().vault
    };
    let refused = restored("with it", "one").rewrap(OwnTables::None, |_| {}).unwrap_err();
    assert_eq!(refused.kind(), &ErrorKind::Conflict);
    let without = restored("backup", "two");
    without.rewrap(OwnTables::None, |_| {}).unwrap();
    sound(&without);
    assert_eq!(said(&without, "SO-3"), Ok(order("SO-3")));
}

/// A program that knows no former ledgers would say of a restored vault that nobody saw its orders.
#[test]
fn older_versions_take_a_restored_vault_for_a_newer_one() {
    let shop = Shop::new();
    drop(shop.restore("restored").unwrap());
    let layout = |vault: &str| -> u8 {
        let database = rusqlite::Connection::open(shop.path(vault).join("keys.db")).unwrap();
        let sql = "SELECT body FROM item WHERE kind = 100";
        database.query_row(sql, [], |row| row.get::<_, Vec<u8>>(0)).unwrap()[0]
    };
    assert_eq!((layout("vault"), layout("restored")), (1, 2));
}

#[test]
fn the_card_of_a_restored_vault_is_the_one_that_parties_have_pinned() {
    let shop = Shop::new();
    let vault = shop.folder.unlock();
    let mut courier = Link::of(&vault, "SF Express", Kem::X25519);
    vault.backup(&shop.path("later")).unwrap();
    let sets = BackupSets::below(&shop.path("later"));
    let restored = Vault::restore(&sets, &shop.path("restored"), &key(), None).unwrap().vault;
    assert_eq!(restored.card().unwrap(), vault.card().unwrap());
    let sent = bundle(&restored, "SF Express", "delivery", &["SO-3"]);
    let seen = courier.views(&sent).unwrap();
    assert!(matches!(&seen[..], [Ok(view)] if view.text("consignee.phone").is_ok()));
}
