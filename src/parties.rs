//! Who acts in which role, with which keys of its own.

use std::sync::Arc;

use crate::{
    alias,
    error::{Error, ErrorKind, Result},
    keys::{KeyKind, PublicKey, VaultCard},
    ledger::{Entry, EntryKind, now},
    observe::{Operation, Watch},
    opener::changed_meanwhile,
    registry::{KnownParty, PartyState, Registry},
    sealer::no_randomness,
    share,
    suite::os_random,
    vault::{Vault, not_found},
};

/// Most keys that a party has had.
const MOST_KEYS: usize = 127;

impl Vault {
    /// Adds a party that acts in a role; `lines` says which list elements are its own, where the role sees only its own.
    /// Waits for two disk syncs.
    ///
    /// # Errors
    /// `Exists` for a name that is taken, `Input` for a name that is empty, longer than 128 bytes, has characters that control or turn
    /// the text around them or is `vault` in capitals or not, as listings call the vault itself; and for a role the policy has not;
    /// `Limit` beyond 262,143 parties; `Locked`, `Storage`.
    pub fn add_party(&self, name: &str, role: &str, lines: Option<&str>) -> Result<KnownParty> {
        let watch = self.watch(Operation::AddParty, 0);
        watch.one(self.add_party_in(&watch, (name, role, lines), None))
    }

    /// The same of a party that has a key of its own, so that orders can be shared with it. Compare the key's fingerprint with the
    /// party first: whoever sent another key in its place reads what is shared.
    ///
    /// # Errors
    /// As for [`Vault::add_party`], and `Exists` for a key that another party has.
    pub fn add_party_with_key(
        &self,
        name: &str,
        role: &str,
        lines: Option<&str>,
        key: &PublicKey,
    ) -> Result<KnownParty> {
        let watch = self.watch(Operation::AddParty, 0);
        watch.one(self.add_party_in(&watch, (name, role, lines), Some(key)))
    }

    fn add_party_in(
        &self,
        watch: &Watch<'_>,
        (name, role, lines): (&str, &str, Option<&str>),
        key: Option<&PublicKey>,
    ) -> Result<KnownParty> {
        let fits = |text: &str| {
            (1..=128).contains(&text.len()) && text.trim() == text && !text.chars().any(char::is_control)
        };
        if !fits(name) || name.contains(turns_direction) || !lines.is_none_or(fits) {
            return Err(Error::input(
                "party",
                "a name is 1 to 128 bytes without outer spaces or characters that control or turn the text",
            ));
        }
        if name.eq_ignore_ascii_case("vault") {
            return Err(Error::input("party", "listings call the vault itself by this name"));
        }
        let _writer = self.writer()?;
        let registry = self.registry()?;
        let policy = registry.policy()?;
        if !policy.roles().any(|known| known == role) {
            let known: Vec<&str> = policy.roles().collect();
            return Err(Error::input("role", "the policy has no such role")
                .with_hint(format!("it has {}", known.join(", "))));
        }
        watch.acts(role, None);
        if let Some(known) = registry.parties.iter().find(|party| party.name == name) {
            let exists = Error::new(ErrorKind::Exists, "there is a party of this name");
            return Err(match known.state {
                PartyState::Active => exists,
                PartyState::Revoked => {
                    exists.with_hint("it was revoked, and its entries stay its own: take another name")
                }
            });
        }
        let number = u32::try_from(registry.parties.len()).unwrap_or(u32::MAX).saturating_add(1);
        if number > alias::MAX_PARTY {
            return Err(Error::new(ErrorKind::Limit, "a vault has at most 262,143 parties"));
        }
        if let Some(key) = key {
            check_unused(&registry, key)?;
        }
        let mut salt = [0; 32];
        os_random(&mut salt).map_err(|_| no_randomness())?;
        let party = KnownParty {
            number,
            name: name.to_owned(),
            role: role.to_owned(),
            lines: lines.map(str::to_owned),
            state: PartyState::Active,
            added_at: now(),
            keys: key.into_iter().cloned().collect(),
            salt,
        };
        self.set_party(&registry, &party, EntryKind::Party)?;
        Ok(party)
    }

    /// Gives a party a key of its own, or a new one in place of the one it has: with the next keyring and bundle it takes effect. The
    /// party has a new id in the ledger from then on. Waits for two disk syncs.
    ///
    /// # Errors
    /// `NotFound`, `Revoked`, `Exists` for a key that a party has or had, `Limit` for its 128th key, `Locked`, `Storage`.
    pub fn set_party_key(&self, name: &str, key: &PublicKey) -> Result<KnownParty> {
        self.watch(Operation::AddParty, 0).one(self.set_party_key_in(name, key))
    }

    fn set_party_key_in(&self, name: &str, key: &PublicKey) -> Result<KnownParty> {
        let _writer = self.writer()?;
        let registry = self.registry()?;
        let mut party = registry.party(name)?.clone();
        if party.state == PartyState::Revoked {
            return Err(Error::new(ErrorKind::Revoked, "the party has been revoked"));
        }
        check_unused(&registry, key)?;
        if party.keys.len() >= MOST_KEYS {
            return Err(Error::new(ErrorKind::Limit, "a party has at most 127 keys, one after the other"));
        }
        party.keys.push(key.clone());
        self.set_party(&registry, &party, EntryKind::Party)?;
        Ok(party)
    }

    /// The vault's public keys, for its parties to pin. The first call makes them. Waits for two disk syncs then, else for none.
    ///
    /// # Errors
    /// `RootKey`, `Locked`, `Storage`.
    pub fn card(&self) -> Result<VaultCard> {
        Ok(self.registry_that_signs()?.1)
    }

    /// The registry, with keys that sign what parties are sent.
    pub(crate) fn registry_that_signs(&self) -> Result<(Arc<Registry>, VaultCard)> {
        let registry = self.registry()?;
        if let Some((card, _)) = registry.issuer() {
            return Ok((registry, card));
        }
        let _writer = self.writer()?;
        let registry = self.registry()?;
        if registry.issuer().is_none() {
            let root = self.root();
            let mut changes = registry.change(&*root.key, &root.parameters);
            let entry = |(kind, public): (KeyKind, [u8; 32])| {
                let digest = registry.policy()?.digest();
                let mut entry = Entry::new(EntryKind::Rotation, registry.own_key_id(), digest);
                let (old, new) = (0u32.to_le_bytes(), 1u32.to_le_bytes());
                entry.detail = [&[kind as u8], old.as_slice(), &new, &public].concat();
                Ok(entry)
            };
            let entries = changes.add_signing_keys()?.into_iter().map(entry).collect::<Result<_>>()?;
            self.enter_change(changes, entries)?;
        }
        let registry = self.registry()?;
        let (card, _) = registry.issuer().ok_or_else(not_found)?;
        Ok((registry, card))
    }

    /// The keyring of a party: the field keys of its role in all epochs that are open, sealed to its key and signed. Entered as a
    /// grant first; waits for one disk sync.
    ///
    /// # Errors
    /// `NotFound`, `Revoked`, `Input` for a party without a key, `NotPermitted` for a role that opens nothing, `RootKey`, `Locked`,
    /// `Storage`.
    pub fn issue_keyring(&self, party: &str) -> Result<Vec<u8>> {
        self.watch(Operation::IssueKeyring, 0).one(self.issue_keyring_in(party))
    }

    fn issue_keyring_in(&self, name: &str) -> Result<Vec<u8>> {
        let (registry, _) = self.registry_that_signs()?;
        let party = registry.party(name)?;
        let (file, entry) = share::keyring(&registry, party)?;
        self.ledger().append(vec![entry])?;
        // A field that was withdrawn, or an epoch that was begun or destroyed, while the entry was written: keys are not taken back.
        let newest = self.registry()?;
        let same = newest.policies.len() == registry.policies.len()
            && newest.key_records == registry.key_records
            && newest.party(name)? == party;
        if same { Ok(file) } else { Err(changed_meanwhile()) }
    }

    /// Revokes a party: no more tickets, at once. What it has been given it keeps. Waits for two disk syncs.
    ///
    /// # Errors
    /// `NotFound`, `Revoked` if it is already, `Locked`, `Storage`.
    pub fn revoke_party(&self, name: &str) -> Result<KnownParty> {
        let watch = self.watch(Operation::RevokeParty, 0);
        watch.one(self.revoke_party_in(&watch, name))
    }

    fn revoke_party_in(&self, watch: &Watch<'_>, name: &str) -> Result<KnownParty> {
        let _writer = self.writer()?;
        let registry = self.registry()?;
        let party = registry.party(name)?;
        watch.acts(&party.role, None);
        if party.state == PartyState::Revoked {
            return Err(Error::new(ErrorKind::Revoked, "the party has been revoked already"));
        }
        let party = KnownParty { state: PartyState::Revoked, ..party.clone() };
        self.set_party(&registry, &party, EntryKind::Revoke)?;
        Ok(party)
    }

    fn set_party(&self, registry: &Registry, party: &KnownParty, kind: EntryKind) -> Result<()> {
        let key_id = party.key_id(registry.vault);
        let mut entry = Entry::new(kind, key_id, registry.policy()?.digest());
        if kind == EntryKind::Party {
            entry.commitments = vec![party.commitment()];
            let role_len = u8::try_from(party.role.len()).unwrap_or(u8::MAX);
            let ids: Vec<_> = party.key_ids(registry.vault).collect();
            let count = u8::try_from(ids.len())
                .map_err(|_| Error::new(ErrorKind::Limit, "a party has too many keys"))?;
            entry.detail = [&[role_len], party.role.as_bytes(), &[count], ids.as_flattened()].concat();
        }
        let root = self.root();
        let mut changes = registry.change(&*root.key, &root.parameters);
        changes.set_party(party)?;
        self.enter_change(changes, vec![entry])
    }

    /// All parties, in the order they were added.
    ///
    /// # Errors
    /// `Storage`, `Damaged`.
    pub fn parties(&self) -> Result<Vec<KnownParty>> {
        Ok(self.registry()?.parties.clone())
    }
}

/// A key belongs to one party: two with one key would read what either is sent.
fn check_unused(registry: &Registry, key: &PublicKey) -> Result<()> {
    if registry.parties.iter().any(|party| party.keys.contains(key)) {
        return Err(Error::new(ErrorKind::Exists, "a party has, or had, this key")
            .with_hint("each party makes one of its own with party keygen"));
    }
    Ok(())
}

/// Whether it changes the direction of what stands beside it (Unicode's `Bidi_Control`), so that a listing would show one
/// party's name as another's.
fn turns_direction(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
