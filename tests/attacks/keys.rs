//! The key store: wrapped keys, parties and policies moved, altered, left out, rolled back.

use consignee::{
    ErrorKind, KeyFile, Setup, Suite, Vault,
    store::{Item, Memory, Stores},
};
use rusqlite::{Connection, params};

use crate::{
    Shop,
    common::{Folder, ROOT, order},
    copy, database, faults, unlock_fails,
};

/// The wrapped key of the whole phone is put in place of its masked form's, so that every later phone is sealed under the key
/// support holds; a party row is edited; an item is removed; an old one put back.
#[test]
fn altered_items_are_refused() {
    let change_and_unlock = |sql: &str| {
        let folder = Folder::new();
        let changed = database(&folder, "keys.db").execute(sql, []).unwrap();
        assert!(changed > 0, "{sql}");
        unlock_fails(&folder)
    };
    for sql in [
        "UPDATE item SET body = (SELECT body FROM item WHERE kind = 1 AND id = 14) WHERE kind = 1 AND id = 4",
        "UPDATE item SET body = CAST(replace(CAST(body AS TEXT), 'courier', 'finance') AS BLOB) WHERE kind = 33 AND id = 1",
        "UPDATE item SET body = (SELECT body FROM item WHERE kind = 33 AND id = 2) WHERE kind = 33 AND id = 1",
        "DELETE FROM item WHERE kind = 33 AND id = 1",
        "DELETE FROM item WHERE kind = 1 AND id = 8",
        "DELETE FROM item WHERE kind = 32",
        "DELETE FROM item WHERE kind = 40",
        "UPDATE item SET body = substr(body, 1, length(body) - 1) WHERE kind = 32",
    ] {
        assert_eq!(change_and_unlock(sql), ErrorKind::Damaged, "{sql}");
    }
    // A revocation is taken back by the party's own older row.
    let folder = Folder::new();
    let row = |keys: &Connection| -> Vec<u8> {
        keys.query_row("SELECT body FROM item WHERE kind = 33 AND id = 1", [], |row| row.get(0)).unwrap()
    };
    let before = row(&database(&folder, "keys.db"));
    folder.unlock().revoke_party("SF Express").unwrap();
    let keys = database(&folder, "keys.db");
    keys.execute("UPDATE item SET body = ?1 WHERE kind = 33 AND id = 1", params![before]).unwrap();
    assert_eq!(unlock_fails(&folder), ErrorKind::Damaged);
}

/// The whole of `keys.db` is put back to before a revocation.
#[test]
fn a_key_store_rolled_back_is_found() {
    let folder = Folder::new();
    let old = folder.dir.path().join("old");
    copy(&folder.path(), &old);
    folder.unlock().revoke_party("SF Express").unwrap();
    std::fs::copy(old.join("keys.db"), folder.path().join("keys.db")).unwrap();
    assert_eq!(faults(&folder.unlock()), ["parties"]);
}

/// What a vault with these items says, in stores that are otherwise empty.
pub(crate) fn unlock_with(items: &[Item]) -> Result<Vault, ErrorKind> {
    let stores: Stores = Memory::stores();
    stores.keys.write_items(items).unwrap();
    Vault::resume(stores, &KeyFile::from_bytes(ROOT)).map_err(|e| e.kind().clone())
}

/// Any two items of the key store change places, tags and all: keys of any kinds, parties, policies, the seal.
#[test]
fn two_items_of_the_key_store_that_change_places_are_refused() {
    let shop = Shop::new(&[]);
    let items = shop.stores.keys.items().unwrap();
    assert!(unlock_with(&items).is_ok());
    assert!(items.len() > 20);
    for one in 0..items.len() {
        for other in 0..one {
            let mut swapped = items.clone();
            (swapped[one].body, swapped[other].body) = (items[other].body.clone(), items[one].body.clone());
            let (kinds, refused) = ((items[one].kind, items[other].kind), unlock_with(&swapped).err());
            let known = [ErrorKind::Damaged, ErrorKind::RootKey, ErrorKind::NewerFormat];
            assert!(refused.as_ref().is_some_and(|kind| known.contains(kind)), "{kinds:?}: {refused:?}");
        }
    }
}

/// Each item in turn comes from another vault of the same shop, which has the same root key: a party that is more there, a policy that
/// gives more, a key that the attacker knows.
#[test]
fn an_item_of_another_vault_with_the_same_root_key_is_refused() {
    let (shop, other) = (Shop::new(&[]), Shop::new(&[]));
    let (items, foreign) = (shop.stores.keys.items().unwrap(), other.stores.keys.items().unwrap());
    assert!(unlock_with(&items).is_ok() && unlock_with(&foreign).is_ok());
    for (at, item) in foreign.iter().enumerate() {
        let mut spliced = items.clone();
        assert_eq!((item.kind, item.id), (items[at].kind, items[at].id));
        spliced[at] = item.clone();
        assert!(unlock_with(&spliced).is_err(), "kind {} id {}", item.kind, item.id);
        let added = Item { id: item.id + 100, ..item.clone() };
        assert!(unlock_with(&[items.clone(), vec![added]].concat()).is_err(), "kind {} added", item.kind);
    }
}

/// The whole key store is another vault's, whose keys the attacker knows or whose parties are his friends: with it nothing opens.
#[test]
fn the_key_store_of_another_vault_opens_no_order_of_this_one() {
    let (shop, other) = (Shop::new(&[order("SO-1")]), Shop::new(&[order("SO-1")]));
    let stores = Stores { keys: other.stores.keys.clone(), ..shop.stores.clone() };
    let mixed = Vault::resume(stores, &KeyFile::from_bytes(ROOT)).unwrap();
    assert!(shop.open("SO-1").is_ok());
    assert_eq!(mixed.open("shop", "operation", "SO-1").unwrap_err().kind(), &ErrorKind::NotFound);
    // Filed under the id that the number has there.
    let id = other.id("SO-1");
    let (record, row) = (shop.record("SO-1"), shop.rows("SO-1").remove(0));
    shop.set_record(consignee::store::RecordRow { id, ..record });
    shop.set_rows("SO-1", &[consignee::store::SecretRow { record_id: id, ..row }]);
    assert_eq!(mixed.open("shop", "operation", "SO-1").unwrap_err().kind(), &ErrorKind::CannotOpen);
    assert!(faults(&mixed).contains(&"parties") || faults(&mixed).contains(&"orders"));
}

/// Without the root key a copy of a vault is bytes; the other suite, parameters of a weak passphrase, another key change nothing.
#[test]
fn a_copied_vault_opens_with_its_root_key_only() {
    for suite in [Suite::Aes256Gcm, Suite::ChaCha20Poly1305] {
        let shop = Shop::with(&Setup { suite, ..Setup::default() }, &[order("SO-1")]);
        assert!(shop.unlock().unwrap().open("shop", "operation", "SO-1").is_ok());
        let mut wrong = ROOT;
        for at in 0..32 {
            wrong[at] ^= 1;
            let refused = Vault::resume(shop.stores.clone(), &KeyFile::from_bytes(wrong));
            assert_eq!(refused.err().unwrap().kind(), &ErrorKind::RootKey);
            wrong[at] ^= 1;
        }
    }
}

/// A vault is copied, with its key, and both go on: aliases and serials coincide for different orders, the ledgers fork. Inside of
/// either nothing tells; what was put in one is nothing in the other.
#[test]
fn two_copies_of_a_vault_that_go_on_are_told_apart_by_their_ledgers_roots_alone() {
    let folder = Folder::new();
    folder.unlock().put(&order("SO-1")).unwrap();
    let (one, copied) = (folder.path(), folder.dir.path().join("copy"));
    copy(&one, &copied);
    std::fs::copy(one.join("lock"), copied.join("lock")).unwrap();
    make_private(&copied);
    let unlock = |path: &std::path::Path| Vault::unlock(path, &KeyFile::from_bytes(ROOT)).unwrap();
    let went_on = |path: &std::path::Path, number: &str| {
        let vault = unlock(path);
        vault.put(&order(number)).unwrap();
        let alias = vault.open("SF Express", "delivery", number).unwrap().alias().to_string();
        assert!(faults(&vault).is_empty(), "nothing inside of it can tell");
        (alias, vault.ledger_state().unwrap())
    };
    let ((alias, state), (same_alias, forked)) = (went_on(&one, "SO-2"), went_on(&copied, "SO-3"));
    assert_eq!((alias == same_alias, state.size == forked.size), (true, true));
    assert_ne!(state.root, forked.root, "two roots of one size are the proof");
    // Stores of both in one folder.
    for file in ["orders.db", "secrets.db"] {
        std::fs::copy(copied.join(file), one.join(file)).unwrap();
    }
    assert_eq!(faults(&unlock(&one)), ["orders"]);
    std::fs::copy(copied.join("ledger.db"), one.join("ledger.db")).unwrap();
    assert!(faults(&unlock(&one)).is_empty(), "it is the copy now");
}

fn make_private(folder: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    let set = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    set(folder, 0o700);
    std::fs::read_dir(folder).unwrap().for_each(|file| set(&file.unwrap().path(), 0o600));
}
