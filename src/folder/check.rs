//! Who may reach a vault's folder and its key, and what else lies there.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, File, Metadata},
    io::Read,
    path::Path,
};

use super::{POLICY_COPY, check_location};
use crate::{
    doctor::{Finding, Severity},
    keys::{KEY_FILE_PREFIX, RootKeyProvider},
    store::sqlite::{Access, FILES, LOCK, SUFFIXES, access, former_ledgers},
    vault::Vault,
};

const CHECK: &str = "files";
/// Foreign files that are looked into for a key.
const LOOKED_INTO: usize = 1_000;

impl Vault {
    /// Checks who may reach a vault's folder, its files and its key, and what else lies there. Changes nothing, opens nothing and
    /// needs no vault that unlocks: [`Vault::unlock`] refuses a folder that others can reach, and this says what it is.
    pub fn check_folder(folder: &Path, root: &dyn RootKeyProvider) -> Vec<Finding> {
        let mut findings = Vec::new();
        check_files(folder, &mut findings);
        if findings.is_empty() {
            let message = "the folder and its files are this user's own, and nobody else may reach them";
            findings.push(Finding::new(Severity::Fine, CHECK, message));
        }
        findings.extend(check_foreign(folder));
        findings.extend(check_key(folder, root));
        findings
    }
}

fn check_files(folder: &Path, findings: &mut Vec<Finding>) {
    let mut find = |severity, name: &str, what| {
        findings.push(Finding::new(severity, CHECK, format!("{name} {what}")));
    };
    match folder.symlink_metadata().map(|meta| exposed(&meta, meta.is_dir(), "chmod 700 it")) {
        Ok(None) => {}
        Ok(Some(what)) => find(Severity::Fault, "the folder", what),
        Err(_) => find(Severity::Fault, "the folder", "is missing or cannot be reached".to_owned()),
    }
    let look = |name: &str| folder.join(name).symlink_metadata();
    let of_file = |meta: &Metadata| exposed(meta, meta.is_file(), "chmod 600 it");
    let names = FILES.into_iter().chain([LOCK]).map(str::to_owned);
    for name in names.chain(former_ledgers(folder)) {
        let name = name.as_str();
        match look(name).map(|meta| (of_file(&meta), has_second_name(&meta))) {
            Ok((None, false)) => {}
            Ok((None, true)) => find(Severity::Warning, name, SECOND_NAME.to_owned()),
            Ok((Some(what), _)) => find(Severity::Fault, name, what),
            Err(_) => find(Severity::Fault, name, "is missing or cannot be reached".to_owned()),
        }
        for suffix in SUFFIXES {
            let name = format!("{name}{suffix}");
            if let Some(what) = look(&name).ok().and_then(|meta| of_file(&meta)) {
                find(Severity::Fault, &name, what);
            }
        }
    }
    // No secret; but whoever may write it may have people read another policy than the one in force.
    if let Some(what) = look(POLICY_COPY).ok().and_then(|meta| of_file(&meta)) {
        find(Severity::Warning, POLICY_COPY, what);
    }
}

const SECOND_NAME: &str = "has a second name (a hard link), which is no copy: what is done to the vault is done to it, and whoever \
                           opens it there damages the vault. Remove that name";

#[cfg(unix)]
fn has_second_name(meta: &Metadata) -> bool {
    std::os::unix::fs::MetadataExt::nlink(meta) > 1
}

#[cfg(not(unix))]
fn has_second_name(_meta: &Metadata) -> bool {
    false
}

/// What is wrong with a file or folder, and what to do.
fn exposed(meta: &Metadata, right_kind: bool, change: &str) -> Option<String> {
    if meta.file_type().is_symlink() {
        return Some("is a link: put what it leads to in its place".to_owned());
    }
    if !right_kind {
        return Some("is not what it should be: restore it from its newest backup".to_owned());
    }
    match access(meta) {
        Access::Private => None,
        Access::AnothersOwn => {
            Some("belongs to another user: chown it, or run as its owner; find out who had it".to_owned())
        }
        Access::Open => {
            Some(format!("can be reached by other users: {change}, and find out who could read it"))
        }
    }
}

/// Files that are not the vault's own: whoever copies the vault copies them.
fn check_foreign(folder: &Path) -> Vec<Finding> {
    let foreign = foreign(folder);
    if foreign.is_empty() {
        return Vec::new();
    }
    let keys = foreign.iter().take(LOOKED_INTO).filter(|name| is_key_file(&folder.join(name))).count();
    let mut findings = Vec::new();
    if keys > 0 {
        let message = format!(
            "{keys} key files lie in the folder: whoever copies the vault has the key with it. Move them away, and take the key for \
             known if a backup was made meanwhile"
        );
        findings.push(Finding::new(Severity::Fault, "key", message));
    }
    let message = format!(
        "{} things in the folder are not the vault's: backups take them along. Move them away",
        foreign.len()
    );
    findings.push(Finding::new(Severity::Warning, CHECK, message));
    findings
}

fn foreign(folder: &Path) -> Vec<OsString> {
    let former = former_ledgers(folder);
    let databases: Vec<&str> = FILES.into_iter().chain(former.iter().map(String::as_str)).collect();
    let own = |name: &OsStr| {
        let Some(name) = name.to_str() else { return false };
        // The second is what a crash leaves of a new copy.
        [POLICY_COPY, "policy.toml.new", LOCK].contains(&name)
            || databases.iter().any(|file| {
                name.strip_prefix(file).is_some_and(|rest| rest.is_empty() || SUFFIXES.contains(&rest))
            })
    };
    let names = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
    names.filter(|name| !own(name)).collect()
}

fn is_key_file(path: &Path) -> bool {
    let mut start = [0; KEY_FILE_PREFIX.len()];
    // A pipe or a device would keep the reader waiting.
    path.symlink_metadata().is_ok_and(|meta| meta.is_file())
        && File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok()
        && start == *KEY_FILE_PREFIX.as_bytes()
}

fn check_key(folder: &Path, root: &dyn RootKeyProvider) -> Vec<Finding> {
    let Some(path) = root.location() else { return Vec::new() };
    let mut findings = Vec::new();
    let mut find = |severity, message: String| findings.push(Finding::new(severity, "key", message));
    match path.symlink_metadata().map(|meta| exposed(&meta, meta.is_file(), "chmod 600 it")) {
        Ok(None) => {}
        Ok(Some(what)) => find(Severity::Fault, format!("the key file {what}")),
        Err(_) => find(Severity::Warning, "the key file is not where it was".to_owned()),
    }
    if let Err(e) = check_location(folder, root) {
        find(Severity::Fault, e.to_string());
    } else if parent_of(path).is_some_and(|place| parent_of(folder) == Some(place)) {
        let message = "the key file lies beside the vault's folder: one backup of both opens every order. Keep it where no backup of \
                       the vault goes";
        find(Severity::Warning, message.to_owned());
    }
    findings
}

fn parent_of(path: &Path) -> Option<std::path::PathBuf> {
    path.canonicalize().ok()?.parent().map(Path::to_owned)
}
