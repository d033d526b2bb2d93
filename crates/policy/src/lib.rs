//! Who may open what: the policy of a `consignee` vault.
//!
//! A policy is written by people, in TOML, and is the single source for enforcement, typed views and review. This crate
//! reads it, reports all its mistakes with line and column, and gives the canonical bytes whose digest every sealed record
//! names. It holds no keys, reads no files and seals nothing.
//!
//! - a [`Field`] is a named part of an order; a [`Facet`] is a reduced form of a field, such as a masked telephone number,
//!   sealed under a key of its own. Both are [`Part`]s and have a number, [`PartId`], that is never used again.
//! - an [`Access`] is what one role opens for one purpose: which parts, which lines of a list, for how long, and by which
//!   fields it may search.
//! - a [`Diff`] tells who gains what by a newer policy, before it is applied.
//!
//! ```
//! use consignee_policy::Policy;
//!
//! let policy = Policy::parse(r#"
//!     version = 1
//!     [field.order_no]
//!     id = 1
//!     type = "text"
//!     [field."consignee.phone"]
//!     id = 4
//!     type = "text"
//!     facets = { masked = { id = 14, mask = "phone" } }
//!     [role.courier.delivery]
//!     open = ["consignee.phone"]
//!     expires = "30d"
//!     [role.support.after_sale]
//!     open = ["order_no", "consignee.phone:masked"]
//! "#)?;
//!
//! let masked = policy.part_named("consignee.phone:masked").ok_or("no such part")?;
//! let support = policy.access("support", "after_sale").ok_or("no such purpose")?;
//! assert!(support.opens(masked.id));
//! assert!(policy.access("courier", "marketing").is_none());
//!
//! // One letter wrong: nothing is guessed, the place is named.
//! let mistakes = Policy::parse("version = 1\n[field.order_no]\nid = 1\ntype = \"txet\"\n").unwrap_err();
//! assert_eq!((mistakes.as_slice()[0].line, mistakes.as_slice()[0].column), (4, 8));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The digest proves which rules a record was sealed under. It does not prove that the rules are wise:
//! [`Policy::warnings`] names what is worth a second look.

mod canonical;
mod countries;
mod diff;
mod draft;
mod leakage;
mod model;
mod parse;
mod policy;
mod validate;
mod warnings;

pub use canonical::CanonicalError;
pub use countries::NumberingPlan;
pub use diff::{Change, Diff, What};
pub use leakage::Leakage;
pub use model::{Access, Facet, Field, FieldType, Index, Mask, Normaliser, Part, PartId};
pub use parse::{PolicyError, PolicyErrors};
pub use policy::{DEFAULT_POLICY, Policy};
pub use validate::MAX_PARTS;
pub use warnings::{SEARCHES_A_DAY, SEARCHES_AN_HOUR};
