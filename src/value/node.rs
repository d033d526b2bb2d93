//! JSON as it was written: objects keep their order, a key that stands twice is found, whole numbers stay exact.
//!
//! An error names a place by line and column or by a path of known names. It never repeats the text, nor what serde says
//! of it.

use crate::error::{Error, ErrorKind, Result};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor},
};
use serde_json::error::Category;
use std::{borrow::Cow, cell::Cell, collections::HashSet, fmt};

/// Arrays and objects may stand this deep in each other.
pub(crate) const MAX_DEPTH: usize = 64;

/// A node of a JSON text.
pub(crate) enum Node {
    Null,
    Bool(bool),
    Integer(i64),
    /// A number that is no `i64`.
    Number(serde_json::Number),
    Text(String),
    Array(Vec<Node>),
    Object(Vec<(String, Node)>),
}

impl Node {
    /// # Errors
    /// `Input` for what is not JSON or has a key twice in one object; `Limit` for what is nested more than 64 deep.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let fault = Cell::new(None);
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let seed = Seed { depth: MAX_DEPTH, fault: &fault };
        let node = seed.deserialize(&mut deserializer).and_then(|node| deserializer.end().map(|()| node));
        node.map_err(|error| {
            let at = format!("at line {}, column {}", error.line(), error.column());
            let message = match (fault.get(), error.classify()) {
                (Some(Fault::Depth), _) => {
                    return Error::new(
                        ErrorKind::Limit,
                        format!("JSON nested more than {MAX_DEPTH} deep {at}"),
                    );
                }
                (Some(Fault::Twice), _) => format!("a JSON object has one key twice, {at}"),
                (None, Category::Eof) => format!("the JSON text ends too early, {at}"),
                (None, _) => format!("not JSON, {at}"),
            };
            Error::new(ErrorKind::Input { line: None, field: None }, message)
        })
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(yes) => serializer.serialize_bool(*yes),
            Self::Integer(number) => serializer.serialize_i64(*number),
            Self::Number(number) => number.serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Array(nodes) => serializer.collect_seq(nodes),
            Self::Object(pairs) => serializer.collect_map(pairs.iter().map(|(key, node)| (key, node))),
        }
    }
}

/// As a part of another text: its reader counts the depth and the place.
impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Seed { depth: MAX_DEPTH, fault: &Cell::new(None) }.deserialize(deserializer)
    }
}

#[derive(Clone, Copy)]
enum Fault {
    Depth,
    Twice,
}

/// Reads a node below which `depth` more arrays and objects may stand in each other.
#[derive(Clone, Copy)]
struct Seed<'a> {
    depth: usize,
    fault: &'a Cell<Option<Fault>>,
}

impl<'a> Seed<'a> {
    fn below<E: de::Error>(self) -> Result<Self, E> {
        let depth = self.depth.checked_sub(1).ok_or_else(|| self.fail(Fault::Depth))?;
        Ok(Self { depth, ..self })
    }

    fn fail<E: de::Error>(self, fault: Fault) -> E {
        self.fault.set(Some(fault));
        E::custom(match fault {
            Fault::Depth => "nested too deep",
            Fault::Twice => "an object has one key twice",
        })
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

// With serde_json's feature `arbitrary_precision`, which any other crate of the same program may turn on, a number arrives as
// an object with this one key.
const NUMBER_KEY: &str = "$serde_json::private::Number";

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, yes: bool) -> Result<Node, E> {
        Ok(Node::Bool(yes))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Node, E> {
        Ok(Node::Integer(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Node, E> {
        Ok(i64::try_from(number).map_or_else(|_| Node::Number(number.into()), Node::Integer))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Node, E> {
        Ok(serde_json::Number::from_f64(number).map_or(Node::Null, Node::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Node, E> {
        Ok(Node::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let seed = self.below()?;
        let mut nodes = Vec::new();
        while let Some(node) = seq.next_element_seed(seed)? {
            nodes.push(node);
        }
        Ok(Node::Array(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut pairs = Vec::new();
        if let Some(key) = map.next_key::<String>()? {
            if key == NUMBER_KEY {
                return number(&map.next_value::<String>()?);
            }
            pairs.push((key, map.next_value_seed(self.below()?)?));
        }
        let seed = self.below()?;
        while let Some(key) = map.next_key()? {
            pairs.push((key, map.next_value_seed(seed)?));
        }
        let mut seen = HashSet::with_capacity(pairs.len());
        if !pairs.iter().all(|(key, _)| seen.insert(key.as_str())) {
            return Err(self.fail(Fault::Twice));
        }
        Ok(Node::Object(pairs))
    }
}

fn number<E: de::Error>(text: &str) -> Result<Node, E> {
    let number: serde_json::Number = text.parse().map_err(|_| E::custom(""))?;
    Ok(number.as_i64().map_or(Node::Number(number), Node::Integer))
}

/// Where a node stands, by names of the format and of the policy. A key that somebody made up is never part of it.
pub(crate) enum Path<'a> {
    Root,
    Name(&'a Path<'a>, &'a str),
    Row(&'a Path<'a>, usize),
}

impl Path<'_> {
    /// What is expected at this place, as an error.
    pub(crate) fn error(&self, message: impl Into<Cow<'static, str>>) -> Error {
        let field = if matches!(self, Self::Root) { None } else { Some(self.to_string()) };
        Error::new(ErrorKind::Input { line: None, field }, message)
    }

    /// The error of something at this place that is longer than is taken.
    pub(crate) fn limit(&self, message: &str) -> Error {
        Error::new(ErrorKind::Limit, format!("{self}: {message}"))
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Name(Self::Root, name) => f.write_str(name),
            Self::Name(parent, name) => write!(f, "{parent}.{name}"),
            Self::Row(parent, row) => write!(f, "{parent}[{row}]"),
        }
    }
}

/// An object whose keys are all known.
pub(crate) struct Object<'a> {
    pairs: Vec<(String, Node)>,
    path: &'a Path<'a>,
}

impl<'a> Object<'a> {
    /// The pairs of an object with whatever keys.
    ///
    /// # Errors
    /// `Input` for another kind of node.
    pub(crate) fn pairs(node: Node, path: &Path<'_>) -> Result<Vec<(String, Node)>> {
        match node {
            Node::Object(pairs) => Ok(pairs),
            _ => Err(path.error("expected an object")),
        }
    }

    /// # Errors
    /// `Input` for another kind of node, or a key that is not one of these.
    pub(crate) fn of(node: Node, path: &'a Path<'a>, known: &[&str]) -> Result<Self> {
        let pairs = Self::pairs(node, path)?;
        if pairs.iter().any(|(key, _)| !known.contains(&key.as_str())) {
            return Err(path.error(format!("has an unknown key; known are {}", known.join(", "))));
        }
        Ok(Self { pairs, path })
    }

    /// The node of a key that may be left out.
    pub(crate) fn take(&mut self, key: &str) -> Option<Node> {
        let place = self.pairs.iter().position(|(name, _)| name == key)?;
        Some(self.pairs.swap_remove(place).1)
    }

    /// The node of a key that must be there.
    ///
    /// # Errors
    /// `Input` where it is not.
    pub(crate) fn require(&mut self, key: &str) -> Result<Node> {
        self.take(key).ok_or_else(|| Path::Name(self.path, key).error("is missing"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(text: &str) -> String {
        serde_json::to_string(&Node::parse(text).unwrap()).unwrap()
    }

    #[test]
    fn prints_what_it_parsed() {
        for text in [
            "null",
            "[true,false,null]",
            r#"{"z":1,"a":{"z":2,"a":[]},"":"x"}"#,
            "[0,-1,9223372036854775807,-9223372036854775808,18446744073709551615,1.5]",
            r#""四川 عربي हिन्दी \"\\\n é""#,
        ] {
            assert_eq!(printed(text), text);
        }
        assert_eq!(printed(" { \"a\" : [ 1 , \"\\u00e9\\/\" ] } "), r#"{"a":[1,"é/"]}"#);
    }

    #[test]
    fn nests_to_the_limit_and_no_deeper() {
        let arrays = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        let objects = |depth: usize| r#"{"a":"#.repeat(depth - 1) + "{}" + &"}".repeat(depth - 1);
        for text in [arrays(64), objects(64), format!("[{}]", objects(63))] {
            assert_eq!(printed(&text), text);
        }
        for text in [arrays(65), objects(65), format!("[{}]", objects(64)), "[".repeat(1_000_000)] {
            assert_eq!(Node::parse(&text).err().unwrap().kind(), &ErrorKind::Limit);
        }
    }

    #[test]
    fn finds_a_key_that_stands_twice() {
        for text in [r#"{"a":1,"a":1}"#, r#"[{"x":{"b":1,"a":2,"b":3}}]"#, r#"{"a":1,"\u0061":2}"#] {
            let error = Node::parse(text).err().unwrap();
            assert!(
                error.to_string().starts_with("a JSON object has one key twice, at line 1, column "),
                "{error}"
            );
        }
    }

    #[test]
    fn says_where_and_repeats_nothing() {
        for (text, message) in [
            ("", "the JSON text ends too early, at line 1, column 0"),
            (r#"{"Secret":"#, "the JSON text ends too early, at line 1, column 10"),
            ("{\n \"Secret\": Secret}", "not JSON, at line 2, column 12"),
            (r#"{"Secret":"Secret"} Secret"#, "not JSON, at line 1, column 21"),
            (r#"{"Secret":"\x"}"#, "not JSON, at line 1, column 13"),
            ("01", "not JSON, at line 1, column 2"),
        ] {
            assert_eq!(Node::parse(text).err().unwrap().to_string(), message, "{text}");
        }
    }

    #[test]
    fn reads_numbers_of_the_arbitrary_precision_feature() {
        let number = |text: &str| format!(r#"{{"$serde_json::private::Number":"{text}"}}"#);
        assert_eq!(printed(&number("12")), "12");
        assert_eq!(
            printed(&("[".repeat(64) + &number("-1.5") + &"]".repeat(64))),
            "[".repeat(64) + "-1.5" + &"]".repeat(64)
        );
        assert!(Node::parse(&number("Secret")).is_err());
    }

    #[test]
    fn an_object_has_known_keys_only() {
        let place = Path::Name(&Path::Root, "consignee");
        let of = |text| Object::of(Node::parse(text).unwrap(), &place, &["name", "phone"]);
        assert_eq!(of("[1]").err().unwrap().to_string(), "consignee: expected an object");
        let error = of(r#"{"name":1,"Secret":2}"#).err().unwrap();
        assert_eq!(error.to_string(), "consignee: has an unknown key; known are name, phone");
        let mut object = of(r#"{"phone":1}"#).unwrap();
        assert!(object.take("name").is_none());
        assert_eq!(object.require("name").err().unwrap().to_string(), "consignee.name: is missing");
        assert!(matches!(object.require("phone"), Ok(Node::Integer(1))));
    }
}
