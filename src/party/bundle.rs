//! Bundles: copies of orders for one party and one purpose, each with its ticket (`docs/format.md`, section 14).

use std::{ops::Range, sync::Arc};

use consignee_policy::PartId;
use zeroize::Zeroizing;

use super::{
    Keyring,
    envelope::{Envelope, Kind, damaged},
    frame::{Frame, put_str8},
};
use crate::{
    alias::Alias,
    error::{Error, ErrorKind, Result},
    keys::{Halves, HalvesOf, Ticket},
    ledger::EntryPlace,
    record::{self, MAX_RECORD, Plaintext, Record},
    suite::{Secret, wiping_stack_once},
    view::{FromView, Names, Opened, View, check_names},
};

/// Most copies of a bundle.
pub(crate) const MOST_COPIES: usize = 65_536;
/// Bytes of a copy before its record.
pub(crate) const BEFORE_RECORD: usize = 8 + 4 + 8 + Alias::WRITTEN + 4;

/// A signed and sealed set of copies, unsealed: who it is for, why, how long. Its orders open with the keyring.
pub struct Bundle {
    payload: Zeroizing<Vec<u8>>,
    copies: Vec<Place>,
    origin: String,
    party: String,
    role: String,
    purpose: String,
    pub(super) issued: u64,
    pub(super) expires: u64,
    permitted: Vec<PartId>,
    /// What it was opened at, by a clock that does not go back.
    pub(super) now: u64,
}

/// Where a copy stands in the payload. Its record follows the format.
struct Place {
    index: u64,
    revision: u32,
    expires: u64,
    alias: Alias,
    record: Range<usize>,
    ticket: Range<usize>,
}

impl Bundle {
    /// The party that it is for.
    pub fn party(&self) -> &str {
        &self.party
    }

    /// The role that the party acts in.
    pub fn role(&self) -> &str {
        &self.role
    }

    /// What the orders were shared for.
    pub fn purpose(&self) -> &str {
        &self.purpose
    }

    /// When it was made, seconds since 1970.
    pub fn issued_at(&self) -> u64 {
        self.issued
    }

    /// When it ends, seconds since 1970; none where it does not. An order in it may end earlier.
    pub fn expires_at(&self) -> Option<u64> {
        Some(self.expires).filter(|end| *end > 0)
    }

    /// Name of the ledger in which each copy has its entry.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Number of orders.
    pub fn len(&self) -> usize {
        self.copies.len()
    }

    /// Never: a bundle has an order at least.
    pub fn is_empty(&self) -> bool {
        self.copies.is_empty()
    }

    /// The orders as the party sees them, in the order in which they were shared. One that does not open leaves the others be. They
    /// are opened some at a time (32 at most), when the first of them is asked for.
    ///
    /// Each item is an error of its order: `Expired`, `CannotOpen` where the keyring has no key of its epoch or of a part (ask for a
    /// new one) or where bytes were altered, `Damaged`.
    pub fn views<'a>(&'a self, keyring: &'a Keyring) -> impl Iterator<Item = Result<View>> + 'a {
        self.views_of(0..self.len(), keyring)
    }

    /// The same of some of the orders, counted from 0 as they were shared; none beyond the last.
    pub fn views_of<'a>(
        &'a self,
        orders: Range<usize>,
        keyring: &'a Keyring,
    ) -> impl Iterator<Item = Result<View>> + 'a {
        let (mut space, mut halves) = (Plaintext::default(), Halves::default());
        let first = orders.start.min(self.len());
        let copies = self.copies.get(first..orders.end.clamp(first, self.len())).unwrap_or_default();
        copies.chunks(Halves::AT_ONCE).flat_map(move |copies| {
            wiping_stack_once(|| {
                self.derive(&mut halves, keyring, copies);
                let open = |(at, copy)| self.open(&mut space, copy, keyring, halves.of(at));
                copies.iter().enumerate().map(open).collect::<Vec<_>>()
            })
        })
    }

    /// The orders as a role's view, or whatever type reads them: its parts are compared with those of the keyring first.
    ///
    /// # Errors
    /// `PolicyMismatch` where the program was compiled against another policy. Each item is an error of its order beside that.
    pub fn views_as<'a, T: FromView>(
        &'a self,
        keyring: &'a Keyring,
    ) -> Result<impl Iterator<Item = Result<Opened<T>>> + 'a> {
        check_names::<T>(&keyring.parts)?;
        Ok(self.views(keyring).map(|view| view?.into_typed()))
    }

    /// What can be derived for copies at once.
    fn derive(&self, halves: &mut Halves, keyring: &Keyring, copies: &[Place]) {
        let records = copies.iter().map(|copy| Record::parse(self.bytes(&copy.record)).ok());
        let mut records = records.peekable();
        let Some(Some(first)) = records.peek().copied() else { return halves.clear() };
        let Some(keys) = keyring.keys.epoch(first.header.epoch) else { return halves.clear() };
        let n1s = records.map(|record| record.map_or([0; 10], |record| record.header.n1));
        halves.derive(keys, first.parts().map(|(part, _)| part), n1s);
    }

    fn open(
        &self,
        space: &mut Plaintext,
        copy: &Place,
        keyring: &Keyring,
        halves: HalvesOf<'_>,
    ) -> Result<View> {
        if copy.expires > 0 && self.now > copy.expires {
            return Err(expired("the time in which this purpose may open the order is over"));
        }
        let record = Record::parse(self.bytes(&copy.record))?;
        let keys = keyring.keys.epoch(record.header.epoch).ok_or_else(|| lacks("the order's epoch"))?;
        let parts: Vec<PartId> = record.parts().map(|(part, _)| part).collect();
        if parts.iter().any(|part| keys.get(*part).is_none()) {
            return Err(lacks("a part of the order"));
        }
        let (secrets, _) = self.bytes(&copy.ticket).as_chunks::<32>();
        let secrets = secrets.iter().map(|secret| Secret::new(*secret)).collect();
        let ticket = Ticket::received(record.header.record_id, self.place_of(copy), parts, secrets);
        let type_of = |part| keyring.parts.iter().find(|known| known.id == part).map(|known| known.ty);
        let opened = record::open(space, &record, (&keyring.keys, halves), &ticket, type_of)?;
        let values = opened.map(|opened| opened.map(|(part, value)| (part, value.to_value())));
        Ok(View {
            names: Names::Keyring(Arc::clone(&keyring.parts)),
            called: None,
            alias: copy.alias.clone(),
            party: self.party.clone(),
            role: self.role.clone(),
            purpose: self.purpose.clone(),
            revision: copy.revision,
            ledger: ticket.place().ledger,
            ledger_index: ticket.place().index,
            permitted: self.permitted.clone(),
            values: values.collect::<Result<_>>()?,
        })
    }

    /// Where the copy's entry is: the origin ends with the number of the ledger.
    fn place_of(&self, copy: &Place) -> EntryPlace {
        EntryPlace { ledger: ledger_of(&self.origin), index: copy.index }
    }

    /// Each copy: place of its entry, alias, record, tickets one after the other.
    pub(super) fn revealed(&self) -> impl Iterator<Item = (EntryPlace, &Alias, &[u8], &[u8])> {
        let copies = self.copies.iter();
        copies.map(|copy| {
            (self.place_of(copy), &copy.alias, self.bytes(&copy.record), self.bytes(&copy.ticket))
        })
    }

    fn bytes(&self, range: &Range<usize>) -> &[u8] {
        self.payload.get(range.clone()).unwrap_or_default()
    }

    /// Reads what was in the envelope. It is opened at its issue, or later.
    pub(super) fn parse(payload: Zeroizing<Vec<u8>>, outside: &Envelope<'_>) -> Result<Self> {
        let wrong = || damaged(Kind::Bundle);
        let mut frame = Frame::new(&payload, Kind::Bundle);
        let (issued, expires) = (frame.u64()?, frame.u64()?);
        let [party, role, purpose] = [frame.str8()?, frame.str8()?, frame.str8()?].map(str::to_owned);
        let permitted = frame.parts()?;
        let count = frame.u32()?;
        if !(1..=MOST_COPIES).contains(&count) || count > frame.left() / BEFORE_RECORD {
            return Err(wrong());
        }
        let mut copies = Vec::with_capacity(count);
        for _ in 0..count {
            copies.push(Place::read(&mut frame, outside)?);
        }
        frame.end()?;
        let origin = outside.origin.to_owned();
        Ok(Self { payload, copies, origin, party, role, purpose, issued, expires, permitted, now: issued })
    }
}

impl Place {
    fn read(frame: &mut Frame<'_>, outside: &Envelope<'_>) -> Result<Self> {
        let wrong = || damaged(Kind::Bundle);
        let (index, revision, expires) = (frame.u64()?, frame.number()?, frame.u64()?);
        let alias = frame.alias()?;
        let length = Some(frame.u32()?).filter(|length| *length <= MAX_RECORD).ok_or_else(wrong)?;
        let at = frame.before().len();
        let parsed = Record::parse(frame.bytes(length)?)?;
        // A stored record has no ticket that leaves the vault, and so none comes from outside.
        if parsed.header.revision != 0 || parsed.header.vault != outside.vault {
            return Err(wrong());
        }
        let secrets = 32 * parsed.parts().count();
        let ticket = at + length;
        frame.bytes(secrets)?;
        Ok(Self { index, revision, expires, alias, record: at..ticket, ticket: ticket..ticket + secrets })
    }
}

// By hand: no value, no ticket.
impl std::fmt::Debug for Bundle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bundle")
            .field("role", &self.role)
            .field("purpose", &self.purpose)
            .field("orders", &self.copies.len())
            .finish_non_exhaustive()
    }
}

/// Number of the ledger of an origin.
pub(super) fn ledger_of(origin: &str) -> u32 {
    origin.rsplit('/').next().and_then(|number| number.parse().ok()).unwrap_or(1)
}

pub(super) fn expired(message: &'static str) -> Error {
    Error::new(ErrorKind::Expired, message)
}

fn lacks(what: &str) -> Error {
    Error::new(ErrorKind::CannotOpen, format!("the keyring has no key of {what}"))
        .with_hint("ask the shop for a new keyring")
}

/// One copy with its ticket, ready to be packed.
pub(crate) struct PackedCopy {
    pub(crate) record: Vec<u8>,
    pub(crate) ticket: Ticket,
    pub(crate) revision: u32,
    /// Seconds since 1970; 0 for never.
    pub(crate) expires: u64,
    pub(crate) alias: Alias,
}

/// The content of a bundle.
pub(crate) struct Contents<'a> {
    pub(crate) issued: u64,
    pub(crate) expires: u64,
    pub(crate) party: &'a str,
    pub(crate) role: &'a str,
    pub(crate) purpose: &'a str,
    /// What the purpose opens, ascending.
    pub(crate) permitted: &'a [PartId],
    pub(crate) copies: &'a [PackedCopy],
}

impl Contents<'_> {
    /// Its bytes, before they are sealed.
    ///
    /// # Errors
    /// `Limit`.
    pub(crate) fn encode(&self) -> Result<Zeroizing<Vec<u8>>> {
        let size = |copy: &PackedCopy| BEFORE_RECORD + copy.record.len() + 32 * copy.ticket.parts().count();
        let total: usize = self.copies.iter().map(size).sum();
        // At once: growing would leave copies of tickets behind.
        let mut out = Zeroizing::new(Vec::with_capacity(1024 + total));
        out.extend_from_slice(&self.issued.to_le_bytes());
        out.extend_from_slice(&self.expires.to_le_bytes());
        for name in [self.party, self.role, self.purpose] {
            put_str8(&mut out, name)?;
        }
        out.push(u8::try_from(self.permitted.len()).unwrap_or(u8::MAX));
        self.permitted.iter().for_each(|part| out.extend_from_slice(&part.get().to_le_bytes()));
        out.extend_from_slice(&u32::try_from(self.copies.len()).unwrap_or(u32::MAX).to_le_bytes());
        for copy in self.copies {
            out.extend_from_slice(&copy.ticket.place().index.to_le_bytes());
            out.extend_from_slice(&copy.revision.to_le_bytes());
            out.extend_from_slice(&copy.expires.to_le_bytes());
            out.extend_from_slice(copy.alias.to_string().as_bytes());
            out.extend_from_slice(&u32::try_from(copy.record.len()).unwrap_or(u32::MAX).to_le_bytes());
            out.extend_from_slice(&copy.record);
            copy.ticket.parts().for_each(|(_, secret)| out.extend_from_slice(secret.expose()));
        }
        Ok(out)
    }
}
