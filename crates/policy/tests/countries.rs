//! The table of calling codes: what is looked up in it, and that the format's page has the same rows.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use consignee_policy::NumberingPlan;

fn code_of(country: &[u8; 2]) -> Option<&'static str> {
    NumberingPlan::of_country(*country).map(|plan| plan.code)
}

#[test]
fn a_country_has_its_calling_code() {
    for (country, code) in [
        (b"CN", "86"),
        (b"US", "1"),
        (b"JM", "1"),
        (b"GB", "44"),
        (b"RU", "7"),
        (b"KZ", "7"),
        (b"VA", "39"),
        (b"HK", "852"),
        (b"UZ", "998"),
        (b"AE", "971"),
        (b"ZW", "263"),
        (b"XK", "383"),
    ] {
        assert_eq!(code_of(country), Some(code), "{}", str::from_utf8(country).unwrap());
    }
    for country in [b"UK", b"ZZ", b"AA", b"cn", b"\0\0", b"\xff\xff", b"[[", b"A@"] {
        assert_eq!(code_of(country), None, "{country:?}");
    }
}

#[test]
fn every_country_and_code_is_found() {
    for plan in NumberingPlan::all() {
        for country in plan.countries.split(' ') {
            let country = country.as_bytes().try_into().unwrap();
            assert_eq!(NumberingPlan::of_country(country), Some(plan));
        }
        for number in [plan.code.to_owned(), format!("{}0", plan.code), format!("{}99999999", plan.code)] {
            assert_eq!(NumberingPlan::of_number(&number), Some(plan), "{number}");
        }
    }
    for number in ["", "0", "80012345678", "87012345678", "21", "999", "٤٤"] {
        assert_eq!(NumberingPlan::of_number(number), None, "{number}");
    }
}

/// What `of_number`, its search by halves and the normaliser's lengths rest on.
#[test]
fn the_rows_are_in_order_and_no_code_begins_another() {
    let plans = NumberingPlan::all();
    for (i, plan) in plans.iter().enumerate() {
        assert!((1..=3).contains(&plan.code.len()) && !plan.code.starts_with('0'), "{plan:?}");
        assert!(plan.code.len() + plan.longest <= 15, "{plan:?}");
        assert!(plan.abroad.bytes().all(|b| b.is_ascii_digit()), "{plan:?}");
        for trunk in plan.trunk {
            assert!(!trunk.is_empty() && trunk.bytes().all(|b| b.is_ascii_digit()), "{plan:?}");
        }
        let beginnings = |a: &str, b: &str| a.len() < b.len() && b.starts_with(a);
        for (j, trunk) in plan.trunk.iter().enumerate() {
            assert!(!plan.trunk[..j].iter().any(|before| beginnings(before, trunk)), "{plan:?}");
        }
        assert!(plans[..i].iter().all(|before| before.code < plan.code), "{plan:?}");
        assert!(plans.iter().all(|other| !beginnings(other.code, plan.code)), "{plan:?}");
    }
}

#[test]
fn trunk_prefixes_are_cut_where_they_cannot_be_the_number() {
    for (country, national, expected) in [
        (b"CN", "013812345678", "13812345678"),
        (b"DE", "0372035188", "372035188"),
        (b"IT", "0114988260", "0114988260"),
        (b"US", "12065554112", "2065554112"),
        (b"US", "2065554112", "2065554112"),
        (b"RU", "89161234567", "9161234567"),
        (b"RU", "8121234567", "8121234567"),
        (b"BY", "80291234567", "291234567"),
        (b"BY", "8291234567", "291234567"),
        (b"BY", "800100200", "800100200"),
        (b"LT", "861234567", "61234567"),
        (b"LT", "061234567", "61234567"),
        (b"LT", "80012345", "80012345"),
        (b"HU", "06301234567", "301234567"),
        (b"MX", "0445512345678", "5512345678"),
        (b"GB", "0", ""),
    ] {
        let plan = NumberingPlan::of_country(*country).unwrap();
        assert_eq!(plan.without_trunk(national), Some(expected), "{national} in {}", plan.countries);
    }
    for (country, national) in [
        (b"GB", "00"),
        (b"CN", "0013812345678"),
        (b"HU", "0606301234567"),
        (b"RU", "889161234567"),
        (b"US", "112065554112"),
    ] {
        let plan = NumberingPlan::of_country(*country).unwrap();
        assert_eq!(plan.without_trunk(national), None, "{national} in {}", plan.countries);
    }
}

#[test]
fn international_prefixes_are_cut_where_there_is_just_one() {
    for (country, digits, expected) in [
        (b"CN", "008613812345678", Some("8613812345678")),
        (b"CN", "013812345678", None),
        (b"US", "011442079460000", Some("442079460000")),
        (b"US", "00442079460000", None),
        (b"JP", "010442079460000", Some("442079460000")),
        (b"AU", "0011442079460000", Some("442079460000")),
        (b"KE", "000442079460000", Some("442079460000")),
        (b"RU", "810442079460000", Some("442079460000")),
        (b"RU", "8101234567", None),
        (b"HK", "0016562345678", None),
        (b"SG", "0016562345678", None),
        (b"KR", "0016562345678", None),
        (b"TH", "0016562345678", None),
        (b"BR", "0021442079460000", None),
        (b"HK", "", None),
    ] {
        let plan = NumberingPlan::of_country(*country).unwrap();
        assert_eq!(plan.after_abroad(digits), expected, "{digits} in {}", plan.countries);
    }
}

#[test]
fn the_page_of_the_format_has_the_same_rows() {
    let page = include_str!("../../../docs/format.md");
    let table = page.split("```countries\n").nth(1).unwrap().split("```").next().unwrap();
    let written: Vec<String> =
        table.split(';').map(|row| row.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let rows = NumberingPlan::all().iter().map(|plan| {
        let trunk = if plan.trunk.is_empty() { "-".to_owned() } else { plan.trunk.join(",") };
        let abroad = if plan.abroad.is_empty() { "-" } else { plan.abroad };
        format!("{} {trunk} {} {abroad} {}", plan.code, plan.longest, plan.countries)
    });
    assert_eq!(written, rows.collect::<Vec<_>>());
}
