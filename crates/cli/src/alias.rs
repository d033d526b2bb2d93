//! `alias resolve`: which link an order number that turned up elsewhere was given to.

use consignee::{Entry, EntryPlace, ResolvedAlias};

use crate::{
    args::AliasResolve,
    failure::{FAILED, Failure, complain},
    input::Names,
    screen::Screen,
    show,
    table::Table,
};

pub(crate) fn resolve(args: &AliasResolve, screen: &mut Screen) -> Result<(), Failure> {
    let vault = args.key.unlock(&args.vault)?;
    let mut names = Names::of(vec![args.alias.clone()]);
    let mut worst = None;
    while let Some(name) = names.next()? {
        let text = name.text.map_err(|reason| Failure::new(FAILED, reason));
        match text.and_then(|alias| Ok(vault.resolve_alias(&alias)?)) {
            Ok(resolved) => table(&resolved).print(screen)?,
            Err(failure) => {
                complain(&format!("{}: {failure}", name.label));
                worst = Some(Failure::reported(failure.status()));
            }
        }
    }
    worst.map_or(Ok(()), Err)
}

/// Whose alias it is, and what the ledger has of it.
pub(crate) fn table(resolved: &ResolvedAlias) -> Table {
    let party = &resolved.party;
    let order = match &resolved.order_no {
        Some(order_no) => show::clean(order_no),
        None => "shredded; its number is gone".to_owned(),
    };
    let lines = party.lines.as_ref().map(|value| format!(", as {value}")).unwrap_or_default();
    let mut table = Table::new(&["", ""]);
    table.row(vec!["party".into(), format!("{} ({}{lines})", party.name, party.role).into()]);
    table.row(vec!["order".into(), order.into()]);
    table.row(vec!["record".into(), resolved.record_id.to_string().into()]);
    let line = |(place, entry): &(EntryPlace, Entry)| {
        let (time, kind) = (show::time_in_words(entry.time), entry.kind.name());
        format!("{time}, {kind} for {} (entry {place})", entry.purpose)
    };
    let seen = match &resolved.seen {
        None => "it cannot be told any more: the order was shredded with its evidence".to_owned(),
        Some(seen) if seen.is_empty() => {
            "the ledger has no opening by this party: the vault never gave this alias out".to_owned()
        }
        Some(seen) => seen.iter().map(line).collect::<Vec<_>>().join("\n"),
    };
    table.row(vec!["saw it".into(), seen.into()]);
    table
}
