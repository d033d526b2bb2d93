//! What a folder tells of an order: its key, parties, policies and entries, and what becomes plain by them.

use std::collections::{BTreeMap, HashMap};

use base64::{Engine, engine::general_purpose::STANDARD};
use consignee_policy::{PartId, Policy};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::json;
use zeroize::Zeroizing;

use super::{digits, from_digits, plaintext::KeyJson};
use crate::{
    error::{Error, ErrorKind, Result},
    keys::{
        HandleKey, PublicKey, RecordId, Sought, VAULT_PARTY, VaultId, disclosure_commitment, party_key_id,
    },
    ledger::{Entry, EntryKind, EntryPlace},
    record::Record,
    registry::party_commitment,
    suite::Secret,
    value::Value,
    who_saw::NamedPart,
};

/// `order.json`: whoever has it finds every entry of the order.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OrderJson {
    pub(super) order_no: String,
    record_id: String,
    handle_key: SecretText,
}

impl OrderJson {
    pub(super) fn of(order_no: &str, record_id: RecordId, handle_key: &HandleKey) -> Self {
        let handle_key = SecretText(Secret::new(*handle_key.expose()));
        Self { order_no: order_no.to_owned(), record_id: digits(&record_id.0), handle_key }
    }

    pub(super) fn record_id(&self) -> Result<RecordId> {
        let wrong = || Error::new(ErrorKind::Damaged, "order.json does not follow its format");
        from_digits(&self.record_id).map(RecordId).ok_or_else(wrong)
    }

    pub(super) fn handle_key(&self) -> HandleKey {
        HandleKey::new(Secret::new(*self.handle_key.0.expose()))
    }
}

/// 32 secret bytes in base64.
pub(super) struct SecretText(pub(super) Secret<32>);

impl Serialize for SecretText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Zeroizing::new(STANDARD.encode(self.0.expose())))
    }
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        let bytes = STANDARD.decode(text.as_bytes()).map(Zeroizing::new);
        let bytes = bytes.ok().and_then(|bytes| Some(Secret::new(bytes.as_slice().try_into().ok()?)));
        bytes.map(Self).ok_or_else(|| de::Error::custom("32 bytes in base64"))
    }
}

/// `parties/<key id>.json`: what opens a party's entries, and shows that the key id is its own.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PartyJson {
    pub(super) number: u32,
    pub(super) name: String,
    pub(super) role: String,
    #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
    pub(super) lines: Option<String>,
    salt: SecretText,
    /// The key that it had under this id; none from before it had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) public_key: Option<PublicKey>,
}

impl PartyJson {
    pub(super) fn of(opening: &crate::registry::PartyOpening<'_>) -> Self {
        let party = opening.party;
        Self {
            number: party.number,
            name: party.name.clone(),
            role: party.role.clone(),
            lines: party.lines.clone(),
            salt: SecretText(Secret::new(party.salt)),
            public_key: party.keys.iter().find(|key| key.as_bytes() == opening.public).cloned(),
        }
    }

    pub(super) fn key_id(&self, vault: VaultId) -> [u8; 16] {
        party_key_id(vault, self.number, self.public_key.as_ref().map_or(&[], PublicKey::as_bytes))
    }

    /// What its entries of type party commit to.
    pub(super) fn commitment(&self) -> [u8; 32] {
        let lines = self.lines.as_deref().unwrap_or_default();
        party_commitment(self.salt.0.expose(), &self.role, &self.name, lines)
    }
}

/// `openings/<entry>.json`: what opens an entry's commitment, or why it stays closed.
#[derive(Serialize, Deserialize)]
#[serde(tag = "opened", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum OpeningJson {
    /// The sealed record.
    Record {
        record: String,
    },
    /// Parts of a record with their tickets.
    Disclosure {
        lines: String,
        record: String,
        parts: Vec<PartJson>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        field_keys: Vec<KeyJson>,
    },
    /// A copy, as the party revealed it.
    Copy {
        lines: String,
        revealed: String,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        field_keys: Vec<KeyJson>,
    },
    No {
        why: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PartJson {
    pub(super) part: u16,
    pub(super) t: SecretText,
}

/// The commitment to parts of a record with their tickets.
pub(super) fn commitment_of_parts(
    party: [u8; 16],
    lines: &str,
    record: &[u8],
    parts: &[(PartId, Secret<32>)],
) -> Result<[u8; 32]> {
    let record = Record::parse(record)?;
    let missing = || Error::new(ErrorKind::Damaged, "the record has not a part that is opened");
    let ciphertext = |(part, _): &(PartId, _)| record.parts().find(|(id, _)| id == part).ok_or_else(missing);
    let sought = parts.iter().map(ciphertext).collect::<Result<Vec<_>>>()?;
    let record_id = record.header.record_id;
    let sought = Sought { record_id, party, lines, head: record.head(), parts: &sought };
    Ok(disclosure_commitment(&sought, parts.iter().map(|(_, secret)| secret)))
}

/// Whether an entry's commitment was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Opening {
    /// It holds: of the sealed record, or of the parts that were disclosed.
    Holds,
    /// It was not opened, for this reason.
    Closed(String),
}

/// One entry of the order, proven to be in the ledger.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ProvenEntry {
    /// Where it stands.
    pub place: EntryPlace,
    /// The entry.
    pub entry: Entry,
    /// Name and role of the party whose entry it is; none for what the vault did itself.
    pub party: Option<(String, String)>,
    /// The parts concerned, by the names of the policy of the entry.
    pub parts: Vec<NamedPart>,
    /// Whether what it commits to was opened.
    pub opening: Opening,
    /// The values that were disclosed, where field keys were given for them.
    pub values: Vec<(NamedPart, Value)>,
    /// Whether the party's signed request was checked; none where the entry names none.
    pub requested: Option<bool>,
}

/// For what an entry is in a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    /// What the vault did with the order.
    Vault,
    /// What this key id of a party was given of the order.
    Party([u8; 16]),
    /// The vault compared the order with a search.
    Compared,
    /// What the others need: policies, parties, grants, searches.
    Context,
}

/// What a folder tells of an order.
pub(super) struct Material {
    pub(super) vault: VaultId,
    pub(super) order_no: String,
    pub(super) record_id: RecordId,
    pub(super) handle_key: HandleKey,
    pub(super) parties: BTreeMap<[u8; 16], PartyJson>,
    pub(super) policies: BTreeMap<[u8; 32], Policy>,
    pub(super) entries: BTreeMap<EntryPlace, Entry>,
}

impl Material {
    pub(super) fn own(&self) -> [u8; 16] {
        party_key_id(self.vault, VAULT_PARTY, &[])
    }

    /// What the order's own entries must commit to.
    pub(super) fn order_commitment(&self) -> [u8; 32] {
        self.handle_key.order_commitment(self.record_id, &self.order_no)
    }

    /// For what each entry is here; `Damaged` for one that is for nothing.
    pub(super) fn about(&self) -> Result<BTreeMap<EntryPlace, About>> {
        let own = self.own();
        let mut handles = HashMap::from([(self.handle_key.handle(&own), About::Vault)]);
        handles.extend(self.parties.keys().map(|id| (self.handle_key.handle(id), About::Party(*id))));
        for search in self.entries.values().filter(|entry| entry.kind == EntryKind::Search) {
            if let Some((query, _)) = search.detail.split_first_chunk() {
                handles.entry(self.handle_key.handle(query)).or_insert(About::Compared);
            }
        }
        let about = |(place, entry): (&EntryPlace, &Entry)| {
            let about = handles
                .get(&entry.handle)
                .copied()
                .or_else(|| self.is_context(entry).then_some(About::Context));
            // A handle cannot be made without the order's key, and can be copied: beside another's id it accuses nobody.
            let is_its_own = match about {
                Some(About::Party(id)) => entry.party == id,
                Some(About::Vault | About::Compared) => entry.party == own,
                _ => true,
            };
            let about = about.filter(|_| is_its_own).ok_or_else(|| {
                Error::new(ErrorKind::Damaged, format!("entry {place} is not of this order"))
            })?;
            Ok((*place, about))
        };
        self.entries.iter().map(about).collect()
    }

    fn is_context(&self, entry: &Entry) -> bool {
        match entry.kind {
            EntryKind::Policy => self.policies.contains_key(&entry.policy),
            EntryKind::Party | EntryKind::Grant | EntryKind::Revoke => {
                self.parties.contains_key(&entry.party)
            }
            EntryKind::Search | EntryKind::Epoch => true,
            _ => false,
        }
    }

    pub(super) fn parts(&self, entry: &Entry) -> Vec<NamedPart> {
        let name = |id| Some(self.policies.get(&entry.policy)?.part(id)?.name.to_owned());
        entry.parts.iter().map(|id| NamedPart { id: *id, name: name(*id) }).collect()
    }

    /// `entries.json`: the entries of the order in words, and what the others say in short.
    pub(super) fn in_words(&self) -> Result<String> {
        let mut words = Vec::new();
        for (place, about) in self.about()? {
            let Some(entry) = self.entries.get(&place) else { continue };
            let party = self.parties.get(&entry.party);
            let parts = self.parts(entry).into_iter();
            let parts = parts.map(|part| part.name.unwrap_or_else(|| format!("part {}", part.id)));
            words.push(json!({
                "entry": place.to_string(),
                "time": i64::try_from(entry.time).ok().and_then(|s| jiff::Timestamp::from_second(s).ok()).map(|t| t.to_string()),
                "what": entry.kind.name(),
                "of_order": about != About::Context,
                "compared_only": about == About::Compared,
                "who": party.map_or("vault", |party| &party.name),
                "role": party.map(|party| &party.role),
                "purpose": entry.purpose,
                "parts": parts.collect::<Vec<_>>(),
                "revision": entry.revision,
                "copy_sent_out": entry.kind == EntryKind::Disclosure && entry.detail.first() == Some(&1),
                "policy": digits(&entry.policy),
                "request": (entry.request != [0; 32]).then(|| digits(&entry.request)),
            }));
        }
        let text = serde_json::to_string_pretty(&words);
        text.map(|text| text + "\n")
            .map_err(|_| Error::new(ErrorKind::Damaged, "entries cannot be put in words"))
    }
}
