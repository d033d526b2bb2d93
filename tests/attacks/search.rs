//! Search tags and candidates: copied, planted, guessed. (Copied from one order to another: `tests/find.rs`.)

use consignee::{
    Error, Order, Setup, StoredOrder, Value,
    policy::DEFAULT_POLICY,
    store::{RecordRow, Tag},
};

use crate::{Shop, common::order};

/// An order whose note reads like a telephone number, and may be searched by, too.
fn with_note(order_no: &str, phone: &str, note: &str) -> Order {
    let mut order = order(order_no);
    (order.consignee.phone, order.note) = (phone.into(), note.into());
    order
}

fn noted() -> Setup<'static> {
    let index = "index = { normalise = \"phone:CN\", expect = 1_000_000_000 }";
    let policy = DEFAULT_POLICY
        .replace("id = 8\ntype = \"text\"\n", &format!("id = 8\ntype = \"text\"\n{index}\n"))
        .replace("search = [\"consignee.phone\"]", "search = [\"consignee.phone\", \"note\"]");
    Setup { policy: policy.into(), ..Setup::default() }
}

fn tags(shop: &Shop, order_no: &str) -> Vec<Tag> {
    shop.record(order_no).tags
}

fn found(shop: &Shop, field: &str, value: &str) -> (usize, usize) {
    let hits = shop.vault.find("agent 17", "after_sale", field, value).unwrap();
    (hits.hits.len(), hits.unreadable)
}

/// The tag of one field is filed under another, so that whoever searches notes finds orders by telephone number.
#[test]
fn a_tag_copied_to_another_field_finds_nothing() {
    let shop = Shop::with(&noted(), &[with_note("SO-1", "13812345678", "13999990000")]);
    assert_eq!(found(&shop, "consignee.phone", "13812345678"), (1, 0));
    assert_eq!(found(&shop, "note", "13999990000"), (1, 0));
    let exchanged = tags(&shop, "SO-1").into_iter().map(|tag| Tag { field: 12 - tag.field, ..tag }).collect();
    shop.set_record(RecordRow { tags: exchanged, ..shop.record("SO-1") });
    for (field, value) in [("consignee.phone", "13812345678"), ("note", "13999990000")] {
        assert_eq!(found(&shop, field, value), (0, 0));
        assert_eq!(found(&shop, if field == "note" { "consignee.phone" } else { "note" }, value), (0, 0));
    }
}

/// A thief who knows one customer's number looks for tags of the same value: in another field, in another vault of the same root key.
#[test]
fn tags_of_one_value_in_two_fields_or_two_vaults_have_nothing_in_common() {
    let number = "13812345678";
    let shops = [(); 2].map(|()| {
        Shop::with(&noted(), &[with_note("SO-1", number, number), with_note("SO-2", number, number)])
    });
    let values = |shop: &Shop, order_no| tags(shop, order_no).iter().map(|tag| tag.value).collect::<Vec<_>>();
    assert_eq!(
        values(&shops[0], "SO-1"),
        values(&shops[0], "SO-2"),
        "within a field and vault they are equal"
    );
    let [one, other] = [&shops[0], &shops[1]].map(|shop| values(shop, "SO-1"));
    assert_eq!(one.len(), 2);
    // 28 bits: one of six pairs agrees by chance once in 44 million runs.
    let mut all = [one, other].concat();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 4);
}

/// Tags of a searched value are planted for a record that does not exist, for one of another vault, and for a shredded order.
#[test]
fn planted_tags_lead_to_nothing_that_does_not_open() {
    let (shop, foreign) = (Shop::new(&[order("SO-1"), order("SO-2")]), Shop::new(&[order("SO-9")]));
    assert_eq!(found(&shop, "consignee.phone", "13812345678"), (2, 0));
    let tags = tags(&shop, "SO-1");
    shop.stores
        .orders
        .insert_records(&[
            RecordRow { id: [7; 16], tags: tags.clone(), ..shop.record("SO-1") },
            RecordRow { tags: tags.clone(), ..foreign.record("SO-9") },
        ])
        .unwrap();
    shop.stores.secrets.insert_secrets(&foreign.rows("SO-9")).unwrap();
    let gone = shop.record("SO-2");
    shop.vault.shred("SO-2", "asked for", consignee::ShredMode::KeepEvidence).unwrap();
    shop.set_record(gone);
    assert_eq!(found(&shop, "consignee.phone", "13812345678"), (1, 3));
}

/// The shop's own tables answer a search with whatever the attacker filed there.
#[test]
fn candidates_that_are_not_what_was_searched_for_are_no_hits() {
    let (shop, foreign) = (Shop::new(&[order("SO-1"), order("SO-2")]), Shop::new(&[order("SO-9")]));
    let mut other = order("SO-3");
    other.consignee.phone = "13999990000".into();
    shop.vault.put(&other).unwrap();
    let stored = |shop: &Shop, number| (shop.record(number).sealed, shop.rows(number).remove(0));
    let good = stored(&shop, "SO-1");
    let crossed = (good.0.clone(), stored(&shop, "SO-2").1);
    let candidates = vec![good.clone(), stored(&shop, "SO-3"), stored(&foreign, "SO-9"), crossed];
    let hits = shop
        .vault
        .opener()
        .find("agent 17", "after_sale", "consignee.phone", "13812345678", |_| Ok::<_, Error>(candidates));
    let hits = hits.unwrap();
    assert_eq!((hits.hits.len(), hits.unreadable), (1, 2));
    let view = shop.vault.open("shop", "operation", &hits.hits[0].alias.to_string()).unwrap();
    assert_eq!(view.get("order_no").unwrap(), &Value::Text("SO-1".into()));
    let (record, secret) = &good;
    assert!(
        shop.vault.opener().open_many("shop", "operation", &[StoredOrder { record, secret }]).unwrap()[0]
            .is_ok()
    );
}
