//! The terminal: taken over while v6trace looks, and given back however that ends.

use std::{
    env,
    io::{self, IsTerminal as _, Write as _},
    panic,
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

    /// Takes it over; a panic of any thread gives it back as well, ahead of its message.
    ///
    /// # Errors
    /// It cannot be.
    pub(crate) fn open(colours: bool) -> io::Result<Self> {
        // Else what it draws heeds NO_COLOR alone.
        style::force_color_output(colours);
        give_back_first();
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

/// Has a panic give the terminal back before it says anything: ratatui's own hook leaves the
/// cursor hidden, and a panic of another thread drops no [`Screen`].
fn give_back_first() {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        restore();
        hook(info);
    }));
}

/// Gives the terminal back.
pub(super) fn restore() {
    // One that is gone needs nothing any more.
    let _ = ratatui::try_restore();
    let _ = execute!(io::stdout(), cursor::Show);
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::{fs::File, io::Read as _, process::Command, thread};

    use rustix::{
        fs::{Mode, OFlags, open},
        pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
        termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize},
    };

    use super::*;

    /// What tells this test to be the program that panics, and in which thread.
    const PART: &str = "V6TRACE_TEST_PANICS";
    const MESSAGE: &str = "it is broken";

    #[test]
    fn a_panic_leaves_the_terminal_as_it_was() {
        if let Ok(part) = env::var(PART) {
            be_broken(&part);
        }
        for part in ["own", "other"] {
            let (drawn, modes) = in_terminal(part);
            let place = |what: &str| {
                drawn
                    .rfind(what)
                    .unwrap_or_else(|| panic!("no {what:?}: {drawn:?}"))
            };
            let (taken, given) = (place("\x1b[?1049h"), drawn.find("\x1b[?1049l"));
            assert!(
                given.is_some_and(|given| taken < given && given < place(MESSAGE)),
                "{drawn:?}"
            );
            assert!(place("\x1b[?25l") < place("\x1b[?25h"), "{drawn:?}");
            assert!(
                modes.contains(LocalModes::ICANON | LocalModes::ECHO),
                "{modes:?}"
            );
        }
    }

    /// Draws on the screen, and panics while it is taken over.
    fn be_broken(part: &str) {
        let mut screen = Screen::open(true).unwrap();
        screen.draw(&mut State::new(false, None)).unwrap();
        assert!(part != "own", "{MESSAGE}");
        let ended = thread::spawn(|| panic!("{MESSAGE}")).join();
        std::process::exit(i32::from(ended.is_err()));
    }

    /// What this test draws in a terminal where it panics, and how it leaves that.
    fn in_terminal(part: &str) -> (String, LocalModes) {
        let keys = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&keys).unwrap();
        unlockpt(&keys).unwrap();
        let name = ptsname(&keys, Vec::new()).unwrap();
        let line = open(&*name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        let size = Winsize {
            ws_row: 24,
            ws_col: 80,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&line, size).unwrap();
        let end = || line.try_clone().unwrap();
        let mut program = Command::new(env::current_exe().unwrap());
        program
            .args([
                "--exact",
                "top::screen::tests::a_panic_leaves_the_terminal_as_it_was",
            ])
            .arg("--nocapture")
            .envs([(PART, part), ("TERM", "xterm-256color")])
            .stdin(end())
            .stdout(end())
            .stderr(end());
        let mut child = program.spawn().unwrap();
        // It is read to the end before a full terminal holds the program up.
        let mut keys = File::from(keys);
        let reader = thread::spawn(move || {
            let mut drawn = Vec::new();
            // Once nobody has the other end, reading fails.
            let _ = keys.read_to_end(&mut drawn);
            drawn
        });
        assert!(!child.wait().unwrap().success());
        let modes = tcgetattr(&line).unwrap().local_modes;
        drop((program, line));
        (
            String::from_utf8_lossy(&reader.join().unwrap()).into_owned(),
            modes,
        )
    }
}
