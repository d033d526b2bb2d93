//! `ledger` and its commands.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::root_key::KeyArgs;

#[derive(Subcommand, Debug)]
pub(crate) enum LedgerCommand {
    /// Prints the entries, and the ledger's size and root; needs no key
    #[command(after_help = "\
The last line, also of JSON, is size and root of the ledger at that moment, as its head has them (doctor computes them from the \
entries). Note them outside of the vault: a ledger that was rewritten as a whole has another root.

EXAMPLES
  consignee ledger show shop.vault
  consignee ledger show shop.vault --json | jq 'select(.type == \"denied\")'
  consignee ledger show shop.vault | tail -1 >> roots.txt")]
    Show(LedgerShow),
    /// Publishes the ledger as files that anybody's programs verify
    #[command(after_help = "\
DIR/public has the checkpoint and the tree's hashes: it may be put on a web server for everybody. DIR/audit has the entries: they name \
no order and no person, but show how busy each party is, so give them to auditors. Each is a log of C2SP tlog-tiles. A second ledger, \
which a restore begins, goes to DIR/ledger-2. Publishing again adds what is new.

EXAMPLES
  consignee ledger publish shop.vault /srv/ledger
  consignee ledger verify /srv/ledger --key shop.card")]
    Publish(LedgerPublish),
    /// Prints the ledger's checkpoint, signed, or makes the file that is kept outside of the vault
    #[command(after_help = "\
FILE is for --checkpoint of the commands that unlock the vault: from then on they hold it to that checkpoint, and move it on. Keep it on \
another disk or machine. The first checkpoint makes the vault's keys that sign: make a backup after it. FILE is never made anew by \
itself; if it was taken away, find out by whom before you make another.

EXAMPLES
  consignee ledger checkpoint shop.vault > today.checkpoint
  consignee ledger checkpoint shop.vault -o /mnt/other/shop.checkpoint
  export CONSIGNEE_CHECKPOINT=/mnt/other/shop.checkpoint")]
    Checkpoint(LedgerCheckpoint),
    /// Verifies a published ledger, or a vault's own against a checkpoint; needs no secret
    #[command(after_help = "\
KEY is the ledger's public key (a vkey, as `ledger publish` prints it), a file with one, or the vault's card. A card verifies every \
ledger of the vault that is below DIR. FILE of --policy names witnesses and how many of them must have cosigned (C2SP tlog-policy); \
without it, the ledger is its shop's word only. The first fault is told with the index of its entry.

EXAMPLES
  consignee ledger verify /srv/ledger --key shop.card --policy witnesses.txt
  consignee ledger verify /srv/ledger --key shop.card --checkpoint last-month.checkpoint
  consignee ledger verify shop.vault --key shop.card --checkpoint kept.checkpoint")]
    Verify(LedgerVerify),
    /// Proves that an entry is in a published ledger (C2SP tlog-proof)
    #[command(after_help = "EXAMPLE\n  consignee ledger proof /srv/ledger 17 -o 17.tlog-proof")]
    Proof(LedgerProof),
    /// Makes the slip with which an order's shopper finds out who saw it
    #[command(after_help = "\
The slip is one line of at most 2,048 bytes. It is a secret of the shopper: whoever has it and the published entries sees which roles \
opened the order, when and why; nothing of what it says. Keep no copy. With --log, the folder into which the vault is published, it takes \
a few reads, and can have what witnesses signed; without it, the whole ledger is hashed.

EXAMPLES
  consignee ledger slip shop.vault 10248 --log /srv/ledger --policy witnesses.txt --qr 10248.svg
  consignee who-saw --slip my.slip /srv/ledger")]
    Slip(LedgerSlip),
    /// Writes evidence of an order for a court: entries, proofs, and what opens them
    #[command(after_help = "\
DIR gets each entry that the ledgers have of the order with its proof, what opens the commitments in it (or why that is not there any \
more), who the parties are, what was allowed, and a README. Without --log the ledger is published for it anew, without cosignatures. \
Whoever gets DIR sees every disclosure of this order, and has the tickets of what was disclosed; those of the stored record open \
nothing of it after the order was changed or sealed anew.

EXAMPLES
  consignee ledger prove shop.vault 10248 -o evidence
  consignee ledger prove shop.vault 10248 --log /srv/ledger --policy witnesses.txt --bundle revealed.json -o evidence
  consignee ledger verify-bundle evidence --key shop.card")]
    Prove(LedgerProve),
    /// Proves that a party was never given a field of an order
    #[command(after_help = "\
DIR gets the whole ledgers, and the order's and the party's keys to its handles: nobody has to believe that no entry was left out. If \
the party was given the field, a facet of it or a search hit on it, the entries are told and the status is 1.

EXAMPLES
  consignee ledger clear shop.vault --party 'agent 17' --order 10248 --field consignee.phone -o cleared
  consignee ledger verify-bundle cleared --key shop.card --policy witnesses.txt")]
    Clear(LedgerClear),
    /// Verifies what `prove` or `clear` wrote; needs no vault and no secret
    #[command(after_help = "\
Everything in DIR is checked, and the first thing that does not hold is told, with status 1. KEY is the ledger's public key or the \
vault's card, and FILE names the witnesses, as you know them from elsewhere. Without KEY the keys are the word of whoever made DIR.

EXAMPLE
  consignee ledger verify-bundle evidence --key shop.card --policy witnesses.txt")]
    VerifyBundle(LedgerVerifyBundle),
    /// Makes a key for a witness of other firms' ledgers
    #[command(after_help = "EXAMPLE\n  consignee ledger witness-key witness.courier.example -o witness.key")]
    WitnessKey(LedgerWitnessKey),
    /// Writes what a witness is asked that has seen the ledger's first entries (C2SP tlog-witness)
    #[command(after_help = "EXAMPLE\n  consignee ledger consistency /srv/ledger --from 1200 -o request.txt")]
    Consistency(LedgerConsistency),
    /// As a witness: cosigns a checkpoint that continues the newest that was cosigned before
    #[command(after_help = "\
CHECKPOINT is a checkpoint, or a request as `ledger consistency` writes it. Without PROOF, the proof is taken from the request, or from \
the tiles that lie beside the checkpoint. The state file is written before the signature is: whoever sets it back signs two \
histories. A log that is new to the witness is taken with --log.

EXAMPLES
  consignee ledger cosign --key witness.key --state witness.state --log shop.card /srv/ledger/public/checkpoint
  consignee ledger cosign --key witness.key --state witness.state request.txt -o cosigned.checkpoint")]
    Cosign(LedgerCosign),
    /// Adds what witnesses signed to the published checkpoint
    #[command(
        after_help = "EXAMPLE\n  consignee ledger add-cosignature /srv/ledger cosigned.checkpoint --policy witnesses.txt"
    )]
    AddCosignature(LedgerAddCosignature),
}

#[derive(Args, Debug)]
pub(crate) struct LedgerShow {
    /// The vault's folder [env: CONSIGNEE_VAULT]
    pub(crate) vault: PathBuf,
    /// Number of the ledger, if not the present one: every restore begins another
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) ledger: Option<u32>,
    /// Prints a line of JSON per entry, and one of size and root
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct LedgerPublish {
    /// The vault's folder [env: CONSIGNEE_VAULT]
    pub(crate) vault: PathBuf,
    /// Where to publish; made if it is not there
    #[arg(value_name = "DIR")]
    pub(crate) to: PathBuf,
    /// Prints a line of JSON per ledger
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) key: KeyArgs,
}

#[derive(Args, Debug)]
pub(crate) struct LedgerCheckpoint {
    /// The vault's folder [env: CONSIGNEE_VAULT]
    pub(crate) vault: PathBuf,
    /// The file to keep, which must not be there yet
    #[arg(short, long, value_name = "FILE", conflicts_with = "checkpoint")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) key: KeyArgs,
}

#[derive(Args, Debug)]
pub(crate) struct LedgerVerify {
    /// The folder of a published ledger, or a vault's
    #[arg(value_name = "DIR|VAULT")]
    pub(crate) folder: PathBuf,
    /// The ledger's public key, a file with it, or the vault's card
    #[arg(long, value_name = "KEY")]
    pub(crate) key: String,
    /// Witnesses, and how many must have cosigned (C2SP tlog-policy)
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// A checkpoint that was kept elsewhere: the ledger must continue it; of a vault, where it ends
    #[arg(long, value_name = "FILE")]
    pub(crate) checkpoint: Option<PathBuf>,
    /// Prints a line of JSON per ledger
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct LedgerProof {
    /// The folder of a published ledger
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// Index of the entry, from 0
    #[arg(value_name = "INDEX")]
    pub(crate) index: u64,
    /// Number of the ledger
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) ledger: u32,
    /// The file, which must not be there yet; standard output without it
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct LedgerSlip {
    /// The vault's folder [env: CONSIGNEE_VAULT]
    pub(crate) vault: PathBuf,
    /// Order number
    pub(crate) order: String,
    /// The folder into which the vault is published
    #[arg(long, value_name = "DIR")]
    pub(crate) log: Option<PathBuf>,
    /// Witnesses that must have cosigned (C2SP tlog-policy)
    #[arg(long, value_name = "FILE", requires = "log")]
    pub(crate) policy: Option<PathBuf>,
    /// The slip's file, which must not be there yet; standard output without it and without --qr
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// A QR code of it as SVG, which must not be there yet
    #[arg(long, value_name = "FILE")]
    pub(crate) qr: Option<PathBuf>,
    /// Prints a line of JSON: the slip, the place of the order's entry, the witnesses
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) key: KeyArgs,
}

#[derive(Args, Debug)]
pub(crate) struct LedgerWitnessKey {
    /// Name of the witness, best a domain of its firm without https://
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// The private key's file, which must not be there yet; the public key goes to FILE.pub
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct LedgerConsistency {
    /// The folder of a published ledger
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// Number of entries that the witness has seen
    #[arg(long, value_name = "SIZE")]
    pub(crate) from: u64,
    /// Number of the ledger
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) ledger: u32,
    /// The file, which must not be there yet; standard output without it
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct LedgerCosign {
    /// The checkpoint, or a request with it
    pub(crate) checkpoint: PathBuf,
    /// The proof that it continues what was cosigned last; a request
    pub(crate) proof: Option<PathBuf>,
    /// The witness's private key
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// What the witness has cosigned; made with the first cosignature
    #[arg(long, value_name = "FILE")]
    pub(crate) state: PathBuf,
    /// Public key of a log that is new to the witness, a file with it, or the vault's card
    #[arg(long, value_name = "KEY")]
    pub(crate) log: Option<String>,
    /// Writes the checkpoint with the cosignature into this file, which must not be there yet; else the line alone is printed
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct LedgerAddCosignature {
    /// The folder of a published ledger
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// The checkpoint as a witness cosigned it, or its line
    #[arg(value_name = "FILE")]
    pub(crate) cosigned: PathBuf,
    /// The witnesses (C2SP tlog-policy)
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: PathBuf,
    /// Number of the ledger
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) ledger: u32,
}

#[derive(Args, Debug)]
pub(crate) struct LedgerProve {
    /// The vault's folder [env: CONSIGNEE_VAULT]
    pub(crate) vault: PathBuf,
    /// The order's number
    pub(crate) order: String,
    /// The folder to be written, which must not be there yet
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: PathBuf,
    /// Where the ledgers are published
    #[arg(long, value_name = "DIR")]
    pub(crate) log: Option<PathBuf>,
    /// Witnesses that have cosigned, and how many must have (C2SP tlog-policy)
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// What a party revealed of a bundle (party reveal); more than once for more
    #[arg(long, value_name = "FILE")]
    pub(crate) bundle: Vec<PathBuf>,
    /// A request that a party signed; more than once for more
    #[arg(long, value_name = "FILE")]
    pub(crate) request: Vec<PathBuf>,
    /// Gives away field keys, so that the values show: whoever has DIR then reads those parts of every order that he has tickets of
    #[arg(long, conflicts_with = "without_tickets")]
    pub(crate) reveal_plaintext: bool,
    /// Gives away no ticket of the stored record: what was opened in the vault is told, and its commitment stays closed
    #[arg(long)]
    pub(crate) without_tickets: bool,
    /// Prints a line of JSON per entry, and one of the whole
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) key: KeyArgs,
}

#[derive(Args, Debug)]
pub(crate) struct LedgerClear {
    /// The vault's folder [env: CONSIGNEE_VAULT]
    pub(crate) vault: PathBuf,
    /// The party's name
    #[arg(long, value_name = "NAME")]
    pub(crate) party: String,
    /// The order's number
    #[arg(long, value_name = "ORDER")]
    pub(crate) order: String,
    /// The field, such as consignee.phone; its facets are meant with it
    #[arg(long, value_name = "F")]
    pub(crate) field: String,
    /// The folder to be written, which must not be there yet
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: PathBuf,
    /// Where the ledgers are published
    #[arg(long, value_name = "DIR")]
    pub(crate) log: Option<PathBuf>,
    /// Witnesses that have cosigned, and how many must have (C2SP tlog-policy)
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// Prints a line of JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) key: KeyArgs,
}

#[derive(Args, Debug)]
pub(crate) struct LedgerVerifyBundle {
    /// The folder
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// The ledger's public key, a file with it, or the vault's card
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Option<String>,
    /// Witnesses, and how many must have cosigned (C2SP tlog-policy)
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// Prints a line of JSON per entry, and one of the whole
    #[arg(long)]
    pub(crate) json: bool,
}
