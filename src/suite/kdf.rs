//! KDF(key, 12 bytes) → 32 bytes, with the key's schedule ready.

use aes::{
    Aes256Enc, Block,
    cipher::{BlockCipherEncrypt, KeyInit},
};
use chacha20::{R20, hchacha};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{Secret, Suite};

/// A key that only ever derives, prepared for its suite.
pub(crate) struct Kdf(Prepared);

// A key of either kind lives in place: a pointer more would cost each derivation a cache line.
#[expect(clippy::large_enum_variant, reason = "see above")]
enum Prepared {
    Aes(Cmac),
    ChaCha(Secret<32>),
}

/// AES-256 schedule and the CMAC subkey for a message of whole blocks.
#[derive(ZeroizeOnDrop)]
struct Cmac {
    cipher: Aes256Enc,
    subkey: [u8; 16],
}

impl Kdf {
    pub(crate) fn new(suite: Suite, key: &[u8; 32]) -> Self {
        Self(match suite {
            Suite::Aes256Gcm => Prepared::Aes(Cmac::new(key)),
            Suite::ChaCha20Poly1305 => Prepared::ChaCha(Secret::new(*key)),
        })
    }

    /// A pseudorandom function of `input` under this key.
    pub(crate) fn derive(&self, input: &[u8; 12]) -> Secret<32> {
        let mut secret = Secret::new([0; 32]);
        self.derive_all(std::slice::from_ref(input), std::slice::from_mut(&mut secret));
        secret
    }

    /// The same of several inputs, into as many secrets. With AES, 32 at a time cost little more than one.
    pub(crate) fn derive_all(&self, inputs: &[[u8; 12]], out: &mut [Secret<32>]) {
        match &self.0 {
            Prepared::Aes(cmac) => {
                for (inputs, out) in inputs.chunks(DERIVED_AT_ONCE).zip(out.chunks_mut(DERIVED_AT_ONCE)) {
                    match inputs.len() {
                        0 | 1 => cmac.derive::<2>(inputs, out),
                        2..=8 => cmac.derive::<16>(inputs, out),
                        _ => cmac.derive::<{ 2 * DERIVED_AT_ONCE }>(inputs, out),
                    }
                }
            }
            Prepared::ChaCha(key) => {
                for (input, out) in inputs.iter().zip(out) {
                    // "cns1" keeps these inputs apart from the HChaCha20 inputs of XChaCha20-Poly1305 under another key's name.
                    let mut block = [0; 16];
                    block[..4].copy_from_slice(b"cns1");
                    block[4..].copy_from_slice(input);
                    *out = hchacha20(key, &block);
                }
            }
        }
    }
}

/// HChaCha20 (draft-irtf-cfrg-xchacha-03, section 2.2).
pub(super) fn hchacha20(key: &Secret<32>, input: &[u8; 16]) -> Secret<32> {
    let mut made = hchacha::<R20>(key.expose().into(), input.into());
    let secret = Secret::new(made.0);
    made.as_mut_slice().zeroize();
    secret
}

/// Derivations in one call of the cipher: 64 blocks, as many as the widest of its backends takes.
pub(crate) const DERIVED_AT_ONCE: usize = 32;

impl Cmac {
    fn new(key: &[u8; 32]) -> Self {
        let cipher = Aes256Enc::new(key.into());
        let mut l = Block::default();
        cipher.encrypt_block(&mut l);
        Self { cipher, subkey: double(l.0) }
    }

    // C2SP XAES-256-GCM, "Overview", steps 3 to 5: the SP 800-108r1 counter-mode KDF on CMAC, whose every input is one block.
    // Two of the `BLOCKS` for each input.
    fn derive<const BLOCKS: usize>(&self, inputs: &[[u8; 12]], out: &mut [Secret<32>]) {
        let mut blocks = [Block::default(); BLOCKS];
        let (pairs, _) = blocks.as_chunks_mut::<2>();
        for (pair, input) in pairs.iter_mut().zip(inputs) {
            for (block, counter) in pair.iter_mut().zip(1u8..) {
                let mut message = [0, counter, b'X', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
                message[4..].copy_from_slice(input);
                block.0 = (u128::from_le_bytes(message) ^ u128::from_le_bytes(self.subkey)).to_le_bytes();
            }
        }
        let used = blocks.len().min(2 * inputs.len());
        let blocks = blocks.get_mut(..used).unwrap_or_default();
        self.cipher.encrypt_blocks(blocks);
        let (pairs, _) = blocks.as_chunks_mut::<2>();
        for (secret, pair) in out.iter_mut().zip(pairs) {
            let (left, right) = secret.expose_mut().split_at_mut(16);
            left.copy_from_slice(&pair[0]);
            right.copy_from_slice(&pair[1]);
            pair.iter_mut().for_each(|block| block.as_mut_slice().zeroize());
        }
    }
}

/// Doubling in GF(2^128) as CMAC does it (SP 800-38B, section 6.1), without a branch on the secret bit.
fn double(block: [u8; 16]) -> [u8; 16] {
    let value = u128::from_be_bytes(block);
    let carry = 0u128.wrapping_sub(value >> 127) & 0x87;
    ((value << 1) ^ carry).to_be_bytes()
}
