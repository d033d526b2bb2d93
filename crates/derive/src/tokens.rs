//! Pieces of generated code.

use consignee_policy::{FieldType, Part};
use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::Ident;

/// How a field is taken out of an opened order.
pub(crate) enum Take<'m> {
    /// One part, as a Rust type.
    Part { part: Part<'m>, ty: TokenStream },
    /// Whatever a nested type takes.
    Nested { ty: TokenStream },
}

impl<'m> Take<'m> {
    pub(crate) fn part(part: Part<'m>, ty: TokenStream) -> Self {
        Self::Part { part, ty }
    }

    /// The expression, with the variable `view`.
    fn value(&self) -> TokenStream {
        match self {
            // The bound is named by a path and not by a generic call, so that a type that does not fit is one message, not three.
            Self::Part { part, ty } => {
                let (compiled, marker) = (compiled_part(part), marker(part.ty));
                quote! {
                    ::consignee::derived::take(
                        view,
                        &#compiled,
                        <#ty as ::consignee::FieldOf<::consignee::types::#marker>>::from_value,
                    )?
                }
            }
            Self::Nested { ty } => quote! { <#ty as ::consignee::FromView>::from_view(view)? },
        }
    }
}

/// `impl FromView`: fields in the order in which they are taken, then what else the struct is made of.
pub(crate) fn from_view<'m>(
    ident: &Ident,
    fields: &[(&Ident, &Take<'m>)],
    rest: &TokenStream,
    takes_more: bool,
) -> TokenStream {
    let filler = quote! { ::consignee::CompiledPart::new(0, "", ::consignee::policy::FieldType::Text) };
    let parts = joined(fields.iter().map(|(_, take)| match take {
        Take::Part { part, .. } => Piece::Own(compiled_part(part)),
        Take::Nested { ty } => Piece::Nested(quote! { <#ty as ::consignee::FromView>::PARTS }),
    }));
    let parts = parts.tokens(&quote! { ::consignee::CompiledPart }, &filler);
    let more = takes_more.then(|| quote! { const TAKES_MORE: bool = true; });
    let values = fields.iter().map(|(ident, take)| {
        let value = take.value();
        quote! { #ident: #value, }
    });
    quote! {
        #[automatically_derived]
        impl ::consignee::FromView for #ident {
            const PARTS: &'static [::consignee::CompiledPart] = #parts;
            #more

            fn from_view(view: &mut ::consignee::View) -> ::consignee::Result<Self> {
                ::core::result::Result::Ok(Self { #(#values)* #rest })
            }
        }
    }
}

/// A piece of a constant array.
pub(crate) enum Piece {
    /// One element.
    Own(TokenStream),
    /// The array of a nested type.
    Nested(TokenStream),
}

pub(crate) struct Joined(Vec<Vec<TokenStream>>, Vec<TokenStream>);

/// Runs of own elements, and the arrays of nested types between them.
pub(crate) fn joined(pieces: impl Iterator<Item = Piece>) -> Joined {
    let mut joined = Joined(vec![Vec::new()], Vec::new());
    for piece in pieces {
        match piece {
            Piece::Own(element) => joined.0.last_mut().into_iter().for_each(|run| run.push(element.clone())),
            Piece::Nested(array) => {
                joined.1.push(array);
                joined.0.push(Vec::new());
            }
        }
    }
    joined
}

impl Joined {
    pub(crate) fn tokens(&self, ty: &TokenStream, filler: &TokenStream) -> TokenStream {
        let Self(runs, nested) = self;
        let (first, others) = (runs.iter().take(1), runs.iter().skip(1));
        let first = first.map(|run| quote! { &[#(#run),*] });
        if nested.is_empty() {
            return quote! { #(#first)* };
        }
        let others = others.map(|run| quote! { &[#(#run),*] });
        quote! {{
            const PIECES: &[&[#ty]] = &[#(#first,)* #(#nested, #others),*];
            const ALL: [#ty; ::consignee::derived::total(PIECES)] = ::consignee::derived::concat(#filler, PIECES);
            &ALL
        }}
    }
}

pub(crate) fn compiled_part(part: &Part<'_>) -> TokenStream {
    let (number, name, ty) = (part.id.get(), part.name, field_type(part.ty));
    quote! { ::consignee::CompiledPart::new(#number, #name, #ty) }
}

pub(crate) fn field_type(ty: FieldType) -> TokenStream {
    let name = marker(ty);
    quote! { ::consignee::policy::FieldType::#name }
}

/// The name of a type of the policy in Rust: in `FieldType`, and in `consignee::types`.
pub(crate) fn marker(ty: FieldType) -> Ident {
    let name = match ty {
        FieldType::Text => "Text",
        FieldType::Bool => "Bool",
        FieldType::Integer => "Integer",
        FieldType::Money => "Money",
        FieldType::Timestamp => "Timestamp",
        FieldType::Address => "Address",
        FieldType::List => "List",
        FieldType::Bytes => "Bytes",
        FieldType::Json => "Json",
    };
    Ident::new(name, Span::call_site())
}

/// The Rust type for a field that the struct does not declare.
pub(crate) fn rust_type(ty: FieldType) -> TokenStream {
    match ty {
        FieldType::Text | FieldType::Json => quote! { ::std::string::String },
        FieldType::Bool => quote! { bool },
        FieldType::Integer => quote! { i64 },
        FieldType::Bytes => quote! { ::std::vec::Vec<u8> },
        FieldType::Money | FieldType::Timestamp | FieldType::Address | FieldType::List => {
            let name = marker(ty);
            quote! { ::consignee::#name }
        }
    }
}
