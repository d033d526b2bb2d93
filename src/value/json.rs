//! Values as JSON, both ways.
//!
//! Money is `{"value":"14.50","currency":"EUR"}`, a timestamp its text, an address an object, a list an array of objects
//! that leave absent cells out, bytes base64. Decimals are texts, because JSON's numbers lose digits on the way.

use super::{
    Address, Cell, CellRef, Decimal, List, Money, Node, Object, Path, Rows, Timestamp, Value, ValueRef,
};
use crate::error::{ErrorKind, Result};
use base64::{Engine, prelude::BASE64_STANDARD};
use consignee_policy::FieldType;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, IgnoredAny},
};
use serde_json::{Map, Value as Json};
use std::fmt;

/// Longest text that is taken from JSON, in bytes.
const MAX_TEXT: usize = 65_536;
/// Most cells of a list that is taken from JSON, absent ones among them: rows times columns. An object that leaves a key out takes
/// no text for it and a cell all the same, so that without this 2 MiB of text are a gigabyte of cells. A list without gaps has fewer
/// in 2 MiB.
const MAX_CELLS: usize = 524_288;

impl Value {
    /// The value as JSON.
    pub fn to_json(&self) -> Json {
        self.as_ref().to_json()
    }

    /// The value of this type that stands at `path`.
    ///
    /// A list's text cells stay text: JSON does not say which of them were decimals.
    ///
    /// # Errors
    /// `Input` for a node of another form, `Limit` for what is too long, both with the path.
    pub(crate) fn from_json(ty: FieldType, node: Node, path: &Path<'_>) -> Result<Self> {
        Ok(match ty {
            FieldType::Text => Self::Text(text(node, path)?),
            FieldType::Bool => match node {
                Node::Bool(yes) => Self::Bool(yes),
                _ => return Err(path.error("expected true or false")),
            },
            FieldType::Integer => Self::Integer(integer(&node, path)?),
            FieldType::Money => Self::Money(money(node, path)?),
            FieldType::Timestamp => {
                Self::Timestamp(parsed(&node, path, Timestamp::EXPECTED, Timestamp::parse)?)
            }
            FieldType::Address => Self::Address(address(node, path)?),
            FieldType::List => Self::List(list(node, path)?),
            FieldType::Bytes => Self::Bytes(parsed(
                &node,
                path,
                "expected bytes as text in base64 (RFC 4648, section 4)",
                |text| BASE64_STANDARD.decode(text).ok(),
            )?),
            FieldType::Json => {
                let text = serde_json::to_string(&node).map_err(|_| path.error("expected JSON"))?;
                Self::Json(text)
            }
        })
    }
}

impl ValueRef<'_> {
    /// The value as JSON. A `Json` value that is not JSON, or not one that `serde_json` can hold, becomes its text.
    pub fn to_json(self) -> Json {
        match self {
            Self::Text(text) => text.into(),
            Self::Bool(yes) => yes.into(),
            Self::Integer(number) => number.into(),
            Self::Money(money) => {
                object([("value", written(money.amount()).into()), ("currency", money.currency().into())])
            }
            Self::Timestamp(time) => written(time).into(),
            Self::Address(a) => object([
                ("lines", a.lines.iter().map(String::as_str).collect()),
                ("city", a.city.as_str().into()),
                ("region", a.region.as_str().into()),
                ("postal_code", a.postal_code.as_str().into()),
                ("country", a.country.as_str().into()),
            ]),
            Self::List(rows) => (0..rows.row_count()).map(|row| row_to_json(rows, row)).collect(),
            Self::Bytes(bytes) => BASE64_STANDARD.encode(bytes).into(),
            Self::Json(text) => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
        }
    }
}

/// Of what is moved into it: `json!` copies each value and leaves the other to memory that nobody wipes.
pub(crate) fn object<const N: usize>(entries: [(&str, Json); N]) -> Json {
    Json::Object(entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// A decimal or a timestamp as text, with room for it from the start: growing would leave copies behind.
fn written(value: impl fmt::Display) -> String {
    use fmt::Write;
    let mut text = String::with_capacity(40);
    let _to_memory = write!(text, "{value}");
    text
}

/// In the form of [`ValueRef::to_json`], for views that go out of a program as JSON.
macro_rules! serialize {
    ($($type:ty: $value:ident => $json:expr),+ $(,)?) => { $(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let $value = self;
                $json.serialize(serializer)
            }
        }
    )+ };
}

serialize! {
    Value: value => value.to_json(),
    Money: money => ValueRef::Money(*money).to_json(),
    Timestamp: time => ValueRef::Timestamp(*time).to_json(),
    Address: address => ValueRef::Address(address).to_json(),
    List: list => ValueRef::List(list).to_json(),
    Decimal: number => number.to_string(),
}

/// From that form, for record types that come into a program as JSON. What is wrong is named, and never repeated; serde itself
/// repeats values of other types in its messages, so those are not for logs.
macro_rules! deserialize {
    ($($type:ty: $node:ident => $read:expr),+ $(,)?) => { $(
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let $node = Node::deserialize(deserializer)?;
                $read.map_err(D::Error::custom)
            }
        }
    )+ };
}

deserialize! {
    Money: node => money(node, &Path::Root),
    Timestamp: node => parsed(&node, &Path::Root, Timestamp::EXPECTED, Timestamp::parse),
    Address: node => address(node, &Path::Root),
    Decimal: node => parsed(&node, &Path::Root, Decimal::EXPECTED, Decimal::parse),
}

fn row_to_json(rows: &dyn Rows, row: usize) -> Json {
    let mut object = Map::new();
    for column in 0..rows.column_count() {
        let cell = match rows.cell(row, column) {
            CellRef::Absent => continue,
            CellRef::Text(text) => text.into(),
            CellRef::Bool(yes) => yes.into(),
            CellRef::Integer(number) => number.into(),
            CellRef::Decimal(number) => written(number).into(),
        };
        object.insert(rows.column_name(column).to_owned(), cell);
    }
    Json::Object(object)
}

/// A text of at most 64 KiB.
pub(crate) fn text(node: Node, path: &Path<'_>) -> Result<String> {
    match node {
        Node::Text(text) if text.len() > MAX_TEXT => Err(path.limit("the text is longer than 65,536 bytes")),
        Node::Text(text) => Ok(text),
        _ => Err(path.error("expected text")),
    }
}

/// A whole number of 64 bits.
pub(crate) fn integer(node: &Node, path: &Path<'_>) -> Result<i64> {
    match node {
        Node::Integer(number) => Ok(*number),
        _ => Err(path.error("expected an integer")),
    }
}

/// What `parse` makes of a text.
pub(crate) fn parsed<T>(
    node: &Node,
    path: &Path<'_>,
    expected: &'static str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T> {
    match node {
        Node::Text(text) => parse(text).ok_or_else(|| path.error(expected)),
        _ => Err(path.error(expected)),
    }
}

/// An amount and its currency.
pub(crate) fn money(node: Node, path: &Path<'_>) -> Result<Money> {
    let mut object = Object::of(node, path, &["value", "currency"])?;
    let amount =
        parsed(&object.require("value")?, &Path::Name(path, "value"), Decimal::EXPECTED, Decimal::parse)?;
    let currency = object.require("currency")?;
    parsed(&currency, &Path::Name(path, "currency"), Money::EXPECTED_CURRENCY, |code| {
        Money::new(amount, code).ok()
    })
}

/// An address. Region and postal code may be left out: there are countries without.
pub(crate) fn address(node: Node, path: &Path<'_>) -> Result<Address> {
    let mut object = Object::of(node, path, &["lines", "city", "region", "postal_code", "country"])?;
    let place = Path::Name(path, "lines");
    let Node::Array(lines) = object.require("lines")? else {
        return Err(place.error("expected an array of texts"));
    };
    if lines.len() > super::MAX_LINES {
        return Err(place.limit("more than 255 lines"));
    }
    let lines = lines.into_iter().enumerate().map(|(row, line)| text(line, &Path::Row(&place, row)));
    let lines = lines.collect::<Result<_>>()?;
    let optional =
        |node: Option<Node>, key| node.map_or(Ok(String::new()), |node| text(node, &Path::Name(path, key)));
    Ok(Address {
        lines,
        city: text(object.require("city")?, &Path::Name(path, "city"))?,
        region: optional(object.take("region"), "region")?,
        postal_code: optional(object.take("postal_code"), "postal_code")?,
        country: text(object.require("country")?, &Path::Name(path, "country"))?,
    })
}

/// A list whose columns are the keys of its objects, in the order in which they first appear. They are the input's own, so no
/// error names them.
fn list(node: Node, path: &Path<'_>) -> Result<List> {
    let Node::Array(objects) = node else {
        return Err(path.error("expected an array of objects"));
    };
    let row_count = objects.len();
    if row_count > super::list::MAX_ROWS {
        return Err(path.limit("more than 65,536 objects"));
    }
    let mut columns: Vec<String> = Vec::new();
    let mut rows: Vec<Vec<Cell>> = Vec::with_capacity(row_count);
    for (number, object) in objects.into_iter().enumerate() {
        let place = Path::Row(path, number);
        let Node::Object(pairs) = object else {
            return Err(place.error("expected an object"));
        };
        let mut row = vec![Cell::Absent; columns.len()];
        for (key, node) in pairs {
            let cell = match node {
                Node::Text(_) => Cell::Text(text(node, &place)?),
                Node::Bool(yes) => Cell::Bool(yes),
                Node::Integer(number) => Cell::Integer(number),
                _ => {
                    return Err(place.error(
                        "expected every value to be text, true or false, or an integer (a decimal number goes as text)",
                    ));
                }
            };
            match columns.iter().position(|name| *name == key).and_then(|column| row.get_mut(column)) {
                Some(empty) => *empty = cell,
                None if columns.len() == super::list::MAX_COLUMNS => {
                    return Err(path.limit("more than 64 different keys"));
                }
                None if row_count * (columns.len() + 1) > MAX_CELLS => {
                    return Err(path.limit("more than 524,288 cells: objects times different keys"));
                }
                None => {
                    columns.push(key);
                    row.push(cell);
                }
            }
        }
        rows.push(row);
    }
    rows.iter_mut().for_each(|row| row.resize(columns.len(), Cell::Absent));
    List::new(columns, rows).map_err(|error| match error.kind() {
        ErrorKind::Limit => path.limit("a key longer than 255 bytes"),
        _ => path.error("expected an object with a key"),
    })
}

/// Whether a text is JSON by its grammar (RFC 8259), nested at most 64 deep. Takes no memory that grows with the text, and
/// no stack that grows with its depth.
pub(super) fn is_json(text: &str) -> bool {
    let (mut depth, mut in_text, mut escaped) = (0usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_text,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => depth += 1,
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > super::node::MAX_DEPTH {
            return false;
        }
    }
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::samples;
    use proptest::prelude::*;

    const PLACE: Path<'_> = Path::Name(&Path::Root, "extra.x");

    fn read(ty: FieldType, text: &str) -> Result<Value> {
        Value::from_json(ty, Node::parse(text)?, &PLACE)
    }

    /// The value with what JSON can tell of it: decimals of a list are texts. A column that no row has a cell in leaves no
    /// trace, so every cell that is absent gets a number.
    fn told(value: Value) -> Value {
        let Value::List(list) = value else { return value };
        let cell = |cell: &Cell| match cell {
            Cell::Absent => Cell::Integer(0),
            Cell::Decimal(number) => Cell::Text(number.to_string()),
            other => other.clone(),
        };
        let rows = list.rows().iter().map(|row| row.iter().map(cell).collect()).collect::<Vec<_>>();
        let columns = if rows.is_empty() { Vec::new() } else { list.columns().to_vec() };
        Value::List(List::new(columns, rows).unwrap())
    }

    proptest! {
        #[test]
        fn values_come_back_from_their_json(value in samples::value().prop_map(told)) {
            let json = value.to_json();
            let back = read(value.field_type(), &json.to_string()).unwrap();
            prop_assert_eq!(back.to_json(), json);
            prop_assert_eq!(back, value);
        }

        #[test]
        fn is_json_agrees_with_serde(text in r#"[\[\]{}":,\\ 01.e-]{0,24}|[\[\]"\\a,]{0,12}"#) {
            prop_assert_eq!(is_json(&text), serde_json::from_str::<IgnoredAny>(&text).is_ok());
        }
    }

    #[test]
    fn the_form_of_each_type() {
        for (ty, json) in [
            (FieldType::Text, r#""四川""#),
            (FieldType::Bool, "true"),
            (FieldType::Integer, "-9223372036854775808"),
            (FieldType::Money, r#"{"currency":"EUR","value":"14.50"}"#),
            (FieldType::Timestamp, r#""1996-07-04T00:00:00.50+08:00""#),
            (FieldType::Bytes, r#""AP8=""#),
            (FieldType::Json, r#"{"a":[1,2.5,null],"b":{}}"#),
            (FieldType::List, r#"[{"a":"x","b":1},{"b":2,"c":true}]"#),
            (FieldType::List, "[]"),
            (
                FieldType::Address,
                r#"{"city":"Reims","country":"France","lines":["a","b"],"postal_code":"51100","region":""}"#,
            ),
        ] {
            let json: Json = serde_json::from_str(json).unwrap();
            assert_eq!(read(ty, &json.to_string()).unwrap().to_json(), json);
        }
    }

    #[test]
    fn typed_values_are_read_in_a_struct_of_the_programs() {
        #[derive(serde::Deserialize)]
        struct Checkout {
            at: Timestamp,
            total: Money,
            to: Address,
            price: Decimal,
        }
        let json = r#"{"at":"2026-11-11T20:14:05+08:00","total":{"value":"88.00","currency":"CNY"},
            "to":{"lines":["x"],"city":"y","country":"z"},"price":"0.50"}"#;
        let read: Checkout = serde_json::from_str(json).unwrap();
        assert_eq!(
            (read.at.to_string().as_str(), read.total.currency()),
            ("2026-11-11T20:14:05+08:00", "CNY")
        );
        assert_eq!((read.to.city.as_str(), read.price.to_string().as_str()), ("y", "0.50"));
        for (old, new) in [
            ("2026-11-11T", "SECRET-11T"),
            (r#""88.00""#, "88.00"),
            ("CNY", "SECRET"),
            (r#""y""#, r#""y","SECRET":1"#),
            (r#""y""#, r#""y","city":"SECRET""#),
            (r#""0.50""#, r#""SECRET""#),
        ] {
            let refused =
                serde_json::from_str::<Checkout>(&json.replace(old, new)).err().unwrap().to_string();
            assert!(
                refused.len() > 20 && !refused.contains("SECRET") && !refused.contains("88"),
                "{refused}"
            );
        }
    }

    #[test]
    fn a_list_is_refused_before_its_gaps_take_memory() {
        let keys = |count: usize| (0..count).map(|n| format!("\"{n}\":1")).collect::<Vec<_>>().join(",");
        let list = |columns: usize, rows: usize| format!("[{{{}}}{}]", keys(columns), ",{}".repeat(rows - 1));
        for (columns, rows, fault) in [
            (64, 699_000, Some("65,536 objects")),
            (1, 65_537, Some("65,536 objects")),
            (9, 65_536, Some("524,288 cells")),
            (64, 8_193, Some("524,288 cells")),
            (65, 2, Some("64 different keys")),
            (8, 65_536, None),
            (64, 8_192, None),
        ] {
            let read = read(FieldType::List, &list(columns, rows));
            let refused = read.err().map(|e| (e.kind().clone(), e.to_string()));
            assert_eq!(refused.is_some(), fault.is_some(), "{columns} by {rows}");
            if let (Some((kind, message)), Some(fault)) = (refused, fault) {
                assert!(kind == ErrorKind::Limit && message.contains(fault), "{message}");
            }
        }
    }

    #[test]
    fn a_list_takes_its_columns_in_the_order_of_their_first_cell() {
        let Value::List(list) = read(FieldType::List, r#"[{"b":"1.50"},{"a":true,"b":2},{}]"#).unwrap()
        else {
            panic!("a list")
        };
        assert_eq!(list.columns(), ["b", "a"]);
        assert_eq!(list.rows().len(), 3);
        assert_eq!(list.rows()[0], [Cell::Text("1.50".into()), Cell::Absent]);
        assert_eq!(list.rows()[1], [Cell::Integer(2), Cell::Bool(true)]);
    }

    #[test]
    fn what_is_left_out_of_an_address_is_empty() {
        let address = read(FieldType::Address, r#"{"lines":[],"city":"Macau","country":"Macau"}"#).unwrap();
        let expected = Address { city: "Macau".into(), country: "Macau".into(), ..Address::default() };
        assert_eq!(address, Value::Address(expected));
    }

    #[test]
    fn json_that_serde_cannot_hold_is_given_as_its_text() {
        for text in ["not JSON", r#""\ud800""#] {
            assert_eq!(ValueRef::Json(text).to_json(), Json::from(text));
        }
    }

    #[test]
    fn refusals_say_what_is_expected_and_where() {
        let decimals = "(a decimal number goes as text)";
        let bytes = "extra.x: expected bytes as text in base64 (RFC 4648, section 4)";
        let cases = [
            (FieldType::Text, "1", "extra.x: expected text"),
            (FieldType::Text, "null", "extra.x: expected text"),
            (FieldType::Bool, "0", "extra.x: expected true or false"),
            (FieldType::Bool, r#""true""#, "extra.x: expected true or false"),
            (FieldType::Integer, "1.0", "extra.x: expected an integer"),
            (FieldType::Integer, "9223372036854775808", "extra.x: expected an integer"),
            (FieldType::Integer, r#""7""#, "extra.x: expected an integer"),
            (FieldType::Money, "14.5", "extra.x: expected an object"),
            (FieldType::Money, r#"{"value":"1"}"#, "extra.x.currency: is missing"),
            (FieldType::Money, r#"{"currency":"EUR"}"#, "extra.x.value: is missing"),
            (
                FieldType::Money,
                r#"{"value":"1","Secret":1}"#,
                "extra.x: has an unknown key; known are value, currency",
            ),
            (FieldType::Bytes, "[0]", bytes),
            (FieldType::Bytes, r#""AP8""#, bytes),
            (FieldType::Bytes, r#""AP9=""#, bytes),
            (FieldType::Bytes, r#""_w==""#, bytes),
            (FieldType::List, "{}", "extra.x: expected an array of objects"),
            (FieldType::List, r#"[{"a":1},7]"#, "extra.x[1]: expected an object"),
            (FieldType::List, "[{},{}]", "extra.x: expected an object with a key"),
            (FieldType::Address, "[]", "extra.x: expected an object"),
            (FieldType::Address, r#"{"lines":"a"}"#, "extra.x.lines: expected an array of texts"),
            (FieldType::Address, r#"{"lines":["a",2]}"#, "extra.x.lines[1]: expected text"),
            (FieldType::Address, r#"{"lines":[]}"#, "extra.x.city: is missing"),
            (FieldType::Address, r#"{"lines":[],"city":""}"#, "extra.x.country: is missing"),
            (FieldType::Address, r#"{"lines":[],"city":"","region":null}"#, "extra.x.region: expected text"),
        ];
        for (ty, text, message) in cases {
            assert_eq!(read(ty, text).unwrap_err().to_string(), message, "{text}");
        }
        for cell in ["null", "1.5", "[]", "{}", "9223372036854775808"] {
            let error = read(FieldType::List, &format!(r#"[{{"Secret":{cell}}}]"#)).unwrap_err().to_string();
            assert!(
                error.starts_with("extra.x[0]: expected every value to be ") && error.ends_with(decimals),
                "{error}"
            );
        }
        for (ty, text, message) in [
            (FieldType::Timestamp, r#""now""#, Timestamp::EXPECTED),
            (FieldType::Timestamp, "836438400", Timestamp::EXPECTED),
            (FieldType::Money, r#"{"value":14.5,"currency":"EUR"}"#, Decimal::EXPECTED),
            (FieldType::Money, r#"{"value":"14,5","currency":"EUR"}"#, Decimal::EXPECTED),
            (FieldType::Money, r#"{"value":"1","currency":"eur"}"#, Money::EXPECTED_CURRENCY),
        ] {
            let error = read(ty, text).unwrap_err().to_string();
            assert!(error.starts_with("extra.x") && error.ends_with(message), "{error}");
        }
    }

    #[test]
    fn limits_name_the_place() {
        let long = format!(r#""{}""#, "é".repeat(MAX_TEXT / 2));
        assert!(read(FieldType::Text, &long).is_ok());
        let longer = format!(r#""{}""#, "x".repeat(MAX_TEXT + 1));
        let lines = format!(r#"{{"lines":[{}"a"]}}"#, r#""a","#.repeat(255));
        let keys = |count| (0..count).map(|i| format!(r#""{i}":1"#)).collect::<Vec<_>>().join(",");
        let key = format!(r#"[{{"{}":1}}]"#, "x".repeat(256));
        assert!(read(FieldType::List, &format!("[{{{}}}]", keys(64))).is_ok());
        for (ty, text, message) in [
            (FieldType::Text, longer.clone(), "extra.x: the text is longer than 65,536 bytes".to_owned()),
            (
                FieldType::List,
                format!(r#"[{{"a":{longer}}}]"#),
                "extra.x[0]: the text is longer than 65,536 bytes".into(),
            ),
            (FieldType::Address, lines, "extra.x.lines: more than 255 lines".into()),
            (FieldType::List, format!("[{{{}}}]", keys(65)), "extra.x: more than 64 different keys".into()),
            (FieldType::List, key, "extra.x: a key longer than 255 bytes".into()),
            (
                FieldType::List,
                format!(r#"[{}{{"a":1}}]"#, r#"{"a":1},"#.repeat(65_536)),
                "extra.x: more than 65,536 objects".into(),
            ),
        ] {
            let error = read(ty, &text).unwrap_err();
            assert_eq!((error.kind(), error.to_string()), (&ErrorKind::Limit, message));
        }
    }

    /// F33: what is read from JSON is written anew, and what a program hands over is kept.
    #[test]
    fn numbers_of_json_are_doubles_where_they_are_read_and_text_where_they_are_handed_over() {
        let text = r#"{"b": [1, 2.50, 18446744073709551615, 123456789012345678901234567890]}"#;
        let Value::Json(read) = read(FieldType::Json, text).unwrap() else { panic!("json") };
        assert_eq!(read, r#"{"b":[1,2.5,18446744073709551615,1.2345678901234568e+29]}"#);
        let (mut sealed, value) = (Vec::new(), Value::Json(text.to_owned()));
        crate::value::encode_padded(value.as_ref(), &mut sealed).unwrap();
        assert_eq!(crate::value::decode_padded(&sealed, FieldType::Json).unwrap().to_value(), value);
    }

    #[test]
    fn json_texts_nest_to_the_limit() {
        let arrays = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(is_json(&arrays(64)) && !is_json(&arrays(65)));
        assert!(is_json(&format!(r#"["{}\"["]"#, "[".repeat(100))), "brackets inside a text do not nest");
        for text in ["", "[", "{\"a\"}", "nul", "[1,]", "\"\n\"", "01", "\"\\x\"", "1 2"] {
            assert!(!is_json(text), "{text}");
        }
    }
}
