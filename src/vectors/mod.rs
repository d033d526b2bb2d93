//! Vectors of `docs/format.md`: files in `tests/vectors`, one case each, with every intermediate value.
//!
//! `generate` makes them from fixed keys and writes them with `CONSIGNEE_WRITE_VECTORS=1`; `check` opens each from its own
//! bytes. `tests/interop/check_vectors.py` reads them all, and computes the good ones anew, without any code of this crate.

mod aliases;
mod check;
mod derive;
mod entries;
mod generate;
mod normalisers;
mod parties;
mod party_keys;
mod policies;
mod published;
mod records;
mod requests;
mod slips;
mod values;
mod vaults;

use std::path::PathBuf;

use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use crate::suite::Suite;

/// Name of a file without its ending, and its content.
type Vector = (String, Json);

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors")
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes that a node spells in hexadecimal digits; spaces may stand between them.
fn unhex(node: &Json) -> Vec<u8> {
    let digits: Vec<u8> = node.as_str().unwrap().bytes().filter(|c| *c != b' ').collect();
    assert!(digits.len().is_multiple_of(2), "an odd number of digits");
    let pair = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(pair).collect()
}

fn array<const N: usize>(node: &Json) -> [u8; N] {
    unhex(node).try_into().unwrap()
}

fn number<T: TryFrom<u64, Error: std::fmt::Debug>>(node: &Json) -> T {
    T::try_from(node.as_u64().unwrap()).unwrap()
}

fn text(node: &Json) -> &str {
    node.as_str().unwrap()
}

fn list(node: &Json) -> &[Json] {
    node.as_array().unwrap()
}

/// Bytes for a purpose, the same at every run.
fn fixed<const N: usize>(purpose: &str) -> [u8; N] {
    Sha256::digest(format!("consignee vectors: {purpose}"))[..N].try_into().unwrap()
}

fn suite(node: &Json) -> Option<Suite> {
    Suite::from_number(number(node))
}

/// P(n), written down from section 5 of the format a second time.
fn padded_len(tag: u8, n: usize) -> usize {
    if [2, 3, 4, 5].contains(&tag) {
        return n;
    }
    let step = match n {
        0..=32 => return 32,
        33..=256 => 16,
        _ => {
            let e = n.ilog2();
            1 << (e - (e.ilog2() + 1))
        }
    };
    n.div_ceil(step) * step
}

// RFC 6962, section 2.1, as it is written there.
fn leaf_hash(entry: &[u8]) -> [u8; 32] {
    Sha256::new_with_prefix([0]).chain_update(entry).finalize().into()
}

fn tree_root(leaves: &[[u8; 32]]) -> [u8; 32] {
    match leaves {
        [] => Sha256::digest([]).into(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            let hash = Sha256::new_with_prefix([1]).chain_update(tree_root(left));
            hash.chain_update(tree_root(right)).finalize().into()
        }
    }
}

/// Roots of the complete subtrees, largest first: one for each bit of the size.
fn frontier(leaves: &[[u8; 32]]) -> Vec<[u8; 32]> {
    let Some(bits) = leaves.len().checked_ilog2() else { return Vec::new() };
    let (whole, rest) = leaves.split_at(1 << bits);
    std::iter::once(tree_root(whole)).chain(frontier(rest)).collect()
}
