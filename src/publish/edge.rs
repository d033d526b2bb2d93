//! The right edge of a tree: the tiles that are not full yet. All that it takes to continue a published log.

use crate::{
    error::{Error, ErrorKind, Result},
    tlog::{Hash, Tile, TileHashes, Tiles, root_of},
};

/// Hashes of a full tile.
const WIDTH: usize = 256;

/// The hashes of each level's partial tile, level 0 first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Edge {
    size: u64,
    levels: Vec<Vec<Hash>>,
}

impl Edge {
    /// Of the tree of the first `size` leaves, from its tiles.
    pub(super) fn read(tiles: &impl Tiles, size: u64) -> Result<Self> {
        let mut levels = Vec::new();
        for level in Tile::levels(size) {
            let hashes = size >> (8 * u32::from(level));
            let (index, width) = (hashes / WIDTH as u64, hashes % WIDTH as u64);
            let width = u16::try_from(width).unwrap_or(0);
            levels.push(if width == 0 { Vec::new() } else { tiles.tile(Tile { level, index, width })? });
        }
        Ok(Self { size, levels })
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Hashes of the leaves in the partial tile.
    pub(super) fn leaves(&self) -> &[Hash] {
        self.levels.first().map_or(&[], Vec::as_slice)
    }

    /// Adds a leaf; hands over each tile that becomes full, the lowest first.
    pub(super) fn push(
        &mut self,
        leaf: Hash,
        mut full: impl FnMut(Tile, &[Hash]) -> Result<()>,
    ) -> Result<()> {
        self.size += 1;
        let mut hash = leaf;
        for level in 0u8.. {
            let at = usize::from(level);
            if self.levels.len() == at {
                self.levels.push(Vec::with_capacity(WIDTH));
            }
            let Some(hashes) = self.levels.get_mut(at) else { break };
            hashes.push(hash);
            let Some(root) = Tile::root(hashes) else { break };
            let index = (self.size >> (8 * (u32::from(level) + 1))) - 1;
            full(Tile { level, index, width: 256 }, hashes)?;
            hashes.clear();
            hash = root;
        }
        Ok(())
    }

    /// The partial tiles, the lowest first.
    pub(super) fn partial(&self) -> impl Iterator<Item = (Tile, &[Hash])> {
        (0u8..).zip(&self.levels).filter(|(_, hashes)| !hashes.is_empty()).map(|(level, hashes)| {
            let index = self.size >> (8 * (u32::from(level) + 1));
            let width = u16::try_from(hashes.len()).unwrap_or(0);
            (Tile { level, index, width }, hashes.as_slice())
        })
    }

    /// Root of the tree.
    pub(super) fn root(&self) -> Result<Hash> {
        root_of(&TileHashes::new(self, self.size), self.size)
    }
}

impl Tiles for &Edge {
    fn tile(&self, tile: Tile) -> Result<Vec<Hash>> {
        let hashes = self.levels.get(usize::from(tile.level));
        let missing = || Error::new(ErrorKind::NotFound, "it is not at the tree's edge");
        hashes.filter(|hashes| hashes.len() == usize::from(tile.width)).cloned().ok_or_else(missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ledger::LedgerState, store::LedgerHead, tlog::leaf_hash};

    #[test]
    fn its_root_is_the_ledgers_whatever_the_size() {
        let (mut edge, mut head, mut full) = (Edge::default(), LedgerHead::default(), Vec::new());
        for n in 0..66_000u32 {
            if n < 600 || n % 256 < 2 || n > 65_530 {
                assert_eq!(edge.root().unwrap(), LedgerState::from(&head).root, "at {n}");
            }
            let leaf = leaf_hash(&n.to_le_bytes());
            crate::ledger::push_leaf(&mut head, leaf);
            edge.push(leaf, |tile, _| {
                full.push(tile.to_string());
                Ok(())
            })
            .unwrap();
        }
        assert_eq!(full.len(), 257 + 1);
        assert_eq!(full[255..258], ["tile/0/255", "tile/1/000", "tile/0/256"]);
        let partial: Vec<_> = edge.partial().map(|(tile, _)| tile.to_string()).collect();
        assert_eq!(partial, ["tile/0/257.p/208", "tile/1/001.p/1", "tile/2/000.p/1"]);
    }
}
