//! The secrets of one order, and the rows that keep them wrapped under the release key.

use consignee_policy::PartId;
use zeroize::Zeroizing;

use super::{RecordId, VaultId};
use crate::suite::{Kdf, Mac, SealRng, Secret, Suite, Unauthentic, WrapKey, commit, join_into, wrapped_len};

/// Most parts of a record.
const MOST_PARTS: usize = 96;

/// OS, the secret of one sealing. Its ticket parts say which order may be opened.
///
/// Drawn inside the sealing and never accepted from outside: with one secret for two sealings, whoever holds the field keys
/// knows the XOR of their data keys, and an old ticket opens the newer record.
pub(crate) struct OrderSecret {
    suite: Suite,
    raw: Secret<32>,
    /// Of an order that has been closed: its row is wrapped under another label, so that nobody opens it again by changing a column.
    pub(crate) closed: bool,
}

impl OrderSecret {
    pub(crate) fn draw(suite: Suite, rng: &mut SealRng) -> Self {
        Self::new(suite, rng.secret())
    }

    pub(crate) fn new(suite: Suite, raw: Secret<32>) -> Self {
        Self { suite, raw, closed: false }
    }

    /// Made anew for each use, of which an order has one or two: its key schedule is long, and secrets are handed from call to call.
    fn kdf(&self) -> Kdf {
        Kdf::new(self.suite, self.raw.expose())
    }

    // T[f] = KDF(OS, record_id[..8] ‖ f ‖ 0). The id in it keeps two orders apart that a cloned machine sealed with equal secrets.
    fn input(id: RecordId, part: PartId) -> [u8; 12] {
        let mut input = [0; 12];
        input[..8].copy_from_slice(&id.0[..8]);
        input[8..10].copy_from_slice(&part.get().to_le_bytes());
        input
    }

    /// The ticket parts of these parts, in their order, into `out`.
    pub(crate) fn ticket_parts(
        &self,
        id: RecordId,
        parts: impl Iterator<Item = PartId>,
        out: &mut Vec<Secret<32>>,
    ) {
        const CHUNK: usize = 8;
        out.clear();
        // At once, while it is empty: growing would leave copies of secrets behind.
        out.reserve(parts.size_hint().1.unwrap_or(MOST_PARTS));
        let kdf = self.kdf();
        let (mut inputs, mut count) = ([[0; 12]; CHUNK], 0);
        let mut derive = |inputs: &[[u8; 12]]| {
            let from = out.len();
            out.resize_with(from + inputs.len(), || Secret::new([0; 32]));
            kdf.derive_all(inputs, out.get_mut(from..).unwrap_or_default());
        };
        for part in parts {
            inputs[count] = Self::input(id, part);
            count += 1;
            if count == CHUNK {
                derive(&inputs);
                count = 0;
            }
        }
        derive(&inputs[..count]);
    }

    #[cfg(test)]
    pub(crate) fn ticket_part(&self, id: RecordId, part: PartId) -> Secret<32> {
        self.kdf().derive(&Self::input(id, part))
    }

    #[cfg(test)]
    pub(crate) fn bytes(&self) -> [u8; 32] {
        *self.raw.expose()
    }

    pub(crate) fn commitment(&self, id: RecordId, n1: &[u8; 10]) -> [u8; 32] {
        commit("consignee/v1/commit/os", &[&id.0, n1, self.raw.expose()])
    }

    pub(super) fn expose(&self) -> &[u8; 32] {
        self.raw.expose()
    }
}

/// HK, one per order for all its revisions. It finds the order's entries in the ledger and opens nothing.
pub(crate) struct HandleKey(Secret<32>);

impl HandleKey {
    pub(crate) fn draw(rng: &mut SealRng) -> Self {
        Self(rng.secret())
    }

    pub(crate) fn new(raw: Secret<32>) -> Self {
        Self(raw)
    }

    #[cfg(test)]
    pub(crate) fn bytes(&self) -> [u8; 32] {
        *self.0.expose()
    }

    /// For what goes to whoever is to find the order's entries: the shopper, an expert.
    #[allow(dead_code)] // for what is built on this
    pub(crate) fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }

    /// What the ledger calls the order towards one party: two parties cannot join their entries.
    pub(crate) fn handle(&self, party_key_id: &[u8; 16]) -> [u8; 16] {
        Mac::new(&self.0).id(&[b"consignee/v1/handle", party_key_id])
    }

    /// Binds the handles to the order number, so that a shop cannot later show another order's entries as this one's.
    pub(crate) fn order_commitment(&self, id: RecordId, order_no: &str) -> [u8; 32] {
        commit("consignee/v1/commit/order", &[self.0.expose(), &id.0, order_no.as_bytes()])
    }

    pub(crate) fn reason_commitment(&self, id: RecordId, reason: &str) -> [u8; 32] {
        commit("consignee/v1/commit/reason", &[self.0.expose(), &id.0, reason.as_bytes()])
    }
}

/// What outlives a shredded order: who saw it can still be proved, and why it was shredded.
pub(crate) struct Evidence {
    pub(crate) handle_key: HandleKey,
    pub(crate) reason: String,
}

/// Where a secret row belongs; bound by its wrap, so that no column can be changed or moved.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowContext {
    pub(crate) vault: VaultId,
    pub(crate) record_id: RecordId,
    pub(crate) n1: [u8; 10],
    pub(crate) revision: u32,
    pub(crate) generation: u32,
    pub(crate) put_at: u64,
    pub(crate) serial: u64,
    pub(crate) policy: u32,
}

/// Bytes of a row's associated data, a multiple of 64 for the sake of speed, as with a record's.
const BOUND: usize = 128;

impl RowContext {
    // label ‖ vault id ‖ record id ‖ N1 ‖ revision ‖ generation ‖ put time ‖ serial ‖ policy ‖ zeros   (docs/format.md, section 4)
    fn associated_data(&self, label: &[u8]) -> [u8; BOUND] {
        let pieces: [&[u8]; 9] = [
            label,
            &self.vault.0,
            &self.record_id.0,
            &self.n1,
            &self.revision.to_le_bytes(),
            &self.generation.to_le_bytes(),
            &self.put_at.to_le_bytes(),
            &self.serial.to_le_bytes(),
            &self.policy.to_le_bytes(),
        ];
        let mut bytes = [0; BOUND];
        join_into(&mut bytes, &pieces);
        bytes
    }
}

const SECRET: &[u8] = b"consignee/v1/secret";
const CLOSED: &[u8] = b"consignee/v1/closed";
const EVIDENCE: &[u8] = b"consignee/v1/evidence";
/// Under which a row may be wrapped: each says what it is good for, and a row that moves to another key keeps its own.
const LABELS: [&[u8]; 3] = [SECRET, CLOSED, EVIDENCE];
/// Length of a wrapped secret.
const WRAPPED: usize = wrapped_len(64);

fn label_of(closed: bool) -> &'static [u8] {
    if closed { CLOSED } else { SECRET }
}

/// RK[g], wraps the secret rows. Destroying a generation makes final what was shredded under it.
pub(crate) struct ReleaseKey {
    pub(crate) generation: u32,
    pub(crate) suite: Suite,
    key: WrapKey,
}

impl ReleaseKey {
    pub(crate) fn new(generation: u32, suite: Suite, key: Secret<32>) -> Self {
        Self { generation, suite, key: WrapKey::new(suite, key) }
    }

    pub(crate) fn wrap_secret(
        &self,
        rng: &mut SealRng,
        context: &RowContext,
        secret: &OrderSecret,
        handle_key: &HandleKey,
    ) -> Result<[u8; WRAPPED], Unauthentic> {
        let mut both = Secret::new([0; 64]);
        let (first, second) = both.expose_mut().split_at_mut(32);
        first.copy_from_slice(secret.expose());
        second.copy_from_slice(handle_key.0.expose());
        let mut wrapped = [0; WRAPPED];
        self.key.wrap(
            rng,
            &context.record_id.0,
            &context.associated_data(label_of(secret.closed)),
            both.expose(),
            &mut wrapped,
        )?;
        Ok(wrapped)
    }

    /// Opens a row. `suite` is that of the epoch the record was sealed in.
    pub(crate) fn unwrap_secret(
        &self,
        context: &RowContext,
        suite: Suite,
        wrapped: &[u8],
    ) -> Result<(OrderSecret, HandleKey), Unauthentic> {
        let mut both = Secret::new([0; 64]);
        let mut opens = |closed| {
            let bound = context.associated_data(label_of(closed));
            self.key.unwrap(&bound, wrapped, both.expose_mut()).map(|()| closed)
        };
        let closed = opens(false).or_else(|_| opens(true))?;
        let (halves, _) = both.expose().as_chunks::<32>();
        let [secret, handle_key] = halves else { return Err(Unauthentic) };
        let secret = OrderSecret { closed, ..OrderSecret::new(suite, Secret::new(*secret)) };
        Ok((secret, HandleKey(Secret::new(*handle_key))))
    }

    /// Moves what is wrapped in a row to another release key, under the label that it opens under: it is good for what it was good
    /// for. `context` is the row's, as it is.
    pub(crate) fn rewrap(
        &self,
        to: &Self,
        rng: &mut SealRng,
        context: &RowContext,
        wrapped: &[u8],
    ) -> Result<Vec<u8>, Unauthentic> {
        let len = wrapped.len().checked_sub(wrapped_len(0)).ok_or(Unauthentic)?;
        let mut bytes = Zeroizing::new(vec![0; len]);
        let unwrap =
            |label: &&&[u8]| self.key.unwrap(&context.associated_data(label), wrapped, &mut bytes).is_ok();
        let label = LABELS.iter().find(unwrap).ok_or(Unauthentic)?;
        let context = RowContext { generation: to.generation, ..*context };
        let mut moved = vec![0; wrapped.len()];
        to.key.wrap(rng, &context.record_id.0, &context.associated_data(label), &bytes, &mut moved)?;
        Ok(moved)
    }

    pub(crate) fn wrap_evidence(
        &self,
        rng: &mut SealRng,
        context: &RowContext,
        evidence: &Evidence,
    ) -> Result<Vec<u8>, Unauthentic> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(32 + evidence.reason.len()));
        bytes.extend_from_slice(evidence.handle_key.0.expose());
        bytes.extend_from_slice(evidence.reason.as_bytes());
        let mut wrapped = vec![0; wrapped_len(bytes.len())];
        self.key.wrap(rng, &context.record_id.0, &context.associated_data(EVIDENCE), &bytes, &mut wrapped)?;
        Ok(wrapped)
    }

    pub(crate) fn unwrap_evidence(
        &self,
        context: &RowContext,
        wrapped: &[u8],
    ) -> Result<Evidence, Unauthentic> {
        let len = wrapped.len().checked_sub(wrapped_len(0)).ok_or(Unauthentic)?;
        let mut bytes = Zeroizing::new(vec![0; len]);
        self.key.unwrap(&context.associated_data(EVIDENCE), wrapped, &mut bytes)?;
        let (key, reason) = bytes.split_first_chunk::<32>().ok_or(Unauthentic)?;
        let handle_key = HandleKey(Secret::new(*key));
        Ok(Evidence { handle_key, reason: String::from_utf8(reason.to_vec()).map_err(|_| Unauthentic)? })
    }
}
