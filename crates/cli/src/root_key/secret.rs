//! A passphrase or PIN: from a file descriptor, the environment, or the person at the terminal.

use std::{
    env,
    fs::File,
    io::{self, BufRead, BufReader, Read},
};

use crate::{
    failure::{Failure, said_by},
    screen::someone_is_there,
};

/// Longest secret that is read from a descriptor, in bytes.
const LONGEST: u64 = 4096;

/// Where a secret comes from.
pub(crate) enum Secret {
    Descriptor { option: &'static str, number: u32 },
    Environment(String),
    Terminal,
}

impl Secret {
    pub(super) fn of_option(option: &'static str, number: Option<u32>) -> Option<Self> {
        number.map(|number| Self::Descriptor { option, number })
    }

    pub(super) fn of_environment(name: &str) -> Result<Option<Self>, Failure> {
        let Some(secret) = variable(name) else { return Ok(None) };
        let text = secret.into_string();
        let text = text.map_err(|_| Failure::usage(format!("{name} is not text in UTF-8")))?;
        Ok(Some(Self::Environment(text)))
    }

    /// If there is somebody to ask.
    pub(super) fn of_terminal() -> Option<Self> {
        someone_is_there().then_some(Self::Terminal)
    }

    pub(super) fn is_asked_for(&self) -> bool {
        matches!(self, Self::Terminal)
    }

    /// The secret, which is called `what`; `prompt` asks for it.
    pub(super) fn read(self, what: &str, prompt: &str) -> Result<String, Failure> {
        let secret = match self {
            Self::Environment(text) => text,
            Self::Descriptor { option, number } => first_line_of(number, option)?,
            Self::Terminal => return ask(prompt),
        };
        if secret.is_empty() {
            return Err(Failure::usage(format!("the {what} is empty")));
        }
        Ok(secret)
    }
}

/// An environment variable that says something.
pub(super) fn variable(name: &str) -> Option<std::ffi::OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

pub(crate) fn ask(prompt: &str) -> Result<String, Failure> {
    rpassword::prompt_password(prompt).map_err(|_| Failure::usage("nothing could be read from the terminal"))
}

/// The first line of an open file descriptor that an option names.
pub(crate) fn first_line_of(number: u32, option: &str) -> Result<String, Failure> {
    let unreadable = |e| Failure::usage(format!("{option} {number}: {}", said_by(&e)));
    let mut line = String::new();
    match number {
        0 => io::stdin().lock().take(LONGEST).read_line(&mut line),
        _ => File::open(format!("/dev/fd/{number}"))
            .and_then(|file| BufReader::new(file).take(LONGEST).read_line(&mut line)),
    }
    .map_err(unreadable)?;
    line.truncate(line.trim_end_matches(['\n', '\r']).len());
    Ok(line)
}
