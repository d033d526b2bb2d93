//! One entry of the ledger, byte for byte (`docs/format.md`, section 8).

use consignee_policy::PartId;

use crate::error::{Error, ErrorKind, Result};

/// Most bytes an entry may have.
pub(crate) const MAX_ENTRY: usize = 4096;
const MAGIC: &[u8; 4] = b"cns1";

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EntryKind {
    /// A policy came into force.
    Policy,
    /// Field keys were made.
    Epoch,
    /// A party was added or changed.
    Party,
    /// A party got its keys.
    Grant,
    /// A party was revoked.
    Revoke,
    /// Keys were replaced.
    Rotation,
    /// An order was stored.
    Put,
    /// An order was changed.
    Update,
    /// An order was sealed anew without a change.
    Reseal,
    /// A party searched.
    Search,
    /// Parts of an order were opened for a party.
    Disclosure,
    /// An opening was refused.
    Denied,
    /// An order was closed.
    Close,
    /// An order's secret was destroyed.
    Shred,
    /// An earlier ledger was lost and this one succeeds it.
    Lost,
    /// Something that a later version knows, by its number. Kept and hashed, not interpreted.
    Later(u8),
}

impl EntryKind {
    /// The kinds in the order of their numbers, from 1.
    const ALL: [(Self, &'static str); 15] = [
        (Self::Policy, "policy"),
        (Self::Epoch, "epoch"),
        (Self::Party, "party"),
        (Self::Grant, "grant"),
        (Self::Revoke, "revoke"),
        (Self::Rotation, "rotation"),
        (Self::Put, "put"),
        (Self::Update, "update"),
        (Self::Reseal, "reseal"),
        (Self::Search, "search"),
        (Self::Disclosure, "disclosure"),
        (Self::Denied, "denied"),
        (Self::Close, "close"),
        (Self::Shred, "shred"),
        (Self::Lost, "lost"),
    ];

    /// The kind of a number, `None` for 0.
    fn from_number(number: u8) -> Option<Self> {
        let known = Self::ALL.get(usize::from(number.checked_sub(1)?));
        Some(known.map_or(Self::Later(number), |(kind, _)| *kind))
    }

    /// Its number in entries.
    pub fn number(self) -> u8 {
        match self {
            Self::Later(number) => number,
            known => {
                (1..).zip(&Self::ALL).find(|(_, (kind, _))| *kind == known).map_or(0, |(number, _)| number)
            }
        }
    }

    /// Its name in listings.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("of a later version", |(_, name)| name)
    }
}

/// An entry. Holds no personal data: orders are named by handles, contents by hiding commitments.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// What happened.
    pub kind: EntryKind,
    /// When, in seconds since 1970.
    pub time: u64,
    /// The order, as the ledger names it towards this party; zeros where no order is meant.
    pub handle: [u8; 16],
    /// Key id of the party; of the vault for what the vault does itself.
    pub party: [u8; 16],
    /// Revision of the order; 0 where no order is meant.
    pub revision: u32,
    /// Why; empty where there is no purpose.
    pub purpose: String,
    /// Digest of the policy in force.
    pub policy: [u8; 32],
    /// Parts concerned, ascending.
    pub parts: Vec<PartId>,
    /// Commitments, by kind.
    pub commitments: Vec<[u8; 32]>,
    /// Hash of the party's signed request; zeros without one.
    pub request: [u8; 32],
    /// What else its kind records.
    pub detail: Vec<u8>,
}

impl Entry {
    /// An entry of this kind, with nothing in it yet; the ledger sets its time.
    pub(crate) fn new(kind: EntryKind, party: [u8; 16], policy: [u8; 32]) -> Self {
        Self {
            kind,
            time: 0,
            handle: [0; 16],
            party,
            revision: 0,
            purpose: String::new(),
            policy,
            parts: Vec::new(),
            commitments: Vec::new(),
            request: [0; 32],
            detail: Vec::new(),
        }
    }

    /// Of a party's entry, the role it acts in.
    pub(crate) fn listed_role(&self) -> Option<&str> {
        let (len, rest) = self.detail.split_first()?;
        std::str::from_utf8(rest.get(..usize::from(*len))?).ok()
    }

    /// Of a party's entry, all key ids that the party had until then.
    pub(crate) fn listed_key_ids(&self) -> impl Iterator<Item = &[u8; 16]> {
        let (role_len, rest) = self.detail.split_first().unwrap_or((&0, &[]));
        rest.get(usize::from(*role_len) + 1..).unwrap_or_default().as_chunks().0.iter()
    }

    /// Its bytes.
    ///
    /// # Errors
    /// `Limit` above 4,096 bytes, or if a list is longer than its count can say.
    pub(crate) fn encode(&self) -> Result<Vec<u8>> {
        let too_long = || Error::new(ErrorKind::Limit, "a ledger entry holds at most 4,096 bytes");
        let count = |len: usize| u8::try_from(len).map_err(|_| too_long());
        let mut out = Vec::with_capacity(256);
        out.extend_from_slice(MAGIC);
        out.push(self.kind.number());
        out.extend_from_slice(&self.time.to_le_bytes());
        out.extend_from_slice(&self.handle);
        out.extend_from_slice(&self.party);
        out.extend_from_slice(&self.revision.to_le_bytes());
        out.push(count(self.purpose.len())?);
        out.extend_from_slice(self.purpose.as_bytes());
        out.extend_from_slice(&self.policy);
        out.push(count(self.parts.len())?);
        self.parts.iter().for_each(|part| out.extend_from_slice(&part.get().to_le_bytes()));
        out.push(count(self.commitments.len())?);
        self.commitments.iter().for_each(|commitment| out.extend_from_slice(commitment));
        out.extend_from_slice(&self.request);
        out.extend_from_slice(&u16::try_from(self.detail.len()).map_err(|_| too_long())?.to_le_bytes());
        out.extend_from_slice(&self.detail);
        if out.len() > MAX_ENTRY { Err(too_long()) } else { Ok(out) }
    }

    /// Reads an entry.
    ///
    /// # Errors
    /// `Damaged` for bytes that are no entry.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let damaged = || Error::new(ErrorKind::Damaged, "a ledger entry does not follow its format");
        let mut rest = bytes;
        let mut take = |len: usize| {
            let (head, tail) = rest.split_at_checked(len).ok_or_else(damaged)?;
            rest = tail;
            Ok::<_, Error>(head)
        };
        if bytes.len() > MAX_ENTRY || take(4)? != MAGIC {
            return Err(damaged());
        }
        let kind = EntryKind::from_number(take(1)?[0]).ok_or_else(damaged)?;
        let time = u64::from_le_bytes(array(take(8)?).ok_or_else(damaged)?);
        let handle = array(take(16)?).ok_or_else(damaged)?;
        let party = array(take(16)?).ok_or_else(damaged)?;
        let revision = u32::from_le_bytes(array(take(4)?).ok_or_else(damaged)?);
        let purpose_len = take(1)?[0];
        let purpose = std::str::from_utf8(take(purpose_len.into())?).map_err(|_| damaged())?.to_owned();
        let policy = array(take(32)?).ok_or_else(damaged)?;
        let part_count = take(1)?[0];
        let parts = take(usize::from(part_count) * 2)?;
        let part = |pair: &[u8]| array(pair).and_then(|n| PartId::new(u16::from_le_bytes(n)));
        let parts: Vec<PartId> = parts.chunks_exact(2).filter_map(part).collect();
        let count = take(1)?[0];
        let commitments = take(usize::from(count) * 32)?.chunks_exact(32).filter_map(array).collect();
        let request = array(take(32)?).ok_or_else(damaged)?;
        let detail_len = u16::from_le_bytes(array(take(2)?).ok_or_else(damaged)?);
        let detail = take(detail_len.into())?.to_vec();
        if !rest.is_empty() || parts.len() != usize::from(part_count) || !parts.is_sorted_by(|a, b| a < b) {
            return Err(damaged());
        }
        Ok(Self { kind, time, handle, party, revision, purpose, policy, parts, commitments, request, detail })
    }
}

/// Sets the time in the bytes of an entry.
pub(super) fn set_time(bytes: &mut [u8], time: u64) {
    // magic (4) ‖ type (1) ‖ time (8)
    if let Some(place) = bytes.get_mut(5..13) {
        place.copy_from_slice(&time.to_le_bytes());
    }
}

fn array<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(number: u16) -> PartId {
        PartId::new(number).unwrap()
    }

    fn full() -> Entry {
        Entry {
            time: 1_700_000_000,
            handle: [1; 16],
            revision: 3,
            purpose: "delivery".into(),
            parts: vec![part(3), part(4)],
            commitments: vec![[7; 32]],
            request: [8; 32],
            detail: vec![9; 3],
            ..Entry::new(EntryKind::Disclosure, [2; 16], [5; 32])
        }
    }

    #[test]
    fn an_entry_comes_back_from_its_bytes_and_from_nothing_else() {
        let bytes = full().encode().unwrap();
        assert_eq!(Entry::decode(&bytes).unwrap(), full());
        for at in 0..bytes.len() {
            assert!(Entry::decode(&bytes[..at]).is_err(), "cut at {at}");
        }
        assert!(Entry::decode(&[bytes.as_slice(), &[0]].concat()).is_err());
    }

    #[test]
    fn the_time_is_set_in_its_place() {
        let mut bytes = Entry { time: 0, ..full() }.encode().unwrap();
        set_time(&mut bytes, full().time);
        assert_eq!(bytes, full().encode().unwrap());
    }

    #[test]
    fn a_type_of_a_later_version_is_kept_and_comes_back_the_same() {
        let mut bytes = full().encode().unwrap();
        bytes[4] = 16;
        let later = Entry::decode(&bytes).unwrap();
        assert_eq!((later.kind, later.kind.name()), (EntryKind::Later(16), "of a later version"));
        assert_eq!(later.encode().unwrap(), bytes);
        bytes[4] = 0;
        assert_eq!(Entry::decode(&bytes).unwrap_err().kind(), &ErrorKind::Damaged);
    }

    #[test]
    fn parts_out_of_order_are_refused() {
        let entry = Entry { parts: vec![part(4), part(3)], ..full() };
        assert_eq!(Entry::decode(&entry.encode().unwrap()).unwrap_err().kind(), &ErrorKind::Damaged);
    }

    #[test]
    fn an_entry_holds_at_most_4096_bytes() {
        let entry = Entry { commitments: vec![[0; 32]; 127], ..full() };
        assert_eq!(entry.encode().unwrap_err().kind(), &ErrorKind::Limit);
    }
}
