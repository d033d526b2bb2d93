//! What was read of a policy, before it is known to be one. Both readers, of TOML and of canonical bytes, make a draft;
//! only [`check`](crate::validate::check) makes a policy of it.
//!
//! `None` stands for what could not be read and has been reported already, so that one mistake does not cause a second.

use crate::{FieldType, Mask, Normaliser};

/// Something and where it stood: a byte offset in the text, 0 in canonical bytes.
#[derive(Debug)]
pub(crate) struct At<T> {
    pub(crate) at: usize,
    pub(crate) value: T,
}

impl<T> At<T> {
    pub(crate) fn new(at: usize, value: T) -> Self {
        Self { at, value }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Draft {
    /// In the order of the text.
    pub(crate) fields: Vec<DraftField>,
    pub(crate) retired: Vec<At<u16>>,
    /// In the order of the text.
    pub(crate) tables: Vec<DraftTable>,
}

#[derive(Debug)]
pub(crate) struct DraftField {
    pub(crate) name: At<String>,
    pub(crate) id: Option<At<u16>>,
    pub(crate) ty: Option<At<FieldType>>,
    /// In the order of the text.
    pub(crate) facets: Vec<DraftFacet>,
    pub(crate) index: Option<DraftIndex>,
}

#[derive(Debug)]
pub(crate) struct DraftFacet {
    pub(crate) name: At<String>,
    pub(crate) id: Option<At<u16>>,
    pub(crate) mask: Option<At<Mask>>,
}

#[derive(Debug)]
pub(crate) struct DraftIndex {
    pub(crate) at: usize,
    pub(crate) normaliser: Option<At<Normaliser>>,
    pub(crate) expect: Option<At<u64>>,
}

#[derive(Debug)]
pub(crate) struct DraftTable {
    pub(crate) role: At<String>,
    pub(crate) purpose: At<String>,
    /// `None` where the key was there and could not be read.
    pub(crate) open: Option<Vec<At<String>>>,
    pub(crate) lines: Vec<(At<String>, At<String>)>,
    pub(crate) search: Option<Vec<At<String>>>,
    pub(crate) expires: Option<At<u64>>,
}

/// A mistake and where it stands.
#[derive(Debug)]
pub(crate) struct Mistake {
    pub(crate) at: usize,
    pub(crate) message: String,
}

/// All mistakes found so far.
#[derive(Debug, Default)]
pub(crate) struct Mistakes(pub(crate) Vec<Mistake>);

impl Mistakes {
    pub(crate) fn add(&mut self, at: usize, message: impl Into<String>) {
        self.0.push(Mistake { at, message: message.into() });
    }
}

/// A name as messages show it: escaped, because it may hold what moves a terminal's cursor, and cut.
pub(crate) fn shown(name: &str) -> String {
    const LONGEST: usize = 80;
    let cut = if name.chars().nth(LONGEST).is_some() { "…" } else { "" };
    let start: String = name.chars().take(LONGEST).collect();
    format!("`{}{cut}`", start.escape_debug())
}
