//! v6trace(1) and a page for each of its commands, of what `--help` says.

use anyhow::Result;
use clap::Command;
use clap_mangen::{
    Man,
    roff::{Roff, bold, roman},
};
use v6trace::cli;

use crate::Named;

/// What pages are from, in their last line.
pub(crate) const SOURCE: &str = concat!("v6trace ", env!("CARGO_PKG_VERSION"));
/// What manual they are of, in their first line.
pub(crate) const MANUAL: &str = "v6trace";

/// What v6trace(1) says beyond `--help`: headings, each with terms and what they
/// mean.
const MORE: [(&str, &[(&str, &str)]); 2] = [
    (
        "EXIT STATUS",
        &[
            (
                "0",
                "It did what it should. That failures were explained is no error.",
            ),
            ("1", "An error, or a recording that is not whole."),
            ("2", "The arguments were not understood."),
            ("3", "With check --exit-code: something was found."),
            (
                "any",
                "Of why, and of record with a command: the command's, or 128 and the number of the \
                 signal that ended it.",
            ),
        ],
    ),
    (
        "ENVIRONMENT",
        &[
            (
                "NO_COLOR, CLICOLOR_FORCE",
                "Whether text is coloured, with --color auto.",
            ),
            (
                "TZ",
                "The zone of the times that live, record, why and check show and record; replay \
                 keeps it.",
            ),
            ("RUST_LOG", "What v6trace logs of itself, such as debug."),
        ],
    ),
];

/// A page for v6trace and for each of its commands.
pub(crate) fn pages(date: &str) -> Result<Vec<Named>> {
    let mut root = cli::command();
    root.build();
    let commands: Vec<Command> = root.get_subcommands().cloned().collect();
    let names: Vec<String> = commands.iter().map(title).collect();
    let mut pages = vec![page(root, date, |roff| {
        for (heading, terms) in MORE {
            roff.control("SH", [heading]);
            for (term, meaning) in terms {
                roff.control("TP", []);
                roff.text([bold(*term)]).text([roman(*meaning)]);
            }
        }
        let mut others: Vec<_> = names.iter().map(|name| (name.as_str(), "1")).collect();
        others.push(("v6trace-causes", "7"));
        see_also(roff, &others);
    })?];
    for command in commands {
        pages.push(page(command, date, |roff| {
            see_also(roff, &[("v6trace", "1"), ("v6trace-causes", "7")]);
        })?);
    }
    Ok(pages)
}

/// The page of a command, with more at its end.
fn page(command: Command, date: &str, more: impl FnOnce(&mut Roff)) -> Result<Named> {
    let title = title(&command);
    // Its one version is that of v6trace, which the last line tells.
    let command = command.version(None::<&str>);
    let man = Man::new(command).date(date).source(SOURCE).manual(MANUAL);
    let mut text = Vec::new();
    man.render(&mut text)?;
    let mut end = Roff::new();
    more(&mut end);
    text.extend(end.to_roff().into_bytes());
    Ok((format!("{title}.1"), text))
}

/// What the page of a command is called.
fn title(command: &Command) -> String {
    let name = command.get_display_name();
    name.unwrap_or_else(|| command.get_name()).to_owned()
}

fn see_also(roff: &mut Roff, pages: &[(&str, &str)]) {
    roff.control("SH", ["SEE ALSO"]);
    for (index, (name, section)) in pages.iter().enumerate() {
        let comma = if index + 1 < pages.len() { "," } else { "" };
        roff.text([bold(*name), roman(format!("({section}){comma}"))]);
    }
}
