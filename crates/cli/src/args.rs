//! Commands, options and their help.

mod ledger;
mod left_out;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use consignee::LedgerNote;

pub(crate) use ledger::*;
pub(crate) use left_out::parse;

use crate::{
    party_key::PartyKeyArgs,
    root_key::{KeyArgs, NewKeyArgs},
};

/// Order records that each role opens only in part, with every opening in a tamper-evident ledger.
#[derive(Parser, Debug)]
#[command(
    name = "consignee",
    version,
    max_term_width = 100,
    subcommand_required = true,
    after_help = "\
VAULT is a vault's folder. Where CONSIGNEE_VAULT names one, VAULT may be left out.
ORDER is an order number or an alias. `-` for an ORDER or a FILE reads standard input, one to a line.

EXAMPLES
  consignee demo
  consignee init shop.vault --key-file ~/shop.key
  export CONSIGNEE_VAULT=shop.vault CONSIGNEE_KEY_FILE=~/shop.key
  consignee put orders.jsonl
  consignee party add 'SF Express' --role courier
  consignee open --party 'SF Express' --purpose delivery 10248
  consignee find --party 'agent 17' --purpose after_sale consignee.phone='138 0000 1234'
  consignee share --party 'SF Express' --purpose delivery 10248 -o today.bundle
  consignee read --key courier.key --keyring shop.keyring today.bundle
  consignee scopes

EXIT STATUS
  0  done
  1  some or all of it failed
  2  called in a way that cannot work
  3  not permitted: by the policy, or any more"
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Shows what it does, on sample orders in a temporary vault
    #[command(after_help = "EXAMPLES\n  consignee demo\n  consignee demo | less")]
    Demo,
    /// Makes a vault
    #[command(after_help = "\
The key file is made if it is not there. It must lie outside the vault, and be kept apart from its backups.
Without a key file or token, the vault is opened by a passphrase. On a token, the key is made when the vault is.

EXAMPLES
  consignee init shop.vault --key-file ~/shop.key
  consignee init shop.vault --policy policy.toml --suite 2 --passphrase-fd 3 3< passphrase
  consignee init shop.vault --pkcs11-module /usr/lib/softhsm/libsofthsm2.so --pkcs11-token shop")]
    Init(Init),
    /// Stores orders, one JSON object to a line
    #[command(after_help = "\
A line that cannot be stored is reported with its number and reason; the others are stored. An interrupted put is simply \
repeated: orders that are there already count as unchanged.

Under a policy with all fields of the built-in order, a line is such an order, with all of them but note; under any other it \
has order_no always, the others as there are. Each field of the policy that the built-in order has not stands under its name, \
field a.b as {\"a\":{\"b\":1}} or {\"a.b\":1}: extra.gift as {\"extra\":{\"gift\":1}}.

EXAMPLES
  consignee put shop.vault orders.jsonl
  zcat orders.jsonl.gz | consignee put shop.vault - --json")]
    Put(Put),
    /// Adds, lists and revokes parties
    #[command(subcommand)]
    Party(PartyCommand),
    /// Opens orders as a party for a purpose
    #[command(after_help = "\
Prints what the policy lets the party see, and enters each opening in the ledger first.

EXAMPLES
  consignee open shop.vault --party 'SF Express' --purpose delivery 10248 10249
  consignee open shop.vault --party finance --purpose accounting --json - < numbers.txt")]
    Open(Open),
    /// Makes a bundle of orders for a party that has a key of its own
    #[command(after_help = "\
The bundle holds the party's parts and lines of each order, sealed anew to the party's key, and signed. Each order in it is an \
entry in the ledger first. Send it by whatever way: nobody else opens it. It ends when the time of the purpose does.

An order that cannot be shared is reported, and the others are shared.

With --request, party, purpose, orders and parts are those of the request that the party signed: a request is taken once, within a day, and its hash stands in each entry. Keep the request: with it the shop shows that the party asked.

EXAMPLES
  consignee share shop.vault --party 'SF Express' --purpose delivery 10248 10249 -o today.bundle
  consignee share --party 'SF Express' --purpose delivery --valid 2d - -o today.bundle < numbers.txt
  consignee share shop.vault --request sf.request -o today.bundle")]
    Share(Share),
    /// Reads a bundle on the party's own machine; needs no vault
    #[command(after_help = "\
Takes the party's private key, the newest keyring of the shop, and a bundle; both in bytes or in base64. The shop's card must \
have been pinned (party trust). Refuses what was altered, is another's, or is over, and a keyring older than the newest seen.

EXAMPLES
  consignee read --key courier.key --keyring shop.keyring today.bundle
  consignee read --key courier.key --keyring shop.keyring --json - < today.bundle")]
    Read(Read),
    /// Issues keyrings to parties
    #[command(subcommand)]
    Keyring(KeyringCommand),
    /// Closes an order whose life is over: nothing of it is shared any more
    #[command(after_help = "\
Every purpose that has an end (`expires` in the policy) is over for it, too. What is open without an end stays so. For good.

EXAMPLES
  consignee close shop.vault 10248
  consignee close - < delivered.txt")]
    Close(Close),
    /// Shows the vault to its parties
    #[command(subcommand)]
    Vault(VaultCommand),
    /// Finds orders by a value, as a party for a purpose
    #[command(after_help = "\
Takes fields that the policy lets the party search by. Prints for each hit the party's alias of the order, its revision and the \
search's entry in the ledger: each hit is an entry. At most 60 searches an hour and 300 a day for each party and field.

A value given as an argument shows in the process list and stays in the shell's history: `-` reads FIELD=VALUE from standard \
input, one to a line.

No hit is no failure: exit status 0, nothing on standard output, a word on standard error. Exit status 1 also where an order \
that may have the value cannot be opened.

EXAMPLES
  consignee find --party 'agent 17' --purpose after_sale consignee.phone='138 0000 1234'
  consignee find --party 'agent 17' --purpose after_sale --aliases - < phone.txt |
    consignee open --party 'agent 17' --purpose after_sale -
  consignee find --party 'agent 17' --purpose after_sale --json - < phone.txt")]
    Find(Find),
    /// Prints a whole order in the form that put and update take
    #[command(after_help = "\
For the shop itself: the purpose must open every field. An entry in the ledger comes first, as for any opening. Standard output \
gets the order as a line of JSON; standard error its revision, for update, where the order is an argument.

EXAMPLES
  consignee get shop.vault --party shop --purpose operation 10248 > 10248.json
  consignee get --party shop --purpose operation - < numbers.txt > orders.jsonl")]
    Get(Get),
    /// Changes fields of an order
    #[command(after_help = "\
PATCH is a JSON object of the fields that change, by whole names or nested. null clears a field; what is left out stays as it \
is. Facets and search indexes follow.

N is the revision that the change is made to, as open and get print it. If somebody else has changed the order since, nothing \
is written and the exit status is 1: look at the order again, and repeat with its revision. No party is asked for: who has the \
root key may change orders, and the ledger says that it was done.

EXAMPLES
  consignee update shop.vault 10248 --revision 1 patch.json
  echo '{\"note\":\"back door\"}' | consignee update 10248 --revision 1 -
  consignee get --party shop --purpose operation 10248 > 10248.json
  consignee update 10248 --revision 1 10248.json")]
    Update(Update),
    /// Lists stored orders by record id; opens nothing, needs no key
    #[command(after_help = "EXAMPLES\n  consignee list shop.vault\n  consignee list shop.vault | wc -l")]
    List(VaultOnly),
    /// Shows who may open what, for which purpose
    #[command(after_help = "\
Of a vault, or of a policy file. Without a root key the vault's answer is not authenticated, and says so.
docs/scopes.md describes the JSON.

EXAMPLES
  consignee scopes shop.vault
  consignee scopes policy.toml
  consignee scopes shop.vault --key-file ~/shop.key --json | jq '.scopes[] | select(.role == \"courier\")'")]
    Scopes(Scopes),
    /// Checks, compares and applies policies
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Shows the outside of a sealed record: header, directory, sizes
    #[command(after_help = "\
Finding an order by its number needs the root key; a record in a file needs none. Nothing of it is authenticated.

EXAMPLES
  consignee inspect shop.vault 10248
  consignee inspect --file record.bin")]
    Inspect(Inspect),
    /// Destroys the secret of an order: nobody opens it any more
    #[command(after_help = "\
EXAMPLES
  consignee shred shop.vault 10248 --reason 'the customer asked for it'
  consignee shred shop.vault 10248 --reason 'order of the court' --with-evidence --yes")]
    Shred(Shred),
    /// Finds out whose alias it is
    #[command(subcommand)]
    Alias(AliasCommand),
    /// Tells who saw an order: which parts, why, when, in which way
    #[command(after_help = "\
Every entry that the ledgers have of the order, former ledgers and former keys of the parties included. Works of a shredded order \
unless its evidence was destroyed. Opens nothing of the order, and makes no entry. That nobody saw it exits 0.

A line of JSON for each entry, then one with the sizes and roots of the ledgers: the answer is complete up to there. Whether the \
ledgers are whole says doctor.

With --slip it needs no vault and no key: it lists and verifies every disclosure of the slip's order, and of no other, in the published \
ledgers (DIR with public and audit), completely up to their checkpoints; or in the answer that the shop wrote with --answer, of which \
nothing shows that it is complete.

EXAMPLES
  consignee who-saw shop.vault 10248
  consignee who-saw --slip my.slip /srv/ledger
  consignee who-saw shop.vault 10248 --answer for-the-shopper --log /srv/ledger
  consignee who-saw 7K2M-9QX4-TB6H-3 --json | jq 'select(.disclosure)'
  consignee who-saw --json - < numbers.txt")]
    WhoSaw(WhoSaw),
    /// Rotates keys, moves orders to new ones, destroys old ones, changes the root key, and lists them all
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Shows what the ledger recorded
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// Checks a vault's files against each other and against the ledger
    #[command(after_help = "\
Exit status 1 on a fault. A warning exits 0; look at it, above all at orders that have an entry and are not stored.

EXAMPLES
  consignee doctor shop.vault")]
    Doctor(Keyed),
    /// Makes a backup: three sets, each to be kept where the others are not
    #[command(after_help = "\
DIR is made, with folders of their own for records (orders, ledger), secrets and keys. Other programs work on meanwhile. The last \
line is what restore takes as --last-known: note it outside of the vault.

`secrets` with the root key opens what is shredded later: neither the root key nor one of the other sets belongs beside it.

EXAMPLES
  consignee backup shop.vault /mnt/new --key-file ~/shop.key")]
    Backup(Backup),
    /// Makes a vault from the three sets of a backup
    #[command(after_help = "\
VAULT is made as it was at the backup. Its ledger is closed as lost and another one follows it. What was revoked, shredded or \
applied since is to be done again. Ends with what doctor finds.

EXAMPLES
  consignee restore shop.vault --from /mnt/new --checkpoint /mnt/other/shop.checkpoint
  consignee restore shop.vault --records r/records --secrets s/secrets --keys k/keys --last-known 1200:5f2c…")]
    Restore(Restore),
}

#[derive(Subcommand, Debug)]
pub(crate) enum PartyCommand {
    /// Adds a party that acts in a role
    #[command(after_help = "\
EXAMPLES
  consignee party add shop.vault 'SF Express' --role courier
  consignee party add shop.vault 'Las Cabras' --role supplier --as \"Cooperativa de Quesos 'Las Cabras'\"")]
    Add(PartyAdd),
    /// Gives a party a key of its own, or a new one
    #[command(after_help = "\
PUBFILE is what the party sent: compare the fingerprint with it by telephone. It needs a new keyring then.

EXAMPLES
  consignee party key shop.vault 'SF Express' --key courier.key.pub")]
    Key(PartySetKey),
    /// Makes a key pair for a party, on the party's own machine
    #[command(after_help = "\
Writes the private key (mode 0600, never to be sent) and beside it FILE.pub, to send to the shop. With a passphrase the private \
key is locked by it.

EXAMPLES
  consignee party keygen -o courier.key
  consignee party keygen -o courier.key --kem x25519 --key-passphrase-fd 3 3< passphrase")]
    Keygen(PartyKeygen),
    /// Pins the card of a shop's vault, on the party's own machine
    #[command(after_help = "\
Shows the card's fingerprint, to be compared with the shop by telephone: whoever passes off a card of his own can send orders \
that no shop has. The pins are in FILE.trust beside the key.

EXAMPLES
  consignee party trust --key courier.key shop.card
  consignee party trust --key courier.key shop.card --fingerprint 0VSH-4YKY-EFFB-XJSY-PF9P
  consignee party trust --key courier.key
  consignee party trust --key courier.key shop.card --remove")]
    Trust(PartyTrust),
    /// Asks a shop for orders, on the party's own machine: a signed request
    #[command(after_help = "\
Orders by the aliases by which the party knows them, one argument each; `-` reads them from standard input, one to a line. \
Without --part, all that the purpose opens. Parts are named as in the keyring, or by their numbers.

The shop's card must have been pinned (party trust). The shop takes a request within a day, once; the ledger's entries have its \
hash, so that neither side can say later that something else was asked for.

EXAMPLES
  consignee party request --key courier.key --purpose delivery 7K2M-9QX4-TB6H-3 -o sf.request
  consignee party request --key courier.key --keyring shop.keyring --purpose delivery --part consignee.phone - \
    -o sf.request < aliases.txt")]
    Request(PartyRequest),
    /// Writes what a court needs of a bundle to check the ledger's entries by, on the party's own machine
    #[command(after_help = "\
FILE is JSON, mode 0600: the sealed copies with their tickets, which the ledger's commitments are over. No value can be read in it \
by itself; together with the keyring it opens these copies. A bundle that is over is revealed, too.

EXAMPLES
  consignee party reveal --key courier.key today.bundle -o revealed.json
  consignee party reveal --key courier.key today.bundle 7K2M-9QX4-TB6H-3 -o revealed.json")]
    Reveal(PartyReveal),
    /// Lists the parties; needs no key
    #[command(after_help = "EXAMPLES\n  consignee party list shop.vault")]
    List(VaultOnly),
    /// Revokes a party: it opens nothing more, at once
    #[command(after_help = "EXAMPLES\n  consignee party revoke shop.vault 'SF Express'")]
    Revoke(PartyRevoke),
}

#[derive(Subcommand, Debug)]
pub(crate) enum KeyringCommand {
    /// Writes the keyring of a party: the field keys of its role, sealed to its key
    #[command(after_help = "\
Entered in the ledger first. Issue it again when the policy gives the role more, after a rotation of keys, and when the party \
has a new key.

EXAMPLES
  consignee keyring issue shop.vault --party 'SF Express' -o sf.keyring")]
    Issue(KeyringIssue),
}

#[derive(Subcommand, Debug)]
pub(crate) enum VaultCommand {
    /// Writes the vault's public keys, for its parties to pin
    #[command(after_help = "EXAMPLES\n  consignee vault card shop.vault -o shop.card")]
    Card(VaultCard),
}

#[derive(Subcommand, Debug)]
pub(crate) enum PolicyCommand {
    /// Reports the mistakes of a policy, and what is worth a second look
    #[command(after_help = "\
EXAMPLES
  consignee policy check policy.toml
  consignee policy check policy.toml --orders 2000000")]
    Check(PolicyCheck),
    /// Shows what a newer policy changes; exit status 1 if anybody gains
    #[command(after_help = "EXAMPLES\n  consignee policy diff old.toml new.toml")]
    Diff(PolicyDiff),
    /// Puts a policy in force
    #[command(after_help = "\
If anybody gains by it, choose whether what they gain reaches orders that are there already.

EXAMPLES
  consignee policy apply shop.vault new.toml --dry-run
  consignee policy apply shop.vault new.toml --existing-orders no")]
    Apply(PolicyApply),
}

#[derive(Subcommand, Debug)]
pub(crate) enum AliasCommand {
    /// Names the party and the order of an alias, and the openings that the ledger has of them
    #[command(after_help = "EXAMPLES\n  consignee alias resolve shop.vault 7K2M-9QX4-TB6H-3")]
    Resolve(AliasResolve),
}

#[derive(Subcommand, Debug)]
pub(crate) enum KeysCommand {
    /// Begins an epoch: new keys for what is put and changed from now on
    #[command(after_help = "\
Orders that are there stay under their keys, open and are found as before; keys reseal moves them.

EXAMPLES
  consignee keys rotate shop.vault
  consignee keys rotate shop.vault --suite 2")]
    Rotate(KeysRotate),
    /// Lists epochs and release keys: state, orders, age, and what to do about them
    #[command(after_help = "\
Needs no key; without one the answer is not authenticated. docs/keys.md describes the JSON.

EXAMPLES
  consignee keys list shop.vault
  consignee keys list shop.vault --json | jq '.epochs[] | select(.warnings != [])'")]
    List(KeysList),
    /// Exchanges the release key: makes shredding final against old copies of secrets.db
    #[command(after_help = "\
Moves every secret to a new release key and destroys the old one. Interrupted, it is simply repeated. Prints for which shredded \
orders that was final. Make new backups of secrets.db and keys.db afterwards.

Orders in tables of a program's own are moved by that program: until it says so by --own-tables-moved, the old key is kept.

EXAMPLES
  consignee keys rewrap shop.vault")]
    Rewrap(KeysRewrap),
    /// Seals the orders of an epoch anew, under the newest epoch and the policy in force
    #[command(after_help = "\
They get the facets, fields and search tags of that policy: what they have in fields that it has retired is left out, and gone \
for good once keys destroy has ended the earlier epoch. Others put, open and search meanwhile. Interrupted, it is simply repeated.

EXAMPLES
  consignee keys reseal shop.vault --from 1")]
    Reseal(KeysReseal),
    /// Destroys the keys of an epoch that no order needs any more
    #[command(
        after_help = "EXAMPLES\n  consignee keys destroy shop.vault 1\n  consignee keys destroy shop.vault 1 --yes"
    )]
    Destroy(KeysDestroy),
    /// Lists every key with its purpose, state, uses and holders, for a reviewer; needs no key
    #[command(after_help = "\
Not authenticated, as all that is read without the root key. docs/keys.md describes the JSON.

EXAMPLES
  consignee keys inventory shop.vault
  consignee keys inventory shop.vault --json | jq -r '.keys[] | [.id, .state, .purpose] | @tsv'")]
    Inventory(KeysInventory),
    /// Changes the root key of a vault: another key file, passphrase or token
    #[command(after_help = "\
The vault's own keys are wrapped anew; orders are not touched. From then on the new root key alone opens the vault. Programs that \
have it unlocked must unlock it again.

A copy of keys.db from before still opens under the old root key. If others know that one, they open what they have copied.

EXAMPLES
  consignee keys root shop.vault --key-file old.key --new-key-file new.key
  consignee keys root shop.vault --passphrase-fd 3 3< passphrase --new-key-file new.key
  consignee keys root shop.vault --key-file shop.key --new-pkcs11-module /usr/lib/softhsm/libsofthsm2.so \
    --new-pkcs11-token shop")]
    Root(KeysRoot),
}

#[derive(Args, Debug)]
pub(crate) struct VaultOnly {
    /// The vault's folder [env: CONSIGNEE_VAULT]
    pub(crate) vault: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct Keyed {
    /// The vault's folder [env: CONSIGNEE_VAULT]
    pub(crate) vault: PathBuf,
    #[command(flatten)]
    pub(crate) key: KeyArgs,
}

#[derive(Args, Debug)]
pub(crate) struct Backup {
    /// The vault's folder [env: CONSIGNEE_VAULT]
    pub(crate) vault: PathBuf,
    /// The backup's folder, which must not be there yet
    #[arg(value_name = "DIR")]
    pub(crate) to: PathBuf,
    #[command(flatten)]
    pub(crate) key: KeyArgs,
}

#[derive(Args, Debug)]
pub(crate) struct Restore {
    /// The vault's folder, which must not be there yet [env: CONSIGNEE_VAULT]
    pub(crate) vault: PathBuf,
    /// Folder with the three sets, as backup made them
    #[arg(long, value_name = "DIR", conflicts_with_all = ["records", "secrets", "keys"])]
    pub(crate) from: Option<PathBuf>,
    /// The set of records
    #[arg(long, value_name = "DIR", required_unless_present = "from")]
    pub(crate) records: Option<PathBuf>,
    /// The set of secrets
    #[arg(long, value_name = "DIR", required_unless_present = "from")]
    pub(crate) secrets: Option<PathBuf>,
    /// The set of keys
    #[arg(long, value_name = "DIR", required_unless_present = "from")]
    pub(crate) keys: Option<PathBuf>,
    /// Size and root of the ledger as they were noted last, and its number before them if it is not the first
    #[arg(long, value_name = "[N/]SIZE:ROOT", conflicts_with = "checkpoint")]
    pub(crate) last_known: Option<LedgerNote>,
    #[command(flatten)]
    pub(crate) key: KeyArgs,
}

#[derive(Args, Debug)]
pub(crate) struct Init {
    /// The vault's folder, which must not be there yet [env: CONSIGNEE_VAULT]
    pub(crate) vault: PathBuf,
    /// Policy to begin with, instead of that of the built-in order
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// Cipher suite: 1 AES-256-GCM, 2 ChaCha20-Poly1305
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=2))]
    pub(crate) suite: u8,
    #[command(flatten)]
    pub(crate) key: KeyArgs,
}

#[derive(Args, Debug)]
pub(crate) struct KeysRoot {
    /// The vault's folder [env: CONSIGNEE_VAULT]
    pub(crate) vault: PathBuf,
    #[command(flatten)]
    pub(crate) new: NewKeyArgs,
    #[command(flatten)]
    pub(crate) key: KeyArgs,
}

#[derive(Args, Debug)]
pub(crate) struct Put {
    /// The vault's folder [env: CONSIGNEE_VAULT]
    pub(crate) vault: PathBuf,
    /// File of orders, one JSON object to a line; `-` for standard input
    pub(crate) file: PathBuf,
    /// Ends with a line of JSON: how many were stored, unchanged, failed
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) key: KeyArgs,
}

#[derive(Args, Debug)]
pub(crate) struct PartyAdd {
    /// The vault's folder [env: CONSIGNEE_VAULT]
    pub(crate) vault: PathBuf,
    /// Name of the party
    pub(crate) name: String,
    /// Role it acts in
    #[arg(long)]
    pub(crate) role: String,
    /// Which lines of a list are its own, where its role sees only its own
    #[arg(long = "as", value_name = "VALUE")]
    pub(crate) lines: Option<String>,
    /// Public key of the party, so that orders can be shared with it
    #[arg(long = "key", value_name = "PUBFILE")]
    pub(crate) public: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) key: KeyArgs,
}

#[derive(Args, Debug)]
pub(crate) struct PartySetKey {
    /// The vault's folder [env: CONSIGNEE_VAULT]
    pub(crate) vault: PathBuf,
    /// Name of the party
    pub(crate) name: String,
    /// Public key of the party
    #[arg(long = "key", value_name = "PUBFILE")]
    pub(crate) public: PathBuf,
    #[command(flatten)]
    pub(crate) key: KeyArgs,
}

#[derive(Args, Debug)]
pub(crate) struct PartyKeygen {
    /// The private key, which must not be there yet
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// How keys are agreed on with it
    #[arg(long, value_name = "KEM", default_value = "x-wing")]
    pub(crate) kem: KemName,
    /// Reads a passphrase that locks the key from the first line of this open file descriptor [env: CONSIGNEE_KEY_PASSPHRASE holds one
    /// itself]
    #[arg(long, value_name = "N")]
    pub(crate) key_passphrase_fd: Option<u32>,
}

#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KemName {
    /// X25519 and ML-KEM-768 together: a draft, safe against quantum computers to come
    XWing,
    /// RFC 9180's DHKEM(X25519, HKDF-SHA256): short keys, in every cryptographic library
    X25519,
}

#[derive(Args, Debug)]
pub(crate) struct PartyTrust {
    /// The card that the shop sent; without it, the cards that are trusted are listed
    pub(crate) card: Option<PathBuf>,
    /// What the shop read out by telephone; without it you are shown the card's and asked
    #[arg(long, value_name = "F", requires = "card", conflicts_with = "remove")]
    pub(crate) fingerprint: Option<String>,
    /// Trusts the vault of this card no more
    #[arg(long, requires = "card")]
    pub(crate) remove: bool,
    #[command(flatten)]
    pub(crate) key: PartyKeyArgs,
}

#[derive(Args, Debug)]
pub(crate) struct PartyRequest {
    /// Aliases of orders; `-` reads them from standard input
    #[arg(required = true, value_name = "ALIAS")]
    pub(crate) aliases: Vec<String>,
    /// Why: a purpose of the party's role
    #[arg(long)]
    pub(crate) purpose: String,
    /// A part that is asked for, by its name or number; all that the purpose opens without any
    #[arg(long = "part", value_name = "NAME|N")]
    pub(crate) parts: Vec<String>,
    /// The keyring of the shop that is asked: says which shop, and has the parts' names
    #[arg(long, value_name = "FILE")]
    pub(crate) keyring: Option<PathBuf>,
    /// The card of the shop that is asked, where more than one is trusted
    #[arg(long, value_name = "FILE", conflicts_with = "keyring")]
    pub(crate) card: Option<PathBuf>,
    /// The request, which must not be there yet
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Writes base64 text
    #[arg(long)]
    pub(crate) base64: bool,
    #[command(flatten)]
    pub(crate) key: PartyKeyArgs,
}

#[derive(Args, Debug)]
pub(crate) struct PartyReveal {
    /// The bundle; `-` for standard input
    pub(crate) bundle: PathBuf,
    /// Orders of it by their aliases; all of them without any
    #[arg(value_name = "ALIAS")]
    pub(crate) aliases: Vec<String>,
    /// What is revealed, which must not be there yet
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    #[command(flatten)]
    pub(crate) key: PartyKeyArgs,
}

#[derive(Args, Debug)]
pub(crate) struct VaultCard {
    /// The vault's folder [env: CONSIGNEE_VAULT]
    pub(crate) vault: PathBuf,
    /// The card, which must not be there yet
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    #[command(flatten)]
    pub(crate) key: KeyArgs,
}

#[derive(Args, Debug)]
pub(crate) struct KeyringIssue {
    /// The vault's folder [env: CONSIGNEE_VAULT]
    pub(crate) vault: PathBuf,
    /// Party that it is for
    #[arg(long, value_name = "NAME")]
    pub(crate) party: String,
    /// The keyring, which must not be there yet
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Writes base64 text
    #[arg(long)]
    pub(crate) base64: bool,
    #[command(flatten)]
    pub(crate) key: KeyArgs,
}

#[derive(Args, Debug)]
pub(crate) struct Share {
    /// The vault's folder [env: CONSIGNEE_VAULT]
    pub(crate) vault: PathBuf,
    /// Order numbers or aliases; `-` reads them from standard input
    #[arg(required_unless_present = "request", value_name = "ORDER")]
    pub(crate) orders: Vec<String>,
    /// Party that they are for
    #[arg(long, value_name = "NAME", required_unless_present = "request")]
    pub(crate) party: Option<String>,
    /// Why: a purpose that the policy gives its role
    #[arg(long, required_unless_present = "request")]
    pub(crate) purpose: Option<String>,
    /// What the party asked for and signed (party request), in place of party, purpose and orders; `-` for standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["orders", "party", "purpose"])]
    pub(crate) request: Option<PathBuf>,
    /// The bundle, which must not be there yet
    #[arg(short, long, value_name = "BUNDLE")]
    pub(crate) output: PathBuf,
    /// Ends the bundle after this time, such as 12h or 7d, if the purpose does not end it before
    #[arg(long, value_name = "TIME", value_parser = time_span)]
    pub(crate) valid: Option<std::time::Duration>,
    /// Writes base64 text
    #[arg(long)]
    pub(crate) base64: bool,
    /// Prints a line of JSON per order: its alias for the party, and its entry
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) key: KeyArgs,
}

/// A number and one of s, m, h, d, as in a policy.
fn time_span(text: &str) -> Result<std::time::Duration, String> {
    let wrong = || "a time is a number and s, m, h or d, such as 12h or 7d".to_owned();
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    number
        .checked_mul(unit)
        .filter(|seconds| *seconds > 0)
        .map(std::time::Duration::from_secs)
        .ok_or_else(wrong)
}

#[derive(Args, Debug)]
pub(crate) struct Read {
    /// The bundle; `-` for standard input
    pub(crate) bundle: PathBuf,
    /// The keyring that the shop issued
    #[arg(long, value_name = "FILE")]
    pub(crate) keyring: PathBuf,
    /// Prints a line of JSON per order
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) key: PartyKeyArgs,
}

#[derive(Args, Debug)]
pub(crate) struct Close {
    /// The vault's folder [env: CONSIGNEE_VAULT]
    pub(crate) vault: PathBuf,
    /// Order number or alias; `-` reads them from standard input
    pub(crate) order: String,
    #[command(flatten)]
    pub(crate) key: KeyArgs,
}

#[derive(Args, Debug)]
pub(crate) struct PartyRevoke {
    /// The vault's folder [env: CONSIGNEE_VAULT]
    pub(crate) vault: PathBuf,
    /// Name of the party
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) key: KeyArgs,
}

#[derive(Args, Debug)]
pub(crate) struct Open {
    /// The vault's folder [env: CONSIGNEE_VAULT]
    pub(crate) vault: PathBuf,
    /// Order numbers or aliases; `-` reads them from standard input
    #[arg(required = true, value_name = "ORDER")]
    pub(crate) orders: Vec<String>,
    /// Party that opens
    #[arg(long, value_name = "NAME")]
    pub(crate) party: String,
    /// Why it opens: a purpose that the policy gives its role
    #[arg(long)]
    pub(crate) purpose: String,
    /// Prints a line of JSON per order
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) key: KeyArgs,
}

#[derive(Args, Debug)]
pub(crate) struct Find {
    /// The vault's folder [env: CONSIGNEE_VAULT]
    pub(crate) vault: PathBuf,
    /// Field and value; `-` reads them from standard input, one pair to a line
    #[arg(value_name = "FIELD=VALUE")]
    pub(crate) sought: String,
    /// Party that searches
    #[arg(long, value_name = "NAME")]
    pub(crate) party: String,
    /// Why it searches: a purpose that the policy gives its role
    #[arg(long)]
    pub(crate) purpose: String,
    /// Prints the aliases only, one to a line
    #[arg(long, conflicts_with = "json")]
    pub(crate) aliases: bool,
    /// Prints a line of JSON per hit, with the line of standard input if asked there
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) key: KeyArgs,
}

#[derive(Args, Debug)]
pub(crate) struct Get {
    /// The vault's folder [env: CONSIGNEE_VAULT]
    pub(crate) vault: PathBuf,
    /// Order number or alias; `-` reads them from standard input
    pub(crate) order: String,
    /// Party that opens
    #[arg(long, value_name = "NAME")]
    pub(crate) party: String,
    /// Why it opens: a purpose that opens every field to its role
    #[arg(long)]
    pub(crate) purpose: String,
    #[command(flatten)]
    pub(crate) key: KeyArgs,
}

#[derive(Args, Debug)]
pub(crate) struct Update {
    /// The vault's folder [env: CONSIGNEE_VAULT]
    pub(crate) vault: PathBuf,
    /// Order number or alias
    pub(crate) order: String,
    /// File with the fields that change, one JSON object; `-` for standard input
    pub(crate) patch: PathBuf,
    /// Revision of the order that the change is made to
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) revision: u32,
    /// Prints a line of JSON: the revision, and whether anything changed
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) key: KeyArgs,
}

#[derive(Args, Debug)]
pub(crate) struct Scopes {
    /// The vault's folder, or a policy file [env: CONSIGNEE_VAULT]
    #[arg(value_name = "VAULT|POLICY")]
    pub(crate) vault: PathBuf,
    /// Prints JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) key: KeyArgs,
}

#[derive(Args, Debug)]
pub(crate) struct PolicyCheck {
    /// The policy
    pub(crate) file: PathBuf,
    /// How many orders there will be: tells what search indexes show of that many
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) orders: Option<u64>,
}

#[derive(Args, Debug)]
pub(crate) struct PolicyDiff {
    /// The policy as it is
    pub(crate) old: PathBuf,
    /// The policy as it shall be
    pub(crate) new: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct PolicyApply {
    /// The vault's folder [env: CONSIGNEE_VAULT]
    pub(crate) vault: PathBuf,
    /// The policy
    pub(crate) file: PathBuf,
    /// Shows what would change, and changes nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Whether what is newly granted reaches orders that are there already
    #[arg(long, value_name = "yes|no", hide_possible_values = true)]
    pub(crate) existing_orders: Option<YesOrNo>,
    /// Confirms that fields and facets are retired, which is for ever
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) key: KeyArgs,
}

#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum YesOrNo {
    Yes,
    No,
}

#[derive(Args, Debug)]
pub(crate) struct Inspect {
    /// The vault's folder [env: CONSIGNEE_VAULT]
    #[arg(required_unless_present = "file")]
    pub(crate) vault: Option<PathBuf>,
    /// Order number or alias; `-` reads them from standard input
    #[arg(required_unless_present = "file")]
    pub(crate) order: Option<String>,
    /// A sealed record by itself
    #[arg(long, value_name = "FILE", conflicts_with_all = ["vault", "order"])]
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) key: KeyArgs,
}

#[derive(Args, Debug)]
pub(crate) struct Shred {
    /// The vault's folder [env: CONSIGNEE_VAULT]
    pub(crate) vault: PathBuf,
    /// Order number or alias; `-` reads them from standard input
    pub(crate) order: String,
    /// Why; the ledger keeps a commitment to it
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// Also destroys what proves who saw the order
    #[arg(long)]
    pub(crate) with_evidence: bool,
    /// Does not ask
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) key: KeyArgs,
}

#[derive(Args, Debug)]
pub(crate) struct AliasResolve {
    /// The vault's folder [env: CONSIGNEE_VAULT]
    pub(crate) vault: PathBuf,
    /// The alias, as XXXX-XXXX-XXXX-C; `-` reads them from standard input
    pub(crate) alias: String,
    #[command(flatten)]
    pub(crate) key: KeyArgs,
}

#[derive(Args, Debug)]
pub(crate) struct WhoSaw {
    /// The vault's folder [env: CONSIGNEE_VAULT]; with --slip, the folder of published ledgers or of the shop's answer
    #[arg(value_name = "VAULT|DIR")]
    pub(crate) vault: PathBuf,
    /// Order number or alias; `-` reads them from standard input
    #[arg(required_unless_present = "slip", conflicts_with = "slip")]
    pub(crate) order: Option<String>,
    /// The shopper's slip; `-` reads it from standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) slip: Option<PathBuf>,
    /// Witnesses in place of the slip's (C2SP tlog-policy)
    #[arg(long, value_name = "FILE", requires = "slip")]
    pub(crate) policy: Option<PathBuf>,
    /// Writes the answer for the shopper into this folder, which must not be there yet
    #[arg(long, value_name = "DIR", requires = "log", conflicts_with = "slip")]
    pub(crate) answer: Option<PathBuf>,
    /// The folder into which the vault is published, for the answer's proofs
    #[arg(long, value_name = "DIR", requires = "answer")]
    pub(crate) log: Option<PathBuf>,
    /// Names the parties in the answer, and not only their roles
    #[arg(long, requires = "answer")]
    pub(crate) names: bool,
    /// Entries that the ledger had when the slip was made, as who-saw --slip prints it: proves in the answer that it continues that
    #[arg(long, value_name = "N", requires = "answer")]
    pub(crate) since: Option<u64>,
    /// Prints a line of JSON per entry, and one at the end
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) key: KeyArgs,
}

#[derive(Args, Debug)]
pub(crate) struct KeysRotate {
    /// The vault's folder [env: CONSIGNEE_VAULT]
    pub(crate) vault: PathBuf,
    /// Cipher suite, if another: 1 AES-256-GCM, 2 ChaCha20-Poly1305
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=2))]
    pub(crate) suite: Option<u8>,
    #[command(flatten)]
    pub(crate) key: KeyArgs,
}

#[derive(Args, Debug)]
pub(crate) struct KeysList {
    /// The vault's folder [env: CONSIGNEE_VAULT]
    pub(crate) vault: PathBuf,
    /// Prints JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) key: KeyArgs,
}

#[derive(Args, Debug)]
pub(crate) struct KeysRewrap {
    /// The vault's folder [env: CONSIGNEE_VAULT]
    pub(crate) vault: PathBuf,
    /// Says that orders in tables of the program's own have been moved
    #[arg(long)]
    pub(crate) own_tables_moved: bool,
    #[command(flatten)]
    pub(crate) key: KeyArgs,
}

#[derive(Args, Debug)]
pub(crate) struct KeysReseal {
    /// The vault's folder [env: CONSIGNEE_VAULT]
    pub(crate) vault: PathBuf,
    /// Epoch whose orders are sealed anew
    #[arg(long, value_name = "EPOCH", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) from: u32,
    #[command(flatten)]
    pub(crate) key: KeyArgs,
}

#[derive(Args, Debug)]
pub(crate) struct KeysDestroy {
    /// The vault's folder [env: CONSIGNEE_VAULT]
    pub(crate) vault: PathBuf,
    /// The epoch
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) epoch: u32,
    /// Says that orders in tables of the program's own have been moved
    #[arg(long)]
    pub(crate) own_tables_moved: bool,
    /// Does not ask
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) key: KeyArgs,
}

#[derive(Args, Debug)]
pub(crate) struct KeysInventory {
    /// The vault's folder [env: CONSIGNEE_VAULT]
    pub(crate) vault: PathBuf,
    /// Prints JSON
    #[arg(long)]
    pub(crate) json: bool,
}
