//! Values by field name, for those who have no type for their orders, and for changes to some of them.

use std::sync::Arc;

use consignee_policy::{FieldType, Policy};
use serde_json::{Map, Value as Json};
use zeroize::Zeroize;

use super::{FromView, Record, RecordField, View, check_fields, check_numbers};
use crate::{
    error::{Error, ErrorKind, Result},
    value::{Node, Object, Path, Value, ValueRef, opaque_debug},
};

/// An order without a type of its own: values by the whole names that the policy gives the fields, such as `consignee.phone`
/// or `extra.gift`.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Fields(Vec<(String, Value)>);

opaque_debug!(Fields, Patch);

/// Overwrites the values.
impl Zeroize for Fields {
    fn zeroize(&mut self) {
        self.0.iter_mut().for_each(|(_, value)| value.zeroize());
        self.0.clear();
    }
}

/// Longest JSON text of an order, in bytes.
pub(crate) const MAX_JSON: usize = 2 * 1024 * 1024;

impl Fields {
    /// No values.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Sets the value of a field.
    pub fn set(&mut self, name: impl Into<String>, value: Value) {
        let name = name.into();
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }

    /// The same fields and this one.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: Value) -> Self {
        self.set(name, value);
        self
    }

    /// Removes the value of a field, and returns it.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(at).1)
    }

    /// The value of a field.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// All values with their names, in the order in which they were set.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The values of a record, all of them.
    ///
    /// # Errors
    /// `Input`, `Limit` for a list that could not be sealed either.
    pub fn of<R: Record>(record: &R) -> Result<Self> {
        let mut fields = Self::new();
        for (index, field) in R::FIELDS.iter().enumerate() {
            if let Some(value) = record.field(index) {
                fields.set(field.name, value.to_value().map_err(|e| e.in_field(field.name))?);
            }
        }
        let more = record.more().into_iter().flat_map(Fields::iter);
        more.for_each(|(name, value)| fields.set(name, value.clone()));
        Ok(fields)
    }

    /// The values that a JSON text describes, under the names and types of the policy.
    ///
    /// A field `a.b` stands as key `b` of the object `a`, or under its whole name: `{"a":{"b":1}}`, `{"a.b":1}`. What the policy
    /// does not know is refused; what is left out is absent. A text may have 64 KiB, a list 524,288 cells (its objects
    /// times their different keys), all of it 2 MiB. A list's decimal numbers are texts, and stay so.
    ///
    /// # Errors
    /// `Input` with the path of what is wrong, `Limit` for what is too long or nested too deep. No error repeats anything of
    /// the text.
    pub fn from_json(json: &str, policy: &Policy) -> Result<Self> {
        let mut fields = Self::new();
        leaves(json, policy, |name, node, ty, path| {
            fields.add(name, Value::from_json(ty, node, path)?, path)
        })?;
        Ok(fields)
    }

    /// Takes what these pairs of an object say: by whole names behind `prefix`, or nested.
    pub(crate) fn read(
        &mut self,
        prefix: &str,
        pairs: Vec<(String, Node)>,
        path: &Path<'_>,
        policy: &Policy,
    ) -> Result<()> {
        below(prefix, pairs, path, policy, &mut |name, node, ty, path| {
            self.add(name, Value::from_json(ty, node, path)?, path)
        })
    }

    pub(crate) fn sort(&mut self) {
        self.0.sort_by(|(a, _), (b, _)| a.cmp(b));
    }

    /// The values as a record type of the program, which says what must be there and of which type: after
    /// [`Fields::from_json`] a strict reader of JSON for types of your own.
    ///
    /// # Errors
    /// `Input` for a value that is missing, of another type, or of a field that the type does not know (unless it keeps those in
    /// [`Record::more`]), with the field's name; `PolicyMismatch` where the policy is not the one the type was compiled with.
    pub fn into_record<R: Record + FromView>(self, policy: &Arc<Policy>) -> Result<R> {
        let given = self.clone();
        let (record, left) = self.split(policy)?;
        if let Some((name, _)) = left.iter().next() {
            return Err(Error::input(name, "is a field that orders of this type do not have"));
        }
        match Self::of(&record)?.iter().find(|(name, value)| given.has_more_columns(name, value)) {
            Some((name, _)) => Err(Error::input(name, "has a column that rows of this type do not have")),
            None => Ok(record),
        }
    }

    /// The record, and what its type does not know.
    fn split<R: Record + FromView>(self, policy: &Arc<Policy>) -> Result<(R, Self)> {
        check_fields::<R>(policy)?;
        check_numbers::<R>(policy)?;
        let mut view = View::of_fields(self, policy)?;
        let record =
            R::from_view(&mut view).map_err(|e| e.of_input(R::PARTS.iter().map(|part| part.name)))?;
        Ok((record, view.take_more()))
    }

    /// Whether the list of this name has columns that the other one lacks.
    fn has_more_columns(&self, name: &str, than: &Value) -> bool {
        let (Some(Value::List(own)), Value::List(than)) = (self.get(name), than) else { return false };
        own.columns().iter().any(|column| !than.columns().contains(column))
    }

    /// The same values, those of `R` as `R` has them: refuses what `R` could not be read from afterwards. A list with columns that
    /// its rows' type does not know stays as it is: nothing may be lost that nobody asked to change.
    ///
    /// # Errors
    /// As for [`Fields::into_record`], but for fields that the type does not know: they stay.
    pub(crate) fn fitting<R: Record + FromView>(self, policy: &Arc<Policy>) -> Result<Self> {
        let mut given = self.clone();
        let (record, mut fields) = self.split::<R>(policy)?;
        for (name, value) in Self::of(&record)?.0 {
            let whole = given.has_more_columns(&name, &value).then(|| given.remove(&name)).flatten();
            fields.set(name, whole.unwrap_or(value));
        }
        Ok(fields)
    }

    fn add(&mut self, name: &str, value: Value, path: &Path<'_>) -> Result<()> {
        if self.get(name).is_some() {
            return Err(path.error("stands twice"));
        }
        self.0.push((name.to_owned(), value));
        Ok(())
    }

    /// The values as JSON, under their whole names.
    pub fn to_json(&self) -> Json {
        let fields: Map<String, Json> =
            self.iter().map(|(name, value)| (name.to_owned(), value.to_json())).collect();
        fields.into()
    }
}

impl Record for Fields {
    const FIELDS: &'static [RecordField] = &[];

    fn field(&self, _index: usize) -> Option<ValueRef<'_>> {
        None
    }

    fn more(&self) -> Option<&Fields> {
        Some(self)
    }
}

/// As [`Fields::to_json`].
impl serde::Serialize for Fields {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

impl IntoIterator for Fields {
    type Item = (String, Value);
    type IntoIter = std::vec::IntoIter<(String, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl FromIterator<(String, Value)> for Fields {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(values: I) -> Self {
        let mut fields = Self::new();
        values.into_iter().for_each(|(name, value)| fields.set(name, value));
        fields
    }
}

/// Hands each node that stands for a field of the policy to `take`: name, node, type, path.
fn leaves(
    json: &str,
    policy: &Policy,
    mut take: impl FnMut(&str, Node, FieldType, &Path<'_>) -> Result<()>,
) -> Result<()> {
    if json.len() > MAX_JSON {
        return Err(Error::new(ErrorKind::Limit, "an order's JSON text is longer than 2 MiB"));
    }
    below("", Object::pairs(Node::parse(json)?, &Path::Root)?, &Path::Root, policy, &mut take)
}

fn below(
    prefix: &str,
    pairs: Vec<(String, Node)>,
    path: &Path<'_>,
    policy: &Policy,
    take: &mut dyn FnMut(&str, Node, FieldType, &Path<'_>) -> Result<()>,
) -> Result<()> {
    for (key, node) in pairs {
        let name = format!("{prefix}{key}");
        let place = Path::Name(path, &key);
        let within = format!("{name}.");
        if let Some(field) = policy.field(&name) {
            take(&name, node, field.ty, &place)?;
        } else if policy.fields().iter().any(|field| field.name.starts_with(&within)) {
            below(&within, Object::pairs(node, &place)?, &place, policy, take)?;
        } else {
            let whose = if matches!(path, Path::Root) { "the order " } else { "" };
            return Err(path
                .error(format!("{whose}has a key that the policy does not know"))
                .with_hint("declare it there as a field, or leave it out"));
        }
    }
    Ok(())
}

/// Changes to some fields of a stored order: each gets a value, or none.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Patch {
    changes: Vec<(String, Option<Value>)>,
    /// Whether the fields that are not named lose their values. Which there are, whoever made the patch need not know.
    clears_the_rest: bool,
}

impl Patch {
    /// No change.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same changes, and this value for this field.
    #[must_use]
    pub fn set(self, name: impl Into<String>, value: Value) -> Self {
        self.change(name.into(), Some(value))
    }

    /// The same changes, and no value for this field.
    #[must_use]
    pub fn clear(self, name: impl Into<String>) -> Self {
        self.change(name.into(), None)
    }

    fn change(mut self, name: String, value: Option<Value>) -> Self {
        self.changes.retain(|(known, _)| *known != name);
        self.changes.push((name, value));
        self
    }

    /// Every field of a record as the record has it: after opening, changing and handing back a whole order.
    ///
    /// Where the type keeps what it does not declare in [`Record::more`], as [`Order`](crate::Order) and [`Fields`] do, a field that
    /// the record has not is cleared: what was taken out of `extra` is gone. Other types leave the fields that they do not know as they
    /// are.
    ///
    /// It is for a record that [`Vault::get`](crate::Vault::get) or [`Opener::get_many`](crate::Opener::get_many) gave, which refuse
    /// to give less than the whole. What [`View::into_typed`](super::View::into_typed) makes of a view lacks what the view has not,
    /// and would clear it.
    ///
    /// # Errors
    /// `Input`, `Limit` for a list that cannot be sealed.
    pub fn whole<R: Record>(record: &R) -> Result<Self> {
        let mut patch = Self::new();
        for (index, field) in R::FIELDS.iter().enumerate() {
            let value = record.field(index).map(ValueRef::to_value).transpose();
            patch = patch.change(field.name.to_owned(), value.map_err(|e| e.in_field(field.name))?);
        }
        let more = record.more();
        patch.clears_the_rest = more.is_some();
        let more = more.into_iter().flat_map(Fields::iter);
        Ok(more.fold(patch, |patch, (name, value)| patch.set(name, value.clone())))
    }

    /// The changes that a JSON text describes: as [`Fields::from_json`] reads it, but `null` clears a field.
    ///
    /// # Errors
    /// As for [`Fields::from_json`].
    pub fn from_json(json: &str, policy: &Policy) -> Result<Self> {
        Self::read(json, policy, |_, ty, node, path| Value::from_json(ty, node, path))
    }

    /// The same, where `value` says how a field's value is read.
    pub(crate) fn read(
        json: &str,
        policy: &Policy,
        value: impl Fn(&str, FieldType, Node, &Path<'_>) -> Result<Value>,
    ) -> Result<Self> {
        let mut patch = Self::new();
        leaves(json, policy, |name, node, ty, path| {
            if patch.changes.iter().any(|(known, _)| known == name) {
                return Err(path.error("stands twice"));
            }
            let value = match node {
                Node::Null => None,
                node => Some(value(name, ty, node, path)?),
            };
            patch.changes.push((name.to_owned(), value));
            Ok(())
        })?;
        Ok(patch)
    }

    /// Names of the fields that change, but for those that [`Patch::whole`] clears because the record has them not.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.changes.iter().map(|(name, _)| name.as_str())
    }

    /// Whether a field keeps its value.
    pub(crate) fn keeps(&self, name: &str) -> bool {
        !self.clears_the_rest && self.names().all(|changed| changed != name)
    }

    /// The fields with the changes made.
    pub(crate) fn apply(self, fields: &mut Fields) {
        if self.clears_the_rest {
            *fields = Fields::new();
        }
        for (name, value) in self.changes {
            match value {
                Some(value) => fields.set(name, value),
                None => drop(fields.remove(&name)),
            }
        }
    }
}
