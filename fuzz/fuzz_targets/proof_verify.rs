//! Proofs from outside: what is read is written the same; what is shown by a proof of any bytes and numbers is shown by the proof that
//! our own tree makes, and by no other.
#![no_main]

use consignee::{
    Result,
    tlog::{
        Hash, Hashes, Proof, WitnessRequest, consistency_proof, inclusion_proof, is_consistent, is_included,
        leaf_hash, node_hash, root_of, root_through,
    },
};
use libfuzzer_sys::{
    arbitrary::{self, Arbitrary},
    fuzz_target,
};

#[derive(Debug, Arbitrary)]
struct Input<'a> {
    size: u8,
    claimed: u64,
    old: u64,
    index: u64,
    /// Which of our proof's hashes are changed, left out or doubled.
    changes: Vec<(u8, u8)>,
    leaf: u8,
    is_true: bool,
    file: &'a [u8],
}

/// The tree of the leaves 0, 1, 2 …
struct Tree;

impl Hashes for Tree {
    fn hash(&self, level: u32, index: u64) -> Result<Hash> {
        match level.checked_sub(1) {
            None => Ok(leaf_hash(&index.to_be_bytes())),
            Some(below) => Ok(node_hash(&self.hash(below, 2 * index)?, &self.hash(below, 2 * index + 1)?)),
        }
    }
}

fn changed(mut proof: Vec<Hash>, changes: &[(u8, u8)]) -> Vec<Hash> {
    for (at, how) in changes {
        let at = usize::from(*at) % (proof.len() + 1);
        match (how % 4, proof.get(at).copied()) {
            (0, Some(hash)) => proof.insert(at, hash),
            (1, Some(_)) => drop(proof.remove(at)),
            (2, Some(_)) => proof[at][usize::from(*how) % 32] ^= 1 << (how % 8),
            (3, _) => proof.insert(at, [*how; 32]),
            _ => {}
        }
    }
    proof
}

fuzz_target!(|input: Input<'_>| {
    let Input { size, claimed, old, index, changes, leaf, is_true, file } = input;
    if let Ok(proof) = Proof::parse(file) {
        assert_eq!(proof.to_string().as_bytes(), file);
        let checkpoint = proof.checkpoint.checkpoint();
        let root = root_through(&proof.hashes, leaf_hash(file), proof.index, checkpoint.size);
        assert_eq!(proof.check_entry(file).is_ok(), root == Some(checkpoint.root));
    }
    if let Ok(request) = WitnessRequest::parse(file) {
        assert_eq!(request.to_string().as_bytes(), file);
    }
    let size = u64::from(size % 100) + 1;
    let (index, old) = if is_true { (index % size, 1 + old % size) } else { (index, old) };
    let root = root_of(&Tree, size).expect("a root");

    let ours = inclusion_proof(&Tree, index, size);
    let proof = changed(ours.as_ref().cloned().unwrap_or_default(), &changes);
    let leaf = leaf_hash(&(index ^ u64::from(leaf)).to_be_bytes());
    let is_it = ours.is_ok_and(|ours| ours == proof) && leaf == leaf_hash(&index.to_be_bytes());
    assert_eq!(is_included(&proof, leaf, index, (size, &root)), is_it);
    // Under another size the root is of other leaves: a proof of this one may fit, for its right edge is not bound.
    let _any = is_included(&proof, leaf, index, (claimed, &root));

    let ours = consistency_proof(&Tree, old, size);
    let proof = changed(ours.as_ref().cloned().unwrap_or_default(), &changes);
    let before = root_of(&Tree, old.min(size)).expect("a root");
    let is_it = ours.is_ok_and(|ours| ours == proof);
    assert_eq!(is_consistent(&proof, (old, &before), (size, &root)), is_it);
    let _any = is_consistent(&proof, (old, &before), (claimed, &root));
});
