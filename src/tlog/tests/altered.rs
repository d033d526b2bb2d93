//! Whoever alters, cuts, reorders or swaps what was published.

use super::*;

const ORIGIN: &str = "shop.example/ledger/1";

/// Texts that differ from this one in one byte, each with the place.
fn altered(text: &str) -> impl Iterator<Item = (usize, Vec<u8>)> {
    (0..text.len()).flat_map(move |at| {
        [1, 0x20, 0x80].map(|change| {
            let mut bytes = text.as_bytes().to_vec();
            bytes[at] ^= change;
            (at, bytes)
        })
    })
}

/// Of what is read, but is not the same, every so many are checked by their signatures, which take long to check.
const EVERY: usize = 31;

#[test]
fn every_byte_of_a_checkpoint_counts() {
    let (log, witness) = (log_key(ORIGIN), witness_key("w.example"));
    let policy = policy_of(&log, &[&witness]);
    let expected = cosigned(&log, &[&witness]);
    let (text, mut read) = (expected.to_string(), 0);
    for (at, bytes) in altered(&text) {
        let Ok(signed) = SignedCheckpoint::parse(&bytes) else { continue };
        assert!(signed != expected && signed.to_string() != text, "byte {at} means nothing");
        read += 1;
        assert!(read % EVERY != 0 || policy.check(&signed).is_err(), "byte {at} may be changed");
    }
    assert!(read > 4 * EVERY);
    for at in 0..text.len() {
        if let Ok(cut) = SignedCheckpoint::parse(&text.as_bytes()[..at]) {
            assert!(policy.check(&cut).is_err(), "it may be cut at byte {at}");
        }
    }
}

#[test]
fn every_byte_of_a_proof_counts() {
    let (log, index) = (log_key(ORIGIN), 300);
    let policy = policy_of(&log, &[]);
    let expected = proof_of(index, cosigned(&log, &[]));
    expected.verify(b"entry 300", &policy).unwrap();
    let (text, mut included) = (expected.to_string(), 0);
    for (at, bytes) in altered(&text) {
        let Ok(proof) = Proof::parse(&bytes) else { continue };
        assert!(proof != expected && proof.to_string() != text, "byte {at} means nothing");
        if proof.check_entry(b"entry 300").is_ok() {
            included += 1;
            assert!(
                included % EVERY != 0 || policy.check(&proof.checkpoint).is_err(),
                "byte {at} may be changed"
            );
        }
    }
    assert!(included > EVERY, "those of origin and signature");
    for at in 0..text.len() {
        assert!(Proof::parse(&text.as_bytes()[..at]).is_err(), "it may be cut at byte {at}");
    }
}

#[test]
fn a_proof_is_of_its_entry_at_its_index_in_its_log() {
    let (log, other) = (log_key(ORIGIN), other_log_key(ORIGIN));
    let policy = policy_of(&log, &[]);
    let proof = proof_of(300, cosigned(&log, &[]));
    let refused = "is not in the log of that checkpoint";
    let fails = |proof: &Proof, entry: &[u8]| {
        let said = said(proof.check_entry(entry));
        assert!(said.contains(refused), "{said}");
    };
    assert!(said(proof.verify(b"entry 301", &policy)).contains(refused));
    fails(&proof, b"entry 301");
    fails(&proof, b"");
    for index in [0, 299, 301, 699, 700, u64::MAX] {
        fails(&Proof { index, ..proof.clone() }, b"entry 300");
    }
    for at in 1..proof.hashes.len() {
        let mut swapped = proof.clone();
        swapped.hashes.swap(at - 1, at);
        fails(&swapped, b"entry 300");
        let mut shorter = proof.clone();
        shorter.hashes.remove(at);
        fails(&shorter, b"entry 300");
        let mut longer = proof.clone();
        longer.hashes.insert(at, [0; 32]);
        fails(&longer, b"entry 300");
    }
    // An inner node is no entry: its two hashes, given as one.
    let entries = Log::of(700);
    let hashes = TileHashes::new(&entries, 700);
    let pair = [hashes.hash(0, 300).unwrap(), hashes.hash(0, 301).unwrap()].concat();
    fails(&Proof { index: 150, hashes: proof.hashes[1..].to_vec(), ..proof.clone() }, &pair);
    // Under the checkpoint of another log, and of the same log by another's key.
    let foreign = said(proof_of(300, cosigned(&log_key("other.example"), &[])).verify(b"entry 300", &policy));
    assert_eq!(foreign, "the trust policy has no log other.example");
    let forged = said(proof_of(300, cosigned(&other, &[])).verify(b"entry 300", &policy));
    assert_eq!(forged, "the checkpoint has no signature by a key of the log shop.example/ledger/1");
}

#[test]
fn names_that_look_alike_are_other_names_and_look_different_when_refused() {
    let log = log_key("caf\u{e9}.example");
    let signed = cosigned(&log, &[]);
    for (name, shown) in [
        ("cafe\u{301}.example", "cafe\\u{301}.example"),          // NFD
        ("c\u{430}f\u{e9}.example", "c\\u{430}f\\u{e9}.example"), // Cyrillic
        ("caf\u{e9}.example\u{200b}", "caf\\u{e9}.example\\u{200b}"),
        ("caf\u{e9}.example\u{ff0e}", "caf\\u{e9}.example\\u{ff0e}"),
        ("CAF\u{c9}.example", "CAF\\u{c9}.example"),
    ] {
        let alike = VerifierKey::of_log(name, log.public().public()).unwrap();
        assert_ne!(alike.id(), log.public().id());
        let refused = format!("the checkpoint is of the log caf\\u{{e9}}.example, and the key is of {shown}");
        assert_eq!(said(signed.check_log(&alike)), refused);
    }
    for name in [
        "caf\u{e9}.example ",
        "caf\u{e9}.example\u{a0}",
        " caf\u{e9}.example",
        "a b",
        "a\u{2003}b",
        "a+b",
        "",
    ] {
        assert!(VerifierKey::of_log(name, log.public().public()).is_err(), "{name:?}");
    }
    // Under the log's key, a checkpoint of another origin.
    let other = Checkpoint { origin: "cafe\u{301}.example".to_owned(), ..signed.checkpoint().clone() };
    assert!(other.sign(&log).check_log(log.public()).is_err());
}

/// Tiles of a folder where somebody added hashes or took them away.
struct Resized(isize);

impl Tiles for Resized {
    fn tile(&self, tile: Tile) -> Result<Vec<Hash>> {
        let width = isize::try_from(tile.width).unwrap() + self.0;
        Ok(vec![[9; 32]; usize::try_from(width).unwrap_or(0)])
    }
}

#[test]
fn tiles_that_are_too_short_or_too_long_are_refused() {
    for by in [-300, -1, 1, 300] {
        let hashes = TileHashes::new(Resized(by), 700);
        for (index, tile) in
            [(0, "tile/0/000 does not hold 256 hashes"), (699, "tile/0/002.p/188 does not hold 188 hashes")]
        {
            let e = hashes.hash(0, index).unwrap_err();
            assert_eq!((e.kind(), e.to_string().as_str()), (&ErrorKind::Damaged, tile));
        }
        assert!(root_of(&hashes, 700).is_err());
        assert!(inclusion_proof(&hashes, 5, 700).is_err() && consistency_proof(&hashes, 300, 700).is_err());
    }
    let hashes = TileHashes::new(Resized(0), 700);
    for (level, index) in
        [(0, 700), (0, u64::MAX), (8, 2), (9, 1), (9, u64::MAX), (16, 0), (63, 0), (64, 0), (u32::MAX, 0)]
    {
        assert_eq!(*hashes.hash(level, index).unwrap_err().kind(), ErrorKind::NotFound, "{level} {index}");
    }
}

/// Tiles of a tree of any size, all of whose leaves are equal: one hash for each level.
struct Uniform(Vec<Hash>);

impl Uniform {
    fn new() -> Self {
        let mut levels = vec![[9; 32]];
        for level in 0..7 {
            levels.push(Tile::root(&[levels[level]; 256]).unwrap());
        }
        Self(levels)
    }
}

impl Tiles for &Uniform {
    fn tile(&self, tile: Tile) -> Result<Vec<Hash>> {
        Ok(vec![self.0[usize::from(tile.level)]; usize::from(tile.width)])
    }
}

#[test]
fn the_largest_trees_are_proven_without_overflow() {
    let uniform = Uniform::new();
    for size in [1 << 62, (1 << 63) - 1, 1 << 63, (1 << 63) + 1, u64::MAX - 1, u64::MAX] {
        let hashes = TileHashes::new(&uniform, size);
        let root = root_of(&hashes, size).unwrap();
        for index in [0, 1, 255, 256, size / 2, size - 2, size - 1] {
            let proof = inclusion_proof(&hashes, index, size).unwrap();
            assert!(is_included(&proof, [9; 32], index, (size, &root)), "{index} of {size}");
            assert!(!is_included(&proof[1..], [9; 32], index, (size, &root)));
        }
        for old in [1, 2, 256, size / 2, size / 2 + 1, size - 1, size] {
            let before = root_of(&TileHashes::new(&uniform, old), old).unwrap();
            let proof = consistency_proof(&hashes, old, size).unwrap();
            assert!(is_consistent(&proof, (old, &before), (size, &root)), "{old} of {size}");
        }
        assert_eq!(Tile::levels(size).count(), 8);
        let edge = Tile::of_level(0, size - 1, size).last().unwrap();
        assert_eq!((edge.index, u64::from(edge.width)), ((size - 1) / 256, (size - 1) % 256 + 1));
    }
}

#[test]
fn a_witness_signs_what_continues_what_it_saw_and_nothing_else() {
    let (log, witness, entries) = (log_key(ORIGIN), witness_key("w.example"), Log::of(700));
    let at = |size: u64| {
        let root = root_of(&TileHashes::new(&entries, size), size).unwrap();
        Checkpoint { origin: ORIGIN.to_owned(), size, root }
    };
    let request = |old, size| WitnessRequest {
        old,
        proof: consistency_proof(&TileHashes::new(&entries, size), old, size).unwrap(),
        checkpoint: at(size).sign(&log),
    };
    let nothing = Seen::nothing(log.public().clone());
    let (seen, line) = cosign(&request(0, 300), &nothing, &witness, 1_800_000_000).unwrap();
    assert_eq!((seen.size, seen.root), (300, at(300).root));
    let mut signed = at(300).sign(&log);
    signed.note_mut().add(line).unwrap();
    policy_of(&log, &[&witness]).check(&signed).unwrap();
    cosign(&request(300, 300), &seen, &witness, 1_800_000_001).unwrap();
    cosign(&request(300, 700), &seen, &witness, 1_800_000_001).unwrap();

    let kind =
        |request: &WitnessRequest, time| cosign(request, &seen, &witness, time).unwrap_err().kind().clone();
    let back = WitnessRequest { old: 300, ..request(0, 299) };
    assert_eq!(kind(&back, 1), ErrorKind::Conflict, "it goes back");
    assert_eq!(kind(&request(0, 300), 1), ErrorKind::Conflict, "it is from another size");
    assert_eq!(kind(&request(299, 700), 1), ErrorKind::Conflict, "it is from another size");
    let other = Checkpoint { root: [1; 32], ..at(300) }.sign(&log);
    let split = WitnessRequest { checkpoint: other, ..request(300, 300) };
    assert_eq!(kind(&split, 1), ErrorKind::Conflict, "another history of the same size");
    let longer = Checkpoint { root: [1; 32], ..at(700) }.sign(&log);
    let split = WitnessRequest { checkpoint: longer, ..request(300, 700) };
    assert_eq!(kind(&split, 1), ErrorKind::Damaged, "another history of a larger size");
    let without = WitnessRequest { proof: Vec::new(), ..request(300, 700) };
    assert_eq!(kind(&without, 1), ErrorKind::Damaged);
    let with_more = WitnessRequest { proof: vec![[0; 32]], ..request(300, 300) };
    assert_eq!(kind(&with_more, 1), ErrorKind::Damaged);
    let forged = WitnessRequest { checkpoint: at(700).sign(&other_log_key(ORIGIN)), ..request(300, 700) };
    assert_eq!(kind(&forged, 1), ErrorKind::CannotOpen);
    // C2SP tlog-cosignature: a time is at most 2^63 - 1, and no verifier takes a later one.
    assert!(cosign(&request(300, 700), &seen, &witness, i64::MAX.unsigned_abs()).is_ok());
    assert!(matches!(kind(&request(300, 700), 1 << 63), ErrorKind::Input { .. }));
    assert!(cosign(&request(300, 700), &seen, &log, 1).is_err());
    // Of an empty log there is one root.
    let empty = Checkpoint { root: [1; 32], ..at(0) }.sign(&log);
    let empty = WitnessRequest { old: 0, proof: Vec::new(), checkpoint: empty };
    assert!(cosign(&empty, &nothing, &witness, 1).is_err());
}
