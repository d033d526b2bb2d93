use consignee::Vault;

struct Order;

fn put(vault: &Vault) {
    let _ = vault.put(&Order);
}

fn main() {}
