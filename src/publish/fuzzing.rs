//! A ledger and its tiles beside a plain list of its entries' hashes, for the fuzz target `ledger_model`.

use std::collections::BTreeMap;

use super::Edge;
use crate::{
    error::{Error, ErrorKind, Result},
    ledger::{Entry, EntryKind, Ledger},
    store::Memory,
    tlog::{
        EMPTY_ROOT, Hash, Tile, TileHashes, Tiles, consistency_proof, inclusion_proof, is_consistent,
        is_included, leaf_hash, node_hash, root_of,
    },
};

/// Most entries of one run.
const MOST: usize = 600;
/// Most steps: each computes the root anew.
const MOST_STEPS: usize = 10;

/// Tiles by their names, as a folder has them.
#[derive(Default)]
struct Kept(BTreeMap<Tile, Vec<Hash>>);

impl Tiles for &Kept {
    fn tile(&self, tile: Tile) -> Result<Vec<Hash>> {
        // A partial tile may be gone once a wider one is there: it begins with the same hashes.
        let found =
            self.0.range(tile..).find(|(other, _)| (other.level, other.index) == (tile.level, tile.index));
        let hashes = found.and_then(|(_, hashes)| hashes.get(..usize::from(tile.width)));
        hashes.map(<[Hash]>::to_vec).ok_or_else(|| Error::new(ErrorKind::NotFound, "it is not there"))
    }
}

impl Kept {
    /// Continues from `from` leaves on, as publishing does with files.
    fn continue_with(&mut self, from: u64, leaves: &[Hash]) {
        let mut edge = Edge::read(&&*self, from).expect("it was kept");
        for leaf in leaves {
            let kept = edge.push(*leaf, |tile, hashes| {
                self.0.retain(|other, _| (other.level, other.index) != (tile.level, tile.index));
                self.0.insert(tile, hashes.to_vec());
                Ok(())
            });
            kept.expect("nothing fails");
        }
        self.0.extend(edge.partial().map(|(tile, hashes)| (tile, hashes.to_vec())));
    }
}

/// The definition of RFC 6962, section 2.1.
fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => EMPTY_ROOT,
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            node_hash(&root(left), &root(right))
        }
    }
}

/// An entry that no other is equal to.
fn numbered(number: usize) -> Entry {
    let mut entry = Entry::new(EntryKind::Denied, [1; 16], [2; 32]);
    entry.handle[..8].copy_from_slice(&(number as u64).to_be_bytes());
    entry
}

/// Each step appends so many entries, and then asks for proofs of a place and between two sizes, given by numbers.
pub fn ledger(steps: &[(u8, u16, u16)]) {
    let ledger = Ledger::new(&Memory::stores());
    let (mut leaves, mut kept, mut published) = (Vec::<Hash>::new(), Kept::default(), 0);
    for (count, a, b) in steps.iter().take(MOST_STEPS) {
        let count = usize::from(*count).min(MOST - leaves.len());
        let entries = (leaves.len()..).take(count).map(numbered).collect();
        for receipt in ledger.append(entries).expect("memory takes it") {
            assert_eq!(receipt.place().index, leaves.len() as u64);
            leaves.push(leaf_hash(&receipt.entry().encode().expect("it was encoded")));
        }
        let size = leaves.len() as u64;
        let state = ledger.state().expect("memory gives it");
        assert_eq!((state.size, state.root), (size, root(&leaves)));
        if a % 3 != 0 {
            kept.continue_with(published, &leaves[usize::try_from(published).unwrap_or(0)..]);
            published = size;
        }
        check(&kept, &leaves[..usize::try_from(published).unwrap_or(0)], u64::from(*a), u64::from(*b));
    }
    let mut whole = Kept::default();
    whole.continue_with(0, &leaves[..usize::try_from(published).unwrap_or(0)]);
    for (tile, hashes) in &whole.0 {
        assert_eq!((&kept).tile(*tile).ok().as_ref(), Some(hashes), "{tile}");
    }
}

fn check(kept: &Kept, leaves: &[Hash], a: u64, b: u64) {
    let at = |size: u64| root(&leaves[..usize::try_from(size).unwrap_or(0)]);
    let size = b % (leaves.len() as u64 + 1);
    let hashes = TileHashes::new(kept, size);
    assert_eq!(root_of(&hashes, size).ok(), Some(at(size)));
    let old = a % (size + 1);
    let proof = consistency_proof(&hashes, old, size).expect("the tiles are there");
    assert!(is_consistent(&proof, (old, &at(old)), (size, &at(size))));
    if old < size {
        let (proof, leaf) = (
            inclusion_proof(&hashes, old, size).expect("the tiles are there"),
            leaves[usize::try_from(old).unwrap_or(0)],
        );
        assert!(is_included(&proof, leaf, old, (size, &at(size))));
        assert!(!is_included(&proof, leaf, old + 1, (size, &at(size))));
    }
}
