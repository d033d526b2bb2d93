//! One value of an order as text, without JSON: whole, or what stands at a JSON Pointer (RFC 6901) within it.

use std::{
    borrow::Cow,
    fmt::{self, Write},
};

use consignee::{Address, CellRef, List, Rows, Value};

/// What stands at a pointer.
pub(crate) enum At<'a> {
    /// Something that is written as one text.
    Text(Cow<'a, str>),
    /// Several things, of this number: lines of an address, rows of a list, columns of a row, keys of an object.
    Many(usize),
    /// Nothing.
    Nothing,
}

/// What stands at `pointer` within a value; the empty one is the value itself. The names are those of the value's JSON.
pub(crate) fn at<'a>(value: &'a Value, pointer: &str) -> At<'a> {
    if pointer.is_empty() {
        return whole(value);
    }
    // Each step follows a slash; otherwise it is no pointer.
    let Some(steps) = pointer.strip_prefix('/') else { return At::Nothing };
    let (first, second) =
        steps.split_once('/').map_or((steps, None), |(first, second)| (first, Some(second)));
    match (value, second) {
        (Value::Address(address), _) => in_address(address, first, second),
        (Value::List(list), _) => in_list(list, first, second),
        (Value::Money(money), None) => match first {
            "value" => At::Text(written(money.amount()).into()),
            "currency" => At::Text(money.currency().to_owned().into()),
            _ => At::Nothing,
        },
        _ => At::Nothing,
    }
}

fn whole(value: &Value) -> At<'_> {
    At::Text(match value {
        Value::Text(text) | Value::Json(text) => text.as_str().into(),
        Value::Bool(yes) => boolean(*yes).into(),
        Value::Integer(number) => written(number).into(),
        Value::Timestamp(time) => written(time).into(),
        Value::Money(money) => written(format_args!("{} {}", money.amount(), money.currency())).into(),
        Value::Address(address) => in_one_line(address).into(),
        Value::List(list) => return At::Many(list.rows().len()),
        // Bytes, in base64 as in JSON.
        other => match other.to_json() {
            serde_json::Value::String(text) => text.into(),
            json => json.to_string().into(),
        },
    })
}

/// Of the right size at once: growing would leave copies behind.
fn written(value: impl fmt::Display) -> String {
    let mut text = String::with_capacity(48);
    let _to_memory = write!(text, "{value}");
    text
}

fn boolean(yes: bool) -> &'static str {
    if yes { "true" } else { "false" }
}

fn in_address<'a>(address: &'a Address, first: &str, second: Option<&str>) -> At<'a> {
    let text = match (first, second) {
        ("lines", None) => return At::Many(address.lines.len()),
        ("lines", Some(line)) => match index(line).and_then(|at| address.lines.get(at)) {
            Some(line) => line,
            None => return At::Nothing,
        },
        ("city", None) => &address.city,
        ("region", None) => &address.region,
        ("postal_code", None) => &address.postal_code,
        ("country", None) => &address.country,
        _ => return At::Nothing,
    };
    At::Text(text.as_str().into())
}

/// As the command line prints an address: what there is of it, with commas.
fn in_one_line(address: &Address) -> String {
    let Address { lines, city, region, postal_code, country } = address;
    let parts = || {
        let parts = lines.iter().chain([city, region, postal_code, country]).map(String::as_str);
        parts.filter(|part| !part.is_empty())
    };
    let mut line = String::with_capacity(parts().map(|part| part.len() + 2).sum());
    for part in parts() {
        line.push_str(if line.is_empty() { "" } else { ", " });
        line.push_str(part);
    }
    line
}

fn in_list<'a>(list: &'a List, row: &str, column: Option<&str>) -> At<'a> {
    let Some(row) = index(row).filter(|row| *row < list.rows().len()) else { return At::Nothing };
    let Some(column) = column else { return At::Many(list.columns().len()) };
    let Some(column) = list.columns().iter().position(|name| is_named(name, column)) else {
        return At::Nothing;
    };
    match list.cell(row, column) {
        CellRef::Text(text) => At::Text(text.into()),
        CellRef::Bool(yes) => At::Text(boolean(yes).into()),
        CellRef::Integer(number) => At::Text(written(number).into()),
        CellRef::Decimal(number) => At::Text(written(number).into()),
        _ => At::Nothing,
    }
}

/// Whether a step means this name: `~1` is a slash, `~0` a tilde.
fn is_named(name: &str, step: &str) -> bool {
    if step.contains('~') { step.replace("~1", "/").replace("~0", "~") == name } else { step == name }
}

/// An index of RFC 6901: digits, without a zero before others.
fn index(step: &str) -> Option<usize> {
    let whole = step == "0" || !step.starts_with('0');
    step.bytes().all(|byte| byte.is_ascii_digit()).then(|| step.parse().ok()).flatten().filter(|_| whole)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use consignee::{Cell, Decimal, Money};

    fn text(value: &Value, pointer: &str) -> Option<String> {
        match at(value, pointer) {
            At::Text(text) => Some(text.into_owned()),
            _ => None,
        }
    }

    #[test]
    fn each_leaf_of_a_values_json_is_found_where_the_json_has_it() {
        let columns = ["sku", "a/b~c", "n"].map(String::from).to_vec();
        let rows = vec![
            vec![Cell::Text("T-1".into()), Cell::Bool(true), Cell::Decimal(Decimal::new(8800, 2).unwrap())],
            vec![Cell::Text("T-2".into()), Cell::Integer(-7), Cell::Absent],
        ];
        let values = [
            Value::Text("x".into()),
            Value::Bool(false),
            Value::Integer(-5),
            Value::Money(Money::new(Decimal::new(8800, 2).unwrap(), "CNY").unwrap()),
            Value::Address(Address {
                lines: vec!["a".into(), "b".into()],
                city: "c".into(),
                ..Address::default()
            }),
            Value::List(List::new(columns, rows).unwrap()),
            Value::Bytes(vec![0, 255]),
        ];
        for value in values {
            let json = value.to_json();
            walk(&json, String::new(), &mut |pointer, leaf| {
                let expected = leaf.as_str().map_or_else(|| leaf.to_string(), str::to_owned);
                assert_eq!(text(&value, pointer), Some(expected), "{pointer}");
                assert_eq!(json.pointer(pointer), Some(leaf));
            });
            for wrong in ["x", "/", "/00", "/9", "/-1", "/0/x", "/lines/2", "/lines/0/1", "/value/1", "//"] {
                assert!(!matches!(at(&value, wrong), At::Text(_)), "{wrong}");
            }
        }
    }

    fn walk(json: &serde_json::Value, at: String, leaf: &mut dyn FnMut(&str, &serde_json::Value)) {
        match json {
            serde_json::Value::Array(items) => {
                items.iter().enumerate().for_each(|(n, item)| walk(item, format!("{at}/{n}"), leaf));
            }
            serde_json::Value::Object(items) => items.iter().for_each(|(key, item)| {
                walk(item, format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), leaf);
            }),
            _ => leaf(&at, json),
        }
    }

    #[test]
    fn several_things_are_counted_and_have_no_text_but_an_address() {
        let address = Value::Address(Address {
            lines: vec!["a".into(), "b".into()],
            city: "c".into(),
            ..Address::default()
        });
        assert!(matches!(at(&address, "/lines"), At::Many(2)));
        assert_eq!(text(&address, "").unwrap(), "a, b, c");
        let list = Value::List(List::new(vec!["x".into()], vec![vec![Cell::Absent]; 3]).unwrap());
        assert!(matches!(at(&list, ""), At::Many(3)) && matches!(at(&list, "/2"), At::Many(1)));
        assert!(matches!(at(&list, "/2/x"), At::Nothing) && matches!(at(&list, "/3"), At::Nothing));
    }
}
