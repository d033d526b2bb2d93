//! One error type for everything, told apart by [`ErrorKind`].
//!
//! A message never contains a value of an order, a key or an order number, so it may be logged as it is. Texts of SQLite,
//! serde and the file system do not pass through: they can repeat what they choked on.

use std::{borrow::Cow, fmt};

use crate::store::StoreError;

/// What went wrong, what kind of fault it is, and what to do about it.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: Cow<'static, str>,
    hint: Cow<'static, str>,
    is_of_other_root: bool,
}

/// The kinds of fault. Programs decide by kind; people read the message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The policy in force does not give this to the party.
    NotPermitted,
    /// The time in which the purpose may open the order is over.
    Expired,
    /// The party has been revoked.
    Revoked,
    /// No such order, party or alias.
    NotFound,
    /// The order's secret has been destroyed.
    Shredded,
    /// The order has no value for this part.
    Absent,
    /// Somebody else changed the order in between.
    Conflict,
    /// There is something else under this number or name already.
    Exists,
    /// A wrong key or altered bytes. The two are not told apart: that would make an oracle.
    CannotOpen,
    /// The record is older than the newest revision the vault knows of.
    RolledBack,
    /// Bytes that no version of this library wrote.
    Damaged,
    /// Bytes of a later version of this library.
    NewerFormat,
    /// The program was compiled against another policy than the one in force.
    PolicyMismatch,
    /// The root key is missing, wrong, or kept where it must not be.
    RootKey,
    /// Another process holds the vault's write lock.
    Locked,
    /// The store failed: disk full, no permission, input or output error.
    Storage,
    /// More than this library takes: too long, too many, too deep.
    Limit,
    /// Input that does not follow its format.
    Input {
        /// Line of the input, counted from 1, where there are lines.
        line: Option<u64>,
        /// Path of the field that is wrong, where there is one.
        field: Option<String>,
    },
}

impl ErrorKind {
    /// Each kind once: for counting, and for bindings that have a type for each.
    pub const ALL: &[Self] = &[
        Self::NotPermitted,
        Self::Expired,
        Self::Revoked,
        Self::NotFound,
        Self::Shredded,
        Self::Absent,
        Self::Conflict,
        Self::Exists,
        Self::CannotOpen,
        Self::RolledBack,
        Self::Damaged,
        Self::NewerFormat,
        Self::PolicyMismatch,
        Self::RootKey,
        Self::Locked,
        Self::Storage,
        Self::Limit,
        Self::Input { line: None, field: None },
    ];

    /// Name of the kind, its C status, and the exit status of a command that fails with it. The one table for all bindings.
    fn row(&self) -> (&'static str, u32, u8) {
        match self {
            Self::NotPermitted => ("not permitted", 100, 3),
            Self::Expired => ("expired", 101, 3),
            Self::Revoked => ("revoked", 102, 3),
            Self::NotFound => ("not found", 103, 1),
            Self::Shredded => ("shredded", 104, 1),
            Self::Absent => ("absent", 105, 1),
            Self::Conflict => ("conflict", 106, 1),
            Self::Exists => ("exists", 107, 1),
            Self::CannotOpen => ("cannot open", 108, 1),
            Self::RolledBack => ("rolled back", 109, 1),
            Self::Damaged => ("damaged", 110, 1),
            Self::NewerFormat => ("newer format", 111, 1),
            Self::PolicyMismatch => ("policy mismatch", 112, 1),
            Self::RootKey => ("root key", 113, 2),
            Self::Locked => ("locked", 114, 1),
            Self::Storage => ("storage", 115, 1),
            Self::Limit => ("limit", 116, 1),
            Self::Input { .. } => ("input", 117, 2),
        }
    }

    /// Name of the kind in words, stable.
    pub fn name(&self) -> &'static str {
        self.row().0
    }

    /// Status number of the C interface, stable.
    pub fn status(&self) -> u32 {
        self.row().1
    }

    /// Exit status of a command whose whole work failed with this kind: 1 failed, 2 wrong use, 3 not permitted.
    pub fn exit_status(&self) -> u8 {
        self.row().2
    }
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            hint: Cow::Borrowed(""),
            is_of_other_root: false,
        }))
    }

    /// The same, for a root key that is there and not this vault's. Unlocking adds whether the vault had another one before.
    pub fn other_root_key(message: impl Into<Cow<'static, str>>) -> Self {
        let mut error = Self::root_key(message);
        error.0.is_of_other_root = true;
        error
    }

    /// Whether it is one of those.
    pub(crate) fn is_of_other_root_key(&self) -> bool {
        self.0.is_of_other_root
    }

    /// The same error, saying what to do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.0.hint = hint.into();
        self
    }

    /// An error of the kind `RootKey`: the root key cannot be had. For a [`RootKeyProvider`](crate::RootKeyProvider) of your own. The message is shown and logged
    /// as it is: no key, no PIN, and no text of a service or driver that might repeat one.
    pub fn root_key(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::RootKey, message)
    }

    /// The same error, with one more thing to do about it.
    pub(crate) fn with_further_hint(mut self, hint: &str) -> Self {
        let hints = [&*self.0.hint, hint].map(str::to_owned).into_iter().filter(|text| !text.is_empty());
        self.0.hint = hints.collect::<Vec<_>>().join("; ").into();
        self
    }

    pub(crate) fn input(field: impl Into<String>, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Input { line: None, field: Some(field.into()) }, message)
    }

    /// The same error, said of a line of the input (counted from 1).
    #[must_use]
    pub fn at_line(mut self, at: u64) -> Self {
        if let ErrorKind::Input { line, .. } = &mut self.0.kind {
            *line = Some(at);
        }
        self
    }

    /// The same error, of another kind.
    pub(crate) fn of_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// The same error, said of a file of the vault.
    pub(crate) fn in_file(mut self, file: &str) -> Self {
        self.0.message = format!("{file}: {}", self.0.message).into();
        if self.0.kind == ErrorKind::Damaged {
            self.0.hint = Cow::Borrowed("restore it from its newest backup");
        }
        self
    }

    /// The same error, with what it is of before it.
    pub(crate) fn with_prefix(mut self, what: &str) -> Self {
        self.0.message = format!("{what}: {}", self.0.message).into();
        self
    }

    /// The same error, said of a field of the order.
    pub(crate) fn in_field(mut self, name: &str) -> Self {
        match &mut self.0.kind {
            ErrorKind::Input { field, .. } => *field = Some(name.to_owned()),
            _ => self.0.message = format!("{name}: {}", self.0.message).into(),
        }
        self
    }

    /// The same error, of an order that is handed in: what it lacks, or has of another type, is the input's fault, in the field
    /// of these that the message begins with.
    pub(crate) fn of_input(mut self, fields: impl Iterator<Item = &'static str>) -> Self {
        if matches!(self.0.kind, ErrorKind::Absent | ErrorKind::PolicyMismatch) {
            let of = |field: &'static str| {
                let what = self.0.message.strip_prefix(field)?.strip_prefix(": ")?;
                Some((field, what.to_owned()))
            };
            let (field, what) = fields.filter_map(of).next().unzip();
            self.0.kind = ErrorKind::Input { line: None, field: field.map(str::to_owned) };
            self.0.hint = Cow::Borrowed("");
            if let Some(what) = what {
                self.0.message = what.into();
            }
        }
        self
    }

    /// The kind of fault, to decide by.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// What to do about it; empty where there is nothing to add.
    pub fn hint(&self) -> &str {
        &self.0.hint
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let ErrorKind::Input { line, field } = &self.0.kind {
            if let Some(line) = line {
                write!(f, "line {line}: ")?;
            }
            if let Some(field) = field {
                write!(f, "{field}: ")?;
            }
        }
        f.write_str(&self.0.message)?;
        if !self.0.hint.is_empty() {
            write!(f, " ({})", self.0.hint)?;
        }
        Ok(())
    }
}

// As people read it: `fn main() -> Result<()>` prints an error this way.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {self}", self.kind().name())
    }
}

impl std::error::Error for Error {}

impl From<StoreError> for Error {
    fn from(e: StoreError) -> Self {
        let (kind, hint) = match e {
            StoreError::Full => {
                (ErrorKind::Storage, "free some space and repeat; what was acknowledged is kept")
            }
            StoreError::ReadOnly => (ErrorKind::Storage, "check who owns the folder and its files"),
            StoreError::TooManyFiles => {
                (ErrorKind::Storage, "let the process open more (ulimit -n), or find what leaves files open")
            }
            StoreError::Locked => {
                (ErrorKind::Locked, "it waited 10 seconds; repeat when the other process is done")
            }
            StoreError::Damaged => {
                (ErrorKind::Damaged, "doctor names the file; restore it from its newest backup")
            }
            StoreError::Newer => (ErrorKind::NewerFormat, "update this program"),
            StoreError::Exists => (ErrorKind::Conflict, "somebody else wrote it in between; repeat"),
            StoreError::Exposed => {
                (ErrorKind::Storage, "the folder must be the user's own with mode 0700, its files 0600")
            }
            StoreError::Forked => (
                ErrorKind::Locked,
                "SQLite's locks do not survive a fork: unlock it in the workers only, each after it was forked",
            ),
            StoreError::Failed => (ErrorKind::Storage, "check disk and file system"),
        };
        Self::new(kind, e.to_string()).with_hint(hint)
    }
}

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
