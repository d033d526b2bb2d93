//! The reference order as the peers take it: eight texts. `consignee` takes it as its own `Order`, and encodes it.

use std::ops::Range;

use consignee::policy::{DEFAULT_POLICY, Policy};
use serde_json::{Map, Value};

use crate::{
    Result,
    orders::{REFERENCE_PARTS, reference_json, reference_policy},
};

/// Where the three fields that a courier opens stand among the eight.
pub(crate) const COURIERS: Range<usize> = 2..5;

pub(crate) struct Reference {
    pub(crate) json: String,
    pub(crate) fields: Vec<Field>,
    pub(crate) policy: Policy,
}

pub(crate) struct Field {
    pub(crate) name: &'static str,
    /// Its value as it stands in the order's JSON.
    pub(crate) text: String,
}

impl Reference {
    pub(crate) fn order() -> Result<Self> {
        let json = reference_json(18_230);
        let order: Value = serde_json::from_str(&json)?;
        let field = |name: &'static str| {
            let value = order.pointer(&format!("/{}", name.replace('.', "/")));
            Ok(Field { name, text: value.ok_or("the reference order lacks a field")?.to_string() })
        };
        let fields = REFERENCE_PARTS.into_iter().map(field).collect::<Result<_>>()?;
        Ok(Self { json, fields, policy: Policy::parse(&reference_policy(DEFAULT_POLICY))? })
    }

    /// What a role opens, as one JSON object.
    pub(crate) fn json_for(&self, role: &str) -> Result<String> {
        let opens = self.policy.role_parts(role);
        let opened = self.policy.parts().filter(|part| opens.contains(&part.id));
        let mut object = Map::new();
        for part in opened {
            let field = self.fields.iter().find(|field| field.name == part.name);
            let text = &field.ok_or("a role opens what the reference order lacks")?.text;
            object.insert(part.name.to_owned(), serde_json::from_str(text)?);
        }
        Ok(Value::Object(object).to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::orders::COURIERS_PARTS;

    #[test]
    fn the_courier_opens_three_fields_of_eight() {
        let order = Reference::order().unwrap();
        assert_eq!(order.fields.len(), 8);
        assert_eq!(order.fields[6].text, r#"{"value":"138.00","currency":"CNY"}"#);
        assert_eq!(REFERENCE_PARTS[COURIERS], COURIERS_PARTS);
        let courier = order.json_for("courier").unwrap();
        assert!(courier.starts_with(r#"{"consignee.name":"Wang Xiaoming","#), "{courier}");
        assert!(!courier.contains("Teapot"));
    }
}
