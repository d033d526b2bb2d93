//! The flow: put, open, shred. No cryptography and no SQL in it; every call leads one level down.

use std::{
    ops::Range,
    process,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{
    alias::{self, Alias},
    error::{Error, ErrorKind, Result},
    keys::{Evidence, RecordId, RootKey},
    ledger::{Entry, EntryKind, Ledger, LedgerState, now},
    opener::{self, Asked, Meanwhile, Request, StoredOrder, row_context, shredded, unlock},
    record,
    registry::Registry,
    sealer::{Plan, RowPlan, SealedOrder, Sealing, no_randomness},
    store::{Held, LOCK_WAIT, RecordRow, RecordSummary, SecretRow, SecretState, Stores},
    suite::SealRng,
    view::{FromView, Opened, Record, RoleView, View},
};

/// Sealed orders, their secrets, keys and ledger. `Clone + Send + Sync`; clones share one vault.
///
/// A vault belongs to the process that unlocked it: in a forked child its calls fail with `Locked`; unlock it again there.
///
/// All methods block. Each says what it may wait for; async callers run them on a thread for blocking work.
#[derive(Clone)]
pub struct Vault(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) stores: Stores,
    ledger: Ledger,
    pub(crate) root: Arc<dyn RootKey>,
    pub(crate) parameters: Vec<u8>,
    registry: Mutex<(u64, Arc<Registry>)>,
    serials: Mutex<Range<u64>>,
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

/// What remains of a shredded order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShredMode {
    /// Who saw the order can still be proved; its content is gone.
    KeepEvidence,
    /// Not even that.
    WithEvidence,
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
    ///
    /// # Errors
    /// As for [`Vault::put`]; an error of the whole call (`Locked`, `Storage`) means that none of its orders is acknowledged,
    /// and that the call may simply be repeated.
    pub fn put_many<R: Record>(&self, orders: &[R]) -> Result<Vec<Result<Put>>> {
        let _writer = self.writer()?;
        let registry = self.registry()?;
        let plan = Plan::of::<R>(registry.policy()?)?;
        let mut results: Vec<Option<Result<Put>>> = orders.iter().map(|_| None).collect();
        // A number that stands twice in one call is put once and then compared.
        while results.iter().any(Option::is_none) {
            let mut batch = self.triage(&registry, &plan, orders, &mut results)?;
            let mut serials = self.allot_serials(&registry, batch.new.len() as u64)?;
            let put_at = now();
            let sealed = SealRng::with(|rng| {
                let mut sealing =
                    Sealing { registry: &registry, plan: &plan, rng, space: record::Workspace::default() };
                let mut seal = |at: &usize| {
                    let serial = serials.next().unwrap_or(u64::MAX);
                    sealing.seal(&orders[*at], RowPlan { serial, put_at, revision: 1 })
                };
                batch.new.iter().map(&mut seal).collect::<Vec<_>>()
            });
            let mut stored = Vec::new();
            for (at, sealed) in batch.new.drain(..).zip(sealed.map_err(|_| no_randomness())?) {
                results[at] = Some(sealed.map(|order| {
                    let id = order.record_id;
                    stored.push(order);
                    Put::Stored(id)
                }));
            }
            self.store(stored, &batch.abandoned)?;
        }
        Ok(results.into_iter().flatten().collect())
    }

    /// Secret → ledger → order, each durable before the next. A crash leaves secrets that no record points to, and an entry of
    /// an order that was never acknowledged: both harmless.
    fn store(&self, sealed: Vec<SealedOrder>, abandoned: &[([u8; 16], [u8; 10])]) -> Result<()> {
        let stores = &self.0.stores;
        let (mut rows, mut secrets, mut entries) = (Vec::new(), Vec::new(), Vec::new());
        for order in sealed {
            let put_day = u32::try_from(order.secret.put_at / 86_400).unwrap_or(u32::MAX);
            let (id, revision) = (order.record_id.0, order.secret.revision);
            rows.push(RecordRow { id, revision, put_day, sealed: order.record });
            secrets.push(order.secret);
            entries.push(order.entry);
        }
        if !abandoned.is_empty() {
            stores.secrets.replace_secrets(abandoned, &[])?;
        }
        stores.secrets.insert_secrets(&secrets)?;
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
        let role = self.registry()?.party(party)?.role.clone();
        if role != V::ROLE {
            let message = format!("the party acts as {role}, and this is the view of {}", V::ROLE);
            return Err(Error::new(ErrorKind::NotPermitted, message));
        }
        let views = self.open_request(&Request::of::<V>(party, V::PURPOSE), orders)?;
        Ok(views.into_iter().map(|view| view?.into_typed()).collect())
    }

    /// Opens one order whole, as the record type it was put as: for the shop itself, by a purpose that opens every field of the
    /// type. Its revision is what an update wants. Waits for one disk sync.
    ///
    /// # Errors
    /// As for [`Vault::open`], and `PolicyMismatch` where the purpose does not open every field of the type.
    pub fn get<R: Record + FromView>(&self, party: &str, purpose: &str, order: &str) -> Result<Opened<R>> {
        let mut views = self.open_request(&Request::of::<R>(party, purpose), &[order])?;
        views.pop().unwrap_or_else(|| Err(not_found()))?.into_typed()
    }

    fn open_request(&self, request: &Request<'_>, orders: &[&str]) -> Result<Vec<Result<View>>> {
        let registry = self.registry()?;
        registry.party(request.party)?;
        let found = self.find_many(&registry, orders)?;
        let asked = found.iter().zip(orders).map(|(found, order)| {
            let found = found.as_ref().ok_or_else(not_found)?;
            let StoredOrder { record, secret } = found.newest()?;
            Ok(Asked { record, secret, called: found.by_number.then_some(*order) })
        });
        let meanwhile = || self.meanwhile(&found);
        opener::open_many(&self.0.ledger, &registry, request, asked.collect(), meanwhile)
    }

    /// Destroys the secret of an order: nothing opens it any more, for anybody. The reason goes into the ledger as a commitment.
    /// Waits for five disk syncs and, at most 10 seconds, for another writer.
    ///
    /// # Not final against old copies of the secrets
    /// A backup of the secret rows, together with the release key, still opens the order until that key is destroyed.
    ///
    /// # Errors
    /// `NotFound`, `Shredded` if it is shredded already, `Limit` for a reason above 1,024 bytes, `Locked`, `Storage`.
    pub fn shred(&self, order: &str, reason: &str, mode: ShredMode) -> Result<RecordId> {
        if reason.len() > 1024 {
            return Err(Error::new(ErrorKind::Limit, "a reason holds at most 1,024 bytes"));
        }
        let _writer = self.writer()?;
        let registry = self.registry()?;
        let found = self.find(&registry, order)?.ok_or_else(not_found)?;
        let StoredOrder { record, secret: row } = found.newest()?;
        let parsed = record::Record::parse(record)?;
        let (_, handle_key) = unlock(&registry, &parsed, row)?;
        let id = parsed.header.record_id;
        let mut entry = Entry::new(EntryKind::Shred, registry.own_key_id(), registry.policy()?.digest());
        entry.handle = handle_key.handle(&registry.own_key_id());
        entry.revision = row.revision;
        entry.commitments = vec![handle_key.reason_commitment(id, reason)];
        entry.detail = vec![u8::from(mode == ShredMode::KeepEvidence)];
        let context = row_context(&registry, row);
        let release = registry.release(row.generation).ok_or_else(not_found)?;
        let wrapped = match mode {
            ShredMode::WithEvidence => Vec::new(),
            ShredMode::KeepEvidence => {
                let evidence = Evidence { handle_key, reason: reason.to_owned() };
                SealRng::with(|rng| release.wrap_evidence(rng, &context, &evidence))
                    .map_err(|_| no_randomness())?
                    .map_err(|_| no_randomness())?
            }
        };
        // Marked first, so that from here on nobody opens it; entered; destroyed. What fails in between is settled: by this call,
        // and if that fails too by the next writer.
        let marked = SecretRow { state: SecretState::Shredded, ..row.clone() };
        let done = self
            .replace_rows(&found.rows, &marked)
            .and_then(|()| self.0.ledger.append(vec![entry]))
            .and_then(|_| self.destroy(&marked, wrapped, LOCK_WAIT));
        if done.is_err() {
            let _left_to_the_next = self.settle();
        }
        done.map(|()| id)
    }

    /// Destroys the secret of an order whose shredding is entered. The fingerprint goes last: a row that has it is not done.
    pub(crate) fn destroy(&self, marked: &SecretRow, evidence: Vec<u8>, wait: Duration) -> Result<()> {
        let stores = &self.0.stores;
        let destroyed = SecretRow { wrapped: evidence, ..marked.clone() };
        self.replace_rows(std::slice::from_ref(marked), &destroyed)?;
        stores.orders.delete_records(&[marked.record_id])?;
        stores.secrets.wipe_removed(wait)?;
        self.replace_rows(
            std::slice::from_ref(&destroyed),
            &SecretRow { fingerprint: Vec::new(), ..destroyed.clone() },
        )
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
        let found = self.find(&*self.registry()?, order)?.ok_or_else(not_found)?;
        Ok(found.newest()?.record.to_vec())
    }

    /// Size and root of the ledger.
    ///
    /// # Errors
    /// `Storage`.
    pub fn ledger_state(&self) -> Result<LedgerState> {
        self.0.ledger.state()
    }

    /// Entries of the ledger from index `from` on, at most `limit`.
    ///
    /// # Errors
    /// `Storage`, `Damaged`, `NewerFormat`.
    pub fn ledger_entries(&self, from: u64, limit: usize) -> Result<Vec<Entry>> {
        self.0.ledger.entries(from, limit)
    }
}

/// Orders of one call, sorted out.
#[derive(Default)]
struct Triage {
    /// Indices of orders to be sealed.
    new: Vec<usize>,
    /// Secret rows that a crashed put left.
    abandoned: Vec<([u8; 16], [u8; 10])>,
}

/// The rows of one order.
pub(crate) struct Found {
    pub(crate) record: Option<RecordRow>,
    pub(crate) rows: Vec<SecretRow>,
    pub(crate) by_number: bool,
}

impl Found {
    fn record_id(&self) -> [u8; 16] {
        self.rows.first().map_or([0; 16], |row| row.record_id)
    }

    /// The record and the secret row that belongs to it.
    pub(crate) fn newest(&self) -> Result<StoredOrder<'_>> {
        if self.rows.iter().any(|row| row.state == SecretState::Shredded) {
            return Err(shredded());
        }
        let record = self.record.as_ref().ok_or_else(not_found)?;
        let n1 = record::Record::parse(&record.sealed)?.header.n1;
        let secret = self.rows.iter().find(|row| row.n1 == n1).ok_or_else(opener::rolled_back)?;
        Ok(StoredOrder { record: &record.sealed, secret })
    }
}

impl Vault {
    pub(crate) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    /// Tells new orders from those that are there, whose results it fills in. Holds back the second of two equal numbers.
    fn triage<R: Record>(
        &self,
        registry: &Registry,
        plan: &Plan,
        orders: &[R],
        results: &mut [Option<Result<Put>>],
    ) -> Result<Triage> {
        let mut sought = Vec::new();
        let mut seen = std::collections::HashSet::new();
        for (at, (order, result)) in
            orders.iter().zip(results.iter_mut()).enumerate().filter(|(_, (_, r))| r.is_none())
        {
            match plan.order_no(order) {
                Err(e) => *result = Some(Err(e)),
                Ok(number) => {
                    let id = registry.id_key.record_id(number);
                    if seen.insert(id) {
                        sought.push((at, id));
                    }
                }
            }
        }
        let ids: Vec<[u8; 16]> = sought.iter().map(|(_, id)| id.0).collect();
        let secrets = self.0.stores.secrets.secrets(&ids)?;
        let known: Vec<[u8; 16]> = secrets.iter().flatten().map(|row| row.record_id).collect();
        let records = self.0.stores.orders.records(&known)?;
        let mut records: std::collections::HashMap<_, _> =
            records.into_iter().flatten().map(|row| (row.id, row)).collect();
        let mut triage = Triage::default();
        for ((at, id), rows) in sought.into_iter().zip(secrets) {
            let found = Found { record: records.remove(&id.0), rows, by_number: true };
            if found.record.is_none() && found.rows.iter().all(|row| row.state != SecretState::Shredded) {
                // This call holds the writer's lock, so whoever wrote these rows is gone.
                triage.abandoned.extend(found.rows.iter().map(|row| (row.record_id, row.n1)));
                triage.new.push(at);
            } else if let Some(result) = results.get_mut(at) {
                *result = Some(compare(registry, plan, &orders[at], id, &found));
            }
        }
        Ok(triage)
    }

    /// The rows of an order by its number or an alias; `None` if there are none.
    pub(crate) fn find(&self, registry: &Registry, order: &str) -> Result<Option<Found>> {
        Ok(self.find_many(registry, &[order])?.pop().flatten())
    }

    fn meanwhile(&self, found: &[Option<Found>]) -> Result<Meanwhile> {
        let ids: Vec<_> =
            found.iter().map(|found| found.as_ref().map_or([0; 16], Found::record_id)).collect();
        let rows = self.0.stores.secrets.secrets(&ids)?;
        let same =
            |(found, rows): (&Option<Found>, Vec<SecretRow>)| found.as_ref().is_some_and(|f| f.rows == rows);
        Ok(Meanwhile { registry: self.registry()?, unchanged: found.iter().zip(rows).map(same).collect() })
    }

    fn find_many(&self, registry: &Registry, orders: &[&str]) -> Result<Vec<Option<Found>>> {
        let stores = &self.0.stores;
        let ids: Vec<_> = orders.iter().map(|order| registry.id_key.record_id(order).0).collect();
        let mut found = Vec::with_capacity(orders.len());
        for (order, rows) in orders.iter().zip(stores.secrets.secrets(&ids)?) {
            let serial = || Some(registry.alias_key.resolve(&Alias::parse(order)?)?.1);
            found.push(match if rows.is_empty() { serial() } else { None } {
                Some(serial) => (self.rows_of_serial(serial)?, false),
                None => (rows, true),
            });
        }
        let ids: Vec<_> = found.iter().filter_map(|(rows, _)| Some(rows.first()?.record_id)).collect();
        let mut records = stores.orders.records(&ids)?.into_iter();
        let whole = |(rows, by_number): (Vec<SecretRow>, bool)| {
            (!rows.is_empty()).then(|| Found { record: records.next().flatten(), rows, by_number })
        };
        Ok(found.into_iter().map(whole).collect())
    }

    /// The rows of the one order with this serial.
    pub(crate) fn rows_of_serial(&self, serial: u64) -> Result<Vec<SecretRow>> {
        let rows = self.0.stores.secrets.secrets_by_serial(serial)?;
        if rows.windows(2).any(|pair| pair[0].record_id != pair[1].record_id) {
            return Err(Error::new(ErrorKind::Damaged, "two orders have one alias: keys.db was rolled back")
                .with_hint("ask by order number; restore the newest backup of keys.db"));
        }
        Ok(rows)
    }

    /// The write lock, with what an earlier holder left half done settled.
    pub(crate) fn writer(&self) -> Result<Box<dyn Held + '_>> {
        let writer = self.0.stores.lock.hold()?;
        self.settle_change()?;
        self.settle()?;
        Ok(writer)
    }

    pub(crate) fn replace_rows(&self, old: &[SecretRow], new: &SecretRow) -> Result<()> {
        let old: Vec<_> = old.iter().map(|row| (row.record_id, row.n1)).collect();
        Ok(self.0.stores.secrets.replace_secrets(&old, std::slice::from_ref(new))?)
    }

    /// The newest snapshot of keys, policies and parties, whatever process changed them.
    pub(crate) fn registry(&self) -> Result<Arc<Registry>> {
        if process::id() != self.0.process {
            // A forked child shares the parent's locks, connections and serial numbers without knowing it.
            return Err(Error::new(ErrorKind::Locked, "the vault was unlocked by another process")
                .with_hint("after a fork, unlock it again in the child"));
        }
        let version = self.0.stores.keys.items_version()?;
        let mut snapshot = held(&self.0.registry);
        if snapshot.0 != version {
            let items = self.0.stores.keys.items()?;
            *snapshot = (version, Arc::new(Registry::load(items, &*self.0.root)?));
        }
        Ok(Arc::clone(&snapshot.1))
    }

    /// `count` serial numbers. Taken from the store in blocks of at least 256; those a process does not use are lost.
    pub(crate) fn allot_serials(&self, registry: &Registry, count: u64) -> Result<Range<u64>> {
        const BLOCK: u64 = 256;
        let mut left = held(&self.0.serials);
        if left.end - left.start < count {
            let block = count.max(BLOCK);
            let sealings = self.0.stores.keys.allot(SEALINGS + registry.current_epoch()?.epoch, block)?;
            if sealings + block > MOST_SEALINGS {
                return Err(Error::new(ErrorKind::Limit, "this epoch has sealed 2^32 orders")
                    .with_hint("rotate the keys"));
            }
            let mut start = self.0.stores.keys.allot(SERIALS, block)?;
            // The counter has no tag: where it was set back, it goes on behind the greatest number in use.
            let used =
                self.0.stores.secrets.greatest_serial()?.map_or(0, |greatest| greatest.saturating_add(1));
            if start < used {
                start = self.0.stores.keys.allot(SERIALS, used - start)?.max(used);
                self.0.stores.keys.allot(SERIALS, block)?;
            }
            if start.saturating_add(block) > alias::MAX_SERIAL {
                return Err(Error::new(ErrorKind::Limit, "the vault's numbers for aliases are used up"));
            }
            *left = start..start + block;
        }
        let start = left.start;
        left.start += count;
        Ok(start..left.start)
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.0.ledger
    }
}

impl Inner {
    pub(crate) fn new(stores: Stores, root: Arc<dyn RootKey>, parameters: Vec<u8>) -> Result<Self> {
        let version = stores.keys.items_version()?;
        let registry = Registry::load(stores.keys.items()?, &*root)?;
        Ok(Self {
            ledger: Ledger::new(Arc::clone(&stores.ledger)),
            stores,
            root,
            parameters,
            registry: Mutex::new((version, Arc::new(registry))),
            serials: Mutex::new(0..0),
            process: process::id(),
        })
    }
}

/// Counter of serial numbers.
const SERIALS: u32 = 1;
/// Counters of sealings begin here, one per epoch.
pub(crate) const SEALINGS: u32 = 1 << 16;
/// Beyond this, N1 (80 bits) may repeat within an epoch with a probability above 2^-17 (`docs/format.md`, "Bounds").
pub(crate) const MOST_SEALINGS: u64 = 1 << 32;

/// Whether what is stored is the same order, by its fingerprint; opens nothing.
fn compare<R: Record>(
    registry: &Registry,
    plan: &Plan,
    order: &R,
    id: RecordId,
    found: &Found,
) -> Result<Put> {
    let StoredOrder { record, secret: row } = found.newest()?;
    let (secret, _) = unlock(registry, &record::Record::parse(record)?, row)?;
    let fingerprint = registry.id_key.fingerprint(id, &secret, &plan.canonical(order)?);
    if fingerprint.as_slice() == row.fingerprint {
        Ok(Put::Unchanged(id))
    } else {
        let hint =
            "a stored order cannot be changed yet; shred it and put the correction under another number";
        Err(Error::new(ErrorKind::Exists, "another order is stored under this number").with_hint(hint))
    }
}

pub(crate) fn not_found() -> Error {
    Error::new(ErrorKind::NotFound, "no such order")
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What these mutexes guard is replaced whole, so a panicking holder leaves nothing half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
