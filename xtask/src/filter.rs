//! Takes the kernel's messages and the protocol out of a console that a user
//! watches, byte by byte, so that prompts show before their line ends.

use crate::console::{self, Line};

const EXIT: &[u8] = b"::exit ";

/// Lets a guest's own output through as it comes, even within a line, and
/// keeps back the kernel's messages and the closing `::exit STATUS`.
#[derive(Default)]
pub(crate) struct Filter {
    /// The part of the current line that is not let through yet.
    held: Vec<u8>,
    /// Whether a part of the current line has been let through.
    midline: bool,
}

impl Filter {
    /// Takes the next bytes; appends what is to be shown to `shown` and
    /// returns the kept-back lines that were completed.
    pub(crate) fn push(&mut self, bytes: &[u8], shown: &mut Vec<u8>) -> Vec<Line> {
        let mut kept = Vec::new();
        for byte in bytes {
            self.held.push(*byte);
            if *byte == b'\n' {
                self.end_line(shown, &mut kept);
            } else if !self.may_be_kept() {
                shown.append(&mut self.held);
                self.midline = true;
            }
        }
        kept
    }

    fn end_line(&mut self, shown: &mut Vec<u8>, kept: &mut Vec<Line>) {
        let line = console::parse(&String::from_utf8_lossy(&self.held));
        if matches!(line, Line::Exit(_) | Line::Fatal(_) | Line::Kernel) {
            if self.midline {
                shown.extend_from_slice(b"\r\n");
            }
            kept.push(line);
            self.held.clear();
        } else {
            shown.append(&mut self.held);
        }
        self.midline = false;
    }

    /// Whether what is held back may turn out to be a line to keep. The exit
    /// status may follow output that did not end its line.
    fn may_be_kept(&self) -> bool {
        let exit = EXIT.starts_with(&self.held)
            || self.held.strip_prefix(EXIT).is_some_and(|status| {
                status
                    .iter()
                    .all(|byte| matches!(byte, b'-' | b'\r' | b'0'..=b'9'))
            });
        exit || !self.midline && console::is_stamp_start(&self.held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filtered(pieces: &[&str]) -> (String, Vec<Line>) {
        let (mut filter, mut shown, mut kept) = (Filter::default(), Vec::new(), Vec::new());
        for piece in pieces {
            kept.extend(filter.push(piece.as_bytes(), &mut shown));
        }
        (String::from_utf8(shown).unwrap(), kept)
    }

    #[test]
    fn the_filter_shows_a_prompt_before_its_line_ends() {
        assert_eq!(filtered(&["[root@guest]# "]).0, "[root@guest]# ");
        assert_eq!(filtered(&["::1 is up: "]).0, "::1 is up: ");
    }

    #[test]
    fn the_filter_keeps_kernel_messages_back() {
        let (shown, kept) = filtered(&["a\r\n[   1.0", "4] dummy0: up\r\nb\r\n"]);
        assert_eq!(shown, "a\r\nb\r\n");
        assert_eq!(kept, [Line::Kernel]);
    }

    #[test]
    fn the_filter_finds_the_status_after_an_unfinished_line() {
        assert_eq!(
            filtered(&["no end::ex", "it 7\r\n"]),
            ("no end\r\n".into(), vec![Line::Exit(7)])
        );
        assert_eq!(
            filtered(&["x\n::exit 0\n"]),
            ("x\n".into(), vec![Line::Exit(0)])
        );
    }
}
