//! Roles that pool what they are given, and what they cannot join or can.

use std::collections::BTreeSet;

use consignee::{Entry, EntryKind, ErrorKind, policy::Policy};

use crate::{
    Shop,
    common::{contains, order},
};

const PARTIES: [&str; 6] = ["SF Express", "Yixing Ltd", "Dehua Ltd", "agent 17", "ledger clerk", "shop"];

/// Text that stands in an order for each field, and that no other field holds.
const CANARIES: [(&str, &str); 9] = [
    ("order_no", "SO-1234567"),
    ("placed_at", "2026-11-11T20:14:05"),
    ("consignee.name", "Canary-Name"),
    ("consignee.phone", "13812345678"),
    ("consignee.address", "Canary-Street"),
    ("items of Yixing", "Canary-Teapot"),
    ("items of Dehua", "Canary-Cup"),
    ("amount", "138.00"),
    ("note", "Canary-Note"),
];

/// Everything that a party is given in the program: views for all its purposes, hits of its searches, and its entries.
struct Given {
    fields: BTreeSet<&'static str>,
    text: String,
    alias: String,
    entries: Vec<Entry>,
}

fn shop() -> Shop {
    let mut order = order("SO-1234567");
    order.consignee.name = "Canary-Name".into();
    Shop::new(&[order])
}

fn given(shop: &Shop, party: &str) -> Given {
    let policy = Policy::built_in();
    let role = shop.vault.parties().unwrap().into_iter().find(|known| known.name == party).unwrap().role;
    let mut given =
        Given { fields: BTreeSet::new(), text: String::new(), alias: String::new(), entries: Vec::new() };
    for access in policy.accesses().iter().filter(|access| access.role == role) {
        // Asked for by alias, as a party that has no order number does, once it has one.
        let first = shop.opens(party, &access.purpose, "SO-1234567").unwrap();
        given.alias = first.alias().to_string();
        let view = shop.opens(party, &access.purpose, &given.alias).unwrap();
        given.text += &view.to_json().to_string();
        given.text += &format!("{view:?}");
        given.entries.extend(shop.vault.ledger_entries(view.ledger_index(), 1).unwrap());
        for (field, _) in CANARIES {
            let (name, supplier) = field.split_once(" of ").unwrap_or((field, ""));
            let opens = access.opens(policy.field(name).unwrap().id);
            if opens && (access.lines.is_empty() || party.starts_with(supplier)) {
                given.fields.insert(field);
            }
        }
    }
    given
}

/// Two links, or all of them, put together what they were given, in hope of more than each may see.
#[test]
fn parties_that_pool_their_views_have_the_union_and_no_more() {
    let shop = shop();
    let given = PARTIES.map(|party| given(&shop, party));
    let pairs = (0..PARTIES.len()).flat_map(|one| (0..=one).map(move |other| vec![one, other]));
    for pool in pairs.chain([vec![0, 1, 2, 3, 4]]) {
        let text: String = pool.iter().map(|at| given[*at].text.as_str()).collect();
        for (field, canary) in CANARIES {
            let may = pool.iter().any(|at| given[*at].fields.contains(field));
            assert_eq!(contains(text.as_bytes(), canary.as_bytes()), may, "{field} by {pool:?}");
        }
    }
}

/// They try to join their halves of one order by what the vault adds to it: nothing of it is the same for two parties but purpose,
/// policy and time.
#[test]
fn what_two_parties_are_given_has_no_number_in_common_by_which_to_join_it() {
    let shop = shop();
    let given = PARTIES.map(|party| given(&shop, party));
    let secrets = |given: &Given| -> BTreeSet<Vec<u8>> {
        let of_entry = |entry: &Entry| {
            let mut all = vec![entry.handle.to_vec(), entry.party.to_vec()];
            all.extend(entry.commitments.iter().map(|commitment| commitment.to_vec()));
            all
        };
        given.entries.iter().flat_map(of_entry).chain([given.alias.clone().into_bytes()]).collect()
    };
    for (at, one) in given.iter().enumerate() {
        assert!(secrets(one).len() >= 4);
        for other in &given[..at] {
            assert!(secrets(one).is_disjoint(&secrets(other)));
        }
    }
}

/// The courier hands a supplier's alias to the shop's service, which opens orders by any party's alias: he is given his own view of
/// that order, and so knows whose goods they are. Each try is an entry to his name.
#[test]
fn whoever_has_another_partys_alias_can_join_it_to_his_own_and_it_is_entered() {
    let shop = Shop::new(&[order("SO-1"), order("SO-2")]);
    let [supplier, courier] = [("Yixing Ltd", "fulfilment"), ("SF Express", "delivery")]
        .map(|(party, purpose)| shop.opens(party, purpose, "SO-2").unwrap().alias().to_string());
    let joined = shop.opens("SF Express", "delivery", &supplier).unwrap();
    assert_eq!(joined.alias().to_string(), courier);
    assert!(joined.get("items").is_err(), "no more than his own parts");
    let entry = shop.vault.ledger_entries(joined.ledger_index(), 1).unwrap().remove(0);
    assert_eq!((entry.kind, entry.purpose.as_str()), (EntryKind::Disclosure, "delivery"));
    // The supplier's alias alone does not lead to an order's whole.
    assert_eq!(shop.opens("SF Express", "fulfilment", &supplier).err(), Some(ErrorKind::NotPermitted));
}
