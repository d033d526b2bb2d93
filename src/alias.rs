//! Aliases: the order number one party sees in place of the real one (`docs/format.md`, section 9).
//!
//! Encrypted, not hashed: no table is needed to read one, different parties' aliases of one order share nothing, and a made-up
//! string is somebody's alias with probability below 10^-6.

use std::fmt;

use aes::Aes256;
use fpe::ff1::{FF1, FlexibleNumeralString};

use crate::{keys::VaultId, suite::Secret};

/// Parties an alias can name: 18 bits.
pub(crate) const MAX_PARTY: u32 = (1 << 18) - 1;
/// Orders an alias can name: 36 bits.
pub(crate) const MAX_SERIAL: u64 = (1 << 36) - 1;
const RADIX: u32 = 32;
const NUMERALS: usize = 12;
/// Crockford's base 32.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// An alias as it is printed: `XXXX-XXXX-XXXX-C`. A real order number never looks like this to the vault: it tries the order
/// number first.
#[derive(Clone, PartialEq, Eq)]
pub struct Alias([u8; NUMERALS + 1]);

impl Alias {
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
        for c in text.bytes().filter(|c| *c != b'-') {
            let c = match c.to_ascii_uppercase() {
                b'I' | b'L' => b'1',
                b'O' => b'0',
                c => c,
            };
            *slots.next()? = u8::try_from(DIGITS.iter().position(|digit| *digit == c)?).ok()?;
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
        let block = u64::from(party) << 42 | serial << 6;
        let numerals =
            (0..NUMERALS).rev().map(|at| u16::try_from(block >> (5 * at) & 31).unwrap_or_default());
        let numerals: Vec<u16> = numerals.collect();
        let sealed = self.ff1.encrypt(&self.tweak, &FlexibleNumeralString::from(numerals)).ok()?;
        let sealed: Vec<u16> = sealed.into();
        let mut alias = [0; NUMERALS + 1];
        for (slot, numeral) in alias.iter_mut().zip(sealed) {
            *slot = u8::try_from(numeral).ok()?;
        }
        alias[NUMERALS] = check_numeral(&alias[..NUMERALS]);
        Some(Alias(alias))
    }

    /// Party number and order serial of an alias; `None` for one this vault never made.
    pub(crate) fn resolve(&self, alias: &Alias) -> Option<(u32, u64)> {
        let numerals: Vec<u16> = alias.0[..NUMERALS].iter().map(|n| u16::from(*n)).collect();
        let plain: Vec<u16> =
            self.ff1.decrypt(&self.tweak, &FlexibleNumeralString::from(numerals)).ok()?.into();
        let block = plain.iter().fold(0u64, |block, numeral| block << 5 | u64::from(*numeral));
        (block & 63 == 0).then(|| (u32::try_from(block >> 42).unwrap_or(u32::MAX), block >> 6 & MAX_SERIAL))
    }
}

/// c0 with c0 ⊕ Σ α^j·c_j = 0 (j = 1 … 12) in GF(32), x^5 + x^2 + 1. The weights differ and none is 0 or 1, so every single
/// wrong character and every swap of two changes it.
fn check_numeral(numerals: &[u8]) -> u8 {
    let double = |n: u8| if n & 16 == 0 { n << 1 } else { (n << 1 & 31) ^ 0b00101 };
    // Horner from the last numeral: ((c12·α ⊕ c11)·α ⊕ …)·α
    numerals.iter().rev().fold(0, |sum, numeral| double(sum ^ numeral))
}

#[cfg(test)]
mod tests {
    use super::*;

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
