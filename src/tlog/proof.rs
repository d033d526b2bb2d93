//! Proofs that an entry is in a log, whole in one file (C2SP tlog-proof).

use std::fmt;

use super::{
    Hash, SignedCheckpoint, TrustPolicy, Vouched, decimal, from_base64, hash_from_base64, leaf_hash,
    root_through, to_base64, wrong,
};
use crate::error::{Error, ErrorKind, Result};

const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";
/// Most hashes of a proof: a tree has less than 2^64 leaves.
const MOST_HASHES: usize = 63;

/// That an entry is at an index of a log, under a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// What was added to it by whoever made it. It proves nothing.
    pub extra: Vec<u8>,
    /// Index of the entry.
    pub index: u64,
    /// The hashes from the leaf's sibling up.
    pub hashes: Vec<Hash>,
    /// The checkpoint, with its signatures.
    pub checkpoint: SignedCheckpoint,
}

impl Proof {
    /// Reads a proof; checks no signature and no hash.
    ///
    /// # Errors
    /// `Damaged` with the line, `Limit`.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let blank = bytes.windows(2).position(|pair| pair == b"\n\n");
        let Some((head, rest)) = blank.and_then(|at| Some((bytes.get(..at)?, bytes.get(at + 2..)?))) else {
            return Err(wrong(1, "no empty line stands before the checkpoint"));
        };
        let head = std::str::from_utf8(head).map_err(|_| wrong(1, "it is no UTF-8"))?;
        let mut lines = head.split('\n').zip(1..).peekable();
        if lines.next().is_none_or(|(line, _)| line != FIRST_LINE) {
            return Err(wrong(1, "a proof begins with c2sp.org/tlog-proof@v1"));
        }
        let extra = lines.next_if(|(line, _)| line.starts_with("extra "));
        let extra = extra.map_or(Ok(Vec::new()), |(line, at)| {
            let data = line.strip_prefix("extra ").and_then(from_base64).filter(|data| !data.is_empty());
            data.ok_or_else(|| wrong(at, "extra is followed by base64"))
        })?;
        let (line, at) = lines.next().unwrap_or(("", 2));
        let index = line.strip_prefix("index ").and_then(decimal);
        let index = index.ok_or_else(|| wrong(at, "index and a decimal number are missing"))?;
        let mut hashes = Vec::new();
        for (line, at) in lines {
            if hashes.len() == MOST_HASHES {
                return Err(wrong(at, "a proof has at most 63 hashes"));
            }
            hashes.push(hash_from_base64(line).ok_or_else(|| wrong(at, "a hash is 32 bytes in base64"))?);
        }
        let start = head.split('\n').count() + 2;
        Ok(Self { extra, index, hashes, checkpoint: SignedCheckpoint::at_line(rest, start)? })
    }

    /// Whether the entry is in the log, under a checkpoint that the policy takes.
    ///
    /// # Errors
    /// `Damaged` where the hashes do not lead from the entry to the checkpoint's root; those of [`TrustPolicy::check`].
    pub fn verify(&self, entry: &[u8], trust: &TrustPolicy) -> Result<Vouched> {
        let vouched = trust.check(&self.checkpoint)?;
        self.check_entry(entry)?;
        Ok(vouched)
    }

    /// # Errors
    /// `Damaged` where the hashes do not lead from the entry to the checkpoint's root. Signatures are not looked at.
    pub fn check_entry(&self, entry: &[u8]) -> Result<()> {
        let checkpoint = self.checkpoint.checkpoint();
        let root = root_through(&self.hashes, leaf_hash(entry), self.index, checkpoint.size);
        if root == Some(checkpoint.root) {
            return Ok(());
        }
        let message = format!("entry {} is not in the log of that checkpoint", self.index);
        Err(Error::new(ErrorKind::Damaged, message))
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{FIRST_LINE}")?;
        if !self.extra.is_empty() {
            writeln!(f, "extra {}", to_base64(&self.extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        self.hashes.iter().try_for_each(|hash| writeln!(f, "{}", to_base64(hash)))?;
        write!(f, "\n{}", self.checkpoint)
    }
}
