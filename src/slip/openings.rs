//! What the shop opens beside the entries: names of parties, and policies. Believed only where the entries commit to them.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

use consignee_policy::Policy;
use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, ErrorKind, Result},
    keys::{VaultId, party_key_id},
    registry::{PartyOpening, party_commitment},
    text::hex,
};

/// Most bytes of a file that is read.
const LONGEST: u64 = 1 << 20;
/// Most files of a folder that is read: two for each entry of an order, and for each of its parties.
const MOST_FILES: usize = 1 << 17;

/// Opens the commitment of a party's entry; `parties/<key id>.json`.
#[derive(Serialize, Deserialize)]
pub(super) struct NameOpening {
    number: u32,
    pub(super) name: String,
    pub(super) role: String,
    #[serde(rename = "as")]
    lines: Option<String>,
    salt: String,
    public: String,
}

impl NameOpening {
    pub(super) fn of(opening: &PartyOpening<'_>) -> Self {
        let party = opening.party;
        Self {
            number: party.number,
            name: party.name.clone(),
            role: party.role.clone(),
            lines: party.lines.clone(),
            salt: hex(&party.salt),
            public: hex(opening.public),
        }
    }

    /// Key id and commitment of the party's entry that it opens.
    fn opens(&self, vault: VaultId) -> Option<([u8; 16], [u8; 32])> {
        let (salt, public) = (from_hex(&self.salt)?.try_into().ok()?, from_hex(&self.public)?);
        let lines = self.lines.as_deref().unwrap_or_default();
        let commitment = party_commitment(&salt, &self.role, &self.name, lines);
        Some((party_key_id(vault, self.number, &public), commitment))
    }
}

/// Parties' names by key id: those that a party's entry commits to. `committed` has the entries' commitments by key id.
pub(super) fn names(
    folder: &Path,
    vault: VaultId,
    committed: &HashMap<[u8; 16], [u8; 32]>,
) -> Result<HashMap<[u8; 16], NameOpening>> {
    let mut names = HashMap::new();
    for (file, bytes) in files(&folder.join("parties"))? {
        let opening = serde_json::from_slice::<NameOpening>(&bytes).ok();
        let opened = opening.as_ref().and_then(|opening| opening.opens(vault));
        let (Some(opening), Some((id, commitment))) = (opening, opened) else {
            return Err(Error::new(ErrorKind::Damaged, format!("parties/{file} does not follow its format")));
        };
        if committed.get(&id) != Some(&commitment) {
            let message = format!("parties/{file} is not what an entry of a party commits to");
            return Err(Error::new(ErrorKind::CannotOpen, message));
        }
        names.insert(id, opening);
    }
    Ok(names)
}

/// Policies by their digest, by which entries name them; the built-in one among them.
pub(super) fn policies(folder: &Path) -> Result<HashMap<[u8; 32], Policy>> {
    let mut policies = HashMap::new();
    for (file, bytes) in files(&folder.join("policies"))? {
        let policy = Policy::from_canonical(&bytes)
            .map_err(|_| Error::new(ErrorKind::Damaged, format!("policies/{file} is no policy")))?;
        policies.insert(policy.digest(), policy);
    }
    let built_in = Policy::built_in();
    policies.insert(built_in.digest(), built_in);
    Ok(policies)
}

/// Name and bytes of each file in a folder, by name; none where there is no folder.
pub(super) fn files(folder: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    let unreadable = |_| Error::new(ErrorKind::Storage, "a folder of the answer cannot be read");
    let listed = match fs::read_dir(folder) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        listed => listed.map_err(unreadable)?,
    };
    let mut names = Vec::new();
    for entry in listed {
        let entry = entry.map_err(unreadable)?;
        // A pipe would keep its reader waiting.
        if entry.file_type().map_err(unreadable)?.is_file() {
            names.extend(entry.file_name().into_string());
        }
        if names.len() > MOST_FILES {
            return Err(Error::new(
                ErrorKind::Limit,
                "there are more than 131,072 files in a folder of the answer",
            ));
        }
    }
    names.sort();
    names.into_iter().map(|name| read(&folder.join(&name)).map(|bytes| (name, bytes))).collect()
}

/// A file of at most 1 MiB.
pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes)) {
        Ok(_) if bytes.len() as u64 > LONGEST => {
            Err(Error::new(ErrorKind::Limit, "a file of the answer has more than 1 MiB"))
        }
        Ok(_) => Ok(bytes),
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            Err(Error::new(ErrorKind::NotFound, "a file of the answer is missing"))
        }
        Err(_) => Err(Error::new(ErrorKind::Storage, "a file of the answer cannot be read")),
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let mut bytes = vec![0; text.len() / 2];
    base16ct::lower::decode(text, &mut bytes)
        .ok()
        .map(<[u8]>::len)
        .filter(|length| 2 * length == text.len())?;
    Some(bytes)
}
