//! Tickets that are used for something else than their entry names, and clocks that are set back.

use super::*;
use crate::{
    Order, Patch, Setup, Vault,
    sealer::{Plan, RowPlan, SealedOrder, Sealing},
    suite::SealRng,
};

const MONTH: u64 = 30 * 86_400;

fn shop() -> Vault {
    let vault = Vault::in_memory(&Setup::default()).unwrap();
    vault.add_party("SF Express", "courier", None).unwrap();
    vault.add_party("agent 17", "support", None).unwrap();
    vault
}

fn order(order_no: &str) -> Order {
    let json = format!(
        r#"{{"order_no":"{order_no}","placed_at":"2026-11-11T20:14:05+08:00","consignee":{{"name":"Wang Xiaoming",
            "phone":"13812345678","address":{{"lines":["1 Zhongshan Road"],"city":"Nanjing","country":"CN"}}}},
            "items":[],"amount":{{"value":"88.00","currency":"CNY"}}}}"#
    );
    Order::from_json(&json, &Policy::built_in()).unwrap()
}

fn sealed(vault: &Vault, order_no: &str, put_at: u64) -> SealedOrder {
    let registry = vault.registry().unwrap();
    let plan = Plan::of::<Order>(registry.policy().unwrap()).unwrap();
    let sealed = SealRng::with(|rng| {
        let mut sealing = Sealing::new(&registry, &plan, rng, 1)?;
        let number = (order_no, registry.id_key.record_id(order_no));
        sealing.seal(&order(order_no), number, RowPlan { put_at, ..RowPlan::new(&registry, 1) }, None)
    });
    sealed.unwrap().unwrap()
}

fn stored(sealed: &SealedOrder) -> StoredOrder<'_> {
    StoredOrder { record: &sealed.record, secret: &sealed.secret }
}

/// The parts of a courier's delivery, sought from this sealing.
fn prepared(vault: &Vault, sealed: &SealedOrder) -> (PreparedTicket, Entry) {
    let registry = vault.registry().unwrap();
    let record = Record::parse(&sealed.record).unwrap();
    let (secret, handle_key) = unlock(&registry, &record, &sealed.secret).unwrap();
    let key_id = registry.parties[0].key_id(registry.vault);
    let whom = Whom { key_id, handle_id: key_id, lines: "", purpose: "delivery" };
    let access = registry.policy().unwrap().access("courier", "delivery").unwrap();
    prepare(&registry, &record, (&secret, &handle_key), &whom, |part| access.opens(part)).unwrap()
}

fn entered(vault: &Vault, entry: Entry) -> Receipt {
    vault.ledger().append(vec![entry]).unwrap().remove(0)
}

fn values(vault: &Vault, sealed: &SealedOrder, ticket: &crate::keys::Ticket) -> Result<usize> {
    let registry = vault.registry().unwrap();
    let policy = registry.policy().unwrap();
    let keyring = Keyring::of(&registry.epochs, &policy.parts().map(|part| part.id).collect::<Vec<_>>());
    let type_of = |part| policy.part(part).map(|part| part.ty);
    let (mut space, halves) = (Plaintext::default(), Halves::default());
    let record = Record::parse(&sealed.record).unwrap();
    Ok(record::open(&mut space, &record, (&keyring, halves.of(0)), ticket, type_of)?.count())
}

/// A ticket that was made before an update is used on the next revision, and on another order; by somebody with all field keys.
#[test]
fn a_ticket_of_before_an_update_opens_neither_the_next_revision_nor_another_order() {
    let vault = shop();
    let first = sealed(&vault, "SO-1", now());
    let (ticket, entry) = prepared(&vault, &first);
    let ticket = ticket.release(entered(&vault, entry)).unwrap();
    let note = Patch::new().set("note", Value::Text("new".into()));
    let next = vault.sealer().update(&stored(&first), Some("SO-1"), 1, note).unwrap().unwrap();
    assert_eq!(values(&vault, &first, &ticket).unwrap(), 3);
    for other in [next, sealed(&vault, "SO-2", now())] {
        assert_eq!(values(&vault, &other, &ticket).unwrap_err().kind(), &ErrorKind::CannotOpen);
    }
}

/// A ticket is to come out against a receipt of something harmless, or of an entry that names fewer parts.
#[test]
fn a_ticket_comes_out_for_its_own_entry_only() {
    let vault = shop();
    let order = sealed(&vault, "SO-1", now());
    let (ticket, entry) = prepared(&vault, &order);
    let (_, others_entry) = prepared(&vault, &sealed(&vault, "SO-2", now()));
    assert!(ticket.release(entered(&vault, others_entry)).is_none());
    let (ticket, mut fewer) = (prepared(&vault, &order).0, entry);
    fewer.parts.truncate(1);
    assert!(ticket.release(entered(&vault, fewer)).is_none());
    let (ticket, entry) = prepared(&vault, &order);
    let ticket = ticket.release(entered(&vault, entry)).unwrap();
    assert_eq!(values(&vault, &order, &ticket).unwrap(), 3);
}

/// The machine's clock is set back, so that a purpose that is over opens again: here as an order that was put later than now.
#[test]
fn a_clock_that_is_set_back_opens_an_expired_purpose_again() {
    let vault = shop();
    let opens = |put_at, party, purpose| {
        let order = sealed(&vault, "SO-1", put_at);
        let opened = vault.opener().open_many(party, purpose, &[stored(&order)]).unwrap().remove(0);
        opened.map(drop).map_err(|e| e.kind().clone())
    };
    let now = now();
    assert_eq!(opens(now - MONTH + 100, "SF Express", "delivery"), Ok(()));
    assert_eq!(opens(now - MONTH - 100, "SF Express", "delivery"), Err(ErrorKind::Expired));
    assert_eq!(opens(now - MONTH, "agent 17", "call_back"), Err(ErrorKind::Expired));
    assert_eq!(opens(now + 2 * MONTH, "SF Express", "delivery"), Ok(()), "time is the machine's");
}
