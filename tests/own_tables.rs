//! Orders in tables of the shop's own: sealed, kept, opened, changed, found and shredded as bytes.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;

use common::{in_memory, order};
use consignee::{
    EntryKind, EntryPlace, Error, ErrorKind, ExistingOrders, Order, OrderForSupplier, OwnTables, Patch,
    RecordId, Result, SealedOrder, ShredMode, StoredOrder, Value, Vault,
    policy::DEFAULT_POLICY,
    store::{SecretRow, SecretState, Tag},
};

/// A shop's tables, by record id. Secret rows lie there as bytes.
#[derive(Default)]
struct Tables {
    records: BTreeMap<RecordId, (Vec<u8>, Vec<Tag>)>,
    secrets: BTreeMap<RecordId, Vec<u8>>,
}

impl Tables {
    fn write(&mut self, order: SealedOrder) {
        self.records.insert(order.record_id, (order.record, order.tags));
        self.secrets.insert(order.record_id, order.secret.to_bytes());
    }

    fn read(&self, id: RecordId) -> (Vec<u8>, SecretRow) {
        (self.records[&id].0.clone(), SecretRow::from_bytes(&self.secrets[&id]).unwrap())
    }

    fn tagged(&self, tags: &[Tag]) -> Vec<(Vec<u8>, SecretRow)> {
        let tagged = self.records.iter().filter(|(_, (_, own))| own.iter().any(|tag| tags.contains(tag)));
        tagged.map(|(id, _)| self.read(*id)).collect()
    }
}

fn put(vault: &Vault, tables: &mut Tables, orders: &[Order]) {
    let sealed: Vec<_> = orders.iter().map(|order| vault.sealer().seal(order).unwrap()).collect();
    vault.sealer().log(&sealed).unwrap();
    sealed.into_iter().for_each(|order| tables.write(order));
}

fn id(vault: &Vault, number: &str) -> RecordId {
    vault.sealer().record_id(number).unwrap()
}

fn note(text: &str) -> Patch {
    Patch::new().set("note", Value::Text(text.into()))
}

fn opened(vault: &Vault, (record, secret): &(Vec<u8>, SecretRow)) -> Result<consignee::Opened<Order>> {
    vault.opener().get_many("shop", "operation", &[StoredOrder { record, secret }])?.pop().unwrap()
}

#[test]
fn an_order_is_found_by_its_number_and_opened_with_its_rows_bytes() {
    let (vault, mut tables) = (in_memory(), Tables::default());
    put(&vault, &mut tables, &[order("SO-1"), order("SO-2")]);
    assert_eq!(id(&vault, "SO-1"), vault.sealer().record_id("SO-1").unwrap());
    assert!(!tables.records.contains_key(&id(&vault, "SO-3")));
    let seen = opened(&vault, &tables.read(id(&vault, "SO-2"))).unwrap();
    assert!(seen.value == order("SO-2"));
    assert!(tables.secrets.values().all(|row| row.len() == 192));
}

#[test]
fn a_view_is_for_its_role_and_a_whole_order_has_all_lines() {
    let (vault, mut tables) = (in_memory(), Tables::default());
    put(&vault, &mut tables, &[order("SO-1")]);
    let (record, secret) = tables.read(id(&vault, "SO-1"));
    let stored = [StoredOrder { record: &record, secret: &secret }];
    let opener = vault.opener();
    let seen = opener.open_many_as::<OrderForSupplier>("Dehua Ltd", &stored).unwrap().pop().unwrap();
    assert_eq!(seen.unwrap().items.iter().map(|item| item.sku.as_str()).collect::<Vec<_>>(), ["C-2"]);
    let refused = opener.open_many_as::<OrderForSupplier>("SF Express", &stored).err().unwrap();
    assert_eq!(refused.kind(), &ErrorKind::NotPermitted);
    // What comes back as an update must not have lost other suppliers' lines.
    let policy = DEFAULT_POLICY
        .replace("[role.platform.operation]", "[role.platform.operation]\nlines = { items = \"supplier\" }");
    vault.apply_policy(&policy, ExistingOrders::Yes).unwrap();
    let cut = opened(&vault, &(record.clone(), secret.clone())).unwrap_err();
    assert_eq!(cut.kind(), &ErrorKind::NotPermitted);
}

#[test]
fn an_update_is_the_next_revision_and_the_old_row_does_not_open_it() {
    let (vault, mut tables) = (in_memory(), Tables::default());
    put(&vault, &mut tables, &[order("SO-1")]);
    let old = tables.read(id(&vault, "SO-1"));
    let stored = StoredOrder { record: &old.0, secret: &old.1 };
    let from = vault.ledger_state().unwrap().size;
    let next = vault.sealer().update(&stored, Some("SO-1"), 1, note("new")).unwrap().unwrap();
    assert_eq!((next.secret.revision, next.secret.state), (2, SecretState::Current));
    assert_eq!((next.secret.serial, next.record_id), (old.1.serial, id(&vault, "SO-1")));
    vault.sealer().log(std::slice::from_ref(&next)).unwrap();
    let kinds: Vec<_> =
        vault.ledger_entries(from, 10).unwrap().iter().map(|entry| (entry.kind, entry.revision)).collect();
    assert_eq!(kinds, [(EntryKind::Disclosure, 1), (EntryKind::Update, 2)]);
    let mixed = opened(&vault, &(next.record.clone(), old.1.clone())).unwrap_err();
    assert_eq!(mixed.kind(), &ErrorKind::RolledBack);
    tables.write(next);
    let seen = opened(&vault, &tables.read(id(&vault, "SO-1"))).unwrap();
    assert_eq!((seen.note.as_str(), seen.revision), ("new", 2));
}

#[test]
fn a_stale_update_is_a_conflict_and_the_same_values_are_no_update() {
    let (vault, mut tables) = (in_memory(), Tables::default());
    put(&vault, &mut tables, &[order("SO-1")]);
    let (record, secret) = tables.read(id(&vault, "SO-1"));
    let stored = StoredOrder { record: &record, secret: &secret };
    let stale = vault.sealer().update(&stored, None, 2, note("new"));
    assert_eq!(stale.err().unwrap().kind(), &ErrorKind::Conflict);
    assert!(vault.sealer().update(&stored, None, 1, note("Canary-Note")).unwrap().is_none());
    let other = Patch::new().set("order_no", Value::Text("SO-2".into()));
    let refused = vault.sealer().update(&stored, None, 1, other).err().unwrap();
    assert!(matches!(refused.kind(), ErrorKind::Input { .. }));
}

#[test]
fn orders_are_found_by_value_in_the_shops_tables() {
    let (vault, mut tables) = (in_memory(), Tables::default());
    let mut other = order("SO-3");
    other.consignee.phone = "13900000000".into();
    put(&vault, &mut tables, &[order("SO-1"), order("SO-2"), other]);
    let find = |tables: &Tables, value: &str| {
        let candidates = |tags: &[Tag]| Ok::<_, Error>(tables.tagged(tags));
        vault.opener().find("agent 17", "after_sale", "consignee.phone", value, candidates)
    };
    let hits = find(&tables, "+86 138 1234 5678").unwrap();
    assert_eq!((hits.hits.len(), hits.unreadable), (2, 0));
    for (hit, number) in hits.hits.iter().zip(["SO-2", "SO-1"]) {
        let owner = vault.opener().alias_owner(&hit.alias.to_string()).unwrap();
        let (record, secret) = tables.read(id(&vault, number));
        assert_eq!((owner.party.name.as_str(), owner.serial), ("agent 17", secret.serial));
        let entry = vault.ledger_entries(hit.ledger_index, 1).unwrap().remove(0);
        assert_eq!(entry.kind, EntryKind::Search);
        let seen = vault.opener().seen("agent 17", &secret).unwrap().unwrap();
        let place = EntryPlace { ledger: 1, index: hit.ledger_index };
        assert_eq!(seen, [(place, entry)]);
        assert!(vault.opener().seen("SF Express", &secret).unwrap().unwrap().is_empty());
        let _bytes = record;
    }
    // Whatever the shop's query returns beside: the value decides.
    let all = vault.opener().find("agent 17", "after_sale", "consignee.phone", "13812345678", |_| {
        Ok::<_, Error>(tables.records.keys().map(|id| tables.read(*id)).collect())
    });
    assert_eq!(all.unwrap().hits.len(), 2);
    let refused = vault.opener().find("SF Express", "delivery", "consignee.phone", "13812345678", |_| {
        panic!("nobody is asked for candidates of a search that is refused")
    });
    assert_eq!(Error::kind(&refused.unwrap_err()), &ErrorKind::NotPermitted);
}

#[test]
fn a_failure_of_the_shops_query_comes_back_as_it_is() {
    #[derive(Debug)]
    enum ShopError {
        Database(&'static str),
        Vault(#[expect(dead_code, reason = "shown when the test fails")] Error),
    }
    impl From<Error> for ShopError {
        fn from(e: Error) -> Self {
            Self::Vault(e)
        }
    }
    let failed = in_memory()
        .opener()
        .find("agent 17", "after_sale", "consignee.phone", "1", |_| Err(ShopError::Database("gone")));
    assert!(matches!(failed, Err(ShopError::Database("gone"))), "{failed:?}");
}

#[test]
fn too_many_candidates_are_refused() {
    let (vault, mut tables) = (in_memory(), Tables::default());
    put(&vault, &mut tables, &[order("SO-1")]);
    let row = tables.read(id(&vault, "SO-1"));
    let most = consignee::Opener::MOST_CANDIDATES;
    let refused = vault.opener().find("agent 17", "after_sale", "consignee.phone", "13812345678", |_| {
        Ok::<_, Error>(vec![row.clone(); most + 1])
    });
    assert_eq!(refused.unwrap_err().kind(), &ErrorKind::Limit);
}

#[test]
fn a_shredded_row_opens_nothing_and_still_proves_who_saw_the_order() {
    let (vault, mut tables) = (in_memory(), Tables::default());
    put(&vault, &mut tables, &[order("SO-1"), order("SO-2")]);
    for (number, mode, kept) in
        [("SO-1", ShredMode::KeepEvidence, true), ("SO-2", ShredMode::WithEvidence, false)]
    {
        let (record, secret) = tables.read(id(&vault, number));
        let stored = StoredOrder { record: &record, secret: &secret };
        let delivered = vault.opener().open_many("SF Express", "delivery", &[stored]).unwrap().pop().unwrap();
        // A crash before the shop's transaction: the order still opens, and shredding is repeated.
        vault.opener().shred(&stored, "asked for", mode).unwrap();
        assert!(opened(&vault, &(record.clone(), secret.clone())).is_ok());
        let left = vault.opener().shred(&stored, "asked for", mode).unwrap();
        assert_eq!((left.state, left.fingerprint.len()), (SecretState::Shredded, 0));
        assert_eq!(left.to_bytes().len(), 192, "it overwrites the row where it lies");
        assert!(
            !left.to_bytes().windows(16).any(|window| secret.wrapped.windows(16).any(|old| old == window))
        );
        let refused = opened(&vault, &(record.clone(), left.clone())).unwrap_err();
        assert_eq!(refused.kind(), &ErrorKind::Shredded);
        let again = vault.opener().shred(&StoredOrder { record: &record, secret: &left }, "again", mode);
        assert_eq!(again.unwrap_err().kind(), &ErrorKind::Shredded);
        let row = SecretRow::from_bytes(&left.to_bytes()).unwrap();
        let seen = vault.opener().seen("SF Express", &row).unwrap();
        let index = delivered.unwrap().ledger_index();
        assert_eq!(seen.map(|seen| seen.iter().map(|(at, _)| at.index).collect()), kept.then(|| vec![index]));
        let owner = vault.opener().alias_owner(&alias_of(&vault, &tables, number)).unwrap();
        assert_eq!(owner.serial, row.serial);
    }
    let size = vault.ledger_state().unwrap().size;
    let (record, secret) = tables.read(id(&vault, "SO-1"));
    let long = "x".repeat(1025);
    let refused = vault.opener().shred(
        &StoredOrder { record: &record, secret: &secret },
        &long,
        ShredMode::KeepEvidence,
    );
    assert_eq!(refused.unwrap_err().kind(), &ErrorKind::Limit);
    assert_eq!(vault.ledger_state().unwrap().size, size);
}

/// The courier's alias of an order, as it was before it was shredded.
fn alias_of(vault: &Vault, tables: &Tables, number: &str) -> String {
    let (record, secret) = tables.read(id(vault, number));
    let stored = StoredOrder { record: &record, secret: &secret };
    let view = vault.opener().open_many("SF Express", "delivery", &[stored]).unwrap().pop().unwrap();
    view.unwrap().alias().to_string()
}

#[test]
fn an_alias_that_was_never_made_is_nobodys() {
    let vault = in_memory();
    for (alias, kind) in [("no alias", None), ("0000-0000-0000-0", Some(ErrorKind::NotFound))] {
        let refused = vault.opener().alias_owner(alias).unwrap_err();
        match kind {
            Some(kind) => assert_eq!(refused.kind(), &kind),
            None => assert!(matches!(refused.kind(), ErrorKind::Input { .. })),
        }
    }
}

/// Orders in tables of the shop's own move to new keys by two pure steps.
#[test]
fn orders_move_to_new_keys_before_the_old_ones_are_destroyed() {
    let (vault, mut tables) = (in_memory(), Tables::default());
    put(&vault, &mut tables, &["SO-1", "SO-2", "SO-3"].map(order));
    let sealer = vault.sealer();
    let shredded = {
        let (record, secret) = tables.read(id(&vault, "SO-3"));
        let stored = StoredOrder { record: &record, secret: &secret };
        vault.opener().shred(&stored, "asked for", ShredMode::KeepEvidence).unwrap()
    };
    tables.records.remove(&id(&vault, "SO-3"));
    tables.secrets.insert(id(&vault, "SO-3"), shredded.to_bytes());
    let late = sealer.seal(&order("SO-4")).unwrap();

    vault.rotate(None).unwrap();
    for number in ["SO-1", "SO-2"] {
        let before = tables.read(id(&vault, number));
        let again = sealer.reseal(&StoredOrder { record: &before.0, secret: &before.1 }).unwrap().unwrap();
        assert_eq!((again.secret.revision, again.secret.serial), (before.1.revision, before.1.serial));
        assert!(again.record != before.0 && again.secret.state == SecretState::Current);
        sealer.log(std::slice::from_ref(&again)).unwrap();
        tables.write(again);
        let (record, secret) = tables.read(id(&vault, number));
        assert!(sealer.reseal(&StoredOrder { record: &record, secret: &secret }).unwrap().is_none());
    }
    let refused = vault.destroy_epoch(1, OwnTables::None).unwrap_err();
    assert_eq!(*refused.kind(), ErrorKind::Conflict);
    vault.destroy_epoch(1, OwnTables::Moved).unwrap();

    assert_eq!(*vault.rewrap(OwnTables::None, |_| ()).unwrap_err().kind(), ErrorKind::Conflict);
    for number in ["SO-1", "SO-2", "SO-3"] {
        let row = SecretRow::from_bytes(&tables.secrets[&id(&vault, number)]).unwrap();
        let moved = sealer.rewrap(&row).unwrap().unwrap();
        assert!(sealer.rewrap(&moved).unwrap().is_none());
        assert_eq!(moved.to_bytes().len(), row.to_bytes().len());
        tables.secrets.insert(id(&vault, number), moved.to_bytes());
    }
    let old = SecretRow { generation: 1, ..tables.read(id(&vault, "SO-1")).1 };
    let done = vault.rewrap(OwnTables::Moved, |_| ()).unwrap();
    assert_eq!((done.generation, done.destroyed), (2, vec![1]));
    for number in ["SO-1", "SO-2"] {
        assert!(opened(&vault, &tables.read(id(&vault, number))).unwrap().value == order(number));
    }
    let row = SecretRow::from_bytes(&tables.secrets[&id(&vault, "SO-3")]).unwrap();
    assert_eq!(vault.opener().seen("shop", &row).unwrap().map(|seen| seen.len()), Some(0));
    assert_eq!(*sealer.rewrap(&old).unwrap_err().kind(), ErrorKind::CannotOpen, "its key is gone");
    // What was sealed under keys that are gone since is refused before it is entered.
    assert_eq!(*sealer.log(&[late]).unwrap_err().kind(), ErrorKind::Conflict);
}
