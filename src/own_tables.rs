//! Sealing and opening for those who keep records in tables of their own.

use crate::{
    admin::alias_owner,
    error::{Error, ErrorKind, Result},
    keys::{HandleKey, RecordId},
    ledger::{Entry, EntryPlace, now},
    observe::{Operation, Watch},
    opener::{self, Asked, Meanwhile, Request, StoredOrder, rolled_back},
    record,
    registry::{KnownParty, Registry},
    reseal::{is_due, seal_all},
    rotation::move_row,
    sealer::{Plan, RowPlan, SealedOrder, Sealing, no_randomness},
    search::{Hits, MAX_CANDIDATES, Matches, Search},
    shred::{Shred, ShredMode},
    store::{SecretRow, SecretState, Tag, epoch_of},
    suite::SealRng,
    update,
    vault::{Vault, check_role, stale},
    view::{FromView, Opened, Patch, Record, RoleView, View},
    who_saw::Disclosures,
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
        let number = plan.order_no(order)?;
        let serial = self.0.allot_serials(&registry, 1)?.start;
        let sealed = SealRng::with(|rng| {
            let id = registry.id_key.record_id(number);
            let mut sealing = Sealing::new(&registry, &plan, rng, 1)?;
            sealing.seal(order, (number, id), RowPlan::new(&registry, serial), None)
        });
        sealed.map_err(|_| no_randomness())?
    }

    /// What an order is known by in place of its number: to find it in your tables. Reads the vault's keys, waits for nothing.
    ///
    /// # Errors
    /// `Storage`, `Damaged`.
    pub fn record_id(&self, order_no: &str) -> Result<RecordId> {
        Ok(self.0.registry()?.id_key.record_id(order_no))
    }

    /// Seals the next revision of an order, with fields changed; none where the order says so already. `called` is the order's
    /// number, if you know it. The vault opens what the patch leaves as it is, which is an entry of its own (purpose `update`):
    /// waits for one disk sync. What the order has in fields that the policy has retired is not in the next revision.
    ///
    /// Then: [`log`](Sealer::log), and one transaction of your own that replaces record, tags and secret row
    /// `WHERE revision = expected`. If that changes no row, somebody else was faster: the entry names a revision that never
    /// came to be, and does no harm. The old secret row is gone with the transaction; the order keeps its serial.
    ///
    /// # Errors
    /// `Conflict` where the order has another revision (read it again and repeat); `Input`, `Limit`, `PolicyMismatch` for
    /// values that cannot be sealed; `Shredded`, `RolledBack`, `CannotOpen`, `Storage`.
    pub fn update(
        &self,
        stored: &StoredOrder<'_>,
        called: Option<&str>,
        expected: u32,
        patch: Patch,
    ) -> Result<Option<SealedOrder>> {
        let seal = || {
            if stored.secret.revision != expected {
                return Err(stale(stored.secret.revision, expected));
            }
            let registry = self.0.registry()?;
            // One more sealing of the epoch, which has a limit.
            self.0.allot_serials(&registry, 1)?;
            update::seal(self.0.ledger(), &registry, stored, called, (patch, |fields, _| Ok(fields)))
        };
        let sealed = self.0.watch(Operation::Update, 1).one(seal())?;
        Ok(sealed.map(|mut sealed| {
            sealed.secret.state = SecretState::Current;
            sealed
        }))
    }

    /// Seals an order anew under the current epoch and the policy in force, without a change: for [`Vault::rotate`], before
    /// [`Vault::destroy_epoch`]; none where it is of both already. Its revision and its serial stay.
    ///
    /// Then: [`log`](Sealer::log), and one transaction of your own that replaces record, tags and secret row `WHERE record_id = ?`
    /// and the secret row is the old one (compare its bytes: the revision is the same before and after). If that changes no row,
    /// somebody else was faster: the entry names a sealing that never came to be. Many orders are logged together. When all
    /// are moved, `destroy_epoch(epoch, OwnTables::Moved)`.
    ///
    /// # Errors
    /// `Shredded`, `RolledBack`, `CannotOpen`, `Damaged`, `Limit`, `Storage`.
    pub fn reseal(&self, stored: &StoredOrder<'_>) -> Result<Option<SealedOrder>> {
        let seal = || {
            let registry = self.0.registry()?;
            if !is_due(&registry, &record::Record::parse(stored.record)?)? {
                return Ok(None);
            }
            self.0.count_sealings(&registry, 1)?;
            let plan = Plan::of_policy(registry.policy()?);
            let orders = std::slice::from_ref(stored);
            let sealed = SealRng::with(|rng| seal_all(&registry, &plan, rng, orders));
            sealed.map_err(|_| no_randomness())??.pop().transpose()
        };
        let sealed = self.0.watch(Operation::Reseal, 1).one(seal())?;
        Ok(sealed.map(|mut sealed| {
            sealed.secret.state = SecretState::Current;
            sealed
        }))
    }

    /// Moves a secret row of your tables to the release key that wraps now, a shredded one too; none where it is under that already.
    /// Makes no entry: nothing is opened.
    ///
    /// To exchange the release key: [`Vault::rewrap`], which begins a generation and then refuses to destroy the one before, because
    /// of your orders; move every row, each by one `UPDATE` that compares the old bytes; then `rewrap(OwnTables::Moved, …)` again. A
    /// row that was not moved opens for nobody after that.
    ///
    /// # Errors
    /// `CannotOpen` for a row that does not open, `Storage`.
    pub fn rewrap(&self, row: &SecretRow) -> Result<Option<SecretRow>> {
        let registry = self.0.registry()?;
        if row.generation == registry.current_release()?.generation {
            return Ok(None);
        }
        let moved = SealRng::with(|rng| move_row(&registry, rng, row)).map_err(|_| no_randomness())??;
        moved.map(Some).ok_or_else(opener::cannot_open)
    }

    /// Enters sealed orders in the ledger, durably; call it before your own transaction commits, so that no stored order is
    /// without an entry. Waits for one disk sync.
    ///
    /// # Errors
    /// `Conflict` if the keys of one of them have been destroyed since it was sealed (seal it again); `Storage` or `Locked` if the
    /// ledger cannot be written.
    pub fn log(&self, sealed: &[SealedOrder]) -> Result<()> {
        // Held until the entry is there: whoever destroys keys looks for entries first, under the same lock.
        let _writer = self.0.writer()?;
        let registry = self.0.registry()?;
        let opens = |order: &SealedOrder| {
            let epoch = epoch_of(&order.record).is_some_and(|epoch| registry.epoch(epoch).is_some());
            epoch && registry.release(order.secret.generation).is_some()
        };
        if !sealed.iter().all(opens) {
            return Err(Error::new(ErrorKind::Conflict, "the keys of a sealed order have been destroyed")
                .with_hint("seal it again"));
        }
        self.0.ledger().append(sealed.iter().map(|order| order.entry.clone()).collect()).map(drop)
    }
}

/// Whose alias it is, and the order's place in your tables.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AliasOwner {
    /// The party whose alias it is.
    pub party: KnownParty,
    /// [`SecretRow::serial`] of the order.
    pub serial: u64,
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

    /// Opens orders as a role's view: the party acts in the view's role, for the view's purpose.
    ///
    /// # Errors
    /// As for [`Opener::open_many`], and `PolicyMismatch`.
    pub fn open_many_as<V: RoleView>(
        &self,
        party: &str,
        orders: &[StoredOrder<'_>],
    ) -> Result<Vec<Result<Opened<V>>>> {
        check_role::<V>(&*self.0.registry()?, party)?;
        self.typed(&Request::of::<V>(party, V::PURPOSE), orders)
    }

    /// Opens orders whole, as the record type they were sealed as: by a purpose that opens every field of the type, or every field
    /// that the order has where the type keeps [`more`](Record::more), and all lines.
    ///
    /// # Errors
    /// As for [`Vault::get`], where `NotPermitted` is of the call or of one order.
    pub fn get_many<R: Record + FromView>(
        &self,
        party: &str,
        purpose: &str,
        orders: &[StoredOrder<'_>],
    ) -> Result<Vec<Result<Opened<R>>>> {
        self.typed(&Request::whole::<R>(party, purpose), orders)
    }

    fn typed<T: FromView>(
        &self,
        request: &Request<'_>,
        orders: &[StoredOrder<'_>],
    ) -> Result<Vec<Result<Opened<T>>>> {
        let views = self.open_request(request, orders)?;
        Ok(views.into_iter().map(|view| view?.into_typed()).collect())
    }

    /// Orders in your tables that have a value in an indexed field: as [`Vault::find`], with its entries and its budget.
    ///
    /// `candidates` gets the tags to look for and returns, of each order that has one of them, the sealed record and the secret
    /// row; at most [`Opener::MOST_CANDIDATES`] and one more. What a tag says is checked inside. Waits for three disk syncs.
    ///
    /// # Errors
    /// As for [`Vault::find`], and those of `candidates`.
    pub fn find<E: From<Error>>(
        &self,
        party: &str,
        purpose: &str,
        field: &str,
        value: &str,
        candidates: impl FnOnce(&[Tag]) -> Result<Vec<(Vec<u8>, SecretRow)>, E>,
    ) -> Result<Hits, E> {
        let vault = &self.0;
        let watch = vault.watch(Operation::Find, 0);
        let admitted = vault.registry().and_then(|registry| {
            let request = Request::all(party, purpose);
            request.tell(&watch, &registry)?;
            Ok((registry, request))
        });
        let (registry, request) = admitted.or_else(|e| watch.one(Err(e)))?;
        let search = Search::admit(vault.ledger(), &registry, &request, field, value).and_then(|search| {
            search.spend(&*vault.inner().stores.keys, now())?;
            Ok(search)
        });
        let search = search.or_else(|e| watch.one(Err(e)))?;
        let found = candidates(&search.tags())?;
        let stored: Vec<_> = found.iter().map(|(record, secret)| StoredOrder { record, secret }).collect();
        let answer = search.check_number(found.len());
        let mut matches = Matches::default();
        let hits = answer
            .and_then(|()| search.compare(&stored, &mut matches, || self.meanwhile(stored.len())))
            .and_then(|()| search.answer(matches, |rows| self.meanwhile(rows.len())));
        let hits = watch.one(hits)?;
        watch.orders(hits.hits.len());
        watch.failed(hits.unreadable);
        Ok(hits)
    }

    /// Most orders that a search goes through; with more it is refused.
    pub const MOST_CANDIDATES: usize = MAX_CANDIDATES;

    /// Whose alias this is, and the serial by which your tables find the order. Opens nothing.
    ///
    /// # Errors
    /// `Input` for text that is no alias, `NotFound` for an alias this vault never made.
    pub fn alias_owner(&self, alias: &str) -> Result<AliasOwner> {
        let registry = self.0.registry()?;
        let (party, serial) = alias_owner(&registry, alias)?;
        Ok(AliasOwner { party: party.clone(), serial })
    }

    /// The entries, with their place, that say a party saw an order (disclosures and search hits): to show that it did, or that
    /// it never was given the alias that is quoted. Works on a shredded order's row, too, and is `None` where the evidence was
    /// destroyed. Reads the ledger; opens nothing.
    ///
    /// # Errors
    /// `NotFound` for an unknown party, `CannotOpen`, `Storage`.
    pub fn seen(&self, party: &str, secret: &SecretRow) -> Result<Option<Vec<(EntryPlace, Entry)>>> {
        let registry = self.0.registry()?;
        let party = registry.party(party)?;
        let handle_key = self.handle_key(&registry, secret)?;
        handle_key.map(|handle_key| self.0.seen_by(&registry, party, &handle_key)).transpose()
    }

    /// Who saw an order of your tables: as [`Vault::who_saw`], by the secret row of its newest revision. None where its evidence was destroyed.
    ///
    /// # Errors
    /// `CannotOpen`; `RolledBack` for the row of an earlier revision; `Damaged` where entries are missing; `Storage`.
    pub fn who_saw(&self, secret: &SecretRow) -> Result<Option<Disclosures>> {
        let told = || {
            let registry = self.0.registry()?;
            let handle_key = self.handle_key(&registry, secret)?;
            let id = RecordId(secret.record_id);
            handle_key.map(|key| self.0.disclosures_of(&registry, id, &key)).transpose()
        };
        self.0.watch(Operation::WhoSaw, 1).one(told())
    }

    fn handle_key(&self, registry: &Registry, secret: &SecretRow) -> Result<Option<HandleKey>> {
        match secret.state {
            SecretState::Shredded => self.0.evidence_of(registry, secret),
            SecretState::Superseded => Err(rolled_back()),
            SecretState::Current | SecretState::Pending => {
                registry.handle_key(secret).map(Some).ok_or_else(opener::cannot_open)
            }
        }
    }

    /// Shreds an order of your tables: enters it in the ledger and returns the row that takes the place of its secret row.
    /// Waits for one disk sync.
    ///
    /// Then one transaction of your own: replace the secret row by this one, delete the record and its tags. **Until it has
    /// committed, the order still opens.** After a crash in between repeat both: a second entry does no harm. What your
    /// database keeps of the old row (free pages, write-ahead log, backups) is for you to destroy; SQLite wants
    /// `PRAGMA secure_delete = ON`, the row as [`SecretRow::to_bytes`] and a checkpoint that truncates the log.
    ///
    /// Keep the row: a number that has one was shredded and is not put again.
    ///
    /// # Errors
    /// `Shredded` if it is shredded already, `Limit` for a reason above 1,024 bytes, `RolledBack`, `CannotOpen`, `Storage`.
    pub fn shred(&self, stored: &StoredOrder<'_>, reason: &str, mode: ShredMode) -> Result<SecretRow> {
        let enter = || {
            let shred = Shred::prepare(&*self.0.registry()?, stored, reason, mode)?;
            self.0.ledger().append(vec![shred.entry.clone()])?;
            Ok(shred.destroyed())
        };
        self.0.watch(Operation::Shred, 1).one(enter())
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
        let meanwhile = || self.meanwhile(orders.len());
        opener::open_many(self.0.ledger(), &registry, request, asked.collect(), meanwhile)
    }

    /// What became of the orders meanwhile is the caller's to see.
    fn meanwhile(&self, orders: usize) -> Result<Meanwhile> {
        Ok(Meanwhile { registry: self.0.registry()?, unchanged: vec![true; orders] })
    }
}
