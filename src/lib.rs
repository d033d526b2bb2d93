//! Order records that each role opens only in part.
//!
//! `consignee` seals e-commerce orders field by field. A courier opens name, phone and address, a supplier its own lines,
//! finance the amount, and nobody more; **nothing is opened without an entry in a tamper-evident ledger**; and every party knows
//! an order by an alias of its own, so a leaked order number names the link it came from. A thief who has the whole database,
//! but not the root key, has nothing he can read.
//!
//! ```
//! use consignee::{Opened, Order, OrderForCourier, Patch, Setup, Value, Vault};
//!
//! # fn main() -> Result<(), consignee::Error> {
//! let vault = Vault::in_memory(&Setup::default())?;
//! vault.add_party("SF Express", "courier", None)?;
//! vault.add_party("agent 17", "support", None)?;
//!
//! let order = Order::from_json(
//!     r#"{"order_no":"SO-1001","placed_at":"2026-11-11T20:14:05+08:00",
//!         "consignee":{"name":"王小明","phone":"13812345678",
//!           "address":{"lines":["中山路 1 号"],"city":"南京","country":"CN"}},
//!         "items":[{"sku":"T-1","title":"Teapot","quantity":1,"unit_price":"88.00","supplier":"Yixing"}],
//!         "amount":{"value":"88.00","currency":"CNY"}}"#,
//!     &*vault.policy()?,
//! )?;
//! vault.put(&order)?;
//!
//! // A role's view as a type: it has no field for what is in the parcel, so reading that does not compile.
//! let seen: Opened<OrderForCourier> = vault.open_as("SF Express", "SO-1001")?;
//! assert_eq!(seen.consignee.name, "王小明");
//!
//! // Change what was read, found by a value that support was told on the telephone.
//! vault.update("SO-1001", seen.revision, Patch::new().set("note", Value::Text("ring twice".into())))?;
//! let found = vault.find("agent 17", "after_sale", "consignee.phone", "138 1234 5678")?;
//! assert_eq!((found.hits.len(), found.hits[0].revision), (1, 2));
//! println!("{} entries in the ledger", vault.ledger_state()?.size);
//! # Ok(())
//! # }
//! ```
//!
//! # Words
//!
//! | | |
//! |---|---|
//! | [`Policy`](policy::Policy) | which role opens which parts, for which purpose, how long |
//! | [`Vault`] | orders, secrets, keys and ledger; [`put`](Vault::put), [`open_as`](Vault::open_as), [`update`](Vault::update), [`find`](Vault::find), [`shred`](Vault::shred) |
//! | epoch, generation | of field keys, and of the key that wraps the orders' secrets; [`rotate`](Vault::rotate), [`reseal`](Vault::reseal), [`rewrap`](Vault::rewrap), [`destroy_epoch`](Vault::destroy_epoch) |
//! | [`KnownParty`] | one concrete link acting in a role: "SF Express", "agent 17" |
//! | [`Party`] | such a link on its own machine, with a private key: reads what [`Vault::share`] copied for it, with the keyring that [`Vault::issue_keyring`] gave it |
//! | [`close`](Vault::close) | ends an order's life: it is not shared any more, and what ends is over |
//! | part | a field, or a *facet* of it such as `consignee.phone:masked`, each sealed under a key of its own |
//! | [`View`] | what one party sees of one order for one purpose; as a type [`OrderForCourier`] and the like |
//! | [`Record`](derive@Record) | an order type of your own, and the views of it; [`Fields`] is one without a type, [`Patch`] changes to some fields |
//! | revision | counter of an order's changes; who changes one names the revision that he read, or gets [`Conflict`](ErrorKind::Conflict) |
//! | [`Alias`] | the order number one party sees in place of the real one |
//! | [`Entry`] | a line of the ledger; it names the order by a handle only the shop and the shopper can read |
//! | [`Disclosures`] | all that the ledgers say of one order: [`who_saw`](Vault::who_saw) |
//! | [`Slip`] | what the shopper is given, who finds and verifies the disclosures of that order with it: [`slip`](Vault::slip) |
//! | [`Sealer`], [`Opener`] | the same for tables of your own: bytes out, bytes in, your transaction |
//!
//! # What it does not protect against
//!
//! - A service that holds the root key and runs changed code can open orders without an entry. The ledger binds whoever goes
//!   through this library: parties, thieves of the database, the shop's own programs as long as they are these.
//! - What a party has been shown it can keep, photograph or sell. The ledger and the alias say who it was, not that it did not.
//! - The lines of a list are cut to a supplier's own by the vault's code; on stored records the keys open the whole list.
//! - Sizes and times are visible: padding hides short lengths, not long ones. Of a field with an index, a thief of the database
//!   sees which orders likely share a value, not which value.
//!
//! `docs/threat-model.md` goes through each attacker.
//!
//! # Reading order
//!
//! To use it: `docs/adopting.md`, then the programs in `examples/`. To read it: `vault.rs` is the flow, one level of calls. Below
//! it `sealer.rs`, `opener.rs`, `update.rs`, `search.rs`, `shred.rs` and `reseal.rs` are the pure steps, `record/` the bytes, `keys/` the two
//! halves of every key, `suite/` the ciphers, `ledger/` the log, `store/` the contracts of stores.
//!
//! # Features
//!
//! - `pkcs11`: [`Pkcs11`], a root key on a token or hardware security module.
//! - `sqlite` (default): a vault in a folder. Without it no SQLite is built, and vaults live in [`store::Memory`] or in stores
//!   of your own.
//! - `tracing`: spans and events of the crate of that name around every operation, with counts, role, purpose and kind of
//!   error, and never a value, a number, an alias or a name. `docs/operations.md` lists them. It changes nothing else.

// Derived code says `::consignee::…`, also in this crate.
extern crate self as consignee;

mod admin;
mod alias;
#[cfg(feature = "bench")]
#[doc(hidden)]
pub mod bench;
mod close;
#[cfg(constant_time)]
#[doc(hidden)]
pub mod constant_time;
mod cores;
mod custody;
mod doctor;
mod error;
mod evidence;
mod file_lock;
#[cfg(feature = "sqlite")]
mod folder;
mod handles;
mod index;
mod kept;
mod key_list;
mod keys;
mod ledger;
mod normalise;
mod observe;
mod opener;
mod order;
mod own_tables;
mod parties;
mod party;
mod publish;
mod record;
mod registry;
mod reseal;
mod rotation;
mod scopes;
mod sealer;
mod search;
mod share;
mod shred;
mod slip;
mod stats;
pub mod store;
mod suite;
mod text;
pub mod tlog;
mod update;
mod value;
mod vault;
#[cfg(test)]
mod vectors;
mod view;
mod who_saw;
mod witness;

#[doc(inline)]
pub use consignee_policy as policy;

pub use admin::{ExistingOrders, ResolvedAlias, Setup};
pub use alias::Alias;
pub use doctor::{Finding, Severity};
pub use error::{Error, ErrorKind, Result};
pub use evidence::{
    Cleared, Clearing, Evidence, EvidenceSources, LostEntries, Opening, Proven, ProvenEntry, ProvenLedger,
};
#[cfg(feature = "sqlite")]
pub use folder::{BackupSets, Peek, Restored};
#[cfg(feature = "sqlite")]
pub use key_list::{Inventory, InventoryKey};
pub use key_list::{KEYS_SCHEMA, KeyAge, KeyList};
#[cfg(feature = "pkcs11")]
pub use keys::Pkcs11;
pub use keys::{
    Fingerprint, KeyFile, PartyKey, Passphrase, PublicKey, RecordId, RootKey, RootKeyProvider, VaultCard,
    public_path,
};
pub use ledger::{Entry, EntryKind, EntryPlace, KeptCheckpoint, LedgerNote, LedgerState};
pub use opener::StoredOrder;
pub use order::{
    Consignee, ConsigneeForCourier, ConsigneeForPlatform, ConsigneeForSupportAfterSale,
    ConsigneeForSupportCallBack, Item, Order, OrderForCourier, OrderForFinance, OrderForPlatform,
    OrderForSupplier, OrderForSupportAfterSale, OrderForSupportCallBack,
};
pub use own_tables::{AliasOwner, Opener, Sealer};
pub use party::{Bundle, Keyring, Party, RevealedBundle, RevealedCopy, SignedRequest, to_base64, trust_path};
pub use publish::{
    Backdated, Prover, Publication, Published, Succession, Verified, VerifiedLedger, verify_published,
};
pub use record::{Inspection, inspect};
pub use registry::{KeyState, KnownParty, PartyState};
pub use rotation::{OwnTables, Rewrapped};
pub use scopes::{PolicyInForce, SCOPES_SCHEMA, Scope, ScopeIndex, ScopeParty, ScopeSearch, Scopes};
pub use sealer::SealedOrder;
pub use search::{Hit, Hits};
pub use share::{Shared, SharedOrder};
pub use shred::ShredMode;
pub use slip::{Answer, Slip, SlipAnswer, SlipLedger};
pub use stats::{Activity, Stats};
pub use suite::{Kem, Suite, after_fork};
pub use value::*;
pub use vault::{Put, Resealed, Vault};
#[doc(hidden)]
pub use view::derived;
pub use view::{CompiledPart, Fields, FromView, Opened, Patch, Record, RecordField, RoleView, View};
pub use who_saw::{Disclosures, NamedPart, OrderEntry, Way, Who};
pub use witness::Witness;

pub use consignee_derive::{Record, Row};

/// The README's program compiles and runs.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// What `docs/adopting.md` shows compiles and runs.
#[cfg(doctest)]
#[doc = include_str!("../docs/adopting.md")]
struct Adopting;

/// Doors for the fuzz targets; only there with `--cfg fuzzing`.
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing {
    use consignee_policy::FieldType;

    pub use crate::{
        party::fuzzing::{bundle, keyring, request, revealed},
        publish::fuzzing::ledger,
        slip::fuzzing::slip,
    };

    /// Decodes as every type; what decodes must encode to the same bytes.
    pub fn value(bytes: &[u8]) {
        for ty in (1..=9).filter_map(FieldType::from_tag) {
            if let Ok(value) = crate::value::decode_padded(bytes, ty) {
                let (value, mut again) = (value.to_value(), Vec::new());
                assert!(crate::value::encode_padded(value.as_ref(), &mut again).is_ok());
                assert!(again == bytes);
            }
        }
    }
}
