//! Changing the registry: what is added or replaced, announced before its ledger entry and finished after it.

use consignee_policy::{PartId, Policy};

use super::{
    AcceptedPolicy, KeyRecord, KeyState, KnownParty, Registry,
    items::{
        ANNOUNCED, FIRST_WITHOUT_KEY, Items, NEWEST_LAYOUT, PARTY, POLICY, SEAL, VAULT, damaged, insert_key,
        insert_tagged, new_key, newer, root_commitment, seal_items, untagged,
    },
};
#[cfg(feature = "sqlite")]
use super::{FormerLedger, items::FORMER};
use crate::{
    error::{Error, ErrorKind, Result},
    keys::{FieldKey, KeyKind, RootKey, WrapContext},
    ledger::Entry,
    store::Item,
    suite::{Secret, SigningKey, Suite},
};

/// Parts that got a field key, each with its commitment.
pub(crate) type MadeKeys = Vec<(PartId, [u8; 32])>;

/// Changes to a registry, to be written as one.
pub(crate) struct Changes<'a> {
    registry: &'a Registry,
    root: &'a dyn RootKey,
    parameters: &'a [u8],
    changed: Items,
}

impl<'a> Changes<'a> {
    pub(super) fn new(registry: &'a Registry, root: &'a dyn RootKey, parameters: &'a [u8]) -> Self {
        Self { registry, root, parameters, changed: Items::new() }
    }

    /// Accepts a policy; the last one accepted is in force.
    pub(crate) fn add_policy(&mut self, accepted: &AcceptedPolicy) -> Result<()> {
        let number = u32::try_from(self.registry.policies.len()).map_err(|_| damaged())?;
        let body = [
            accepted.applied_at.to_le_bytes().as_slice(),
            &[u8::from(accepted.existing_orders)],
            accepted.policy.canonical(),
        ]
        .concat();
        self.insert(POLICY, number, body);
        Ok(())
    }

    /// Adds or replaces a party.
    pub(crate) fn set_party(&mut self, party: &KnownParty) -> Result<()> {
        let body = serde_json::to_vec(party).map_err(|_| damaged())?;
        self.insert(PARTY, party.number, body);
        if party.keys.is_empty() {
            return Ok(());
        }
        // Older versions would write the party back without its keys, and find nothing that was entered under them.
        self.needs_newest_layout()
    }

    /// Keeps what is known of a ledger that was closed: that of this number.
    #[cfg(feature = "sqlite")]
    pub(crate) fn add_former(&mut self, number: u32, former: &FormerLedger) -> Result<()> {
        self.insert(FORMER, number, former.encode());
        // Older versions would miss its entries.
        self.needs_newest_layout()
    }

    /// Makes the keys that the parts and indexes of a policy lack in the epoch; returns the parts that got a field key, each
    /// with its commitment.
    pub(crate) fn add_epoch_keys(&mut self, epoch: u32, suite: Suite, policy: &Policy) -> Result<MadeKeys> {
        let there = self.registry.epoch(epoch);
        let mut made = Vec::new();
        for part in policy.parts() {
            if there.is_none_or(|keys| keys.get(part.id).is_none()) {
                let key = self.add_key(KeyKind::Field, part.id, epoch, suite)?;
                let vault = self.registry.vault;
                made.push((part.id, FieldKey::new(suite, key).commitment(vault, epoch, part.id, suite)));
            }
        }
        for field in policy.fields().iter().filter(|field| field.index.is_some()) {
            if there.is_none_or(|keys| keys.index_key(field.id).is_none()) {
                self.add_key(KeyKind::Index, field.id, epoch, suite)?;
            }
        }
        Ok(made)
    }

    /// Makes the keys that sign what parties are sent and the ledger's heads; gives the public ones, each with its kind.
    pub(crate) fn add_signing_keys(&mut self) -> Result<[(KeyKind, [u8; 32]); 2]> {
        let mut add = |kind| -> Result<_> {
            let seed = new_key()?;
            let context = WrapContext { vault: self.registry.vault, kind, id: 0, generation: 0, suite: None };
            let registry_key = &self.registry.registry_key;
            insert_key(&mut self.changed, registry_key, self.root, self.parameters, context, &seed)?;
            Ok((kind, SigningKey::new(&seed).public()))
        };
        let made = [add(KeyKind::Issuing)?, add(KeyKind::Ledger)?];
        self.needs_newest_layout()?;
        Ok(made)
    }

    /// Wraps every key anew, under another root key with these parameters. Returns what the ledger's entry commits to. Nothing is
    /// changed by it where the new root key does not unwrap again all that it wrapped.
    pub(crate) fn change_root(&mut self, new: &dyn RootKey, parameters: &[u8]) -> Result<[u8; 32]> {
        let Registry { vault, registry_key, items, unwrapped, .. } = self.registry;
        for &(kind, id, generation) in items.keys().filter(|(kind, ..)| *kind < FIRST_WITHOUT_KEY) {
            let known = KeyKind::from_number(kind).ok_or_else(newer)?;
            let (suite, key) = unwrapped.get(&(kind, id, generation)).ok_or_else(damaged)?;
            let context = WrapContext { vault: *vault, kind: known, id, generation, suite: *suite };
            insert_key(&mut self.changed, registry_key, new, parameters, context, key)?;
        }
        let layout = *items.get(&(VAULT, 0, 0)).and_then(|body| body.first()).ok_or_else(damaged)?;
        self.changed.insert((VAULT, 0, 0), [&[layout], vault.0.as_slice(), parameters].concat());
        let after = self.after();
        let commitment = root_commitment(&after)?;
        Registry::load(into_items(after), new).map_err(|e| match e.kind() {
            ErrorKind::RootKey => Error::root_key("the new root key does not unwrap what it wrapped"),
            _ => e,
        })?;
        Ok(commitment)
    }

    /// Raises the layout, so that older versions say that the vault is newer and touch nothing: for what they would misunderstand.
    pub(crate) fn needs_newest_layout(&mut self) -> Result<()> {
        self.set_layout(NEWEST_LAYOUT)
    }

    fn set_layout(&mut self, layout: u8) -> Result<()> {
        const PLACE: (u8, u32, u32) = (VAULT, 0, 0);
        let body = self.changed.get(&PLACE).or_else(|| self.registry.items.get(&PLACE));
        let mut body = body.ok_or_else(damaged)?.clone();
        *body.first_mut().ok_or_else(damaged)? = layout;
        self.changed.insert(PLACE, body);
        Ok(())
    }

    /// Removes an item, if it is there.
    pub(super) fn remove(&mut self, place: (u8, u32, u32)) -> Result<()> {
        self.needs_newest_layout()?;
        self.changed.insert(place, Vec::new());
        Ok(())
    }

    /// Begins an epoch with the keys that a policy needs: from then on it seals. Returns its parts, each with its key's commitment.
    pub(crate) fn begin_epoch(&mut self, suite: Suite, policy: &Policy, now: u64) -> Result<(u32, MadeKeys)> {
        let epoch = self.next(KeyKind::Field)?;
        self.begin(KeyRecord::new(KeyKind::Field, epoch, suite, now))?;
        Ok((epoch, self.add_epoch_keys(epoch, suite, policy)?))
    }

    /// Begins a generation of the release key: from then on it wraps.
    pub(crate) fn begin_generation(&mut self, suite: Suite, now: u64) -> Result<u32> {
        let generation = self.next(KeyKind::Release)?;
        self.begin(KeyRecord::new(KeyKind::Release, generation, suite, now))?;
        let key = new_key()?;
        let vault = self.registry.vault;
        let context = WrapContext { vault, kind: KeyKind::Release, id: 0, generation, suite: Some(suite) };
        let registry_key = &self.registry.registry_key;
        insert_key(&mut self.changed, registry_key, self.root, self.parameters, context, &key)?;
        Ok(generation)
    }

    /// The number after the highest that ever was: a number is not used twice.
    fn next(&self, kind: KeyKind) -> Result<u32> {
        let numbers = self.registry.key_records.iter().filter(|record| record.kind == kind);
        numbers.map(|record| record.number).max().unwrap_or(0).checked_add(1).ok_or_else(damaged)
    }

    /// Puts a record in place, and retires those that were active.
    fn begin(&mut self, record: KeyRecord) -> Result<()> {
        self.needs_newest_layout()?;
        let active = |old: &&KeyRecord| old.kind == record.kind && old.state == KeyState::Active;
        for old in self.registry.key_records.iter().filter(active) {
            self.set_key_record(&KeyRecord { state: KeyState::OpenOnly, retired: record.made, ..*old });
        }
        self.set_key_record(&record);
        Ok(())
    }

    pub(crate) fn set_key_record(&mut self, record: &KeyRecord) {
        let place = record.place();
        let (key, vault) = (&self.registry.registry_key, self.registry.vault);
        insert_tagged(&mut self.changed, key, vault, place, record.body());
    }

    /// Removes the keys of an epoch or generation; its record stays, and says that their bytes are yet to be wiped.
    pub(crate) fn destroy(&mut self, record: &KeyRecord, now: u64) -> Result<()> {
        let kinds = match record.kind {
            KeyKind::Field => &[KeyKind::Field, KeyKind::Index][..],
            _ => &[KeyKind::Release],
        };
        let is_of = |place: &&(u8, u32, u32)| {
            kinds.iter().any(|kind| *kind as u8 == place.0) && place.2 == record.number
        };
        let places: Vec<_> = self.registry.items.keys().filter(is_of).copied().collect();
        for place in places {
            self.remove(place)?;
        }
        self.set_key_record(&KeyRecord {
            state: KeyState::Destroyed,
            destroyed: now,
            wiped: false,
            ..*record
        });
        Ok(())
    }

    /// The items to write, for what needs no entry in the ledger.
    pub(crate) fn unannounced(&self) -> Vec<Item> {
        self.sealed()
    }

    fn add_key(&mut self, kind: KeyKind, part: PartId, epoch: u32, suite: Suite) -> Result<Secret<32>> {
        let key = new_key()?;
        let context = WrapContext {
            vault: self.registry.vault,
            kind,
            id: part.get().into(),
            generation: epoch,
            suite: Some(suite),
        };
        let registry_key = &self.registry.registry_key;
        insert_key(&mut self.changed, registry_key, self.root, self.parameters, context, &key)?;
        Ok(key)
    }

    /// The items to write in the end, and those that announce them before `entry` goes into a ledger of `ledger_size` entries.
    pub(crate) fn announced(mut self, ledger_size: u64, entry: &Entry) -> Result<Announced> {
        self.insert(ANNOUNCED, 0, Vec::new());
        let finish = self.sealed();
        let body =
            [ledger_size.to_le_bytes().as_slice(), &lp(&entry.encode()?)?, &encode_items(&finish)?].concat();
        // The layout is raised by the announcement already: an older version must not finish what it misunderstands. The parameters in
        // the same item are those of the root key in force until the end.
        let layout = self.changed.get(&(VAULT, 0, 0)).and_then(|body| body.first().copied());
        self.changed.clear();
        if let Some(layout) = layout {
            self.set_layout(layout)?;
        }
        self.insert(ANNOUNCED, 0, body);
        Ok(Announced { announce: self.sealed(), finish })
    }

    /// What has changed, with the one tag over all items as they will be.
    fn sealed(&self) -> Vec<Item> {
        let mut changed = self.changed.clone();
        changed.extend(self.after().remove_entry(&(SEAL, 0, 0)));
        into_items(changed)
    }

    /// All items as they will be.
    fn after(&self) -> Items {
        let mut all = self.registry.items.clone();
        all.extend(self.changed.iter().map(|(place, body)| (*place, body.clone())));
        // Those without a body are removed.
        all.retain(|_, body| !body.is_empty());
        seal_items(&mut all, &self.registry.registry_key, self.registry.vault);
        all
    }

    fn insert(&mut self, kind: u8, id: u32, body: Vec<u8>) {
        insert_tagged(
            &mut self.changed,
            &self.registry.registry_key,
            self.registry.vault,
            (kind, id, 0),
            body,
        );
    }
}

/// A change in two steps around its ledger entry: announced, entered, finished. A crash leaves it announced; then it is
/// finished if the ledger has the entry, and dropped if not.
pub(crate) struct Announced {
    pub(crate) announce: Vec<Item>,
    pub(crate) finish: Vec<Item>,
}

/// An announced change that was found in the store.
pub(crate) struct Unfinished {
    /// Entries the ledger had before.
    pub(crate) ledger_size: u64,
    /// The entry it waits for, without a time.
    pub(crate) entry: Entry,
    /// To be written if the entry is there.
    pub(crate) finish: Vec<Item>,
    /// To be written if not.
    pub(crate) drop: Vec<Item>,
}

impl Registry {
    /// The change that a crash or a failure left announced, if there is one.
    pub(crate) fn unfinished(&self, root: &dyn RootKey, parameters: &[u8]) -> Result<Option<Unfinished>> {
        let Some(body) = self.items.get(&(ANNOUNCED, 0, 0)).map(|body| untagged(body)).transpose()? else {
            return Ok(None);
        };
        let Some((size, mut rest)) = body.split_first_chunk() else { return Ok(None) };
        let entry = Entry::decode(take_lp(&mut rest)?)?;
        let finish = decode_items(rest)?;
        let mut dropped = self.change(root, parameters);
        dropped.insert(ANNOUNCED, 0, Vec::new());
        let drop = dropped.sealed();
        Ok(Some(Unfinished { ledger_size: u64::from_le_bytes(*size), entry, finish, drop }))
    }
}

/// Whether these items announce a change of the root key that is neither done nor dropped. Not authenticated: for a hint.
pub(crate) fn announces_root(items: &[Item]) -> bool {
    let announced = items.iter().find(|item| item.kind == ANNOUNCED).and_then(|item| {
        let (_, mut rest) = untagged(&item.body).ok()?.split_first_chunk::<8>()?;
        take_lp(&mut rest).ok()?;
        decode_items(rest).ok()
    });
    announced.is_some_and(|items| items.iter().any(|item| item.kind == VAULT))
}

fn into_items(items: Items) -> Vec<Item> {
    items.into_iter().map(|((kind, id, generation), body)| Item { kind, id, generation, body }).collect()
}

// lp(x): u32 length, then x.
fn lp(bytes: &[u8]) -> Result<Vec<u8>> {
    let length = u32::try_from(bytes.len()).map_err(|_| damaged())?;
    Ok([length.to_le_bytes().as_slice(), bytes].concat())
}

fn take_lp<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8]> {
    let (length, tail) = rest.split_first_chunk().ok_or_else(damaged)?;
    let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| damaged())?;
    let (bytes, tail) = tail.split_at_checked(length).ok_or_else(damaged)?;
    *rest = tail;
    Ok(bytes)
}

fn encode_items(items: &[Item]) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    for item in items {
        out.push(item.kind);
        out.extend_from_slice(&item.id.to_le_bytes());
        out.extend_from_slice(&item.generation.to_le_bytes());
        out.extend_from_slice(&lp(&item.body)?);
    }
    Ok(out)
}

fn decode_items(mut rest: &[u8]) -> Result<Vec<Item>> {
    let mut items = Vec::new();
    while let Some(([kind], tail)) = rest.split_first_chunk() {
        let (id, tail) = tail.split_first_chunk().ok_or_else(damaged)?;
        let (generation, tail) = tail.split_first_chunk().ok_or_else(damaged)?;
        rest = tail;
        let body = take_lp(&mut rest)?.to_vec();
        items.push(Item {
            kind: *kind,
            id: u32::from_le_bytes(*id),
            generation: u32::from_le_bytes(*generation),
            body,
        });
    }
    Ok(items)
}
