//! Every key that a vault's folder shows to somebody without the root key: for a reviewer. Not authenticated.

use consignee_policy::PartId;
use serde::Serialize;

use super::{KEYS_SCHEMA, KeyAge, list};
use crate::{
    error::{Error, ErrorKind, Result},
    keys::{KeyKind, PublicKey},
    registry::{AcceptedPolicy, KeyState, KnownParty, PartyState, Unauthenticated},
    store::Stores,
    suite::Suite,
};

/// Every key of a vault, for a reviewer.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Inventory {
    /// Version of this form.
    pub schema: u32,
    /// Always false: it is read without the root key.
    pub authenticated: bool,
    /// The root key first, then the wrapped keys by kind, id, and epoch or generation; destroyed epochs and generations as one line.
    pub keys: Vec<InventoryKey>,
}

/// One key.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct InventoryKey {
    /// `kind.id.generation` in the numbers of `docs/format.md`, section 4; `root`.
    pub id: String,
    /// What kind of key it is.
    pub kind: &'static str,
    /// What it is for.
    pub purpose: String,
    /// `active`, `open-only`, `destroyed`.
    pub state: &'static str,
    /// Number of its suite, where it has one.
    pub suite: Option<u8>,
    /// When it was made, retired and destroyed, seconds since 1970, as far as it is known.
    pub made: Option<u64>,
    /// See `made`.
    pub retired: Option<u64>,
    /// See `made`.
    pub destroyed: Option<u64>,
    /// How much it is used, where that is counted: sealings of the epoch, or rows wrapped.
    pub uses: Option<u64>,
    /// Who holds it: the vault always; by the policy in force the roles that open the part, and their parties.
    pub holders: Vec<String>,
}

/// Every key that a vault's folder shows to somebody without the root key.
pub(crate) fn inventory(stores: &Stores, peeked: &Unauthenticated) -> Result<Inventory> {
    let listed = list(stores, &peeked.key_records, false)?;
    let policy = peeked.policies.last();
    let policy = policy.ok_or_else(|| Error::new(ErrorKind::Damaged, "the vault has no policy"))?;
    let mut keys = vec![root(&peeked.parameters)];
    for ((kind, id, generation), suite) in &peeked.keys {
        let Some((name, purpose)) = kind_and_purpose(*kind) else { continue };
        let ages = if *kind == KeyKind::Release as u8 { &listed.release_keys } else { &listed.epochs };
        let age = ages.iter().find(|age| *generation > 0 && age.number == *generation);
        let part = u16::try_from(*id).ok().filter(|_| *kind <= KeyKind::Index as u8);
        let part = part.and_then(PartId::new);
        keys.push(InventoryKey {
            id: format!("{kind}.{id}.{generation}"),
            kind: name,
            purpose: match part.and_then(|part| policy.policy.part(part)) {
                Some(part) => format!("{purpose} {}", part.name),
                None if part.is_some() => format!("{purpose} a part that the policy in force has not"),
                None => purpose.to_owned(),
            },
            state: age.map_or(KeyState::Active.name(), |age| age.state),
            suite: suite.map(Suite::number),
            made: age.and_then(|age| age.made),
            retired: age.and_then(|age| age.retired),
            destroyed: None,
            uses: age.and_then(|age| age.sealings.or(Some(age.orders))),
            holders: match part.filter(|_| *kind == KeyKind::Field as u8) {
                Some(part) => holders(policy, &peeked.parties, part),
                None => vec!["the vault".to_owned()],
            },
        });
    }
    keys.extend(peeked.parties.iter().flat_map(of_party));
    for (ages, kind) in [(&listed.epochs, KeyKind::Field), (&listed.release_keys, KeyKind::Release)] {
        keys.extend(
            ages.iter().filter(|age| age.state == KeyState::Destroyed.name()).map(|age| gone(age, kind)),
        );
    }
    Ok(Inventory { schema: KEYS_SCHEMA, authenticated: false, keys })
}

/// The root key, of which the folder has the parameters only.
fn root(parameters: &[u8]) -> InventoryKey {
    let purpose = match parameters.first() {
        Some(1) => "wraps all others; from a key file",
        Some(2) => "wraps all others; from a passphrase",
        Some(3) => "wraps all others; on a token",
        _ => "wraps all others; from another provider",
    };
    InventoryKey {
        id: "root".to_owned(),
        kind: "root key",
        purpose: purpose.to_owned(),
        state: KeyState::Active.name(),
        suite: None,
        made: None,
        retired: None,
        destroyed: None,
        uses: None,
        holders: vec!["the custodian".to_owned()],
    }
}

/// The keys of a party's own: the vault has their public halves.
fn of_party(party: &KnownParty) -> Vec<InventoryKey> {
    let newest = party.keys.len();
    let key = |(at, key): (usize, &PublicKey)| InventoryKey {
        id: format!("party.{}.{at}", party.number),
        kind: "party key",
        purpose: format!(
            "keyrings and bundles are sealed to it; {}, {}",
            key.kem().name(),
            key.fingerprint()
        ),
        state: match at == newest && party.state == PartyState::Active {
            true => KeyState::Active.name(),
            false => KeyState::OpenOnly.name(),
        },
        suite: None,
        made: None,
        retired: None,
        destroyed: None,
        uses: None,
        holders: vec![named(party)],
    };
    (1..).zip(&party.keys).map(key).collect()
}

fn named(party: &KnownParty) -> String {
    match party.state {
        PartyState::Active => party.name.clone(),
        PartyState::Revoked => format!("{} (revoked)", party.name),
    }
}

fn gone(age: &KeyAge, kind: KeyKind) -> InventoryKey {
    let (name, purpose) = match kind {
        KeyKind::Field => ("epoch", "field and index keys of all parts"),
        _ => ("release key", "wraps the secrets of orders"),
    };
    InventoryKey {
        id: format!("{}.*.{}", kind as u8, age.number),
        kind: name,
        purpose: purpose.to_owned(),
        state: age.state,
        suite: Some(age.suite),
        made: age.made,
        retired: age.retired,
        destroyed: age.destroyed,
        uses: age.sealings,
        holders: Vec::new(),
    }
}

fn kind_and_purpose(kind: u8) -> Option<(&'static str, &'static str)> {
    Some(match kind {
        1 => ("field key", "seals and opens"),
        2 => ("index key", "search tags of"),
        3 => ("release key", "wraps the secrets of orders"),
        4 => ("id key", "record ids and fingerprints"),
        5 => ("alias key", "aliases of orders"),
        6 => ("issuing key", "signs what parties are given"),
        7 => ("ledger key", "signs the ledger's head"),
        8 => ("registry key", "authenticates keys, policies and parties at rest"),
        9 => ("query key", "names of searches in the ledger"),
        _ => return None,
    })
}

/// Who may open a part by the policy: roles, and the parties that act in them.
fn holders(accepted: &AcceptedPolicy, parties: &[KnownParty], part: PartId) -> Vec<String> {
    let policy = &accepted.policy;
    let mut holders = vec!["the vault".to_owned()];
    for role in policy.roles().filter(|role| policy.role_parts(role).contains(&part)) {
        let acting: Vec<_> = parties.iter().filter(|party| party.role == role).map(named).collect();
        holders.push(match acting.is_empty() {
            true => format!("role {role}"),
            false => format!("role {role}: {}", acting.join(", ")),
        });
    }
    holders
}
