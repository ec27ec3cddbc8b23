//! Reads a guest's serial console: tells the lines of the test protocol and
//! the kernel's messages from what programs in the guest print.
//!
//! PID 1 prints, each on a line of its own, `::start NAME`, `::ok NAME
//! SECONDS` or `::failed NAME` around each scenario and at the end `::verdict
//! passed=N failed=M`; a bench prints `::figure NAME TRACER VALUE...`; files are
//! sent in parts as `::file NAME BASE64`; jobs other than tests end with `::exit
//! STATUS`. [`parse`] reads a line, [`Lines`] splits a stream into them.

use base64::{Engine as _, prelude::BASE64_STANDARD};

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
    /// Measured values.
    Figure {
        /// What was measured.
        name: String,
        /// With which tracer at work.
        tracer: String,
        /// Each repetition.
        values: Vec<f64>,
    },
    /// The next part of a file.
    File {
        /// What it is called.
        name: String,
        /// Its next bytes.
        part: Vec<u8>,
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

/// Reads one line, without or with its line end.
pub(crate) fn parse(line: &str) -> Line {
    let line = line.trim_end();
    if let Some(protocol) = line.strip_prefix("::")
        && let Some(parsed) = parse_protocol(without_kernel_message(protocol))
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

/// The line without what the kernel said ahead of its end.
fn without_kernel_message(line: &str) -> &str {
    let at = line.find('[');
    let at = at.filter(|at| is_kernel_message(&line[*at..]));
    at.map_or(line, |at| &line[..at])
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
        ["figure", name, tracer, ref values @ ..] => Line::Figure {
            name: name.to_owned(),
            tracer: tracer.to_owned(),
            values: values
                .iter()
                .map(|value| value.parse().ok())
                .collect::<Option<_>>()?,
        },
        ["file", name, part] => Line::File {
            name: name.to_owned(),
            part: BASE64_STANDARD.decode(part).ok()?,
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
pub(crate) fn is_stamp_start(bytes: &[u8]) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocol_lines() {
        assert_eq!(parse("::start a-b\r\n"), Line::Start("a-b".into()));
        assert_eq!(parse("::ok a-b 1.25"), Line::Ok("a-b".into(), 1.25));
        assert_eq!(parse("::failed a-b"), Line::Failed("a-b".into()));
        assert_eq!(
            parse("::ok a-b 1.2[  235.599756] v1: Failed to cycle device v1"),
            Line::Ok("a-b".into(), 1.2)
        );
        assert_eq!(
            parse("::verdict passed=3 failed=1"),
            Line::Verdict {
                passed: 3,
                failed: 1
            }
        );
        assert_eq!(
            parse("::figure start perf 505 506.5"),
            Line::Figure {
                name: "start".into(),
                tracer: "perf".into(),
                values: vec![505.0, 506.5],
            }
        );
        assert_eq!(
            parse("::file a.txt dHdvCg=="),
            Line::File {
                name: "a.txt".into(),
                part: b"two\n".to_vec(),
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
}
