//! Rules F14 to F17 and the exact bytes of each type.

use super::*;
use crate::value::{Cell, Decimal, List, Money, Value, samples};
use proptest::prelude::*;

fn hex(text: &str) -> Vec<u8> {
    let digits = text.chars().filter(|c| !c.is_whitespace()).collect::<Vec<_>>();
    digits.chunks(2).map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap()).collect()
}

fn encoded(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    encode(value.as_ref(), &mut out).unwrap();
    out
}

fn padded(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    encode_padded(value.as_ref(), &mut out).unwrap();
    out
}

/// Pads bytes that need not be a value.
fn pad(ty: FieldType, mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.resize(padded_len(ty, bytes.len()), 0);
    bytes
}

#[track_caller]
fn refused(ty: FieldType, bytes: &[u8]) {
    let error = decode_padded(bytes, ty).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Damaged);
    assert_eq!(error.to_string(), "a value's bytes do not follow the format");
}

fn decode_padded(bytes: &[u8], ty: FieldType) -> Result<Value> {
    super::decode_padded(bytes, ty).map(Plain::to_value)
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

#[test]
fn each_type_has_the_bytes_of_the_format() {
    let money =
        |digits, scale, code| Value::Money(Money::new(Decimal::new(digits, scale).unwrap(), code).unwrap());
    let time = |text: &str| Value::Timestamp(text.parse().unwrap());
    let address = Address { lines: vec!["a".into(), "".into()], city: "b".into(), ..Address::default() };
    let cells = vec![
        vec![Cell::Absent, Cell::Text("é".into())],
        vec![Cell::Bool(true), Cell::Integer(-2)],
        vec![Cell::Decimal(Decimal::new(1450, 2).unwrap()), Cell::Absent],
    ];
    let list = List::new(vec!["p".into(), "qr".into()], cells).unwrap();
    for (value, bytes) in [
        (text("é!"), "01 03000000 c3a921"),
        (text(""), "01 00000000"),
        (Value::Bool(false), "02 00"),
        (Value::Bool(true), "02 01"),
        (Value::Integer(-2), "03 feffffffffffffff"),
        (money(1450, 2, "EUR"), "04 aa05000000000000 02 455552"),
        (time("1970-01-01T00:00:01Z"), "05 0100000000000000 00000000 0080 00"),
        (time("1970-01-01T00:00:01.50-00:01"), "05 3d00000000000000 0065cd1d ffff 02"),
        (time("1970-01-01T00:00:01+00:00"), "05 0100000000000000 00000000 0000 00"),
        (Value::Address(address), "06 02 01000000 61 00000000 01000000 62 00000000 00000000 00000000"),
        (
            Value::List(list),
            "07 02 01 70 02 7172 03000000  00 01 02000000 c3a9  02 01 03 feffffffffffffff  04 aa05000000000000 02 00",
        ),
        (Value::List(List::new(vec![], vec![]).unwrap()), "07 00 00000000"),
        (Value::Bytes(vec![0, 255]), "08 02000000 00ff"),
        (Value::Json("[1]".into()), "09 03000000 5b315d"),
    ] {
        assert_eq!(encoded(&value), hex(bytes), "{value:?}");
        assert_eq!(decode_padded(&pad(value.field_type(), hex(bytes)), value.field_type()).unwrap(), value);
    }
}

#[test]
fn lengths_are_padded_as_the_format_says() {
    for (n, padded) in [
        (0, 32),
        (32, 32),
        (33, 48),
        (48, 48),
        (49, 64),
        (241, 256),
        (256, 256),
        (257, 272),
        (272, 272),
        (511, 512),
        (513, 544),
        (1000, 1024),
        (1025, 1088),
        (9000, 9216),
        (65_535, 65_536),
        (65_537, 67_584),
        (1_048_575, 1_048_576),
        (1_048_576, 1_048_576),
    ] {
        for ty in [FieldType::Text, FieldType::Address, FieldType::List, FieldType::Bytes, FieldType::Json] {
            assert_eq!(padded_len(ty, n), padded, "{n}");
        }
        for ty in [FieldType::Bool, FieldType::Integer, FieldType::Money, FieldType::Timestamp] {
            assert_eq!(padded_len(ty, n), n);
        }
    }
    assert_eq!(padded(&text("")).len(), 32);
    assert_eq!(padded(&Value::Bool(true)).len(), 2);
}

#[test]
fn appends_to_what_is_there() {
    let mut out = vec![7; 5];
    encode_padded(text("x").as_ref(), &mut out).unwrap();
    assert_eq!(out.len(), 5 + 32);
    assert_eq!(out[..11], [7, 7, 7, 7, 7, 1, 1, 0, 0, 0, b'x']);
}

#[test]
fn f14_only_one_encoding_is_read() {
    for (ty, bytes, why) in [
        (FieldType::Bool, "02 02", "a third truth"),
        (FieldType::Text, "01 01000000 ff", "not UTF-8"),
        (FieldType::Text, "01 02000000 d800", "not UTF-8"),
        (FieldType::Money, "04 aa05000000000000 13 455552", "scale 19"),
        (FieldType::Money, "04 000064a7b3b6e00d 00 455552", "19 digits"),
        (FieldType::Money, "04 aa05000000000000 02 657572", "small letters"),
        (FieldType::Money, "04 aa05000000000000 02 4555", "two letters"),
        (FieldType::Timestamp, "05 0100000000000000 01000000 0080 00", "fraction without digits"),
        (FieldType::Timestamp, "05 0100000000000000 00ca9a3b 0080 09", "a billion nanoseconds"),
        (FieldType::Timestamp, "05 0100000000000000 00000000 0080 0a", "ten digits"),
        (FieldType::Timestamp, "05 0100000000000000 00000000 a005 00", "offset of a day"),
        (FieldType::Timestamp, "05 ffffffffffffff7f 00000000 0080 00", "outside of the calendar"),
        (FieldType::List, "07 01 01 70 01000000 05", "an unknown kind of cell"),
        (FieldType::List, "07 01 01 70 01000000 02 02", "a third truth"),
        (FieldType::List, "07 01 01 70 01000000 04 aa05000000000000 13", "scale 19"),
        (FieldType::List, "07 02 01 70 01 70 00000000", "two columns of one name"),
        (FieldType::List, "07 01 01 ff 00000000", "not UTF-8"),
        (FieldType::Json, "09 01000000 5b", "not JSON"),
        (FieldType::Json, "09 00000000", "not JSON"),
    ] {
        let bytes = pad(ty, hex(bytes));
        assert!(decode_padded(&bytes, ty).is_err(), "{why}");
        refused(ty, &bytes);
    }
    let deep = "[".repeat(65) + &"]".repeat(65);
    let mut bytes = vec![9, 130, 0, 0, 0];
    bytes.extend_from_slice(deep.as_bytes());
    refused(FieldType::Json, &pad(FieldType::Json, bytes));
}

#[test]
fn f15_padding_is_exact_and_zero() {
    for value in [text("x"), text(&"x".repeat(40)), text(&"x".repeat(300)), Value::Bytes(vec![0; 27])] {
        let ty = value.field_type();
        let good = padded(&value);
        assert_eq!(decode_padded(&good, ty).unwrap(), value);
        let mut more = good.clone();
        more.push(0);
        refused(ty, &more);
        more.resize(good.len() + 16, 0);
        refused(ty, &more);
        let length = encoded(&value).len();
        if length < good.len() {
            refused(ty, &good[..good.len() - 1]);
            refused(ty, &good[..length]);
            let mut marked = good.clone();
            *marked.last_mut().unwrap() = 1;
            refused(ty, &marked);
        }
    }
    refused(FieldType::Bool, &[2, 1, 0]);
}

#[test]
fn f16_the_tag_is_the_type() {
    let empty = padded(&text(""));
    for tag in (0..=255).filter(|tag| *tag != 1) {
        let mut bytes = empty.clone();
        bytes[0] = tag;
        refused(FieldType::Text, &bytes);
    }
    let bytes = padded(&Value::Bytes(b"{}".to_vec()));
    refused(FieldType::Text, &bytes);
    refused(FieldType::Json, &bytes);
    refused(FieldType::Text, &[]);
}

#[test]
fn f17_limits_hold_both_ways() {
    let limit = |value: &Value| {
        let mut out = vec![7];
        assert_eq!(encode(value.as_ref(), &mut out).unwrap_err().kind(), &ErrorKind::Limit);
        assert_eq!(encode_padded(value.as_ref(), &mut out).unwrap_err().kind(), &ErrorKind::Limit);
        assert_eq!(out, [7], "nothing is left behind");
    };
    let longest = text(&"x".repeat(MAX_VALUE - 5));
    assert_eq!(padded(&longest).len(), MAX_VALUE);
    assert!(decode_padded(&padded(&longest), FieldType::Text).unwrap() == longest);
    limit(&text(&"x".repeat(MAX_VALUE - 4)));
    limit(&Value::Address(Address { lines: vec![String::new(); 256], ..Address::default() }));

    let mut too_long = vec![1];
    too_long.extend_from_slice(&u32::try_from(MAX_VALUE - 4).unwrap().to_le_bytes());
    too_long.resize(MAX_VALUE + 1, b'x');
    refused(FieldType::Text, &too_long);

    let mut columns = vec![7, 65];
    (0..65).for_each(|i| columns.extend_from_slice(&[1, b'0' + i]));
    columns.extend_from_slice(&[0; 4]);
    refused(FieldType::List, &pad(FieldType::List, columns));
    let mut rows = vec![7, 1, 1, b'p'];
    rows.extend_from_slice(&65_537u32.to_le_bytes());
    rows.resize(rows.len() + 65_537, 0);
    refused(FieldType::List, &pad(FieldType::List, rows));
}

#[test]
fn lengths_that_the_input_cannot_hold_are_refused() {
    for (ty, bytes) in [
        (FieldType::Text, "01 ffffffff 78"),
        (FieldType::Bytes, "08 ffffff7f"),
        (FieldType::Address, "06 ff"),
        (FieldType::List, "07 00 00000100"),
        (FieldType::List, "07 01 01 70 00000100"),
        (FieldType::List, "07 01 01 70 ffffffff"),
        (FieldType::List, "07 ff 01 70"),
        (FieldType::List, "07 01 ff 70"),
    ] {
        refused(ty, &pad(ty, hex(bytes)));
    }
}

/// Rows that no [`List`] could have, as a program's own type may give them.
struct Odd(&'static [&'static str], usize);

impl Rows for Odd {
    fn column_count(&self) -> usize {
        self.0.len()
    }

    fn column_name(&self, column: usize) -> &str {
        self.0[column]
    }

    fn row_count(&self) -> usize {
        self.1
    }

    fn cell(&self, _: usize, _: usize) -> CellRef<'_> {
        CellRef::Absent
    }
}

#[test]
fn nothing_is_written_that_could_not_be_read() {
    let input = ErrorKind::Input { line: None, field: None };
    let many = ["x"; 65];
    for (rows, kind) in [
        (Odd(&["a", "a"], 1), &input),
        (Odd(&[], 1), &input),
        (Odd(&["a"], 65_537), &ErrorKind::Limit),
        (Odd(Box::leak(Box::new(many)), 1), &ErrorKind::Limit),
    ] {
        assert_eq!(encode(ValueRef::List(&rows), &mut Vec::new()).unwrap_err().kind(), kind);
    }
    for text in ["", "Secret", "[1,]"] {
        let error = encode(ValueRef::Json(text), &mut Vec::new()).unwrap_err();
        assert_eq!(error.to_string(), "expected JSON text, nested at most 64 deep");
    }
}

proptest! {
    #[test]
    fn values_come_back(value in samples::value()) {
        let ty = value.field_type();
        let bytes = padded(&value);
        prop_assert_eq!(bytes.len(), padded_len(ty, encoded(&value).len()));
        prop_assert_eq!(decode_padded(&bytes, ty).unwrap(), value);
    }

    #[test]
    fn what_is_read_is_written_the_same(value in samples::value(), at in any::<prop::sample::Index>(), bit in 0..8u8) {
        let ty = value.field_type();
        let mut bytes = padded(&value);
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if let Ok(other) = decode_padded(&bytes, ty) {
            prop_assert!(other != value);
            prop_assert_eq!(padded(&other), bytes);
        }
    }

    #[test]
    fn nothing_shorter_is_a_value(value in samples::value(), at in any::<prop::sample::Index>()) {
        let bytes = padded(&value);
        prop_assert!(decode_padded(&bytes[..at.index(bytes.len())], value.field_type()).is_err());
    }

    #[test]
    fn any_bytes_are_refused_or_written_the_same(mut bytes in prop::collection::vec(any::<u8>(), 1..200), tag in 1..=9u8) {
        bytes[0] = tag;
        let ty = FieldType::from_tag(tag).unwrap();
        let bytes = pad(ty, bytes);
        if let Ok(value) = decode_padded(&bytes, ty) {
            prop_assert_eq!(padded(&value), bytes);
        }
    }

    #[test]
    fn padding_keeps_to_its_bounds(n in 0..=MAX_VALUE) {
        let padded = padded_len(FieldType::Text, n);
        prop_assert!(padded >= n && padded <= MAX_VALUE);
        prop_assert_eq!(padded_len(FieldType::Text, padded), padded);
        prop_assert!(n <= 256 || (padded - n) * 100 < n * 12);
    }
}
