//! Reads a guest's serial console: tells the lines of the test protocol and
//! the kernel's messages from what programs in the guest print.
//!
//! PID 1 prints, each on a line of its own, `::start NAME`, `::ok NAME
//! SECONDS` or `::failed NAME` around each scenario and at the end `::verdict
//! passed=N failed=M`; other jobs end with `::exit STATUS`. [`parse`] reads a
//! line; [`Filter`] takes those lines and the kernel's out of a stream that a
//! user watches.

/// What a line of the console is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Line {
    /// A scenario begins.
    Start(String),
    /// A scenario passed, with its duration in seconds.
    Ok(String, f64),
    /// A scenario failed; the lines since its start say why.
    Failed(String),
    /// All scenarios are through.
    Verdict {
        /// Scenarios that passed.
        passed: usize,
        /// Scenarios that failed.
        failed: usize,
    },
    /// The job is done, with this exit status.
    Exit(i32),
    /// The kernel reports that it crashed.
    Fatal(String),
    /// Another message of the kernel.
    Kernel,
    /// Anything else.
    Text(String),
}

/// Messages after which a kernel's results are worth nothing.
const FATAL: [&str; 5] = [
    "Kernel panic",
    "BUG: ",
    "Oops",
    "general protection fault",
    "double fault",
];

const EXIT: &[u8] = b"::exit ";

/// Reads one line, without or with its line end.
pub(crate) fn parse(line: &str) -> Line {
    let line = line.trim_end();
    if let Some(protocol) = line.strip_prefix("::")
        && let Some(parsed) = parse_protocol(protocol)
    {
        return parsed;
    }
    let from_kernel = is_kernel_message(line);
    let fatal = if from_kernel {
        FATAL.iter().any(|words| line.contains(words))
    } else {
        // Programs may quote such words, but never these.
        line.contains("Kernel panic - not syncing")
    };
    match (fatal, from_kernel) {
        (true, _) => Line::Fatal(line.to_owned()),
        (false, true) => Line::Kernel,
        (false, false) => Line::Text(line.to_owned()),
    }
}

fn parse_protocol(protocol: &str) -> Option<Line> {
    let words: Vec<&str> = protocol.split(' ').collect();
    Some(match words[..] {
        ["start", name] => Line::Start(name.to_owned()),
        ["ok", name, seconds] => Line::Ok(name.to_owned(), seconds.parse().ok()?),
        ["failed", name] => Line::Failed(name.to_owned()),
        ["verdict", passed, failed] => Line::Verdict {
            passed: passed.strip_prefix("passed=")?.parse().ok()?,
            failed: failed.strip_prefix("failed=")?.parse().ok()?,
        },
        ["exit", status] => Line::Exit(status.parse().ok()?),
        _ => return None,
    })
}

/// Whether a line starts with the kernel's time stamp, `[    1.234567] `.
fn is_kernel_message(line: &str) -> bool {
    line.split_once(']')
        .is_some_and(|(stamp, _)| stamp.contains('.') && is_stamp_start(stamp.as_bytes()))
}

/// Whether these bytes can be the beginning of a kernel's time stamp.
fn is_stamp_start(bytes: &[u8]) -> bool {
    let Some((b'[', inside)) = bytes.split_first() else {
        return false;
    };
    let inside = inside
        .split(|byte| *byte == b']')
        .next()
        .unwrap_or_default();
    inside
        .iter()
        .all(|byte| matches!(byte, b' ' | b'.' | b'0'..=b'9'))
}

/// Splits a stream of bytes into lines.
#[derive(Default)]
pub(crate) struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    /// Takes the next bytes and returns the lines that they complete.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Vec<String> {
        self.rest.extend_from_slice(bytes);
        let mut lines = Vec::new();
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            lines.push(String::from_utf8_lossy(&line).trim_end().to_owned());
        }
        lines
    }
}

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
        let line = parse(&String::from_utf8_lossy(&self.held));
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
        exit || !self.midline && is_stamp_start(&self.held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocol_lines() {
        assert_eq!(parse("::start a-b\r\n"), Line::Start("a-b".into()));
        assert_eq!(parse("::ok a-b 1.25"), Line::Ok("a-b".into(), 1.25));
        assert_eq!(parse("::failed a-b"), Line::Failed("a-b".into()));
        assert_eq!(
            parse("::verdict passed=3 failed=1"),
            Line::Verdict {
                passed: 3,
                failed: 1
            }
        );
        assert_eq!(parse("::exit 3"), Line::Exit(3));
    }

    #[test]
    fn what_only_looks_like_the_protocol_is_text() {
        for line in [
            "::",
            "::1",
            "::ok a",
            "::ok a b",
            " ::start a",
            "::exit",
            "::verdict 1 2",
        ] {
            assert_eq!(parse(line), Line::Text(line.into()));
        }
    }

    #[test]
    fn kernel_messages_and_crashes() {
        assert_eq!(parse("[    1.234567] veth0: up"), Line::Kernel);
        for line in [
            "[   12.3] Kernel panic - not syncing: Attempted to kill init!",
            "[   12.3] BUG: kernel NULL pointer dereference",
            "[   12.3] Oops: 0000 [#1]",
            "half a line[ 1.2] Kernel panic - not syncing: x",
        ] {
            assert_eq!(parse(line), Line::Fatal(line.into()));
        }
        assert_eq!(
            parse("expected no BUG: here"),
            Line::Text("expected no BUG: here".into())
        );
        assert_eq!(parse("[] Oops"), Line::Text("[] Oops".into()));
        assert_eq!(parse("[1] 23 Oops"), Line::Text("[1] 23 Oops".into()));
    }

    #[test]
    fn lines_over_several_reads() {
        let mut lines = Lines::default();
        assert!(lines.push(b"one").is_empty());
        assert_eq!(lines.push(b" line\r\ntwo\nthr"), ["one line", "two"]);
        assert_eq!(lines.push(b"ee\n"), ["three"]);
    }

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
