//! Vectors of normalisers: made, and read again.

use serde_json::{Value as Json, json};

use super::{Vector, list, text};
use crate::{normalise::normalise, policy::Normaliser};

fn form(normaliser: Normaliser, text: &str) -> Json {
    normalise(normaliser, text).map_or(Json::Null, |form| form.as_str().into())
}

pub(super) fn generate() -> Vec<Vector> {
    let texts: &[&str] = &[
        "",
        " ",
        "~A",
        "=",
        "-",
        "a",
        "  Paul \t\r\n\u{b}\u{c} Henriot ",
        "ｓｏ－１０　０１",
        "müller\u{a0}straße",
        "þÿ ŧżń ĳıĸŉ ſǆ",
        "иван Ёжиков ђ",
        "Νίκος ΰ ϋ ώ ύ ό έ",
        "e\u{301}",
        "王小明",
        "0051-100",
        "１２ ٣٤ ۵۶ 七",
        "DE89 3704 0044 0532 0130 00",
        "a-b-é・d",
        "567",
        "5-6 7",
        "５６７８",
        "𠮷野家の本",
    ];
    let numbers: &[(&[u8; 2], &[&str])] = &[
        (
            b"CN",
            &[
                "",
                "-",
                "110",
                "0000000000",
                "13800001234",
                "013800001234",
                "+86 138-1234-5678",
                "86-138 1234 5678",
                "0086 13812345678",
                "（０７５５）１２３４５６７８",
                "＋８６ 0138 1234 5678",
                "0755-1234567转801",
                "0755-1234567 分机 801",
                "手机 138 1234 5678",
                "13812345678 / 13912345678",
                "+44 (0)20 7946 0000",
                "+7 8 (916) 123-45-67",
                "+39 011 4988260",
                "+800 1234 5678",
                "++0086 138 1234 5678",
                "138+12345678",
                "+",
            ],
        ),
        (
            b"US",
            &[
                "(206) 555-4112",
                "1-206-555-4112",
                "(21) 555-0091 ext. 4321",
                "x 206.555.4112x123",
                "206 555 4112 #9",
                "011 44 20 7946 0000",
                "1-800-FLOWERS",
                "555-1234",
            ],
        ),
        (
            b"GB",
            &["020 7946 0000", "(171) 555-7733", "44 7700 900123", "011 44 20 7946 0000", "12345", "1234"],
        ),
        (b"DE", &["0372-035188", "030 123456", "4915112345678", "49 30 123456"]),
        (b"IT", &["011-4988260", "+39 011 4988260", "39 333 123 4567"]),
        (b"RU", &["8 (916) 123-45-67", "7 916 123 45 67", "812 123-45-67", "88 916 123 45 67"]),
        (b"BY", &["8 029 123-45-67", "8 29 123-45-67", "029 1234567", "800 100 200"]),
        (b"HU", &["06 30 123 4567", "+36 (06) 30 123 4567", "+36 06 06 30 123 4567"]),
        (b"MX", &["(5) 555-2933", "01 55 1234 5678", "044 55 1234 5678"]),
        (b"EG", &["٠١٠ ١٢٣٤ ٥٦٧٨", "۰۱۰ ۱۲۳۴ ۵۶۷۸"]),
        (b"SH", &["22158", "290 22158", "1234"]),
    ];
    let simple = [Normaliser::Exact, Normaliser::Upper, Normaliser::Digits, Normaliser::Last4];
    let all = simple.into_iter().map(|normaliser| (normaliser, texts));
    let all = all.chain(numbers.iter().map(|(country, texts)| (Normaliser::Phone(**country), *texts)));
    let vector = |(normaliser, texts): (Normaliser, &[&str])| {
        let cases: Vec<Json> = texts.iter().map(|text| json!([text, form(normaliser, text)])).collect();
        let vector = json!({
            "comment": "Texts, and the form of each; null where it has none.", "of": "normaliser",
            "rules": ["F51", "F52"], "expect": "opens", "normaliser": normaliser.number(),
            "country": str::from_utf8(&normaliser.country()).unwrap().trim_matches('\0'), "cases": cases,
        });
        let name = normaliser.to_string().to_ascii_lowercase().replace(':', "-");
        (format!("normalise-{name}"), vector)
    };
    all.map(vector).collect()
}

pub(super) fn check(vector: &Json) {
    let country = text(&vector["country"]).as_bytes().try_into().unwrap_or_default();
    let all = [
        Normaliser::Exact,
        Normaliser::Upper,
        Normaliser::Digits,
        Normaliser::Phone(country),
        Normaliser::Last4,
    ];
    let normaliser = all.into_iter().find(|normaliser| json!(normaliser.number()) == vector["normaliser"]);
    for case in list(&vector["cases"]) {
        assert_eq!(form(normaliser.unwrap(), text(&case[0])), case[1], "{}", case[0]);
    }
}
