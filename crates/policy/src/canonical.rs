//! Canonical bytes of a policy (docs/format.md section 7): what is hashed, signed and kept.

use std::collections::BTreeMap;

use crate::{
    Access, Field, FieldType, Index, Mask, Normaliser, PartId, Policy,
    draft::{At, Draft, DraftFacet, DraftField, DraftIndex, DraftTable, Mistakes},
    validate::{self, MAX_PARTS, MAX_TABLES},
};

const LABEL: &[u8] = b"consignee/v1/policy";
pub(crate) const VERSION: u32 = 1;

/// Why bytes are not a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CanonicalError {
    /// The bytes do not begin as a policy does.
    #[error("not a policy: the bytes begin with something else")]
    NotAPolicy,
    /// The policy was written by a later version of this library.
    #[error("the policy is of a newer version; this library reads version 1")]
    NewerVersion,
    /// The bytes end within the policy.
    #[error("the policy is cut off")]
    Truncated,
    /// A number, name or count that no policy has.
    #[error("the policy is damaged: {0}")]
    Damaged(&'static str),
    /// It could be read but breaks a rule; the rule, in words.
    #[error("the policy breaks a rule: {0}")]
    Invalid(String),
    /// It does not encode again to the same bytes.
    #[error("the policy's bytes are not in canonical order")]
    NotCanonical,
}

impl Policy {
    /// Reads canonical bytes, which may come from anywhere: bounded, and under the same rules as [`Policy::parse`].
    ///
    /// # Errors
    /// [`CanonicalError`] for anything that [`Policy::canonical`] does not give.
    pub fn from_canonical(bytes: &[u8]) -> Result<Self, CanonicalError> {
        let draft = decode(bytes)?;
        let policy = validate::check(draft, Mistakes::default()).map_err(|mistakes| {
            let first = mistakes.0.into_iter().next().map(|mistake| mistake.message);
            CanonicalError::Invalid(first.unwrap_or_default())
        })?;
        // F18: order, padding of the country and every length are compared at once.
        if policy.canonical() == bytes { Ok(policy) } else { Err(CanonicalError::NotCanonical) }
    }
}

/// None if something does not fit its width, which checked and sorted input always does.
pub(crate) fn encode(fields: &[Field], retired: &[PartId], accesses: &[Access]) -> Option<Vec<u8>> {
    let mut out = Out(LABEL.to_vec());
    out.0.extend(VERSION.to_le_bytes());
    out.count16(fields.len())?;
    for field in fields {
        out.part(field.id);
        out.str8(&field.name)?;
        out.0.push(field.ty.tag());
        out.count8(field.facets.len())?;
        for facet in &field.facets {
            out.part(facet.id);
            out.str8(&facet.name)?;
            out.0.push(facet.mask.number());
        }
        out.index(field.index);
    }
    out.count16(retired.len())?;
    retired.iter().for_each(|id| out.part(*id));
    out.count16(accesses.len())?;
    for access in accesses {
        out.str8(&access.role)?;
        out.str8(&access.purpose)?;
        out.count16(access.open.len())?;
        access.open.iter().for_each(|id| out.part(*id));
        out.count8(access.lines.len())?;
        for (field, property) in &access.lines {
            out.part(*field);
            out.str8(property)?;
        }
        out.count8(access.search.len())?;
        access.search.iter().for_each(|id| out.part(*id));
        out.0.extend(access.expires.unwrap_or(0).to_le_bytes());
    }
    Some(out.0)
}

struct Out(Vec<u8>);

impl Out {
    fn count8(&mut self, n: usize) -> Option<()> {
        self.0.push(u8::try_from(n).ok()?);
        Some(())
    }

    fn count16(&mut self, n: usize) -> Option<()> {
        self.0.extend(u16::try_from(n).ok()?.to_le_bytes());
        Some(())
    }

    fn str8(&mut self, text: &str) -> Option<()> {
        self.count8(text.len())?;
        self.0.extend(text.as_bytes());
        Some(())
    }

    fn part(&mut self, id: PartId) {
        self.0.extend(id.get().to_le_bytes());
    }

    fn index(&mut self, index: Option<Index>) {
        let Some(index) = index else { return self.0.push(0) };
        self.0.extend([1, index.normaliser.number()]);
        self.0.extend(index.normaliser.country());
        self.0.extend(index.expect.to_le_bytes());
    }
}

fn decode(bytes: &[u8]) -> Result<Draft, CanonicalError> {
    let rest = bytes.strip_prefix(LABEL).ok_or(CanonicalError::NotAPolicy)?;
    let mut from = In { rest };
    match u32::from_le_bytes(from.array()?) {
        VERSION => {}
        0 => return Err(CanonicalError::NotAPolicy),
        _ => return Err(CanonicalError::NewerVersion),
    }
    let mut names = Names::default();
    let fields = from.list16(MAX_PARTS, |from| from.field(&mut names))?;
    let retired = from.list16(usize::from(u16::MAX), |from| Ok(At::new(0, from.u16()?)))?;
    let tables = from.list16(MAX_TABLES, |from| from.table(&names))?;
    if !from.rest.is_empty() {
        return Err(CanonicalError::Damaged("something follows its end"));
    }
    Ok(Draft { fields, retired, tables })
}

/// Full names of the parts read so far. A draft names parts as the text does, so that both are checked by the same rules.
#[derive(Default)]
struct Names(BTreeMap<u16, String>);

impl Names {
    fn of(&self, id: u16) -> Result<At<String>, CanonicalError> {
        let name =
            self.0.get(&id).ok_or(CanonicalError::Damaged("a table names a part that is not there"))?;
        Ok(At::new(0, name.clone()))
    }
}

/// A cursor. Nothing is allocated by a count that was read, only by bytes that are there.
struct In<'a> {
    rest: &'a [u8],
}

impl<'a> In<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], CanonicalError> {
        let (taken, rest) = self.rest.split_at_checked(n).ok_or(CanonicalError::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], CanonicalError> {
        self.take(N)?.try_into().map_err(|_| CanonicalError::Truncated)
    }

    fn u8(&mut self) -> Result<u8, CanonicalError> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    fn u16(&mut self) -> Result<u16, CanonicalError> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    fn u64(&mut self) -> Result<u64, CanonicalError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    fn str8(&mut self) -> Result<String, CanonicalError> {
        let length = self.u8()?;
        let text = str::from_utf8(self.take(usize::from(length))?);
        text.map(str::to_owned).map_err(|_| CanonicalError::Damaged("a name is not UTF-8"))
    }

    fn list16<T>(
        &mut self,
        most: usize,
        item: impl FnMut(&mut Self) -> Result<T, CanonicalError>,
    ) -> Result<Vec<T>, CanonicalError> {
        let count = usize::from(self.u16()?);
        self.list(count, most, item)
    }

    fn list8<T>(
        &mut self,
        item: impl FnMut(&mut Self) -> Result<T, CanonicalError>,
    ) -> Result<Vec<T>, CanonicalError> {
        let count = usize::from(self.u8()?);
        self.list(count, MAX_PARTS, item)
    }

    fn list<T>(
        &mut self,
        count: usize,
        most: usize,
        mut item: impl FnMut(&mut Self) -> Result<T, CanonicalError>,
    ) -> Result<Vec<T>, CanonicalError> {
        if count > most {
            return Err(CanonicalError::Damaged("a count is beyond the limit"));
        }
        (0..count).map(|_| item(self)).collect()
    }

    fn field(&mut self, names: &mut Names) -> Result<DraftField, CanonicalError> {
        let id = self.u16()?;
        let name = self.str8()?;
        let ty = FieldType::from_tag(self.u8()?).ok_or(CanonicalError::Damaged("an unknown type"))?;
        let facets = self.list8(|from| {
            let (facet_id, facet) = (from.u16()?, from.str8()?);
            let mask = Mask::from_number(from.u8()?).ok_or(CanonicalError::Damaged("an unknown mask"))?;
            names.0.insert(facet_id, format!("{name}:{facet}"));
            Ok(DraftFacet {
                name: At::new(0, facet),
                id: Some(At::new(0, facet_id)),
                mask: Some(At::new(0, mask)),
            })
        })?;
        let index = self.index()?;
        names.0.insert(id, name.clone());
        Ok(DraftField {
            name: At::new(0, name),
            id: Some(At::new(0, id)),
            ty: Some(At::new(0, ty)),
            facets,
            index,
        })
    }

    fn index(&mut self) -> Result<Option<DraftIndex>, CanonicalError> {
        match self.u8()? {
            0 => Ok(None),
            1 => {
                let normaliser = Normaliser::from_number(self.u8()?, self.array()?)
                    .ok_or(CanonicalError::Damaged("an unknown normaliser"))?;
                let expect = At::new(0, self.u64()?);
                Ok(Some(DraftIndex { at: 0, normaliser: Some(At::new(0, normaliser)), expect: Some(expect) }))
            }
            _ => Err(CanonicalError::Damaged("an index is neither there nor absent")),
        }
    }

    fn table(&mut self, names: &Names) -> Result<DraftTable, CanonicalError> {
        let role = At::new(0, self.str8()?);
        let purpose = At::new(0, self.str8()?);
        let open = self.list16(MAX_PARTS, |from| names.of(from.u16()?))?;
        let lines = self.list8(|from| Ok((names.of(from.u16()?)?, At::new(0, from.str8()?))))?;
        let search = self.list8(|from| names.of(from.u16()?))?;
        let expires = match self.u64()? {
            0 => None,
            seconds => Some(At::new(0, seconds)),
        };
        Ok(DraftTable { role, purpose, open: Some(open), lines, search: Some(search), expires })
    }
}
