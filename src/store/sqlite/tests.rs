//! What the contracts do not say and the files must do all the same.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
    time::Duration,
};

use rusqlite::Connection;

use super::{Database, FILES, OpenError, create, open, orders::Orders, secrets::Secrets};
use crate::store::{
    Item, LedgerHead, LedgerRow, OrderStore, RecordRow, SecretRow, SecretState, SecretStore, StoreError,
    Stores,
};

/// A folder that is there for one test, and a vault's place in it.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn vault(&self) -> PathBuf {
        self.0.path().join("vault")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.vault().join(name)
    }

    fn with_vault() -> Self {
        let place = Self::new();
        drop(create(&place.vault()).unwrap());
        place
    }

    fn secrets(&self) -> Secrets {
        Secrets::new(Database::open(&self.file("secrets.db"), super::secrets::TABLES).unwrap()).unwrap()
    }

    /// Every byte of secrets.db, its log and its index.
    fn bytes_of_secrets(&self) -> Vec<u8> {
        self.bytes_of("secrets.db")
    }

    fn bytes_of(&self, database: &str) -> Vec<u8> {
        let files = fs::read_dir(self.vault()).unwrap().map(|entry| entry.unwrap().path());
        let files = files.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(database));
        files.flat_map(|path| fs::read(path).unwrap()).collect()
    }
}

fn error_of<T>(result: Result<T, OpenError>) -> Option<StoreError> {
    result.err().map(|e| e.fault)
}

#[test]
fn rows_outlive_the_process() {
    let place = Place::new();
    let stores = create(&place.vault()).unwrap();
    stores.orders.insert_records(&[record(1)]).unwrap();
    stores.secrets.insert_secrets(&[secret(1, &[3; 104])]).unwrap();
    stores.keys.write_items(&[Item { kind: 1, id: 2, generation: 3, body: vec![4] }]).unwrap();
    append(&stores, &[1]);
    drop(stores);
    let stores = open(&place.vault()).unwrap();
    assert_eq!(stores.orders.records(&[[1; 16]]).unwrap(), [Some(record(1))]);
    assert_eq!(stores.secrets.secrets(&[[1; 16]]).unwrap(), [[secret(1, &[3; 104])]]);
    assert_eq!(stores.keys.items().unwrap().len(), 1);
    assert_eq!(stores.ledger.head().unwrap().size, 1);
}

#[test]
fn settings_are_in_force() {
    let place = Place::with_vault();
    let secrets = place.secrets();
    let number = |name: &str| {
        secrets.0.connection().unwrap().pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap()
    };
    let expected = [
        ("synchronous", 2),
        ("secure_delete", 1),
        ("temp_store", 2),
        ("trusted_schema", 0),
        ("mmap_size", 0),
    ];
    for (name, value) in expected {
        assert_eq!(number(name), value, "{name}");
    }
    let mode: String =
        secrets.0.connection().unwrap().pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
}

#[test]
fn a_taken_path_is_left_as_it_is() {
    let place = Place::new();
    fs::create_dir(place.vault()).unwrap();
    fs::write(place.file("letter"), "mine").unwrap();
    assert_eq!(error_of(create(&place.vault())), Some(StoreError::Exists));
    let names: Vec<_> =
        fs::read_dir(place.vault()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["letter"]);
}

#[cfg(unix)]
mod reachable {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn only_the_owner_reaches_folder_and_files() {
        let place = Place::new();
        let stores = create(&place.vault()).unwrap();
        stores.orders.insert_records(&[record(1)]).unwrap();
        assert_eq!(mode(&place.vault()), 0o700);
        let mut names = HashSet::new();
        for entry in fs::read_dir(place.vault()).unwrap() {
            let path = entry.unwrap().path();
            assert_eq!(mode(&path), 0o600, "{}", path.display());
            names.insert(path.file_name().unwrap().to_str().unwrap().to_owned());
        }
        assert!(names.contains("orders.db-wal") && names.contains("orders.db-shm") && names.contains("lock"));
    }

    #[test]
    fn folders_and_files_open_to_others_are_refused() {
        let names = FILES.into_iter().chain(["", "lock"]);
        for name in names {
            for extra in [0o040, 0o020, 0o004, 0o001] {
                let place = Place::with_vault();
                let path = if name.is_empty() { place.vault() } else { place.file(name) };
                fs::set_permissions(&path, fs::Permissions::from_mode(mode(&path) | extra)).unwrap();
                assert_eq!(error_of(open(&place.vault())), Some(StoreError::Exposed), "{name} {extra:o}");
            }
        }
    }

    #[test]
    fn logs_open_to_others_are_refused() {
        for suffix in ["-wal", "-shm", "-journal"] {
            let place = Place::with_vault();
            let log = place.file(&format!("secrets.db{suffix}"));
            fs::write(&log, "").unwrap();
            fs::set_permissions(&log, fs::Permissions::from_mode(0o640)).unwrap();
            assert_eq!(error_of(open(&place.vault())), Some(StoreError::Exposed), "{suffix}");
        }
    }

    #[test]
    fn linked_files_are_refused() {
        for name in FILES.into_iter().chain(["lock"]) {
            let place = Place::with_vault();
            fs::rename(place.file(name), place.0.path().join("elsewhere")).unwrap();
            symlink(place.0.path().join("elsewhere"), place.file(name)).unwrap();
            assert_eq!(error_of(open(&place.vault())), Some(StoreError::Exposed), "{name}");
        }
    }

    #[test]
    fn a_linked_folder_is_refused_with_or_without_a_slash() {
        let place = Place::with_vault();
        symlink(place.vault(), place.0.path().join("link")).unwrap();
        for link in ["link", "link/", "link/."] {
            assert_eq!(error_of(open(&place.0.path().join(link))), Some(StoreError::Exposed), "{link}");
        }
    }

    #[test]
    fn other_users_files_are_refused() {
        let place = Place::with_vault();
        // Only root can give a file away; for others the test ends here.
        if std::os::unix::fs::chown(place.file("keys.db"), Some(65_534), None).is_ok() {
            assert_eq!(error_of(open(&place.vault())), Some(StoreError::Exposed));
        }
    }
}

#[test]
fn files_of_a_newer_version_are_refused() {
    for name in FILES {
        let place = Place::with_vault();
        Connection::open(place.file(name)).unwrap().pragma_update(None, "user_version", 2).unwrap();
        assert_eq!(error_of(open(&place.vault())), Some(StoreError::Newer), "{name}");
    }
}

#[test]
fn garbage_and_missing_files_are_damage() {
    for name in FILES {
        let place = Place::with_vault();
        for garbage in [vec![0x5a; 8192], Vec::new()] {
            fs::write(place.file(name), garbage).unwrap();
            assert_eq!(error_of(open(&place.vault())), Some(StoreError::Damaged), "{name}");
        }
        fs::remove_file(place.file(name)).unwrap();
        assert_eq!(error_of(open(&place.vault())), Some(StoreError::Damaged), "{name}");
        assert!(!place.file(name).exists(), "opening makes no file");
    }
}

#[test]
fn a_foreign_database_is_refused_and_not_written_to() {
    let place = Place::with_vault();
    let path = place.file("keys.db");
    // Into the vault's own file, which has the right mode.
    fs::write(&path, "").unwrap();
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE notes (text)").unwrap();
    let before = fs::read(&path).unwrap();
    assert_eq!(error_of(open(&place.vault())), Some(StoreError::Damaged));
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_vault_without_its_tables_is_damaged() {
    let place = Place::with_vault();
    Connection::open(place.file("orders.db")).unwrap().execute_batch("DROP TABLE record").unwrap();
    assert_eq!(error_of(open(&place.vault())), Some(StoreError::Damaged));
}

#[test]
fn values_no_store_wrote_are_damage() {
    let place = Place::with_vault();
    let stores = open(&place.vault()).unwrap();
    stores.secrets.insert_secrets(&[secret(1, &[3; 104])]).unwrap();
    let changes = [
        ("secrets.db", "UPDATE secret SET serial = -1"),
        ("secrets.db", "UPDATE secret SET serial = 1, state = 9"),
        ("secrets.db", "UPDATE secret SET state = 2, put_at = -1"),
    ];
    for (file, sql) in changes {
        Connection::open(place.file(file)).unwrap().execute_batch(sql).unwrap();
        assert_eq!(stores.secrets.secrets_page(None, 1), Err(StoreError::Damaged), "{sql}");
        assert!(stores.secrets.unsettled().unwrap().is_empty(), "what every writer reads passes over it");
    }
    let changes = [
        "UPDATE secret SET put_at = 1700000000, state = 2, wrapped_size = 4294967295",
        "UPDATE secret SET wrapped_size = 104, slot = 9223372036854775807",
        "UPDATE piece SET bytes = x'00'",
    ];
    let empty = SecretRow {
        state: SecretState::Pending,
        fingerprint: Vec::new(),
        wrapped: Vec::new(),
        ..secret(1, &[])
    };
    for sql in changes {
        Connection::open(place.file("secrets.db")).unwrap().execute_batch(sql).unwrap();
        assert_eq!(stores.secrets.unsettled(), Ok(vec![empty.clone()]), "a row without its bytes: {sql}");
    }
    Connection::open(place.file("ledger.db"))
        .unwrap()
        .execute_batch("UPDATE head SET frontier = x'00'")
        .unwrap();
    assert_eq!(stores.ledger.head(), Err(StoreError::Damaged));
}

#[test]
fn numbers_beyond_sqlites_are_refused_when_writing() {
    let place = Place::with_vault();
    let row = SecretRow { put_at: u64::MAX, ..secret(1, &[3; 104]) };
    let secrets = place.secrets();
    assert_eq!(secrets.insert_secrets(&[row]), Err(StoreError::Failed));
    assert!(secrets.secrets_page(None, 1).unwrap().is_empty());
}

#[test]
fn a_missing_entry_does_not_move_the_later_ones() {
    let place = Place::with_vault();
    let stores = open(&place.vault()).unwrap();
    append(&stores, &[1, 2, 3]);
    Connection::open(place.file("ledger.db"))
        .unwrap()
        .execute_batch("DELETE FROM entry WHERE idx = 1")
        .unwrap();
    assert_eq!(stores.ledger.entries(0, 3), Err(StoreError::Damaged));
    assert_eq!(stores.ledger.entries(2, 1).unwrap()[0].bytes, [3]);
}

#[test]
fn a_full_disk_is_said_and_leaves_the_rest_readable() {
    let place = Place::with_vault();
    let orders = Orders(Database::open(&place.file("orders.db"), super::orders::TABLES).unwrap());
    orders.insert_records(&[record(1)]).unwrap();
    let set_limit = |pages: i64| {
        let set = format!("PRAGMA max_page_count = {pages}");
        orders.0.connection().unwrap().query_row(&set, [], |row| row.get::<_, i64>(0)).unwrap()
    };
    set_limit(set_limit(1));
    let many: Vec<RecordRow> = (2..100).map(record).collect();
    assert_eq!(orders.insert_records(&many), Err(StoreError::Full));
    assert_eq!(orders.records(&[[1; 16], [2; 16]]).unwrap(), [Some(record(1)), None]);
    assert_eq!(orders.count_records().unwrap(), 1);
    set_limit(1_000_000);
    orders.insert_records(&many).unwrap();
    assert_eq!(orders.count_records().unwrap(), 99);
}

#[test]
fn a_quota_and_a_limit_of_size_are_a_full_disk() {
    let failure =
        |code| rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), Some("of row 7".into()));
    let expected = [
        (rusqlite::ffi::SQLITE_FULL, StoreError::Full),
        (rusqlite::ffi::SQLITE_IOERR_WRITE, StoreError::Full),
        (rusqlite::ffi::SQLITE_IOERR_FSYNC, StoreError::Failed),
        (rusqlite::ffi::SQLITE_READONLY, StoreError::ReadOnly),
        (rusqlite::ffi::SQLITE_BUSY_SNAPSHOT, StoreError::Locked),
        (rusqlite::ffi::SQLITE_CANTOPEN_SYMLINK, StoreError::Exposed),
        (rusqlite::ffi::SQLITE_CONSTRAINT_DATATYPE, StoreError::Failed),
    ];
    for (code, error) in expected {
        assert_eq!(super::fault(failure(code)), error, "{code}");
    }
}

#[test]
fn two_processes_append_without_gap_or_duplicate() {
    const EACH: u8 = 100;
    let place = Place::with_vault();
    thread::scope(|scope| {
        for who in [1, 2] {
            let vault = place.vault();
            scope.spawn(move || {
                let stores = open(&vault).unwrap();
                (0..EACH).for_each(|n| append(&stores, &[who, n]));
            });
        }
    });
    let stores = open(&place.vault()).unwrap();
    let entries: Vec<_> =
        stores.ledger.entries(0, usize::MAX).unwrap().into_iter().map(|row| row.bytes).collect();
    assert_eq!(entries.len(), 4 * usize::from(EACH));
    assert_eq!(stores.ledger.head().unwrap().size, 4 * u64::from(EACH));
    for who in [1, 2] {
        // Each append's two entries lie side by side, and one writer's appends in their order.
        let own: Vec<u8> = entries.chunks(2).filter(|pair| pair[0] == [who]).map(|pair| pair[1][0]).collect();
        assert_eq!(own, (0..EACH).collect::<Vec<_>>());
    }
}

#[test]
fn items_of_another_process_are_noticed() {
    let place = Place::with_vault();
    let (one, other) = (open(&place.vault()).unwrap(), open(&place.vault()).unwrap());
    let before = one.keys.items_version().unwrap();
    other.keys.write_items(&[Item { kind: 1, id: 1, generation: 1, body: vec![1] }]).unwrap();
    assert_ne!(one.keys.items_version().unwrap(), before);
}

#[test]
fn the_lock_excludes_other_processes_and_frees_itself() {
    let place = Place::with_vault();
    let (one, other) = (open(&place.vault()).unwrap(), open(&place.vault()).unwrap());
    let (said, heard) = mpsc::channel();
    thread::scope(|scope| {
        let writer = one.lock.hold().unwrap();
        scope.spawn(move || {
            let _writer = other.lock.hold().unwrap();
            said.send(()).unwrap();
        });
        assert!(heard.recv_timeout(Duration::from_millis(200)).is_err(), "two writers");
        drop(writer);
        heard.recv_timeout(Duration::from_secs(5)).unwrap();
    });
    drop(one.lock.hold().unwrap());
}

#[test]
fn replaced_secrets_are_in_no_file_after_wiping() {
    let place = Place::with_vault();
    let secrets = place.secrets();
    let pattern: Vec<u8> = (0..64).map(|n| n * 3 + 1).collect();
    let old = secret(1, &pattern);
    secrets.insert_secrets(std::slice::from_ref(&old)).unwrap();
    assert_eq!(left_of(&pattern, &place.bytes_of_secrets()), 57, "the search finds what is there");
    let new = SecretRow { state: SecretState::Shredded, ..secret(1, &[9; 80]) };
    secrets.replace_secrets(&[(old.record_id, old.n1)], std::slice::from_ref(&new)).unwrap();
    secrets.wipe_removed(crate::store::LOCK_WAIT).unwrap();
    assert_eq!(left_of(&pattern, &place.bytes_of_secrets()), 0);
    assert_eq!(secrets.secrets(&[[1; 16]]).unwrap(), [[new]]);
}

#[test]
fn a_reader_delays_wiping_but_not_the_new_row() {
    let place = Place::with_vault();
    let secrets = place.secrets();
    let pattern: Vec<u8> = (0..64).map(|n| n * 3 + 1).collect();
    let old = secret(1, &pattern);
    secrets.insert_secrets(std::slice::from_ref(&old)).unwrap();
    let reader = Connection::open(place.file("secrets.db")).unwrap();
    reader.execute_batch("BEGIN; SELECT * FROM secret;").unwrap();
    let new = SecretRow { state: SecretState::Shredded, ..secret(1, &[9; 80]) };
    secrets.replace_secrets(&[(old.record_id, old.n1)], std::slice::from_ref(&new)).unwrap();
    assert_eq!(secrets.wipe(Duration::from_millis(50)), Err(StoreError::Locked));
    assert_eq!(secrets.secrets(&[[1; 16]]).unwrap(), [[new.clone()]], "the new row stays");
    assert_ne!(left_of(&pattern, &place.bytes_of_secrets()), 0, "and the old bytes are not wiped yet");
    reader.execute_batch("COMMIT").unwrap();
    secrets.wipe_removed(crate::store::LOCK_WAIT).unwrap();
    assert_eq!(left_of(&pattern, &place.bytes_of_secrets()), 0);
    assert_eq!(secrets.secrets(&[[1; 16]]).unwrap(), [[new]]);
}

#[test]
fn what_a_crash_left_unwiped_is_wiped_when_opening() {
    let place = Place::with_vault();
    let secrets = place.secrets();
    let pattern: Vec<u8> = (0..64).map(|n| n * 3 + 1).collect();
    let old = secret(1, &pattern);
    secrets.insert_secrets(std::slice::from_ref(&old)).unwrap();
    secrets.replace_secrets(&[(old.record_id, old.n1)], &[]).unwrap();
    assert_ne!(left_of(&pattern, &place.bytes_of_secrets()), 0);
    // Never closed, as after a crash.
    std::mem::forget(secrets);
    let _secrets = place.secrets();
    assert_eq!(left_of(&pattern, &place.bytes_of_secrets()), 0);
}

// With the wrapped bytes in the rows of table `secret`, SQLite left old copies in the free space of pages, about one in 4,000
// shreds, although `secure_delete` was on. This is that workload.
#[test]
fn churn_leaves_nothing_of_removed_secrets() {
    let place = Place::with_vault();
    let secrets = place.secrets();
    // Durability is not what this tests.
    secrets.0.connection().unwrap().execute_batch("PRAGMA synchronous = OFF").unwrap();
    let mut random = Random(7);
    let (mut live, mut gone) = (Vec::new(), Vec::new());
    for step in 0..12_000_u64 {
        if live.len() < 1_500 || random.below(10) < 5 {
            let mut id = [0; 16];
            id.copy_from_slice(&random.bytes(16));
            let row = SecretRow { record_id: id, serial: step, ..secret(1, &random.bytes(104)) };
            secrets.insert_secrets(std::slice::from_ref(&row)).unwrap();
            live.push(row);
        } else {
            let row = live.swap_remove(random.below(live.len()));
            let size = random.below(1_024);
            let evidence = SecretRow {
                state: SecretState::Shredded,
                fingerprint: Vec::new(),
                wrapped: random.bytes(if size.is_multiple_of(5) { 0 } else { 72 + size }),
                ..row.clone()
            };
            secrets.replace_secrets(&[(row.record_id, row.n1)], &[evidence]).unwrap();
            gone.push(row.wrapped);
        }
    }
    secrets.wipe_removed(crate::store::LOCK_WAIT).unwrap();
    let bytes = place.bytes_of_secrets();
    let windows: HashSet<&[u8]> = bytes.windows(8).collect();
    let left_of = |wrapped: &Vec<u8>| wrapped.windows(8).filter(|window| windows.contains(window)).count();
    assert!(live.iter().all(|row| left_of(&row.wrapped) == 97), "the search finds what is there");
    assert!(gone.len() > 4_000);
    assert_eq!(gone.iter().map(left_of).sum::<usize>(), 0);
}

/// Items of all sizes come, are replaced and go: nothing of what went is in the files.
#[test]
fn churn_leaves_nothing_of_removed_items() {
    let place = Place::with_vault();
    let stores = open(&place.vault()).unwrap();
    let mut random = Random(11);
    let (mut live, mut gone) = (Vec::new(), Vec::new());
    for id in 0..1_500 {
        let size = 32 + random.below(if id % 9 == 0 { 6_000 } else { 200 });
        let item = Item { kind: 1, id, generation: 1, body: random.bytes(size) };
        stores.keys.write_items(std::slice::from_ref(&item)).unwrap();
        live.push(item);
        if random.below(10) < 6 {
            let mut item = live.swap_remove(random.below(live.len()));
            gone.push(std::mem::take(&mut item.body));
            if random.below(4) == 0 {
                item.body = random.bytes(105);
                live.push(item.clone());
            }
            stores.keys.write_items(&[item]).unwrap();
        }
    }
    stores.keys.wipe_removed(crate::store::LOCK_WAIT).unwrap();
    let bytes = place.bytes_of("keys.db");
    let windows: HashSet<&[u8]> = bytes.windows(8).collect();
    let left_of = |body: &Vec<u8>| body.windows(8).filter(|window| windows.contains(window)).count();
    assert!(live.iter().filter(|item| item.body.len() < 900).all(|item| left_of(&item.body) > 20));
    assert!(gone.len() > 700);
    assert_eq!(gone.iter().map(left_of).sum::<usize>(), 0);
    let mut items = stores.keys.items().unwrap();
    items.iter().for_each(|item| assert!(live.contains(item)));
    items.dedup();
    assert_eq!(items.len(), live.len());
}

/// Whoever reads keeps the log from being truncated; the items are removed all the same.
#[test]
fn wiping_items_waits_for_readers_and_then_says_so() {
    let place = Place::with_vault();
    let stores = open(&place.vault()).unwrap();
    let pattern: Vec<u8> = (0..64).map(|n| n * 3 + 1).collect();
    let item = |body: &[u8]| Item { kind: 3, id: 0, generation: 1, body: body.to_vec() };
    stores.keys.write_items(&[item(&pattern)]).unwrap();
    let reader = Connection::open(place.file("keys.db")).unwrap();
    reader.execute_batch("BEGIN; SELECT * FROM item;").unwrap();
    stores.keys.write_items(&[item(&[])]).unwrap();
    assert_eq!(stores.keys.wipe_removed(Duration::from_millis(50)), Err(StoreError::Locked));
    assert!(stores.keys.items().unwrap().is_empty());
    assert_ne!(left_of(&pattern, &place.bytes_of("keys.db")), 0);
    reader.execute_batch("COMMIT").unwrap();
    stores.keys.wipe_removed(crate::store::LOCK_WAIT).unwrap();
    assert_eq!(left_of(&pattern, &place.bytes_of("keys.db")), 0);
}

/// How many 8-byte windows of the pattern are somewhere in the bytes.
fn left_of(pattern: &[u8], bytes: &[u8]) -> usize {
    pattern.windows(8).filter(|window| bytes.windows(8).any(|bytes| bytes == *window)).count()
}

/// Xorshift: the same bytes at each run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    fn bytes(&mut self, size: usize) -> Vec<u8> {
        std::iter::repeat_with(|| self.next().to_le_bytes()).flatten().take(size).collect()
    }
}

fn record(n: u8) -> RecordRow {
    RecordRow { id: [n; 16], revision: 1, put_day: 20_000, sealed: vec![n; 700], tags: Vec::new() }
}

fn secret(id: u8, wrapped: &[u8]) -> SecretRow {
    SecretRow {
        record_id: [id; 16],
        n1: [id; 10],
        revision: 1,
        generation: 1,
        state: SecretState::Current,
        put_at: 1_700_000_000,
        serial: id.into(),
        policy: 0,
        changed_at: 1_700_000_000,
        fingerprint: vec![id; 16],
        wrapped: wrapped.to_vec(),
    }
}

/// One append of an entry of one byte for each number.
fn append(stores: &Stores, entries: &[u8]) {
    let build = &mut |head: &LedgerHead| {
        let rows = entries.iter().map(|n| LedgerRow { handle: [*n; 16], bytes: vec![*n] }).collect();
        let size = head.size + entries.len() as u64;
        (rows, LedgerHead { size, frontier: vec![[0xfe; 32]; size.count_ones() as usize] })
    };
    stores.ledger.append(build).unwrap();
}

/// What a crash left and what is superseded is looked for before every write: it must not cost more with more orders.
#[test]
fn leftovers_are_found_through_their_indexes() {
    let place = tempfile::tempdir().unwrap();
    create(&place.path().join("vault")).unwrap();
    let connection = Connection::open(place.path().join("vault/secrets.db")).unwrap();
    for (query, index) in [
        ("state = 2 OR (state = 4 AND fingerprint_size > 0) ORDER BY record_id, n1", "unsettled"),
        ("state = 3 AND changed_at < 7 ORDER BY changed_at LIMIT 9", "superseded"),
    ] {
        let sql = format!("EXPLAIN QUERY PLAN SELECT slot FROM secret WHERE {query}");
        let plan: String = connection.query_row(&sql, [], |row| row.get(3)).unwrap();
        assert!(plan.contains(&format!("INDEX {index}")), "{plan}");
    }
}
