//! Opening: field key and ticket together, part by part.

use std::ops::Range;

use consignee_policy::{FieldType, PartId};
use zeroize::Zeroize;

use super::{Record, format::Associated};
use crate::{
    error::{Error, ErrorKind, Result},
    keys::{EpochKeys, HalvesOf, IdKey, Keyring, OrderSecret, Ticket},
    suite::{Secret, TAG, open_in_place, wiping_stack},
    value::{Plain, decode_padded},
};

/// A buffer that opening uses again and again. The plaintext in it is wiped before it is used anew, and when it is dropped.
#[derive(Default)]
pub(crate) struct Plaintext {
    bytes: Vec<u8>,
    parts: Vec<(PartId, Range<usize>)>,
}

impl Plaintext {
    /// Makes room for so many bytes.
    fn begin(&mut self, bytes: usize) {
        self.wipe();
        // At once, while there is nothing in it: growing would leave copies of plaintext behind.
        self.bytes.reserve(bytes);
    }

    fn wipe(&mut self) {
        self.bytes.as_mut_slice().zeroize();
        self.bytes.clear();
        self.parts.clear();
    }
}

impl Drop for Plaintext {
    fn drop(&mut self) {
        self.wipe();
    }
}

/// Opens the parts the ticket is for, into `space`. `type_of` says what type the policy gives a part; `halves` are the sealing's
/// halves of its data keys, as far as they have been derived.
///
/// # Errors
/// `CannotOpen` if a field key or the right ticket is missing, or bytes were altered: which of them is not told. `Damaged` if
/// the record's suite is not its epoch's, and in place of an authentic value that does not follow its format. (F61: where one part
/// is refused, all are.)
pub(crate) fn open<'s>(
    space: &'s mut Plaintext,
    record: &Record<'_>,
    (keyring, halves): (&Keyring, HalvesOf<'_>),
    ticket: &Ticket,
    type_of: impl Fn(PartId) -> Option<FieldType>,
) -> Result<impl Iterator<Item = Result<(PartId, Plain<'s>)>>> {
    let keys = keyring.epoch(record.header.epoch).ok_or_else(cannot_open)?;
    if ticket.record_id() != record.header.record_id {
        return Err(cannot_open());
    }
    decrypt_all(space, record, (keys, halves), ticket.parts())?;
    let bytes = &space.bytes;
    Ok(space.parts.iter().map(move |(part, range)| {
        let ty = type_of(*part).ok_or_else(cannot_open)?;
        Ok((*part, decode_padded(bytes.get(range.clone()).unwrap_or_default(), ty)?))
    }))
}

/// Opens parts by the order's secret itself, for nobody to see: `seal_anew` seals what it gets, and what that makes leaves the vault
/// with an entry only. For copies, and for orders that move to another epoch (`tests/layers.rs` names who may call it).
///
/// # Errors
/// As for [`open`], and those of `seal_anew`.
pub(crate) fn open_to_seal<T>(
    space: &mut Plaintext,
    record: &Record<'_>,
    (keys, halves): (&EpochKeys, HalvesOf<'_>),
    (secret, parts): (&OrderSecret, &[PartId]),
    type_of: impl Fn(PartId) -> Option<FieldType>,
    seal_anew: impl FnOnce(Vec<Reopened<'_>>) -> Result<T>,
) -> Result<T> {
    let mut ticket_parts = Vec::new();
    secret.ticket_parts(record.header.record_id, parts.iter().copied(), &mut ticket_parts);
    decrypt_all(space, record, (keys, halves), parts.iter().copied().zip(&ticket_parts))?;
    let value = |(part, range): &(PartId, Range<usize>)| {
        let encoded = space.bytes.get(range.clone()).unwrap_or_default();
        let ty = type_of(*part).ok_or_else(cannot_open)?;
        Ok(Reopened { part: *part, encoded, value: decode_padded(encoded, ty)? })
    };
    let made = space.parts.iter().map(value).collect::<Result<_>>().and_then(seal_anew);
    space.wipe();
    made
}

/// A part that is about to be sealed anew.
pub(crate) struct Reopened<'a> {
    pub(crate) part: PartId,
    /// Its value as it was sealed, with its padding.
    #[allow(dead_code)] // for copies
    pub(crate) encoded: &'a [u8],
    pub(crate) value: Plain<'a>,
}

/// That a record has none of the parts that are sought is true only of one that is authentic, and nothing of its directory is
/// before a part has been opened: opens one, whichever has a key, and gives its value to nobody.
///
/// # Errors
/// `CannotOpen`, and `Damaged` if the record's suite is not its epoch's.
pub(crate) fn check_directory(record: &Record<'_>, keys: &EpochKeys, secret: &OrderSecret) -> Result<()> {
    let header = &record.header;
    if keys.suite != header.suite {
        return Err(super::format::damaged());
    }
    let known = record.parts().find_map(|(part, ciphertext)| Some((part, keys.get(part)?, ciphertext)));
    let (part, field_key, ciphertext) = known.ok_or_else(cannot_open)?;
    let mut ticket_parts = Vec::new();
    secret.ticket_parts(header.record_id, std::iter::once(part), &mut ticket_parts);
    let ticket_part = ticket_parts.first().ok_or_else(cannot_open)?;
    let mut associated = Associated::new(record.bound());
    wiping_stack(|| {
        let key = field_key.data_key(&header.n1, ticket_part);
        decrypt(&mut Plaintext::default(), record, &key, (part, associated.of(part)), ciphertext)
    })
}

/// The padded values of these parts, which stand in the order of the record.
fn decrypt_all<'t>(
    space: &mut Plaintext,
    record: &Record<'_>,
    (keys, halves): (&EpochKeys, HalvesOf<'_>),
    parts: impl Iterator<Item = (PartId, &'t Secret<32>)>,
) -> Result<()> {
    let header = &record.header;
    // Otherwise one field key would serve two algorithms, outside every proof.
    if keys.suite != header.suite {
        return Err(super::format::damaged());
    }
    let mut associated = Associated::new(record.bound());
    let mut sealed = record.parts();
    space.begin(record.bytes().len());
    wiping_stack(|| {
        for (part, ticket_part) in parts {
            let found = sealed.by_ref().find(|(sealed, _)| *sealed == part);
            let (_, ciphertext) = found.ok_or_else(cannot_open)?;
            let key = keys.data_key(halves, &header.n1, part, ticket_part).ok_or_else(cannot_open)?;
            decrypt(space, record, &key, (part, associated.of(part)), ciphertext)?;
        }
        Ok(())
    })
}

/// The padded value of one part, behind those that are there.
fn decrypt(
    space: &mut Plaintext,
    record: &Record<'_>,
    key: &Secret<32>,
    (part, associated): (PartId, &[u8]),
    ciphertext: &[u8],
) -> Result<()> {
    let (sealed, tag) = ciphertext.split_last_chunk::<TAG>().ok_or_else(cannot_open)?;
    let start = space.bytes.len();
    space.bytes.extend_from_slice(sealed);
    let plain = space.bytes.get_mut(start..).unwrap_or_default();
    open_in_place(record.header.suite, key, &record.n2, associated, plain, tag).map_err(|_| cannot_open())?;
    space.parts.push((part, start..space.bytes.len()));
    Ok(())
}

/// Where the order number was opened, it must be the one the record id is derived from: a record filed under another order's
/// id is refused.
///
/// # Errors
/// `Damaged` if it is not.
pub(crate) fn check_order_no(record: &Record<'_>, id_key: &IdKey, order_no: &str) -> Result<()> {
    if id_key.record_id(order_no) == record.header.record_id { Ok(()) } else { Err(super::format::damaged()) }
}

fn cannot_open() -> Error {
    Error::new(ErrorKind::CannotOpen, "the record does not open")
        .with_hint("a key that does not belong to it, or altered bytes; doctor checks the vault")
}
