//! A program logs what it holds: no type of the library prints a value of an order, its number or an alias by `Debug`, unless it is
//! made to be shown (an `Alias`, the names of parties and fields).
#![cfg(feature = "sqlite")] // for the fixtures
#![allow(clippy::unwrap_used)]

mod common;

use std::{collections::BTreeMap, fmt::Debug, fs, path::Path};

use common::{
    ROOT,
    canaries::{self, NUMBER, PHONE},
    staffed,
};
use consignee::{
    BackupSets, Cell, CellRef, Clearing, Error, EvidenceSources, FromView, Kem, KeptCheckpoint, KeyFile,
    Order, OrderForCourier, OrderForFinance, OrderForPlatform, OrderForSupplier, OrderForSupportAfterSale,
    OrderForSupportCallBack, OwnTables, Party, PartyKey, Patch, Published, RoleView, Setup, ShredMode,
    StoredOrder, Value, ValueRef, Vault,
    store::{LedgerHead, Memory, StagedRecord, StoreError},
    tlog::{TrustPolicy, VerifierKey},
};

/// What `Debug` printed, by the name of the type.
#[derive(Default)]
struct Log(BTreeMap<String, String>);

impl Log {
    fn add<T: Debug>(&mut self, value: &T) {
        let name = std::any::type_name::<T>().split('<').next().unwrap().rsplit("::").next().unwrap();
        self.0.entry(name.to_owned()).or_default().push_str(&format!("{value:?} {value:#?} "));
    }

    fn views<V: RoleView + Debug>(&mut self, vault: &Vault, party: &str) {
        let view = vault.open_as::<V>(party, NUMBER).unwrap();
        self.add(&view);
        self.add(&view.value);
    }
}

#[test]
fn a_reader_of_logs_in_which_a_program_prints_what_it_holds_reads_no_value() {
    let policy = consignee::policy::Policy::parse(&canaries::policy()).unwrap();
    let stores = Memory::stores();
    let setup = Setup { policy: canaries::policy().into(), ..Setup::default() };
    let vault = Vault::begin(stores.clone(), &KeyFile::from_bytes(ROOT), &setup).unwrap();
    staffed(&vault);
    let order = Order::from_json(&canaries::json(NUMBER), &policy).unwrap();
    let mut log = Log::default();
    // As a program has it before it is put …
    log.add(&order);
    log.add(&order.consignee);
    log.add(&order.items[0]);
    log.add(&order.extra);
    log.add(&order.placed_at);
    log.add(&order.amount);
    log.add(&order.items[0].unit_price);
    log.add(&order.consignee.address);
    log.add(&Patch::from_json(&canaries::json(NUMBER), &policy).unwrap());
    for (_, value) in order.extra.iter() {
        log.add(value);
        log.add(&value.as_ref());
        if let Value::List(list) = value {
            log.add(list);
            log.add(&list.rows()[0]);
        }
    }
    log.add(&[Cell::Text(PHONE.into()), Cell::Integer(81_726_354), Cell::Decimal(order.amount.amount())]);
    log.add(&Cell::Text(PHONE.into()));
    log.add(&CellRef::Text(PHONE));
    log.add(&ValueRef::Text(PHONE));
    // … as the vault gives it back …
    log.add(&vault.put(&order).unwrap());
    log.add(&vault.put(&Order { note: PHONE.into(), ..order.clone() }).unwrap_err());
    let view = vault.open("shop", "operation", NUMBER).unwrap();
    log.add(&view);
    log.add(&vault.get::<Order>("shop", "operation", NUMBER).unwrap());
    let courier = vault.open_as::<OrderForCourier>("SF Express", NUMBER).unwrap();
    log.add(&courier.value.consignee);
    log.views::<OrderForCourier>(&vault, "SF Express");
    log.views::<OrderForSupplier>(&vault, "Yixing Ltd");
    log.views::<OrderForFinance>(&vault, "ledger clerk");
    log.views::<OrderForSupportAfterSale>(&vault, "agent 17");
    log.views::<OrderForSupportCallBack>(&vault, "agent 17");
    log.add(&vault.open_as::<OrderForSupportAfterSale>("agent 17", NUMBER).unwrap().value.consignee);
    log.add(&vault.open_as::<OrderForSupportCallBack>("agent 17", NUMBER).unwrap().value.consignee);
    let platform =
        OrderForPlatform::from_view(&mut vault.open("shop", "operation", NUMBER).unwrap()).unwrap();
    log.add(&platform);
    log.add(&platform.consignee);
    let hits = vault.find("agent 17", "after_sale", "consignee.phone", PHONE).unwrap();
    log.add(&hits);
    log.add(&hits.hits[0]);
    log.add(&vault.resolve_alias(&view.alias().to_string()).unwrap());
    log.add(&vault.resolve_alias(&view.alias().to_string()).unwrap().seen.unwrap()[0].0);
    let told = vault.who_saw(NUMBER).unwrap();
    log.add(&told);
    log.add(&told.entries[1]);
    log.add(&told.entries[1].who);
    log.add(&told.entries[1].way);
    log.add(&told.entries[1].parts[0]);
    log.add(&vault.opener().alias_owner(&view.alias().to_string()).unwrap());
    log.add(&consignee::inspect(&vault.sealed(NUMBER).unwrap()).unwrap());
    // … and what stores and reports have of it.
    let sealed = vault.sealer().seal(&order).unwrap();
    let stored = StoredOrder { record: &sealed.record, secret: &sealed.secret };
    log.add(&vault.opener().open_many("SF Express", "delivery", &[stored]).unwrap().pop().unwrap().unwrap());
    let id = sealed.record_id;
    let row = stores.orders.records(&[*id.as_bytes()]).unwrap().pop().flatten().unwrap();
    log.add(&id);
    log.add(&row.tags[0]);
    log.add(&StagedRecord { record: row.clone(), replaces: 1, ledger_size: 1 });
    log.add(&row);
    log.add(&vault.list(None, 1).unwrap()[0]);
    let secret = &stores.secrets.secrets(&[*id.as_bytes()]).unwrap()[0][0];
    log.add(secret);
    log.add(&secret.state);
    log.add(&stores.ledger.entries(0, 1).unwrap()[0]);
    let head: LedgerHead = stores.ledger.head().unwrap();
    log.add(&head);
    log.add(&StoreError::Damaged);
    log.add(&stores.keys.items().unwrap()[0]);
    let entries = vault.ledger_entries(0, 1_000).unwrap();
    entries.iter().for_each(|entry| log.add(entry));
    log.add(&entries[0].kind);
    log.add(&vault.ledger_state().unwrap());
    let stats = vault.stats().unwrap();
    log.add(&stats);
    log.add(&stats.since_unlock);
    log.add(&vault.doctor().unwrap()[0]);
    log.add(&vault.doctor().unwrap()[0].severity);
    log.add(&vault.parties().unwrap()[0]);
    log.add(&vault.parties().unwrap()[0].state);
    let scopes = vault.scopes().unwrap();
    log.add(&scopes.policy);
    log.add(&scopes.scopes[0]);
    log.add(&scopes.scopes[0].parties[0]);
    log.add(&scopes.indexes[0]);
    log.add(&scopes.indexes[0].searched_by[0]);
    log.add(&scopes);
    let error = Order::from_json(&canaries::json(PHONE).replace("7351946.28", PHONE), &policy);
    let error: Error =
        error.map(drop).err().unwrap_or_else(|| vault.open("shop", PHONE, NUMBER).map(drop).unwrap_err());
    log.add(error.kind());
    log.add(&error);
    let mut courier = Party::new(PartyKey::generate(Kem::X25519).unwrap());
    vault.add_party_with_key("Courier with a key", "courier", None, courier.key().public()).unwrap();
    let card = vault.card().unwrap();
    log.add(&card);
    log.add(&card.fingerprint());
    courier.trust(card);
    let keyring = courier.keyring(&vault.issue_keyring("Courier with a key").unwrap()).unwrap();
    let shared = vault.share("Courier with a key", "delivery", &[NUMBER], None).unwrap();
    let alias = shared.orders[0].as_ref().unwrap().alias.clone();
    log.add(shared.orders[0].as_ref().unwrap());
    let file = shared.bundle.unwrap();
    log.add(&courier.read(&keyring, &file).unwrap());
    let revealed = courier.reveal(&file).unwrap();
    log.add(&revealed);
    log.add(&revealed.copies()[0]);
    let card = vault.card().unwrap();
    log.add(&courier.request(&card, "delivery", &[], std::slice::from_ref(&alias)).unwrap());
    log.add(&keyring);
    log.add(courier.key().public());
    log.add(&courier);
    log.add(&vault.shred(NUMBER, PHONE, ShredMode::KeepEvidence).unwrap());

    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let kept = Vault::create(&at("vault"), &KeyFile::from_bytes(ROOT), &setup).unwrap();
    kept.put(&order).unwrap();
    log.add(&kept.backup(&at("backup")).unwrap());
    let sets = BackupSets::below(&at("backup"));
    log.add(&sets);
    log.add(&Vault::restore(&sets, &at("restored"), &KeyFile::from_bytes(ROOT), None).unwrap());

    let published = kept.publish(&at("published")).unwrap();
    log.add(&published[0]);
    log_published(&mut log, &Published::ledger(&at("published"), 1), kept.ledger_key(1).unwrap());
    let slip = kept.slip(NUMBER, Some(&at("published")), None).unwrap();
    let seen = slip.who_saw(&at("published"), None).unwrap();
    log.add(&seen);
    log.add(&seen.ledgers[0]);

    log_evidence(&mut log, &kept, &at("evidence"));
    kept.write_checkpoint(&at("checkpoint")).unwrap();
    log.add(&KeptCheckpoint::read(&at("checkpoint")).unwrap());

    let salt = serde_json::to_value(&vault.parties().unwrap()[0]).unwrap()["salt"].clone();
    let salt: Vec<u8> = serde_json::from_value(salt).unwrap();
    let secrets = canaries::of_order()
        .text("alias", &view.alias().to_string())
        .text("alias of another party", &alias.to_string())
        .bytes("salt of a party", &salt)
        .bytes("wrapped secret", &secret.wrapped);
    vault.rotate(None).unwrap();
    log.add(&vault.reseal(1, |_| ()).unwrap());
    log.add(&vault.rewrap(OwnTables::None, |_| ()).unwrap());
    log.add(&vault.keys().unwrap());
    log.add(&vault.keys().unwrap().epochs[0]);
    for (name, text) in &log.0 {
        secrets.none_in(text, name);
        // What is searched is what was printed.
        assert!(!text.trim().is_empty(), "{name} prints nothing");
    }
    log.add(view.alias());
    assert_eq!(secrets.seen_in(&log.0["Alias"]).len(), 1, "an alias is made to be shown");
    let not_printed: Vec<_> = with_debug().into_iter().filter(|name| !log.0.contains_key(name)).collect();
    assert!(
        not_printed.is_empty(),
        "a public type was added: print one here that has touched an order: {not_printed:?}"
    );
}

/// What verifiers of a published ledger hold.
fn log_published(log: &mut Log, published: &Published, key: VerifierKey) {
    log.add(published);
    log.add(&key);
    log.add(&published.prove(0).unwrap());
    log.add(&published.request(0).unwrap());
    let signed = published.checkpoint().unwrap();
    log.add(&signed);
    log.add(signed.checkpoint());
    log.add(signed.note());
    log.add(&signed.note().signatures()[0]);
    let trust = TrustPolicy::log_only(key);
    log.add(&trust);
    log.add(&published.verify(&trust, |_, _, _| Ok(())).unwrap());
    log.add(&trust.check(&signed).unwrap());
}

/// What an expert, or a party that is cleared, holds.
fn log_evidence(log: &mut Log, vault: &Vault, to: &Path) {
    vault.add_party("Spare courier", "courier", None).unwrap();
    let sources = EvidenceSources::default();
    log.add(&sources);
    let proven = vault.prove(NUMBER, &sources, to).unwrap();
    log.add(&proven);
    log.add(&proven.ledgers[0]);
    log.add(&proven.entries[0]);
    log.add(&proven.entries[0].opening);
    let clearing =
        vault.clear("Spare courier", NUMBER, "items", &sources, &to.with_extension("cleared")).unwrap();
    log.add(&clearing);
    let Clearing::Cleared(proven) = clearing else { panic!("it was given nothing") };
    log.add(proven.cleared.as_ref().unwrap());
}

/// Types that hold nothing of any order, whatever is done with them.
const EMPTY: &[&str] = &[
    "Suite",
    "ExistingOrders",
    "ShredMode",
    "Setup",
    "CompiledPart",
    "RecordField",
    "Kem",
    "KeyState",
    "OwnTables",
    "Inventory",
    "InventoryKey",
    "Backdated",
    "LostEntries",
    "Seen",
    "Succession",
    "VerifiedLedger",
    "Tile",
];

/// Public types of the library that implement `Debug`, by its text.
fn with_debug() -> Vec<String> {
    let mut code = Vec::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut code);
    let mut found = Vec::new();
    for text in &code {
        let by_hand = text.split("Debug for ").skip(1).filter_map(|rest| rest.split([' ', '<']).next());
        let opaque = text.split("\nopaque_debug!(").skip(1).filter_map(|rest| rest.split(')').next());
        let derived = text.split("#[derive(Debug").skip(1).filter_map(|rest| {
            let declared = rest.lines().find(|line| line.starts_with("pub "))?;
            let name = declared.strip_prefix("pub struct ").or(declared.strip_prefix("pub enum "))?;
            // Another item, without "pub", comes before it where the derive is on a private one.
            let before = rest.split(declared).next()?;
            (!before.contains("\nstruct") && !before.contains("\nenum") && !before.contains("pub("))
                .then_some(name)
        });
        let name = |text: &str| text.split(|c: char| !c.is_alphanumeric()).next().unwrap().to_owned();
        found.extend(by_hand.map(name).chain(derived.map(name)));
        found.extend(opaque.flat_map(|names| names.split(", ")).map(name));
    }
    assert!(found.len() > 40, "the types are found: {found:?}");
    found.retain(|name| !name.is_empty() && !EMPTY.contains(&name.as_str()) && !is_private(name, &code));
    found
}

fn is_private(name: &str, code: &[String]) -> bool {
    let public = [format!("pub struct {name}"), format!("pub enum {name}")];
    !code.iter().any(|text| public.iter().any(|declared| text.contains(declared.as_str())))
}

fn read(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => read(&path, found),
            false => found.push(fs::read_to_string(&path).unwrap()),
        }
    }
}
