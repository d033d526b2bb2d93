//! The same rows for a reader, for a program and for a page.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::{Result, contenders::Op, machine, measure::Row};

/// Measured once, on another machine than anything else here: their licences (AGPL, BUSL) keep them out of this program.
const ELSEWHERE: &str = "Measured earlier on another machine (AMD Zen 4), not in this run: IronCore Alloy 0.16 27,000 ns to seal \
    the order; Cosmian CoverCrypt 349,000 ns to seal it once for each role.";

/// What an order has of each, besides being encrypted: a key of its own; fields that open by role; a ledger of openings; a way to
/// destroy it.
const GIVES: [(&str, &str, &str, &str, &str); 5] = [
    (
        "consignee",
        "each field under a key of its own, in each order",
        "yes: a field needs the role's key and the order's ticket together",
        "yes: an entry before any plaintext (not measured here)",
        "its wrapped secret is destroyed; copies of that elsewhere remain",
    ),
    (
        "tink-aead",
        "none: one keyset for all orders, within the limit of random nonces",
        "none; by hand with a keyset for each field, at the same speed",
        "none",
        "none: only by deleting every copy of the order",
    ),
    (
        "age",
        "a file key for each order and role",
        "yes: each role has files of its own; whoever has a file opens it",
        "none",
        "its files' headers are deleted; copies of them elsewhere remain",
    ),
    (
        "aws-esdk",
        "a data key for each message: here for each field",
        "none with one wrapping key; by hand with one for each field or role",
        "none (with a KMS keyring, the KMS's own log of unwrapped keys)",
        "its messages' headers are deleted; copies of them elsewhere remain",
    ),
    (
        "aws-db-esdk",
        "a data key for each item, and a key for each attribute from it",
        "none: an item opens whole",
        "none (with a KMS keyring, the KMS's own log of unwrapped keys)",
        "its header attribute is deleted; copies of it elsewhere remain",
    ),
];

pub(crate) fn json(rows: &[Row]) -> Value {
    let results: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({
                "name": row.name,
                "op": row.op.name(),
                "ns": rounded(row.ns.median, 1),
                "ratio_to_floor": rounded(row.ratio, 3),
                "bytes": row.bytes.order,
            })
        })
        .collect();
    json!({ "results": results })
}

pub(crate) fn text(rows: &[Row], rounds: usize) -> String {
    let mut text = machine::description(rounds) + "\n\n";
    line(&mut text, ["op", "name", "ns", "p10", "p90", "to floor", "bytes"]);
    for row in rows {
        line(
            &mut text,
            [
                row.op.name(),
                row.name,
                &thousands(row.ns.median),
                &thousands(row.ns.low),
                &thousands(row.ns.high),
                &ratio(row.ratio),
                &bytes(row),
            ],
        );
    }
    text.push_str("\nWhat one order has with each:\n");
    for (name, keys, roles, ledger, shredding) in GIVES {
        let _infallible = writeln!(
            text,
            "{name}: keys: {keys}. Opening by role: {roles}. Ledger: {ledger}. Shredding: {shredding}."
        );
    }
    text + "\n" + ELSEWHERE
}

fn line(text: &mut String, [op, name, ns, low, high, ratio, bytes]: [&str; 7]) {
    let _infallible =
        writeln!(text, "{op:<13} {name:<32} {ns:>11} {low:>11} {high:>11} {ratio:>9} {bytes:>11}");
}

/// A table with a line for each contender.
pub(crate) fn markdown(rows: &[Row], rounds: usize) -> String {
    let mut table = machine::description(rounds) + "\n\n";
    table += "| ns an order (times the floor) | seal | open the courier's 3 | open all 8 | unwrap and open 3 | bytes |\n";
    table += "|---|--:|--:|--:|--:|--:|\n";
    for first in rows.iter().filter(|row| row.op == Op::Seal) {
        let _infallible = write!(table, "| {} |", first.name);
        for op in Op::ALL {
            let row = rows.iter().find(|row| row.name == first.name && row.op == op);
            let cell = row.map(|row| format!("{} ({})", thousands(row.ns.median), ratio(row.ratio)));
            let _infallible = write!(table, " {} |", cell.unwrap_or_default());
        }
        let _infallible = writeln!(table, " {} |", bytes(first));
    }
    let (below, above) = spread(rows);
    let _infallible = write!(
        table,
        "\nOf the floor's rounds, a tenth was more than {below:.0} % below its median, a tenth more than {above:.0} % above (the widest \
         of its three columns). {ELSEWHERE}"
    );
    table
}

/// Of the floor, in per cent of its median.
fn spread(rows: &[Row]) -> (f64, f64) {
    let floor = rows.iter().filter(|row| row.name == "floor").map(|row| row.ns);
    floor.fold((0.0, 0.0), |(below, above), ns| {
        let percent = |quantile: f64| 100.0 * (quantile / ns.median - 1.0);
        (f64::max(below, -percent(ns.low)), f64::max(above, percent(ns.high)))
    })
}

/// What each gives, as a table.
pub(crate) fn gives() -> String {
    let mut table = String::from(
        "| | keys of one order | opening by role | ledger | shredding one order |\n|---|---|---|---|---|\n",
    );
    for (name, keys, roles, ledger, shredding) in GIVES {
        let _infallible = writeln!(table, "| {name} | {keys} | {roles} | {ledger} | {shredding} |");
    }
    table.trim_end().to_owned()
}

/// The page with other text between the two marks of this name.
pub(crate) fn replace(page: &str, name: &str, text: &str) -> Result<String> {
    let marks = [format!("<!-- bench-compare:{name} -->"), format!("<!-- /bench-compare:{name} -->")];
    let at = marks.each_ref().map(|mark| page.match_indices(mark).map(|(at, _)| at).collect::<Vec<_>>());
    match at.each_ref().map(Vec::as_slice) {
        [[start], [end]] if start < end => {
            let (before, after) = (&page[..start + marks[0].len()], &page[*end..]);
            Ok(format!("{before}\n{text}\n{after}"))
        }
        _ => Err(format!("the page has not exactly one block {} … {}", marks[0], marks[1]).into()),
    }
}

fn bytes(row: &Row) -> String {
    match row.bytes.secret {
        0 => row.bytes.order.to_string(),
        secret => format!("{} + {secret}", row.bytes.order),
    }
}

fn ratio(ratio: f64) -> String {
    if ratio < 10.0 { format!("{ratio:.2}") } else { thousands(ratio) }
}

/// 12345.6 as 12,346.
fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn rounded(number: f64, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    (number * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{contenders::Bytes, statistics::Summary};

    fn row(name: &'static str, op: Op, ns: f64) -> Row {
        let ns = Summary { low: ns * 0.9, median: ns, high: ns * 1.2 };
        Row { name, op, ns, ratio: ns.median / 1000.0, bytes: Bytes { order: 700, secret: 120 } }
    }

    fn rows() -> [Row; 4] {
        [
            row("floor", Op::Seal, 1000.0),
            row("consignee", Op::Seal, 1234.56),
            row("floor", Op::OpenAll, 1000.0),
            row("consignee", Op::OpenAll, 12_345.6),
        ]
    }

    #[test]
    fn json_has_the_results_and_nothing_else() {
        let json = json(&rows());
        assert_eq!(json.as_object().unwrap().len(), 1);
        assert_eq!(json["results"].as_array().unwrap().len(), 4);
        let expected = r#"{"name":"consignee","op":"seal","ns":1234.6,"ratio_to_floor":1.235,"bytes":700}"#;
        assert_eq!(json["results"][1].to_string(), expected);
    }

    #[test]
    fn a_contender_is_one_line_and_what_it_does_not_do_stays_empty() {
        let table = markdown(&rows(), 60);
        assert!(
            table.contains("\n| consignee | 1,235 (1.23) |  | 12,346 (12) |  | 700 + 120 |\n"),
            "{table}"
        );
        assert!(table.contains("more than 10 % below its median, a tenth more than 20 % above"), "{table}");
    }

    #[test]
    fn a_table_has_one_width() {
        let columns = |text: &str| {
            let mut columns: Vec<usize> = text
                .lines()
                .filter(|line| line.starts_with('|'))
                .map(|line| line.matches('|').count())
                .collect();
            columns.dedup();
            columns
        };
        assert_eq!(columns(&markdown(&rows(), 60)), [7]);
        assert_eq!(columns(&gives()), [6]);
    }

    #[test]
    fn only_the_block_of_that_name_is_replaced() {
        let page = "a\n<!-- bench-compare:v3 -->\nold\n<!-- /bench-compare:v3 -->\nb <!-- bench-compare:native --><!-- /bench-compare:native --> c\n";
        let once = replace(page, "native", "new").unwrap();
        assert_eq!(replace(&once, "native", "new").unwrap(), once);
        assert!(once.starts_with("a\n<!-- bench-compare:v3 -->\nold\n<!-- /bench-compare:v3 -->\nb "));
        assert!(once.ends_with("<!-- bench-compare:native -->\nnew\n<!-- /bench-compare:native --> c\n"));
    }

    #[test]
    fn a_page_without_exactly_one_such_block_is_refused() {
        let (start, end) = ("<!-- bench-compare:v3 -->", "<!-- /bench-compare:v3 -->");
        let wrong = [
            "".into(),
            start.into(),
            end.into(),
            format!("{end}{start}"),
            format!("{start}{end}{start}{end}"),
        ];
        for page in wrong {
            assert!(replace(&page, "v3", "new").is_err(), "{page}");
        }
    }

    #[test]
    fn numbers_have_commas() {
        let expected = [(0.4, "0"), (999.5, "1,000"), (1234.0, "1,234"), (1_234_567.0, "1,234,567")];
        for (number, text) in expected {
            assert_eq!(thousands(number), text);
        }
    }
}
