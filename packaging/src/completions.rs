//! What shells complete: commands and options, and the names of causes and
//! families where one is asked for.

use clap::{Command, builder::PossibleValuesParser};
use clap_complete::{Shell, generate};
use v6trace::{
    catalogue::{Cause, sections},
    cli,
};

/// The shells, each with the directory that it looks into, below the root, and what
/// it expects a file of completions to be called.
const SHELLS: [(Shell, &str, &str); 3] = [
    (
        Shell::Bash,
        "usr/share/bash-completion/completions",
        "v6trace",
    ),
    (Shell::Zsh, "usr/share/zsh/vendor-completions", "_v6trace"),
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
