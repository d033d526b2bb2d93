//! Opening: policy check, ticket prepared, ledger entry made durable, ticket released against its receipt, plaintext.

use std::{iter, sync::Arc};

use consignee_policy::{Access, FieldType, PartId, Policy};

use crate::{
    cores,
    error::{Error, ErrorKind, Result},
    keys::{Halves, HalvesOf, HandleKey, Keyring, OrderSecret, PreparedTicket, Sought},
    ledger::{Entry, EntryKind, Ledger, Receipt, now},
    observe::Watch,
    record::{self, Plaintext, Record},
    registry::{KnownParty, PartyState, Registry},
    store::{SecretRow, SecretState},
    value::{Plain, Value},
    view::{FromView, Names, View, compiled_parts},
};

/// One stored order that is to be opened.
#[derive(Clone, Copy)]
pub struct StoredOrder<'a> {
    /// The sealed record.
    pub record: &'a [u8],
    /// Its secret row.
    pub secret: &'a SecretRow,
}

/// One order that is asked for, found in a store.
pub(crate) struct Asked<'a> {
    pub(crate) record: &'a [u8],
    pub(crate) secret: &'a SecretRow,
    /// The order number, if the caller gave it.
    pub(crate) called: Option<&'a str>,
}

/// Who asks, why, and what for.
pub(crate) struct Request<'a> {
    pub(crate) party: &'a str,
    pub(crate) purpose: &'a str,
    /// Which of the parts that the purpose opens are wanted; all where there is none.
    pub(crate) wanted: fn(&Policy, &Access) -> Result<Option<Vec<PartId>>>,
    /// Whether it must be the whole order, all lines of its lists too: it may come back as an update.
    pub(crate) whole: bool,
    /// What the party signed, where it did.
    pub(crate) signed: Option<Signed<'a>>,
}

/// Of a request that a party signed.
#[derive(Clone, Copy)]
pub(crate) struct Signed<'a> {
    pub(crate) hash: [u8; 32],
    /// The party's id under the key that signed it.
    pub(crate) key_id: [u8; 16],
    /// The parts that it asks for; all that the purpose opens where there are none.
    pub(crate) parts: &'a [PartId],
}

impl<'a> Request<'a> {
    /// For whatever the purpose opens.
    pub(crate) fn all(party: &'a str, purpose: &'a str) -> Self {
        Self { party, purpose, wanted: |_, _| Ok(None), whole: false, signed: None }
    }

    /// For what the program's type reads.
    pub(crate) fn of<T: FromView>(party: &'a str, purpose: &'a str) -> Self {
        Self { party, purpose, wanted: compiled_parts::<T>, whole: false, signed: None }
    }

    /// For a whole order.
    pub(crate) fn whole<T: FromView>(party: &'a str, purpose: &'a str) -> Self {
        Self { whole: true, ..Self::of::<T>(party, purpose) }
    }

    /// Tells the operator in which role and for what purpose somebody acts.
    pub(crate) fn tell(&self, watch: &Watch<'_>, registry: &Registry) -> Result<()> {
        let role = &registry.party(self.party)?.role;
        let purpose = registry.policy()?.purposes(role).find(|known| *known == self.purpose);
        watch.acts(role, purpose);
        Ok(())
    }
}

/// What has become of registry and orders while the entries were written.
pub(crate) struct Meanwhile {
    pub(crate) registry: Arc<Registry>,
    /// For each order asked for, whether its secret row is as it was.
    pub(crate) unchanged: Vec<bool>,
}

/// Opens orders; `meanwhile` looks again after the entries are durable, so that whoever was revoked and what was shredded before
/// that is not opened any more. (The entry stays.)
pub(crate) fn open_many<'a>(
    ledger: &Ledger,
    registry: &Arc<Registry>,
    request: &Request<'_>,
    asked: Vec<Result<Asked<'a>>>,
    meanwhile: impl FnOnce() -> Result<Meanwhile>,
) -> Result<Vec<Result<View>>> {
    let mut desk = Desk::new(registry, request)?;
    let (party, policy) = (desk.party, desk.policy);
    match desk.admit() {
        Ok(access) => desk.wanted = (request.wanted)(policy, access)?,
        Err(refusal) => {
            ledger.deny(&desk.denial(refusal.kind(), 1))?;
            return Err(refusal);
        }
    }
    let mut asked: Vec<_> = asked.into_iter().map(Some).collect();
    let prepared = cores::on_all(&mut asked, |some| {
        some.iter_mut().filter_map(Option::take).map(|asked| desk.prepare(asked?)).collect::<Vec<_>>()
    });
    let prepared: Vec<Result<Prepared<'_>>> = prepared.into_iter().flatten().collect();
    for kind in [ErrorKind::NotPermitted, ErrorKind::Expired] {
        let refused = prepared.iter().filter(|p| p.as_ref().is_err_and(|e| *e.kind() == kind)).count();
        if refused > 0 {
            ledger.deny(&desk.denial(&kind, u32::try_from(refused).unwrap_or(u32::MAX)))?;
        }
    }
    let entries = prepared.iter().flatten().map(|prepared| prepared.entry.clone()).collect();
    let mut receipts = ledger.append(entries)?.into_iter();
    let meanwhile = meanwhile()?;
    desk.still_admits(&meanwhile.registry)?;
    let keyring = Keyring::of(&registry.epochs, &policy.role_parts(&party.role));
    let against_receipt = |(prepared, unchanged): (Result<Prepared<'a>>, bool)| {
        let prepared = prepared?;
        let receipt = receipts.next().ok_or_else(no_receipt)?;
        if unchanged { Ok((prepared, receipt)) } else { Err(changed_meanwhile()) }
    };
    let mut ready: Vec<_> = prepared
        .into_iter()
        .zip(meanwhile.unchanged.into_iter().chain(iter::repeat(false)))
        .map(against_receipt)
        .map(Some)
        .collect();
    let opened = cores::on_all(&mut ready, |some| desk.open_all(some, &keyring));
    Ok(opened.into_iter().flatten().collect())
}

pub(crate) fn no_receipt() -> Error {
    Error::new(ErrorKind::Storage, "the ledger gave no receipt")
}

pub(crate) fn changed_meanwhile() -> Error {
    Error::new(ErrorKind::Conflict, "it was changed while it was being opened").with_hint("repeat")
}

/// An order of which a party may have something.
pub(crate) struct Admitted<'a> {
    pub(crate) record: Record<'a>,
    pub(crate) secret: OrderSecret,
    pub(crate) handle_key: HandleKey,
    pub(crate) access: Access,
}

/// One party at one purpose, as the policy in force sees it.
pub(crate) struct Desk<'a> {
    pub(crate) registry: &'a Registry,
    pub(crate) policy: &'a Arc<Policy>,
    pub(crate) party: &'a KnownParty,
    pub(crate) purpose: &'a str,
    pub(crate) key_id: [u8; 16],
    pub(crate) now: u64,
    wanted: Option<Vec<PartId>>,
    whole: bool,
    signed: Option<Signed<'a>>,
}

/// An order and the receipt of its entry.
type Ready<'a> = (Prepared<'a>, Receipt);

/// An order ready to be opened, but for the receipt.
struct Prepared<'a> {
    record: Record<'a>,
    called: Option<&'a str>,
    serial: u64,
    access: Access,
    ticket: PreparedTicket,
    entry: Entry,
}

impl<'a> Desk<'a> {
    pub(crate) fn new(registry: &'a Arc<Registry>, request: &Request<'a>) -> Result<Self> {
        let party = registry.party(request.party)?;
        Ok(Self {
            registry,
            policy: registry.policy()?,
            party,
            purpose: request.purpose,
            key_id: request.signed.map_or_else(|| party.key_id(registry.vault), |signed| signed.key_id),
            now: now(),
            wanted: None,
            whole: request.whole,
            signed: request.signed,
        })
    }

    pub(crate) fn admit(&self) -> Result<&'a Access> {
        let (party, purpose) = (self.party, self.purpose);
        if party.state == PartyState::Revoked {
            return Err(Error::new(ErrorKind::Revoked, format!("party {} has been revoked", party.name)));
        }
        let Some(access) = self.policy.access(&party.role, purpose) else {
            let purposes: Vec<&str> = self.policy.purposes(&party.role).collect();
            let hint = match purposes.as_slice() {
                [] => "scopes shows who may open what".to_owned(),
                known => format!("its purposes are {}", known.join(", ")),
            };
            let message = format!("the policy gives role {} no such purpose", party.role);
            return Err(Error::new(ErrorKind::NotPermitted, message).with_hint(hint));
        };
        self.check_lines(access)?;
        self.check_signed(access)?;
        Ok(access)
    }

    /// Of what a party signed: whether its key is the party's still, and the purpose opens what it asks for.
    fn check_signed(&self, access: &Access) -> Result<()> {
        let Some(signed) = &self.signed else { return Ok(()) };
        if signed.key_id != self.party.key_id(self.registry.vault) {
            let message = format!(
                "party {} has another key by now than the one that signed the request",
                self.party.name
            );
            return Err(Error::new(ErrorKind::NotPermitted, message)
                .with_hint("it signs with the key that party list shows"));
        }
        let Some(part) = signed.parts.iter().find(|part| !access.opens(**part)) else { return Ok(()) };
        let part = match self.policy.part(*part) {
            Some(part) => part.name.to_owned(),
            None => format!("part {}", part.get()),
        };
        let message = format!("{} does not open {part} to role {}", self.purpose, self.party.role);
        Err(Error::new(ErrorKind::NotPermitted, message).with_hint("scopes shows who may open what"))
    }

    /// Hash of what the party signed; zeros without it.
    pub(crate) fn request(&self) -> [u8; 32] {
        self.signed.map_or([0; 32], |signed| signed.hash)
    }

    /// Leaves of what reaches an order what the party asked for.
    pub(crate) fn narrow(&self, access: &mut Access) {
        if let Some(signed) = self.signed.filter(|signed| !signed.parts.is_empty()) {
            access.open.retain(|part| signed.parts.contains(part));
        }
    }

    /// Whether nothing that decides has changed since `admit`.
    pub(crate) fn still_admits(&self, newest: &Arc<Registry>) -> Result<()> {
        let party = newest.party(&self.party.name)?;
        if party.state == PartyState::Revoked {
            return Err(Error::new(ErrorKind::Revoked, format!("party {} has been revoked", party.name)));
        }
        let same = newest.policies.len() == self.registry.policies.len() && party == self.party;
        if same { Ok(()) } else { Err(changed_meanwhile()) }
    }

    fn check_lines(&self, access: &Access) -> Result<()> {
        if self.whole && !access.lines.is_empty() {
            let message =
                format!("for {} only the party's own lines are opened, not the whole order", self.purpose);
            return Err(Error::new(ErrorKind::NotPermitted, message));
        }
        if access.lines.is_empty() || self.party.lines.is_some() {
            return Ok(());
        }
        let (role, name) = (&self.party.role, &self.party.name);
        let message = format!("role {role} sees its own lines only, and party {name} has no value for them");
        Err(Error::new(ErrorKind::NotPermitted, message).with_hint("party add NAME --role ROLE --as VALUE"))
    }

    /// The ticket as far as it can be made without a receipt.
    fn prepare<'r>(&self, asked: Asked<'r>) -> Result<Prepared<'r>> {
        let Admitted { record, secret, handle_key, access } = self.admit_to(&asked)?;
        if secret.closed && access.expires.is_some() {
            return Err(closed());
        }
        self.check_whole(&record, &access)?;
        let (key_id, lines) = (self.key_id, self.lines(&access));
        let whom = Whom { key_id, handle_id: key_id, lines, purpose: self.purpose };
        let mut access = access;
        if let Some(wanted) = &self.wanted {
            access.open.retain(|part| wanted.contains(part));
        }
        let (ticket, entry) =
            prepare(self.registry, &record, (&secret, &handle_key), &whom, |part| access.opens(part))?;
        Ok(Prepared { record, called: asked.called, serial: asked.secret.serial, access, ticket, entry })
    }

    /// Whether the party may have anything of this order, as far as policy and time decide that.
    pub(crate) fn admit_to<'r>(&self, asked: &Asked<'r>) -> Result<Admitted<'r>> {
        let record = Record::parse(asked.record)?;
        let (secret, handle_key) = unlock(self.registry, &record, asked.secret)?;
        let mut access = self.registry.access(&self.party.role, self.purpose, asked.secret.policy)?;
        access.iter_mut().for_each(|access| self.narrow(access));
        let access = access.filter(|access| !access.open.is_empty()).ok_or_else(|| {
            Error::new(ErrorKind::NotPermitted, "what the policy grants does not reach this order").with_hint(
                "it was put under an earlier policy; to extend it, withdraw the grant by one policy and give it again by another with --existing-orders yes",
            )
        })?;
        // Also where only an earlier policy cut the lines.
        self.check_lines(&access)?;
        if self.is_over(&access, asked.secret) {
            return Err(Error::new(
                ErrorKind::Expired,
                "the time in which this purpose may open the order is over",
            ));
        }
        Ok(Admitted { record, secret, handle_key, access })
    }

    /// Of a whole order nothing is left out without a word: it may come back as an update, which would clear that.
    fn check_whole(&self, record: &Record<'_>, access: &Access) -> Result<()> {
        let is_field = |part| self.policy.part(part).is_some_and(|part| part.facet.is_none());
        let wanted = |part| self.wanted.as_ref().is_none_or(|wanted| wanted.contains(&part));
        let hides = |part| wanted(part) && is_field(part) && !access.opens(part);
        if self.whole && record.parts().any(|(part, _)| hides(part)) {
            let message = format!("{} does not open every field that this order has", self.purpose);
            return Err(Error::new(ErrorKind::NotPermitted, message)
                .with_hint("open gives what the purpose opens; scopes shows what that is"));
        }
        Ok(())
    }

    /// Whether the party may search by this field among orders like this one, as yet.
    pub(crate) fn reaches(&self, row: &SecretRow, field: PartId) -> bool {
        let access = self.registry.access(&self.party.role, self.purpose, row.policy);
        let is_over = |access: &Access| {
            self.is_over(access, row) || access.expires.is_some() && self.registry.is_closed(row)
        };
        access.is_ok_and(|access| access.is_some_and(|access| access.searches(field) && !is_over(&access)))
    }

    fn is_over(&self, access: &Access, row: &SecretRow) -> bool {
        access.expires.is_some_and(|expires| self.now.saturating_sub(row.put_at) > expires)
    }

    pub(crate) fn lines(&self, access: &Access) -> &str {
        self.party.lines.as_deref().filter(|_| !access.lines.is_empty()).unwrap_or_default()
    }

    /// Plaintext, against the receipts. Takes out what it is given.
    fn open_all(&self, ready: &mut [Option<Result<Ready<'_>>>], keyring: &Keyring) -> Vec<Result<View>> {
        let (mut space, mut halves) = (Plaintext::default(), Halves::default());
        let mut opened = Vec::with_capacity(ready.len());
        for some in ready.chunks_mut(Halves::AT_ONCE) {
            let records = || some.iter().map(|ready| Some(&ready.as_ref()?.as_ref().ok()?.0));
            if let Some(first) = records().flatten().next()
                && let Some(keys) = keyring.epoch(first.record.header.epoch)
            {
                // What is not opened stands in its place all the same.
                let n1s = records().map(|order| order.map_or([0; 10], |order| order.record.header.n1));
                halves.derive(keys, first.entry.parts.iter().copied(), n1s);
            }
            for (at, ready) in some.iter_mut().enumerate().filter_map(|(at, ready)| Some((at, ready.take()?)))
            {
                let keys = (keyring, halves.of(at));
                opened.push(ready.and_then(|(order, receipt)| self.open(&mut space, order, receipt, keys)));
            }
        }
        opened
    }

    /// Plaintext, against the receipt.
    fn open(
        &self,
        space: &mut Plaintext,
        prepared: Prepared<'_>,
        receipt: Receipt,
        keys: (&Keyring, HalvesOf<'_>),
    ) -> Result<View> {
        let Prepared { record, called, serial, access, ticket, .. } = prepared;
        let ticket = ticket
            .release(receipt)
            .ok_or_else(|| Error::new(ErrorKind::Storage, "the ledger gave a foreign receipt"))?;
        let opened = record::open(space, &record, keys, &ticket, |part| self.type_of(part))?;
        let mut values = owned(opened)?;
        for (part, value) in &mut values {
            match value {
                Value::Text(order_no) if self.is_order_no(*part) => {
                    record::check_order_no(&record, &self.registry.id_key, order_no)?;
                }
                // Enforced here, by code: on stored records a list is one part, and its keys open all of it.
                Value::List(list) => {
                    let rules = access.lines.iter().filter(|(field, _)| field == part);
                    rules.for_each(|(_, property)| list.retain_rows(property, self.lines(&access)));
                }
                _ => {}
            }
        }
        let alias = self.registry.alias(self.party.number, serial)?;
        Ok(View {
            names: Names::Policy(Arc::clone(self.policy)),
            called: called.map(str::to_owned),
            alias,
            party: self.party.name.clone(),
            role: self.party.role.clone(),
            purpose: self.purpose.to_owned(),
            revision: record.header.revision,
            ledger: ticket.place().ledger,
            ledger_index: ticket.place().index,
            permitted: access.open,
            values,
        })
    }

    pub(crate) fn type_of(&self, part: PartId) -> Option<FieldType> {
        self.policy.part(part).map(|part| part.ty)
    }

    pub(crate) fn is_order_no(&self, part: PartId) -> bool {
        self.policy.field("order_no").is_some_and(|field| field.id == part)
    }

    /// The entry of a refusal. The purpose is recorded only if the policy knows it: anything else is the caller's text.
    pub(crate) fn denial(&self, kind: &ErrorKind, count: u32) -> Entry {
        let reason = match kind {
            ErrorKind::Expired => 2,
            ErrorKind::Revoked => 3,
            ErrorKind::Limit => 4,
            _ => 1u8,
        };
        let mut entry = Entry::new(EntryKind::Denied, self.key_id, self.policy.digest());
        if self.policy.purposes(&self.party.role).any(|known| known == self.purpose) {
            entry.purpose = self.purpose.to_owned();
        }
        entry.request = self.request();
        entry.detail = [&[reason], count.to_le_bytes().as_slice()].concat();
        entry
    }
}

/// Checks that record and row belong together and to this vault, and unwraps the row.
pub(crate) fn unlock(
    registry: &Registry,
    record: &Record<'_>,
    row: &SecretRow,
) -> Result<(OrderSecret, HandleKey)> {
    let header = &record.header;
    match row.state {
        SecretState::Shredded => return Err(shredded()),
        SecretState::Superseded => return Err(rolled_back()),
        SecretState::Current | SecretState::Pending => {}
    }
    if header.vault != registry.vault || header.record_id.0 != row.record_id {
        return Err(Error::new(ErrorKind::CannotOpen, "the record is not this vault's, or not this order's"));
    }
    if header.n1 != row.n1 || header.revision != row.revision {
        return Err(rolled_back());
    }
    // F58: 0 is for copies that leave a vault, and no sealing of its own has it.
    if header.revision == 0 {
        return Err(Error::new(ErrorKind::Damaged, "a record has the revision 0, which no stored order has")
            .with_hint("restore it from a backup"));
    }
    let release = registry.release(row.generation).ok_or_else(cannot_open)?;
    let epoch = registry.epoch(header.epoch).ok_or_else(cannot_open)?;
    let context = registry.row_context(row);
    release.unwrap_secret(&context, epoch.suite, &row.wrapped).map_err(|_| cannot_open())
}

pub(crate) fn cannot_open() -> Error {
    Error::new(ErrorKind::CannotOpen, "the order's secret does not open").with_hint("doctor checks the vault")
}

pub(crate) fn closed() -> Error {
    Error::new(ErrorKind::Expired, "the order has been closed")
}

pub(crate) fn shredded() -> Error {
    Error::new(ErrorKind::Shredded, "the order has been shredded").with_hint("its number cannot be put again")
}

pub(crate) fn rolled_back() -> Error {
    Error::new(ErrorKind::RolledBack, "the record is not the newest one of its order")
        .with_hint("the stores do not fit each other; restore the newest backups of both")
}

/// For whom and why an order is opened.
struct Whom<'a> {
    key_id: [u8; 16],
    /// By what the order's handle is told from those for others: the key id, but for searches.
    handle_id: [u8; 16],
    /// The party's value for `lines`, or nothing.
    lines: &'a str,
    purpose: &'a str,
}

/// The ticket for the parts that are `sought`, and the entry that it waits for.
fn prepare(
    registry: &Registry,
    record: &Record<'_>,
    (secret, handle_key): (&OrderSecret, &HandleKey),
    whom: &Whom<'_>,
    sought: impl Fn(PartId) -> bool,
) -> Result<(PreparedTicket, Entry)> {
    check_policy(registry, record)?;
    let parts: Vec<(PartId, &[u8])> = record.parts().filter(|(part, _)| sought(*part)).collect();
    // F59: that an order has none of them is said by the directory alone.
    if parts.is_empty() {
        check_directory(registry, record, secret)?;
    }
    let sought = Sought {
        record_id: record.header.record_id,
        party: whom.key_id,
        lines: whom.lines,
        head: record.head(),
        parts: &parts,
    };
    let mut entry = Entry::new(EntryKind::Disclosure, whom.key_id, registry.policy()?.digest());
    entry.handle = handle_key.handle(&whom.handle_id);
    entry.revision = record.header.revision;
    entry.purpose = whom.purpose.to_owned();
    Ok((ticket_for(&mut entry, secret, &sought), entry))
}

/// The ticket for what is sought, to which its entry commits.
pub(crate) fn ticket_for(entry: &mut Entry, secret: &OrderSecret, sought: &Sought<'_>) -> PreparedTicket {
    let ticket = PreparedTicket::new(secret, sought);
    entry.parts = sought.parts.iter().map(|(part, _)| *part).collect();
    entry.commitments = vec![ticket.commitment()];
    ticket
}

/// F60: a record was sealed under a policy that the vault accepted.
pub(crate) fn check_policy(registry: &Registry, record: &Record<'_>) -> Result<()> {
    let is_its = |policy: &Policy| record::policy_id(&policy.digest()) == record.header.policy;
    if registry.policies.iter().any(|accepted| is_its(&accepted.policy)) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Damaged, "a record names a policy that this vault never accepted")
        .with_hint("restore it from a backup"))
}

/// Where nothing of a record is opened, what it lacks must be shown in another way: whoever writes the store could take all parts
/// out but a worthless one, and the order would seem to have no values.
pub(crate) fn check_directory(registry: &Registry, record: &Record<'_>, secret: &OrderSecret) -> Result<()> {
    let keys = registry.epoch(record.header.epoch).ok_or_else(cannot_open)?;
    record::check_directory(record, keys, secret)
}

/// What was opened, ascending by number.
type Values = Vec<(PartId, Value)>;

fn owned<'a>(opened: impl Iterator<Item = Result<(PartId, Plain<'a>)>>) -> Result<Values> {
    opened.map(|opened| opened.map(|(part, value)| (part, value.to_value()))).collect()
}

/// What the vault opens for itself.
pub(crate) struct ForVault<'a> {
    pub(crate) parts: &'a [PartId],
    pub(crate) purpose: &'a str,
    /// By what the orders' handles are told from others: none is the vault's key id, as for all that the vault does with orders.
    pub(crate) handle_id: Option<[u8; 16]>,
}

/// Opens parts of stored orders for the vault itself, with entries of its own: for what it must know to answer somebody, or to
/// change an order. One disk sync for all. `meanwhile` tells afterwards, for each order, whether it may still be opened.
pub(crate) fn open_many_for_vault(
    ledger: &Ledger,
    registry: &Registry,
    orders: &[StoredOrder<'_>],
    what: &ForVault<'_>,
    meanwhile: impl FnOnce() -> Result<Vec<bool>>,
) -> Result<Vec<Result<Values>>> {
    let policy = registry.policy()?;
    let key_id = registry.own_key_id();
    let handle_id = what.handle_id.unwrap_or(key_id);
    let whom = Whom { key_id, handle_id, lines: "", purpose: what.purpose };
    let mut prepared: Vec<Result<_>> = Vec::with_capacity(orders.len());
    let mut entries = Vec::with_capacity(orders.len());
    for order in orders {
        prepared.push(Record::parse(order.record).and_then(|record| {
            let (secret, handle_key) = unlock(registry, &record, order.secret)?;
            let sought = |part| what.parts.contains(&part);
            let (ticket, entry) = prepare(registry, &record, (&secret, &handle_key), &whom, sought)?;
            entries.push(entry);
            Ok((record, ticket))
        }));
    }
    let mut receipts = ledger.append(entries)?.into_iter();
    let unchanged = meanwhile()?;
    let keyring = Keyring::of(&registry.epochs, what.parts);
    let (mut space, halves) = (Plaintext::default(), Halves::default());
    let open = |(prepared, unchanged): (Result<(Record<'_>, PreparedTicket)>, bool)| {
        let (record, ticket) = prepared?;
        let ticket = receipts.next().and_then(|receipt| ticket.release(receipt));
        let ticket = ticket.ok_or_else(no_receipt)?;
        if !unchanged {
            return Err(changed_meanwhile());
        }
        let keys = (&keyring, halves.of(0));
        owned(record::open(&mut space, &record, keys, &ticket, |part| policy.part(part).map(|part| part.ty))?)
    };
    Ok(prepared.into_iter().zip(unchanged).map(open).collect())
}

/// The same of one order that nobody else changes.
pub(crate) fn open_for_vault(
    ledger: &Ledger,
    registry: &Registry,
    order: &StoredOrder<'_>,
    parts: &[PartId],
    purpose: &str,
) -> Result<Values> {
    let what = ForVault { parts, purpose, handle_id: None };
    let orders = std::slice::from_ref(order);
    let opened = open_many_for_vault(ledger, registry, orders, &what, || Ok(vec![true]))?.pop();
    opened.unwrap_or_else(|| Err(Error::new(ErrorKind::Storage, "nothing was opened")))
}

#[cfg(test)]
#[path = "opener_tests.rs"]
mod tests;
