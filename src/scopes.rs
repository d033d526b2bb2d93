//! Who may open what: the reviewers' matrix, as data.

use std::collections::BTreeMap;

use consignee_policy::{Leakage, Policy};
use serde::Serialize;

use crate::ledger::EntryPlace;
use crate::registry::{AcceptedPolicy, KnownParty, PartyState};
use crate::text::hex;

/// Version of the JSON form of [`Scopes`] (`docs/scopes.md`).
pub const SCOPES_SCHEMA: u32 = 1;

/// Who may open, sees reduced or searches what, for which purpose, and which parties hold that.
#[derive(Debug, Clone, Serialize)]
pub struct Scopes {
    /// Version of this form.
    pub schema: u32,
    /// Whether the root key vouched for it. A vault read without its key, and a policy file, are not authenticated.
    pub authenticated: bool,
    /// The policy it describes.
    pub policy: PolicyInForce,
    /// A row per role and purpose.
    pub scopes: Vec<Scope>,
    /// What each search index shows to a thief of the database, and to whom it answers.
    pub indexes: Vec<ScopeIndex>,
    /// What a reviewer should look at twice.
    pub warnings: Vec<String>,
}

/// Which policy, and since when.
#[derive(Debug, Clone, Serialize)]
pub struct PolicyInForce {
    /// SHA-256 of its canonical bytes, hexadecimal.
    pub digest: String,
    /// Number of the ledger that has its entry; none for a policy file.
    pub ledger: Option<u32>,
    /// Index of its entry in that ledger; none for a policy file.
    pub ledger_index: Option<u64>,
    /// When it came into force, RFC 3339; none for a policy file.
    pub applied_at: Option<String>,
    /// Whether what it newly granted reached orders that were there.
    pub existing_orders: Option<bool>,
}

/// What one role may do for one purpose.
#[derive(Debug, Clone, Serialize)]
pub struct Scope {
    /// The role.
    pub role: String,
    /// The purpose.
    pub purpose: String,
    /// Fields it opens whole, by name.
    pub opens: Vec<String>,
    /// Facets it opens, as `field:facet`.
    pub sees_reduced: Vec<String>,
    /// Fields it may search by value.
    pub searches: Vec<String>,
    /// Lists of which it sees only its own lines, with the property that decides. Enforced by the vault's code, not by keys.
    pub lines: BTreeMap<String, String>,
    /// For how many seconds from the put; none for ever.
    pub expires_seconds: Option<u64>,
    /// Parties that act in the role.
    pub parties: Vec<ScopeParty>,
}

/// A party in a scope.
#[derive(Debug, Clone, Serialize)]
pub struct ScopeParty {
    /// Its name.
    pub name: String,
    /// Its value for `lines`.
    #[serde(rename = "as", skip_serializing_if = "Option::is_none")]
    pub lines: Option<String>,
    /// Whether it has been revoked.
    pub revoked: bool,
}

/// A search index: [`Leakage`](crate::policy::Leakage) as JSON has it.
#[derive(Debug, Clone, Serialize)]
pub struct ScopeIndex {
    /// Name of the field.
    pub field: String,
    /// The form values are compared in, such as `phone:CN`.
    pub normaliser: String,
    /// How many distinct values the policy expects.
    pub expect: u64,
    /// Length of a search tag in bits.
    pub bits: u32,
    /// The number of orders it is judged for: those stored; none for a policy file.
    pub orders: Option<u64>,
    /// Whether at that many orders two with one tag most likely have one value.
    pub identifies: bool,
    /// Who may search by it.
    pub searched_by: Vec<ScopeSearch>,
    /// All this in a line of plain words. The words may change.
    pub line: String,
}

/// Who may search by a field.
#[derive(Debug, Clone, Serialize)]
pub struct ScopeSearch {
    /// The role.
    pub role: String,
    /// The purpose.
    pub purpose: String,
}

impl From<Leakage> for ScopeIndex {
    fn from(leakage: Leakage) -> Self {
        let searches = leakage.searched_by.into_iter();
        Self {
            field: leakage.field,
            normaliser: leakage.normaliser.to_string(),
            expect: leakage.expect,
            bits: leakage.bits,
            orders: leakage.orders,
            identifies: leakage.identifies,
            searched_by: searches.map(|(role, purpose)| ScopeSearch { role, purpose }).collect(),
            line: leakage.line,
        }
    }
}

impl Scopes {
    /// The scopes of a policy that is in no vault.
    pub fn of_policy(policy: &Policy) -> Self {
        let in_force = PolicyInForce {
            digest: hex(&policy.digest()),
            ledger: None,
            ledger_index: None,
            applied_at: None,
            existing_orders: None,
        };
        Self::of(policy, in_force, &[], None, false)
    }

    pub(crate) fn of_vault(
        accepted: &AcceptedPolicy,
        entry: Option<EntryPlace>,
        parties: &[KnownParty],
        orders: u64,
        authenticated: bool,
    ) -> Self {
        let seconds =
            i64::try_from(accepted.applied_at).ok().and_then(|s| jiff::Timestamp::from_second(s).ok());
        let in_force = PolicyInForce {
            digest: hex(&accepted.policy.digest()),
            ledger: entry.map(|place| place.ledger),
            ledger_index: entry.map(|place| place.index),
            applied_at: seconds.map(|time| time.to_string()),
            existing_orders: Some(accepted.existing_orders),
        };
        Self::of(&accepted.policy, in_force, parties, Some(orders), authenticated)
    }

    fn of(
        policy: &Policy,
        in_force: PolicyInForce,
        parties: &[KnownParty],
        orders: Option<u64>,
        authenticated: bool,
    ) -> Self {
        let name = |id| policy.part(id).map(|part| part.name.to_owned());
        let scope = |access: &consignee_policy::Access| {
            let is_facet =
                |id: &consignee_policy::PartId| policy.part(*id).is_some_and(|part| part.facet.is_some());
            let (facets, fields): (Vec<_>, Vec<_>) = access.open.iter().copied().partition(is_facet);
            let holds = parties.iter().filter(|party| party.role == access.role);
            Scope {
                role: access.role.clone(),
                purpose: access.purpose.clone(),
                opens: fields.into_iter().filter_map(name).collect(),
                sees_reduced: facets.into_iter().filter_map(name).collect(),
                searches: access.search.iter().copied().filter_map(name).collect(),
                lines: access
                    .lines
                    .iter()
                    .filter_map(|(id, property)| Some((name(*id)?, property.clone())))
                    .collect(),
                expires_seconds: access.expires,
                parties: holds
                    .map(|party| ScopeParty {
                        name: party.name.clone(),
                        lines: party.lines.clone(),
                        revoked: party.state == PartyState::Revoked,
                    })
                    .collect(),
            }
        };
        Self {
            schema: SCOPES_SCHEMA,
            authenticated,
            policy: in_force,
            scopes: policy.accesses().iter().map(scope).collect(),
            indexes: policy.leakage(orders).into_iter().map(ScopeIndex::from).collect(),
            warnings: policy.warnings(),
        }
    }
}
