//! The name that programs ask the loader for: it changes when the interface does.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        // The one without vaults has another: a program that needs them must not be given it.
        let kind = if std::env::var_os("CARGO_FEATURE_VAULT").is_some() { "" } else { "-reader" };
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libconsignee{kind}.so.1");
    }
}
