//! Cosignatures of witnesses, taken into a published log.

use super::{CHECKPOINT, COSIGNED, folder::Published, write::Writer};
use crate::{
    error::{Error, ErrorKind, Result},
    tlog::{NoteSignature, SignedCheckpoint, TrustPolicy, VerifierKey},
};

impl Published {
    /// Adds what witnesses of the policy signed: a checkpoint of this log with cosignatures, or their lines alone if they are of the
    /// newest checkpoint. Other lines are left out. Where a newer one has been published since, it is kept beside that as
    /// `checkpoint.cosigned`, unless one that the policy's quorum signed is there and this is none. Returns how many of the policy's
    /// witnesses signed it.
    ///
    /// # Errors
    /// `CannotOpen` for a wrong signature by a known key; `Input` where no witness of the policy signed it, and for an earlier
    /// checkpoint of a log that the policy does not name; `Damaged` for a checkpoint that the published log does not continue: keep
    /// it, it shows that the log has two histories; `NotFound`, `Limit`, `Storage`.
    pub fn add_cosignatures(&self, bytes: &[u8], trust: &TrustPolicy) -> Result<usize> {
        // Without a log there is nothing to make folders for.
        self.checkpoint()?;
        let writer = Writer::of(self)?;
        let newest = self.checkpoint()?;
        let given = match SignedCheckpoint::parse(bytes) {
            Ok(given) => given,
            Err(_) => with_lines(&newest, bytes)?,
        };
        let is_newest = given.note().text() == newest.note().text();
        let before = self.cosigned()?;
        let mut signed = match &before {
            _ if is_newest => newest,
            Some(kept) if kept.note().text() == given.note().text() => kept.clone(),
            _ => self.earlier(&given, &newest, trust)?,
        };
        let found = take_over(&given, &mut signed, trust)?;
        if found == 0 {
            return Err(Error::input("cosignature", "no witness of the policy has signed it"));
        }
        let is_enough = trust.check(&signed).is_ok();
        if is_newest {
            writer.checkpoint(CHECKPOINT, &signed)?;
            if is_enough && trust.asks_for_witnesses() {
                writer.remove(COSIGNED)?;
            }
            return Ok(found);
        }
        let (size, is_better) = (signed.checkpoint().size, |kept: &SignedCheckpoint| {
            let was_enough = trust.check(kept).is_ok();
            (is_enough, signed.checkpoint().size) >= (was_enough, kept.checkpoint().size)
        });
        if before.as_ref().is_none_or(|kept| kept.checkpoint().size == size || is_better(kept)) {
            writer.checkpoint(COSIGNED, &signed)?;
        }
        Ok(found)
    }

    /// An earlier checkpoint that the newest continues, with the log's own signatures alone.
    fn earlier(
        &self,
        given: &SignedCheckpoint,
        newest: &SignedCheckpoint,
        trust: &TrustPolicy,
    ) -> Result<SignedCheckpoint> {
        let (old, new) = (given.checkpoint(), newest.checkpoint());
        let other = || {
            let message = "it is a checkpoint of another log, or of another history of this one";
            Error::new(ErrorKind::Damaged, message)
        };
        if old.origin != new.origin || old.size > new.size || !self.continues(old, new)? {
            return Err(other());
        }
        let log = trust.logs().iter().find(|log| log.name() == old.origin).ok_or_else(|| {
            Error::input("policy", "it does not name the log of this earlier checkpoint")
                .with_hint("add a line `log KEY` with the ledger's public key")
        })?;
        given.check_log(log)?;
        let lines: String = signatures_by(given, log).map(|signature| format!("{signature}\n")).collect();
        SignedCheckpoint::parse(format!("{}\n{lines}", given.note().text()).as_bytes())
    }
}

/// The newest checkpoint with further lines.
fn with_lines(newest: &SignedCheckpoint, bytes: &[u8]) -> Result<SignedCheckpoint> {
    let mut signed = newest.clone();
    for line in String::from_utf8_lossy(bytes).lines().filter(|line| !line.is_empty()) {
        signed.note_mut().add(NoteSignature::parse(line)?)?;
    }
    Ok(signed)
}

/// Takes over the good signatures of the policy's witnesses, one of each. Returns how many of the witnesses signed.
fn take_over(given: &SignedCheckpoint, to: &mut SignedCheckpoint, trust: &TrustPolicy) -> Result<usize> {
    let mut found = 0;
    for (_, key) in trust.witnesses() {
        if given.note().signed_by(key)?.is_none() {
            continue;
        }
        found += 1;
        if to.note().signed_by(key)?.is_none() {
            signatures_by(given, key).take(1).try_for_each(|line| to.note_mut().add(line.clone()))?;
        }
    }
    Ok(found)
}

fn signatures_by<'a>(
    signed: &'a SignedCheckpoint,
    key: &'a VerifierKey,
) -> impl Iterator<Item = &'a NoteSignature> {
    signed.note().signatures().iter().filter(|signature| signature.is_by(key))
}
