//! A vault's folder when the machine is not as it should be, as its user sees it.
//!
//! Rules:
//! 1. Whoever meets a full disk, a limit of the file size or a folder that cannot be written is told so (`Storage`), is given
//!    what to do, and no plaintext; afterwards the vault opens, everything acknowledged is there, and the same call succeeds.
//! 2. What others could reach, what is no vault's and what is a newer version's is refused, each with its kind, untouched.
//! 3. Making a vault gives the whole vault or the error that stopped it, and leaves nothing beside it.
//!
//! Limits and other users need a process of their own: this test binary, run again for its test `child`.
#![cfg(all(feature = "sqlite", unix))]
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)]

mod common;

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt, PermissionsExt, chown, symlink},
        process::CommandExt,
    },
    path::Path,
    process::Command,
};

use common::{Folder, ROOT, order};
use consignee::{Error, ErrorKind, KeyFile, Put, Setup, Severity, ShredMode, Vault};

const CHILD: &str = "SQLITE_CHILD";
/// The user "nobody", who has no rights of his own.
const NOBODY: u32 = 65_534;

fn key() -> KeyFile {
    KeyFile::from_bytes(ROOT)
}

fn refused(path: &Path) -> ErrorKind {
    Vault::unlock(path, &key()).map(drop).unwrap_err().kind().clone()
}

fn root() -> bool {
    // The owner of what this process makes.
    tempfile::tempdir().unwrap().path().metadata().unwrap().uid() == 0
}

/// This binary again, running `child` with a task, after `shell` (what to do before; may be empty).
fn child_with(task: &str, folder: &Path, shell: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", &format!("{shell} exec \"$0\" --exact child --nocapture --test-threads=1")])
        .arg(std::env::current_exe().unwrap())
        .env(CHILD, format!("{task} {}", folder.display()));
    command
}

/// Numbers of the orders that a child said it put.
fn acknowledged(output: &str) -> Vec<String> {
    output.lines().filter_map(|line| line.strip_prefix("put ")).map(str::to_owned).collect()
}

#[test]
fn files_and_folder_have_the_owners_modes_while_the_vault_is_in_use() {
    let folder = Folder::new();
    let vault = folder.unlock();
    vault.put(&order("SO-1")).unwrap();
    vault.open("shop", "operation", "SO-1").unwrap();
    let mode = |path: &Path| path.symlink_metadata().unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(&folder.path()), 0o700);
    let mut names = Vec::new();
    for entry in fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        names.push(path.file_name().unwrap().to_str().unwrap().to_owned());
    }
    for database in ["orders.db", "secrets.db", "keys.db", "ledger.db"] {
        for suffix in ["", "-wal", "-shm"] {
            assert!(names.contains(&format!("{database}{suffix}")), "{database}{suffix} is not there");
        }
    }
}

#[test]
fn each_fault_of_a_folder_has_its_kind() {
    type Spoil = fn(&Path);
    let spoiled: [(&str, ErrorKind, Spoil); 9] = [
        ("no folder", ErrorKind::NotFound, |path| fs::remove_dir_all(path).unwrap()),
        ("no orders.db", ErrorKind::Damaged, |path| fs::remove_file(path.join("orders.db")).unwrap()),
        ("no keys.db", ErrorKind::Damaged, |path| fs::remove_file(path.join("keys.db")).unwrap()),
        ("garbage", ErrorKind::Damaged, |path| fs::write(path.join("ledger.db"), [0x5a; 9_000]).unwrap()),
        ("an empty file", ErrorKind::Damaged, |path| fs::write(path.join("secrets.db"), "").unwrap()),
        ("a newer version", ErrorKind::NewerFormat, |path| {
            let database = rusqlite::Connection::open(path.join("secrets.db")).unwrap();
            database.pragma_update(None, "user_version", 1_000).unwrap();
        }),
        ("a file open to the group", ErrorKind::Storage, |path| {
            fs::set_permissions(path.join("secrets.db"), fs::Permissions::from_mode(0o640)).unwrap();
        }),
        ("a folder open to others", ErrorKind::Storage, |path| {
            fs::set_permissions(path, fs::Permissions::from_mode(0o701)).unwrap();
        }),
        ("a linked file", ErrorKind::Storage, |path| {
            fs::rename(path.join("keys.db"), path.with_file_name("elsewhere")).unwrap();
            symlink(path.with_file_name("elsewhere"), path.join("keys.db")).unwrap();
        }),
    ];
    for (what, kind, spoil) in spoiled {
        let folder = Folder::new();
        drop(folder.unlock());
        spoil(&folder.path());
        assert_eq!(refused(&folder.path()), kind, "{what}");
        let message = Vault::unlock(&folder.path(), &key()).map(drop).unwrap_err().to_string();
        let named = ["orders.db", "secrets.db", "keys.db", "ledger.db"].map(|file| message.starts_with(file));
        assert_eq!(named.contains(&true), !what.contains("folder"), "{what}: {message}");
    }
}

#[test]
fn a_refused_file_is_not_changed() {
    let folder = Folder::new();
    drop(folder.unlock());
    let path = folder.path().join("secrets.db");
    for application in [0, 0x636e_7331] {
        fs::write(&path, "").unwrap();
        let foreign = rusqlite::Connection::open(&path).unwrap();
        foreign.execute_batch("CREATE TABLE notes (text); PRAGMA user_version = 9;").unwrap();
        foreign.pragma_update(None, "application_id", application).unwrap();
        drop(foreign);
        let before = fs::read(&path).unwrap();
        let kind = if application == 0 { ErrorKind::Damaged } else { ErrorKind::NewerFormat };
        assert_eq!(refused(&folder.path()), kind);
        assert_eq!(fs::read(&path).unwrap(), before);
    }
}

#[test]
fn another_users_files_are_refused() {
    if !root() {
        eprintln!("NOT RUN: only root can give a file to another user");
        return;
    }
    for name in ["", "orders.db", "secrets.db", "keys.db", "ledger.db", "lock"] {
        let folder = Folder::new();
        drop(folder.unlock());
        chown(folder.path().join(name), Some(NOBODY), None).unwrap();
        assert_eq!(refused(&folder.path()), ErrorKind::Storage, "{name:?}");
    }
}

#[test]
fn a_limit_of_the_file_size_is_storage_and_nothing_acknowledged_is_lost() {
    for blocks in [40, 120, 200, 400] {
        let folder = Folder::new();
        // Blocks of 512 bytes; the signal would end the process before it could be told.
        let shell = format!("trap '' XFSZ; ulimit -f {blocks};");
        let output = child_with("fill", &folder.path(), &shell).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{blocks}: {said} {}", String::from_utf8_lossy(&output.stderr));
        // What failed was said with its kind; see `fill`.
        assert!(said.contains("full"), "{blocks}: the limit was not reached: {said}");
        let vault = folder.unlock();
        let put = acknowledged(&said);
        for order_no in &put {
            let view = vault.open("shop", "operation", order_no).unwrap();
            assert_eq!(view.text("order_no").unwrap(), order_no);
        }
        // With space, everything is put: what was there is unchanged.
        for n in 0..put.len() + 40 {
            let order_no = format!("SO-{n}");
            let result = vault.put(&order(&order_no)).unwrap();
            assert!(!put.contains(&order_no) || matches!(result, Put::Unchanged(_)), "{order_no}");
            assert!(vault.open("shop", "operation", &order_no).is_ok());
        }
        vault.shred("SO-0", "asked for", ShredMode::KeepEvidence).unwrap();
        let findings = vault.doctor().unwrap();
        assert!(findings.iter().all(|finding| finding.severity != Severity::Fault), "{findings:?}");
    }
}

/// Puts orders until the space is gone, then tries everything else.
fn fill(path: &Path) {
    let full = |error: Error| {
        assert_eq!(*error.kind(), ErrorKind::Storage, "{error}");
        assert!(error.to_string().contains("no space left"), "not called full: {error}");
        assert!(!error.hint().is_empty());
        println!("\nfull");
    };
    let vault = match Vault::unlock(path, &key()) {
        Ok(vault) => vault,
        Err(error) => return full(error),
    };
    println!();
    let mut failures = 0;
    for n in (0..).step_by(4) {
        if failures == 3 {
            break;
        }
        let numbers: Vec<String> = (n..n + 4).map(|n| format!("SO-{n}")).collect();
        let orders: Vec<_> = numbers.iter().map(|number| order(number)).collect();
        match vault.put_many(&orders) {
            Ok(results) => {
                assert!(results.iter().all(Result::is_ok));
                numbers.iter().for_each(|number| println!("put {number}"));
            }
            Err(error) => {
                full(error);
                failures += 1;
                // Each is there whole or not at all, for the process that goes on, too.
                for number in &numbers {
                    match vault.open("shop", "operation", number) {
                        Ok(view) => assert_eq!(view.text("order_no").unwrap(), number),
                        Err(e) if *e.kind() == ErrorKind::NotFound => {}
                        Err(e) => full(e),
                    }
                }
            }
        }
    }
    // Goes or fails as full, and never gives a view without an entry.
    let size = vault.ledger_state().unwrap().size;
    match vault.open("SF Express", "delivery", "SO-0") {
        Ok(view) => assert!(vault.ledger_entries(view.ledger_index(), 1).unwrap().len() == 1),
        Err(e) if *e.kind() == ErrorKind::NotFound => {}
        Err(e) => {
            full(e);
            assert_eq!(vault.ledger_state().unwrap().size, size);
        }
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_storage() {
    let folder = Folder::new();
    let vault = folder.unlock();
    vault.put(&order("SO-1")).unwrap();
    drop(vault);
    let set = |mode_of_files, mode_of_folder| {
        for entry in fs::read_dir(folder.path()).unwrap() {
            let path = entry.unwrap().path();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode_of_files)).unwrap();
            if root() {
                chown(&path, Some(NOBODY), None).unwrap();
            }
        }
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode_of_folder)).unwrap();
    };
    // Modes do not bind root: as root, the vault is given to nobody, and its process runs as nobody.
    let as_owner = |task: &str| {
        let mut command = child_with(task, &folder.path(), "");
        if root() {
            chown(folder.path(), Some(NOBODY), None).unwrap();
            fs::set_permissions(folder.dir.path(), fs::Permissions::from_mode(0o711)).unwrap();
            command.uid(NOBODY).gid(NOBODY);
        }
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success() && text.contains(&format!("done {task}")), "{task}: {text}");
    };
    set(0o600, 0o700);
    as_owner("writes");
    set(0o400, 0o500);
    as_owner("cannot");
    set(0o600, 0o500);
    as_owner("cannot");
    // A folder that may not be read is not taken for none.
    set(0o600, 0o600);
    as_owner("unreadable");
    set(0o400, 0o700);
    as_owner("cannot");
    set(0o600, 0o700);
    as_owner("writes");
}

/// In a vault that is to be read only: it does not unlock, or putting and opening fail; as `Storage`, without plaintext.
fn cannot(path: &Path) {
    let vault = match Vault::unlock(path, &key()) {
        Ok(vault) => vault,
        Err(error) => return assert_eq!(*error.kind(), ErrorKind::Storage, "{error}"),
    };
    let put = vault.put(&order("SO-2")).map(drop).unwrap_err();
    let open = vault.open("shop", "operation", "SO-1").map(drop).unwrap_err();
    for error in [put, open] {
        assert_eq!(*error.kind(), ErrorKind::Storage, "{error}");
        assert!(error.to_string().contains("read-only"), "{error}");
    }
}

#[test]
fn making_a_vault_gives_it_whole_or_the_error_that_stopped_it() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("vault");
    let left = || fs::read_dir(place.path()).unwrap().count();
    let wrong = Setup { policy: "no policy".into(), ..Setup::default() };
    let error = Vault::create(&path, &key(), &wrong).map(drop).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Input { .. }), "{error}");
    assert_eq!(left(), 0, "what was begun is still there");
    drop(Vault::create(&path, &key(), &Setup::default()).unwrap());
    let error = Vault::create(&path, &key(), &Setup::default()).map(drop).unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Exists);
    assert_eq!(left(), 1);
    assert!(Vault::unlock(&path, &key()).is_ok(), "it was not touched");
}

/// Not a test of its own: what the process with a limit, or another user's, does.
#[test]
fn child() {
    let Ok(task) = std::env::var(CHILD) else { return };
    let (task, path) = task.split_once(' ').unwrap();
    let path = Path::new(path);
    match task {
        "fill" => fill(path),
        "cannot" => cannot(path),
        "unreadable" => {
            let error = Vault::unlock(path, &key()).map(drop).unwrap_err();
            assert_eq!(*error.kind(), ErrorKind::Storage, "{error}");
            assert!(error.to_string().contains("may not read"), "{error}");
        }
        "writes" => {
            let vault = Vault::unlock(path, &key()).unwrap();
            vault.open("shop", "operation", "SO-1").unwrap();
            vault.put(&order("SO-2")).unwrap();
        }
        _ => panic!("no such task"),
    }
    println!("\ndone {task}");
}
