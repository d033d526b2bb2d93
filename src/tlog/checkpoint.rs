//! Checkpoints (C2SP tlog-checkpoint): origin, size and root of a log, as a note.

use std::fmt;

use super::{Hash, Note, NoteKey, VerifierKey, decimal, hash_from_base64, to_base64, wrong};
use crate::error::{Error, ErrorKind, Result};

/// What a log was at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Name of the log: that of its key.
    pub origin: String,
    /// Number of entries.
    pub size: u64,
    /// Root of the tree.
    pub root: Hash,
}

impl Checkpoint {
    /// Reads a note's text. Lines after the third are the log's own affair, and passed over.
    ///
    /// # Errors
    /// `Damaged` with the line.
    pub fn parse(text: &str) -> Result<Self> {
        Self::at_line(text, 1)
    }

    fn at_line(text: &str, start: usize) -> Result<Self> {
        let Some(text) = text.strip_suffix('\n') else {
            return Err(wrong(start + text.matches('\n').count(), "the line does not end"));
        };
        let mut lines = text.split('\n').zip(start..);
        let mut after = start;
        let mut line = |what| {
            let (line, number) = lines.next().unwrap_or(("", after));
            after = number + 1;
            if line.is_empty() { Err(wrong(number, what)) } else { Ok((line, number)) }
        };
        let (origin, _) = line("the origin is missing")?;
        let (size, at) = line("the size is missing")?;
        let size = decimal(size).ok_or_else(|| wrong(at, "the size is a decimal number"))?;
        let (root, at) = line("the root is missing")?;
        let root = hash_from_base64(root).ok_or_else(|| wrong(at, "the root is 32 bytes in base64"))?;
        if let Some((_, number)) = lines.find(|(line, _)| line.is_empty()) {
            return Err(wrong(number, "an extension is an empty line"));
        }
        Ok(Self { origin: origin.to_owned(), size, root })
    }

    /// Signs it.
    pub fn sign(&self, key: &NoteKey) -> SignedCheckpoint {
        let mut note = Note::of(self.to_string());
        note.sign(key, 0);
        SignedCheckpoint { checkpoint: self.clone(), note }
    }
}

/// The text that is signed.
impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, to_base64(&self.root))
    }
}

/// A checkpoint and signatures of it, checked or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: Note,
}

impl SignedCheckpoint {
    /// Reads a note, and checks no signature.
    ///
    /// # Errors
    /// `Damaged` with the line, `Limit`.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        Self::at_line(bytes, 1)
    }

    /// Reads a checkpoint that begins on this line of a file.
    pub(super) fn at_line(bytes: &[u8], start: usize) -> Result<Self> {
        let note = Note::at_line(bytes, start)?;
        Ok(Self { checkpoint: Checkpoint::at_line(note.text(), start)?, note })
    }

    /// Reads a note that the log with this key signed, and whose origin is the key's name.
    ///
    /// # Errors
    /// As for [`SignedCheckpoint::parse`]; `CannotOpen` for one that it did not sign, or of another origin.
    pub fn verify(bytes: &[u8], log: &VerifierKey) -> Result<Self> {
        let signed = Self::parse(bytes)?;
        signed.check_log(log)?;
        Ok(signed)
    }

    /// # Errors
    /// `CannotOpen` unless the log with this key signed it, under its own name.
    pub fn check_log(&self, log: &VerifierKey) -> Result<()> {
        let cannot = |message: String| Error::new(ErrorKind::CannotOpen, message);
        if log.is_witness() {
            return Err(Error::input("key", "it is a witness's, and a log's is wanted"));
        }
        if self.checkpoint.origin != log.name() {
            // Names that differ must look different.
            let (origin, name) = (self.checkpoint.origin.escape_default(), log.name().escape_default());
            return Err(cannot(format!("the checkpoint is of the log {origin}, and the key is of {name}")));
        }
        if self.note.signed_by(log)?.is_none() {
            return Err(cannot(format!(
                "the checkpoint has no signature by the key of {}",
                log.name().escape_debug()
            )));
        }
        Ok(())
    }

    /// What is signed.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The note.
    pub fn note(&self) -> &Note {
        &self.note
    }

    /// The note, for more signatures.
    pub fn note_mut(&mut self) -> &mut Note {
        &mut self.note
    }
}

impl fmt::Display for SignedCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.note.fmt(f)
    }
}
