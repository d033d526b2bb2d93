//! The built-in order, and its JSON.

use crate::{
    error::{Error, ErrorKind, Result},
    value::{
        Address, Decimal, Money, Node, Object, Path, Row, Timestamp, Value, ValueRef, address, integer,
        money, opaque_debug, parsed, text,
    },
    view::{Fields, MAX_JSON},
};
use consignee_derive::{Record, Row};
use consignee_policy::Policy;
use serde_json::{Map, json};

/// An order of a shop: the record that is used where a program has no type of its own.
#[derive(Clone, PartialEq, Eq, Record)]
#[record(view_derive(serde::Serialize))]
pub struct Order {
    /// The number the shop knows it by: 1 to [`Order::MAX_ORDER_NO`] bytes, no control characters, no white space at either end.
    pub order_no: String,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// Who receives it.
    #[record(nested)]
    pub consignee: Consignee,
    /// What was ordered.
    pub items: Vec<Item>,
    /// What it costs in all.
    pub amount: Money,
    /// What the shopper or the shop remarked; may be empty.
    pub note: String,
    /// Values of the fields that the policy names `extra.NAME`, under these names.
    #[record(more)]
    pub extra: Fields,
}

/// The person who receives an order.
#[derive(Clone, PartialEq, Eq, Record)]
#[record(within = "consignee", view_derive(serde::Serialize))]
pub struct Consignee {
    /// Name.
    pub name: String,
    /// Telephone number, as it was given.
    pub phone: String,
    /// Where it is delivered.
    pub address: Address,
}

/// A line of an order.
#[derive(Clone, PartialEq, Eq, Row, serde::Serialize)]
pub struct Item {
    /// Number of the article.
    pub sku: String,
    /// Name of the article.
    pub title: String,
    /// How many.
    pub quantity: i64,
    /// Price of one, in the currency of the order's amount.
    pub unit_price: Decimal,
    /// Who supplies it; by this a policy's `lines` tells a supplier's own lines.
    pub supplier: String,
}

opaque_debug!(Order, Consignee, Item);

impl Order {
    /// Longest order number, in bytes.
    pub const MAX_ORDER_NO: usize = 128;
    /// Longest JSON text of an order, in bytes.
    pub const MAX_JSON: usize = MAX_JSON;

    /// The order that a JSON text describes.
    ///
    /// Required are all keys but `note`, `extra`, and of the address `region` and `postal_code`, which are empty where they
    /// are left out. Any other key is refused, and a key of `extra` that the policy has no field `extra.NAME` for. A text
    /// may have 64 KiB, the whole order [`Order::MAX_JSON`].
    ///
    /// # Errors
    /// `Input` with the path of the field that is wrong, `Limit` for what is too long or nested too deep. No error
    /// repeats anything of the text.
    pub fn from_json(json: &str, policy: &Policy) -> Result<Self> {
        if json.len() > Self::MAX_JSON {
            return Err(Error::new(ErrorKind::Limit, "an order's JSON text is longer than 2 MiB"));
        }
        const KEYS: &[&str] = &["order_no", "placed_at", "consignee", "items", "amount", "note", "extra"];
        let at = |key| Path::Name(&Path::Root, key);
        let mut order = Object::of(Node::parse(json)?, &Path::Root, KEYS)?;

        let order_no = text(order.require("order_no")?, &at("order_no"))?;
        check_order_no(&order_no)?;
        let placed_at = order.require("placed_at")?;
        Ok(Self {
            order_no,
            placed_at: parsed(&placed_at, &at("placed_at"), Timestamp::EXPECTED, Timestamp::parse)?,
            consignee: consignee(order.require("consignee")?, &at("consignee"))?,
            items: items(order.require("items")?, &at("items"))?,
            amount: money(order.require("amount")?, &at("amount"))?,
            note: order.take("note").map_or(Ok(String::new()), |note| text(note, &at("note")))?,
            extra: order
                .take("extra")
                .map_or(Ok(Fields::new()), |extra| extras(extra, &at("extra"), policy))?,
        })
    }

    /// The order as JSON, with all keys. [`Order::from_json`] gives the order back, but for how `extra` is written: sorted by
    /// name, decimals of lists as texts, json without white space.
    pub fn to_json(&self) -> serde_json::Value {
        let extra: Map<_, _> =
            self.extra.iter().map(|(name, value)| (extra_name(name).to_owned(), value.to_json())).collect();
        json!({
            "order_no": self.order_no,
            "placed_at": self.placed_at.to_string(),
            "consignee": {
                "name": self.consignee.name,
                "phone": self.consignee.phone,
                "address": ValueRef::Address(&self.consignee.address).to_json(),
            },
            "items": ValueRef::List(&self.items).to_json(),
            "amount": ValueRef::Money(self.amount).to_json(),
            "note": self.note,
            "extra": extra,
        })
    }
}

/// Refuses an order number outside of what [`Order::order_no`] says; for orders that were not read from JSON.
pub(crate) fn check_order_no(order_no: &str) -> Result<()> {
    let whole = !order_no.is_empty() && order_no.trim() == order_no && !order_no.contains(char::is_control);
    if whole && order_no.len() <= Order::MAX_ORDER_NO {
        return Ok(());
    }
    Err(Error::input(
        "order_no",
        "expected 1 to 128 bytes of text, without control characters and without white space at either end",
    ))
}

fn consignee(node: Node, path: &Path<'_>) -> Result<Consignee> {
    let mut object = Object::of(node, path, &["name", "phone", "address"])?;
    Ok(Consignee {
        name: text(object.require("name")?, &Path::Name(path, "name"))?,
        phone: text(object.require("phone")?, &Path::Name(path, "phone"))?,
        address: address(object.require("address")?, &Path::Name(path, "address"))?,
    })
}

fn items(node: Node, path: &Path<'_>) -> Result<Vec<Item>> {
    let Node::Array(nodes) = node else {
        return Err(path.error("expected an array of objects"));
    };
    nodes.into_iter().enumerate().map(|(row, node)| item(node, &Path::Row(path, row))).collect()
}

fn item(node: Node, path: &Path<'_>) -> Result<Item> {
    let mut object = Object::of(node, path, Item::COLUMNS)?;
    let at = |key| Path::Name(path, key);
    Ok(Item {
        sku: text(object.require("sku")?, &at("sku"))?,
        title: text(object.require("title")?, &at("title"))?,
        quantity: integer(&object.require("quantity")?, &at("quantity"))?,
        unit_price: parsed(
            &object.require("unit_price")?,
            &at("unit_price"),
            Decimal::EXPECTED,
            Decimal::parse,
        )?,
        supplier: text(object.require("supplier")?, &at("supplier"))?,
    })
}

/// What stands under the key `extra` in JSON.
fn extra_name(field: &str) -> &str {
    field.strip_prefix("extra.").unwrap_or(field)
}

fn extras(node: Node, path: &Path<'_>, policy: &Policy) -> Result<Fields> {
    let value = |(name, node): (String, Node)| {
        let field = policy.field(&format!("extra.{name}")).ok_or_else(|| {
            path.error("has a key that the policy does not know")
                .with_hint("declare it there as field \"extra.NAME\"")
        })?;
        let value = Value::from_json(field.ty, node, &Path::Name(path, &name))?;
        Ok((field.name.clone(), value))
    };
    Object::pairs(node, path)?.into_iter().map(value).collect()
}

#[cfg(test)]
#[path = "order_tests.rs"]
mod tests;
