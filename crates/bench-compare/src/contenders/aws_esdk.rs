//! AWS Encryption SDK: a message for each field, its data key wrapped by a raw AES key in this process.

use std::collections::HashMap;

use aws_esdk::{
    client::Client,
    material_providers::{
        client::Client as Providers,
        types::{
            AesWrappingAlg, EsdkAlgorithmSuiteId, keyring::KeyringRef,
            material_providers_config::MaterialProvidersConfig,
        },
    },
    types::aws_encryption_sdk_config::AwsEncryptionSdkConfig,
};
use tokio::runtime::{Builder, Runtime};

use super::per_field::FieldCipher;
use crate::{Result, order::Reference};

pub(crate) struct Messages {
    runtime: Runtime,
    client: Client,
    keyring: KeyringRef,
    /// With an ECDSA signature of each message, which is the SDK's default; or without.
    signed: bool,
    /// Text and encryption context.
    fields: Vec<(String, HashMap<String, String>)>,
}

impl Messages {
    pub(crate) fn new(order: &Reference, signed: bool) -> Result<Self> {
        let runtime = Builder::new_current_thread().build()?;
        let client = Client::from_conf(AwsEncryptionSdkConfig::builder().build()?)?;
        let providers = Providers::from_conf(MaterialProvidersConfig::builder().build()?)?;
        let keyring = providers
            .create_raw_aes_keyring()
            .key_namespace("bench")
            .key_name("one")
            .wrapping_key(vec![7; 32])
            .wrapping_alg(AesWrappingAlg::AlgAes256GcmIv12Tag16);
        let keyring = runtime.block_on(keyring.send())?;
        let context = |name: &str| HashMap::from([("field".to_owned(), name.to_owned())]);
        let fields = order.fields.iter().map(|field| (field.text.clone(), context(field.name))).collect();
        Ok(Self { runtime, client, keyring, signed, fields })
    }
}

impl FieldCipher for Messages {
    fn name(&self) -> &'static str {
        if self.signed { "aws-esdk-signed" } else { "aws-esdk" }
    }

    fn fields(&self) -> usize {
        self.fields.len()
    }

    fn encrypt(&self, field: usize) -> Result<Vec<u8>> {
        let (text, context) = &self.fields[field];
        let suite = if self.signed {
            EsdkAlgorithmSuiteId::AlgAes256GcmHkdfSha512CommitKeyEcdsaP384
        } else {
            EsdkAlgorithmSuiteId::AlgAes256GcmHkdfSha512CommitKey
        };
        let encrypt = self.client.encrypt().plaintext(text.as_bytes()).keyring(self.keyring.clone());
        let encrypt = encrypt.encryption_context(context.clone()).algorithm_suite_id(suite);
        let message = self.runtime.block_on(encrypt.send())?;
        Ok(message.ciphertext.ok_or("no ciphertext")?.into_inner())
    }

    fn decrypt(&self, field: usize, sealed: &[u8]) -> Result<Vec<u8>> {
        let decrypt = self.client.decrypt().ciphertext(sealed).keyring(self.keyring.clone());
        let decrypt = decrypt.encryption_context(self.fields[field].1.clone());
        let message = self.runtime.block_on(decrypt.send())?;
        Ok(message.plaintext.ok_or("no plaintext")?.into_inner())
    }
}
