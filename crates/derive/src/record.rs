//! `#[derive(Record)]`.

use std::collections::BTreeMap;

use consignee_policy::FieldType;
use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::{DeriveInput, Ident, Result, spanned::Spanned};

use crate::{
    model::{Kind, Member, Model},
    shape,
    tokens::{self, Piece, Take},
    view::{self, View},
};

pub(crate) fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let model = Model::read(input)?;
    let views = view::all(&model)?;
    let tracked = &model.source.tracked;
    let (record, whole) = (record(&model), whole(&model));
    let assertions = [lines(&model), nested(&model, &views)];
    let views = views.iter().map(|view| {
        let declared = view.declare(&model);
        let (ident, role, purpose) = (&view.ident, &view.access.role, &view.access.purpose);
        let fields: Vec<_> = view.fields.iter().map(|field| (&field.ident, &field.take)).collect();
        let from_view = tokens::from_view(ident, &fields, &TokenStream::new(), false);
        quote! {
            #declared
            #from_view

            #[automatically_derived]
            impl ::consignee::RoleView for #ident {
                const ROLE: &'static str = #role;
                const PURPOSE: &'static str = #purpose;
            }
        }
    });
    Ok(quote! { #tracked #record #whole #(#views)* #(#assertions)* })
}

/// `impl Record`.
fn record(model: &Model<'_>) -> TokenStream {
    let ident = model.ident;
    let sealed = || model.members.iter().filter(|m| matches!(m.kind, Kind::Field(_) | Kind::Nested(..)));
    let pieces = tokens::joined(sealed().map(|Member { ty, kind, .. }| match kind {
        Kind::Field(field) => {
            let (name, ty) = (&field.name, tokens::field_type(field.ty));
            Piece::Own(quote! { ::consignee::RecordField::new(#name, #ty) })
        }
        _ => Piece::Nested(quote! { <#ty as ::consignee::Record>::FIELDS }),
    }));
    let filler = quote! { ::consignee::RecordField::new("", ::consignee::policy::FieldType::Text) };
    let fields = pieces.tokens(&quote! { ::consignee::RecordField }, &filler);

    // Where each stands in FIELDS: constants, so that the match stays one on numbers.
    let (mut starts, mut arms) = (Vec::new(), Vec::new());
    let mut next = quote! { 0 };
    for (number, Member { ident, ty, kind, .. }) in sealed().enumerate() {
        let start = format_ident!("START_{number}");
        starts.push(quote! { const #start: usize = #next; });
        match kind {
            Kind::Field(field) => {
                let marker = tokens::marker(field.ty);
                arms.push(quote! {
                    #start => <#ty as ::consignee::FieldOf<::consignee::types::#marker>>::to_value(&self.#ident),
                });
                next = quote! { #start + 1 };
            }
            _ => {
                let end = format_ident!("END_{number}");
                starts.push(quote! {
                    const #end: usize = #start + <#ty as ::consignee::Record>::FIELDS.len();
                });
                arms.push(quote! {
                    #start..#end => <#ty as ::consignee::Record>::field(&self.#ident, index - #start),
                });
                next = quote! { #end };
            }
        }
    }
    let more = model.members.iter().find(|member| matches!(member.kind, Kind::More)).map(|member| {
        let (name, ty) = (member.ident, member.ty);
        quote! {
            fn more(&self) -> ::core::option::Option<&::consignee::Fields> {
                ::core::option::Option::Some(<#ty as ::consignee::derived::More>::fields(&self.#name))
            }
        }
    });
    quote! {
        #[automatically_derived]
        impl ::consignee::Record for #ident {
            const FIELDS: &'static [::consignee::RecordField] = #fields;

            #[inline]
            fn field(&self, index: usize) -> ::core::option::Option<::consignee::ValueRef<'_>> {
                #(#starts)*
                match index {
                    #(#arms)*
                    _ => ::core::option::Option::None,
                }
            }

            #more
        }
    }
}

/// `impl FromView` of the struct itself.
fn whole(model: &Model<'_>) -> TokenStream {
    let (mut fields, mut rest): (Vec<(&Ident, Take<'_>)>, _) = (Vec::new(), TokenStream::new());
    let mut more = TokenStream::new();
    for Member { ident, ty, kind, .. } in &model.members {
        match kind {
            Kind::Field(field) => {
                let part = model.source.policy.part(field.id);
                fields.extend(part.map(|part| (*ident, Take::part(part, quote! { #ty }))));
            }
            Kind::Nested(..) => fields.push((*ident, Take::Nested { ty: quote! { #ty } })),
            // Last: it takes all that is left.
            Kind::More => {
                more = quote! { #ident: <#ty as ::consignee::derived::More>::from_fields(view.take_more()), };
            }
            Kind::Skip => rest.extend(shape::default(ident, ty)),
        }
    }
    let fields: Vec<_> = fields.iter().map(|(ident, take)| (*ident, take)).collect();
    tokens::from_view(model.ident, &fields, &quote! { #rest #more }, model.takes_more())
}

/// Rows must have the column by which the policy tells a party's own lines: without it every party would see none.
fn lines(model: &Model<'_>) -> TokenStream {
    let mut rules: BTreeMap<(u16, &str), Vec<&str>> = BTreeMap::new();
    for access in model.source.policy.accesses() {
        for (list, property) in &access.lines {
            rules.entry((list.get(), property)).or_default().push(&access.role);
        }
    }
    let assertions = rules.into_iter().filter_map(|((list, property), roles)| {
        let of = |member: &&Member<'_>| matches!(&member.kind, Kind::Field(field) if field.id.get() == list);
        let Member { ident, ty, .. } = model.members.iter().find(of)?;
        let marker = tokens::marker(FieldType::List);
        let message = format!(
            "the policy shows role {} the lines of `{ident}` whose `{property}` is its own, and these rows have no column \
             `{property}`: no line would be shown",
            roles.first()?
        );
        Some(quote_spanned! { ty.span() =>
            const _: () = ::core::assert!(
                ::consignee::derived::has_column(
                    <#ty as ::consignee::FieldOf<::consignee::types::#marker>>::COLUMNS,
                    #property,
                ),
                #message
            );
        })
    });
    quote! { #(#assertions)* }
}

/// A nested struct has its own attributes: they must say the same policy and the same place as this struct does.
fn nested(model: &Model<'_>, views: &[View<'_>]) -> TokenStream {
    let assertions = model.members.iter().filter_map(|Member { ident, ty, kind, .. }| {
        let Kind::Nested(prefix, _) = kind else { return None };
        let known = |opened: &dyn Fn(consignee_policy::PartId) -> bool| {
            let parts = model.parts().filter(|part| part.name.starts_with(prefix) && opened(part.id));
            let parts = parts.map(|part| tokens::compiled_part(&part));
            quote! { &[#(#parts),*] }
        };
        let whole = known(&|_| true);
        let views = views.iter().filter_map(|view| {
            let field = view.fields.iter().find(|field| field.ident == **ident)?;
            let (ty, known) = (&field.ty, known(&|part| view.access.opens(part)));
            Some(quote! { && ::consignee::derived::are_among(<#ty as ::consignee::FromView>::PARTS, #known) })
        });
        let place = prefix.trim_end_matches('.');
        let message = format!(
            "this is not what {} has within `{place}`: both structs must name the same policy, and the nested one \
             #[record(within = \"{place}\")]",
            model.source.called
        );
        Some(quote_spanned! { ty.span() =>
            const _: () = ::core::assert!(
                ::consignee::derived::are_among(<#ty as ::consignee::FromView>::PARTS, #whole) #(#views)*,
                #message
            );
        })
    });
    quote! { #(#assertions)* }
}
