//! How entries and ledgers are named: an index or a size alone names none, once a ledger has been succeeded.

use std::{fmt, str::FromStr};

use super::LedgerState;
use crate::error::Error;

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

/// What is noted of a ledger outside of its vault, so that a restore can tell what it lost: which one, its size and its root.
///
/// As text, `1200:5f2c…` (64 hexadecimal digits) for a vault's first ledger, `2/1200:5f2c…` for a later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerNote {
    /// Number of the ledger, from 1.
    pub ledger: u32,
    /// What it was.
    pub state: LedgerState,
}

impl fmt::Display for LedgerNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = EntryPlace { ledger: self.ledger, index: self.state.size };
        write!(f, "{size}:")?;
        self.state.root.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for LedgerNote {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let note = || {
            let (place, root) = text.trim().split_once(':')?;
            let (ledger, size) = place.split_once('/').unwrap_or(("1", place));
            let mut bytes = [0; 32];
            let read = base16ct::mixed::decode(root, &mut bytes).ok()?.len();
            let state = LedgerState { size: size.parse().ok()?, root: bytes };
            let ledger = ledger.parse().ok().filter(|number| *number > 0)?;
            (read == bytes.len()).then_some(Self { ledger, state })
        };
        note().ok_or_else(|| {
            Error::input(
                "ledger",
                "it is noted as SIZE:ROOT or NUMBER/SIZE:ROOT, the root in 64 hexadecimal digits",
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_comes_back_from_its_text() {
        for (ledger, begins) in [(1, "1200:0707"), (2, "2/1200:0707")] {
            let note = LedgerNote { ledger, state: LedgerState { size: 1200, root: [7; 32] } };
            let text = note.to_string();
            assert!(text.starts_with(begins) && text.len() == begins.len() + 60, "{text}");
            assert_eq!(text.parse::<LedgerNote>().unwrap(), note);
            for wrong in [
                &text[1..],
                &text[..text.len() - 2],
                &text[..text.len() - 1],
                &format!("0/{text}"),
                &format!("{text}07"),
            ] {
                let read = wrong.parse::<LedgerNote>();
                assert!(read.is_err() || read.unwrap() != note, "{wrong}");
            }
        }
        for wrong in ["", ":", "1:", "x:07", "0/1:", "-1:07"] {
            assert!(wrong.parse::<LedgerNote>().is_err(), "{wrong}");
        }
    }
}
