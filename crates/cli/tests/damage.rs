//! Files that somebody altered or damaged, or that a later version wrote.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::{Run, Shop, order, patch_record, tells_nothing};

/// A vault with one order, and a courier.
fn shop() -> Shop {
    let shop = Shop::new();
    shop.put(&[order("A-1")]);
    shop.staff();
    shop
}

fn open(shop: &Shop) -> Run {
    let run = shop.run(&["open", "v", "--party", "Swift", "--purpose", "delivery", "A-1"]);
    tells_nothing(&run.err);
    run
}

#[test]
fn an_altered_record_does_not_open_and_doctor_finds_it() {
    let shop = shop();
    open(&shop).exits(0);
    let (start, _) = place_of_name(&shop);
    patch_record(&shop.path("v"), start, |byte| byte ^ 1);
    let run = open(&shop).exits(1).says("A-1: ");
    assert!(!run.out.contains("Canary"), "{}", run.out);
    shop.run(&["doctor", "v"]).exits(1).prints("FAULT\torders\t1 order");
}

/// Where the ciphertext of part 3, the consignee's name, begins in the record, and how long it is.
fn place_of_name(shop: &Shop) -> (usize, usize) {
    let shown = shop.run(&["inspect", "v", "A-1"]).exits(0).out;
    let number = |line: &str, column: usize| line.split('\t').nth(column).unwrap().parse().unwrap();
    let size: usize =
        shown.lines().find(|line| line.starts_with("bytes\t")).map(|line| number(line, 1)).unwrap();
    let parts: Vec<(usize, usize)> = shown
        .lines()
        .skip_while(|line| !line.starts_with("part\t"))
        .skip(1)
        .map(|line| (number(line, 0), number(line, 2)))
        .collect();
    let bodies: usize = parts.iter().map(|(_, len)| len).sum();
    let before: usize = parts.iter().take_while(|(part, _)| *part != 3).map(|(_, len)| len).sum();
    let (_, len) = parts.iter().find(|(part, _)| *part == 3).unwrap();
    (size - bodies + before, *len)
}

#[test]
fn a_record_of_a_newer_format_is_not_called_damaged() {
    let shop = shop();
    patch_record(&shop.path("v"), 4, |_| 2);
    open(&shop).exits(1).says("newer");
    shop.run(&["inspect", "v", "A-1"]).exits(1).says("newer");
}

#[test]
fn a_record_that_is_none_is_damaged() {
    let shop = shop();
    patch_record(&shop.path("v"), 0, |byte| byte ^ 0xff);
    open(&shop).exits(1);
    shop.run(&["doctor", "v"]).exits(1).prints("FAULT");
}

#[test]
fn a_database_of_a_newer_version_is_left_alone() {
    let shop = shop();
    let database = rusqlite::Connection::open(shop.path("v/secrets.db")).unwrap();
    database.pragma_update(None, "user_version", 2).unwrap();
    drop(database);
    open(&shop).exits(1).says("update this program");
    shop.run_without_key(&["list", "v"]).exits(1).says("update this program");
}

#[test]
fn a_damaged_database_is_told() {
    for file in ["orders.db", "secrets.db", "keys.db", "ledger.db"] {
        let shop = shop();
        for suffix in ["-wal", "-shm"] {
            let _gone = std::fs::remove_file(shop.path(&format!("v/{file}{suffix}")));
        }
        shop.write(&format!("v/{file}"), b"not a database, and 100 bytes of nothing else".repeat(100));
        let run = open(&shop).exits(1);
        assert!(run.err.contains("damaged") && run.err.contains(file), "{file}: {}", run.err);
        std::fs::remove_file(shop.path(&format!("v/{file}"))).unwrap();
        open(&shop).exits(1).says(&format!("{file} of the vault is missing"));
        shop.run(&["doctor", "v"]).exits(1).prints(&format!("FAULT\tfiles\t{file} is missing"));
    }
}

#[test]
fn a_lost_secret_is_found_by_doctor() {
    let shop = shop();
    let database = rusqlite::Connection::open(shop.path("v/secrets.db")).unwrap();
    database.execute("DELETE FROM secret", []).unwrap();
    drop(database);
    open(&shop).exits(1);
    shop.run(&["doctor", "v"]).exits(1).prints("restore secrets.db");
}

#[test]
fn an_altered_party_or_policy_is_noticed() {
    let shop = shop();
    let database = rusqlite::Connection::open(shop.path("v/keys.db")).unwrap();
    let mut select = database.prepare("SELECT id, body FROM item WHERE kind = 33").unwrap();
    let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let rows: Vec<(u32, Vec<u8>)> = rows.collect::<Result<_, _>>().unwrap();
    let mut changed = 0;
    for (id, mut body) in rows {
        // A courier that would rather be the shop's bookkeeper: the words have the same length.
        if let Some(at) = body.windows(7).position(|word| word == b"courier") {
            body[at..at + 7].copy_from_slice(b"finance");
            changed += database
                .execute("UPDATE item SET body = ?1 WHERE kind = 33 AND id = ?2", (body, id))
                .unwrap();
        }
    }
    assert_eq!(changed, 1);
    drop(select);
    drop(database);
    // Without the key nobody can tell; with it, nothing opens.
    shop.run_without_key(&["party", "list", "v"]).exits(0).prints("Swift\tfinance");
    open(&shop).exits(1);
}
