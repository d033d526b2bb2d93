//! Signed notes (C2SP signed-note): a text, and lines that sign it.

use super::{NoteKey, VerifierKey, from_base64, key::is_name, to_base64, wrong};
use crate::error::{Error, ErrorKind, Result};

/// Most bytes of a note.
const LONGEST: usize = 1 << 20;
/// Most signatures of a note.
const MOST_SIGNATURES: usize = 100;

/// A text and its signatures, none of them checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

/// A signature line: `— name base64(key id ‖ signature)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    name: String,
    id: [u8; 4],
    signature: Vec<u8>,
}

impl NoteSignature {
    /// Name of the key that is said to have signed. Anybody can write a name: it says nothing until the signature is checked.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Reads a signature line.
    ///
    /// # Errors
    /// `Damaged` for what is none.
    pub fn parse(line: &str) -> Result<Self> {
        Self::at_line(line, 1)
    }

    fn at_line(line: &str, number: usize) -> Result<Self> {
        let parts = || {
            let (name, encoded) = line.strip_prefix("— ")?.split_once(' ')?;
            let bytes = from_base64(encoded)?;
            let (id, signature) = bytes.split_first_chunk::<4>()?;
            let is_whole = is_name(name) && !signature.is_empty();
            is_whole.then(|| Self { name: name.to_owned(), id: *id, signature: signature.to_vec() })
        };
        parts().ok_or_else(|| wrong(number, "a signature is written — NAME BASE64"))
    }

    pub(crate) fn is_by(&self, key: &VerifierKey) -> bool {
        self.id == key.id() && self.name == key.name()
    }
}

impl std::fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bytes = [self.id.as_slice(), &self.signature].concat();
        write!(f, "— {} {}", self.name, to_base64(&bytes))
    }
}

impl Note {
    /// A note of this text, which ends with a newline, without signatures yet.
    pub(crate) fn of(text: String) -> Self {
        Self { text, signatures: Vec::new() }
    }

    /// Reads a note.
    ///
    /// # Errors
    /// `Damaged` with the line for bytes that are none, `Limit` above 1 MiB or 100 signatures.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        Self::at_line(bytes, 1)
    }

    /// Reads a note that begins on this line of a file.
    pub(super) fn at_line(bytes: &[u8], start: usize) -> Result<Self> {
        if bytes.len() > LONGEST {
            return Err(Error::new(ErrorKind::Limit, "a note has at most 1 MiB"));
        }
        let whole = std::str::from_utf8(bytes).map_err(|e| {
            let before = bytes.get(..e.valid_up_to()).unwrap_or_default();
            wrong(start + before.iter().filter(|byte| **byte == b'\n').count(), "it is no UTF-8")
        })?;
        let line_of =
            |at: usize| start + whole.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count();
        if let Some(at) = whole.bytes().position(|byte| byte < 0x20 && byte != b'\n') {
            return Err(wrong(line_of(at), "there is a control character in it"));
        }
        let Some(blank) = whole.rfind("\n\n") else {
            return Err(wrong(line_of(whole.len()), "no empty line stands before signatures"));
        };
        let (text, lines) = (&whole[..=blank], &whole[blank + 2..]);
        let first = line_of(blank + 2);
        let Some(lines) = lines.strip_suffix('\n') else {
            return Err(wrong(line_of(whole.len()), "signatures are missing, or the last line does not end"));
        };
        if lines.split('\n').nth(MOST_SIGNATURES).is_some() {
            return Err(Error::new(ErrorKind::Limit, "a note has at most 100 signatures"));
        }
        let signature = |(line, at)| NoteSignature::at_line(line, at);
        let signatures = lines.split('\n').zip(first..).map(signature).collect::<Result<_>>()?;
        Ok(Self { text: text.to_owned(), signatures })
    }

    /// The bytes of the last line by this key, without the key id before them; not checked.
    pub(crate) fn bytes_by(&self, key: &VerifierKey) -> Option<&[u8]> {
        self.signatures.iter().rfind(|line| line.is_by(key)).map(|line| line.signature.as_slice())
    }

    /// The text, its last newline included.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signatures, none of them checked.
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Signs it, at `time` in seconds since 1970 where the key is a witness's.
    pub fn sign(&mut self, key: &NoteKey, time: u64) {
        let public = key.public();
        let signature = key.sign(&self.text, time);
        self.signatures.push(NoteSignature { name: public.name().to_owned(), id: public.id(), signature });
    }

    /// Adds a signature that somebody else made, unless it is there already.
    ///
    /// # Errors
    /// `Limit` beyond 100 signatures.
    pub fn add(&mut self, signature: NoteSignature) -> Result<()> {
        if self.signatures.contains(&signature) {
            return Ok(());
        }
        if self.signatures.len() >= MOST_SIGNATURES {
            return Err(Error::new(ErrorKind::Limit, "a note has at most 100 signatures"));
        }
        self.signatures.push(signature);
        Ok(())
    }

    /// Whether this key signed it: `None` if no line is its own; of a witness with the newest time that it states. Lines by other keys
    /// are passed over, those of its name and another id among them.
    ///
    /// # Errors
    /// `CannotOpen` where a line is its own and the signature is not.
    pub fn signed_by(&self, key: &VerifierKey) -> Result<Option<Option<u64>>> {
        let mut newest = None;
        for signature in self.signatures.iter().filter(|signature| signature.is_by(key)) {
            let time = key.check(&self.text, &signature.signature).ok_or_else(|| {
                let message = format!("the signature of {} is not of this text", key.name().escape_debug());
                Error::new(ErrorKind::CannotOpen, message)
            })?;
            newest = newest.max(Some(time));
        }
        Ok(newest)
    }
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| writeln!(f, "{signature}"))
    }
}
