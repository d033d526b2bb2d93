//! Many callers open at once, over a store that fails, on a disk that fails or fills up, and in a process that is killed.
//!
//! The rule: whoever got plaintext has an entry in the ledger, at the place that the view names, after a restart too; whoever got an
//! error has no plaintext. (That the entry is there all the same is allowed.)
#![cfg(feature = "sqlite")]
#![allow(clippy::print_stdout, clippy::unwrap_used)]

mod common;
#[cfg(target_os = "linux")]
#[path = "faulty/disk.rs"]
mod disk;
mod faulty;

use std::{
    collections::HashSet,
    io::{Read, Write},
    path::Path,
    process::{Command, Stdio},
    sync::Barrier,
    thread,
    time::Duration,
};

use common::{Folder, ROOT, order, staffed};
use consignee::{EntryKind, ErrorKind, KeyFile, Setup, Severity, Vault, store::Memory};
use faulty::{Fault, Switch};

const OPENERS: usize = 16;
const CHILD: &str = "GROUP_COMMIT_CHILD";

fn number(opener: usize) -> String {
    format!("SO-{opener}")
}

fn fill(vault: &Vault) {
    let orders: Vec<_> = (0..OPENERS).map(|opener| order(&number(opener))).collect();
    assert!(vault.put_many(&orders).unwrap().iter().all(Result::is_ok));
}

/// Plaintexts that one opener got: the alias, the revision and the index that each view names.
type Got = Vec<(String, u64)>;

/// All openers open an order of their own, `rounds` times, at the same moments. What each got, and how many errors there were.
fn open_together(vault: &Vault, rounds: usize) -> (Vec<Got>, usize) {
    let barrier = Barrier::new(OPENERS);
    let opener = |opener: usize| {
        let barrier = &barrier;
        move || {
            let (mut got, mut errors) = (Vec::new(), 0);
            for _ in 0..rounds {
                barrier.wait();
                match vault.open("SF Express", "delivery", &number(opener)) {
                    Ok(view) => {
                        let name = format!("Canary-Name {}", number(opener));
                        assert_eq!(view.text("consignee.name").unwrap(), name);
                        got.push((view.alias().to_string(), view.ledger_index()));
                    }
                    Err(e) => {
                        assert!(matches!(e.kind(), ErrorKind::Storage | ErrorKind::Locked), "{e}");
                        errors += 1;
                    }
                }
            }
            (got, errors)
        }
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..OPENERS).map(|number| scope.spawn(opener(number))).collect();
        let results: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        let errors = results.iter().map(|(_, errors)| errors).sum();
        (results.into_iter().map(|(got, _)| got).collect(), errors)
    })
}

/// Each plaintext has an entry of its own, of its order and its party; returns how many there are.
fn check(vault: &Vault, got: &[Got]) -> usize {
    let entries = vault.ledger_entries(0, 1_000_000).unwrap();
    let mut places = HashSet::new();
    let mut handles = HashSet::new();
    for (opener, got) in got.iter().enumerate() {
        let mut own = HashSet::new();
        for (alias, index) in got {
            let entry = &entries[usize::try_from(*index).unwrap()];
            assert_eq!((entry.kind, &*entry.purpose), (EntryKind::Disclosure, "delivery"));
            assert!(places.insert(index), "{alias}: entry {index} stands for two openings");
            own.insert(entry.handle);
        }
        assert!(own.len() <= 1, "opener {opener}: entries of several orders");
        handles.extend(own.into_iter().map(|handle| (handle, opener)));
    }
    // The handle of an order is that of one opener.
    let orders: HashSet<_> = handles.iter().map(|(handle, _)| handle).collect();
    assert_eq!(orders.len(), handles.len());
    let disclosures = entries.iter().filter(|entry| entry.kind == EntryKind::Disclosure).count();
    assert!(disclosures >= places.len());
    for finding in vault.doctor().unwrap() {
        assert!(finding.severity != Severity::Fault, "{}: {}", finding.check, finding.message);
    }
    places.len()
}

/// The store refuses one append, or the power goes before or after it; some openers are in that batch and others not.
#[test]
fn a_store_that_fails_gives_no_plaintext_without_an_entry() {
    let (mut shown, mut failed) = (0, 0);
    for fault in [Fault::Refused, Fault::CutBefore, Fault::CutAfter] {
        for at in (1..=12).chain([20, 30]) {
            let (stores, switch) = (Memory::stores(), Switch::default());
            let vault = Vault::begin(stores.clone(), &KeyFile::from_bytes(ROOT), &Setup::default()).unwrap();
            staffed(&vault);
            fill(&vault);
            drop(vault);
            let vault = Vault::resume(faulty::stores(&stores, &switch), &KeyFile::from_bytes(ROOT)).unwrap();
            switch.arm(fault, at);
            let (got, errors) = open_together(&vault, 4);
            let fired = switch.mend();
            // Written by more than one at once, there may be fewer appends than that.
            assert!(fired == Some("append") || (fired.is_none() && errors == 0), "{fired:?} {errors}");
            drop(vault);
            let again = Vault::resume(stores, &KeyFile::from_bytes(ROOT)).unwrap();
            shown += check(&again, &got);
            failed += errors;
        }
    }
    println!("{shown} shown, {failed} failed");
    assert!(shown > 100 && failed > 100, "{shown} shown, {failed} failed");
}

/// This binary again, for one task.
fn child(task: &str, folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "child_process", "--nocapture", "--test-threads=1"])
        .env(CHILD, format!("{task} {}", folder.display()));
    command
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_fails_or_fills_up_gives_no_plaintext_without_an_entry() {
    let folder = Folder::new();
    fill(&folder.unlock());
    let Some(disk) = disk::Disk::built(folder.dir.path()) else { return };
    let output = disk.under(&mut child("disk", &folder.path()), &folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains(" failed on a disk"), "{said}");
}

/// Within the process whose disk fails at one call, or at every call from then on.
#[cfg(target_os = "linux")]
fn on_a_failing_disk(path: &Path) {
    use disk::{Disk, Mode};
    let disk = Disk::of_this_process();
    let (mut shown, mut failed) = (0, 0);
    for mode in [Mode::NoSync, Mode::NoSyncEver, Mode::NoSpace, Mode::NoSpaceEver] {
        for at in [1, 2, 3, 5, 9, 17, 33] {
            let vault = Vault::unlock(path, &KeyFile::from_bytes(ROOT)).unwrap();
            disk.set(mode, at);
            let (got, errors) = open_together(&vault, 3);
            disk.mend();
            drop(vault);
            shown += check(&Vault::unlock(path, &KeyFile::from_bytes(ROOT)).unwrap(), &got);
            failed += errors;
        }
    }
    assert!(shown > 100 && failed > 100, "{shown} shown, {failed} failed");
    println!("\n{shown} shown, {failed} failed on a disk");
}

/// Eight threads say, after each opening, what they got and under which entry; then the process is killed.
#[test]
fn what_was_shown_before_a_kill_is_in_the_ledger() {
    let folder = Folder::new();
    fill(&folder.unlock());
    let mut shown = 0;
    for round in 0..12_u64 {
        let mut child = child("kill", &folder.path()).stdout(Stdio::piped()).spawn().unwrap();
        let mut output = child.stdout.take().unwrap();
        let reader = thread::spawn(move || {
            let mut text = Vec::new();
            output.read_to_end(&mut text).map(|_| text).unwrap()
        });
        thread::sleep(Duration::from_millis(150 + round * 23));
        child.kill().unwrap(); // SIGKILL
        child.wait().unwrap();
        let text = String::from_utf8(reader.join().unwrap()).unwrap();
        // A line without its end was cut short: not said.
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let mut got = vec![Vec::new(); OPENERS];
        for line in whole.lines().filter_map(|line| line.strip_prefix("got ")) {
            let words: Vec<_> = line.split(' ').collect();
            let opener: usize = words[0].parse().unwrap();
            got[opener].push((words[1].to_owned(), words[2].parse().unwrap()));
        }
        let vault = folder.unlock();
        shown += check(&vault, &got);
    }
    println!("{shown} shown before kills");
    assert!(shown > 100, "{shown}");
}

fn open_until_killed(path: &Path) {
    let vault = Vault::unlock(path, &KeyFile::from_bytes(ROOT)).unwrap();
    // The harness may be in the middle of a line.
    std::io::stdout().write_all(b"\n").unwrap();
    thread::scope(|scope| {
        for opener in 0..8 {
            let vault = &vault;
            scope.spawn(move || {
                loop {
                    let view = vault.open("SF Express", "delivery", &number(opener)).unwrap();
                    assert!(view.text("consignee.name").is_ok());
                    let line = format!("got {opener} {} {}\n", view.alias(), view.ledger_index());
                    let mut out = std::io::stdout().lock();
                    out.write_all(line.as_bytes()).and_then(|()| out.flush()).unwrap();
                }
            });
        }
    });
}

/// Not a test of its own: what the other processes do.
#[test]
fn child_process() {
    let Ok(task) = std::env::var(CHILD) else { return };
    match task.split_once(' ').unwrap() {
        ("kill", path) => open_until_killed(Path::new(path)),
        #[cfg(target_os = "linux")]
        ("disk", path) => on_a_failing_disk(Path::new(path)),
        (other, _) => panic!("no task {other}"),
    }
}
