//! `update`: changes fields of an order.

use std::io::Write;

use consignee::{Error, ErrorKind, Order, Patch, ValueRef, policy::Policy};
use serde_json::{Value as Json, json};

use crate::{
    args::Update,
    failure::Failure,
    input::{self, Form},
    screen::Screen,
    show,
};

pub(crate) fn run(args: &Update, screen: &mut Screen) -> Result<(), Failure> {
    if args.order == "-" {
        return Err(Failure::usage("an update is of one order: `-` is for its PATCH"));
    }
    let text = input::Whole::of(&args.patch)?;
    let vault = args.key.unlock(&args.vault)?;
    let patch = read(&text.read()?, &*vault.policy()?).map_err(|e| {
        let source =
            if args.patch.as_os_str() == "-" { "the patch".into() } else { args.patch.display().to_string() };
        Failure::new(e.kind().exit_status(), format!("{source}: {e}"))
    })?;
    let revision = vault.update(&args.order, args.revision, patch).map_err(|e| {
        let what = match e.kind() {
            ErrorKind::Conflict => format!("{}: nothing was changed: {e}", args.order),
            _ => format!("{}: {e}", args.order),
        };
        Failure::new(e.kind().exit_status(), what)
    })?;
    let is_changed = revision != args.revision;
    if args.json {
        screen.json(&json!({ "revision": revision, "changed": is_changed }))?;
    } else if is_changed {
        writeln!(screen, "{}: revision {revision}", show::clean(&args.order))?;
    } else {
        writeln!(screen, "{}: nothing to change; revision {revision}", show::clean(&args.order))?;
    }
    Ok(())
}

/// The patch. Lines of the built-in order are read as `put` reads them, so that theirs is the same type.
fn read(text: &str, policy: &Policy) -> Result<Patch, Error> {
    let patch = Patch::from_json(text, policy)?;
    let items =
        serde_json::from_str::<Json>(text).ok().and_then(|mut json| Some(json.get_mut("items")?.take()));
    match (Form::of(policy), items) {
        (Form::Order, Some(items)) if !items.is_null() => {
            let bare = json!({
                "order_no": "0", "placed_at": "1970-01-01T00:00:00Z", "items": items,
                "consignee": { "name": "", "phone": "", "address": { "lines": [], "city": "", "country": "" } },
                "amount": { "value": "0", "currency": "XXX" },
            });
            let order = Order::from_json(&bare.to_string(), policy)?;
            Ok(patch.set("items", ValueRef::List(&order.items).to_value()?))
        }
        _ => Ok(patch),
    }
}
