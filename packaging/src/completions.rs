//! What shells complete: commands and options, and the names of causes and
//! families where one is asked for.

use clap::{Command, builder::PossibleValuesParser};
use clap_complete::{Shell, generate};
use v6trace::{
    catalogue::{Cause, sections},
    check, cli,
};

/// The shells, each with the directory that it looks into, below the root, and what
/// it expects a file of completions to be called.
const SHELLS: [(Shell, &str, &str); 3] = [
    (
        Shell::Bash,
        "usr/share/bash-completion/completions",
        "v6trace",
    ),
    (Shell::Zsh, "usr/share/zsh/site-functions", "_v6trace"),
    (
        Shell::Fish,
        "usr/share/fish/vendor_completions.d",
        "v6trace.fish",
    ),
];

/// A file for each shell: where it goes, its name, and what is in it.
pub(crate) fn all() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let files = SHELLS.iter().map(|&(shell, directory, name)| {
        let mut text = Vec::new();
        generate(shell, &mut command(), "v6trace", &mut text);
        if shell == Shell::Fish {
            // The generator leaves out what no option stands before.
            let codes: Vec<_> = Cause::all().map(Cause::code).collect();
            let of_explain = "-n \"__fish_v6trace_using_subcommand explain\"";
            let line = format!(
                "complete -c v6trace {of_explain} -f -a \"{}\"\n",
                codes.join(" ")
            );
            text.extend(line.into_bytes());
        }
        (directory, name, text)
    });
    files.collect()
}

/// The command line, with the names that may be given.
fn command() -> Command {
    let causes = || PossibleValuesParser::new(Cause::all().map(Cause::code));
    cli::command().mut_subcommands(|command| {
        let is_check = command.get_name() == check::NAME;
        command.mut_args(|argument| match argument.get_id().as_str() {
            "family" | "skip_family" => argument.value_parser(families(is_check)),
            "code" => argument.value_parser(causes()),
            _ => argument,
        })
    })
}

/// The families that a command knows: of states, only `check` tells.
fn families(is_check: bool) -> PossibleValuesParser {
    let names = sections().map(|(name, ..)| name);
    PossibleValuesParser::new(names.filter(|name| is_check || *name != check::NAME))
}

#[cfg(test)]
mod tests {
    use clap::error::ErrorKind;

    use super::*;

    #[test]
    fn what_is_offered_is_taken() {
        let mut offered = 0;
        for offering in command().get_subcommands() {
            let known = ["family", "skip_family"];
            let arguments = offering.get_arguments();
            for argument in arguments.filter(|one| known.contains(&one.get_id().as_str())) {
                let option = argument.get_long().expect("an option");
                for value in argument.get_possible_values() {
                    let option = format!("--{option}={}", value.get_name());
                    let words = ["v6trace", offering.get_name(), &option];
                    let taken = cli::command().try_get_matches_from(words);
                    // What else is wanted may be missing.
                    let refused = taken.err().filter(|error| {
                        let kind = error.kind();
                        kind == ErrorKind::ValueValidation || kind == ErrorKind::InvalidValue
                    });
                    assert!(refused.is_none(), "{words:?}: {refused:?}");
                    offered += 1;
                }
            }
        }
        assert!(offered > 0);
    }

    #[test]
    fn every_shell_completes_commands_causes_and_families() {
        for (_, name, text) in all() {
            let text = String::from_utf8(text).expect("text");
            let families = sections().map(|(family, ..)| family);
            for word in families.chain(Cause::all().map(Cause::code)) {
                assert!(text.contains(word), "{name} lacks {word}");
            }
            for command in command().get_subcommands() {
                assert!(text.contains(command.get_name()), "{name} lacks {command}");
            }
        }
    }
}
