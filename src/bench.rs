//! Doors for the project's own benches: single steps of the calls, by themselves. Nothing here is promised to stay.
//!
//! What is opened through here is counted and dropped: there is no plaintext without an entry, not even with this feature.

use std::sync::Arc;

use consignee_policy::PartId;

use crate::{
    error::Result,
    keys::{HandleKey, Keyring, Ticket},
    ledger::now,
    opener::unlock,
    record::{self, Place, Workspace},
    registry::Registry,
    sealer::{Plan, SealedOrder, no_randomness},
    store::{SecretRow, SecretState},
    suite::SealRng,
    vault::Vault,
    view::Record,
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
    pub fn of<R: Record>(vault: &Vault) -> Result<Self> {
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
    pub fn seal<R: Record>(&mut self, orders: &[R]) -> Result<(usize, usize)> {
        let Self { registry, plan, space, row } = self;
        let policy = registry.policy()?.digest();
        let epoch = registry.current_epoch()?;
        let release = registry.current_release()?;
        SealRng::with(|rng| {
            for order in orders {
                rng.refresh().map_err(|_| no_randomness())?;
                let place = Place {
                    vault: registry.vault,
                    record_id: row.record_id.into(),
                    revision: row.revision,
                    policy,
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
            Ok((space.record.len(), row.wrapped.len()))
        })
        .map_err(|_| no_randomness())?
    }

    /// What opening some parts of an order takes.
    ///
    /// # Errors
    /// As for opening.
    pub fn opening<'a>(&self, sealed: &'a SealedOrder, parts: &[&str]) -> Result<Opening<'a>> {
        let policy = self.registry.policy()?;
        let parts: Vec<PartId> = parts.iter().filter_map(|name| Some(policy.part_named(name)?.id)).collect();
        let keyring = Keyring::of(&self.registry.epochs, &parts);
        let mut opening =
            Opening { registry: Arc::clone(&self.registry), sealed, parts, keyring, ticket: None };
        opening.ticket = Some(opening.unwrap()?);
        Ok(opening)
    }
}

/// A sealed order with keyring and ticket in hand.
pub struct Opening<'a> {
    registry: Arc<Registry>,
    sealed: &'a SealedOrder,
    parts: Vec<PartId>,
    keyring: Keyring,
    ticket: Option<Ticket>,
}

impl Opening<'_> {
    fn unwrap(&self) -> Result<Ticket> {
        let record = record::Record::parse(&self.sealed.record)?;
        let (secret, _) = unlock(&self.registry, &record, &self.sealed.secret)?;
        let id = record.header.record_id;
        let mut ticket_parts = Vec::new();
        secret.ticket_parts(id, self.parts.iter().copied(), &mut ticket_parts);
        Ok(Ticket::unlogged(id, self.parts.iter().copied().zip(ticket_parts).collect()))
    }

    fn with(&self, ticket: &Ticket) -> Result<usize> {
        let record = record::Record::parse(&self.sealed.record)?;
        let policy = self.registry.policy()?;
        let values = record::open(&record, &self.keyring, ticket, |part| Some(policy.part(part)?.ty))?;
        Ok(values.len())
    }

    /// Opens the parts. Returns their number.
    ///
    /// # Errors
    /// As for opening.
    pub fn open(&self) -> Result<usize> {
        match &self.ticket {
            Some(ticket) => self.with(ticket),
            None => Ok(0),
        }
    }

    /// Unwraps the secret, makes the ticket and opens the parts. Returns their number.
    ///
    /// # Errors
    /// As for opening.
    pub fn disclose(&self) -> Result<usize> {
        self.with(&self.unwrap()?)
    }
}

#[path = "bench/index.rs"]
mod index_steps;
#[path = "bench/keys.rs"]
mod key_steps;

pub use key_steps::KeySteps;
