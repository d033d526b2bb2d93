//! The views of a struct: for each table of the policy that opens any of it, a type with what that table opens and no more.

use std::collections::BTreeMap;

use consignee_policy::{Access, Part};
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::{Attribute, Ident, Result};

use crate::{
    fault::Faults,
    model::{Kind, Member, Model},
    names,
    tokens::{self, Take},
};

/// The view of one role and purpose.
pub(crate) struct View<'m> {
    pub(crate) access: &'m Access,
    pub(crate) ident: Ident,
    pub(crate) fields: Vec<ViewField<'m>>,
}

/// A field of a view.
pub(crate) struct ViewField<'m> {
    pub(crate) ident: Ident,
    pub(crate) ty: TokenStream,
    docs: Docs<'m>,
    pub(crate) take: Take<'m>,
    /// What of the policy it is, for messages.
    name: String,
}

enum Docs<'m> {
    OfTheStruct(&'m [&'m Attribute]),
    Of(String),
}

/// All views of a struct.
pub(crate) fn all<'m>(model: &'m Model<'m>) -> Result<Vec<View<'m>>> {
    let mut faults = Faults::default();
    let mut named: BTreeMap<String, &Access> = BTreeMap::new();
    let mut views = Vec::new();
    for (access, suffix) in model.tables() {
        let ident = format_ident!("{}For{suffix}", model.ident, span = model.ident.span());
        if let Some(other) = named.insert(suffix.clone(), access) {
            let what = |access: &Access| format!("{} for {}", access.role, access.purpose);
            let message = format!(
                "the views of {} and of {} would both be called `{ident}`: rename a role or a purpose",
                what(other),
                what(access)
            );
            faults.add(model.ident.span(), message);
        }
        let fields = fields(model, access, &suffix);
        clashes(model, access, &fields, &mut faults);
        views.push(View { access, ident, fields });
    }
    faults.finish(views)
}

fn fields<'m>(model: &'m Model<'m>, access: &Access, suffix: &str) -> Vec<ViewField<'m>> {
    let opened: Vec<Part<'m>> = model.parts().filter(|part| access.opens(part.id)).collect();
    let mut fields = Vec::new();
    for member in &model.members {
        match &member.kind {
            Kind::Field(field) => {
                let parts = opened.iter().filter(|part| part.field.id == field.id);
                fields.extend(parts.map(|part| declared(member, *part)));
            }
            Kind::Nested(prefix, nested) if opened.iter().any(|part| part.name.starts_with(prefix)) => {
                let ty = nested.view(suffix);
                fields.push(ViewField {
                    ident: member.ident.clone(),
                    take: Take::Nested { ty: ty.clone() },
                    ty,
                    docs: docs(member, || {
                        format!("What it opens within `{}`.", prefix.trim_end_matches('.'))
                    }),
                    name: prefix.trim_end_matches('.').to_owned(),
                });
            }
            Kind::Nested(..) | Kind::More | Kind::Skip => {}
        }
    }
    let undeclared = opened.into_iter().filter(|part| !model.members.iter().any(|member| member.has(*part)));
    fields.extend(undeclared.map(|part| added(model, part)));
    fields
}

impl Member<'_> {
    fn has(&self, part: Part<'_>) -> bool {
        match &self.kind {
            Kind::Field(field) => field.id == part.field.id,
            Kind::Nested(prefix, _) => part.name.starts_with(prefix),
            Kind::More | Kind::Skip => false,
        }
    }
}

/// A part of a field that the struct declares.
fn declared<'m>(member: &'m Member<'m>, part: Part<'m>) -> ViewField<'m> {
    let name = part.name.to_owned();
    match part.facet {
        None => {
            let ty = member.ty;
            ViewField {
                ident: member.ident.clone(),
                ty: quote! { #ty },
                docs: docs(member, || format!("Field `{name}`.")),
                take: Take::part(part, quote! { #ty }),
                name,
            }
        }
        Some(facet) => {
            let of = format!("{}_{}", names::plain(member.ident), facet.name);
            optional(names::ident(&of, member.ident.span()), part)
        }
    }
}

/// A part that the policy opens and the struct does not declare.
fn added<'m>(model: &'m Model<'m>, part: Part<'m>) -> ViewField<'m> {
    let own = part.name.strip_prefix(&model.prefix).unwrap_or(part.name);
    optional(names::ident(own, Span::call_site()), part)
}

fn optional(ident: Ident, part: Part<'_>) -> ViewField<'_> {
    let ty = tokens::rust_type(part.ty);
    let ty = quote! { ::core::option::Option<#ty> };
    let docs = match part.facet {
        Some(facet) => {
            let Part { name, field, .. } = part;
            format!(
                "Facet `{name}`: of `{}`, what mask `{}` shows. None in an order put before the policy had it.",
                field.name,
                facet.mask.name()
            )
        }
        None => format!(
            "Field `{}`, which the struct does not declare. None where the order lacks it.",
            part.name
        ),
    };
    let name = part.name.to_owned();
    ViewField { ident, take: Take::part(part, ty.clone()), ty, docs: Docs::Of(docs), name }
}

fn docs<'m>(member: &'m Member<'m>, otherwise: impl FnOnce() -> String) -> Docs<'m> {
    if member.docs.is_empty() { Docs::Of(otherwise()) } else { Docs::OfTheStruct(&member.docs) }
}

/// Two fields of one view that would have one identifier.
fn clashes(model: &Model<'_>, access: &Access, fields: &[ViewField<'_>], faults: &mut Faults) {
    let mut named: BTreeMap<String, &ViewField<'_>> = BTreeMap::new();
    for field in fields {
        if let Some(other) = named.insert(field.ident.to_string(), field) {
            let declared = model.members.iter().find(|member| *member.ident == field.ident);
            let at = declared.map_or(model.ident.span(), |member| member.ident.span());
            let message = format!(
                "in the view of {} for {}, `{}` and `{}` would both be the field `{}`: rename a field of the struct, and say \
                 with #[record(name = \"…\")] what the policy calls it",
                access.role, access.purpose, other.name, field.name, field.ident
            );
            faults.add(at, message);
        }
    }
}

impl View<'_> {
    /// The type itself, without what it implements of ours.
    pub(crate) fn declare(&self, model: &Model<'_>) -> TokenStream {
        let Self { access, ident, fields } = self;
        let Model { vis, view_derive, .. } = model;
        let of = names::plain(model.ident);
        let called = &model.source.called;
        let doc = format!(
            "What role `{}` sees of [`{of}`] for purpose `{}`, by {called}.\n\nWhat it may not open is not there.",
            access.role, access.purpose
        );
        let fields = fields.iter().map(|ViewField { ident, ty, docs, .. }| {
            let docs = match docs {
                Docs::OfTheStruct(docs) => quote! { #(#docs)* },
                Docs::Of(text) => quote! { #[doc = #text] },
            };
            quote! { #docs pub #ident: #ty, }
        });
        let derives = (!view_derive.is_empty()).then(|| quote! { #[derive(#(#view_derive),*)] });
        let name = ident.to_string();
        quote! {
            #[doc = #doc]
            #derives
            #[allow(dead_code, private_interfaces, unreachable_pub)]
            #vis struct #ident { #(#fields)* }

            #[automatically_derived]
            impl ::core::fmt::Debug for #ident {
                fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    f.write_str(::core::concat!(#name, "(..)"))
                }
            }
        }
    }
}
