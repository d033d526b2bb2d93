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
        match &self.0 {
            Prepared::Aes(cmac) => cmac.derive(input),
            Prepared::ChaCha(key) => {
                // "cns1" keeps these inputs apart from the HChaCha20 inputs of XChaCha20-Poly1305 under another key's name.
                let mut block = [0; 16];
                block[..4].copy_from_slice(b"cns1");
                block[4..].copy_from_slice(input);
                let mut out = hchacha::<R20>(key.expose().into(), &block.into());
                let secret = Secret::new(out.0);
                out.zeroize();
                secret
            }
        }
    }
}

impl Cmac {
    fn new(key: &[u8; 32]) -> Self {
        let cipher = Aes256Enc::new(key.into());
        let mut l = Block::default();
        cipher.encrypt_block(&mut l);
        Self { cipher, subkey: double(l.0) }
    }

    // C2SP XAES-256-GCM, "Overview", steps 3 to 5: the SP 800-108r1 counter-mode KDF on CMAC, whose every input is one block.
    fn derive(&self, input: &[u8; 12]) -> Secret<32> {
        let mut blocks = [Block::default(), Block::default()];
        for (block, counter) in blocks.iter_mut().zip(1u8..) {
            let mut message = [0, counter, b'X', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
            message[4..].copy_from_slice(input);
            for (b, (m, k)) in block.iter_mut().zip(message.iter().zip(&self.subkey)) {
                *b = m ^ k;
            }
        }
        self.cipher.encrypt_blocks(&mut blocks);
        let mut secret = Secret::new([0; 32]);
        let (left, right) = secret.expose_mut().split_at_mut(16);
        left.copy_from_slice(&blocks[0]);
        right.copy_from_slice(&blocks[1]);
        blocks.iter_mut().for_each(|b| b.0.zeroize());
        secret
    }
}

/// Doubling in GF(2^128) as CMAC does it (SP 800-38B, section 6.1), without a branch on the secret bit.
fn double(block: [u8; 16]) -> [u8; 16] {
    let value = u128::from_be_bytes(block);
    let carry = 0u128.wrapping_sub(value >> 127) & 0x87;
    ((value << 1) ^ carry).to_be_bytes()
}
