//! What a shop's administrator does with a vault: make it, unlock it, change its policy and parties, resolve aliases.

use std::{borrow::Cow, sync::Arc};

use consignee_policy::{DEFAULT_POLICY, PartId, Policy, PolicyErrors};

use crate::{
    alias::Alias,
    custody,
    error::{Error, ErrorKind, Result},
    keys::{HandleKey, KeyKind, RecordId},
    ledger::{Entry, EntryKind, EntryPlace, now},
    observe::{Operation, Watch},
    opener::{self, unlock},
    record,
    registry::{AcceptedPolicy, Changes, KeyRecord, KnownParty, Registry},
    scopes::Scopes,
    sealer::no_randomness,
    store::{SecretRow, SecretState, Stores},
    suite::{Suite, os_random},
    value::Value,
    vault::{Found, Inner, Root, Vault, no_such_view, not_found},
    view::{Record, RoleView, check_fields, compiled_parts},
};

/// What a new vault begins with.
#[derive(Debug, Clone)]
pub struct Setup<'a> {
    /// The policy, as TOML text. By default that of the built-in order.
    pub policy: Cow<'a, str>,
    /// The suite of the first epoch.
    pub suite: Suite,
}

impl Default for Setup<'_> {
    fn default() -> Self {
        Self { policy: Cow::Borrowed(DEFAULT_POLICY), suite: Suite::default() }
    }
}

/// Whether what a policy newly grants reaches orders that are there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExistingOrders {
    /// It does.
    Yes,
    /// Only orders put from now on.
    No,
}

/// What a party's alias leads to.
pub struct ResolvedAlias {
    /// The party whose alias it is.
    pub party: KnownParty,
    /// The order's record.
    pub record_id: RecordId,
    /// The order's number; none if it has been shredded.
    pub order_no: Option<String>,
    /// Entries that say the party saw the order (disclosures and search hits), with their place. An empty list means that this
    /// alias was never given out: whoever quotes it has guessed, or has the alias key. `None` means that it cannot be told any
    /// more, because the order's evidence was destroyed.
    pub seen: Option<Vec<(EntryPlace, Entry)>>,
}

// By hand: the order number does not belong in a log.
impl std::fmt::Debug for ResolvedAlias {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResolvedAlias").field("record_id", &self.record_id).finish_non_exhaustive()
    }
}

impl Vault {
    /// A vault in memory, with a root key that nobody else has: for tests and examples. It ends with the process.
    ///
    /// # Errors
    /// `Input` for a policy with mistakes.
    pub fn in_memory(setup: &Setup<'_>) -> Result<Self> {
        let mut root = [0; 32];
        os_random(&mut root).map_err(|_| no_randomness())?;
        Self::begin(crate::store::Memory::stores(), &crate::keys::KeyFile::from_bytes(root), setup)
    }

    /// A new vault in these empty stores.
    ///
    /// # Errors
    /// `Input` for a policy with mistakes, `RootKey`, `Storage`.
    pub fn begin(stores: Stores, root: &dyn crate::keys::RootKeyProvider, setup: &Setup<'_>) -> Result<Self> {
        Watch::uncounted(Operation::Create, 0).one(Self::begin_in(stores, root, setup))
    }

    pub(crate) fn begin_in(
        stores: Stores,
        root: &dyn crate::keys::RootKeyProvider,
        setup: &Setup<'_>,
    ) -> Result<Self> {
        let policy = parse_policy(&setup.policy)?;
        let parameters = root.new_parameters()?;
        let root = Root { key: root.unlock(&parameters)?.into(), parameters };
        stores.keys.write_items(&Registry::create(&*root.key, &root.parameters, setup.suite)?)?;
        let vault = Self::new(Inner::new(stores, root)?);
        let registry = vault.registry()?;
        vault.accept(&registry, policy, ExistingOrders::Yes, FIRST_EPOCH, setup.suite)?;
        Ok(vault)
    }

    /// Unlocks the vault in these stores. Waits for the root key (a passphrase takes about a second) and, if the last writer
    /// crashed, for the settling of what it left.
    ///
    /// # Errors
    /// `RootKey` for a wrong key, `Damaged`, `NewerFormat`, `Storage`.
    pub fn resume(stores: Stores, root: &dyn crate::keys::RootKeyProvider) -> Result<Self> {
        Watch::uncounted(Operation::Unlock, 0).one(Self::resume_in(stores, root))
    }

    pub(crate) fn resume_in(stores: Stores, root: &dyn crate::keys::RootKeyProvider) -> Result<Self> {
        let parameters = Registry::peek(stores.keys.items()?)?.parameters;
        let unlocked = root
            .unlock(&parameters)
            .and_then(|key| Self::with_root(stores.clone(), Root { key: key.into(), parameters }));
        unlocked.map_err(|e| custody::explained(e, &stores))
    }

    /// Unlocks with a root key that is ready.
    pub(crate) fn with_root(stores: Stores, root: Root) -> Result<Self> {
        let vault = Self::new(Inner::new(stores, root)?);
        let root = vault.root();
        let unfinished = vault.registry()?.unfinished(&*root.key, &root.parameters)?;
        let unwiped = vault.registry()?.key_records.iter().any(KeyRecord::is_unwiped);
        if unfinished.is_some() || unwiped || !vault.inner().stores.secrets.unsettled()?.is_empty() {
            // Somebody else may be at work: then it is for him, or the next writer.
            match vault.writer().map(drop) {
                Err(e) if *e.kind() != ErrorKind::Locked => return Err(e),
                _ => {}
            }
            // What was settled may be a change of the root key.
            vault.registry()?;
        }
        Ok(vault)
    }

    /// The policy in force.
    ///
    /// # Errors
    /// `Storage`, `Damaged`.
    pub fn policy(&self) -> Result<Arc<Policy>> {
        self.registry()?.policy().cloned()
    }

    /// Whether the policy in force still gives a role's view what the program was compiled with: for the start of a service,
    /// which would otherwise learn it at its first opening. Opens nothing.
    ///
    /// # Errors
    /// `PolicyMismatch`, `Storage`, `Damaged`.
    pub fn check_view<V: RoleView>(&self) -> Result<()> {
        let policy = self.policy()?;
        let access = policy.access(V::ROLE, V::PURPOSE).ok_or_else(no_such_view::<V>)?;
        compiled_parts::<V>(&policy, access).map(drop)
    }

    /// Whether orders of this type can be put under the policy in force. Seals nothing.
    ///
    /// # Errors
    /// `PolicyMismatch`, `Storage`, `Damaged`.
    pub fn check_record<R: Record>(&self) -> Result<()> {
        check_fields::<R>(&*self.policy()?)
    }

    /// Puts a policy (TOML text) in force: entered in the ledger, and kept with every earlier one. Parts that are new get keys;
    /// orders that are there do not have them until they are sealed anew. Waits for three disk syncs.
    ///
    /// # Requires new keyrings
    /// Parties that hold keyrings of their own need new ones for what is newly granted.
    ///
    /// # Errors
    /// `Input` for a policy with mistakes, `Conflict` if a number changed its meaning, `Locked`, `Storage`.
    pub fn apply_policy(&self, text: &str, existing: ExistingOrders) -> Result<Arc<Policy>> {
        self.watch(Operation::ApplyPolicy, 0).one(self.apply_text(text, existing))
    }

    fn apply_text(&self, text: &str, existing: ExistingOrders) -> Result<Arc<Policy>> {
        let policy = parse_policy(text)?;
        let _writer = self.writer()?;
        let registry = self.registry()?;
        let diff = registry.policy()?.diff(&policy);
        if let Some(change) = diff.incompatible().first() {
            let hint = "give new parts new numbers, and move the numbers of removed ones to retired";
            return Err(Error::new(
                ErrorKind::Conflict,
                format!("orders are sealed under the old meaning: {change}"),
            )
            .with_hint(hint));
        }
        let epoch = registry.current_epoch()?;
        self.accept(&registry, policy, existing, epoch.epoch, epoch.suite)
    }

    fn accept(
        &self,
        registry: &Registry,
        policy: Policy,
        existing: ExistingOrders,
        epoch: u32,
        suite: Suite,
    ) -> Result<Arc<Policy>> {
        let policy = Arc::new(policy);
        let existing_orders = existing == ExistingOrders::Yes;
        let root = self.root();
        let mut changes = registry.change(&*root.key, &root.parameters);
        if registry.epochs.is_empty() {
            changes.set_key_record(&KeyRecord::new(KeyKind::Field, epoch, suite, now()));
        }
        let made = changes.add_epoch_keys(epoch, suite, &policy)?;
        changes.add_policy(&AcceptedPolicy {
            policy: Arc::clone(&policy),
            applied_at: now(),
            existing_orders,
        })?;
        let own = registry.own_key_id();
        let mut entry = Entry::new(EntryKind::Policy, own, policy.digest());
        entry.detail = vec![u8::from(existing_orders)];
        let mut entries = vec![entry];
        if !made.is_empty() {
            entries.push(epoch_entry(registry, &policy, (epoch, suite), made));
        }
        self.enter_change(changes, entries)?;
        Ok(policy)
    }

    /// Announced, entered, finished, each durable before the next: what is in force is always in the ledger, and what is in the
    /// ledger comes into force, whatever fails in between.
    pub(crate) fn enter_change(&self, changes: Changes<'_>, entries: Vec<Entry>) -> Result<()> {
        let keys = &self.inner().stores.keys;
        let first = entries.first().ok_or_else(not_found)?;
        let change = changes.announced(self.ledger().state()?.size, first)?;
        keys.write_items(&change.announce)?;
        let done = self.ledger().append(entries).and_then(|_| Ok(keys.write_items(&change.finish)?));
        if done.is_err() {
            let _left_to_the_next = self.settle_change();
        }
        done
    }

    /// Who may open what.
    ///
    /// # Errors
    /// `Storage`, `Damaged`.
    pub fn scopes(&self) -> Result<Scopes> {
        let registry = self.registry()?;
        let accepted = registry.policies.last().ok_or_else(not_found)?;
        Ok(Scopes::of_vault(
            accepted,
            self.ledger().policy_place(&accepted.policy.digest())?,
            &registry.parties,
            self.inner().stores.orders.count_records()?,
            true,
        ))
    }

    /// Whose alias this is, for which order, and whether the ledger says that the party saw the order. Opening the order number
    /// is itself an entry, of the vault for the purpose `resolve`.
    ///
    /// # Errors
    /// `Input` for text that is no alias (a wrong character is noticed), `NotFound` for an alias this vault never made.
    pub fn resolve_alias(&self, alias: &str) -> Result<ResolvedAlias> {
        self.watch(Operation::ResolveAlias, 1).one(self.resolve_order(alias))
    }

    fn resolve_order(&self, alias: &str) -> Result<ResolvedAlias> {
        let (_, resolved) = self.with_keys(|registry, last| match self.resolve_with(registry, alias) {
            // By a key that was made meanwhile.
            Err(e) if !last && *e.kind() == ErrorKind::CannotOpen => Ok(None),
            resolved => resolved.map(Some),
        })?;
        Ok(resolved)
    }

    fn resolve_with(&self, registry: &Registry, alias: &str) -> Result<ResolvedAlias> {
        let (party, serial) = alias_owner(registry, alias)?;
        let rows = self.rows_of_serial(serial)?;
        let row = rows.first().ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "the vault made this alias, and has no order of that number")
                .with_hint("its tables may be the shop's own, or its put was never finished")
        })?;
        let record_id = RecordId(row.record_id);
        let (order_no, handle_key) = match rows.iter().find(|row| row.state == SecretState::Shredded) {
            Some(row) => (None, self.evidence_of(registry, row)?),
            None => self.order_no_of(registry, record_id, rows.clone())?,
        };
        let seen = handle_key.map(|handle_key| self.seen_by(registry, party, &handle_key));
        Ok(ResolvedAlias { party: party.clone(), record_id, order_no, seen: seen.transpose()? })
    }

    /// The entries that say a party saw an order.
    pub(crate) fn seen_by(
        &self,
        registry: &Registry,
        party: &KnownParty,
        handle_key: &HandleKey,
    ) -> Result<Vec<(EntryPlace, Entry)>> {
        let handles: Vec<_> = party.key_ids(registry.vault).map(|id| handle_key.handle(&id)).collect();
        let mut seen = self.ledger().with_handles(&handles)?;
        seen.retain(|(_, entry)| matches!(entry.kind, EntryKind::Disclosure | EntryKind::Search));
        Ok(seen)
    }

    /// Number and handle key of a stored order, opened by the vault for itself.
    fn order_no_of(
        &self,
        registry: &Registry,
        id: RecordId,
        rows: Vec<SecretRow>,
    ) -> Result<(Option<String>, Option<HandleKey>)> {
        let record = self.inner().stores.orders.records(&[id.0])?.pop().flatten();
        let found = Found { record, rows, by_number: false };
        let stored = found.newest()?;
        let record = record::Record::parse(stored.record)?;
        let parts: Vec<_> = registry.policy()?.field("order_no").map(|field| field.id).into_iter().collect();
        let opened = opener::open_for_vault(self.ledger(), registry, &stored, &parts, "resolve")?.pop();
        let order_no = opened.and_then(|(_, value)| match value {
            Value::Text(order_no) => Some(order_no),
            _ => None,
        });
        if let Some(order_no) = &order_no {
            record::check_order_no(&record, &registry.id_key, order_no)?;
        }
        Ok((order_no, Some(unlock(registry, &record, stored.secret)?.1)))
    }
}

/// The entry of an epoch's new field keys, each with its commitment.
pub(crate) fn epoch_entry(
    registry: &Registry,
    policy: &Policy,
    (epoch, suite): (u32, Suite),
    made: Vec<(PartId, [u8; 32])>,
) -> Entry {
    let mut entry = Entry::new(EntryKind::Epoch, registry.own_key_id(), policy.digest());
    (entry.parts, entry.commitments) = made.into_iter().unzip();
    entry.detail = [epoch.to_le_bytes().as_slice(), &[suite.number()]].concat();
    entry
}

/// Whose alias this is, and the serial of the order that it stands for.
pub(crate) fn alias_owner<'r>(registry: &'r Registry, alias: &str) -> Result<(&'r KnownParty, u64)> {
    let alias = Alias::parse(alias).ok_or_else(|| {
        Error::input("alias", "an alias is XXXX-XXXX-XXXX-C, and its check character fits the others")
    })?;
    let never = || {
        Error::new(ErrorKind::NotFound, "this vault never made this alias")
            .with_hint("it is invented or misread")
    };
    let (number, serial) = registry.alias_key.resolve(&alias).ok_or_else(never)?;
    let party = registry.parties.iter().find(|party| party.number == number).ok_or_else(never)?;
    Ok((party, serial))
}

/// Number of a vault's first epoch.
const FIRST_EPOCH: u32 = 1;

/// A policy from its text, with every mistake in the message.
pub(crate) fn parse_policy(text: &str) -> Result<Policy> {
    Policy::parse(text).map_err(|mistakes: PolicyErrors| {
        let field = Some("policy".to_owned());
        Error::new(ErrorKind::Input { line: None, field }, mistakes.to_string())
            .with_hint("policy check FILE shows them, too")
    })
}
