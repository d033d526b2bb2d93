//! What a set of a backup says of itself, so that a restore can tell that it is whole and belongs to the others
//! (`docs/format.md`, section 12).

use std::{
    fmt::Write,
    fs::File,
    io::{self, Read},
    path::Path,
};

use sha2::{Digest, Sha256};

use super::{POLICY_COPY, open_plain};
use crate::{
    error::{Error, ErrorKind, Result},
    ledger::LedgerNote,
    store::sqlite::{FILES, former_ledger},
    text::hex,
};

/// Its name in a set.
pub(super) const MANIFEST: &str = "manifest";
const HEADING: &str = "consignee-backup-v1";
/// More than the manifest of ten thousand restores has.
const LONGEST: u64 = 1024 * 1024;

/// The sets of a backup, which are to be kept apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Records,
    Secrets,
    Keys,
}

impl Part {
    pub(super) const ALL: [Self; 3] = [Self::Records, Self::Secrets, Self::Keys];

    /// Its name, which is that of its folder, too.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Records => "records",
            Self::Secrets => "secrets",
            Self::Keys => "keys",
        }
    }

    /// The databases in it, of a vault whose present ledger has this number.
    pub(super) fn databases(self, ledger: u32) -> Vec<String> {
        let [orders, secrets, keys, present] = FILES.map(str::to_owned);
        match self {
            Self::Records => {
                let former = (1..usize::try_from(ledger).unwrap_or(usize::MAX)).map(former_ledger);
                [orders, present].into_iter().chain(former).collect()
            }
            Self::Secrets => vec![secrets],
            Self::Keys => vec![keys],
        }
    }
}

/// Which backup, of which vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) vault: [u8; 16],
    /// Random.
    pub(super) backup: [u8; 16],
    pub(super) taken_at: u64,
    /// Which ledger, and what it was.
    pub(super) ledger: LedgerNote,
}

/// A file of a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Copied {
    pub(super) name: String,
    pub(super) size: u64,
    pub(super) digest: [u8; 32],
}

impl Copied {
    /// What a file is, by reading it, while `copy` gets what was read.
    pub(super) fn read(name: &str, file: &mut impl Read, mut copy: impl io::Write) -> io::Result<Self> {
        let (mut hash, mut size) = (Sha256::new(), 0);
        let mut block = vec![0; 1 << 16];
        loop {
            let read = file.read(&mut block)?;
            let Some(bytes) = block.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
            copy.write_all(bytes)?;
            hash.update(bytes);
            size += bytes.len() as u64;
        }
        Ok(Self { name: name.to_owned(), size, digest: hash.finalize().into() })
    }
}

/// What stands in a set's manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Manifest {
    pub(super) part: Part,
    pub(super) moment: Moment,
    pub(super) files: Vec<Copied>,
}

impl Manifest {
    /// All but the last line, which is a tag over this.
    pub(super) fn text(&self) -> String {
        let Moment { vault, backup, taken_at, ledger } = &self.moment;
        let part = self.part.name();
        let mut text = format!("{HEADING}\npart {part}\nvault {}\nbackup {}\n", hex(vault), hex(backup));
        let _infallible = writeln!(text, "time {taken_at}\nledger {ledger}");
        for Copied { name, size, digest } in &self.files {
            let _infallible = writeln!(text, "file {name} {size} {}", hex(digest));
        }
        text
    }

    /// Reads the manifest of a set, and its tag.
    pub(super) fn read(set: &Path, part: Part) -> Result<(Self, [u8; 32])> {
        let no_set = || {
            let message = format!("there is no set of {} of a backup at this path", part.name());
            Error::new(ErrorKind::NotFound, message).with_hint("backup makes one; its folder has a manifest")
        };
        let file: File = open_plain(&set.join(MANIFEST)).ok_or_else(no_set)?;
        let mut text = String::new();
        let read = file.take(LONGEST).read_to_string(&mut text);
        read.map_err(|_| damaged(part, "the manifest cannot be read as text"))?;
        let first = text.lines().next().unwrap_or_default();
        if first != HEADING && first.starts_with("consignee-backup-v") {
            return Err(Error::new(ErrorKind::NewerFormat, "the backup is of a newer version")
                .with_hint("update this program"));
        }
        let (manifest, tag) =
            Self::parse(&text).ok_or_else(|| damaged(part, "the manifest does not follow its format"))?;
        if manifest.part != part {
            let found = manifest.part.name();
            return Err(Error::new(ErrorKind::Conflict, format!("this is the set of {found}"))
                .with_hint(format!("give the set of {}", part.name())));
        }
        Ok((manifest, tag))
    }

    /// Only what [`Manifest::text`] makes, and its tag.
    fn parse(text: &str) -> Option<(Self, [u8; 32])> {
        let (body, tag) = text.strip_suffix('\n')?.rsplit_once("\ntag ")?;
        let mut lines = body.lines();
        (lines.next()? == HEADING).then_some(())?;
        let mut value = |key: &str| lines.next()?.strip_prefix(key)?.strip_prefix(' ');
        let part = value("part")?;
        let part = Part::ALL.into_iter().find(|known| known.name() == part)?;
        let (vault, backup) = (unhex(value("vault")?)?, unhex(value("backup")?)?);
        let taken_at = value("time")?.parse().ok()?;
        let moment = Moment { vault, backup, taken_at, ledger: value("ledger")?.parse().ok()? };
        let file = |line: &str| {
            let [name, size, digest] = words(line.strip_prefix("file ")?)?;
            Some(Copied { name: name.to_owned(), size: size.parse().ok()?, digest: unhex(digest)? })
        };
        let files = lines.map(file).collect::<Option<_>>()?;
        let manifest = Self { part, moment, files };
        // Whatever else would read the same; and no other files, nor any outside of the set.
        let whole = manifest.text().strip_suffix('\n') == Some(body) && manifest.has_its_files();
        whole.then_some((manifest, unhex(tag)?))
    }

    /// The databases of its part, and beside the records the copy of the policy, if there was one.
    fn has_its_files(&self) -> bool {
        let names: Vec<&str> = self.files.iter().map(|file| file.name.as_str()).collect();
        let number = self.moment.ledger.ledger;
        // More ledgers than lines would only make a long list of names.
        if u64::from(number) > names.len() as u64 && self.part == Part::Records {
            return false;
        }
        let expected = self.part.databases(number);
        let (databases, rest) = names.split_at_checked(expected.len()).unwrap_or_default();
        let policy_too = self.part == Part::Records && rest == [POLICY_COPY];
        databases == expected && (rest.is_empty() || policy_too)
    }
}

pub(super) fn damaged(part: Part, what: &str) -> Error {
    let message = format!("the backup's set of {} is damaged: {what}", part.name());
    Error::new(ErrorKind::Damaged, message).with_hint("take another copy of this backup, or another backup")
}

fn words<const N: usize>(line: &str) -> Option<[&str; N]> {
    line.split(' ').collect::<Vec<_>>().try_into().ok()
}

/// Small letters only: there is one way to write a manifest.
fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let read = base16ct::lower::decode(text, &mut bytes).ok()?;
    (read.len() == N).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::LedgerState;

    fn manifest(part: Part, ledger: u32) -> Manifest {
        let mut names = part.databases(ledger);
        names.extend((part == Part::Records).then(|| POLICY_COPY.to_owned()));
        let files = names.into_iter().map(|name| Copied { name, size: 4096, digest: [9; 32] });
        let ledger = LedgerNote { ledger, state: LedgerState { size: 12, root: [7; 32] } };
        let moment = Moment { vault: [1; 16], backup: [2; 16], taken_at: 1_700_000_000, ledger };
        Manifest { part, moment, files: files.collect() }
    }

    fn with_tag(text: &str) -> String {
        format!("{text}tag {}\n", hex(&[5; 32]))
    }

    #[test]
    fn a_manifest_comes_back_from_its_text_and_from_nothing_else() {
        for (part, ledger) in [(Part::Records, 1), (Part::Records, 3), (Part::Secrets, 1), (Part::Keys, 2)] {
            let manifest = manifest(part, ledger);
            let text = with_tag(&manifest.text());
            assert_eq!(Manifest::parse(&text), Some((manifest, [5; 32])));
            for at in 0..text.len() {
                assert_eq!(Manifest::parse(&text[..at]), None, "cut at {at}");
                let mut altered = text.clone().into_bytes();
                altered[at] ^= 0x20;
                let altered = String::from_utf8(altered).unwrap();
                let read = Manifest::parse(&altered);
                // Digits of numbers and hashes may be others; a tag finds that.
                assert!(read.is_none_or(|(read, tag)| with_tag(&read.text()) == altered || tag != [5; 32]));
            }
            assert_eq!(Manifest::parse(&text.replace('\n', "\r\n")), None);
            assert_eq!(Manifest::parse(&text.to_uppercase()), None);
            assert_eq!(Manifest::parse(&text.replace("time 1", "time 01")), None);
        }
    }

    #[test]
    fn a_set_has_its_own_files_and_no_others() {
        let text = with_tag(&manifest(Part::Records, 2).text());
        let extra = format!("file ../keys.db 1 {}\ntag ", hex(&[9; 32]));
        for (part, other) in [
            ("ledger-1.db", "ledger-2.db"),
            ("ledger-1.db", "../../etc/passwd"),
            ("orders.db", "secrets.db"),
            ("ledger 2/", "ledger "),
            ("ledger 2/", "ledger 1/"),
            ("ledger 2/", "ledger 3/"),
            ("ledger 2/", "ledger 0/"),
            ("ledger 2/", "ledger 4294967295/"),
            ("tag ", extra.as_str()),
            ("part records", "part keys"),
        ] {
            let wrong = text.replace(part, other);
            assert!(wrong != text && Manifest::parse(&wrong).is_none(), "{other}");
        }
    }
}
