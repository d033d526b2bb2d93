//! The sealed record: its bytes (`docs/format.md`, section 3), sealing and opening. No store, no clock, no policy decisions.

mod format;
mod inspect;
mod open;
mod seal;

#[cfg(test)]
mod half_tests;
#[cfg(test)]
mod scope_tests;

pub(crate) use format::{Record, policy_id};
pub use inspect::{Inspection, inspect};
pub(crate) use open::{Plaintext, check_directory, check_order_no, open, open_to_seal};
pub(crate) use seal::{Content, Place, Workspace, no_randomness, seal};

/// Most parts a record has.
pub(crate) const MAX_PARTS: usize = 96;
/// Most bytes a sealed record has.
pub(crate) const MAX_RECORD: usize = 16 << 20;
