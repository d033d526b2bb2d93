//! The policy that a struct is checked against, and where it is from.

use std::{fs, io::ErrorKind, path::Path};

use consignee_policy::Policy;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, LitStr, Result};

/// Most mistakes of a policy that one message names.
const MOST_MISTAKES: usize = 20;

pub(crate) struct Source {
    pub(crate) policy: Policy,
    /// As docs and messages call it.
    pub(crate) called: String,
    /// Makes the compiler read the file too, so that a change of it is a change of the program.
    pub(crate) tracked: TokenStream,
}

impl Source {
    pub(crate) fn read(file: Option<&LitStr>) -> Result<Self> {
        let Some(file) = file else {
            let called = "the built-in policy".to_owned();
            return Ok(Self { policy: Policy::built_in(), called, tracked: TokenStream::new() });
        };
        let name = file.value();
        let folder = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
        let text = fs::read_to_string(Path::new(&folder).join(&name)).map_err(|e| {
            let why = match e.kind() {
                ErrorKind::NotFound => "is not there".to_owned(),
                ErrorKind::InvalidData => "is not text in UTF-8".to_owned(),
                _ => format!("cannot be read: {e}"),
            };
            let message = format!(
                "the policy `{name}` {why} (its path begins at the folder of this crate's Cargo.toml)"
            );
            Error::new(file.span(), message)
        })?;
        let policy = Policy::parse(&text).map_err(|mistakes| {
            let mistakes = mistakes.as_slice();
            let mut message = format!("the policy `{name}` has mistakes:");
            for mistake in mistakes.iter().take(MOST_MISTAKES) {
                message += &format!("\n{name}:{}:{}: {}", mistake.line, mistake.column, mistake.message);
            }
            if let Some(left @ 1..) = mistakes.len().checked_sub(MOST_MISTAKES) {
                message += &format!("\nand {left} more");
            }
            Error::new(file.span(), message)
        })?;
        let path = if Path::new(&name).is_absolute() {
            quote! { #name }
        } else {
            quote! { ::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), "/", #name) }
        };
        let tracked = quote! { const _: &[u8] = ::core::include_bytes!(#path); };
        Ok(Self { policy, called: format!("`{name}`"), tracked })
    }
}
