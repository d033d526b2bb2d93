//! `ledger witness-key`, `ledger consistency`, `ledger cosign` and `ledger add-cosignature`.

use std::{io::Write, path::Path};

use consignee::{
    Published, Witness,
    tlog::{NoteKey, SignedCheckpoint, TrustPolicy, WitnessRequest},
};

use crate::{
    args::{LedgerAddCosignature, LedgerConsistency, LedgerCosign, LedgerWitnessKey},
    failure::{FAILED, Failure},
    input,
    party_key::{check_new, write_new},
    publish::{LONGEST, LogKey, hand_out},
    screen::Screen,
    show,
};

pub(crate) fn generate(args: &LedgerWitnessKey, screen: &mut Screen) -> Result<(), Failure> {
    let public = consignee::public_path(&args.output);
    check_new(&args.output)?;
    check_new(&public)?;
    let key = NoteKey::make_witness(&args.name, &args.output).map_err(|e| Failure::of(&args.output, &e))?;
    write_new(&public, format!("{}\n", key.public()).as_bytes())?;
    writeln!(
        screen,
        "wrote {} (keep it) and {} (for those who verify)",
        args.output.display(),
        public.display()
    )?;
    writeln!(screen, "a line for their policy: witness NAME {}", key.public())?;
    Ok(())
}

pub(crate) fn consistency(args: &LedgerConsistency, screen: &mut Screen) -> Result<(), Failure> {
    let request = Published::ledger(&args.folder, args.ledger).request(args.from)?;
    hand_out(&request.to_string(), args.output.as_ref(), screen)
}

pub(crate) fn cosign(args: &LedgerCosign, screen: &mut Screen) -> Result<(), Failure> {
    if let Some(path) = &args.output {
        check_new(path)?;
    }
    let key = NoteKey::read(&args.key).map_err(|e| Failure::of(&args.key, &e))?;
    let witness = Witness::new(key, &args.state);
    let request = request(args, &witness)?;
    let origin = &request.checkpoint.checkpoint().origin;
    let log = args.log.as_deref().map(LogKey::of).transpose()?;
    let log = log.map(|log| log.of_origin(origin)).transpose()?;
    if matches!(log, Some(None)) {
        return Err(Failure::new(
            FAILED,
            format!("the checkpoint is of {}, and the key is not", show::clean(origin)),
        ));
    }
    let signature = witness.cosign(&request, log.flatten().as_ref())?;
    let mut checkpoint = request.checkpoint;
    match &args.output {
        None => writeln!(screen, "{signature}")?,
        Some(path) => {
            checkpoint.note_mut().add(signature)?;
            write_new(path, checkpoint.to_string().as_bytes())?;
            let size = show::counted_as(checkpoint.checkpoint().size, "entry", "entries");
            writeln!(
                screen,
                "cosigned {size} of {} in {}",
                show::clean(&checkpoint.checkpoint().origin),
                path.display()
            )?;
        }
    }
    Ok(())
}

/// The checkpoint, and the proof from wherever it comes.
fn request(args: &LedgerCosign, witness: &Witness) -> Result<WitnessRequest, Failure> {
    let bytes = input::bytes(&args.checkpoint, LONGEST)?;
    let of = |path: &Path, bytes: &[u8]| WitnessRequest::parse(bytes).map_err(|e| Failure::of(path, &e));
    if bytes.starts_with(b"old ") {
        return of(&args.checkpoint, &bytes);
    }
    let checkpoint = SignedCheckpoint::parse(&bytes).map_err(|e| Failure::of(&args.checkpoint, &e))?;
    if let Some(proof) = &args.proof {
        return Ok(WitnessRequest { checkpoint, ..of(proof, &input::bytes(proof, LONGEST)?)? });
    }
    let seen = witness.seen(&checkpoint.checkpoint().origin)?.map_or(0, |seen| seen.size);
    let beside = args.checkpoint.parent().filter(|folder| !folder.as_os_str().is_empty());
    let size = checkpoint.checkpoint().size;
    // Of fewer entries than it has seen there is no proof, and the witness says so.
    let proof = match seen > size {
        true => Vec::new(),
        false => Published::at(beside.unwrap_or(Path::new(".")))
            .proof_between(seen, size)
            .map_err(|e| Failure::of(&args.checkpoint, &e))?,
    };
    Ok(WitnessRequest { old: seen, proof, checkpoint })
}

pub(crate) fn add(args: &LedgerAddCosignature, screen: &mut Screen) -> Result<(), Failure> {
    let policy = TrustPolicy::parse(&input::bytes(&args.policy, LONGEST)?);
    let policy = policy.map_err(|e| Failure::of(&args.policy, &e))?;
    let cosigned = input::bytes(&args.cosigned, LONGEST)?;
    let added = Published::ledger(&args.folder, args.ledger).add_cosignatures(&cosigned, &policy);
    let added = added.map_err(|e| Failure::of(&args.cosigned, &e))?;
    let witnesses = show::counted_as(added as u64, "witness", "witnesses");
    writeln!(screen, "cosigned by {witnesses} of the policy; published")?;
    Ok(())
}
