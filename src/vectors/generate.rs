//! The files: written on demand, and otherwise compared, so that no change of the format goes unnoticed.

use std::{collections::BTreeMap, fs};

use serde_json::Value as Json;

use super::{
    aliases, entries, folder, normalisers, parties, party_keys, policies, published, records, requests,
    slips, values, vaults,
};
use crate::suite::Suite;

fn all() -> BTreeMap<String, Json> {
    let worlds = [Suite::Aes256Gcm, Suite::ChaCha20Poly1305].map(vaults::World::new);
    let mut vectors = vaults::generate(&worlds);
    vectors.extend(records::generate(&worlds));
    vectors.extend(values::generate());
    vectors.extend(normalisers::generate());
    vectors.extend(policies::generate());
    vectors.extend(entries::generate(&worlds[0]));
    vectors.extend(aliases::generate(&worlds[0]));
    vectors.extend(party_keys::generate());
    vectors.extend(parties::generate(&worlds));
    vectors.extend(requests::generate(&worlds));
    vectors.extend(slips::generate(&worlds[0]));
    vectors.extend(published::generate());
    let count = vectors.len();
    let named: BTreeMap<_, _> = vectors.into_iter().collect();
    assert_eq!(named.len(), count, "two vectors of one name");
    named
}

/// Writes the files if `CONSIGNEE_WRITE_VECTORS` is 1; else what is made must be what they hold.
#[test]
fn the_files_are_what_is_made() {
    let write = std::env::var("CONSIGNEE_WRITE_VECTORS").is_ok_and(|value| value == "1");
    for (name, vector) in all() {
        let path = folder().join(format!("{name}.json"));
        if write {
            fs::write(&path, serde_json::to_string_pretty(&vector).unwrap() + "\n").unwrap();
        }
        let found: Json = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        assert!(found == vector, "{name} is not what is made: the format changed, or the file");
    }
}
