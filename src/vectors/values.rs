//! Vectors of values, padding and masks.

use serde_json::{Value as Json, json};

use super::{Vector, hex, padded_len};
use crate::{
    policy::{FieldType, Mask},
    value::{ValueRef, decode_padded},
    view::mask,
};

pub(super) fn generate() -> Vec<Vector> {
    let mut vectors = Vec::new();
    values(&mut vectors);
    lengths(&mut vectors);
    masks(&mut vectors);
    vectors
}

/// Encoded bytes without spaces, padded as their first byte says.
fn padded(encoded: &str) -> Vec<u8> {
    let mut bytes = super::unhex(&Json::from(encoded));
    let tag = bytes.first().copied().unwrap_or_default();
    bytes.resize(padded_len(tag, bytes.len()), 0);
    bytes
}

fn type_name(tag: u8) -> &'static str {
    FieldType::from_tag(tag).map_or("text", FieldType::name)
}

fn values(vectors: &mut Vec<Vector>) {
    let mut add = |name: &str, rule: &str, expect: &str, ty: &str, bytes: &[u8], comment: &str| {
        let mut vector = json!({
            "comment": comment, "of": "value", "rules": [rule], "expect": expect, "type": ty, "padded": hex(bytes),
        });
        if expect == "opens" {
            let ty = bytes.first().and_then(|tag| FieldType::from_tag(*tag)).unwrap();
            vector["value"] = decode_padded(bytes, ty).unwrap().to_value().to_json();
        }
        vectors.push((format!("value-{name}"), vector));
    };
    for (name, rule, encoded, comment) in [
        ("text", "F14", "01 03000000 c3a921", "\"é!\""),
        ("bool", "F14", "02 01", "True."),
        ("integer", "F14", "03 feffffffffffffff", "-2"),
        ("money", "F14", "04 aa05000000000000 02 455552", "14.50 EUR"),
        (
            "money-18-digits",
            "F28",
            "04 ffff63a7b3b6e00d 12 455552",
            "0.999999999999999999 EUR, the most digits.",
        ),
        (
            "timestamp",
            "F14",
            "05 3d00000000000000 0065cd1d ffff 02",
            "1970-01-01T00:00:01.50-00:01; nanoseconds 500000000",
        ),
        ("timestamp-zulu", "F14", "05 0100000000000000 00000000 0080 00", "1970-01-01T00:00:01Z"),
        (
            "timestamp-zero-offset",
            "F14",
            "05 0100000000000000 00000000 0000 00",
            "1970-01-01T00:00:01+00:00, which is not Z.",
        ),
        (
            "timestamp-first",
            "F30",
            "05 00096e88f1ffffff 00000000 0080 00",
            "0001-01-01T00:00:00Z, the first.",
        ),
        (
            "address",
            "F14",
            "06 02 01000000 61 00000000 01000000 62 00000000 00000000 00000000",
            "Lines \"a\" and \"\", city \"b\".",
        ),
        (
            "list",
            "F14",
            "07 02 01 70 02 7172 03000000 00 01 02000000 c3a9 02 01 03 feffffffffffffff 04 aa05000000000000 02 00",
            "Columns p and qr, three rows with a cell of each kind: absent, \"é\"; true, -2; 14.50, absent.",
        ),
        ("list-without-columns", "F32", "07 00 00000000", "No columns, no rows."),
        ("bytes", "F14", "08 02000000 00ff", "00 and ff."),
        ("json", "F14", "09 03000000 5b315d", "[1]"),
    ] {
        let bytes = padded(encoded);
        add(name, rule, "opens", type_name(bytes[0]), &bytes, comment);
    }
    for (name, rule, encoded, comment) in [
        ("bool-2", "F31", "02 02", "A third truth."),
        ("text-not-utf-8", "F31", "01 01000000 ff", "The byte ff."),
        ("text-surrogate", "F31", "01 03000000 eda080", "A surrogate in UTF-8."),
        ("text-longer-than-the-bytes", "F31", "01 ffffffff 78", "A length of 2^32 - 1."),
        ("address-cut", "F31", "06 ff", "255 lines, and no bytes of them."),
        ("unknown-tag", "F16", "0a 00000000", "Tag 10 for a text."),
        ("money-scale-19", "F28", "04 aa05000000000000 13 455552", "Scale 19."),
        ("money-19-digits", "F28", "04 000064a7b3b6e00d 00 455552", "10^18."),
        ("money-least-integer", "F28", "04 0000000000000080 00 455552", "-2^63."),
        ("money-small-letters", "F29", "04 aa05000000000000 02 657572", "Currency eur."),
        ("money-digit-in-currency", "F29", "04 aa05000000000000 02 453152", "Currency E1R."),
        (
            "timestamp-fraction-without-digits",
            "F30",
            "05 0100000000000000 01000000 0080 00",
            "1 ns and no digits to write it.",
        ),
        (
            "timestamp-more-digits-than-stated",
            "F30",
            "05 0100000000000000 40e20100 0080 03",
            "123,456 ns and 3 digits.",
        ),
        ("timestamp-billion-nanoseconds", "F30", "05 0100000000000000 00ca9a3b 0080 09", "10^9 ns."),
        ("timestamp-10-digits", "F30", "05 0100000000000000 00000000 0080 0a", "10 digits."),
        ("timestamp-offset-of-a-day", "F30", "05 0100000000000000 00000000 a005 00", "Offset +24:00."),
        ("timestamp-offset-of-minus-a-day", "F30", "05 0100000000000000 00000000 60fa 00", "Offset -24:00."),
        ("timestamp-year-0", "F30", "05 ff086e88f1ffffff 00000000 0080 00", "A second before the year 1."),
        (
            "timestamp-year-10000",
            "F30",
            "05 7f41f4ff3a000000 00000000 0100 00",
            "The year 9999 in UTC, with offset +00:01 the year 10000.",
        ),
        (
            "timestamp-outside-of-the-calendar",
            "F30",
            "05 ffffffffffffff7f 00000000 0080 00",
            "2^63 - 1 seconds.",
        ),
        ("list-unknown-cell", "F31", "07 01 01 70 01000000 05", "A cell of kind 5."),
        ("list-bool-2", "F31", "07 01 01 70 01000000 02 02", "A cell that is a third truth."),
        (
            "list-decimal-scale-19",
            "F28",
            "07 01 01 70 01000000 04 aa05000000000000 13",
            "A decimal cell of scale 19.",
        ),
        ("list-column-twice", "F32", "07 02 01 70 01 70 00000000", "Two columns p."),
        ("list-column-not-utf-8", "F31", "07 01 01 ff 00000000", "A column's name is the byte ff."),
        ("list-rows-without-columns", "F32", "07 00 01000000", "A row, and no columns."),
        ("list-more-rows-than-bytes", "F32", "07 01 01 70 ffffffff", "2^32 - 1 rows."),
        ("json-cut", "F33", "09 01000000 5b", "["),
        ("json-empty", "F33", "09 00000000", "No text at all."),
        ("json-two", "F33", "09 03000000 312032", "1 2"),
    ] {
        let bytes = padded(encoded);
        add(name, rule, "damaged", type_name(bytes[0]), &bytes, comment);
    }
    let nested = |depth: usize| {
        let text = "[".repeat(depth) + &"]".repeat(depth);
        padded(&hex([&[9, u8::try_from(text.len()).unwrap(), 0, 0, 0], text.as_bytes()].concat()))
    };
    add("json-64-deep", "F33", "opens", "json", &nested(64), "Arrays 64 deep.");
    add("json-65-deep", "F33", "damaged", "json", &nested(65), "Arrays 65 deep.");
    let columns = |count: u8| {
        let names: Vec<u8> = (0..count).flat_map(|name| [1, b'0' + name]).collect();
        padded(&hex([&[7, count], names.as_slice(), &[0; 4]].concat()))
    };
    add("list-64-columns", "F17", "opens", "list", &columns(64), "64 columns.");
    add("list-65-columns", "F17", "damaged", "list", &columns(65), "65 columns.");
    let good = padded("01 03000000 c3a921");
    add("padding-missing", "F15", "damaged", "text", &good[..8], "The encoded value alone.");
    add("padding-short", "F15", "damaged", "text", &good[..31], "A byte of padding is missing.");
    add("padding-long", "F15", "damaged", "text", &[good.as_slice(), &[0; 16]].concat(), "48 bytes for 8.");
    let mut marked = good.clone();
    marked[31] = 1;
    add("padding-not-zero", "F15", "damaged", "text", &marked, "The last byte is 1.");
    add("bool-padded", "F15", "damaged", "bool", &[2, 1, 0], "A byte follows; a bool is not padded.");
    add("type-of-another", "F16", "damaged", "bytes", &good, "A text where the policy says bytes.");
    add("nothing", "F16", "damaged", "text", &[], "No bytes.");
}

fn lengths(vectors: &mut Vec<Vector>) {
    let lengths = [
        (0, 32),
        (32, 32),
        (33, 48),
        (48, 48),
        (49, 64),
        (256, 256),
        (257, 272),
        (272, 272),
        (511, 512),
        (513, 544),
        (1_000, 1_024),
        (1_025, 1_088),
        (9_000, 9_216),
        (65_535, 65_536),
        (65_537, 67_584),
        (1_048_575, 1_048_576),
    ];
    let vector = json!({
        "comment": "P(n): length of an encoded text, and its length after padding.", "of": "padding",
        "rules": ["F15"], "expect": "opens", "lengths": lengths,
    });
    vectors.push(("padding".to_owned(), vector));
}

fn masks(vectors: &mut Vec<Vector>) {
    let texts = [
        "",
        "P",
        "Pa",
        "Paul Henriot",
        "张伟",
        "欧阳修",
        "e\u{301}mile",
        "𠮷野",
        " ",
        "-",
        "123",
        "1234",
        "26.47.15.10",
        "1234567890",
        "13812345678",
        "+86 138-1234-5678",
        "１３８１２３４５６７８",
        "1234567",
        "12345678",
        "DE89 3704 0044 0532 0130 00",
        "一二三四五六七八",
    ];
    for mask in [Mask::Name, Mask::Phone, Mask::Last4] {
        let case = |text: &&str| {
            let mut out = String::new();
            assert!(mask::apply(mask, ValueRef::Text(text), &mut out));
            [(*text).to_owned(), out]
        };
        let vector = json!({
            "comment": "Texts, and what the mask gives of each.", "of": "mask", "rules": ["F43"], "expect": "opens",
            "mask": mask.number(), "cases": texts.iter().map(case).collect::<Vec<_>>(),
        });
        vectors.push((format!("mask-{}", mask.name()), vector));
    }
    let vector = json!({
        "comment": "Cities, and what the mask gives of an address in each.", "of": "mask", "rules": ["F43"],
        "expect": "opens", "mask": Mask::City.number(), "cases": [["", ""], ["Reims", "Reims"], ["成都市", "成都市"]],
    });
    vectors.push(("mask-city".to_owned(), vector));
}
