//! What witnesses signed, as it comes into a published log: from anybody, late, of several sizes.

use super::*;
use crate::tlog::{NoteSignature, Seen, WitnessRequest, cosign};

/// Two witnesses, and one that no policy names.
fn witnesses() -> [NoteKey; 3] {
    ["a.example", "b.example", "c.example"].map(|name| NoteKey::generate_witness(name).unwrap().0)
}

/// Both of the first two are wanted.
fn policy(shop: &Shop, [a, b, _]: &[NoteKey; 3]) -> TrustPolicy {
    let text = format!(
        "log {}\nwitness A {}\nwitness B {}\ngroup both all A B\nquorum both\n",
        shop.key.public(),
        a.public(),
        b.public()
    );
    TrustPolicy::parse(text.as_bytes()).unwrap()
}

/// A witness that sees the log for the first time signs this checkpoint.
fn sign(shop: &Shop, checkpoint: &SignedCheckpoint, key: &NoteKey) -> NoteSignature {
    let request = WitnessRequest { old: 0, proof: Vec::new(), checkpoint: checkpoint.clone() };
    cosign(&request, &Seen::nothing(shop.key.public().clone()), key, 1_800_000_000).unwrap().1
}

fn with(checkpoint: &SignedCheckpoint, lines: &[NoteSignature]) -> Vec<u8> {
    let mut signed = checkpoint.clone();
    lines.iter().for_each(|line| signed.note_mut().add(line.clone()).unwrap());
    signed.to_string().into_bytes()
}

#[test]
fn cosignatures_of_the_newest_checkpoint_come_one_by_one() {
    let (shop, keys) = (Shop::of(300), witnesses());
    let (signed, policy) = (shop.publish(), policy(&shop, &keys));
    let line = sign(&shop, &signed, &keys[0]);
    assert_eq!(shop.published().add_cosignatures(line.to_string().as_bytes(), &policy).unwrap(), 1);
    let e = shop.published().verify(&policy, |_, _, _| Ok(())).unwrap_err();
    assert_eq!(*e.kind(), ErrorKind::NotPermitted, "{e}");
    let other = with(&signed, &[sign(&shop, &signed, &keys[1])]);
    assert_eq!(shop.published().add_cosignatures(&other, &policy).unwrap(), 1);
    let verified = shop.published().verify(&policy, |_, _, _| Ok(())).unwrap();
    assert_eq!((verified.witnessed, verified.vouched.witnesses.len()), (300, 2));
    // Once more, at another time: one line of each witness is enough.
    let before = files(shop.dir.path());
    shop.published().add_cosignatures(&other, &policy).unwrap();
    assert!(files(shop.dir.path()) == before);
}

#[test]
fn what_is_no_good_signature_of_a_witness_of_the_policy_changes_nothing() {
    let (shop, keys) = (Shop::of(300), witnesses());
    let (signed, policy) = (shop.publish(), policy(&shop, &keys));
    let before = files(shop.dir.path());
    let refused = |bytes: &[u8], kind: ErrorKind| {
        let e = shop.published().add_cosignatures(bytes, &policy).unwrap_err();
        assert_eq!(*e.kind(), kind, "{e}");
        assert!(files(shop.dir.path()) == before);
    };
    let input = Error::input("cosignature", "").kind().clone();
    let good = sign(&shop, &signed, &keys[0]);
    let stranger = sign(&shop, &signed, &keys[2]);
    refused(stranger.to_string().as_bytes(), input.clone());
    let mut wrong = good.to_string();
    let at = wrong.rfind(' ').unwrap() + 40;
    wrong.replace_range(at..=at, if &wrong[at..=at] == "A" { "B" } else { "A" });
    refused(wrong.as_bytes(), ErrorKind::CannotOpen);
    refused(format!("{good}\n{wrong}\n").as_bytes(), ErrorKind::CannotOpen);
    refused(b"", input);
    refused(b"\xff\xfe", ErrorKind::Damaged);
    // A signature by another log's key, and lines of strangers, are not taken along.
    let noise = log_key(2);
    let mut noisy = signed.clone();
    noisy.note_mut().sign(&noise, 0);
    noisy.note_mut().add(stranger).unwrap();
    noisy.note_mut().add(good).unwrap();
    assert_eq!(shop.published().add_cosignatures(noisy.to_string().as_bytes(), &policy).unwrap(), 1);
    assert_eq!(shop.published().checkpoint().unwrap().note().signatures().len(), 2);
}

#[test]
fn a_late_quorum_is_kept_beside_the_newest_and_not_replaced_by_less() {
    let (shop, keys) = (Shop::of(100), witnesses());
    let policy = policy(&shop, &keys);
    let (first, published) = (shop.publish(), shop.published());
    shop.grow(600);
    let second = shop.publish();
    shop.grow(700);
    shop.publish();
    let verified = || published.verify(&policy, |_, _, _| Ok(())).map(|found| found.witnessed);
    // One by one, of the oldest.
    published.add_cosignatures(&with(&first, &[sign(&shop, &first, &keys[0])]), &policy).unwrap();
    assert_eq!(verified().unwrap_err().kind(), &ErrorKind::NotPermitted);
    published.add_cosignatures(&with(&first, &[sign(&shop, &first, &keys[1])]), &policy).unwrap();
    assert_eq!(verified().unwrap(), 100);
    // One witness alone of a newer one does not take away what both have seen.
    published.add_cosignatures(&with(&second, &[sign(&shop, &second, &keys[0])]), &policy).unwrap();
    assert_eq!(verified().unwrap(), 100);
    let both = [sign(&shop, &second, &keys[0]), sign(&shop, &second, &keys[1])];
    published.add_cosignatures(&with(&second, &both), &policy).unwrap();
    assert_eq!(verified().unwrap(), 600);
    // Nor does the newest with one of them, when the next takes its place.
    let newest = published.checkpoint().unwrap();
    published.add_cosignatures(sign(&shop, &newest, &keys[0]).to_string().as_bytes(), &policy).unwrap();
    shop.grow(800);
    shop.publish();
    assert_eq!(verified().unwrap(), 600);
    let newest = published.checkpoint().unwrap();
    for key in &keys[..2] {
        published.add_cosignatures(sign(&shop, &newest, key).to_string().as_bytes(), &policy).unwrap();
    }
    assert_eq!((verified().unwrap(), published.cosigned().unwrap()), (800, None));
    shop.grow(801);
    shop.publish();
    assert_eq!(verified().unwrap(), 800);
}

#[test]
fn a_cosigned_checkpoint_of_another_history_is_not_taken() {
    let (shop, keys) = (Shop::of(700), witnesses());
    let policy = policy(&shop, &keys);
    shop.publish();
    let other = Shop::of(0);
    other.append((1..=600).map(cheap));
    let split = other.publish();
    let lines: Vec<_> = keys[..2].iter().map(|key| sign(&other, &split, key)).collect();
    // Old partial tiles of it, which no verifier reads, do not make it fit.
    for (path, bytes) in files(other.dir.path()).iter().filter(|(path, _)| path.contains(".p/")) {
        fs::create_dir_all(shop.path(path).parent().unwrap()).unwrap();
        fs::write(shop.path(path), bytes).unwrap();
    }
    for bytes in [with(&split, &lines), with(&Shop::of(701).publish(), &[])] {
        let e = shop.published().add_cosignatures(&bytes, &policy).unwrap_err();
        assert_eq!(*e.kind(), ErrorKind::Damaged, "{e}");
    }
    assert_eq!(shop.published().cosigned().unwrap(), None);
    // Put there by hand, it is found by whoever verifies.
    fs::write(shop.path("public/checkpoint.cosigned"), with(&split, &lines)).unwrap();
    let e = shop.published().verify(&policy, |_, _, _| Ok(())).unwrap_err();
    assert!(e.to_string().contains("the first 600 entries do not hash to the checkpoint"), "{e}");
}
