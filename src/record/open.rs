//! Opening: field key and ticket together, part by part.

use consignee_policy::{FieldType, PartId};
use zeroize::Zeroizing;

use super::{Record, seal::Associated};
use crate::{
    error::{Error, ErrorKind, Result},
    keys::{EpochKeys, IdKey, Keyring, OrderSecret, Ticket},
    suite::{Secret, TAG, open_in_place},
    value::{Value, decode_padded},
};

/// Opens the parts the ticket is for. `type_of` says what type the policy gives a part.
///
/// # Errors
/// `CannotOpen` if a field key or the right ticket is missing, or bytes were altered: which of them is not told. `Damaged` if
/// the record's suite is not its epoch's, or an authentic value does not follow its format.
pub(crate) fn open(
    record: &Record<'_>,
    keyring: &Keyring,
    ticket: &Ticket,
    type_of: impl Fn(PartId) -> Option<FieldType>,
) -> Result<Vec<(PartId, Value)>> {
    let header = &record.header;
    let keys = keyring.epoch(header.epoch).ok_or_else(cannot_open)?;
    // Otherwise one field key would serve two algorithms, outside every proof.
    if keys.suite != header.suite {
        return Err(super::format::damaged());
    }
    if ticket.record_id() != header.record_id {
        return Err(cannot_open());
    }
    let mut associated = Associated::new(record.bound());
    let mut sealed = record.parts();
    let mut opened = Vec::new();
    let mut buffer = Zeroizing::new(Vec::new());
    for (part, ticket_part) in ticket.parts() {
        let ciphertext = sealed.by_ref().find(|(p, _)| *p == part).map(|(_, c)| c).ok_or_else(cannot_open)?;
        let field_key = keys.get(part).ok_or_else(cannot_open)?;
        let key = field_key.data_key(&header.n1, ticket_part);
        decrypt(record, &key, associated.of(part), ciphertext, &mut buffer)?;
        let expected = type_of(part).ok_or_else(cannot_open)?;
        opened.push((part, decode_padded(&buffer, expected)?.to_value()));
    }
    Ok(opened)
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
    let key = field_key.data_key(&header.n1, ticket_part);
    decrypt(record, &key, Associated::new(record.bound()).of(part), ciphertext, &mut Zeroizing::default())
}

/// The padded value of one part, into `buffer`.
fn decrypt(
    record: &Record<'_>,
    key: &Secret<32>,
    associated: &[u8],
    ciphertext: &[u8],
    buffer: &mut Zeroizing<Vec<u8>>,
) -> Result<()> {
    let (plain, tag) = ciphertext.split_last_chunk::<TAG>().ok_or_else(cannot_open)?;
    buffer.clear();
    buffer.extend_from_slice(plain);
    open_in_place(record.header.suite, key, &record.n2, associated, buffer, tag).map_err(|_| cannot_open())
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
