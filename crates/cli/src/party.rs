//! `party`: who acts in which role.

use std::{io::Write, path::Path};

use consignee::{KnownParty, PartyState, Peek, PublicKey};

use crate::{
    args::{PartyAdd, PartyRevoke, PartySetKey, VaultCard, VaultOnly},
    failure::Failure,
    input,
    party_key::write_new,
    screen::Screen,
    show,
    table::{Shown, Table},
};

pub(crate) fn add(args: &PartyAdd, screen: &mut Screen) -> Result<(), Failure> {
    let vault = args.key.unlock(&args.vault)?;
    let (name, role, lines) = (&args.name, &args.role, args.lines.as_deref());
    let party = match &args.public {
        None => vault.add_party(name, role, lines)?,
        Some(file) => vault.add_party_with_key(name, role, lines, &public_key(file)?)?,
    };
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
    tell_key(&party, screen)
}

pub(crate) fn set_key(args: &PartySetKey, screen: &mut Screen) -> Result<(), Failure> {
    let vault = args.key.unlock(&args.vault)?;
    let party = vault.set_party_key(&args.name, &public_key(&args.public)?)?;
    writeln!(screen, "{} has this key from now on, and needs a keyring for it", party.name)?;
    tell_key(&party, screen)
}

fn public_key(file: &Path) -> Result<PublicKey, Failure> {
    Ok(PublicKey::parse(&input::text(file)?)?)
}

fn tell_key(party: &KnownParty, screen: &mut Screen) -> Result<(), Failure> {
    if let Some(key) = party.keys.last() {
        let (kem, fingerprint) = (key.kem().name(), key.fingerprint());
        writeln!(screen, "its key is of {kem}, fingerprint {fingerprint}: compare it by telephone")?;
    }
    Ok(())
}

pub(crate) fn card(args: &VaultCard, screen: &mut Screen) -> Result<(), Failure> {
    let vault = args.key.unlock(&args.vault)?;
    let card = vault.card()?;
    write_new(&args.output, card.to_text().as_bytes())?;
    writeln!(screen, "wrote the card {}, to be sent to the parties", args.output.display())?;
    writeln!(screen, "fingerprint {}: read it out to them by telephone", card.fingerprint())?;
    Ok(())
}

pub(crate) fn list(args: &VaultOnly, screen: &mut Screen) -> Result<(), Failure> {
    let peek = Peek::read(&args.vault)?;
    if screen.is_terminal() {
        writeln!(screen, "read without the root key: not authenticated")?;
    }
    let mut table = Table::new(&["party", "role", "as", "state", "since", "key"]);
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
        party.keys.last().map(|key| key.fingerprint().to_string()).unwrap_or_default().into(),
    ]
}

pub(crate) fn revoke(args: &PartyRevoke, screen: &mut Screen) -> Result<(), Failure> {
    let vault = args.key.unlock(&args.vault)?;
    let party = vault.revoke_party(&args.name)?;
    writeln!(screen, "revoked {}: it opens nothing more; what it has been given it keeps", party.name)?;
    Ok(())
}
