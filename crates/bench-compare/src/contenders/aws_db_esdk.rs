//! AWS Database Encryption SDK: an item of DynamoDB with the eight fields as encrypted attributes, its data key wrapped by a raw AES
//! key in this process. An item opens whole.

use std::{collections::HashMap, hint::black_box};

use aws_db_esdk::{
    CryptoAction,
    item_encryptor::{client::Client, types::dynamo_db_item_encryptor_config::DynamoDbItemEncryptorConfig},
    material_providers::{
        client::Client as Providers,
        types::{AesWrappingAlg, DbeAlgorithmSuiteId, material_providers_config::MaterialProvidersConfig},
    },
};
use aws_sdk_dynamodb::types::AttributeValue;
use tokio::runtime::{Builder, Runtime};

use super::{Bytes, Contender, Op, same};
use crate::{Result, order::Reference};

type Attributes = HashMap<String, AttributeValue>;

/// The partition key: signed, and in the open.
const RECORD: &str = "record";

pub(crate) struct Item {
    runtime: Runtime,
    client: Client,
    /// With an ECDSA signature of each item, which is the SDK's default; or without.
    signed: bool,
    plain: Attributes,
    sealed: Attributes,
}

impl Item {
    pub(crate) fn new(order: &Reference, signed: bool) -> Result<Self> {
        let runtime = Builder::new_current_thread().build()?;
        let providers = Providers::from_conf(MaterialProvidersConfig::builder().build()?)?;
        let keyring = providers
            .create_raw_aes_keyring()
            .key_namespace("bench")
            .key_name("one")
            .wrapping_key(vec![7; 32])
            .wrapping_alg(AesWrappingAlg::AlgAes256GcmIv12Tag16);
        let suite = if signed {
            DbeAlgorithmSuiteId::AlgAes256GcmHkdfSha512CommitKeyEcdsaP384SymsigHmacSha384
        } else {
            DbeAlgorithmSuiteId::AlgAes256GcmHkdfSha512CommitKeySymsigHmacSha384
        };
        let mut actions = HashMap::from([(RECORD.to_owned(), CryptoAction::SignOnly)]);
        let mut plain = HashMap::from([(RECORD.to_owned(), AttributeValue::B(vec![7; 16].into()))]);
        for field in &order.fields {
            actions.insert(field.name.to_owned(), CryptoAction::EncryptAndSign);
            plain.insert(field.name.to_owned(), AttributeValue::S(field.text.clone()));
        }
        let config = DynamoDbItemEncryptorConfig::builder()
            .logical_table_name("orders")
            .partition_key_name(RECORD)
            .attribute_actions_on_encrypt(actions)
            .keyring(runtime.block_on(keyring.send())?)
            .algorithm_suite_id(suite)
            .build()?;
        let client = Client::from_conf(config)?;
        let mut item = Self { runtime, client, signed, plain, sealed: HashMap::new() };
        item.sealed = item.seal()?;
        Ok(item)
    }

    fn seal(&self) -> Result<Attributes> {
        let encrypt = self.client.encrypt_item().plaintext_item(self.plain.clone());
        Ok(self.runtime.block_on(encrypt.send())?.encrypted_item.ok_or("no item")?)
    }

    fn open(&self) -> Result<Attributes> {
        let decrypt = self.client.decrypt_item().encrypted_item(self.sealed.clone());
        Ok(self.runtime.block_on(decrypt.send())?.plaintext_item.ok_or("no item")?)
    }
}

impl Contender for Item {
    fn name(&self) -> &'static str {
        if self.signed { "aws-db-esdk-signed" } else { "aws-db-esdk" }
    }

    /// Values of the attributes, header and footer included, without their names and the partition key.
    fn bytes(&self) -> Bytes {
        let values = self.sealed.iter().filter(|(name, _)| *name != RECORD).map(|(_, value)| value);
        let lengths = values.filter_map(|value| Some(value.as_b().ok()?.as_ref().len()));
        Bytes { order: lengths.sum(), secret: 0 }
    }

    fn check(&mut self, order: &Reference) -> Result<()> {
        let opened = self.open()?;
        for field in &order.fields {
            let value = opened.get(field.name).and_then(|value| value.as_s().ok());
            same(value.ok_or("a field is missing")?.as_bytes(), &field.text)?;
            if self.sealed.get(field.name).is_none_or(|value| !value.is_b()) {
                return Err("a field is not encrypted".into());
            }
        }
        Ok(())
    }

    fn run(&mut self, op: Op) -> Result<usize> {
        match op {
            Op::Seal => drop(black_box(self.seal()?)),
            Op::OpenCourier | Op::OpenAll => drop(black_box(self.open()?)),
            Op::Disclose => return Ok(0),
        }
        Ok(1)
    }
}
