//! A vault beside a plain map: orders are put, opened, changed, found and shredded, keys are rotated and destroyed, and stores refuse a write or break down before
//! or after it, upon which the vault is unlocked anew. What opens is what the map has, for each role in its own parts; nothing
//! that was acknowledged is lost; no view is without its entry; a search finds exactly the orders that have the value.
#![no_main]

#[path = "../../tests/faulty/mod.rs"]
mod faulty;

use std::collections::BTreeMap;

use consignee::{
    Entry, EntryKind, Error, ErrorKind, KeyFile, Order, OwnTables, Patch, Put, Setup, Severity, ShredMode, Suite, Value,
    Vault, View,
    policy::Policy,
    store::{Memory, Stores},
};
use faulty::{Fault, Switch};
use libfuzzer_sys::{
    arbitrary::{self, Arbitrary},
    fuzz_target,
};

const ROLES: [(&str, &str, &str); 4] = [
    ("SF Express", "courier", "delivery"),
    ("Yixing Ltd", "supplier", "fulfilment"),
    ("agent 17", "support", "after_sale"),
    ("shop", "platform", "operation"),
];
/// How one telephone number is written, for each of three.
const PHONES: [[&str; 2]; 3] = [
    ["13812345678", "+86 138 1234 5678"],
    ["13900001111", "139-0000-1111"],
    ["15512341234", "0086 155 1234 1234"],
];
/// More would use up a party's hour.
const MOST_SEARCHES: usize = 50;
const MOST_STEPS: usize = 40;

#[derive(Debug, Arbitrary)]
struct Input {
    suite_2: bool,
    steps: Vec<Step>,
}

#[derive(Debug, Arbitrary)]
struct Step {
    fault: Option<Failure>,
    act: Act,
}

#[derive(Debug, Arbitrary)]
struct Failure {
    how: u8,
    at: u8,
}

#[derive(Debug, Arbitrary)]
enum Act {
    Put { orders: Vec<(Number, Content)> },
    Open { role: u8, orders: Vec<Number>, by_alias: bool },
    Update { order: Number, stale: bool, what: Change },
    Find { phone: u8, written: u8 },
    Shred { order: Number, with_evidence: bool },
    Rotate { suite_2: bool },
    Reseal { from: u8 },
    Rewrap,
    Destroy { epoch: u8 },
    Unlock,
}

/// Few numbers, so that orders meet.
#[derive(Debug, Clone, Copy, Arbitrary)]
struct Number(u8);

#[derive(Debug, Clone, Copy, PartialEq, Arbitrary)]
struct Content {
    phone: u8,
    written: u8,
    note: u8,
    lines: u8,
}

#[derive(Debug, Arbitrary)]
enum Change {
    Note(u8),
    Phone(u8, u8),
    Nothing,
}

#[derive(Clone, PartialEq)]
enum State {
    Stored { revision: u32, content: Content },
    Shredded,
}

impl Number {
    fn text(self) -> String {
        format!("SO-{}", self.0 % 5)
    }
}

impl Content {
    fn phone(self) -> &'static str {
        PHONES[usize::from(self.phone) % 3][usize::from(self.written) % 2]
    }

    fn note(self) -> String {
        "note ".repeat(usize::from(self.note))
    }

    fn order(self, number: &str) -> Order {
        let line = |at: u8| {
            let supplier = if at % 2 == 0 { "Yixing" } else { "Dehua" };
            format!(
                r#"{{"sku":"C-{at}","title":"Cup","quantity":{at},"unit_price":"1.50","supplier":"{supplier}"}}"#
            )
        };
        let items: Vec<_> = (0..self.lines % 4).map(line).collect();
        let json = format!(
            r#"{{"order_no":"{number}","placed_at":"2026-11-11T20:14:05+08:00","consignee":{{"name":"Wang Xiaoming","phone":"{}",
            "address":{{"lines":["22 Hankou Road"],"city":"Nanjing","region":"","postal_code":"210000","country":"CN"}}}},
            "items":[{}],"amount":{{"value":"88.00","currency":"CNY"}},"note":"{}"}}"#,
            self.phone(),
            items.join(","),
            self.note()
        );
        Order::from_json(&json, &Policy::built_in()).expect("an order")
    }

    fn changed(self, change: &Change) -> Self {
        match *change {
            Change::Note(note) => Self { note, ..self },
            Change::Phone(phone, written) => Self { phone, written, ..self },
            Change::Nothing => self,
        }
    }

    fn same(self, other: Self) -> bool {
        self.order("SO-0") == other.order("SO-0")
    }
}

struct Model {
    stores: Stores,
    switch: Switch,
    vault: Vault,
    orders: BTreeMap<String, State>,
    /// Aliases each party was told.
    aliases: BTreeMap<(String, String), String>,
    entries: u64,
    searches: usize,
}

impl Model {
    fn new(suite_2: bool) -> Self {
        let suite = if suite_2 { Suite::ChaCha20Poly1305 } else { Suite::Aes256Gcm };
        let (stores, switch) = (Memory::stores(), Switch::default());
        let setup = Setup { suite, ..Setup::default() };
        let vault = Vault::begin(faulty::stores(&stores, &switch), &key(), &setup).expect("a vault");
        for (party, role, _) in ROLES {
            vault.add_party(party, role, (role == "supplier").then_some("Yixing")).expect("a party");
        }
        let entries = vault.ledger_state().expect("a ledger").size;
        Self {
            stores,
            switch,
            vault,
            orders: BTreeMap::new(),
            aliases: BTreeMap::new(),
            entries,
            searches: 0,
        }
    }

    fn unlock(&mut self) {
        self.vault =
            Vault::resume(faulty::stores(&self.stores, &self.switch), &key()).expect("it unlocks again");
    }

    fn step(&mut self, step: &Step) {
        if let Some(Failure { how, at }) = step.fault {
            let fault = [Fault::Refused, Fault::CutBefore, Fault::CutAfter][usize::from(how) % 3];
            self.switch.arm(fault, 1 + u32::from(at) % 14);
        }
        match &step.act {
            Act::Put { orders } => self.put(orders),
            Act::Open { role, orders, by_alias } => self.open(*role, orders, *by_alias),
            Act::Update { order, stale, what } => self.update(*order, *stale, what),
            Act::Find { phone, written } => self.find(*phone, *written),
            Act::Shred { order, with_evidence } => self.shred(*order, *with_evidence),
            Act::Rotate { suite_2 } => self.rotate(*suite_2),
            Act::Reseal { from } => self.reseal(*from),
            Act::Rewrap => self.rewrap(),
            Act::Destroy { epoch } => self.destroy(*epoch),
            Act::Unlock => {
                self.mend();
                self.unlock();
            }
        }
        self.mend();
        let entries = self.vault.ledger_state().expect("a ledger").size;
        assert!(entries >= self.entries, "entries were lost");
        self.entries = entries;
    }

    /// The store works again; what had broken down is unlocked anew. Says whether a write failed.
    fn mend(&mut self) -> bool {
        let failed = self.switch.mend().is_some();
        if failed {
            self.unlock();
        }
        failed
    }

    /// An operation as a whole: its answer, or that it failed with the store.
    fn answered<T>(&mut self, result: Result<T, Error>) -> Option<Result<T, ErrorKind>> {
        let failed = self.mend();
        match result.map_err(|error| error.kind().clone()) {
            Err(ErrorKind::Storage) if failed => None,
            Err(ErrorKind::Storage) => panic!("the store is whole and does not work"),
            answer => Some(answer),
        }
    }

    fn put(&mut self, orders: &[(Number, Content)]) {
        let orders: Vec<_> =
            orders.iter().take(6).map(|(number, content)| (number.text(), *content)).collect();
        let sealed: Vec<_> = orders.iter().map(|(number, content)| content.order(number)).collect();
        let answers = self.vault.put_many(&sealed);
        let Some(answers) = self.answered(answers) else {
            return orders.iter().for_each(|(number, content)| self.either_way(number, *content));
        };
        for ((number, content), answer) in orders.into_iter().zip(answers.expect("the call itself works")) {
            let answer = answer.map_err(|error| error.kind().clone());
            match self.orders.get(&number) {
                None => {
                    assert!(matches!(answer, Ok(Put::Stored(_))), "a new order was not stored: {answer:?}");
                    self.orders.insert(number, State::Stored { revision: 1, content });
                }
                Some(State::Stored { content: there, .. }) if there.same(content) => {
                    assert!(matches!(answer, Ok(Put::Unchanged(_))), "the same order: {answer:?}");
                }
                Some(State::Stored { .. }) => assert!(matches!(answer, Err(ErrorKind::Exists))),
                Some(State::Shredded) => assert!(matches!(answer, Err(ErrorKind::Shredded))),
            }
        }
    }

    /// A put that was not acknowledged: the order is there whole, or not at all, or as it was before.
    fn either_way(&mut self, number: &str, content: Content) {
        if !self.orders.contains_key(number) && self.stored(number).is_some() {
            self.orders.insert(number.to_owned(), State::Stored { revision: 1, content });
        }
        self.check(number);
    }

    /// What the shop sees of an order, or none where it does not exist.
    fn stored(&self, number: &str) -> Option<View> {
        let (party, _, purpose) = ROLES[3];
        match self.vault.open(party, purpose, number) {
            Ok(view) => Some(view),
            Err(error) => {
                let kind = error.kind();
                assert!(matches!(kind, ErrorKind::NotFound | ErrorKind::Shredded), "{number}: {error}");
                None
            }
        }
    }

    /// The order is as the map has it.
    fn check(&self, number: &str) {
        let view = self.stored(number);
        match self.orders.get(number) {
            Some(State::Stored { revision, content }) => {
                let view = view.expect("an order that was acknowledged opens");
                assert_eq!(view.revision(), *revision);
                self.shows(&view, 3, &content.order(number));
            }
            _ => assert!(view.is_none(), "an order that does not exist opened"),
        }
    }

    /// A view has its entry, and its role's parts of the order.
    fn shows(&self, view: &View, role: usize, order: &Order) {
        let entry = self.entry(view.ledger_index());
        assert_eq!((entry.kind, entry.revision), (EntryKind::Disclosure, view.revision()));
        let fields = consignee::Fields::of(order).expect("fields");
        let lines = |own: Option<&str>| {
            let lines = order.items.iter().filter(|item| own.is_none_or(|own| item.supplier == own));
            lines.map(|item| item.sku.clone()).collect::<Vec<_>>()
        };
        let mut names = Vec::new();
        for (name, value) in view.parts() {
            names.push(name);
            match (name, value) {
                ("items", Value::List(list)) => {
                    let own = (ROLES[role].1 == "supplier").then_some("Yixing");
                    assert_eq!(list.rows().len(), lines(own).len());
                }
                (name, _) if name.contains(':') => {}
                _ => assert!(fields.get(name) == Some(value), "{name} is not what was put"),
            }
        }
        let permitted: &[&str] = match ROLES[role].1 {
            "courier" => &["consignee.name", "consignee.phone", "consignee.address"],
            "supplier" => &["items"],
            "support" => &["placed_at", "items", "consignee.name:masked", "consignee.phone:masked"],
            _ => &[
                "order_no",
                "placed_at",
                "consignee.name",
                "consignee.phone",
                "consignee.address",
                "items",
                "amount",
                "note",
            ],
        };
        assert_eq!(names, permitted, "parts that are not the role's");
    }

    fn entry(&self, index: u64) -> Entry {
        self.vault.ledger_entries(index, 1).expect("a ledger").pop().expect("an entry")
    }

    fn open(&mut self, role: u8, orders: &[Number], by_alias: bool) {
        let role = usize::from(role) % ROLES.len();
        let (party, _, purpose) = ROLES[role];
        let numbers: Vec<_> = orders.iter().take(6).map(|number| number.text()).collect();
        let alias =
            |number: &String| self.aliases.get(&(party.to_owned(), number.clone())).filter(|_| by_alias);
        let asked: Vec<_> = numbers.iter().map(|number| alias(number).unwrap_or(number).clone()).collect();
        let asked: Vec<_> = asked.iter().map(String::as_str).collect();
        let views = self.vault.open_many(party, purpose, &asked);
        let Some(views) = self.answered(views) else { return };
        for (number, view) in numbers.into_iter().zip(views.expect("the party may ask")) {
            match (self.orders.get(&number), view) {
                (Some(State::Stored { revision, content }), Ok(view)) => {
                    assert_eq!(view.revision(), *revision);
                    self.shows(&view, role, &content.order(&number));
                    self.aliases.insert((party.to_owned(), number), view.alias().to_string());
                }
                (Some(State::Shredded), Err(error)) => assert_eq!(error.kind(), &ErrorKind::Shredded),
                (None, Err(error)) => assert_eq!(error.kind(), &ErrorKind::NotFound),
                (_, view) => panic!("{number} is not as it was left: {:?}", view.err()),
            }
        }
    }

    fn update(&mut self, number: Number, stale: bool, what: &Change) {
        let number = number.text();
        let before = self.orders.get(&number).cloned();
        let expected = match before {
            Some(State::Stored { revision, .. }) => revision + u32::from(stale),
            _ => 1,
        };
        let patch = match *what {
            Change::Note(note) => Patch::new().set("note", Value::Text("note ".repeat(note.into()))),
            Change::Phone(phone, written) => {
                let content = Content { phone, written, note: 0, lines: 0 };
                Patch::new().set("consignee.phone", Value::Text(content.phone().to_owned()))
            }
            Change::Nothing => Patch::new(),
        };
        let answer = self.vault.update(&number, expected, patch);
        let answer = self.answered(answer);
        let Some(State::Stored { revision, content }) = before else {
            return match (before, answer) {
                (_, None) => self.check(&number),
                (Some(_), Some(answer)) => assert_eq!(answer, Err(ErrorKind::Shredded)),
                (None, Some(answer)) => assert_eq!(answer, Err(ErrorKind::NotFound)),
            };
        };
        let after = content.changed(what);
        let next = if after.same(content) { revision } else { revision + 1 };
        let now = match answer {
            Some(Ok(now)) => {
                assert_eq!((now, stale), (next, false));
                now
            }
            Some(Err(kind)) => {
                assert_eq!((kind, stale), (ErrorKind::Conflict, true));
                revision
            }
            None => self.stored(&number).expect("the order is there").revision(),
        };
        assert!(now == revision || now == next);
        let content = if now == revision { content } else { after };
        self.orders.insert(number.clone(), State::Stored { revision: now, content });
        self.check(&number);
    }

    fn find(&mut self, phone: u8, written: u8) {
        self.searches += 1;
        if self.searches > MOST_SEARCHES {
            return;
        }
        let wanted = Content { phone, written, note: 0, lines: 0 };
        let (party, _, purpose) = ROLES[2];
        let hits = self.vault.find(party, purpose, "consignee.phone", wanted.phone());
        let Some(hits) = self.answered(hits) else { return };
        let hits = hits.expect("the party may search");
        assert_eq!(hits.unreadable, 0);
        let mut found = Vec::new();
        for hit in &hits.hits {
            let entry = self.entry(hit.ledger_index);
            assert_eq!((entry.kind, entry.revision), (EntryKind::Search, hit.revision));
            let resolved = self.vault.resolve_alias(&hit.alias.to_string()).expect("an alias it was told");
            assert_eq!(resolved.party.name, party);
            found.push(resolved.order_no.expect("an order that is there"));
        }
        let has =
            |state: &State| matches!(state, State::Stored { content, .. } if content.phone % 3 == phone % 3);
        let all = self.orders.iter().filter(|(_, state)| has(state)).map(|(number, _)| number.clone());
        found.sort();
        assert_eq!(found, all.collect::<Vec<_>>());
    }

    fn shred(&mut self, number: Number, with_evidence: bool) {
        let number = number.text();
        let mode = if with_evidence { ShredMode::WithEvidence } else { ShredMode::KeepEvidence };
        let answer = self.vault.shred(&number, "asked for", mode);
        let answer = self.answered(answer);
        let shredded = match (self.orders.get(&number), answer) {
            (Some(State::Stored { .. }), Some(answer)) => {
                assert_eq!(answer.map(drop), Ok(()));
                assert!(!self.switch.unwiped(), "the secret was removed and is still in the file");
                true
            }
            (Some(State::Stored { .. }), None) => self.stored(&number).is_none(),
            (Some(State::Shredded), answer) => {
                assert!(answer.is_none_or(|answer| answer == Err(ErrorKind::Shredded)));
                true
            }
            (None, answer) => {
                assert!(answer.is_none_or(|answer| answer == Err(ErrorKind::NotFound)));
                false
            }
        };
        if shredded {
            self.orders.insert(number.clone(), State::Shredded);
        }
        self.check(&number);
    }

    fn rotate(&mut self, suite_2: bool) {
        let answer = self.vault.rotate(suite_2.then_some(Suite::ChaCha20Poly1305));
        if let Some(answer) = self.answered(answer) {
            answer.expect("an epoch can always be begun");
        }
        self.check_all();
    }

    fn reseal(&mut self, from: u8) {
        let from = 1 + u32::from(from % 8);
        let answer = self.vault.reseal(from, |_| ());
        match self.answered(answer) {
            Some(Ok(done)) => {
                assert_eq!(done.failed, 0);
                let counts = self.stores.orders.count_epochs().expect("counts");
                let current = self.vault.stats().expect("stats").epoch;
                assert!(from == current || counts.iter().all(|(epoch, _)| *epoch != from), "orders are left");
            }
            Some(Err(kind)) => assert_eq!(kind, ErrorKind::NotFound),
            None => {}
        }
        self.check_all();
    }

    fn rewrap(&mut self) {
        let answer = self.vault.rewrap(OwnTables::None, |_| ());
        if let Some(answer) = self.answered(answer) {
            let generation = answer.expect("every row opens").generation;
            let counts = self.stores.secrets.count_generations().expect("counts");
            assert!(counts.iter().all(|(of, _)| *of == generation), "rows are left behind");
            assert!(!self.switch.unwiped(), "old bytes are still in the file");
        }
        self.check_all();
    }

    fn destroy(&mut self, epoch: u8) {
        let epoch = 1 + u32::from(epoch % 8);
        let needed = self.stores.orders.count_epochs().expect("counts").iter().any(|(of, _)| *of == epoch);
        let answer = self.vault.destroy_epoch(epoch, OwnTables::None);
        match self.answered(answer) {
            Some(Ok(())) => assert!(!needed, "orders need it"),
            Some(Err(kind)) => assert!(matches!(kind, ErrorKind::Conflict | ErrorKind::NotFound)),
            None => {}
        }
        self.check_all();
    }

    fn check_all(&self) {
        (0..5).for_each(|at| self.check(&Number(at).text()));
    }

    fn finish(mut self) {
        self.unlock();
        self.check_all();
        for finding in self.vault.doctor().expect("the doctor comes") {
            assert!(finding.severity != Severity::Fault, "{}: {}", finding.check, finding.message);
        }
    }
}

fn key() -> KeyFile {
    KeyFile::from_bytes([7; 32])
}

fuzz_target!(|input: Input| {
    let mut model = Model::new(input.suite_2);
    input.steps.iter().take(MOST_STEPS).for_each(|step| model.step(step));
    model.finish();
});
