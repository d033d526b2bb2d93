//! What a vault knows beside orders: its keys, accepted policies and parties, as a snapshot that one call works on.
//!
//! At rest every item carries a tag under the registry key, and one tag over all of them, so that none can be altered, added,
//! left out or exchanged for an older one by itself. (An older copy of the whole key store is found by `doctor`.)

use std::{collections::BTreeMap, sync::Arc};

use consignee_policy::{Access, PartId, Policy};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{
    alias::AliasKey,
    error::{Error, ErrorKind, Result},
    keys::{
        EpochKeys, FieldKey, IdKey, KeyKind, RegistryKey, ReleaseKey, RootKey, VAULT_PARTY, VaultId,
        WrapContext, party_key_id,
    },
    store::Item,
    suite::{Secret, Suite, os_random},
};

/// Kinds of items that are not wrapped keys (those have the numbers of [`KeyKind`]).
const POLICY: u8 = 32;
const PARTY: u8 = 33;
const SEAL: u8 = 40;
const VAULT: u8 = 100;
const TAG: usize = 32;
/// Version of the key store's layout.
const LAYOUT: u8 = 1;

/// A policy as it was accepted.
pub(crate) struct AcceptedPolicy {
    pub(crate) policy: Arc<Policy>,
    pub(crate) applied_at: u64,
    /// Whether what it newly grants reaches orders sealed under earlier policies.
    pub(crate) existing_orders: bool,
    /// Index of its entry in the ledger.
    pub(crate) ledger_index: u64,
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
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
    /// Salt of its commitment in the ledger.
    pub(crate) salt: [u8; 32],
}

/// What a vault's key store shows to somebody without the root key. Not authenticated.
pub(crate) struct Unauthenticated {
    pub(crate) vault: VaultId,
    pub(crate) parameters: Vec<u8>,
    pub(crate) policies: Vec<AcceptedPolicy>,
    pub(crate) parties: Vec<Party>,
}

/// One snapshot of everything but orders.
pub(crate) struct Registry {
    pub(crate) vault: VaultId,
    pub(crate) policies: Vec<AcceptedPolicy>,
    pub(crate) parties: Vec<Party>,
    /// Field keys of all epochs that can be opened; the last one seals.
    pub(crate) epochs: Vec<Arc<EpochKeys>>,
    release_keys: Vec<ReleaseKey>,
    pub(crate) id_key: IdKey,
    pub(crate) alias_key: AliasKey,
    registry_key: RegistryKey,
    /// All items as stored, to which changes are made.
    items: BTreeMap<(u8, u32, u32), Vec<u8>>,
}

/// Changes to a registry, to be written as one.
pub(crate) struct Changes<'a> {
    registry: &'a Registry,
    root: &'a dyn RootKey,
    parameters: &'a [u8],
    changed: BTreeMap<(u8, u32, u32), Vec<u8>>,
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
        for kind in [KeyKind::Registry, KeyKind::Id, KeyKind::Alias, KeyKind::Release] {
            let key = new_key()?;
            let suite = (kind == KeyKind::Release).then_some(suite);
            let context =
                WrapContext { vault, kind, id: 0, generation: u32::from(kind == KeyKind::Release), suite };
            let registry_key = registry_key.get_or_insert_with(|| RegistryKey::new(&key));
            insert_key(&mut items, registry_key, root, parameters, context, &key)?;
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
        let Unauthenticated { vault, parameters, .. } = peek_vault(&items)?;
        let items: BTreeMap<_, _> =
            items.into_iter().map(|i| ((i.kind, i.id, i.generation), i.body)).collect();
        let registry_key =
            RegistryKey::new(&load_key(&items, root, &parameters, vault, KeyKind::Registry, 0, 0)?.1);
        check_seal(&items, &registry_key, vault)?;
        for (&(kind, id, generation), body) in items.iter().filter(|(place, _)| is_tagged(place.0)) {
            authentic(&registry_key, vault, (kind, id, generation), body)?;
        }
        let mut epochs: BTreeMap<u32, (Suite, Vec<(PartId, Arc<FieldKey>)>)> = BTreeMap::new();
        let mut release_keys = Vec::new();
        for &(kind, id, generation) in items.keys() {
            let load = |kind| load_key(&items, root, &parameters, vault, kind, id, generation);
            if kind == KeyKind::Field as u8 {
                let (suite, key) = load(KeyKind::Field)?;
                let suite = suite.ok_or_else(damaged)?;
                let part = u16::try_from(id).ok().and_then(PartId::new).ok_or_else(damaged)?;
                let (epoch_suite, keys) = epochs.entry(generation).or_insert((suite, Vec::new()));
                if *epoch_suite != suite {
                    return Err(damaged());
                }
                keys.push((part, Arc::new(FieldKey::new(suite, key))));
            } else if kind == KeyKind::Release as u8 {
                let (suite, key) = load(KeyKind::Release)?;
                release_keys.push(ReleaseKey::new(generation, suite.ok_or_else(damaged)?, key));
            }
        }
        let single = |kind| load_key(&items, root, &parameters, vault, kind, 0, 0).map(|(_, key)| key);
        Ok(Self {
            vault,
            policies: policies(&items)?,
            parties: parties(&items)?,
            epochs: epochs
                .into_iter()
                .map(|(n, (suite, keys))| Arc::new(EpochKeys::new(n, suite, keys)))
                .collect(),
            release_keys,
            id_key: IdKey::new(&single(KeyKind::Id)?),
            alias_key: AliasKey::new(vault, &single(KeyKind::Alias)?).ok_or_else(damaged)?,
            registry_key,
            items,
        })
    }

    /// Reads what can be read without the root key. Not authenticated.
    pub(crate) fn peek(items: Vec<Item>) -> Result<Unauthenticated> {
        let mut peeked = peek_vault(&items)?;
        let items: BTreeMap<_, _> =
            items.into_iter().map(|i| ((i.kind, i.id, i.generation), i.body)).collect();
        (peeked.policies, peeked.parties) = (policies(&items)?, parties(&items)?);
        Ok(peeked)
    }

    /// The policy in force.
    pub(crate) fn policy(&self) -> Result<&Arc<Policy>> {
        self.policies.last().map(|accepted| &accepted.policy).ok_or_else(damaged)
    }

    pub(crate) fn party(&self, name: &str) -> Result<&Party> {
        self.parties.iter().find(|party| party.name == name).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "no party of this name")
                .with_hint("party list shows them, party add makes one")
        })
    }

    pub(crate) fn party_key_id(&self, number: u32) -> [u8; 16] {
        party_key_id(self.vault, number, &[])
    }

    /// Key id of the vault itself, for what it does on its own account.
    pub(crate) fn own_key_id(&self) -> [u8; 16] {
        self.party_key_id(VAULT_PARTY)
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

    pub(crate) fn release(&self, generation: u32) -> Option<&ReleaseKey> {
        self.release_keys.iter().find(|key| key.generation == generation)
    }

    /// What a role may open for a purpose of an order sealed under the policy with this digest.
    ///
    /// The policy in force, less what a later policy granted without reaching existing orders.
    pub(crate) fn access(
        &self,
        role: &str,
        purpose: &str,
        sealed_under: &[u8; 32],
    ) -> Result<Option<Access>> {
        let since = self.policies.iter().rposition(|accepted| accepted.policy.digest() == *sealed_under);
        let since = since.ok_or_else(damaged)?;
        let mut access: Option<Access> = None;
        for (at, accepted) in self.policies.iter().enumerate().skip(since) {
            let newer = accepted.policy.access(role, purpose);
            access = match (access, newer) {
                (_, Some(newer)) if at == since || accepted.existing_orders => Some(newer.clone()),
                (Some(before), Some(newer)) => Some(common(before, newer)),
                (_, None) | (None, Some(_)) => None,
            };
        }
        Ok(access)
    }

    /// Starts changing it.
    pub(crate) fn change<'a>(&'a self, root: &'a dyn RootKey, parameters: &'a [u8]) -> Changes<'a> {
        Changes { registry: self, root, parameters, changed: BTreeMap::new() }
    }
}

/// What both tables allow: for orders that a new grant does not reach.
fn common(before: Access, newer: &Access) -> Access {
    let earliest = |a: Option<u64>, b: Option<u64>| a.into_iter().chain(b).min();
    let mut lines = before.lines;
    lines.extend(newer.lines.iter().filter(|rule| !lines.contains(rule)).cloned().collect::<Vec<_>>());
    let mut common = newer.clone();
    common.open.retain(|part| before.open.contains(part));
    common.search.retain(|part| before.search.contains(part));
    common.lines = lines;
    common.expires = earliest(before.expires, newer.expires);
    common
}

impl Changes<'_> {
    /// Accepts a policy; the last one accepted is in force.
    pub(crate) fn add_policy(&mut self, accepted: &AcceptedPolicy) -> Result<()> {
        let number = u32::try_from(self.registry.policies.len()).map_err(|_| damaged())?;
        let body = [
            accepted.applied_at.to_le_bytes().as_slice(),
            &[u8::from(accepted.existing_orders)],
            &accepted.ledger_index.to_le_bytes(),
            accepted.policy.canonical(),
        ]
        .concat();
        self.insert(POLICY, number, body);
        Ok(())
    }

    /// Adds or replaces a party.
    pub(crate) fn set_party(&mut self, party: &Party) -> Result<()> {
        let body = serde_json::to_vec(party).map_err(|_| damaged())?;
        self.insert(PARTY, party.number, body);
        Ok(())
    }

    /// Makes field keys for the parts that have none in the epoch; returns each with its commitment.
    pub(crate) fn add_field_keys(
        &mut self,
        epoch: u32,
        suite: Suite,
        parts: impl Iterator<Item = PartId>,
    ) -> Result<Vec<(PartId, [u8; 32])>> {
        let vault = self.registry.vault;
        let mut made = Vec::new();
        for part in parts {
            if self.registry.epoch(epoch).is_some_and(|keys| keys.get(part).is_some()) {
                continue;
            }
            let key = new_key()?;
            let context = WrapContext {
                vault,
                kind: KeyKind::Field,
                id: part.get().into(),
                generation: epoch,
                suite: Some(suite),
            };
            insert_key(
                &mut self.changed,
                &self.registry.registry_key,
                self.root,
                self.parameters,
                context,
                &key,
            )?;
            made.push((part, FieldKey::new(suite, key).commitment(vault, epoch, part, suite)));
        }
        Ok(made)
    }

    fn insert(&mut self, kind: u8, id: u32, body: Vec<u8>) {
        insert_tagged(
            &mut self.changed,
            &self.registry.registry_key,
            self.registry.vault,
            (kind, id, 0),
            body,
        );
    }

    /// The items to write, as one transaction.
    pub(crate) fn into_items(self) -> Vec<Item> {
        let mut all = self.registry.items.clone();
        all.extend(self.changed.iter().map(|(place, body)| (*place, body.clone())));
        seal_items(&mut all, &self.registry.registry_key, self.registry.vault);
        let mut changed = self.changed;
        changed.extend(all.remove_entry(&(SEAL, 0, 0)));
        changed
            .into_iter()
            .map(|((kind, id, generation), body)| Item { kind, id, generation, body })
            .collect()
    }
}

type Items = BTreeMap<(u8, u32, u32), Vec<u8>>;

fn is_tagged(kind: u8) -> bool {
    kind != VAULT && kind != SEAL
}

fn insert_tagged(
    items: &mut Items,
    key: &RegistryKey,
    vault: VaultId,
    place: (u8, u32, u32),
    mut body: Vec<u8>,
) {
    let tag = key.tag(vault, place.0, place.1, place.2, &body);
    body.extend_from_slice(&tag);
    items.insert(place, body);
}

// A wrapped key at rest: suite u8 ‖ wrapped ‖ tag.
fn insert_key(
    items: &mut Items,
    registry_key: &RegistryKey,
    root: &dyn RootKey,
    parameters: &[u8],
    context: WrapContext,
    key: &Secret<32>,
) -> Result<()> {
    let wrapped = root.wrap(&context.associated_data(parameters), key.expose())?;
    let body = [&[context.suite.map_or(0, Suite::number)], wrapped.as_slice()].concat();
    insert_tagged(
        items,
        registry_key,
        context.vault,
        (context.kind as u8, context.id, context.generation),
        body,
    );
    Ok(())
}

fn load_key(
    items: &Items,
    root: &dyn RootKey,
    parameters: &[u8],
    vault: VaultId,
    kind: KeyKind,
    id: u32,
    generation: u32,
) -> Result<(Option<Suite>, Secret<32>)> {
    let body = items.get(&(kind as u8, id, generation)).ok_or_else(damaged)?;
    let (suite, wrapped) = untagged(body)?.split_first().ok_or_else(damaged)?;
    let suite = match suite {
        0 => None,
        number => Some(Suite::from_number(*number).ok_or_else(newer)?),
    };
    let context = WrapContext { vault, kind, id, generation, suite };
    let key: Zeroizing<[u8; 32]> = root.unwrap(&context.associated_data(parameters), wrapped)?;
    Ok((suite, Secret::new(*key)))
}

fn untagged(body: &[u8]) -> Result<&[u8]> {
    body.split_last_chunk::<TAG>().map(|(body, _)| body).ok_or_else(damaged)
}

fn authentic(key: &RegistryKey, vault: VaultId, place: (u8, u32, u32), body: &[u8]) -> Result<()> {
    let (body, tag) = body.split_last_chunk::<TAG>().ok_or_else(damaged)?;
    let expected = Secret::new(key.tag(vault, place.0, place.1, place.2, body));
    if expected.equals(tag) { Ok(()) } else { Err(damaged()) }
}

/// One tag over the tags of all items: none can be left out, nor exchanged for an older one by itself.
fn seal_items(items: &mut Items, key: &RegistryKey, vault: VaultId) {
    let tag = key.tag(vault, SEAL, 0, 0, &all_tags(items));
    items.insert((SEAL, 0, 0), tag.to_vec());
}

fn check_seal(items: &Items, key: &RegistryKey, vault: VaultId) -> Result<()> {
    let expected = Secret::new(key.tag(vault, SEAL, 0, 0, &all_tags(items)));
    let found =
        items.get(&(SEAL, 0, 0)).and_then(|body| body.as_slice().try_into().ok()).ok_or_else(damaged)?;
    if expected.equals(found) { Ok(()) } else { Err(damaged()) }
}

fn all_tags(items: &Items) -> Vec<u8> {
    let tagged = items.iter().filter(|(place, _)| is_tagged(place.0));
    tagged.flat_map(|(_, body)| body.last_chunk::<TAG>().copied().unwrap_or_default()).collect()
}

fn peek_vault(items: &[Item]) -> Result<Unauthenticated> {
    let body =
        items.iter().find(|item| item.kind == VAULT).map(|item| item.body.as_slice()).ok_or_else(damaged)?;
    match body {
        [LAYOUT, rest @ ..] => {
            let (id, parameters) = rest.split_first_chunk().ok_or_else(damaged)?;
            Ok(Unauthenticated {
                vault: VaultId(*id),
                parameters: parameters.to_vec(),
                policies: Vec::new(),
                parties: Vec::new(),
            })
        }
        [layout, ..] if *layout > LAYOUT => Err(newer()),
        _ => Err(damaged()),
    }
}

fn policies(items: &Items) -> Result<Vec<AcceptedPolicy>> {
    let policy = |body: &Vec<u8>| {
        let (applied_at, rest) = untagged(body)?.split_first_chunk().ok_or_else(damaged)?;
        let ([existing_orders], rest) = rest.split_first_chunk().ok_or_else(damaged)?;
        let (ledger_index, canonical) = rest.split_first_chunk().ok_or_else(damaged)?;
        Ok(AcceptedPolicy {
            policy: Arc::new(Policy::from_canonical(canonical).map_err(|_| damaged())?),
            applied_at: u64::from_le_bytes(*applied_at),
            existing_orders: *existing_orders == 1,
            ledger_index: u64::from_le_bytes(*ledger_index),
        })
    };
    items.range((POLICY, 0, 0)..=(POLICY, u32::MAX, 0)).map(|(_, body)| policy(body)).collect()
}

fn parties(items: &Items) -> Result<Vec<Party>> {
    let party = |body: &Vec<u8>| serde_json::from_slice(untagged(body)?).map_err(|_| damaged());
    items.range((PARTY, 0, 0)..=(PARTY, u32::MAX, 0)).map(|(_, body)| party(body)).collect()
}

fn new_key() -> Result<Secret<32>> {
    Secret::fill(|key| os_random(key)).map_err(|_| no_randomness())
}

fn no_randomness() -> Error {
    Error::new(ErrorKind::RootKey, "the operating system gives no random bytes")
}

fn damaged() -> Error {
    Error::new(ErrorKind::Damaged, "the vault's keys, policies or parties were altered or are incomplete")
        .with_hint("restore keys.db from its backup")
}

fn newer() -> Error {
    Error::new(ErrorKind::NewerFormat, "the vault is of a newer version").with_hint("update this program")
}
