//! The order a guest is booted with: the file `/job`, one argument per line.

use anyhow::{Context as _, Result};
use clap::Parser;

use crate::bench;

/// The file the host side puts into the initramfs.
const PATH: &str = "/job";

/// What PID 1 is to do before it powers off.
#[derive(Debug, PartialEq, Eq, Parser)]
#[command(name = "/job", no_binary_name = true)]
pub(crate) enum Job {
    /// Run the scenarios and print a verdict.
    Test {
        /// A scenario; may be repeated. Without it, all run.
        #[arg(long, value_name = "NAME")]
        only: Vec<String>,
    },
    /// Measure what tracers cost.
    Bench(bench::Order),
    /// Tell the radvd story on the console.
    Demo,
    /// Record the stories and print the files.
    Golden,
    /// Run /script with bash.
    Script,
    /// Give a shell on the console.
    Shell,
}

/// Reads and parses `/job`.
pub(crate) fn read() -> Result<Job> {
    let text = std::fs::read_to_string(PATH)
        .with_context(|| format!("cannot read {PATH}, which says what this guest is for"))?;
    parse(&text)
}

fn parse(text: &str) -> Result<Job> {
    Job::try_parse_from(text.lines()).with_context(|| format!("{PATH} holds no valid order"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_argument_per_line() {
        let only = vec!["optmem-exhausted".to_owned(), "already-joined".to_owned()];
        let text = "test\n--only\noptmem-exhausted\n--only\nalready-joined\n";
        assert_eq!(parse(text).unwrap(), Job::Test { only });
        assert_eq!(parse("test\n").unwrap(), Job::Test { only: vec![] });
        assert_eq!(parse("demo").unwrap(), Job::Demo);
        assert_eq!(parse("script\n").unwrap(), Job::Script);
        assert_eq!(parse("shell\n").unwrap(), Job::Shell);
    }

    #[test]
    fn other_text_is_refused() {
        for text in ["", "rest\n", "test\n--only\n", "demo extra\n"] {
            assert!(parse(text).is_err(), "{text:?} was accepted");
        }
    }
}
