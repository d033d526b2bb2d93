//! The ledger's formats beside crates that others wrote: `signed_note` and `tlog_tiles` of cloudflare/azul, which follow Go's
//! `sumdb/note` and `sumdb/tlog`, and `ct-merkle`, which follows neither. What we write they read and verify, and the other way round.

#![allow(clippy::unwrap_used)]

mod common;

use std::fs;

use common::{in_memory, order};
use consignee::{
    Published, Result,
    tlog::{
        Checkpoint, Hash, Hashes, Note, NoteKey, SignedCheckpoint, Tile, TileHashes, Tiles, TrustPolicy,
        VerifierKey, consistency_proof, inclusion_proof, is_consistent, is_included, leaf_hash, node_hash,
        root_of,
    },
};
use signed_note::{StandardSigner, StandardVerifier, VerifierList};
use tlog_tiles::{HashReader, TileHashReader, TileReader};

/// Key of a log: seed 32 times 0x42.
const PRIVATE: &str =
    "PRIVATE+KEY+shop.example/ledger/1+f83368bc+AUJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJC";

/// All complete subtrees of a tree, level by level, as plain as can be.
struct Tree(Vec<Vec<Hash>>);

impl Tree {
    fn of(entries: &[Vec<u8>]) -> Self {
        let mut levels = vec![entries.iter().map(|entry| leaf_hash(entry)).collect::<Vec<_>>()];
        while let Some(below) = levels.last().filter(|below| below.len() > 1) {
            levels
                .push(below.as_chunks::<2>().0.iter().map(|[left, right]| node_hash(left, right)).collect());
        }
        Self(levels)
    }
}

impl Hashes for Tree {
    fn hash(&self, level: u32, index: u64) -> Result<Hash> {
        Ok(self.0[level as usize][usize::try_from(index).unwrap()])
    }
}

/// As they ask for it: by the number of a stored hash.
impl HashReader for Tree {
    fn read_hashes(&self, indexes: &[u64]) -> std::result::Result<Vec<tlog_tiles::Hash>, tlog_tiles::Error> {
        let hash = |index: &u64| {
            let (level, index) = tlog_tiles::split_stored_hash_index(*index);
            tlog_tiles::Hash(self.hash(u32::from(level), index).unwrap())
        };
        Ok(indexes.iter().map(hash).collect())
    }
}

fn entries(count: u64) -> Vec<Vec<u8>> {
    (0..count).map(|n| format!("entry {n}").into_bytes()).collect()
}

fn theirs(hashes: &[Hash]) -> Vec<tlog_tiles::Hash> {
    hashes.iter().copied().map(tlog_tiles::Hash).collect()
}

fn ours(hashes: &[tlog_tiles::Hash]) -> Vec<Hash> {
    hashes.iter().map(|hash| hash.0).collect()
}

#[test]
fn proofs_of_all_sizes_are_those_of_tlog_tiles() {
    const SIZE: u64 = 300;
    let entries = entries(SIZE);
    let tree = Tree::of(&entries);
    for size in 1..=SIZE {
        let root = root_of(&tree, size).unwrap();
        let their_root = tlog_tiles::tree_hash(size, &tree).unwrap();
        assert_eq!(their_root.0, root, "{size}");
        for index in 0..size {
            let proof = inclusion_proof(&tree, index, size).unwrap();
            // Equal proofs are verified by both; each verifier is run on a part of them.
            assert_eq!(
                ours(&tlog_tiles::prove_record(size, index, &tree).unwrap()),
                proof,
                "{index} of {size}"
            );
            if (index + size) % 7 == 0 {
                let leaf = leaf_hash(&entries[usize::try_from(index).unwrap()]);
                assert!(is_included(&proof, leaf, index, (size, &root)));
                tlog_tiles::check_record(&theirs(&proof), size, their_root, index, tlog_tiles::Hash(leaf))
                    .unwrap();
            }
        }
        for old in 1..=size {
            let proof = consistency_proof(&tree, old, size).unwrap();
            assert_eq!(ours(&tlog_tiles::prove_tree(size, old, &tree).unwrap()), proof, "{old} of {size}");
            if (old + size) % 7 == 0 {
                let before = root_of(&tree, old).unwrap();
                assert!(is_consistent(&proof, (old, &before), (size, &root)));
                let before = tlog_tiles::Hash(before);
                tlog_tiles::check_tree(&theirs(&proof), size, their_root, old, before).unwrap();
            }
        }
    }
}

#[test]
fn proofs_of_all_sizes_are_those_of_ct_merkle() {
    type Theirs = ct_merkle::mem_backed_tree::MemoryBackedTree<sha2::Sha256, Vec<u8>>;
    const SIZE: usize = 270;
    let entries = entries(SIZE as u64);
    let (tree, mut their_tree, mut their_roots) = (Tree::of(&entries), Theirs::new(), Vec::new());
    for entry in &entries {
        their_tree.push(entry.clone());
        their_roots.push(their_tree.root());
        let size = their_roots.len();
        let (their_root, root) = (their_tree.root(), root_of(&tree, size as u64).unwrap());
        assert_eq!(their_root.as_bytes()[..], root, "{size}");
        for index in (0..size).filter(|index| (index + size) % 5 == 0 || size < 70) {
            let (proof, leaf) = (inclusion_proof(&tree, index as u64, size as u64).unwrap(), &entries[index]);
            assert_eq!(their_tree.prove_inclusion(index).as_bytes(), proof.concat(), "{index} of {size}");
            let their_proof = ct_merkle::InclusionProof::from_bytes(proof.concat());
            their_root.verify_inclusion(leaf, index as u64, &their_proof).unwrap();
            assert!(is_included(&proof, leaf_hash(leaf), index as u64, (size as u64, &root)));
        }
        for old in (1..size).filter(|old| (old + size) % 5 == 0 || size < 70) {
            let proof = consistency_proof(&tree, old as u64, size as u64).unwrap();
            assert_eq!(
                their_tree.prove_consistency(size - old).as_bytes(),
                proof.concat(),
                "{old} of {size}"
            );
            let their_proof = ct_merkle::ConsistencyProof::try_from_bytes(proof.concat()).unwrap();
            their_root.verify_consistency(&their_roots[old - 1], &their_proof).unwrap();
        }
    }
}

/// A tree of any size whose leaves are equal: one hash for each level.
struct Uniform(Vec<Hash>);

impl Uniform {
    fn new() -> Self {
        let mut levels = vec![[9; 32]];
        for level in 0..63 {
            levels.push(node_hash(&levels[level], &levels[level]));
        }
        Self(levels)
    }
}

impl Hashes for Uniform {
    fn hash(&self, level: u32, _: u64) -> Result<Hash> {
        Ok(self.0[level as usize])
    }
}

impl HashReader for Uniform {
    fn read_hashes(&self, indexes: &[u64]) -> std::result::Result<Vec<tlog_tiles::Hash>, tlog_tiles::Error> {
        let level = |index: &u64| usize::from(tlog_tiles::split_stored_hash_index(*index).0);
        Ok(indexes.iter().map(|index| tlog_tiles::Hash(self.0[level(index)])).collect())
    }
}

#[test]
fn proofs_of_large_trees_are_those_of_tlog_tiles() {
    let tree = Uniform::new();
    // Theirs number the stored hashes, of which a tree of 2^61 leaves has nearly 2^62.
    for size in [65_535, 65_536, 70_000, 10_000_000, (1 << 32) + 1, (1 << 48) - 1, 1 << 60, (1 << 61) - 1] {
        let (root, their_root) = (root_of(&tree, size).unwrap(), tlog_tiles::tree_hash(size, &tree).unwrap());
        assert_eq!(their_root.0, root);
        for index in [0, 1, 255, 256, size / 3, size / 2, size - 257, size - 2, size - 1] {
            let proof = inclusion_proof(&tree, index, size).unwrap();
            assert_eq!(
                ours(&tlog_tiles::prove_record(size, index, &tree).unwrap()),
                proof,
                "{index} of {size}"
            );
            assert!(is_included(&proof, [9; 32], index, (size, &root)));
            let old = index + 1;
            let (before, proof) =
                (root_of(&tree, old).unwrap(), consistency_proof(&tree, old, size).unwrap());
            assert_eq!(ours(&tlog_tiles::prove_tree(size, old, &tree).unwrap()), proof, "{old} of {size}");
            assert!(is_consistent(&proof, (old, &before), (size, &root)));
        }
    }
}

fn their_verifiers(key: &VerifierKey) -> VerifierList {
    VerifierList::new(vec![Box::new(StandardVerifier::new(&key.to_string()).unwrap())])
}

#[test]
fn what_we_sign_signed_note_verifies_and_the_other_way_round() {
    let key = NoteKey::parse(PRIVATE).unwrap();
    let their_signer = StandardSigner::new(PRIVATE).unwrap();
    for size in [0, 1, 700, 1 << 40, i64::MAX.unsigned_abs()] {
        let checkpoint = Checkpoint { origin: key.public().name().to_owned(), size, root: [3; 32] };
        let signed = checkpoint.sign(&key).to_string();
        let their_note = signed_note::Note::from_bytes(signed.as_bytes()).unwrap();
        let (verified, unverified) = their_note.verify(&their_verifiers(key.public())).unwrap();
        assert_eq!((verified.len(), unverified.len()), (1, 0));
        let their_checkpoint = tlog_tiles::Checkpoint::from_bytes(their_note.text()).unwrap();
        assert_eq!((their_checkpoint.origin(), their_checkpoint.size()), ("shop.example/ledger/1", size));
        assert_eq!(their_checkpoint.hash().0, [3; 32]);

        let their_checkpoint =
            tlog_tiles::Checkpoint::new(key.public().name(), size, tlog_tiles::Hash([3; 32]), "");
        let mut their_note = signed_note::Note::new(&their_checkpoint.unwrap().to_bytes(), &[]).unwrap();
        their_note.add_sigs(&[&their_signer]).unwrap();
        assert_eq!(String::from_utf8(their_note.to_bytes()).unwrap(), signed);
        let read = SignedCheckpoint::verify(&their_note.to_bytes(), key.public()).unwrap();
        assert_eq!(*read.checkpoint(), checkpoint);
    }
}

#[test]
fn notes_and_keys_are_refused_by_both_or_by_neither() {
    let key = NoteKey::parse(PRIVATE).unwrap();
    let signed =
        Checkpoint { origin: key.public().name().to_owned(), size: 7, root: [3; 32] }.sign(&key).to_string();
    let line = signed.lines().last().unwrap();
    let (text, last) = signed.split_at(signed.rfind("\n\n").unwrap());
    for (note, is_taken) in [
        (signed.clone(), true),
        (format!("{text}\n\n{last}"), false),
        (format!("{signed}— other.example AAAAAAA=\n"), true),
        (format!("{signed}{line}\n"), true),
        (format!("{signed}\n"), false),
        (signed.trim_end().to_owned(), false),
        (signed.replace('\n', "\r\n"), false),
        (signed.replace("\n\n", "\n"), false),
        (signed.replace("— ", "- "), false),
        (signed.replace("— shop", "—  shop"), false),
        (signed.replace("— shop.example", "— shop\u{2003}example"), false),
        (format!("{signed}— a+b AAAAAAA=\n"), false),
        (format!("{signed}— short AAAA\n"), false),
        (format!("{signed}{}", "— w.example AAAAAAA=\n".repeat(99)), true),
        (format!("{signed}{}", "— w.example AAAAAAA=\n".repeat(100)), false),
        (signed.replace("\n7\n", "\n8\n"), false),
    ] {
        let verifiers = their_verifiers(key.public());
        let by_them =
            signed_note::Note::from_bytes(note.as_bytes()).is_ok_and(|read| read.verify(&verifiers).is_ok());
        let by_us = Note::parse(note.as_bytes()).and_then(|read| read.signed_by(key.public()));
        assert_eq!((by_us.is_ok_and(|by| by.is_some()), by_them), (is_taken, is_taken), "{note}");
    }
    let public = key.public().to_string();
    for (text, is_taken) in [
        (public.clone(), true),
        (public.replace("shop", "shap"), false),
        (public.replace("shop", "sh op"), false),
        (public.replace("shop", "sh\u{3000}op"), false),
        (public.replace("+f83368bc", "+f83368bd"), false),
        (public.replace("+f83368bc", "+f83368b"), false),
        (public.replace("+f83368bc+", "+f83368bc"), false),
        (format!("{public}A"), false),
    ] {
        assert_eq!(VerifierKey::parse(&text).is_ok(), is_taken, "{text}");
        assert_eq!(StandardVerifier::new(&text).is_ok(), is_taken, "{text}");
    }
}

/// The published files, as theirs read them: their paths name the height of tiles.
struct Files<'a>(&'a std::path::Path);

impl Files<'_> {
    fn read(&self, path: &str) -> Vec<u8> {
        fs::read(self.0.join(path)).unwrap()
    }
}

impl TileReader for Files<'_> {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[tlog_tiles::Tile]) -> std::result::Result<Vec<Vec<u8>>, tlog_tiles::Error> {
        Ok(tiles.iter().map(|tile| self.read(&tile.path().replace("tile/8/", "public/tile/"))).collect())
    }

    fn save_tiles(&self, _: &[tlog_tiles::Tile], _: &[Vec<u8>]) {}
}

#[test]
fn a_published_ledger_is_verified_by_the_crates_alone() {
    let (vault, folder) = (in_memory(), tempfile::tempdir().unwrap());
    let put = |from: u32, to: u32| {
        let orders: Vec<_> = (from..to).map(|n| order(&format!("N-{n}"))).collect();
        assert!(vault.put_many(&orders).unwrap().iter().all(Result::is_ok));
    };
    put(0, 300);
    vault.publish(folder.path()).unwrap();
    let files = Files(folder.path());
    let (key, earlier) = (vault.ledger_key(1).unwrap(), files.read("public/checkpoint"));
    put(300, 700);
    vault.publish(folder.path()).unwrap();
    let newest = files.read("public/checkpoint");

    // Theirs on our files.
    let open = |bytes: &[u8]| {
        let note = signed_note::Note::from_bytes(bytes).unwrap();
        assert_eq!(note.verify(&their_verifiers(&key)).unwrap().0.len(), 1);
        tlog_tiles::Checkpoint::from_bytes(note.text()).unwrap()
    };
    let (earlier, newest) = (open(&earlier), open(&newest));
    assert!(earlier.size() > 256 && newest.size() > earlier.size() + 256);
    let reader = TileHashReader::new(newest.size(), *newest.hash(), &files);
    let mut index = 0;
    for tile in tlog_tiles::Tile::new_tiles(8, 0, newest.size()).iter().filter(|tile| tile.level() == 0) {
        // The data's bundle lies where the tile of hashes does.
        let mut bytes = &files.read(&tile.path().replace("tile/8/0/", "audit/tile/entries/"))[..];
        while let Some((length, rest)) = bytes.split_first_chunk::<2>() {
            let (entry, rest) = rest.split_at(usize::from(u16::from_be_bytes(*length)));
            let hash = tlog_tiles::record_hash(entry);
            let proof = tlog_tiles::prove_record(newest.size(), index, &reader).unwrap();
            tlog_tiles::check_record(&proof, newest.size(), *newest.hash(), index, hash).unwrap();
            if index % 97 == 0 || index + 1 == newest.size() {
                let published = Published::at(folder.path()).prove(index).unwrap();
                assert_eq!(theirs(&published.hashes), proof);
                published.verify(entry, &TrustPolicy::log_only(key.clone())).unwrap();
            }
            (index, bytes) = (index + 1, rest);
        }
    }
    assert_eq!(index, newest.size());
    let proof = tlog_tiles::prove_tree(newest.size(), earlier.size(), &reader).unwrap();
    tlog_tiles::check_tree(&proof, newest.size(), *newest.hash(), earlier.size(), *earlier.hash()).unwrap();
    assert_eq!(
        Published::at(folder.path()).proof_between(earlier.size(), newest.size()).unwrap(),
        ours(&proof)
    );
    assert_eq!(tlog_tiles::tree_hash(newest.size(), &reader).unwrap(), *newest.hash());
}

/// Tiles that theirs make.
struct TheirTiles<'a>(&'a Tree);

impl Tiles for TheirTiles<'_> {
    fn tile(&self, tile: Tile) -> Result<Vec<Hash>> {
        let theirs = tlog_tiles::Tile::new(8, tile.level, tile.index, u32::from(tile.width), false);
        assert_eq!(theirs.path().replace("tile/8/", "tile/"), tile.to_string());
        tile.parse(&theirs.read_data(self.0).unwrap())
    }
}

#[test]
fn tiles_and_their_names_are_those_of_tlog_tiles() {
    let tree = Tree::of(&entries(66_000));
    for size in [1, 255, 256, 257, 65_535, 65_536, 65_537, 66_000] {
        let hashes = TileHashes::new(TheirTiles(&tree), size);
        assert_eq!(root_of(&hashes, size).unwrap(), tlog_tiles::tree_hash(size, &tree).unwrap().0);
        for index in [0, 255, 256, size / 2, size - 1].into_iter().filter(|index| *index < size) {
            let proof = tlog_tiles::prove_record(size, index, &tree).unwrap();
            assert_eq!(inclusion_proof(&hashes, index, size).unwrap(), ours(&proof));
        }
        for from in [0, 1, 255, 256, 65_536].into_iter().filter(|from| *from < size) {
            let new = |level| Tile::of_level(level, from, size).map(|tile| tile.to_string());
            let new: Vec<_> = Tile::levels(size).flat_map(new).collect();
            let theirs = tlog_tiles::Tile::new_tiles(8, from, size);
            let theirs: Vec<_> = theirs.iter().map(|tile| tile.path().replace("tile/8/", "tile/")).collect();
            assert_eq!(new, theirs, "{from} to {size}");
        }
    }
    for index in [0, 999, 1_000, 1_234_067, u64::MAX >> 8] {
        let theirs = tlog_tiles::Tile::new(8, 3, index, 17, false).path();
        assert_eq!(theirs.replace("tile/8/", "tile/"), Tile { level: 3, index, width: 17 }.to_string());
    }
}
