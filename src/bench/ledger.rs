//! The step of entering, without what leads to it.

use consignee_policy::PartId;

use crate::{
    error::Result,
    ledger::{Entry, EntryKind},
    vault::Vault,
};

/// Appends `count` entries of the size that a courier's opening has, as one call, to the ledger of a vault. They are of orders
/// `first`, `first` + 1, … of `of`, which the vault need not have: their handles lie evenly among all that there can be, ascending.
///
/// # Errors
/// As for opening.
pub fn append(vault: &Vault, (first, of): (u64, u64), count: u64) -> Result<()> {
    let apart = u128::MAX / u128::from(of.max(1));
    let parts: Vec<_> = (3..6).filter_map(PartId::new).collect();
    let entry = |order: u64| {
        let mut entry = Entry::new(EntryKind::Disclosure, [7; 16], [5; 32]);
        entry.handle = (u128::from(order).wrapping_mul(apart)).to_be_bytes();
        (entry.revision, entry.purpose) = (1, "delivery".to_owned());
        (entry.parts, entry.commitments) = (parts.clone(), vec![[order.to_le_bytes()[0]; 32]]);
        entry
    };
    vault.ledger().append((first..first + count).map(entry).collect()).map(drop)
}
