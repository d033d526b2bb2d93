//! Own record types for `consignee`.

mod attr;
mod fault;
mod model;
mod names;
mod record;
mod row;
mod shape;
mod source;
mod tokens;
mod view;

use proc_macro::TokenStream;
use syn::{DeriveInput, Error, parse_macro_input};

/// Derives.
#[proc_macro_derive(Record, attributes(record))]
pub fn record(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    record::derive(&input).unwrap_or_else(Error::into_compile_error).into()
}

/// Derives.
#[proc_macro_derive(Row, attributes(row))]
pub fn row(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    row::derive(&input).unwrap_or_else(Error::into_compile_error).into()
}
