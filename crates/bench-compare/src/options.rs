//! The command line.

use crate::Result;

const USAGE: &str = "bench-compare [--json] [--rounds N | --quick] [--markdown FILE [--label NAME]]
  --json       print the results as JSON, and nothing else, to stdout
  --rounds N   how often every operation of every contender has its turn (60)
  --quick      3 rounds: to see that all works
  --markdown   replace the table of this label in a page, between <!-- bench-compare:NAME --> and <!-- /bench-compare:NAME -->
  --label      default, lto, v3 or native: what it was built with (default)";

#[derive(Debug, PartialEq)]
pub(crate) struct Options {
    pub(crate) json: bool,
    pub(crate) rounds: usize,
    pub(crate) markdown: Option<String>,
    pub(crate) label: String,
}

impl Options {
    pub(crate) fn parse(mut args: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = Self { json: false, rounds: 60, markdown: None, label: "default".into() };
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--json" => options.json = true,
                "--quick" => options.rounds = 3,
                "--rounds" => options.rounds = args.next().ok_or(USAGE)?.parse().map_err(|_| USAGE)?,
                "--markdown" => options.markdown = Some(args.next().ok_or(USAGE)?),
                "--label" => options.label = args.next().ok_or(USAGE)?,
                _ => return Err(USAGE.into()),
            }
        }
        if options.rounds == 0 {
            return Err(USAGE.into());
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &str) -> Result<Options> {
        Options::parse(args.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn options_are_read_and_others_refused() {
        let options = parse("--json --rounds 7 --markdown page.md --label v3").unwrap();
        let expected =
            Options { json: true, rounds: 7, markdown: Some("page.md".into()), label: "v3".into() };
        assert_eq!(options, expected);
        assert_eq!(parse("").unwrap().rounds, 60);
        for wrong in ["--rounds", "--rounds 0", "--rounds x", "--label", "--fast"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
