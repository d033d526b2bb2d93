//! The checkpoint that is kept outside of a vault: what it finds, and what not.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used)]

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use common::{Folder, ROOT, order};
use consignee::{
    BackupSets, EntryKind, ErrorKind, KeptCheckpoint, KeyFile, LedgerState, Patch, Result, Setup, Severity,
    ShredMode, Value, Vault,
};

const FILES: [&str; 4] = ["orders.db", "secrets.db", "keys.db", "ledger.db"];

fn key() -> KeyFile {
    KeyFile::from_bytes(ROOT)
}

/// A vault with two orders and a checkpoint outside of it.
struct Shop {
    folder: Folder,
    _outside: tempfile::TempDir,
    file: PathBuf,
}

impl Shop {
    fn new() -> Self {
        let outside = tempfile::tempdir().unwrap();
        let file = outside.path().join("checkpoint");
        let shop = Self { folder: Folder::new(), file, _outside: outside };
        let vault = shop.folder.unlock();
        vault.put_many(&[order("SO-1"), order("SO-2")]).unwrap();
        vault.write_checkpoint(&shop.file).unwrap();
        shop
    }

    /// Unlocked and kept.
    fn kept(&self) -> Vault {
        let vault = self.folder.unlock();
        vault.keep_checkpoint(&self.file).unwrap();
        vault
    }

    /// Unlocked, and found to be rolled back, as the message says.
    #[track_caller]
    fn rolled_back(&self, says: &str) -> Vault {
        let vault = self.folder.unlock();
        let refused = vault.keep_checkpoint(&self.file).unwrap_err();
        assert_eq!(refused.kind(), &ErrorKind::RolledBack, "{refused}");
        assert!(refused.to_string().contains(says), "{refused}");
        vault
    }

    fn copy(&self, from: &Path, to: &Path) {
        for file in FILES {
            fs::copy(from.join(file), to.join(file)).unwrap();
        }
    }

    fn save(&self) {
        self.copy(&self.folder.path(), self.folder.dir.path());
    }

    fn put_back(&self) {
        self.copy(self.folder.dir.path(), &self.folder.path());
    }

    /// Size of the checkpoint in the file, and the number of its ledger.
    fn outside(&self) -> (u64, u32) {
        read(&self.file)
    }

    fn restore(&self, name: &str, backup: &Path) -> Result<consignee::Restored> {
        let kept = KeptCheckpoint::read(&self.file)?;
        let to = self.folder.dir.path().join(name);
        Vault::restore_with_checkpoint(&BackupSets::below(backup), &to, &key(), &kept)
    }
}

fn read(file: &Path) -> (u64, u32) {
    let kept = KeptCheckpoint::read(file).unwrap();
    let checkpoint = kept.signed().checkpoint();
    (checkpoint.size, checkpoint.origin.rsplit('/').next().unwrap().parse().unwrap())
}

fn size(vault: &Vault) -> u64 {
    vault.ledger_state().unwrap().size
}

/// Everything that needs an entry is refused, and adds none.
#[track_caller]
fn gives_nothing(vault: &Vault) {
    let before = vault.ledger_state().unwrap();
    let calls: [(&str, Result<()>); 12] = [
        ("open", vault.open("shop", "operation", "SO-1").map(drop)),
        ("denied", vault.open("shop", "delivery", "SO-1").map(drop)),
        ("put", vault.put(&order("SO-9")).map(drop)),
        ("find", vault.find("agent 17", "after_sale", "consignee.phone", "13812345678").map(drop)),
        ("update", vault.update("SO-1", 1, Patch::new().set("note", Value::Text("x".into()))).map(drop)),
        (
            "share",
            vault
                .share("SF Express", "delivery", &["SO-1"], None)
                .and_then(|shared| shared.orders.into_iter().collect::<Result<Vec<_>>>().map(drop)),
        ),
        ("shred", vault.shred("SO-1", "because", ShredMode::KeepEvidence).map(drop)),
        ("close", vault.close("SO-1").map(drop)),
        ("party", vault.add_party("new", "courier", None).map(drop)),
        ("revoke", vault.revoke_party("shop").map(drop)),
        ("rotate", vault.rotate(None).map(drop)),
        ("checkpoint", vault.checkpoint().map(drop)),
    ];
    for (call, done) in calls {
        let kind = done.err().map(|e| e.kind().clone());
        // Nothing can be shared with a party that has no key.
        let expected = match (call, &kind) {
            ("share", Some(ErrorKind::Input { .. })) => kind.clone(),
            _ => Some(ErrorKind::RolledBack),
        };
        assert_eq!(kind, expected, "{call}");
    }
    assert_eq!(vault.ledger_state().unwrap(), before, "nothing was appended");
    assert!(vault.sealer().log(&[vault.sealer().seal(&order("SO-8")).unwrap()]).is_err());
}

#[test]
fn a_vault_that_was_copied_back_gives_nothing_until_it_is_restored_with_the_checkpoint() {
    let shop = Shop::new();
    shop.save();
    let vault = shop.kept();
    vault.open("shop", "operation", "SO-1").unwrap();
    vault.put(&order("SO-3")).unwrap();
    let last = vault.ledger_state().unwrap();
    drop(vault);
    assert_eq!(shop.outside(), (last.size, 1), "written when the vault was dropped");
    shop.put_back();
    let vault = shop.rolled_back("it was rolled back");
    gives_nothing(&vault);
    // Reading works, and so does what leads out of it.
    assert_eq!(vault.ledger_entries(0, 100).unwrap().len() as u64, size(&vault));
    let findings = vault.doctor().unwrap();
    assert!(findings.iter().any(|f| f.severity == Severity::Fault && f.message.contains("rolled back")));
    let backup = shop.folder.dir.path().join("backup");
    vault.backup(&backup).unwrap();
    drop(vault);
    assert_eq!(shop.outside().0, last.size, "the file stays as it is");
    let restored = shop.restore("restored", &backup).unwrap();
    assert_eq!((restored.known.ledger, restored.known.state), (1, last));
    let vault = restored.vault;
    let lost = &vault.ledger_entries(0, 1).unwrap()[0];
    assert_eq!(
        (lost.kind, &lost.detail[..8], &lost.detail[8..]),
        (EntryKind::Lost, &last.size.to_le_bytes()[..], &last.root[..])
    );
    vault.keep_checkpoint(&shop.file).unwrap();
    assert_eq!(shop.outside(), (1, 2), "the file has moved on to ledger 2");
    vault.open("shop", "operation", "SO-1").unwrap();
    drop(vault);
    assert_eq!(shop.outside(), (2, 2));
}

#[test]
fn a_ledger_that_went_on_from_an_older_copy_is_refused_whatever_its_length() {
    for more in [1, 2, 5] {
        let shop = Shop::new();
        shop.save();
        let vault = shop.kept();
        (0..2).for_each(|_| drop(vault.open("shop", "operation", "SO-1").unwrap()));
        drop(vault);
        shop.put_back();
        let vault = shop.folder.unlock();
        (0..more).for_each(|_| drop(vault.open("shop", "operation", "SO-2").unwrap()));
        drop(vault);
        let says = if more < 2 { "it was rolled back" } else { "do not go on from" };
        gives_nothing(&shop.rolled_back(says));
    }
}

#[test]
fn a_vault_from_before_its_first_checkpoint_is_refused_as_rolled_back() {
    let (folder, outside) = (Folder::new(), tempfile::tempdir().unwrap());
    let shop = Shop { folder, file: outside.path().join("checkpoint"), _outside: outside };
    shop.folder.unlock().put(&order("SO-1")).unwrap();
    shop.save();
    shop.folder.unlock().write_checkpoint(&shop.file).unwrap();
    shop.put_back();
    gives_nothing(&shop.rolled_back("no key that signs"));
    let backup = shop.folder.dir.path().join("backup");
    shop.folder.unlock().backup(&backup).unwrap();
    let refused = shop.restore("restored", &backup).unwrap_err();
    assert_eq!(refused.kind(), &ErrorKind::CannotOpen, "{refused}");
    assert!(refused.to_string().contains("no key that signs"), "{refused}");
}

#[test]
fn a_restore_without_the_checkpoint_is_refused_and_one_with_it_is_not() {
    let shop = Shop::new();
    let backup = shop.folder.dir.path().join("backup");
    shop.kept().backup(&backup).unwrap();
    let vault = shop.kept();
    vault.open("shop", "operation", "SO-1").unwrap();
    drop(vault);
    let restored = |name: &str| shop.folder.dir.path().join(name);
    let vault =
        Vault::restore(&BackupSets::below(&backup), &restored("without"), &key(), None).unwrap().vault;
    let refused = vault.keep_checkpoint(&shop.file).unwrap_err();
    assert_eq!(refused.kind(), &ErrorKind::RolledBack);
    assert!(refused.to_string().contains("restore that backup again"), "{refused}");
    gives_nothing(&vault);
    let vault = shop.restore("with", &backup).unwrap().vault;
    vault.keep_checkpoint(&shop.file).unwrap();
    // A copy of the first ledger's vault is behind the second's.
    drop(vault);
    gives_nothing(&shop.rolled_back("is of ledger 2"));
}

#[test]
fn a_checkpoint_of_another_vault_is_not_this_ones() {
    let (shop, other) = (Shop::new(), Shop::new());
    let vault = shop.folder.unlock();
    let refused = vault.keep_checkpoint(&other.file).unwrap_err();
    assert_eq!(refused.kind(), &ErrorKind::CannotOpen);
    assert!(refused.to_string().contains("another vault"), "{refused}");
    // Its origin rewritten to this one's: the signature is not of it.
    let origin = vault.ledger_origin().unwrap();
    let text = fs::read_to_string(&other.file).unwrap();
    let forged = text.replace(&other.folder.unlock().ledger_origin().unwrap(), &origin);
    fs::write(&other.file, forged).unwrap();
    assert_eq!(vault.keep_checkpoint(&other.file).unwrap_err().kind(), &ErrorKind::CannotOpen);
    let backup = shop.folder.dir.path().join("backup");
    vault.backup(&backup).unwrap();
    let kept = KeptCheckpoint::read(&other.file).unwrap();
    let to = shop.folder.dir.path().join("restored");
    let refused =
        Vault::restore_with_checkpoint(&BackupSets::below(&backup), &to, &key(), &kept).unwrap_err();
    assert_eq!(refused.kind(), &ErrorKind::CannotOpen);
    assert!(!to.exists());
    // No judgement of the vault: it works.
    vault.open("shop", "operation", "SO-1").unwrap();
}

#[test]
fn an_altered_checkpoint_is_refused_and_not_taken_for_a_rollback() {
    let shop = Shop::new();
    let whole = fs::read(&shop.file).unwrap();
    let vault = shop.folder.unlock();
    for at in (0..whole.len()).step_by(3) {
        let mut altered = whole.clone();
        altered[at] ^= 1;
        fs::write(&shop.file, &altered).unwrap();
        let kind = vault.keep_checkpoint(&shop.file).unwrap_err().kind().clone();
        assert!(
            matches!(kind, ErrorKind::Damaged | ErrorKind::CannotOpen | ErrorKind::NewerFormat),
            "byte {at}: {kind:?}"
        );
    }
    vault.put(&order("SO-3")).unwrap();
    assert!(vault.stats().unwrap().kept_checkpoint.is_none());
}

#[test]
fn a_checkpoint_that_is_rolled_back_with_the_vault_tells_nothing() {
    let shop = Shop::new();
    shop.save();
    let older = fs::read(&shop.file).unwrap();
    let vault = shop.kept();
    vault.open("shop", "operation", "SO-1").unwrap();
    drop(vault);
    shop.put_back();
    fs::write(&shop.file, older).unwrap();
    shop.kept().open("shop", "operation", "SO-1").unwrap();
}

#[test]
fn a_file_that_is_missing_inside_of_the_vault_or_no_plain_one_is_refused() {
    let shop = Shop::new();
    let vault = shop.folder.unlock();
    let kind = |file: &Path| vault.keep_checkpoint(file).unwrap_err();
    let missing = kind(&shop.file.with_file_name("nothing"));
    assert_eq!(missing.kind(), &ErrorKind::NotFound);
    assert!(missing.hint().contains("ledger checkpoint VAULT -o FILE"));
    assert!(!shop.file.with_file_name("nothing").exists());
    let inside = shop.folder.path().join("checkpoint");
    fs::copy(&shop.file, &inside).unwrap();
    assert!(matches!(kind(&inside).kind(), ErrorKind::Input { .. }));
    assert!(matches!(kind(&shop.folder.path().join("../vault/checkpoint")).kind(), ErrorKind::Input { .. }));
    assert!(matches!(
        vault.write_checkpoint(&shop.folder.path().join("new")).unwrap_err().kind(),
        ErrorKind::Input { .. }
    ));
    assert_eq!(vault.write_checkpoint(&shop.file).unwrap_err().kind(), &ErrorKind::Exists);
    assert_eq!(kind(shop.file.parent().unwrap()).kind(), &ErrorKind::Storage);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let link = shop.file.with_file_name("link");
        std::os::unix::fs::symlink(&shop.file, &link).unwrap();
        assert_eq!(kind(&link).kind(), &ErrorKind::Storage);
        // The whole path is looked at, not the way to it.
        let way = shop.file.with_file_name("way");
        std::os::unix::fs::symlink(shop.folder.path(), &way).unwrap();
        assert!(matches!(kind(&way.join("checkpoint")).kind(), ErrorKind::Input { .. }));
        assert_eq!(fs::metadata(&shop.file).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

/// A folder in the place of the new file stands for a disk that takes nothing.
#[test]
fn a_file_that_cannot_be_written_keeps_nobody_from_appending_and_is_told() {
    let shop = Shop::new();
    let vault = shop.kept();
    let before = shop.outside();
    let blocked = shop.file.with_file_name("checkpoint.new");
    fs::create_dir(&blocked).unwrap();
    thread::sleep(Duration::from_millis(1_100));
    vault.open("shop", "operation", "SO-1").unwrap();
    assert_eq!(vault.stats().unwrap().kept_checkpoint_failures, 1);
    let warned =
        |vault: &Vault| vault.doctor().unwrap().iter().any(|f| f.message.contains("cannot be moved on"));
    assert!(warned(&vault));
    assert_eq!(shop.outside(), before);
    // From the beginning, too: it is compared, and the error says what is wrong.
    let other = shop.folder.unlock();
    assert_eq!(other.keep_checkpoint(&shop.file).unwrap_err().kind(), &ErrorKind::Storage);
    other.open("shop", "operation", "SO-1").unwrap();
    fs::remove_dir(&blocked).unwrap();
    drop(other);
    assert_eq!(shop.outside().0, size(&vault), "written as soon as it could be");
    // Taken away while it is kept: not made anew.
    fs::remove_file(&shop.file).unwrap();
    thread::sleep(Duration::from_millis(1_100));
    vault.open("shop", "operation", "SO-1").unwrap();
    assert!(warned(&vault) && !shop.file.exists());
}

#[test]
fn it_is_written_every_second_and_when_it_is_asked_for() {
    let shop = Shop::new();
    let vault = shop.kept();
    let before = shop.outside().0;
    vault.open("shop", "operation", "SO-1").unwrap();
    assert_eq!(shop.outside().0, before, "less than a second ago");
    vault.keep_checkpoint(&shop.file).unwrap();
    assert_eq!(shop.outside().0, before + 1);
    thread::sleep(Duration::from_millis(1_100));
    vault.open("shop", "operation", "SO-1").unwrap();
    assert_eq!(shop.outside().0, before + 2);
    assert_eq!(vault.stats().unwrap().kept_checkpoint, Some(before + 2));
}

/// As a process that is killed between the append and the file leaves it.
#[test]
fn a_checkpoint_that_a_crash_left_behind_is_moved_on() {
    let shop = Shop::new();
    let vault = shop.kept();
    vault.open("shop", "operation", "SO-1").unwrap();
    fs::write(shop.file.with_file_name("checkpoint.new"), b"half").unwrap();
    let (left, size) = (shop.outside().0, size(&vault));
    std::mem::forget(vault);
    assert!(left < size);
    shop.kept();
    assert_eq!(shop.outside().0, size);
}

#[test]
fn several_that_keep_one_file_never_move_it_back() {
    let shop = Shop::new();
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..12 {
                    let vault = shop.kept();
                    vault.open("shop", "operation", "SO-1").unwrap();
                }
            });
        }
        let mut last = 0;
        for _ in 0..300 {
            let now = shop.outside().0;
            assert!(now >= last, "{now} after {last}");
            last = now;
            thread::sleep(Duration::from_millis(1));
        }
    });
    assert_eq!(shop.outside().0, size(&shop.folder.unlock()));
}

#[test]
fn a_program_that_never_keeps_it_is_not_held_to_it() {
    let shop = Shop::new();
    shop.save();
    let vault = shop.kept();
    vault.open("shop", "operation", "SO-1").unwrap();
    drop(vault);
    shop.put_back();
    // Another opening than the one that is lost: within one second, the same one is the same entry.
    shop.folder.unlock().open("shop", "operation", "SO-2").unwrap();
    gives_nothing(&{
        let vault = shop.folder.unlock();
        vault.keep_checkpoint(&shop.file).unwrap_err();
        vault
    });
}

#[test]
fn a_vault_in_stores_of_ones_own_is_held_to_it_too() {
    let (vault, outside) = (Vault::in_memory(&Setup::default()).unwrap(), tempfile::tempdir().unwrap());
    vault.add_party("shop", "platform", None).unwrap();
    let file = outside.path().join("checkpoint");
    vault.write_checkpoint(&file).unwrap();
    vault.keep_checkpoint(&file).unwrap();
    let sealed = vault.sealer().seal(&order("SO-1")).unwrap();
    vault.sealer().log(&[sealed]).unwrap();
    let LedgerState { size, .. } = vault.ledger_state().unwrap();
    drop(vault);
    assert_eq!(read(&file).0, size);
    // Another vault in memory is another one.
    let other = Vault::in_memory(&Setup::default()).unwrap();
    other.card().unwrap();
    assert_eq!(other.keep_checkpoint(&file).unwrap_err().kind(), &ErrorKind::CannotOpen);
}
