use consignee::Record;

#[derive(Record)]
struct Order {
    order_no: String,
    #[record(nested)]
    note: Note,
    #[record(nested, name = "buyer")]
    consignee: Note,
    #[record(nested)]
    consignee_2: Vec<Note>,
}

struct Note;

fn main() {}
