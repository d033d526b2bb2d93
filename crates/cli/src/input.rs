//! Lines from a file or from standard input, one at a time and never a long one in memory.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

use consignee::Order;

use crate::failure::Failure;

/// Longest line, in bytes: the longest order.
const LONGEST: usize = Order::MAX_JSON;
/// Longest policy text that is read, in bytes; the parser's own limit is lower.
const LONGEST_TEXT: u64 = 1024 * 1024;

/// Lines of a file, or of standard input for `-`.
pub(crate) struct Lines {
    reader: Box<dyn BufRead>,
    number: u64,
    bytes: u64,
}

/// A line and its number, counted from 1.
pub(crate) struct Line {
    pub(crate) number: u64,
    /// Its text, or what is wrong with it.
    pub(crate) text: Result<String, &'static str>,
}

impl Lines {
    pub(crate) fn of(path: &Path) -> Result<Self, Failure> {
        Ok(Self { reader: reader(path)?, number: 0, bytes: 0 })
    }

    /// Bytes read so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The next line that is not blank.
    pub(crate) fn next(&mut self) -> Result<Option<Line>, Failure> {
        while let Some(mut line) = self.any_next().map_err(|e| Failure::file(Path::new("input"), &e))? {
            if let Ok(text) = &mut line.text {
                if line.number == 1 && text.starts_with('\u{feff}') {
                    text.remove(0);
                }
                text.truncate(text.trim_end_matches('\r').len());
            }
            if !line.text.as_ref().is_ok_and(|text| text.trim().is_empty()) {
                return Ok(Some(line));
            }
        }
        Ok(None)
    }

    fn any_next(&mut self) -> io::Result<Option<Line>> {
        let (mut held, mut too_long, mut begun) = (Vec::new(), false, false);
        loop {
            let chunk = match self.reader.fill_buf() {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                chunk => chunk?,
            };
            if chunk.is_empty() {
                break;
            }
            begun = true;
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let piece = chunk.get(..end.unwrap_or(chunk.len())).unwrap_or(chunk);
            too_long |= held.len() + piece.len() > LONGEST;
            if too_long {
                held = Vec::new();
            } else {
                held.extend_from_slice(piece);
            }
            let used = piece.len() + usize::from(end.is_some());
            self.bytes += used as u64;
            self.reader.consume(used);
            if end.is_some() {
                break;
            }
        }
        if !begun {
            return Ok(None);
        }
        self.number += 1;
        let text = match too_long {
            true => Err("the line is longer than 2 MiB"),
            false => String::from_utf8(held).map_err(|_| "the line is not text in UTF-8"),
        };
        Ok(Some(Line { number: self.number, text }))
    }
}

/// Orders, aliases or searches as they were given: as arguments, or one to a line where an argument is `-`.
pub(crate) struct Names {
    arguments: std::vec::IntoIter<String>,
    lines: Option<Lines>,
}

/// One of them, and how to call it in a message.
pub(crate) struct Name {
    pub(crate) label: String,
    /// Its line of standard input; none for an argument.
    pub(crate) line: Option<u64>,
    pub(crate) text: Result<String, &'static str>,
}

impl Names {
    pub(crate) fn of(arguments: Vec<String>) -> Self {
        Self { arguments: arguments.into_iter(), lines: None }
    }

    pub(crate) fn next(&mut self) -> Result<Option<Name>, Failure> {
        loop {
            if let Some(lines) = &mut self.lines {
                match lines.next()? {
                    // What came by standard input may be secret from whoever reads the messages; its place is not.
                    Some(line) => {
                        let label = format!("line {}", line.number);
                        return Ok(Some(Name { label, line: Some(line.number), text: line.text }));
                    }
                    None => self.lines = None,
                }
            }
            match self.arguments.next() {
                None => return Ok(None),
                Some(argument) if argument == "-" => self.lines = Some(Lines::of(Path::new("-"))?),
                Some(argument) => {
                    return Ok(Some(Name { label: argument.clone(), line: None, text: Ok(argument) }));
                }
            }
        }
    }

    /// The next ones, at most `limit`.
    pub(crate) fn batch(&mut self, limit: usize) -> Result<Vec<Name>, Failure> {
        let mut batch = Vec::new();
        while batch.len() < limit
            && let Some(name) = self.next()?
        {
            batch.push(name);
        }
        Ok(batch)
    }
}

/// A whole text: a policy. Of an endless one no more than it takes to refuse it.
pub(crate) fn text(path: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    reader(path)?.take(LONGEST_TEXT).read_to_string(&mut text).map_err(|e| Failure::file(path, &e))?;
    Ok(text)
}

/// All bytes of a file, or of an endless one no more than it takes to refuse it.
pub(crate) fn bytes(path: &Path, longest: u64) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    reader(path)?.take(longest).read_to_end(&mut bytes).map_err(|e| Failure::file(path, &e))?;
    Ok(bytes)
}

/// One order's JSON, or a part of it. Opened before the vault is, so that a wrong path is said first; read afterwards, as standard
/// input may begin with the passphrase.
pub(crate) struct Whole<'a> {
    path: &'a Path,
    reader: Box<dyn BufRead>,
}

impl<'a> Whole<'a> {
    pub(crate) fn of(path: &'a Path) -> Result<Self, Failure> {
        Ok(Self { path, reader: reader(path)? })
    }

    pub(crate) fn read(self) -> Result<String, Failure> {
        let mut bytes = Vec::new();
        let longest = LONGEST as u64;
        self.reader.take(longest + 1).read_to_end(&mut bytes).map_err(|e| Failure::file(self.path, &e))?;
        if bytes.len() > LONGEST {
            return Err(Failure::usage(format!("{}: longer than 2 MiB", self.path.display())));
        }
        let text = String::from_utf8(bytes)
            .map_err(|_| Failure::file(self.path, &io::ErrorKind::InvalidData.into()))?;
        Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
    }
}

fn reader(path: &Path) -> Result<Box<dyn BufRead>, Failure> {
    if path == Path::new("-") {
        return Ok(Box::new(BufReader::with_capacity(1 << 16, io::stdin())));
    }
    let file = File::open(path).map_err(|e| Failure::file(path, &e))?;
    if file.metadata().is_ok_and(|meta| meta.is_dir()) {
        return Err(Failure::usage(format!("{}: this is a folder", path.display())));
    }
    Ok(Box::new(BufReader::with_capacity(1 << 16, file)))
}
