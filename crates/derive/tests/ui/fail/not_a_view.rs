//! A whole record is not a view: it is opened by `Vault::get`, for a purpose that opens all of it.
use consignee::{Order, RoleView};

fn open<V: RoleView>() {}

fn main() {
    open::<Order>();
}
