//! What a policy is made of. None of these types makes a [`Policy`](crate::Policy) by itself: only the parser and the
//! canonical decoder do, after every check.

use std::fmt;

/// Number of a part: 1 to 65,535, given once and never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartId(u16);

impl PartId {
    /// The part number `number`; none for 0, which is no part.
    pub const fn new(number: u16) -> Option<Self> {
        if number == 0 { None } else { Some(Self(number)) }
    }

    /// The number itself.
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl fmt::Display for PartId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Type of a field's values. The number is the value's tag (docs/format.md section 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum FieldType {
    /// Text.
    Text = 1,
    /// True or false.
    Bool = 2,
    /// A whole number of 64 bits.
    Integer = 3,
    /// An amount with its currency.
    Money = 4,
    /// A moment, with its offset from UTC.
    Timestamp = 5,
    /// A postal address.
    Address = 6,
    /// Rows with named columns, such as the items of an order.
    List = 7,
    /// Bytes.
    Bytes = 8,
    /// JSON text.
    Json = 9,
}

impl FieldType {
    const ALL: [Self; 9] = [
        Self::Text,
        Self::Bool,
        Self::Integer,
        Self::Money,
        Self::Timestamp,
        Self::Address,
        Self::List,
        Self::Bytes,
        Self::Json,
    ];

    /// Its tag in sealed values.
    pub const fn tag(self) -> u8 {
        self as u8
    }

    /// The type with this tag.
    pub fn from_tag(tag: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|ty| ty.tag() == tag)
    }

    /// Its name in the policy.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Bool => "bool",
            Self::Integer => "integer",
            Self::Money => "money",
            Self::Timestamp => "timestamp",
            Self::Address => "address",
            Self::List => "list",
            Self::Bytes => "bytes",
            Self::Json => "json",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ty| ty.name() == name)
    }
}

/// How a facet is computed from its field. What a number does never changes (docs/format.md section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Mask {
    /// The first character of a name.
    Name = 1,
    /// The first three and last four digits of a telephone number.
    Phone = 2,
    /// The city of an address.
    City = 3,
    /// The last four characters.
    Last4 = 4,
}

impl Mask {
    const ALL: [Self; 4] = [Self::Name, Self::Phone, Self::City, Self::Last4];

    /// Its number in the formats.
    pub const fn number(self) -> u8 {
        self as u8
    }

    pub(crate) fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|mask| mask.number() == number)
    }

    /// Its name in the policy.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Phone => "phone",
            Self::City => "city",
            Self::Last4 => "last4",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mask| mask.name() == name)
    }

    /// The only type of field it applies to.
    pub const fn applies_to(self) -> FieldType {
        match self {
            Self::Name | Self::Phone | Self::Last4 => FieldType::Text,
            Self::City => FieldType::Address,
        }
    }
}

/// How a value is brought into the form it is searched by. What a number does never changes (docs/format.md section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Normaliser {
    /// As it is.
    Exact,
    /// Without regard to case, width of letters and number of spaces.
    Upper,
    /// Its digits only.
    Digits,
    /// A telephone number with its calling code and extension; without a code it is of this country (two capital letters, ISO 3166-1).
    Phone([u8; 2]),
    /// Its last four letters or digits.
    Last4,
}

impl Normaliser {
    /// Its number in the formats.
    pub const fn number(self) -> u8 {
        match self {
            Self::Exact => 1,
            Self::Upper => 2,
            Self::Digits => 3,
            Self::Phone(_) => 4,
            Self::Last4 => 5,
        }
    }

    /// The country of a telephone number; two zero bytes for the others.
    pub const fn country(self) -> [u8; 2] {
        match self {
            Self::Phone(country) => country,
            _ => [0, 0],
        }
    }

    pub(crate) fn from_number(number: u8, country: [u8; 2]) -> Option<Self> {
        match number {
            1 => Some(Self::Exact),
            2 => Some(Self::Upper),
            3 => Some(Self::Digits),
            4 if country.iter().all(u8::is_ascii_uppercase) => Some(Self::Phone(country)),
            5 => Some(Self::Last4),
            _ => None,
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        match name {
            "exact" => Some(Self::Exact),
            "upper" => Some(Self::Upper),
            "digits" => Some(Self::Digits),
            "last4" => Some(Self::Last4),
            _ => Self::from_number(4, name.strip_prefix("phone:")?.as_bytes().try_into().ok()?),
        }
    }
}

/// Its name in the policy, such as `phone:CN`.
impl fmt::Display for Normaliser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact => f.write_str("exact"),
            Self::Upper => f.write_str("upper"),
            Self::Digits => f.write_str("digits"),
            Self::Phone([a, b]) => write!(f, "phone:{}{}", char::from(*a), char::from(*b)),
            Self::Last4 => f.write_str("last4"),
        }
    }
}

/// That a field can be searched, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Index {
    /// The form values are compared in.
    pub normaliser: Normaliser,
    /// How many distinct values are expected; at least 8.
    pub expect: u64,
}

impl Index {
    /// Length of a search tag: floor(log2 expect) − 1, so that some four values share a tag and a tag alone names none.
    pub fn bits(&self) -> u32 {
        self.expect.checked_ilog2().unwrap_or(0).saturating_sub(1)
    }
}

/// A named part of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Field {
    /// Its number.
    pub id: PartId,
    /// Its name, such as `consignee.phone`.
    pub name: String,
    /// Type of its values.
    pub ty: FieldType,
    /// Its reduced forms, ascending by number.
    pub facets: Vec<Facet>,
    /// How it is searched, if it is.
    pub index: Option<Index>,
}

/// A reduced form of a field, sealed under a key of its own. Its values are text.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Facet {
    /// Its number.
    pub id: PartId,
    /// Its name within the field, such as `masked`.
    pub name: String,
    /// Its name with the field's, such as `consignee.phone:masked`.
    pub full_name: String,
    /// How it is computed.
    pub mask: Mask,
}

/// A field or a facet, as sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Part<'a> {
    /// Its number.
    pub id: PartId,
    /// Its full name: `consignee.phone`, or `consignee.phone:masked` for a facet.
    pub name: &'a str,
    /// The field it is, or the field it is a facet of.
    pub field: &'a Field,
    /// The facet, if it is one.
    pub facet: Option<&'a Facet>,
    /// Type of its sealed values: the field's, or text for a facet.
    pub ty: FieldType,
}

impl<'a> Part<'a> {
    pub(crate) fn whole(field: &'a Field) -> Self {
        Self { id: field.id, name: &field.name, field, facet: None, ty: field.ty }
    }

    pub(crate) fn facet(field: &'a Field, facet: &'a Facet) -> Self {
        Self { id: facet.id, name: &facet.full_name, field, facet: Some(facet), ty: FieldType::Text }
    }
}

/// What one role may do for one purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Access {
    /// The role.
    pub role: String,
    /// The purpose.
    pub purpose: String,
    /// Parts it opens, ascending. Never a facet beside its whole field.
    pub open: Vec<PartId>,
    /// Lists of which it sees only some lines, ascending: those whose named property is the party's own value.
    pub lines: Vec<(PartId, String)>,
    /// Fields it may search by, ascending.
    pub search: Vec<PartId>,
    /// Seconds from put, after which it opens nothing any more; none means never.
    pub expires: Option<u64>,
}

impl Access {
    /// Whether it opens this part.
    pub fn opens(&self, part: PartId) -> bool {
        self.open.binary_search(&part).is_ok()
    }

    /// The property that picks the lines of this list; none means that all lines are open, if the list is.
    pub fn lines_of(&self, part: PartId) -> Option<&str> {
        self.lines.iter().find(|(id, _)| *id == part).map(|(_, property)| property.as_str())
    }

    /// Whether it may search by this field.
    pub fn searches(&self, field: PartId) -> bool {
        self.search.binary_search(&field).is_ok()
    }
}
