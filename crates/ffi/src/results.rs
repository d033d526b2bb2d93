//! What became of orders: one result for each, in their order.

use std::{
    collections::HashMap,
    sync::{Mutex, OnceLock, PoisonError},
};

use consignee::{Error, ErrorKind, Value, View};
use serde_json::{Map, Value as Json, json};
use zeroize::{Zeroize, Zeroizing};

use crate::{
    boundary::{Fault, Out, call, consignee_bytes, consignee_error, consignee_status, free},
    handle,
    text::{At, at},
};

/// What became of orders, one result for each, in their order: opened fields, or what a call without fields tells, or the error of
/// this order. Its plaintext is wiped when it is freed. Any thread may use it, several at once, too.
pub struct consignee_results;

/// Where an opened, found or shared order stands.
#[repr(C)]
pub struct consignee_order {
    /// What to call the order towards the party: its number, if the caller gave it or the role may open it; else the alias.
    pub order: consignee_bytes,
    /// The order number that this party sees in place of the real one.
    pub alias: consignee_bytes,
    /// Revision of the order, from 1; 0 where the call does not tell.
    pub revision: u32,
    /// Number of the ledger that has the disclosure's entry.
    pub ledger: u32,
    /// Index of the entry in that ledger.
    pub ledger_index: u64,
}

pub(crate) struct Results(Vec<Item>);

/// One result.
pub(crate) enum Item {
    View(Opened),
    #[cfg_attr(not(feature = "vault"), expect(dead_code, reason = "calls on vaults make them"))]
    Told(Told),
    Failed(Error),
}

/// An opened order, and what was written of it, if anything was.
pub(crate) struct Opened {
    view: View,
    written: OnceLock<Box<Written>>,
}

/// What is written once stays where it is: C has pointers to it.
#[derive(Default)]
struct Written {
    called: OnceLock<(Zeroizing<String>, String)>,
    json: OnceLock<Zeroizing<Vec<u8>>>,
    /// By part and pointer.
    texts: Mutex<HashMap<String, Zeroizing<String>>>,
}

/// What a call tells of an order without opening it.
pub(crate) struct Told {
    pub(crate) json: String,
    pub(crate) alias: String,
    pub(crate) revision: u32,
    pub(crate) place: (u32, u64),
}

#[cfg_attr(not(feature = "vault"), expect(dead_code, reason = "calls on vaults make them"))]
impl Told {
    /// Of a call that discloses nothing.
    pub(crate) fn of(json: &Json) -> Self {
        Self { json: json.to_string(), alias: String::new(), revision: 0, place: (0, 0) }
    }

    /// Of a hit, or of a copy, whose revision is 0.
    pub(crate) fn of_alias(alias: String, revision: u32, (ledger, ledger_index): (u32, u64)) -> Self {
        let mut json = json!({ "alias": alias, "ledger": ledger, "ledger_index": ledger_index });
        if let Some(json) = json.as_object_mut().filter(|_| revision > 0) {
            json.insert("revision".into(), revision.into());
        }
        Self { json: json.to_string(), alias, revision, place: (ledger, ledger_index) }
    }
}

impl From<View> for Item {
    fn from(view: View) -> Self {
        Self::View(Opened { view, written: OnceLock::new() })
    }
}

impl Results {
    #[cfg_attr(not(feature = "vault"), expect(dead_code, reason = "calls on vaults make them"))]
    pub(crate) fn new(items: Vec<Item>) -> Self {
        Self(items)
    }

    pub(crate) fn views(views: impl Iterator<Item = Result<View, Error>>) -> Self {
        Self(views.map(|view| view.map_or_else(Item::Failed, Item::from)).collect())
    }

    fn item(&self, index: usize) -> Result<&Item, Fault> {
        self.0.get(index).ok_or(Fault::Index(self.0.len()))
    }

    fn view(&self, index: usize) -> Result<&Opened, Fault> {
        match self.item(index)? {
            Item::View(opened) => Ok(opened),
            Item::Failed(error) => Err(repeated(error)),
            Item::Told(_) => Err(no_fields()),
        }
    }
}

impl Item {
    /// The text of a part; nothing where the order failed, or has none.
    fn text_or_nothing(&self, part: &str, pointer: &str) -> Result<consignee_bytes, Fault> {
        let text = match self {
            Self::View(opened) => {
                opened.view.get(part).map_err(Fault::from).and_then(|value| opened.text(value, part, pointer))
            }
            Self::Told(_) => Err(no_fields()),
            Self::Failed(_) => return Ok(consignee_bytes::NOTHING),
        };
        match text {
            Ok(text) => Ok(consignee_bytes::of(text)),
            Err(fault) if fault.is(&ErrorKind::Absent) => Ok(consignee_bytes::NOTHING),
            Err(fault) => Err(fault),
        }
    }
}

fn no_fields() -> Fault {
    Fault::Argument("results", "are of a call that opens no field")
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.view.zeroize();
    }
}

/// The error of an order, told as often as it is asked for.
fn repeated(error: &Error) -> Fault {
    Fault::Told(error.kind().clone(), error.to_string())
}

impl Opened {
    fn written(&self) -> &Written {
        self.written.get_or_init(Box::default)
    }

    fn called(&self) -> &(Zeroizing<String>, String) {
        self.written()
            .called
            .get_or_init(|| (Zeroizing::new(self.view.order()), self.view.alias().to_string()))
    }

    fn json(&self) -> &[u8] {
        self.written().json.get_or_init(|| {
            let mut json = self.view.to_json();
            // Of the right size at once: growing would leave copies behind.
            let mut bytes = Zeroizing::new(Vec::with_capacity(written_len(&json)));
            let _to_memory = serde_json::to_writer(&mut *bytes, &json);
            wipe(&mut json);
            bytes
        })
    }

    /// The text at a pointer: where it stands in the value, or where it has been written.
    fn text<'a>(&'a self, value: &'a Value, part: &str, pointer: &str) -> Result<&'a [u8], Fault> {
        let text = match at(value, pointer) {
            At::Text(std::borrow::Cow::Borrowed(text)) => return Ok(text.as_bytes()),
            At::Text(std::borrow::Cow::Owned(text)) => Zeroizing::new(text),
            At::Many(_) => {
                return Err(Fault::Argument(
                    "pointer",
                    "there are several things there: count them, and ask for each",
                ));
            }
            At::Nothing => return Err(nothing_there()),
        };
        let key = format!("{part}\0{pointer}");
        let mut texts = self.written().texts.lock().unwrap_or_else(PoisonError::into_inner);
        let kept: &str = texts.entry(key).or_insert(text);
        // SAFETY: the text is on the heap, where nobody takes it out or alters it before `self` is dropped.
        Ok(unsafe { std::slice::from_raw_parts(kept.as_ptr(), kept.len()) })
    }
}

fn nothing_there() -> Fault {
    Fault::Told(ErrorKind::Absent, "the part has nothing at this pointer".to_owned())
}

/// Length of what is written.
fn written_len(json: &Json) -> usize {
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    let _to_nowhere = serde_json::to_writer(&mut count, json);
    count.0
}

/// Overwrites all texts.
fn wipe(json: &mut Json) {
    match json {
        Json::String(text) => text.zeroize(),
        Json::Array(items) => items.iter_mut().for_each(wipe),
        Json::Object(items) => {
            for (mut key, mut item) in std::mem::replace(items, Map::new()) {
                key.zeroize();
                wipe(&mut item);
            }
        }
        _ => {}
    }
}

/// How many results there are.
///
/// # Safety
/// As the head of the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consignee_results_len(
    results: *const consignee_results,
    len: *mut usize,
    error: *mut consignee_error,
) -> consignee_status {
    // SAFETY: the outputs are as the caller of this function promises.
    unsafe {
        call(error, || {
            let out = Out::new(len, "len")?;
            out.write(handle::get::<Results>(results)?.0.len());
            Ok(())
        })
    }
}

/// What became of the order of this index, from 0: CONSIGNEE_OK, or its error.
///
/// # Safety
/// As the head of the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consignee_results_status(
    results: *const consignee_results,
    index: usize,
    error: *mut consignee_error,
) -> consignee_status {
    // SAFETY: the outputs are as the caller of this function promises.
    unsafe {
        call(error, || match handle::get::<Results>(results)?.item(index)? {
            Item::Failed(error) => Err(repeated(error)),
            _ => Ok(()),
        })
    }
}

/// What to call the order of this index, and where its entry stands. Fails with the order's error.
///
/// # Safety
/// As the head of the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consignee_results_order(
    results: *const consignee_results,
    index: usize,
    order: *mut consignee_order,
    error: *mut consignee_error,
) -> consignee_status {
    // SAFETY: the outputs are as the caller of this function promises.
    unsafe {
        call(error, || {
            let out = Out::new(order, "order")?;
            let results = handle::get::<Results>(results)?;
            out.write(match results.item(index)? {
                Item::Failed(error) => return Err(repeated(error)),
                Item::View(opened) => {
                    let (order, alias) = opened.called();
                    consignee_order {
                        order: consignee_bytes::of(order.as_bytes()),
                        alias: consignee_bytes::of(alias.as_bytes()),
                        revision: opened.view.revision(),
                        ledger: opened.view.ledger(),
                        ledger_index: opened.view.ledger_index(),
                    }
                }
                Item::Told(Told { alias, revision, place: (ledger, ledger_index), .. }) => {
                    let alias = consignee_bytes::of(alias.as_bytes());
                    consignee_order {
                        order: alias,
                        alias,
                        revision: *revision,
                        ledger: *ledger,
                        ledger_index: *ledger_index,
                    }
                }
            });
            Ok(())
        })
    }
}

/// The result of this index as one JSON object: of an opened order its order, alias, revision, party, role, purpose, and its opened
/// fields under "fields". Fails with the order's error.
///
/// # Safety
/// As the head of the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consignee_results_json(
    results: *const consignee_results,
    index: usize,
    json: *mut consignee_bytes,
    error: *mut consignee_error,
) -> consignee_status {
    // SAFETY: the outputs are as the caller of this function promises.
    unsafe {
        call(error, || {
            let out = Out::new(json, "json")?;
            let results = handle::get::<Results>(results)?;
            out.write(consignee_bytes::of(match results.item(index)? {
                Item::Failed(error) => return Err(repeated(error)),
                Item::View(opened) => opened.json(),
                Item::Told(told) => told.json.as_bytes(),
            }));
            Ok(())
        })
    }
}

/// One part of the opened order of this index as text, without JSON: such as "consignee.name". What has several texts is asked for by
/// a JSON Pointer (RFC 6901) within it, as its JSON has them: "/city" of an address, "/lines/0", "/0/title" of items, "/value" of an
/// amount; the empty pointer is the part itself, of an address all of it in one line.
///
/// Fails with the order's error; with CONSIGNEE_NOT_PERMITTED for a part that the purpose does not open, CONSIGNEE_ABSENT for one that
/// the order has not (or has not at the pointer), CONSIGNEE_INPUT for one that there is not.
///
/// # Safety
/// As the head of the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consignee_results_text(
    results: *const consignee_results,
    index: usize,
    part: consignee_bytes,
    pointer: consignee_bytes,
    text: *mut consignee_bytes,
    error: *mut consignee_error,
) -> consignee_status {
    // SAFETY: the inputs and outputs are as the caller of this function promises.
    unsafe {
        call(error, || {
            let out = Out::new(text, "text")?;
            let (part, pointer) = (part.text("part")?, pointer.text("pointer")?);
            let results = handle::get::<Results>(results)?;
            let opened = results.view(index)?;
            let value = opened.view.get(part)?;
            out.write(consignee_bytes::of(opened.text(value, part, pointer)?));
            Ok(())
        })
    }
}

/// The same text of all results in one call, which is fast: texts has room for count of them, which is their number. Where an order
/// failed, or has nothing there, data is NULL; consignee_results_text says why. Fails as that does for what is the same for all orders:
/// CONSIGNEE_NOT_PERMITTED, CONSIGNEE_INPUT.
///
/// # Safety
/// As the head of the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consignee_results_texts(
    results: *const consignee_results,
    part: consignee_bytes,
    pointer: consignee_bytes,
    texts: *mut consignee_bytes,
    count: usize,
    error: *mut consignee_error,
) -> consignee_status {
    // SAFETY: the inputs and outputs are as the caller of this function promises.
    unsafe {
        call(error, || {
            let (part, pointer) = (part.text("part")?, pointer.text("pointer")?);
            let results = handle::get::<Results>(results)?;
            if count != results.0.len() {
                return Err(Fault::Argument("count", "is not the number of the results"));
            }
            let found = results.0.iter().map(|item| item.text_or_nothing(part, pointer));
            let found = found.collect::<Result<Vec<consignee_bytes>, Fault>>()?;
            if count > 0 {
                Out::new(texts, "texts")?.write_all(&found);
            }
            Ok(())
        })
    }
}

/// How many things there are at a pointer: lines of an address at "/lines", rows of a list at "", columns of its first row at "/0"; 1
/// for a text. Fails as consignee_results_text does.
///
/// # Safety
/// As the head of the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consignee_results_count(
    results: *const consignee_results,
    index: usize,
    part: consignee_bytes,
    pointer: consignee_bytes,
    count: *mut usize,
    error: *mut consignee_error,
) -> consignee_status {
    // SAFETY: the inputs and outputs are as the caller of this function promises.
    unsafe {
        call(error, || {
            let out = Out::new(count, "count")?;
            let (part, pointer) = (part.text("part")?, pointer.text("pointer")?);
            let results = handle::get::<Results>(results)?;
            out.write(match at(results.view(index)?.view.get(part)?, pointer) {
                At::Text(text) => {
                    drop(Zeroizing::new(text.into_owned()));
                    1
                }
                At::Many(count) => count,
                At::Nothing => return Err(nothing_there()),
            });
            Ok(())
        })
    }
}

/// Wipes results and frees them, and with them all texts that were asked of them. NULL, or what was freed, is let be.
#[unsafe(no_mangle)]
pub extern "C" fn consignee_results_free(results: *mut consignee_results) {
    free(|| drop(handle::remove::<Results>(results)));
}
