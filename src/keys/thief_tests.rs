//! A thief has all files of a vault and not its root key. Every 32 bytes in a row that he holds are tried as each key there is.

use std::collections::HashSet;

use consignee_policy::PartId;

use super::*;
use crate::{
    Order, Setup, Vault,
    opener::unlock,
    record::Record,
    suite::{Secret, TAG, open_in_place},
};

const ROOT: [u8; 32] = [42; 32];

fn order_json() -> &'static str {
    r#"{"order_no":"SO-1","placed_at":"2026-11-11T20:14:05+08:00","consignee":{"name":"Wang Xiaoming","phone":"13812345678",
        "address":{"lines":["1 Zhongshan Road"],"city":"Nanjing","country":"CN"}},"items":[],
        "amount":{"value":"88.00","currency":"CNY"}}"#
}

fn order() -> Order {
    Order::from_json(order_json(), &consignee_policy::Policy::built_in()).unwrap()
}

/// An order as the vault keeps it: its record's id, its secret's row, the sealed record.
fn stored(vault: &Vault, number: &str) -> (RecordId, crate::store::SecretRow, Vec<u8>) {
    let id = vault.registry().unwrap().id_key.record_id(number);
    let row = vault.inner().stores.secrets.secrets(&[id.0]).unwrap().concat().remove(0);
    (id, row, vault.sealed(number).unwrap())
}

/// Which keys a string is, of one vault with one order.
struct Locks {
    wrapped_registry_key: Vec<u8>,
    vault: VaultId,
    sealed: Vec<u8>,
    row: crate::store::SecretRow,
    context: RowContext,
    id: RecordId,
}

impl Locks {
    fn opened_by(&self, key: [u8; 32]) -> Vec<&'static str> {
        let record = Record::parse(&self.sealed).unwrap();
        let place =
            WrapContext { vault: self.vault, kind: KeyKind::Registry, id: 0, generation: 0, suite: None };
        let root = KeyFile::from_bytes(key).unlock(&[1]).unwrap();
        let release = ReleaseKey::new(1, record.header.suite, Secret::new(key));
        let opens = |part: PartId, ciphertext: &[u8]| {
            let (plain, tag) = ciphertext.split_last_chunk::<TAG>().unwrap();
            let part = part.get().to_le_bytes();
            let mut associated = [record.bound(), &part].concat();
            associated.resize(associated.len().next_multiple_of(64), 0);
            let (key, mut buffer) = (Secret::new(key), plain.to_vec());
            open_in_place(record.header.suite, &key, &record.n2, &associated, &mut buffer, tag).is_ok()
        };
        let tried = [
            ("root key", root.unwrap(&place.associated_data(&[1]), &self.wrapped_registry_key).is_ok()),
            (
                "release key",
                release.unwrap_secret(&self.context, record.header.suite, &self.row.wrapped).is_ok(),
            ),
            ("id key", IdKey::new(&Secret::new(key)).record_id("SO-1") == self.id),
            ("data key", record.parts().any(|(part, ciphertext)| opens(part, ciphertext))),
        ];
        tried.into_iter().filter(|(_, opens)| *opens).map(|(name, _)| name).collect()
    }
}

#[test]
fn no_32_bytes_of_the_files_are_a_key_of_the_vault() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault");
    let vault = Vault::create(&path, &KeyFile::from_bytes(ROOT), &Setup::default()).unwrap();
    vault.put(&order()).unwrap();
    let registry = vault.registry().unwrap();
    let (id, row, sealed) = stored(&vault, "SO-1");
    let items = vault.inner().stores.keys.items().unwrap();
    let wrapped = |kind: KeyKind| {
        let item = items.iter().find(|item| item.kind == kind as u8).unwrap();
        item.body[1..item.body.len() - 32].to_vec()
    };
    let (vault_id, context) = (registry.vault, registry.row_context(&row));
    let wrapped_registry_key = wrapped(KeyKind::Registry);
    let locks = Locks { wrapped_registry_key, vault: vault_id, sealed, row, context, id };

    // The true keys, as the holder of the root key has them.
    let root = KeyFile::from_bytes(ROOT).unlock(&[1]).unwrap();
    let key = |kind, generation, suite| {
        let place = WrapContext { vault: vault_id, kind, id: 0, generation, suite };
        *root.unwrap(&place.associated_data(&[1]), &wrapped(kind)).unwrap()
    };
    let record = Record::parse(&locks.sealed).unwrap();
    let suite = record.header.suite;
    let (secret, _) = unlock(&registry, &record, &locks.row).unwrap();
    let (part, _) = record.parts().next().unwrap();
    let data_key =
        registry.epochs[0].get(part).unwrap().data_key(&record.header.n1, &secret.ticket_part(id, part));
    assert_eq!(locks.opened_by(ROOT), ["root key"]);
    assert_eq!(locks.opened_by(key(KeyKind::Release, 1, Some(suite))), ["release key"]);
    assert_eq!(locks.opened_by(key(KeyKind::Id, 0, None)), ["id key"]);
    assert_eq!(locks.opened_by(*data_key.expose()), ["data key"]);
    drop((vault, registry));

    let mut windows = HashSet::new();
    for file in std::fs::read_dir(&path).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        windows.extend(bytes.windows(32).map(|window| <[u8; 32]>::try_from(window).unwrap()));
    }
    // All that is wrapped is among them.
    assert!(
        windows.len() > 10_000 && windows.contains(locks.wrapped_registry_key.first_chunk::<32>().unwrap())
    );
    for window in windows {
        assert!(locks.opened_by(window).is_empty());
    }
}

/// Whoever may read the memory of a shop's backend finds no data key on the stack of the thread that put and opened orders.
#[cfg(target_os = "linux")]
#[cfg_attr(debug_assertions, ignore = "unoptimised code copies whatever it moves; run with --release")]
#[test]
fn putting_and_opening_many_orders_leave_no_copy_of_a_data_key() {
    use crate::suite::tests::{halves, left_on_stack};

    let json = |n: u8| order_json().replace("SO-1", &format!("SO-{n}"));
    let policy = consignee_policy::Policy::built_in();
    let orders: Vec<_> = (0..40).map(|n| Order::from_json(&json(n), &policy).unwrap()).collect();
    let numbers: Vec<_> = (0..40).map(|n| format!("SO-{n}")).collect();
    let numbers: Vec<_> = numbers.iter().map(String::as_str).collect();
    let work = || {
        let vault = Vault::in_memory(&Setup::default()).unwrap();
        vault.add_party("courier1", "courier", None).unwrap();
        assert!(vault.put_many(&orders).unwrap().iter().all(Result::is_ok));
        assert!(vault.open_many("courier1", "delivery", &numbers).unwrap().iter().all(Result::is_ok));
        vault
    };
    let sought = |vault: &Vault| {
        let registry = vault.registry().unwrap();
        let of_order = |number: &&str| {
            let (id, row, sealed) = stored(vault, number);
            let record = Record::parse(&sealed).unwrap();
            let (secret, _) = unlock(&registry, &record, &row).unwrap();
            let of_part = |part| {
                let key = registry.epochs[0].get(part).unwrap();
                halves(key.data_key(&record.header.n1, &secret.ticket_part(id, part)).expose())
            };
            record.parts().flat_map(|(part, _)| of_part(part)).collect::<Vec<_>>()
        };
        numbers.iter().flat_map(of_order).collect()
    };
    let left = left_on_stack(work, sought);
    assert!(left.len() > 2 * 5 * 40);
    assert_eq!(left.iter().sum::<usize>(), 0);
}
