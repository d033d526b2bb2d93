//! Canonical bytes (docs/format.md section 7): one encoding for each policy, and a decoder that takes nothing else (F18).

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use consignee_policy::{CanonicalError, DEFAULT_POLICY, Policy};

/// A small generator of numbers (SplitMix64), so that a failure can be repeated by its seed.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

struct Made {
    name: String,
    list: bool,
    facet: bool,
    index: bool,
}

/// A valid policy of any shape, as TOML, with its sections in any order.
fn any_policy(seed: u64) -> String {
    let r = &mut Numbers(seed);
    let mut numbers: Vec<u64> = (1..=200).map(|n| n * 300 + r.below(300)).collect();
    let mut number = || numbers.pop().expect("enough numbers");
    let mut sections = vec![format!("[field.order_no]\nid = {}\ntype = \"text\"\n", number())];
    let mut fields = vec![Made { name: "order_no".into(), list: false, facet: false, index: false }];
    for n in 0..r.below(40) {
        let ty = ["text", "bool", "integer", "money", "timestamp", "address", "list", "bytes", "json"]
            [usize::try_from(r.below(9)).unwrap()];
        let name = if r.one_in(2) { format!("f{n}") } else { format!("group.f_{n}.x") };
        let mut section = format!("[field.\"{name}\"]\nid = {}\ntype = \"{ty}\"\n", number());
        let facet = match ty {
            "text" if r.one_in(2) => Some(["name", "phone", "last4"][usize::try_from(r.below(3)).unwrap()]),
            "address" if r.one_in(2) => Some("city"),
            _ => None,
        };
        if let Some(mask) = facet {
            section += &format!("facets = {{ less = {{ id = {}, mask = \"{mask}\" }} }}\n", number());
        }
        let index = ty == "text" && r.one_in(2);
        if index {
            let normalise = ["exact", "upper", "digits", "phone:CN", "phone:FR", "last4"]
                [usize::try_from(r.below(6)).unwrap()];
            let expect = 8 + (r.next() >> r.below(60)) / 2;
            section += &format!("index = {{ normalise = \"{normalise}\", expect = {expect} }}\n");
        }
        fields.push(Made { name, list: ty == "list", facet: facet.is_some(), index });
        sections.push(section);
    }
    for n in 0..r.below(30) {
        let (mut open, mut lines, mut search) = (Vec::new(), Vec::new(), Vec::new());
        for field in &fields {
            if r.one_in(2) {
                let facet = if field.facet && r.one_in(2) { ":less" } else { "" };
                open.push(format!("\"{}{facet}\"", field.name));
                if field.list && r.one_in(2) {
                    lines.push(format!("\"{}\" = \"own_{n}\"", field.name));
                }
            }
            if field.index && r.one_in(3) {
                search.push(format!("\"{}\"", field.name));
            }
        }
        if open.is_empty() {
            open.push("\"order_no\"".into());
        }
        if r.one_in(2) {
            open.reverse();
        }
        let mut section = format!("[role.role_{}.purpose_{n}]\nopen = [{}]\n", r.below(5), open.join(", "));
        section += &format!("lines = {{ {} }}\nsearch = [{}]\n", lines.join(", "), search.join(", "));
        if r.one_in(2) {
            section += &format!("expires = \"{}m\"\n", 1 + r.below(52_000_000));
        }
        sections.push(section);
    }
    for i in (1..sections.len()).rev() {
        sections.swap(i, usize::try_from(r.below(i as u64 + 1)).unwrap());
    }
    let retired: Vec<String> = (0..r.below(5)).map(|_| number().to_string()).collect();
    format!("version = 1\nretired = [{}]\n{}", retired.join(", "), sections.concat())
}

#[test]
fn f18_every_policy_comes_back_from_its_canonical_bytes() {
    for seed in 0..400 {
        let text = any_policy(seed);
        let policy = Policy::parse(&text).unwrap_or_else(|errors| panic!("seed {seed}:\n{errors}\n{text}"));
        let again = Policy::from_canonical(policy.canonical()).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
        assert_eq!(again, policy, "seed {seed}");
        assert_eq!(again.digest(), policy.digest());
    }
}

#[test]
fn order_and_spelling_of_the_text_do_not_matter() {
    let text = r#"version = 1
        role.a.b = { open = ["x", "order_no"], expires = "2d" }
        [field]
        x = { type = "list", id = 0x10 }
        order_no = { type = "text", id = 1 }"#;
    let other = r#"
        version = 1
        retired = []
        [field.order_no]
        id = 1
        type = "text"
        [field.x]
        id = 16
        type = 'list'
        [role.a.b]
        open = ["order_no", "x"]
        search = []
        expires = "48h""#;
    assert_eq!(Policy::parse(text).unwrap().canonical(), Policy::parse(other).unwrap().canonical());
}

/// Written by hand from docs/format.md section 7.
#[test]
fn the_bytes_are_those_of_the_format() {
    let text = r#"version = 1
        retired = [300, 9]
        [field.order_no]
        id = 1
        type = "text"
        facets = { end = { id = 258, mask = "last4" } }
        index = { normalise = "phone:CN", expect = 8 }
        [field.items]
        id = 6
        type = "list"
        [role.supplier.pick]
        open = ["items"]
        lines = { items = "by" }
        search = ["order_no"]
        expires = "1h""#;
    let bytes = [
        b"consignee/v1/policy".as_slice(),
        &[1, 0, 0, 0],
        &[2, 0],
        &[1, 0, 8],
        b"order_no",
        &[1, 1, 2, 1, 3],
        b"end",
        &[4, 1, 4],
        b"CN",
        &[8, 0, 0, 0, 0, 0, 0, 0],
        &[6, 0, 5],
        b"items",
        &[7, 0, 0],
        &[2, 0, 9, 0, 44, 1],
        &[1, 0, 8],
        b"supplier",
        &[4],
        b"pick",
        &[1, 0, 6, 0],
        &[1, 6, 0, 2],
        b"by",
        &[1, 1, 0],
        &[0x10, 0x0e, 0, 0, 0, 0, 0, 0],
    ]
    .concat();
    assert_eq!(Policy::parse(text).unwrap().canonical(), bytes);
}

#[test]
fn f18_cut_bytes_are_refused() {
    let policy = Policy::built_in();
    let bytes = policy.canonical();
    for end in 0..bytes.len() {
        let error = Policy::from_canonical(&bytes[..end]).unwrap_err();
        let expected = if end < b"consignee/v1/policy".len() {
            CanonicalError::NotAPolicy
        } else {
            CanonicalError::Truncated
        };
        assert_eq!(error, expected, "cut at {end}");
    }
    let longer = [bytes, &[0]].concat();
    assert_eq!(Policy::from_canonical(&longer), Err(CanonicalError::Damaged("something follows its end")));
}

#[test]
fn f18_altered_bytes_are_refused_or_say_what_they_mean() {
    let policies =
        [Policy::built_in(), Policy::parse(&any_policy(7)).unwrap(), Policy::parse(&any_policy(8)).unwrap()];
    for (policy, step) in policies.into_iter().zip([1, 8, 8]) {
        for at in 0..policy.canonical().len() {
            for bit in (at % step..8).step_by(step) {
                let mut bytes = policy.canonical().to_vec();
                bytes[at] ^= 1 << bit;
                if let Ok(other) = Policy::from_canonical(&bytes) {
                    assert_eq!(other.canonical(), bytes);
                    assert_ne!(other.digest(), policy.digest());
                }
            }
        }
    }
}

#[test]
fn noise_is_refused() {
    let r = &mut Numbers(1);
    for _ in 0..20_000 {
        let mut bytes = b"consignee/v1/policy\x01\0\0\0".to_vec();
        // Small numbers get further than noise proper.
        bytes.extend((0..r.below(200)).map(|_| u8::try_from(r.next() >> (56 + r.below(8))).unwrap()));
        assert!(Policy::from_canonical(&bytes).is_err());
    }
}

/// Rules hold for bytes as for text, those that TOML itself sees to included.
#[test]
fn f18_bytes_that_break_a_rule_are_refused() {
    const HEAD: &[u8] = b"consignee/v1/policy\x01\0\0\0";
    const ORDER_NO: &[u8] = b"\x01\0\x08order_no\x01\0\0";
    const NO_TABLES: &[u8] = b"\0\0\0\0";
    let read = |parts: &[&[u8]]| Policy::from_canonical(&[HEAD, &parts.concat()].concat());
    let invalid = |parts: &[&[u8]], message: &str| match read(parts) {
        Err(CanonicalError::Invalid(found)) => assert!(found.contains(message), "{found}"),
        other => panic!("expected {message}, got {other:?}"),
    };

    assert!(read(&[b"\x01\0", ORDER_NO, NO_TABLES]).is_ok());
    invalid(&[b"\0\0", NO_TABLES], "no field `order_no`");
    invalid(
        &[b"\x02\0", ORDER_NO, b"\x02\0\x08order_no\x01\0\0", NO_TABLES],
        "field `order_no` is there twice",
    );
    invalid(&[b"\x02\0", ORDER_NO, b"\x01\0\x01a\x01\0\0", NO_TABLES], "number 1 is that of `order_no`");
    invalid(
        &[b"\x01\0", b"\x01\0\x08order_no\x01\x02\x02\0\x01a\x04\x03\0\x01a\x04\0", NO_TABLES],
        "facet `order_no:a`",
    );
    invalid(&[b"\x01\0", ORDER_NO, b"\x01\0\x01\0", b"\0\0"], "number 1 is retired");
    let table = b"\x01a\x01b\x01\0\x01\0\0\0\0\0\0\0\0\0\0\0";
    assert!(read(&[b"\x01\0", ORDER_NO, b"\0\0\x01\0", table]).is_ok());
    invalid(&[b"\x01\0", ORDER_NO, b"\0\0\x02\0", table, table], "role `a`, purpose `b` is there twice");
    invalid(
        &[b"\x01\0", ORDER_NO, b"\0\0\x01\0\x01a\x01b\x02\0\x01\0\x01\0\0\0\0\0\0\0\0\0\0\0"],
        "twice in `open`",
    );
    invalid(&[b"\x01\0", ORDER_NO, b"\0\0\x01\0\x01a\x01b\0\0\0\0\0\0\0\0\0\0\0\0"], "opens nothing");

    invalid(
        &[b"\x01\0", b"\x01\0\x08order_no\x01\0\x01\x04ZZ\x08\0\0\0\0\0\0\0", NO_TABLES],
        "`phone:ZZ` names no country",
    );

    // Right in every rule, and yet not the one encoding.
    let second = b"\x02\0\x01a\x01\0\0";
    assert!(read(&[b"\x02\0", ORDER_NO, second, NO_TABLES]).is_ok());
    assert_eq!(read(&[b"\x02\0", second, ORDER_NO, NO_TABLES]), Err(CanonicalError::NotCanonical));
    let padded = b"\x01\0\x08order_no\x01\0\x01\x01\0A\x08\0\0\0\0\0\0\0";
    assert_eq!(read(&[b"\x01\0", padded, NO_TABLES]), Err(CanonicalError::NotCanonical));

    let damaged =
        |parts: &[&[u8]]| assert!(matches!(read(parts), Err(CanonicalError::Damaged(_))), "{parts:?}");
    damaged(&[b"\x61\0", ORDER_NO]);
    damaged(&[b"\x01\0\x01\0\x08order_no\x0a\0\0", NO_TABLES]);
    damaged(&[b"\x01\0\x01\0\x08order_no\x01\0\x02", NO_TABLES]);
    damaged(&[b"\x01\0\x01\0\x02\xff\xff\x01\0\0", NO_TABLES]);
    damaged(&[b"\x01\0", ORDER_NO, b"\0\0\x01\x01"]);
    damaged(&[b"\x01\0", ORDER_NO, b"\0\0\x01\0\x01a\x01b\x01\0\x02\0\0\0\0\0\0\0\0\0\0\0"]);

    assert_eq!(Policy::from_canonical(b"consignee/v1/policy\x02\0\0\0"), Err(CanonicalError::NewerVersion));
    assert_eq!(Policy::from_canonical(b"consignee/v1/policy\0\0\0\0"), Err(CanonicalError::NotAPolicy));
    assert_eq!(Policy::from_canonical(DEFAULT_POLICY.as_bytes()), Err(CanonicalError::NotAPolicy));
}
