//! Standard output: a terminal with room and colour, or a pipe that gets plain text.

use std::{
    env,
    io::{self, BufRead, BufWriter, IsTerminal, Stdout, Write},
};

use crate::failure::Failure;

/// Width of a terminal that does not say.
const USUAL_WIDTH: u16 = 100;

/// Whether there is somebody to ask. Both, so that a program that only lends its terminal as one of them is not kept waiting.
pub(crate) fn someone_is_there() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks whoever is there, and takes `yes` alone for consent.
pub(crate) fn says_yes(question: &str) -> Result<bool, Failure> {
    write!(io::stderr(), "{question} Type yes: ")?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(|_| Failure::usage("no answer"))?;
    Ok(answer.trim() == "yes")
}

/// Standard output, and what it can show.
pub(crate) struct Screen {
    out: BufWriter<Stdout>,
    terminal: bool,
    colour: bool,
    width: u16,
}

impl Screen {
    pub(crate) fn new() -> Self {
        let terminal = io::stdout().is_terminal();
        let refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || env::var_os("TERM").is_some_and(|value| value == "dumb");
        let width = comfy_table::Table::new().width().filter(|width| *width > 20).unwrap_or(USUAL_WIDTH);
        Self { out: BufWriter::new(io::stdout()), terminal, colour: terminal && !refused, width }
    }

    /// Whether people look at it. If not, there are no colours, boxes or bars.
    pub(crate) fn is_terminal(&self) -> bool {
        self.terminal
    }

    pub(crate) fn has_colour(&self) -> bool {
        self.colour
    }

    pub(crate) fn width(&self) -> u16 {
        self.width
    }

    /// A headline.
    pub(crate) fn headline(&mut self, text: &str) -> io::Result<()> {
        if self.colour { writeln!(self, "\x1b[1m{text}\x1b[0m") } else { writeln!(self, "{text}") }
    }

    /// One value as a line of JSON.
    pub(crate) fn json(&mut self, value: &serde_json::Value) -> io::Result<()> {
        serde_json::to_writer(&mut *self, value)?;
        writeln!(self)
    }

    /// Writes out what is held back.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
