//! Finding the entries of an order: its handle key, and every id that an entry may have the order's handle for.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use crate::{
    error::{Error, ErrorKind, Result},
    keys::{HandleKey, RecordId},
    ledger::{Entry, EntryKind, EntryPlace, LedgerNote},
    opener::cannot_open,
    registry::Registry,
    store::{SecretRow, SecretState},
    vault::{Found, Vault, not_found},
};

/// An order that the stores have anything of, down to the evidence of one that was shredded.
pub(crate) struct KnownOrder {
    pub(crate) record_id: RecordId,
    pub(crate) handle_key: HandleKey,
    /// Its record, if there is one, and its secret rows: current, pending and superseded ones, or what is left of a shredded one. The
    /// order is `by_number` where it was called by its number, which therefore belongs to this record id.
    pub(crate) found: Found,
}

/// For whom an entry has the order's handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HandleOf {
    /// The vault itself.
    Vault,
    /// A key id of a party.
    Party([u8; 16]),
    /// A query, for which the vault opened the order as a candidate; and the key id of the party that searched.
    Query([u8; 16]),
}

/// The handles of one order that entries may have.
pub(crate) struct Handles<'a> {
    key: &'a HandleKey,
    own: [u8; 16],
    of: HashMap<[u8; 16], HandleOf>,
    ids: HashSet<[u8; 16]>,
}

impl<'a> Handles<'a> {
    /// Those for the vault and for every key id that the registry knows of its parties.
    pub(crate) fn new(registry: &Registry, key: &'a HandleKey) -> Self {
        let mut handles = Self::outside(registry.own_key_id(), key);
        registry.key_ids().for_each(|id| handles.add(&id));
        handles
    }

    /// That for the vault, whose key id is `own`: for whoever has no registry.
    pub(crate) fn outside(own: [u8; 16], key: &'a HandleKey) -> Self {
        let mut handles = Self { key, own, of: HashMap::new(), ids: HashSet::new() };
        handles.add(&own);
        handles
    }

    /// The one for a key id.
    pub(crate) fn add(&mut self, id: &[u8; 16]) {
        if !self.ids.insert(*id) {
            return;
        }
        let whose = if *id == self.own { HandleOf::Vault } else { HandleOf::Party(*id) };
        self.of.insert(self.key.handle(id), whose);
    }

    /// Those for the key ids that a party's entry names.
    pub(crate) fn add_listed(&mut self, entry: &Entry) {
        entry.listed_key_ids().chain([&entry.party]).for_each(|id| self.add(id));
    }

    /// The one for the query of a search, by which the vault's own entries of the candidates have the order.
    pub(crate) fn add_query(&mut self, search: &Entry) {
        if let Some((query, _)) = search.detail.split_first_chunk() {
            // The party is in the query's name: a later entry that gives it to another is forged.
            self.of.entry(self.key.handle(query)).or_insert(HandleOf::Query(search.party));
        }
    }

    /// For whom the entry has the order's handle; none where it is not of this order.
    pub(crate) fn whose(&self, entry: &Entry) -> Option<HandleOf> {
        self.of.get(&entry.handle).copied()
    }
}

/// All that the ledgers have of one order.
pub(crate) struct OrderEntries {
    /// Oldest first.
    pub(crate) entries: BTreeMap<EntryPlace, (Entry, HandleOf)>,
    /// Roles by key id, as the parties' entries name them.
    pub(crate) roles: HashMap<[u8; 16], String>,
    /// Heads of the ledgers from before they were read.
    pub(crate) heads: Vec<LedgerNote>,
}

/// Queries whose handles are looked for in one reading of the ledgers: about 5 MB. Few in tests, so that they read more than once.
const QUERIES: usize = if cfg!(test) { 2 } else { 1 << 16 };

impl Vault {
    /// An order by its number or an alias, with a snapshot that has the keys of its rows. Opens nothing.
    ///
    /// # Errors
    /// `NotFound`, `Shredded` where the evidence was destroyed, too, `CannotOpen`, `Storage`.
    pub(crate) fn known_order(&self, order: &str) -> Result<(Arc<Registry>, KnownOrder)> {
        let (registry, mut found) = self.look_up_with_keys(&[order])?;
        let found = found.pop().flatten().ok_or_else(not_found)?;
        let record_id = found.rows.first().map(|row| RecordId(row.record_id)).ok_or_else(not_found)?;
        let handle_key = handle_key_of(&registry, &found.rows)?;
        Ok((registry, KnownOrder { record_id, handle_key, found }))
    }

    /// Place and entry of the order's newest put. Found by the store's index, so for what its `order` commitment is checked against.
    pub(crate) fn put_entry(
        &self,
        registry: &Registry,
        handle_key: &HandleKey,
    ) -> Result<Option<(EntryPlace, Entry)>> {
        let own = self.ledger().indexed(&handle_key.handle(&registry.own_key_id()))?;
        Ok(own.into_iter().rev().find(|(_, entry)| entry.kind == EntryKind::Put))
    }

    /// Every entry that has the order's handle for anybody, in all ledgers from their first entry on.
    ///
    /// Reads them twice, as a search's entry, which names the query, stands behind those of its candidates; and once more for every
    /// 65,536 further queries, so that its memory does not grow with the ledgers.
    ///
    /// # Errors
    /// `Damaged` where a ledger has fewer entries than its head counts, `Storage`.
    pub(crate) fn order_entries(&self, registry: &Registry, handle_key: &HandleKey) -> Result<OrderEntries> {
        let heads = self.ledger().heads()?;
        let scan = |visit: &mut dyn FnMut(EntryPlace, &Entry)| {
            let mut read = BTreeMap::<u32, u64>::new();
            self.ledger().scan_all(|place, entry| {
                *read.entry(place.ledger).or_default() += 1;
                visit(place, &entry);
            })?;
            check_read(&heads, &read)
        };
        let FoundEntries { entries, roles } = find_entries(|| Handles::new(registry, handle_key), scan)?;
        Ok(OrderEntries { entries, roles, heads })
    }

    /// Handle key of a shredded order; none if its evidence was destroyed, too.
    pub(crate) fn evidence_of(&self, registry: &Registry, row: &SecretRow) -> Result<Option<HandleKey>> {
        if row.wrapped.is_empty() {
            return Ok(None);
        }
        key_in(registry, row).map(Some).ok_or_else(|| {
            Error::new(ErrorKind::CannotOpen, "what is left of the shredded order does not open")
                .with_hint("run doctor")
        })
    }
}

/// What one reading found of an order.
pub(crate) struct FoundEntries {
    /// Oldest first.
    pub(crate) entries: BTreeMap<EntryPlace, (Entry, HandleOf)>,
    /// Roles by key id, as the parties' entries name them.
    pub(crate) roles: HashMap<[u8; 16], String>,
}

/// Finds the entries of an order in what `scan` reads: every ledger from its first entry on, each time that it is called.
pub(crate) fn find_entries<'a>(
    start: impl Fn() -> Handles<'a>,
    mut scan: impl FnMut(&mut dyn FnMut(EntryPlace, &Entry)) -> Result<()>,
) -> Result<FoundEntries> {
    let (mut entries, mut roles) = (BTreeMap::new(), HashMap::new());
    let mut from = Some(EntryPlace { ledger: 1, index: 0 });
    while let Some(first) = from.take() {
        let (mut handles, mut queries) = (start(), 0);
        scan(&mut |place, entry| match entry.kind {
            EntryKind::Party => {
                handles.add_listed(entry);
                let role = entry.listed_role().unwrap_or_default();
                let ids = entry.listed_key_ids().chain([&entry.party]);
                roles.extend(ids.map(|id| (*id, role.to_owned())));
            }
            EntryKind::Search if place < first => {}
            EntryKind::Search if queries < QUERIES => {
                handles.add(&entry.party);
                handles.add_query(entry);
                queries += 1;
            }
            EntryKind::Search => from = from.or(Some(place)),
            // Whoever acted without an entry that made it a party is not to be overlooked for that.
            _ if entry.handle != [0; 16] => handles.add(&entry.party),
            _ => {}
        })?;
        scan(&mut |place, entry| {
            if let Some(whose) = handles.whose(entry) {
                entries.insert(place, (entry.clone(), whose));
            }
        })?;
    }
    Ok(FoundEntries { entries, roles })
}

/// Any of an order's rows has its handle key. What a row says of its state is not authentic: one that opens is believed.
fn handle_key_of(registry: &Registry, rows: &[SecretRow]) -> Result<HandleKey> {
    let without = |row: &SecretRow| row.state == SecretState::Shredded && row.wrapped.is_empty();
    rows.iter().find_map(|row| key_in(registry, row)).ok_or_else(|| {
        if !rows.iter().any(without) {
            return cannot_open();
        }
        Error::new(ErrorKind::Shredded, "the order has been shredded with its evidence")
            .with_hint("who saw it cannot be told any more")
    })
}

/// The handle key in a row, also in that of a shredding that was cut short before the secret was destroyed.
fn key_in(registry: &Registry, row: &SecretRow) -> Option<HandleKey> {
    let cut_short = || registry.handle_key(&SecretRow { state: SecretState::Current, ..row.clone() });
    registry.handle_key(row).or_else(cut_short)
}

/// Whoever removes the last entries with nothing else shortens the answer, if the heads are not asked.
fn check_read(heads: &[LedgerNote], read: &BTreeMap<u32, u64>) -> Result<()> {
    let lacks = |head: &&LedgerNote| read.get(&head.ledger).copied().unwrap_or_default() < head.state.size;
    heads.iter().find(lacks).map_or(Ok(()), |head| {
        let message = format!("ledger {} has fewer entries than its head counts", head.ledger);
        Err(Error::new(ErrorKind::Damaged, message)
            .with_hint("restore it from its backup; doctor checks all"))
    })
}
