//! Keys of searching: tags of records, and the names of queries in the ledger. They never leave the vault: with an index key
//! and a copy of the tags, all telephone numbers of a country are tried in hours.

use consignee_policy::{Index, PartId};

use crate::suite::{Mac, Secret};

/// IK[e, f]. Not `Clone`, and in no keyring.
pub(crate) struct IndexKey(Mac);

impl IndexKey {
    pub(crate) fn new(raw: &Secret<32>) -> Self {
        Self(Mac::new(raw))
    }

    // tag = first `bits` bits of HMAC-SHA256(IK[e, f], "consignee/v1/index" ‖ f ‖ normaliser ‖ bits ‖ form)   (docs/format.md,
    // section 4). With bits in it, a narrower tag is not the beginning of a wider one.
    pub(crate) fn tag(&self, field: PartId, index: &Index, form: &str) -> u64 {
        let [bits, ..] = index.bits().to_le_bytes(); // at most 62
        let mac = self.0.of(&[
            b"consignee/v1/index",
            &field.get().to_le_bytes(),
            &[index.normaliser.number(), bits],
            form.as_bytes(),
        ]);
        let [first, ..] = mac.as_chunks::<8>().0 else { return 0 };
        u64::from_be_bytes(*first).checked_shr(64 - index.bits()).unwrap_or(0)
    }
}

/// Names a query in the ledger: whoever has the key and a query can tell whether it was the one that was asked.
pub(crate) struct QueryKey(Mac);

impl QueryKey {
    pub(crate) fn new(raw: &Secret<32>) -> Self {
        Self(Mac::new(raw))
    }

    // HMAC-SHA256(QK, "consignee/v1/query" ‖ party key id ‖ f ‖ normaliser ‖ form). The party is in it, so that two parties'
    // searches for one value cannot be joined by readers of the ledger.
    pub(crate) fn query(&self, party: &[u8; 16], field: PartId, index: &Index, form: &str) -> [u8; 32] {
        self.0.of(&[
            b"consignee/v1/query",
            party,
            &field.get().to_le_bytes(),
            &[index.normaliser.number()],
            form.as_bytes(),
        ])
    }
}
