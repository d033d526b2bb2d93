//! Single steps of the keys.

use std::{hint::black_box, sync::Arc};

use consignee_policy::PartId;

use crate::{
    alias::{Alias, AliasKey},
    error::Result,
    keys::{
        EpochKeys, FieldKey, HandleKey, IdKey, Keyring, OrderSecret, RecordId, ReleaseKey, RowContext,
        VaultId,
    },
    sealer::{no_randomness, record_commitment},
    suite::{SealRng, Secret, Suite},
};

/// Keys of no vault, and what is made with them. What is secret stays in here.
pub struct KeySteps {
    epochs: Vec<Arc<EpochKeys>>,
    parts: Vec<PartId>,
    context: RowContext,
    secret: OrderSecret,
    handle_key: HandleKey,
    release: ReleaseKey,
    wrapped: Vec<u8>,
    id_key: IdKey,
    alias_key: Option<AliasKey>,
    rng: SealRng,
    ticket_parts: Vec<Secret<32>>,
}

impl KeySteps {
    /// So many epochs of a suite, each with field keys of the parts from 1 on.
    ///
    /// # Errors
    /// `RootKey` where the operating system gives no random bytes.
    pub fn new(suite: Suite, epochs: u32, parts: u16) -> Result<Self> {
        let mut rng = SealRng::seeded().map_err(|_| no_randomness())?;
        let parts: Vec<PartId> = (1..=parts).filter_map(PartId::new).collect();
        let mut epoch = |number| {
            let keys = parts.iter().map(|part| (*part, Arc::new(FieldKey::new(suite, rng.secret()))));
            Arc::new(EpochKeys::new(number, suite, keys.collect(), Vec::new()))
        };
        let epochs = (1..=epochs).map(&mut epoch).collect();
        let vault = VaultId([7; 16]);
        let mut steps = Self {
            epochs,
            parts,
            context: RowContext {
                vault,
                record_id: RecordId([7; 16]),
                n1: [7; 10],
                revision: 1,
                generation: 1,
                put_at: 1,
                serial: 1,
                policy: 0,
            },
            secret: OrderSecret::draw(suite, &mut rng),
            handle_key: HandleKey::draw(&mut rng),
            release: ReleaseKey::new(1, suite, rng.secret()),
            wrapped: Vec::new(),
            id_key: IdKey::new(&rng.secret()),
            alias_key: AliasKey::new(vault, &rng.secret()),
            rng,
            ticket_parts: Vec::new(),
        };
        steps.wrap()?;
        steps.ticket_parts();
        Ok(steps)
    }

    /// The key of one part's data: one derivation, and the ticket part.
    pub fn data_key(&self) {
        let key = self.epochs.first().and_then(|epoch| epoch.get(*self.parts.first()?));
        black_box(key.zip(self.ticket_parts.first()).map(|(key, part)| key.data_key(&self.context.n1, part)));
    }

    /// The ticket parts of all parts. Returns their number.
    pub fn ticket_parts(&mut self) -> usize {
        let parts = self.parts.iter().copied();
        self.secret.ticket_parts(self.context.record_id, parts, &mut self.ticket_parts);
        self.ticket_parts.len()
    }

    /// Wraps the order secret and the handle key.
    ///
    /// # Errors
    /// `RootKey` where the operating system gives no random bytes.
    pub fn wrap(&mut self) -> Result<()> {
        let Self { release, rng, context, secret, handle_key, wrapped, .. } = self;
        let made = release.wrap_secret(rng, context, secret, handle_key).map_err(|_| no_randomness())?;
        wrapped.clear();
        wrapped.extend_from_slice(&made);
        Ok(())
    }

    /// Unwraps them. Returns whether they came out.
    pub fn unwrap(&self) -> bool {
        let unwrapped = self.release.unwrap_secret(&self.context, self.release.suite, &self.wrapped);
        black_box(unwrapped).is_ok()
    }

    /// A keyring of all parts and epochs.
    pub fn keyring(&self) {
        black_box(Keyring::of(&self.epochs, &self.parts));
    }

    /// An alias.
    pub fn alias(&self, party: u32, serial: u64) -> Option<Alias> {
        self.alias_key.as_ref()?.alias(party, serial)
    }

    /// Party and serial of an alias.
    pub fn resolve(&self, alias: &Alias) -> Option<(u32, u64)> {
        self.alias_key.as_ref()?.resolve(alias)
    }

    /// What an order is known by, from its number.
    pub fn record_id(&self, order_no: &str) -> RecordId {
        self.id_key.record_id(order_no)
    }

    /// A fingerprint of values.
    pub fn fingerprint(&self, values: &[u8]) -> [u8; 16] {
        self.id_key.fingerprint(self.context.record_id, &self.secret, values)
    }

    /// What the ledger calls the order.
    pub fn handle(&self) -> [u8; 16] {
        self.handle_key.handle(&[7; 16])
    }

    /// The three commitments of a put.
    pub fn commitments(&self, sealed: &[u8], order_no: &str) -> [[u8; 32]; 3] {
        let Self { context, secret, handle_key, .. } = self;
        [
            record_commitment(sealed),
            secret.commitment(context.record_id, &context.n1),
            handle_key.order_commitment(context.record_id, order_no),
        ]
    }
}
