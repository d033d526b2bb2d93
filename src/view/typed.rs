//! Views as types of a program: read out of an opened [`View`], and compared with the policy in force.

use consignee_policy::{Access, FieldType, PartId, Policy};

use super::{NamedPart, Record, View};
use crate::{
    alias::Alias,
    error::{Error, ErrorKind, Result},
    value::{FieldOf, Value},
};

/// A part as a program was compiled with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompiledPart {
    /// Its number in the policy.
    pub number: u16,
    /// Its whole name, such as `consignee.phone:masked`.
    pub name: &'static str,
    /// Type of its values; of a facet, text.
    pub ty: FieldType,
}

impl CompiledPart {
    /// The part of this number, name and type.
    pub const fn new(number: u16, name: &'static str, ty: FieldType) -> Self {
        Self { number, name, ty }
    }
}

/// A type that is read out of an opened order: what `#[derive(Record)]` makes of a struct, and of each role's view of it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not read out of an opened order: it needs #[derive(Record)]",
    label = "not a record, nor a role's view"
)]
pub trait FromView: Sized {
    /// The parts it reads. Only these are opened.
    const PARTS: &'static [CompiledPart];
    /// Whether it also takes whatever else the purpose opens.
    const TAKES_MORE: bool = false;

    /// Takes its parts out of the view.
    ///
    /// # Errors
    /// `Absent` for a part that the order lacks and the type must have, `NotPermitted` for one that this order's purpose does
    /// not open, `PolicyMismatch`, `Limit`.
    fn from_view(view: &mut View) -> Result<Self>;
}

/// What one role sees of a record for one purpose, as a type: it has no field for what the role may not open.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the view of a role",
    label = "not a view",
    note = "#[derive(Record)] on a struct `Order` makes `OrderForCourier` and so on; a whole record is opened by `Vault::get`"
)]
pub trait RoleView: FromView {
    /// The role.
    const ROLE: &'static str;
    /// The purpose.
    const PURPOSE: &'static str;
}

/// An opened order as a type, and where the ledger says so. Reads like the type itself.
pub struct Opened<T> {
    /// What was opened.
    pub value: T,
    /// What to call the order towards the party: see [`View::order`].
    pub order: String,
    /// The order number this party sees in place of the real one.
    pub alias: Alias,
    /// Revision of the order, from 1; an update names it.
    pub revision: u32,
    /// Number of the ledger that has the disclosure's entry.
    pub ledger: u32,
    /// Index of the disclosure's entry in that ledger.
    pub ledger_index: u64,
}

// Without order number and alias: they name the order, and the alias the party, in whatever log it gets into.
impl<T: std::fmt::Debug> std::fmt::Debug for Opened<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened")
            .field("value", &self.value)
            .field("revision", &self.revision)
            .field("ledger_index", &self.ledger_index)
            .finish_non_exhaustive()
    }
}

impl<T> std::ops::Deref for Opened<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// A nested type that is optional: none where the view has no part of it.
impl<T: FromView> FromView for Option<T> {
    const PARTS: &'static [CompiledPart] = T::PARTS;
    const TAKES_MORE: bool = T::TAKES_MORE;

    fn from_view(view: &mut View) -> Result<Self> {
        let known = |id: PartId| T::PARTS.iter().any(|part| part.number == id.get());
        if view.values.iter().any(|(id, _)| known(*id)) { T::from_view(view).map(Some) } else { Ok(None) }
    }
}

impl View {
    /// The view as a type of the program. A whole record, too, has only what the view has: of a list, the lines that the purpose
    /// shows, and of what is optional or `more`, what it opens. To hand it back as an update, open it by
    /// [`Vault::get`](crate::Vault::get).
    ///
    /// # Errors
    /// As for [`FromView::from_view`].
    pub fn into_typed<T: FromView>(mut self) -> Result<Opened<T>> {
        let (order, alias, revision) = (self.order(), self.alias.clone(), self.revision);
        let (ledger, ledger_index) = (self.ledger, self.ledger_index);
        Ok(Opened { value: T::from_view(&mut self)?, order, alias, revision, ledger, ledger_index })
    }

    /// Takes a part out, as a Rust type that holds the policy's type `Type`. What is optional is none where the order lacks the
    /// part, or what the policy grants does not reach this order.
    ///
    /// # Errors
    /// As for [`FromView::from_view`], with the part's name.
    pub fn take<Type, T: FieldOf<Type>>(&mut self, part: &CompiledPart) -> Result<T> {
        self.take_with(part, T::from_value)
    }

    pub(super) fn take_with<T>(
        &mut self,
        part: &CompiledPart,
        from_value: impl FnOnce(Option<Value>) -> Result<T>,
    ) -> Result<T> {
        let at = self.values.iter().position(|(id, _)| id.get() == part.number);
        let permitted = self.permitted.iter().any(|id| id.get() == part.number);
        let value = at.map(|at| self.values.remove(at).1);
        from_value(value).map_err(|e| match e.kind() {
            ErrorKind::Absent if !permitted => {
                Error::new(ErrorKind::NotPermitted, "what the policy grants does not reach this order")
                    .in_field(part.name)
            }
            _ => e.in_field(part.name),
        })
    }

    /// Takes out all fields that are left, under their names: what no type knows of. Facets are passed over.
    pub fn take_more(&mut self) -> super::Fields {
        let names = self.names.clone();
        let whole = |(id, value)| {
            // Names of fields have no colon, those of facets have.
            let name = names.name(id).filter(|name| !name.contains(':'))?;
            Some((name.to_owned(), value))
        };
        std::mem::take(&mut self.values).into_iter().filter_map(whole).collect()
    }
}

/// The numbers of the parts that `T` reads, after comparing what the program was compiled with and the policy in force.
///
/// A program may be older than a policy that gives more: it opens what it knows. It may not be older than one that does not open a
/// part which it reads, or means something else by its number. Lines are not compared: where they are cut, a view has fewer rows,
/// and a whole record is refused.
///
/// # Errors
/// `PolicyMismatch` with the part's name.
pub(crate) fn compiled_parts<T: FromView>(policy: &Policy, access: &Access) -> Result<Option<Vec<PartId>>> {
    check_numbers::<T>(policy)?;
    for compiled in T::PARTS {
        if !PartId::new(compiled.number).is_some_and(|id| access.opens(id)) {
            let Access { role, purpose, .. } = access;
            let what = format!("the policy in force does not open {} to {role} for {purpose}", compiled.name);
            return Err(mismatch(what));
        }
    }
    Ok((!T::TAKES_MORE).then(|| T::PARTS.iter().filter_map(|part| PartId::new(part.number)).collect()))
}

/// Compares number, name and type of the parts that `T` reads, which it takes by their numbers, with the policy in force.
///
/// # Errors
/// `PolicyMismatch` with the part's name.
pub(crate) fn check_numbers<T: FromView>(policy: &Policy) -> Result<()> {
    for compiled in T::PARTS {
        let part = policy.part_named(compiled.name);
        if !part.is_some_and(|part| part.id.get() == compiled.number && part.ty == compiled.ty) {
            return Err(mismatch(format!("the policy in force has another part {}, or none", compiled.name)));
        }
    }
    Ok(())
}

/// The same with the parts of a keyring.
///
/// # Errors
/// `PolicyMismatch` with the part's name.
pub(crate) fn check_names<T: FromView>(parts: &[NamedPart]) -> Result<()> {
    for compiled in T::PARTS {
        let same = |part: &NamedPart| {
            part.name == compiled.name && part.id.get() == compiled.number && part.ty == compiled.ty
        };
        if !parts.iter().any(same) {
            return Err(mismatch(format!("the keyring has another part {}, or none", compiled.name)));
        }
    }
    Ok(())
}

/// Compares the fields of a record type with the policy in force.
///
/// # Errors
/// `PolicyMismatch` with the field's name.
pub(crate) fn check_fields<R: Record>(policy: &Policy) -> Result<()> {
    for field in R::FIELDS {
        match policy.field(field.name) {
            Some(known) if known.ty == field.ty => {}
            Some(known) => {
                let (name, theirs, ours) = (field.name, known.ty.name(), field.ty.name());
                return Err(mismatch(format!(
                    "the policy in force gives {name} the type {theirs}, not {ours}"
                )));
            }
            None => return Err(mismatch(format!("the policy in force has no field {}", field.name))),
        }
    }
    Ok(())
}

fn mismatch(what: String) -> Error {
    Error::new(ErrorKind::PolicyMismatch, what)
        .with_hint("this program was compiled against another policy: apply that one, or build it anew")
}
