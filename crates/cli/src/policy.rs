//! `policy`: check, compare, apply.

use std::{io::Write, path::Path};

use consignee::{ExistingOrders, policy::Policy};

use crate::{
    args::{PolicyApply, PolicyCheck, PolicyDiff, YesOrNo},
    failure::{FAILED, Failure, WRONG_USE, complain},
    input,
    screen::Screen,
    show,
};

/// The policy of a text; every mistake is reported, with its place.
pub(crate) fn parsed(path: &Path, text: &str) -> Result<Policy, Failure> {
    Policy::parse(text).map_err(|mistakes| {
        for mistake in mistakes.as_slice() {
            complain(&format!("{}: {mistake}", path.display()));
        }
        Failure::reported(WRONG_USE)
    })
}

/// The beginning of a policy's digest, by which people tell policies apart.
pub(crate) fn short(policy: &Policy) -> String {
    show::hex(&policy.digest()).chars().take(16).collect()
}

pub(crate) fn check(args: &PolicyCheck, screen: &mut Screen) -> Result<(), Failure> {
    let policy = parsed(&args.file, &input::text(&args.file)?)?;
    let facets = policy.parts().filter(|part| part.facet.is_some()).count();
    writeln!(
        screen,
        "no mistakes: {}, {}, {}; digest {}",
        show::counted(policy.fields().len() as u64, "field"),
        show::counted(facets as u64, "facet"),
        show::counted(policy.roles().count() as u64, "role"),
        show::hex(&policy.digest())
    )?;
    warn(&policy, screen)?;
    let Some(orders) = args.orders else { return Ok(()) };
    for index in policy.leakage(Some(orders)) {
        writeln!(screen, "{}{}", if index.identifies { "warning: " } else { "" }, index.line)?;
    }
    Ok(())
}

fn warn(policy: &Policy, screen: &mut Screen) -> Result<(), Failure> {
    Ok(policy.warnings().iter().try_for_each(|warning| writeln!(screen, "warning: {warning}"))?)
}

pub(crate) fn diff(args: &PolicyDiff, screen: &mut Screen) -> Result<(), Failure> {
    let old = parsed(&args.old, &input::text(&args.old)?)?;
    let new = parsed(&args.new, &input::text(&args.new)?)?;
    let diff = old.diff(&new);
    if diff.is_empty() {
        writeln!(screen, "no change")?;
    } else {
        writeln!(screen, "{diff}")?;
    }
    if diff.anyone_gains() { Err(Failure::reported(FAILED)) } else { Ok(()) }
}

pub(crate) fn apply(args: &PolicyApply, screen: &mut Screen) -> Result<(), Failure> {
    let text = input::text(&args.file)?;
    let new = parsed(&args.file, &text)?;
    let vault = args.key.unlock(&args.vault)?;
    let old = vault.policy()?;
    if old.digest() == new.digest() {
        writeln!(screen, "this policy is in force already")?;
        if !args.dry_run {
            vault.write_policy_copy(&args.vault, &text)?;
        }
        return Ok(());
    }
    let diff = old.diff(&new);
    writeln!(screen, "{diff}")?;
    warn(&new, screen)?;
    if !diff.incompatible().is_empty() {
        return Err(Failure::new(
            FAILED,
            "orders are sealed under the old meaning of the lines with !: such a policy is refused; nothing was changed",
        ));
    }
    if args.dry_run {
        return Ok(writeln!(screen, "nothing was changed: this is a dry run")?);
    }
    if !args.yes && old.parts().any(|part| new.retired().contains(&part.id)) {
        return Err(Failure::usage(
            "a retired number is retired for ever, nobody opens what orders have of it, and an update drops it: \
             confirm it with --yes; nothing was changed",
        ));
    }
    if diff.anyone_gains() && args.existing_orders.is_none() {
        return Err(Failure::usage(
            "somebody gains by this policy: choose whether that reaches orders that are there already, \
             --existing-orders yes|no; nothing was changed",
        ));
    }
    let existing = match args.existing_orders {
        Some(YesOrNo::Yes) => ExistingOrders::Yes,
        Some(YesOrNo::No) | None => ExistingOrders::No,
    };
    let policy = vault.apply_policy(&text, existing)?;
    // Said first: it is, also if its copy for people cannot be written.
    writeln!(screen, "policy {} is in force", short(&policy))?;
    Ok(vault.write_policy_copy(&args.vault, &text)?)
}
