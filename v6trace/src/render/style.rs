//! Colours and weights of text, as a terminal takes them: written out, since to
//! put them together anew for each use takes longer than the text itself.

use crate::catalogue::Severity;

/// What begins a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look(&'static str);

pub(super) const DIM: Look = Look("\x1b[2m");
pub(super) const BOLD: Look = Look("\x1b[1m");
pub(super) const CYAN: Look = Look("\x1b[36m");
const RED: Look = Look("\x1b[1m\x1b[31m");
const YELLOW: Look = Look("\x1b[1m\x1b[33m");
const BLUE: Look = Look("\x1b[1m\x1b[34m");
const RESET: &str = "\x1b[0m";

/// The look of how bad an occurrence is.
pub(super) fn severity(severity: Severity) -> Look {
    match severity {
        Severity::Failure => RED,
        Severity::Hazard => YELLOW,
        Severity::Notice => BLUE,
    }
}

/// Whether looks are written at all.
#[derive(Clone, Copy, Debug)]
pub(super) struct Palette(bool);

impl Palette {
    pub(super) const COLOURS: Self = Self(true);
    pub(super) const PLAIN: Self = Self(false);

    /// What begins a look.
    pub(super) fn on(self, look: Look) -> &'static str {
        if self.0 { look.0 } else { "" }
    }

    /// What ends one.
    pub(super) fn off(self) -> &'static str {
        if self.0 { RESET } else { "" }
    }

    /// Appends text with a look.
    pub(super) fn paint(self, text: &mut String, look: Look, parts: &[&str]) {
        text.push_str(self.on(look));
        for part in parts {
            text.push_str(part);
        }
        text.push_str(self.off());
    }
}

#[cfg(test)]
mod tests {
    use anstyle::{AnsiColor, Style};

    use super::*;

    #[test]
    fn looks_are_those_of_the_other_commands() {
        let bold = |colour: AnsiColor| colour.on_default().bold();
        for (look, style) in [
            (DIM, Style::new().dimmed()),
            (BOLD, Style::new().bold()),
            (CYAN, AnsiColor::Cyan.on_default()),
            (RED, bold(AnsiColor::Red)),
            (YELLOW, bold(AnsiColor::Yellow)),
            (BLUE, bold(AnsiColor::Blue)),
        ] {
            assert_eq!(look.0, style.to_string());
            assert_eq!(RESET, format!("{style:#}"));
        }
    }
}
