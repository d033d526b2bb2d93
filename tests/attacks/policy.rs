//! Policies: grants that were withheld, older policies, numbers used again.

use consignee::{
    Cell, ErrorKind, ExistingOrders, Fields, KeyFile, List, Setup, Severity, Value, Vault,
    policy::{DEFAULT_POLICY, Policy},
    store::Item,
    store::{Memory, Stores},
};

use crate::{
    Shop,
    common::{self, Folder, order},
    faults,
};

/// Two policies come and go so that a grant withheld from existing orders would reach them after all.
#[test]
fn a_grant_that_was_withheld_stays_withheld() {
    let folder = Folder::new();
    let vault = folder.unlock();
    vault.put(&order("SO-1")).unwrap();
    let name = |vault: &Vault| {
        let view = vault.open("ledger clerk", "accounting", "SO-1").unwrap();
        view.get("consignee.name").is_ok()
    };
    let old = DEFAULT_POLICY;
    let wide = old.replace(r#""placed_at", "amount"]"#, r#""placed_at", "amount", "consignee.name"]"#);
    let wide_and_longer = wide.replace(r#"expires = "7d""#, r#"expires = "8d""#);
    vault.apply_policy(&wide, ExistingOrders::No).unwrap();
    assert!(!name(&vault));
    vault.apply_policy(&wide_and_longer, ExistingOrders::Yes).unwrap();
    assert!(!name(&vault), "the yes was for something else");
    // Back to the first policy, and the grant again, withheld again.
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    vault.apply_policy(old, ExistingOrders::No).unwrap();
    vault.apply_policy(&wide, ExistingOrders::No).unwrap();
    assert!(!name(&vault));
    vault.apply_policy(old, ExistingOrders::Yes).unwrap();
    vault.apply_policy(&wide, ExistingOrders::Yes).unwrap();
    assert!(name(&vault), "a yes for it reaches it");
}

/// A policy by which nobody gains gives nothing to orders from which something was withheld.
#[test]
fn lines_and_times_that_were_withheld_stay_withheld() {
    let text = |text: &str| Value::Text(text.into());
    let kept = |policy: &str, end: &str| Policy::parse(policy).unwrap().diff(&Policy::parse(end).unwrap());
    // Lines: all of a list from now on, not for old orders; then another list is cut.
    let lists = |lines: &str| {
        format!(
            "version = 1\n[field.order_no]\nid = 1\ntype = \"text\"\n[field.items]\nid = 2\ntype = \"list\"\n\
             [field.gifts]\nid = 3\ntype = \"list\"\n[role.supplier.fulfilment]\nopen = [\"items\", \"gifts\"]\n{lines}\n"
        )
    };
    let (own, all, other) =
        (lists("lines = { items = \"supplier\" }"), lists(""), lists("lines = { gifts = \"supplier\" }"));
    let vault = Vault::in_memory(&Setup { policy: own.into(), ..Setup::default() }).unwrap();
    vault.add_party("Yixing", "supplier", Some("Yixing")).unwrap();
    let rows = |names: &[&str]| {
        let rows = names.iter().map(|name| vec![Cell::Text((*name).into())]).collect();
        Value::List(List::new(vec!["supplier".into()], rows).unwrap())
    };
    let order = Fields::new().with("order_no", text("SO-1")).with("items", rows(&["Yixing", "Dehua"]));
    vault.put(&order.with("gifts", rows(&["Yixing"]))).unwrap();
    let seen = || vault.open("Yixing", "fulfilment", "SO-1").unwrap().to_json().to_string();
    for (policy, existing) in [(&all, ExistingOrders::No), (&other, ExistingOrders::Yes)] {
        vault.apply_policy(policy, existing).unwrap();
        assert!(seen().contains("Yixing") && !seen().contains("Dehua"));
    }
    assert!(!kept(&all, &other).anyone_gains());
    vault
        .apply_policy(&lists("lines = { items = \"supplier\", gifts = \"supplier\" }"), ExistingOrders::Yes)
        .unwrap();
    vault.apply_policy(&all, ExistingOrders::Yes).unwrap();
    assert!(seen().contains("Dehua"), "given for old orders, it reaches them");

    // Time: without an end from now on, not for old orders; then an end again, a later one than the first.
    let ends = |expires: &str| {
        let end = format!("\"consignee.address\"]\n{expires}");
        let policy = DEFAULT_POLICY.replace("\"consignee.address\"]\nexpires = \"30d\"", &end);
        Policy::parse(&policy).unwrap();
        policy
    };
    let vault =
        Vault::in_memory(&Setup { policy: ends("expires = \"1s\"").into(), ..Setup::default() }).unwrap();
    common::staffed(&vault);
    vault.put(&common::order("SO-1")).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(2_100));
    assert!(!kept(&ends(""), &ends("expires = \"30d\"")).anyone_gains());
    for (end, existing) in [("", ExistingOrders::No), ("expires = \"30d\"", ExistingOrders::Yes)] {
        vault.apply_policy(&ends(end), existing).unwrap();
        let refused = vault.open("SF Express", "delivery", "SO-1").unwrap_err();
        assert_eq!(refused.kind(), &ErrorKind::Expired, "{end}");
    }
    vault.apply_policy(&ends("expires = \"60d\""), ExistingOrders::Yes).unwrap();
    assert!(
        vault.open("SF Express", "delivery", "SO-1").is_ok(),
        "a longer time, given for old orders, reaches them"
    );
}

const POLICY: u8 = 32;
const PARTY: u8 = 33;
const SEAL: u8 = 40;

fn wide() -> String {
    DEFAULT_POLICY.replace(r#""placed_at", "amount"]"#, r#""placed_at", "amount", "consignee.name"]"#)
}

/// Somebody edits the copy of the policy in the folder and gives couriers the goods.
#[test]
fn an_edited_copy_of_the_policy_is_not_in_force() {
    let folder = Folder::new();
    folder.unlock().put(&order("SO-1")).unwrap();
    let copy = folder.path().join("policy.toml");
    let text = std::fs::read_to_string(&copy).unwrap();
    let edited = text.replace(
        r#"["consignee.name", "consignee.phone""#,
        r#"["items", "consignee.name", "consignee.phone""#,
    );
    assert!(edited != text && Policy::parse(&edited).is_ok());
    let vault = folder.unlock();
    assert_eq!(vault.check_policy_copy(&folder.path()).unwrap().severity, Severity::Fine);
    std::fs::write(&copy, edited).unwrap();
    for vault in [vault, folder.unlock()] {
        let view = vault.open("SF Express", "delivery", "SO-1").unwrap();
        assert_eq!(view.get("items").unwrap_err().kind(), &ErrorKind::NotPermitted);
        assert_eq!(vault.check_policy_copy(&folder.path()).unwrap().severity, Severity::Warning);
    }
}

/// A policy that gave finance the names was withdrawn. It is put back: in place of the newest, behind it, by leaving the newest out;
/// or the seal of that time alone.
#[test]
fn an_older_policy_put_back_by_itself_is_refused() {
    let shop = Shop::new(&[order("SO-1")]);
    shop.vault.apply_policy(&wide(), ExistingOrders::Yes).unwrap();
    let before = shop.stores.keys.items().unwrap();
    assert!(shop.opens("ledger clerk", "accounting", "SO-1").unwrap().get("consignee.name").is_ok());
    shop.vault.apply_policy(DEFAULT_POLICY, ExistingOrders::Yes).unwrap();
    assert!(
        shop.unlock()
            .unwrap()
            .open("ledger clerk", "accounting", "SO-1")
            .unwrap()
            .get("consignee.name")
            .is_err()
    );
    let now = shop.stores.keys.items().unwrap();
    let find = |items: &[Item], kind, id| {
        items.iter().find(|item| (item.kind, item.id) == (kind, id)).unwrap().clone()
    };
    let old = find(&now, POLICY, 1);
    let without_newest: Vec<_> =
        now.iter().filter(|item| (item.kind, item.id) != (POLICY, 2)).cloned().collect();
    let replaced = |items: &[Item], new: &Item| -> Vec<Item> {
        let others = items.iter().filter(|item| (item.kind, item.id) != (new.kind, new.id));
        others.chain([new]).cloned().collect()
    };
    for forged in [
        replaced(&now, &Item { id: 2, ..old.clone() }),
        replaced(&now, &Item { id: 3, ..old }),
        without_newest,
        replaced(&now, &find(&before, SEAL, 0)),
    ] {
        assert_eq!(crate::keys::unlock_with(&forged).err(), Some(ErrorKind::Damaged));
    }
}

/// All items of the older time are put back: then it is in force, and `doctor` compares with the ledger.
#[test]
fn a_key_store_from_before_a_policy_puts_the_older_one_in_force_and_is_found() {
    let shop = Shop::new(&[order("SO-1")]);
    shop.vault.apply_policy(&wide(), ExistingOrders::Yes).unwrap();
    let before = shop.stores.keys.items().unwrap();
    shop.vault.apply_policy(DEFAULT_POLICY, ExistingOrders::Yes).unwrap();
    assert!(faults(&shop.vault).is_empty());
    let rolled_back = Stores { keys: Memory::stores().keys, ..shop.stores.clone() };
    rolled_back.keys.write_items(&before).unwrap();
    let vault = Vault::resume(rolled_back, &KeyFile::from_bytes(common::ROOT)).unwrap();
    let view = vault.open("ledger clerk", "accounting", "SO-1").unwrap();
    assert!(view.get("consignee.name").is_ok(), "until doctor is run");
    assert_eq!(faults(&vault), ["policy"]);
}

/// A supplier becomes another one, whose lines it wants to see; a revoked party's old row comes back; a party takes another's number.
#[test]
fn a_partys_row_that_was_edited_or_put_back_is_refused() {
    let shop = Shop::new(&[]);
    let before = shop.stores.keys.items().unwrap();
    shop.vault.revoke_party("Dehua Ltd").unwrap();
    let items = shop.stores.keys.items().unwrap();
    assert!(crate::keys::unlock_with(&items).is_ok());
    let party =
        |items: &[Item], id: u32| items.iter().position(|item| (item.kind, item.id) == (PARTY, id)).unwrap();
    let mut forged = vec![items.clone(); 3];
    let body = &mut forged[0][party(&items, 2)].body;
    let text =
        String::from_utf8_lossy(&body[..body.len() - 32]).replace(r#""as":"Yixing""#, r#""as":"Dehua ""#);
    assert!(text.contains("Dehua"));
    body.splice(..text.len(), text.into_bytes());
    forged[1][party(&items, 3)].body = before[party(&before, 3)].body.clone();
    forged[2][party(&items, 2)].body = items[party(&items, 3)].body.clone();
    for items in forged {
        assert_eq!(crate::keys::unlock_with(&items).err(), Some(ErrorKind::Damaged));
    }
}

/// The number of a retired field is given to a new one that couriers open, so that they open the old field in old orders; or a
/// field gets another's number; also by way of a policy in between that forgets.
#[test]
fn a_number_that_meant_something_else_is_refused_whatever_comes_between() {
    let shop = Shop::new(&[order("SO-1")]);
    let note = "[field.note]\nid = 8\ntype = \"text\"\n";
    let without_note = DEFAULT_POLICY.replace(note, "").replace("    \"note\",\n", "");
    let retired = without_note.replace("version = 1", "version = 1\nretired = [8]");
    let reused = format!("{without_note}\n[field.door]\nid = 8\ntype = \"text\"\n").replace(
        r#"["consignee.name", "consignee.phone""#,
        r#"["door", "consignee.name", "consignee.phone""#,
    );
    let renumbered = DEFAULT_POLICY.replace("id = 8", "id = 9");
    let exchanged = DEFAULT_POLICY
        .replace("id = 3\n", "id = 0\n")
        .replace("id = 8\n", "id = 3\n")
        .replace("id = 0\n", "id = 8\n");
    for text in [&without_note, &retired, &reused, &renumbered, &exchanged] {
        assert!(text != DEFAULT_POLICY && Policy::parse(text).is_ok());
    }
    let refused = |text: &str| {
        let refused = shop.vault.apply_policy(text, ExistingOrders::Yes);
        assert_eq!(refused.unwrap_err().kind(), &ErrorKind::Conflict);
    };
    [&without_note, &reused, &renumbered, &exchanged].into_iter().for_each(|text| refused(text));
    shop.vault.apply_policy(&retired, ExistingOrders::Yes).unwrap();
    [&without_note, &reused, &renumbered].into_iter().for_each(|text| refused(text));
    assert!(shop.opens("SF Express", "delivery", "SO-1").is_ok());
}
