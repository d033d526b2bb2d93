//! The slip's bytes and its line of text (`docs/format.md`, section 16).

use consignee_policy::PartId;
use zeroize::Zeroizing;

use super::{PutEntry, Slip, WitnessSignature};
use crate::{
    error::{Error, ErrorKind, Result},
    keys::{HandleKey, Line, RecordId, VaultId},
    order::Order,
    suite::Secret,
};

const LINE: Line = Line { prefix: "consignee-slip-v1:", label: "consignee/v1/slip" };
const MAGIC: &[u8; 4] = b"CNSL";
const FORMAT: u8 = 1;
/// Most hashes of a proof: a tree has less than 2^64 leaves.
const MOST_HASHES: u8 = 63;
/// Most parts of a record.
const MOST_PARTS: u8 = 96;

impl Slip {
    /// Reads a slip's line. Verifies nothing: see [`Slip::verify`].
    ///
    /// # Errors
    /// `Damaged` for what is none, or not whole; `NewerFormat`; `Limit` above [`Slip::LONGEST`] bytes.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim_ascii();
        if text.len() >= Self::LONGEST {
            return Err(Error::new(ErrorKind::Limit, "a slip has at most 2,048 bytes"));
        }
        let bytes = LINE.parse_public(text).map(Zeroizing::new).ok_or_else(|| {
            Error::new(ErrorKind::Damaged, "it is no slip, or not a whole one")
                .with_hint("a slip is one line that begins with consignee-slip-v1:")
        })?;
        Self::from_bytes(&bytes)
    }

    /// Its line, which ends with a newline.
    pub fn to_text(&self) -> Zeroizing<String> {
        LINE.of_bytes(&self.to_bytes())
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut from = Bytes(bytes);
        if from.array()? != *MAGIC {
            return Err(damaged());
        }
        match from.number()? {
            FORMAT => {}
            0 => return Err(damaged()),
            _ => return Err(Error::new(ErrorKind::NewerFormat, "the slip is of a newer format")),
        }
        let vault = VaultId(from.array()?);
        let name = match from.text()? {
            "" => vault.ledgers_name(),
            name if name == vault.ledgers_name() => return Err(damaged()),
            name => name.to_owned(),
        };
        let ledger = u32::from_le_bytes(from.array()?);
        let log_key = from.array()?;
        let handle_key = HandleKey::new(Secret::new(from.array()?));
        let record_id = RecordId(from.array()?);
        let order_no = Zeroizing::new(from.text()?.to_owned());
        if ledger == 0 || order_no.is_empty() || order_no.len() > Order::MAX_ORDER_NO {
            return Err(damaged());
        }
        let slip = Self {
            vault,
            name,
            ledger,
            log_key,
            handle_key,
            record_id,
            order_no,
            put: PutEntry::read(&mut from)?,
            index: u64::from_le_bytes(from.array()?),
            size: u64::from_le_bytes(from.array()?),
            proof: from.list(MOST_HASHES, Bytes::array)?,
            log_signature: from.array()?,
            threshold: from.number()?,
            witnesses: from.list(u8::MAX, WitnessSignature::read)?,
        };
        let enough = usize::from(slip.threshold);
        if !from.0.is_empty() || enough > slip.witnesses.len() || (enough == 0) != slip.witnesses.is_empty() {
            return Err(damaged());
        }
        Ok(slip)
    }

    pub(super) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        // Of the largest size at once: growing would leave copies of the handle key.
        let mut out = Zeroizing::new(Vec::with_capacity(1 << 16));
        out.extend_from_slice(MAGIC);
        out.push(FORMAT);
        out.extend_from_slice(&self.vault.0);
        let name = if self.name == self.vault.ledgers_name() { "" } else { &self.name };
        push_text(&mut out, name);
        out.extend_from_slice(&self.ledger.to_le_bytes());
        out.extend_from_slice(&self.log_key);
        out.extend_from_slice(self.handle_key.expose());
        out.extend_from_slice(&self.record_id.0);
        push_text(&mut out, &self.order_no);
        self.put.write(&mut out);
        out.extend_from_slice(&self.index.to_le_bytes());
        out.extend_from_slice(&self.size.to_le_bytes());
        push_count(&mut out, self.proof.len());
        out.extend_from_slice(self.proof.as_flattened());
        out.extend_from_slice(&self.log_signature);
        out.push(self.threshold);
        push_count(&mut out, self.witnesses.len());
        for witness in &self.witnesses {
            push_text(&mut out, &witness.name);
            out.extend_from_slice(&witness.public);
            out.extend_from_slice(&witness.time.to_le_bytes());
            out.extend_from_slice(&witness.signature);
        }
        out
    }
}

impl PutEntry {
    fn read(from: &mut Bytes<'_>) -> Result<Self> {
        let time = u64::from_le_bytes(from.array()?);
        let revision = u32::from_le_bytes(from.array()?);
        let policy = from.array()?;
        let part = |from: &mut Bytes<'_>| PartId::new(u16::from_le_bytes(from.array()?)).ok_or_else(damaged);
        let parts: Vec<PartId> = from.list(MOST_PARTS, part)?;
        if !parts.is_sorted_by(|a, b| a < b) {
            return Err(damaged());
        }
        Ok(Self { time, revision, policy, parts, record: from.array()?, os: from.array()? })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.time.to_le_bytes());
        out.extend_from_slice(&self.revision.to_le_bytes());
        out.extend_from_slice(&self.policy);
        push_count(out, self.parts.len());
        self.parts.iter().for_each(|part| out.extend_from_slice(&part.get().to_le_bytes()));
        out.extend_from_slice(&self.record);
        out.extend_from_slice(&self.os);
    }
}

impl WitnessSignature {
    fn read(from: &mut Bytes<'_>) -> Result<Self> {
        let name = from.text()?.to_owned();
        let public = from.array()?;
        Ok(Self { name, public, time: u64::from_le_bytes(from.array()?), signature: from.array()? })
    }
}

/// Bytes that are left to read.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(length).ok_or_else(damaged)?;
        self.0 = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        self.take(N)?.try_into().map_err(|_| damaged())
    }

    fn number(&mut self) -> Result<u8> {
        let [number] = self.array()?;
        Ok(number)
    }

    fn text(&mut self) -> Result<&'a str> {
        let length = self.number()?;
        std::str::from_utf8(self.take(length.into())?).map_err(|_| damaged())
    }

    fn list<T>(&mut self, most: u8, read: impl Fn(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let count = self.number()?;
        if count > most {
            return Err(damaged());
        }
        (0..count).map(|_| read(self)).collect()
    }
}

/// Texts and lists of a slip that is made are shorter than this cuts them: `Slip::fit` refuses longer slips.
fn push_count(out: &mut Vec<u8>, count: usize) {
    out.push(u8::try_from(count).unwrap_or(u8::MAX));
}

fn push_text(out: &mut Vec<u8>, text: &str) {
    push_count(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

fn damaged() -> Error {
    Error::new(ErrorKind::Damaged, "the slip does not follow its format")
}
