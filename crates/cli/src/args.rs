//! Commands, options and their help.

use std::{env, ffi::OsString, path::PathBuf};

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum, error::ErrorKind};

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
A line that cannot be stored is reported with its number and reason; the others are stored. An interrupted put is simply
repeated: orders that are there already count as unchanged.

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
pub(crate) enum LedgerCommand {
    /// Prints the entries; needs no key
    #[command(after_help = "\
EXAMPLES
  consignee ledger show shop.vault
  consignee ledger show shop.vault --json | jq 'select(.type == \"denied\")'")]
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
pub(crate) struct LedgerShow {
    /// The vault's folder [env: CONSIGNEE_VAULT]
    pub(crate) vault: PathBuf,
    /// Prints a line of JSON per entry
    #[arg(long)]
    pub(crate) json: bool,
}

/// The command line. Where VAULT was left out, it comes from CONSIGNEE_VAULT.
pub(crate) fn parse() -> Result<Cli, clap::Error> {
    let given: Vec<OsString> = env::args_os().collect();
    let vault = env::var_os("CONSIGNEE_VAULT").filter(|vault| !vault.is_empty());
    with_vault(given, vault)
}

fn with_vault(given: Vec<OsString>, vault: Option<OsString>) -> Result<Cli, clap::Error> {
    let as_given = Cli::try_parse_from(&given);
    let Some(vault) = vault else { return as_given };
    let left_out = match &as_given {
        Err(e) => e.kind() == ErrorKind::MissingRequiredArgument,
        // `open` takes any number of orders, so counting does not tell whether the first one is VAULT. A vault is a folder.
        Ok(Cli { command: Command::Open(open) }) => !open.vault.is_dir(),
        Ok(_) => false,
    };
    match place_of_vault(&given).filter(|_| left_out) {
        None => as_given,
        Some(place) => {
            let mut completed = given;
            completed.insert(place, vault);
            Cli::try_parse_from(completed)
        }
    }
}

/// Where VAULT stands for the command that was given; `None` for one without.
fn place_of_vault(given: &[OsString]) -> Option<usize> {
    let mut command = Cli::command();
    let mut place = 1;
    while let Some(sub) =
        given.get(place).and_then(|word| word.to_str()).and_then(|word| command.find_subcommand(word))
    {
        command = sub.clone();
        place += 1;
    }
    command.get_positionals().any(|argument| argument.get_id() == "vault").then_some(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str, vault: Option<&str>) -> Result<Command, clap::Error> {
        let words = line.split(' ').map(OsString::from).collect();
        Ok(with_vault(words, vault.map(OsString::from))?.command)
    }

    #[test]
    fn the_commands_are_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_environment_gives_the_vault_that_was_left_out() {
        let Command::Put(put) = parsed("consignee put a.jsonl --json", Some("v")).unwrap() else { panic!() };
        assert_eq!((put.vault.to_str(), put.file.to_str()), (Some("v"), Some("a.jsonl")));
        let Command::Put(put) = parsed("consignee put w a.jsonl", Some("v")).unwrap() else { panic!() };
        assert_eq!((put.vault.to_str(), put.file.to_str()), (Some("w"), Some("a.jsonl")));
        let Command::List(list) = parsed("consignee list", Some("v")).unwrap() else { panic!() };
        assert_eq!(list.vault.to_str(), Some("v"));
        let line = "consignee party add --role courier SF";
        let Command::Party(PartyCommand::Add(add)) = parsed(line, Some("v")).unwrap() else { panic!() };
        assert_eq!((add.vault.to_str(), add.name.as_str()), (Some("v"), "SF"));
    }

    #[test]
    fn of_many_orders_the_first_is_the_vault_only_if_it_is_a_folder() {
        let orders = |line: &str, vault| {
            let Command::Open(open) = parsed(line, vault).unwrap() else { panic!() };
            (open.vault.display().to_string(), open.orders.join(" "))
        };
        let open = |rest: &str| format!("consignee open --party p --purpose q {rest}");
        assert_eq!(orders(&open("1 2 3"), Some("v")), ("v".into(), "1 2 3".into()));
        assert_eq!(orders(&open("/ 2 3"), Some("v")), ("/".into(), "2 3".into()));
        assert_eq!(orders(&open("1"), Some("v")), ("v".into(), "1".into()));
        assert_eq!(orders(&open("1 2 3"), None), ("1".into(), "2 3".into()));
    }

    #[test]
    fn commands_without_a_vault_get_none() {
        for line in ["consignee policy check", "consignee policy diff a.toml", "consignee put"] {
            assert!(parsed(line, Some("v")).is_err(), "{line}");
        }
        assert!(parsed("consignee list", None).is_err());
    }
}
