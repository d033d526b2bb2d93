//! Values in evidence: field keys that were given away, and what they open with the tickets beside them.

use std::sync::Arc;

use consignee_policy::{PartId, Policy};
use serde::{Deserialize, Serialize};

use super::material::{Material, SecretText};
use crate::{
    error::{Error, ErrorKind, Result},
    keys::{EpochKeys, FieldKey, Halves, Keyring, Ticket},
    ledger::{EntryKind, EntryPlace},
    record::{self, Plaintext, Record},
    registry::Registry,
    suite::Secret,
    value::Value,
    who_saw::NamedPart,
};

/// A field key, of the epoch of the record beside it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyJson {
    part: u16,
    key: SecretText,
}

/// The field keys of these parts of a record, as far as the vault has them still.
pub(super) fn field_keys(
    registry: &Registry,
    record: &[u8],
    parts: impl Iterator<Item = PartId>,
) -> Result<Vec<KeyJson>> {
    let Some(epoch) = registry.epoch(Record::parse(record)?.header.epoch) else { return Ok(Vec::new()) };
    let key = |part: PartId| {
        let key = SecretText(Secret::new(*epoch.get(part)?.expose()));
        Some(KeyJson { part: part.get(), key })
    };
    Ok(parts.filter_map(key).collect())
}

/// The values of those parts of which there is a field key. Each key must be the one that an entry of its epoch commits to: with
/// another one the same bytes would open to another value.
pub(super) fn open(
    material: &Material,
    (place, record): (EntryPlace, &[u8]),
    tickets: impl Iterator<Item = (PartId, Secret<32>)>,
    keys: Vec<KeyJson>,
) -> Result<Vec<(NamedPart, Value)>> {
    let record = Record::parse(record)?;
    let header = &record.header;
    let mut known = Vec::new();
    for KeyJson { part, key } in keys {
        let part = PartId::new(part).ok_or_else(|| wrong(place))?;
        let key = FieldKey::new(header.suite, key.0);
        let commitment = key.commitment(material.vault, header.epoch, part, header.suite);
        let detail = [header.epoch.to_le_bytes().as_slice(), &[header.suite.number()]].concat();
        let mut epochs = material.entries.values();
        let is_its = epochs.any(|entry| {
            let of_epoch = entry.kind == EntryKind::Epoch && entry.detail == detail;
            of_epoch && entry.parts.iter().zip(&entry.commitments).any(|its| its == (&part, &commitment))
        });
        if !is_its {
            return Err(wrong(place));
        }
        known.push((part, Arc::new(key)));
    }
    if known.is_empty() {
        return Ok(Vec::new());
    }
    let has_key = |part: PartId| known.iter().any(|(its, _)| *its == part);
    let (parts, secrets) = tickets.filter(|(part, _)| has_key(*part)).unzip();
    let ticket = Ticket::received(header.record_id, place, parts, secrets);
    let epoch = EpochKeys::new(header.epoch, header.suite, known, Vec::new());
    let keyring = Keyring::new(vec![Arc::new(epoch)]);
    // Number and type of a part are the same in all policies.
    let part_of = |id: PartId| material.policies.values().find_map(|policy: &Policy| policy.part(id));
    let (mut space, halves) = (Plaintext::default(), Halves::default());
    let opened =
        record::open(&mut space, &record, (&keyring, halves.of(0)), &ticket, |id| Some(part_of(id)?.ty))?;
    let named = |opened: Result<(PartId, crate::value::Plain<'_>)>| {
        let (id, value) = opened?;
        Ok((NamedPart { id, name: part_of(id).map(|part| part.name.to_owned()) }, value.to_value()))
    };
    opened.map(named).collect()
}

fn wrong(place: EntryPlace) -> Error {
    let message = format!("a field key for entry {place} is not the one that its epoch's entry commits to");
    Error::new(ErrorKind::Damaged, message)
}
