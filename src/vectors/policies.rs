//! Vectors of canonical policies.

use serde_json::json;

use super::{Vector, hex};
use crate::policy::Policy;

pub(super) fn generate() -> Vec<Vector> {
    let mut vectors = Vec::new();
    let mut add = |name: &str, rule: &str, expect: &str, comment: &str, canonical: &[u8]| {
        let mut vector = json!({
            "comment": comment, "of": "policy", "rules": [rule], "expect": expect, "canonical": hex(canonical),
        });
        if expect == "opens" {
            let policy = Policy::from_canonical(canonical).unwrap();
            vector["digest"] = hex(policy.digest()).into();
        }
        vectors.push((format!("policy-{name}"), vector));
    };
    add("built-in", "F18", "opens", "The policy of the built-in order.", Policy::built_in().canonical());
    let order_no: &[u8] = b"\x01\0\x08order_no\x01\0\0";
    let note: &[u8] = b"\x02\0\x04note\x01\0\0";
    let made = |fields: &[&[u8]], retired: &[u8], tables: &[&[u8]]| {
        let count = |n: usize| u16::try_from(n).unwrap().to_le_bytes();
        [
            b"consignee/v1/policy\x01\0\0\0".as_slice(),
            &count(fields.len()),
            &fields.concat(),
            &count(retired.len() / 2),
            retired,
            &count(tables.len()),
            &tables.concat(),
        ]
        .concat()
    };
    let table = |role: &[u8], open: &[u8], expires: u64| {
        let lengths = [u8::try_from(role.len()).unwrap(), u8::try_from(open.len() / 2).unwrap()];
        [&lengths[..1], role, b"\x01p", &lengths[1..], &[0], open, &[0, 0], &expires.to_le_bytes()].concat()
    };
    let (a, b) = (table(b"a", &[1, 0], 0), table(b"b", &[1, 0, 2, 0], 60));
    let good = made(&[order_no, note], &[9, 0], &[&a, &b]);
    add("small", "F18", "opens", "Two fields, a retired number, two tables.", &good);
    for (name, rule, comment, bytes) in [
        ("fields-descending", "F18", "The fields in descending order.", made(&[note, order_no], &[], &[])),
        (
            "tables-descending",
            "F18",
            "The tables in descending order.",
            made(&[order_no, note], &[], &[&b, &a]),
        ),
        ("retired-descending", "F18", "Retired 10, 9.", made(&[order_no], &[10, 0, 9, 0], &[])),
        (
            "open-descending",
            "F18",
            "A table opens 2, 1.",
            made(&[order_no, note], &[], &[&table(b"a", &[2, 0, 1, 0], 0)]),
        ),
        (
            "country-without-phone",
            "F18",
            "A country beside the normaliser exact.",
            made(&[b"\x01\0\x08order_no\x01\0\x01\x01CN\x08\0\0\0\0\0\0\0"], &[], &[]),
        ),
        ("longer", "F18", "A byte follows.", [good.as_slice(), &[0]].concat()),
        ("cut", "F18", "The last byte is missing.", good[..good.len() - 1].to_vec()),
        ("label", "F18", "Another label.", good.iter().map(u8::to_ascii_uppercase).collect()),
        ("number-0", "F35", "A field of number 0.", made(&[b"\0\0\x08order_no\x01\0\0"], &[], &[])),
        (
            "number-twice",
            "F35",
            "Two fields of number 1.",
            made(&[order_no, b"\x01\0\x04note\x01\0\0"], &[], &[]),
        ),
        ("number-retired", "F35", "Number 1 is retired.", made(&[order_no], &[1, 0], &[])),
        (
            "name-twice",
            "F35",
            "Two fields of one name.",
            made(&[order_no, b"\x02\0\x08order_no\x01\0\0"], &[], &[]),
        ),
        ("name-in-capitals", "F35", "A field Note.", made(&[order_no, b"\x02\0\x04Note\x01\0\0"], &[], &[])),
        ("without-order-no", "F35", "No field order_no.", made(&[note], &[], &[])),
        (
            "unknown-type",
            "F35",
            "A field of type 10.",
            made(&[order_no, b"\x02\0\x04note\x0a\0\0"], &[], &[]),
        ),
        (
            "unknown-mask",
            "F35",
            "A facet by mask 5.",
            made(&[b"\x01\0\x08order_no\x01\x01\x03\0\x01x\x05\0"], &[], &[]),
        ),
        (
            "mask-of-another-type",
            "F35",
            "A facet by mask 3 (city) of a text.",
            made(&[b"\x01\0\x08order_no\x01\x01\x03\0\x01x\x03\0"], &[], &[]),
        ),
        (
            "unknown-normaliser",
            "F35",
            "Normaliser 6.",
            made(&[b"\x01\0\x08order_no\x01\0\x01\x06\0\0\x08\0\0\0\0\0\0\0"], &[], &[]),
        ),
        (
            "unknown-country",
            "F35",
            "Normaliser 4 with the country ZZ.",
            made(&[b"\x01\0\x08order_no\x01\0\x01\x04ZZ\x08\0\0\0\0\0\0\0"], &[], &[]),
        ),
        (
            "expect-7",
            "F35",
            "An index that expects 7 values.",
            made(&[b"\x01\0\x08order_no\x01\0\x01\x01\0\0\x07\0\0\0\0\0\0\0"], &[], &[]),
        ),
        (
            "unknown-part-opened",
            "F35",
            "A table opens part 3.",
            made(&[order_no], &[], &[&table(b"a", &[3, 0], 0)]),
        ),
        (
            "nothing-opened",
            "F35",
            "A table opens and searches nothing.",
            made(&[order_no], &[], &[&table(b"a", &[], 0)]),
        ),
        (
            "facet-beside-its-field",
            "F35",
            "A table opens a field and its facet.",
            made(&[b"\x01\0\x08order_no\x01\x01\x03\0\x01x\x04\0"], &[], &[&table(b"a", &[1, 0, 3, 0], 0)]),
        ),
        (
            "expires-too-late",
            "F35",
            "A table expires after more than 36,525 days.",
            made(&[order_no], &[], &[&table(b"a", &[1, 0], 36_525 * 86_400 + 1)]),
        ),
        ("table-twice", "F35", "Two tables of one role and purpose.", made(&[order_no], &[], &[&a, &a])),
        ("96-parts-and-one", "F35", "97 fields.", {
            let names: Vec<String> = (2..=97u8).map(|n| format!("f{n}")).collect();
            let fields: Vec<Vec<u8>> = (2..=97u8)
                .zip(&names)
                .map(|(n, name)| {
                    [&[n, 0, u8::try_from(name.len()).unwrap()], name.as_bytes(), &[1, 0, 0]].concat()
                })
                .collect();
            made(
                &std::iter::once(order_no).chain(fields.iter().map(Vec::as_slice)).collect::<Vec<_>>(),
                &[],
                &[],
            )
        }),
    ] {
        add(name, rule, "damaged", comment, &bytes);
    }
    let mut newer = good.clone();
    newer[19] = 2;
    add("version-2", "F34", "newer format", "Version 2.", &newer);
    vectors
}
