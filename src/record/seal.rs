//! Sealing: every part of an order under a key of its own, in one buffer.

use consignee_policy::{Mask, PartId};
use zeroize::Zeroize;

use super::{
    MAX_PARTS, MAX_RECORD,
    format::{DIRECTORY_ENTRY, HEADER, Header, MAX_BOUND, PolicyId, bound_len, entry, head_len},
};
use crate::{
    error::{Error, ErrorKind, Result},
    keys::{EpochKeys, OrderSecret, RecordId, VaultId},
    suite::{SealRng, Secret, TAG, seal_in_place},
    value::{ValueRef, encode_padded},
    view::mask,
};

/// What one part is made of.
#[derive(Clone, Copy)]
pub(crate) enum Content<'a> {
    /// A field's value.
    Value(ValueRef<'a>),
    /// A facet, computed from the field's value when sealing.
    Facet(Mask, ValueRef<'a>),
}

/// Buffers that sealing uses again and again. Plaintext in them is overwritten by ciphertext or wiped.
#[derive(Default)]
pub(crate) struct Workspace {
    pub(crate) record: Vec<u8>,
    facet: String,
    ticket_parts: Vec<Secret<32>>,
}

/// Where a record belongs: what its header says beside the fresh numbers.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) vault: VaultId,
    pub(crate) record_id: RecordId,
    pub(crate) revision: u32,
    pub(crate) policy: PolicyId,
}

/// The secret half of a sealing; the other half is in [`Workspace::record`].
pub(crate) struct Sealed {
    pub(crate) secret: OrderSecret,
    pub(crate) n1: [u8; 10],
}

/// Seals `parts` (ascending by number, each once) into `space.record`.
///
/// Draws the order secret itself: nobody can hand it a used one.
///
/// # Errors
/// `Limit` if a value or the record is too long or there are more than 96 parts; `PolicyMismatch` if a part has no field key.
pub(crate) fn seal<'a>(
    space: &mut Workspace,
    rng: &mut SealRng,
    place: &Place,
    keys: &EpochKeys,
    parts: impl Iterator<Item = (PartId, Content<'a>)> + Clone,
) -> Result<Sealed> {
    let secret = OrderSecret::draw(keys.suite, rng);
    let header = Header {
        suite: keys.suite,
        vault: place.vault,
        record_id: place.record_id,
        revision: place.revision,
        epoch: keys.epoch,
        policy: place.policy,
        n1: rng.array(),
    };
    let n2 = rng.array();
    let outcome = write_plain(space, &header, &n2, parts)
        .and_then(|count| encrypt(space, count, &header, &n2, keys, &secret));
    space.ticket_parts.clear();
    if outcome.is_err() {
        space.record.zeroize();
    }
    space.facet.zeroize();
    outcome.map(|()| Sealed { secret, n1: header.n1 })
}

/// Writes head and padded values with room for their tags; returns the number of parts.
fn write_plain<'a>(
    space: &mut Workspace,
    header: &Header,
    n2: &[u8; 12],
    parts: impl Iterator<Item = (PartId, Content<'a>)> + Clone,
) -> Result<usize> {
    let out = &mut space.record;
    let count = parts.clone().count();
    if !(1..=MAX_PARTS).contains(&count) {
        return Err(Error::new(ErrorKind::Limit, "a record has 1 to 96 parts"));
    }
    out.clear();
    out.extend_from_slice(&header.encode());
    out.push(u8::try_from(count).unwrap_or_default());
    let mut slot = out.len();
    out.resize(bound_len(count), 0);
    out.extend_from_slice(n2);
    let mut written = 0;
    for (part, content) in parts {
        written += 1;
        let start = out.len();
        match content {
            Content::Value(value) => encode_padded(value, out)?,
            Content::Facet(mask, value) => {
                space.facet.clear();
                if !mask::apply(mask, value, &mut space.facet) {
                    return Err(Error::new(
                        ErrorKind::PolicyMismatch,
                        "a mask of the policy does not fit its field's type",
                    ));
                }
                encode_padded(ValueRef::Text(&space.facet), out)?;
            }
        }
        out.extend_from_slice(&[0; TAG]);
        let [p0, p1] = part.get().to_le_bytes();
        let [l0, l1, l2, _] = u32::try_from(out.len() - start).unwrap_or(u32::MAX).to_le_bytes();
        if let Some(entry) = out.get_mut(slot..slot + DIRECTORY_ENTRY) {
            entry.copy_from_slice(&[p0, p1, l0, l1, l2]);
        }
        slot += DIRECTORY_ENTRY;
    }
    if written != count {
        return Err(changed_meanwhile());
    }
    if out.len() > MAX_RECORD {
        return Err(Error::new(ErrorKind::Limit, "an order holds at most 16 MiB"));
    }
    Ok(count)
}

fn encrypt(
    space: &mut Workspace,
    count: usize,
    header: &Header,
    n2: &[u8; 12],
    keys: &EpochKeys,
    secret: &OrderSecret,
) -> Result<()> {
    let Workspace { record, ticket_parts, .. } = space;
    let (head, mut rest) = record.split_at_mut(head_len(count));
    let bound = head.get(..bound_len(count)).unwrap_or_default();
    let mut associated = Associated::new(bound);
    let (entries, _) = bound.get(HEADER + 1..).unwrap_or_default().as_chunks::<DIRECTORY_ENTRY>();
    let numbers = entries.iter().filter_map(|bytes| PartId::new(entry(*bytes).0));
    secret.ticket_parts(header.record_id, numbers.clone(), ticket_parts);
    for ((bytes, part), ticket_part) in entries.iter().zip(numbers).zip(ticket_parts.iter()) {
        let (_, length) = entry(*bytes);
        let (sealed, tail) = std::mem::take(&mut rest).split_at_mut(length);
        rest = tail;
        let (plain, tag) = sealed.split_at_mut(length - TAG);
        let key = keys.get(part).ok_or_else(no_field_key)?;
        let key = key.data_key(&header.n1, ticket_part);
        let made = seal_in_place(keys.suite, &key, n2, associated.of(part), plain)
            .map_err(|_| Error::new(ErrorKind::Limit, "a value is too long to be sealed"))?;
        tag.copy_from_slice(&made);
    }
    // A record that gave more values at the second look than at the first would be stored in clear from here on.
    if rest.is_empty() { Ok(()) } else { Err(changed_meanwhile()) }
}

fn changed_meanwhile() -> Error {
    Error::new(ErrorKind::Conflict, "the order changed while it was sealed")
}

fn no_field_key() -> Error {
    Error::new(ErrorKind::PolicyMismatch, "a part of the policy has no key in the current epoch")
        .with_hint("run doctor")
}

/// header ‖ directory ‖ part number ‖ zeros up to a multiple of 64: the associated data of each part. (Four blocks are hashed for
/// little more than one. N2 needs no place in it: as the nonce it is bound by the tag.)
pub(super) struct Associated {
    bytes: [u8; MAX_BOUND.next_multiple_of(STEP)],
    len: usize,
}

const STEP: usize = 64;

impl Associated {
    /// Of header and directory.
    pub(super) fn new(bound: &[u8]) -> Self {
        let mut bytes = [0; MAX_BOUND.next_multiple_of(STEP)];
        // Of 96 parts at most: both makers of records check their number.
        let len = bound.len().min(MAX_BOUND);
        bytes[..len].copy_from_slice(&bound[..len]);
        Self { bytes, len }
    }

    pub(super) fn of(&mut self, part: PartId) -> &[u8] {
        self.bytes[self.len..self.len + 2].copy_from_slice(&part.get().to_le_bytes());
        &self.bytes[..(self.len + 2).next_multiple_of(STEP)]
    }
}

/// There is room for the number of a part behind the longest directory.
const _: () = assert!(MAX_BOUND + 2 <= MAX_BOUND.next_multiple_of(STEP));
