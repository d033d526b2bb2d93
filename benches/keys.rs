//! Steps of the keys: derivations, wrapping, keyrings, aliases, commitments; and the one slow step, a passphrase.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

#[path = "../tests/common/orders.rs"]
mod orders;

use consignee::{
    Kem, Order, Party, PartyKey, Passphrase, RootKeyProvider, Setup, Suite, Vault, bench::KeySteps,
    policy::Policy,
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// What depends on the suite.
fn suites(c: &mut Criterion) {
    for suite in [Suite::Aes256Gcm, Suite::ChaCha20Poly1305] {
        let mut keys = KeySteps::new(suite, 1, 8).unwrap();
        let mut group = c.benchmark_group(suite.name());
        group.bench_function("data key of a part", |b| b.iter(|| keys.data_key()));
        group.bench_function("8 ticket parts", |b| b.iter(|| keys.ticket_parts()));
        group.bench_function("wrap a secret", |b| b.iter(|| keys.wrap().unwrap()));
        group.bench_function("unwrap a secret", |b| b.iter(|| assert!(keys.unwrap())));
    }
}

fn keyrings(c: &mut Criterion) {
    for epochs in [1, 10] {
        let keys = KeySteps::new(Suite::Aes256Gcm, epochs, 8).unwrap();
        c.bench_function(&format!("keyring of 8 parts, epochs: {epochs}"), |b| b.iter(|| keys.keyring()));
    }
}

fn names(c: &mut Criterion) {
    let keys = KeySteps::new(Suite::Aes256Gcm, 1, 8).unwrap();
    c.bench_function("alias", |b| b.iter(|| keys.alias(black_box(17), black_box(18_230)).unwrap()));
    let alias = keys.alias(17, 18_230).unwrap();
    c.bench_function("resolve an alias", |b| b.iter(|| keys.resolve(black_box(&alias)).unwrap()));
    c.bench_function("record id", |b| b.iter(|| keys.record_id(black_box("2026111100018230"))));
    c.bench_function("handle", |b| b.iter(|| black_box(&keys).handle()));
}

/// Of the reference order: about 500 bytes of values, 780 of record.
fn digests(c: &mut Criterion) {
    let keys = KeySteps::new(Suite::Aes256Gcm, 1, 8).unwrap();
    c.bench_function("fingerprint of 500 bytes", |b| b.iter(|| keys.fingerprint(black_box(&[7; 500]))));
    c.bench_function("commitments of a put, 780 bytes", |b| {
        b.iter(|| keys.commitments(black_box(&[7; 780]), "2026111100018230"));
    });
}

/// Copies of a courier's delivery, 1,000 orders a bundle: what the shop makes, without the sync of a disk, and what the courier's
/// machine reads, by one thread.
fn sharing(c: &mut Criterion) {
    const BATCH: u64 = 1_000;
    for suite in [Suite::Aes256Gcm, Suite::ChaCha20Poly1305] {
        let vault = Vault::in_memory(&Setup { suite, ..Setup::default() }).unwrap();
        let policy = Policy::built_in();
        let orders: Vec<_> =
            (0..BATCH).map(|n| Order::from_json(&orders::order_json(n), &policy).unwrap()).collect();
        assert!(vault.put_many(&orders).unwrap().iter().all(Result::is_ok));
        let numbers: Vec<&str> = orders.iter().map(|order| order.order_no.as_str()).collect();
        let mut group = c.benchmark_group(format!("copies, {}", suite.name()));
        group.throughput(Throughput::Elements(BATCH)).sample_size(30);
        for kem in [Kem::X25519, Kem::XWing] {
            let name = kem.name();
            let mut party = Party::new(PartyKey::generate(kem).unwrap());
            vault.add_party_with_key(name, "courier", None, party.key().public()).unwrap();
            party.trust(vault.card().unwrap());
            let keyring = party.keyring(&vault.issue_keyring(name).unwrap()).unwrap();
            let share = || vault.share(name, "delivery", &numbers, None).unwrap();
            group.bench_function(format!("share, {name}"), |b| b.iter(&share));
            let bundle = share().bundle.unwrap();
            group.bench_function(format!("read, {name}"), |b| {
                b.iter(|| {
                    let bundle = party.read(&keyring, black_box(&bundle)).unwrap();
                    bundle.views(&keyring).filter(Result::is_ok).count()
                });
            });
            let read = party.read(&keyring, &bundle).unwrap();
            group.bench_function(format!("read after its one decapsulation, {name}"), |b| {
                b.iter(|| black_box(&read).views(&keyring).filter(Result::is_ok).count());
            });
        }
    }
}

/// At the cost that new vaults get: 256 MiB, 3 passes.
fn passphrase(c: &mut Criterion) {
    let passphrase = Passphrase::new("correct horse battery staple");
    let parameters = passphrase.new_parameters().unwrap();
    c.bench_function("unlock with a passphrase", |b| b.iter(|| passphrase.unlock(&parameters).unwrap()));
}

criterion_group!(fast, suites, keyrings, names, digests, sharing);
criterion_group!(name = slow; config = Criterion::default().sample_size(10); targets = passphrase);
criterion_main!(fast, slow);
