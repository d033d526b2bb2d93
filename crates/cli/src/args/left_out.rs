//! VAULT where it was left out: from CONSIGNEE_VAULT.

use std::{env, ffi::OsString};

use clap::{CommandFactory, Parser, error::ErrorKind};

use super::{Cli, Command};

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
        // `open` and `share` take any number of orders, so counting does not tell whether the first one is VAULT. A vault is a folder.
        Ok(Cli { command: Command::Open(open) }) => !open.vault.is_dir(),
        Ok(Cli { command: Command::Share(share) }) => !share.vault.is_dir(),
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
    use crate::args::PartyCommand;

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
