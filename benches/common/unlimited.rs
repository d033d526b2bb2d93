//! A store in memory whose budgets do not run out: each account is many, taken in turn.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use consignee::store::{Item, KeyStore, Memory, StoreResult, Stores};

pub(crate) fn unlimited() -> Stores {
    let stores = Memory::stores();
    let keys = Arc::new(Unlimited { keys: Arc::clone(&stores.keys), spent: AtomicU64::new(0) });
    Stores { keys, ..stores }
}

struct Unlimited {
    keys: Arc<dyn KeyStore>,
    spent: AtomicU64,
}

impl KeyStore for Unlimited {
    fn items(&self) -> StoreResult<Vec<Item>> {
        self.keys.items()
    }

    fn write_items(&self, items: &[Item]) -> StoreResult<()> {
        self.keys.write_items(items)
    }

    fn wipe_removed(&self, wait: Duration) -> StoreResult<()> {
        self.keys.wipe_removed(wait)
    }

    fn items_version(&self) -> StoreResult<u64> {
        self.keys.items_version()
    }

    fn allot(&self, counter: u32, count: u64) -> StoreResult<u64> {
        self.keys.allot(counter, count)
    }

    fn spend(&self, account: u64, at: u64, windows: &[(u64, u64)]) -> StoreResult<bool> {
        // Accounts have fewer than 36 bits, and a budget has room for 30 within any window.
        let turn = self.spent.fetch_add(1, Ordering::Relaxed) / 30;
        self.keys.spend(account | turn << 36, at, windows)
    }
}
