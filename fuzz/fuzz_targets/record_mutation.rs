//! A sealed order that was altered, cut, spliced with another one or given another secret row: every part that opens is the one
//! that was sealed, and whoever opens all of the parts is refused.
#![no_main]

use std::{cell::RefCell, num::NonZeroU8};

use consignee::{
    KeyFile, Order, Setup, StoredOrder, Suite, Vault,
    policy::Policy,
    store::{Memory, SecretRow},
};
use libfuzzer_sys::{
    arbitrary::{self, Arbitrary},
    fuzz_target,
};

/// Every role and purpose of the default policy; together they open every part.
const ASKED: [(&str, &str, &str); 6] = [
    ("a courier", "courier", "delivery"),
    ("a supplier", "supplier", "fulfilment"),
    ("an agent", "support", "after_sale"),
    ("another agent", "support", "call_back"),
    ("a clerk", "finance", "accounting"),
    ("the shop", "platform", "operation"),
];

/// Openings after which a vault, whose ledger grows with each, is replaced.
const OPENINGS: usize = 20_000;

#[derive(Debug, Arbitrary)]
struct Input {
    suite_2: bool,
    record: Vec<Edit>,
    row: Vec<Edit>,
}

#[derive(Debug, Arbitrary)]
enum Edit {
    Flip {
        at: u16,
        with: NonZeroU8,
    },
    Write {
        at: u16,
        bytes: [u8; 4],
    },
    Cut {
        to: u16,
    },
    Extend {
        with: Vec<u8>,
    },
    Swap {
        at: u16,
        with: u16,
        length: u8,
    },
    /// Bytes of another order's, from the same place or another.
    Splice {
        at: u16,
        from: u16,
        length: u8,
    },
}

impl Edit {
    fn apply(&self, bytes: &mut Vec<u8>, other: &[u8]) {
        let length = bytes.len();
        let place = |at: u16| usize::from(at) % length.max(1);
        match self {
            _ if bytes.is_empty() => {}
            Self::Flip { at, with } => bytes[place(*at)] ^= with.get(),
            Self::Write { at, bytes: new } => {
                for (to, from) in bytes[place(*at)..].iter_mut().zip(new) {
                    *to = *from;
                }
            }
            Self::Cut { to } => bytes.truncate(place(*to)),
            Self::Extend { with } => bytes.extend(with),
            Self::Swap { at, with, length } => {
                let (low, high) = (place(*at).min(place(*with)), place(*at).max(place(*with)));
                let length = usize::from(*length).min(high - low).min(bytes.len() - high);
                let (before, after) = bytes.split_at_mut(high);
                before[low..low + length].swap_with_slice(&mut after[..length]);
            }
            Self::Splice { at, from, length } => {
                let from = usize::from(*from) % other.len();
                for (to, from) in bytes[place(*at)..].iter_mut().zip(&other[from..]).take((*length).into()) {
                    *to = *from;
                }
            }
        }
    }
}

struct Bench {
    vault: Vault,
    orders: [(Vec<u8>, SecretRow); 2],
    views: Vec<Vec<(String, consignee::Value)>>,
    left: usize,
}

impl Bench {
    fn new(suite: Suite) -> Self {
        let setup = Setup { suite, ..Setup::default() };
        let vault = Vault::begin(Memory::stores(), &KeyFile::from_bytes([7; 32]), &setup).expect("a vault");
        for (party, role, _) in ASKED {
            vault.add_party(party, role, (role == "supplier").then_some("Yixing")).expect("a party");
        }
        let orders = ["SO-1", "SO-2"].map(|number| {
            let sealed = vault.sealer().seal(&order(number)).expect("an order that can be sealed");
            (sealed.record, sealed.secret)
        });
        let mut bench = Self { vault, orders, views: Vec::new(), left: OPENINGS };
        let (record, secret) = bench.orders[0].clone();
        bench.views = bench.open(&record, &secret).into_iter().flatten().collect();
        assert_eq!(bench.views.len(), ASKED.len(), "what was not altered opens");
        bench
    }

    /// What each of [`ASKED`] is shown, or nothing.
    fn open(&mut self, record: &[u8], secret: &SecretRow) -> Vec<Option<Vec<(String, consignee::Value)>>> {
        self.left = self.left.saturating_sub(ASKED.len());
        let opener = self.vault.opener();
        let stored = [StoredOrder { record, secret }];
        let seen = ASKED.map(|(party, _, purpose)| {
            let view = opener.open_many(party, purpose, &stored).expect("the stores work").remove(0);
            Some(view.ok()?.parts().map(|(name, value)| (name.to_owned(), value.clone())).collect())
        });
        seen.into()
    }
}

fn order(number: &str) -> Order {
    let json = format!(
        r#"{{"order_no":"{number}","placed_at":"2026-11-11T20:14:05+08:00","consignee":{{"name":"Wang Xiaoming","phone":"13812345678",
        "address":{{"lines":["22 Hankou Road"],"city":"Nanjing","region":"","postal_code":"210000","country":"CN"}}}},
        "items":[{{"sku":"C-1","title":"Teapot","quantity":1,"unit_price":"88.00","supplier":"Yixing"}}],
        "amount":{{"value":"88.00","currency":"CNY"}},"note":"back door"}}"#
    );
    Order::from_json(&json, &Policy::built_in()).expect("an order")
}

/// The columns of a secret row that its wrap binds.
fn bound(row: &SecretRow) -> impl PartialEq {
    let columns = (row.revision, row.generation, row.put_at, row.serial, row.policy);
    (row.record_id, row.n1, columns, row.wrapped.clone())
}

thread_local! {
    static BENCHES: RefCell<[Option<Bench>; 2]> = const { RefCell::new([None, None]) };
}

fuzz_target!(|input: Input| {
    BENCHES.with_borrow_mut(|benches| {
        let suite = if input.suite_2 { Suite::ChaCha20Poly1305 } else { Suite::Aes256Gcm };
        let bench = &mut benches[usize::from(input.suite_2)];
        let bench = match bench {
            Some(bench) if bench.left > 0 => bench,
            _ => bench.insert(Bench::new(suite)),
        };
        let [(honest, secret), (other, other_secret)] = bench.orders.clone();
        let (mut record, mut row) = (honest.clone(), secret.to_bytes());
        input.record.iter().for_each(|edit| edit.apply(&mut record, &other));
        input.row.iter().for_each(|edit| edit.apply(&mut row, &other_secret.to_bytes()));
        let Ok(row) = SecretRow::from_bytes(&row) else { return };
        if record == other && bound(&row) == bound(&other_secret) {
            return; // Nothing of the first order is left.
        }
        let seen = bench.open(&record, &row);
        let altered = record != honest || bound(&row) != bound(&secret);
        for (seen, honest) in seen.iter().zip(&bench.views) {
            assert!(seen.as_ref().is_none_or(|seen| seen == honest), "another value was opened");
        }
        if bound(&row) != bound(&secret) {
            assert!(seen.iter().all(Option::is_none), "an altered row opened");
        }
        assert!(!altered || seen.iter().any(Option::is_none), "an altered order opened for everybody");
    });
});
