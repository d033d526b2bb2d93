//! A small shop: sample orders, a temporary vault, and the links of its chain.

use std::{collections::BTreeSet, io, path::PathBuf, time::Instant};

use consignee::{KeyFile, Order, Setup, Vault, policy::Policy};

use super::{called, folder_failed};
use crate::{
    failure::{FAILED, Failure},
    show,
};

/// Orders of invented people, with telephone numbers that nobody has.
const ORDERS: &str = include_str!("orders.jsonl");

pub(super) const COURIER: &str = "Swift Parcel";
pub(super) const POTTER: &str = "青釉工坊";
pub(super) const TEA_HOUSE: &str = "हिमालय चाय घर";
pub(super) const AGENT: &str = "agent 17";
pub(super) const BOOKS: &str = "bookkeeping";

pub(super) struct Shop {
    pub(super) vault: Vault,
    pub(super) folder: PathBuf,
    pub(super) orders: Vec<Order>,
    temporary: tempfile::TempDir,
}

impl Shop {
    /// A vault in a temporary folder, under a key file beside it.
    pub(super) fn open() -> Result<Self, Failure> {
        let temporary = tempfile::TempDir::with_prefix("consignee-demo-").map_err(|e| folder_failed(&e))?;
        let folder = temporary.path().join("shop.vault");
        let key = KeyFile::create(&temporary.path().join("shop.key"))?;
        let vault = Vault::create(&folder, &key, &Setup::default())?;
        Ok(Self { vault, folder, orders: sample_orders(&Policy::built_in())?, temporary })
    }

    /// Puts the orders in and adds the parties.
    pub(super) fn fill(&self) -> Result<String, Failure> {
        let begun = Instant::now();
        let stored = self.vault.put_many(&self.orders)?.into_iter().collect::<Result<Vec<_>, _>>()?;
        let milliseconds = begun.elapsed().as_millis();
        for (name, role, lines) in [
            (COURIER, "courier", None),
            (POTTER, "supplier", Some(POTTER)),
            (TEA_HOUSE, "supplier", Some(TEA_HOUSE)),
            (AGENT, "support", None),
            (BOOKS, "finance", None),
        ] {
            self.vault.add_party(name, role, lines)?;
        }
        let lines = self.orders.iter().map(|order| order.items.len() as u64).sum();
        let suppliers: BTreeSet<_> =
            self.orders.iter().flat_map(|order| &order.items).map(|item| item.supplier.as_str()).collect();
        Ok(format!(
            "{} with {} of {}, sealed under policy {} and on disk in {milliseconds} ms",
            show::counted(stored.len() as u64, "order"),
            show::counted(lines, "line"),
            show::counted(suppliers.len() as u64, "supplier"),
            called(self)?
        ))
    }

    /// Number of the order at this place among the samples.
    pub(super) fn order_no(&self, at: usize) -> &str {
        self.orders.get(at).map_or("", |order| &order.order_no)
    }

    pub(super) fn close(self) -> io::Result<()> {
        drop(self.vault);
        self.temporary.close()
    }
}

fn sample_orders(policy: &Policy) -> Result<Vec<Order>, Failure> {
    let read = |(line, number): (&str, u64)| {
        Order::from_json(line, policy)
            .map_err(|e| Failure::new(FAILED, format!("sample orders, line {number}: {e}")))
    };
    ORDERS.lines().zip(1..).map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a text has a letter between two code points.
    fn writes(text: &str, from: char, to: char) -> bool {
        text.chars().any(|c| (from..=to).contains(&c))
    }

    #[test]
    fn the_samples_have_five_writing_systems_and_several_suppliers_each() {
        let orders = sample_orders(&Policy::built_in()).unwrap();
        assert!((8..=12).contains(&orders.len()));
        let scripts = [('À', 'ÿ'), ('一', '鿿'), ('\u{600}', '\u{6ff}'), ('\u{900}', '\u{97f}'), ('А', 'я')];
        for (from, to) in scripts {
            assert!(orders.iter().any(|order| writes(&order.consignee.name, from, to)), "{from} to {to}");
        }
        for order in &orders {
            let suppliers: BTreeSet<_> = order.items.iter().map(|item| &item.supplier).collect();
            assert!(suppliers.len() >= 2, "{}", order.order_no);
        }
    }
}
