//! age: a file for each role of the reference policy, with what that role opens, to the role's X25519 key.

use std::hint::black_box;

use age::x25519::{Identity, Recipient};

use super::{Bytes, Contender, Op, same};
use crate::{Result, order::Reference};

pub(crate) struct Files {
    /// Whom, and what it opens.
    roles: Vec<(Recipient, String)>,
    courier: (Identity, Vec<u8>),
    platform: (Identity, Vec<u8>),
    bytes: usize,
}

impl Files {
    pub(crate) fn new(order: &Reference) -> Result<Self> {
        let mut roles = Vec::new();
        let mut files = Vec::new();
        for role in order.policy.roles() {
            let (identity, text) = (Identity::generate(), order.json_for(role)?);
            files.push((role, identity.clone(), age::encrypt(&identity.to_public(), text.as_bytes())?));
            roles.push((identity.to_public(), text));
        }
        let bytes = files.iter().map(|(_, _, file)| file.len()).sum();
        let mut file_of = |wanted: &str| {
            let at = files.iter().position(|(role, ..)| *role == wanted).ok_or("no such role")?;
            let (_, identity, file) = files.swap_remove(at);
            Ok::<_, &str>((identity, file))
        };
        Ok(Self { courier: file_of("courier")?, platform: file_of("platform")?, roles, bytes })
    }
}

impl Contender for Files {
    fn name(&self) -> &'static str {
        "age"
    }

    fn bytes(&self) -> Bytes {
        Bytes { order: self.bytes, secret: 0 }
    }

    fn check(&mut self, order: &Reference) -> Result<()> {
        for (role, (identity, file)) in [("courier", &self.courier), ("platform", &self.platform)] {
            same(&age::decrypt(identity, file)?, &order.json_for(role)?)?;
        }
        Ok(())
    }

    fn run(&mut self, op: Op) -> Result<usize> {
        match op {
            Op::Seal => {
                for (recipient, text) in &self.roles {
                    black_box(age::encrypt(recipient, text.as_bytes())?);
                }
            }
            Op::OpenCourier => drop(black_box(age::decrypt(&self.courier.0, &self.courier.1)?)),
            Op::OpenAll => drop(black_box(age::decrypt(&self.platform.0, &self.platform.1)?)),
            Op::Disclose => return Ok(0),
        }
        Ok(1)
    }
}
