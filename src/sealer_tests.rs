//! Two machines that are clones of one seal from one state of the generator: what their orders share, and what not.

use super::*;
use crate::{
    Order, Setup, Vault,
    opener::unlock,
    policy::PartId,
    record::Record as Sealed,
    suite::{Secret, Suite},
};

fn order(vault: &Vault, order_no: &str, note: &str) -> Order {
    let json = format!(
        r#"{{"order_no":"{order_no}","placed_at":"2026-11-11T20:14:05+08:00","consignee":{{"name":"Wang Xiaoming",
            "phone":"13812345678","address":{{"lines":["1 Zhongshan Road"],"city":"Nanjing","country":"CN"}}}},
            "items":[],"amount":{{"value":"88.00","currency":"CNY"}},"note":"{note}"}}"#
    );
    Order::from_json(&json, &vault.policy().unwrap()).unwrap()
}

/// What two clones make of these orders, one each.
fn by_clones(vault: &Vault, orders: [&Order; 2]) -> [SealedOrder; 2] {
    let registry = vault.registry().unwrap();
    let plan = Plan::of::<Order>(registry.policy().unwrap()).unwrap();
    orders.map(|order| {
        let mut rng = SealRng::from_seed([5; 32]);
        let mut sealing = Sealing::new(&registry, &plan, &mut rng, 1).unwrap();
        let number = (order.order_no.as_str(), registry.id_key.record_id(&order.order_no));
        sealing.seal(order, number, RowPlan::new(&registry, 1), None).unwrap()
    })
}

/// The data key of each part.
fn data_keys(vault: &Vault, sealed: &SealedOrder) -> Vec<(PartId, Secret<32>)> {
    let registry = vault.registry().unwrap();
    let record = Sealed::parse(&sealed.record).unwrap();
    let (secret, _) = unlock(&registry, &record, &sealed.secret).unwrap();
    let key = |part| {
        let ticket = secret.ticket_part(sealed.record_id, part);
        registry.epochs[0].get(part).unwrap().data_key(&record.header.n1, &ticket)
    };
    record.parts().map(|(part, _)| (part, key(part))).collect()
}

fn body(sealed: &SealedOrder) -> Vec<u8> {
    Sealed::parse(&sealed.record).unwrap().parts().flat_map(|(_, ciphertext)| ciphertext.to_vec()).collect()
}

fn shared_blocks(one: &[u8], other: &[u8]) -> usize {
    one.windows(16).filter(|block| other.windows(16).any(|known| known == *block)).count()
}

#[test]
fn two_orders_that_clones_sealed_share_no_key_and_no_block_of_ciphertext() {
    for suite in [Suite::Aes256Gcm, Suite::ChaCha20Poly1305] {
        let vault = Vault::in_memory(&Setup { suite, ..Setup::default() }).unwrap();
        let [one, other] = by_clones(&vault, [&order(&vault, "SO-1", "x"), &order(&vault, "SO-2", "x")]);
        for ((part, key), (_, twin)) in data_keys(&vault, &one).iter().zip(data_keys(&vault, &other)) {
            assert!(!key.equals(twin.expose()), "{part}");
        }
        assert_eq!(shared_blocks(&body(&one), &body(&other)), 0);
        // What they do share: N1 and N2, the order secret, and the handle key, so that the ledger has one handle for both.
        let fresh = |sealed: &SealedOrder| {
            Sealed::parse(&sealed.record).map(|record| (record.header.n1, record.n2)).unwrap()
        };
        assert_eq!(fresh(&one), fresh(&other));
        let registry = vault.registry().unwrap();
        let [(secret, handle_key), (twin, twins_handle_key)] = [&one, &other].map(|sealed| {
            unlock(&registry, &Sealed::parse(&sealed.record).unwrap(), &sealed.secret).unwrap()
        });
        let committed = |secret: &crate::keys::OrderSecret| secret.commitment(one.record_id, &[0; 10]);
        assert_eq!(committed(&secret), committed(&twin));
        assert_eq!(handle_key.handle(&[1; 16]), twins_handle_key.handle(&[1; 16]));
        // Not the nonces of their wraps: two tags under one would give away what forges a row's columns.
        assert_ne!(one.secret.wrapped[..24], other.secret.wrapped[..24]);
        assert_eq!(shared_blocks(&one.secret.wrapped[24..], &other.secret.wrapped[24..]), 0);
    }
}

/// The one case that nothing saves: the same order, and two texts. A store takes one of the two, by compare-and-swap.
#[test]
fn one_order_that_clones_sealed_with_two_texts_shows_where_they_differ() {
    let vault = Vault::in_memory(&Setup::default()).unwrap();
    let [one, other] = by_clones(&vault, [&order(&vault, "SO-1", "aaaa"), &order(&vault, "SO-1", "abba")]);
    assert!(shared_blocks(&body(&one), &body(&other)) > 0);
    let note = |sealed: &SealedOrder| {
        let record = Sealed::parse(&sealed.record).unwrap();
        let (_, ciphertext) = record.parts().find(|(part, _)| part.get() == 8).unwrap();
        // Tag and length of the value stand before the text.
        ciphertext[5..9].to_vec()
    };
    let differences: Vec<u8> = note(&one).iter().zip(note(&other)).map(|(one, other)| one ^ other).collect();
    assert_eq!(differences, [0, b'a' ^ b'b', b'a' ^ b'b', 0]);
}
