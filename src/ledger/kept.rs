//! A checkpoint that is kept outside of a vault: what the ledger was, signed, and from where on it is to be read to see that it goes on
//! from there.

use std::{
    fmt::{self, Write},
    fs,
    io::Read,
    path::Path,
};

use super::{LedgerNote, LedgerState, tree};
use crate::{
    error::{Error, ErrorKind, Result},
    store::LedgerHead,
    tlog::{Checkpoint, NoteKey, SignedCheckpoint, VerifierKey, hash_from_base64, to_base64},
};

/// The first line, without the number of the form.
const KIND: &str = "consignee-kept-checkpoint-v";
const FORM: &str = "1";
/// Most bytes of one: 64 hashes, and a note with a hundred signatures.
const LONGEST: u64 = 1 << 16;

/// A checkpoint as [`Vault::keep_checkpoint`](crate::Vault::keep_checkpoint) keeps it in a file outside of the vault (`docs/format.md`,
/// section 8). Whether the vault signed it is not checked before it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptCheckpoint {
    head: LedgerHead,
    signed: SignedCheckpoint,
}

impl KeptCheckpoint {
    pub(super) fn of(head: LedgerHead, key: &NoteKey) -> Self {
        let signed = LedgerState::from(&head).checkpoint(key).sign(key);
        Self { head, signed }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// `NotFound`; `Storage` for a link or what is no plain file, or cannot be read; those of [`KeptCheckpoint::parse`].
    pub fn read(file: &Path) -> Result<Self> {
        let storage = |message: &'static str| Error::new(ErrorKind::Storage, message);
        let meta = file.symlink_metadata().map_err(|_| {
            Error::new(ErrorKind::NotFound, "there is no checkpoint kept at this path")
                .with_hint("ledger checkpoint VAULT -o FILE makes it; it may also have been taken away")
        })?;
        // A pipe would keep its reader waiting.
        if !meta.is_file() {
            return Err(
                storage("the checkpoint's file is not a plain file").with_hint("links are not followed")
            );
        }
        let mut bytes = Vec::new();
        let read = fs::File::open(file).and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes));
        read.map_err(|_| storage("the checkpoint's file cannot be read"))?;
        Self::parse(&bytes)
    }

    /// Reads the bytes of a file.
    ///
    /// # Errors
    /// `Damaged` for what is none, or whose hashes do not give the checkpoint's root; `NewerFormat`; `Limit` above 64 KiB.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let damaged = || Error::new(ErrorKind::Damaged, "the file holds no checkpoint that was kept");
        if bytes.len() as u64 > LONGEST {
            return Err(Error::new(ErrorKind::Limit, "a checkpoint that is kept has at most 64 KiB"));
        }
        let blank = bytes.windows(2).position(|pair| pair == b"\n\n").ok_or_else(damaged)?;
        let (head, note) = bytes.split_at_checked(blank + 2).ok_or_else(damaged)?;
        let head = std::str::from_utf8(head).map_err(|_| damaged())?;
        let mut lines = head.trim_end_matches('\n').split('\n');
        let form = lines.next().and_then(|line| line.strip_prefix(KIND)).ok_or_else(damaged)?;
        if form != FORM {
            let is_number = !form.is_empty() && form.bytes().all(|byte| byte.is_ascii_digit());
            let newer =
                || Error::new(ErrorKind::NewerFormat, "the checkpoint that was kept is of a later form");
            return Err(if is_number { newer() } else { damaged() });
        }
        let frontier = lines.map(hash_from_base64).collect::<Option<Vec<_>>>().ok_or_else(damaged)?;
        let signed = SignedCheckpoint::parse(note)?;
        let Checkpoint { size, root, .. } = *signed.checkpoint();
        let head = LedgerHead { size, frontier };
        // One subtree for each bit of the size, or going on from it would build another tree.
        if head.frontier.len() != size.count_ones() as usize || tree::root(&head) != root {
            return Err(Error::new(ErrorKind::Damaged, "its hashes do not give the checkpoint's root"));
        }
        Ok(Self { head, signed })
    }

    /// The checkpoint.
    pub fn signed(&self) -> &SignedCheckpoint {
        &self.signed
    }

    pub(super) fn head(&self) -> &LedgerHead {
        &self.head
    }

    /// The number of the ledger that it says it is of, where that is a ledger of the vault of this name.
    pub(crate) fn ledger_of(&self, name: &str) -> Result<u32> {
        let number =
            self.signed.checkpoint().origin.strip_prefix(name).and_then(|rest| rest.strip_prefix('/'));
        let number =
            number.and_then(|text| text.parse().ok().filter(|n: &u32| n.to_string() == text && *n > 0));
        number.ok_or_else(|| {
            Error::new(ErrorKind::CannotOpen, "the checkpoint that was kept is of another vault")
        })
    }

    /// What it notes of a ledger of the vault of this name, whose key signed it.
    ///
    /// # Errors
    /// `CannotOpen` if that is not so.
    pub(crate) fn note(&self, name: &str, public: [u8; 32]) -> Result<LedgerNote> {
        let ledger = self.ledger_of(name)?;
        self.signed.check_log(&VerifierKey::of_log(&self.signed.checkpoint().origin, public)?)?;
        Ok(LedgerNote { ledger, state: (&self.head).into() })
    }
}

/// The bytes of the file.
impl fmt::Display for KeptCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{KIND}{FORM}")?;
        self.head.frontier.iter().try_for_each(|hash| writeln!(f, "{}", to_base64(hash)))?;
        f.write_char('\n')?;
        self.signed.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{suite::Secret, tlog::leaf_hash};

    fn key(origin: &str, seed: u8) -> NoteKey {
        NoteKey::of_log(origin, &Secret::new([seed; 32])).unwrap()
    }

    fn kept(entries: u8) -> KeptCheckpoint {
        let mut head = LedgerHead::default();
        (0..entries).for_each(|n| tree::push(&mut head, leaf_hash(&[n])));
        KeptCheckpoint::of(head, &key("consignee/07/2", 1))
    }

    #[test]
    fn a_kept_checkpoint_comes_back_from_its_bytes() {
        for entries in [0, 1, 2, 7, 8, 200] {
            let text = kept(entries).to_string();
            assert_eq!(KeptCheckpoint::parse(text.as_bytes()).unwrap(), kept(entries));
        }
        let public = key("x", 1).public().public();
        let note = kept(7).note("consignee/07", public).unwrap();
        assert_eq!((note.ledger, note.state.size, note.state.root), (2, 7, tree::root(kept(7).head())));
    }

    #[test]
    fn no_byte_of_it_can_be_changed() {
        let public = key("x", 1).public().public();
        let whole = kept(7).to_string().into_bytes();
        let taken = |bytes: &[u8]| {
            KeptCheckpoint::parse(bytes).is_ok_and(|kept| kept.note("consignee/07", public).is_ok())
        };
        assert!(taken(&whole));
        for at in 0..whole.len() {
            for flip in [1, 2, 0x20, 0x80] {
                let mut altered = whole.clone();
                altered[at] ^= flip;
                assert!(!taken(&altered), "byte {at}: {}", String::from_utf8_lossy(&altered));
            }
            assert!(!taken(&whole[..at]), "cut at {at}");
        }
    }

    #[test]
    fn it_is_of_one_vault_and_signed_by_its_key() {
        let public = key("x", 1).public().public();
        let refused = |kept: &KeptCheckpoint, name: &str, public| {
            *kept.note(name, public).unwrap_err().kind() == ErrorKind::CannotOpen
        };
        assert!(refused(&kept(7), "consignee/08", public));
        assert!(refused(&kept(7), "consignee/0", public));
        assert!(refused(&kept(7), "consignee/07", key("x", 2).public().public()));
        for origin in [
            "consignee/07/0",
            "consignee/07/02",
            "consignee/07/+2",
            "consignee/07/",
            "consignee/07/4294967296",
        ] {
            let kept = KeptCheckpoint {
                signed: Checkpoint { origin: origin.into(), ..kept(7).signed.checkpoint().clone() }
                    .sign(&key("x", 1)),
                ..kept(7)
            };
            assert!(refused(&kept, "consignee/07", public), "{origin}");
        }
    }

    #[test]
    fn what_is_none_is_refused() {
        let kind = |text: &str| KeptCheckpoint::parse(text.as_bytes()).unwrap_err().kind().clone();
        let whole = kept(7).to_string();
        assert_eq!(kind(&whole.replacen("-v1", "-v2", 1)), ErrorKind::NewerFormat);
        assert_eq!(kind(&whole.replacen("-v1", "-vx", 1)), ErrorKind::Damaged);
        assert_eq!(kind(&kept(7).signed.to_string()), ErrorKind::Damaged, "a checkpoint without its hashes");
        let (first, rest) = whole.split_once('\n').unwrap();
        let hash = rest.split('\n').next().unwrap();
        assert_eq!(kind(&format!("{first}\n{hash}\n{rest}")), ErrorKind::Damaged, "a hash too many");
        assert_eq!(kind(&whole.replacen(&format!("{hash}\n"), "", 1)), ErrorKind::Damaged, "a hash too few");
        assert_eq!(kind(&format!("{first}\n{}", "\n".repeat(1 << 16))), ErrorKind::Limit);
        assert_eq!(kind(""), ErrorKind::Damaged);
    }
}
