//! A shop that shows two histories, or another one than before: who keeps a checkpoint, or compares, finds it.

use super::*;
use crate::tlog::{Seen, WitnessRequest, cosign};

/// How a shop rewrites what was there: each is a whole log, well signed, which verifies by itself.
fn rewritten() -> Vec<(&'static str, Shop)> {
    let of = |entries: Vec<Entry>| {
        let shop = Shop::of(0);
        shop.append(entries.into_iter());
        shop.publish();
        shop
    };
    let good = || (0..700).map(cheap).collect::<Vec<_>>();
    let changed = |change: &dyn Fn(&mut Vec<Entry>)| {
        let mut entries = good();
        change(&mut entries);
        of(entries)
    };
    vec![
        ("one deleted", changed(&|entries| drop(entries.remove(300)))),
        ("two reordered", changed(&|entries| entries.swap(10, 590))),
        ("one dated back", changed(&|entries| entries[599].time -= 250)),
        ("one put in", changed(&|entries| entries.insert(0, cheap(9)))),
        ("rebuilt", changed(&|entries| entries.iter_mut().for_each(|entry| entry.time += 1))),
    ]
}

#[test]
fn whoever_kept_a_checkpoint_finds_a_history_that_does_not_continue_it() {
    let shop = Shop::of(600);
    let kept = shop.publish();
    for (how, other) in rewritten() {
        other.verify().unwrap();
        let e = other.published().check_kept(&kept, shop.key.public()).unwrap_err();
        assert_eq!(*e.kind(), ErrorKind::Damaged, "{how}: {e}");
        assert!(e.to_string().contains("does not continue the 600 entries"), "{how}: {e}");
    }
    let cut = Shop::of(599);
    cut.publish();
    let e = cut.published().check_kept(&kept, shop.key.public()).unwrap_err();
    assert_eq!(*e.kind(), ErrorKind::RolledBack, "{e}");
    shop.grow(700);
    shop.publish();
    shop.published().check_kept(&kept, shop.key.public()).unwrap();
    let stranger = LedgerState::from(&LedgerHead::default()).checkpoint(&log_key(2)).sign(&log_key(2));
    assert_eq!(
        *shop.published().check_kept(&stranger, shop.key.public()).unwrap_err().kind(),
        ErrorKind::CannotOpen
    );
}

#[test]
fn two_auditors_who_compare_their_checkpoints_find_two_histories() {
    for (how, other) in rewritten() {
        let shop = Shop::of(650);
        let (mine, yours) = (shop.publish(), other.published().checkpoint().unwrap());
        // Each is whole, and each was signed by the shop: that is the proof.
        shop.verify().unwrap();
        other.verify().unwrap();
        let key = shop.key.public();
        assert!(other.published().check_kept(&mine, key).is_err(), "{how}");
        assert!(shop.published().check_kept(&yours, key).is_err(), "{how}");
    }
}

#[test]
fn a_witness_signs_one_of_two_histories_in_whatever_order_it_is_asked() {
    let (witness, _) = NoteKey::generate_witness("w.example").unwrap();
    let shop = Shop::of(600);
    shop.publish();
    for (how, other) in rewritten() {
        for (first, second) in [(&shop, &other), (&other, &shop)] {
            let request = first.published().request(0).unwrap();
            let (seen, _) = cosign(&request, &Seen::nothing(shop.key.public().clone()), &witness, 1).unwrap();
            let published = second.published();
            let newest = published.checkpoint().unwrap();
            // With the proof of its own tiles, with none, with the other's.
            for proof in [
                published.proof_between(seen.size.min(600), newest.checkpoint().size).unwrap(),
                Vec::new(),
                first.published().proof_between(500, seen.size).unwrap(),
            ] {
                let asked = WitnessRequest { old: seen.size, proof, checkpoint: newest.clone() };
                let e = cosign(&asked, &seen, &witness, 1).unwrap_err();
                assert!([ErrorKind::Conflict, ErrorKind::Damaged].contains(e.kind()), "{how}: {e}");
            }
        }
    }
}
