//! The Merkle tree of RFC 6962, as far as appending needs it.

use crate::{
    store::LedgerHead,
    tlog::{EMPTY_ROOT, node_hash},
};

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
        None => EMPTY_ROOT,
        Some(last) => from_right.fold(*last, |right, left| node_hash(left, &right)),
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::tlog::leaf_hash;

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

    /// Leaves and roots of the tree that Certificate Transparency's implementations share: transparency-dev/merkle,
    /// testonly/constants.go.
    #[test]
    fn roots_are_those_of_certificate_transparencys_test_tree() {
        let leaves: [&[u8]; 8] =
            [b"", b"\x00", b"\x10", b" !", b"01", b"@ABC", b"PQRSTUVW", b"`abcdefghijklmno"];
        let roots = [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let mut head = LedgerHead::default();
        for (leaf, expected) in leaves.iter().zip(roots) {
            push(&mut head, leaf_hash(leaf));
            assert_eq!(root(&head), hex(expected), "size {}", head.size);
        }
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
