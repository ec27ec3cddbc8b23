//! What shells complete: commands and options, and the names of causes and
//! families where one is asked for.

use clap::{Command, builder::PossibleValuesParser};
use clap_complete::{Shell, generate};
use v6trace::{
    catalogue::{Cause, sections},
    cli,
};

use crate::Named;

/// The shells, with what they expect a file of completions to be called.
const SHELLS: [(Shell, &str); 3] = [
    (Shell::Bash, "v6trace"),
    (Shell::Zsh, "_v6trace"),
    (Shell::Fish, "v6trace.fish"),
];

/// A file for each shell.
pub(crate) fn all() -> Vec<Named> {
    let files = SHELLS.iter().map(|&(shell, name)| {
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
        (name.to_owned(), text)
    });
    files.collect()
}

/// The command line, with the names that may be given.
fn command() -> Command {
    let families = || PossibleValuesParser::new(sections().map(|(name, ..)| name));
    let causes = || PossibleValuesParser::new(Cause::all().map(Cause::code));
    cli::command().mut_subcommands(|command| {
        command.mut_args(|argument| match argument.get_id().as_str() {
            "family" | "skip_family" => argument.value_parser(families()),
            "code" => argument.value_parser(causes()),
            _ => argument,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shell_completes_commands_causes_and_families() {
        for (name, text) in all() {
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
