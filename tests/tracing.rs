//! What the feature `tracing` shows, seen by a subscriber that keeps everything: each operation with its counts, role, purpose and
//! kind of error, and nothing of any order or party.
#![allow(clippy::unwrap_used)]

mod common;

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use common::{
    Folder,
    canaries::{self, MAIL, NUMBER, PHONE},
    order, staffed,
};
use consignee::{
    BackupSets, ErrorKind, ExistingOrders, KeyFile, Opened, Order, Patch, Setup, ShredMode, Value, Vault,
    policy::DEFAULT_POLICY, store::Memory,
};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

/// Everything it is given, as text: one line per span when it closes, one per event.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    spans: Vec<String>,
    events: Vec<String>,
}

struct Text<'a>(&'a mut String);

impl Visit for Text<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.push_str(&format!(" {}={value:?}", field.name()));
    }
}

impl Subscriber for Collector {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
        let mut seen = self.0.lock().unwrap();
        let meta = attributes.metadata();
        let mut text = format!("{} {} {}", meta.level(), meta.target(), meta.name());
        attributes.record(&mut Text(&mut text));
        seen.spans.push(text);
        span::Id::from_u64(seen.spans.len() as u64)
    }

    fn record(&self, span: &span::Id, values: &span::Record<'_>) {
        let mut seen = self.0.lock().unwrap();
        let at = usize::try_from(span.into_u64()).unwrap() - 1;
        values.record(&mut Text(&mut seen.spans[at]));
    }

    fn event(&self, event: &Event<'_>) {
        let mut text = format!("{} {}", event.metadata().level(), event.metadata().target());
        event.record(&mut Text(&mut text));
        self.0.lock().unwrap().events.push(text);
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

impl Collector {
    /// The spans and events since the last call.
    fn take(&self) -> Seen {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// What must never be seen, in any of the forms in which it could be written.
#[derive(Default)]
struct Secrets(Vec<String>);

impl Secrets {
    fn add(&mut self, text: impl Into<String>) {
        let text = text.into();
        assert!(text.len() > 2, "{text:?} occurs by chance");
        self.0.push(text);
    }

    fn add_bytes(&mut self, bytes: &[u8]) {
        self.add(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
        self.add(format!("{bytes:?}"));
    }

    fn check(&self, seen: &Seen) {
        for line in seen.spans.iter().chain(&seen.events) {
            let lower = line.to_lowercase();
            for secret in &self.0 {
                assert!(!lower.contains(&secret.to_lowercase()), "{secret} is in {line}");
            }
        }
    }
}

/// What the canary order and the tests' parties must not give away.
fn secrets() -> Secrets {
    let mut secrets = Secrets::default();
    for text in [
        "canary",
        "SO-7001",
        "SO-7002",
        "SO-7009",
        "13812345678",
        "5678",
        "210000",
        "2026-11-11",
        "138.00",
        "88.00",
        "Yixing",
        "Dehua",
        "SF Express",
        "agent 17",
        "ledger clerk",
        "\"shop\"",
        "Secret-Purpose",
        "Secret-Reason",
        "Secret-Party",
        "Secret-Role",
    ] {
        secrets.add(text);
    }
    secrets
}

/// The spans of one operation.
fn named<'a>(seen: &'a Seen, name: &str) -> Vec<&'a str> {
    let start = [format!("INFO consignee {name}"), format!("DEBUG consignee {name}")];
    let is = |line: &&str| {
        start.iter().any(|start| {
            line.strip_prefix(start.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        })
    };
    seen.spans.iter().map(String::as_str).filter(is).collect()
}

#[test]
fn each_operation_is_seen_with_its_counts_and_nothing_of_any_order() {
    let collector = Collector::default();
    let seen_by = collector.clone();
    tracing::subscriber::with_default(collector, || run(&seen_by));
}

fn run(collector: &Collector) {
    let mut secrets = secrets();
    let mut all = Seen::default();
    let mut saw = |name: &str, fields: &[&str], error: Option<&str>| {
        let mut seen = collector.take();
        let spans = named(&seen, name);
        assert_eq!(spans.len(), 1, "{name}: {:#?}", seen.spans);
        for field in fields {
            assert!(spans[0].contains(field), "{name} has no {field}: {}", spans[0]);
        }
        let errors: Vec<_> = seen.events.iter().filter(|event| event.contains("error=")).collect();
        match error {
            Some(error) => assert!(errors.iter().any(|event| event.contains(error)), "{name}: {errors:?}"),
            None => assert!(errors.is_empty(), "{name}: {errors:?}"),
        }
        all.spans.append(&mut seen.spans);
        all.events.append(&mut seen.events);
    };
    let folder = Folder::new();
    collector.take();
    let root = KeyFile::from_bytes(common::ROOT);
    let vault = Vault::create(&folder.dir.path().join("other"), &root, &Setup::default()).unwrap();
    saw("create", &[], None);
    staffed(&vault);
    collector.take();
    let denied = Vault::create(&folder.path(), &root, &Setup::default()).map(drop).unwrap_err();
    assert_eq!(denied.kind(), &ErrorKind::Exists);
    saw("create", &["error=\"exists\""], Some("\"exists\""));
    drop(Vault::unlock(&folder.path(), &root).unwrap());
    saw("unlock", &[], None);
    let wrong = KeyFile::from_bytes([1; 32]);
    assert!(Vault::unlock(&folder.path(), &wrong).is_err());
    saw("unlock", &["error=\"root key\""], Some("\"root key\""));

    let to = folder.dir.path().join("backup");
    vault.backup(&to).unwrap();
    saw("backup", &[], None);
    assert!(vault.backup(&to).is_err());
    saw("backup", &["error=\"exists\""], Some("\"exists\""));
    let restored = folder.dir.path().join("restored");
    drop(Vault::restore(&BackupSets::below(&to), &restored, &root, None).unwrap());
    saw("restore", &[], None);

    let mut nameless = order("SO-7009");
    nameless.order_no = String::new();
    let put = vault.put_many(&[order("SO-7001"), order("SO-7002"), order("SO-7001"), nameless]).unwrap();
    assert!(put[3].is_err());
    saw("put", &["orders=4", "failed=1"], Some("error=\"input\" orders=1"));
    let mut other = order("SO-7001");
    other.note = "Canary-Other".into();
    assert!(vault.put(&other).is_err());
    saw("put", &["orders=1", "failed=1"], Some("\"exists\""));
    for summary in vault.list(None, 10).unwrap() {
        secrets.add_bytes(&summary.id);
    }

    let view = vault.open("SF Express", "delivery", "SO-7001").unwrap();
    secrets.add(view.alias().to_string());
    secrets.add(view.alias().to_string().replace('-', ""));
    saw("open", &["orders=1", "failed=0", "role=\"courier\"", "purpose=\"delivery\""], None);
    let mixed = vault.open_many("SF Express", "delivery", &["SO-7001", "SO-7009", "SO-7002"]).unwrap();
    assert!(mixed[1].is_err());
    saw("open", &["orders=3", "failed=1"], Some("error=\"not found\" orders=1"));
    assert!(vault.open("SF Express", "Secret-Purpose", "SO-7001").is_err());
    saw("open", &["role=\"courier\"", "error=\"not permitted\""], Some("\"not permitted\""));
    assert!(vault.open("Secret-Party", "delivery", "SO-7001").is_err());
    saw("open", &["error=\"not found\""], Some("\"not found\""));
    let whole: Opened<Order> = vault.get("shop", "operation", "SO-7001").unwrap();
    saw("open", &["orders=1", "role=\"platform\"", "purpose=\"operation\""], None);

    let hits = vault.find("agent 17", "after_sale", "consignee.phone", "13812345678").unwrap();
    for hit in &hits.hits {
        secrets.add(hit.alias.to_string());
    }
    saw("find", &["orders=2", "failed=0", "role=\"support\"", "purpose=\"after_sale\""], None);
    assert!(vault.find("SF Express", "delivery", "consignee.phone", "13812345678").is_err());
    saw("find", &["role=\"courier\"", "error=\"not permitted\""], Some("\"not permitted\""));

    let patch = || Patch::new().set("note", Value::Text("Canary-New".into()));
    vault.update("SO-7001", whole.revision, patch()).unwrap();
    saw("update", &["orders=1"], None);
    assert!(vault.update("SO-7001", 1, patch()).is_err());
    saw("update", &["error=\"conflict\""], Some("\"conflict\""));
    vault.resolve_alias(&view.alias().to_string()).unwrap();
    saw("resolve_alias", &["orders=1"], None);
    vault.who_saw(&view.alias().to_string()).unwrap();
    saw("who_saw", &["orders=1"], None);
    assert!(vault.resolve_alias("Secret-Party").is_err());
    saw("resolve_alias", &["error=\"input\""], Some("\"input\""));
    vault.shred("SO-7002", "Secret-Reason", ShredMode::KeepEvidence).unwrap();
    saw("shred", &["orders=1"], None);
    assert!(vault.shred("SO-7002", "Secret-Reason", ShredMode::KeepEvidence).is_err());
    saw("shred", &["error=\"shredded\""], Some("\"shredded\""));

    vault.apply_policy(DEFAULT_POLICY, ExistingOrders::Yes).unwrap();
    saw("apply_policy", &[], None);
    assert!(vault.apply_policy("Secret-Reason", ExistingOrders::Yes).is_err());
    saw("apply_policy", &["error=\"input\""], Some("\"input\""));
    vault.add_party("Secret-Party", "courier", None).unwrap();
    saw("add_party", &["role=\"courier\""], None);
    assert!(vault.add_party("Secret-Party", "Secret-Role", None).is_err());
    saw("add_party", &["error=\"input\""], Some("\"input\""));
    vault.revoke_party("Secret-Party").unwrap();
    saw("revoke_party", &["role=\"courier\""], None);
    assert!(vault.open("Secret-Party", "delivery", "SO-7001").is_err());
    saw("open", &["error=\"revoked\""], Some("\"revoked\""));
    vault.doctor().unwrap();
    saw("doctor", &["failed=0"], None);

    let sealed = vault.sealer().seal(&order("SO-7003")).unwrap();
    secrets.add_bytes(&sealed.secret.record_id);
    vault.sealer().log(std::slice::from_ref(&sealed)).unwrap();
    saw("append", &["entries=1"], None);
    let stored = consignee::StoredOrder { record: &sealed.record, secret: &sealed.secret };
    vault.opener().open_many("SF Express", "delivery", &[stored]).unwrap().remove(0).unwrap();
    saw("open", &["orders=1", "failed=0", "role=\"courier\""], None);
    assert!(!named(&all, "wait_for_writer").is_empty() && named(&all, "append").len() > 10);

    assert!(
        all.spans.len() > 40 && all.events.len() > 10,
        "{} spans, {} events",
        all.spans.len(),
        all.events.len()
    );
    secrets.check(&all);
    let control = Seen { spans: vec![format!("INFO {}", view.alias())], events: Vec::new() };
    assert!(std::panic::catch_unwind(|| secrets.check(&control)).is_err(), "the search finds what is there");
}

/// Whoever reads the logs at their finest level, of what went well and of what failed.
#[test]
fn a_reader_of_traces_reads_no_value_of_any_field_in_any_form() {
    let collector = Collector::default();
    let seen_by = collector.clone();
    let secrets = tracing::subscriber::with_default(collector, || {
        let setup = Setup { policy: canaries::policy().into(), ..Setup::default() };
        let vault = Vault::in_memory(&setup).unwrap();
        staffed(&vault);
        let order = Order::from_json(&canaries::json(NUMBER), &vault.policy().unwrap()).unwrap();
        vault.put(&order).unwrap();
        vault.put(&Order { note: PHONE.into(), ..order.clone() }).unwrap_err();
        vault.put(&Order { order_no: PHONE.repeat(20), ..order.clone() }).unwrap_err();
        let view = vault.open("SF Express", "delivery", NUMBER).unwrap();
        vault.get::<Order>("shop", "operation", NUMBER).unwrap();
        vault.open("SF Express", PHONE, NUMBER).unwrap_err();
        vault.open(PHONE, "delivery", NUMBER).unwrap_err();
        vault.find("agent 17", "after_sale", "extra.mail", MAIL).unwrap();
        vault.find("agent 17", "after_sale", PHONE, PHONE).unwrap_err();
        vault.update(NUMBER, 1, Patch::new().set("note", Value::Text(PHONE.into()))).unwrap();
        vault.update(NUMBER, 9, Patch::new().set("note", Value::Text(PHONE.into()))).unwrap_err();
        vault.update(NUMBER, 2, Patch::new().set(PHONE, Value::Text(PHONE.into()))).unwrap_err();
        vault.resolve_alias(&view.alias().to_string()).unwrap();
        vault.shred(NUMBER, PHONE, ShredMode::KeepEvidence).unwrap();
        vault.doctor().unwrap();
        canaries::of_order().text("alias", &view.alias().to_string())
    });
    let seen = seen_by.take();
    assert!(seen.spans.len() > 20 && seen.events.len() > 5);
    let text = [seen.spans, seen.events].concat().join("\n");
    secrets.none_in(&text, "the traces");
    assert_eq!(secrets.seen_in(format!("{text} phone={PHONE:?}")).len(), 1, "the search finds what is there");
}

/// Vaults on other stores are seen, too.
#[test]
fn beginning_and_resuming_are_seen() {
    let collector = Collector::default();
    let seen = collector.clone();
    tracing::subscriber::with_default(collector, || {
        let (stores, root) = (Memory::stores(), KeyFile::from_bytes(common::ROOT));
        drop(Vault::begin(stores.clone(), &root, &Setup::default()).unwrap());
        drop(Vault::resume(stores, &root).unwrap());
    });
    let seen = seen.take();
    assert_eq!((named(&seen, "create").len(), named(&seen, "unlock").len()), (1, 1));
}
