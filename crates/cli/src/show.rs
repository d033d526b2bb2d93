//! Values, times and numbers as people read them.

use std::fmt::Write;

use consignee::{Address, Cell, List, Value};

/// A text without what would steer a terminal or turn the direction of writing: the text may be a stranger's.
pub(crate) fn clean(text: &str) -> String {
    let steers = |c: char| {
        c != '\n' && c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if steers(c) { '\u{fffd}' } else { c }).collect()
}

/// A value on one line; of a list, a line for each row.
pub(crate) fn value(value: &Value) -> String {
    match value {
        Value::Text(text) | Value::Json(text) => one_line(text),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::Integer(number) => number.to_string(),
        Value::Money(money) => format!("{} {}", money.amount(), money.currency()),
        Value::Timestamp(time) => time.to_string(),
        Value::Address(address) => one_line(&self::address(address)),
        Value::List(list) => rows(list).join("\n"),
        other => match other.to_json() {
            serde_json::Value::String(text) => text,
            json => json.to_string(),
        },
    }
}

fn address(address: &Address) -> String {
    let town = [address.postal_code.as_str(), address.city.as_str()];
    let town: Vec<&str> = town.into_iter().filter(|part| !part.is_empty()).collect();
    let town = town.join(" ");
    let lines = address.lines.iter().map(String::as_str);
    let parts = lines.chain([town.as_str(), &address.region, &address.country]);
    parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

fn rows(list: &List) -> Vec<String> {
    let cells = |row: &Vec<Cell>| row.iter().filter_map(cell).collect::<Vec<_>>().join(", ");
    list.rows().iter().map(|row| one_line(&cells(row))).collect()
}

/// A cell's text; nothing for an absent one.
pub(crate) fn cell(cell: &Cell) -> Option<String> {
    match cell {
        Cell::Text(text) => Some(text.clone()),
        Cell::Bool(yes) => Some(if *yes { "yes" } else { "no" }.to_owned()),
        Cell::Integer(number) => Some(number.to_string()),
        Cell::Decimal(number) => Some(number.to_string()),
        _ => None,
    }
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r', '\t'], " ")
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

/// A time of the ledger, RFC 3339. A clock beyond the year 9999 is given as its number.
pub(crate) fn time(seconds: u64) -> String {
    let time = i64::try_from(seconds).ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    time.map_or_else(|| seconds.to_string(), |time| time.to_string())
}

/// The same with a space in the middle, where a narrow column may break it.
pub(crate) fn time_in_words(seconds: u64) -> String {
    time(seconds).replacen('T', " ", 1)
}

/// A day counted from 1970-01-01.
pub(crate) fn day(days: u32) -> String {
    time(u64::from(days) * 86_400).split('T').next().unwrap_or_default().to_owned()
}

/// A number with commas between thousands.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of things: `1 order`, `2,000 orders`.
pub(crate) fn counted(number: u64, thing: &str) -> String {
    counted_as(number, thing, &format!("{thing}s"))
}

/// A number of things whose plural is irregular.
pub(crate) fn counted_as(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// A span of seconds in the largest unit that fits, as a policy writes it.
pub(crate) fn span(seconds: u64) -> String {
    const UNITS: [(u64, char); 4] = [(86_400, 'd'), (3_600, 'h'), (60, 'm'), (1, 's')];
    let (unit, letter) =
        UNITS.into_iter().find(|(unit, _)| seconds.is_multiple_of(*unit)).unwrap_or((1, 's'));
    format!("{}{letter}", seconds / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_taken_out() {
        assert_eq!(clean("a\x1b[2Jb\u{9b}c\u{202e}d\n王"), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}d\n王");
    }

    #[test]
    fn numbers_have_commas_and_spans_a_unit() {
        assert_eq!(
            [count(0), count(999), count(1_000), count(1_234_567)],
            ["0", "999", "1,000", "1,234,567"]
        );
        assert_eq!([span(30 * 86_400), span(90), span(0)], ["30d", "90s", "0d"]);
        assert_eq!([day(0), day(20_000)], ["1970-01-01", "2024-10-04"]);
    }
}
