//! Side by side: what each link sees of one order.

use consignee::{Alias, List, Value, View};

use super::{
    shop::{AGENT, BOOKS, COURIER, Shop},
    thief,
};
use crate::{
    failure::Failure,
    show,
    table::{Shown, Table},
};

/// Something that looks like an alias, its check character included, and that nobody gave out.
pub(super) fn invented() -> Option<Alias> {
    ('0'..='Z').find_map(|check| Alias::parse(&format!("7K2M-9QX4-TB6H-{check}")))
}

pub(super) struct Sight {
    pub(super) table: Table,
    pub(super) courier_alias: Alias,
}

pub(super) fn side_by_side(shop: &Shop, order: &str, supplier: &str) -> Result<Sight, Failure> {
    let vault = &shop.vault;
    let views = [
        vault.open(COURIER, "delivery", order)?,
        vault.open(supplier, "fulfilment", order)?,
        vault.open(AGENT, "after_sale", order)?,
        vault.open(BOOKS, "accounting", order)?,
    ];
    let loot = thief::steal(shop, order)?;
    let heads = views.iter().map(|view| format!("{}\n{}", view.role(), view.party()));
    let mut headings = vec![String::new()];
    headings.extend(heads);
    headings.push("database\nthief".to_owned());
    let mut table = Table::new(&headings.iter().map(String::as_str).collect::<Vec<_>>()).unbroken(&[0, 5]);

    let policy = vault.policy()?;
    for field in policy.fields() {
        let mut row = vec![Shown::from(field.name.trim_start_matches("consignee."))];
        row.extend(views.iter().map(|view| seen(view, &field.name)));
        row.push(loot.part(field.id.get()).map_or_else(|| Shown::faint("·"), Shown::from));
        table.row(row);
    }
    let [courier, ..] = views;
    Ok(Sight { table, courier_alias: courier.alias().clone() })
}

/// The field, or the facet of it that the view has.
fn seen(view: &View, field: &str) -> Shown {
    let of_field =
        |name: &str| name == field || name.strip_prefix(field).is_some_and(|rest| rest.starts_with(':'));
    match view.parts().find(|(name, _)| of_field(name)) {
        // Who may not open the number has one of its own for the order.
        None if field == "order_no" => view.alias().to_string().into(),
        None => Shown::faint("·"),
        Some((_, Value::Timestamp(time))) => time.to_string().replacen('T', "\n", 1).into(),
        Some((_, Value::List(list))) => items(list).into(),
        Some((_, value)) => show::value(value).into(),
    }
}

/// Lines of goods, as a person would write them.
fn items(list: &List) -> String {
    let column = |name: &str| list.columns().iter().position(|column| column == name);
    let (quantity, title) = (column("quantity"), column("title"));
    let cell = |row: &[consignee::Cell], at: Option<usize>| row.get(at?).and_then(show::cell);
    let line = |row: &Vec<consignee::Cell>| {
        format!("{} × {}", cell(row, quantity).unwrap_or_default(), cell(row, title).unwrap_or_default())
    };
    list.rows().iter().map(line).collect::<Vec<_>>().join("\n")
}
