//! The form a text is compared and indexed in: `docs/format.md`, section 6.
//!
//! What a number does never changes, because search tags are made of it: a new behaviour is a new normaliser. Nothing here
//! asks Unicode tables or telephone metadata that a newer compiler or library would bring along; an order put years ago
//! must be found by the same words.

use consignee_policy::{Normaliser, NumberingPlan};
use zeroize::Zeroizing;

// F52: they keep apart what was read and what could not be, so that no unreadable text has the form of a readable one.
const AS_IT_IS: char = '=';
const NORMAL: char = '~';

/// Most and fewest digits of an international number, calling code included (ITU-T E.164; the least number is ours).
const DIGITS_OF_A_NUMBER: std::ops::RangeInclusive<usize> = 7..=15;

/// The form of a text that is compared and indexed. An empty text is not indexed: none.
pub(crate) fn normalise(normaliser: Normaliser, text: &str) -> Option<Zeroizing<String>> {
    if text.is_empty() {
        return None;
    }
    // Room for the longest form, so that growing leaves no copy behind that is not wiped.
    let mut form = Zeroizing::new(String::with_capacity(text.len() + 17));
    form.push(NORMAL);
    let read = match normaliser {
        Normaliser::Exact => false,
        Normaliser::Upper => upper(text, &mut form),
        Normaliser::Digits => digits(text, &mut form),
        Normaliser::Phone(country) => phone(country, text, &mut form),
        Normaliser::Last4 => last4(text, &mut form),
    };
    if !read {
        form.clear();
        form.push(AS_IT_IS);
        form.push_str(text);
    }
    Some(form)
}

/// Full-width letters and signs, Arabic digits and two wide spaces as their ASCII counterparts.
fn folded(c: char) -> char {
    let moved = |by: u32| char::from_u32(u32::from(c).wrapping_sub(by)).unwrap_or(c);
    match c {
        '\u{ff01}'..='\u{ff5e}' => moved(0xff01 - 0x21),
        '\u{660}'..='\u{669}' => moved(0x660 - 0x30),
        '\u{6f0}'..='\u{6f9}' => moved(0x6f0 - 0x30),
        '\u{a0}' | '\u{3000}' => ' ',
        _ => c,
    }
}

/// The capital letter, by the format's own table: Latin, Greek and Cyrillic letters that have just one.
fn capital(c: char) -> char {
    let number = u32::from(c);
    let by = match number {
        0x61..=0x7a | 0xe0..=0xf6 | 0xf8..=0xfe | 0x3b1..=0x3c1 | 0x3c3..=0x3cb | 0x430..=0x44f => 32,
        0x450..=0x45f => 80,
        0x101..=0x12f | 0x133..=0x137 | 0x14b..=0x177 if !number.is_multiple_of(2) => 1,
        0x13a..=0x148 | 0x17a..=0x17e if number.is_multiple_of(2) => 1,
        0x3c2 => 31,
        0x3ac => 38,
        0x3ad..=0x3af => 37,
        0x3cc => 64,
        0x3cd | 0x3ce => 63,
        0xff => return '\u{178}',
        _ => return c,
    };
    char::from_u32(number - by).unwrap_or(c)
}

// Each gives whether it could read the text; if not, what it appended is left out.

fn upper(text: &str, form: &mut String) -> bool {
    let start = form.len();
    let mut space = false;
    for c in text.chars().map(folded) {
        if matches!(c, '\t'..='\r' | ' ') {
            space = form.len() > start;
            continue;
        }
        if space {
            form.push(' ');
            space = false;
        }
        form.push(capital(c));
    }
    form.len() > start
}

fn digits(text: &str, form: &mut String) -> bool {
    let start = form.len();
    form.extend(text.chars().map(folded).filter(char::is_ascii_digit));
    form.len() > start
}

fn last4(text: &str, form: &mut String) -> bool {
    let counts = |c: &char| !c.is_ascii() || c.is_ascii_alphanumeric();
    let kept = || text.chars().map(folded).filter(counts).map(capital);
    let Some(before) = kept().count().checked_sub(4) else { return false };
    form.extend(kept().skip(before));
    true
}

fn phone(country: [u8; 2], text: &str, form: &mut String) -> bool {
    let Some(home) = NumberingPlan::of_country(country) else { return false };
    let mut digits = Zeroizing::new(String::with_capacity(text.len()));
    let mut plus = false;
    for c in text.chars().map(folded) {
        match c {
            '0'..='9' => digits.push(c),
            '+' if digits.is_empty() => plus = true,
            // What follows is an extension.
            'x' | 'X' | '#' | '转' | '轉' | '分' if !digits.is_empty() => break,
            _ => {}
        }
    }
    let (code, national) = match international(home, plus, &digits) {
        None => (home.code, home.without_trunk(&digits)),
        Some(number) => match NumberingPlan::of_number(number) {
            // "+44 (0)20 …" has both.
            Some(plan) => (plan.code, plan.without_trunk(number.strip_prefix(plan.code).unwrap_or(number))),
            None => ("", number),
        },
    };
    if !DIGITS_OF_A_NUMBER.contains(&(code.len() + national.len())) {
        return false;
    }
    form.push('+');
    form.push_str(code);
    form.push_str(national);
    true
}

/// The digits from the calling code on, if there is one.
fn international<'d>(home: &NumberingPlan, plus: bool, digits: &'d str) -> Option<&'d str> {
    if plus || digits.starts_with("00") {
        return Some(digits.trim_start_matches('0'));
    }
    if home.code == "1"
        && let Some(number) = digits.strip_prefix("011")
    {
        return Some(number);
    }
    // "86 138 1234 5678" without its plus: no national number is so long.
    (digits.starts_with(home.code) && digits.len() > home.longest).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn form(normaliser: Normaliser, text: &str) -> String {
        normalise(normaliser, text).map(|form| form.to_string()).unwrap_or_default()
    }

    const ALL: [Normaliser; 9] = [
        Normaliser::Exact,
        Normaliser::Upper,
        Normaliser::Digits,
        Normaliser::Phone(*b"CN"),
        Normaliser::Phone(*b"US"),
        Normaliser::Phone(*b"RU"),
        Normaliser::Phone(*b"IT"),
        Normaliser::Phone(*b"HU"),
        Normaliser::Last4,
    ];

    #[test]
    fn texts_have_the_form_the_format_says() {
        for (normaliser, text, expected) in [
            (Normaliser::Exact, " a", "= a"),
            (Normaliser::Exact, "~A", "=~A"),
            (Normaliser::Upper, "  Paul \t\r\n Henriot ", "~PAUL HENRIOT"),
            (Normaliser::Upper, "ｓｏ－１０　０１", "~SO-10 01"),
            (Normaliser::Upper, "müller\u{a0}straße", "~MÜLLER STRAßE"),
            (Normaliser::Upper, "иван Ёжиков", "~ИВАН ЁЖИКОВ"),
            (Normaliser::Upper, "ὀδός Νίκος", "~ὀΔΌΣ ΝΊΚΟΣ"),
            (Normaliser::Upper, "ıǆ王小明ÿ", "~ıǆ王小明Ÿ"),
            (Normaliser::Upper, "e\u{301}", "~E\u{301}"),
            (Normaliser::Upper, "=", "~="),
            (Normaliser::Upper, " \u{3000}\u{a0}\u{b}", "= \u{3000}\u{a0}\u{b}"),
            (Normaliser::Digits, "0051-100 ", "~0051100"),
            (Normaliser::Digits, "１２ ٣٤ ۵۶ 七", "~123456"),
            (Normaliser::Digits, "七", "=七"),
            (Normaliser::Last4, "DE89 3704 0044 0532 0130 00", "~3000"),
            (Normaliser::Last4, "138-0000-56 78", "~5678"),
            (Normaliser::Last4, "a-b-é・d", "~BÉ・D"),
            (Normaliser::Last4, "５６７８", "~5678"),
            (Normaliser::Last4, "567", "=567"),
            (Normaliser::Last4, "5-6 7", "=5-6 7"),
        ] {
            assert_eq!(form(normaliser, text), expected, "{normaliser} of {text:?}");
        }
        assert!(ALL.into_iter().all(|normaliser| normalise(normaliser, "").is_none()));
    }

    #[test]
    fn telephone_numbers_have_their_calling_code() {
        for (country, text, expected) in [
            (b"CN", "13800001234", "+8613800001234"),
            (b"CN", "+86 138-1234-5678", "+8613812345678"),
            (b"CN", "86-138 1234 5678", "+8613812345678"),
            (b"CN", "0086 13812345678", "+8613812345678"),
            (b"CN", "（０７５５）１２３４５６７８", "+8675512345678"),
            (b"CN", "＋８６ 013812345678", "+8613812345678"),
            (b"CN", "0755-1234567转801", "+867551234567"),
            (b"CN", "手机 138 1234 5678", "+8613812345678"),
            (b"CN", "+44 (0)20 7946 0000", "+442079460000"),
            (b"GB", "020 7946 0000", "+442079460000"),
            (b"GB", "(171) 555-7733", "+441715557733"),
            (b"US", "(206) 555-4112", "+12065554112"),
            (b"US", "1-206-555-4112", "+12065554112"),
            (b"US", "(21) 555-0091 ext. 4321", "+1215550091"),
            (b"US", "206.555.4112x123", "+12065554112"),
            (b"US", "206 555 4112 #9", "+12065554112"),
            (b"US", "011 44 20 7946 0000", "+442079460000"),
            (b"FR", "26.47.15.10", "+3326471510"),
            (b"FR", "+33 (0)1 23 45 67 89", "+33123456789"),
            (b"DE", "0372-035188", "+49372035188"),
            (b"DE", "4915112345678", "+4915112345678"),
            (b"DE", "030 49", "=030 49"),
            (b"BR", "(11) 555-1189", "+55115551189"),
            (b"BR", "55 987654321", "+5555987654321"),
            (b"BR", "55 11 987654321", "+5511987654321"),
            (b"BE", "(071) 23 67 22 20", "+327123672220"),
            (b"CH", "0452-076545", "+41452076545"),
            (b"AT", "7675-3425", "+4376753425"),
            (b"MX", "(5) 555-2933", "+5255552933"),
            (b"SE", "0695-34 67 21", "+46695346721"),
            (b"FI", "90-224 8858", "+358902248858"),
            (b"IT", "011-4988260", "+390114988260"),
            (b"IT", "+39 011 4988260", "+390114988260"),
            (b"ES", "(91) 555 22 82", "+34915552282"),
            (b"IE", "2967 542", "+3532967542"),
            (b"DK", "86 21 32 43", "+4586213243"),
            (b"NO", "07-98 92 35", "+4707989235"),
            (b"VE", "(8) 34-56-12", "+588345612"),
            (b"RU", "8 (916) 123-45-67", "+79161234567"),
            (b"RU", "7 916 123 45 67", "+79161234567"),
            (b"RU", "812 123-45-67", "+78121234567"),
            (b"IN", "919812345678", "+919812345678"),
            (b"EG", "٠١٠ ١٢٣٤ ٥٦٧٨", "+201012345678"),
            (b"HU", "+36 (06) 30 123 4567", "+36301234567"),
            (b"CN", "+800 1234 5678", "+80012345678"),
            (b"CN", "++0086 138 1234 5678", "+8613812345678"),
        ] {
            let expected =
                if expected.starts_with('=') { expected.to_owned() } else { format!("~{expected}") };
            assert_eq!(form(Normaliser::Phone(*country), text), expected, "{text}");
        }
        for text in
            ["-", "x", "1234", "110", "0000000000", "+", "1-800-FLOWERS", "13812345678 / 13912345678", "王"]
        {
            assert_eq!(form(Normaliser::Phone(*b"CN"), text), format!("={text}"));
        }
        // No policy has such a country.
        assert_eq!(form(Normaliser::Phone(*b"ZZ"), "13812345678"), "=13812345678");
    }

    /// The format's table is Unicode's for the letters it has, so that it surprises nobody.
    #[test]
    fn capitals_are_those_of_unicode() {
        let mut letters = 0;
        for c in (0..0x3000).filter_map(char::from_u32).filter(|c| capital(*c) != *c) {
            assert_eq!(c.to_uppercase().collect::<String>(), capital(c).to_string());
            letters += 1;
        }
        assert_eq!(letters, 26 + 31 + 24 + 3 + 23 + 8 + 3 + 26 + 1 + 7 + 32 + 16);
    }

    proptest! {
        #[test]
        fn a_form_is_bounded_and_never_that_of_an_unreadable_text(text in "\\PC{0,24}|[+0-9 ()x.-]{0,24}") {
            for normaliser in ALL {
                let Some(form) = normalise(normaliser, &text) else { prop_assert!(text.is_empty()); continue };
                match form.strip_prefix(NORMAL) {
                    None => prop_assert_eq!(form.strip_prefix(AS_IT_IS), Some(text.as_str())),
                    Some(normal) => {
                        prop_assert!(!normal.is_empty());
                        let bounded = match normaliser {
                            Normaliser::Exact => false,
                            Normaliser::Upper => normal.len() <= text.len(),
                            Normaliser::Digits => normal.bytes().all(|b| b.is_ascii_digit()),
                            Normaliser::Phone(_) => {
                                (8..=16).contains(&normal.len()) && normal.starts_with('+') && !normal.starts_with("+0")
                            }
                            Normaliser::Last4 => normal.chars().count() == 4,
                        };
                        prop_assert!(bounded, "{} of {:?}", normaliser, text);
                    }
                }
                prop_assert!(form.capacity() <= text.len() + 17, "it has grown");
            }
        }

        #[test]
        fn a_normal_form_is_its_own(text in "\\PC{1,24}|[+0-9 ()x.-]{1,24}|(\\+|00)?[0-9]{5,16}") {
            for normaliser in ALL {
                let once = form(normaliser, &text);
                if let Some(normal) = once.strip_prefix(NORMAL) {
                    prop_assert_eq!(form(normaliser, normal), once.clone());
                }
            }
        }

        #[test]
        fn a_number_is_found_however_it_is_written(
            row in 0..NumberingPlan::all().len(), national in "[2-9][0-9]{4,12}", separators in "[ ().-]{4}",
        ) {
            let plan = &NumberingPlan::all()[row];
            prop_assume!(DIGITS_OF_A_NUMBER.contains(&(plan.code.len() + national.len())));
            prop_assume!(national.len() <= plan.longest);
            let country = plan.countries.as_bytes()[..2].try_into().unwrap();
            let expected = format!("~+{}{national}", plan.code);
            let mut spaced = separators.clone();
            for (i, c) in national.chars().enumerate() {
                spaced.push(c);
                spaced.push_str(&separators[i % 4..=i % 4]);
            }
            let trunk = plan.trunk.first().filter(|trunk| trunk.starts_with('0')).unwrap_or(&"");
            for written in [
                national.clone(),
                spaced.clone(),
                format!("{trunk}{spaced}"),
                format!("+{} {spaced}", plan.code),
                format!("00{}{national}", plan.code),
                format!("+{} ({trunk}) {national}", plan.code),
                format!("{national} ext 12"),
            ] {
                prop_assert_eq!(form(Normaliser::Phone(country), &written), expected.clone(), "{}", written);
            }
            let abroad = format!("+{}{national}", plan.code);
            prop_assert_eq!(form(Normaliser::Phone(*b"CN"), &abroad), expected);
        }
    }
}
