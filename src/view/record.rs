//! An order as the sealer reads it.

use crate::value::{Value, ValueRef};

/// A type whose values can be sealed: the built-in [`Order`](crate::order::Order), or a program's own.
///
/// The sealer looks each name up in the policy once and asks by index from then on.
pub trait Record {
    /// Names of the fields, as the policy has them, each once. They are the same for every value of the type.
    fn field_names(&self) -> &'static [&'static str];

    /// The value of the field of this index into [`Record::field_names`]; `None` where the order has none, which is not
    /// the same as an empty text.
    fn field(&self, index: usize) -> Option<ValueRef<'_>>;

    /// Values of the fields that the policy names `extra.NAME`, each with its NAME.
    fn extra(&self) -> &[(String, Value)] {
        &[]
    }
}
