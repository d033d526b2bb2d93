//! Formats against what others published, and against whoever alters them.

mod altered;
mod forms;
mod policies;
mod published;

use super::*;
use crate::suite::Secret;

/// Key of a log of this name.
fn log_key(name: &str) -> NoteKey {
    NoteKey::of_log(name, &Secret::new([7; 32])).unwrap()
}

/// Another key under a name.
fn other_log_key(name: &str) -> NoteKey {
    NoteKey::of_log(name, &Secret::new([8; 32])).unwrap()
}

fn witness_key(name: &str) -> NoteKey {
    NoteKey::generate_witness(name).unwrap().0
}

/// A checkpoint of 700 entries, signed by its log and cosigned in this order, one second apart.
fn cosigned(log: &NoteKey, witnesses: &[&NoteKey]) -> SignedCheckpoint {
    let origin = log.public().name().to_owned();
    let root = root_of(&TileHashes::new(&Log::of(700), 700), 700).unwrap();
    let mut signed = Checkpoint { origin, size: 700, root }.sign(log);
    for (witness, time) in witnesses.iter().zip(1_800_000_000..) {
        signed.note_mut().sign(witness, time);
    }
    signed
}

/// A policy that takes one log and wants all of these witnesses.
fn policy_of(log: &NoteKey, witnesses: &[&NoteKey]) -> TrustPolicy {
    let mut text = format!("log {}\n", log.public());
    let names: Vec<String> = (0..witnesses.len()).map(|n| format!("w{n}")).collect();
    for (name, witness) in names.iter().zip(witnesses) {
        text += &format!("witness {name} {}\n", witness.public());
    }
    text += &match witnesses {
        [] => "quorum none\n".to_owned(),
        _ => format!("group all-of-them all {}\nquorum all-of-them\n", names.join(" ")),
    };
    TrustPolicy::parse(text.as_bytes()).unwrap()
}

/// That entry `index` is in the log of [`cosigned`].
fn proof_of(index: u64, checkpoint: SignedCheckpoint) -> Proof {
    let log = Log::of(700);
    let hashes = inclusion_proof(&TileHashes::new(&log, 700), index, 700).unwrap();
    Proof { extra: Vec::new(), index, hashes, checkpoint }
}

fn said<T>(result: Result<T>) -> String {
    match result {
        Ok(_) => "taken".to_owned(),
        Err(e) => e.to_string(),
    }
}

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
