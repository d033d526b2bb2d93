//! `get`: a whole order, as `put` and `update` take it.

use std::io::Write;

use consignee::{ErrorKind, Vault, View, policy::Policy};
use serde_json::{Map, Value as Json};

use crate::{
    args::Get,
    failure::{FAILED, Failure, NOT_PERMITTED, complain},
    input::Names,
    screen::Screen,
};

pub(crate) fn run(args: &Get, screen: &mut Screen) -> Result<(), Failure> {
    let vault = args.key.unlock(&args.vault)?;
    let policy = vault.policy()?;
    check_whole(&vault, &policy, args)?;
    let mut names = Names::of(vec![args.order.clone()]);
    let mut worst = None;
    while let Some(name) = names.next()? {
        let text = name.text.map_err(|reason| Failure::new(FAILED, reason));
        let got = text.and_then(|order| {
            let view = vault.open(&args.party, &args.purpose, &order)?;
            Ok((whole(&view, &policy)?, view.revision()))
        });
        match got {
            Ok((order, revision)) => {
                screen.json(&order)?;
                screen.flush()?;
                if name.line.is_none() {
                    complain(&format!("{}: revision {revision}", name.label));
                }
            }
            Err(failure) => {
                screen.flush()?;
                complain(&format!("{}: {failure}", name.label));
                worst = Some(Failure::reported(failure.status()));
            }
        }
    }
    worst.map_or(Ok(()), Err)
}

/// Refuses a purpose that sees less than the whole before anything is opened: who hands such an order back would lose the rest.
/// A party or purpose that is not there is for the opening to refuse.
fn check_whole(vault: &Vault, policy: &Policy, args: &Get) -> Result<(), Failure> {
    let parties = vault.parties()?;
    let party = parties.iter().find(|party| party.name == args.party);
    let Some(access) = party.and_then(|party| policy.access(&party.role, &args.purpose)) else {
        return Ok(());
    };
    let hidden = policy.fields().iter().find(|field| !access.opens(field.id));
    let less = match hidden {
        Some(field) => format!("does not open {}", field.name),
        None if access.lines.is_empty() => return Ok(()),
        None => "sees its own lines only".to_owned(),
    };
    let (role, purpose) = (&access.role, &access.purpose);
    Err(Failure::new(NOT_PERMITTED, format!("{role} {less} for {purpose}: the order would not be whole")))
}

/// The fields, nested by the dots in their names.
fn whole(view: &View, policy: &Policy) -> Result<Json, Failure> {
    let mut order = Map::new();
    for field in policy.fields() {
        let value = match view.get(&field.name) {
            Ok(value) => value.to_json(),
            Err(e) if *e.kind() == ErrorKind::Absent => continue,
            Err(e) => return Err(Failure::new(e.kind().exit_status(), format!("{}: {e}", field.name))),
        };
        let is_within = |(at, _)| field.name.get(..at).is_some_and(|prefix| policy.field(prefix).is_some());
        match field.name.match_indices('.').any(is_within) {
            true => drop(order.insert(field.name.clone(), value)),
            false => insert(&mut order, &field.name, value),
        }
    }
    Ok(order.into())
}

fn insert(object: &mut Map<String, Json>, name: &str, value: Json) {
    match name.split_once('.') {
        None => drop(object.insert(name.to_owned(), value)),
        Some((head, rest)) => {
            if let Json::Object(below) = object.entry(head).or_insert_with(|| Map::new().into()) {
                insert(below, rest, value);
            }
        }
    }
}
