//! `ledger prove`, `ledger clear` and `ledger verify-bundle`.

use std::{io::Write, path::Path};

use consignee::{
    Cleared, Clearing, EntryKind, Evidence, EvidenceSources, Opening, Proven, ProvenEntry, RevealedBundle,
    SignedRequest, tlog::TrustPolicy,
};
use serde_json::{Value as Json, json};

use crate::{
    args::{LedgerClear, LedgerProve, LedgerVerifyBundle},
    failure::{FAILED, Failure},
    input,
    publish::{LONGEST, LogKey},
    screen::Screen,
    show,
};

/// Most bytes of what a party revealed, and of a request.
const LONGEST_GIVEN: u64 = 192 << 20;

const NOT_PROVEN: [&str; 5] = [
    "that a changed program that held the shop's keys opened nothing without an entry",
    "that people in the house, or others who were given it, did not pass it on",
    "that the order was not stored a second time, under another number or handle key",
    "that the party does not act under a second name with keys of its own",
    "anything of entries after the checkpoint, or of entries that were lost",
];
const SHOPS_WORD: &str = "the shop's word only: no quorum of witnesses has seen all of it";
const OWN_KEYS: &str = "the keys are the folder's own word: give --key to verify with the one that you know";

fn policy_of(path: &Path) -> Result<TrustPolicy, Failure> {
    TrustPolicy::parse(&input::bytes(path, LONGEST)?).map_err(|e| Failure::of(path, &e))
}

pub(crate) fn prove(args: &LedgerProve, screen: &mut Screen) -> Result<(), Failure> {
    let witnesses = args.policy.as_deref().map(policy_of).transpose()?;
    let revealed = args.bundle.iter().map(|path| {
        RevealedBundle::from_json(&String::from_utf8_lossy(&input::bytes(path, LONGEST_GIVEN)?))
            .map_err(|e| Failure::of(path, &e))
    });
    let revealed = revealed.collect::<Result<Vec<_>, _>>()?;
    let requests = args.request.iter().map(|path| {
        SignedRequest::parse(&input::bytes(path, LONGEST_GIVEN)?).map_err(|e| Failure::of(path, &e))
    });
    let requests = requests.collect::<Result<Vec<_>, _>>()?;
    let vault = args.key.unlock(&args.vault)?;
    let sources = EvidenceSources {
        log: args.log.as_deref(),
        witnesses: witnesses.as_ref(),
        revealed: &revealed,
        requests: &requests,
        without_tickets: args.without_tickets,
        reveal_plaintext: args.reveal_plaintext,
    };
    let proven = vault.prove(&args.order, &sources, &args.output)?;
    if args.json {
        tell_json(&proven, None, screen)?;
    } else {
        tell(&proven, screen)?;
        writeln!(screen, "wrote {}: its README.txt says how to check it", args.output.display())?;
        writeln!(
            screen,
            "WARNING: whoever has it finds every entry of this order in the ledger, and holds the tickets of what was disclosed: with the keyring of a role they open those parts"
        )?;
        if args.reveal_plaintext {
            writeln!(
                screen,
                "WARNING: IT HOLDS FIELD KEYS. Whoever has it reads these parts of every order of that epoch that he has tickets of; keys rotate, keys reseal and keys destroy end that"
            )?;
        }
    }
    Ok(())
}

pub(crate) fn clear(args: &LedgerClear, screen: &mut Screen) -> Result<(), Failure> {
    let witnesses = args.policy.as_deref().map(policy_of).transpose()?;
    let vault = args.key.unlock(&args.vault)?;
    let sources = EvidenceSources {
        log: args.log.as_deref(),
        witnesses: witnesses.as_ref(),
        ..EvidenceSources::default()
    };
    match vault.clear(&args.party, &args.order, &args.field, &sources, &args.output)? {
        Clearing::Given(places) => {
            let (party, field) = (show::clean(&args.party), show::clean(&args.field));
            let places: Vec<String> = places.iter().map(ToString::to_string).collect();
            if args.json {
                screen.json(
                    &json!({ "cleared": false, "party": args.party, "field": args.field, "entries": places }),
                )?;
                return Err(Failure::reported(FAILED));
            }
            let message = format!(
                "{party} was given {field} of this order, a reduced form of it or a search hit: entries {} (who-saw tells more)",
                places.join(", ")
            );
            Err(Failure::new(FAILED, message))
        }
        Clearing::Cleared(proven) if args.json => tell_json(&proven, None, screen),
        Clearing::Cleared(proven) => {
            tell(&proven, screen)?;
            writeln!(screen, "wrote {}: its README.txt says how to check it", args.output.display())?;
            Ok(())
        }
    }
}

pub(crate) fn verify(args: &LedgerVerifyBundle, screen: &mut Screen) -> Result<(), Failure> {
    let evidence = Evidence::open(&args.folder)?;
    let own = evidence.own_trust()?;
    let key = args.key.as_deref().map(LogKey::of).transpose()?;
    let policy = args.policy.as_deref().map(policy_of).transpose()?;
    let mut trusted = Vec::new();
    for (origin, own) in evidence.origins().zip(&own) {
        let log = match (&key, &policy) {
            (Some(key), _) => key.of_origin(origin)?,
            (None, Some(policy)) => policy.logs().iter().find(|log| log.name() == origin).cloned(),
            (None, None) => None,
        };
        let named_in_policy = policy.as_ref().is_some_and(|policy| !policy.logs().is_empty());
        let Some(log) =
            log.or_else(|| own.logs().first().filter(|_| key.is_none() && !named_in_policy).cloned())
        else {
            let message = format!("the evidence is of {}, of which no key was given", show::clean(origin));
            return Err(Failure::new(FAILED, message));
        };
        trusted.push(match (&policy, &key) {
            (Some(_), _) => crate::publish::trust(args.policy.as_ref(), log)?,
            (None, None) => own.clone(),
            (None, Some(_)) => TrustPolicy::log_only(log),
        });
    }
    let proven = evidence.verify(&trusted)?;
    let by_own_word = key.is_none() && policy.as_ref().is_none_or(|policy| policy.logs().is_empty());
    if args.json {
        return tell_json(&proven, Some(by_own_word), screen);
    }
    tell(&proven, screen)?;
    if by_own_word {
        writeln!(screen, "NOTE: {OWN_KEYS}")?;
    }
    writeln!(screen, "everything in the folder holds")?;
    Ok(())
}

fn tell(proven: &Proven, screen: &mut Screen) -> Result<(), Failure> {
    let order = show::clean(&proven.order_no);
    match &proven.cleared {
        Some(cleared) => tell_cleared(cleared, &order, screen)?,
        None => {
            screen.headline(&format!("order {order}: what the ledger has"))?;
            for entry in &proven.entries {
                writeln!(screen, "{}", in_words(entry))?;
                for (part, value) in &entry.values {
                    let name = part.name.clone().unwrap_or_else(|| format!("part {}", part.id));
                    writeln!(screen, "  {} = {}", show::clean(&name), show::value(value))?;
                }
            }
            writeln!(
                screen,
                "NOT PROVEN: that there are no further entries of the order (that takes the whole ledger)"
            )?;
        }
    }
    for ledger in &proven.ledgers {
        let size = show::counted_as(ledger.checkpoint.size, "entry", "entries");
        let (origin, root) = (show::clean(&ledger.checkpoint.origin), show::hex(&ledger.checkpoint.root));
        writeln!(screen, "checkpoint of {origin}: {size}; root {root}")?;
        for (name, time) in &ledger.vouched.witnesses {
            writeln!(screen, "seen by {} at {}", show::clean(name), show::time_in_words(*time))?;
        }
        if ledger.vouched.is_witnessed && ledger.witnessed < ledger.checkpoint.size {
            writeln!(screen, "the witnesses have seen the first {} of these", ledger.witnessed)?;
        }
    }
    if !proven.is_witnessed() {
        writeln!(screen, "{SHOPS_WORD}")?;
    }
    Ok(())
}

fn tell_cleared(cleared: &Cleared, order: &str, screen: &mut Screen) -> Result<(), Failure> {
    let (party, role, field) =
        (show::clean(&cleared.party), show::clean(&cleared.role), show::clean(&cleared.field));
    writeln!(
        screen,
        "{party} ({role}) was never given {field} of order {order}, by any entry of the ledgers up to the checkpoint"
    )?;
    let parts: Vec<String> =
        cleared.parts.iter().map(|part| part.name.clone().unwrap_or_else(|| part.id.to_string())).collect();
    writeln!(screen, "nor a part of {}, nor a search hit on it", parts.join(", "))?;
    if let Some((first, last)) = cleared.times {
        let (first, last) = (show::time_in_words(first), show::time_in_words(last));
        writeln!(screen, "entries from {first} to {last}")?;
    }
    for lost in &cleared.lost {
        writeln!(
            screen,
            "GAP: of ledger {} the entries from {} to {} were lost; nothing is proven of them",
            lost.ledger,
            lost.from,
            lost.size - 1
        )?;
    }
    if cleared.backdated > 0 {
        let entries = show::counted_as(cleared.backdated, "entry is", "entries are");
        writeln!(screen, "{entries} dated back (ledger verify names them)")?;
    }
    NOT_PROVEN.iter().try_for_each(|what| writeln!(screen, "NOT PROVEN: {what}"))?;
    Ok(())
}

fn in_words(proven: &ProvenEntry) -> String {
    let entry = &proven.entry;
    let parts: Vec<String> = proven
        .parts
        .iter()
        .map(|part| part.name.clone().unwrap_or_else(|| format!("part {}", part.id)))
        .collect();
    let time = show::time_in_words(entry.time);
    let is_copy = entry.detail.first() == Some(&1);
    let what = match (&proven.party, entry.kind) {
        (Some((name, role)), kind) => {
            let how = match kind {
                EntryKind::Search => "found it by a search for",
                EntryKind::Disclosure if is_copy => "was sent a copy of",
                EntryKind::Disclosure => "was given",
                _ => kind.name(),
            };
            let (name, role, why) = (show::clean(name), show::clean(role), show::clean(&entry.purpose));
            format!("{name} ({role}) {how} {} for {why}", parts.join(", "))
        }
        (None, kind) => format!("the vault: {}, revision {}", kind.name(), entry.revision),
    };
    let opened = match &proven.opening {
        Opening::Closed(why) => format!("not opened: {}", show::clean(why)),
        _ => "what it commits to is in the folder".to_owned(),
    };
    let asked = match proven.requested {
        Some(true) => "; asked for under the party's signature",
        Some(false) => "; the party's signed request is not in the folder",
        None => "",
    };
    format!("entry {}, {time}: {what}; {opened}{asked}", proven.place)
}

/// A line for each entry, then one of the whole.
fn tell_json(proven: &Proven, own_keys: Option<bool>, screen: &mut Screen) -> Result<(), Failure> {
    for told in &proven.entries {
        let (name, role) = told.party.clone().unzip();
        screen.json(&json!({
            "ledger": told.place.ledger, "index": told.place.index, "time": show::time(told.entry.time),
            "what": told.entry.kind.name(), "party": name, "role": role, "purpose": told.entry.purpose,
            "parts": told.parts.iter().map(|part| json!({ "number": part.id.get(), "name": part.name })).collect::<Vec<_>>(),
            "revision": told.entry.revision,
            "opened": told.opening == Opening::Holds,
            "why_not": match &told.opening { Opening::Closed(why) => Some(why), _ => None },
            "values": (!told.values.is_empty()).then(|| {
                let value = |(part, value): &(consignee::NamedPart, consignee::Value)| {
                    (part.name.clone().unwrap_or_else(|| part.id.to_string()), value.to_json())
                };
                told.values.iter().map(value).collect::<serde_json::Map<_, _>>()
            }),
            "request_checked": told.requested,
        }))?;
    }
    let ledger = |l: &consignee::ProvenLedger| {
        json!({
            "ledger": l.ledger, "origin": l.checkpoint.origin, "size": l.checkpoint.size,
            "root": show::hex(&l.checkpoint.root), "witnessed": l.witnessed,
            "witnesses": l.vouched.witnesses.iter().map(|(name, time)| json!({ "name": name, "time": show::time(*time) })).collect::<Vec<_>>(),
        })
    };
    let cleared = |cleared: &Cleared| {
        json!({
            "party": cleared.party, "role": cleared.role, "field": cleared.field,
            "parts": cleared.parts.iter().map(|part| json!({ "number": part.id.get(), "name": part.name })).collect::<Vec<_>>(),
            "first": cleared.times.map(|(first, _)| show::time(first)), "last": cleared.times.map(|(_, last)| show::time(last)),
            "lost": cleared.lost.iter().map(|lost| json!({ "ledger": lost.ledger, "from": lost.from, "size": lost.size })).collect::<Vec<_>>(),
            "backdated_count": cleared.backdated,
        })
    };
    let whole: Json = json!({
        "order": proven.order_no, "made": show::time(proven.made),
        "ledgers": proven.ledgers.iter().map(ledger).collect::<Vec<_>>(),
        "cleared": proven.cleared.as_ref().map(cleared),
        "shops_word_only": !proven.is_witnessed(),
        "keys_are_its_own_word": own_keys,
        "not_proven": proven.cleared.as_ref().map(|_| NOT_PROVEN),
    });
    Ok(screen.json(&whole)?)
}
