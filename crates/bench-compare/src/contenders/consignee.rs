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

/// The one called by the library's name has the reference policy and the default suite.
pub(crate) const ROWS: [Row; 5] = [
    Row { name: "consignee", suite: Suite::Aes256Gcm, facets: false, batch: 1 },
    Row { name: "consignee-batch", suite: Suite::Aes256Gcm, facets: false, batch: 100 },
    Row { name: "consignee-default-policy", suite: Suite::Aes256Gcm, facets: true, batch: 1 },
    Row { name: "consignee-suite2", suite: Suite::ChaCha20Poly1305, facets: false, batch: 1 },
    Row { name: "consignee-suite2-default-policy", suite: Suite::ChaCha20Poly1305, facets: true, batch: 1 },
];

pub(crate) struct Sealed {
    name: &'static str,
    vault: Vault,
    steps: Steps,
    orders: Vec<Order>,
    sealed: &'static SealedOrder,
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
        let sealed: &SealedOrder = Box::leak(Box::new(vault.sealer().seal(&order)?));
        let couriers = steps.opening(sealed, &COURIERS_PARTS)?;
        let all = steps.opening(sealed, &REFERENCE_PARTS)?;
        Ok(Self { name: row.name, vault, steps, orders: vec![order; row.batch], sealed, couriers, all })
    }
}

impl Contender for Sealed {
    fn name(&self) -> &'static str {
        self.name
    }

    fn bytes(&self) -> Bytes {
        Bytes { order: self.sealed.record.len(), secret: self.sealed.secret.wrapped.len() }
    }

    /// The single steps tell no values, only how many: the values are opened by the public call on the same record.
    fn check(&mut self, order: &Reference) -> Result<()> {
        let stored = [StoredOrder { record: &self.sealed.record, secret: &self.sealed.secret }];
        for (role, purpose, fields) in
            [("courier", "delivery", &order.fields[COURIERS]), ("platform", "operation", &order.fields[..])]
        {
            let views = self.vault.opener().open_many(role, purpose, &stored)?;
            let view = views.into_iter().next().ok_or("no view")??.to_json();
            let opened = view["fields"].as_object().ok_or("no fields")?;
            let expected =
                fields.iter().map(|field| Ok((field.name.to_owned(), serde_json::from_str(&field.text)?)));
            if *opened != expected.collect::<Result<_>>()? {
                return Err(format!("opened something else than was sealed: {view}").into());
            }
        }
        if (self.couriers.open()?, self.couriers.disclose()?, self.all.open()?) != (3, 3, 8) {
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
            Op::Seal => {
                black_box(self.steps.seal(black_box(&self.orders))?);
                return Ok(self.orders.len());
            }
            // One by one in any case: the batch's row is for sealing.
            _ if self.orders.len() > 1 => return Ok(0),
            Op::OpenCourier => black_box(self.couriers.open()?),
            Op::OpenAll => black_box(self.all.open()?),
            Op::Disclose => black_box(self.couriers.disclose()?),
        };
        Ok(1)
    }
}
