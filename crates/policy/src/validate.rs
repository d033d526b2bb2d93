//! The rules of a policy: the only way from a draft to a [`Policy`].

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use crate::{
    Access, Facet, Field, FieldType, Index, Normaliser, NumberingPlan, PartId, Policy, canonical,
    draft::{At, Draft, DraftFacet, DraftField, DraftTable, Mistakes, shown},
};

/// Most parts, fields and facets together, that a policy has.
pub const MAX_PARTS: usize = 96;
pub(crate) const MAX_TABLES: usize = 256;

const LONGEST_FIELD_NAME: usize = 64;
const LONGEST_NAME: usize = 32;
const LONGEST_PROPERTY: usize = 64;
const DAY: u64 = 86_400;
const LONGEST_EXPIRY: u64 = 36_525 * DAY;
/// Below this a search tag would have no bits.
const LEAST_EXPECT: u64 = 8;

/// Checks every rule and gives the policy, or all mistakes: those found while reading and its own.
pub(crate) fn check(draft: Draft, mut mistakes: Mistakes) -> Result<Policy, Mistakes> {
    numbers(&draft, &mut mistakes);
    limits(&draft, &mut mistakes);
    draft.fields.iter().for_each(|field| check_field(field, &mut mistakes));
    order_number(&draft, &mut mistakes);
    unique_names(&draft, &mut mistakes);
    let names = Names::of(&draft);
    draft.tables.iter().for_each(|table| check_table(table, &names, &mut mistakes));

    if mistakes.0.is_empty()
        && let Some(policy) = build(draft)
    {
        return Ok(policy);
    }
    Err(mistakes)
}

/// Each number is given once, to one part or to the retired ones.
fn numbers(draft: &Draft, mistakes: &mut Mistakes) {
    let mut retired = BTreeSet::new();
    for number in &draft.retired {
        if number.value == 0 {
            mistakes.add(number.at, "0 is not a part number: they are 1 to 65535");
        } else if !retired.insert(number.value) {
            mistakes.add(number.at, format!("{} is retired twice; remove one", number.value));
        }
    }
    let mut owners: BTreeMap<u16, String> = BTreeMap::new();
    for (name, number) in all_numbers(draft) {
        let id = number.value;
        if id == 0 {
            mistakes.add(number.at, "0 is not a part number: they are 1 to 65535");
        } else if retired.contains(&id) {
            mistakes.add(
                number.at,
                format!(
                    "number {id} is retired: orders sealed long ago may hold it; take a number never used"
                ),
            );
        } else if let Some(owner) = owners.get(&id) {
            mistakes.add(
                number.at,
                format!("number {id} is that of {} already; take a number never used", shown(owner)),
            );
        } else {
            owners.insert(id, name);
        }
    }
}

/// Full name and number of every part, in the order of the text.
fn all_numbers(draft: &Draft) -> impl Iterator<Item = (String, &At<u16>)> {
    draft.fields.iter().flat_map(|field| {
        let own = field.id.iter().map(|id| (field.name.value.clone(), id));
        let facets = field.facets.iter().filter_map(|f| Some((full_name(field, f), f.id.as_ref()?)));
        own.chain(facets)
    })
}

fn full_name(field: &DraftField, facet: &DraftFacet) -> String {
    format!("{}:{}", field.name.value, facet.name.value)
}

fn limits(draft: &Draft, mistakes: &mut Mistakes) {
    let mut parts = draft
        .fields
        .iter()
        .flat_map(|f| std::iter::once(f.name.at).chain(f.facets.iter().map(|x| x.name.at)));
    if let Some(at) = parts.nth(MAX_PARTS) {
        mistakes.add(
            at,
            format!("a policy has at most {MAX_PARTS} parts, fields and facets together; leave some out"),
        );
    }
    if let Some(table) = draft.tables.get(MAX_TABLES) {
        mistakes.add(
            table.purpose.at,
            format!("a policy has at most {MAX_TABLES} tables of a role and purpose; join some"),
        );
    }
}

fn check_field(field: &DraftField, mistakes: &mut Mistakes) {
    let name = &field.name;
    if name.value.len() > LONGEST_FIELD_NAME || !name.value.split('.').all(is_word) {
        mistakes.add(
            name.at,
            format!(
                "{} is not a field's name: words of a-z, 0-9 and _ that begin with a letter, joined by dots, \
                 at most {LONGEST_FIELD_NAME} bytes",
                shown(&name.value)
            ),
        );
    }
    for facet in &field.facets {
        check_word(&facet.name, "a facet's name", mistakes);
        if let (Some(mask), Some(ty)) = (&facet.mask, &field.ty)
            && mask.value.applies_to() != ty.value
        {
            mistakes.add(
                mask.at,
                format!(
                    "mask `{}` is for fields of type {}; {} is of type {}",
                    mask.value.name(),
                    mask.value.applies_to().name(),
                    shown(&name.value),
                    ty.value.name()
                ),
            );
        }
    }
    let Some(index) = &field.index else { return };
    if let Some(ty) = &field.ty
        && ty.value != FieldType::Text
    {
        mistakes.add(
            index.at,
            format!("only text fields have an index; {} is of type {}", shown(&name.value), ty.value.name()),
        );
    }
    if let Some(normaliser) = &index.normaliser
        && let Normaliser::Phone(country) = normaliser.value
        && NumberingPlan::of_country(country).is_none()
    {
        let write = match &country {
            b"UK" => "the United Kingdom is GB: write phone:GB",
            _ => "write a code of ISO 3166-1, such as phone:CN; docs/format.md, section 6, has the table",
        };
        mistakes.add(
            normaliser.at,
            format!("`{}` names no country with a calling code; {write}", normaliser.value),
        );
    }
    if let Some(expect) = &index.expect
        && expect.value < LEAST_EXPECT
    {
        mistakes.add(
            expect.at,
            format!(
                "`expect` is {}, too few to search without telling values apart by their tags: \
                 write how many distinct values there will be, at least {LEAST_EXPECT}, or remove the index",
                expect.value
            ),
        );
    }
}

fn check_word(name: &At<String>, what: &str, mistakes: &mut Mistakes) {
    if name.value.len() > LONGEST_NAME || !is_word(&name.value) {
        mistakes.add(
            name.at,
            format!(
                "{} is not {what}: a-z, 0-9 and _, beginning with a letter, at most {LONGEST_NAME} bytes",
                shown(&name.value)
            ),
        );
    }
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

fn order_number(draft: &Draft, mistakes: &mut Mistakes) {
    match draft.fields.iter().find(|field| field.name.value == "order_no") {
        None => mistakes.add(
            0,
            "there is no field `order_no`, by which orders are known; add [field.order_no] of type \"text\"",
        ),
        Some(DraftField { ty: Some(ty), .. }) if ty.value != FieldType::Text => mistakes.add(
            ty.at,
            format!("`order_no` is of type {}; orders are known by a text: write \"text\"", ty.value.name()),
        ),
        Some(_) => {}
    }
}

/// TOML has told already that a key is there twice; canonical bytes have not.
fn unique_names(draft: &Draft, mistakes: &mut Mistakes) {
    let mut parts = BTreeSet::new();
    for field in &draft.fields {
        if !parts.insert(field.name.value.clone()) {
            mistakes.add(field.name.at, format!("field {} is there twice", shown(&field.name.value)));
        }
        for facet in &field.facets {
            let name = full_name(field, facet);
            if parts.contains(&name) {
                mistakes.add(facet.name.at, format!("facet {} is there twice", shown(&name)));
            }
            parts.insert(name);
        }
    }
    let mut tables = BTreeSet::new();
    for DraftTable { role, purpose, .. } in &draft.tables {
        if !tables.insert((&role.value, &purpose.value)) {
            mistakes.add(
                purpose.at,
                format!("role {}, purpose {} is there twice", shown(&role.value), shown(&purpose.value)),
            );
        }
    }
}

/// Parts by full name.
struct Names<'d>(BTreeMap<String, (&'d DraftField, bool)>);

impl<'d> Names<'d> {
    fn of(draft: &'d Draft) -> Self {
        let mut names = BTreeMap::new();
        for field in &draft.fields {
            names.insert(field.name.value.clone(), (field, false));
            names.extend(field.facets.iter().map(|facet| (full_name(field, facet), (field, true))));
        }
        Self(names)
    }

    /// The field of the part named, and whether the part is a facet of it.
    fn find(&self, name: &At<String>, mistakes: &mut Mistakes) -> Option<(&'d DraftField, bool)> {
        let found = self.0.get(&name.value).copied();
        if found.is_none() {
            mistakes.add(name.at, self.why_unknown(&name.value));
        }
        found
    }

    fn why_unknown(&self, name: &str) -> String {
        if name.contains('*') {
            return "there are no wildcards: name each part, so that a new field is never granted silently"
                .to_owned();
        }
        let Some((field, facet)) = name.split_once(':') else {
            return format!("there is no field {}; correct the name, or declare the field", shown(name));
        };
        match self.0.get(field) {
            None => format!("there is no field {}; correct the name, or declare the field", shown(field)),
            Some((found, _)) if found.facets.is_empty() => {
                format!("field {} has no facets; declare {} there", shown(field), shown(facet))
            }
            Some((found, _)) => {
                let facets: Vec<String> = found.facets.iter().map(|f| shown(&f.name.value)).collect();
                format!("field {} has no facet {}; it has {}", shown(field), shown(facet), facets.join(", "))
            }
        }
    }
}

fn check_table(table: &DraftTable, names: &Names<'_>, mistakes: &mut Mistakes) {
    check_word(&table.role, "a role's name", mistakes);
    check_word(&table.purpose, "a purpose's name", mistakes);
    if let (Some(open), Some(search)) = (&table.open, &table.search)
        && open.is_empty()
        && search.is_empty()
    {
        mistakes.add(
            table.purpose.at,
            format!(
                "role {} opens nothing for purpose {}: list parts in `open`, or remove the table",
                shown(&table.role.value),
                shown(&table.purpose.value)
            ),
        );
    }
    let opened = check_open(table.open.as_deref().unwrap_or_default(), names, mistakes);
    check_lines(table, &opened, names, mistakes);
    check_search(table.search.as_deref().unwrap_or_default(), names, mistakes);
    if let Some(expires) = &table.expires
        && !(1..=LONGEST_EXPIRY).contains(&expires.value)
    {
        mistakes.add(
            expires.at,
            "`expires` is from 1 second to 100 years (36525d); for no end leave the key out",
        );
    }
}

/// Gives the names opened.
fn check_open<'d>(open: &'d [At<String>], names: &Names<'_>, mistakes: &mut Mistakes) -> BTreeSet<&'d str> {
    let opened = once_each(open, "open", mistakes);
    for part in open {
        let Some((field, true)) = names.find(part, mistakes) else { continue };
        let whole = &field.name.value;
        if opened.contains(whole.as_str()) {
            mistakes.add(
                part.at,
                format!(
                    "{} is beside its whole field {}; keep one of them",
                    shown(&part.value),
                    shown(whole)
                ),
            );
        }
    }
    opened
}

fn check_lines(table: &DraftTable, opened: &BTreeSet<&str>, names: &Names<'_>, mistakes: &mut Mistakes) {
    let mut seen = BTreeSet::new();
    for (list, property) in &table.lines {
        if !seen.insert(&list.value) {
            mistakes.add(list.at, format!("{} is twice in `lines`; remove one", shown(&list.value)));
        }
        let legible = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
        if property.value.is_empty()
            || property.value.len() > LONGEST_PROPERTY
            || !property.value.chars().all(legible)
        {
            mistakes.add(
                property.at,
                format!(
                    "a property is letters, digits, _, - and dots, 1 to {LONGEST_PROPERTY} bytes: \
                     write the name of a column of the list"
                ),
            );
        }
        let Some((field, facet)) = names.find(list, mistakes) else { continue };
        if facet || field.ty.as_ref().is_some_and(|ty| ty.value != FieldType::List) {
            mistakes.add(
                list.at,
                format!("{} is not a list; `lines` picks lines of lists only", shown(&list.value)),
            );
        } else if table.open.is_some() && !opened.contains(list.value.as_str()) {
            mistakes.add(
                list.at,
                format!(
                    "{} is not opened here; add it to `open`, or remove it from `lines`",
                    shown(&list.value)
                ),
            );
        }
    }
}

fn check_search(search: &[At<String>], names: &Names<'_>, mistakes: &mut Mistakes) {
    once_each(search, "search", mistakes);
    for name in search {
        let Some((field, facet)) = names.find(name, mistakes) else { continue };
        if facet {
            mistakes.add(
                name.at,
                format!(
                    "{} is a facet; a search is by a whole field: {}",
                    shown(&name.value),
                    shown(&field.name.value)
                ),
            );
        } else if field.index.is_none() {
            mistakes.add(
                name.at,
                format!(
                    "{} cannot be searched: it has no index; add index = {{ normalise = …, expect = … }} to the field",
                    shown(&name.value)
                ),
            );
        }
    }
}

fn once_each<'d>(list: &'d [At<String>], key: &str, mistakes: &mut Mistakes) -> BTreeSet<&'d str> {
    let mut seen = BTreeSet::new();
    for name in list {
        if !seen.insert(name.value.as_str()) {
            mistakes.add(name.at, format!("{} is twice in `{key}`; remove one", shown(&name.value)));
        }
    }
    seen
}

/// None if a draft without mistakes still lacks something: then nothing is made of it.
fn build(draft: Draft) -> Option<Policy> {
    let mut fields = draft.fields.into_iter().map(build_field).collect::<Option<Vec<_>>>()?;
    fields.sort_by_key(|field| field.id);
    let mut retired = draft.retired.iter().map(|id| PartId::new(id.value)).collect::<Option<Vec<_>>>()?;
    retired.sort_unstable();

    let mut ids = BTreeMap::new();
    for field in &fields {
        ids.insert(field.name.clone(), field.id);
        ids.extend(field.facets.iter().map(|facet| (facet.full_name.clone(), facet.id)));
    }
    let mut accesses = draft.tables.into_iter().map(|t| build_access(t, &ids)).collect::<Option<Vec<_>>>()?;
    accesses.sort_by(|a, b| (&a.role, &a.purpose).cmp(&(&b.role, &b.purpose)));

    let canonical = canonical::encode(&fields, &retired, &accesses)?;
    let digest = Sha256::digest(&canonical).into();
    Some(Policy::from_checked(fields, retired, accesses, canonical, digest))
}

fn build_field(draft: DraftField) -> Option<Field> {
    let name = draft.name.value;
    let build_facet = |facet: DraftFacet| {
        let full_name = format!("{name}:{}", facet.name.value);
        let id = PartId::new(facet.id?.value)?;
        Some(Facet { id, name: facet.name.value, full_name, mask: facet.mask?.value })
    };
    let mut facets = draft.facets.into_iter().map(build_facet).collect::<Option<Vec<_>>>()?;
    facets.sort_by_key(|facet| facet.id);
    let index = match draft.index {
        None => None,
        Some(index) => Some(Index { normaliser: index.normaliser?.value, expect: index.expect?.value }),
    };
    Some(Field { id: PartId::new(draft.id?.value)?, name, ty: draft.ty?.value, facets, index })
}

fn build_access(draft: DraftTable, ids: &BTreeMap<String, PartId>) -> Option<Access> {
    let id = |name: &At<String>| ids.get(&name.value).copied();
    let mut open = draft.open?.iter().map(id).collect::<Option<Vec<_>>>()?;
    open.sort_unstable();
    let mut search = draft.search?.iter().map(id).collect::<Option<Vec<_>>>()?;
    search.sort_unstable();
    let line = |(list, property): (At<String>, At<String>)| Some((id(&list)?, property.value));
    let mut lines = draft.lines.into_iter().map(line).collect::<Option<Vec<_>>>()?;
    lines.sort();
    let expires = draft.expires.map(|seconds| seconds.value);
    Some(Access { role: draft.role.value, purpose: draft.purpose.value, open, lines, search, expires })
}
