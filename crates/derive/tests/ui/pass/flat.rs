//! A struct without nesting, against the built-in policy: whole names stand in the attribute, the policy's other fields nowhere.
#![deny(warnings)]

use consignee::Record;

#[derive(Record)]
pub struct Parcel {
    pub order_no: String,
    #[record(name = "consignee.phone")]
    pub phone: String,
    #[record(name = "note")]
    pub view: Option<String>,
}

pub fn phone(seen: ParcelForCourier) -> String {
    // What the policy opens and the struct does not declare is there as well.
    let _ = (seen.consignee_name, seen.consignee_address);
    seen.phone
}

fn main() {}
