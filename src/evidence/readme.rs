//! `README.txt`: what a folder is, in plain words.

use super::{Kind, Statement};

const CHECK: &str = "\
HOW TO CHECK IT

  sha256sum -c manifest
      that no file was altered since the manifest was made
  consignee ledger verify-bundle .  --key KEY  --policy FILE
      everything; KEY is the ledger's public key and FILE names witnesses, as you know them from
      elsewhere. Without the two, the keys in trust/ are the word of whoever made this folder.

Without this shop's programs: manifest.note and the checkpoints are signed notes (Ed25519), of which
`openssl pkeyutl -verify -rawin` checks text and signature. The ledgers, their proofs and their trust
policies have the formats of https://c2sp.org (tlog-tiles, tlog-checkpoint, tlog-proof, tlog-policy,
tlog-cosignature), which Go's golang.org/x/mod/sumdb and filippo.io/torchwood read.
The layout of entries, handles and commitments is in the project's docs/format.md.
";

const PLAINTEXT: &str = "\
WARNING: THIS FOLDER SHOWS VALUES, AND HOLDS FIELD KEYS (field_keys in openings/).
A field key opens its part of every record and copy of its epoch of which somebody has a ticket: whoever
has this folder and tickets of other orders reads that part of them. Keep it as the shop keeps its keys;
the shop ends the danger by `keys rotate`, `keys reseal` and `keys destroy` of that epoch.

";

const NOT_PROVEN: &str = "\
- that a changed program that held the shop's keys opened nothing without an entry;
- that whoever was given something kept it to himself, or that people in the house did;
";

/// The README of a folder.
pub(super) fn text(statement: &Statement, order: &str) -> String {
    let order = order.escape_debug();
    let what = match (statement.kind, &statement.clear) {
        (Kind::Clear, Some(clear)) => {
            let (party, field) = (clear.party.escape_debug(), clear.field.escape_debug());
            format!(
                "\
CLEARING PROOF: up to the checkpoints in log/, the ledgers have no entry by which the party
  {party}
was given of the order
  {order}
the field
  {field}
or a reduced form of it, or learnt by a search that the order has a value of it.

The folder log/ has the whole ledgers. order.json has the order's handle key: with it and the party's
key ids (parties/) the handles by which every such entry would name the order are computed, and
no entry has one of them together with one of the parts.

IT DOES NOT PROVE
{NOT_PROVEN}\
- that the order was not stored a second time, under another number or another handle key;
- that the party does not act under a second name with keys of its own;
- anything of entries after the checkpoints, or of entries of a ledger that was lost;
- where no witness's quorum has cosigned the checkpoints, more than the shop's word: it could have
  made another ledger.
"
            )
        }
        _ => format!(
            "\
EVIDENCE of what the shop's ledgers have of the order
  {order}

entries/   each entry as the ledger has it, with the proof that it is in there (tlog-proof)
entries.json  the same in words
order.json the order's handle key: opens the handles by which entries name the order
parties/   who the key ids belong to
openings/  what opens the commitments of the entries, or why they stay closed
records/, revealed/  the sealed records and copies that these are of
policies/  what each role was allowed to open
requests/  what parties signed to get something

IT DOES NOT PROVE
{NOT_PROVEN}\
- that there are no further entries of the order: who has the whole ledger (its audit folder) and
  order.json sees all of them;
- where no witness's quorum has cosigned the checkpoints, more than the shop's word.

IT GIVES AWAY
- that these were all disclosures of the order, to whoever has order.json: it finds every entry of the
  order in the ledger, later ones too;
- in openings/ and revealed/ the tickets of what was disclosed. A ticket and the field key of its part
  together open it: whoever has a keyring of a role reads those parts, lists whole. Hand this folder to
  nobody who has one and is not to read them. After the order is changed or sealed anew, the tickets
  of the stored record open nothing in the shop's database.
"
        ),
    };
    let plaintext = if statement.plaintext { PLAINTEXT } else { "" };
    format!("{plaintext}{what}\n{CHECK}")
}
