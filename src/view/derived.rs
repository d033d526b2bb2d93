//! What derived code calls and people do not.

use super::{CompiledPart, Fields, View};
use crate::{
    error::Result,
    value::{Cell, Cells, Value},
};

/// [`View::take`], with the conversion named.
///
/// # Errors
/// As for it.
pub fn take<T>(
    view: &mut View,
    part: &CompiledPart,
    from_value: fn(Option<Value>) -> Result<T>,
) -> Result<T> {
    view.take_with(part, from_value)
}

/// [`Cells::take`], with the conversion named.
///
/// # Errors
/// As for it.
pub fn cell<T>(cells: &mut Cells<'_>, column: &'static str, from_cell: fn(Cell) -> Result<T>) -> Result<T> {
    cells.take_with(column, from_cell)
}

/// The type of a field that is `more`: there is one.
#[diagnostic::on_unimplemented(
    message = "what a record has more is `Fields`, not `{Self}`",
    label = "not `Fields`"
)]
pub trait More: Sized {
    /// As fields.
    fn fields(&self) -> &Fields;
    /// From fields.
    fn from_fields(fields: Fields) -> Self;
}

impl More for Fields {
    fn fields(&self) -> &Fields {
        self
    }

    fn from_fields(fields: Fields) -> Self {
        fields
    }
}

/// How many elements the arrays have together.
pub const fn total<T>(parts: &[&[T]]) -> usize {
    let (mut total, mut part) = (0, 0);
    while part < parts.len() {
        total += parts[part].len();
        part += 1;
    }
    total
}

/// The arrays, one after the other.
///
/// # Panics
/// At compile time only, should `N` not be [`total`].
pub const fn concat<T: Copy, const N: usize>(filler: T, parts: &[&[T]]) -> [T; N] {
    let mut all = [filler; N];
    let (mut at, mut part) = (0, 0);
    while part < parts.len() {
        let mut item = 0;
        while item < parts[part].len() {
            all[at] = parts[part][item];
            at += 1;
            item += 1;
        }
        part += 1;
    }
    assert!(at == N);
    all
}

/// Whether each of the parts is one of those.
pub const fn are_among(parts: &[CompiledPart], known: &[CompiledPart]) -> bool {
    let mut part = 0;
    while part < parts.len() {
        let mut at = 0;
        while at < known.len() && !same(&parts[part], &known[at]) {
            at += 1;
        }
        if at == known.len() {
            return false;
        }
        part += 1;
    }
    true
}

const fn same(a: &CompiledPart, b: &CompiledPart) -> bool {
    a.number == b.number && a.ty.tag() == b.ty.tag() && same_text(a.name, b.name)
}

/// Whether there is this column; yes if the type does not say which there are.
pub const fn has_column(columns: Option<&[&str]>, name: &str) -> bool {
    let Some(columns) = columns else { return true };
    let mut at = 0;
    while at < columns.len() {
        if same_text(columns[at], name) {
            return true;
        }
        at += 1;
    }
    false
}

const fn same_text(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut at = 0;
    while at < a.len() && at < b.len() && a[at] == b[at] {
        at += 1;
    }
    at == a.len() && at == b.len()
}
