//! Vectors of a published ledger: checkpoint, tiles, bundles, proofs, cosignature and policy.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use super::{Vector, fixed, hex, leaf_hash, list, number, text, tree_root, unhex};
use crate::{
    Result,
    error::{Error, ErrorKind},
    ledger::{Entry, EntryKind},
    suite::Secret,
    tlog::{
        Bundle, Checkpoint, Hash, Hashes, NoteKey, Proof, SignedCheckpoint, Tile, TrustPolicy,
        WitnessRequest, consistency_proof, inclusion_proof, is_consistent,
    },
};

const SIZE: u64 = 300;
const OLD: u64 = 200;
const PROVED: [u64; 4] = [0, 123, 256, 299];
/// Where an entry has its handle, whose first 8 bytes are the entry's index.
const HANDLE: usize = 13;

/// All entries: the first one with another index in its handle.
fn entries(first: &[u8], size: u64) -> Vec<Vec<u8>> {
    let entry = |index: u64| [&first[..HANDLE], &index.to_le_bytes(), &first[HANDLE + 8..]].concat();
    (0..size).map(entry).collect()
}

struct Leaves(Vec<[u8; 32]>);

impl Hashes for Leaves {
    fn hash(&self, level: u32, index: u64) -> Result<Hash> {
        let (from, len) = (usize::try_from(index << level).unwrap(), 1 << level);
        Ok(tree_root(&self.0[from..from + len]))
    }
}

/// SHA-256 of each file of tiles and bundles, by section 15.
fn files(entries: &[Vec<u8>]) -> BTreeMap<String, String> {
    let leaves: Vec<[u8; 32]> = entries.iter().map(|entry| leaf_hash(entry)).collect();
    let mut files = BTreeMap::new();
    for ((hashes, bundled), index) in leaves.chunks(256).zip(entries.chunks(256)).zip(0..) {
        let width = u16::try_from(hashes.len()).unwrap();
        files.insert(Tile { level: 0, index, width }.to_string(), hex(Sha256::digest(hashes.as_flattened())));
        let with_length =
            |entry: &Vec<u8>| [&u16::try_from(entry.len()).unwrap().to_be_bytes(), entry.as_slice()].concat();
        let bytes: Vec<u8> = bundled.iter().flat_map(with_length).collect();
        files.insert(Bundle { index, width }.to_string(), hex(Sha256::digest(bytes)));
    }
    let full: Vec<[u8; 32]> =
        leaves.chunks(256).filter(|hashes| hashes.len() == 256).map(tree_root).collect();
    let width = u16::try_from(full.len()).unwrap();
    files.insert(Tile { level: 1, index: 0, width }.to_string(), hex(Sha256::digest(full.as_flattened())));
    files
}

/// The log and its witness.
struct Made {
    log: NoteKey,
    witness: NoteKey,
    first: Vec<u8>,
    leaves: Leaves,
}

impl Made {
    fn new() -> Self {
        let origin = format!("consignee/{}/1", hex(fixed::<16>("vault of a published ledger")));
        let log = NoteKey::of_log(&origin, &Secret::new(fixed("key of a published ledger"))).unwrap();
        let mut first = Entry::new(EntryKind::Denied, fixed("party of a published ledger"), fixed("policy"));
        first.time = 1_700_000_000;
        first.purpose = "delivery".into();
        first.detail = vec![2, 1, 0, 0, 0];
        first.handle[8..].copy_from_slice(&fixed::<8>("handles of a published ledger"));
        let first = first.encode().unwrap();
        let leaves = Leaves(entries(&first, SIZE).iter().map(|entry| leaf_hash(entry)).collect());
        Self { log, witness: witness(), first, leaves }
    }

    fn checkpoint(&self, size: u64, key: &NoteKey) -> SignedCheckpoint {
        let root = tree_root(&self.leaves.0[..usize::try_from(size).unwrap()]);
        Checkpoint { origin: self.log.public().name().to_owned(), size, root }.sign(key)
    }

    fn cosigned(&self) -> SignedCheckpoint {
        let mut signed = self.checkpoint(SIZE, &self.log);
        signed.note_mut().sign(&self.witness, 1_700_001_000);
        signed
    }

    fn vector(&self) -> Json {
        let checkpoint = self.cosigned();
        let proof = |index: u64| {
            let hashes = inclusion_proof(&self.leaves, index, SIZE).unwrap();
            Proof { extra: Vec::new(), index, hashes, checkpoint: checkpoint.clone() }.to_string()
        };
        let request = WitnessRequest {
            old: OLD,
            proof: consistency_proof(&self.leaves, OLD, SIZE).unwrap(),
            checkpoint: self.checkpoint(SIZE, &self.log),
        };
        json!({
            "comment": "A ledger of 300 entries: entry n is the first one with n, u64, in the first 8 bytes of its handle. Files by their SHA-256.",
            "of": "published", "rules": ["F167"], "expect": "opens",
            "size": SIZE, "first_entry": hex(&self.first),
            "policy": format!("log {}\nwitness W {}\nquorum W\n", self.log.public(), self.witness.public()),
            "checkpoint": checkpoint.to_string(), "proofs": PROVED.map(proof), "request": request.to_string(),
            "log_seed": hex(fixed::<32>("key of a published ledger")),
            "cosigned_text": format!("cosignature/v1\ntime 1700001000\n{}", checkpoint.note().text()),
            "files": files(&entries(&self.first, SIZE)),
        })
    }
}

/// A key of type 4, from a seed that is the same at every run.
fn witness() -> NoteKey {
    use base64::{Engine, engine::general_purpose::STANDARD};

    let (name, seed) = ("witness.example", fixed::<32>("key of a witness"));
    let public = crate::suite::SigningKey::new(&Secret::new(seed)).public();
    let id = Sha256::digest([name.as_bytes(), b"\n\x04", &public].concat());
    let private = STANDARD.encode([&[4], seed.as_slice()].concat());
    NoteKey::parse(&format!("PRIVATE+KEY+{name}+{}+{private}", hex(&id[..4]))).unwrap()
}

pub(super) fn generate() -> Vec<Vector> {
    let made = Made::new();
    let good = made.vector();
    let mut vectors = vec![("published-good".to_owned(), good.clone())];
    let mut bad = |name: &str, rule: &str, expect: &str, comment: &str, field: &str, value: Json| {
        let mut vector = good.clone();
        for (key, value) in
            [("comment", json!(comment)), ("rules", json!([rule])), ("expect", json!(expect)), (field, value)]
        {
            vector[key] = value;
        }
        vectors.push((format!("published-{name}"), vector));
    };
    let (checkpoint, request) = (text(&good["checkpoint"]).to_owned(), text(&good["request"]).to_owned());
    let policy = text(&good["policy"]).to_owned();
    let unseen = made.checkpoint(SIZE, &made.log).to_string();
    let altered = |of: &str, line: usize| {
        let mut lines: Vec<String> = of.split('\n').map(str::to_owned).collect();
        // A digit of base64 in the middle of it.
        let at = lines[line].len() - 20;
        let other = if lines[line].as_bytes()[at] == b'A' { "B" } else { "A" };
        lines[line].replace_range(at..=at, other);
        lines.join("\n")
    };
    bad(
        "root-altered",
        "F165",
        "cannot open",
        "A digit of the root is another.",
        "checkpoint",
        json!(altered(&checkpoint, 2)),
    );
    bad(
        "signature-altered",
        "F165",
        "cannot open",
        "A digit of the log's signature is another.",
        "checkpoint",
        json!(altered(&checkpoint, 4)),
    );
    bad(
        "cosignature-altered",
        "F165",
        "cannot open",
        "A digit of the witness's signature is another.",
        "checkpoint",
        json!(altered(&checkpoint, 5)),
    );
    bad(
        "size-altered",
        "F165",
        "cannot open",
        "Another size than was signed.",
        "checkpoint",
        json!(checkpoint.replacen("\n300\n", "\n299\n", 1)),
    );
    bad(
        "size-with-a-zero",
        "F164",
        "damaged",
        "A size with a zero before it.",
        "checkpoint",
        json!(checkpoint.replacen("\n300\n", "\n0300\n", 1)),
    );
    bad(
        "without-signatures",
        "F164",
        "damaged",
        "No line of a signature.",
        "checkpoint",
        json!(format!("{}\n", unseen.split("\n\n").next().unwrap())),
    );
    bad(
        "unwitnessed",
        "F166",
        "not permitted",
        "The quorum has not cosigned it.",
        "checkpoint",
        json!(unseen),
    );
    let other =
        NoteKey::of_log(made.log.public().name(), &Secret::new(fixed("key of another ledger"))).unwrap();
    bad(
        "other-key",
        "F165",
        "cannot open",
        "Signed by another key of the log's name.",
        "checkpoint",
        json!(made.checkpoint(SIZE, &other).to_string()),
    );
    let named = policy.replacen("/1+", "/2+", 1);
    let second = NoteKey::of_log(
        &made.log.public().name().replace("/1", "/2"),
        &Secret::new(fixed("key of a published ledger")),
    )
    .unwrap();
    let second = policy.replace(policy.lines().next().unwrap(), &format!("log {}", second.public()));
    assert_ne!(named, second, "the name is in the id");
    bad(
        "other-origin",
        "F165",
        "cannot open",
        "The checkpoint of ledger 1, and the same key under the name of ledger 2.",
        "policy",
        json!(second),
    );
    let proof = |at: usize, text: String| {
        let mut proofs = list(&good["proofs"]).to_vec();
        proofs[at] = json!(text);
        json!(proofs)
    };
    let first = text(&good["proofs"][1]).to_owned();
    bad(
        "proof-of-another",
        "F169",
        "damaged",
        "A proof of entry 123 that says it is of entry 122.",
        "proofs",
        proof(1, first.replacen("index 123", "index 122", 1)),
    );
    bad(
        "proof-altered",
        "F169",
        "damaged",
        "A digit of a hash is another.",
        "proofs",
        proof(1, altered(&first, 3)),
    );
    let mut lines: Vec<&str> = first.split('\n').collect();
    lines.remove(4);
    bad("proof-short", "F169", "damaged", "A hash is missing.", "proofs", proof(1, lines.join("\n")));
    bad(
        "consistency-altered",
        "F169",
        "damaged",
        "A digit of a hash of the consistency proof is another.",
        "request",
        json!(altered(&request, 2)),
    );
    bad(
        "consistency-from-another",
        "F169",
        "damaged",
        "The proof from 200 entries as one from 201.",
        "request",
        json!(request.replacen("old 200", "old 201", 1)),
    );
    let mut entry = made.first.clone();
    *entry.last_mut().unwrap() ^= 1;
    bad(
        "entries-altered",
        "F167",
        "damaged",
        "Other entries than those of the root.",
        "first_entry",
        json!(hex(entry)),
    );
    vectors
}

pub(super) fn check_published(vector: &Json) -> Result<()> {
    let damaged = |what: &'static str| Error::new(ErrorKind::Damaged, what);
    let trust = TrustPolicy::parse(text(&vector["policy"]).as_bytes())?;
    let signed = SignedCheckpoint::parse(text(&vector["checkpoint"]).as_bytes())?;
    trust.check(&signed)?;
    let entries = entries(&unhex(&vector["first_entry"]), number(&vector["size"]));
    entries.iter().try_for_each(|entry| Entry::decode(entry).map(drop))?;
    let leaves: Vec<[u8; 32]> = entries.iter().map(|entry| leaf_hash(entry)).collect();
    let root = tree_root(&leaves);
    if (signed.checkpoint().size, signed.checkpoint().root) != (entries.len() as u64, root) {
        return Err(damaged("the root is another"));
    }
    assert_eq!(json!(files(&entries)), vector["files"]);
    for proof in list(&vector["proofs"]) {
        let proof = Proof::parse(text(proof).as_bytes())?;
        proof.verify(&entries[usize::try_from(proof.index).unwrap()], &trust)?;
    }
    let request = WitnessRequest::parse(text(&vector["request"]).as_bytes())?;
    request.checkpoint.check_log(&trust.logs()[0])?;
    let old = tree_root(&leaves[..usize::try_from(request.old).unwrap()]);
    if is_consistent(&request.proof, (request.old, &old), (entries.len() as u64, &root)) {
        Ok(())
    } else {
        Err(damaged("the proof of consistency shows none"))
    }
}
