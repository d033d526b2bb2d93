//! A root key that this process holds.

use zeroize::Zeroizing;

use super::{RootKey, no_randomness, other_root, root_error};
use crate::{
    error::Result,
    suite::{SealRng, Secret, Suite, WrapKey, wrapped_len},
};

/// A root key held in this process; wraps by XAES-256-GCM.
pub(super) struct LocalKey(WrapKey);

impl LocalKey {
    pub(super) fn new(key: Secret<32>) -> Self {
        Self(WrapKey::new(Suite::Aes256Gcm, key))
    }
}

impl RootKey for LocalKey {
    fn wrap(&self, context: &[u8], key: &[u8; 32]) -> Result<Vec<u8>> {
        let mut wrapped = vec![0; wrapped_len(key.len())];
        // Its own generator: a clone of this machine must not wrap another key in this place under the same nonce.
        let mut rng = SealRng::seeded().map_err(|_| no_randomness())?;
        self.0
            .wrap(&mut rng, &[0; 16], context, key, &mut wrapped)
            .map_err(|_| root_error("the key cannot be wrapped"))?;
        Ok(wrapped)
    }

    fn unwrap(&self, context: &[u8], wrapped: &[u8]) -> Result<Zeroizing<[u8; 32]>> {
        let mut key = Zeroizing::new([0; 32]);
        self.0.unwrap(context, wrapped, key.as_mut_slice()).map_err(|_| {
            other_root("the root key does not open this vault")
                .with_hint("wrong passphrase or key file, or altered keys")
        })?;
        Ok(key)
    }
}
