//! Commands, options and their help.

mod left_out;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use left_out::parse;

use crate::root_key::KeyArgs;

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
Without a key file, the vault is opened by a passphrase.

EXAMPLES
  consignee init shop.vault --key-file ~/shop.key
  consignee init shop.vault --policy policy.toml --suite 2 --passphrase-fd 3 3< passphrase")]
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
    /// Rotates keys, moves orders to new ones, destroys old ones, and lists them
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
}

#[derive(Subcommand, Debug)]
pub(crate) enum PartyCommand {
    /// Adds a party that acts in a role
    #[command(after_help = "\
EXAMPLES
  consignee party add shop.vault 'SF Express' --role courier
  consignee party add shop.vault 'Las Cabras' --role supplier --as \"Cooperativa de Quesos 'Las Cabras'\"")]
    Add(PartyAdd),
    /// Lists the parties; needs no key
    #[command(after_help = "EXAMPLES\n  consignee party list shop.vault")]
    List(VaultOnly),
    /// Revokes a party: it opens nothing more, at once
    #[command(after_help = "EXAMPLES\n  consignee party revoke shop.vault 'SF Express'")]
    Revoke(PartyRevoke),
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
They get the facets, fields and search tags of that policy. Others put, open and search meanwhile. Interrupted, it is simply \
repeated.

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
}

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

#[derive(Args, Debug)]
pub(crate) struct LedgerShow {
    /// The vault's folder [env: CONSIGNEE_VAULT]
    pub(crate) vault: PathBuf,
    /// Prints a line of JSON per entry, and one of size and root
    #[arg(long)]
    pub(crate) json: bool,
}
