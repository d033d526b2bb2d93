//! Sealing and opening for those who keep records in tables of their own.

use crate::{
    error::Result,
    observe::{Operation, Watch},
    opener::{self, Asked, Meanwhile, Request, StoredOrder},
    record::Workspace,
    sealer::{Plan, RowPlan, SealedOrder, Sealing, no_randomness},
    suite::SealRng,
    vault::Vault,
    view::{FromView, Opened, Record, View},
};

impl Vault {
    /// For sealing into tables of your own.
    pub fn sealer(&self) -> Sealer {
        Sealer(self.clone())
    }

    /// For opening from tables of your own.
    pub fn opener(&self) -> Opener {
        Opener(self.clone())
    }
}

/// Seals orders without storing them. `Clone + Send + Sync`; made by [`Vault::sealer`].
#[derive(Clone)]
pub struct Sealer(Vault);

impl Sealer {
    /// Seals one order under the policy in force. Stores nothing; may wait for one disk sync, once in 256 orders, to be given
    /// serial numbers.
    ///
    /// # Errors
    /// `Input` if a value has not the type the policy says, or the order number is empty or too long; `PolicyMismatch` if the
    /// record has a field the policy does not; `Limit` if a value or the order is too long.
    pub fn seal<R: Record>(&self, order: &R) -> Result<SealedOrder> {
        let registry = self.0.registry()?;
        let plan = Plan::of::<R>(registry.policy()?)?;
        let serial = self.0.allot_serials(&registry, 1)?.start;
        let sealed = SealRng::with(|rng| {
            let mut sealing = Sealing { registry: &registry, plan: &plan, rng, space: Workspace::default() };
            sealing.seal(order, RowPlan::new(&registry, serial), None)
        });
        sealed.map_err(|_| no_randomness())?
    }

    /// Enters sealed orders in the ledger, durably; call it before your own transaction commits, so that no stored order is
    /// without an entry. Waits for one disk sync.
    ///
    /// # Errors
    /// `Storage` or `Locked` if the ledger cannot be written.
    pub fn log(&self, sealed: &[SealedOrder]) -> Result<()> {
        self.0.ledger().append(sealed.iter().map(|order| order.entry.clone()).collect()).map(drop)
    }
}

/// Opens orders that are kept in tables of the caller's own. `Clone + Send + Sync`; made by [`Vault::opener`].
#[derive(Clone)]
pub struct Opener(Vault);

impl Opener {
    /// Opens orders as a party for a purpose: one result per order, in their order. The entries are in the vault's ledger
    /// before any plaintext exists; waits for one disk sync, whatever the number of orders.
    ///
    /// # Errors
    /// `NotFound` for an unknown party, `Revoked`, `NotPermitted`, `Storage`. Each order has a result of its own beside that.
    pub fn open_many(
        &self,
        party: &str,
        purpose: &str,
        orders: &[StoredOrder<'_>],
    ) -> Result<Vec<Result<View>>> {
        self.open_request(&Request::all(party, purpose), orders)
    }

    /// The same as a type of the program: a role's view, or a whole record.
    ///
    /// # Errors
    /// As for [`Opener::open_many`], and `PolicyMismatch`.
    pub fn get_many<T: FromView>(
        &self,
        party: &str,
        purpose: &str,
        orders: &[StoredOrder<'_>],
    ) -> Result<Vec<Result<Opened<T>>>> {
        let views = self.open_request(&Request::of::<T>(party, purpose), orders)?;
        Ok(views.into_iter().map(|view| view?.into_typed()).collect())
    }

    fn open_request(&self, request: &Request<'_>, orders: &[StoredOrder<'_>]) -> Result<Vec<Result<View>>> {
        let watch = self.0.watch(Operation::Open, orders.len());
        watch.many(self.open_orders(&watch, request, orders))
    }

    fn open_orders(
        &self,
        watch: &Watch<'_>,
        request: &Request<'_>,
        orders: &[StoredOrder<'_>],
    ) -> Result<Vec<Result<View>>> {
        let registry = self.0.registry()?;
        request.tell(watch, &registry)?;
        let asked =
            orders.iter().map(|order| Ok(Asked { record: order.record, secret: order.secret, called: None }));
        let meanwhile =
            || Ok(Meanwhile { registry: self.0.registry()?, unchanged: vec![true; orders.len()] });
        opener::open_many(self.0.ledger(), &registry, request, asked.collect(), meanwhile)
    }
}
