//! Whom a verifier trusts (C2SP tlog-policy): logs, witnesses, and how many of these must have seen a checkpoint.

use std::{collections::HashSet, fmt};

use super::{SignedCheckpoint, VerifierKey, decimal, wrong};
use crate::error::{Error, ErrorKind, Result};

/// Most bytes of a policy, and lines of it that define something.
const LONGEST: usize = 1 << 16;
const MOST: usize = 256;

/// Logs, witnesses and the quorum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustPolicy {
    logs: Vec<VerifierKey>,
    members: Vec<Member>,
    quorum: Option<usize>,
}

/// A witness, or a group of those before it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Member {
    name: Vec<u8>,
    is: Is,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Is {
    Witness(VerifierKey),
    Group { threshold: usize, of: Vec<usize> },
}

/// Who stands behind a checkpoint that a policy takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vouched {
    /// Key of the log that signed it.
    pub log: VerifierKey,
    /// Names of the witnesses that cosigned it, each with the time in seconds since 1970 at which it saw it.
    pub witnesses: Vec<(String, u64)>,
    /// Whether the policy asks for witnesses at all. Where it does not, what the log shows is its operator's word only.
    pub is_witnessed: bool,
}

impl TrustPolicy {
    /// One log, without witnesses.
    pub fn log_only(log: VerifierKey) -> Self {
        Self { logs: vec![log], members: Vec::new(), quorum: None }
    }

    /// Reads a policy file.
    ///
    /// # Errors
    /// `Damaged` with the line, `NewerFormat` with it for a type of key that is not known, `Limit` above 64 KiB or 256 logs, witnesses
    /// and groups.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        if bytes.len() > LONGEST {
            return Err(Error::new(ErrorKind::Limit, "a trust policy has at most 64 KiB"));
        }
        let (mut policy, mut quorum) = (Self { logs: Vec::new(), members: Vec::new(), quorum: None }, None);
        let mut used = HashSet::new();
        for (line, at) in bytes.split(|byte| *byte == b'\n').zip(1..) {
            if line.iter().any(|byte| *byte == 0x7f || *byte < 0x20 && *byte != b'\t') {
                return Err(wrong(at, "there is a control character in it"));
            }
            let words: Vec<&[u8]> =
                line.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty()).collect();
            match words.as_slice() {
                [] => {}
                [first, ..] if first.starts_with(b"#") => {}
                [b"log", key] | [b"log", key, _] => policy.add_log(key, at)?,
                [b"witness", name, key] | [b"witness", name, key, _] => policy.add_witness(name, key, at)?,
                [b"group", name, threshold, of @ ..] if !of.is_empty() => {
                    let mut indices = Vec::new();
                    for member in of {
                        let index = policy.find(member, at)?;
                        if !used.insert(index) {
                            return Err(wrong(at, "a name is a member once, of one group"));
                        }
                        indices.push(index);
                    }
                    policy.add_group(name, threshold, indices, at)?;
                }
                [b"quorum", name] if quorum.is_none() => {
                    quorum = Some(if *name == b"none" { None } else { Some(policy.find(name, at)?) });
                }
                [b"quorum", _] => return Err(wrong(at, "there is one quorum line")),
                _ => {
                    return Err(wrong(
                        at,
                        "it is none of log, witness, group and quorum with what belongs to it",
                    ));
                }
            }
            if policy.logs.len() + policy.members.len() > MOST {
                return Err(Error::new(
                    ErrorKind::Limit,
                    "a trust policy has at most 256 logs, witnesses and groups",
                ));
            }
        }
        let missing =
            || Error::new(ErrorKind::Damaged, "the quorum line is missing: quorum NAME, or quorum none");
        policy.quorum = quorum.ok_or_else(missing)?;
        Ok(policy)
    }

    fn add_log(&mut self, key: &[u8], at: usize) -> Result<()> {
        let key = key_at(key, at)?;
        if key.is_witness() || self.logs.iter().any(|log| log.public() == key.public()) {
            return Err(wrong(at, "the key is a witness's, or that of a log before it"));
        }
        self.logs.push(key);
        Ok(())
    }

    fn add_witness(&mut self, name: &[u8], key: &[u8], at: usize) -> Result<()> {
        let key = key_at(key, at)?;
        if !key.is_witness() || self.witnesses().any(|(_, witness)| witness.public() == key.public()) {
            return Err(wrong(at, "the key is a log's, or that of a witness before it"));
        }
        self.define(name, Is::Witness(key), at)
    }

    fn add_group(&mut self, name: &[u8], threshold: &[u8], of: Vec<usize>, at: usize) -> Result<()> {
        let threshold = match threshold {
            b"any" => Some(1),
            b"all" => Some(of.len()),
            number => {
                std::str::from_utf8(number).ok().and_then(decimal).and_then(|n| usize::try_from(n).ok())
            }
        };
        let threshold = threshold.filter(|number| (1..=of.len()).contains(number));
        let threshold =
            threshold.ok_or_else(|| wrong(at, "the threshold is any, all, or 1 to the number of members"))?;
        self.define(name, Is::Group { threshold, of }, at)
    }

    fn define(&mut self, name: &[u8], is: Is, at: usize) -> Result<()> {
        if name == b"none" || self.members.iter().any(|member| member.name == name) {
            return Err(wrong(at, "the name is taken"));
        }
        self.members.push(Member { name: name.to_vec(), is });
        Ok(())
    }

    fn find(&self, name: &[u8], at: usize) -> Result<usize> {
        let found = self.members.iter().position(|member| member.name == name);
        found.ok_or_else(|| wrong(at, "a name is not that of a witness or group on a line before it"))
    }

    /// The logs that it takes.
    pub fn logs(&self) -> &[VerifierKey] {
        &self.logs
    }

    /// Its witnesses: what it calls them, and their keys.
    pub fn witnesses(&self) -> impl Iterator<Item = (String, &VerifierKey)> {
        self.members.iter().filter_map(|member| match &member.is {
            Is::Witness(key) => Some((String::from_utf8_lossy(&member.name).into_owned(), key)),
            Is::Group { .. } => None,
        })
    }

    /// The witnesses whose cosignatures make the quorum, and how many of them are enough; none of a quorum that is made of groups.
    pub(crate) fn flat_quorum(&self) -> Option<(usize, Vec<&VerifierKey>)> {
        let key = |index: &usize| match &self.members.get(*index)?.is {
            Is::Witness(key) => Some(key),
            Is::Group { .. } => None,
        };
        let quorum = self.quorum?;
        match &self.members.get(quorum)?.is {
            Is::Witness(key) => Some((1, vec![key])),
            Is::Group { threshold, of } => Some((*threshold, of.iter().map(key).collect::<Option<_>>()?)),
        }
    }

    /// Whether it asks for witnesses at all.
    pub fn asks_for_witnesses(&self) -> bool {
        self.quorum.is_some()
    }

    /// The same witnesses and quorum for this log alone.
    ///
    /// # Errors
    /// `Input` where the policy names logs, and not this one.
    pub fn of_log(&self, log: VerifierKey) -> Result<Self> {
        if self.logs.is_empty() || self.logs.contains(&log) {
            return Ok(Self { logs: vec![log], ..self.clone() });
        }
        Err(Error::input("policy", "it names other logs than the one with this key"))
    }

    /// The same witnesses and quorum for this log, in place of those that it names.
    pub(crate) fn for_log(&self, log: VerifierKey) -> Self {
        Self { logs: vec![log], ..self.clone() }
    }

    /// Checks a checkpoint: signed by one of the logs, under that log's name, and cosigned by the quorum.
    ///
    /// # Errors
    /// `CannotOpen` for one that no log of the policy signed, and for a wrong signature by a known key; `NotPermitted` where the quorum
    /// is not reached, with those that are missing.
    pub fn check(&self, signed: &SignedCheckpoint) -> Result<Vouched> {
        let log = self.log_of(signed)?;
        let (mut witnesses, mut has_seen) = (Vec::new(), Vec::new());
        for member in &self.members {
            let seen = match &member.is {
                Is::Witness(key) => {
                    let time = signed.note().signed_by(key)?.flatten();
                    witnesses.extend(time.map(|time| (key.name().to_owned(), time)));
                    time.is_some()
                }
                Is::Group { threshold, of } => {
                    of.iter().filter(|index| has_seen.get(**index) == Some(&true)).count() >= *threshold
                }
            };
            has_seen.push(seen);
        }
        if self.quorum.is_some_and(|index| has_seen.get(index) != Some(&true)) {
            let missing = self
                .members
                .iter()
                .zip(&has_seen)
                .filter(|(member, has)| !**has && matches!(member.is, Is::Witness(_)));
            let name = |member: &Member| String::from_utf8_lossy(&member.name).escape_debug().to_string();
            let missing: Vec<String> = missing.map(|(member, _)| name(member)).collect();
            let message = format!("too few witnesses have cosigned it; missing: {}", missing.join(", "));
            return Err(Error::new(ErrorKind::NotPermitted, message));
        }
        Ok(Vouched { log: log.clone(), witnesses, is_witnessed: self.quorum.is_some() })
    }
}

impl TrustPolicy {
    /// The log that signed a checkpoint. One that changes its key is there with both, under one name.
    fn log_of(&self, signed: &SignedCheckpoint) -> Result<&VerifierKey> {
        let cannot = |message: String| Error::new(ErrorKind::CannotOpen, message);
        let origin = &signed.checkpoint().origin;
        let mut logs = self.logs.iter().filter(|log| log.name() == origin).peekable();
        if logs.peek().is_none() {
            return Err(cannot(format!("the trust policy has no log {}", origin.escape_default())));
        }
        let mut signer = None;
        for log in logs {
            let has_signed = signed.note().signed_by(log)?.is_some();
            signer = signer.or(has_signed.then_some(log));
        }
        signer.ok_or_else(|| {
            cannot(format!("the checkpoint has no signature by a key of the log {}", origin.escape_default()))
        })
    }

    /// The policy's lines, names as the bytes that they are.
    pub fn to_bytes(&self) -> Vec<u8> {
        let name = |index: &usize| self.members.get(*index).map_or(&b""[..], |member| &member.name);
        let mut out = Vec::new();
        let mut line = |words: &[&[u8]]| {
            out.extend_from_slice(&words.join(&b' '));
            out.push(b'\n');
        };
        for log in &self.logs {
            line(&[b"log", log.to_string().as_bytes()]);
        }
        for Member { name: called, is } in &self.members {
            match is {
                Is::Witness(key) => line(&[b"witness", called, key.to_string().as_bytes()]),
                Is::Group { threshold, of } => {
                    let of = of.iter().map(name).collect::<Vec<_>>().join(&b' ');
                    line(&[b"group", called, threshold.to_string().as_bytes(), &of]);
                }
            }
        }
        line(&[b"quorum", self.quorum.as_ref().map_or(b"none", name)]);
        out
    }
}

fn key_at(key: &[u8], at: usize) -> Result<VerifierKey> {
    let key = std::str::from_utf8(key).ok().map(VerifierKey::parse);
    let key = key.ok_or_else(|| wrong(at, "the key is no UTF-8"))?;
    key.map_err(|e| match e.kind() {
        ErrorKind::Input { .. } => wrong(at, &e.to_string()),
        kind => Error::new(kind.clone(), format!("line {at}: {e}")),
    })
}

/// As [`TrustPolicy::to_bytes`]; a name that is no UTF-8 is shown, and cannot be read back.
impl fmt::Display for TrustPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.to_bytes()))
    }
}
