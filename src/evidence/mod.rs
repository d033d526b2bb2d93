//! Evidence for outsiders, as a folder of files: what the ledgers have of an order (`prove`), and that a party was never given a field
//! of it (`clear`). Checked without the vault (`docs/format.md`, section 17).

mod bundle;
mod clear;
mod material;
mod plaintext;
mod prove;
mod readme;
mod verify;

pub use clear::{Cleared, Clearing, LostEntries};
pub use material::{Opening, ProvenEntry};
pub use prove::EvidenceSources;
pub use verify::{Evidence, Proven, ProvenLedger};

use serde::{Deserialize, Serialize};

const FORMAT: &str = "consignee-evidence";
const VERSION: u32 = 1;

const STATEMENT: &str = "statement.json";
const ORDER: &str = "order.json";
const README: &str = "README.txt";
const ENTRIES: &str = "entries.json";

/// What an evidence folder is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Prove,
    Clear,
}

/// What the folder says that it shows; each of it is checked against the ledgers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Statement {
    format: String,
    version: u32,
    kind: Kind,
    /// Vault id, in hexadecimal digits.
    vault: String,
    /// Seconds since 1970.
    made: u64,
    ledgers: Vec<LedgerJson>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    clear: Option<ClearJson>,
    /// Whether field keys are in it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    plaintext: bool,
    /// Hashes of signed requests that are not in the folder.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    missing_requests: Vec<String>,
}

/// A ledger up to a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LedgerJson {
    ledger: u32,
    origin: String,
    size: u64,
    root: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClearJson {
    party: String,
    field: String,
    parts: Vec<u16>,
}

fn digits(bytes: &[u8]) -> String {
    format!("{:x}", base16ct::HexDisplay(bytes))
}

fn from_digits<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let read = base16ct::lower::decode(text, &mut bytes).ok()?.len();
    (read == N).then_some(bytes)
}

#[cfg(test)]
mod tests;
