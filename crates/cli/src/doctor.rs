//! `doctor`: everything against everything.

use std::path::Path;

use consignee::{Finding, RootKeyProvider, Severity, Vault};

use crate::{
    args::Keyed,
    failure::{FAILED, Failure},
    root_key::KeyArgs,
    screen::Screen,
    table::{Shown, Table},
};

pub(crate) fn run(args: &Keyed, screen: &mut Screen) -> Result<(), Failure> {
    let root = args.key.provider_for(&args.vault)?;
    examine(&args.vault, &*root, &args.key, screen)
}

/// Shows all findings; fails where one is a fault.
pub(crate) fn examine(
    folder: &Path,
    root: &dyn RootKeyProvider,
    key: &KeyArgs,
    screen: &mut Screen,
) -> Result<(), Failure> {
    let mut findings = Vault::check_folder(folder, root);
    let examined = Vault::unlock(folder, root).map_err(Failure::from).and_then(|vault| {
        key.keep(&vault)?;
        findings.extend(vault.doctor()?);
        findings.push(vault.check_policy_copy(folder)?);
        Ok(())
    });
    if examined.is_err() {
        // What is fine of a vault that does not unlock is not what anybody asks for.
        findings.retain(|finding| finding.severity != Severity::Fine);
    }
    let faulty = findings.iter().any(|finding| finding.severity == Severity::Fault);
    show(findings, screen)?;
    examined?;
    if faulty { Err(Failure::reported(FAILED)) } else { Ok(()) }
}

fn show(mut findings: Vec<Finding>, screen: &mut Screen) -> Result<(), Failure> {
    if findings.is_empty() {
        return Ok(());
    }
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let mut table = Table::new(&["", "checked", "found"]);
    for finding in findings {
        let mark = match finding.severity {
            Severity::Fine => "fine".into(),
            Severity::Warning => Shown::from("warning"),
            Severity::Fault => Shown::bad("FAULT"),
        };
        table.row(vec![mark, finding.check.into(), finding.message.into()]);
    }
    Ok(table.print(screen)?)
}
