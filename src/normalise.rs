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

/// A sign that stands for characters which are not told: `138****5678` is the number of ten thousand people.
fn hides(c: char) -> bool {
    matches!(c, '*' | '\u{d7}' | '\u{2022}' | '\u{2026}' | '\u{2217}' | '\u{25cf}')
}

/// A character that is no digit and hides none, by a list of its own: scripts' own digits, Chinese numerals, superscripts and
/// keycaps are left out, so that nothing which tells two numbers apart is passed over.
fn plain(c: char) -> bool {
    !hides(c)
        && !"〇零幺一二三四五六七八九十".contains(c)
        && matches!(c, '\t'..='\r' | ' '..='~' | '\u{a1}'..='\u{b1}' | '\u{b4}'..='\u{b8}' | '\u{ba}' | '\u{bb}'
            | '\u{bf}'..='\u{52f}' | '\u{590}'..='\u{6ff}' | '\u{900}'..='\u{965}' | '\u{e01}'..='\u{e4f}'
            | '\u{1e00}'..='\u{206f}' | '\u{20a0}'..='\u{20cf}' | '\u{2100}'..='\u{214f}' | '\u{2212}'
            | '\u{2600}'..='\u{26ff}' | '\u{3001}'..='\u{3020}' | '\u{3041}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}'
            | '\u{ac00}'..='\u{d7a3}' | '\u{feff}' | '\u{1f4de}'..='\u{1f4f2}')
}

/// What may stand between the digits of one telephone number: spaces, hyphens, dots, brackets, and marks of direction.
fn gap(c: char) -> bool {
    matches!(c, ' ' | '(' | ')' | '-' | '.' | '\u{ad}' | '\u{2000}'..='\u{2015}' | '\u{202a}'..='\u{202f}'
        | '\u{205f}'..='\u{2069}' | '\u{2212}' | '\u{30fc}' | '\u{feff}')
}

fn digits(text: &str, form: &mut String) -> bool {
    let start = form.len();
    if !text.chars().map(folded).all(plain) {
        return false;
    }
    form.extend(text.chars().map(folded).filter(char::is_ascii_digit));
    form.len() > start
}

fn last4(text: &str, form: &mut String) -> bool {
    if text.chars().map(folded).any(hides) {
        return false;
    }
    let counts = |c: &char| !c.is_ascii() || c.is_ascii_alphanumeric();
    let kept = || text.chars().map(folded).filter(counts).map(capital);
    let Some(before) = kept().count().checked_sub(4) else { return false };
    form.extend(kept().skip(before));
    true
}

/// What an extension is written after, those first that begin others.
const EXTENSIONS: [&str; 13] =
    ["extension", "extn", "ext", "x", "#", "转分机", "轉分機", "转", "轉", "分机", "分機", "分", "内线"];

fn phone(country: [u8; 2], text: &str, form: &mut String) -> bool {
    let Some(home) = NumberingPlan::of_country(country) else { return false };
    let mut plain_text = Zeroizing::new(String::with_capacity(text.len()));
    plain_text.extend(text.chars().map(folded));
    let mut digits = Zeroizing::new(String::with_capacity(text.len()));
    let Some((plus, extension)) = written(&plain_text, &mut digits) else { return false };
    let Some((code, national)) = number(home, plus, &digits) else { return false };
    if !DIGITS_OF_A_NUMBER.contains(&(code.len() + national.len())) {
        return false;
    }
    form.push('+');
    form.push_str(code);
    form.push_str(national);
    if !extension.is_empty() {
        form.push(';');
        form.push_str(extension);
    }
    true
}

/// Reads a label, which is passed over, the digits of one number, and an extension. None for whatever else there is: it might
/// tell one number from another.
fn written<'t>(text: &'t str, digits: &mut String) -> Option<(bool, &'t str)> {
    let outside = |c: char| gap(c) || matches!(c, '\t'..='\r');
    let text = text.trim_matches(outside);
    if !text.chars().all(plain) {
        return None;
    }
    let number = &text[text.find(|c: char| c == '+' || c.is_ascii_digit())?..];
    let plus = number.starts_with('+');
    let number = number.strip_prefix('+').unwrap_or(number);
    let end = number.find(|c: char| !(c.is_ascii_digit() || c == '/' || gap(c))).unwrap_or(number.len());
    let (number, rest) = number.split_at(end);
    let mut slash = false;
    for c in number.chars() {
        match c {
            '0'..='9' => digits.push(c),
            // "030/123456" is an area and its number, "555-1234/5678" are two numbers.
            '/' => {
                let of_an_area = (1..=6).contains(&digits.len()) && (plus || digits.starts_with('0'));
                if slash || !of_an_area {
                    return None;
                }
                slash = true;
            }
            _ => {}
        }
    }
    if rest.is_empty() {
        return Some((plus, ""));
    }
    let after = |marker: &&str| {
        let begins = rest.get(..marker.len())?.eq_ignore_ascii_case(marker);
        begins.then(|| &rest[marker.len()..])
    };
    let extension = EXTENSIONS.iter().find_map(after)?.trim_matches(|c| c == ':' || gap(c));
    let read = !extension.is_empty() && extension.bytes().all(|b| b.is_ascii_digit());
    read.then_some((plus, extension))
}

/// Calling code and national number; none where another number might be meant.
fn number<'d>(home: &'d NumberingPlan, plus: bool, digits: &'d str) -> Option<(&'d str, &'d str)> {
    let abroad = if plus { Some(digits) } else { home.after_abroad(digits) };
    if let Some(number) = abroad {
        if number.starts_with('0') {
            return None;
        }
        return match NumberingPlan::of_number(number) {
            // "+44 (0)20 …" has both.
            Some(plan) => Some((plan.code, plan.without_trunk(number.strip_prefix(plan.code)?)?)),
            None => Some(("", number)),
        };
    }
    if digits.starts_with("00") {
        return None;
    }
    // "86 138 1234 5678" without its plus: no national number is so long.
    let after_code = digits.strip_prefix(home.code).filter(|_| digits.len() > home.longest);
    let digits = after_code.unwrap_or(digits);
    let national = home.without_trunk(digits)?;
    // "30 123 456" may be a number of Berlin, or one of Munich without its area.
    let whole = home.trunk.is_empty() || national.len() < digits.len() || digits.len() >= home.longest;
    whole.then_some((home.code, national))
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
            (Normaliser::Digits, "№ １２ ٣٤ ۵۶ 号", "~123456"),
            (Normaliser::Digits, "１２ ٣٤ ۵۶ 七", "=１２ ٣٤ ۵۶ 七"),
            (Normaliser::Digits, "१२34", "=१२34"),
            (Normaliser::Digits, "12²", "=12²"),
            (Normaliser::Digits, "138****5678", "=138****5678"),
            (Normaliser::Digits, "138＊＊＊＊5678", "=138＊＊＊＊5678"),
            (Normaliser::Digits, "138••••5678", "=138••••5678"),
            (Normaliser::Digits, "138…5678", "=138…5678"),
            (Normaliser::Last4, "138****5678", "=138****5678"),
            (Normaliser::Last4, "●●●● 5678", "=●●●● 5678"),
            (Normaliser::Upper, "王*明", "~王*明"),
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
            (b"CN", "0755-1234567转801", "+867551234567;801"),
            (b"CN", "手机 138 1234 5678", "+8613812345678"),
            (b"CN", "+44 (0)20 7946 0000", "+442079460000"),
            (b"GB", "020 7946 0000", "+442079460000"),
            (b"GB", "(171) 555-7733", "+441715557733"),
            (b"US", "(206) 555-4112", "+12065554112"),
            (b"US", "1-206-555-4112", "+12065554112"),
            (b"US", "(215) 555-0091 ext. 4321", "+12155550091;4321"),
            (b"US", "206.555.4112x123", "+12065554112;123"),
            (b"US", "206 555 4112 #9", "+12065554112;9"),
            (b"US", "011 44 20 7946 0000", "+442079460000"),
            (b"FR", "126.47.15.10", "+33126471510"),
            (b"FR", "+33 (0)1 23 45 67 89", "+33123456789"),
            (b"DE", "0372-035188", "+49372035188"),
            (b"DE", "4915112345678", "+4915112345678"),
            (b"DE", "030 49", "=030 49"),
            (b"BR", "(011) 3555-1189", "+551135551189"),
            (b"BR", "55 987654321", "+5555987654321"),
            (b"BR", "55 11 987654321", "+5511987654321"),
            (b"BE", "(071) 23 67 22 20", "+327123672220"),
            (b"CH", "0452-076545", "+41452076545"),
            (b"AT", "07675-3425", "+4376753425"),
            (b"MX", "(55) 5555-2933", "+525555552933"),
            (b"SE", "0695-34 67 21", "+46695346721"),
            (b"FI", "090-224 8858", "+358902248858"),
            (b"IT", "011-4988260", "+390114988260"),
            (b"IT", "+39 011 4988260", "+390114988260"),
            (b"ES", "(91) 555 22 82", "+34915552282"),
            (b"IE", "(01) 296 7542", "+35312967542"),
            (b"DK", "86 21 32 43", "+4586213243"),
            (b"NO", "07-98 92 35", "+4707989235"),
            (b"VE", "(0212) 834-56-12", "+582128345612"),
            (b"RU", "8 (916) 123-45-67", "+79161234567"),
            (b"RU", "7 916 123 45 67", "+79161234567"),
            (b"RU", "812 123-45-67", "+78121234567"),
            (b"IN", "919812345678", "+919812345678"),
            (b"EG", "٠١٠ ١٢٣٤ ٥٦٧٨", "+201012345678"),
            (b"HU", "+36 (06) 30 123 4567", "+36301234567"),
            (b"CN", "+800 1234 5678", "+80012345678"),
            (b"CN", "(+86)13812345678", "+8613812345678"),
            (b"CN", "王小明, ☎: 13812345678\r\n", "+8613812345678"),
            (b"CN", "\u{202a}+86\u{a0}138\u{2011}1234–5678\u{202c}", "+8613812345678"),
            (b"JP", "090ー1234ー5678", "+819012345678"),
            (b"JP", "010 44 20 7946 0000", "+442079460000"),
            (b"AU", "0011 44 20 7946 0000", "+442079460000"),
            (b"RU", "8~10 44 20 7946 0000", "=8~10 44 20 7946 0000"),
            (b"RU", "8 10 44 20 7946 0000", "+442079460000"),
            (b"KE", "000 44 20 7946 0000", "+442079460000"),
            (b"DE", "030/123456", "+4930123456"),
            (b"LI", "232 42 30", "+4232324230"),
            (b"MC", "93 15 28 28", "+37793152828"),
            (b"MC", "06 12 34 56 78", "+377612345678"),
            (b"MN", "9911 2233", "+97699112233"),
            (b"CU", "5 123 4567", "+5351234567"),
            (b"DE", "+49 30/123456", "+4930123456"),
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

    #[test]
    fn an_extension_is_of_the_form() {
        for marker in [
            "x",
            "X",
            "#",
            "转",
            "轉",
            "分",
            "分机",
            "分機",
            "转分机",
            "轉分機",
            "内线",
            "ext",
            " Ext. ",
            "EXTN",
            " extension: ",
            "＃",
            "ｘ",
            " (x",
        ] {
            let written = format!("18412345678{marker}0123");
            assert_eq!(form(Normaliser::Phone(*b"CN"), &written), "~+8618412345678;0123", "{written}");
        }
        for text in [
            "18412345678转",
            "18412345678 x",
            "18412345678 ext.",
            "18412345678转王",
            "18412345678转12转34",
            "18412345678转12-34",
            "18412345678转1234号",
            "18412345678转**34",
            "18412345678 доб. 1234",
            "18412345678,1234",
            "18412345678;1234",
            "18412345678-1234",
        ] {
            assert_eq!(form(Normaliser::Phone(*b"CN"), text), format!("={text}"));
        }
    }

    /// A text that may mean another number than the one its digits make, or more than one.
    #[test]
    fn in_doubt_a_text_has_no_normal_form() {
        for (country, text) in [
            // International prefixes of which `00` is only the beginning, or that are others.
            (b"HK", "001 65 6234 5678"),
            (b"SG", "001 65 6234 5678"),
            (b"KR", "001 65 6234 5678"),
            (b"TH", "001 65 6234 5678"),
            (b"TW", "002 65 6234 5678"),
            (b"BR", "0021 44 20 7946 0000"),
            (b"US", "00 44 20 7946 0000"),
            (b"JP", "0044 20 7946 0000"),
            (b"AU", "0044 20 7946 0000"),
            (b"CN", "000 86 138 1234 5678"),
            (b"US", "011 0 65 6234 5678"),
            // Is it China's or North America's?
            (b"CN", "+013812345678"),
            (b"CN", "+0086 13812345678"),
            (b"CN", "++86 13812345678"),
            (b"CN", "+A 13812345678"),
            (b"CN", "A+B 13812345678"),
            (b"CN", "138+12345678"),
            (b"CN", "0086 00 755 1234567"),
            (b"CN", "+86 00755 1234567"),
            (b"RU", "88 916 123 45 67"),
            (b"US", "1 1 1 206 555 4112"),
            // Masked.
            (b"CN", "138****5678"),
            (b"CN", "138＊＊＊＊5678"),
            (b"CN", "138xxxx5678"),
            (b"CN", "138####5678"),
            (b"CN", "138••••5678"),
            (b"CN", "138----5678"),
            (b"CN", "* 13812345678"),
            // Two numbers, or more that is written there.
            (b"CN", "13812345678/13987654321"),
            (b"CN", "13812345678,13987654321"),
            (b"CN", "13812345678、13987654321"),
            (b"CN", "13812345678\n1"),
            (b"US", "206-555-411/2"),
            (b"US", "12345/67890"),
            (b"DE", "030/12345/6"),
            (b"DE", "030 123456/7"),
            (b"US", "+1 800 555 CALL 2"),
            (b"US", "+1 800 555 CALL"),
            (b"US", "1 206 555 4112 Paul"),
            (b"CN", "tel2: 13812345678"),
            (b"CN", "+9९ 812345678"),
            (b"CN", "९ 13812345678"),
            (b"CN", "一13812345678"),
            (b"CN", "1️⃣3812345678"),
            // A number of another town, or of this one without its area.
            (b"DE", "30 123456"),
            (b"DE", "12345678"),
            (b"CN", "86551234-8012"),
            (b"US", "555-1234"),
            (b"RU", "123-45-67"),
            (b"BR", "(11) 555-1189"),
        ] {
            assert_eq!(form(Normaliser::Phone(*country), text), format!("={text}"));
        }
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
        fn a_form_is_bounded_and_never_that_of_an_unreadable_text(text in "\\PC{0,24}|[+0-9 ()x/.-]{0,24}") {
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
                                let (number, extension) = normal.split_once(';').unwrap_or((normal, "0"));
                                (8..=16).contains(&number.len())
                                    && number.starts_with('+')
                                    && !number.starts_with("+0")
                                    && [&number[1..], extension].iter().all(|part| {
                                        !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit())
                                    })
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
        fn a_normal_form_is_its_own(text in "\\PC{1,24}|[+0-9 ()x/.-]{1,24}|(\\+|00)?[0-9]{5,16}(x[0-9]{1,4})?") {
            for normaliser in ALL {
                let once = form(normaliser, &text);
                if let Some(normal) = once.strip_prefix(NORMAL) {
                    // No text has the sign before an extension: it is what separates two numbers elsewhere.
                    let phone = matches!(normaliser, Normaliser::Phone(_));
                    let written = if phone { normal.replace(';', "x") } else { normal.to_owned() };
                    prop_assert_eq!(form(normaliser, &written), once.clone());
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
            let whole = plan.trunk.is_empty() || national.len() == plan.longest;
            let mut ways = vec![format!("+{} {spaced}", plan.code), format!("+{} ({trunk}) {national}", plan.code)];
            let abroad = plan.abroad.len() + plan.code.len() + national.len();
            if plan.abroad.starts_with('0') || !plan.abroad.is_empty() && abroad > plan.longest {
                ways.push(format!("{}{}{national}", plan.abroad, plan.code));
            }
            for national in [national.clone(), spaced.clone()] {
                if whole {
                    ways.push(national);
                } else {
                    prop_assert_eq!(form(Normaliser::Phone(country), &national), format!("={national}"));
                }
            }
            if !trunk.is_empty() {
                ways.push(format!("{trunk}{spaced}"));
            }
            for written in ways {
                prop_assert_eq!(form(Normaliser::Phone(country), &written), expected.clone(), "{}", written);
                let extended = format!("{written} ext 12");
                prop_assert_eq!(form(Normaliser::Phone(country), &extended), format!("{expected};12"), "{}", extended);
            }
            let abroad = format!("+{}{national}", plan.code);
            prop_assert_eq!(form(Normaliser::Phone(*b"CN"), &abroad), expected);
        }
    }
}
