//! Each value of one order, and each key, is a canary. It is looked for in every form, wherever the vault's work leaves bytes: files
//! at work, closed and after a kill, the temporary folder, errors, logged types, what a panic prints, what may be published.
//!
//! What is left in memory, swap and core dumps is not looked at: `docs/threat-model.md`, Memory.
#![cfg(all(feature = "sqlite", unix))]
#![allow(clippy::print_stdout, clippy::unwrap_used)]

mod common;
#[path = "faulty/disk.rs"]
mod disk;

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader, Write},
    panic::AssertUnwindSafe,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use common::{
    ROOT, all_bytes,
    canaries::{self, Canaries, MAIL, NUMBER, PHONE},
    staffed,
};
use consignee::{
    ErrorKind, Fields, KeyFile, Order, Passphrase, Patch, Record, RecordField, RootKey, RootKeyProvider,
    Setup, ShredMode, Value, ValueRef, Vault, policy::Policy,
};
use disk::Disk;
use sha2::{Digest, Sha256};

const CHILD: &str = "CANARIES_CHILD";

/// A folder with a vault in it, of the policy that has fields of every type.
struct Place(tempfile::TempDir);

impl Place {
    fn new(root: &dyn RootKeyProvider) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        let setup = Setup { policy: canaries::policy().into(), ..Setup::default() };
        staffed(&Vault::create(&place.path(), root, &setup).unwrap());
        place
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("vault")
    }

    fn unlock(&self) -> Vault {
        Vault::unlock(&self.path(), &KeyFile::from_bytes(ROOT)).unwrap()
    }
}

fn key() -> KeyFile {
    KeyFile::from_bytes(ROOT)
}

fn order(order_no: &str) -> Order {
    static POLICY: LazyLock<Policy> = LazyLock::new(|| Policy::parse(&canaries::policy()).unwrap());
    Order::from_json(&canaries::json(order_no), &POLICY).unwrap()
}

/// The order's values, and their hashes without a key, by which whoever guesses a value would know it.
fn secrets() -> Canaries {
    let hashed = |text: &str| Sha256::digest(text.as_bytes());
    canaries::of_order()
        .bytes("hash of the number", &hashed(NUMBER))
        .bytes("hash of the phone", &hashed(PHONE))
        .bytes("hash of the mail", &hashed(MAIL))
}

/// The files of the vault as they are now; one may vanish while it is read.
fn bytes_now(folder: &Path) -> Vec<u8> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.flat_map(|path| fs::read(path).unwrap_or_default()).collect()
}

/// All that is done with an order, once: put, seen by each role, found, changed, shredded.
fn whole_life(vault: &Vault, order_no: &str) {
    vault.put(&order(order_no)).unwrap();
    for (party, purpose) in [
        ("SF Express", "delivery"),
        ("agent 17", "after_sale"),
        ("ledger clerk", "accounting"),
        ("shop", "operation"),
    ] {
        vault.open(party, purpose, order_no).unwrap();
    }
    // None of the lines is its own.
    assert!(
        !vault
            .open("Yixing Ltd", "fulfilment", order_no)
            .unwrap()
            .to_json()
            .to_string()
            .contains("Nachtigall")
    );
    vault.find("agent 17", "after_sale", "consignee.phone", PHONE).unwrap();
    vault.find("agent 17", "after_sale", "extra.mail", MAIL).unwrap();
    let patch = Patch::new().set("consignee.name", Value::Text("Zaunkönig Adalbert II".into()));
    assert_eq!(vault.update(order_no, 1, patch).unwrap(), 2);
    vault.put(&order(order_no)).unwrap_err();
    vault.shred(order_no, "Bitte beim Steinkauz abgeben", ShredMode::KeepEvidence).unwrap();
    vault.put(&order(order_no)).unwrap_err();
}

#[test]
fn the_search_finds_each_canary_in_what_the_shop_itself_may_see() {
    let place = Place::new(&key());
    let vault = place.unlock();
    vault.put(&order(NUMBER)).unwrap();
    let view = vault.open("shop", "operation", NUMBER).unwrap().to_json().to_string();
    let seen = canaries::of_order();
    let seen = seen.seen_in(&view);
    let not_seen: Vec<_> = canaries::fields().into_iter().filter(|field| !seen.contains(field)).collect();
    assert!(not_seen.is_empty(), "{not_seen:?}: {view}");
    // And in other forms: behind two other bytes in base64, in UTF-16, in hexadecimal, as the number of its bytes.
    let one = Canaries::default().text("phone", PHONE).number("points", 550_912_873_461);
    for hidden in [
        "eHgxMzg3MDkxNzI2Mw==".as_bytes(),
        "1\u{0}3\u{0}8\u{0}7\u{0}0\u{0}9\u{0}1\u{0}7\u{0}2\u{0}6\u{0}3\u{0}".as_bytes(),
        b"3133383730393137323633",
        b"36271907831",
        &550_912_873_461_i64.to_le_bytes(),
    ] {
        assert_eq!(one.seen_in(hidden).len(), 1, "{hidden:?}");
    }
    assert!(one.seen_in("eHgxMzg3MDkxNzI2NA==").is_empty(), "another number");
}

/// The thief copies the files again and again while orders are put, opened, found, changed and shredded.
#[test]
fn a_thief_who_copies_the_files_while_the_vault_works_reads_no_value() {
    let place = Place::new(&key());
    let vault = place.unlock();
    let secrets = secrets();
    let over = AtomicBool::new(false);
    let copies = thread::scope(|scope| {
        let worker = scope.spawn(|| {
            // One transaction of 150 rows is in the log before it is committed.
            let many: Vec<_> = (0..150).map(|n| order(&format!("{NUMBER}-{n}"))).collect();
            vault.put_many(&many).unwrap();
            let lives = (0..).take_while(|n| *n < 4 || !over.load(Ordering::Acquire));
            lives.for_each(|n| whole_life(&vault, &format!("{NUMBER}-life-{n}")));
        });
        let mut copies = 0;
        while !worker.is_finished() {
            secrets.none_in(bytes_now(&place.path()), "a copy of the files at work");
            copies += 1;
            over.store(copies >= 5, Ordering::Release);
            // So that a fast disk is not copied a thousand times.
            thread::sleep(Duration::from_millis(10));
        }
        copies
    });
    assert!(copies >= 5, "copied {copies} times only");
    assert!(place.path().join("orders.db-wal").metadata().unwrap().len() > 100_000, "the log was looked at");
    secrets.none_in(bytes_now(&place.path()), "the files of an idle vault");
    drop(vault);
    secrets.none_in(all_bytes(&place.path()), "the files of a closed vault");
}

/// The log of a killed process is still there, with whatever it was about to write.
#[test]
fn a_thief_who_finds_the_files_of_a_killed_process_reads_no_value() {
    let (place, secrets) = (Place::new(&key()), secrets());
    let mut logged = 0;
    for (round, life) in [1, 60, 120, 200].into_iter().enumerate() {
        let mut child = child("work", &place.path()).stdout(Stdio::piped()).spawn().unwrap();
        // Kept, so that it can go on speaking until it is killed.
        let mut said = BufReader::new(child.stdout.take().unwrap());
        wait_for(&mut said, "working");
        thread::sleep(Duration::from_millis(life));
        child.kill().unwrap();
        child.wait().unwrap();
        secrets.none_in(all_bytes(&place.path()), &format!("what kill {round} left"));
        logged += place.path().join("orders.db-wal").metadata().unwrap().len();
    }
    assert!(logged > 10_000, "the log of a killed process was looked at");
    assert!(!place.unlock().list(None, 10).unwrap().is_empty(), "orders were put");
}

/// SQLite puts large results aside in files of the temporary folder, where no vault's mode protects them.
#[test]
fn who_watches_the_temporary_folder_sees_no_file_appear() {
    for (task, appear) in [("large", false), ("spill", true)] {
        let (place, temporary) = (Place::new(&key()), tempfile::tempdir().unwrap());
        let Some(disk) = Disk::built(place.0.path()) else { return };
        let mut child = child(task, &place.path());
        disk.under(&mut child, &place.path()).env("TMPDIR", temporary.path());
        let output = child.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        // Also those that never had a name.
        assert_eq!(disk.created_elsewhere() > 0, appear, "{task}");
    }
}

/// Remembers every key that it wraps.
#[derive(Clone)]
struct Listening(Arc<Mutex<Vec<[u8; 32]>>>);

struct Heard(Box<dyn RootKey>, Listening);

impl RootKeyProvider for Listening {
    fn new_parameters(&self) -> consignee::Result<Vec<u8>> {
        key().new_parameters()
    }

    fn unlock(&self, parameters: &[u8]) -> consignee::Result<Box<dyn RootKey>> {
        Ok(Box::new(Heard(key().unlock(parameters)?, self.clone())))
    }
}

impl RootKey for Heard {
    fn wrap(&self, context: &[u8], key: &[u8; 32]) -> consignee::Result<Vec<u8>> {
        self.1.0.lock().unwrap().push(*key);
        self.0.wrap(context, key)
    }

    fn unwrap(&self, context: &[u8], wrapped: &[u8]) -> consignee::Result<zeroize::Zeroizing<[u8; 32]>> {
        self.0.unwrap(context, wrapped)
    }
}

#[test]
fn a_thief_of_the_files_finds_no_key_in_them() {
    let listening = Listening(Arc::default());
    let place = Place::new(&listening);
    let vault = place.unlock();
    whole_life(&vault, NUMBER);
    let wider = canaries::policy() + "[field.\"extra.late\"]\nid = 40\ntype = \"text\"\n";
    let before = listening.0.lock().unwrap().len();
    Vault::unlock(&place.path(), &listening)
        .unwrap()
        .apply_policy(&wider, consignee::ExistingOrders::Yes)
        .unwrap();
    let keys = listening.0.lock().unwrap().clone();
    // One for each part, two indexes, release, id, alias, registry, query; and the new field's.
    assert!(before >= 25 && keys.len() > before, "{before}, {} keys", keys.len());
    let mut secrets = Canaries::default().bytes("root key", &ROOT);
    for (n, key) in keys.iter().enumerate() {
        // Half a key is too much as well.
        secrets = secrets.bytes(&format!("key {n}"), &key[..16]).bytes(&format!("key {n}"), &key[16..]);
    }
    assert_eq!(
        secrets.seen_in([b"x".as_slice(), &keys[7]].concat()).len(),
        1,
        "a key is found if it is there"
    );
    secrets.none_in(bytes_now(&place.path()), "the files at work");
    drop(vault);
    secrets.none_in(all_bytes(&place.path()), "the closed files");
}

#[test]
fn a_thief_of_the_files_finds_no_passphrase_in_them() {
    const PHRASE: &str = "fuenf zufaellige Voegel im Nest";
    let (temporary, secrets) = (tempfile::tempdir().unwrap(), Canaries::default().text("passphrase", PHRASE));
    let path = temporary.path().join("vault");
    let vault = Vault::create(&path, &Passphrase::new(PHRASE), &Setup::default()).unwrap();
    let wrong = Vault::unlock(&path, &Passphrase::new(format!("{PHRASE}!"))).map(drop).unwrap_err();
    secrets.none_in(bytes_now(&path), "the files");
    secrets.none_in(format!("{wrong} {wrong:?}"), "the error");
    vault.add_party(PHRASE, "courier", None).unwrap();
    assert_eq!(secrets.seen_in(bytes_now(&path)).len(), 1, "a party of this name is found");
}

/// The pieces of the wrapped secrets of an order, superseded ones too, by the database itself.
fn wrapped_secrets(folder: &Path, id: [u8; 16]) -> Canaries {
    let secrets = rusqlite::Connection::open(folder.join("secrets.db")).unwrap();
    let sql = "SELECT bytes, fingerprint_size FROM piece JOIN secret USING (slot) WHERE record_id = ?1";
    let mut select = secrets.prepare(sql).unwrap();
    let rows = select.query_map([id], |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, u16>(1)?))).unwrap();
    let mut found = Canaries::default();
    for (row, (bytes, fingerprint)) in rows.map(Result::unwrap).enumerate() {
        // Behind the fingerprint, which says nothing once the secret is gone; up to what the last piece is filled with.
        for piece in bytes[usize::from(fingerprint)..][..96].chunks(16) {
            found = found.bytes(&format!("secret {row}"), piece);
        }
    }
    found
}

#[test]
fn a_thief_after_a_shred_finds_no_wrapped_secret_of_any_revision() {
    let place = Place::new(&key());
    let vault = place.unlock();
    let others: Vec<_> = (0..50).map(|n| order(&format!("{NUMBER}-{n}"))).collect();
    vault.put_many(&others).unwrap();
    let consignee::Put::Stored(id) = vault.put(&order(NUMBER)).unwrap() else {
        panic!("it is there already")
    };
    let note = |text: &str| Patch::new().set("note", Value::Text(text.into()));
    vault.update(NUMBER, 1, note("second")).unwrap();
    vault.update(NUMBER, 2, note("third")).unwrap();
    let secrets = wrapped_secrets(&place.path(), *id.as_bytes());
    assert_eq!(secrets.seen_in(bytes_now(&place.path())).len(), 3, "three revisions are found before");
    // Another process has the vault open and reads meanwhile, and a third tries to put the number again.
    let mut reader = child("read", &place.path()).stdout(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(reader.stdout.take().unwrap());
    wait_for(&mut said, "reading");
    vault.shred(NUMBER, "asked for", ShredMode::KeepEvidence).unwrap();
    secrets.none_in(bytes_now(&place.path()), "the files while another process reads");
    let other = place.unlock();
    for _ in 0..3 {
        assert_eq!(other.put(&order(NUMBER)).unwrap_err().kind(), &ErrorKind::Shredded);
        vault.update(NUMBER, 3, note("fourth")).unwrap_err();
    }
    secrets.none_in(bytes_now(&place.path()), "the files after attempts to put it again");
    reader.kill().unwrap();
    reader.wait().unwrap();
    drop((vault, other));
    secrets.none_in(all_bytes(&place.path()), "the closed files");
}

/// Killed in the middle of a shred: either the order opens, or none of its secret is left once the vault is unlocked again.
#[test]
fn a_thief_after_a_shred_that_was_killed_finds_the_whole_order_or_nothing() {
    let place = Place::new(&key());
    let (mut opened, mut shredded) = (0, 0);
    for (round, delay) in [0, 0, 0, 1, 2, 3, 5, 10, 30, 100, 300, 1_000].into_iter().enumerate() {
        let number = format!("{NUMBER}-{round}");
        let vault = place.unlock();
        let consignee::Put::Stored(id) = vault.put(&order(&number)).unwrap() else {
            panic!("it is there already")
        };
        vault.update(&number, 1, Patch::new().set("note", Value::Text("second".into()))).unwrap();
        let secrets = wrapped_secrets(&place.path(), *id.as_bytes());
        drop(vault);
        let mut child =
            child(&format!("shred:{number}"), &place.path()).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        wait_for(&mut said, "shredding");
        thread::sleep(Duration::from_millis(delay));
        child.kill().unwrap();
        child.wait().unwrap();
        let vault = place.unlock();
        match vault.open("shop", "operation", &number) {
            Ok(_) => {
                opened += 1;
                assert!(!secrets.seen_in(bytes_now(&place.path())).is_empty(), "round {round}");
            }
            Err(e) => {
                shredded += 1;
                assert_eq!(*e.kind(), ErrorKind::Shredded, "round {round}");
                // The next writer settles what unlocking did not.
                vault.put(&order(&format!("{number}-next"))).unwrap();
                secrets.none_in(bytes_now(&place.path()), &format!("round {round}: the files"));
            }
        }
    }
    println!("{opened} killed before the shred, {shredded} after");
    assert!(shredded > 0);
}

/// Whoever may not open an order still sees the errors that it causes, in logs and on screens.
#[test]
fn a_reader_of_errors_reads_no_value_of_the_order_that_caused_them() {
    let policy = Arc::new(Policy::parse(&canaries::policy()).unwrap());
    let secrets = secrets();
    let (mut errors, mut kinds) = (0, BTreeSet::new());
    let mut look = |error: consignee::Error| {
        errors += 1;
        kinds.insert(error.kind().name());
        let source = std::error::Error::source(&error).map(ToString::to_string);
        let text = format!("{error} {error:?} {error:#?} {} {:?} {source:?}", error.hint(), error.kind());
        secrets.none_in(&text, "an error");
        text
    };
    let whole: serde_json::Value = serde_json::from_str(&canaries::json(NUMBER)).unwrap();
    for text in spoilt(&whole) {
        let read = Order::from_json(&text, &policy).map(drop);
        let as_fields =
            Fields::from_json(&text, &policy).and_then(|fields| fields.into_record::<Order>(&policy));
        let as_patch = Patch::from_json(&text, &policy).map(drop);
        [read, as_fields.map(drop), as_patch].into_iter().filter_map(Result::err).for_each(|e| drop(look(e)));
        // A file of orders where the policy should be. (Of a policy, the names of its tables and keys are repeated.)
        if text.starts_with('{') {
            let as_policy = Vault::in_memory(&Setup { policy: text.into(), ..Setup::default() });
            drop(look(as_policy.map(drop).unwrap_err()));
        }
    }
    let place = Place::new(&key());
    let vault = place.unlock();
    vault.put(&order(NUMBER)).unwrap();
    let mut other = order(NUMBER);
    other.note = "Bitte beim Steinkauz abgeben!".into();
    let set = |name: &str, value| Patch::new().set(name, value);
    let long = "Zaunkönig Adalbert".repeat(100_000);
    for failed in [
        vault.put(&other).map(drop),
        vault.put(&Order { note: long.clone(), ..order("SO-2") }).map(drop),
        vault.put(&Order { order_no: NUMBER.repeat(20), ..order("SO-2") }).map(drop),
        vault
            .put(&Fields::new().with("order_no", Value::Text("SO-2".into())).with(PHONE, Value::Bool(true)))
            .map(drop),
        vault.open("SF Express", "delivery", PHONE).map(drop),
        vault.open(PHONE, "delivery", NUMBER).map(drop),
        vault.open("SF Express", PHONE, NUMBER).map(drop),
        vault.open("shop", "operation", NUMBER).unwrap().get(PHONE).map(drop),
        vault.open("SF Express", "delivery", NUMBER).unwrap().get("note").map(drop),
        vault.find("SF Express", "delivery", "consignee.phone", PHONE).map(drop),
        vault.find("agent 17", "after_sale", "consignee.name", "Zaunkönig Adalbert").map(drop),
        vault.find("agent 17", "after_sale", PHONE, PHONE).map(drop),
        vault.update(NUMBER, 7, set("note", Value::Text(PHONE.into()))).map(drop),
        vault.update(NUMBER, 1, set(PHONE, Value::Text(PHONE.into()))).map(drop),
        vault.update(NUMBER, 1, set("note", Value::Integer(81_726_354))).map(drop),
        vault.update(NUMBER, 1, set("note", Value::Text(long))).map(drop),
        vault.update(NUMBER, 1, set("order_no", Value::Text(format!("{NUMBER}-2")))).map(drop),
        vault.update_as::<Order>(NUMBER, 1, set("consignee.phone", Value::Json(PHONE.into()))).map(drop),
        vault.shred("SO-Uhu-90210772", "Bitte beim Steinkauz abgeben", ShredMode::KeepEvidence).map(drop),
        vault.shred(NUMBER, &"Bitte beim Steinkauz abgeben".repeat(60), ShredMode::KeepEvidence).map(drop),
        vault.resolve_alias(PHONE).map(drop),
        vault.add_party("Nest", PHONE, None).map(drop),
        vault.add_party(&PHONE.repeat(20), "courier", None).map(drop),
        vault.revoke_party(PHONE).map(drop),
        Vault::unlock(&place.path().join(PHONE), &key()).map(drop),
        Vault::unlock(&place.path(), &KeyFile::from_bytes([7; 32])).map(drop),
        KeyFile::read(&place.0.path().join(PHONE)).map(drop),
    ] {
        drop(look(failed.unwrap_err()));
    }
    // Damaged while it is open.
    for (file, sql) in [
        ("orders.db", "UPDATE record SET sealed = zeroblob(300)"),
        ("secrets.db", "UPDATE secret SET state = 3"),
        ("secrets.db", "UPDATE secret SET state = 9"),
        ("secrets.db", "DELETE FROM secret"),
    ] {
        rusqlite::Connection::open(place.path().join(file)).unwrap().execute_batch(sql).unwrap();
        drop(look(vault.open("shop", "operation", NUMBER).map(drop).unwrap_err()));
    }
    let said = look(vault.open("shop", "operation", "SO-9").map(drop).unwrap_err());
    assert!(!secrets.seen_in(said + PHONE).is_empty(), "a value is found if it is there");
    assert!(errors > 1_000 && kinds.len() >= 8, "{errors} errors of {kinds:?}");
}

/// The order's JSON with each of its values replaced by others, with further keys, and cut short.
fn spoilt(whole: &serde_json::Value) -> Vec<String> {
    let text = whole.to_string();
    let wrong = [
        serde_json::json!(null),
        serde_json::json!(81_726_354),
        serde_json::json!(true),
        serde_json::json!(PHONE),
        serde_json::json!([PHONE]),
        serde_json::json!([[PHONE]]),
        serde_json::json!([{ PHONE: { PHONE: PHONE } }]),
        serde_json::json!({ PHONE: PHONE }),
        serde_json::json!(PHONE.repeat(7_000)),
    ];
    let mut found = Vec::new();
    let mut paths = Vec::new();
    paths_of(whole, String::new(), &mut paths);
    for path in &paths {
        for wrong in &wrong {
            let mut spoilt = whole.clone();
            *spoilt.pointer_mut(path).unwrap() = wrong.clone();
            found.push(spoilt.to_string());
        }
        let mut spoilt = whole.clone();
        if let Some(object) = spoilt.pointer_mut(path).and_then(serde_json::Value::as_object_mut) {
            object.insert(PHONE.to_owned(), PHONE.into());
            found.push(spoilt.to_string());
        }
    }
    let ends = (0..text.len()).step_by(7).filter(|end| text.is_char_boundary(*end));
    found.extend(ends.map(|end| text[..end].to_owned()));
    found.extend([text.replace("\"note\"", "\"order_no\""), format!("{text}{PHONE}"), PHONE.into()]);
    found
}

fn paths_of(value: &serde_json::Value, path: String, found: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(pairs) => {
            pairs.iter().for_each(|(key, value)| paths_of(value, format!("{path}/{key}"), found));
        }
        serde_json::Value::Array(values) => {
            values.iter().enumerate().for_each(|(n, value)| paths_of(value, format!("{path}/{n}"), found));
        }
        _ => {}
    }
    found.push(path);
}

/// An order whose type panics when it is asked for a field, as a program's own may.
struct Panics(Order);

impl Record for Panics {
    const FIELDS: &'static [RecordField] = Order::FIELDS;

    fn field(&self, index: usize) -> Option<ValueRef<'_>> {
        assert!(Self::FIELDS[index].name != "note", "the callback gives up");
        self.0.field(index)
    }
}

#[test]
fn a_panic_in_the_programs_own_code_prints_no_value_and_leaves_the_vault_to_others() {
    let (place, secrets) = (Place::new(&key()), secrets());
    let output = child("panic", &place.path()).output().unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(said.contains("the callback gives up") && said.contains("went on"), "{said}");
    secrets.none_in(&said, "what the panic printed");
    secrets.none_in(bytes_now(&place.path()), "the files");
}

/// What goes out of the house or onto a dashboard: entries, numbers, findings, scopes, the outside of records.
#[test]
fn a_reader_of_what_is_published_reads_no_value() {
    let place = Place::new(&key());
    let vault = place.unlock();
    whole_life(&vault, &format!("{NUMBER}-gone"));
    vault.put(&order(NUMBER)).unwrap();
    vault.open("SF Express", "accounting", NUMBER).unwrap_err();
    let alias = vault.open("SF Express", "delivery", NUMBER).unwrap().alias().to_string();
    let secrets = secrets().text("alias", &alias);
    let shown = [
        ("entries", format!("{:?}", vault.ledger_entries(0, 1_000).unwrap())),
        ("disclosures", format!("{:?}", vault.who_saw(NUMBER).unwrap())),
        ("ledger state", format!("{:?}", vault.ledger_state().unwrap())),
        ("stats", serde_json::to_string(&vault.stats().unwrap()).unwrap()),
        ("findings", format!("{:?}", vault.doctor().unwrap())),
        ("folder", format!("{:?}", Vault::check_folder(&place.path(), &key()))),
        ("scopes", serde_json::to_string(&vault.scopes().unwrap()).unwrap()),
        ("list", format!("{:?}", vault.list(None, 10).unwrap())),
        ("inspection", format!("{:?}", consignee::inspect(&vault.sealed(NUMBER).unwrap()).unwrap())),
    ];
    for (what, text) in shown {
        assert!(text.len() > 40, "{what} is empty");
        secrets.none_in(&text, what);
        let with = format!("{text}{alias}");
        assert_eq!(secrets.seen_in(with).len(), 1, "{what} is searched");
    }
}

/// This binary again, for one task.
fn child(task: &str, folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child_process", "--nocapture", "--test-threads=1"]);
    command.env(CHILD, format!("{task} {}", folder.display()));
    command
}

fn wait_for(output: &mut impl BufRead, word: &str) {
    let mut line = String::new();
    while line.trim() != word {
        line.clear();
        assert!(output.read_line(&mut line).unwrap() > 0, "it never said {word}");
    }
}

fn say(line: &str) {
    let mut out = std::io::stdout();
    out.write_all(format!("\n{line}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

/// Not a test of its own: what the other processes do.
#[test]
fn child_process() {
    let Ok(task) = std::env::var(CHILD) else { return };
    let (task, path) = task.split_once(' ').unwrap();
    let vault = Vault::unlock(Path::new(path), &key()).unwrap();
    match task {
        "work" => {
            for n in 0.. {
                let number = format!("{NUMBER}-{}-{n}", std::process::id());
                let many: Vec<_> = (0..20).map(|m| order(&format!("{number}-{m}"))).collect();
                vault.put_many(&many).unwrap();
                say("working");
                whole_life(&vault, &number);
            }
        }
        "read" => {
            say("reading");
            for n in (0..50).cycle() {
                vault.open("shop", "operation", &format!("{NUMBER}-{n}")).unwrap();
            }
        }
        "large" => {
            whole_life(&vault, NUMBER);
            let many: Vec<_> = (0..1_200).map(|n| order(&format!("{NUMBER}-{n}"))).collect();
            vault.put_many(&many).unwrap();
            vault.doctor().unwrap();
        }
        "spill" => {
            let database = rusqlite::Connection::open(Path::new(path).join("orders.db")).unwrap();
            let sql = "PRAGMA temp_store = FILE; PRAGMA cache_size = 10; CREATE TEMP TABLE aside (bytes);
                WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 9000)
                INSERT INTO aside SELECT randomblob(1000) FROM n;";
            database.execute_batch(sql).unwrap();
        }
        "panic" => {
            let put =
                std::panic::catch_unwind(AssertUnwindSafe(|| vault.put(&Panics(order(NUMBER))).map(drop)));
            assert!(put.is_err());
            vault.put(&order(NUMBER)).unwrap();
            vault.open("shop", "operation", NUMBER).unwrap();
            say("went on");
        }
        other => {
            let number = other.strip_prefix("shred:").unwrap();
            say("shredding");
            vault.shred(number, "asked for", ShredMode::KeepEvidence).unwrap();
            thread::sleep(Duration::from_secs(60));
        }
    }
}
