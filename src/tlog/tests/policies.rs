//! Trust policies: their form, whom they take, and how many must have seen a checkpoint.

use super::*;

fn parsed(text: &str) -> Result<TrustPolicy> {
    TrustPolicy::parse(text.as_bytes())
}

#[test]
fn a_policy_is_refused_with_the_line_at_fault() {
    let (log, w1, w2) = (log_key("shop.example"), witness_key("w1.example"), witness_key("w2.example"));
    let (log, one, two) =
        (log.public(), format!("witness one {}\n", w1.public()), format!("witness two {}\n", w2.public()));
    let ml_dsa = format!("w+00000000+{}", to_base64(&[6; 1_313]));
    for (text, fault) in [
        ("quorum none\n".to_owned(), "taken"),
        (format!("# a comment\n \t\nlog\t{log}  https://shop.example/\nquorum none"), "taken"),
        (format!("{one}{two}group both 2 one two\nquorum both\n"), "taken"),
        (format!("{one}quorum one\n{two}"), "taken"),
        (String::new(), "the quorum line is missing: quorum NAME, or quorum none"),
        (format!("log {log}\n"), "the quorum line is missing: quorum NAME, or quorum none"),
        ("quorum none\nquorum none\n".to_owned(), "line 2: there is one quorum line"),
        ("quorum none\r\n".to_owned(), "line 1: there is a control character in it"),
        ("# \u{7f}\nquorum none\n".to_owned(), "line 1: there is a control character in it"),
        ("quorum one\n".to_owned(), "line 1: a name is not that of a witness or group on a line before it"),
        (
            format!("quorum one\n{one}"),
            "line 1: a name is not that of a witness or group on a line before it",
        ),
        (format!("{one}{one}quorum one\n"), "line 2: the key is a log's, or that of a witness before it"),
        (format!("{one}witness one {}\nquorum one\n", w2.public()), "line 2: the name is taken"),
        (format!("witness none {}\nquorum none\n", w2.public()), "line 1: the name is taken"),
        (format!("{one}group none 1 one\nquorum none\n"), "line 2: the name is taken"),
        (format!("{one}group one 1 one\nquorum one\n"), "line 2: the name is taken"),
        (
            format!("witness one {log}\nquorum one\n"),
            "line 1: the key is a log's, or that of a witness before it",
        ),
        (
            format!("log {}\nquorum none\n", w1.public()),
            "line 1: the key is a witness's, or that of a log before it",
        ),
        (
            format!("log {log}\nlog {log}\nquorum none\n"),
            "line 2: the key is a witness's, or that of a log before it",
        ),
        (
            format!("{one}group g 1 none\nquorum g\n"),
            "line 2: a name is not that of a witness or group on a line before it",
        ),
        (
            format!("{one}group g 1 g\nquorum g\n"),
            "line 2: a name is not that of a witness or group on a line before it",
        ),
        (format!("{one}group g 1 one one\nquorum g\n"), "line 2: a name is a member once, of one group"),
        (
            format!("{one}group g 1 one\ngroup h 1 one g\nquorum h\n"),
            "line 3: a name is a member once, of one group",
        ),
        (
            format!("{one}group g 0 one\nquorum g\n"),
            "line 2: the threshold is any, all, or 1 to the number of members",
        ),
        (
            format!("{one}group g 2 one\nquorum g\n"),
            "line 2: the threshold is any, all, or 1 to the number of members",
        ),
        (
            format!("{one}group g 99999999999999999999 one\nquorum g\n"),
            "line 2: the threshold is any, all, or 1 to the number of members",
        ),
        (
            format!("{one}group g any\nquorum g\n"),
            "line 2: it is none of log, witness, group and quorum with what belongs to it",
        ),
        (
            format!("{one}quorum one two\n"),
            "line 2: it is none of log, witness, group and quorum with what belongs to it",
        ),
        (
            "Quorum none\n".to_owned(),
            "line 1: it is none of log, witness, group and quorum with what belongs to it",
        ),
        (
            format!("{one}witness w {ml_dsa}\nquorum one\n"),
            "line 2: a key of this type is not known: Ed25519 (1) and its cosignatures (4) are",
        ),
        (
            format!("log \u{a0}{log}\nquorum none\n"),
            "line 1: key: its name is 1 to 255 bytes without spaces, + and control characters",
        ),
    ] {
        assert_eq!(said(parsed(&text)), fault, "{text}");
    }
    assert_eq!(said(TrustPolicy::parse(b"log \xff\n")), "line 1: the key is no UTF-8");
    assert_eq!(said(TrustPolicy::parse(&vec![b'#'; (1 << 16) + 1])), "a trust policy has at most 64 KiB");
}

#[test]
fn a_policy_is_written_and_read_the_same_whatever_bytes_its_names_are() {
    // C2SP tlog-policy: names are octets, of which 0x80 to 0xff may be anything.
    let (log, other) = (log_key("shop.example"), other_log_key("shop.example"));
    let mut bytes =
        format!("# logs\nlog {} https://shop.example\nlog {}\n", log.public(), other.public()).into_bytes();
    for name in [&b"\xff"[..], b"\xfe", b"K", b"\xe2\x84\xaa"] {
        let key = witness_key("w.example").public().to_string();
        bytes.extend([b"witness ", name, b" ", key.as_bytes(), b"\n"].concat());
    }
    bytes.extend_from_slice(b"group \xfd any \xff \xfe\ngroup g all K \xfd\nquorum g\n");
    let policy = TrustPolicy::parse(&bytes).unwrap();
    let again = TrustPolicy::parse(&policy.to_bytes()).unwrap();
    assert_eq!(again, policy);
    assert_eq!(again.to_bytes(), policy.to_bytes());
    let plain = policy_of(&log, &[&witness_key("w1.example"), &witness_key("w2.example")]);
    assert_eq!(parsed(&plain.to_string()).unwrap(), plain);
}

#[test]
fn the_quorum_is_reached_by_whom_the_groups_say() {
    // The example of C2SP tlog-policy: two of three X, and one of three Y.
    let log = log_key("shop.example");
    let keys: Vec<_> = ["x1", "x2", "x3", "y1", "y2", "y3"].map(witness_key).into();
    let mut text = format!("log {}\n", log.public());
    for key in &keys {
        text += &format!("witness {} {}\n", key.public().name(), key.public());
    }
    text += "group X 2 x1 x2 x3\ngroup Y any y1 y2 y3\ngroup X-and-Y all X Y\nquorum X-and-Y\n";
    let policy = parsed(&text).unwrap();
    let masks =
        [0, 0b001_001, 0b001_011, 0b111_010, 0b100_101, 0b000_111, 0b010_110, 0b111_000, 0b111_111_u32];
    for mask in masks {
        let of: Vec<_> = (0..6).filter(|n| mask >> n & 1 == 1).map(|n| &keys[n]).collect();
        let signed = cosigned(&log, &of);
        let is_reached = (mask & 7).count_ones() >= 2 && mask >> 3 != 0;
        match policy.check(&signed) {
            Ok(vouched) => assert!(is_reached && vouched.witnesses.len() == of.len(), "{mask:b}"),
            Err(e) => assert!(!is_reached && *e.kind() == ErrorKind::NotPermitted, "{mask:b}: {e}"),
        }
    }
    let few = said(policy.check(&cosigned(&log, &[&keys[0], &keys[3]])));
    assert_eq!(few, "too few witnesses have cosigned it; missing: x2, x3, y2, y3");
}

#[test]
fn witnesses_of_one_name_are_told_apart_by_their_keys() {
    let (log, one, two) = (log_key("shop.example"), witness_key("w.example"), witness_key("w.example"));
    let policy = policy_of(&log, &[&one, &two]);
    assert_eq!(
        said(policy.check(&cosigned(&log, &[&one]))),
        "too few witnesses have cosigned it; missing: w1"
    );
    assert_eq!(said(policy.check(&cosigned(&log, &[&two, &one]))), "taken");
    // One that bears the log's name is a witness all the same, and signs no checkpoint of its own.
    let namesake = witness_key("shop.example");
    let policy = policy_of(&log, &[&namesake]);
    assert_eq!(said(policy.check(&cosigned(&log, &[&namesake]))), "taken");
    assert_eq!(said(policy.check(&cosigned(&log, &[]))), "too few witnesses have cosigned it; missing: w0");
    assert!(cosigned(&log, &[]).check_log(namesake.public()).is_err());
}

#[test]
fn a_log_that_changes_its_key_is_taken_with_both() {
    let (old, new) = (log_key("shop.example"), other_log_key("shop.example"));
    let policy = parsed(&format!("log {}\nlog {}\nquorum none\n", old.public(), new.public())).unwrap();
    for key in [&old, &new] {
        assert_eq!(policy.check(&cosigned(key, &[])).unwrap().log, *key.public());
    }
    let neither = log_key("shop.exampl\u{435}");
    let said = said(policy.check(&cosigned(&neither, &[])));
    assert_eq!(
        said, "the trust policy has no log shop.exampl\\u{435}",
        "the letter that differs must be seen"
    );
    // A wrong signature by either key refuses the whole, as the specification of notes says.
    let mut both = cosigned(&old, &[]);
    both.note_mut().sign(&new, 0);
    assert_eq!(super::said(policy.check(&both)), "taken");
    let text = both.to_string();
    let (before, last) = text.trim_end().rsplit_once(' ').unwrap();
    let mut bytes = from_base64(last).unwrap();
    bytes[40] ^= 1;
    let altered = SignedCheckpoint::parse(format!("{before} {}\n", to_base64(&bytes)).as_bytes()).unwrap();
    assert_eq!(super::said(policy.check(&altered)), "the signature of shop.example is not of this text");
}

#[test]
fn of_one_witness_that_signed_twice_the_newest_time_counts_and_no_false_one() {
    let (log, witness) = (log_key("shop.example"), witness_key("w.example"));
    let policy = policy_of(&log, &[&witness]);
    let mut signed = cosigned(&log, &[&witness]);
    signed.note_mut().sign(&witness, 1_800_000_099);
    signed.note_mut().sign(&witness, 1_800_000_050);
    assert_eq!(policy.check(&signed).unwrap().witnesses, [("w.example".to_owned(), 1_800_000_099)]);
    let text = signed.to_string();
    let line = text.lines().last().unwrap();
    let mut bytes = from_base64(line.rsplit_once(' ').unwrap().1).unwrap();
    // A later time that the witness never stated.
    bytes[4..12].copy_from_slice(&1_900_000_000_u64.to_be_bytes());
    let forged = format!("{text}— w.example {}\n", to_base64(&bytes));
    let refused = said(policy.check(&SignedCheckpoint::parse(forged.as_bytes()).unwrap()));
    assert_eq!(refused, "the signature of w.example is not of this text");
    // As a line of another length under the witness's name and id.
    let short = format!("{text}— w.example {}\n", to_base64(&bytes[..68]));
    assert!(policy.check(&SignedCheckpoint::parse(short.as_bytes()).unwrap()).is_err());
}
