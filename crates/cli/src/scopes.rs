//! `scopes`: the reviewers' matrix.

use std::io::{self, Write};

use consignee::{EntryPlace, Peek, Scope, ScopeParty, Scopes};

use crate::{
    args,
    failure::Failure,
    input, policy,
    screen::Screen,
    show,
    table::{Shown, Table},
};

pub(crate) fn run(args: &args::Scopes, screen: &mut Screen) -> Result<(), Failure> {
    let scopes = if !args.vault.is_dir() {
        Scopes::of_policy(&policy::parsed(&args.vault, &input::text(&args.vault)?)?)
    } else if args.key.is_given()? {
        args.key.unlock(&args.vault)?.scopes()?
    } else {
        Peek::read(&args.vault)?.scopes()?
    };
    if args.json {
        serde_json::to_writer_pretty(&mut *screen, &scopes).map_err(io::Error::from)?;
        writeln!(screen)?;
        return Ok(());
    }
    in_force(&scopes, screen)?;
    table(&scopes, screen.is_terminal()).print(screen)?;
    scopes.indexes.iter().try_for_each(|index| writeln!(screen, "{}", show::clean(&index.line)))?;
    scopes.warnings.iter().try_for_each(|warning| writeln!(screen, "warning: {}", show::clean(warning)))?;
    Ok(())
}

fn in_force(scopes: &Scopes, screen: &mut Screen) -> io::Result<()> {
    let policy = &scopes.policy;
    writeln!(screen, "policy {}", policy.digest)?;
    if let Some(time) = &policy.applied_at {
        let place = policy.ledger.zip(policy.ledger_index);
        let place = place.map(|(ledger, index)| EntryPlace { ledger, index });
        let entry = place.map(|place| format!(", by entry {place} of the ledger")).unwrap_or_default();
        writeln!(screen, "in force since {time}{entry}")?;
    }
    if policy.existing_orders == Some(false) {
        writeln!(screen, "what it newly grants does not reach orders that were there before it")?;
    }
    let source = match (scopes.authenticated, &policy.applied_at) {
        (true, _) => "authenticated with the root key",
        (false, Some(_)) => "read without the root key: not authenticated",
        (false, None) => "a policy file: not authenticated, and in force nowhere by itself",
    };
    writeln!(screen, "{source}")
}

/// On a terminal what a role sees is one column, for want of room.
fn table(scopes: &Scopes, narrow: bool) -> Table {
    let mut table = match narrow {
        true => Table::new(&["role", "purpose", "sees", "until", "parties"]).unbroken(&[0, 1, 2]),
        false => Table::new(&["role", "purpose", "opens", "sees reduced", "searches", "until", "parties"]),
    };
    for scope in &scopes.scopes {
        let mut row: Vec<Shown> = vec![scope.role.as_str().into(), scope.purpose.as_str().into()];
        let opens: Vec<String> = scope.opens.iter().map(|name| opened(scope, name)).collect();
        if narrow {
            let searches = scope.searches.iter().map(|name| format!("searches by {name}"));
            let sees = opens.into_iter().chain(scope.sees_reduced.iter().cloned()).chain(searches);
            row.push(sees.collect::<Vec<_>>().join("\n").into());
        } else {
            row.extend(
                [opens.join("\n"), scope.sees_reduced.join("\n"), scope.searches.join("\n")].map(Shown::from),
            );
        }
        row.push(scope.expires_seconds.map_or_else(|| "no end".to_owned(), show::span).into());
        row.push(scope.parties.iter().map(party).collect::<Vec<_>>().join("\n").into());
        table.row(row);
    }
    table
}

fn opened(scope: &Scope, name: &str) -> String {
    match scope.lines.get(name) {
        Some(property) => format!("{name} (own {property})"),
        None => name.to_owned(),
    }
}

fn party(party: &ScopeParty) -> String {
    let lines = party.lines.as_ref().map(|value| format!(" as {value}")).unwrap_or_default();
    format!("{}{lines}{}", party.name, if party.revoked { " (revoked)" } else { "" })
}
