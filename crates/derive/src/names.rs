//! Names: of the policy as names of Rust, and those that were perhaps meant.

use proc_macro2::Span;
use syn::Ident;

/// `call_back` as `CallBack`.
pub(crate) fn camel(name: &str) -> String {
    name.split('_')
        .flat_map(|word| {
            let mut chars = word.chars();
            chars.next().into_iter().flat_map(char::to_uppercase).chain(chars)
        })
        .collect()
}

/// The identifier of what the policy names so: `.` and `:` become `_`, a keyword becomes a raw identifier.
pub(crate) fn ident(name: &str, span: Span) -> Ident {
    let name = name.replace(['.', ':'], "_");
    if let Ok(mut ident) = syn::parse_str::<Ident>(&name) {
        ident.set_span(span);
        return ident;
    }
    match name.as_str() {
        "self" | "super" | "crate" => Ident::new(&format!("{name}_"), span),
        _ => Ident::new_raw(&name, span),
    }
}

/// An identifier without `r#`.
pub(crate) fn plain(ident: &Ident) -> String {
    let name = ident.to_string();
    name.strip_prefix("r#").map_or(name.clone(), str::to_owned)
}

/// Those of the known names that may have been meant, nearest first; at most three.
pub(crate) fn near<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let most = (name.chars().count() / 3).max(1);
    let mut near: Vec<_> = known.map(|known| (distance(name, known), known)).collect();
    near.retain(|(distance, _)| *distance <= most);
    near.sort();
    near.into_iter().take(3).map(|(_, known)| known).collect()
}

/// Levenshtein's distance: characters to insert, remove or replace.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, c) in a.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, d) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(c != *d);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

/// Names for a message: `a`, `b` and `c`.
pub(crate) fn listed(names: &[&str], word: &str) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} {word} {last}", others.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_policy_as_names_of_rust() {
        for (name, expected) in
            [("courier", "Courier"), ("call_back", "CallBack"), ("a__b2_", "AB2"), ("x_1", "X1")]
        {
            assert_eq!(camel(name), expected);
        }
        for (name, expected) in [
            ("extra.gift", "extra_gift"),
            ("consignee.phone:masked", "consignee_phone_masked"),
            ("type", "r#type"),
            ("self", "self_"),
            ("a.b.c", "a_b_c"),
        ] {
            assert_eq!(ident(name, Span::call_site()).to_string(), expected);
        }
    }

    #[test]
    fn near_names_are_few_and_near() {
        let known = ["phone", "name", "address", "phones"];
        assert_eq!(near("phonne", known.into_iter()), ["phone", "phones"]);
        assert_eq!(near("adress", known.into_iter()), ["address"]);
        assert!(near("quantity", known.into_iter()).is_empty());
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    #[test]
    fn lists_read_as_a_sentence() {
        assert_eq!(listed(&["a"], "or"), "`a`");
        assert_eq!(listed(&["a", "b", "c"], "or"), "`a`, `b` or `c`");
    }
}
