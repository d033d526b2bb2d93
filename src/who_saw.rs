//! Who saw an order: every entry that the ledgers have of it.

use std::collections::HashMap;

use consignee_policy::{PartId, Policy};
use serde_json::{Value as Json, json};

use crate::{
    error::Result,
    handles::{HandleOf, OrderEntries},
    keys::{HandleKey, RecordId},
    ledger::{Entry, EntryKind, EntryPlace, LedgerNote},
    observe::Operation,
    registry::{PartyOpening, Registry},
    text::{hex, time},
    vault::Vault,
};

/// All that the ledgers say of one order.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Disclosures {
    /// The order, as the stores know it.
    pub record_id: RecordId,
    /// Every entry of it, the oldest first.
    pub entries: Vec<OrderEntry>,
    /// Size and root of each ledger from before it was read, oldest first: the answer is complete up to there. They are what the stores
    /// say; compare them with what was noted elsewhere, and let `doctor` hash the entries.
    pub ledgers: Vec<LedgerNote>,
}

/// One entry of an order, with what its numbers mean.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct OrderEntry {
    /// Where it stands.
    pub place: EntryPlace,
    /// The entry: time, purpose, revision, digest of the policy, hash of the party's request.
    pub entry: Entry,
    /// Who did it, by the handle, which nobody makes without the order's key. Of an order that the vault opened for somebody's search,
    /// the vault.
    pub who: Who,
    /// What was done.
    pub way: Way,
    /// The parts concerned: opened, copied, sealed, or searched by.
    pub parts: Vec<NamedPart>,
}

/// A part by number, and by the name that the policy of its entry gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NamedPart {
    /// Its number.
    pub id: PartId,
    /// Its name; none where the vault has not that policy.
    pub name: Option<String>,
}

/// Who is behind an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Who {
    /// The vault itself.
    Vault,
    /// A party.
    #[non_exhaustive]
    Party {
        /// The key id by which the ledger knew it then.
        key_id: [u8; 16],
        /// Its name; none where the ledger has its entry and `keys.db`, from an older backup, knows no such party.
        name: Option<String>,
        /// The role it acts in; none where neither knows it.
        role: Option<String>,
    },
}

/// In which way an entry concerns the order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Way {
    /// It was stored.
    Put,
    /// It was changed.
    Update,
    /// It was sealed anew without a change.
    Reseal,
    /// It was opened in the vault: for the party, or by the vault for itself.
    Opened,
    /// A copy was made for the party, which left the house.
    #[non_exhaustive]
    Copied {
        /// When the copy ends, in seconds since 1970; none where it has no end.
        ends: Option<u64>,
    },
    /// The party searched and found it, so has learnt the value that it searched by.
    Found,
    /// The vault opened it to compare it with what somebody searched. Whoever searched learnt of it only where there is a
    /// [`Way::Found`], too.
    #[non_exhaustive]
    Compared {
        /// Who searched.
        searcher: Who,
    },
    /// It was closed.
    Close,
    /// Its secret was destroyed.
    #[non_exhaustive]
    Shred {
        /// Whether who saw it can still be told.
        evidence_kept: bool,
    },
    /// Something that this version does not interpret, or that was written under an id that is not that of its handle.
    Unknown,
}

impl Who {
    /// Name and role under the keys `what` and `what`_role; null where they are not known.
    fn to_json(&self, what: &str) -> Json {
        let (name, known) = match self {
            Self::Vault => (Some("vault"), None),
            Self::Party { name, role, .. } => (name.as_deref(), role.as_deref()),
        };
        let role = format!("{what}_role");
        json!({ what: name, role: known })
    }
}

impl Way {
    /// What only some ways have.
    fn to_json(&self) -> Json {
        match self {
            Self::Copied { ends } => json!({ "ends": ends.map(time) }),
            Self::Compared { searcher } => searcher.to_json("searcher"),
            Self::Shred { evidence_kept } => json!({ "evidence_kept": evidence_kept }),
            _ => json!({}),
        }
    }

    /// Its name in listings.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Put => "put",
            Self::Update => "update",
            Self::Reseal => "reseal",
            Self::Opened => "opened",
            Self::Copied { .. } => "copied",
            Self::Found => "found",
            Self::Compared { .. } => "compared",
            Self::Close => "close",
            Self::Shred { .. } => "shred",
            Self::Unknown => "unknown",
        }
    }
}

impl Disclosures {
    /// What an answer does not show, in words for whoever reads it.
    pub const NOT_SHOWN: &str =
        "what a party passed on, and openings by a changed program that had the root key";

    /// What it says as a whole, as JSON: number of the entries and of the disclosures among them, size and root of each ledger. The
    /// entries themselves are [`OrderEntry::to_json`].
    pub fn to_json(&self) -> Json {
        let ledger = |note: &LedgerNote| json!({ "ledger": note.ledger, "size": note.state.size, "root": hex(&note.state.root) });
        json!({
            "record_id": self.record_id.to_string(),
            "entries": self.entries.len(),
            "disclosures": self.entries.iter().filter(|entry| entry.is_disclosure()).count(),
            "ledgers": self.ledgers.iter().map(ledger).collect::<Vec<_>>(),
            "not_shown": Self::NOT_SHOWN,
        })
    }
}

impl OrderEntry {
    /// The entry of this order as JSON: time, way, who, purpose, parts, and where it stands.
    pub fn to_json(&self, record_id: RecordId) -> Json {
        let Self { place, entry: raw, who, way, parts } = self;
        let part = |part: &NamedPart| json!({ "number": part.id.get(), "name": part.name });
        let mut line = json!({
            "record_id": record_id.to_string(),
            "time": time(raw.time),
            "way": way.name(),
            "disclosure": self.is_disclosure(),
            "purpose": raw.purpose,
            "parts": parts.iter().map(part).collect::<Vec<_>>(),
            "revision": raw.revision,
            "ledger": place.ledger,
            "index": place.index,
            "party_key_id": hex(&raw.party),
            "policy": hex(&raw.policy),
            "request": (raw.request != [0; 32]).then(|| hex(&raw.request)),
        });
        let more = [who.to_json("party"), way.to_json()];
        if let Some(line) = line.as_object_mut() {
            line.extend(more.into_iter().flat_map(|more| more.as_object().cloned().unwrap_or_default()));
        }
        line
    }

    /// Whether somebody other than the vault learnt something of the order by it, or may have where the way is unknown.
    pub fn is_disclosure(&self) -> bool {
        let told = matches!(self.way, Way::Opened | Way::Copied { .. } | Way::Found | Way::Unknown);
        told && self.who != Who::Vault
    }
}

impl Vault {
    /// Who saw an order: every entry that the ledgers have of it, from its put on, of a shredded order too. `order` is its number or an
    /// alias. Reads all ledgers, twice or more; its memory grows with the entries that it finds, not with the ledgers.
    ///
    /// Opens nothing of the order and makes no entry: it tells what parties did, and nothing that the order says.
    ///
    /// # What it does not show
    /// - What a party passed on, and openings by a changed program that holds the root key.
    /// - Denials: their entries are of no order.
    /// - That the vault opened the order to compare it for a search that was never answered (it was cut short, or its party was revoked
    ///   meanwhile): only the search's own entry tells whose query it was. Nobody learnt anything by it.
    /// - Entries from before both stores lost the order, where it was put again after that: it has other handles then.
    ///
    /// # Errors
    /// `NotFound`; `Shredded` where the evidence was destroyed with the order, so that it cannot be told any more; `CannotOpen`;
    /// `Damaged` where entries are missing; `Storage`.
    pub fn who_saw(&self, order: &str) -> Result<Disclosures> {
        let tell = || {
            let (registry, order) = self.known_order(order)?;
            self.disclosures_of(&registry, order.record_id, &order.handle_key)
        };
        self.watch(Operation::WhoSaw, 1).one(tell())
    }

    /// The same of an order whose handle key is at hand.
    pub(crate) fn disclosures_of(
        &self,
        registry: &Registry,
        record_id: RecordId,
        handle_key: &HandleKey,
    ) -> Result<Disclosures> {
        let OrderEntries { entries, roles, heads } = self.order_entries(registry, handle_key)?;
        let names = Names::new(registry, roles);
        let named = |(place, (entry, whose))| names.named(place, entry, whose);
        Ok(Disclosures { record_id, entries: entries.into_iter().map(named).collect(), ledgers: heads })
    }
}

/// What the numbers in entries mean.
pub(crate) struct Names<'a> {
    pub(crate) own: [u8; 16],
    /// Names and roles, by key id.
    pub(crate) parties: HashMap<[u8; 16], (&'a str, &'a str)>,
    /// Roles of the ledger's own parties.
    pub(crate) roles: HashMap<[u8; 16], String>,
    pub(crate) policies: HashMap<[u8; 32], &'a Policy>,
}

impl<'a> Names<'a> {
    fn new(registry: &'a Registry, roles: HashMap<[u8; 16], String>) -> Self {
        let of_party = |opening: PartyOpening<'a>| {
            (opening.key_id(), (opening.party.name.as_str(), opening.party.role.as_str()))
        };
        let policies = registry.policies.iter().map(|accepted| (accepted.policy.digest(), &*accepted.policy));
        Self {
            own: registry.own_key_id(),
            parties: registry.party_openings().map(of_party).collect(),
            roles,
            policies: policies.collect(),
        }
    }

    pub(crate) fn named(&self, place: EntryPlace, entry: Entry, whose: HandleOf) -> OrderEntry {
        let policy = self.policies.get(&entry.policy);
        let name = |id| Some(policy?.part(id)?.name.to_owned());
        let parts = entry.parts.iter().map(|id| NamedPart { id: *id, name: name(*id) }).collect();
        let key_id = match whose {
            HandleOf::Party(id) => id,
            HandleOf::Vault | HandleOf::Query(_) => self.own,
        };
        // Handles cannot be made without the order's key, and can be copied: beside another's id they accuse nobody.
        let way = if entry.party == key_id { self.way(&entry, whose) } else { Way::Unknown };
        OrderEntry { place, who: self.who(key_id), way, parts, entry }
    }

    fn who(&self, key_id: [u8; 16]) -> Who {
        if key_id == self.own {
            return Who::Vault;
        }
        let known = self.parties.get(&key_id);
        Who::Party {
            key_id,
            name: known.map(|(name, _)| (*name).to_owned()),
            role: known.map(|(_, role)| (*role).to_owned()).or_else(|| self.roles.get(&key_id).cloned()),
        }
    }

    // What a detail means: docs/format.md, section 8.
    fn way(&self, entry: &Entry, whose: HandleOf) -> Way {
        match (entry.kind, entry.detail.as_slice(), whose) {
            (EntryKind::Put, ..) => Way::Put,
            (EntryKind::Update, ..) => Way::Update,
            (EntryKind::Reseal, ..) => Way::Reseal,
            (EntryKind::Close, ..) => Way::Close,
            (EntryKind::Search, ..) => Way::Found,
            (EntryKind::Disclosure, _, HandleOf::Query(searcher)) => {
                Way::Compared { searcher: self.who(searcher) }
            }
            (EntryKind::Disclosure, [], _) => Way::Opened,
            (EntryKind::Disclosure, [1, end @ ..], _) if end.len() == 8 => {
                let end = end.iter().rev().fold(0, |end, byte| end << 8 | u64::from(*byte));
                Way::Copied { ends: (end > 0).then_some(end) }
            }
            (EntryKind::Shred, [kept], _) => Way::Shred { evidence_kept: *kept == 1 },
            _ => Way::Unknown,
        }
    }
}

#[cfg(test)]
#[path = "who_saw_tests.rs"]
mod tests;
