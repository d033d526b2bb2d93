//! Lists: rows under named columns. Flat on purpose, so that no input can nest.

use super::{CellOf, Decimal, expected, opaque_debug, too_large};
use crate::error::Result;
use std::fmt;

/// Most columns of a list (F17).
pub(crate) const MAX_COLUMNS: usize = 64;
/// Most rows of a list (F17).
pub(crate) const MAX_ROWS: usize = 65_536;
/// Longest name of a column, in bytes: its length is one byte.
pub(crate) const MAX_COLUMN_NAME: usize = 255;

/// Rows under named columns: a list as the encoder reads it, wherever it lives.
///
/// Every `Vec` of a type that is a [`Row`] is one, and so is a [`List`].
pub trait Rows {
    /// Number of columns.
    fn column_count(&self) -> usize;

    /// Name of a column; empty for one that is not there.
    fn column_name(&self, column: usize) -> &str;

    /// Number of rows.
    fn row_count(&self) -> usize;

    /// The cell of a row in a column; absent where there is none.
    fn cell(&self, row: usize, column: usize) -> CellRef<'_>;
}

/// A type whose values are rows of a list, such as [`Item`](crate::Item): what [`#[derive(Row)]`](derive@crate::Row) makes of a
/// struct.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a row of a list: it needs #[derive(Row)]",
    label = "not a row"
)]
pub trait Row: Sized {
    /// Names of the columns.
    const COLUMNS: &'static [&'static str];

    /// The cell in the column of this index into [`Row::COLUMNS`].
    fn cell(&self, column: usize) -> CellRef<'_>;

    /// From the cells of an opened row, which [`Cells::take`] gives by column.
    ///
    /// # Errors
    /// `Absent` for a cell that is missing and must be there; `PolicyMismatch` for one of another type; `Limit` for a number
    /// that does not fit.
    fn from_cells(cells: &mut Cells<'_>) -> Result<Self>;
}

/// The cells of one opened row.
pub struct Cells<'a> {
    columns: &'a [String],
    cells: Vec<Cell>,
}

impl Cells<'_> {
    /// Takes the cell of this column out.
    ///
    /// # Errors
    /// As for [`CellOf::from_cell`], with the column's name. (It is the program's own: it stands in its source.)
    pub fn take<T: CellOf>(&mut self, column: &'static str) -> Result<T> {
        self.take_with(column, T::from_cell)
    }

    pub(crate) fn take_with<T>(
        &mut self,
        column: &'static str,
        from_cell: impl FnOnce(Cell) -> Result<T>,
    ) -> Result<T> {
        let at = self.columns.iter().position(|name| name == column);
        let cell = at.and_then(|at| self.cells.get_mut(at));
        let cell = cell.map_or(Cell::Absent, |cell| std::mem::replace(cell, Cell::Absent));
        from_cell(cell).map_err(|e| e.in_field(column))
    }
}

impl<T: Row> Rows for Vec<T> {
    fn column_count(&self) -> usize {
        T::COLUMNS.len()
    }

    fn column_name(&self, column: usize) -> &str {
        T::COLUMNS.get(column).copied().unwrap_or_default()
    }

    fn row_count(&self) -> usize {
        self.len()
    }

    fn cell(&self, row: usize, column: usize) -> CellRef<'_> {
        self.get(row).map_or(CellRef::Absent, |row| row.cell(column))
    }
}

/// A cell of a list, owned.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cell {
    /// The row has nothing in this column.
    Absent,
    /// Text.
    Text(String),
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A decimal number.
    Decimal(Decimal),
}

/// A cell of a list, borrowed from where it lives.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum CellRef<'a> {
    /// The row has nothing in this column.
    Absent,
    /// Text.
    Text(&'a str),
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A decimal number.
    Decimal(Decimal),
}

impl Cell {
    /// The same cell, borrowed.
    pub fn as_ref(&self) -> CellRef<'_> {
        match self {
            Self::Absent => CellRef::Absent,
            Self::Text(text) => CellRef::Text(text),
            Self::Bool(yes) => CellRef::Bool(*yes),
            Self::Integer(number) => CellRef::Integer(*number),
            Self::Decimal(number) => CellRef::Decimal(*number),
        }
    }
}

impl CellRef<'_> {
    /// The same cell, owned.
    pub fn to_cell(self) -> Cell {
        match self {
            Self::Absent => Cell::Absent,
            Self::Text(text) => Cell::Text(text.to_owned()),
            Self::Bool(yes) => Cell::Bool(yes),
            Self::Integer(number) => Cell::Integer(number),
            Self::Decimal(number) => Cell::Decimal(number),
        }
    }
}

impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}

impl fmt::Debug for CellRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Absent => "Absent",
            Self::Text(_) => "Text(..)",
            Self::Bool(_) => "Bool(..)",
            Self::Integer(_) => "Integer(..)",
            Self::Decimal(_) => "Decimal(..)",
        })
    }
}

/// Rows under named columns, owned: what a list is when it has been opened.
#[derive(Clone, PartialEq, Eq)]
pub struct List {
    /// Invariant: no name twice.
    columns: Vec<String>,
    /// Invariant: every row has as many cells as there are columns, and there is a column if there is a row.
    pub(super) rows: Vec<Vec<Cell>>,
}

opaque_debug!(List);

impl List {
    /// A list of these rows, each with one cell for each column.
    ///
    /// # Errors
    /// `Input` where a column's name stands twice or a row has another number of cells; `Limit` beyond 64 columns, 65,536
    /// rows or 255 bytes of a column's name.
    pub fn new(columns: Vec<String>, rows: Vec<Vec<Cell>>) -> Result<Self> {
        if rows.iter().any(|row| row.len() != columns.len()) {
            return Err(expected("a row of a list has more or fewer cells than there are columns"));
        }
        let list = Self { columns, rows };
        check(&list)?;
        Ok(list)
    }

    /// A list whose parts have been checked.
    pub(super) fn checked(columns: Vec<String>, rows: Vec<Vec<Cell>>) -> Self {
        Self { columns, rows }
    }

    /// A copy of rows, wherever they live.
    pub(super) fn copied(rows: &dyn Rows) -> Result<Self> {
        check(rows)?;
        let columns = 0..rows.column_count();
        let row = |row| columns.clone().map(|column| rows.cell(row, column).to_cell()).collect();
        let names = columns.clone().map(|column| rows.column_name(column).to_owned()).collect();
        Self::new(names, (0..rows.row_count()).map(row).collect())
    }

    /// Names of the columns.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The rows, each with one cell for each column.
    pub fn rows(&self) -> &[Vec<Cell>] {
        &self.rows
    }

    /// The rows as values of a type. Columns that it does not know are passed over.
    ///
    /// # Errors
    /// As for [`Row::from_cells`].
    pub fn into_rows<T: Row>(self) -> Result<Vec<T>> {
        let Self { columns, rows } = self;
        rows.into_iter().map(|cells| T::from_cells(&mut Cells { columns: &columns, cells })).collect()
    }

    /// Keeps the rows that have this text in this column; none where there is no such column.
    pub(crate) fn retain_rows(&mut self, column: &str, value: &str) {
        let column = self.columns.iter().position(|name| name == column);
        self.rows.retain(|row| {
            let cell = column.and_then(|column| row.get(column));
            matches!(cell, Some(Cell::Text(text)) if text == value)
        });
    }
}

impl Rows for List {
    fn column_count(&self) -> usize {
        self.columns.len()
    }

    fn column_name(&self, column: usize) -> &str {
        self.columns.get(column).map_or("", String::as_str)
    }

    fn row_count(&self) -> usize {
        self.rows.len()
    }

    fn cell(&self, row: usize, column: usize) -> CellRef<'_> {
        self.rows.get(row).and_then(|row| row.get(column)).map_or(CellRef::Absent, Cell::as_ref)
    }
}

/// Refuses what a reader would refuse, so that nothing is sealed that cannot be opened.
pub(super) fn check(list: &dyn Rows) -> Result<()> {
    let columns = list.column_count();
    if columns > MAX_COLUMNS {
        return Err(too_large("a list has more than 64 columns"));
    }
    if list.row_count() > MAX_ROWS {
        return Err(too_large("a list has more than 65,536 rows"));
    }
    if columns == 0 && list.row_count() > 0 {
        return Err(expected("a list with rows must have a column"));
    }
    for column in 0..columns {
        let name = list.column_name(column);
        if name.len() > MAX_COLUMN_NAME {
            return Err(too_large("the name of a list's column is longer than 255 bytes"));
        }
        if (0..column).any(|other| list.column_name(other) == name) {
            return Err(expected("a list has two columns of one name"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn text(text: &str) -> Cell {
        Cell::Text(text.into())
    }

    fn items() -> List {
        let columns = vec!["sku".into(), "supplier".into()];
        let rows = vec![
            vec![text("1"), text("Las Cabras")],
            vec![text("2"), text("Leka")],
            vec![text("Las Cabras"), Cell::Absent],
            vec![text("4"), Cell::Integer(7)],
            vec![text("5"), text("las cabras")],
        ];
        List::new(columns, rows).unwrap()
    }

    #[test]
    fn retains_the_rows_of_one_text_in_one_column() {
        let mut list = items();
        list.retain_rows("supplier", "Las Cabras");
        assert_eq!(list.rows(), [vec![text("1"), text("Las Cabras")]]);
    }

    #[test]
    fn retains_nothing_by_a_column_that_is_not_there() {
        for column in ["", "Supplier", "title"] {
            let mut list = items();
            list.retain_rows(column, "Las Cabras");
            assert!(list.rows().is_empty());
            assert_eq!(list.columns(), ["sku", "supplier"]);
        }
        let mut list = items();
        list.retain_rows("supplier", "7");
        assert!(list.rows().is_empty(), "a number is not its text");
        let mut list = items();
        list.retain_rows("supplier", "");
        assert!(list.rows().is_empty(), "an absent cell is not an empty text");
    }

    #[test]
    fn refuses_lists_that_could_not_be_opened() {
        let names = |count: usize| (0..count).map(|i| i.to_string()).collect::<Vec<_>>();
        let input = ErrorKind::Input { line: None, field: None };
        for (columns, rows, kind) in [
            (vec!["a".into(), "a".into()], vec![], &input),
            (names(2), vec![vec![Cell::Absent]], &input),
            (names(1), vec![vec![Cell::Absent; 2]], &input),
            (vec![], vec![vec![]], &input),
            (names(65), vec![], &ErrorKind::Limit),
            (names(1), vec![vec![Cell::Absent]; 65_537], &ErrorKind::Limit),
            (vec!["x".repeat(256)], vec![], &ErrorKind::Limit),
        ] {
            assert_eq!(List::new(columns, rows).unwrap_err().kind(), kind);
        }
        assert!(List::new(names(64), vec![vec![Cell::Absent; 64]]).is_ok());
        assert!(List::new(names(1), vec![vec![Cell::Absent]; 65_536]).is_ok());
        assert!(List::new(vec!["x".repeat(255)], vec![]).is_ok());
        assert!(List::new(vec![], vec![]).is_ok());
    }

    #[test]
    fn outside_a_list_there_is_nothing() {
        let list = items();
        assert_eq!(list.column_name(2), "");
        assert!(matches!(list.cell(0, 2), CellRef::Absent));
        assert!(matches!(list.cell(5, 0), CellRef::Absent));
    }
}
