//! Tiles and entry bundles from a folder that anybody may have written: what is read is what is there, and roots and proofs from tiles
//! of any length are refused or right.
#![no_main]

use consignee::{
    Result,
    tlog::{Bundle, Hash, Tile, TileHashes, Tiles, consistency_proof, inclusion_proof, is_included, root_of},
};
use libfuzzer_sys::{
    arbitrary::{self, Arbitrary},
    fuzz_target,
};

#[derive(Debug, Arbitrary)]
struct Input<'a> {
    level: u8,
    index: u64,
    width: u16,
    size: u64,
    /// How much longer each tile is than it says, and at which it begins to be.
    longer: i8,
    from: u8,
    bytes: &'a [u8],
}

/// Tiles of equal hashes, some of them of a wrong length.
struct Wrong {
    longer: i8,
    from: u8,
}

impl Tiles for &Wrong {
    fn tile(&self, tile: Tile) -> Result<Vec<Hash>> {
        let width = usize::from(tile.width);
        let longer = if tile.index >= u64::from(self.from) { isize::from(self.longer) } else { 0 };
        Ok(vec![[tile.level; 32]; width.saturating_add_signed(longer)])
    }
}

fuzz_target!(|input: Input<'_>| {
    let Input { level, index, width, size, longer, from, bytes } = input;
    let tile = Tile { level, index, width };
    if let Ok(hashes) = tile.parse(bytes) {
        assert_eq!(hashes.concat(), bytes);
    }
    let bundle = Bundle { index, width };
    if let Ok(entries) = bundle.parse(bytes) {
        assert_eq!(entries.len(), usize::from(width));
        let mut again = Vec::new();
        entries.iter().for_each(|entry| Bundle::push(&mut again, entry).expect("it was there"));
        assert_eq!(again, bytes);
    }
    let _names = (tile.to_string(), bundle.to_string());
    assert!(Tile::of_level(level, index, size).take(3).all(|tile| (1..=256).contains(&tile.width)));

    let tiles = Wrong { longer, from };
    let hashes = TileHashes::new(&tiles, size);
    let root = root_of(&hashes, size);
    assert!(longer == 0 || from > 0 || size == 0 || root.is_err());
    let _consistent = consistency_proof(&hashes, index, size);
    if let (Ok(proof), Ok(root)) = (inclusion_proof(&hashes, index, size), root) {
        // The leaves of one partial tile lead to the root of a tree that has no other.
        assert!(size >= 256 || is_included(&proof, [0; 32], index, (size, &root)));
    }
});
