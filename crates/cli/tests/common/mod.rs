//! Runs the program in temporary folders, without a terminal and without the caller's environment.
#![allow(dead_code, missing_docs, clippy::unwrap_used, unreachable_pub)]

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value as Json;
use tempfile::TempDir;

/// What a run left.
#[derive(Debug)]
pub struct Run {
    pub status: i32,
    pub out: String,
    pub err: String,
}

impl Run {
    #[track_caller]
    pub fn exits(self, status: i32) -> Self {
        assert_eq!(self.status, status, "standard output:\n{}\nstandard error:\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(self.err.contains(text), "not in standard error: {text}\n{}", self.err);
        self
    }

    #[track_caller]
    pub fn prints(self, text: &str) -> Self {
        assert!(self.out.contains(text), "not in standard output: {text}\n{}", self.out);
        self
    }

    /// Each line of standard output as JSON.
    pub fn json(&self) -> Vec<Json> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// A folder with a vault `v` under the key file `key`, and files that tests write.
pub struct Shop {
    pub folder: TempDir,
}

impl Shop {
    /// An empty folder.
    pub fn empty() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    /// A vault with the default policy.
    pub fn new() -> Self {
        let shop = Self::empty();
        shop.run(&["init", "v"]).exits(0);
        shop
    }

    /// A vault with a policy of its own.
    pub fn with_policy(policy: &str) -> Self {
        let shop = Self::empty();
        shop.write("policy.toml", policy);
        shop.run(&["init", "v", "--policy", "policy.toml"]).exits(0);
        shop
    }

    /// A vault with two orders and a party for each role.
    pub fn staffed() -> Self {
        let shop = Self::new();
        shop.put(&[order("A-1"), order("A-2")]);
        shop.staff();
        shop
    }

    pub fn staff(&self) {
        for (name, role, lines) in [
            ("Swift", "courier", None),
            ("Yixing Ltd", "supplier", Some("Yixing")),
            ("Dehua Ltd", "supplier", Some("Dehua")),
            ("agent 17", "support", None),
            ("books", "finance", None),
            ("shop", "platform", None),
        ] {
            let mut arguments = vec!["party", "add", "v", name, "--role", role];
            arguments.extend(lines.iter().flat_map(|value| ["--as", value]));
            self.run(&arguments).exits(0);
        }
    }

    #[track_caller]
    pub fn put(&self, orders: &[String]) {
        self.run_with(&["put", "v", "-"], orders.join("\n").as_bytes()).exits(0);
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// With the key file, and with nothing on standard input.
    pub fn run(&self, arguments: &[&str]) -> Run {
        self.run_with(arguments, b"")
    }

    /// With the key file.
    pub fn run_with(&self, arguments: &[&str], input: &[u8]) -> Run {
        finish(self.command(arguments).env("CONSIGNEE_KEY_FILE", self.path("key")), input)
    }

    /// With neither key file nor passphrase.
    pub fn run_without_key(&self, arguments: &[&str]) -> Run {
        finish(&mut self.command(arguments), b"")
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_consignee"));
        command.args(arguments).current_dir(self.folder.path());
        for name in [
            "VAULT",
            "KEY_FILE",
            "CHECKPOINT",
            "PASSPHRASE",
            "PKCS11_MODULE",
            "PKCS11_TOKEN",
            "PIN",
            "NEW_PIN",
        ] {
            command.env_remove(format!("CONSIGNEE_{name}"));
        }
        command
    }

    /// What a party opens, as JSON.
    #[track_caller]
    pub fn opened(&self, party: &str, purpose: &str, orders: &[&str]) -> Vec<Json> {
        let mut arguments = vec!["open", "v", "--party", party, "--purpose", purpose, "--json"];
        arguments.extend(orders);
        self.run(&arguments).exits(0).json()
    }
}

pub fn finish(command: &mut Command, input: &[u8]) -> Run {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // A program that refuses its arguments does not read; that is no failure of the test.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Run {
        status: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// An order with canaries in every text, on one line.
pub fn order(order_no: &str) -> String {
    format!(r#"{{"order_no":"{order_no}","placed_at":"2026-11-11T20:14:05+08:00","#,)
        + r#""consignee":{"name":"Canary-Name","phone":"13812345678","address":{"lines":["Canary-Street 1"],"city":"Canary-City","region":"","postal_code":"210000","country":"CN"}},"#
        + r#""items":[{"sku":"C-1","title":"Canary-Teapot","quantity":1,"unit_price":"88.00","supplier":"Yixing"},{"sku":"C-2","title":"Canary-Cup","quantity":4,"unit_price":"12.50","supplier":"Dehua"}],"#
        + r#""amount":{"value":"138.00","currency":"CNY"},"note":"Canary-Note"}"#
}

pub const CANARIES: [&str; 8] = [
    "Canary-Name",
    "13812345678",
    "Canary-Street 1",
    "Canary-City",
    "Canary-Teapot",
    "Canary-Cup",
    "Canary-Note",
    "138.00",
];

/// Nothing of an order in a text.
#[track_caller]
pub fn tells_nothing(text: &str) {
    for canary in CANARIES {
        assert!(!text.contains(canary), "{canary} in: {text}");
    }
}

/// Changes one byte of the only order's record.
pub fn patch_record(vault: &Path, at: usize, byte: impl Fn(u8) -> u8) {
    let database = rusqlite::Connection::open(vault.join("orders.db")).unwrap();
    let mut sealed: Vec<u8> = database.query_row("SELECT sealed FROM record", [], |row| row.get(0)).unwrap();
    sealed[at] = byte(sealed[at]);
    database.execute("UPDATE record SET sealed = ?1", [sealed]).unwrap();
}

/// Says that a test did not do its work, past the test runner, which keeps what passing tests print.
pub fn loudly(text: &str) {
    std::io::stderr().write_all(format!("\n*** {text} ***\n\n").as_bytes()).unwrap();
}
