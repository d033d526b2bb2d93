//! What stands in `#[record(…)]` and `#[row(…)]`.

use proc_macro2::Span;
use syn::{
    Attribute, Error, LitStr, Path, Result, Token, meta::ParseNestedMeta, punctuated::Punctuated,
    spanned::Spanned,
};

use crate::fault::Faults;

/// Of a struct.
#[derive(Default)]
pub(crate) struct OfStruct {
    pub(crate) policy: Option<LitStr>,
    pub(crate) within: Option<LitStr>,
    pub(crate) view_derive: Vec<Path>,
}

/// Of a field.
#[derive(Default)]
pub(crate) struct OfField {
    pub(crate) name: Option<LitStr>,
    pub(crate) nested: Option<Span>,
    pub(crate) more: Option<Span>,
    pub(crate) skip: Option<Span>,
}

impl OfStruct {
    pub(crate) fn record(attrs: &[Attribute], faults: &mut Faults) -> Self {
        let mut found = Self::default();
        each(attrs, "record", faults, |meta| {
            if meta.path.is_ident("policy") {
                text(&mut found.policy, &meta)
            } else if meta.path.is_ident("within") {
                text(&mut found.within, &meta)
            } else if meta.path.is_ident("view_derive") {
                let list;
                syn::parenthesized!(list in meta.input);
                let paths = Punctuated::<Path, Token![,]>::parse_terminated(&list)?;
                found.view_derive.extend(paths);
                Ok(())
            } else {
                Err(unknown(
                    &meta,
                    "a struct has policy = \"FILE\", within = \"NAME\" and view_derive(TRAIT, …)",
                ))
            }
        });
        for path in &found.view_derive {
            if path.segments.last().is_some_and(|last| last.ident == "Debug") {
                faults.add(
                    path.span(),
                    "views have a Debug already; it prints no content, so that no log does",
                );
            }
        }
        found
    }
}

impl OfField {
    /// None where there is a mistake: what the field is meant to be is not known.
    pub(crate) fn record(attrs: &[Attribute], faults: &mut Faults) -> Option<Self> {
        let mut found = Self::default();
        let read = each(attrs, "record", faults, |meta| {
            if meta.path.is_ident("name") {
                text(&mut found.name, &meta)
            } else if meta.path.is_ident("nested") {
                word(&mut found.nested, &meta)
            } else if meta.path.is_ident("more") {
                word(&mut found.more, &meta)
            } else if meta.path.is_ident("skip") {
                word(&mut found.skip, &meta)
            } else {
                Err(unknown(&meta, "a field has name = \"NAME\", nested, more and skip"))
            }
        });
        let words = [found.skip, found.more, found.nested, found.name.as_ref().map(Spanned::span)];
        // Only a nested field has a name beside it.
        let alone = words[..if found.nested.is_some() { 3 } else { 4 }].iter().flatten();
        if let Some(second) = alone.copied().nth(1) {
            faults.add(second, "`skip`, `more` and the others exclude each other: keep one");
            return None;
        }
        read.then_some(found)
    }

    /// None where there is a mistake.
    pub(crate) fn row(attrs: &[Attribute], faults: &mut Faults) -> Option<Self> {
        let mut found = Self::default();
        let read = each(attrs, "row", faults, |meta| {
            if meta.path.is_ident("name") {
                text(&mut found.name, &meta)
            } else if meta.path.is_ident("skip") {
                word(&mut found.skip, &meta)
            } else {
                Err(unknown(&meta, "a field of a row has name = \"NAME\" and skip"))
            }
        });
        if let (Some(_), Some(name)) = (found.skip, &found.name) {
            faults.add(name.span(), "a field that is skipped has no name: keep one of the two");
            return None;
        }
        read.then_some(found)
    }
}

/// `#[row(…)]` of a struct: there is none.
pub(crate) fn none_of_struct(attrs: &[Attribute], faults: &mut Faults) {
    each(attrs, "row", faults, |meta| Err(unknown(&meta, "a struct that is a row has none")));
}

/// Whether all could be read.
fn each(
    attrs: &[Attribute],
    name: &str,
    faults: &mut Faults,
    mut logic: impl FnMut(ParseNestedMeta) -> Result<()>,
) -> bool {
    let mut read = true;
    for attr in attrs.iter().filter(|attr| attr.path().is_ident(name)) {
        read &= faults.take(attr.parse_nested_meta(&mut logic)).is_some();
    }
    read
}

fn text(slot: &mut Option<LitStr>, meta: &ParseNestedMeta) -> Result<()> {
    let value = meta.value()?.parse()?;
    once(slot, value, meta)
}

fn word(slot: &mut Option<Span>, meta: &ParseNestedMeta) -> Result<()> {
    once(slot, meta.path.span(), meta)
}

fn once<T>(slot: &mut Option<T>, value: T, meta: &ParseNestedMeta) -> Result<()> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(meta.error("stands twice: keep one")),
    }
}

fn unknown(meta: &ParseNestedMeta, known: &str) -> Error {
    let key = meta.path.get_ident().map_or_else(|| "this".to_owned(), |ident| format!("`{ident}`"));
    meta.error(format!("unknown key {key}: {known}"))
}
