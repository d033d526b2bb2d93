//! Doors for the project's own benches: single steps of the calls, by themselves. Nothing here is promised to stay.
//!
//! What is opened through here is counted and dropped: there is no plaintext without an entry, not even with this feature.

use std::{hint::black_box, mem::take, sync::Arc};

use consignee_policy::PartId;

use crate::{
    error::Result,
    keys::{Halves, HandleKey, Keyring, Ticket},
    ledger::now,
    opener::unlock,
    record::{self, Place, Plaintext, Record, Workspace},
    registry::Registry,
    sealer::{Plan, SealedOrder, no_randomness},
    store::{SecretRow, SecretState},
    suite::{SealRng, wiping_stack_once},
    vault::Vault,
    view,
};

/// The steps of sealing and opening, with everything that a vault prepares once in hand.
pub struct Steps {
    registry: Arc<Registry>,
    plan: Plan,
    space: Workspace,
    row: SecretRow,
}

impl Steps {
    /// Of records of this type in this vault.
    ///
    /// # Errors
    /// `PolicyMismatch`, `Storage`.
    pub fn of<R: view::Record>(vault: &Vault) -> Result<Self> {
        let registry = vault.registry()?;
        let plan = Plan::of::<R>(registry.policy()?)?;
        let row = SecretRow {
            record_id: [7; 16],
            n1: [0; 10],
            revision: 1,
            generation: registry.current_release()?.generation,
            state: SecretState::Current,
            put_at: now(),
            serial: 1,
            policy: 0,
            changed_at: 0,
            fingerprint: Vec::new(),
            wrapped: Vec::new(),
        };
        Ok(Self { registry, plan, space: Workspace::default(), row })
    }

    /// Seals the orders: derivations, encoding, padding, encryption, header, and the wrapped secret. No fingerprint, no
    /// commitments. Returns the bytes of the last record and of its wrapped secret.
    ///
    /// # Errors
    /// As for sealing.
    pub fn seal<R: view::Record>(&mut self, orders: &[R]) -> Result<(usize, usize)> {
        let Self { registry, plan, space, row } = self;
        let policy = registry.policy()?.digest();
        let epoch = registry.current_epoch()?;
        let release = registry.current_release()?;
        let seal = |rng: &mut SealRng| {
            space.expect(orders.len());
            for order in orders {
                let place = Place {
                    vault: registry.vault,
                    record_id: row.record_id.into(),
                    revision: row.revision,
                    policy: record::policy_id(&policy),
                };
                let sealed =
                    record::seal(space, rng, &place, epoch, plan.contents(order, plan.order_no(order)?))?;
                row.n1 = sealed.n1;
                let handle_key = HandleKey::draw(rng);
                let context = registry.row_context(row);
                let wrapped = release.wrap_secret(rng, &context, &sealed.secret, &handle_key);
                row.wrapped.clear();
                row.wrapped.extend_from_slice(&wrapped.map_err(|_| no_randomness())?);
            }
            Ok((space.record().len(), row.wrapped.len()))
        };
        wiping_stack_once(|| SealRng::with(seal)).map_err(|_| no_randomness())?
    }

    /// What opening some parts of these orders takes.
    ///
    /// # Errors
    /// As for opening.
    pub fn opening<'a>(&self, sealed: &'a [SealedOrder], parts: &[&str]) -> Result<Opening<'a>> {
        let policy = self.registry.policy()?;
        let parts: Vec<PartId> = parts.iter().filter_map(|name| Some(policy.part_named(name)?.id)).collect();
        let keyring = Keyring::of(&self.registry.epochs, &parts);
        let registry = Arc::clone(&self.registry);
        let (space, halves) = (Plaintext::default(), Halves::default());
        let mut opening = Opening { registry, sealed, parts, keyring, tickets: Vec::new(), space, halves };
        let ticket = |order: &SealedOrder| opening.unwrap(&Record::parse(&order.record)?, &order.secret);
        opening.tickets = sealed.iter().map(ticket).collect::<Result<_>>()?;
        Ok(opening)
    }
}

/// Sealed orders with keyring and tickets in hand.
pub struct Opening<'a> {
    registry: Arc<Registry>,
    sealed: &'a [SealedOrder],
    parts: Vec<PartId>,
    keyring: Keyring,
    tickets: Vec<Ticket>,
    space: Plaintext,
    halves: Halves,
}

impl Opening<'_> {
    fn unwrap(&self, record: &Record<'_>, row: &SecretRow) -> Result<Ticket> {
        let (secret, _) = unlock(&self.registry, record, row)?;
        let (id, mut secrets) = (record.header.record_id, Vec::new());
        secret.ticket_parts(id, self.parts.iter().copied(), &mut secrets);
        Ok(Ticket::unlogged(id, self.parts.clone(), secrets))
    }

    /// Opens by the tickets that are given or made, as many orders at once as the vault does. Returns the number of values.
    fn by(&mut self, tickets: Option<&[Ticket]>) -> Result<usize> {
        let (policy, epoch) = (self.registry.policy()?, self.registry.current_epoch()?);
        let (mut count, mut space, mut halves) = (0, take(&mut self.space), take(&mut self.halves));
        for (at, order) in self.sealed.iter().enumerate() {
            let place = at % Halves::AT_ONCE;
            if place == 0 {
                let n1s = self.sealed.iter().skip(at).map(|order| order.secret.n1);
                halves.derive(epoch, self.parts.iter().copied(), n1s);
            }
            let record = Record::parse(&order.record)?;
            let (keys, type_of) = ((&self.keyring, halves.of(place)), |part| Some(policy.part(part)?.ty));
            let made = if tickets.is_none() { Some(self.unwrap(&record, &order.secret)?) } else { None };
            let given = tickets.and_then(|tickets| tickets.get(at));
            let Some(ticket) = given.or(made.as_ref()) else { break };
            for value in record::open(&mut space, &record, keys, ticket, type_of)? {
                black_box(value?);
                count += 1;
            }
        }
        (self.space, self.halves) = (space, halves);
        Ok(count)
    }

    /// Opens the parts by tickets in hand. Returns the number of values.
    ///
    /// # Errors
    /// As for opening.
    pub fn open(&mut self) -> Result<usize> {
        let tickets = take(&mut self.tickets);
        let opened = wiping_stack_once(|| self.by(Some(&tickets)));
        self.tickets = tickets;
        opened
    }

    /// Unwraps the secrets, makes the tickets and opens the parts. Returns the number of values.
    ///
    /// # Errors
    /// As for opening.
    pub fn disclose(&mut self) -> Result<usize> {
        wiping_stack_once(|| self.by(None))
    }
}

#[path = "bench/index.rs"]
mod index_steps;
#[path = "bench/keys.rs"]
mod key_steps;
#[path = "bench/ledger.rs"]
mod ledger_steps;
#[path = "bench/published.rs"]
mod published;

pub use key_steps::KeySteps;
pub use ledger_steps::append;
pub use published::LongLedger;
