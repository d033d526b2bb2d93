//! Tables: boxed on a terminal, tabs or aligned columns in a pipe.

use std::io::{self, Write};

use comfy_table::{Attribute, Cell, Color, ColumnConstraint, ContentArrangement, Table as Boxed, presets};

use crate::{screen::Screen, show::clean};

/// Rows of text under headings. A cell may have several lines.
pub(crate) struct Table {
    headings: Vec<String>,
    rows: Vec<Vec<Shown>>,
    /// Columns whose cells are not broken into lines for want of room.
    unbroken: Vec<usize>,
}

/// A cell, and how it stands out on a terminal.
pub(crate) struct Shown {
    text: String,
    tone: Tone,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Tone {
    Usual,
    Bad,
    Faint,
}

impl Shown {
    /// Something that went wrong or was refused.
    pub(crate) fn bad(text: impl Into<String>) -> Self {
        Self { text: text.into(), tone: Tone::Bad }
    }

    /// Something of less interest.
    pub(crate) fn faint(text: impl Into<String>) -> Self {
        Self { text: text.into(), tone: Tone::Faint }
    }
}

impl<T: Into<String>> From<T> for Shown {
    fn from(text: T) -> Self {
        Self { text: text.into(), tone: Tone::Usual }
    }
}

impl Table {
    pub(crate) fn new(headings: &[&str]) -> Self {
        Self {
            headings: headings.iter().map(|heading| clean(heading)).collect(),
            rows: Vec::new(),
            unbroken: Vec::new(),
        }
    }

    /// Gives these columns the room they need, at the cost of the others.
    pub(crate) fn unbroken(mut self, columns: &[usize]) -> Self {
        self.unbroken = columns.to_vec();
        self
    }

    pub(crate) fn row(&mut self, cells: Vec<Shown>) {
        let cleaned = |shown: Shown| Shown { text: clean(&shown.text), ..shown };
        self.rows.push(cells.into_iter().map(cleaned).collect());
    }

    fn has_headings(&self) -> bool {
        self.headings.iter().any(|heading| !heading.is_empty())
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// For programs and people alike: a box on a terminal, else a line per row with tabs between the cells.
    pub(crate) fn print(self, screen: &mut Screen) -> io::Result<()> {
        if screen.is_terminal() {
            return self.boxed(screen);
        }
        let mut line = |cells: Vec<&str>| {
            let cells: Vec<String> = cells.iter().map(|cell| one_line(cell)).collect();
            writeln!(screen, "{}", cells.join("\t"))
        };
        if self.has_headings() {
            line(self.headings.iter().map(String::as_str).collect())?;
        }
        self.rows.iter().try_for_each(|row| line(row.iter().map(|cell| cell.text.as_str()).collect()))
    }

    /// For people only: a box on a terminal, else aligned columns of at most the usual width.
    pub(crate) fn draw(self, screen: &mut Screen) -> io::Result<()> {
        let style = if screen.is_terminal() { presets::UTF8_FULL_CONDENSED } else { presets::NOTHING };
        let mut table = self.laid_out(screen);
        table.load_style(style);
        table.lines().try_for_each(|line| writeln!(screen, "{}", line.trim_end()))
    }

    /// With lines between the rows where a row has several lines itself.
    fn boxed(self, screen: &mut Screen) -> io::Result<()> {
        let many_lines =
            self.has_headings() && self.rows.iter().flatten().any(|cell| cell.text.contains('\n'));
        let mut table = self.laid_out(screen);
        table.load_style(if many_lines { presets::UTF8_FULL } else { presets::UTF8_FULL_CONDENSED });
        writeln!(screen, "{table}")
    }

    fn laid_out(self, screen: &Screen) -> Boxed {
        let mut table = Boxed::new();
        if screen.has_colour() {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        table.set_width(screen.width());
        table.set_content_arrangement(ContentArrangement::Dynamic);
        if self.has_headings() {
            let bold = |heading: &String| Cell::new(heading).add_attribute(Attribute::Bold);
            table.set_header(self.headings.iter().map(bold));
        }
        for row in self.rows {
            table.add_row(row.into_iter().map(|shown| match shown.tone {
                Tone::Usual => Cell::new(shown.text),
                Tone::Bad => Cell::new(shown.text).fg(Color::Red),
                Tone::Faint => Cell::new(shown.text).add_attribute(Attribute::Dim),
            }));
        }
        for column in self.unbroken {
            if let Some(column) = table.column_mut(column) {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
        table
    }
}

fn one_line(cell: &str) -> String {
    cell.replace('\n', "; ")
}
