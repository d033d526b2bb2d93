use consignee::Record;

struct Order;

fn put<R: Record>() {}

fn main() {
    put::<Order>();
}
