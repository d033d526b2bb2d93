//! The command line of `consignee`.

mod alias;
mod args;
mod backup;
mod close;
mod demo;
mod doctor;
mod evidence;
mod failure;
mod find;
mod get;
mod init;
mod input;
mod inspect;
mod keys;
mod ledger;
mod open;
mod party;
mod party_key;
mod party_request;
mod party_reveal;
mod policy;
mod publish;
mod put;
mod read;
mod root_key;
mod scopes;
mod screen;
mod share;
mod show;
mod shred;
mod slip;
mod table;
mod update;
mod who_saw;
mod witness;

use std::process::ExitCode;

use args::{Command, KeyringCommand, KeysCommand, LedgerCommand, PartyCommand, PolicyCommand, VaultCommand};
use failure::Failure;
use screen::Screen;

fn main() -> ExitCode {
    let command = match args::parse() {
        Ok(args) => args.command,
        Err(e) => {
            let _unwritable = e.print();
            return ExitCode::from(if e.use_stderr() { failure::WRONG_USE } else { 0 });
        }
    };
    let mut screen = Screen::new();
    let done = run(command, &mut screen).and_then(|()| Ok(screen.finish()?));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // What was done before the failure is part of the answer.
            let _unwritable = screen.finish();
            failure.report();
            ExitCode::from(failure.status())
        }
    }
}

fn run(command: Command, screen: &mut Screen) -> Result<(), Failure> {
    match command {
        Command::Demo => demo::run(screen),
        Command::Init(args) => init::run(&args, screen),
        Command::Put(args) => put::run(&args, screen),
        Command::Party(PartyCommand::Add(args)) => party::add(&args, screen),
        Command::Party(PartyCommand::List(args)) => party::list(&args, screen),
        Command::Party(PartyCommand::Revoke(args)) => party::revoke(&args, screen),
        Command::Party(PartyCommand::Key(args)) => party::set_key(&args, screen),
        Command::Party(PartyCommand::Keygen(args)) => party_key::generate(&args, screen),
        Command::Party(PartyCommand::Trust(args)) => party_key::trust(&args, screen),
        Command::Party(PartyCommand::Request(args)) => party_request::run(args, screen),
        Command::Party(PartyCommand::Reveal(args)) => party_reveal::run(args, screen),
        Command::Vault(VaultCommand::Card(args)) => party::card(&args, screen),
        Command::Keyring(KeyringCommand::Issue(args)) => share::keyring(&args, screen),
        Command::Share(args) => share::run(args, screen),
        Command::Read(args) => read::run(&args, screen),
        Command::Close(args) => close::run(&args, screen),
        Command::Open(args) => open::run(args, screen),
        Command::Find(args) => find::run(&args, screen),
        Command::Get(args) => get::run(&args, screen),
        Command::Update(args) => update::run(&args, screen),
        Command::List(args) => inspect::list(&args, screen),
        Command::Scopes(args) => scopes::run(&args, screen),
        Command::Policy(PolicyCommand::Check(args)) => policy::check(&args, screen),
        Command::Policy(PolicyCommand::Diff(args)) => policy::diff(&args, screen),
        Command::Policy(PolicyCommand::Apply(args)) => policy::apply(&args, screen),
        Command::Inspect(args) => inspect::run(&args, screen),
        Command::Shred(args) => shred::run(&args, screen),
        Command::Alias(args::AliasCommand::Resolve(args)) => alias::resolve(&args, screen),
        Command::WhoSaw(args) => who_saw::run(&args, screen),
        Command::Keys(KeysCommand::Rotate(args)) => keys::rotate(&args, screen),
        Command::Keys(KeysCommand::List(args)) => keys::list(&args, screen),
        Command::Keys(KeysCommand::Rewrap(args)) => keys::rewrap(&args, screen),
        Command::Keys(KeysCommand::Reseal(args)) => keys::reseal(&args, screen),
        Command::Keys(KeysCommand::Destroy(args)) => keys::destroy(&args, screen),
        Command::Keys(KeysCommand::Inventory(args)) => keys::inventory(&args, screen),
        Command::Ledger(LedgerCommand::Show(args)) => ledger::show(&args, screen),
        Command::Ledger(LedgerCommand::Slip(args)) => slip::make(&args, screen),
        Command::Ledger(LedgerCommand::Publish(args)) => publish::publish(&args, screen),
        Command::Ledger(LedgerCommand::Checkpoint(args)) => publish::checkpoint(&args, screen),
        Command::Ledger(LedgerCommand::Verify(args)) => publish::verify(&args, screen),
        Command::Ledger(LedgerCommand::Proof(args)) => publish::proof(&args, screen),
        Command::Ledger(LedgerCommand::Prove(args)) => evidence::prove(&args, screen),
        Command::Ledger(LedgerCommand::Clear(args)) => evidence::clear(&args, screen),
        Command::Ledger(LedgerCommand::VerifyBundle(args)) => evidence::verify(&args, screen),
        Command::Ledger(LedgerCommand::WitnessKey(args)) => witness::generate(&args, screen),
        Command::Ledger(LedgerCommand::Consistency(args)) => witness::consistency(&args, screen),
        Command::Ledger(LedgerCommand::Cosign(args)) => witness::cosign(&args, screen),
        Command::Ledger(LedgerCommand::AddCosignature(args)) => witness::add(&args, screen),
        Command::Keys(KeysCommand::Root(args)) => keys::change_root(&args, screen),
        Command::Doctor(args) => doctor::run(&args, screen),
        Command::Backup(args) => backup::backup(&args, screen),
        Command::Restore(args) => backup::restore(&args, screen),
    }
}
