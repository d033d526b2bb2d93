//! Formats against what others published, and against whoever alters them.

use super::*;

/// A log of entries in memory, as tiles.
struct Log(Vec<Vec<u8>>);

impl Log {
    fn of(size: usize) -> Self {
        Self((0..size).map(|n| format!("entry {n}").into_bytes()).collect())
    }

    fn root_of_range(&self, first: usize, count: usize) -> Hash {
        let leaves: Vec<Hash> = self.0[first..first + count].iter().map(|entry| leaf_hash(entry)).collect();
        let mut hashes = leaves;
        while hashes.len() > 1 {
            hashes = hashes.chunks(2).map(|pair| node_hash(&pair[0], &pair[1])).collect();
        }
        hashes[0]
    }
}

impl Tiles for &Log {
    fn tile(&self, tile: Tile) -> Result<Vec<Hash>> {
        let span = 1 << (8 * u32::from(tile.level));
        let first = usize::try_from(tile.index).unwrap() * 256;
        Ok((0..usize::from(tile.width)).map(|at| self.root_of_range((first + at) * span, span)).collect())
    }
}

#[test]
fn proofs_from_tiles_hold_wherever_tiles_begin_and_end() {
    let log = Log::of(700);
    for size in [1, 2, 255, 256, 257, 300, 511, 512, 513, 700] {
        let hashes = TileHashes::new(&log, size);
        let root = root_of(&hashes, size).unwrap();
        for index in [0, 1, 128, 254, 255, 256, 257, 511, 512, 699].into_iter().filter(|index| *index < size)
        {
            let proof = inclusion_proof(&hashes, index, size).unwrap();
            let leaf = leaf_hash(&log.0[usize::try_from(index).unwrap()]);
            assert!(is_included(&proof, leaf, index, (size, &root)), "{index} of {size}");
        }
        for old in [1, 2, 255, 256, 257, 512, 699].into_iter().filter(|old| *old < size) {
            let before = root_of(&TileHashes::new(&log, old), old).unwrap();
            let proof = consistency_proof(&hashes, old, size).unwrap();
            assert!(is_consistent(&proof, (old, &before), (size, &root)), "{old} of {size}");
        }
    }
}

#[test]
fn tiles_and_bundles_are_called_as_the_specification_says() {
    // C2SP tlog-tiles: the example of a tree of 70,000 leaves, and that of index 1234067.
    let all: Vec<_> = Tile::levels(70_000).flat_map(|level| Tile::of_level(level, 0, 70_000)).collect();
    assert_eq!(all.iter().filter(|tile| tile.level == 0 && tile.width == 256).count(), 273);
    let partial: Vec<_> = all.iter().filter(|tile| tile.width < 256).map(ToString::to_string).collect();
    assert_eq!(partial, ["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"]);
    assert_eq!(Tile { level: 3, index: 1_234_067, width: 256 }.to_string(), "tile/3/x001/x234/067");
    assert_eq!(Bundle { index: 1_000, width: 9 }.to_string(), "tile/entries/x001/000.p/9");
    let new: Vec<_> = Bundle::of_log(300, 600).map(|bundle| (bundle.index, bundle.width)).collect();
    assert_eq!(new, [(1, 256), (2, 88)]);
    assert_eq!(Bundle::of_log(512, 512).count() + Bundle::of_log(512, 3).count(), 0);
}
