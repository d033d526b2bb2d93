//! What a witness does (C2SP tlog-witness): sign that it has seen a checkpoint which continues the newest that it saw before.

use std::fmt;

use super::{
    Checkpoint, EMPTY_ROOT, Hash, NoteKey, NoteSignature, SignedCheckpoint, VerifierKey, decimal,
    hash_from_base64, is_consistent, to_base64, wrong,
};
use crate::error::{Error, ErrorKind, Result};

/// Most hashes of a proof.
const MOST_HASHES: usize = 63;

/// What a log asks of a witness: the body of an add-checkpoint request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessRequest {
    /// Size that the witness is said to have seen last.
    pub old: u64,
    /// That the checkpoint continues it.
    pub proof: Vec<Hash>,
    /// The checkpoint.
    pub checkpoint: SignedCheckpoint,
}

impl WitnessRequest {
    /// Reads a request.
    ///
    /// # Errors
    /// `Damaged` with the line, `Limit`.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let blank = bytes.windows(2).position(|pair| pair == b"\n\n");
        let Some((head, rest)) = blank.and_then(|at| Some((bytes.get(..at)?, bytes.get(at + 2..)?))) else {
            return Err(wrong(1, "no empty line stands before the checkpoint"));
        };
        let head = std::str::from_utf8(head).map_err(|_| wrong(1, "it is no UTF-8"))?;
        let mut lines = head.split('\n').zip(1..);
        let (line, at) = lines.next().unwrap_or(("", 1));
        let old = line.strip_prefix("old ").and_then(decimal);
        let old = old.ok_or_else(|| wrong(at, "old and a decimal number are missing"))?;
        let mut proof = Vec::new();
        for (line, at) in lines {
            if proof.len() == MOST_HASHES {
                return Err(wrong(at, "a proof has at most 63 hashes"));
            }
            proof.push(hash_from_base64(line).ok_or_else(|| wrong(at, "a hash is 32 bytes in base64"))?);
        }
        let start = head.split('\n').count() + 2;
        Ok(Self { old, proof, checkpoint: SignedCheckpoint::at_line(rest, start)? })
    }
}

impl fmt::Display for WitnessRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old)?;
        self.proof.iter().try_for_each(|hash| writeln!(f, "{}", to_base64(hash)))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

/// The newest checkpoint of one log that a witness has cosigned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Key of the log, by which the witness knows it.
    pub log: VerifierKey,
    /// Size and root; 0 and the empty tree's where it has cosigned none.
    pub size: u64,
    /// Root of the tree.
    pub root: Hash,
}

impl Seen {
    /// A log of which the witness has cosigned nothing yet.
    pub fn nothing(log: VerifierKey) -> Self {
        Self { log, size: 0, root: EMPTY_ROOT }
    }
}

/// Cosigns a checkpoint that continues what was seen of its log, at `time` in seconds since 1970. **The first of the pair must be kept,
/// durably, before the signature is given to anybody**: whoever forgets what he signed signs two histories.
///
/// # Errors
/// `CannotOpen` for a checkpoint that the log did not sign; `Conflict` where the request is from another size than was seen, or goes
/// back, or another root was seen at that size; `Input` for a log's key or a time of 2^63 or more; `Damaged` for a proof that does not show that it continues it: keep the two
/// checkpoints, they show that the log has two histories.
pub fn cosign(
    request: &WitnessRequest,
    seen: &Seen,
    key: &NoteKey,
    time: u64,
) -> Result<(Seen, NoteSignature)> {
    if !key.public().is_witness() {
        return Err(Error::input("key", "it is a log's, and a witness's is wanted"));
    }
    if i64::try_from(time).is_err() {
        return Err(Error::input("time", "it is 2^63 seconds or more after 1970"));
    }
    request.checkpoint.check_log(&seen.log)?;
    let Checkpoint { size, root, .. } = request.checkpoint.checkpoint();
    let conflict = |message: String| Err(Error::new(ErrorKind::Conflict, message));
    if request.old != seen.size {
        return conflict(format!(
            "the witness has seen {} entries of this log, not {}",
            seen.size, request.old
        ));
    }
    if *size < seen.size {
        return conflict(format!(
            "the checkpoint has {size} entries, and the witness has seen {}",
            seen.size
        ));
    }
    if *size == seen.size && *root != seen.root {
        return conflict(format!(
            "the witness has seen another history of {size} entries: the log was split"
        ));
    }
    if !is_consistent(&request.proof, (seen.size, &seen.root), (*size, root)) {
        let message = format!(
            "the {size} entries are not shown to continue the {} that the witness has seen",
            seen.size
        );
        return Err(Error::new(ErrorKind::Damaged, message));
    }
    let mut note = request.checkpoint.note().clone();
    note.sign(key, time);
    let signature = note.signatures().last().cloned();
    let signature = signature.ok_or_else(|| Error::new(ErrorKind::Storage, "nothing was signed"))?;
    Ok((Seen { log: seen.log.clone(), size: *size, root: *root }, signature))
}
