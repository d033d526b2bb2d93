//! The rows of a vault's puts, written again by bare `rusqlite`: to the same tables, with the same settings, in as many transactions.

use std::{iter::repeat_n, path::Path};

use rusqlite::{
    Connection, OpenFlags, TransactionBehavior, config::DbConfig, params_from_iter, types::Value,
};

/// The databases in the order in which a put makes them durable, and the tables that it writes.
const DATABASES: [(&str, &[Table]); 3] = [
    (
        "secrets.db",
        &[
            Table { name: "secret", from: "secret", key: "serial" },
            Table { name: "piece", from: "piece", key: "slot" },
        ],
    ),
    ("ledger.db", &[Table { name: "entry", from: "entry", key: "idx" }]),
    (
        "orders.db",
        &[
            Table { name: "record", from: "record", key: "record.rowid" },
            Table { name: "tag", from: "record JOIN tag USING (id)", key: "record.rowid" },
        ],
    ),
];

struct Table {
    name: &'static str,
    /// With what it is read, by a key that grows from put to put.
    from: &'static str,
    key: &'static str,
}

pub(crate) struct Bare(Vec<Database>);

struct Database {
    vaults: Connection,
    own: Connection,
    tables: Vec<(&'static Table, Rows)>,
    head: Option<Vec<Value>>,
}

struct Rows {
    rows: Vec<Vec<Value>>,
    greatest_key: i64,
}

impl Bare {
    /// Databases in `folder` with the tables and indices of those of `vault`, without their rows.
    pub(crate) fn create(folder: &Path, vault: &Path) -> Self {
        let database = |(file, tables): &(&str, &'static [Table])| {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
            let vaults = Connection::open_with_flags(vault.join(file), flags).unwrap();
            let own = Connection::open(folder.join(file)).unwrap();
            own.execute_batch(&schema(&vaults)).unwrap();
            configure(&own);
            let tables = tables.iter().map(|table| (table, Rows { rows: Vec::new(), greatest_key: -1 }));
            Database { vaults, own, tables: tables.collect(), head: None }
        };
        let mut bare = Self(DATABASES.iter().map(database).collect());
        bare.0.iter_mut().for_each(Database::read);
        bare
    }

    /// Reads what the vault wrote since the last call: for each order one row in each table.
    pub(crate) fn read(&mut self, orders: usize) {
        for database in &mut self.0 {
            database.read();
            assert!(database.tables.iter().all(|(_, table)| table.rows.len() == orders));
        }
    }

    /// Writes it, each database durably before the next.
    pub(crate) fn write(&mut self) {
        self.0.iter_mut().for_each(Database::write);
    }
}

impl Database {
    fn read(&mut self) {
        for (Table { name, from, key }, Rows { rows, greatest_key }) in &mut self.tables {
            let sql = format!("SELECT {name}.*, {key} FROM {from} WHERE {key} > ?1 ORDER BY {key}");
            let mut select = self.vaults.prepare_cached(&sql).unwrap();
            let columns = select.column_count();
            let row = |row: &rusqlite::Row<'_>| (0..columns).map(|column| row.get(column)).collect();
            *rows = select.query_map([*greatest_key], row).unwrap().collect::<Result<_, _>>().unwrap();
            for row in rows {
                let Some(Value::Integer(key)) = row.pop() else { panic!("a key that is no number") };
                *greatest_key = key;
            }
        }
        let head = |row: &rusqlite::Row<'_>| Ok(vec![row.get(0)?, row.get(1)?]);
        self.head = self.vaults.query_row("SELECT size, frontier FROM head", [], head).ok();
    }

    fn write(&mut self) {
        let transaction = self.own.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
        for (table, Rows { rows, .. }) in &self.tables {
            let Some(first) = rows.first() else { continue };
            let places = repeat_n("?", first.len()).collect::<Vec<_>>().join(", ");
            let sql = format!("INSERT INTO {} VALUES ({places})", table.name);
            let mut insert = transaction.prepare_cached(&sql).unwrap();
            for row in rows {
                insert.execute(params_from_iter(row)).unwrap();
            }
        }
        if let Some(head) = &self.head {
            let mut update =
                transaction.prepare_cached("INSERT OR REPLACE INTO head VALUES (1, ?, ?)").unwrap();
            update.execute(params_from_iter(head)).unwrap();
        }
        transaction.commit().unwrap();
    }
}

/// The statements that make the same tables and indices.
fn schema(vaults: &Connection) -> String {
    let sql = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid";
    let mut select = vaults.prepare(sql).unwrap();
    let statements: Vec<String> =
        select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    statements.join(";")
}

/// As `src/store/sqlite/` sets them, as far as they bear on durability and speed.
fn configure(own: &Connection) {
    let settings = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA temp_store = MEMORY;
        PRAGMA mmap_size = 0; PRAGMA wal_autocheckpoint = 8000;";
    own.execute_batch(settings).unwrap();
    own.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).unwrap();
    if own.path().is_some_and(|path| path.ends_with("secrets.db")) {
        own.execute_batch("PRAGMA secure_delete = ON").unwrap();
    }
}
