//! The terminal: taken over while v6trace looks, and given back however that ends.

use std::{
    env,
    io::{self, IsTerminal as _, Write as _},
};

use anyhow::bail;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use ratatui::{
    DefaultTerminal,
    crossterm::{cursor, execute, style, terminal},
};

use super::{State, view};

/// Longest text that goes into a clipboard: what terminals take.
const LONGEST: usize = 8192;

/// A terminal that is taken over.
pub(crate) struct Screen {
    terminal: DefaultTerminal,
    looks: view::Looks,
}

impl Screen {
    /// Whether there is one to take over.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn must_be_there() -> anyhow::Result<()> {
        let instead = "`v6trace live` and `v6trace replay` need none";
        for (is_terminal, name) in [
            (io::stdin().is_terminal(), "standard input"),
            (io::stdout().is_terminal(), "standard output"),
        ] {
            if !is_terminal {
                bail!("top needs a terminal, and {name} is none; {instead}");
            }
        }
        // Elsewhere than on Unix the terminal is asked, not its name.
        if cfg!(unix) {
            match env::var("TERM").as_deref() {
                Ok("dumb") => {
                    bail!("top needs a terminal that can do more than TERM=dumb; {instead}")
                }
                Ok("") | Err(_) => bail!("top needs a terminal, and TERM names none; {instead}"),
                Ok(_) => {}
            }
        }
        if let Ok((0, _) | (_, 0)) = terminal::size() {
            bail!(
                "top needs to know how large the terminal is; `stty rows 24 cols 80` says it, \
                 {instead}"
            );
        }
        Ok(())
    }

    /// Takes it over; a panic gives it back as well.
    ///
    /// # Errors
    /// It cannot be.
    pub(crate) fn open(colours: bool) -> io::Result<Self> {
        // Else what it draws heeds NO_COLOR alone.
        style::force_color_output(colours);
        let terminal = ratatui::try_init();
        Ok(Self {
            // It may have been taken over in part.
            terminal: terminal.inspect_err(|_| restore())?,
            looks: view::Looks::new(colours),
        })
    }

    /// Shows the state.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(crate) fn draw(&mut self, state: &mut State) -> io::Result<()> {
        let looks = self.looks;
        self.terminal
            .draw(|frame| view::draw(frame, state, looks))?;
        Ok(())
    }

    /// Puts a text into the clipboard of the terminal, wherever that is (OSC 52); what
    /// became of it no terminal tells.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(crate) fn copy(&mut self, text: &str) -> io::Result<String> {
        if text.len() > LONGEST {
            return Ok("it is too long for a clipboard".to_owned());
        }
        let out = self.terminal.backend_mut();
        write!(out, "\x1b]52;c;{}\x07", STANDARD.encode(text))?;
        io::Write::flush(out)?;
        Ok(format!("to the terminal's clipboard (OSC 52): {text}"))
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

/// Gives the terminal back.
pub(super) fn restore() {
    // One that is gone needs nothing any more.
    let _ = ratatui::try_restore();
    let _ = execute!(io::stdout(), cursor::Show);
}
