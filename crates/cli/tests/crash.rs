//! The program is killed at any moment of any command, from its start on, and run again.
//!
//! Rules: what an earlier run said it had done is there; the same command, run again, does it or says that it is done; `doctor` finds
//! no fault. `CONSIGNEE_CRASH_ROUNDS` sets the number of kills, `CONSIGNEE_CRASH_SEED` the seed (it is printed).
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod common;

use std::{
    collections::BTreeMap,
    io::Write,
    process::Stdio,
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use common::{Run, Shop, order};
use consignee::policy::DEFAULT_POLICY;

/// More than one batch.
const IMPORTED: usize = 1_100;

/// Xorshift: the same moments for the same seed, as far as the machine goes along.
struct Random(u64);

impl Random {
    fn fraction(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// A command, with its number in its names, and what it gets on standard input.
fn command(kind: usize, n: u64) -> (&'static str, Vec<String>, Vec<u8>) {
    let import = || (0..IMPORTED).map(|m| order(&format!("I-{n}-{m}"))).collect::<Vec<_>>().join("\n");
    let (name, line, input) = match kind {
        0 => ("put", "put v -".to_owned(), import()),
        1 => ("put", "put v -".to_owned(), order(&format!("O-{n}"))),
        2 => ("update", format!("update v U-{n} --revision 1 -"), r#"{"note":"Canary-New"}"#.to_owned()),
        3 => ("shred", format!("shred v S-{n} --reason asked --yes"), String::new()),
        4 => ("party add", format!("party add v P-{n} --role courier"), String::new()),
        5 => ("party revoke", format!("party revoke v R-{n}"), String::new()),
        6 => ("policy apply", format!("policy apply v policy-{n}"), String::new()),
        7 => (
            "find",
            format!("find v --party F-{n} --purpose after_sale consignee.phone=1391{n:07}"),
            String::new(),
        ),
        8 => ("open", format!("open v --party Swift --purpose delivery U-{n}"), String::new()),
        _ => ("init", format!("init new-{n} --key-file key-{n}"), String::new()),
    };
    (name, line.split(' ').map(str::to_owned).collect(), input.into_bytes())
}

const KINDS: usize = 10;

/// What the command needs, made in peace.
fn prepare(shop: &Shop, kind: usize, n: u64) {
    match kind {
        2 | 8 => shop.put(&[order(&format!("U-{n}"))]),
        3 => shop.put(&[order(&format!("S-{n}"))]),
        5 => drop(shop.run(&["party", "add", "v", &format!("R-{n}"), "--role", "courier"]).exits(0)),
        6 => {
            // Nobody gains, so that it asks nothing: each is shorter than the one before it.
            let expires = format!("expires = \"{}s\"", 2_500_000 - n);
            shop.write(&format!("policy-{n}"), DEFAULT_POLICY.replace("expires = \"30d\"", &expires));
        }
        7 => {
            shop.put(&[order(&format!("F-{n}")).replace("13812345678", &format!("1391{n:07}"))]);
            shop.run(&["party", "add", "v", &format!("F-{n}"), "--role", "support"]).exits(0);
        }
        _ => {}
    }
}

/// Starts it and kills it after this long; its output, and whether it ended by itself.
fn killed(shop: &Shop, arguments: &[&str], input: &[u8], life: Duration) -> (String, bool) {
    let mut command = shop.command(arguments);
    command.env("CONSIGNEE_KEY_FILE", shop.path("key"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let begun = Instant::now();
    let mut child = command.spawn().unwrap();
    let (mut stdin, input) = (child.stdin.take().unwrap(), input.to_vec());
    let writer = thread::spawn(move || drop(stdin.write_all(&input)));
    thread::sleep(life.saturating_sub(begun.elapsed()));
    child.kill().unwrap();
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    (String::from_utf8(output.stdout).unwrap(), output.status.code() == Some(0))
}

/// Rules 1 and 2, for the command that was killed. `done` if its first run said so.
fn again(shop: &Shop, name: &str, n: u64, run: &Run, done: bool) {
    let is = |words: &[&str]| words.iter().any(|word| run.err.contains(word));
    match name {
        "put" => {
            assert!(run.status == 0 && run.out.contains(" 0 failed"), "{run:?}");
            assert!(!done || run.out.starts_with("0 stored"), "an acknowledged order is lost: {run:?}");
        }
        "update" => {
            assert!(run.status == 0 && !done || is(&["has revision 2, not 1"]), "{run:?}");
            let opened = &shop.opened("shop", "operation", &[&format!("U-{n}")])[0];
            assert!(opened["revision"] == 2 && opened["fields"]["note"] == "Canary-New", "{opened}");
        }
        "shred" => assert!(run.status == 0 && !done || is(&["shredded"]), "{run:?}"),
        "party add" => assert!(run.status == 0 && !done || is(&["there is a party of this name"]), "{run:?}"),
        "party revoke" => assert!(run.status == 0 && !done || is(&["already"]), "{run:?}"),
        "policy apply" => {
            assert!(run.status == 0 && (!done || run.out.contains("in force already")), "{run:?}");
            let copy = std::fs::read(shop.path("v/policy.toml")).unwrap();
            assert_eq!(copy, std::fs::read(shop.path(&format!("policy-{n}"))).unwrap());
        }
        "init" => {
            assert!(run.status == 0 && !done || is(&["something here already"]), "{run:?}");
            shop.run(&["doctor", &format!("new-{n}"), "--key-file", &format!("key-{n}")]).exits(0);
        }
        _ => assert!(run.status == 0 && run.out.lines().count() > 1, "{run:?}"),
    }
}

#[test]
fn a_command_that_is_killed_at_any_moment_can_be_run_again() {
    let number = |name: &str| std::env::var(name).ok().map(|value| value.parse::<u64>().unwrap());
    let rounds = number("CONSIGNEE_CRASH_ROUNDS").unwrap_or(20);
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seed = number("CONSIGNEE_CRASH_SEED").unwrap_or_else(|| clock.subsec_nanos().into());
    println!("CONSIGNEE_CRASH_SEED={seed} CONSIGNEE_CRASH_ROUNDS={rounds}");
    let mut random = Random(seed | 1);
    let mut counts: BTreeMap<&str, [u32; 2]> = BTreeMap::new();
    // So that no vault grows until checking it takes most of the time.
    const PER_VAULT: u64 = 30;
    for first in (0..rounds).step_by(usize::try_from(PER_VAULT).unwrap()) {
        let shop = Shop::staffed();
        let mut lasts = [Duration::ZERO; KINDS];
        for n in first..rounds.min(first + PER_VAULT) {
            let kind = usize::try_from(n).unwrap() % KINDS;
            prepare(&shop, kind, n);
            let (name, arguments, input) = command(kind, n);
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            // As long as the last one of the kind took; at first, a guess.
            let usual = if lasts[kind].is_zero() { Duration::from_millis(60) } else { lasts[kind] };
            let (out, done) = killed(&shop, &arguments, &input, usual.mul_f64(random.fraction() * 1.1));
            assert!(done || !out.contains("Canary-") || name == "open", "{out}");
            counts.entry(name).or_default()[usize::from(done)] += 1;
            let begun = Instant::now();
            let run = shop.run_with(&arguments, &input);
            lasts[kind] = begun.elapsed();
            again(&shop, name, n, &run, done);
            shop.run(&["doctor", "v"]).exits(0);
        }
        let left: Vec<_> =
            std::fs::read_dir(shop.path("v")).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert!(!left.iter().any(|name| name.to_string_lossy().ends_with(".new")), "{left:?}");
    }
    let killed: u32 = counts.values().map(|[killed, _]| killed).sum();
    println!("{killed} killed, of {rounds}: {counts:?} (killed, ended before)");
    assert!(u64::from(killed) > rounds / 4, "too few were killed: {counts:?}");
}
