//! The key store: wrapped keys, parties and policies moved, altered, left out, rolled back.

use consignee::ErrorKind;
use rusqlite::{Connection, params};

use crate::{common::Folder, copy, database, faults, unlock_fails};

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
