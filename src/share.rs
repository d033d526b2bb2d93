//! What leaves the house: keyrings, and copies of orders. A copy is sealed anew under a secret, an id and numbers of its own, with the
//! party's parts and lines only; the stored record and its ticket stay. Policy check, copy sealed, entry durable, ticket released
//! against its receipt, bundle.

use std::sync::Arc;

use consignee_policy::PartId;

use crate::{
    alias::Alias,
    cores,
    error::{Error, ErrorKind, Result},
    keys::{Halves, PreparedTicket, Sought},
    ledger::{Entry, EntryKind, Ledger, now},
    opener::{
        Admitted, Asked, Desk, Meanwhile, Request, changed_meanwhile, check_directory, check_policy, closed,
        no_receipt, ticket_for,
    },
    party::{Address, BEFORE_RECORD, Contents, Issue, Kind, MOST_COPIES, PackedCopy, seal, to_base64},
    record::{self, Content, Place, Plaintext, Record, Reopened, Workspace},
    registry::{KnownParty, PartyState, Registry},
    sealer::no_randomness,
    suite::{SealRng, commit},
    value::{Plain, Value},
    view::NamedPart,
};

/// What became of orders that were to be shared.
#[non_exhaustive]
pub struct Shared {
    /// The bundle, to be sent to the party by whatever way; none where none of the orders could be shared.
    pub bundle: Option<Vec<u8>>,
    /// When the bundle ends, seconds since 1970; none where it does not. An order in it may end earlier.
    pub expires: Option<u64>,
    /// For each order asked for, in their order: its copy in the bundle, or why there is none.
    pub orders: Vec<Result<SharedOrder>>,
}

impl Shared {
    /// The bundle as base64 text, for JSON and the like.
    pub fn to_base64(&self) -> Option<String> {
        self.bundle.as_deref().map(to_base64)
    }
}

/// An order of which a copy was shared.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SharedOrder {
    /// The order, as the party knows it.
    pub alias: Alias,
    /// Number of the ledger that has the disclosure's entry.
    pub ledger: u32,
    /// Index of the entry in it.
    pub ledger_index: u64,
}

// Without the alias: it names order and party, in whatever log it gets into.
impl std::fmt::Debug for SharedOrder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SharedOrder").field("ledger_index", &self.ledger_index).finish_non_exhaustive()
    }
}

/// A keyring for a party, and its entry: what it may open, in all epochs that are open.
pub(crate) fn keyring(registry: &Registry, party: &KnownParty) -> Result<(Vec<u8>, Entry)> {
    if party.state == PartyState::Revoked {
        return Err(Error::new(ErrorKind::Revoked, "the party has been revoked"));
    }
    let (card, issuing) = registry.issuer().ok_or_else(no_issuer)?;
    let policy = registry.policy()?;
    let named = |id: &PartId| {
        let part = policy.part(*id)?;
        Some(NamedPart { id: *id, name: part.name.to_owned(), ty: part.ty })
    };
    let parts: Vec<NamedPart> = policy.role_parts(&party.role).iter().filter_map(named).collect();
    if parts.is_empty() {
        return Err(Error::new(ErrorKind::NotPermitted, "the party's role opens nothing"));
    }
    let issue = Issue {
        issued: now(),
        party: &party.name,
        role: &party.role,
        parts: &parts,
        epochs: &registry.epochs,
    };
    let key_id = party.key_id(registry.vault);
    let origin = &registry.ledger_origin();
    let to = Address { card: &card, origin, party: key_id, key: party.key()?, policy: policy.digest() };
    let file = seal(Kind::Keyring, &to, issuing, issue.encode()?)?;
    let mut entry = Entry::new(EntryKind::Grant, key_id, policy.digest());
    entry.parts = parts.iter().map(|part| part.id).collect();
    entry.commitments = vec![commit("consignee/v1/commit/keyring", &[&file])];
    entry.detail = registry.epochs.iter().flat_map(|epoch| epoch.epoch.to_le_bytes()).collect();
    Ok((file, entry))
}

/// Copies of orders for a party, entered and packed. `until` ends the bundle, where the purpose does not end it before.
pub(crate) fn share<'a>(
    ledger: &Ledger,
    registry: &Arc<Registry>,
    request: &Request<'_>,
    (asked, until): (Vec<Result<Asked<'a>>>, Option<u64>),
    meanwhile: impl FnOnce() -> Result<Meanwhile>,
) -> Result<Shared> {
    if asked.len() > MOST_COPIES {
        return Err(Error::new(ErrorKind::Limit, "a bundle has at most 65,536 orders"));
    }
    let desk = Desk::new(registry, request)?;
    let mut access = match desk.admit() {
        Ok(access) => access.clone(),
        Err(refusal) => {
            ledger.deny(&desk.denial(refusal.kind(), 1))?;
            return Err(refusal);
        }
    };
    desk.narrow(&mut access);
    let (card, issuing) = registry.issuer().ok_or_else(no_issuer)?;
    let key = desk.party.key()?;
    let mut asked: Vec<_> = asked.into_iter().map(Some).collect();
    let copies = cores::on_all(&mut asked, |some| {
        SealRng::with(|rng| Copier::new(&desk, rng, some.len()).copy_all(some)).map_err(|_| no_randomness())
    });
    let copies: Vec<Result<Copy>> =
        copies.into_iter().collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
    for kind in [ErrorKind::NotPermitted, ErrorKind::Expired] {
        let refused = copies.iter().filter(|copy| copy.as_ref().is_err_and(|e| *e.kind() == kind)).count();
        if refused > 0 {
            ledger.deny(&desk.denial(&kind, u32::try_from(refused).unwrap_or(u32::MAX)))?;
        }
    }
    // Before anything is entered: an entry says that the copy left the house.
    check_size(&copies)?;
    let entries = copies.iter().flatten().map(|copy| copy.entry.clone()).collect();
    let mut receipts = ledger.append(entries)?.into_iter();
    let meanwhile = meanwhile()?;
    desk.still_admits(&meanwhile.registry)?;
    let mut packed: Vec<PackedCopy> = Vec::with_capacity(copies.len());
    let mut orders = Vec::with_capacity(copies.len());
    for (copy, unchanged) in copies.into_iter().zip(meanwhile.unchanged) {
        orders.push(copy.and_then(|copy| {
            let receipt = receipts.next().ok_or_else(no_receipt)?;
            if !unchanged {
                return Err(changed_meanwhile());
            }
            let Copy { record, ticket, revision, expires, alias, .. } = copy;
            let ticket = ticket.release(receipt).ok_or_else(no_receipt)?;
            let shared = SharedOrder {
                alias: alias.clone(),
                ledger: ticket.place().ledger,
                ledger_index: ticket.place().index,
            };
            packed.push(PackedCopy { record, ticket, revision, expires, alias });
            Ok(shared)
        }));
    }
    if packed.is_empty() {
        return Ok(Shared { bundle: None, expires: None, orders });
    }
    // The bundle ends with the last of its orders, where all of them end.
    let last = packed.iter().map(|copy| Some(copy.expires).filter(|end| *end > 0).unwrap_or(u64::MAX)).max();
    let end = last.into_iter().chain(until).min().filter(|end| *end < u64::MAX);
    let contents = Contents {
        issued: desk.now,
        expires: end.unwrap_or(0),
        party: &desk.party.name,
        role: &desk.party.role,
        purpose: desk.purpose,
        permitted: &access.open,
        copies: &packed,
    };
    let origin = &registry.ledger_origin();
    let to = Address { card: &card, origin, party: desk.key_id, key, policy: desk.policy.digest() };
    let bundle = seal(Kind::Bundle, &to, issuing, contents.encode()?)?;
    Ok(Shared { bundle: Some(bundle), expires: end, orders })
}

/// Refuses what is more than a bundle holds, with room for what stands before the copies and around them.
fn check_size(copies: &[Result<Copy>]) -> Result<()> {
    const AROUND: usize = 1 << 20;
    let size = |copy: &Copy| BEFORE_RECORD + copy.record.len() + 32 * copy.entry.parts.len();
    let total: usize = copies.iter().flatten().map(size).sum();
    if total + AROUND <= Kind::Bundle.longest() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Limit, "the copies are more than the 64 MiB of a bundle")
        .with_hint("share fewer orders at once; nothing was entered"))
}

/// In the detail of an entry: what was disclosed is a copy, which left the house.
const COPY: u8 = 1;

/// A copy that waits for the receipt of its entry.
struct Copy {
    record: Vec<u8>,
    ticket: PreparedTicket,
    entry: Entry,
    revision: u32,
    expires: u64,
    alias: Alias,
}

/// Makes copies with one generator and one set of buffers.
struct Copier<'a> {
    desk: &'a Desk<'a>,
    rng: &'a mut SealRng,
    plain: Plaintext,
    space: Workspace,
    halves: Halves,
}

impl<'a> Copier<'a> {
    fn new(desk: &'a Desk<'a>, rng: &'a mut SealRng, orders: usize) -> Self {
        let mut space = Workspace::default();
        space.expect(orders);
        Self { desk, rng, plain: Plaintext::default(), space, halves: Halves::default() }
    }

    /// Takes out what it is given.
    fn copy_all(mut self, asked: &mut [Option<Result<Asked<'_>>>]) -> Vec<Result<Copy>> {
        let mut made = Vec::with_capacity(asked.len());
        for some in asked.chunks_mut(Halves::AT_ONCE) {
            self.derive(some);
            for (at, asked) in some.iter_mut().enumerate().filter_map(|(at, asked)| Some((at, asked.take()?)))
            {
                made.push(asked.and_then(|asked| self.copy(&asked, at)));
            }
        }
        made
    }

    /// The halves of stored records that can be derived for many at once.
    fn derive(&mut self, asked: &[Option<Result<Asked<'_>>>]) {
        let header = |asked: &Option<Result<Asked<'_>>>| {
            Some(Record::parse(asked.as_ref()?.as_ref().ok()?.record).ok()?.header)
        };
        let records = || asked.iter().map(header);
        let access = self.desk.policy.access(&self.desk.party.role, self.desk.purpose);
        let first = records().flatten().next();
        let keys = first.and_then(|header| self.desk.registry.epoch(header.epoch));
        if let (Some(keys), Some(access)) = (keys, access) {
            let n1s = records().map(|header| header.map_or([0; 10], |header| header.n1));
            self.halves.derive(keys, access.open.iter().copied(), n1s);
        } else {
            self.halves.clear();
        }
    }

    fn copy(&mut self, asked: &Asked<'_>, at: usize) -> Result<Copy> {
        let Self { desk, rng, plain, space, halves } = self;
        let registry = desk.registry;
        let Admitted { record, secret, handle_key, access } = desk.admit_to(asked)?;
        // Whatever the purpose: with the order's life ends what leaves the house of it.
        if secret.closed {
            return Err(closed());
        }
        check_policy(registry, &record)?;
        let parts: Vec<PartId> =
            record.parts().map(|(part, _)| part).filter(|part| access.opens(*part)).collect();
        if parts.is_empty() {
            check_directory(registry, &record, &secret)?;
            return Err(Error::new(ErrorKind::Absent, "the order has nothing of what the purpose opens"));
        }
        let keys = registry.epoch(record.header.epoch).ok_or_else(crate::opener::cannot_open)?;
        let record_id = registry.id_key.copy_id(&desk.key_id, record.header.record_id);
        let policy = record::policy_id(&desk.policy.digest());
        let place = Place { vault: registry.vault, record_id, revision: 0, policy };
        let epoch = registry.current_epoch()?;
        let lines = desk.lines(&access);
        let opening = (&**keys, halves.of(at));
        let type_of = |part| desk.type_of(part);
        let sealed = record::open_to_seal(plain, &record, opening, (&secret, &parts), type_of, |reopened| {
            let cut = own_lines(desk, &record, &reopened, (&access.lines, lines))?;
            // An order of which no line is its own is none of its business.
            let is_bare = |part: &Reopened<'_>| {
                let is_empty = |value: &Value| matches!(value, Value::List(list) if list.rows().is_empty());
                cut.iter().any(|(id, value)| *id == part.part && is_empty(value))
            };
            if reopened.iter().all(is_bare) {
                return Err(Error::new(ErrorKind::Absent, "the order has no line of the party's own"));
            }
            let contents = reopened.iter().map(|part| {
                let own = cut.iter().find(|(id, _)| *id == part.part).map(|(_, list)| list.as_ref());
                (part.part, own.map_or(Content::Encoded(part.encoded), Content::Value))
            });
            record::seal(space, rng, &place, epoch, contents)
        })?;
        let copy = Record::parse(space.record())?;
        let parts: Vec<(PartId, &[u8])> = copy.parts().collect();
        let sought = Sought { record_id, party: desk.key_id, lines, head: copy.head(), parts: &parts };
        let end = access.expires.map_or(0, |expires| asked.secret.put_at.saturating_add(expires));
        let mut entry = Entry::new(EntryKind::Disclosure, desk.key_id, desk.policy.digest());
        entry.handle = handle_key.handle(&desk.key_id);
        entry.revision = record.header.revision;
        entry.purpose = desk.purpose.to_owned();
        entry.request = desk.request();
        let ticket = ticket_for(&mut entry, &sealed.secret, &sought);
        entry.detail = [&[COPY], end.to_le_bytes().as_slice()].concat();
        let alias = registry.alias(desk.party.number, asked.secret.serial)?;
        let (record, revision) = (space.record().to_vec(), record.header.revision);
        Ok(Copy { record, ticket, entry, revision, expires: end, alias })
    }
}

/// Lists with the party's own lines alone, each with its part: of what is copied, keys keep the rest away.
fn own_lines(
    desk: &Desk<'_>,
    record: &Record<'_>,
    reopened: &[Reopened<'_>],
    (rules, lines): (&[(PartId, String)], &str),
) -> Result<Vec<(PartId, Value)>> {
    let mut cut = Vec::new();
    for part in reopened {
        match part.value {
            Plain::Text(number) if desk.is_order_no(part.part) => {
                record::check_order_no(record, &desk.registry.id_key, number)?;
            }
            Plain::List(_) if rules.iter().any(|(field, _)| *field == part.part) => {
                let Value::List(mut list) = part.value.to_value() else { continue };
                let of_part = rules.iter().filter(|(field, _)| *field == part.part);
                of_part.for_each(|(_, property)| list.retain_rows(property, lines));
                cut.push((part.part, Value::List(list)));
            }
            _ => {}
        }
    }
    Ok(cut)
}

fn no_issuer() -> Error {
    Error::new(ErrorKind::NotFound, "the vault has no issuing key").with_hint("vault card makes one")
}

#[cfg(test)]
#[path = "share_tests.rs"]
mod tests;
