//! Sealing: every part of an order under a key of its own, in one buffer.

use consignee_policy::{Mask, PartId};
use zeroize::Zeroize;

use super::{
    MAX_PARTS, MAX_RECORD,
    format::{Associated, Header, PolicyId, bound_len, count, entries, head_len},
};
use crate::{
    error::{Error, ErrorKind, Result},
    keys::{EpochKeys, Halves, HalvesOf, OrderSecret, RecordId, VaultId},
    suite::{SealRng, Secret, TAG, seal_in_place, wiping_stack},
    value::{ValueRef, encode_padded},
    view::mask,
};

/// What one part is made of.
#[derive(Clone, Copy)]
pub(crate) enum Content<'a> {
    /// A field's value.
    Value(ValueRef<'a>),
    /// A value that is encoded and padded.
    Encoded(&'a [u8]),
    /// A facet, computed from the field's value when sealing.
    Facet(Mask, ValueRef<'a>),
}

/// Room for a record of usual size, from the start: growing would leave a copy of its plaintext behind.
const USUAL_RECORD: usize = 4096;
/// Room for a facet.
const USUAL_FACET: usize = 64;

/// Buffers that sealing uses again and again. Plaintext in them is overwritten by ciphertext or wiped; but while orders that are larger
/// than usual make them grow, copies of it are left behind.
#[derive(Default)]
pub(crate) struct Workspace {
    record: Vec<u8>,
    facet: String,
    ticket_parts: Vec<Secret<32>>,
    ahead: Ahead,
}

/// N1 of the sealings to come, and what is derived from them.
#[derive(Default)]
struct Ahead {
    halves: Halves,
    /// Those that were taken.
    taken: usize,
    /// Sealings that are yet expected.
    expected: usize,
}

impl Workspace {
    /// The sealed record.
    pub(crate) fn record(&self) -> &[u8] {
        &self.record
    }

    /// Its parts.
    pub(crate) fn parts(&self) -> impl Iterator<Item = PartId> {
        entries(&self.record, count(&self.record)).map(|(part, _)| part)
    }

    /// Says how many orders are to come: what can be derived for several at once, is. What was drawn ahead before is dropped.
    pub(crate) fn expect(&mut self, orders: usize) {
        self.record.reserve(USUAL_RECORD.saturating_sub(self.record.len()));
        self.facet.reserve(USUAL_FACET.saturating_sub(self.facet.len()));
        self.ahead.halves.clear();
        self.ahead.expected = orders;
    }
}

/// A record type that panics leaves plaintext in the buffers.
impl Drop for Workspace {
    fn drop(&mut self) {
        self.record.zeroize();
        wipe(&mut self.facet);
    }
}

impl Ahead {
    /// N1 of the next sealing, of parts like these.
    fn next(&mut self, rng: &mut SealRng, keys: &EpochKeys, parts: impl Iterator<Item = PartId>) -> [u8; 10] {
        let Self { halves, taken, expected } = self;
        *expected = expected.saturating_sub(1);
        let n1 = halves.n1(*taken).unwrap_or_else(|| {
            *taken = 0;
            let more = (*expected).min(Halves::AT_ONCE - 1);
            let n1s = (0..=more).map(|_| rng.array());
            halves.derive(keys, parts, n1s)
        });
        *taken += 1;
        n1
    }

    /// The halves of the sealing whose N1 was the last to be taken.
    fn halves(&self) -> HalvesOf<'_> {
        self.halves.of(self.taken.saturating_sub(1))
    }
}

/// Where a record belongs: what its header says beside the fresh numbers.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) vault: VaultId,
    pub(crate) record_id: RecordId,
    pub(crate) revision: u32,
    pub(crate) policy: PolicyId,
}

/// The secret half of a sealing; the other half is [`Workspace::record`].
pub(crate) struct Sealed {
    pub(crate) secret: OrderSecret,
    pub(crate) n1: [u8; 10],
}

/// Seals `parts` (ascending by number, each once) into `space`.
///
/// Draws the order secret itself: nobody can hand it a used one.
///
/// # Errors
/// `Limit` if a value or the record is too long or there are more than 96 parts; `PolicyMismatch` if a part has no field key;
/// `RootKey` if the operating system gives no randomness.
pub(crate) fn seal<'a>(
    space: &mut Workspace,
    rng: &mut SealRng,
    place: &Place,
    keys: &EpochKeys,
    parts: impl Iterator<Item = (PartId, Content<'a>)>,
) -> Result<Sealed> {
    let sealed = write_plain(space, parts).and_then(|count| {
        let Workspace { record, ahead, .. } = space;
        // From here on no code of the caller's runs, which could fork: all that is drawn is drawn in one process.
        if rng.refresh().map_err(|_| no_randomness())? {
            ahead.halves.clear();
        }
        let secret = OrderSecret::draw(keys.suite, rng);
        let header = Header {
            suite: keys.suite,
            vault: place.vault,
            record_id: place.record_id,
            revision: place.revision,
            epoch: keys.epoch,
            policy: place.policy,
            n1: ahead.next(rng, keys, entries(record, count).map(|(part, _)| part)),
        };
        let n2 = rng.array();
        header.write(record, count, &n2);
        wiping_stack(|| encrypt(space, count, (&header, &n2), keys, &secret))?;
        Ok(Sealed { secret, n1: header.n1 })
    });
    space.ticket_parts.clear();
    if sealed.is_err() {
        // Whole, with its spare capacity: a value that was too long has been cut off.
        space.record.zeroize();
    }
    wipe(&mut space.facet);
    sealed
}

/// Writes directory and padded values, with room for the rest of the head and for the tags; returns the number of parts.
fn write_plain<'a>(
    space: &mut Workspace,
    parts: impl Iterator<Item = (PartId, Content<'a>)>,
) -> Result<usize> {
    let out = &mut space.record;
    let most = parts.size_hint().1.unwrap_or(MAX_PARTS).min(MAX_PARTS);
    out.clear();
    out.resize(head_len(most), 0);
    let mut count = 0;
    for (part, content) in parts {
        let start = out.len();
        match content {
            Content::Value(value) => encode_padded(value, out)?,
            Content::Encoded(bytes) => out.extend_from_slice(bytes),
            Content::Facet(mask, value) => {
                wipe(&mut space.facet);
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
        let entry = out.get_mut(bound_len(count)..bound_len(count + 1)).filter(|_| count < most);
        entry.ok_or_else(too_many)?.copy_from_slice(&[p0, p1, l0, l1, l2]);
        count += 1;
    }
    if count == 0 {
        return Err(too_many());
    }
    if count < most {
        let end = out.len() - (head_len(most) - head_len(count));
        out.copy_within(head_len(most).., head_len(count));
        out.get_mut(end..).unwrap_or_default().zeroize();
        out.truncate(end);
    }
    if out.len() > MAX_RECORD {
        return Err(Error::new(ErrorKind::Limit, "an order holds at most 16 MiB"));
    }
    Ok(count)
}

fn encrypt(
    space: &mut Workspace,
    count: usize,
    (header, n2): (&Header, &[u8; 12]),
    keys: &EpochKeys,
    secret: &OrderSecret,
) -> Result<()> {
    let Workspace { record, ticket_parts, ahead, .. } = space;
    let (head, mut rest) = record.split_at_mut(head_len(count));
    let mut associated = Associated::new(head.get(..bound_len(count)).unwrap_or_default());
    secret.ticket_parts(header.record_id, entries(head, count).map(|(part, _)| part), ticket_parts);
    for ((part, length), ticket_part) in entries(head, count).zip(ticket_parts.iter()) {
        let (sealed, tail) = std::mem::take(&mut rest).split_at_mut(length);
        rest = tail;
        let (plain, tag) = sealed.split_at_mut(length - TAG);
        let key = keys.data_key(ahead.halves(), &header.n1, part, ticket_part).ok_or_else(no_field_key)?;
        let made = seal_in_place(keys.suite, &key, n2, associated.of(part), plain)
            .map_err(|_| Error::new(ErrorKind::Limit, "a value is too long to be sealed"))?;
        tag.copy_from_slice(&made);
    }
    Ok(())
}

fn wipe(text: &mut String) {
    text.as_mut_str().zeroize();
    text.clear();
}

pub(crate) fn no_randomness() -> Error {
    Error::new(ErrorKind::RootKey, "the operating system gives no random bytes")
}

fn too_many() -> Error {
    Error::new(ErrorKind::Limit, "a record has 1 to 96 parts")
}

fn no_field_key() -> Error {
    Error::new(ErrorKind::PolicyMismatch, "a part of the policy has no key in the current epoch")
        .with_hint("run doctor")
}
