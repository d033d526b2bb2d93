//! Steps of the keys: derivations, wrapping, keyrings, aliases, commitments; and the one slow step, a passphrase.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use consignee::{Passphrase, RootKeyProvider, Suite, bench::KeySteps};
use criterion::{Criterion, criterion_group, criterion_main};

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

/// At the cost that new vaults get: 256 MiB, 3 passes.
fn passphrase(c: &mut Criterion) {
    let passphrase = Passphrase::new("correct horse battery staple");
    let parameters = passphrase.new_parameters().unwrap();
    c.bench_function("unlock with a passphrase", |b| b.iter(|| passphrase.unlock(&parameters).unwrap()));
}

criterion_group!(fast, suites, keyrings, names, digests);
criterion_group!(name = slow; config = Criterion::default().sample_size(10); targets = passphrase);
criterion_main!(fast, slow);
