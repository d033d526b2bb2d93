//! From TOML to a draft: keys, types of values, and where each of them stands.

use std::fmt;

use toml::{
    Spanned,
    de::{DeString, DeTable, DeValue},
};

use crate::{
    FieldType, Mask, Normaliser, Policy,
    canonical::VERSION,
    draft::{At, Draft, DraftFacet, DraftField, DraftIndex, DraftTable, Mistake, Mistakes, shown},
    validate,
};

const LONGEST_TEXT: usize = 65_536;

/// One mistake in a policy: where it is, what is wrong and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
#[non_exhaustive]
pub struct PolicyError {
    /// Line, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
    /// What is wrong and what to do.
    pub message: String,
}

/// All mistakes of a policy, in the order of the text; at least one. Displayed one to a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyErrors(Vec<PolicyError>);

impl PolicyErrors {
    /// The mistakes, in the order of the text.
    pub fn as_slice(&self) -> &[PolicyError] {
        &self.0
    }
}

impl fmt::Display for PolicyErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for PolicyErrors {}

impl Policy {
    /// Reads a policy as people write it.
    ///
    /// # Errors
    /// All mistakes at once. Only a text that is not TOML, too long, or of another version stops the search for others.
    pub fn parse(toml_text: &str) -> Result<Self, PolicyErrors> {
        read(toml_text).map_err(|mistakes| located(toml_text, mistakes))
    }
}

fn read(text: &str) -> Result<Policy, Mistakes> {
    let mut mistakes = Mistakes::default();
    if text.len() > LONGEST_TEXT {
        mistakes.add(0, format!("the text is longer than {LONGEST_TEXT} bytes; a policy is not: shorten it"));
        return Err(mistakes);
    }
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        mistakes.add(error.span().map_or(0, |span| span.start), format!("not TOML: {}", error.message()));
    }
    if !mistakes.0.is_empty() {
        return Err(mistakes);
    }
    let mut reader = Reader { mistakes };
    let draft = match reader.version(document.get_ref()) {
        Some(()) => reader.document(document.get_ref()),
        None => return Err(reader.mistakes),
    };
    validate::check(draft, reader.mistakes)
}

fn located(text: &str, mut mistakes: Mistakes) -> PolicyErrors {
    mistakes.0.sort_by_key(|mistake| mistake.at);
    let locate = |Mistake { at, message }| {
        let before = text.get(..at).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.matches('\n').count() + 1;
        let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
        PolicyError { line, column, message }
    };
    let mut errors: Vec<PolicyError> = mistakes.0.into_iter().map(locate).collect();
    // A role's name is checked with each of its purposes.
    errors.dedup();
    PolicyErrors(errors)
}

type Key<'t> = Spanned<DeString<'t>>;
type Value<'t> = Spanned<DeValue<'t>>;

/// Where the keys of a policy stand, for the message about one that is not known.
const AT_THE_TOP: [&str; 4] = ["version", "retired", "field", "role"];
const OF_A_FIELD: [&str; 4] = ["id", "type", "facets", "index"];
const OF_A_FACET: [&str; 2] = ["id", "mask"];
const OF_AN_INDEX: [&str; 2] = ["normalise", "expect"];
const OF_A_ROLE: [&str; 4] = ["open", "lines", "search", "expires"];

struct Reader {
    mistakes: Mistakes,
}

impl Reader {
    /// None if the policy is of another version, whose keys are not ours to judge.
    fn version(&mut self, top: &DeTable<'_>) -> Option<()> {
        let Some(value) = top.get("version") else {
            self.mistakes.add(0, "`version` is missing; write version = 1 at the top");
            return Some(());
        };
        let version = self.number(value, "version");
        if version.as_ref().is_some_and(|version| version.value != u64::from(VERSION)) {
            self.mistakes.add(start(value), "this library reads version 1 only; write version = 1");
            return None;
        }
        Some(())
    }

    fn document(&mut self, top: &DeTable<'_>) -> Draft {
        self.known_keys(top, "a policy", &AT_THE_TOP);
        let mut draft = Draft::default();
        if let Some(retired) = top.get("retired") {
            let numbers = self.array(retired, "retired");
            draft.retired = numbers.iter().filter_map(|number| self.part_number(number, "retired")).collect();
        }
        for (name, field) in self.tables_in(top, "field") {
            self.fields(name, field, false, &mut draft.fields);
        }
        for (role, purposes) in self.tables_in(top, "role") {
            self.role(role, purposes, &mut draft);
        }
        draft.fields.sort_by_key(|field| field.name.at);
        draft.tables.sort_by_key(|table| table.purpose.at);
        draft
    }

    /// The field under `name`, or those below it: to TOML, [field.consignee.phone] is a table "phone" in a table "consignee".
    fn fields(&mut self, name: &Key<'_>, value: &Value<'_>, below: bool, fields: &mut Vec<DraftField>) {
        let Some(table) = self.table(value, name.get_ref(), "[field.NAME] with id and type") else { return };
        let is_field = OF_A_FIELD.iter().any(|key| table.contains_key(*key));
        let mut nested = table.iter().filter(|(_, value)| !is_field && value.get_ref().is_table()).peekable();
        if nested.peek().is_none() {
            if below {
                let quoted = name.get_ref().escape_debug();
                let message = format!("a name with dots is written in quotes: [field.\"{quoted}\"]");
                self.mistakes.add(start(name), message);
            }
            fields.push(self.field(name, table));
        }
        for (key, value) in nested {
            let whole = format!("{}.{}", name.get_ref(), key.get_ref());
            self.fields(&Spanned::new(key.span(), whole.into()), value, true, fields);
        }
    }

    fn field(&mut self, name: &Key<'_>, table: &DeTable<'_>) -> DraftField {
        self.known_keys(table, "a field", &OF_A_FIELD);
        let id = self.required(table, "id", name, "a number never used before, 1 to 65535");
        let id = id.and_then(|id| self.part_number(id, "id"));
        let ty = self
            .required(table, "type", name, TYPES)
            .and_then(|ty| self.named(ty, "type", FieldType::from_name, TYPES));
        let mut facets = Vec::new();
        for (facet, value) in self.tables_in(table, "facets") {
            facets.extend(self.facet(facet, value));
        }
        facets.sort_by_key(|facet| facet.name.at);
        let index = self.index(table);
        DraftField { name: key_at(name), id, ty, facets, index }
    }

    fn facet(&mut self, name: &Key<'_>, value: &Value<'_>) -> Option<DraftFacet> {
        let table = self.table(value, name.get_ref(), "{ id = …, mask = … }")?;
        self.known_keys(table, "a facet", &OF_A_FACET);
        let id = self.required(table, "id", name, "a number never used before, 1 to 65535");
        let id = id.and_then(|id| self.part_number(id, "id"));
        let mask = self
            .required(table, "mask", name, MASKS)
            .and_then(|m| self.named(m, "mask", Mask::from_name, MASKS));
        Some(DraftFacet { name: key_at(name), id, mask })
    }

    fn index(&mut self, field: &DeTable<'_>) -> Option<DraftIndex> {
        let (key, value) = field.get_key_value("index")?;
        let table = self.table(value, "index", "{ normalise = …, expect = … }")?;
        self.known_keys(table, "an index", &OF_AN_INDEX);
        let normaliser = self
            .required(table, "normalise", key, NORMALISERS)
            .and_then(|n| self.named(n, "normalise", Normaliser::from_name, NORMALISERS));
        let expect = self.required(table, "expect", key, "how many distinct values there will be");
        let expect = expect.and_then(|expect| self.number(expect, "expect"));
        Some(DraftIndex { at: start(key), normaliser, expect })
    }

    fn role(&mut self, role: &Key<'_>, value: &Value<'_>, draft: &mut Draft) {
        let shape = "[role.ROLE.PURPOSE] with `open`";
        let Some(purposes) = self.table(value, role.get_ref(), shape) else { return };
        if purposes.is_empty() {
            self.mistakes
                .add(start(role), format!("role {} has no purpose; write {shape}", shown(role.get_ref())));
        }
        for (purpose, value) in purposes {
            if OF_A_ROLE.contains(&purpose.get_ref().as_ref()) && !value.get_ref().is_table() {
                let message = format!("`{}` belongs to a purpose; write {shape}", purpose.get_ref());
                self.mistakes.add(start(purpose), message);
            } else if let Some(table) = self.table(value, purpose.get_ref(), shape) {
                let access = self.access(role, purpose, table);
                draft.tables.push(access);
            }
        }
    }

    fn access(&mut self, role: &Key<'_>, purpose: &Key<'_>, table: &DeTable<'_>) -> DraftTable {
        self.known_keys(table, "a role's purpose", &OF_A_ROLE);
        let open = self.strings(table, "open");
        let search = self.strings(table, "search");
        let mut lines = Vec::new();
        if let Some(value) = table.get("lines")
            && let Some(rules) = self.table(value, "lines", "{ LIST = \"PROPERTY\" }")
        {
            for (list, property) in rules {
                lines.extend(self.string(property, list.get_ref()).map(|property| (key_at(list), property)));
            }
        }
        lines.sort_by_key(|(list, _)| list.at);
        let expires = table.get("expires").and_then(|value| self.expires(value));
        DraftTable { role: key_at(role), purpose: key_at(purpose), open, lines, search, expires }
    }

    fn expires(&mut self, value: &Value<'_>) -> Option<At<u64>> {
        let text = self.string(value, "expires")?;
        let seconds = seconds(&text.value);
        if seconds.is_none() {
            self.mistakes.add(
                text.at,
                "`expires` is a whole number and d, h, m or s (days, hours, minutes, seconds), such as \"30d\"",
            );
        }
        Some(At::new(text.at, seconds?))
    }

    fn known_keys(&mut self, table: &DeTable<'_>, what: &str, known: &[&str]) {
        for key in table.keys() {
            let name: &str = key.get_ref();
            if known.contains(&name) {
                continue;
            }
            let message = if AT_THE_TOP.contains(&name) {
                format!("`{name}` belongs to the top of the text, before the first [table]")
            } else {
                format!("unknown key {}; {what} has {}", shown(name), known.join(", "))
            };
            self.mistakes.add(start(key), message);
        }
    }

    fn required<'t, 'v>(
        &mut self,
        table: &'t DeTable<'v>,
        key: &str,
        owner: &Key<'_>,
        expected: &str,
    ) -> Option<&'t Value<'v>> {
        let value = table.get(key);
        if value.is_none() {
            self.mistakes
                .add(start(owner), format!("{} has no `{key}`; add {expected}", shown(owner.get_ref())));
        }
        value
    }

    /// The entries of a table of tables; none if it is not there.
    fn tables_in<'t, 'v>(&mut self, table: &'t DeTable<'v>, key: &str) -> Vec<(&'t Key<'v>, &'t Value<'v>)> {
        let Some(value) = table.get(key) else { return Vec::new() };
        self.table(value, key, "a table of named entries").into_iter().flatten().collect()
    }

    fn table<'t, 'v>(&mut self, value: &'t Value<'v>, name: &str, shape: &str) -> Option<&'t DeTable<'v>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.wrong_type(value, name, shape);
        }
        table
    }

    fn array<'t, 'v>(&mut self, value: &'t Value<'v>, name: &str) -> &'t [Value<'v>] {
        let Some(array) = value.get_ref().as_array() else {
            self.wrong_type(value, name, "a list in square brackets");
            return &[];
        };
        array
    }

    /// The texts of a list; empty if there is no such key, none if it cannot be read.
    fn strings(&mut self, table: &DeTable<'_>, key: &str) -> Option<Vec<At<String>>> {
        let Some(value) = table.get(key) else { return Some(Vec::new()) };
        let reported = self.mistakes.0.len();
        let values = self.array(value, key);
        let texts = values.iter().filter_map(|value| self.string(value, key)).collect::<Vec<_>>();
        (!texts.is_empty() || self.mistakes.0.len() == reported).then_some(texts)
    }

    fn string(&mut self, value: &Value<'_>, name: &str) -> Option<At<String>> {
        let text = value.get_ref().as_str();
        if text.is_none() {
            self.wrong_type(value, name, "text in quotes");
        }
        Some(At::new(start(value), text?.to_owned()))
    }

    fn number(&mut self, value: &Value<'_>, name: &str) -> Option<At<u64>> {
        let integer = value.get_ref().as_integer();
        let number = integer.and_then(|n| u64::from_str_radix(n.as_str(), n.radix()).ok());
        if number.is_none() {
            self.wrong_type(value, name, "a whole number, not negative");
        }
        Some(At::new(start(value), number?))
    }

    fn part_number(&mut self, value: &Value<'_>, name: &str) -> Option<At<u16>> {
        let number = self.number(value, name)?;
        let id = u16::try_from(number.value).ok();
        if id.is_none() {
            self.mistakes
                .add(number.at, format!("{} is not a part number: they are 1 to 65535", number.value));
        }
        Some(At::new(number.at, id?))
    }

    fn named<T>(
        &mut self,
        value: &Value<'_>,
        name: &str,
        from_name: impl Fn(&str) -> Option<T>,
        known: &str,
    ) -> Option<At<T>> {
        let text = self.string(value, name)?;
        let found = from_name(&text.value);
        if found.is_none() {
            self.mistakes.add(text.at, format!("{} is no `{name}`; write {known}", shown(&text.value)));
        }
        Some(At::new(text.at, found?))
    }

    fn wrong_type(&mut self, value: &Value<'_>, name: &str, shape: &str) {
        let message = format!("{} is {}; write {shape}", shown(name), with_article(value.get_ref()));
        self.mistakes.add(start(value), message);
    }
}

const TYPES: &str = "one of text, bool, integer, money, timestamp, address, list, bytes, json";
const MASKS: &str = "one of name, phone, city, last4";
const NORMALISERS: &str = "one of exact, upper, digits, last4, or phone: and a country, such as phone:CN";

fn start<T>(spanned: &Spanned<T>) -> usize {
    spanned.span().start
}

fn key_at(key: &Key<'_>) -> At<String> {
    At::new(start(key), key.get_ref().to_string())
}

fn with_article(value: &DeValue<'_>) -> String {
    let article = if matches!(value, DeValue::Integer(_) | DeValue::Array(_)) { "an" } else { "a" };
    format!("{article} {}", value.type_str())
}

/// "90m" is 5,400 seconds. What is too large for any limit is the largest number.
fn seconds(text: &str) -> Option<u64> {
    let mut chars = text.chars();
    let unit = match chars.next_back()? {
        'd' => 86_400,
        'h' => 3_600,
        'm' => 60,
        's' => 1,
        _ => return None,
    };
    let digits = chars.as_str();
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(digits.parse::<u64>().unwrap_or(u64::MAX).saturating_mul(unit))
}
