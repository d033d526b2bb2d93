//! Backups while others work, and backups and restores that are killed or that the disk has no room for.
//!
//! Rules, whenever it happens:
//! 1. A backup and a restored vault are there whole or not at all; what was cut short is a folder `NAME.making-…`.
//! 2. The vault is none the worse for it: nothing is lost, and `doctor` finds nothing.
//! 3. What was acknowledged before a backup began is in it, and `doctor` finds nothing in what is restored from it.
#![cfg(all(feature = "sqlite", target_os = "linux"))]
#![allow(clippy::print_stdout, clippy::unwrap_used)]

mod common;

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, ChildStdout, Command, Output, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use common::{Folder, ROOT, order};
use consignee::{BackupSets, ErrorKind, KeyFile, Order, Patch, Severity, ShredMode, Value, Vault};

const CHILD: &str = "BACKUP_CHILD";

fn key() -> KeyFile {
    KeyFile::from_bytes(ROOT)
}

#[track_caller]
fn sound(vault: &Vault) {
    let findings = vault.doctor().unwrap();
    assert!(findings.iter().all(|finding| finding.severity == Severity::Fine), "{findings:?}");
}

fn note(vault: &Vault, number: &str) -> Result<String, ErrorKind> {
    let order = vault.get::<Order>("shop", "operation", number);
    order.map(|order| order.value.note).map_err(|e| e.kind().clone())
}

fn filled(orders: usize) -> Folder {
    let folder = Folder::new();
    let orders: Vec<_> = (0..orders).map(|number| order(&format!("SO-{number}"))).collect();
    assert!(folder.unlock().put_many(&orders).unwrap().iter().all(Result::is_ok));
    folder
}

/// Writers put, change and shred, readers open, each in a vault of its own, while backup after backup is made.
#[test]
fn backups_that_are_made_while_others_work_have_all_that_was_acknowledged() {
    const BACKUPS: usize = 5;
    const LONGEST: Duration = Duration::from_secs(60);
    let folder = filled(50);
    let (done, is_over) = (Mutex::new(Vec::new()), AtomicBool::new(false));
    let until_over = |work: &(dyn Fn(&Vault, usize) + Sync)| {
        let vault = folder.unlock();
        (0..).take_while(|_| !is_over.load(Ordering::Relaxed)).for_each(|round| work(&vault, round));
    };
    // Shredding wipes the files, which a copy that is being made forbids: it is finished by the next writer.
    let shred = |vault: &Vault, number: &str| {
        if let Err(e) = vault.shred(number, "test", ShredMode::KeepEvidence) {
            assert_eq!(e.kind(), &ErrorKind::Locked);
        }
    };
    let put_change_and_shred = |vault: &Vault, round: usize| {
        let number = format!("NEW-{round}");
        vault.put(&order(&number)).unwrap();
        vault.update(&number, 1, Patch::new().set("note", Value::Text("changed".into()))).unwrap();
        done.lock().unwrap().push((number.clone(), Ok("changed".to_owned())));
        if round % 3 == 2 {
            shred(vault, &number);
            done.lock().unwrap().push((number, Err(ErrorKind::Shredded)));
        }
    };
    let open = |vault: &Vault, round: usize| {
        let number = format!("SO-{}", round % 50);
        assert!(vault.open("SF Express", "delivery", &number).is_ok());
    };
    let backup = |vault: &Vault, number: usize| {
        let start = Instant::now();
        let enough = || done.lock().unwrap().len() >= 4 * (number + 1);
        while !enough() && start.elapsed() < LONGEST {
            thread::yield_now();
        }
        let before = done.lock().unwrap().clone();
        vault.backup(&folder.dir.path().join(format!("backup-{number}"))).map(|_| before)
    };
    let acknowledged = thread::scope(|scope| {
        scope.spawn(|| until_over(&put_change_and_shred));
        scope.spawn(|| until_over(&open));
        let vault = folder.unlock();
        let backups: Vec<_> = (0..BACKUPS).map(|number| backup(&vault, number)).collect();
        is_over.store(true, Ordering::Relaxed);
        backups.into_iter().collect::<Result<Vec<_>, _>>().unwrap()
    });
    assert!(acknowledged.last().unwrap().len() >= 4 * BACKUPS, "too little was done meanwhile");
    sound(&folder.unlock());
    for (number, before) in acknowledged.iter().enumerate() {
        let sets = BackupSets::below(&folder.dir.path().join(format!("backup-{number}")));
        let to = folder.dir.path().join(format!("restored-{number}"));
        let vault = Vault::restore(&sets, &to, &key(), None).unwrap().vault;
        sound(&vault);
        for (at, (order, wanted)) in before.iter().enumerate() {
            // It may have been shredded in the meantime.
            let found = note(&vault, order);
            let last = before[at + 1..].iter().all(|(later, _)| later != order);
            let shredded = found == Err(ErrorKind::Shredded);
            assert!(found == *wanted || shredded, "{order}: {found:?}, and {wanted:?} was acknowledged");
            assert!(!last || wanted.is_ok() || shredded, "{order}");
        }
        assert_eq!(note(&vault, "SO-49"), Ok("Canary-Note".into()));
    }
}

/// This binary again, for one task, after `shell`.
fn child(task: &str, folder: &Path, shell: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", &format!("{shell} exec \"$0\" --exact child_process --nocapture --test-threads=1")])
        .arg(std::env::current_exe().unwrap())
        .env(CHILD, format!("{task} {}", folder.display()));
    command
}

#[test]
fn child_process() {
    let Ok(task) = std::env::var(CHILD) else { return };
    let (task, folder) = task.split_once(' ').unwrap();
    let folder = Path::new(folder);
    let vault = Vault::unlock(&folder.join("vault"), &key()).unwrap();
    println!("BEGIN");
    let done = match task {
        "backup" => vault.backup(&folder.join("made")).map(drop),
        _ => {
            let sets = BackupSets::below(&folder.join("backup"));
            Vault::restore(&sets, &folder.join("made"), &key(), None).map(drop)
        }
    };
    // Nothing else of a passing test's output begins so.
    println!("SAID {:?}", done.map_err(|e| e.kind().clone()));
}

/// A child that has begun.
fn begun(task: &str, folder: &Folder) -> (Child, BufReader<ChildStdout>) {
    let mut child = child(task, folder.dir.path(), "").stdout(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    // What the test harness itself prints comes before.
    while !line.ends_with("BEGIN\n") {
        line.clear();
        assert!(output.read_line(&mut line).unwrap() > 0, "the child never began");
    }
    (child, output)
}

/// Kills a child at moments all over the time that it takes; says how often nothing was made, and how often it was cut short.
fn kill_all_over(task: &str, folder: &Folder, check: &dyn Fn(&Path)) -> [usize; 2] {
    const KILLS: u32 = 30;
    let made = folder.dir.path().join("made");
    let (mut child, mut output) = begun(task, folder);
    let start = Instant::now();
    assert!(output.by_ref().lines().any(|line| line.unwrap() == "SAID Ok(())"));
    let whole = start.elapsed();
    assert!(child.wait().unwrap().success());
    check(&made);
    fs::remove_dir_all(&made).unwrap();
    let mut none = 0;
    for kill in 0..KILLS {
        let (mut killed, _output) = begun(task, folder);
        thread::sleep(whole * kill / KILLS);
        killed.kill().unwrap();
        killed.wait().unwrap();
        if made.exists() {
            check(&made);
            fs::remove_dir_all(&made).unwrap();
        } else {
            none += 1;
        }
    }
    let names = fs::read_dir(folder.dir.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let cut_short = names.filter(|name| name.to_str().unwrap().starts_with("made.making-")).count();
    [none, cut_short]
}

#[test]
fn a_backup_that_is_killed_is_there_whole_or_not_at_all() {
    let folder = filled(300);
    let [none, cut_short] = kill_all_over("backup", &folder, &|made| {
        let to = made.with_file_name("checked");
        let vault = Vault::restore(&BackupSets::below(made), &to, &key(), None).unwrap().vault;
        assert_eq!(note(&vault, "SO-299"), Ok("Canary-Note".into()));
        fs::remove_dir_all(to).unwrap();
    });
    assert!(none >= cut_short && cut_short > 0, "{none} {cut_short}");
    sound(&folder.unlock());
    // What was cut short says so by its name, and is in nobody's way.
    folder.unlock().backup(&folder.dir.path().join("made")).unwrap();
}

#[test]
fn a_restore_that_is_killed_is_there_whole_or_not_at_all() {
    let folder = filled(300);
    folder.unlock().backup(&folder.dir.path().join("backup")).unwrap();
    let [none, cut_short] = kill_all_over("restore", &folder, &|made| {
        let vault = Vault::unlock(made, &key()).unwrap();
        assert_eq!((vault.ledger_number().unwrap(), note(&vault, "SO-299")), (2, Ok("Canary-Note".into())));
        sound(&vault);
    });
    assert!(none >= cut_short && cut_short > 0, "{none} {cut_short}");
    let sets = BackupSets::below(&folder.dir.path().join("backup"));
    sound(&Vault::restore(&sets, &folder.dir.path().join("made"), &key(), None).unwrap().vault);
}

/// With a limit of the size of files, which SQLite and the system tell as they tell a full disk.
#[test]
fn where_there_is_no_room_nothing_is_left_behind() {
    let folder = filled(300);
    folder.unlock().backup(&folder.dir.path().join("backup")).unwrap();
    let said = |output: Output| String::from_utf8(output.stdout).unwrap();
    for task in ["backup", "restore"] {
        let names = || fs::read_dir(folder.dir.path()).unwrap().count();
        let before = names();
        // In blocks of 512 bytes: enough for all but orders.db.
        let limited = child(task, folder.dir.path(), "trap '' XFSZ; ulimit -f 300;").output().unwrap();
        let said = said(limited);
        assert!(said.contains("SAID Err(Storage)"), "{task}: {said}");
        assert_eq!(names(), before, "{task} left something behind");
    }
    sound(&folder.unlock());
}
