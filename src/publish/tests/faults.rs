//! Every fault of a published log is told, with the first entry that it concerns.

use super::*;

const SIZE: u64 = 600;

fn shop() -> Shop {
    let shop = Shop::of(SIZE);
    shop.publish();
    shop
}

/// Where each entry of a bundle begins: its length, before its bytes.
fn starts(bytes: &[u8]) -> Vec<usize> {
    let mut starts = vec![0];
    while *starts.last().unwrap() < bytes.len() {
        let at = *starts.last().unwrap();
        starts.push(at + 2 + usize::from(u16::from_be_bytes([bytes[at], bytes[at + 1]])));
    }
    starts.pop();
    starts
}

const BUNDLES: [(&str, u64); 3] =
    [("audit/tile/entries/000", 0), ("audit/tile/entries/001", 256), ("audit/tile/entries/002.p/88", 512)];

#[test]
fn a_byte_altered_in_any_entry_names_that_entry() {
    let shop = shop();
    for (path, first) in BUNDLES {
        let good = fs::read(shop.path(path)).unwrap();
        let starts = starts(&good);
        for (start, index) in starts.iter().zip(first..) {
            let end = starts.get(usize::try_from(index - first).unwrap() + 1).copied().unwrap_or(good.len());
            // Either byte of its length, or one of its own.
            let kinds = [*start, start + 1, start + 2, start + 10, end - 1];
            let at = kinds[usize::try_from(index).unwrap() % kinds.len()];
            let mut bytes = good.clone();
            bytes[at] ^= 1;
            fs::write(shop.path(path), &bytes).unwrap();
            let (kind, said) = shop.fault();
            assert_eq!(kind, ErrorKind::Damaged, "{said}");
            assert!(said.starts_with(&format!("entry {index} ")), "{path} at {at}: {said}");
        }
        fs::write(shop.path(path), &good).unwrap();
    }
    shop.verify().unwrap();
}

#[test]
fn a_hash_altered_in_any_tile_names_the_first_entry_below_it() {
    let shop = shop();
    for (path, first, below) in [
        ("public/tile/0/000", 0, 1),
        ("public/tile/0/001", 256, 1),
        ("public/tile/0/002.p/88", 512, 1),
        ("public/tile/1/000.p/2", 0, 256),
    ] {
        let good = fs::read(shop.path(path)).unwrap();
        for at in (0..good.len()).step_by(127) {
            let mut bytes = good.clone();
            bytes[at] ^= 0x80;
            fs::write(shop.path(path), &bytes).unwrap();
            let index = first + at as u64 / 32 * below;
            let (kind, said) = shop.fault();
            assert!(
                kind == ErrorKind::Damaged && said.starts_with(&format!("entry {index} ")),
                "{path}: {said}"
            );
        }
        for bytes in [&good[..good.len() - 32], &[good.as_slice(), &[0; 32]].concat(), &good[1..], &[]] {
            fs::write(shop.path(path), bytes).unwrap();
            let (kind, said) = shop.fault();
            assert!(
                kind == ErrorKind::Damaged && said.starts_with(&format!("at entry {first}: ")),
                "{path}: {said}"
            );
        }
        fs::write(shop.path(path), &good).unwrap();
    }
    shop.verify().unwrap();
}

#[test]
fn a_checkpoint_altered_anywhere_is_refused() {
    let shop = shop();
    let good = fs::read(shop.path("public/checkpoint")).unwrap();
    for at in 0..good.len() {
        for bit in [1, 0x20] {
            let mut bytes = good.clone();
            bytes[at] ^= bit;
            fs::write(shop.path("public/checkpoint"), &bytes).unwrap();
            assert!(shop.verify().is_err(), "byte {at}");
        }
    }
    for cut in 0..good.len() {
        fs::write(shop.path("public/checkpoint"), &good[..cut]).unwrap();
        assert!(shop.verify().is_err(), "cut at {cut}");
    }
}

#[test]
fn a_file_that_is_missing_names_the_first_entry_in_it() {
    let shop = shop();
    for (path, bytes) in files(shop.dir.path()) {
        fs::remove_file(shop.path(&path)).unwrap();
        let (kind, said) = shop.fault();
        let index = match path.as_str() {
            "public/checkpoint" => None,
            path if path.contains("002") => Some(512),
            path if path.contains("001") => Some(256),
            _ => Some(0),
        };
        assert_eq!(kind, ErrorKind::NotFound, "{path}: {said}");
        assert!(index.is_none_or(|index| said.starts_with(&format!("at entry {index}: "))), "{path}: {said}");
        fs::write(shop.path(&path), bytes).unwrap();
    }
    shop.verify().unwrap();
}

#[test]
fn entries_in_another_order_cut_off_or_added_name_the_first() {
    let shop = shop();
    let good: Vec<Vec<u8>> = BUNDLES.iter().map(|(path, _)| fs::read(shop.path(path)).unwrap()).collect();
    let starts: Vec<Vec<usize>> = good.iter().map(|bytes| starts(bytes)).collect();
    let entry = |bundle: usize, at: usize| {
        let end = starts[bundle].get(at + 1).copied().unwrap_or(good[bundle].len());
        good[bundle][starts[bundle][at]..end].to_vec()
    };
    let of = |entries: Vec<Vec<u8>>| entries.concat();
    let whole = |bundle: usize| (0..starts[bundle].len()).map(|at| entry(bundle, at)).collect::<Vec<_>>();
    let is_at = |bundle: usize, bytes: &[u8], index: u64| {
        let path = shop.path(BUNDLES[bundle].0);
        fs::write(&path, bytes).unwrap();
        let (kind, said) = shop.fault();
        assert!(
            kind == ErrorKind::Damaged && said.starts_with(&format!("entry {index} ")),
            "{index}: {said}"
        );
        fs::write(&path, &good[bundle]).unwrap();
    };
    let mut swapped = whole(0);
    swapped.swap(17, 200);
    is_at(0, &of(swapped), 17);
    is_at(0, &good[1], 0);
    is_at(1, &good[0], 256);
    let mut without = whole(1);
    without.remove(44);
    is_at(1, &of(without), 300);
    is_at(1, &of(whole(1)[..100].to_vec()), 356);
    is_at(1, &good[1][..good[1].len() - 1], 511);
    is_at(2, &good[2][..1], 512);
    let mut more = whole(2);
    more.push(entry(2, 0));
    is_at(2, &of(more), 600);
    is_at(2, &[good[2].as_slice(), &[0]].concat(), 600);
    shop.verify().unwrap();
}

#[test]
fn an_entry_of_another_form_that_hashes_well_is_refused_by_its_index() {
    let shop = Shop::of(10);
    let bytes = b"no entry".to_vec();
    shop.store
        .append(&mut |head| {
            let mut next = head.clone();
            push_leaf(&mut next, leaf_hash(&bytes));
            (vec![LedgerRow { handle: [0; 16], bytes: bytes.clone() }], next)
        })
        .unwrap();
    shop.publish();
    assert_eq!(shop.fault(), (ErrorKind::Damaged, "entry 10 does not follow the format of entries".into()));
}

#[test]
fn entries_dated_back_are_named() {
    let shop = Shop::of(300);
    let mut back = cheap(5);
    back.time -= 10_000;
    shop.append([back].into_iter());
    shop.grow(400);
    shop.publish();
    let verified = shop.verify().unwrap();
    assert_eq!(verified.backdated_count, 1);
    assert_eq!((verified.backdated[0].index, verified.backdated[0].after), (300, 1_700_000_299));
}

#[cfg(unix)]
#[test]
fn what_is_no_plain_file_is_missing() {
    let shop = shop();
    let path = shop.path("public/tile/0/001");
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
    assert_eq!(shop.fault().0, ErrorKind::NotFound);
    fs::remove_file(&path).unwrap();
    // Nobody writes into it: whoever opens it waits.
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    assert_eq!(shop.fault().0, ErrorKind::NotFound);
}
