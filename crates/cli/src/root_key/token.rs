//! The options of a root key on a token.

use std::path::PathBuf;

use clap::Args;
use consignee::Pkcs11;

use super::secret::{Secret, variable};
use crate::failure::Failure;

const MODULE: &str = "CONSIGNEE_PKCS11_MODULE";
const TOKEN: &str = "CONSIGNEE_PKCS11_TOKEN";

/// A token, and where its PIN comes from.
pub(crate) struct Token {
    module: PathBuf,
    token: String,
    pin: Secret,
}

impl Token {
    /// Whether somebody must be asked for the PIN.
    pub(super) fn is_asked_for(&self) -> bool {
        self.pin.is_asked_for()
    }

    pub(super) fn provider(self) -> Result<Pkcs11, Failure> {
        let pin = self.pin.read("PIN", &format!("PIN of the token {}: ", self.token))?;
        Ok(Pkcs11::new(self.module, self.token, pin))
    }
}

/// Of the vault's root key.
#[derive(Args, Debug, Default)]
pub(crate) struct TokenArgs {
    /// PKCS#11 module, the library of a token's maker [env: CONSIGNEE_PKCS11_MODULE]
    #[arg(long, value_name = "FILE", conflicts_with_all = ["key_file", "passphrase_fd"])]
    pkcs11_module: Option<PathBuf>,
    /// Label or serial number of the token [env: CONSIGNEE_PKCS11_TOKEN]
    #[arg(long, value_name = "LABEL", conflicts_with_all = ["key_file", "passphrase_fd"])]
    pkcs11_token: Option<String>,
    /// Reads the token's PIN from the first line of this open file descriptor [env: CONSIGNEE_PIN holds it itself]
    #[arg(long, value_name = "N", conflicts_with_all = ["key_file", "passphrase_fd"])]
    pin_fd: Option<u32>,
}

impl TokenArgs {
    /// The token, if an option is about one.
    pub(super) fn by_option(&self) -> Result<Option<Token>, Failure> {
        if self.pkcs11_module.is_none() && self.pkcs11_token.is_none() && self.pin_fd.is_none() {
            return Ok(None);
        }
        self.token().map(Some)
    }

    /// The token, if the environment is about one.
    pub(super) fn by_environment(&self) -> Result<Option<Token>, Failure> {
        if variable(MODULE).is_none() && variable(TOKEN).is_none() {
            return Ok(None);
        }
        self.token().map(Some)
    }

    fn token(&self) -> Result<Token, Failure> {
        let pin = Secret::of_option("--pin-fd", self.pin_fd);
        token(self.pkcs11_module.clone(), self.pkcs11_token.clone(), (pin, "CONSIGNEE_PIN"), "--")
    }
}

/// Of the root key that a vault changes to.
#[derive(Args, Debug, Default)]
pub(crate) struct NewTokenArgs {
    /// PKCS#11 module of the new root key's token [env: CONSIGNEE_PKCS11_MODULE]
    #[arg(long, value_name = "FILE", requires = "new_pkcs11_token")]
    new_pkcs11_module: Option<PathBuf>,
    /// Label or serial number of the token on which the new root key is made
    #[arg(long, value_name = "LABEL", conflicts_with_all = ["new_key_file", "new_passphrase", "new_passphrase_fd"])]
    new_pkcs11_token: Option<String>,
    /// Reads that token's PIN from the first line of this open file descriptor [env: CONSIGNEE_NEW_PIN holds it itself]
    #[arg(long, value_name = "N", requires = "new_pkcs11_token")]
    new_pin_fd: Option<u32>,
}

impl NewTokenArgs {
    pub(super) fn by_option(&self) -> Result<Option<Token>, Failure> {
        if self.new_pkcs11_token.is_none() {
            return Ok(None);
        }
        let pin = Secret::of_option("--new-pin-fd", self.new_pin_fd);
        let (module, label) = (self.new_pkcs11_module.clone(), self.new_pkcs11_token.clone());
        token(module, label, (pin, "CONSIGNEE_NEW_PIN"), "--new-").map(Some)
    }
}

fn token(
    module: Option<PathBuf>,
    token: Option<String>,
    (pin, pin_variable): (Option<Secret>, &str),
    prefix: &str,
) -> Result<Token, Failure> {
    let text = |name: &str| variable(name).and_then(|text| text.into_string().ok());
    let missing = |option: &str, name: &str| {
        Failure::usage(format!("a token is asked for, and {prefix}{option} or {name} is missing"))
    };
    let module = module.or_else(|| variable(MODULE).map(PathBuf::from));
    let module = module.ok_or_else(|| missing("pkcs11-module FILE", MODULE))?;
    let token = token.or_else(|| text(TOKEN)).ok_or_else(|| missing("pkcs11-token LABEL", TOKEN))?;
    let pin = match pin {
        Some(pin) => pin,
        None => Secret::of_environment(pin_variable)?
            .or_else(Secret::of_terminal)
            .ok_or_else(|| missing("pin-fd N", pin_variable))?,
    };
    Ok(Token { module, token, pin })
}
