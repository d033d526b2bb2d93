//! The documents name only tests and files that exist.
#![allow(clippy::unwrap_used)]

use std::{fs, path::Path};

fn read(path: &Path, found: &mut String) {
    for entry in fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn the_threat_model_names_tests_and_files_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut code = String::new();
    for folder in ["src", "tests", "crates"] {
        read(&root.join(folder), &mut code);
    }
    let document = fs::read_to_string(root.join("docs/threat-model.md")).unwrap();
    let quoted: Vec<&str> = document.split('`').skip(1).step_by(2).collect();
    let tests: Vec<_> = quoted.iter().filter(|name| name.matches('_').count() >= 3).collect();
    assert!(tests.len() >= 20, "the threat model names its tests");
    for name in tests {
        assert!(code.contains(&format!("fn {name}()")), "no test {name}");
    }
    for file in quoted.iter().filter(|name| name.ends_with(".rs")) {
        assert!(root.join("src").join(file).exists(), "no file src/{file}");
    }
}
