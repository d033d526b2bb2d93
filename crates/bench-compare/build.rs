//! Tells the program how it was built, for the heads of its tables.

use std::{env, error::Error, fs, process::Command};

/// Whose versions a reader wants to know.
const CRATES: [&str; 9] = [
    "consignee",
    "aes-gcm",
    "chacha20poly1305",
    "tink-aead",
    "age",
    "aws-esdk",
    "aws-db-esdk",
    "aws-lc-rs",
    "tokio",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=Cargo.lock");
    println!("cargo::rerun-if-env-changed=RUSTFLAGS");
    println!("cargo::rustc-env=BUILT_VERSIONS={}", versions(&fs::read_to_string("Cargo.lock")?));
    println!("cargo::rustc-env=BUILT_RUSTC={}", rustc()?);
    println!("cargo::rustc-env=BUILT_RUSTFLAGS={}", rustflags());
    println!("cargo::rustc-env=BUILT_PROFILE={}", profile());
    Ok(())
}

fn versions(lock: &str) -> String {
    let packages: Vec<(&str, &str)> = lock
        .split("[[package]]")
        .filter_map(|package| Some((value(package, "name")?, value(package, "version")?)))
        .collect();
    let of = |name: &str| {
        let found: Vec<&str> = packages.iter().filter(|(n, _)| *n == name).map(|(_, v)| *v).collect();
        format!("{name} {}", found.join(" and "))
    };
    CRATES.map(of).join(", ")
}

fn value<'p>(package: &'p str, key: &str) -> Option<&'p str> {
    let line = package.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = \""))?;
    line.strip_suffix('"')
}

fn rustc() -> Result<String, Box<dyn Error>> {
    let version = Command::new(env::var("RUSTC")?).arg("--version").output()?;
    Ok(String::from_utf8(version.stdout)?.trim().to_owned())
}

fn rustflags() -> String {
    env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default().replace('\x1f', " ")
}

/// A build script sees neither link-time optimisation nor the number of codegen units. Cargo.toml sets none, which leaves the
/// environment.
fn profile() -> String {
    let of = |name: &str| env::var(name).unwrap_or_default();
    let set = env::vars().filter(|(name, _)| name.starts_with("CARGO_PROFILE_RELEASE_"));
    let set: Vec<String> = set.map(|(name, value)| format!("{name}={value}")).collect();
    let set = if set.is_empty() { "as in Cargo.toml".to_owned() } else { set.join(" ") };
    format!("{} ({set}, opt-level {})", of("PROFILE"), of("OPT_LEVEL"))
}
