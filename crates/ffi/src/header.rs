//! The committed header is what the code says.
#![allow(clippy::unwrap_used)]

use std::{fs, path::Path};

use consignee::ErrorKind;

fn generated() -> String {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(here.join("cbindgen.toml")).unwrap();
    // With its modules.
    let builder = cbindgen::Builder::new().with_config(config).with_src(here.join("src/lib.rs"));
    let mut header = Vec::new();
    builder.generate().unwrap().write(&mut header);
    tidied(&String::from_utf8(header).unwrap())
}

/// What is said to those who read the Rust is left out, only a status must be used, and the end of the guard is at the end.
fn tidied(header: &str) -> String {
    const END: &str = "#endif  /* CONSIGNEE_H */";
    let of_rust = ["// # Safety", "// As the head of the header says.", END];
    let lines: Vec<&str> = header.lines().filter(|line| !of_rust.contains(line)).collect();
    let mut tidy: Vec<&str> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let next = lines.get(at + 1).copied().unwrap_or("");
        let is_of_nothing = *line == "CONSIGNEE_MUST_USE" && !next.starts_with("consignee_status ");
        // A comment that ended with what was left out.
        let is_last_of_comment = *line == "//" && !next.starts_with("//");
        if !is_of_nothing && !is_last_of_comment {
            tidy.push(line);
        }
    }
    tidy.extend(["", END, ""]);
    tidy.join("\n")
}

/// `CONSIGNEE_WRITE_HEADER=1 cargo test -p consignee-ffi header` writes it.
#[test]
fn the_header_is_what_the_code_says() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("include/consignee.h");
    let header = generated();
    if std::env::var_os("CONSIGNEE_WRITE_HEADER").is_some() {
        fs::write(&file, &header).unwrap();
    }
    let committed = fs::read_to_string(&file).unwrap_or_default();
    let differs = header.lines().zip(committed.lines()).find(|(new, old)| new != old);
    assert!(
        header == committed,
        "include/consignee.h is not what the code says, at {differs:?}: write it anew"
    );
}

/// One table of errors for all bindings: every kind has its constant, with its number.
#[test]
fn every_kind_of_error_has_its_constant() {
    let header = generated();
    for kind in ErrorKind::ALL {
        let name = kind.name().to_uppercase().replace(' ', "_");
        let line = format!("#define CONSIGNEE_{name} {}", kind.status());
        assert!(header.lines().any(|found| found == line), "{line}");
        assert_eq!(crate::name_of(kind.status()).to_str().unwrap(), kind.name());
    }
    let statuses = ErrorKind::ALL.len() + 3;
    let in_words = (0..1000).filter(|status| crate::name_of(*status) != c"unknown").count();
    assert_eq!(in_words, statuses);
}
