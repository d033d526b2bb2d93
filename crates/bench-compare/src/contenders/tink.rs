//! Tink for Rust: one keyset with one AES-256-GCM key for all fields of all orders. Record and name of the field are associated data.

use super::per_field::FieldCipher;
use crate::{Result, order::Reference};

pub(crate) struct Keyset {
    aead: Box<dyn tink_core::Aead>,
    /// Text and associated data.
    fields: Vec<(String, Vec<u8>)>,
}

impl Keyset {
    pub(crate) fn new(order: &Reference) -> Result<Self> {
        tink_aead::init();
        let handle = tink_core::keyset::Handle::new(&tink_aead::aes256_gcm_key_template())?;
        let bound = |name: &str| [&[7; 16], name.as_bytes()].concat();
        let fields = order.fields.iter().map(|field| (field.text.clone(), bound(field.name))).collect();
        Ok(Self { aead: tink_aead::new(&handle)?, fields })
    }
}

impl FieldCipher for Keyset {
    fn name(&self) -> &'static str {
        "tink-aead"
    }

    fn fields(&self) -> usize {
        self.fields.len()
    }

    fn encrypt(&self, field: usize) -> Result<Vec<u8>> {
        let (text, bound) = &self.fields[field];
        Ok(self.aead.encrypt(text.as_bytes(), bound)?)
    }

    fn decrypt(&self, field: usize, sealed: &[u8]) -> Result<Vec<u8>> {
        Ok(self.aead.decrypt(sealed, &self.fields[field].1)?)
    }
}
