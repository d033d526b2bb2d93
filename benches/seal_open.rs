//! Sealing and opening of the reference order beside the floor: for each part a fresh AES-256-GCM key and one call in place with
//! 16 bytes of associated data, on buffers of the same lengths (`docs/benchmarks.md`).
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../tests/common/orders.rs"]
mod orders;

use std::{hint::black_box, iter::zip};

use aes::Aes256Enc;
use aes_gcm::{
    AesGcm,
    aead::{AeadInOut, KeyInit, consts::U12},
};
use consignee::{
    Order, Setup, StoredOrder, Suite, Vault,
    bench::Steps,
    policy::{DEFAULT_POLICY, Policy},
};
use criterion::{Criterion, criterion_group, criterion_main};

use orders::{COURIERS_PARTS, REFERENCE_LENGTHS, REFERENCE_PARTS, reference_json, reference_policy};

type Aes256Gcm = AesGcm<Aes256Enc, U12>;

/// Seals buffers of these lengths, each under a key of its own.
fn seal_floor(buffers: &mut [Vec<u8>], tags: &mut [[u8; 16]]) {
    for (n, (buffer, tag)) in (0u8..).zip(zip(buffers, tags)) {
        let cipher = Aes256Gcm::new(&[black_box(n); 32].into());
        let made = cipher.encrypt_inout_detached(&[1; 12].into(), &[2; 16], buffer.as_mut_slice().into());
        *tag = made.unwrap().0;
    }
}

fn floor(c: &mut Criterion, name: &str, lengths: &[usize]) {
    let mut buffers: Vec<_> = lengths.iter().map(|len| vec![7; *len]).collect();
    let mut tags = vec![[0; 16]; lengths.len()];
    c.bench_function(&format!("floor/seal {name}"), |b| b.iter(|| seal_floor(&mut buffers, &mut tags)));
    let sealed = {
        buffers.iter_mut().for_each(|buffer| buffer.fill(7));
        seal_floor(&mut buffers, &mut tags);
        buffers.clone()
    };
    c.bench_function(&format!("floor/open {name}"), |b| {
        b.iter(|| {
            for (n, (buffer, (sealed, tag))) in (0u8..).zip(zip(&mut buffers, zip(&sealed, &tags))) {
                buffer.copy_from_slice(sealed);
                let cipher = Aes256Gcm::new(&[black_box(n); 32].into());
                cipher
                    .decrypt_inout_detached(
                        &[1; 12].into(),
                        &[2; 16],
                        buffer.as_mut_slice().into(),
                        tag.into(),
                    )
                    .unwrap();
            }
        });
    });
}

fn floors(c: &mut Criterion) {
    floor(c, "all 8", &REFERENCE_LENGTHS);
    floor(c, "courier's 3", &REFERENCE_LENGTHS[2..5]);
}

fn order() -> Order {
    Order::from_json(&reference_json(18_230), &Policy::built_in()).unwrap()
}

fn vault(suite: Suite, policy: String) -> Vault {
    let vault = Vault::in_memory(&Setup { suite, policy: policy.into() }).unwrap();
    vault.add_party("courier", "courier", None).unwrap();
    vault
}

fn steps(c: &mut Criterion) {
    let order = order();
    let policies =
        [("reference", reference_policy(DEFAULT_POLICY)), ("default policy", DEFAULT_POLICY.into())];
    for (policy, text) in &policies {
        for suite in [Suite::Aes256Gcm, Suite::ChaCha20Poly1305] {
            let vault = vault(suite, text.clone());
            let mut steps = Steps::of::<Order>(&vault).unwrap();
            let name = |what: &str| format!("{}, {policy}/{what}", suite.name());
            let orders = vec![order.clone(); 100];
            c.bench_function(&name("seal 100"), |b| b.iter(|| steps.seal(black_box(&orders)).unwrap()));
            let sealed: Vec<_> = orders.iter().map(|order| vault.sealer().seal(order).unwrap()).collect();
            for (what, parts) in [("courier's 3", &COURIERS_PARTS[..]), ("all 8", &REFERENCE_PARTS)] {
                let mut opening = steps.opening(&sealed, parts).unwrap();
                c.bench_function(&name(&format!("open {what} of 100")), |b| {
                    b.iter(|| opening.open().unwrap())
                });
                c.bench_function(&name(&format!("unwrap and open {what} of 100")), |b| {
                    b.iter(|| opening.disclose().unwrap());
                });
            }
        }
    }
}

/// The same through the public steps: with fingerprint and commitments, and an entry in a ledger in memory.
fn public(c: &mut Criterion) {
    let order = order();
    let vault = vault(Suite::Aes256Gcm, reference_policy(DEFAULT_POLICY));
    let sealer = vault.sealer();
    c.bench_function("Sealer::seal", |b| b.iter(|| sealer.seal(black_box(&order)).unwrap()));
    let sealed = sealer.seal(&order).unwrap();
    let stored = vec![StoredOrder { record: &sealed.record, secret: &sealed.secret }; 100];
    c.bench_function("Opener::open_many, 100 as courier", |b| {
        b.iter(|| vault.opener().open_many("courier", "delivery", black_box(&stored)).unwrap());
    });
}

criterion_group!(benches, floors, steps, public);
criterion_main!(benches);
