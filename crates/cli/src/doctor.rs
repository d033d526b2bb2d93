//! `doctor`: everything against everything.

use consignee::Severity;

use crate::{
    args::Keyed,
    failure::{FAILED, Failure},
    screen::Screen,
    table::{Shown, Table},
};

pub(crate) fn run(args: &Keyed, screen: &mut Screen) -> Result<(), Failure> {
    let vault = args.key.unlock(&args.vault)?;
    let mut findings = vault.doctor()?;
    findings.push(vault.check_policy_copy(&args.vault)?);
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let faulty = findings.iter().any(|finding| finding.severity == Severity::Fault);
    let mut table = Table::new(&["", "checked", "found"]);
    for finding in findings {
        let mark = match finding.severity {
            Severity::Fine => "fine".into(),
            Severity::Warning => Shown::from("warning"),
            Severity::Fault => Shown::bad("FAULT"),
        };
        table.row(vec![mark, finding.check.into(), finding.message.into()]);
    }
    table.print(screen)?;
    if faulty { Err(Failure::reported(FAILED)) } else { Ok(()) }
}
