//! The Merkle tree of RFC 6962, section 2.1: hashes, proofs, and what proofs prove.

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// A hash of the tree.
pub type Hash = [u8; 32];

/// Root of the tree without leaves: SHA-256 of nothing.
pub const EMPTY_ROOT: Hash = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27,
    0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

/// Hash of an entry: SHA-256(0x00 ‖ entry).
pub fn leaf_hash(entry: &[u8]) -> Hash {
    Sha256::new_with_prefix([0]).chain_update(entry).finalize().into()
}

/// Hash of two subtrees: SHA-256(0x01 ‖ left ‖ right).
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new_with_prefix([1]).chain_update(left).chain_update(right).finalize().into()
}

/// The complete subtrees of a tree, wherever they are kept.
pub trait Hashes {
    /// Root of the complete subtree of 2^`level` leaves that begins at leaf `index` · 2^`level`.
    ///
    /// # Errors
    /// Those of wherever they are kept.
    fn hash(&self, level: u32, index: u64) -> Result<Hash>;
}

/// Root of the tree of the first `size` leaves. Asks for O(log size) hashes.
///
/// # Errors
/// Those of `hashes`.
pub fn root_of(hashes: &impl Hashes, size: u64) -> Result<Hash> {
    if size == 0 { Ok(EMPTY_ROOT) } else { subtree(hashes, 0, size) }
}

/// Proof that leaf `index` is in the tree of the first `size` leaves (RFC 6962, section 2.1.1), from the leaf's sibling up.
///
/// # Errors
/// `Input` for an index that is not below the size; those of `hashes`.
pub fn inclusion_proof(hashes: &impl Hashes, index: u64, size: u64) -> Result<Vec<Hash>> {
    if index >= size {
        return Err(Error::input("index", "it is not below the size of the tree"));
    }
    let (mut start, mut end, mut siblings) = (0, size, Vec::new());
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            siblings.push((middle, end));
            end = middle;
        } else {
            siblings.push((start, middle));
            start = middle;
        }
    }
    siblings.iter().rev().map(|(start, end)| subtree(hashes, *start, *end)).collect()
}

/// Proof that the tree of the first `size` leaves begins with that of the first `old` (RFC 6962, section 2.1.2). Empty if `old` is 0.
///
/// # Errors
/// `Input` if `old` is more than `size`; those of `hashes`.
pub fn consistency_proof(hashes: &impl Hashes, old: u64, size: u64) -> Result<Vec<Hash>> {
    if old > size {
        return Err(Error::input("old", "it is more than the size of the tree"));
    }
    if old == 0 || old == size {
        return Ok(Vec::new());
    }
    // Down to the subtree at whose end the old tree ends.
    let (mut start, mut end, mut siblings) = (0, size, Vec::new());
    while old != end {
        let middle = start + split(end - start);
        if old <= middle {
            siblings.push((middle, end));
            end = middle;
        } else {
            siblings.push((start, middle));
            start = middle;
        }
    }
    // The verifier has the old tree's root: it needs none of that itself.
    if start > 0 {
        siblings.push((start, end));
    }
    siblings.iter().rev().map(|(start, end)| subtree(hashes, *start, *end)).collect()
}

/// Root that a proof of inclusion leads to; `None` for a proof of another length than index and size need (RFC 9162, section 2.1.3.2).
pub fn root_through(proof: &[Hash], leaf: Hash, index: u64, size: u64) -> Option<Hash> {
    if index >= size {
        return None;
    }
    let (mut node, mut last, mut hash) = (index, size - 1, leaf);
    for sibling in proof {
        if last == 0 {
            return None;
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            let skipped = if node & 1 == 1 { 0 } else { node.trailing_zeros().min(63) };
            (node, last) = (node >> skipped, last >> skipped);
        } else {
            hash = node_hash(&hash, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    (last == 0).then_some(hash)
}

/// Whether a proof shows that the leaf is at this index of the tree of this size and root.
pub fn is_included(proof: &[Hash], leaf: Hash, index: u64, (size, root): (u64, &Hash)) -> bool {
    root_through(proof, leaf, index, size).is_some_and(|found| found == *root)
}

/// Whether a proof shows that the newer tree begins with the older one (RFC 9162, section 2.1.4.2). Every tree begins with the empty
/// one.
pub fn is_consistent(proof: &[Hash], (old, old_root): (u64, &Hash), (new, new_root): (u64, &Hash)) -> bool {
    if old == 0 || old == new {
        return proof.is_empty() && (if old == new { old_root == new_root } else { *old_root == EMPTY_ROOT });
    }
    if old > new {
        return false;
    }
    let shift = (old - 1).trailing_ones();
    let (mut node, mut last) = ((old - 1) >> shift, (new - 1) >> shift);
    let (first, rest) = match (old.is_power_of_two(), proof.split_first()) {
        (true, _) => (old_root, proof),
        (false, Some((first, rest))) => (first, rest),
        (false, None) => return false,
    };
    let (mut old_hash, mut new_hash) = (*first, *first);
    for sibling in rest {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            old_hash = node_hash(sibling, &old_hash);
            new_hash = node_hash(sibling, &new_hash);
            let skipped = if node & 1 == 1 { 0 } else { node.trailing_zeros().min(63) };
            (node, last) = (node >> skipped, last >> skipped);
        } else {
            new_hash = node_hash(&new_hash, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    last == 0 && old_hash == *old_root && new_hash == *new_root
}

/// Largest power of two below `leaves`, which are two or more.
fn split(leaves: u64) -> u64 {
    1 << (leaves - 1).ilog2()
}

/// Root of leaves `start` to `end`: a range into which the tree is split.
fn subtree(hashes: &impl Hashes, start: u64, end: u64) -> Result<Hash> {
    // Complete subtrees, largest first, folded from the right.
    let (mut roots, mut at) = (Vec::new(), start);
    while at < end {
        let level = (end - at).ilog2();
        roots.push(hashes.hash(level, at >> level)?);
        at += 1 << level;
    }
    let mut from_right = roots.iter().rev();
    let last = from_right.next().copied().unwrap_or(EMPTY_ROOT);
    Ok(from_right.fold(last, |right, left| node_hash(left, &right)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definitions of RFC 6962, section 2.1, word for word.
    struct Leaves(Vec<Hash>);

    fn half(leaves: &[Hash]) -> usize {
        leaves.len().next_power_of_two() / 2
    }

    impl Leaves {
        fn root(leaves: &[Hash]) -> Hash {
            match leaves {
                [] => EMPTY_ROOT,
                [leaf] => *leaf,
                _ => {
                    let k = half(leaves);
                    node_hash(&Self::root(&leaves[..k]), &Self::root(&leaves[k..]))
                }
            }
        }

        fn path(leaves: &[Hash], m: usize) -> Vec<Hash> {
            if leaves.len() <= 1 {
                return Vec::new();
            }
            let k = half(leaves);
            let (inner, sibling) = match m < k {
                true => (Self::path(&leaves[..k], m), Self::root(&leaves[k..])),
                false => (Self::path(&leaves[k..], m - k), Self::root(&leaves[..k])),
            };
            [inner, vec![sibling]].concat()
        }

        fn subproof(leaves: &[Hash], m: usize, whole: bool) -> Vec<Hash> {
            if m == leaves.len() {
                return if whole { Vec::new() } else { vec![Self::root(leaves)] };
            }
            let k = half(leaves);
            let (inner, sibling) = match m <= k {
                true => (Self::subproof(&leaves[..k], m, whole), Self::root(&leaves[k..])),
                false => (Self::subproof(&leaves[k..], m - k, false), Self::root(&leaves[..k])),
            };
            [inner, vec![sibling]].concat()
        }
    }

    fn at(number: u64) -> usize {
        usize::try_from(number).unwrap()
    }

    impl Hashes for Leaves {
        fn hash(&self, level: u32, index: u64) -> Result<Hash> {
            let first = at(index << level);
            Ok(Self::root(&self.0[first..first + (1 << level)]))
        }
    }

    fn leaves(count: u8) -> Leaves {
        Leaves((0..count).map(|n| leaf_hash(&[n])).collect())
    }

    #[test]
    fn roots_and_proofs_are_those_of_the_definition_and_no_others_are_taken() {
        let all = leaves(70);
        for size in 0..=70 {
            let own = &all.0[..size];
            let root = Leaves::root(own);
            assert_eq!(root_of(&all, size as u64).unwrap(), root);
            let size = size as u64;
            for index in 0..size {
                let proof = inclusion_proof(&all, index, size).unwrap();
                assert_eq!(proof, Leaves::path(own, at(index)));
                let leaf = own[at(index)];
                assert!(is_included(&proof, leaf, index, (size, &root)));
                for other in (0..size + 2).filter(|other| *other != index) {
                    assert!(!is_included(&proof, leaf, other, (size, &root)), "{index} as {other} of {size}");
                }
                assert!(!is_included(&proof, leaf, index, (size, &[7; 32])));
                assert!(proof.is_empty() || !is_included(&proof[1..], leaf, index, (size, &root)));
                assert!(!is_included(&[proof.as_slice(), &[root]].concat(), leaf, index, (size, &root)));
            }
            for old in 1..=size {
                let before = Leaves::root(&all.0[..at(old)]);
                let proof = consistency_proof(&all, old, size).unwrap();
                assert_eq!(proof, Leaves::subproof(own, at(old), true), "{old} of {size}");
                assert!(is_consistent(&proof, (old, &before), (size, &root)));
                assert!(!is_consistent(&proof, (old, &[7; 32]), (size, &root)));
                assert!(!is_consistent(&proof, (old, &before), (size, &[7; 32])));
                assert!(!is_consistent(&[proof.as_slice(), &[root]].concat(), (old, &before), (size, &root)));
                for at in 0..proof.len() {
                    let mut other = proof.clone();
                    other[at][0] ^= 1;
                    assert!(!is_consistent(&other, (old, &before), (size, &root)));
                    other.remove(at);
                    assert!(!is_consistent(&other, (old, &before), (size, &root)));
                }
            }
        }
        assert!(is_consistent(&[], (0, &EMPTY_ROOT), (3, &[7; 32])));
        assert!(
            !is_consistent(&[], (0, &[7; 32]), (3, &[7; 32]))
                && !is_consistent(&[], (3, &[7; 32]), (2, &[7; 32]))
        );
    }

    #[test]
    fn sizes_near_the_end_of_the_numbers_do_no_harm() {
        let proof = [[1; 32]; 64];
        for index in [0, 1, u64::MAX / 2, u64::MAX - 2, u64::MAX - 1, u64::MAX] {
            for size in [0, 1, u64::MAX - 1, u64::MAX] {
                assert!(!is_included(&proof, [0; 32], index, (size, &[0; 32])));
                assert!(!is_consistent(&proof, (index, &[0; 32]), (size, &[0; 32])));
            }
        }
    }
}
