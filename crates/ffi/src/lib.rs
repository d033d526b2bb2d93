//! The C interface: [`include/consignee.h`](../include/consignee.h) is generated from this crate, `docs/ffi.md` has the rules.
//!
//! Every function is one call of [`boundary::call`], which takes panics and turns errors into a status. Objects live in one table
//! ([`handle`]): what C holds of them is no address, so that whatever it hands in is looked up and never dereferenced.

// The names of C.
#![allow(non_camel_case_types)]

mod boundary;
mod buffer;
mod fork;
mod handle;
#[cfg(test)]
mod header;
mod party;
mod results;
mod text;
#[cfg(feature = "vault")]
mod vault;

use std::ffi::{CStr, c_char};

use consignee::ErrorKind;

pub use boundary::{consignee_bytes, consignee_error, consignee_status};
pub use buffer::{consignee_buffer, consignee_buffer_bytes, consignee_buffer_free};
pub use fork::consignee_after_fork;
pub use party::*;
pub use results::*;
#[cfg(feature = "vault")]
pub use vault::*;

/// Version of this interface: the same number in header and library, or they do not fit. It changes when something is taken away
/// or means something else; new functions leave it.
pub const CONSIGNEE_ABI_VERSION: u32 = 1;

/// Done.
pub const CONSIGNEE_OK: u32 = 0;
/// The policy does not give this to the party.
pub const CONSIGNEE_NOT_PERMITTED: u32 = 100;
/// The time in which the purpose may open the order, or in which the bundle may be read, is over.
pub const CONSIGNEE_EXPIRED: u32 = 101;
/// The party has been revoked.
pub const CONSIGNEE_REVOKED: u32 = 102;
/// No such order, party, alias or file; or a vault that is not trusted.
pub const CONSIGNEE_NOT_FOUND: u32 = 103;
/// The order's secret has been destroyed.
pub const CONSIGNEE_SHREDDED: u32 = 104;
/// The order has no value for this part.
pub const CONSIGNEE_ABSENT: u32 = 105;
/// Somebody else changed the order in between.
pub const CONSIGNEE_CONFLICT: u32 = 106;
/// There is something else under this number or name already.
pub const CONSIGNEE_EXISTS: u32 = 107;
/// A wrong key or altered bytes: deliberately not told apart.
pub const CONSIGNEE_CANNOT_OPEN: u32 = 108;
/// Older than the newest that was seen.
pub const CONSIGNEE_ROLLED_BACK: u32 = 109;
/// Bytes that no version of this library wrote.
pub const CONSIGNEE_DAMAGED: u32 = 110;
/// Bytes of a later version of this library.
pub const CONSIGNEE_NEWER_FORMAT: u32 = 111;
/// The program was compiled against another policy than the one in force.
pub const CONSIGNEE_POLICY_MISMATCH: u32 = 112;
/// The root key is missing, wrong, or kept where it must not be.
pub const CONSIGNEE_ROOT_KEY: u32 = 113;
/// Others have been writing into the vault for ten seconds, in this process or another; or the vault was unlocked before a fork.
pub const CONSIGNEE_LOCKED: u32 = 114;
/// The store or the file system failed.
pub const CONSIGNEE_STORAGE: u32 = 115;
/// More than this library takes.
pub const CONSIGNEE_LIMIT: u32 = 116;
/// Input that does not follow its format: error.field names the argument or the field.
pub const CONSIGNEE_INPUT: u32 = 117;
/// An object that is NULL, has been freed, or is of another kind. Nothing was done.
pub const CONSIGNEE_BAD_HANDLE: u32 = 198;
/// A bug in this library. Free the objects of the call, and use them for nothing else.
pub const CONSIGNEE_PANIC: u32 = 199;

/// Longest input in bytes: what is longer is CONSIGNEE_LIMIT, before any of it is read.
pub const CONSIGNEE_MAX_INPUT: usize = 128 << 20;

/// Most texts of one call, such as orders that are opened: more are CONSIGNEE_LIMIT.
pub const CONSIGNEE_MAX_COUNT: usize = 65_536;

/// CONSIGNEE_ABI_VERSION of the library: compare it with that of the header before anything else, and before there are threads that
/// fork: it is the first call that tells the library of forks.
#[unsafe(no_mangle)]
pub extern "C" fn consignee_abi_version() -> u32 {
    fork::register();
    CONSIGNEE_ABI_VERSION
}

/// Version of the library, such as "0.1.0". Never freed.
#[unsafe(no_mangle)]
pub extern "C" fn consignee_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    VERSION.as_ptr().cast()
}

/// Name of a status in words, such as "not permitted"; "unknown" for numbers that this library does not give. Never freed.
#[unsafe(no_mangle)]
pub extern "C" fn consignee_status_name(status: consignee_status) -> *const c_char {
    name_of(status).as_ptr()
}

fn name_of(status: u32) -> &'static CStr {
    static NAMES: std::sync::OnceLock<Vec<(u32, std::ffi::CString)>> = std::sync::OnceLock::new();
    let of_kind = |kind: &ErrorKind| Some((kind.status(), std::ffi::CString::new(kind.name()).ok()?));
    let names = fork::whole(|| NAMES.get_or_init(|| ErrorKind::ALL.iter().filter_map(of_kind).collect()));
    match status {
        CONSIGNEE_OK => c"ok",
        CONSIGNEE_BAD_HANDLE => c"bad handle",
        CONSIGNEE_PANIC => c"panic",
        _ => names.iter().find(|(number, _)| *number == status).map_or(c"unknown", |(_, name)| name),
    }
}
