//! Colours and weights: those of text output, or weights alone where nobody wants colours.

use ratatui::style::{Color, Modifier, Style};

use crate::catalogue::Severity;

/// What heads something.
pub(super) const HEADING: Style = Style::new().add_modifier(Modifier::BOLD);
/// What matters less.
pub(super) const DIM: Style = Style::new().add_modifier(Modifier::DIM);
/// The line that is chosen, and what frames the screen.
pub(super) const REVERSED: Style = Style::new().add_modifier(Modifier::REVERSED);

/// How things look.
#[derive(Clone, Copy, Debug)]
pub(in crate::top) struct Looks {
    colours: bool,
}

impl Looks {
    /// With colours or without.
    pub(in crate::top) fn new(colours: bool) -> Self {
        Self { colours }
    }

    /// How bad an occurrence is.
    pub(super) fn severity(self, severity: Severity) -> Style {
        let colour = match severity {
            Severity::Failure => Color::Red,
            Severity::Hazard => Color::Yellow,
            Severity::Notice => Color::Blue,
        };
        self.colour(colour).add_modifier(Modifier::BOLD)
    }

    /// What is to be typed.
    pub(super) fn command(self) -> Style {
        if self.colours {
            self.colour(Color::Cyan)
        } else {
            Style::new().add_modifier(Modifier::BOLD)
        }
    }

    fn colour(self, colour: Color) -> Style {
        if self.colours {
            Style::new().fg(colour)
        } else {
            Style::new()
        }
    }
}
