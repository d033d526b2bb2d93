//! An order as the sealer reads it.

use consignee_policy::FieldType;

use super::Fields;
use crate::value::ValueRef;

/// A type whose values can be sealed: what `#[derive(Record)]` makes of a struct, the built-in [`Order`](crate::Order) and the
/// untyped [`Fields`] among them.
///
/// The derive, with all that it takes, is described at [`Record`](derive@crate::Record).
///
/// The sealer looks each name up in the policy once and asks by index from then on. It is `Sync` because a batch is sealed on all
/// cores.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a record: it needs #[derive(Record)]",
    label = "not a record"
)]
pub trait Record: Sync {
    /// The fields, each once.
    const FIELDS: &'static [RecordField];

    /// The value of the field of this index into [`Record::FIELDS`]; `None` where the order has none, which is not the same as
    /// an empty text.
    fn field(&self, index: usize) -> Option<ValueRef<'_>>;

    /// Values of fields beyond those, such as the `extra.NAME` of the policy: all that the order has, where the type keeps them;
    /// `None` for a type that does not. ([`Patch::whole`](super::Patch::whole) clears what is not here, or leaves it alone.)
    fn more(&self) -> Option<&Fields> {
        None
    }
}

/// A nested type that is optional: where there is none, its fields are absent.
impl<R: Record> Record for Option<R> {
    const FIELDS: &'static [RecordField] = R::FIELDS;

    fn field(&self, index: usize) -> Option<ValueRef<'_>> {
        self.as_ref()?.field(index)
    }
}

/// A field of a record type: what the policy must call it, and its type there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordField {
    /// Its whole name, such as `consignee.phone`.
    pub name: &'static str,
    /// Type of its values.
    pub ty: FieldType,
}

impl RecordField {
    /// The field of this name and type.
    pub const fn new(name: &'static str, ty: FieldType) -> Self {
        Self { name, ty }
    }
}
