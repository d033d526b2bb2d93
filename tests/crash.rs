//! A process that puts, opens, finds, updates, shreds, adds and revokes parties, applies policies, rotates keys, seals orders anew
//! and destroys keys is killed at any moment, again and again, in one vault.
//!
//! Rules, after each kill:
//! 1. What was acknowledged is there: an order put opens with its content, an order shredded is shredded.
//! 2. Each opening whose plaintext came out has its disclosure entry, at the index the view named; each hit of a search its own.
//! 3. An order whose put was not acknowledged opens whole or does not exist; putting it (or any other) again never fails.
//! 4. An order whose shred was not acknowledged opens whole or is shredded, and can be shredded then.
//! 5. An order whose update was acknowledged has that revision; one whose update was not has the revision before it or the next
//!    one, whole.
//! 6. A party whose adding was acknowledged is there, one whose revocation was acknowledged is revoked; the policy in force is
//!    the last that was acknowledged, or the one that was being applied; each can be repeated.
//! 7. Whatever was done with keys can be gone on with: orders open, are found and move as if nothing had been cut short.
//! 8. `doctor` finds no fault, and the ledger's hashes fit.
//!
//! `CONSIGNEE_CRASH_ROUNDS` sets the number of rounds, `CONSIGNEE_CRASH_SEED` the seed (it is printed).
#![cfg(all(feature = "sqlite", unix))]
#![allow(clippy::print_stdout, clippy::unwrap_used)]

mod common;

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    ops::Range,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use common::{Folder, ROOT, order, order_json};
use consignee::{
    EntryKind, ErrorKind, ExistingOrders, KeyFile, Order, OwnTables, PartyState, Patch, Put, Severity,
    ShredMode, Value, Vault,
    policy::{DEFAULT_POLICY, Policy},
};

const CHILD: &str = "CRASH_CHILD";
/// Longest a child lives after it has unlocked the vault.
const LIFE: Duration = Duration::from_millis(200);
/// So that no vault grows until checking it takes most of the time.
const ROUNDS_PER_VAULT: usize = 10;

/// What the child has said.
#[derive(Debug, Default)]
struct Heard {
    orders: BTreeMap<String, Said>,
    /// Parties: being added, added, being revoked, revoked.
    parties: BTreeMap<String, [bool; 4]>,
    /// Days in the policies that were begun and acknowledged last.
    applying: Option<u32>,
    applied: Option<u32>,
    /// Openings and hits by the index of their entry.
    shown: Vec<(u64, EntryKind)>,
    policies: usize,
    /// Rotations, reseals and rewraps that were acknowledged.
    keys: usize,
}

/// What the child has said about one order.
#[derive(Debug, Default, Clone, Copy)]
struct Said {
    putting: bool,
    put: bool,
    /// Revisions begun and acknowledged.
    updating: u32,
    updated: u32,
    shredding: bool,
    shredded: bool,
}

#[test]
fn what_was_acknowledged_outlives_a_kill() {
    let number = |name: &str| std::env::var(name).ok().map(|value| value.parse::<u64>().unwrap());
    let rounds = number("CONSIGNEE_CRASH_ROUNDS").unwrap_or(60);
    let clock = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seed = number("CONSIGNEE_CRASH_SEED").unwrap_or_else(|| clock().subsec_nanos().into());
    println!("CONSIGNEE_CRASH_SEED={seed} CONSIGNEE_CRASH_ROUNDS={rounds}");
    let mut random = Random(seed | 1);
    let mut seen = [0; 9];
    for first in (0..rounds).step_by(ROUNDS_PER_VAULT) {
        let last = rounds.min(first + ROUNDS_PER_VAULT as u64);
        let in_vault = rounds_in_one_vault(first..last, &mut random);
        seen.iter_mut().zip(in_vault).for_each(|(all, some)| *all += some);
    }
    let [put, opened, found, shredded, updated, parties, policies, keys, unsure] = seen;
    println!(
        "{put} put, {opened} opened, {found} found, {updated} updated, {shredded} shredded, {parties} parties, \
         {policies} policies, {keys} steps with keys, {unsure} cut short"
    );
    assert!(seen.iter().all(|count| *count > 0), "too little happened before the kills");
}

/// Counts of what was put, opened, found, shredded, updated, added or revoked, applied, and cut short.
fn rounds_in_one_vault(rounds: Range<u64>, random: &mut Random) -> [usize; 9] {
    let folder = Folder::new();
    let mut heard = Heard::default();
    for round in rounds {
        let lines = run_and_kill(&folder.path(), round, random.next(), LIFE.mul_f64(random.fraction()));
        let vault = folder.unlock();
        let shown_before = heard.shown.len();
        hear(&lines, &mut heard);
        for (index, kind) in &heard.shown[shown_before..] {
            let entry = vault.ledger_entries(*index, 1).unwrap().pop();
            let entered = entry.is_some_and(|entry| entry.kind == *kind);
            assert!(entered, "round {round}: plaintext came out and entry {index} does not say so");
        }
        for (order_no, said) in heard.orders.iter().filter(|(no, _)| no.starts_with(&format!("R{round}-"))) {
            check_order(&vault, order_no, *said);
        }
        check_parties_and_policy(&vault, &mut heard);
        sound(&vault, round);
    }
    repeat_all(&folder.unlock(), &heard);
    let count = |what: fn(&Said) -> bool| heard.orders.values().filter(|said| what(said)).count();
    let unsure = count(|said| {
        (said.putting && !said.put) || (said.shredding && !said.shredded) || said.updating != said.updated
    });
    let shown = |kind| heard.shown.iter().filter(|(_, shown)| *shown == kind).count();
    let parties = heard.parties.values().map(|said| usize::from(said[1]) + usize::from(said[3])).sum();
    let begun = heard.parties.values().map(|said| usize::from(said[0]) + usize::from(said[2])).sum::<usize>();
    [
        count(|said| said.put),
        shown(EntryKind::Disclosure),
        shown(EntryKind::Search),
        count(|said| said.shredded),
        count(|said| said.updated > 1),
        parties,
        heard.policies,
        heard.keys,
        unsure + begun - parties,
    ]
}

/// Rules 3, 4 and 6, last: whatever became of them, everything can be repeated.
fn repeat_all(vault: &Vault, heard: &Heard) {
    vault.rotate(None).unwrap();
    move_orders(vault);
    vault.rewrap(OwnTables::None, |_| ()).unwrap();
    for (order_no, said) in &heard.orders {
        check_order(vault, order_no, *said);
        // Another order than the one that was put first, if it was updated.
        let again = vault.put(&numbered(order_no));
        let updated = again.as_ref().is_err_and(|e| *e.kind() == ErrorKind::Exists);
        if updated {
            assert!(said.updating > 1 && opens_whole(vault, order_no).unwrap().0, "{order_no} {said:?}");
        } else if said.shredding {
            let shredded = again.as_ref().is_err_and(|e| *e.kind() == ErrorKind::Shredded);
            assert!(shredded || (again.is_ok() && !said.shredded), "{order_no} {said:?}: {again:?}");
            let done = vault.shred(order_no, "again", ShredMode::KeepEvidence);
            assert!(done.is_ok() || done.is_err_and(|e| *e.kind() == ErrorKind::Shredded));
        } else {
            let unchanged = matches!(again, Ok(Put::Unchanged(_)));
            assert!(unchanged || (again.is_ok() && !said.put), "{order_no} {said:?}: {again:?}");
            assert!(opens_whole(vault, order_no).unwrap().0, "{order_no}");
        }
    }
    for name in heard.parties.keys() {
        let added = vault.add_party(name, "support", None).map(drop);
        assert!(added.is_ok() || added.is_err_and(|e| *e.kind() == ErrorKind::Exists), "{name}");
        let revoked = vault.revoke_party(name).map(drop);
        assert!(revoked.is_ok() || revoked.is_err_and(|e| *e.kind() == ErrorKind::Revoked), "{name}");
    }
    vault.apply_policy(DEFAULT_POLICY, ExistingOrders::Yes).unwrap();
    sound(vault, u64::MAX);
}

fn sound(vault: &Vault, round: u64) {
    for finding in vault.doctor().unwrap() {
        assert!(finding.severity != Severity::Fault, "round {round}: {}", finding.message);
    }
}

/// Rule 6. What was cut short is certain from here on.
fn check_parties_and_policy(vault: &Vault, heard: &mut Heard) {
    let parties = vault.parties().unwrap();
    for (name, said) in &mut heard.parties {
        let state = parties.iter().find(|party| party.name == *name).map(|party| party.state);
        let [_, added, revoking, revoked] = *said;
        assert!(state.is_some() || !added, "{name} is lost");
        assert!(state != Some(PartyState::Active) || !revoked, "{name} was revoked and is active");
        assert!(state != Some(PartyState::Revoked) || revoking, "{name} is revoked and nobody did it");
    }
    let in_force = vault.policy().unwrap().digest();
    let is = |days: Option<u32>| Policy::parse(&policy_of(days)).unwrap().digest() == in_force;
    assert!(is(heard.applied) || (heard.applying.is_some() && is(heard.applying)), "{heard:?}");
    if is(heard.applying.or(heard.applied)) {
        heard.applied = heard.applying.or(heard.applied);
    }
    heard.applying = None;
}

/// The default policy, with this many days for the couriers.
fn policy_of(days: Option<u32>) -> String {
    DEFAULT_POLICY.replace(r#"expires = "30d""#, &format!(r#"expires = "{}d""#, days.unwrap_or(30)))
}

/// A telephone number that no other order of the vault is likely to have.
fn phone_of(order_no: &str) -> String {
    let sum = order_no.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(1_000_003) ^ u64::from(byte));
    format!("138{:08}", sum % 100_000_000)
}

/// The common order, with a telephone number of its own, so that searches find it alone.
fn numbered(order_no: &str) -> Order {
    let mut order = order(order_no);
    order.consignee.phone = phone_of(order_no);
    order
}

fn check_order(vault: &Vault, order_no: &str, said: Said) {
    match opens_whole(vault, order_no) {
        Ok((whole, revision)) => {
            assert!(whole && !said.shredded, "{order_no} {said:?} opens, whole: {whole}");
            let revisions = said.updated.max(1)..=said.updating.max(1);
            assert!(revisions.contains(&revision), "{order_no} {said:?} has revision {revision}");
        }
        Err(ErrorKind::Shredded) => assert!(said.shredding, "{order_no} {said:?} is shredded"),
        Err(ErrorKind::NotFound) => assert!(!said.put, "{order_no} {said:?} is lost"),
        Err(other) => panic!("{order_no} {said:?}: {other:?}"),
    }
}

/// Whether it opens with exactly what was put and updated, and its revision; the kind of the error if it does not open.
fn opens_whole(vault: &Vault, order_no: &str) -> Result<(bool, u32), ErrorKind> {
    let view = vault.open("shop", "operation", order_no).map_err(|e| e.kind().clone())?;
    let (fields, mut given) = (&view.to_json()["fields"], numbered(order_no).to_json());
    if view.revision() > 1 {
        given["note"] = note_of(view.revision()).into();
    }
    let flat = ["order_no", "placed_at", "items", "amount", "note"].iter().all(|f| fields[f] == given[f]);
    let nested = ["name", "phone", "address"];
    let nested = nested.iter().all(|f| fields[format!("consignee.{f}")] == given["consignee"][f]);
    Ok((flat && nested, view.revision()))
}

/// What an update to this revision writes.
fn note_of(revision: u32) -> String {
    format!("Canary-Note of revision {revision}")
}

/// Takes in what the child said.
fn hear(lines: &[String], heard: &mut Heard) {
    for line in lines {
        let words: Vec<&str> = line.split(' ').collect();
        let mut note = |orders: &[&str], what: &dyn Fn(&mut Said)| {
            orders.iter().for_each(|order_no| what(heard.orders.entry((*order_no).to_owned()).or_default()));
        };
        let mut party = |name: &str, step: usize| {
            heard.parties.entry(name.to_owned()).or_default()[step] = true;
        };
        match words.as_slice() {
            ["putting", orders @ ..] => note(orders, &|said| said.putting = true),
            ["put", orders @ ..] => note(orders, &|said| said.put = true),
            ["updating", revision, o] => note(&[o], &|said| said.updating = revision.parse().unwrap()),
            ["updated", revision, o] => note(&[o], &|said| said.updated = revision.parse().unwrap()),
            ["shredding", orders @ ..] => note(orders, &|said| said.shredding = true),
            ["shredded", orders @ ..] => note(orders, &|said| said.shredded = true),
            ["shown", index] => heard.shown.push((index.parse().unwrap(), EntryKind::Disclosure)),
            ["found", index] => heard.shown.push((index.parse().unwrap(), EntryKind::Search)),
            ["adding", name] => party(name, 0),
            ["added", name] => party(name, 1),
            ["revoking", name] => party(name, 2),
            ["revoked", name] => party(name, 3),
            ["keys", "rotated" | "resealed" | "rewrapped"] => heard.keys += 1,
            ["keys", _] => {}
            ["applying", days] => heard.applying = days.parse().ok(),
            ["applied", days] => {
                heard.applied = days.parse().ok();
                heard.policies += 1;
            }
            other => panic!("the child said {other:?}"),
        }
    }
}

/// Runs a child for this long after it has unlocked the vault; returns its whole lines.
fn run_and_kill(folder: &Path, round: u64, seed: u64, life: Duration) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture", "--test-threads=1"])
        .env(CHILD, format!("{round} {seed} {}", folder.display()))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    // What the test harness itself prints comes before.
    while !line.ends_with("BEGIN\n") {
        line.clear();
        assert!(output.read_line(&mut line).unwrap() > 0, "round {round}: the child never began");
    }
    let reader = std::thread::spawn(move || {
        // A line without its end was cut short by the kill: not said.
        let mut lines = Vec::new();
        let mut line = String::new();
        while output.read_line(&mut line).unwrap() > 0 && line.ends_with('\n') {
            lines.push(line.trim_end().to_owned());
            line.clear();
        }
        lines
    });
    std::thread::sleep(life);
    let ended = child.try_wait().unwrap();
    assert!(ended.is_none(), "round {round}: the child ended by itself: {ended:?}");
    child.kill().unwrap(); // SIGKILL
    child.wait().unwrap();
    reader.join().unwrap()
}

/// Not a test of its own: what the killed process does. Says each step when it is done, before it goes on.
#[test]
fn child() {
    let Ok(task) = std::env::var(CHILD) else { return };
    let (round, rest) = task.split_once(' ').unwrap();
    let (seed, folder) = rest.split_once(' ').unwrap();
    let mut random = Random(seed.parse::<u64>().unwrap() | 1);
    let vault = Vault::unlock(Path::new(folder), &KeyFile::from_bytes(ROOT)).unwrap();
    // The harness may be in the middle of a line.
    say("\nBEGIN");
    let (mut living, mut agents): (Vec<(String, u32)>, Vec<String>) = (Vec::new(), Vec::new());
    for step in 0.. {
        match random.next() % 13 {
            0 if living.len() > 2 => {
                let at = random.below(living.len());
                let (order_no, revision) = &mut living[at];
                let next = *revision + 1;
                say(&format!("updating {next} {order_no}"));
                let patch = Patch::new().set("note", Value::Text(note_of(next)));
                assert_eq!(vault.update(order_no, *revision, patch).unwrap(), next);
                say(&format!("updated {next} {order_no}"));
                *revision = next;
            }
            1 | 2 if living.len() > 2 => {
                let (order_no, _) = &living[random.below(living.len())];
                let view = vault.open("SF Express", "delivery", order_no).unwrap();
                assert!(order_json(order_no).contains(view.text("consignee.name").unwrap()));
                say(&format!("shown {}", view.ledger_index()));
            }
            3 if living.len() > 2 => {
                let (order_no, _) = living.swap_remove(random.below(living.len()));
                let mode = [ShredMode::KeepEvidence, ShredMode::WithEvidence][random.below(2)];
                say(&format!("shredding {order_no}"));
                vault.shred(&order_no, "asked for", mode).unwrap();
                say(&format!("shredded {order_no}"));
            }
            4 | 7 if living.len() > 2 && !agents.is_empty() => {
                let (order_no, _) = &living[random.below(living.len())];
                // Each agent has searches of its own to spend.
                let agent = &agents[random.below(agents.len())];
                let hits = vault.find(agent, "after_sale", "consignee.phone", &phone_of(order_no)).unwrap();
                assert!(!hits.hits.is_empty() && hits.unreadable == 0);
                hits.hits.iter().for_each(|hit| say(&format!("found {}", hit.ledger_index)));
            }
            5 if living.len() > 2 && agents.len() < 3 => {
                let name = format!("agent-{round}-{step}");
                say(&format!("adding {name}"));
                vault.add_party(&name, "support", None).unwrap();
                say(&format!("added {name}"));
                agents.push(name);
            }
            5 if living.len() > 2 => {
                let name = agents.swap_remove(0);
                say(&format!("revoking {name}"));
                vault.revoke_party(&name).unwrap();
                say(&format!("revoked {name}"));
            }
            6 if living.len() > 2 => {
                let days = 31 + u32::try_from(random.below(300)).unwrap();
                say(&format!("applying {days}"));
                vault.apply_policy(&policy_of(Some(days)), ExistingOrders::Yes).unwrap();
                say(&format!("applied {days}"));
            }
            9 if living.len() > 2 => {
                say("keys rotating");
                vault.rotate(None).unwrap();
                say("keys rotated");
            }
            10 | 11 if living.len() > 2 => {
                say("keys resealing");
                move_orders(&vault);
                say("keys resealed");
            }
            12 if living.len() > 2 => {
                say("keys rewrapping");
                vault.rewrap(OwnTables::None, |_| ()).unwrap();
                say("keys rewrapped");
            }
            _ => {
                let size = if random.next().is_multiple_of(2) { 1 } else { 8 };
                let numbers: Vec<String> = (0..size).map(|n| format!("R{round}-{step}-{n}")).collect();
                let orders: Vec<_> = numbers.iter().map(|number| numbered(number)).collect();
                say(&format!("putting {}", numbers.join(" ")));
                let results = vault.put_many(&orders).unwrap();
                assert!(results.iter().all(|result| matches!(result, Ok(Put::Stored(_)))));
                say(&format!("put {}", numbers.join(" ")));
                living.extend(numbers.into_iter().map(|number| (number, 1)));
            }
        }
    }
}

/// Seals all orders anew under the newest epoch, and destroys the older ones.
fn move_orders(vault: &Vault) {
    for epoch in vault.keys().unwrap().epochs.iter().filter(|epoch| epoch.state == "open-only") {
        assert_eq!(vault.reseal(epoch.number, |_| ()).unwrap().failed, 0);
        vault.destroy_epoch(epoch.number, OwnTables::None).unwrap();
    }
}

/// One write to the pipe, so that a line is there whole or cut.
fn say(line: &str) {
    let mut out = std::io::stdout();
    out.write_all(format!("{line}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

/// Xorshift: the same moments for the same seed, as far as the machine goes along.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        // The low bits of small seeds are poor at first.
        self.0 >> 11
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    fn fraction(&mut self) -> f64 {
        self.below(10_000) as f64 / 10_000.0
    }
}
