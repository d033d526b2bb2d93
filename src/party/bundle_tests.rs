//! What is in memory when a party has read a bundle.

use super::*;
use crate::{
    Kem, Setup, Suite, Vault,
    record::Record,
    suite::{
        Secret,
        tests::{halves, left_on_stack},
    },
};

/// Whoever may read the memory of a party's program finds no data key on the stack of the thread that read.
#[cfg_attr(debug_assertions, ignore = "unoptimised code copies whatever it moves; run with --release")]
#[test]
fn reading_a_bundle_leaves_no_copy_of_a_data_key() {
    const ORDERS: usize = 40;
    for suite in [Suite::Aes256Gcm, Suite::ChaCha20Poly1305] {
        let vault = Vault::in_memory(&Setup { suite, ..Setup::default() }).unwrap();
        let mut party = Party::new(PartyKey::generate(Kem::X25519).unwrap());
        vault.add_party_with_key("courier1", "courier", None, party.key().public()).unwrap();
        party.trust(vault.card().unwrap());
        let keyring = party.keyring(&vault.issue_keyring("courier1").unwrap()).unwrap();
        let numbers: Vec<_> = (0..ORDERS).map(|n| format!("SO-{n}")).collect();
        let json = |number: &String| {
            format!(
                r#"{{"order_no":"{number}","placed_at":"2026-11-11T20:14:05+08:00","consignee":{{"name":"Wang Xiaoming",
                "phone":"13812345678","address":{{"lines":["1 Zhongshan Road"],"city":"Nanjing","country":"CN"}}}},
                "items":[],"amount":{{"value":"88.00","currency":"CNY"}}}}"#
            )
        };
        let orders: Vec<_> = numbers.iter().map(json).collect();
        assert!(vault.put_many_json(&orders).unwrap().iter().all(Result::is_ok));
        let numbers: Vec<_> = numbers.iter().map(String::as_str).collect();
        let shared = vault.share("courier1", "delivery", &numbers, None).unwrap();
        let bundle = party.read(&keyring, &shared.bundle.unwrap()).unwrap();

        let work = || bundle.views(&keyring).collect::<Result<Vec<_>>>().unwrap();
        let sought = |views: &Vec<_>| {
            assert_eq!(views.len(), ORDERS);
            let of_copy = |record: &[u8], tickets: &[u8]| {
                let record = Record::parse(record).unwrap();
                let keys = keyring.keys.epoch(record.header.epoch).unwrap();
                let of_part = |((part, _), secret): ((PartId, _), &[u8; 32])| {
                    let key = keys.get(part).unwrap();
                    halves(key.data_key(&record.header.n1, &Secret::new(*secret)).expose())
                };
                record.parts().zip(tickets.as_chunks().0).flat_map(of_part).collect::<Vec<_>>()
            };
            bundle.revealed().flat_map(|(_, _, record, tickets)| of_copy(record, tickets)).collect()
        };
        let left = left_on_stack(work, sought);
        assert_eq!(left, [0; 2 * 3 * ORDERS], "{suite:?}");
    }
}
