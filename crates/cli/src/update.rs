//! `update`: changes fields of an order.

use std::io::Write;

use consignee::{ErrorKind, Patch};
use serde_json::json;

use crate::{args::Update, failure::Failure, input, screen::Screen, show};

pub(crate) fn run(args: &Update, screen: &mut Screen) -> Result<(), Failure> {
    if args.order == "-" {
        return Err(Failure::usage("an update is of one order: `-` is for its PATCH"));
    }
    let text = input::Whole::of(&args.patch)?;
    let vault = args.key.unlock(&args.vault)?;
    let patch = Patch::from_order_json(&text.read()?, &*vault.policy()?).map_err(|e| {
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
