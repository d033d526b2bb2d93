//! `#[derive(Record)]` and `#[derive(Row)]` for `consignee`, which re-exports them beside the traits of the same names.
//!
//! [`Record`](derive@Record) reads the policy when a program is compiled. It makes of a struct what can be sealed and opened,
//! and for each role and purpose a type with what that table of the policy opens and nothing else: a program that reads what
//! its role may not open does not compile.
//!
//! What compiles is not thereby permitted. The vault goes by the policy in force, and refuses a program that was compiled
//! against another one with `PolicyMismatch`.
//!
//! This crate knows the policy (`consignee-policy`) and nothing of vaults, keys or bytes; what it writes says `::consignee::…`.

mod attr;
mod fault;
mod model;
mod names;
mod record;
mod row;
mod shape;
mod source;
mod tokens;
mod view;

use proc_macro::TokenStream;
use syn::{DeriveInput, Error, parse_macro_input};

/// Makes a struct a record, and makes a view of it for each role and purpose of the policy.
///
/// # Example
///
/// `policy.toml`, beside the `Cargo.toml` of the program:
///
/// ```toml
#[doc = include_str!("../policy.toml")]
/// ```
///
/// ```
/// use consignee::{Decimal, Fields, Money, Opened, Record, Row, Setup, Value, Vault};
///
/// #[derive(Record)]
/// #[record(policy = "policy.toml")]
/// pub struct Order {
///     pub order_no: String,
///     #[record(nested)]
///     pub consignee: Consignee,
///     pub items: Vec<Item>,
///     #[record(name = "amount")]
///     pub total: Money,
///     pub note: Option<String>,
///     #[record(more)]
///     pub extra: Fields,
/// }
///
/// #[derive(Record)]
/// #[record(policy = "policy.toml", within = "consignee")]
/// pub struct Consignee {
///     pub name: String,
///     pub phone: String,
/// }
///
/// #[derive(Row)]
/// pub struct Item {
///     pub sku: String,
///     pub quantity: u32,
///     #[row(name = "supplier")]
///     pub by: Option<String>,
/// }
///
/// # fn main() -> Result<(), consignee::Error> {
/// let policy = std::fs::read_to_string("policy.toml").unwrap_or_default();
/// let vault = Vault::in_memory(&Setup { policy: policy.into(), ..Setup::default() })?;
/// vault.add_party("SF Express", "courier", None)?;
/// vault.add_party("Yixing Pottery", "supplier", Some("Yixing"))?;
/// vault.add_party("agent 17", "support", None)?;
/// vault.add_party("shop", "platform", None)?;
///
/// vault.put(&Order {
///     order_no: "SO-1001".into(),
///     consignee: Consignee { name: "王小明".into(), phone: "13812345678".into() },
///     items: vec![
///         Item { sku: "T-1".into(), quantity: 1, by: Some("Yixing".into()) },
///         Item { sku: "C-7".into(), quantity: 4, by: Some("Dehua".into()) },
///     ],
///     total: Money::new(Decimal::new(13_800, 2)?, "CNY")?,
///     note: None,
///     extra: Fields::new().with("extra.gift", Value::Bool(true)),
/// })?;
///
/// // The view of the one role that has one purpose, of the nested struct too.
/// let seen: Opened<OrderForCourier> = vault.open_as("SF Express", "SO-1001")?;
/// let OrderForCourier { consignee: ConsigneeForCourier { name, phone }, extra_gift } = seen.value;
/// assert_eq!((name.as_str(), phone.as_str(), extra_gift), ("王小明", "13812345678", Some(true)));
///
/// // A supplier's own lines.
/// let seen: Opened<OrderForSupplier> = vault.open_as("Yixing Pottery", "SO-1001")?;
/// assert!(seen.items.len() == 1 && seen.items[0].sku == "T-1");
///
/// // A facet; and a role with two purposes has two views.
/// let seen: Opened<OrderForSupportAfterSale> = vault.open_as("agent 17", "SO-1001")?;
/// assert_eq!(seen.consignee.phone_masked.as_deref(), Some("138****5678"));
///
/// // The whole order, for a purpose that opens all of it.
/// let order: Opened<Order> = vault.get("shop", "operation", "SO-1001")?;
/// assert!(order.note.is_none() && order.extra.get("extra.gift").is_some());
/// # Ok(())
/// # }
/// ```
///
/// A courier's program has no `items` to read:
///
/// ```compile_fail,E0609
/// fn parcel(seen: &consignee::OrderForCourier) -> usize {
///     seen.items.len()
/// }
/// ```
///
/// # Attributes of the struct
///
/// | `#[record(…)]` | |
/// |---|---|
/// | `policy = "policy.toml"` | the policy; its path begins at the folder of the crate's `Cargo.toml`. Without it: the built-in policy. A change of the file builds the crate anew |
/// | `within = "consignee"` | the struct is nested: its field `name` is `consignee.name` of the policy. It names the same policy as the struct it stands in |
/// | `view_derive(serde::Serialize)` | what the views derive. `Debug` they have: it prints their name only |
///
/// # Attributes of a field
///
/// | `#[record(…)]` | |
/// |---|---|
/// | `name = "amount"` | what the policy calls it, where that is not what the struct calls it; may have dots |
/// | `nested` | its type has the fields within this name: a struct with `#[derive(Record)]` and `within`, or an `Option` of one, which is none where the order has none of them |
/// | `more` | of type `Fields`: fields that the policy has and the struct does not declare, under their whole names. With it, `Patch::whole` clears what the record has not |
/// | `skip` | not sealed; `Default` when opened |
///
/// Every other field is the field of that name in the policy, and of a Rust type that implements `FieldOf` for the policy's
/// type. An `Option` may be absent; what is not an `Option` must be there, or opening says `Absent`. Fields of the policy that
/// the struct does not declare are absent in its orders, unless they are in its `more`. A record declares `order_no`.
///
/// # Views
///
/// The view of `Order` for role `courier` is `OrderForCourier`; where a role has several purposes in the policy, the purpose
/// follows: `OrderForSupportCallBack`. A table that opens nothing of a struct makes no view of it. A view is as public as its
/// struct, its fields are `pub`, and it has, with the identifiers of the struct,
///
/// - fields that the table opens: in the struct's own type;
/// - facets that it opens: `phone_masked: Option<String>`, none in orders from before the policy had the facet;
/// - for a nested struct of which it opens anything: the view of that struct, such as `shop::ConsigneeForCourier`;
/// - what it opens and the struct does not declare: `extra_gift: Option<bool>`, in the type of the policy, `.` as `_`. A list
///   is a `List`, `json` its text.
///
/// Name a second purpose in the policy, and the view of the first is renamed: the compiler shows where.
///
/// # What is checked
///
/// When compiling: that the policy can be read, and all its mistakes; that it has the fields, and of types that the Rust types
/// hold; that rows have the column by which a party's own lines are told (`lines`), without which no line would be shown; that
/// nested structs were made for the same policy and place; that names are told apart.
///
/// Not checked: that the column of `lines` holds text (a party sees no line by a number), and that `order_no` is no `Option` (an
/// order without one is refused when it is put). A nested struct stands at one place: two addresses under two names are two types.
#[proc_macro_derive(Record, attributes(record))]
pub fn record(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    record::derive(&input).unwrap_or_else(Error::into_compile_error).into()
}

/// Makes a struct a row of a list, so that a `Vec` of it is a field of type `list`.
///
/// Each field is a column, in this order, and of a type that implements `CellOf`: `String`, `bool`, integers, `Decimal`, or
/// an `Option` of one for a cell that may be absent. `#[row(name = "supplier")]` renames a column, `#[row(skip)]` leaves a
/// field out; it is `Default` when opened. Columns of an opened list that the struct does not have are passed over.
///
/// ```
/// use consignee::{Decimal, Row};
///
/// #[derive(Row)]
/// struct Item {
///     sku: String,
///     unit_price: Decimal,
///     #[row(name = "supplier")]
///     by: Option<String>,
///     #[row(skip)]
///     picked: bool,
/// }
///
/// assert_eq!(Item::COLUMNS, ["sku", "unit_price", "supplier"]);
/// ```
#[proc_macro_derive(Row, attributes(row))]
pub fn row(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    row::derive(&input).unwrap_or_else(Error::into_compile_error).into()
}
