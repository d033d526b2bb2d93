//! The built-in order, and its JSON.

use crate::{
    error::{Error, ErrorKind, Result},
    value::{
        Address, Decimal, Money, Node, Object, Path, Row, Timestamp, Value, ValueRef, address, integer,
        money, opaque_debug, parsed, text,
    },
    view::{Fields, MAX_JSON, Patch, Record},
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
    /// Values of all further fields that the policy has, such as `extra.gift` or `consignee.email`, under their whole names.
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
    /// are left out. Further fields of the policy stand as they do for [`Fields::from_json`]: `extra.gift` as key `gift` of
    /// `extra`, `consignee.email` as key `email` of `consignee`, and each under its whole name as well. A field called just
    /// `consignee` or `extra`, whose key is taken, is `.consignee` or `.extra`. Any other key is refused. A text may have 64 KiB,
    /// the whole order [`Order::MAX_JSON`].
    ///
    /// A value of the type json is kept without white space, its numbers as `serde_json` writes them: one that is no integer of 64
    /// bits is the shortest text of its double, so that digits beyond the 17th are lost. Hand such a value over as [`Value::Json`](crate::Value::Json),
    /// or write the number as text.
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
        let mut extra = Fields::new();
        let mut order = object(Node::parse(json)?, &Path::Root, KEYS, policy, &mut extra)?;

        let order_no = text(order.require("order_no")?, &at("order_no"))?;
        check_order_no(&order_no)?;
        let placed_at = order.require("placed_at")?;
        Ok(Self {
            order_no,
            placed_at: parsed(&placed_at, &at("placed_at"), Timestamp::EXPECTED, Timestamp::parse)?,
            consignee: consignee(order.require("consignee")?, &at("consignee"), policy, &mut extra)?,
            items: items(order.require("items")?, &at("items"))?,
            amount: money(order.require("amount")?, &at("amount"))?,
            note: order.take("note").map_or(Ok(String::new()), |note| text(note, &at("note")))?,
            extra: {
                let (node, path) = (order.take("extra"), at("extra"));
                let pairs = node.map_or(Ok(Vec::new()), |node| Object::pairs(node, &path))?;
                if !pairs.iter().all(|(key, _)| is_further(&format!("extra.{key}"), policy)) {
                    return Err(path
                        .error("has a key that the policy does not know")
                        .with_hint("declare it there as field \"extra.NAME\""));
                }
                extra.read("extra.", pairs, &path, policy)?;
                extra.sort();
                extra
            },
        })
    }

    /// The order as JSON, with all keys: fields `extra.NAME` in `extra`, other further ones beside it under their whole names.
    /// [`Order::from_json`] gives the order back, but for how [`Order::extra`] is written: sorted by name, decimals of lists as
    /// texts, json without white space.
    pub fn to_json(&self) -> serde_json::Value {
        let (mut order, mut extra) = (Map::new(), Map::new());
        for (name, value) in self.extra.iter() {
            match name.strip_prefix("extra.") {
                Some(within) => extra.insert(within.to_owned(), value.to_json()),
                None if TAKEN.contains(&name) => order.insert(format!(".{name}"), value.to_json()),
                None => order.insert(name.to_owned(), value.to_json()),
            };
        }
        let consignee = json!({
            "name": self.consignee.name,
            "phone": self.consignee.phone,
            "address": ValueRef::Address(&self.consignee.address).to_json(),
        });
        for (key, value) in [
            ("order_no", self.order_no.as_str().into()),
            ("placed_at", self.placed_at.to_string().into()),
            ("consignee", consignee),
            ("items", ValueRef::List(&self.items).to_json()),
            ("amount", ValueRef::Money(self.amount).to_json()),
            ("note", self.note.as_str().into()),
            ("extra", extra.into()),
        ] {
            order.insert(key.to_owned(), value);
        }
        order.into()
    }
}

/// Whether orders under this policy are read as the built-in one: it has all of its fields, and none in the way of its objects.
fn is_built_in(policy: &Policy) -> bool {
    let has = |name, ty| policy.field(name).is_some_and(|field| field.ty == ty);
    Order::FIELDS.iter().all(|field| has(field.name, field.ty))
        && TAKEN.iter().all(|name| policy.field(name).is_none())
}

/// Orders as they come from outside, under whatever policy a vault has: what the command line and bindings take.
impl Fields {
    /// The order that a JSON text describes: read as [`Order::from_json`] does where the policy has all fields of the built-in order,
    /// else as [`Fields::from_json`] does.
    ///
    /// # Errors
    /// As for these.
    pub fn from_order_json(json: &str, policy: &Policy) -> Result<Self> {
        if is_built_in(policy) {
            Self::of(&Order::from_json(json, policy)?)
        } else {
            Self::from_json(json, policy)
        }
    }
}

impl Patch {
    /// The changes that a JSON text describes, as [`Patch::from_json`] reads it; the lines of a built-in order as
    /// [`Order::from_json`] reads them, so that theirs is the same type.
    ///
    /// # Errors
    /// As for [`Patch::from_json`].
    pub fn from_order_json(json: &str, policy: &Policy) -> Result<Self> {
        let is_built_in = is_built_in(policy);
        Self::read(json, policy, |name, ty, node, path| match name {
            "items" if is_built_in => ValueRef::List(&items(node, path)?).to_value(),
            _ => Value::from_json(ty, node, path),
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

/// Keys of an order's JSON that are objects, which hold no field of that name.
const TAKEN: [&str; 2] = ["consignee", "extra"];

/// Whether the policy has a field of this name, or some below it, that an order keeps in `extra`.
fn is_further(name: &str, policy: &Policy) -> bool {
    let below = |field: &str| field.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
    let known = |field: &str| field == name || below(field);
    Order::FIELDS.iter().all(|own| own.name != name) && policy.fields().iter().any(|field| known(&field.name))
}

/// An object of the order: the keys of its own, while further fields of the policy go to `extra`.
fn object<'p>(
    node: Node,
    path: &'p Path<'p>,
    own: &[&str],
    policy: &Policy,
    extra: &mut Fields,
) -> Result<Object<'p>> {
    let prefix = if matches!(path, Path::Root) { String::new() } else { format!("{path}.") };
    let (mut known, mut further) = (Vec::new(), Vec::new());
    for (key, node) in Object::pairs(node, path)? {
        let taken = key.strip_prefix('.').filter(|name| matches!(path, Path::Root) && TAKEN.contains(name));
        if let Some(name) = taken.filter(|name| policy.field(name).is_some()) {
            further.push((name.to_owned(), node));
        } else if !own.contains(&key.as_str()) && is_further(&format!("{prefix}{key}"), policy) {
            further.push((key, node));
        } else {
            known.push((key, node));
        }
    }
    let object = Object::of(Node::Object(known), path, own)?;
    extra.read(&prefix, further, path, policy)?;
    Ok(object)
}

fn consignee(node: Node, path: &Path<'_>, policy: &Policy, extra: &mut Fields) -> Result<Consignee> {
    let mut object = object(node, path, &["name", "phone", "address"], policy, extra)?;
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

#[cfg(test)]
#[path = "order_tests.rs"]
mod tests;
