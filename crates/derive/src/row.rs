//! `#[derive(Row)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Ident, Result, Type};

use crate::{
    attr::{self, OfField},
    fault::Faults,
    names, shape,
};

/// Most columns of a list, and the longest name of one: limits of the format.
const MOST_COLUMNS: usize = 64;
const LONGEST_NAME: usize = 255;

struct Column {
    ident: Ident,
    ty: Type,
    name: String,
}

pub(crate) fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let fields = shape::named_fields(input, "Row")?;
    let mut faults = Faults::default();
    attr::none_of_struct(&input.attrs, &mut faults);
    let (mut columns, mut skipped): (Vec<Column>, Vec<(&Ident, &Type)>) = (Vec::new(), Vec::new());
    for (ident, field) in fields {
        let Some(OfField { name, skip, .. }) = OfField::row(&field.attrs, &mut faults) else { continue };
        if skip.is_some() {
            skipped.push((ident, &field.ty));
            continue;
        }
        let at = name.as_ref().map_or(ident.span(), syn::LitStr::span);
        let name = name.map_or_else(|| names::plain(ident), |name| name.value());
        if name.is_empty() || name.len() > LONGEST_NAME {
            faults.add(at, format!("the name of a column has 1 to {LONGEST_NAME} bytes"));
        }
        if columns.iter().any(|known| known.name == name) {
            faults.add(at, format!("two columns have the name `{name}`: rename one"));
        }
        columns.push(Column { ident: ident.clone(), ty: field.ty.clone(), name });
    }
    if columns.is_empty() && faults.is_empty() || columns.len() > MOST_COLUMNS {
        faults.add(input.ident.span(), format!("a row has 1 to {MOST_COLUMNS} columns"));
    }
    faults.finish(())?;
    Ok(expand(&input.ident, &columns, &skipped))
}

fn expand(row: &Ident, columns: &[Column], skipped: &[(&Ident, &Type)]) -> TokenStream {
    let names = columns.iter().map(|column| &column.name);
    let cells = columns.iter().enumerate().map(|(at, Column { ident, ty, .. })| {
        quote! { #at => <#ty as ::consignee::CellOf>::to_cell(&self.#ident), }
    });
    let taken = columns.iter().map(|Column { ident, ty, name }| {
        quote! { #ident: ::consignee::derived::cell(cells, #name, <#ty as ::consignee::CellOf>::from_cell)?, }
    });
    let skipped = skipped.iter().map(|(ident, ty)| shape::default(ident, ty));
    quote! {
        #[automatically_derived]
        impl ::consignee::Row for #row {
            const COLUMNS: &'static [&'static str] = &[#(#names),*];

            #[inline]
            fn cell(&self, column: usize) -> ::consignee::CellRef<'_> {
                match column {
                    #(#cells)*
                    _ => ::consignee::CellRef::Absent,
                }
            }

            fn from_cells(cells: &mut ::consignee::Cells<'_>) -> ::consignee::Result<Self> {
                ::core::result::Result::Ok(Self { #(#taken)* #(#skipped)* })
            }
        }
    }
}
