//! A whole record is not a view: it is opened by `Vault::get`, for a purpose that opens all of it.
use consignee::{Order, Vault};

fn open(vault: &Vault) {
    let _ = vault.open_as::<Order>("SF Express", "SO-1");
}

fn main() {}
