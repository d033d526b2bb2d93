//! Rotation: new epochs of field keys, new generations of the release key, and the destruction of old ones.
//!
//! Keys are destroyed in this order, each step durable before the next: nothing needs them → announced and entered → removed → their
//! bytes wiped from the files → written down as wiped. What a crash leaves of that, the next writer does.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
    time::Duration,
};

use crate::{
    admin::epoch_entry,
    error::{Error, ErrorKind, Result},
    keys::{KeyKind, RecordId},
    ledger::{Entry, EntryKind, now},
    observe::Operation,
    registry::{KeyRecord, Registry},
    sealer::no_randomness,
    store::{LOCK_WAIT, SecretRow, SecretState},
    suite::{SealRng, Suite},
    vault::Vault,
};

/// Orders that are not in the vault's stores but in tables of the program's own, where the vault cannot look: what is sealed under a
/// key that is destroyed is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OwnTables {
    /// There are none. It is refused if the ledger knows of orders that the stores have not.
    #[default]
    None,
    /// They have been moved to other keys ([`Sealer::rewrap`](crate::Sealer::rewrap), [`Sealer::reseal`](crate::Sealer::reseal)).
    Moved,
}

/// What a rewrap did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Rewrapped {
    /// Generation of the release key that wraps from now on.
    pub generation: u32,
    /// Secret rows that were moved to it by this call.
    pub moved: u64,
    /// Generations that were destroyed.
    pub destroyed: Vec<u32>,
    /// Orders whose shredding is final by that: no old copy of their secrets opens any more.
    pub final_shreds: Vec<RecordId>,
}

/// Rows that are moved under one hold of the write lock.
const BATCH: usize = 1_000;
/// More orders without a record than that no crash of a put explains.
const UNSURE: usize = 10_000;

impl Vault {
    /// Begins an epoch: new keys for every part and index of the policy in force, by this suite or by that of the epoch before.
    /// What is put or changed from now on is sealed under them; all else opens and is found as before. Returns the epoch's number.
    /// Waits for two disk syncs.
    ///
    /// # Requires new keyrings
    /// Parties that hold keyrings of their own need new ones for what is sealed from now on.
    ///
    /// # Errors
    /// `RootKey`, `Locked`, `Storage`.
    pub fn rotate(&self, suite: Option<Suite>) -> Result<u32> {
        self.watch(Operation::Rotate, 0).one(self.begin_epoch(suite))
    }

    fn begin_epoch(&self, suite: Option<Suite>) -> Result<u32> {
        let _writer = self.writer()?;
        let registry = self.registry()?;
        let before = registry.current_epoch()?;
        let (policy, suite) = (registry.policy()?, suite.unwrap_or(before.suite));
        let root = self.root();
        let mut changes = registry.change(&*root.key, &root.parameters);
        let (epoch, made) = changes.begin_epoch(suite, policy, now())?;
        let rotation = rotation_entry(&registry, KeyKind::Field, before.epoch, epoch)?;
        let entries = vec![rotation, epoch_entry(&registry, policy, (epoch, suite), made)];
        self.enter_change(changes, entries)?;
        Ok(epoch)
    }

    /// Exchanges the release key: moves every secret row to a new generation, then destroys the generations before. From then on no
    /// old copy of the secrets opens anything, those of shredded orders least of all. Orders and their records stay as they are.
    ///
    /// In batches; `progress` hears how many rows were moved so far. Others put, open, update and search in between. Started again,
    /// after a kill too, it goes on with the generation that it finds. Waits for whoever reads `secrets.db` or `keys.db`, such as a
    /// backup, at most 10 seconds each.
    ///
    /// # Old backups of the secrets
    /// A backup of `secrets.db` from before opens with a backup of `keys.db` from before only. Make new ones of both.
    ///
    /// # Errors
    /// `CannotOpen` if rows are left that do not open, and `Conflict` if the ledger knows of orders that the stores have not: then
    /// the old generation is kept. `Locked`, `Storage`.
    pub fn rewrap(&self, own: OwnTables, progress: impl FnMut(u64)) -> Result<Rewrapped> {
        self.watch(Operation::Rewrap, 0).one(self.rewrap_all(own, progress))
    }

    fn rewrap_all(&self, own: OwnTables, mut progress: impl FnMut(u64)) -> Result<Rewrapped> {
        let generation = self.begin_generation()?;
        let shredded_between = self.made_between(generation)?;
        let mut done = Rewrapped { generation, ..Rewrapped::default() };
        let (mut after, mut unreadable) = (None, 0);
        loop {
            let _writer = self.writer()?;
            let registry = self.registry()?;
            let rows = self.inner().stores.secrets.secrets_page(after.as_ref(), BATCH)?;
            let Some(last) = rows.last() else { break };
            after = Some((last.record_id, last.n1));
            // What was shredded since this began may have copies under the new key: it is final with the next exchange.
            let is_final = |row: &&SecretRow| {
                let before = row.generation != generation || row.changed_at < shredded_between.end;
                row.state == SecretState::Shredded && before && row.changed_at >= shredded_between.start
            };
            done.final_shreds.extend(rows.iter().filter(is_final).map(|row| RecordId(row.record_id)));
            let old: Vec<_> = rows.into_iter().filter(|row| row.generation != generation).collect();
            let moved: Vec<_> = move_rows(&registry, &old)?;
            unreadable += (old.len() - moved.len()) as u64;
            if !moved.is_empty() {
                let keys: Vec<_> = moved.iter().map(|row| (row.record_id, row.n1)).collect();
                self.inner().stores.secrets.replace_secrets(&keys, &moved)?;
                done.moved += moved.len() as u64;
                progress(done.moved);
            }
        }
        if unreadable > 0 {
            let message =
                format!("{unreadable} secret rows do not open, so that the old release key is kept");
            return Err(Error::new(ErrorKind::CannotOpen, message)
                .with_hint("doctor tells which orders; restore the newest secrets.db, and rewrap again"));
        }
        self.destroy_generations(&mut done, own)?;
        Ok(done)
    }

    /// The generation that rows are moved to: that of a rewrap that was cut short, or a new one.
    fn begin_generation(&self) -> Result<u32> {
        let _writer = self.writer()?;
        let registry = self.registry()?;
        let current = registry.current_release()?;
        if registry.generations().count() > 1 {
            return Ok(current.generation);
        }
        let root = self.root();
        let mut changes = registry.change(&*root.key, &root.parameters);
        let generation = changes.begin_generation(registry.current_epoch()?.suite, now())?;
        let entry = rotation_entry(&registry, KeyKind::Release, current.generation, generation)?;
        self.enter_change(changes, vec![entry])?;
        Ok(generation)
    }

    /// From when on the generations before this one wrapped, and when this one was made.
    fn made_between(&self, generation: u32) -> Result<Range<u64>> {
        let registry = self.registry()?;
        let made = |number| registry.key_record(KeyKind::Release, number).map_or(0, |record| record.made);
        let since =
            registry.generations().filter(|old| *old != generation).map(made).min().unwrap_or(u64::MAX);
        Ok(since..made(generation))
    }

    fn destroy_generations(&self, done: &mut Rewrapped, own: OwnTables) -> Result<()> {
        let _writer = self.writer()?;
        let old: Vec<u32> = self.registry()?.generations().filter(|old| *old != done.generation).collect();
        let stores = &self.inner().stores;
        // Whatever wrote them meanwhile.
        let left = stores.secrets.count_generations()?;
        if left.iter().any(|(generation, _)| *generation != done.generation) {
            return Err(Error::new(
                ErrorKind::Conflict,
                "secret rows of the old generation were written meanwhile",
            )
            .with_hint("rewrap again"));
        }
        self.check_own_tables(&*self.registry()?, own)?;
        stores.secrets.wipe_removed(LOCK_WAIT)?;
        for generation in old {
            self.destroy_keys(KeyKind::Release, generation)?;
            done.destroyed.push(generation);
        }
        self.wipe_destroyed(LOCK_WAIT)
    }

    /// Destroys the keys of an epoch that nothing needs any more. Waits for whoever reads `keys.db`, at most 10 seconds; reads all
    /// records and the ledger.
    ///
    /// # Old copies of records
    /// A backup of `orders.db` from before its orders were sealed anew does not open any more.
    ///
    /// # Errors
    /// `Conflict` while it seals, while orders are sealed under it ([`Vault::reseal`] moves them), while a record is lost, and if the
    /// ledger knows of orders that the stores have not; `NotFound`; `Locked`, `Storage`.
    pub fn destroy_epoch(&self, epoch: u32, own: OwnTables) -> Result<()> {
        self.watch(Operation::DestroyEpoch, 0).one(self.destroy_unneeded_epoch(epoch, own))
    }

    fn destroy_unneeded_epoch(&self, epoch: u32, own: OwnTables) -> Result<()> {
        let _writer = self.writer()?;
        let registry = self.registry()?;
        if registry.epoch(epoch).is_none() {
            let destroyed = registry.key_record(KeyKind::Field, epoch).is_some();
            let what =
                if destroyed { "the epoch is destroyed already" } else { "the vault has no such epoch" };
            return Err(Error::new(ErrorKind::NotFound, what).with_hint("keys list shows the epochs"));
        }
        if registry.current_epoch()?.epoch == epoch {
            return Err(Error::new(ErrorKind::Conflict, "this epoch seals what is put")
                .with_hint("keys rotate begins another, keys reseal moves the orders to it"));
        }
        let counts = self.inner().stores.orders.count_epochs()?;
        if let Some((_, orders)) = counts.iter().find(|(counted, _)| *counted == epoch) {
            let message = format!("{orders} orders are sealed under this epoch");
            return Err(Error::new(ErrorKind::Conflict, message)
                .with_hint(format!("keys reseal --from {epoch} moves them")));
        }
        self.check_no_record_lost(&registry)?;
        self.check_own_tables(&registry, own)?;
        self.destroy_keys(KeyKind::Field, epoch)?;
        self.wipe_destroyed(LOCK_WAIT)
    }

    /// Announced, entered, removed. Its caller holds the write lock.
    fn destroy_keys(&self, kind: KeyKind, number: u32) -> Result<()> {
        let registry = self.registry()?;
        let record = registry.key_record(kind, number).ok_or_else(no_such_key)?;
        let root = self.root();
        let mut changes = registry.change(&*root.key, &root.parameters);
        changes.destroy(record, now())?;
        self.enter_change(changes, vec![rotation_entry(&registry, kind, number, 0)?])
    }

    /// Wipes the bytes of destroyed keys from the files, if that is yet to be done, and writes down that it is. Its caller holds the
    /// write lock.
    pub(crate) fn wipe_destroyed(&self, wait: Duration) -> Result<()> {
        let registry = self.registry()?;
        let unwiped: Vec<_> = registry.key_records.iter().filter(|record| record.is_unwiped()).collect();
        if unwiped.is_empty() {
            return Ok(());
        }
        let keys = &self.inner().stores.keys;
        keys.wipe_removed(wait)?;
        let root = self.root();
        let mut changes = registry.change(&*root.key, &root.parameters);
        unwiped.into_iter().for_each(|record| changes.set_key_record(&KeyRecord { wiped: true, ..*record }));
        Ok(keys.write_items(&changes.unannounced())?)
    }

    /// The same for every writer: if somebody is reading, a later one does it.
    pub(crate) fn settle_destroyed(&self) -> Result<()> {
        match self.wipe_destroyed(Duration::ZERO) {
            Err(e) if *e.kind() == ErrorKind::Locked => Ok(()),
            wiped => wiped,
        }
    }

    /// Refuses where a record is lost: of which epoch it is, only the record tells, and a copy of it that comes back needs the keys.
    /// An order that nobody ever opened or changed may be a put that a crash cut short: it was never acknowledged, and is no reason.
    fn check_no_record_lost(&self, registry: &Registry) -> Result<()> {
        let stores = &self.inner().stores;
        let (mut lost, mut unsure) = (0, Vec::new());
        self.each_page(|rows| {
            let current: Vec<_> = rows.iter().filter(|row| row.state == SecretState::Current).collect();
            let ids: Vec<_> = current.iter().map(|row| row.record_id).collect();
            for (row, record) in current.iter().zip(stores.orders.records(&ids)?) {
                match (record, registry.handle_key(row)) {
                    (Some(_), _) => {}
                    (None, Some(key)) if row.revision == 1 && unsure.len() < UNSURE => unsure.push(key),
                    (None, _) => lost += 1,
                }
            }
            Ok(())
        })?;
        if lost == 0 && !unsure.is_empty() {
            let ids: Vec<_> = registry.key_ids().collect();
            let sought: HashMap<_, _> = unsure
                .iter()
                .enumerate()
                .flat_map(|(at, key)| ids.iter().map(move |id| (key.handle(id), at)))
                .collect();
            let mut used = HashSet::new();
            self.ledger().scan_all(|_, entry| {
                if entry.kind != EntryKind::Put {
                    used.extend(sought.get(&entry.handle).copied());
                }
            })?;
            lost = used.len();
        }
        if lost == 0 {
            return Ok(());
        }
        let message =
            format!("{lost} orders were opened or changed and have no record, which may be of this epoch");
        Err(Error::new(ErrorKind::Conflict, message)
            .with_hint("restore orders.db, or put them again; doctor tells which"))
    }

    /// Refuses where the ledger knows of orders that the stores have not, unless the caller has moved them.
    fn check_own_tables(&self, registry: &Registry, own: OwnTables) -> Result<()> {
        if own == OwnTables::Moved {
            return Ok(());
        }
        let elsewhere = self.count_elsewhere(registry)?;
        if elsewhere == 0 {
            return Ok(());
        }
        let message = format!(
            "the ledger knows {elsewhere} orders that are not in the vault's stores: what is sealed under these keys in tables of the \
             program's own would be lost"
        );
        Err(Error::new(ErrorKind::Conflict, message)
            .with_hint("move those first and say so, or run doctor if there are no such tables"))
    }

    /// All secret rows, some at a time.
    fn each_page(&self, mut see: impl FnMut(&[SecretRow]) -> Result<()>) -> Result<()> {
        let mut after = None;
        loop {
            let rows = self.inner().stores.secrets.secrets_page(after.as_ref(), BATCH)?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = Some((last.record_id, last.n1));
            see(&rows)?;
        }
    }

    /// Orders with an entry and no secret row in the stores, those left out that were shredded with their evidence.
    fn count_elsewhere(&self, registry: &Registry) -> Result<u64> {
        let (own, mut known) = (registry.own_key_id(), HashSet::new());
        self.each_page(|rows| {
            known.extend(rows.iter().filter_map(|row| Some(registry.handle_key(row)?.handle(&own))));
            Ok(())
        })?;
        let mut elsewhere = HashSet::new();
        self.ledger().scan_all(|_, entry| match entry.kind {
            EntryKind::Put | EntryKind::Update | EntryKind::Reseal if !known.contains(&entry.handle) => {
                elsewhere.insert(entry.handle);
            }
            EntryKind::Shred if entry.detail.first() == Some(&0) => {
                elsewhere.remove(&entry.handle);
            }
            _ => {}
        })?;
        Ok(elsewhere.len() as u64)
    }
}

/// The rows that open, wrapped under the current release key.
fn move_rows(registry: &Registry, rows: &[SecretRow]) -> Result<Vec<SecretRow>> {
    SealRng::with(|rng| rows.iter().filter_map(|row| move_row(registry, rng, row).transpose()).collect())
        .map_err(|_| no_randomness())?
}

/// The row wrapped under the current release key; none where it does not open.
pub(crate) fn move_row(registry: &Registry, rng: &mut SealRng, row: &SecretRow) -> Result<Option<SecretRow>> {
    let to = registry.current_release()?;
    let generation = to.generation;
    if row.wrapped.is_empty() {
        // Nothing is left in it.
        return Ok(Some(SecretRow { generation, ..row.clone() }));
    }
    let context = registry.row_context(row);
    let from = registry.release(row.generation);
    let moved = from.and_then(|from| from.rewrap(to, rng, &context, &row.wrapped).ok());
    Ok(moved.map(|wrapped| SecretRow { generation, wrapped, ..row.clone() }))
}

// Detail: kind u8 ‖ old u32 ‖ new u32; new is 0 where the old one was destroyed   (docs/format.md, section 8)
fn rotation_entry(registry: &Registry, kind: KeyKind, old: u32, new: u32) -> Result<Entry> {
    let mut entry = Entry::new(EntryKind::Rotation, registry.own_key_id(), registry.policy()?.digest());
    entry.detail = [&[kind as u8], old.to_le_bytes().as_slice(), &new.to_le_bytes()].concat();
    Ok(entry)
}

/// Kind, old and new number of what an entry `rotation` says.
pub(crate) fn rotation_of(detail: &[u8]) -> Option<(u8, u32, u32)> {
    let ([kind, old @ ..], new) = detail.split_first_chunk::<5>()?;
    Some((*kind, u32::from_le_bytes(*old), u32::from_le_bytes(new.try_into().ok()?)))
}

fn no_such_key() -> Error {
    Error::new(ErrorKind::NotFound, "the vault has no such key").with_hint("keys list shows them")
}
