//! What a facet shows of its field: `docs/format.md`, section 6.
//!
//! A mask shows at most half of a text (`phone`: 7 of at least 11 digits, or the last 2) and never how long it is. What a
//! number does never changes, because facets are sealed: a new behaviour is a new mask.

use crate::value::ValueRef;
use consignee_policy::Mask;

/// Appends what the mask shows of the value. `false`, and nothing appended, where the value is of a type it is not for.
#[must_use]
pub(crate) fn apply(mask: Mask, value: ValueRef<'_>, out: &mut String) -> bool {
    match (mask, value) {
        (Mask::Name | Mask::Phone | Mask::Last4, ValueRef::Text("")) => {}
        (Mask::Name, ValueRef::Text(text)) => name(text, out),
        (Mask::Phone, ValueRef::Text(text)) => phone(text, out),
        (Mask::Last4, ValueRef::Text(text)) => last4(text, out),
        (Mask::City, ValueRef::Address(address)) => out.push_str(&address.city),
        _ => return false,
    }
    true
}

fn name(text: &str, out: &mut String) {
    let mut characters = text.chars();
    if let (Some(first), Some(_)) = (characters.next(), characters.next()) {
        out.push(first);
    }
    out.push_str("**");
}

fn phone(text: &str, out: &mut String) {
    let digits = || text.chars().filter(char::is_ascii_digit);
    let count = digits().count();
    let (first, last) = match count {
        11.. => (3, 4),
        4..=10 => (0, 2),
        _ => (0, 0),
    };
    out.extend(digits().take(first));
    out.push_str("****");
    out.extend(digits().skip(count - last));
}

fn last4(text: &str, out: &mut String) {
    out.push_str("****");
    let count = text.chars().count();
    if count >= 8 {
        out.extend(text.chars().skip(count - 4));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Address, samples};
    use proptest::prelude::*;

    fn masked(mask: Mask, text: &str) -> String {
        let mut out = String::new();
        assert!(apply(mask, ValueRef::Text(text), &mut out));
        out
    }

    #[test]
    fn each_mask_gives_what_the_format_says() {
        for (mask, text, expected) in [
            (Mask::Name, "", ""),
            (Mask::Name, "P", "**"),
            (Mask::Name, "Pa", "P**"),
            (Mask::Name, "Paul Henriot", "P**"),
            (Mask::Name, "张", "**"),
            (Mask::Name, "张伟", "张**"),
            (Mask::Name, "欧阳修", "欧**"),
            (Mask::Name, "محمد علي", "م**"),
            (Mask::Name, "अनिल", "अ**"),
            (Mask::Name, "e\u{301}mile", "e**"),
            (Mask::Name, "e\u{301}", "e**"),
            (Mask::Name, "𠮷野", "𠮷**"),
            (Mask::Name, "👩\u{200d}🚀", "👩**"),
            (Mask::Name, " ", "**"),
            (Mask::Phone, "", ""),
            (Mask::Phone, "-", "****"),
            (Mask::Phone, "123", "****"),
            (Mask::Phone, "1234", "****34"),
            (Mask::Phone, "26.47.15.10", "****10"),
            (Mask::Phone, "0251-031259", "****59"),
            (Mask::Phone, "1234567890", "****90"),
            (Mask::Phone, "13812345678", "138****5678"),
            (Mask::Phone, "+86 138-1234-5678", "861****5678"),
            (Mask::Phone, "(21) 555-0091 ext. 4321", "215****4321"),
            (Mask::Phone, "١٣٨١٢٣٤٥٦٧٨", "****"),
            (Mask::Phone, "１３８１２３４５６７８", "****"),
            (Mask::Last4, "", ""),
            (Mask::Last4, "1", "****"),
            (Mask::Last4, "1234567", "****"),
            (Mask::Last4, "12345678", "****5678"),
            (Mask::Last4, "DE89 3704 0044 0532 0130 00", "****0 00"),
            (Mask::Last4, "一二三四五六七八", "****五六七八"),
            (Mask::Last4, "हिन्दी भाषा", "****भाषा"),
        ] {
            assert_eq!(masked(mask, text), expected, "{mask:?} of {text:?}");
        }
    }

    #[test]
    fn the_city_of_an_address() {
        let mut address = Address { lines: vec!["59 rue de l-Abbaye".into()], ..Address::default() };
        for city in ["", "Reims", "München", "成都市"] {
            address.city = city.into();
            let mut out = String::new();
            assert!(apply(Mask::City, ValueRef::Address(&address), &mut out));
            assert_eq!(out, city);
        }
    }

    #[test]
    fn appends_to_what_is_there() {
        let mut out = "x".to_owned();
        assert!(apply(Mask::Name, ValueRef::Text("Paul"), &mut out));
        assert!(!apply(Mask::City, ValueRef::Text("Paul"), &mut out));
        assert_eq!(out, "xP**");
    }

    /// Characters that come through the mask.
    fn shown(masked: &str) -> usize {
        masked.chars().filter(|c| *c != '*').count()
    }

    proptest! {
        #[test]
        fn a_mask_is_for_one_type(value in samples::value()) {
            for mask in [Mask::Name, Mask::Phone, Mask::City, Mask::Last4] {
                let mut out = String::new();
                prop_assert_eq!(apply(mask, value.as_ref(), &mut out), mask.applies_to() == value.field_type());
                prop_assert!(out.is_empty() || mask.applies_to() == value.field_type());
            }
        }

        #[test]
        fn a_mask_tells_no_length_and_at_most_half(text in "[^*]{1,40}") {
            let characters = text.chars().count();
            let name = masked(Mask::Name, &text);
            prop_assert_eq!(name.chars().count(), if characters == 1 { 2 } else { 3 });
            prop_assert!(shown(&name) * 2 <= characters);
            let last4 = masked(Mask::Last4, &text);
            prop_assert_eq!(last4.chars().count(), if characters < 8 { 4 } else { 8 });
            prop_assert!(shown(&last4) * 2 <= characters);
        }

        #[test]
        fn a_masked_phone_has_one_of_three_lengths(text in "[0-9 ()+.-]{1,30}") {
            let digits = text.chars().filter(char::is_ascii_digit).count();
            let expected = match digits { 0..=3 => 0, 4..=10 => 2, _ => 7 };
            prop_assert_eq!(shown(&masked(Mask::Phone, &text)), expected);
            prop_assert_eq!(masked(Mask::Phone, &text).len(), 4 + expected);
        }
    }
}
