//! The policy as a whole, and what is asked of it.

use crate::{Access, Field, Part, PartId};

/// The policy of the built-in order, as TOML: a start for a shop's own.
pub const DEFAULT_POLICY: &str = include_str!("default.toml");

/// Which role opens which parts for which purpose, how long.
///
/// Every `Policy` is valid: it comes from [`Policy::parse`] or [`Policy::from_canonical`], which check the same rules, and
/// nothing changes it afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Ascending by number.
    fields: Vec<Field>,
    /// Ascending.
    retired: Vec<PartId>,
    /// Ascending by role, then purpose.
    accesses: Vec<Access>,
    /// Where each part is in `fields`, ascending by number.
    places: Vec<Place>,
    canonical: Vec<u8>,
    digest: [u8; 32],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    id: PartId,
    field: usize,
    facet: Option<usize>,
}

impl Policy {
    /// The policy of the built-in order: [`DEFAULT_POLICY`], parsed.
    ///
    /// # Panics
    /// Never: a test parses the same text.
    #[expect(clippy::expect_used, reason = "the text is a constant of this crate and a test parses it")]
    pub fn built_in() -> Self {
        Self::parse(DEFAULT_POLICY).expect("the built-in policy is valid")
    }

    /// For `validate::check` alone, which has checked and sorted everything.
    pub(crate) fn from_checked(
        fields: Vec<Field>,
        retired: Vec<PartId>,
        accesses: Vec<Access>,
        canonical: Vec<u8>,
        digest: [u8; 32],
    ) -> Self {
        let mut places = Vec::new();
        for (field, f) in fields.iter().enumerate() {
            places.push(Place { id: f.id, field, facet: None });
            places.extend(f.facets.iter().enumerate().map(|(i, facet)| Place {
                id: facet.id,
                field,
                facet: Some(i),
            }));
        }
        places.sort_by_key(|place| place.id);
        Self { fields, retired, accesses, places, canonical, digest }
    }

    /// Canonical bytes (docs/format.md section 7): equal for two policies exactly if they say the same.
    pub fn canonical(&self) -> &[u8] {
        &self.canonical
    }

    /// SHA-256 of the canonical bytes, by which records and ledger entries name the policy.
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// All fields, ascending by number.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The field of this name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// All parts, fields and facets, ascending by number.
    pub fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        self.places.iter().filter_map(|place| self.at(place))
    }

    /// The part with this number.
    pub fn part(&self, id: PartId) -> Option<Part<'_>> {
        let found = self.places.binary_search_by_key(&id, |place| place.id).ok()?;
        self.at(self.places.get(found)?)
    }

    /// The part of this full name, such as `consignee.phone:masked`.
    pub fn part_named(&self, name: &str) -> Option<Part<'_>> {
        self.parts().find(|part| part.name == name)
    }

    fn at(&self, place: &Place) -> Option<Part<'_>> {
        let field = self.fields.get(place.field)?;
        match place.facet {
            None => Some(Part::whole(field)),
            Some(facet) => Some(Part::facet(field, field.facets.get(facet)?)),
        }
    }

    /// Numbers that were in use once and never will be again, ascending.
    pub fn retired(&self) -> &[PartId] {
        &self.retired
    }

    /// What every role may do for every purpose, ascending by role, then purpose.
    pub fn accesses(&self) -> &[Access] {
        &self.accesses
    }

    /// What a role may do for a purpose; none if the policy has no such table.
    pub fn access(&self, role: &str, purpose: &str) -> Option<&Access> {
        let order = |a: &Access| (a.role.as_str(), a.purpose.as_str()).cmp(&(role, purpose));
        let found = self.accesses.binary_search_by(order).ok()?;
        self.accesses.get(found)
    }

    /// All roles, ascending.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        self.accesses
            .chunk_by(|a, b| a.role == b.role)
            .filter_map(|of_role| of_role.first())
            .map(|a| a.role.as_str())
    }

    /// The purposes of a role, ascending.
    pub fn purposes(&self, role: &str) -> impl Iterator<Item = &str> {
        self.accesses.iter().filter(move |a| a.role == role).map(|a| a.purpose.as_str())
    }

    /// Parts that a role opens for any of its purposes, ascending: what its keyring holds. Fields it may only search are
    /// not among them.
    pub fn role_parts(&self, role: &str) -> Vec<PartId> {
        let of_role = self.accesses.iter().filter(|a| a.role == role);
        let mut parts: Vec<PartId> = of_role.flat_map(|a| a.open.iter().copied()).collect();
        parts.sort_unstable();
        parts.dedup();
        parts
    }
}
