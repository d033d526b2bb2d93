//! The direction of dependencies, as a test: each part of `src/` uses only what stands beside it in the table.
#![allow(clippy::unwrap_used)]

use std::{collections::BTreeSet, fs, path::Path};

/// Part, and the parts it may name. `error` and the policy crate may be used by all.
const LAYERS: &[(&str, &[&str])] = &[
    ("error", &["store"]),
    ("suite", &[]),
    ("file_lock", &[]),
    ("store", &["file_lock"]),
    ("value", &[]),
    ("normalise", &["value"]),
    ("observe", &[]),
    ("cores", &["suite"]),
    ("text", &[]),
    ("tlog", &["suite", "text"]),
    ("ledger", &["file_lock", "observe", "store", "tlog"]),
    ("keys", &["file_lock", "suite", "ledger", "tlog"]),
    ("alias", &["suite", "keys"]),
    ("view", &["alias", "value"]),
    ("order", &["value", "view"]),
    ("record", &["suite", "keys", "value", "view"]),
    ("party", &["alias", "keys", "ledger", "record", "suite", "text", "value", "view"]),
    ("registry", &["alias", "suite", "keys", "ledger", "store", "tlog"]),
    ("scopes", &["ledger", "registry", "text"]),
    ("index", &["keys", "normalise", "registry", "store", "value"]),
    (
        "sealer",
        &["index", "keys", "ledger", "order", "record", "registry", "store", "suite", "value", "view"],
    ),
    ("opener", &["cores", "keys", "ledger", "observe", "record", "registry", "store", "value", "view"]),
    ("search", &["alias", "index", "ledger", "opener", "record", "registry", "store"]),
    (
        "share",
        &[
            "alias", "cores", "keys", "ledger", "opener", "party", "record", "registry", "sealer", "suite",
            "value", "view",
        ],
    ),
    ("close", &["ledger", "opener", "record", "registry", "sealer", "store", "suite"]),
    ("shred", &["keys", "ledger", "opener", "record", "registry", "sealer", "store", "suite"]),
    ("reseal", &["keys", "ledger", "opener", "record", "registry", "sealer", "suite", "value", "view"]),
    ("update", &["ledger", "opener", "record", "registry", "sealer", "suite", "value", "view"]),
    (
        "vault",
        &[
            "alias", "close", "cores", "keys", "ledger", "observe", "opener", "party", "record", "registry",
            "reseal", "sealer", "search", "share", "shred", "store", "suite", "update", "view",
        ],
    ),
    (
        "parties",
        &["alias", "keys", "ledger", "observe", "opener", "registry", "sealer", "share", "suite", "vault"],
    ),
    ("publish", &["file_lock", "keys", "ledger", "store", "text", "tlog", "vault"]),
    ("witness", &["file_lock", "keys", "ledger", "tlog"]),
    ("handles", &["keys", "ledger", "opener", "registry", "store", "vault"]),
    ("who_saw", &["handles", "keys", "ledger", "observe", "registry", "text", "vault"]),
    (
        "slip",
        &[
            "handles", "keys", "ledger", "order", "publish", "registry", "store", "suite", "text", "tlog",
            "vault", "who_saw",
        ],
    ),
    (
        "evidence",
        &[
            "handles", "keys", "ledger", "opener", "party", "publish", "record", "registry", "suite", "tlog",
            "value", "vault", "who_saw",
        ],
    ),
    ("custody", &["keys", "ledger", "observe", "registry", "store", "vault"]),
    ("rotation", &["admin", "keys", "ledger", "observe", "registry", "sealer", "store", "suite", "vault"]),
    ("kept", &["ledger", "vault"]),
    ("stats", &["observe", "registry", "vault"]),
    (
        "admin",
        &[
            "alias", "custody", "keys", "ledger", "observe", "opener", "record", "registry", "scopes",
            "sealer", "store", "suite", "value", "vault", "view",
        ],
    ),
    (
        "bench",
        &[
            "alias", "index", "keys", "ledger", "opener", "order", "publish", "record", "registry", "sealer",
            "store", "suite", "tlog", "vault", "view",
        ],
    ),
    (
        "own_tables",
        &[
            "admin", "keys", "ledger", "observe", "opener", "record", "registry", "reseal", "rotation",
            "sealer", "search", "shred", "store", "suite", "update", "vault", "view", "who_saw",
        ],
    ),
    ("constant_time", &["alias", "keys", "normalise", "registry", "suite"]),
    (
        "doctor",
        &[
            "custody", "key_list", "keys", "ledger", "observe", "opener", "record", "registry", "rotation",
            "sealer", "store", "text", "vault",
        ],
    ),
    ("key_list", &["keys", "ledger", "registry", "store", "suite", "vault"]),
    (
        "folder",
        &[
            "admin", "custody", "doctor", "key_list", "keys", "ledger", "observe", "publish", "registry",
            "scopes", "sealer", "store", "suite", "text", "tlog", "vault",
        ],
    ),
];

/// Words that must not stand in a part, beside what it may use: what it cannot name, it cannot leak or skip.
const ABSENT: &[(&str, &[&str])] = &[
    ("store", &["consignee_policy", "aes", "Secret<"]),
    ("vault", &["rusqlite", "SELECT", "seal_in_place", "aes_gcm"]),
    ("record", &["rusqlite", "SystemTime"]),
    ("suite", &["consignee_policy"]),
    // Unicode's tables change with the compiler, and what was indexed would not be found any more.
    (
        "normalise",
        &[
            "to_uppercase",
            "to_lowercase",
            "is_alphanumeric",
            "is_alphabetic",
            "is_numeric",
            "is_whitespace",
            "trim()",
        ],
    ),
];

/// What opens an order without a ticket, and the only parts that may: they seal what they open anew, with an entry.
#[test]
fn only_sharing_and_resealing_open_without_a_ticket() {
    let callers: BTreeSet<_> = sources()
        .into_iter()
        .filter(|(_, part, code)| part != "record" && code.contains("open_to_seal"))
        .map(|(_, part, _)| part)
        .collect();
    assert_eq!(callers, BTreeSet::from(["reseal".to_owned(), "share".to_owned()]));
}

#[test]
fn parts_use_only_what_stands_below_them() {
    let mut wrong = Vec::new();
    for (file, part, code) in sources() {
        let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == part) else {
            wrong.push(format!("{file}: {part} is not in the table"));
            continue;
        };
        for used in crate_paths(&code).filter(|used| *used != part && used != "error") {
            if !allowed.contains(&used.as_str()) {
                wrong.push(format!("{file}: {part} uses {used}"));
            }
        }
        let absent = ABSENT.iter().filter(|(name, _)| *name == part).flat_map(|(_, words)| *words);
        wrong.extend(
            absent.filter(|word| code.contains(**word)).map(|word| format!("{file}: {part} names {word}")),
        );
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Crates below this one, and the crates of ours that they use.
const BELOW: &[(&str, &[&str])] = &[("policy", &[]), ("derive", &["consignee-policy"])];

#[test]
fn crates_below_use_only_what_stands_below_them() {
    for (name, allowed) in BELOW {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("crates/{name}/Cargo.toml"));
        let manifest = fs::read_to_string(manifest).unwrap();
        let dependencies = manifest.split("\n[dependencies]\n").nth(1).unwrap();
        let dependencies = dependencies.split("\n[").next().unwrap();
        let used = dependencies.lines().filter_map(|line| line.split_once(" = ").map(|(used, _)| used));
        let ours: Vec<_> = used.filter(|used| used.starts_with("consignee")).collect();
        assert_eq!(ours, *allowed, "{name}");
    }
}

#[test]
fn only_tickets_know_receipts_among_the_keys() {
    for (file, _, code) in sources().into_iter().filter(|(_, part, _)| part == "keys") {
        let ticket = file.ends_with("ticket.rs");
        assert!(ticket || !code.contains("crate::ledger") && !code.contains("Receipt"), "{file}");
    }
}

#[test]
fn the_table_sees_a_wrong_path_wherever_it_stands() {
    let used = |code| crate_paths(code).collect::<Vec<_>>();
    assert_eq!(
        used("use crate::{\n    alias::Alias,\n    keys::{A, B},\n    vault,\n};"),
        ["alias", "keys", "vault"]
    );
    assert_eq!(used("fn f() { crate::record::open() }"), ["record"]);
}

/// The compiler forbids it in each crate that inherits the workspace's lints: all but the C interface, which cannot be without.
#[test]
fn unsafe_code_stands_in_the_c_interface_alone() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let inherits =
        |manifest: &Path| fs::read_to_string(manifest).unwrap().contains("\n[lints]\nworkspace = true\n");
    let workspace = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    assert!(workspace.contains("\nunsafe_code = \"forbid\"\n") && inherits(&root.join("Cargo.toml")));
    let members = workspace.split("members = [\".\", ").nth(1).unwrap().split(']').next().unwrap();
    let members: Vec<_> = members.split(", ").map(|member| member.trim_matches('"')).collect();
    let free: Vec<_> =
        members.iter().filter(|member| !inherits(&root.join(member).join("Cargo.toml"))).collect();
    assert_eq!(free, [&"crates/ffi"]);
}

/// No panic goes on into C, and each fork is told of: every function that C calls does its work within `call` or `free`, but for those
/// that do nothing that could fail.
#[test]
fn every_function_of_the_c_interface_goes_through_its_boundary() {
    const PLAIN: [&str; 4] =
        ["consignee_abi_version", "consignee_version", "consignee_status_name", "consignee_after_fork"];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/ffi/src");
    let mut functions = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let code = fs::read_to_string(entry.unwrap().path()).unwrap();
        for exported in code.split("#[unsafe(no_mangle)]\n").skip(1) {
            let body = exported.split("\n}\n").next().unwrap();
            let name = body.split(" fn ").nth(1).unwrap().split('(').next().unwrap();
            let first = body.split_once(" {\n").unwrap().1.lines().map(str::trim_start);
            let first: Vec<_> =
                first.filter(|line| !line.starts_with("//") && *line != "unsafe {").take(1).collect();
            let within = first[0].trim_start_matches("unsafe { ");
            let through = within.starts_with("call(error, ||") || within.starts_with("free(||");
            assert!(through || PLAIN.contains(&name), "{name}");
            functions += 1;
        }
    }
    assert!(functions > 50);
}

/// Every file of `src/` but tests and `lib.rs`: its path, its part, its code without comments.
fn sources() -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), None, &mut found);
    assert!(found.len() > 30);
    found
}

fn walk(folder: &Path, part: Option<&str>, found: &mut Vec<(String, String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let part = part.unwrap_or(&stem).to_owned();
        let test = stem.ends_with("tests") || ["contract", "vectors"].contains(&stem.as_str());
        if path.is_dir() {
            if !test {
                walk(&path, Some(&part), found);
            }
        } else if !test && stem != "lib" {
            let code = fs::read_to_string(&path).unwrap();
            let code = code
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"))
                .collect::<Vec<_>>()
                .join("\n");
            // Tests at the end of a file may use what they like.
            let code = code.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned();
            found.push((path.display().to_string(), part, code));
        }
    }
}

/// The first segment after each `crate::`, groups in braces included.
fn crate_paths(code: &str) -> impl Iterator<Item = String> {
    let mut used = Vec::new();
    for after in code.split("crate::").skip(1) {
        match after.strip_prefix('{') {
            None => used.push(segment(after)),
            Some(group) => {
                let mut depth = 0;
                let mut start = true;
                for (at, c) in group.char_indices() {
                    match c {
                        '}' if depth == 0 => break,
                        '{' => depth += 1,
                        '}' => depth -= 1,
                        ',' if depth == 0 => start = true,
                        c if start && !c.is_whitespace() => {
                            used.push(segment(&group[at..]));
                            start = false;
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    used.into_iter().filter(|name| !name.is_empty())
}

fn segment(path: &str) -> String {
    path.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect()
}
