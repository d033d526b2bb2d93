//! `consignee`: everything that it does to an order between the caller's `Order` and the bytes, without ledger and store.

use std::hint::black_box;

use consignee::{
    Order, SealedOrder, Setup, StoredOrder, Suite, Vault,
    bench::{Opening, Steps},
    policy::{DEFAULT_POLICY, Policy},
};

use super::{Bytes, Contender, Op};
use crate::{
    Result,
    order::{COURIERS, Reference},
    orders::{COURIERS_PARTS, REFERENCE_PARTS, reference_policy},
};

#[derive(Clone, Copy)]
pub(crate) struct Row {
    name: &'static str,
    suite: Suite,
    facets: bool,
    /// Orders in a call.
    batch: usize,
}

/// As many as a busy shop puts with one sync of its disk, which takes longer than sealing them.
const BATCH: usize = 100;

/// The one called by the library's name has the reference policy and the default suite.
pub(crate) const ROWS: [Row; 5] = [
    Row { name: "consignee", suite: Suite::Aes256Gcm, facets: false, batch: BATCH },
    Row { name: "consignee-single", suite: Suite::Aes256Gcm, facets: false, batch: 1 },
    Row { name: "consignee-default-policy", suite: Suite::Aes256Gcm, facets: true, batch: BATCH },
    Row { name: "consignee-suite2", suite: Suite::ChaCha20Poly1305, facets: false, batch: BATCH },
    Row {
        name: "consignee-suite2-default-policy",
        suite: Suite::ChaCha20Poly1305,
        facets: true,
        batch: BATCH,
    },
];

pub(crate) struct Sealed {
    name: &'static str,
    vault: Vault,
    steps: Steps,
    orders: Vec<Order>,
    sealed: &'static [SealedOrder],
    couriers: Opening<'static>,
    all: Opening<'static>,
}

impl Sealed {
    pub(crate) fn new(row: Row, order: &Reference) -> Result<Self> {
        let policy = if row.facets { DEFAULT_POLICY.to_owned() } else { reference_policy(DEFAULT_POLICY) };
        let vault = Vault::in_memory(&Setup { suite: row.suite, policy: policy.into() })?;
        for role in ["courier", "platform"] {
            vault.add_party(role, role, None)?;
        }
        let order = Order::from_json(&order.json, &Policy::built_in())?;
        let steps = Steps::of::<Order>(&vault)?;
        // What is opened borrows it, and both are wanted until the process ends.
        let orders = vec![order; row.batch];
        let sealed = orders
            .iter()
            .map(|order| vault.sealer().seal(order))
            .collect::<std::result::Result<Vec<_>, _>>()?;
        let sealed: &[SealedOrder] = sealed.leak();
        let couriers = steps.opening(sealed, &COURIERS_PARTS)?;
        let all = steps.opening(sealed, &REFERENCE_PARTS)?;
        Ok(Self { name: row.name, vault, steps, orders, sealed, couriers, all })
    }
}

impl Contender for Sealed {
    fn name(&self) -> &'static str {
        self.name
    }

    fn bytes(&self) -> Bytes {
        let first = self.sealed.first();
        Bytes {
            order: first.map_or(0, |order| order.record.len()),
            secret: first.map_or(0, |order| order.secret.wrapped.len()),
        }
    }

    /// The single steps tell no values, only how many: the values are opened by the public call on the same record.
    fn check(&mut self, order: &Reference) -> Result<()> {
        let stored =
            |order: &'static SealedOrder| StoredOrder { record: &order.record, secret: &order.secret };
        let stored: Vec<_> = self.sealed.iter().map(stored).collect();
        for (role, purpose, fields) in
            [("courier", "delivery", &order.fields[COURIERS]), ("platform", "operation", &order.fields[..])]
        {
            let views = self.vault.opener().open_many(role, purpose, &stored)?;
            let expected =
                fields.iter().map(|field| Ok((field.name.to_owned(), serde_json::from_str(&field.text)?)));
            let expected = expected.collect::<Result<_>>()?;
            for view in views {
                let view = view?.to_json();
                if *view["fields"].as_object().ok_or("no fields")? != expected {
                    return Err(format!("opened something else than was sealed: {view}").into());
                }
            }
        }
        let count = self.orders.len();
        let opened = (self.couriers.open()?, self.couriers.disclose()?, self.all.open()?);
        if opened != (3 * count, 3 * count, 8 * count) {
            return Err("opened more or fewer parts than were asked for".into());
        }
        let (record, secret) = self.steps.seal(&self.orders)?;
        if (Bytes { order: record, secret }) != self.bytes() {
            return Err("the steps seal other lengths than the public call".into());
        }
        Ok(())
    }

    fn run(&mut self, op: Op) -> Result<usize> {
        match op {
            Op::Seal => drop(black_box(self.steps.seal(black_box(&self.orders))?)),
            Op::OpenCourier => drop(black_box(self.couriers.open()?)),
            Op::OpenAll => drop(black_box(self.all.open()?)),
            Op::Disclose => drop(black_box(self.couriers.disclose()?)),
        }
        Ok(self.orders.len())
    }
}
