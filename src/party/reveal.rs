//! What a party hands over of a bundle, so that a court can check what was disclosed: each copy with its tickets, which the ledger's
//! commitment is over (`docs/format.md`, section 14). No plaintext and no field key.

use base64::{Engine, engine::general_purpose::STANDARD};
use consignee_policy::PartId;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use zeroize::Zeroizing;

use super::{
    bundle::{Bundle, MOST_COPIES, ledger_of},
    envelope::Envelope,
};
use crate::{
    alias::Alias,
    error::{Error, ErrorKind, Result},
    keys::{Sought, VaultId, disclosure_commitment, is_origin},
    ledger::EntryPlace,
    record::{MAX_RECORD, Record},
    suite::Secret,
    text::hex,
};

const FORMAT: &str = "consignee-revealed";
const VERSION: u32 = 1;
/// Most bytes of the file: those of a bundle of many small copies, in base64 and with names.
const LONGEST: usize = 192 << 20;

/// Copies of a bundle with their tickets, as the party got them. With the keyring they open: whoever is given them and has that
/// reads these copies, and no other.
pub struct RevealedBundle {
    vault: VaultId,
    origin: String,
    party: [u8; 16],
    copies: Vec<RevealedCopy>,
}

/// A copy and its tickets.
pub struct RevealedCopy {
    place: EntryPlace,
    alias: Alias,
    record: Vec<u8>,
    tickets: Vec<(PartId, Secret<32>)>,
}

impl RevealedBundle {
    /// Takes over what was in a bundle.
    pub(super) fn of(bundle: &Bundle, outside: &Envelope<'_>) -> Result<Self> {
        let copies = bundle.revealed().map(|(place, alias, record, secrets)| {
            let parts: Vec<PartId> = Record::parse(record)?.parts().map(|(part, _)| part).collect();
            let (secrets, _) = secrets.as_chunks::<32>();
            let tickets = parts.into_iter().zip(secrets.iter().map(|secret| Secret::new(*secret)));
            Ok(RevealedCopy {
                place,
                alias: alias.clone(),
                record: record.to_vec(),
                tickets: tickets.collect(),
            })
        });
        let copies = copies.collect::<Result<_>>()?;
        Ok(Self { vault: outside.vault, origin: outside.origin.to_owned(), party: *outside.party, copies })
    }

    /// The copies of these orders alone; of an order that stands in the bundle more than once, each.
    ///
    /// # Errors
    /// `NotFound` for an alias that the bundle has not.
    pub fn select(mut self, aliases: &[Alias]) -> Result<Self> {
        let missing = |alias: &&Alias| self.copies.iter().all(|copy| copy.alias != **alias);
        if aliases.iter().any(|alias| missing(&alias)) {
            return Err(Error::new(ErrorKind::NotFound, "the bundle has no order of this alias"));
        }
        self.copies.retain(|copy| aliases.contains(&copy.alias));
        Ok(self)
    }

    /// Id of the vault.
    pub fn vault(&self) -> &[u8; 16] {
        &self.vault.0
    }

    /// Name of the ledger in which each copy has its entry.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Id of the party in the ledger, that the copies were made for.
    pub fn party(&self) -> &[u8; 16] {
        &self.party
    }

    /// The copies, in the order in which they were shared.
    pub fn copies(&self) -> &[RevealedCopy] {
        &self.copies
    }

    /// What the entry of one of the copies commits to, where `lines` is the party's value for `lines` (`party add --as`): empty where the
    /// party has none, and where its role sees all lines.
    ///
    /// # Errors
    /// `Damaged` for a record that is none.
    pub fn commitment(&self, copy: &RevealedCopy, lines: &str) -> Result<[u8; 32]> {
        let record = Record::parse(&copy.record)?;
        let parts: Vec<(PartId, &[u8])> = record.parts().collect();
        let record_id = record.header.record_id;
        let sought = Sought { record_id, party: self.party, lines, head: record.head(), parts: &parts };
        Ok(disclosure_commitment(&sought, copy.tickets.iter().map(|(_, secret)| secret)))
    }

    /// The JSON of the file.
    ///
    /// # Errors
    /// `Limit` where it would be longer than 192 MiB.
    pub fn to_json(&self) -> Result<String> {
        self.json(&self.copies)
    }

    /// The JSON of a file of one of the copies alone: what it is evidence for needs no other.
    pub(crate) fn json_of(&self, copy: &RevealedCopy) -> Result<String> {
        self.json(std::slice::from_ref(copy))
    }

    fn json(&self, copies: &[RevealedCopy]) -> Result<String> {
        let copies = copies.iter().map(|copy| CopyJson {
            index: copy.place.index,
            alias: copy.alias.to_string(),
            record: STANDARD.encode(&copy.record),
            tickets: copy.tickets.iter().map(TicketJson::of).collect(),
        });
        let file = FileJson {
            format: FORMAT.to_owned(),
            version: VERSION,
            vault: hex(&self.vault.0),
            origin: self.origin.clone(),
            party_key_id: hex(&self.party),
            copies: copies.collect(),
        };
        let too_long = || Error::new(ErrorKind::Limit, "the file of revealed copies would be too long");
        let text = serde_json::to_string(&file).map_err(|_| too_long())?;
        if text.len() <= LONGEST { Ok(text) } else { Err(too_long().with_hint("reveal fewer orders")) }
    }

    /// Reads the JSON of such a file. Nothing of it is authentic: whether it is what was disclosed, the ledger's commitment tells.
    ///
    /// # Errors
    /// `Damaged` for what does not follow the format, `NewerFormat`.
    pub fn from_json(text: &str) -> Result<Self> {
        if text.len() > LONGEST {
            return Err(damaged());
        }
        // First what says how to read the rest.
        let head: HeadJson = serde_json::from_str(text).map_err(|_| damaged())?;
        match (head.format.as_str(), head.version) {
            (FORMAT, VERSION) => {}
            (FORMAT, newer) if newer > VERSION => {
                return Err(Error::new(
                    ErrorKind::NewerFormat,
                    "the file of revealed copies is of a newer version",
                )
                .with_hint("update this program"));
            }
            _ => return Err(damaged()),
        }
        let file: FileJson = serde_json::from_str(text).map_err(|_| damaged())?;
        if !is_origin(&file.origin) || !(1..=MOST_COPIES).contains(&file.copies.len()) {
            return Err(damaged());
        }
        let vault = VaultId(from_hex(&file.vault)?);
        let ledger = ledger_of(&file.origin);
        let copies = file.copies.into_iter().map(|copy| copy.read(vault, ledger)).collect::<Result<_>>()?;
        Ok(Self { vault, origin: file.origin, party: from_hex(&file.party_key_id)?, copies })
    }
}

impl RevealedCopy {
    /// Place of its entry in the vault's ledgers.
    pub fn place(&self) -> EntryPlace {
        self.place
    }

    /// The order, as the party knows it.
    pub fn alias(&self) -> &Alias {
        &self.alias
    }

    /// The sealed record.
    pub fn record(&self) -> &[u8] {
        &self.record
    }

    pub(crate) fn tickets(&self) -> impl Iterator<Item = (PartId, &Secret<32>)> {
        self.tickets.iter().map(|(part, secret)| (*part, secret))
    }

    /// Numbers of its parts, ascending.
    pub fn parts(&self) -> impl Iterator<Item = PartId> {
        self.tickets.iter().map(|(part, _)| *part)
    }
}

// By hand: no ticket, and no alias.
impl std::fmt::Debug for RevealedBundle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RevealedBundle").field("orders", &self.copies.len()).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for RevealedCopy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RevealedCopy").field("place", &self.place).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct HeadJson {
    format: String,
    version: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileJson {
    format: String,
    version: u32,
    vault: String,
    origin: String,
    party_key_id: String,
    copies: Vec<CopyJson>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CopyJson {
    index: u64,
    alias: String,
    record: String,
    tickets: Vec<TicketJson>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TicketJson {
    part: u16,
    t: TicketText,
}

impl TicketJson {
    fn of((part, secret): &(PartId, Secret<32>)) -> Self {
        Self { part: part.get(), t: TicketText(Secret::new(*secret.expose())) }
    }
}

/// In base64.
struct TicketText(Secret<32>);

impl Serialize for TicketText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Zeroizing::new(STANDARD.encode(self.0.expose())))
    }
}

impl<'de> Deserialize<'de> for TicketText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        let bytes = STANDARD.decode(text.as_bytes()).map(Zeroizing::new);
        let bytes = bytes.ok().and_then(|bytes| Some(Secret::new(bytes.as_slice().try_into().ok()?)));
        bytes.map(Self).ok_or_else(|| de::Error::custom("32 bytes in base64"))
    }
}

impl CopyJson {
    fn read(self, vault: VaultId, ledger: u32) -> Result<RevealedCopy> {
        let alias = Alias::parse(&self.alias).filter(|alias| alias.to_string() == self.alias);
        let alias = alias.ok_or_else(damaged)?;
        let bytes = STANDARD.decode(&self.record).map_err(|_| damaged())?;
        if bytes.len() > MAX_RECORD {
            return Err(damaged());
        }
        let record = Record::parse(&bytes)?;
        let part = |ticket: TicketJson| Some((PartId::new(ticket.part)?, ticket.t.0));
        let tickets: Option<Vec<_>> = self.tickets.into_iter().map(part).collect();
        let tickets = tickets.ok_or_else(damaged)?;
        let fits = record.parts().map(|(part, _)| part).eq(tickets.iter().map(|(part, _)| *part));
        if !fits || record.header.vault != vault || record.header.revision != 0 {
            return Err(damaged());
        }
        Ok(RevealedCopy { place: EntryPlace { ledger, index: self.index }, alias, record: bytes, tickets })
    }
}

fn from_hex<const N: usize>(text: &str) -> Result<[u8; N]> {
    let mut bytes = [0; N];
    let read = base16ct::lower::decode(text, &mut bytes).map_or(0, <[u8]>::len);
    if read == N { Ok(bytes) } else { Err(damaged()) }
}

fn damaged() -> Error {
    Error::new(ErrorKind::Damaged, "the file of revealed copies does not follow its format")
        .with_hint("party reveal writes it; it was cut or altered since")
}
