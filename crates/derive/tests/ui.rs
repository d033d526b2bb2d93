//! What compiles, and what each mistake is told as. The messages are those of Rust 1.95;
//! `TRYBUILD=overwrite cargo test -p consignee-derive --test ui` writes them anew.
#![allow(clippy::unwrap_used)]

use std::{fs, path::Path};

#[test]
fn each_mistake_has_a_message_of_its_own() {
    // A policy's path begins at the manifest of the crate that is built: of trybuild's own, here.
    let policies =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join("../tests/trybuild/consignee-derive/tests/policies");
    fs::create_dir_all(&policies).unwrap();
    for policy in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/policies")).unwrap() {
        let policy = policy.unwrap();
        fs::copy(policy.path(), policies.join(policy.file_name())).unwrap();
    }
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
    cases.compile_fail("tests/ui/fail/*.rs");
}
