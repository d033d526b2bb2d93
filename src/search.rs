//! Searching: policy check, budget, candidates re-checked inside the vault, an entry per hit, answer.
//!
//! A search is a disclosure: who finds an order by a telephone number has learnt that number. So each hit is in the ledger before
//! the answer exists, and each party has a budget, or a mask of four hidden digits would fall in ten thousand searches.

use std::sync::Arc;

use consignee_policy::{SEARCHES_A_DAY, SEARCHES_AN_HOUR};

use crate::{
    alias::Alias,
    error::{Error, ErrorKind, Result},
    index::Query,
    ledger::{Entry, EntryKind, EntryPlace, Ledger, Receipt},
    opener::{Desk, ForVault, Meanwhile, Request, StoredOrder, open_many_for_vault, unlock},
    record::Record,
    registry::Registry,
    store::{KeyStore, SecretRow, Tag},
};

/// Most orders that may share the tags of a query.
pub(crate) const MAX_CANDIDATES: usize = 1000;
/// Length in seconds and most searches within it, for each party and field.
const BUDGET: [(u64, u64); 2] = [(3_600, SEARCHES_AN_HOUR), (86_400, SEARCHES_A_DAY)];

/// An order that was found.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hit {
    /// The order, as the party knows it; [`open`](crate::Vault::open) takes it.
    pub alias: Alias,
    /// Revision of the order, from 1.
    pub revision: u32,
    /// Number of the ledger that has the search's entry.
    pub ledger: u32,
    /// Index of the search's entry in that ledger.
    pub ledger_index: u64,
}

// Without the alias: it names order and party, in whatever log it gets into.
impl std::fmt::Debug for Hit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hit")
            .field("revision", &self.revision)
            .field("ledger_index", &self.ledger_index)
            .finish_non_exhaustive()
    }
}

/// What a search found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Hits {
    /// The orders, newest first.
    pub hits: Vec<Hit>,
    /// Number of orders that may have the value and do not open: `doctor` says why.
    pub unreadable: usize,
}

/// Candidates that have the value, before anybody is told.
#[derive(Default)]
pub(crate) struct Matches {
    matches: Vec<Match>,
    pub(crate) unreadable: usize,
}

struct Match {
    entry: Entry,
    secret: SecretRow,
}

/// One search of one party.
pub(crate) struct Search<'a> {
    ledger: &'a Ledger,
    desk: Desk<'a>,
    purpose: &'a str,
    query: Query,
}

impl<'a> Search<'a> {
    /// Whether the policy permits it; a refusal is an entry.
    pub(crate) fn admit(
        ledger: &'a Ledger,
        registry: &'a Arc<Registry>,
        request: &Request<'a>,
        field: &str,
        value: &str,
    ) -> Result<Self> {
        let desk = Desk::new(registry, request)?;
        let policy = registry.policy()?;
        let admitted = desk.admit().and_then(|access| {
            let query = Query::new(policy, field, value)?;
            if access.searches(query.field) {
                return Ok(query);
            }
            let message = format!("the policy does not let {} search by this field", access.role);
            Err(Error::new(ErrorKind::NotPermitted, message).with_hint("scopes shows who may search by what"))
        });
        match admitted {
            Ok(query) => Ok(Self { ledger, desk, purpose: request.purpose, query }),
            Err(refusal) => {
                if !matches!(refusal.kind(), ErrorKind::Input { .. }) {
                    ledger.deny(&desk.denial(refusal.kind(), 1))?;
                }
                Err(refusal)
            }
        }
    }

    /// Takes the search from the party's budget for the field, whatever process it was asked in.
    pub(crate) fn spend(&self, keys: &dyn KeyStore, now: u64) -> Result<()> {
        let account = u64::from(self.desk.party.number) << 16 | u64::from(self.query.field.get());
        if keys.spend(account, now, &BUDGET)? {
            return Ok(());
        }
        self.ledger.deny(&self.desk.denial(&ErrorKind::Limit, 1))?;
        let message = format!(
            "the party has used up its searches by this field: {SEARCHES_AN_HOUR} an hour, {SEARCHES_A_DAY} a day"
        );
        Err(Error::new(ErrorKind::Limit, message).with_hint("wait, or open the order by its number"))
    }

    pub(crate) fn tags(&self) -> Vec<Tag> {
        self.query.tags(self.desk.registry)
    }

    /// Refuses to go through more candidates than it takes. That there are so many is an answer, too, and has its entry.
    pub(crate) fn check_number(&self, candidates: usize) -> Result<()> {
        if candidates <= MAX_CANDIDATES {
            return Ok(());
        }
        self.enter(Vec::new())?;
        Err(Error::new(ErrorKind::Limit, "more than 1,000 orders may have this value")
            .with_hint("raise the index's `expect` in the policy: it is for orders put from then on"))
    }

    /// Opens the searched field of each candidate inside the vault, and keeps those that have the value. `meanwhile` tells, once
    /// the entries of that are durable, which of the candidates may still be opened.
    pub(crate) fn compare(
        &self,
        candidates: &[StoredOrder<'_>],
        found: &mut Matches,
        meanwhile: impl FnOnce() -> Result<Meanwhile>,
    ) -> Result<()> {
        let Self { desk, query, .. } = self;
        let reaches = |order: &StoredOrder<'_>| desk.reaches(order.secret, query.field);
        let at: Vec<usize> =
            (0..candidates.len()).filter(|at| candidates.get(*at).is_some_and(reaches)).collect();
        let reached: Vec<_> = at.iter().filter_map(|at| candidates.get(*at).copied()).collect();
        // The orders' handles in the vault's own entries are told apart by the query: under the vault's key id they would join
        // all parties' searches for one order, and its put, to each other.
        let handle_id = query.handle_id(desk.registry, &desk.key_id);
        let what = ForVault { parts: &[query.field], purpose: "search", handle_id: Some(handle_id) };
        let unchanged = || {
            let meanwhile = meanwhile()?;
            desk.still_admits(&meanwhile.registry)?;
            Ok(at.iter().map(|at| meanwhile.unchanged.get(*at).copied().unwrap_or(false)).collect())
        };
        let values = open_many_for_vault(self.ledger, desk.registry, &reached, &what, unchanged)?;
        for (order, opened) in reached.iter().zip(values) {
            match opened {
                Ok(values) if values.iter().any(|(_, value)| query.matches(value)) => {
                    let entry = self.entry_of(order)?;
                    found.matches.push(Match { entry, secret: order.secret.clone() });
                }
                // Shredded or changed in this moment: as if it had not been there.
                Ok(_) => {}
                Err(e) if *e.kind() == ErrorKind::Conflict => {}
                Err(_) => found.unreadable += 1,
            }
        }
        Ok(())
    }

    /// Enters each order that was found, and answers with those that may still be opened then.
    pub(crate) fn answer(
        &self,
        found: Matches,
        meanwhile: impl FnOnce(&[SecretRow]) -> Result<Meanwhile>,
    ) -> Result<Hits> {
        let desk = &self.desk;
        let Matches { mut matches, unreadable } = found;
        // Serials count up: the newest order first.
        matches.sort_by_key(|found| std::cmp::Reverse(found.secret.serial));
        let (entries, rows): (Vec<_>, Vec<_>) =
            matches.into_iter().map(|found| (found.entry, found.secret)).unzip();
        let receipts = self.enter(entries)?;
        let meanwhile = meanwhile(&rows)?;
        desk.still_admits(&meanwhile.registry)?;
        let mut hits = Hits { unreadable, ..Hits::default() };
        for ((row, receipt), unchanged) in rows.iter().zip(receipts).zip(meanwhile.unchanged) {
            if !unchanged {
                continue;
            }
            let alias = desk.registry.alias(desk.party.number, row.serial)?;
            let EntryPlace { ledger, index } = receipt.place();
            hits.hits.push(Hit { alias, revision: row.revision, ledger, ledger_index: index });
        }
        Ok(hits)
    }

    /// One entry for each hit, or one without an order where there is none.
    fn enter(&self, mut entries: Vec<Entry>) -> Result<Vec<Receipt>> {
        if entries.is_empty() {
            entries.push(self.entry()?);
        }
        self.ledger.append(entries)
    }

    fn entry(&self) -> Result<Entry> {
        let Self { desk, query, .. } = self;
        let mut entry = Entry::new(EntryKind::Search, desk.key_id, desk.registry.policy()?.digest());
        entry.purpose = self.purpose.to_owned();
        entry.parts = vec![query.field];
        entry.detail = query.name(desk.registry, &desk.key_id).to_vec();
        Ok(entry)
    }

    fn entry_of(&self, order: &StoredOrder<'_>) -> Result<Entry> {
        let record = Record::parse(order.record)?;
        let (_, handle_key) = unlock(self.desk.registry, &record, order.secret)?;
        let mut entry = self.entry()?;
        entry.handle = handle_key.handle(&self.desk.key_id);
        entry.revision = record.header.revision;
        Ok(entry)
    }
}
