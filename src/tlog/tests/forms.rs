//! Texts of the formats: each has one form, and what has another is refused with its line.

use proptest::prelude::*;

use super::*;

/// A hash, in base64.
fn hash() -> impl Strategy<Value = Hash> {
    any::<[u8; 32]>()
}

/// Names of keys, such as look alike among them.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9./-]{1,40}",
        Just("\u{437}\u{430}\u{43a}\u{430}\u{437}.example".to_owned()),
        Just("shop.example/caf\u{e9}".to_owned()),
        Just("shop.example/cafe\u{301}".to_owned()),
        "[^\\s+\\p{Cc}]{1,60}",
    ]
}

fn signature() -> impl Strategy<Value = NoteSignature> {
    // As long as an Ed25519 signature, a cosignature, and a cosignature of ML-DSA-44.
    let length = prop_oneof![Just(68_usize), Just(76), Just(4 + 8 + 2_420), 5..40_usize];
    (name(), length.prop_flat_map(|length| proptest::collection::vec(any::<u8>(), length)))
        .prop_map(|(name, bytes)| NoteSignature::parse(&format!("— {name} {}", to_base64(&bytes))).unwrap())
}

fn checkpoint() -> impl Strategy<Value = SignedCheckpoint> {
    let extensions = prop_oneof![Just(String::new()), Just("an extension line\nand another\n".to_owned())];
    (name(), any::<u64>(), hash(), extensions, proptest::collection::vec(signature(), 1..6)).prop_map(
        |(origin, size, root, extensions, signatures)| {
            let mut note = Note::of(format!("{}{extensions}", Checkpoint { origin, size, root }));
            signatures.into_iter().for_each(|signature| note.add(signature).unwrap());
            SignedCheckpoint::parse(note.to_string().as_bytes()).unwrap()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_is_written_is_read_and_written_the_same(
        checkpoint in checkpoint(),
        (index, hashes) in (any::<u64>(), proptest::collection::vec(hash(), 0..=63)),
        extra in proptest::collection::vec(any::<u8>(), 0..50),
    ) {
        let text = checkpoint.to_string();
        let again = SignedCheckpoint::parse(text.as_bytes()).unwrap();
        prop_assert_eq!(&again, &checkpoint);
        prop_assert_eq!(again.to_string(), text);
        for signature in checkpoint.note().signatures() {
            prop_assert_eq!(&NoteSignature::parse(&signature.to_string()).unwrap(), signature);
        }
        let proof = Proof { extra, index, hashes: hashes.clone(), checkpoint: checkpoint.clone() };
        let text = proof.to_string();
        prop_assert_eq!(&Proof::parse(text.as_bytes()).unwrap(), &proof);
        let request = WitnessRequest { old: index, proof: hashes, checkpoint };
        let text = request.to_string();
        prop_assert_eq!(&WitnessRequest::parse(text.as_bytes()).unwrap(), &request);
    }

    #[test]
    fn keys_are_written_and_read_the_same(name in name(), seed in any::<[u8; 32]>()) {
        let key = NoteKey::of_log(&name, &Secret::new(seed)).unwrap();
        let text = key.public().to_string();
        prop_assert_eq!(VerifierKey::parse(&text).unwrap(), key.public().clone());
        prop_assert_eq!(VerifierKey::parse(&format!("  {text}\r\n")).unwrap().to_string(), text.clone());
        // White space of Unicode is no frame of a key.
        for space in ["\u{a0}", "\u{3000}", "\u{2028}"] {
            for framed in [[space, &text].concat(), [&text, space].concat()] {
                prop_assert!(VerifierKey::parse(&framed).is_err(), "{}", framed);
            }
        }
    }

    #[test]
    fn bundles_and_tiles_are_read_as_they_were_written(
        entries in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..20), 1..20),
        cut in 1..10_usize,
    ) {
        let mut bytes = Vec::new();
        entries.iter().for_each(|entry| Bundle::push(&mut bytes, entry).unwrap());
        let width = u16::try_from(entries.len()).unwrap();
        let bundle = Bundle { index: 3, width };
        prop_assert_eq!(bundle.parse(&bytes).unwrap(), entries.clone());
        let short = bytes.len().saturating_sub(cut);
        prop_assert!(bundle.parse(&bytes[..short]).is_err());
        let wider = Bundle { index: 3, width: width + 1 };
        prop_assert!(wider.parse(&bytes).is_err());
        bytes.push(0);
        prop_assert!(bundle.parse(&bytes).is_err());
    }

    #[test]
    fn whatever_is_parsed_nothing_panics(
        bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'\n'), Just(b' ')], 0..300),
    ) {
        let _ = (Note::parse(&bytes), SignedCheckpoint::parse(&bytes), Proof::parse(&bytes));
        let _ = (WitnessRequest::parse(&bytes), TrustPolicy::parse(&bytes));
        let text = String::from_utf8_lossy(&bytes);
        let _ = (VerifierKey::parse(&text), NoteKey::parse(&text).map(drop), NoteSignature::parse(&text));
        for width in [0, 1, 2, 256, u16::MAX] {
            let _ = Bundle { index: u64::MAX, width }.parse(&bytes);
            let _ = Tile { level: u8::MAX, index: u64::MAX, width }.parse(&bytes);
        }
    }
}

#[test]
fn a_note_is_refused_with_the_line_at_fault() {
    let line = "— a.example AAAAAAA=";
    for (text, fault) in [
        (String::new(), "line 1: no empty line stands before signatures"),
        (format!("\n{line}\n"), "line 3: no empty line stands before signatures"),
        ("text\n".to_owned(), "line 2: no empty line stands before signatures"),
        ("text\n\n".to_owned(), "line 3: signatures are missing, or the last line does not end"),
        ("text\n\n\n".to_owned(), "line 4: signatures are missing, or the last line does not end"),
        (format!("text\n\n{line}"), "line 3: signatures are missing, or the last line does not end"),
        (format!("text\n\n{line}\n\n"), "line 5: signatures are missing, or the last line does not end"),
        (format!("text\n\n{line}\n{line} \n"), "line 4: a signature is written — NAME BASE64"),
        (format!("text\n\n{line}\ntext\n"), "line 4: a signature is written — NAME BASE64"),
        (format!("text\n\n{line}\n"), "taken"),
        (format!("\n\n{line}\n"), "taken"),
        (format!("text\n\n\n\n{line}\n"), "taken"),
        (format!("text\r\n\r\n{line}\r\n"), "line 1: there is a control character in it"),
        (format!("text\n\n{line}\n— \u{85}a AAAAAAA=\n"), "line 4: a signature is written — NAME BASE64"),
        ("text\n\n— a\u{3000}b AAAAAAA=\n".to_owned(), "line 3: a signature is written — NAME BASE64"),
        ("text\n\n— a+b AAAAAAA=\n".to_owned(), "line 3: a signature is written — NAME BASE64"),
        ("text\n\n— a  AAAAAAA=\n".to_owned(), "line 3: a signature is written — NAME BASE64"),
        ("text\n\n- a AAAAAAA=\n".to_owned(), "line 3: a signature is written — NAME BASE64"),
        ("text\n\n— a AAAAAA==\n".to_owned(), "line 3: a signature is written — NAME BASE64"),
        ("text\n\n— a AAAAAAB=\n".to_owned(), "line 3: a signature is written — NAME BASE64"),
        ("text\n\n— a AAAAAAA\n".to_owned(), "line 3: a signature is written — NAME BASE64"),
    ] {
        assert_eq!(said(Note::parse(text.as_bytes())), fault, "{text:?}");
    }
    assert_eq!(said(Note::parse(b"a\nb\xff\n\n")), "line 2: it is no UTF-8");
    assert_eq!(said(Note::parse(&vec![b'a'; (1 << 20) + 1])), "a note has at most 1 MiB");
    // The text ends with the last empty line: it may have others.
    let note = Note::parse(format!("a\n\nb\n\n\n{line}\n").as_bytes()).unwrap();
    assert_eq!(note.text(), "a\n\nb\n\n");
}

#[test]
fn lines_of_keys_that_are_not_known_are_passed_over_whatever_their_names_and_lengths() {
    let log = log_key("shop.example/ledger/1");
    let mut signed = cosigned(&log, &[]);
    let mut lines = signed.to_string();
    // C2SP signed-note limits no name. An ML-DSA-44 cosignature has 8 + 2,420 bytes.
    lines += &format!("— {} AAAAAAA=\n", "long".repeat(100));
    lines += "— control\u{7f}\u{80} AAAAAAA=\n";
    lines += &format!("— shop.example/ledger/1 {}\n", to_base64(&[6; 4 + 8 + 2_420]));
    signed = SignedCheckpoint::verify(lines.as_bytes(), log.public()).unwrap();
    assert_eq!(signed.note().signatures().len(), 4);
    assert_eq!(signed.to_string(), lines);
}

#[test]
fn a_note_has_a_hundred_signatures_and_no_more() {
    let log = log_key("shop.example/ledger/1");
    let witnesses: Vec<_> = (0..99).map(|n| witness_key(&format!("w{n}.example"))).collect();
    let mut signed = cosigned(&log, &witnesses.iter().collect::<Vec<_>>());
    let read = SignedCheckpoint::parse(signed.to_string().as_bytes()).unwrap();
    let vouched = policy_of(&log, &[&witnesses[0], &witnesses[98]]).check(&read).unwrap();
    assert_eq!(vouched.witnesses[1], ("w98.example".to_owned(), 1_800_000_098));
    let one_more = NoteSignature::parse("— one.more AAAAAAA=").unwrap();
    assert_eq!(said(signed.note_mut().add(one_more)), "a note has at most 100 signatures");
    let there_already = signed.note().signatures()[99].clone();
    signed.note_mut().add(there_already).unwrap();
    let text = format!("{signed}— one.more AAAAAAA=\n");
    assert_eq!(said(SignedCheckpoint::parse(text.as_bytes())), "a note has at most 100 signatures");
}

#[test]
fn a_checkpoint_has_one_form() {
    let root = to_base64(&EMPTY_ROOT);
    for (text, fault) in [
        (format!("a.example\n7\n{root}\n"), "taken"),
        (format!("a.example\n18446744073709551615\n{root}\nmore\n"), "taken"),
        (format!("a.example\n7\n{root}"), "line 3: the line does not end"),
        (String::new(), "line 1: the line does not end"),
        (format!("\n7\n{root}\n"), "line 1: the origin is missing"),
        ("a.example\n".to_owned(), "line 2: the size is missing"),
        ("a.example\n7\n".to_owned(), "line 3: the root is missing"),
        (format!("a.example\n\n{root}\n"), "line 2: the size is missing"),
        (format!("a.example\n07\n{root}\n"), "line 2: the size is a decimal number"),
        (format!("a.example\n+7\n{root}\n"), "line 2: the size is a decimal number"),
        (format!("a.example\n7 \n{root}\n"), "line 2: the size is a decimal number"),
        (format!("a.example\n-1\n{root}\n"), "line 2: the size is a decimal number"),
        (format!("a.example\n\u{667}\n{root}\n"), "line 2: the size is a decimal number"),
        (format!("a.example\n18446744073709551616\n{root}\n"), "line 2: the size is a decimal number"),
        (format!("a.example\n7\n{}\n", &root[..43]), "line 3: the root is 32 bytes in base64"),
        (format!("a.example\n7\n{}V=\n", &root[..42]), "line 3: the root is 32 bytes in base64"),
        (format!("a.example\n7\n{root} \n"), "line 3: the root is 32 bytes in base64"),
        (format!("a.example\n7\n{root}\nmore\n\n"), "line 5: an extension is an empty line"),
    ] {
        assert_eq!(said(Checkpoint::parse(&text)), fault, "{text:?}");
    }
}

#[test]
fn a_proof_is_refused_with_the_line_of_its_file() {
    let (log, hash) = (log_key("shop.example/ledger/1"), to_base64(&[7; 32]));
    let signed = cosigned(&log, &[]).to_string();
    let first = "c2sp.org/tlog-proof@v1";
    let many = format!("{hash}\n").repeat(64);
    for (text, fault) in [
        (format!("{first}\nindex 0\n\n{signed}"), "taken"),
        (format!("{first}\nextra AAAA\nindex 17\n{hash}\n\n{signed}"), "taken"),
        (format!("{first}\nindex 0\n{signed}"), "line 3: a hash is 32 bytes in base64"),
        (String::new(), "line 1: no empty line stands before the checkpoint"),
        (
            format!("{first}\nindex 0\n\n{signed}").replace('\n', "\r\n"),
            "line 1: no empty line stands before the checkpoint",
        ),
        (format!("{first}\r\nindex 0\n\n{signed}"), "line 1: a proof begins with c2sp.org/tlog-proof@v1"),
        (format!("{first}\nindex 0\r\n\n{signed}"), "line 2: index and a decimal number are missing"),
        (format!("{first}\nindex 0\n{hash}\r\n\n{signed}"), "line 3: a hash is 32 bytes in base64"),
        (
            format!("c2sp.org/tlog-proof@v2\nindex 0\n\n{signed}"),
            "line 1: a proof begins with c2sp.org/tlog-proof@v1",
        ),
        (format!("{first}\n\n{signed}"), "line 2: index and a decimal number are missing"),
        (format!("{first}\nindex 00\n\n{signed}"), "line 2: index and a decimal number are missing"),
        (format!("{first}\nindex -1\n\n{signed}"), "line 2: index and a decimal number are missing"),
        // Where there is no extra data, there is no line of it: else one proof would have two forms.
        (format!("{first}\nextra \nindex 0\n\n{signed}"), "line 2: extra is followed by base64"),
        (format!("{first}\nextra A\nindex 0\n\n{signed}"), "line 2: extra is followed by base64"),
        (format!("{first}\nextra\nindex 0\n\n{signed}"), "line 2: index and a decimal number are missing"),
        (
            format!("{first}\nextra AAAA\nextra AAAA\n\n{signed}"),
            "line 3: index and a decimal number are missing",
        ),
        (format!("{first}\nindex 0\n{many}\n{signed}"), "line 66: a proof has at most 63 hashes"),
        (
            format!("{first}\nindex 0\n{hash}\n\n{}", signed.replace("700", "0700")),
            "line 6: the size is a decimal number",
        ),
        (format!("{first}\nindex 0\n\n{signed}— a AA==\n"), "line 9: a signature is written — NAME BASE64"),
        (format!("{first}\nindex 0\n\n\n{signed}"), "line 4: the origin is missing"),
    ] {
        assert_eq!(said(Proof::parse(text.as_bytes())), fault, "{text:?}");
        let request = text.replace(&format!("{first}\n"), "").replace("index ", "old ");
        if fault == "taken" && !request.contains("extra") {
            WitnessRequest::parse(request.as_bytes()).unwrap();
        }
    }
    let request = format!("old 5\n{hash}\n\n{}", signed.replace("700", "0700"));
    assert_eq!(said(WitnessRequest::parse(request.as_bytes())), "line 5: the size is a decimal number");
    let request = format!("old 05\n\n{signed}");
    assert_eq!(
        said(WitnessRequest::parse(request.as_bytes())),
        "line 1: old and a decimal number are missing"
    );
}

#[test]
fn keys_of_other_types_and_forms_are_refused() {
    let key = log_key("shop.example").public().clone();
    let (text, encoded) =
        (key.to_string(), |kind: u8| to_base64(&[&[kind], key.public().as_slice()].concat()));
    for (text, fault) in [
        (text.clone(), "taken"),
        (String::new(), "key: it is written NAME+8 hexadecimal digits+base64"),
        (format!("shop.example+{}", encoded(1)), "key: it is written NAME+8 hexadecimal digits+base64"),
        (
            text.replace("shop", "sh op"),
            "key: its name is 1 to 255 bytes without spaces, + and control characters",
        ),
        (
            text.replace("shop", "sh\u{a0}op"),
            "key: its name is 1 to 255 bytes without spaces, + and control characters",
        ),
        (
            text.replace("shop.example", ""),
            "key: its name is 1 to 255 bytes without spaces, + and control characters",
        ),
        (
            text.replace("shop", &"s".repeat(256)),
            "key: its name is 1 to 255 bytes without spaces, + and control characters",
        ),
        (text.replace("shop", "shap"), "key: its id is not that of name and key"),
        (
            format!("shop.example+00000000+{}", to_base64(&[1; 32])),
            "key: it is written NAME+8 hexadecimal digits+base64",
        ),
        (
            // ML-DSA-44 (0x06) has 1,312 bytes.
            format!("shop.example+00000000+{}", to_base64(&[6; 1 + 1_312])),
            "a key of this type is not known: Ed25519 (1) and its cosignatures (4) are",
        ),
        (
            format!("shop.example+00000000+{}", encoded(5)),
            "a key of this type is not known: Ed25519 (1) and its cosignatures (4) are",
        ),
    ] {
        assert_eq!(said(VerifierKey::parse(&text)), fault, "{text:?}");
    }
}
