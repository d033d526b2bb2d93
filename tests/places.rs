//! Somebody puts other things where the vault's files or its key should be: links, pipes, devices, folders, other users' files, wide
//! modes, second names.
//!
//! Rules: what others could reach or redirect is refused or found by `doctor`, each file by itself; nothing outside of the folder is
//! read or written through it; and nobody waits: a pipe has no end.
#![cfg(all(feature = "sqlite", unix))]
#![allow(clippy::print_stdout, clippy::unwrap_used)]

mod common;

use std::{
    fs,
    io::Write,
    os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink},
    path::Path,
    process::Command,
    sync::mpsc,
    thread,
    time::Duration,
};

use common::{Folder, ROOT, order};
use consignee::{ErrorKind, Finding, KeyFile, Peek, Severity, Vault, policy::DEFAULT_POLICY};

const FILES: [&str; 5] = ["orders.db", "secrets.db", "keys.db", "ledger.db", "lock"];
const NOBODY: u32 = 65_534;

fn key() -> KeyFile {
    KeyFile::from_bytes(ROOT)
}

/// What it gives, at most after ten seconds.
fn without_waiting<T: Send + 'static>(what: &str, work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, over) = mpsc::channel();
    thread::spawn(move || done.send(work()));
    over.recv_timeout(Duration::from_secs(10)).unwrap_or_else(|_| panic!("{what}: it waits"))
}

/// All that reads the folder: unlocking, reading without a key, checking. Gives the error of the first, and the findings.
fn all_readings(what: &str, folder: &Path) -> (Option<ErrorKind>, Vec<Finding>) {
    let folder = folder.to_owned();
    without_waiting(what, move || {
        let mut findings = Vault::check_folder(&folder, &key());
        let peeked = Peek::read(&folder).map(drop);
        let unlocked = Vault::unlock(&folder, &key());
        let kind = |e: &consignee::Error| e.kind().clone();
        assert_eq!(peeked.as_ref().err().map(kind), unlocked.as_ref().err().map(kind));
        if let Ok(vault) = &unlocked {
            findings.extend(vault.doctor().unwrap());
            findings.push(vault.check_policy_copy(&folder).unwrap());
            vault.put(&order("SO-1")).unwrap();
        }
        (unlocked.err().map(|e| e.kind().clone()), findings)
    })
}

fn is_root() -> bool {
    tempfile::tempdir().unwrap().path().metadata().unwrap().uid() == 0
}

fn loudly(text: &str) {
    std::io::stderr().write_all(format!("\n*** {text} ***\n\n").as_bytes()).unwrap();
}

type Make = fn(&Path);

/// Each thing that can lie where a file should, made at a path.
const OTHERS: [(&str, Make); 6] = [
    ("a pipe", |path| assert!(Command::new("mkfifo").arg(path).status().unwrap().success())),
    ("a folder", |path| fs::create_dir(path).unwrap()),
    ("a link to a device without end", |path| symlink("/dev/zero", path).unwrap()),
    ("a link to nothing", |path| symlink("/nowhere/at/all", path).unwrap()),
    ("a link to another file", |path| {
        // Beside the folder, which has nothing of others in it.
        let other = path.parent().unwrap().with_file_name("other");
        fs::write(&other, "somebody else's").unwrap();
        symlink(other, path).unwrap();
    }),
    ("a socket", |path| drop(std::os::unix::net::UnixListener::bind(path).unwrap())),
];

/// Puts it in the place of a file for as long as `work` takes.
fn instead_of<T>(folder: &Folder, name: &str, make: Make, work: impl FnOnce() -> T) -> T {
    let (path, aside) = (folder.path().join(name), folder.dir.path().join("aside"));
    let was_there = fs::rename(&path, &aside).is_ok();
    make(&path);
    let done = work();
    let _not_a_folder = fs::remove_file(&path).or_else(|_| fs::remove_dir(&path));
    if was_there {
        fs::rename(aside, path).unwrap();
    }
    done
}

/// What a link led to is as it was.
fn other_is_untouched(folder: &Folder) -> bool {
    fs::read(folder.dir.path().join("other")).map_or(true, |bytes| bytes == b"somebody else's")
}

#[test]
fn a_pipe_a_link_or_a_device_in_the_place_of_a_file_is_refused_and_nobody_waits() {
    let folder = Folder::new();
    let journals = ["-wal", "-shm", "-journal"].map(|suffix| FILES.map(|file| format!("{file}{suffix}")));
    for name in FILES.map(str::to_owned).into_iter().chain(journals.into_iter().flatten()) {
        for (what, make) in OTHERS {
            let what = format!("{what} as {name}");
            let readings = || all_readings(&what, &folder.path());
            let (refused, findings) = instead_of(&folder, &name, make, readings);
            assert_eq!(refused, Some(ErrorKind::Storage), "{what}");
            let found = |f: &Finding| f.severity == Severity::Fault && f.message.starts_with(&name);
            assert!(findings.iter().any(found), "{what} is not found: {findings:?}");
            assert!(other_is_untouched(&folder), "{what} was written to");
        }
    }
    let (refused, findings) = all_readings("a sound vault", &folder.path());
    assert!(refused.is_none() && findings.iter().all(|f| f.severity == Severity::Fine), "{findings:?}");
}

/// It is for people only: the vault opens, and says that the copy is none.
#[test]
fn a_pipe_a_link_or_a_device_in_the_place_of_the_policys_copy_keeps_nobody_waiting() {
    let folder = Folder::new();
    for (what, make) in OTHERS {
        let readings = || all_readings(what, &folder.path());
        let (refused, findings) = instead_of(&folder, "policy.toml", make, readings);
        assert_eq!(refused, None, "{what}");
        let warned =
            findings.iter().filter(|f| f.severity == Severity::Warning && f.message.contains("policy.toml"));
        assert_eq!(warned.count(), 2, "{what}: {findings:?}");
        // A policy that is applied replaces what it can, and writes through nothing.
        for name in ["policy.toml", "policy.toml.new"] {
            let (vault, path) = (folder.unlock(), folder.path());
            let write = || without_waiting(what, move || vault.write_policy_copy(&path, DEFAULT_POLICY));
            let written = instead_of(&folder, name, make, || {
                let copy = || folder.path().join("policy.toml").symlink_metadata().unwrap();
                write().map(|()| assert!(copy().is_file() && copy().mode() & 0o777 == 0o600, "{what}"))
            });
            assert_eq!(written.is_err(), what == "a folder", "{what} as {name}");
            assert!(other_is_untouched(&folder), "{what} as {name} was written to");
        }
    }
}

#[test]
fn a_pipe_a_link_or_a_device_in_the_place_of_the_key_file_is_refused_and_nobody_waits() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("folder/key");
    fs::create_dir(place.path().join("folder")).unwrap();
    for (what, make) in OTHERS {
        make(&path);
        let (read, there) = (path.clone(), path.clone());
        let read = without_waiting(what, move || KeyFile::read(&read).map(drop).unwrap_err());
        assert_eq!(*read.kind(), ErrorKind::RootKey, "{what}");
        let made = without_waiting(what, move || KeyFile::create(&there).map(drop).unwrap_err());
        assert_eq!(*made.kind(), ErrorKind::Exists, "{what}: a key was written through it");
        if fs::remove_file(&path).is_err() {
            fs::remove_dir(&path).unwrap();
        }
    }
    let device = KeyFile::read(Path::new("/dev/zero")).map(drop).unwrap_err();
    assert_eq!(*device.kind(), ErrorKind::RootKey);
    // Larger than any memory: no more of it is read than a key is long.
    let large =
        KeyFile::create(&path).map(|_| fs::OpenOptions::new().write(true).open(&path).unwrap()).unwrap();
    large.set_len(1 << 40).unwrap();
    assert_eq!(*KeyFile::read(&path).map(drop).unwrap_err().kind(), ErrorKind::RootKey);
    large.set_len(92).unwrap();
    KeyFile::read(&path).map(drop).unwrap();
}

#[test]
fn a_file_whose_mode_lets_others_in_is_refused_each_by_itself_until_it_is_mended() {
    let folder = Folder::new();
    let vault = folder.unlock();
    vault.put(&order("SO-0")).unwrap();
    let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(names.len() >= 14, "files, logs and indexes are there: {names:?}");
    for path in names.into_iter().chain([folder.path()]).filter(|path| !path.ends_with("policy.toml")) {
        let (own, set) = (path.metadata().unwrap().mode() & 0o777, |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        });
        for others in [0o040, 0o020, 0o010, 0o004, 0o002, 0o001] {
            set(&path, own | others);
            let refused = Vault::unlock(&folder.path(), &key()).map(drop).unwrap_err();
            assert_eq!(*refused.kind(), ErrorKind::Storage, "{} {others:o}", path.display());
            assert!(refused.hint().contains("0600"), "{refused}");
            assert_eq!(path.metadata().unwrap().mode() & 0o777, own | others, "it is not changed in silence");
        }
        set(&path, own);
        drop(folder.unlock());
    }
}

/// A service is started with a mask that gives every file to everybody.
#[test]
fn a_process_with_an_open_umask_makes_no_file_that_others_can_reach() {
    let place = tempfile::tempdir().unwrap();
    let script = "umask 000; exec \"$0\" --exact child_process --nocapture --test-threads=1";
    let output = Command::new("/bin/sh")
        .args(["-c", script])
        .arg(std::env::current_exe().unwrap())
        .env("PLACES_CHILD", place.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said} {}", String::from_utf8_lossy(&output.stderr));
    let modes: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("mode ")).collect();
    assert!(modes.len() > 14, "{said}");
    for mode in modes {
        assert!(mode.starts_with("600 ") || mode.starts_with("700 "), "{mode}");
    }
    assert!(said.contains("control 666"), "the mask was in force: {said}");
}

/// Not a test of its own: what the process with that mask does.
#[test]
fn child_process() {
    let Some(place) = std::env::var_os("PLACES_CHILD") else { return };
    let (place, mode) = (Path::new(&place), |path: &Path| path.metadata().unwrap().mode() & 0o777);
    let (path, key_path) = (place.join("vault"), place.join("key"));
    let key = KeyFile::create(&key_path).unwrap();
    let vault = Vault::create(&path, &key, &consignee::Setup::default()).unwrap();
    common::staffed(&vault);
    vault.put(&order("SO-1")).unwrap();
    vault.open("shop", "operation", "SO-1").unwrap();
    vault.write_policy_copy(&path, DEFAULT_POLICY).unwrap();
    println!();
    for entry in fs::read_dir(&path).unwrap() {
        let path = entry.unwrap().path();
        println!("mode {:o} {}", mode(&path), path.display());
    }
    println!("mode {:o} {}\nmode {:o} {}", mode(&path), path.display(), mode(&key_path), key_path.display());
    fs::write(place.join("control"), "").unwrap();
    println!("control {:o}", mode(&place.join("control")));
}

#[test]
fn another_users_log_or_key_is_refused() {
    if !is_root() {
        loudly("NOT RUN: only root can give a file to another user");
        return;
    }
    let folder = Folder::new();
    let vault = folder.unlock();
    vault.put(&order("SO-0")).unwrap();
    for file in FILES.into_iter().filter(|file| *file != "lock") {
        for suffix in ["-wal", "-shm"] {
            let path = folder.path().join(format!("{file}{suffix}"));
            chown(&path, Some(NOBODY), None).unwrap();
            let refused = Vault::unlock(&folder.path(), &key()).map(drop).unwrap_err();
            assert_eq!(*refused.kind(), ErrorKind::Storage, "{}", path.display());
            chown(&path, Some(0), None).unwrap();
            drop(folder.unlock());
        }
    }
    let path = folder.dir.path().join("key");
    KeyFile::create(&path).unwrap();
    chown(&path, Some(NOBODY), None).unwrap();
    let refused = KeyFile::read(&path).map(drop).unwrap_err();
    assert!(refused.to_string().contains("another user"), "{refused}");
}

/// By whatever path it is named.
#[test]
fn a_key_inside_the_vault_is_refused_by_every_path_that_leads_there() {
    let folder = Folder::new();
    let inside = folder.path().join("key");
    KeyFile::create(&inside).unwrap();
    symlink(folder.path(), folder.dir.path().join("elsewhere")).unwrap();
    let paths = ["vault/key", "elsewhere/key", "vault/../vault/key", "vault/./key"];
    for path in paths.map(|path| folder.dir.path().join(path)) {
        let refused = Vault::unlock(&folder.path(), &KeyFile::read(&path).unwrap()).map(drop).unwrap_err();
        assert!(refused.to_string().contains("inside the vault"), "{}: {refused}", path.display());
    }
    let outside = folder.dir.path().join("key");
    fs::rename(&inside, &outside).unwrap();
    let other = Vault::unlock(&folder.path(), &KeyFile::read(&outside).unwrap()).map(drop).unwrap_err();
    assert!(!other.to_string().contains("inside the vault"), "{other}");
    // A second name of the same file cannot be told by its path; whoever copies the vault has the key all the same.
    fs::hard_link(&outside, &inside).unwrap();
    let findings = Vault::check_folder(&folder.path(), &KeyFile::read(&outside).unwrap());
    let found = findings
        .iter()
        .any(|f| f.severity == Severity::Fault && f.message.contains("key files lie in the folder"));
    assert!(found, "{findings:?}");
}

/// What looks like a copy is the same file: it changes with the vault, and SQLite, opened by that name, would damage it.
#[test]
fn a_second_name_of_a_file_is_found_by_doctor() {
    let folder = Folder::new();
    for name in FILES {
        let of_file = |f: &Finding| f.severity == Severity::Warning && f.message.starts_with(name);
        assert!(!all_readings(name, &folder.path()).1.iter().any(of_file));
        fs::hard_link(folder.path().join(name), folder.dir.path().join("copy")).unwrap();
        let (refused, findings) = all_readings(name, &folder.path());
        assert_eq!(refused, None);
        assert!(findings.iter().any(of_file), "{name}: {findings:?}");
        fs::remove_file(folder.dir.path().join("copy")).unwrap();
    }
}
