//! What publishing leaves, in whatever steps it came, and after crashes.

use super::*;

#[test]
fn publishing_in_steps_leaves_what_publishing_at_once_leaves() {
    let whole = Shop::of(600);
    whole.publish();
    let expected = files(whole.dir.path());
    for (first, step) in [(1, 97), (1, 100), (1, 255), (256, 256), (257, 257), (505, 1), (250, 3)] {
        let (shop, mut size) = (Shop::of(0), first);
        while size < 600 {
            shop.grow(size);
            assert_eq!(shop.publish().checkpoint().size, size);
            // Single steps where tiles fill, and then at once.
            size = if step < 10 && size % 256 > 10 && size % 256 < 250 { 600 } else { size + step };
        }
        shop.grow(600);
        shop.publish();
        // Narrower ones stay until the full one is there, for who reads by an earlier checkpoint.
        let mut found = files(shop.dir.path());
        found.retain(|path, _| !path.contains(".p/") || expected.contains_key(path));
        assert!(found == expected, "from {first} by {step}: {:?}", found.keys().collect::<Vec<_>>());
    }
}

/// What a reader finds at each size is the same, whatever was published before.
#[test]
fn every_size_is_published_as_if_it_were_the_first() {
    let shop = Shop::of(0);
    for size in [1, 2, 3, 255, 256, 257, 258, 511, 512, 513] {
        shop.grow(size);
        shop.publish();
        let whole = Shop::of(size);
        whole.publish();
        let found = files(shop.dir.path());
        for (path, bytes) in files(whole.dir.path()) {
            assert!(found.get(&path) == Some(&bytes), "{path} at {size}");
        }
    }
}

#[test]
fn the_sizes_at_which_a_level_fills_are_verified() {
    let shop = Shop::of(0);
    for size in [0, 1, 255, 256, 257, 65_535, 65_536, 65_537] {
        shop.grow(size);
        let state = LedgerState::from(&shop.store.head().unwrap());
        let signed = shop.publish();
        assert_eq!((signed.checkpoint().size, signed.checkpoint().root), (size, state.root));
        let verified = shop.verify().unwrap();
        assert_eq!((verified.checkpoint.size, verified.has_entries), (size, true), "{size}");
        for index in [0, size / 2, size.saturating_sub(1)].into_iter().filter(|index| *index < size) {
            let (proof, entry) =
                (shop.published().prove(index).unwrap(), shop.published().entry(index, size).unwrap());
            assert!(crate::tlog::is_included(&proof.hashes, leaf_hash(&entry), index, (size, &state.root)));
        }
    }
}

#[test]
fn hash_tiles_alone_are_verified_as_a_web_server_has_them() {
    let shop = Shop::of(600);
    shop.publish();
    fs::remove_dir_all(shop.path("audit")).unwrap();
    assert!(!shop.verify().unwrap().has_entries);
    let public = Published::at(&shop.path("public"));
    let verified = public.verify(&shop.trust(), |_, _, _| panic!("there are no entries")).unwrap();
    assert_eq!((verified.checkpoint.size, verified.has_entries, verified.times), (600, false, None));
}

#[test]
fn a_publication_that_was_cut_off_anywhere_is_repeated() {
    let (shop, whole) = (Shop::of(200), Shop::of(600));
    shop.publish();
    let before = files(shop.dir.path());
    whole.publish();
    let after = files(whole.dir.path());
    shop.grow(600);
    let new: Vec<&String> = after.keys().filter(|path| *path != "public/checkpoint").collect();
    for written in 0..=new.len() {
        let folder = tempfile::tempdir().unwrap();
        for (path, bytes) in &before {
            write(&folder.path().join(path), bytes);
        }
        for path in &new[..written] {
            write(&folder.path().join(path), &after[*path]);
        }
        // Half a file, which never got its name; and a link that is not to be written through.
        write(&folder.path().join("public/tile/0/000.new"), b"half");
        #[cfg(unix)]
        std::os::unix::fs::symlink(
            folder.path().join("elsewhere"),
            folder.path().join("public/checkpoint.new"),
        )
        .unwrap();
        let half = Published::at(folder.path());
        assert_eq!(half.verify(&shop.trust(), |_, _, _| Ok(())).unwrap().checkpoint.size, 200);
        assert_eq!(shop.publish_into(folder.path()).unwrap().0, 200);
        let mut found = files(folder.path());
        found.remove("public/tile/0/000.new");
        assert!(found == after, "after {written} files: {:?}", found.keys().collect::<Vec<_>>());
        assert!(!folder.path().join("elsewhere").exists());
    }
}

fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

#[test]
fn many_publishers_and_a_growing_ledger_leave_one_whole_log() {
    let shop = Shop::of(1);
    std::thread::scope(|scope| {
        scope.spawn(|| (2..700).for_each(|size| shop.grow(size)));
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..20 {
                    shop.publish_into(shop.dir.path()).unwrap();
                    shop.verify().unwrap();
                }
            });
        }
    });
    shop.publish();
    assert_eq!(shop.verify().unwrap().checkpoint.size, 699);
}

#[test]
fn a_ledger_that_was_cut_or_rewritten_is_not_published_over_what_is_there() {
    let shop = Shop::of(600);
    shop.publish();
    let before = files(shop.dir.path());
    let refused = |other: &Shop, kind: ErrorKind, said: &str| {
        let e = publish(&other.store, &other.key, &shop.published(), true).unwrap_err();
        assert_eq!(*e.kind(), kind, "{e}");
        assert!(e.to_string().contains(said), "{e}");
        assert!(shop.verify().is_ok());
        assert_eq!(files(shop.dir.path())["public/checkpoint"], before["public/checkpoint"]);
    };
    refused(&Shop::of(599), ErrorKind::RolledBack, "600 entries are published, and the ledger has 599");
    let rebuilt = Shop::of(0);
    rebuilt.append((1..=600).map(cheap));
    refused(&rebuilt, ErrorKind::Damaged, "differ at entry 600 or before it");
    // The same, and longer: found at the first entry of the tile at the edge, or by the root.
    rebuilt.append((601..700).map(cheap));
    refused(&rebuilt, ErrorKind::Damaged, "differ at entry 512 or before it");
    let early = Shop::of(0);
    early.append([cheap(9)].into_iter().chain((1..700).map(cheap)));
    refused(&early, ErrorKind::Damaged, "differ at entry 600 or before it");
    let other = Shop { key: log_key(2), ..Shop::of(700) };
    refused(&other, ErrorKind::CannotOpen, "has no signature by the key");
}

#[test]
fn a_former_ledger_that_came_back_shorter_leaves_what_was_published() {
    let shop = Shop::of(600);
    let signed = shop.publish();
    let back = Shop::of(400);
    let again = publish(&back.store, &back.key, &shop.published(), false).unwrap();
    assert_eq!(again, (600, signed));
    let other = Shop::of(0);
    other.append((1..=400).map(cheap));
    let e = publish(&other.store, &other.key, &shop.published(), false).unwrap_err();
    assert_eq!(*e.kind(), ErrorKind::Damaged);
    // Old partial tiles, which no verifier reads, do not make it fit.
    let hashes: Vec<Hash> =
        other.store.entries(256, 144).unwrap().iter().map(|row| leaf_hash(&row.bytes)).collect();
    write(&shop.path("public/tile/0/001.p/144"), hashes.as_flattened());
    let e = publish(&other.store, &other.key, &shop.published(), false).unwrap_err();
    assert_eq!(*e.kind(), ErrorKind::Damaged);
}

#[test]
fn published_tiles_that_were_altered_at_the_edge_are_not_continued() {
    let shop = Shop::of(600);
    shop.publish();
    let good = files(shop.dir.path());
    shop.grow(700);
    for path in ["public/tile/0/002.p/88", "public/tile/1/000.p/2", "public/checkpoint"] {
        for at in [0, good[path].len() / 2, good[path].len() - 5] {
            let mut bytes = good[path].clone();
            bytes[at] ^= 1;
            fs::write(shop.path(path), &bytes).unwrap();
            let e = shop.publish_into(shop.dir.path()).unwrap_err();
            assert!([ErrorKind::Damaged, ErrorKind::CannotOpen].contains(e.kind()), "{path} at {at}: {e}");
            fs::write(shop.path(path), &good[path]).unwrap();
        }
    }
    shop.publish();
    shop.verify().unwrap();
}

#[cfg(unix)]
#[test]
fn hashes_are_for_everybody_and_entries_are_not() {
    use std::os::unix::fs::PermissionsExt;

    let shop = Shop::of(300);
    shop.publish();
    let mode = |path: &str| fs::metadata(shop.path(path)).unwrap().permissions().mode() & 0o777;
    for path in ["audit", "audit/tile/entries", "audit/tile/entries/000", "audit/tile/entries/001.p/44"] {
        assert_eq!(mode(path) & 0o027, 0, "{path} is for owner and group");
    }
    // As far as the umask of whoever runs this lets it.
    let free = shop.path("free");
    fs::write(&free, "").unwrap();
    assert_eq!(mode("public/checkpoint"), mode("free") & 0o644);
}
