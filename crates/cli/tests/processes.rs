//! Two services and the command line work on one vault at the same time.
//!
//! Rules: no update is lost, no number or entry is given twice, the ledger's hashes fit, and nobody is told `Locked`: the stated
//! wait is ten seconds, and each writer holds the lock for some milliseconds.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod common;

use std::{
    path::Path,
    process::{Command, Stdio},
    thread,
};

use common::{Shop, order};
use consignee::{ErrorKind, Fields, KeyFile, Order, Patch, Severity, Value, Vault};

const SERVICE: &str = "CONSIGNEE_TEST_SERVICE";
/// Updates of one order by each service, and orders that each puts and opens.
const UPDATES: u32 = 20;
const ORDERS: u32 = 40;
/// Orders that the command line stores meanwhile.
const IMPORTED: u32 = 3_000;

#[test]
fn two_services_and_the_command_line_share_a_vault() {
    let shop = Shop::staffed();
    shop.put(&[order("COUNT")]);
    let lines: Vec<String> = (0..IMPORTED).map(|n| order(&format!("IMPORT-{n}"))).collect();
    shop.write("orders.jsonl", lines.join("\n"));
    let (key, vault) = (shop.path("key"), shop.path("v"));
    thread::scope(|scope| {
        let services: Vec<_> = ["east", "west"]
            .map(|name| {
                Command::new(std::env::current_exe().unwrap())
                    .args(["--exact", "service", "--nocapture", "--test-threads=1"])
                    .env(SERVICE, format!("{name} {} {}", key.display(), vault.display()))
                    .stdout(Stdio::piped())
                    .stderr(Stdio::piped())
                    .spawn()
                    .unwrap()
            })
            .into_iter()
            .map(|service| scope.spawn(move || service.wait_with_output().unwrap()))
            .collect();
        let import = scope.spawn(|| shop.run(&["put", "v", "orders.jsonl", "--json"]).exits(0));
        for _ in 0..10 {
            shop.opened("Swift", "delivery", &["A-1", "A-2"]);
            shop.run(&["scopes", "v"]).exits(0);
        }
        let imported = import.join().unwrap().json();
        assert_eq!(
            (imported[0]["stored"].as_u64(), imported[0]["failed"].as_u64()),
            (Some(IMPORTED.into()), Some(0))
        );
        for service in services {
            let output = service.join().unwrap();
            let (out, err) =
                (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            assert!(output.status.success(), "{out}\n{err}");
            assert!(out.contains("all done"), "{out}");
        }
    });
    let vault = Vault::unlock(&vault, &KeyFile::read(&key).unwrap()).unwrap();
    let counted = vault.get::<Order>("shop", "operation", "COUNT").unwrap();
    assert_eq!(counted.note, (2 * UPDATES).to_string(), "an update was lost");
    assert_eq!(counted.revision, 2 * UPDATES + 1);
    let findings = vault.doctor().unwrap();
    let faults: Vec<_> = findings.iter().filter(|finding| finding.severity != Severity::Fine).collect();
    assert!(faults.is_empty(), "{faults:?}");
    let records = (2 + 1 + IMPORTED + 2 * ORDERS) as usize;
    assert_eq!(vault.list(None, 10_000).unwrap().len(), records);
    // Serials, and with them aliases, were given once each: every order has its own.
    let numbers: Vec<String> = (0..ORDERS).flat_map(|n| [format!("east-{n}"), format!("west-{n}")]).collect();
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let views = vault.open_many("Swift", "delivery", &numbers).unwrap();
    let mut aliases: Vec<String> = views.into_iter().map(|view| view.unwrap().alias().to_string()).collect();
    aliases.sort();
    aliases.dedup();
    assert_eq!(aliases.len(), numbers.len());
}

/// Not a test of its own: what each service does.
#[test]
fn service() {
    let Ok(task) = std::env::var(SERVICE) else { return };
    let mut words = task.splitn(3, ' ');
    let (name, key, folder) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
    let vault = Vault::unlock(Path::new(folder), &KeyFile::read(Path::new(key)).unwrap()).unwrap();
    let counting = vault.clone();
    let counter = thread::spawn(move || {
        let mut done = 0;
        while done < UPDATES {
            let seen = match counting.get::<Order>("shop", "operation", "COUNT") {
                Ok(seen) => seen,
                Err(e) if *e.kind() == ErrorKind::Conflict => continue,
                Err(e) => panic!("{e}"),
            };
            let next = seen.note.parse::<u32>().unwrap_or(0) + 1;
            let patch = Patch::new().set("note", Value::Text(next.to_string()));
            match counting.update("COUNT", seen.revision, patch) {
                Ok(_) => done += 1,
                Err(e) => assert_eq!(e.kind(), &ErrorKind::Conflict, "{e}"),
            }
        }
    });
    let policy = vault.policy().unwrap();
    for n in 0..ORDERS {
        let order_no = format!("{name}-{n}");
        vault.put(&Fields::from_json(&order(&order_no), &policy).unwrap()).unwrap();
        let seen = vault.open("Swift", "delivery", &order_no).unwrap();
        assert_eq!(seen.text("consignee.name").unwrap(), "Canary-Name");
    }
    counter.join().unwrap();
    println!("all done");
}
