//! Puts of new orders without end, into vaults that do not grow without bound.

use std::time::{Duration, Instant};

use consignee::{Order, Vault, policy::Policy};

use crate::orders::order_json;

/// Orders after which a new vault is taken.
pub(crate) const MOST_ORDERS: usize = 100_000;

/// Orders with numbers that count up.
pub(crate) struct NewOrders {
    policy: Policy,
    next: u64,
}

impl NewOrders {
    /// For vaults under this policy.
    pub(crate) fn under(policy: &str) -> Self {
        Self { policy: Policy::parse(policy).unwrap(), next: 0 }
    }

    pub(crate) fn take(&mut self, count: usize) -> Vec<Order> {
        let first = self.next;
        self.next += count as u64;
        (first..self.next).map(|n| Order::from_json(&order_json(n), &self.policy).unwrap()).collect()
    }
}

/// What putting them takes.
pub(crate) fn time_put(vault: &Vault, orders: &[Order]) -> Duration {
    let start = Instant::now();
    let put = vault.put_many(orders).unwrap();
    let time = start.elapsed();
    assert!(put.iter().all(Result::is_ok));
    time
}

/// Puts into one vault after the other.
pub(crate) struct Puts<M> {
    make: M,
    vault: Vault,
    held: usize,
    orders: NewOrders,
}

impl<M: Fn() -> Vault> Puts<M> {
    pub(crate) fn new(make: M, policy: &str) -> Self {
        Self { vault: make(), make, held: 0, orders: NewOrders::under(policy) }
    }

    /// What so many batches take.
    pub(crate) fn time(&mut self, batch: usize, batches: u64) -> Duration {
        let mut time = Duration::ZERO;
        for _ in 0..batches {
            if self.held >= MOST_ORDERS {
                (self.vault, self.held) = ((self.make)(), 0);
            }
            time += time_put(&self.vault, &self.orders.take(batch));
            self.held += batch;
        }
        time
    }
}
