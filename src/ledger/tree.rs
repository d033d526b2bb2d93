//! The Merkle tree of RFC 6962, as far as appending needs it.

use sha2::{Digest, Sha256};

use crate::store::LedgerHead;

// leaf = SHA-256(0x00 ‖ entry)   (RFC 6962, section 2.1)
pub(crate) fn leaf_hash(entry: &[u8]) -> [u8; 32] {
    Sha256::new_with_prefix([0]).chain_update(entry).finalize().into()
}

// node = SHA-256(0x01 ‖ left ‖ right)
fn node_hash(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    Sha256::new_with_prefix([1]).chain_update(left).chain_update(right).finalize().into()
}

/// Adds a leaf. The frontier holds the root of each complete subtree, largest first, so this costs two hashes on average
/// whatever the size.
pub(crate) fn push(head: &mut LedgerHead, leaf: [u8; 32]) {
    let mut hash = leaf;
    // Each trailing one bit of the size is a complete subtree as large as what is being added.
    for _ in 0..head.size.trailing_ones() {
        if let Some(left) = head.frontier.pop() {
            hash = node_hash(&left, &hash);
        }
    }
    head.frontier.push(hash);
    head.size += 1;
}

/// Root of the tree; SHA-256 of nothing for the empty one.
pub(crate) fn root(head: &LedgerHead) -> [u8; 32] {
    let mut from_right = head.frontier.iter().rev();
    match from_right.next() {
        None => Sha256::digest([]).into(),
        Some(last) => from_right.fold(*last, |right, left| node_hash(left, &right)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> [u8; 32] {
        std::array::from_fn(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap())
    }

    /// The values of transparency-dev/merkle, rfc6962/rfc6962_test.go.
    #[test]
    fn hashes_are_those_of_rfc_6962() {
        assert_eq!(
            root(&LedgerHead::default()),
            hex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        );
        assert_eq!(leaf_hash(b""), hex("6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"));
        assert_eq!(
            leaf_hash(b"L123456"),
            hex("395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56")
        );
    }

    // RFC 6962, section 2.1, as it is written there.
    fn definition(leaves: &[[u8; 32]]) -> [u8; 32] {
        match leaves {
            [] => Sha256::digest([]).into(),
            [leaf] => *leaf,
            _ => {
                let split = leaves.len().next_power_of_two() / 2;
                node_hash(&definition(&leaves[..split]), &definition(&leaves[split..]))
            }
        }
    }

    #[test]
    fn appending_gives_the_root_of_the_definition_at_every_size() {
        let leaves: Vec<_> = (0..150u8).map(|n| leaf_hash(&[n])).collect();
        let mut head = LedgerHead::default();
        for (size, leaf) in leaves.iter().enumerate() {
            assert_eq!(root(&head), definition(&leaves[..size]), "size {size}");
            assert_eq!(head.frontier.len(), size.count_ones() as usize);
            push(&mut head, *leaf);
        }
    }
}
