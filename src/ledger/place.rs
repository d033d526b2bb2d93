//! Where an entry stands: an index alone names none, once a ledger has been succeeded.

use std::fmt;

/// The place of an entry: in which of the vault's ledgers, and where in it. Every restore begins another ledger.
///
/// It is shown as the index alone in a vault's first ledger (`17`), with the ledger's number before it in a later one (`2/17`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryPlace {
    /// Number of the ledger, from 1.
    pub ledger: u32,
    /// Index of the entry in it, from 0.
    pub index: u64,
}

impl fmt::Display for EntryPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ledger {
            1 => write!(f, "{}", self.index),
            number => write!(f, "{number}/{}", self.index),
        }
    }
}
