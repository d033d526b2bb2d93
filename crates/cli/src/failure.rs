//! How a command fails: what is said on standard error, and the exit status.

use std::io::{self, Write};

use crate::show::clean;

/// Some or all of it failed.
pub(crate) const FAILED: u8 = 1;
/// The command was called in a way it cannot work.
pub(crate) const WRONG_USE: u8 = 2;
/// The policy does not permit it.
pub(crate) const NOT_PERMITTED: u8 = 3;

/// Why a command ends with another exit status than 0.
#[derive(Debug)]
pub(crate) struct Failure {
    status: u8,
    message: String,
}

impl Failure {
    pub(crate) fn new(status: u8, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(WRONG_USE, message)
    }

    /// A failure of which everything has been said already.
    pub(crate) fn reported(status: u8) -> Self {
        Self::new(status, "")
    }

    /// A file that its user named, and what is wrong with it.
    pub(crate) fn file(path: &std::path::Path, e: &io::Error) -> Self {
        Self::usage(format!("{}: {}", path.display(), said_by(e)))
    }

    /// What the library says of a file that its user named.
    pub(crate) fn of(path: &std::path::Path, e: &consignee::Error) -> Self {
        Self::new(e.kind().exit_status(), format!("{}: {e}", path.display()))
    }

    pub(crate) fn status(&self) -> u8 {
        self.status
    }

    pub(crate) fn report(&self) {
        if !self.message.is_empty() {
            complain(&self.message);
        }
    }
}

impl From<consignee::Error> for Failure {
    fn from(e: consignee::Error) -> Self {
        Self::new(e.kind().exit_status(), e.to_string())
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

/// Standard output that cannot be written. A reader that had enough (`| head`) is no failure.
impl From<io::Error> for Failure {
    fn from(e: io::Error) -> Self {
        match e.kind() {
            io::ErrorKind::BrokenPipe => Self::reported(0),
            _ => Self::new(FAILED, format!("the output cannot be written: {}", said_by(&e))),
        }
    }
}

/// Says on standard error what is wrong.
pub(crate) fn complain(message: &str) {
    // There is nobody left to tell when standard error is closed.
    let _unwritable = writeln!(io::stderr(), "consignee: {}", clean(message));
}

/// What the file system says, in the words of this program.
pub(crate) fn said_by(e: &io::Error) -> &'static str {
    match e.kind() {
        io::ErrorKind::NotFound => "there is no such file",
        io::ErrorKind::PermissionDenied => "no permission",
        io::ErrorKind::IsADirectory => "this is a folder",
        io::ErrorKind::StorageFull => "the disk is full",
        io::ErrorKind::InvalidData => "it is not text in UTF-8",
        _ => "input or output error",
    }
}
