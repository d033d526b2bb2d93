//! Disks that fill up, that do not sync, that can only be read, and processes that run out of files or are killed in the middle of
//! a write: real ones, with SQLite and all.
//!
//! Rules, whichever call fails:
//! 1. Who asked is told `Storage` (or `Locked`), and what to do; or it was done all the same.
//! 2. What was acknowledged is there, for the process that goes on and for the next one; what was not is there whole or not at all.
//! 3. No view without its entry, which outlives the restart.
//! 4. The same call succeeds once the disk does, and `doctor` finds no fault.
//!
//! The calls are counted by a library that is preloaded into the process (`faulty/disk.c`). `CONSIGNEE_EVERY_CALL=1` tries each
//! call that writes, not some of them.
#![cfg(all(feature = "sqlite", target_os = "linux"))]
#![allow(clippy::print_stdout, clippy::unwrap_used)]

mod common;
#[path = "faulty/disk.rs"]
mod disk;

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use common::{Folder, ROOT, order, staffed};
use consignee::{
    EntryKind, Error, ErrorKind, ExistingOrders, KeyFile, PartyState, Patch, Put, Result, Setup, Severity,
    ShredMode, Value, Vault, policy::DEFAULT_POLICY,
};
use disk::{Disk, Mode};

const CHILD: &str = "DISKS_CHILD";

fn key() -> KeyFile {
    KeyFile::from_bytes(ROOT)
}

/// This binary again, for one task, after `shell` (what to do before; may be empty).
fn child(task: &str, folder: &Path, shell: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", &format!("{shell} exec \"$0\" --exact child_process --nocapture --test-threads=1")])
        .arg(std::env::current_exe().unwrap())
        .env(CHILD, format!("{task} {}", folder.display()));
    command
}

fn said(output: &Output) -> String {
    let [out, err] =
        [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    format!("{out}\n{err}")
}

fn loudly(text: &str) {
    std::io::stderr().write_all(format!("\n*** {text} ***\n\n").as_bytes()).unwrap();
}

/// Something that is done with a vault in which `SO-N-old` and the party `P-N` are, where N is the number of the attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Put,
    Open,
    Find,
    Update,
    Shred,
    AddParty,
    RevokeParty,
    ApplyPolicy,
}

use Operation::{AddParty, ApplyPolicy, Find, Open, RevokeParty, Shred, Update};

const OPERATIONS: [Operation; 8] =
    [Operation::Put, Open, Find, Update, Shred, AddParty, RevokeParty, ApplyPolicy];

/// Telephone number of an order of the attempt, so that a search finds it alone.
fn phone(n: i32) -> String {
    format!("138{n:08}")
}

fn numbered(n: i32, which: &str) -> consignee::Order {
    let mut order = order(&format!("SO-{n}-{which}"));
    order.consignee.phone = phone(n);
    order
}

/// Before anything fails.
fn prepare(vault: &Vault, n: i32) {
    vault.put(&numbered(n, "old")).unwrap();
    vault.add_party(&format!("P-{n}"), "support", None).unwrap();
}

fn policy(n: i32) -> String {
    DEFAULT_POLICY.replace("30d", &format!("{}d", 31 + n))
}

/// Does it; gives the index of the entry of what was shown.
fn run(operation: Operation, vault: &Vault, n: i32) -> Result<Option<u64>> {
    let (old, party) = (format!("SO-{n}-old"), format!("P-{n}"));
    match operation {
        Operation::Put => {
            let results = vault.put_many(&[numbered(n, "a"), numbered(n, "b")])?;
            results.into_iter().try_for_each(|result| result.map(drop))?;
        }
        Open => return Ok(Some(vault.open("SF Express", "delivery", &old)?.ledger_index())),
        Find => {
            let hits = vault.find(&party, "after_sale", "consignee.phone", &phone(n))?;
            return Ok(Some(hits.hits[0].ledger_index));
        }
        Update => {
            vault.update(&old, 1, Patch::new().set("note", Value::Text("new".into())))?;
        }
        Shred => drop(vault.shred(&old, "asked for", ShredMode::KeepEvidence)?),
        AddParty => drop(vault.add_party(&format!("New-{n}"), "courier", None)?),
        RevokeParty => drop(vault.revoke_party(&party)?),
        ApplyPolicy => drop(vault.apply_policy(&policy(n), ExistingOrders::Yes)?),
    }
    Ok(None)
}

/// Whether it is done; fails where it is neither done nor not.
fn is_done(operation: Operation, vault: &Vault, n: i32) -> bool {
    let whole = |number: &str| match vault.open("shop", "operation", number) {
        Ok(view) => {
            assert_eq!(view.text("consignee.phone").unwrap(), phone(n));
            assert_eq!(view.text("order_no").unwrap(), number);
            let entry = vault.ledger_entries(view.ledger_index(), 1).unwrap().pop().unwrap();
            assert_eq!(entry.kind, EntryKind::Disclosure);
            Some(view.revision())
        }
        Err(e) => {
            assert!(matches!(e.kind(), ErrorKind::NotFound | ErrorKind::Shredded), "{number}: {e}");
            None
        }
    };
    let old = whole(&format!("SO-{n}-old"));
    assert!(old.is_some() || operation == Shred, "{operation:?} {n}: an acknowledged order is lost");
    let state = |name: String| vault.parties().unwrap().into_iter().find(|p| p.name == name).map(|p| p.state);
    match operation {
        Operation::Put => ["a", "b"].map(|which| whole(&format!("SO-{n}-{which}"))) == [Some(1); 2],
        Open | Find => false,
        Update => old == Some(2),
        Shred => old.is_none(),
        AddParty => state(format!("New-{n}")).is_some(),
        RevokeParty => state(format!("P-{n}")) == Some(PartyState::Revoked),
        ApplyPolicy => {
            let applied = consignee::policy::Policy::parse(&policy(n)).unwrap().digest();
            vault.policy().unwrap().digest() == applied
        }
    }
}

/// Rules 2 to 4, after a call failed. `acknowledged` is what the operation gave, if it did.
fn check(operation: Operation, vault: &Vault, n: i32, acknowledged: Option<Option<u64>>) {
    if let Some(Some(index)) = acknowledged {
        let entry = vault.ledger_entries(index, 1).unwrap().pop().unwrap();
        let kind = if operation == Find { EntryKind::Search } else { EntryKind::Disclosure };
        assert_eq!(entry.kind, kind, "{operation:?} {n}: shown without an entry");
    }
    let done = is_done(operation, vault, n);
    assert!(done || acknowledged.is_none() || matches!(operation, Open | Find), "{operation:?} {n}: lost");
    if !done {
        // It may be finished by the next writer, who is then told that it is done.
        let settled = [ErrorKind::Conflict, ErrorKind::Shredded, ErrorKind::Exists, ErrorKind::Revoked];
        if let Err(e) = run(operation, vault, n) {
            assert!(settled.contains(e.kind()), "{operation:?} {n} cannot be repeated: {e}");
        }
        assert!(is_done(operation, vault, n) || matches!(operation, Open | Find), "{operation:?} {n}");
    }
    sound(vault);
}

fn sound(vault: &Vault) {
    for finding in vault.doctor().unwrap() {
        assert!(finding.severity != Severity::Fault, "{}: {}", finding.check, finding.message);
    }
}

/// Rule 1.
fn is_told(error: &Error) {
    assert!(matches!(error.kind(), ErrorKind::Storage | ErrorKind::Locked), "{error:?}");
    assert!(!error.hint().is_empty(), "{error:?}");
}

/// Each operation, failing at its first call of a kind, at its second, until no call is left to fail: in one process that goes on.
fn fail_in_turn(path: &Path, mode: Mode, step: usize) {
    let disk = Disk::of_this_process();
    let ever = matches!(mode, Mode::NoSyncEver | Mode::NoSpaceEver);
    let (mut n, mut failed) = (0, 0);
    for operation in OPERATIONS {
        for at in (1..).step_by(step) {
            n += 1;
            let vault = Vault::unlock(path, &key()).unwrap();
            prepare(&vault, n);
            disk.set(mode, at);
            let result = run(operation, &vault, n);
            if let Err(e) = &result {
                is_told(e);
                failed += 1;
                // Nor does anybody see anything while nothing can be written.
                if ever && operation != Shred {
                    is_told(&run(Open, &vault, n).unwrap_err());
                }
            }
            if !disk.mend() {
                result.unwrap();
                break;
            }
            if at % 2 == 0 {
                check(operation, &vault, n, result.ok());
                continue;
            }
            drop(vault);
            check(operation, &Vault::unlock(path, &key()).unwrap(), n, result.ok());
        }
    }
    assert!(failed > 8, "{failed} failures of {mode:?} in {n} attempts");
    println!("\n{failed} failures");
}

fn on_a_failing_disk(mode: Mode) {
    let folder = Folder::new();
    let Some(disk) = Disk::built(folder.dir.path()) else { return };
    let output =
        disk.under(&mut child(&format!("{mode:?}"), &folder.path(), ""), &folder.path()).output().unwrap();
    assert!(output.status.success() && said(&output).contains(" failures"), "{}", said(&output));
}

#[test]
fn a_disk_that_fails_to_sync_once_loses_nothing_acknowledged() {
    on_a_failing_disk(Mode::NoSync);
}

#[test]
fn a_disk_that_syncs_no_more_loses_nothing_acknowledged() {
    on_a_failing_disk(Mode::NoSyncEver);
}

#[test]
fn a_disk_that_refuses_one_write_loses_nothing_acknowledged() {
    on_a_failing_disk(Mode::NoSpace);
}

#[test]
fn a_disk_that_is_full_from_some_write_on_loses_nothing_acknowledged() {
    on_a_failing_disk(Mode::NoSpaceEver);
}

/// Killed instead of its first write or sync, of a later one, and so on, where the crash test kills at random moments.
#[test]
fn a_process_killed_in_the_place_of_a_write_or_sync_loses_nothing_acknowledged() {
    let folder = Folder::new();
    let Some(disk) = Disk::built(folder.dir.path()) else { return };
    let step = every_call().unwrap_or(11);
    let (mut n, mut killed) = (1_000, 0);
    for (first, operation) in (1..).zip(OPERATIONS) {
        for at in (1 + first % step..).step_by(step) {
            n += 1;
            prepare(&folder.unlock(), n);
            disk.set(Mode::Off, i32::try_from(at).unwrap());
            let task = format!("kill:{operation:?}:{n}");
            let output = disk.under(&mut child(&task, &folder.path(), ""), &folder.path()).output().unwrap();
            let text = said(&output);
            if !disk.mend() {
                assert!(output.status.success(), "{text}");
                break;
            }
            killed += 1;
            let index = text.lines().find_map(|line| line.strip_prefix("shown ")).map(|n| n.parse().unwrap());
            check(operation, &folder.unlock(), n, text.contains("done").then_some(index));
        }
    }
    println!("{killed} kills");
    assert!(killed > 20, "{killed} kills");
}

fn every_call() -> Option<usize> {
    std::env::var("CONSIGNEE_EVERY_CALL").is_ok().then_some(1)
}

/// A vault is made whole or not at all, and what a kill leaves beside is in nobody's way.
#[test]
fn a_process_killed_while_it_makes_a_vault_leaves_a_whole_one_or_none() {
    let place = tempfile::tempdir().unwrap();
    let Some(disk) = Disk::built(place.path()) else { return };
    let (mut none, mut whole) = (0, 0);
    for at in (1..).step_by(every_call().unwrap_or(11)) {
        let path = place.path().join(format!("vault-{at}"));
        disk.set(Mode::Kill, at);
        // All that is made in this folder counts, also under the name that it has until it is whole.
        disk.under(&mut child("make", &path, ""), place.path()).output().unwrap();
        let over = !disk.mend();
        match Vault::unlock(&path, &key()) {
            Ok(vault) => {
                whole += 1;
                staffed(&vault);
                sound(&vault);
            }
            Err(e) => {
                none += 1;
                assert!(*e.kind() == ErrorKind::NotFound && !path.exists(), "{e:?}");
                staffed(&Vault::create(&path, &key(), &Setup::default()).unwrap());
            }
        }
        if over {
            break;
        }
    }
    assert!(none > 3 && whole > 0, "{none} none, {whole} whole");
}

/// A folder on a file system of its own, of this size; unmounted in the end.
struct Mounted(tempfile::TempDir);

impl Mounted {
    fn new(size: &str) -> Option<Self> {
        let place = Self(tempfile::tempdir().unwrap());
        let options = format!("size={size},mode=0700");
        let mount =
            Command::new("mount").args(["-t", "tmpfs", "-o", &options, "none"]).arg(place.0.path()).output();
        if mount.is_ok_and(|output| output.status.success()) {
            return Some(place);
        }
        loudly("NOT RUN: only root may mount a small disk");
        None
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("vault")
    }

    fn change(&self, options: &str) {
        let options = format!("remount,{options}");
        let mount = Command::new("mount").args(["-o", &options]).arg(self.0.path()).status().unwrap();
        assert!(mount.success());
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _unmounted = Command::new("umount").arg(self.0.path()).status();
    }
}

#[test]
fn a_small_disk_that_fills_up_loses_nothing_acknowledged() {
    let Some(mounted) = Mounted::new("64m") else { return };
    staffed(&Vault::create(&mounted.path(), &key(), &Setup::default()).unwrap());
    let vault = Vault::unlock(&mounted.path(), &key()).unwrap();
    (0..10).for_each(|n| prepare(&vault, n));
    mounted.change("size=1m");
    let mut put = Vec::new();
    let full = loop {
        let number = format!("SO-full-{}", put.len());
        match vault.put(&order(&number)) {
            Ok(_) => put.push(number),
            Err(e) => break e,
        }
    };
    is_told(&full);
    assert!(full.to_string().contains("no space left"), "{full}");
    let mut told = 0;
    for (n, operation) in (0..).zip(OPERATIONS) {
        match run(operation, &vault, n) {
            Ok(Some(index)) => assert_eq!(vault.ledger_entries(index, 1).unwrap().len(), 1),
            Ok(None) => assert!(is_done(operation, &vault, n)),
            Err(e) => {
                is_told(&e);
                told += 1;
            }
        }
    }
    assert!(told > 3, "{told} operations met a full disk");
    drop(vault);
    mounted.change("size=64m");
    let vault = Vault::unlock(&mounted.path(), &key()).unwrap();
    assert!(put.iter().all(|number| vault.open("shop", "operation", number).is_ok()), "an order is lost");
    assert!(matches!(vault.put(&order("SO-full-0")), Ok(Put::Unchanged(_))));
    for (n, operation) in (0..).zip(OPERATIONS) {
        check(operation, &vault, n, None);
    }
}

#[test]
fn a_disk_that_can_only_be_read_gives_no_plaintext() {
    let Some(mounted) = Mounted::new("64m") else { return };
    staffed(&Vault::create(&mounted.path(), &key(), &Setup::default()).unwrap());
    let vault = Vault::unlock(&mounted.path(), &key()).unwrap();
    prepare(&vault, 1);
    drop(vault);
    mounted.change("ro");
    match Vault::unlock(&mounted.path(), &key()) {
        Err(e) => is_told(&e),
        Ok(vault) => {
            for operation in OPERATIONS {
                is_told(&run(operation, &vault, 1).unwrap_err());
            }
        }
    }
    mounted.change("rw");
    check(Update, &Vault::unlock(&mounted.path(), &key()).unwrap(), 1, None);
}

/// A service that leaks descriptors: at some number of files the vault does not open any more, or its calls fail.
#[test]
fn a_process_without_file_descriptors_is_told_and_loses_nothing() {
    let folder = Folder::new();
    let (mut opened, mut refused) = (0, 0);
    for most in [6, 9, 11, 13, 15, 17, 19, 24, 40] {
        prepare(&folder.unlock(), most);
        let task = format!("few:{most}");
        let output = child(&task, &folder.path(), &format!("ulimit -n {most};")).output().unwrap();
        let text = said(&output);
        // Below that, the test runner itself may not begin.
        assert!(output.status.success() || most < 9, "{most}: {text}");
        opened += usize::from(text.contains("opened"));
        refused += usize::from(text.contains("refused"));
        check(Update, &folder.unlock(), most, text.contains("done").then_some(None));
    }
    assert!(opened > 0 && refused > 1, "{opened} opened, {refused} refused");
}

/// Not a test of its own: what the processes on such disks do.
#[test]
fn child_process() {
    let Ok(task) = std::env::var(CHILD) else { return };
    let (task, path) = task.split_once(' ').unwrap();
    let path = Path::new(path);
    let mut words = task.split(':');
    match words.next().unwrap() {
        "NoSync" => fail_in_turn(path, Mode::NoSync, 1),
        "NoSyncEver" => fail_in_turn(path, Mode::NoSyncEver, every_call().unwrap_or(3)),
        "NoSpace" => fail_in_turn(path, Mode::NoSpace, every_call().unwrap_or(7)),
        "NoSpaceEver" => fail_in_turn(path, Mode::NoSpaceEver, every_call().unwrap_or(13)),
        "make" => drop(Vault::create(path, &key(), &Setup::default()).unwrap()),
        "kill" => {
            let operation = words.next().unwrap();
            let operation = OPERATIONS.into_iter().find(|o| format!("{o:?}") == operation).unwrap();
            let n = words.next().unwrap().parse().unwrap();
            let vault = Vault::unlock(path, &key()).unwrap();
            let disk = Disk::of_this_process();
            disk.set(Mode::Kill, disk.at());
            let shown = run(operation, &vault, n).unwrap();
            // One write to the pipe, which does not count.
            let shown = shown.map(|index| format!("\nshown {index}")).unwrap_or_default();
            println!("{shown}\ndone");
            // Closing the vault writes, too.
            drop(vault);
        }
        _ => {
            let n = words.next().unwrap().parse().unwrap();
            match Vault::unlock(path, &key()) {
                Err(e) => {
                    is_told(&e);
                    assert!(e.to_string().contains("too many files"), "{e}");
                    println!("\nrefused {e}");
                }
                Ok(vault) => {
                    println!("\nopened");
                    // Looking needs a descriptor itself.
                    if let Ok(files) = std::fs::read_dir("/proc/self/fd") {
                        let files = files.map(|entry| std::fs::read_link(entry.unwrap().path()));
                        let own = files.filter(|file| file.as_ref().is_ok_and(|file| file.starts_with(path)));
                        assert_eq!(
                            own.count(),
                            13,
                            "docs/operations.md says how many files a vault has open"
                        );
                    }
                    match run(Update, &vault, n) {
                        Ok(_) => println!("\ndone"),
                        Err(e) => is_told(&e),
                    }
                }
            }
        }
    }
}
