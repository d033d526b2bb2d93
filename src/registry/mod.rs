//! What a vault knows beside orders: its keys, accepted policies and parties, as a snapshot that one call works on.
//!
//! At rest every item carries a tag under the registry key, and one tag over all of them, so that none can be altered, added,
//! left out or exchanged for an older one by itself. (An older copy of the whole key store is found by `doctor`.)

mod change;
mod former;
mod items;
mod key_record;
mod opening;
mod signing;
#[cfg(test)]
mod swap_tests;

use std::{collections::BTreeMap, sync::Arc};

use consignee_policy::{Access, Index, PartId, Policy};
use serde::{Deserialize, Serialize};

pub(crate) use change::{Changes, announces_root};
pub(crate) use former::FormerLedger;
pub(crate) use items::authentic;
use items::{
    Items, LAYOUT, VAULT, check_seal, check_untagged, damaged, insert_key, insert_tagged, is_tagged,
    load_key, new_key, no_randomness, parties, peek_vault, policies, root_commitment, seal_items,
};
pub(crate) use key_record::KeyRecord;
pub use key_record::KeyState;
use key_record::key_records;
pub(crate) use opening::{PartyOpening, party_commitment};

use crate::{
    alias::{Alias, AliasKey},
    error::{Error, ErrorKind, Result},
    keys::{
        EpochKeys, FieldKey, HandleKey, IdKey, IndexKey, KeyKind, PublicKey, QueryKey, RecordId, RegistryKey,
        ReleaseKey, RootKey, RowContext, VAULT_PARTY, VaultCard, VaultId, WrapContext, party_key_id,
    },
    ledger::now,
    store::{Item, SecretRow, SecretState},
    suite::{Secret, SigningKey, Suite, os_random},
};

/// A policy as it was accepted.
pub(crate) struct AcceptedPolicy {
    pub(crate) policy: Arc<Policy>,
    pub(crate) applied_at: u64,
    /// Whether what it newly grants reaches orders sealed under earlier policies.
    pub(crate) existing_orders: bool,
}

/// Whether a party may open anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PartyState {
    /// It may.
    Active,
    /// It gets no more tickets.
    Revoked,
}

/// One concrete link acting in a role.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownParty {
    /// Number within the vault, from 1.
    pub number: u32,
    /// Name, unique within the vault.
    pub name: String,
    /// The role it acts in.
    pub role: String,
    /// Its value for `lines`: the list elements that are its own.
    #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
    pub lines: Option<String>,
    /// Whether it may open anything.
    pub state: PartyState,
    /// When it was added, seconds since 1970.
    pub added_at: u64,
    /// The keys of its own that it has had; the last one is in use. None where the shop's own programs open for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<PublicKey>,
    /// Salt of its commitment in the ledger.
    pub(crate) salt: [u8; 32],
}

impl KnownParty {
    /// The key that is sealed to.
    ///
    /// # Errors
    /// `Input` where the party has none.
    pub(crate) fn key(&self) -> Result<&PublicKey> {
        self.keys.last().ok_or_else(|| {
            Error::input(
                "party",
                format!("{} has no key of its own, so that nothing can be sealed to it", self.name),
            )
            .with_hint("it makes one with party keygen; party key enters it")
        })
    }

    /// The id by which the ledger knows it now.
    pub(crate) fn key_id(&self, vault: VaultId) -> [u8; 16] {
        let none = || party_key_id(vault, self.number, &[]);
        self.keys.last().map_or_else(none, |key| key.key_id(vault, self.number))
    }

    /// All ids by which it has been known, that of the time without a key among them.
    pub(crate) fn key_ids(&self, vault: VaultId) -> impl Iterator<Item = [u8; 16]> {
        let none = party_key_id(vault, self.number, &[]);
        std::iter::once(none).chain(self.keys.iter().map(move |key| key.key_id(vault, self.number)))
    }
}

// Without the salt: with it, whoever has the ledger can try which party an entry is of.
impl std::fmt::Debug for KnownParty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KnownParty")
            .field("number", &self.number)
            .field("name", &self.name)
            .field("role", &self.role)
            .field("lines", &self.lines)
            .field("state", &self.state)
            .field("added_at", &self.added_at)
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}

/// What a vault's key store shows to somebody without the root key. Not authenticated.
pub(crate) struct Unauthenticated {
    pub(crate) vault: VaultId,
    pub(crate) parameters: Vec<u8>,
    pub(crate) policies: Vec<AcceptedPolicy>,
    pub(crate) parties: Vec<KnownParty>,
    pub(crate) key_records: Vec<KeyRecord>,
    /// Kind, id and generation of every wrapped key, and its suite where it has one.
    pub(crate) keys: Vec<((u8, u32, u32), Option<Suite>)>,
}

/// Wrapped keys as they were unwrapped, by kind, id and generation. Kept, so that a later snapshot needs the root key for new ones
/// only: a token may be pulled out meanwhile.
type Unwrapped = BTreeMap<(u8, u32, u32), (Option<Suite>, Arc<Secret<32>>)>;

/// One snapshot of everything but orders.
pub(crate) struct Registry {
    pub(crate) vault: VaultId,
    pub(crate) policies: Vec<AcceptedPolicy>,
    pub(crate) parties: Vec<KnownParty>,
    /// Ledgers before the present one, oldest first.
    pub(crate) former: Vec<FormerLedger>,
    /// Field keys of all epochs that can be opened; the last one seals.
    pub(crate) epochs: Vec<Arc<EpochKeys>>,
    pub(crate) release_keys: Vec<ReleaseKey>,
    /// Epochs and generations of the release key, those that are destroyed, too.
    pub(crate) key_records: Vec<KeyRecord>,
    pub(crate) id_key: IdKey,
    pub(crate) alias_key: AliasKey,
    pub(crate) query_key: QueryKey,
    /// Signs what parties are sent; none before the first is.
    issuing_key: Option<SigningKey>,
    /// Signs the ledger's heads; made together with the other.
    ledger_key: Option<SigningKey>,
    registry_key: RegistryKey,
    unwrapped: Unwrapped,
    /// All items as stored, to which changes are made.
    items: Items,
}

impl Registry {
    /// Items of a new vault: its own id and the keys it needs before any policy.
    pub(crate) fn create(root: &dyn RootKey, parameters: &[u8], suite: Suite) -> Result<Vec<Item>> {
        let mut id = [0; 16];
        os_random(&mut id).map_err(|_| no_randomness())?;
        let vault = VaultId(id);
        let mut items = BTreeMap::new();
        items.insert((VAULT, 0, 0), [&[LAYOUT], id.as_slice(), parameters].concat());
        let mut registry_key = None;
        for kind in [KeyKind::Registry, KeyKind::Id, KeyKind::Alias, KeyKind::Query, KeyKind::Release] {
            let key = new_key()?;
            let suite = (kind == KeyKind::Release).then_some(suite);
            let context =
                WrapContext { vault, kind, id: 0, generation: u32::from(kind == KeyKind::Release), suite };
            let registry_key = registry_key.get_or_insert_with(|| RegistryKey::new(&key));
            insert_key(&mut items, registry_key, root, parameters, context, &key)?;
            if let Some(suite) = suite {
                let record = KeyRecord::new(kind, context.generation, suite, now());
                insert_tagged(&mut items, registry_key, vault, record.place(), record.body());
            }
        }
        if let Some(key) = registry_key {
            seal_items(&mut items, &key, vault);
        }
        Ok(items
            .into_iter()
            .map(|((kind, id, generation), body)| Item { kind, id, generation, body })
            .collect())
    }

    /// Reads and authenticates everything.
    pub(crate) fn load(items: Vec<Item>, root: &dyn RootKey) -> Result<Self> {
        Self::load_with(items, root, None)
    }

    /// The same, unwrapping only what an earlier snapshot has not.
    pub(crate) fn load_after(items: Vec<Item>, root: &dyn RootKey, earlier: &Self) -> Result<Self> {
        Self::load_with(items, root, Some(earlier))
    }

    fn load_with(items: Vec<Item>, root: &dyn RootKey, earlier: Option<&Self>) -> Result<Self> {
        let Unauthenticated { vault, parameters, .. } = peek_vault(&items)?;
        let items: BTreeMap<_, _> =
            items.into_iter().map(|i| ((i.kind, i.id, i.generation), i.body)).collect();
        // Another layout makes no other root key, which may be a token that is pulled out by now.
        let root_of =
            |items: &Items| items.get(&(VAULT, 0, 0)).and_then(|body| body.get(1..)).map(<[u8]>::to_vec);
        let earlier = earlier.filter(|earlier| root_of(&earlier.items) == root_of(&items));
        let unwrap = |kind: KeyKind, id, generation| {
            let place = (kind as u8, id, generation);
            let known = earlier.filter(|earlier| earlier.items.get(&place) == items.get(&place));
            if let Some((suite, key)) = known.and_then(|earlier| earlier.unwrapped.get(&place)) {
                return Ok((*suite, Arc::clone(key)));
            }
            let (suite, key) = load_key(&items, root, &parameters, vault, kind, id, generation)?;
            Ok::<_, Error>((suite, Arc::new(key)))
        };
        let registry_key = RegistryKey::new(&unwrap(KeyKind::Registry, 0, 0)?.1);
        check_untagged(&items)?;
        check_seal(&items, &registry_key, vault)?;
        for (&(kind, id, generation), body) in items.iter().filter(|(place, _)| is_tagged(place.0)) {
            authentic(&registry_key, vault, (kind, id, generation), body)?;
        }
        let mut unwrapped = Unwrapped::new();
        for &(kind, id, generation) in items.keys() {
            let kind = KeyKind::from_number(kind);
            if let Some(kind) = kind.filter(|kind| !kind.is_single() || (id, generation) == (0, 0)) {
                unwrapped.insert((kind as u8, id, generation), unwrap(kind, id, generation)?);
            }
        }
        let single =
            |kind: KeyKind| unwrapped.get(&(kind as u8, 0, 0)).map(|(_, key)| &**key).ok_or_else(damaged);
        let signing =
            |kind: KeyKind| unwrapped.get(&(kind as u8, 0, 0)).map(|(_, seed)| SigningKey::new(seed));
        Ok(Self {
            vault,
            policies: policies(&items)?,
            parties: parties(&items)?,
            former: former::former(&items)?,
            epochs: epochs(&unwrapped)?,
            release_keys: release_keys(&unwrapped)?,
            key_records: key_records(&items)?,
            id_key: IdKey::new(single(KeyKind::Id)?),
            alias_key: AliasKey::new(vault, single(KeyKind::Alias)?).ok_or_else(damaged)?,
            query_key: QueryKey::new(single(KeyKind::Query)?),
            issuing_key: signing(KeyKind::Issuing),
            ledger_key: signing(KeyKind::Ledger),
            registry_key,
            unwrapped,
            items,
        })
    }

    /// Reads what can be read without the root key. Not authenticated.
    pub(crate) fn peek(items: Vec<Item>) -> Result<Unauthenticated> {
        let mut peeked = peek_vault(&items)?;
        let items: BTreeMap<_, _> =
            items.into_iter().map(|i| ((i.kind, i.id, i.generation), i.body)).collect();
        (peeked.policies, peeked.parties) = (policies(&items)?, parties(&items)?);
        peeked.key_records = key_records(&items)?;
        let is_key = |place: &&(u8, u32, u32)| place.0 <= KeyKind::Query as u8;
        let suite = |place: &(u8, u32, u32)| items.get(place)?.first().and_then(|n| Suite::from_number(*n));
        peeked.keys = items.keys().filter(is_key).map(|place| (*place, suite(place))).collect();
        Ok(peeked)
    }

    /// The policy in force.
    pub(crate) fn policy(&self) -> Result<&Arc<Policy>> {
        self.policies.last().map(|accepted| &accepted.policy).ok_or_else(damaged)
    }

    pub(crate) fn party(&self, name: &str) -> Result<&KnownParty> {
        self.parties.iter().find(|party| party.name == name).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "no party of this name")
                .with_hint("party list shows them, party add makes one")
        })
    }

    /// Key id of the vault itself, for what it does on its own account.
    pub(crate) fn own_key_id(&self) -> [u8; 16] {
        party_key_id(self.vault, VAULT_PARTY, &[])
    }

    /// What the parties may know of the vault, with the key that signs what they are sent; none before that has been made.
    pub(crate) fn issuer(&self) -> Option<(VaultCard, &SigningKey)> {
        let (issuing, ledger) = (self.issuing_key.as_ref()?, self.ledger_key.as_ref()?);
        let card = VaultCard {
            vault: self.vault,
            issuing: issuing.public(),
            ledger: ledger.public(),
            origin: self.ledgers_name(),
        };
        Some((card, issuing))
    }

    /// Field keys that seal.
    pub(crate) fn current_epoch(&self) -> Result<&Arc<EpochKeys>> {
        self.epochs.last().ok_or_else(damaged)
    }

    pub(crate) fn epoch(&self, number: u32) -> Option<&Arc<EpochKeys>> {
        self.epochs.iter().find(|epoch| epoch.epoch == number)
    }

    /// Release key that wraps.
    pub(crate) fn current_release(&self) -> Result<&ReleaseKey> {
        self.release_keys.last().ok_or_else(damaged)
    }

    /// Every release key that is there, oldest first.
    pub(crate) fn generations(&self) -> impl Iterator<Item = u32> {
        self.release_keys.iter().map(|key| key.generation)
    }

    pub(crate) fn key_record(&self, kind: KeyKind, number: u32) -> Option<&KeyRecord> {
        self.key_records.iter().find(|record| record.kind == kind && record.number == number)
    }

    pub(crate) fn release(&self, generation: u32) -> Option<&ReleaseKey> {
        self.release_keys.iter().find(|key| key.generation == generation)
    }

    /// Number of the policy in force among those accepted: what newly put orders are put under.
    pub(crate) fn policy_number(&self) -> u32 {
        u32::try_from(self.policies.len().saturating_sub(1)).unwrap_or(u32::MAX)
    }

    /// The alias by which the party with this number knows the order with this serial number.
    pub(crate) fn alias(&self, party: u32, serial: u64) -> Result<Alias> {
        let alias = self.alias_key.alias(party, serial);
        alias.ok_or_else(|| Error::new(ErrorKind::Limit, "the vault's numbers for aliases are used up"))
    }

    /// Whoever may be in an entry, by whose id it has the order's handle: the vault itself, then all keys of all parties.
    pub(crate) fn key_ids(&self) -> impl Iterator<Item = [u8; 16]> {
        let parties = self.parties.iter().flat_map(|party| party.key_ids(self.vault));
        std::iter::once(self.own_key_id()).chain(parties)
    }

    /// Handle key of the order a secret row belongs to; none where the row does not open, or holds no key any more.
    pub(crate) fn handle_key(&self, row: &SecretRow) -> Option<HandleKey> {
        let (release, context) = (self.release(row.generation)?, self.row_context(row));
        if row.state == SecretState::Shredded {
            return Some(release.unwrap_evidence(&context, &row.wrapped).ok()?.handle_key);
        }
        // It does not depend on the suite that the order secret is for.
        Some(release.unwrap_secret(&context, release.suite, &row.wrapped).ok()?.1)
    }

    /// Whether a secret row is that of a closed order; none where it does not open.
    pub(crate) fn closed(&self, row: &SecretRow) -> Option<bool> {
        let (release, context) = (self.release(row.generation)?, self.row_context(row));
        Some(release.unwrap_secret(&context, release.suite, &row.wrapped).ok()?.0.closed)
    }

    /// Whether a secret row opens, and is that of a closed order.
    pub(crate) fn is_closed(&self, row: &SecretRow) -> bool {
        self.closed(row) == Some(true)
    }

    /// Where a secret row of this vault belongs.
    pub(crate) fn row_context(&self, row: &SecretRow) -> RowContext {
        RowContext {
            vault: self.vault,
            record_id: RecordId(row.record_id),
            n1: row.n1,
            revision: row.revision,
            generation: row.generation,
            put_at: row.put_at,
            serial: row.serial,
            policy: row.policy,
        }
    }

    /// What a role may open for a purpose of an order that was put under the accepted policy of this number.
    ///
    /// Each later policy takes away what it does not grant; what it grants beyond its predecessor reaches the order only if
    /// it was accepted for existing orders. (An update seals under the policy in force, but the order was put under its own:
    /// otherwise changing a note would hand out what had been withheld.)
    pub(crate) fn access(&self, role: &str, purpose: &str, put_under: u32) -> Result<Option<Access>> {
        let since = usize::try_from(put_under).unwrap_or(usize::MAX);
        if since >= self.policies.len() {
            return Err(Error::new(
                ErrorKind::Damaged,
                "an order names a policy that this vault never accepted: keys.db was rolled back",
            )
            .with_hint("restore its newest backup"));
        }
        let table = |at: usize| self.policies.get(at)?.policy.access(role, purpose);
        let mut access = table(since).cloned();
        for (at, accepted) in self.policies.iter().enumerate().skip(since + 1) {
            access = match (access, table(at - 1), table(at)) {
                (_, _, None) => None,
                (Some(reached), _, Some(newer)) if !accepted.existing_orders => Some(common(reached, newer)),
                (None, _, Some(_)) if !accepted.existing_orders => None,
                (reached, before, Some(newer)) => Some(extended(reached, before, newer)),
            };
        }
        Ok(access)
    }

    /// Every way in which a field has been indexed, by whatever accepted policy: orders have the tags of the policy they were
    /// sealed under.
    pub(crate) fn indexes_of(&self, field: PartId) -> Vec<Index> {
        let mut indexes: Vec<Index> = Vec::new();
        for accepted in &self.policies {
            let index = accepted.policy.part(field).and_then(|part| part.field.index);
            indexes.extend(index.filter(|index| !indexes.contains(index)));
        }
        indexes
    }

    /// Whether these items, of the same vault and later, have their keys wrapped anew: under another root key.
    pub(crate) fn was_rewrapped(&self, items: &[Item]) -> bool {
        const PLACE: (u8, u32, u32) = (KeyKind::Registry as u8, 0, 0);
        let item = items.iter().find(|item| (item.kind, item.id, item.generation) == PLACE);
        item.is_some_and(|item| {
            self.items.get(&PLACE) != Some(&item.body)
                && authentic(&self.registry_key, self.vault, PLACE, &item.body).is_ok()
        })
    }

    /// What the entry of the root key in force says, if the root key was ever changed.
    pub(crate) fn root_commitment(&self) -> Result<[u8; 32]> {
        root_commitment(&self.items)
    }

    /// The tag of what a set of a backup says of itself.
    #[cfg(feature = "sqlite")]
    pub(crate) fn backup_tag(&self, manifest: &str) -> [u8; 32] {
        self.registry_key.backup_tag(self.vault, manifest.as_bytes())
    }

    /// Starts changing it.
    pub(crate) fn change<'a>(&'a self, root: &'a dyn RootKey, parameters: &'a [u8]) -> Changes<'a> {
        Changes::new(self, root, parameters)
    }
}

fn epochs(unwrapped: &Unwrapped) -> Result<Vec<Arc<EpochKeys>>> {
    let mut epochs = BTreeMap::<u32, (Suite, Vec<_>, Vec<_>)>::new();
    let of_epochs = (KeyKind::Field as u8, 0, 0)..=(KeyKind::Index as u8, u32::MAX, u32::MAX);
    for (&(kind, id, generation), (suite, key)) in unwrapped.range(of_epochs) {
        let suite = suite.ok_or_else(damaged)?;
        let part = u16::try_from(id).ok().and_then(PartId::new).ok_or_else(damaged)?;
        let (epoch_suite, keys, index_keys) =
            epochs.entry(generation).or_insert((suite, Vec::new(), Vec::new()));
        if *epoch_suite != suite {
            return Err(damaged());
        }
        if kind == KeyKind::Index as u8 {
            index_keys.push((part, IndexKey::new(key)));
        } else {
            keys.push((part, Arc::new(FieldKey::new(suite, Secret::new(*key.expose())))));
        }
    }
    let epoch = |(n, (suite, keys, index_keys))| Arc::new(EpochKeys::new(n, suite, keys, index_keys));
    Ok(epochs.into_iter().map(epoch).collect())
}

fn release_keys(unwrapped: &Unwrapped) -> Result<Vec<ReleaseKey>> {
    let all = (KeyKind::Release as u8, 0, 0)..=(KeyKind::Release as u8, u32::MAX, u32::MAX);
    let release_key = |(&(_, _, generation), (suite, key)): (&_, &(Option<Suite>, Arc<Secret<32>>))| {
        Ok(ReleaseKey::new(generation, suite.ok_or_else(damaged)?, Secret::new(*key.expose())))
    };
    unwrapped.range(all).map(release_key).collect()
}

/// What both tables allow: for orders that a new grant does not reach.
fn common(reached: Access, newer: &Access) -> Access {
    let mut common = newer.clone();
    common.open.retain(|part| reached.open.contains(part));
    common.search.retain(|part| reached.search.contains(part));
    common.expires = reached.expires.into_iter().chain(newer.expires).min();
    common.lines.extend(reached.lines.into_iter().filter(|rule| !newer.lines.contains(rule)));
    common
}

/// What reached an order before, as far as the newer table still allows it, and what that grants beyond its predecessor: parts,
/// searches, a longer time, or lines that its predecessor cut.
fn extended(reached: Option<Access>, before: Option<&Access>, newer: &Access) -> Access {
    let (Some(before), Some(reached)) = (before, reached) else {
        // Its purpose did not reach the order, or did not exist: only what is new reaches it.
        let mut new = newer.clone();
        new.open.retain(|part| before.is_none_or(|before| !before.open.contains(part)));
        new.search.retain(|part| before.is_none_or(|before| !before.search.contains(part)));
        return new;
    };
    let mut extended = newer.clone();
    extended.open.retain(|part| reached.open.contains(part) || !before.open.contains(part));
    extended.search.retain(|part| reached.search.contains(part) || !before.search.contains(part));
    let end = |access: &Access| access.expires.unwrap_or(u64::MAX);
    if end(newer) <= end(before) {
        extended.expires = reached.expires.into_iter().chain(newer.expires).min();
    }
    let given = |rule: &(PartId, String)| before.lines.contains(rule) && !newer.lines.contains(rule);
    let kept = reached.lines.into_iter().filter(|rule| !given(rule) && !newer.lines.contains(rule));
    extended.lines.extend(kept);
    extended
}
