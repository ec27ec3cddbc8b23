//! Errors as a person reads them.

use std::{error::Error, fmt::Write as _};

/// An error and what caused it, in one line; a cause that the error already
/// tells is not told twice.
pub(crate) fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            let _ = write!(text, ": {cause_text}");
        }
        source = cause.source();
    }
    text
}

/// A message of several lines as one of the stream has it: in one.
pub(crate) fn in_one_line(message: &str) -> String {
    let lines: Vec<&str> = message.lines().map(str::trim).collect();
    lines.join(" ")
}

#[cfg(test)]
mod tests {
    use super::in_one_line;

    #[test]
    fn lines_become_one() {
        let message = "the verifier says:\n    R1 invalid\n  `v6trace doctor` shows more";
        assert_eq!(
            in_one_line(message),
            "the verifier says: R1 invalid `v6trace doctor` shows more"
        );
    }
}
