//! The flow: put, open, update, find, shred. No cryptography and no SQL in it; every call leads one level down.

mod lookup;
mod request;
mod reseal;
mod root;
#[cfg(test)]
mod secret_tests;
mod settle;

use std::{
    ops::Range,
    path::PathBuf,
    process,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use crate::{
    close, cores,
    error::{Error, ErrorKind, Result},
    keys::RecordId,
    ledger::{Entry, Ledger, LedgerState, now},
    observe::{Counters, Operation, Watch},
    opener::{self, Request},
    registry::Registry,
    sealer::{Plan, SealedOrder, Sealing, no_randomness},
    search::{Hits, MAX_CANDIDATES, Matches, Search},
    share::{self, Shared},
    shred::{Shred, ShredMode},
    store::{LOCK_WAIT, RecordSummary, StagedRecord, Stores},
    suite::SealRng,
    update::{self, Fits},
    view::{Fields, FromView, Opened, Patch, Record, RoleView, View},
};

pub(crate) use lookup::{Found, MOST_SEALINGS, SEALINGS};
pub use reseal::Resealed;
pub(crate) use root::Root;
use root::Roots;
pub(crate) use settle::KEEP_SUPERSEDED;

/// Sealed orders, their secrets, keys and ledger. `Clone + Send + Sync`; clones share one vault.
///
/// A vault belongs to the process that unlocked it: in a forked child its calls fail with `Locked`, and so does unlocking the folder
/// there while the parent had it unlocked at the fork (SQLite's locks do not survive one). Unlock in the workers, after the fork.
///
/// All methods block. Each says what it may wait for; async callers run them on a thread for blocking work.
#[derive(Clone)]
pub struct Vault(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) stores: Stores,
    ledger: Ledger,
    roots: Mutex<Roots>,
    /// Where its files are, if it is in a folder: no root key may lie in it.
    pub(crate) folder: OnceLock<PathBuf>,
    registry: Mutex<(u64, Arc<Registry>)>,
    /// Serial numbers at hand, and the epoch in which they are counted as sealings.
    serials: Mutex<(u32, Range<u64>)>,
    counters: Counters,
    process: u32,
}

/// What became of an order that was put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// It is stored under this id.
    Stored(RecordId),
    /// The same order was there already; nothing changed.
    Unchanged(RecordId),
}

impl Vault {
    /// Stores one order. Waits for three disk syncs and, at most 10 seconds, for another writer; [`Vault::put_many`] shares
    /// them among its orders.
    ///
    /// # Errors
    /// `Input` or `Limit` for an order that cannot be sealed, `Exists` for another order under the same number, `Shredded` for
    /// a number that was shredded, `PolicyMismatch`, `Locked`, `Storage`.
    pub fn put<R: Record>(&self, order: &R) -> Result<Put> {
        let mut results = self.put_many(std::slice::from_ref(order))?;
        results.pop().unwrap_or_else(|| Err(Error::new(ErrorKind::Storage, "nothing was stored")))
    }

    /// Stores orders: one result per order, in their order. Secrets, ledger and records are written one after the other, each
    /// durable before the next, once per call; an order exists when its record does. An order that fails leaves the others be.
    /// Many orders are sealed on all cores.
    ///
    /// # Errors
    /// As for [`Vault::put`]; an error of the whole call (`Locked`, `Storage`) means that none of its orders is acknowledged,
    /// and that the call may simply be repeated.
    pub fn put_many<R: Record>(&self, orders: &[R]) -> Result<Vec<Result<Put>>> {
        let stored = |put: &Put| matches!(put, Put::Stored(_));
        self.watch(Operation::Put, orders.len()).many_changed(self.put_orders(orders), stored)
    }

    /// The same for orders as JSON, each as [`Fields::from_order_json`] reads it.
    ///
    /// # Errors
    /// As for [`Vault::put_many`]; a text that is no order has its own error as its result.
    pub fn put_many_json<S: AsRef<str>>(&self, texts: &[S]) -> Result<Vec<Result<Put>>> {
        let policy = self.policy()?;
        let mut orders = Vec::with_capacity(texts.len());
        let read = |text: &S| Fields::from_order_json(text.as_ref(), &policy).map(|order| orders.push(order));
        let read: Vec<Result<()>> = texts.iter().map(read).collect();
        let mut put = self.put_many(&orders)?.into_iter();
        Ok(read.into_iter().filter_map(|read| read.map_or_else(|e| Some(Err(e)), |()| put.next())).collect())
    }

    fn put_orders<R: Record>(&self, orders: &[R]) -> Result<Vec<Result<Put>>> {
        let _writer = self.writer()?;
        let registry = self.registry()?;
        let plan = Plan::of::<R>(registry.policy()?)?;
        let mut results: Vec<Option<Result<Put>>> = orders.iter().map(|_| None).collect();
        // A number that stands twice in one call is put once and then compared.
        while results.iter().any(Option::is_none) {
            let mut new = self.triage(&registry, &plan, orders, &mut results)?;
            let serials = self.allot_serials(&registry, new.len() as u64)?;
            new.iter_mut().zip(serials).for_each(|(new, serial)| new.serial = serial);
            let sealed = cores::on_all(&mut new, |some| {
                SealRng::with(|rng| {
                    let mut sealing = Sealing::new(&registry, &plan, rng, some.len())?;
                    Ok(some.iter_mut().map(|new| new.seal(&mut sealing, &orders[new.at])).collect::<Vec<_>>())
                })
                .map_err(|_| no_randomness())?
            });
            let sealed = sealed.into_iter().collect::<Result<Vec<_>>>()?;
            let (mut stored, mut replaced) = (Vec::with_capacity(new.len()), Vec::new());
            for (new, sealed) in new.into_iter().zip(sealed.into_iter().flatten()) {
                results[new.at] = Some(sealed.map(|order| {
                    let id = order.record_id;
                    replaced.extend(new.abandoned);
                    stored.push(order);
                    Put::Stored(id)
                }));
            }
            self.store(stored, &replaced)?;
        }
        Ok(results.into_iter().flatten().collect())
    }

    /// Secret → ledger → order, each durable before the next. A crash leaves secrets that no record points to, and an entry of
    /// an order that was never acknowledged: both harmless, and taken over when the order is put again.
    fn store(&self, sealed: Vec<SealedOrder>, replaced: &[([u8; 16], [u8; 10])]) -> Result<()> {
        let stores = &self.0.stores;
        let (mut rows, mut secrets, mut entries) = (Vec::new(), Vec::new(), Vec::new());
        for order in sealed {
            let (row, secret, entry) = order.into_rows();
            rows.push(row);
            secrets.push(secret);
            entries.push(entry);
        }
        stores.secrets.replace_secrets(replaced, &secrets)?;
        self.0.ledger.append(entries)?;
        Ok(stores.orders.insert_records(&rows)?)
    }

    /// Opens one order as a party for a purpose. `order` is its number or an alias. Waits for one disk sync: the entry is in
    /// the ledger before any plaintext exists. Fifty orders are one [`Vault::open_many`].
    ///
    /// # Errors
    /// `NotFound`, `NotPermitted`, `Expired`, `Revoked`, `Shredded`, `RolledBack`, `CannotOpen`, `Damaged`, `Storage`.
    pub fn open(&self, party: &str, purpose: &str, order: &str) -> Result<View> {
        let mut results = self.open_many(party, purpose, &[order])?;
        results.pop().unwrap_or_else(|| Err(not_found()))
    }

    /// Opens orders as a party for a purpose: one result per order, in their order, with one disk sync for all.
    ///
    /// # Errors
    /// `NotFound` for an unknown party, `Revoked`, `NotPermitted`, `Storage`. Each order has a result of its own beside that.
    pub fn open_many(&self, party: &str, purpose: &str, orders: &[&str]) -> Result<Vec<Result<View>>> {
        self.open_request(&Request::all(party, purpose), orders)
    }

    /// Opens one order as a role's view: the party acts in the view's role, for the view's purpose. What the role may not open,
    /// the type does not have. Waits for one disk sync.
    ///
    /// # Errors
    /// As for [`Vault::open`], and `PolicyMismatch` where the program was compiled against another policy than the one in force.
    pub fn open_as<V: RoleView>(&self, party: &str, order: &str) -> Result<Opened<V>> {
        let mut results = self.open_many_as(party, &[order])?;
        results.pop().unwrap_or_else(|| Err(not_found()))
    }

    /// Opens orders as a role's view: one result per order, in their order, with one disk sync for all.
    ///
    /// # Errors
    /// As for [`Vault::open_many`], and `PolicyMismatch`.
    pub fn open_many_as<V: RoleView>(&self, party: &str, orders: &[&str]) -> Result<Vec<Result<Opened<V>>>> {
        check_role::<V>(&*self.registry()?, party)?;
        let views = self.open_request(&Request::of::<V>(party, V::PURPOSE), orders)?;
        Ok(views.into_iter().map(|view| view?.into_typed()).collect())
    }

    /// Opens one order whole, as the record type it was put as: for the shop itself, by a purpose that opens every field of the
    /// type, or every field that the order has where the type keeps [`more`](Record::more). Its revision is what [`Vault::update`]
    /// wants. Waits for one disk sync.
    ///
    /// # Errors
    /// As for [`Vault::open`], and `PolicyMismatch` where the purpose does not open every field of the type, `NotPermitted` where
    /// it opens some lines of a list only, or not every field that this order has.
    pub fn get<R: Record + FromView>(&self, party: &str, purpose: &str, order: &str) -> Result<Opened<R>> {
        let mut results = self.get_many(party, purpose, &[order])?;
        results.pop().unwrap_or_else(|| Err(not_found()))
    }

    /// Opens orders whole: one result per order, in their order, with one disk sync for all.
    ///
    /// # Errors
    /// As for [`Vault::open_many`], and those of [`Vault::get`].
    pub fn get_many<R: Record + FromView>(
        &self,
        party: &str,
        purpose: &str,
        orders: &[&str],
    ) -> Result<Vec<Result<Opened<R>>>> {
        let views = self.open_request(&Request::whole::<R>(party, purpose), orders)?;
        Ok(views.into_iter().map(|view| view?.into_typed()).collect())
    }

    fn open_request(&self, request: &Request<'_>, orders: &[&str]) -> Result<Vec<Result<View>>> {
        let watch = self.watch(Operation::Open, orders.len());
        watch.many(self.open_orders(&watch, request, orders))
    }

    /// Copies of orders for a party that has a key of its own, in one signed bundle, each entered as a disclosure first. What the party
    /// gets are its parts and lines, sealed anew; the stored records stay. The bundle ends when the time of the purpose does, and after
    /// `valid` at the latest. Waits for one disk sync, and the first call ever for two more.
    ///
    /// What a party has been given it can read for ever: revoking it, or closing the order, stops what comes next.
    ///
    /// # Errors
    /// `NotFound` for an unknown party, `Revoked`, `NotPermitted`, `Input` for a party without a key, `Limit` beyond 65,536 orders or 64
    /// MiB, `Storage`. Each order has a result of its own beside that: those of [`Vault::open`], `Expired` for one that is closed, and
    /// `Absent` for one that has nothing of what the purpose opens.
    pub fn share(
        &self,
        party: &str,
        purpose: &str,
        orders: &[&str],
        valid: Option<Duration>,
    ) -> Result<Shared> {
        let watch = self.watch(Operation::Share, orders.len());
        let Shared { bundle, expires, orders } =
            watch.one_of_many(self.share_orders(&watch, &Request::all(party, purpose), orders, valid))?;
        Ok(Shared { bundle, expires, orders: watch.many(Ok(orders))? })
    }

    fn share_orders(
        &self,
        watch: &Watch<'_>,
        request: &Request<'_>,
        orders: &[&str],
        valid: Option<Duration>,
    ) -> Result<Shared> {
        self.card()?;
        let (registry, found) = self.look_up_with_keys(orders)?;
        request.tell(watch, &registry)?;
        let until = valid.map(|valid| now().saturating_add(valid.as_secs()));
        self.with_stored(orders, &found, |asked, meanwhile| {
            share::share(&self.0.ledger, &registry, request, (asked, until), meanwhile)
        })
    }

    fn open_orders(
        &self,
        watch: &Watch<'_>,
        request: &Request<'_>,
        orders: &[&str],
    ) -> Result<Vec<Result<View>>> {
        let (registry, found) = self.look_up_with_keys(orders)?;
        request.tell(watch, &registry)?;
        self.with_stored(orders, &found, |asked, meanwhile| {
            opener::open_many(&self.0.ledger, &registry, request, asked, meanwhile)
        })
    }

    /// Changes fields of an order whose revision is `expected`; returns the revision it has then. Facets and search tags follow
    /// their fields. Nothing is written where the order says so already. The order's number cannot be changed.
    ///
    /// The vault opens what the patch leaves as it is, which is an entry of its own (purpose `update`), and seals the whole order
    /// anew. What the order has in fields that the policy has retired is not in the next revision, whatever the patch changes.
    /// Waits for six disk syncs and, at most 10 seconds, for another writer.
    ///
    /// # Errors
    /// `Conflict` where the order has another revision (read it again and repeat), `NotFound`, `Shredded`, `Input`, `Limit`,
    /// `Locked`, `Storage`.
    pub fn update(&self, order: &str, expected: u32, patch: Patch) -> Result<u32> {
        self.watch(Operation::Update, 1).one(self.update_order(
            order,
            expected,
            (patch, |fields, _| Ok(fields)),
        ))
    }

    /// The same, where the order must still be one of the type `R` afterwards: a patch that clears what the type must have, or
    /// gives a list rows that it cannot read, is refused. For patches that come from outside.
    ///
    /// # Errors
    /// As for [`Vault::update`], `Input` with the field that is missing or of another type, and `PolicyMismatch`.
    pub fn update_as<R: Record + FromView>(&self, order: &str, expected: u32, patch: Patch) -> Result<u32> {
        let change: (Patch, Fits) = (patch, |fields, policy| fields.fitting::<R>(policy));
        self.watch(Operation::Update, 1).one(self.update_order(order, expected, change))
    }

    fn update_order(&self, order: &str, expected: u32, change: (Patch, Fits)) -> Result<u32> {
        let _writer = self.writer()?;
        let registry = self.registry()?;
        let found = self.look_up(&registry, order)?;
        let stored = found.newest()?;
        if stored.secret.revision != expected {
            return Err(stale(stored.secret.revision, expected));
        }
        // One more sealing of the epoch, which has a limit.
        self.allot_serials(&registry, 1)?;
        let called = found.by_number.then_some(order);
        let Some(sealed) = update::seal(&self.0.ledger, &registry, &stored, called, change)? else {
            return Ok(expected);
        };
        let revision = sealed.secret.revision;
        let listed = found.record.as_ref().map_or(expected, |record| record.revision);
        let done = self.replace(sealed, listed);
        if done.is_err() {
            let _left_to_the_next = self.settle();
        }
        done.map(|()| revision)
    }

    /// Pending secret → next record beside the old one → ledger → record → secret, each durable before the next. Until the
    /// record is swapped (for that with the revision `replaces`), the old one opens; what a crash leaves is finished if the ledger
    /// has the entry, and undone if not.
    fn replace(&self, sealed: SealedOrder, replaces: u32) -> Result<()> {
        let stores = &self.0.stores;
        let (record, pending, entry) = sealed.into_rows();
        stores.secrets.insert_secrets(std::slice::from_ref(&pending))?;
        let ledger_size = self.0.ledger.state()?.size;
        stores.orders.stage_record(&StagedRecord { record, replaces, ledger_size })?;
        self.0.ledger.append(vec![entry])?;
        self.finish_update(&pending)
    }

    /// Orders that have a value in an indexed field, for a party that may search by it for this purpose. Each hit is a
    /// disclosure with an entry of its own. Candidates are opened inside the vault, which enters that, too. At most 60 searches
    /// an hour and 300 a day for each party and field. Waits for three disk syncs, and one more for every hundred candidates.
    ///
    /// Only orders put since the field has its index are found.
    ///
    /// # Errors
    /// `NotPermitted`, `Revoked`, `NotFound` for an unknown party, `Input` for an empty value, `Limit` when the party's searches are
    /// used up or more than 1,000 orders may have the value, `Storage`.
    pub fn find(&self, party: &str, purpose: &str, field: &str, value: &str) -> Result<Hits> {
        let watch = self.watch(Operation::Find, 0);
        let found = watch.one(self.find_orders(&watch, &Request::all(party, purpose), field, value))?;
        watch.orders(found.hits.len());
        watch.failed(found.unreadable);
        Ok(found)
    }

    fn find_orders(
        &self,
        watch: &Watch<'_>,
        request: &Request<'_>,
        field: &str,
        value: &str,
    ) -> Result<Hits> {
        let registry = self.registry()?;
        request.tell(watch, &registry)?;
        let ledger = &self.0.ledger;
        Search::admit(ledger, &registry, request, field, value)?.spend(&*self.0.stores.keys, now())?;
        let (_, hits) = self.with_keys(|registry, last| {
            let search = Search::admit(ledger, registry, request, field, value)?;
            let Some(matches) = self.matches(&search, registry, last)? else { return Ok(None) };
            let meanwhile = |rows: &[_]| self.meanwhile(&rows.iter().map(Some).collect::<Vec<_>>());
            search.answer(matches, meanwhile).map(Some)
        })?;
        Ok(hits)
    }

    /// The candidates that have the value; none where they may be under keys that were made since the snapshot was taken.
    fn matches(&self, search: &Search<'_>, registry: &Registry, last: bool) -> Result<Option<Matches>> {
        let ids = self.0.stores.orders.tagged(&search.tags(), MAX_CANDIDATES + 1)?;
        let newest = self.registry()?.current_epoch()?.epoch;
        if !last && newest != registry.current_epoch()?.epoch {
            return Ok(None);
        }
        search.check_number(ids.len())?;
        let mut matches = Matches::default();
        for ids in ids.chunks(CANDIDATES_AT_ONCE) {
            let found = self.rows_of(ids)?;
            if !last && !found.iter().all(|found| found.is_known(registry)) {
                return Ok(None);
            }
            let candidates: Vec<_> = found.iter().filter_map(|found| found.newest().ok()).collect();
            matches.unreadable += found.len() - candidates.len();
            let rows: Vec<_> = candidates.iter().map(|order| Some(order.secret)).collect();
            search.compare(&candidates, &mut matches, || self.meanwhile(&rows))?;
        }
        Ok(Some(matches))
    }

    /// Destroys the secret of an order: nothing opens it any more, for anybody. The reason goes into the ledger as a commitment.
    /// Waits for five disk syncs and, at most 10 seconds, for another writer.
    ///
    /// # Not final against old copies of the secrets
    /// A backup of the secret rows, together with the release key, still opens the order until that key is destroyed
    /// ([`Vault::rewrap`]).
    ///
    /// # Errors
    /// `NotFound`, `Shredded` if it is shredded already, `Limit` for a reason above 1,024 bytes, `Locked`, `Storage`.
    pub fn shred(&self, order: &str, reason: &str, mode: ShredMode) -> Result<RecordId> {
        self.watch(Operation::Shred, 1).one(self.shred_order(order, reason, mode))
    }

    fn shred_order(&self, order: &str, reason: &str, mode: ShredMode) -> Result<RecordId> {
        let _writer = self.writer()?;
        let registry = self.registry()?;
        let found = self.look_up(&registry, order)?;
        let stored = found.newest()?;
        let id = RecordId(stored.secret.record_id);
        let Shred { entry, marked, evidence } = Shred::prepare(&registry, &stored, reason, mode)?;
        // Marked first, so that from here on nobody opens it; entered; destroyed. What fails in between is settled: by this call,
        // and if that fails too by the next writer.
        let done = self
            .replace_rows(&found.rows, &marked)
            .and_then(|()| self.0.ledger.append(vec![entry]))
            .and_then(|_| self.destroy(&marked, evidence, LOCK_WAIT));
        if done.is_err() {
            let _left_to_the_next = self.settle();
        }
        done.map(|()| id)
    }

    /// Closes an order whose life is over, for good: nothing of it is shared any more, and every purpose that has an end (`expires`)
    /// is over for it. What is open without an end stays so: the shop's own work, its books. An order that is closed stays as it is.
    /// Waits for two disk syncs and, at most 10 seconds, for another writer.
    ///
    /// # Errors
    /// `NotFound`, `Shredded`, `RolledBack`, `CannotOpen`, `Locked`, `Storage`; after an error it may be repeated.
    pub fn close(&self, order: &str) -> Result<RecordId> {
        self.watch(Operation::Close, 1).one(self.close_order(order))
    }

    fn close_order(&self, order: &str) -> Result<RecordId> {
        let _writer = self.writer()?;
        let registry = self.registry()?;
        let found = self.look_up(&registry, order)?;
        let stored = found.newest()?;
        if let Some((entry, closed)) = close::prepare(&registry, &stored)? {
            // Entered first: an order that is closed has its entry.
            self.0.ledger.append(vec![entry])?;
            self.replace_rows(std::slice::from_ref(stored.secret), &closed)?;
        }
        Ok(RecordId(stored.secret.record_id))
    }

    /// A page of stored orders above `after`, at most `limit`, ascending by id. Opens nothing.
    ///
    /// # Errors
    /// `Storage`.
    pub fn list(&self, after: Option<RecordId>, limit: usize) -> Result<Vec<RecordSummary>> {
        Ok(self.0.stores.orders.page(after.map(|id| id.0).as_ref(), limit)?)
    }

    /// The sealed record of an order, as the store has it. Opens nothing.
    ///
    /// # Errors
    /// `NotFound`, `Shredded`, `Storage`.
    pub fn sealed(&self, order: &str) -> Result<Vec<u8>> {
        let found = self.look_up(&*self.registry()?, order)?;
        Ok(found.newest()?.record.to_vec())
    }

    /// Size and root of the ledger.
    ///
    /// # Errors
    /// `Storage`.
    pub fn ledger_state(&self) -> Result<LedgerState> {
        self.0.ledger.state()
    }

    /// Number of the ledger that openings are entered in: 1, and one more after each restore.
    ///
    /// # Errors
    /// `Storage`, `Damaged`.
    pub fn ledger_number(&self) -> Result<u32> {
        Ok(self.registry()?.ledger_number())
    }

    /// Name of that ledger, which no other ledger of any vault has: `consignee/` ‖ the vault's id ‖ `/` ‖ the number.
    ///
    /// # Errors
    /// `Storage`, `Damaged`.
    pub fn ledger_origin(&self) -> Result<String> {
        Ok(self.registry()?.ledger_origin())
    }

    /// Entries of the ledger from index `from` on, at most `limit`. Those of ledgers before it: `Peek::in_ledger`.
    ///
    /// # Errors
    /// `Storage`, `Damaged`, `NewerFormat`.
    pub fn ledger_entries(&self, from: u64, limit: usize) -> Result<Vec<Entry>> {
        self.0.ledger.entries(from, limit)
    }
}

/// Candidates of a search that are in memory at a time: a record can have 16 MiB.
const CANDIDATES_AT_ONCE: usize = 100;

impl Vault {
    pub(crate) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.0.ledger
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.0.counters
    }

    pub(crate) fn watch(&self, operation: Operation, orders: usize) -> Watch<'_> {
        Watch::new(operation, orders, &self.0.counters)
    }
}

impl Inner {
    pub(crate) fn new(stores: Stores, root: Root) -> Result<Self> {
        let version = stores.keys.items_version()?;
        let registry = Registry::load(stores.keys.items()?, &*root.key)?;
        let ledger = Ledger::new(&stores);
        registry.check_former(&ledger.former_states()?)?;
        Ok(Self {
            ledger,
            stores,
            roots: Mutex::new(Roots { current: root, next: None }),
            folder: OnceLock::new(),
            registry: Mutex::new((version, Arc::new(registry))),
            serials: Mutex::new((0, 0..0)),
            counters: Counters::default(),
            process: process::id(),
        })
    }
}

pub(crate) fn not_found() -> Error {
    Error::new(ErrorKind::NotFound, "no such order")
}

/// A view is for parties of its role only.
pub(crate) fn check_role<V: RoleView>(registry: &Registry, party: &str) -> Result<()> {
    if registry.policy()?.access(V::ROLE, V::PURPOSE).is_none() {
        return Err(no_such_view::<V>());
    }
    let role = &registry.party(party)?.role;
    if role == V::ROLE {
        return Ok(());
    }
    let message = format!("the party acts as {role}, and this is the view of {}", V::ROLE);
    Err(Error::new(ErrorKind::NotPermitted, message))
}

pub(crate) fn no_such_view<V: RoleView>() -> Error {
    let message = format!("the policy in force gives {} no purpose {}", V::ROLE, V::PURPOSE);
    Error::new(ErrorKind::PolicyMismatch, message)
        .with_hint("this program was compiled against another policy: apply that one, or build it anew")
}

pub(crate) fn stale(revision: u32, expected: u32) -> Error {
    let message = format!("the order has revision {revision}, not {expected}");
    Error::new(ErrorKind::Conflict, message).with_hint("read it again and repeat")
}
