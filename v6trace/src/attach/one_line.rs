//! The verifier explains itself in many lines; a note of the coverage has one.

/// A message of several lines as one of the stream has it: in one.
pub(super) fn in_one_line(message: &str) -> String {
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
