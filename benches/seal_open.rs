//! Sealing and opening of the reference order beside the floor: for each part a fresh AES-256-GCM key and one call in place
//! with 16 bytes of associated data. `seal` and `open` here are the public steps, so they include the wrapping of the secret,
//! the fingerprint, three commitments and, for `open`, an entry in a ledger in memory.
#![allow(clippy::unwrap_used)]

use std::hint::black_box;

use aes_gcm::{
    Aes256Gcm,
    aead::{AeadInOut, KeyInit},
};
use consignee::{Order, Setup, StoredOrder, Suite, Vault};
use criterion::{Criterion, criterion_group, criterion_main};

const ORDER: &str = r#"{"order_no":"2026111100018230","placed_at":"2026-11-11T20:14:05+08:00",
    "consignee":{"name":"Wang Xiaoming","phone":"13812345678",
      "address":{"lines":["1 Zhongshan Road, Flat 502"],"city":"Nanjing","region":"Jiangsu","postal_code":"210000","country":"CN"}},
    "items":[{"sku":"T-1","title":"Teapot","quantity":1,"unit_price":"88.00","supplier":"Yixing"},
             {"sku":"T-2","title":"Cup","quantity":4,"unit_price":"12.50","supplier":"Dehua"}],
    "amount":{"value":"138.00","currency":"CNY"},"note":""}"#;

/// Lengths of the eight padded values of the order above.
const LENGTHS: [usize; 8] = [32, 24, 32, 32, 96, 160, 13, 32];

fn floor(c: &mut Criterion) {
    let mut buffers = LENGTHS.map(|len| vec![7; len]);
    c.bench_function("floor/seal 8 parts", |b| {
        b.iter(|| {
            for (n, buffer) in (0u8..).zip(&mut buffers) {
                let cipher = Aes256Gcm::new(&[black_box(n); 32].into());
                black_box(
                    cipher
                        .encrypt_inout_detached(&[1; 12].into(), &[2; 16], buffer.as_mut_slice().into())
                        .unwrap(),
                );
            }
        });
    });
}

fn seal_and_open(c: &mut Criterion) {
    for suite in [Suite::Aes256Gcm, Suite::ChaCha20Poly1305] {
        let vault = Vault::in_memory(&Setup { suite, ..Setup::default() }).unwrap();
        vault.add_party("courier", "courier", None).unwrap();
        let order = Order::from_json(ORDER, &vault.policy().unwrap()).unwrap();
        let sealer = vault.sealer();
        c.bench_function(&format!("{}/seal, default policy", suite.name()), |b| {
            b.iter(|| sealer.seal(black_box(&order)).unwrap());
        });
        let sealed = sealer.seal(&order).unwrap();
        let stored = vec![StoredOrder { record: &sealed.record, secret: &sealed.secret }; 100];
        c.bench_function(&format!("{}/open 100 as courier", suite.name()), |b| {
            b.iter(|| vault.opener().open_many("courier", "delivery", black_box(&stored)).unwrap());
        });
    }
}

criterion_group!(benches, floor, seal_and_open);
criterion_main!(benches);
