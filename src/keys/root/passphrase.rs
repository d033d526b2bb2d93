//! A root key that is derived from a passphrase.

use argon2::{Algorithm, Argon2, Params, Version};
use zeroize::Zeroizing;

use super::{PASSPHRASE, RootKey, RootKeyProvider, local::LocalKey, no_randomness, other_root, root_error};
use crate::{
    error::Result,
    suite::{Secret, os_random},
};

/// A root key derived from a passphrase by Argon2id (RFC 9106): 256 MiB of memory, 3 passes, 1 lane for a new vault.
pub struct Passphrase(Zeroizing<String>);

/// Memory in KiB, passes, lanes of a new vault.
const NEW_COST: (u32, u32, u32) = (256 * 1024, 3, 1);
/// The least a vault's file may ask for: a forged file must not weaken the derivation …
const LEAST_COST: (u32, u32, u32) = (19 * 1024, 2, 1);
/// … nor exhaust the machine.
const MOST_COST: (u32, u32, u32) = (4 * 1024 * 1024, 16, 16);

impl Passphrase {
    /// A root key by passphrase. An empty one is refused when a vault is made.
    pub fn new(passphrase: impl Into<String>) -> Self {
        Self(Zeroizing::new(passphrase.into()))
    }
}

impl RootKeyProvider for Passphrase {
    fn new_parameters(&self) -> Result<Vec<u8>> {
        if self.0.chars().count() < 8 {
            return Err(root_error("the passphrase is too short")
                .with_hint("at least 8 characters, better 5 random words"));
        }
        let mut salt = [0; 16];
        os_random(&mut salt).map_err(|_| no_randomness())?;
        let (memory, passes, lanes) = NEW_COST;
        Ok([
            &[PASSPHRASE],
            salt.as_slice(),
            &memory.to_le_bytes(),
            &passes.to_le_bytes(),
            &lanes.to_le_bytes(),
        ]
        .concat())
    }

    fn unlock(&self, parameters: &[u8]) -> Result<Box<dyn RootKey>> {
        Ok(Box::new(LocalKey::new(self.key(parameters)?)))
    }
}

impl Passphrase {
    /// Bytes of its parameters.
    pub(in crate::keys) const PARAMETERS: usize = 1 + 16 + 3 * 4;

    /// The key that it gives under these parameters, which may be anybody's.
    pub(in crate::keys) fn key(&self, parameters: &[u8]) -> Result<Secret<32>> {
        let damaged = || root_error("the passphrase parameters are out of bounds");
        let [PASSPHRASE, rest @ ..] = parameters else {
            return Err(other_root("this vault is not opened by a passphrase")
                .with_hint("give its key file or token"));
        };
        let (salt, numbers) = rest.split_at_checked(16).ok_or_else(damaged)?;
        let numbers: &[u8; 12] = numbers.try_into().map_err(|_| damaged())?;
        let number =
            |at: usize| u32::from_le_bytes([numbers[at], numbers[at + 1], numbers[at + 2], numbers[at + 3]]);
        let cost = (number(0), number(4), number(8));
        if !is_within_bounds(cost) {
            return Err(damaged());
        }
        argon2id(&self.0, salt, cost).map_err(|_| root_error("the passphrase cannot be used"))
    }
}

fn is_within_bounds((memory, passes, lanes): (u32, u32, u32)) -> bool {
    (LEAST_COST.0..=MOST_COST.0).contains(&memory)
        && (LEAST_COST.1..=MOST_COST.1).contains(&passes)
        && (LEAST_COST.2..=MOST_COST.2).contains(&lanes)
}

pub(crate) fn argon2id(
    passphrase: &str,
    salt: &[u8],
    (memory, passes, lanes): (u32, u32, u32),
) -> argon2::Result<Secret<32>> {
    let params = Params::new(memory, passes, lanes, Some(32))?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    Secret::fill(|key| argon2.hash_password_into(passphrase.as_bytes(), salt, key))
}

#[cfg(test)]
mod tests {
    use argon2::{AssociatedData, ParamsBuilder};

    use super::*;
    use crate::{keys::KeyFile, suite::published_tests::hex};

    /// RFC 9106, section 5.3. It has a secret and associated data, which our derivation does without: this is of the crate alone.
    #[test]
    fn the_crates_argon2id_is_that_of_rfc_9106() {
        let data = AssociatedData::new(&[4; 12]).unwrap();
        let params = ParamsBuilder::new().m_cost(32).t_cost(3).p_cost(4).data(data).build().unwrap();
        let argon2 = Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, params).unwrap();
        let mut tag = [0; 32];
        argon2.hash_password_into(&[1; 32], &[2; 16], &mut tag).unwrap();
        assert_eq!(tag.as_slice(), hex("0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"));
    }

    /// phc-winner-argon2, src/test.c: Argon2id 0x13, 2 passes, 2^16 and 2^8 KiB, 1 and 2 lanes. The derivation of a whole root key
    /// is computed anew by tests/interop/check_vectors.py (tests/vectors/passphrase-good.json).
    #[test]
    fn our_argon2id_is_that_of_the_reference_implementation() {
        for (cost, key) in [
            ((1 << 16, 2, 1), "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"),
            ((1 << 8, 2, 1), "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe"),
            ((1 << 8, 2, 2), "6d093c501fd5999645e0ea3bf620d7b8be7fd2db59c20d9fff9539da2bf57037"),
        ] {
            let made = argon2id("password", b"somesalt", cost).unwrap();
            assert_eq!(made.expose().as_slice(), hex(key), "{cost:?}");
        }
    }

    fn refusal(provider: &dyn RootKeyProvider, parameters: &[u8]) -> Option<String> {
        provider.unlock(parameters).err().map(|error| error.to_string())
    }

    fn with_cost((memory, passes, lanes): (u32, u32, u32)) -> Vec<u8> {
        let numbers = [memory, passes, lanes].map(u32::to_le_bytes).concat();
        [&[PASSPHRASE], [7; 16].as_slice(), &numbers].concat()
    }

    #[test]
    fn a_new_passphrase_has_8_characters_and_costs_256_mib() {
        assert!(Passphrase::new("7 chars").new_parameters().is_err());
        let passphrase = Passphrase::new("8 chárs.");
        let [one, other] = [(); 2].map(|()| passphrase.new_parameters().unwrap());
        assert_ne!(one[1..17], other[1..17], "the salt is drawn");
        assert_eq!(
            [&one[..1], &one[17..]].concat(),
            [[2].as_slice(), &with_cost((262_144, 3, 1))[17..]].concat()
        );
        assert_eq!(KeyFile::from_bytes([1; 32]).new_parameters().unwrap(), [1]);
    }

    /// A forged file makes the derivation weak, so that the passphrase can be guessed, or lets it exhaust the machine.
    #[test]
    fn a_cost_out_of_bounds_is_refused_before_anything_is_derived() {
        let passphrase = Passphrase::new("a passphrase");
        for least in [(19_456, 2, 1), (19_456, 2, 16), (19_456, 16, 1)] {
            assert_eq!(refusal(&passphrase, &with_cost(least)), None);
        }
        // Four gibibytes are not spent on it here.
        assert!(is_within_bounds((4_194_304, 16, 16)));
        let refused = root_error("the passphrase parameters are out of bounds").to_string();
        for cost in [
            (19_455, 2, 1),
            (4_194_305, 2, 1),
            (19_456, 1, 1),
            (19_456, 17, 1),
            (19_456, 2, 0),
            (19_456, 2, 17),
        ] {
            assert_eq!(refusal(&passphrase, &with_cost(cost)), Some(refused.clone()), "{cost:?}");
        }
        let longer = [with_cost((19_456, 2, 1)), vec![0]].concat();
        assert_eq!(refusal(&passphrase, &longer), Some(refused));
    }
}
