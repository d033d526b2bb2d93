//! `keys`: what becomes of a vault's keys.

mod root;

pub(crate) use root::change_root;
