//! The shape of what is derived for, and of the types in it.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{
    Data, DeriveInput, Error, Field, Fields, GenericArgument, Ident, PathArguments, Result, Type, TypePath,
    spanned::Spanned,
};

/// The named fields of a struct without parameters.
pub(crate) fn named_fields<'a>(input: &'a DeriveInput, derive: &str) -> Result<Vec<(&'a Ident, &'a Field)>> {
    let wrong = |what: &str| {
        let message = format!("#[derive({derive})] is for structs with named fields, not for {what}");
        Err(Error::new(input.ident.span(), message))
    };
    let data = match &input.data {
        Data::Struct(data) => data,
        Data::Enum(_) => return wrong("enums"),
        _ => return wrong("unions"),
    };
    if !input.generics.params.is_empty() {
        let message =
            format!("#[derive({derive})] is for structs without type, lifetime or const parameters");
        return Err(Error::new(input.generics.params.span(), message));
    }
    match &data.fields {
        Fields::Named(fields) => {
            Ok(fields.named.iter().filter_map(|field| Some((field.ident.as_ref()?, field))).collect())
        }
        Fields::Unnamed(_) => wrong("tuple structs"),
        Fields::Unit => wrong("unit structs"),
    }
}

/// What a skipped field is made from.
pub(crate) fn default(ident: &Ident, ty: &Type) -> TokenStream {
    quote! { #ident: <#ty as ::core::default::Default>::default(), }
}

/// The type of a nested struct, perhaps in an `Option`.
pub(crate) struct Nested<'a> {
    path: &'a TypePath,
    optional: bool,
}

impl<'a> Nested<'a> {
    pub(crate) fn of(ty: &'a Type) -> Result<Self> {
        let wrong = || {
            let message = "a nested field is a struct with #[derive(Record)] of its own, or an Option of one";
            Error::new(ty.span(), message)
        };
        let Type::Path(path) = ty else { return Err(wrong()) };
        let last = path.path.segments.last().ok_or_else(wrong)?;
        match &last.arguments {
            PathArguments::None => Ok(Self { path, optional: false }),
            PathArguments::AngleBracketed(arguments) if last.ident == "Option" => {
                match arguments.args.first() {
                    Some(GenericArgument::Type(Type::Path(path)))
                        if path.path.segments.last().is_some_and(|last| last.arguments.is_none()) =>
                    {
                        Ok(Self { path, optional: true })
                    }
                    _ => Err(wrong()),
                }
            }
            _ => Err(wrong()),
        }
    }

    /// `shop::Consignee` as `shop::ConsigneeForCourier`.
    pub(crate) fn view(&self, suffix: &str) -> TokenStream {
        let mut path = self.path.clone();
        if let Some(last) = path.path.segments.last_mut() {
            last.ident = format_ident!("{}For{suffix}", last.ident, span = last.ident.span());
        }
        if self.optional {
            quote! { ::core::option::Option<#path> }
        } else {
            quote! { #path }
        }
    }
}
