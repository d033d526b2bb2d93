//! `party`: who acts in which role.

use std::io::Write;

use consignee::{KnownParty, PartyState, Peek};

use crate::{
    args::{PartyAdd, PartyRevoke, VaultOnly},
    failure::Failure,
    screen::Screen,
    show,
    table::{Shown, Table},
};

pub(crate) fn add(args: &PartyAdd, screen: &mut Screen) -> Result<(), Failure> {
    let vault = args.key.unlock(&args.vault)?;
    let party = vault.add_party(&args.name, &args.role, args.lines.as_deref())?;
    let policy = vault.policy()?;
    let purposes: Vec<&str> = policy.purposes(&party.role).collect();
    writeln!(screen, "added {} as {}, for {}", party.name, party.role, purposes.join(", "))?;
    let sees_own_lines = policy.accesses().iter().any(|a| a.role == party.role && !a.lines.is_empty());
    if sees_own_lines && party.lines.is_none() {
        writeln!(
            screen,
            "it can open nothing for which its role sees its own lines only: it has no --as VALUE"
        )?;
    }
    Ok(())
}

pub(crate) fn list(args: &VaultOnly, screen: &mut Screen) -> Result<(), Failure> {
    let peek = Peek::read(&args.vault)?;
    if screen.is_terminal() {
        writeln!(screen, "read without the root key: not authenticated")?;
    }
    let mut table = Table::new(&["party", "role", "as", "state", "since"]);
    for party in peek.parties() {
        table.row(row(party));
    }
    Ok(table.print(screen)?)
}

fn row(party: &KnownParty) -> Vec<Shown> {
    let state = match party.state {
        PartyState::Active => "active".into(),
        PartyState::Revoked => Shown::bad("revoked"),
    };
    vec![
        party.name.as_str().into(),
        party.role.as_str().into(),
        party.lines.clone().unwrap_or_default().into(),
        state,
        show::time_in_words(party.added_at).into(),
    ]
}

pub(crate) fn revoke(args: &PartyRevoke, screen: &mut Screen) -> Result<(), Failure> {
    let vault = args.key.unlock(&args.vault)?;
    let party = vault.revoke_party(&args.name)?;
    writeln!(screen, "revoked {}: it opens nothing more; what it has been given it keeps", party.name)?;
    Ok(())
}
