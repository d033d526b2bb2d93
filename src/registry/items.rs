//! The items of the key store: their places, tags, and the bodies of wrapped keys, policies and parties
//! (`docs/format.md`, "How keys.db holds these").

use std::{collections::BTreeMap, sync::Arc};

use consignee_policy::{CanonicalError, Policy};
use zeroize::Zeroizing;

use super::{AcceptedPolicy, KnownParty, Unauthenticated};
use crate::{
    error::{Error, ErrorKind, Result},
    keys::{KeyKind, RegistryKey, RootKey, VaultId, WrapContext},
    store::Item,
    suite::{Secret, Suite, commit, os_random},
};

// Kinds of items that are not wrapped keys (those have the numbers of `KeyKind`).
pub(super) const POLICY: u8 = 32;
pub(super) const PARTY: u8 = 33;
pub(super) const FORMER: u8 = 36;
pub(super) const SEAL: u8 = 40;
pub(super) const ANNOUNCED: u8 = 41;
pub(super) const VAULT: u8 = 100;
/// Kinds below this are wrapped keys.
pub(super) const FIRST_WITHOUT_KEY: u8 = 32;
const TAG: usize = 32;
/// Version of the key store's layout that a vault begins with.
pub(super) const LAYOUT: u8 = 1;
/// The newest that this version reads. A vault comes to it by the first change that an older version would misunderstand.
pub(super) const NEWEST_LAYOUT: u8 = 2;

/// Kind, id and generation of an item, and its body.
pub(super) type Items = BTreeMap<(u8, u32, u32), Vec<u8>>;

pub(super) fn is_tagged(kind: u8) -> bool {
    kind != VAULT && kind != SEAL
}

pub(super) fn insert_tagged(
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
pub(super) fn insert_key(
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

/// Unwraps the key in a place.
pub(super) fn load_key(
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

pub(super) fn untagged(body: &[u8]) -> Result<&[u8]> {
    body.split_last_chunk::<TAG>().map(|(body, _)| body).ok_or_else(damaged)
}

pub(crate) fn authentic(key: &RegistryKey, vault: VaultId, place: (u8, u32, u32), body: &[u8]) -> Result<()> {
    let (body, tag) = body.split_last_chunk::<TAG>().ok_or_else(damaged)?;
    let expected = Secret::new(key.tag(vault, place.0, place.1, place.2, body));
    if expected.equals(tag) { Ok(()) } else { Err(damaged()) }
}

/// What the ledger says of the root key in force: its parameters and the wrap of the registry key under it.
pub(super) fn root_commitment(items: &Items) -> Result<[u8; 32]> {
    let vault = items.get(&(VAULT, 0, 0)).and_then(|body| body.get(17..)).ok_or_else(damaged)?;
    let registry_key = items.get(&(KeyKind::Registry as u8, 0, 0)).ok_or_else(damaged)?;
    Ok(commit("consignee/v1/commit/root", &[vault, untagged(registry_key)?]))
}

/// One tag over the tags of all items: none can be left out, nor exchanged for an older one by itself.
pub(super) fn seal_items(items: &mut Items, key: &RegistryKey, vault: VaultId) {
    let tag = key.tag(vault, SEAL, 0, 0, &all_tags(items));
    items.insert((SEAL, 0, 0), tag.to_vec());
}

pub(super) fn check_seal(items: &Items, key: &RegistryKey, vault: VaultId) -> Result<()> {
    let expected = Secret::new(key.tag(vault, SEAL, 0, 0, &all_tags(items)));
    let found =
        items.get(&(SEAL, 0, 0)).and_then(|body| body.as_slice().try_into().ok()).ok_or_else(damaged)?;
    if expected.equals(found) { Ok(()) } else { Err(damaged()) }
}

/// Items without a tag have one place each: at any other they would be in no seal.
pub(super) fn check_untagged(items: &Items) -> Result<()> {
    let places = items.keys().filter(|place| !is_tagged(place.0));
    if places.into_iter().all(|(_, id, generation)| (*id, *generation) == (0, 0)) {
        Ok(())
    } else {
        Err(damaged())
    }
}

pub(super) fn all_tags(items: &Items) -> Vec<u8> {
    let tagged = items.iter().filter(|(place, _)| is_tagged(place.0));
    tagged.flat_map(|(_, body)| body.last_chunk::<TAG>().copied().unwrap_or_default()).collect()
}

pub(super) fn peek_vault(items: &[Item]) -> Result<Unauthenticated> {
    let is_vault = |item: &&Item| (item.kind, item.id, item.generation) == (VAULT, 0, 0);
    let body = items.iter().find(is_vault).map(|item| item.body.as_slice()).ok_or_else(damaged)?;
    match body {
        [LAYOUT..=NEWEST_LAYOUT, rest @ ..] => {
            let (id, parameters) = rest.split_first_chunk().ok_or_else(damaged)?;
            Ok(Unauthenticated {
                vault: VaultId(*id),
                parameters: parameters.to_vec(),
                policies: Vec::new(),
                parties: Vec::new(),
                key_records: Vec::new(),
                keys: Vec::new(),
            })
        }
        [layout, ..] if *layout > NEWEST_LAYOUT => Err(newer()),
        _ => Err(damaged()),
    }
}

pub(super) fn policies(items: &Items) -> Result<Vec<AcceptedPolicy>> {
    let policy = |body: &Vec<u8>| {
        let (applied_at, rest) = untagged(body)?.split_first_chunk().ok_or_else(damaged)?;
        let ([existing_orders], canonical) = rest.split_first_chunk().ok_or_else(damaged)?;
        Ok(AcceptedPolicy {
            policy: Arc::new(Policy::from_canonical(canonical).map_err(|e| match e {
                CanonicalError::NewerVersion => newer(),
                _ => damaged(),
            })?),
            applied_at: u64::from_le_bytes(*applied_at),
            existing_orders: *existing_orders == 1,
        })
    };
    items.range((POLICY, 0, 0)..=(POLICY, u32::MAX, 0)).map(|(_, body)| policy(body)).collect()
}

pub(super) fn parties(items: &Items) -> Result<Vec<KnownParty>> {
    let party = |body: &Vec<u8>| serde_json::from_slice(untagged(body)?).map_err(|_| damaged());
    items.range((PARTY, 0, 0)..=(PARTY, u32::MAX, 0)).map(|(_, body)| party(body)).collect()
}

pub(super) fn new_key() -> Result<Secret<32>> {
    Secret::fill(|key| os_random(key)).map_err(|_| no_randomness())
}

pub(super) fn no_randomness() -> Error {
    Error::new(ErrorKind::RootKey, "the operating system gives no random bytes")
}

pub(super) fn damaged() -> Error {
    Error::new(ErrorKind::Damaged, "the vault's keys, policies or parties were altered or are incomplete")
        .with_hint("restore keys.db from its backup")
}

pub(super) fn newer() -> Error {
    Error::new(ErrorKind::NewerFormat, "the vault is of a newer version").with_hint("update this program")
}
