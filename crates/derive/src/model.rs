//! A struct and the policy it is checked against: which field of the one is which of the other.

use std::collections::BTreeMap;

use consignee_policy::{Access, Field, Part, Policy};
use proc_macro2::Span;
use syn::{Attribute, DeriveInput, Error, Expr, Ident, LitStr, Path, Result, Type, Visibility};

use crate::{
    attr::{OfField, OfStruct},
    fault::Faults,
    names,
    shape::{self, Nested},
    source::Source,
};

pub(crate) struct Model<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) vis: &'a Visibility,
    pub(crate) source: Source,
    /// Where a nested struct stands, with a dot; empty for a whole record.
    pub(crate) prefix: String,
    pub(crate) members: Vec<Member<'a>>,
    pub(crate) view_derive: Vec<Path>,
}

/// A field of the struct.
pub(crate) struct Member<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) ty: &'a Type,
    pub(crate) docs: Vec<&'a Attribute>,
    pub(crate) kind: Kind<'a>,
}

/// What it stands for.
pub(crate) enum Kind<'a> {
    /// A field of the policy.
    Field(Field),
    /// All fields of the policy whose names begin so; with a dot.
    Nested(String, Nested<'a>),
    /// Fields that the struct does not declare.
    More,
    /// Nothing.
    Skip,
}

impl<'a> Model<'a> {
    pub(crate) fn read(input: &'a DeriveInput) -> Result<Self> {
        let fields = shape::named_fields(input, "Record")?;
        let mut faults = Faults::default();
        let OfStruct { policy, within, view_derive } = OfStruct::record(&input.attrs, &mut faults);
        let fields: Vec<_> = fields
            .into_iter()
            .map(|(ident, field)| (ident, field, OfField::record(&field.attrs, &mut faults)))
            .collect();
        let source = match Source::read(policy.as_ref()) {
            Ok(source) => source,
            Err(error) => return Err(faults.and(error)),
        };
        let prefix = within.as_ref().map_or_else(String::new, |within| format!("{}.", within.value()));
        if let Some(within) = &within
            && !has_within(&source.policy, &prefix)
        {
            let error = Error::new(within.span(), nothing_within(&source, &within.value()));
            return Err(faults.and(error));
        }
        let mut reader = Reader { source: &source, prefix: &prefix, faults };
        let members = fields.into_iter().filter_map(|(ident, field, attr)| {
            let kind = reader.kind(ident, &field.ty, attr?)?;
            let docs = field.attrs.iter().filter(|attr| is_text_of_doc(attr)).collect();
            Some(Member { ident, ty: &field.ty, docs, kind })
        });
        let members: Vec<Member<'a>> = members.collect();
        reader.check(&input.ident, &members);
        reader.faults.finish(())?;
        Ok(Self { ident: &input.ident, vis: &input.vis, source, prefix, members, view_derive })
    }

    /// The parts of the policy that belong to this struct, or to what is nested in it.
    pub(crate) fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        self.source.policy.parts().filter(|part| part.name.starts_with(&self.prefix))
    }

    pub(crate) fn takes_more(&self) -> bool {
        self.members.iter().any(|member| matches!(member.kind, Kind::More))
    }

    /// The tables that open any part of this struct, each with the end of its view's name.
    pub(crate) fn tables(&self) -> impl Iterator<Item = (&Access, String)> {
        let policy = &self.source.policy;
        let opening =
            policy.accesses().iter().filter(|access| self.parts().any(|part| access.opens(part.id)));
        opening.map(|access| {
            let mut suffix = names::camel(&access.role);
            if policy.purposes(&access.role).nth(1).is_some() {
                suffix += &names::camel(&access.purpose);
            }
            (access, suffix)
        })
    }
}

fn has_within(policy: &Policy, prefix: &str) -> bool {
    policy.fields().iter().any(|field| field.name.starts_with(prefix))
}

fn nothing_within(source: &Source, name: &str) -> String {
    format!("{} has no fields within `{name}`: none is named `{name}.…`", source.called)
}

/// Whether it is `///`, or `#[doc = "…"]`: `#[doc(hidden)]` and the like say nothing of a view's field.
fn is_text_of_doc(attr: &Attribute) -> bool {
    attr.path().is_ident("doc")
        && attr.meta.require_name_value().is_ok_and(|doc| matches!(doc.value, Expr::Lit(_) | Expr::Macro(_)))
}

struct Reader<'s> {
    source: &'s Source,
    prefix: &'s str,
    faults: Faults,
}

impl Reader<'_> {
    fn kind<'a>(&mut self, ident: &Ident, ty: &'a Type, attr: OfField) -> Option<Kind<'a>> {
        if attr.skip.is_some() {
            return Some(Kind::Skip);
        }
        if let Some(more) = attr.more {
            if !self.prefix.is_empty() {
                self.faults
                    .add(more, "`more` is for the whole record: it keeps what no struct in it declares");
            }
            return Some(Kind::More);
        }
        let (own, at) = match &attr.name {
            Some(name) => (name.value(), name.span()),
            None => (names::plain(ident), ident.span()),
        };
        let name = format!("{}{own}", self.prefix);
        if attr.nested.is_some() {
            let within = format!("{name}.");
            if !has_within(&self.source.policy, &within) {
                self.faults.add(at, nothing_within(self.source, &name));
                return None;
            }
            let nested = self.faults.take(Nested::of(ty))?;
            return Some(Kind::Nested(within, nested));
        }
        match self.source.policy.field(&name) {
            Some(field) => Some(Kind::Field(field.clone())),
            None => {
                let message = self.unknown(&name, attr.name.as_ref());
                self.faults.add(at, message);
                None
            }
        }
    }

    fn unknown(&self, name: &str, renamed: Option<&LitStr>) -> String {
        let Source { policy, called, .. } = self.source;
        let mut message = format!("{called} has no field `{name}`");
        if has_within(policy, &format!("{name}.")) {
            return message + ", but fields within it: mark this one #[record(nested)]";
        }
        let own = name.strip_prefix(self.prefix).unwrap_or(name);
        let known = policy.fields().iter().filter_map(|field| field.name.strip_prefix(self.prefix));
        let near = names::near(own, known);
        if !near.is_empty() {
            message += &format!("; is {} meant?", names::listed(&near, "or"));
        }
        let declared =
            if name.contains('.') { format!("[field.\"{name}\"]") } else { format!("[field.{name}]") };
        message += &format!("\ndeclare it there as {declared}");
        message += match renamed {
            Some(_) => ", or correct the name",
            None => {
                ", give its name there with #[record(name = \"…\")], or leave it out with #[record(skip)]"
            }
        };
        message
    }

    /// What concerns more than one field.
    fn check(&mut self, ident: &Ident, members: &[Member<'_>]) {
        let mut fields: BTreeMap<&str, Span> = BTreeMap::new();
        let mut more = false;
        for member in members {
            let at = member.ident.span();
            match &member.kind {
                Kind::Field(field) => {
                    if fields.insert(&field.name, at).is_some() {
                        self.faults
                            .add(at, format!("two fields are `{}` of the policy: rename one", field.name));
                    }
                }
                Kind::Nested(prefix, _) => {
                    let twice = fields.insert(prefix, at).is_some();
                    let stands_in = |other: &Member<'_>| match &other.kind {
                        Kind::Field(field) => field.name.starts_with(prefix.as_str()),
                        Kind::Nested(inner, _) => inner != prefix && inner.starts_with(prefix.as_str()),
                        Kind::More | Kind::Skip => false,
                    };
                    if twice {
                        let name = prefix.trim_end_matches('.');
                        self.faults.add(at, format!("two fields are nested as `{name}`: keep one"));
                    }
                    for inside in members.iter().filter(|other| stands_in(other)) {
                        let message = format!(
                            "what the policy names `{prefix}…` stands in the nested `{}`: declare this there",
                            member.ident
                        );
                        self.faults.add(inside.ident.span(), message);
                    }
                }
                Kind::More if std::mem::replace(&mut more, true) => {
                    self.faults.add(at, "two fields are `more`: keep one");
                }
                Kind::More | Kind::Skip => {}
            }
        }
        // A field that was left out for a mistake of its own may be the one that is missed.
        if !self.faults.is_empty() {
            return;
        }
        if self.prefix.is_empty() && !fields.contains_key("order_no") {
            self.faults.add(ident.span(), NO_ORDER_NO);
        } else if fields.is_empty() {
            self.faults.add(ident.span(), "this has no field of the policy");
        }
    }
}

const NO_ORDER_NO: &str = "a record has a field `order_no`, by which the order is known: add order_no: String, or rename a \
                           field with #[record(name = \"order_no\")]; a struct that stands within another says where: \
                           #[record(within = \"…\")]";
