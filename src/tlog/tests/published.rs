//! What others published: notes, checkpoints, cosignatures, roots and proofs.

use super::*;

/// C2SP signed-note, "Verifier keys": the example.
const NOTE_KEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const NOTE: &str = "This is an example message.\n
— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
";

#[test]
fn the_note_of_the_specification_is_signed_by_its_key() {
    let (key, note) = (VerifierKey::parse(NOTE_KEY).unwrap(), Note::parse(NOTE.as_bytes()).unwrap());
    assert_eq!(key.to_string(), NOTE_KEY);
    assert_eq!(note.to_string(), NOTE);
    assert_eq!(note.text(), "This is an example message.\n");
    assert_eq!(note.signed_by(&key).unwrap(), Some(None));
    let other = VerifierKey::of_log("example.com/bar", key.public()).unwrap();
    assert_eq!(note.signed_by(&other).unwrap(), None);
}

#[test]
fn the_note_of_go_is_signed_with_the_same_bytes() {
    // golang.org/x/mod/sumdb/note, package documentation.
    let private = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    let public = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    let text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
    let signature = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=";
    let key = NoteKey::parse(private).unwrap();
    assert_eq!(key.public().to_string(), public);
    let mut note = Note::of(text.to_owned());
    note.sign(&key, 0);
    assert_eq!(note.to_string(), format!("{text}\n{signature}\n"));
    let upper = public.replace("c74f20a3", "C74F20A3");
    assert!(VerifierKey::parse(&upper).is_err(), "an id has one form");
}

/// A checkpoint of the public log arche2025h1.staging.ct.transparency.dev of May 2026, with the signature of RFC 6962 (type 0x05)
/// that a log of certificates adds under its own name.
const CHECKPOINT: &str = "arche2025h1.staging.ct.transparency.dev
1432088532
U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=

— arche2025h1.staging.ct.transparency.dev zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllzalApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=
— arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=
— transparency.dev/DEV:witness-little-garden 2AQqhwAAAABqEiEgzgFIqqhbUoDwjMWE6UP8nd8/KYTzwZ2rhIgcqoXHAwVkjZr4AscylP3v7sEodkRAErumC2q44vdgJY096st5BQ==
— witness1.smartit.nu/witness1 pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8eO0WH+/iEcxZ75W3u5hNI7TOQtmJbqmNWVuE0tgh0XwzdZsDsUAQ==
— remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==
— witness.stagemole.eu Z/euoAAAAABqEiEgw0i+7g2ENfDAWHmtRzCfKTHSDwYDJA2NmKeGi9Y8FtEyOUvVr+AJmIY/2TUFucgKi7lI7cUiOvKFYe/TmN9DAg==
";
/// Keys that the log and three of its witnesses published.
const POLICY: &str =
    "log arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f
witness smartit witness1.smartit.nu/witness1+a48c820f+BPSFWg9G6KPiO7QPryYO5Xq4oYJJ+kAvLKLSimDhoxMO
witness remora remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2
witness stagemole witness.stagemole.eu+67f7aea0+BEqSG3yu9YrmcM3BHvQYTxwFj3uSWakQepafafpUqklv
group witnesses 3 smartit remora stagemole
quorum witnesses
";

#[test]
fn a_public_checkpoint_is_signed_by_its_log_and_cosigned_by_witnesses() {
    let signed = SignedCheckpoint::parse(CHECKPOINT.as_bytes()).unwrap();
    assert_eq!(signed.to_string(), CHECKPOINT);
    assert_eq!(signed.checkpoint().size, 1_432_088_532);
    let vouched = TrustPolicy::parse(POLICY.as_bytes()).unwrap().check(&signed).unwrap();
    assert!(vouched.is_witnessed);
    let time = 0x6a12_2120; // 2026-05-23, as each of them states it
    let names = ["witness1.smartit.nu/witness1", "remora.n621.de", "witness.stagemole.eu"];
    assert_eq!(vouched.witnesses, names.map(|name| (name.to_owned(), time)));

    let altered = SignedCheckpoint::parse(CHECKPOINT.replace("1432088532", "1432088533").as_bytes()).unwrap();
    let refused = said(TrustPolicy::parse(POLICY.as_bytes()).unwrap().check(&altered));
    assert!(refused.contains("is not of this text"), "{refused}");
}

/// transparency-dev/trillian-tessera, testdata/log and client/client_test.go: entries, spelled so there, key, roots, and signatures of
/// the checkpoints of three of these.
const TESSERA_KEY: &str =
    "PRIVATE+KEY+example.com/log/testdata+33d7b496+AeymY/SZAX0jZcJ8enZ5FY1Dz+wTML2yWSkK+9DSF3eg";
const TESSERA_ENTRIES: &str =
    "one two three four five six seven eit nain ten ileven twelf threeten fourten fivten";
const TESSERA_ROOTS: [(u64, &str); 13] = [
    (0, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="),
    (1, "0Nc2CrefWKseHj/mStd+LqC8B+NrX0btIiPt2SmN+ek="),
    (2, "T1X2GdkhUjV3iyufF9b0kVsWFxIU0VI4EpNml2Teci4="),
    (3, "Wqx3HImawpLnS/Gv4ubjAvi1WIOy0b8Ze0amvqbavKk="),
    (4, "zY1lN35vrXYAPixXSd59LsU29xUJtuW4o2dNNg5Y2Co="),
    (5, "gy5gl3aksFyiCO95a/1vLXz88A3dRq+0l9Sxte8ZqZQ="),
    (6, "a6sWvsc2eEzmj72vah7mZ5dwFltivehh2b11qwlp5Jg="),
    (7, "IrSXADBqJ7EQoUODSDKROySgNveeL6CFhik2w/+fS7U="),
    (8, "bC+VwvrJbalNVjfkdI8kUgs7mJoXrqiXCE7bgnD28pY="),
    (12, "uZo6M+IhVna+CLgWCrJs0xBPUHbozHkYTQASduHSLME="),
    (13, "av0kLH0VkkVDrTuZzBGIx7d9z5G1l/GlKz/nAV/8woQ="),
    (14, "SvCd38yNade7xEPY1a/aAc1M3A2AHYVF8lIiUnsH1ao="),
    (15, "rKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs="),
];

const TESSERA_SIGNATURES: [(u64, &str); 3] = [
    (8, "M9e0lq1EK37dHtgv9O3UzPxisw5vwIPcJsX9ab0xt4mvVfbdUR1fbMjN6sBFYpBoBEmD4+cWhj/AVgI5MitCO5+mews="),
    (12, "M9e0lrFzoTgi+ovhrqX0DpsEAp3wLu1coMLIkeCwSkGfS4Ox4pLXo2LHudqm4merh0ZkCNzHr8kQwq5gS5mmimIvdA4="),
    (13, "M9e0liO8x8xfEOGmZVYODUjQajkEpjccPQ9EkG3yEEDet4K3BWE/DFRPH6H+b6gFFFaG5KS1bBmYS/xeZJs8lj+z+wM="),
];

#[test]
fn roots_are_those_of_tessera_and_each_continues_those_before_it() {
    let log = Log(TESSERA_ENTRIES.split(' ').map(|entry| entry.as_bytes().to_vec()).collect());
    let roots = TESSERA_ROOTS.map(|(size, root)| (size, hash_from_base64(root).unwrap()));
    let hashes = TileHashes::new(&log, 15);
    for (size, root) in &roots {
        assert_eq!(root_of(&hashes, *size).unwrap(), *root, "{size}");
        for (old, old_root) in roots.iter().filter(|(old, _)| old <= size) {
            let proof = consistency_proof(&hashes, *old, *size).unwrap();
            assert!(is_consistent(&proof, (*old, old_root), (*size, root)), "{old} of {size}");
        }
    }
    let key = NoteKey::parse(TESSERA_KEY).unwrap();
    let origin = key.public().name().to_owned();
    for (size, signature) in TESSERA_SIGNATURES {
        let root = roots.iter().find(|(of, _)| *of == size).unwrap().1;
        let signed = Checkpoint { origin: origin.clone(), size, root }.sign(&key).to_string();
        assert!(signed.ends_with(&format!("\n\n— {origin} {signature}\n")), "{signed}");
    }
}

#[test]
fn a_checkpoint_is_signed_with_the_bytes_that_tessera_signed() {
    // warpfork/spicytool, spicy/spicysig_test.go: a proof by a log with the same key. Its entry is not published.
    const PROOF: &str = "c2sp.org/tlog-proof@v1
index 100252
+4IF875THRSj6IOZo2SRpgL6buVI/cawB2iLGFLgWDQ=
nBeqO1BayYMNXX05jMGGtCfprprlSVASVTUUwA0OC9E=
zpUmeEe94VcV/jft8wYlUcDx9yr2kff2jq9QW295vhw=
DTWvScrZyztZdQo5YhJ2Sioo6xDCRDgnoxJJJhN5vl0=
550NhxNMkqzfWFptIePTfVic0rHovJMectLfzaLgh5U=
aoGmNLa5zDVavVfeWhrAxU3duQ0m2TB489dVEGmquO8=
Sbbxxj/8zvCs1q23zn+3wxE9OfJyqVtajvLlvg4FOaI=
WuiUqI+eMKiZ4OUa9CORDO64u91gs7kbTzQYw/e/Khg=
nxkvRAG/1vChJgwuphcHSaCBWcBXebV52Nd3sGxP2kI=
8xVjSf6ZkYSabrgN8m3ePiWgQSpafmz8FXTCfv7guck=
uIkQsFgLVnAeDt5KgZP6l3eJ6YzFz2p92KwlA50Ea5Q=
8SliMOQ4QRiNiRzAt4iEDvrOC0ETwRssbnOdutGqPhA=

example.com/log/testdata
100270
GRV1O0dCqmjjPvYi7CtOT79zb/fPwLNsMFWsynwU8Ac=

— example.com/log/testdata M9e0lkcvy5bAe7rrC8tCyAP+my+CLzswA91zOpBNWVU7qCojkUOHnfdQzDImoYeYH8G8PJSwOqsx0RkSa261OmKVwwM=
";
    let proof = Proof::parse(PROOF.as_bytes()).unwrap();
    assert_eq!(proof.to_string(), PROOF);
    let key = NoteKey::parse(TESSERA_KEY).unwrap();
    let (signed, checkpoint) = (&proof.checkpoint, proof.checkpoint.checkpoint());
    signed.check_log(key.public()).unwrap();
    assert_eq!(checkpoint.sign(&key).to_string(), signed.to_string());
    // As many hashes as that place of that tree needs, and no other number of them.
    assert!(root_through(&proof.hashes, [1; 32], proof.index, checkpoint.size).is_some());
    assert!(root_through(&proof.hashes[1..], [1; 32], proof.index, checkpoint.size).is_none());
    let refused = said(proof.verify(b"another entry", &TrustPolicy::log_only(key.public().clone())));
    assert_eq!(refused, "entry 100252 is not in the log of that checkpoint");
}

/// The leaves of RFC 6962's first implementations, whose tree transparency-dev/merkle proves in testdata/.
const LEAVES: [&[u8]; 8] = [
    b"",
    b"\x00",
    b"\x10",
    b"\x20\x21",
    b"\x30\x31",
    b"\x40\x41\x42\x43",
    b"\x50\x51\x52\x53\x54\x55\x56\x57",
    b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
];
const ROOTS: [(u64, &str); 7] = [
    (1, "bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0="),
    (2, "+sVCA+fMaWzw38tCySodnbr3CtnmIfS9jZhmLwDjwSU="),
    (3, "rra8/idLcKFPsGel5VeCZNsPqbUa9eC6FZFY8yngbnc="),
    (5, "Tju7H3tHjc/nH7YxYxUZo7yhLJrvyhYSv85ME6hiZNQ="),
    (6, "duZ9rbzfHhDht03cYIq9L5jfsW+851J3tSMqEn8gh+8="),
    (7, "3bib5AOAnjJXUNPSY814kpwpQreUKjS3fhIslZSnTIw="),
    (8, "XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg="),
];
/// testdata/inclusion/0 to 4: index, size, proof.
const INCLUSION: [(u64, u64, &str); 5] = [
    (0, 1, ""),
    (
        0,
        8,
        "lqKW0iTyhcZ77pPDD4owkVfw2qNdxbh+QQt4YwoJz8c= Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4= a0eq8p7jwq+a+Im8H7klTavTEXfxYjLdaqsDXKOb9uQ=",
    ),
    (
        5,
        8,
        "vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms= yoVOoSjtBQtBs1/8G4e46yveRh6eO1WW7Oa51ZdaCuA= 037kGJdt2VdTwcc4Yrk5j6Kiz5tP8P3+izDNlSCWFLc=",
    ),
    (2, 3, "+sVCA+fMaWzw38tCySodnbr3CtnmIfS9jZhmLwDjwSU="),
    (
        1,
        5,
        "bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0= Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4= vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms=",
    ),
];
/// testdata/consistency/1 to 4: sizes, proof.
const CONSISTENCY: [(u64, u64, &str); 4] = [
    (
        1,
        8,
        "lqKW0iTyhcZ77pPDD4owkVfw2qNdxbh+QQt4YwoJz8c= Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4= a0eq8p7jwq+a+Im8H7klTavTEXfxYjLdaqsDXKOb9uQ=",
    ),
    (
        6,
        8,
        "DrxdNDf74tsVi58Sah0RjjCBgQMdCpSfje3t68VY72o= yoVOoSjtBQtBs1/8G4e46yveRh6eO1WW7Oa51ZdaCuA= 037kGJdt2VdTwcc4Yrk5j6Kiz5tP8P3+izDNlSCWFLc=",
    ),
    (2, 5, "Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4= vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms="),
    (
        6,
        7,
        "DrxdNDf74tsVi58Sah0RjjCBgQMdCpSfje3t68VY72o= sIaT7C5yFZcTBkHoIR5+7cy0wmQTlj7ubB4u0W/7Gl8= 037kGJdt2VdTwcc4Yrk5j6Kiz5tP8P3+izDNlSCWFLc=",
    ),
];

fn hashes_of(text: &str) -> Vec<Hash> {
    text.split_whitespace().map(|hash| hash_from_base64(hash).unwrap()).collect()
}

fn root(size: u64) -> Hash {
    ROOTS.iter().find(|(of, _)| *of == size).map(|(_, root)| hash_from_base64(root).unwrap()).unwrap()
}

/// A proof, altered in the ways that the files beside `happy-path.json` are.
fn alterations(proof: &[Hash], roots: &[Hash]) -> Vec<Vec<Hash>> {
    let mut altered = Vec::new();
    for extra in roots.iter().chain([&[0; 32]]).chain(proof.first()) {
        altered.push([&[*extra], proof].concat());
        altered.push([proof, &[*extra]].concat());
    }
    for at in 0..proof.len() {
        for bit in [3, 4] {
            let mut other = proof.to_vec();
            other[at][0] ^= 1 << bit;
            altered.push(other);
        }
        let (before, after) = proof.split_at(at);
        altered.extend([before.to_vec(), after[1..].to_vec(), [before, &[[0; 32]], after].concat()]);
        if at > 0 {
            altered.push(after.to_vec());
        }
    }
    altered
}

#[test]
fn published_proofs_of_inclusion_hold_and_altered_ones_do_not() {
    let log = Log(LEAVES.iter().map(|leaf| leaf.to_vec()).collect());
    for (index, size, proof) in INCLUSION {
        let (root, proof) = (root(size), hashes_of(proof));
        let leaf = leaf_hash(LEAVES[usize::try_from(index).unwrap()]);
        assert_eq!(inclusion_proof(&TileHashes::new(&log, size), index, size).unwrap(), proof);
        assert!(is_included(&proof, leaf, index, (size, &root)));
        for (other_index, other_size) in [
            (index.wrapping_sub(1), size),
            (index + 1, size),
            (index ^ 2, size),
            (index, size * 2),
            (index, size / 2),
        ] {
            assert!(
                !is_included(&proof, leaf, other_index, (other_size, &root)),
                "{other_index} {other_size}"
            );
        }
        for other in [[0; 32], EMPTY_ROOT, leaf_hash(b"random")] {
            assert!(!is_included(&proof, leaf, index, (size, &other)));
            assert!(!is_included(&proof, other, index, (size, &root)));
        }
        for altered in alterations(&proof, &[root]) {
            assert!(!is_included(&altered, leaf, index, (size, &root)), "{index} of {size}");
        }
    }
}

#[test]
fn published_proofs_of_consistency_hold_and_altered_ones_do_not() {
    let log = Log(LEAVES.iter().map(|leaf| leaf.to_vec()).collect());
    for (old, new, proof) in CONSISTENCY {
        let (old_root, new_root, proof) = (root(old), root(new), hashes_of(proof));
        let (before, after) = ((old, &old_root), (new, &new_root));
        assert_eq!(consistency_proof(&TileHashes::new(&log, new), old, new).unwrap(), proof);
        assert!(is_consistent(&proof, before, after));
        for (other_old, other_new) in
            [(old - 1, new), (old + 1, new), (old ^ 2, new), (old, new * 2), (old, new / 2), (new, old)]
        {
            let holds = is_consistent(&proof, (other_old, &old_root), (other_new, &new_root));
            assert!(!holds, "{other_old} to {other_new}");
        }
        assert!(!is_consistent(&proof, (old, &new_root), (new, &old_root)));
        assert!(!is_consistent(&proof, (old, &[1; 32]), after));
        assert!(!is_consistent(&proof, before, (new, &[1; 32])));
        assert!(!is_consistent(&[], before, after));
        for altered in alterations(&proof, &[old_root, new_root]) {
            assert!(!is_consistent(&altered, before, after), "{old} to {new}");
        }
    }
    // testdata/consistency/0: every tree begins with the empty one.
    assert!(is_consistent(&[], (0, &EMPTY_ROOT), (8, &root(8))));
}
