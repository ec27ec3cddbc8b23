//! Breaks text into lines of a width, at spaces, each line as full as it gets.
//!
//! Nearly all text is plain: a column for each byte, and no word that is longer
//! than a line. That is done here in a few hundred instructions; `textwrap`,
//! which takes a hundred for each word, has the rest. Both break alike.

use std::ops::RangeInclusive;

/// Columns to which text is wrapped: a terminal's 100, whatever renders it, so
/// that the same session always gives the same text.
pub(super) const WIDTH: usize = 100;

/// Stands for a space at which no line may end. No text has it: it is a control
/// character.
pub(super) const GLUE: char = '\u{7f}';

/// What [`GLUE`] is to `textwrap`: not broken at either, and as wide as it is
/// shown.
const WIDE_GLUE: char = '\u{a0}';

/// Characters of which each is a byte and a column.
const PLAIN: RangeInclusive<u8> = b' '..=b'~';

/// Appends `text` in lines that begin with `indent` spaces, but for the first,
/// whose beginning is there already and takes as much.
pub(super) fn wrap(out: &mut String, text: &str, indent: usize) {
    let before = out.len();
    if fill_plain(out, text, indent).is_none() {
        out.truncate(before);
        fill_any(out, text, indent);
    }
    out.push('\n');
}

/// The same for plain text; `None` where it is not.
fn fill_plain(out: &mut String, text: &str, indent: usize) -> Option<()> {
    let is_plain = |byte: &u8| PLAIN.contains(byte) || *byte == GLUE as u8;
    // Not the first that is not: without a way out it is done many at once.
    if text
        .as_bytes()
        .iter()
        .filter(|byte| !is_plain(byte))
        .count()
        > 0
        || text.starts_with(' ')
    {
        return None;
    }
    let width = WIDTH.checked_sub(indent)?;
    let mut rest = text.trim_end_matches(' ');
    while rest.len() > width {
        let end = memchr::memrchr(b' ', &rest.as_bytes()[..=width])?;
        let (line, next) = rest.split_at(end);
        push(out, line.trim_end_matches(' '));
        out.push('\n');
        spaces(out, indent);
        rest = next.trim_start_matches(' ');
    }
    // A word that does not fit is broken, wherever it is.
    push(out, rest);
    Some(())
}

fn fill_any(out: &mut String, text: &str, indent: usize) {
    let indent = " ".repeat(indent);
    let options = textwrap::Options::new(WIDTH)
        .initial_indent(&indent)
        .subsequent_indent(&indent)
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .wrap_algorithm(textwrap::WrapAlgorithm::FirstFit);
    let text = text.replace(GLUE, WIDE_GLUE.encode_utf8(&mut [0; 4]));
    let filled = textwrap::fill(&text, options);
    let filled = filled.get(indent.len()..).unwrap_or_default();
    out.push_str(&filled.replace(WIDE_GLUE, " "));
}

/// Appends what is in a line, glue as the space that it stands for.
fn push(out: &mut String, line: &str) {
    for (index, part) in line.split(GLUE).enumerate() {
        if index > 0 {
            out.push(' ');
        }
        out.push_str(part);
    }
}

/// Appends so many spaces.
pub(super) fn spaces(out: &mut String, count: usize) {
    out.extend(std::iter::repeat_n(' ', count));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plain(text: &str, indent: usize) -> Option<String> {
        let mut out = String::new();
        fill_plain(&mut out, text, indent).map(|()| out)
    }

    fn any(text: &str, indent: usize) -> String {
        let mut out = String::new();
        fill_any(&mut out, text, indent);
        out
    }

    #[test]
    fn lines_end_at_spaces_but_not_at_glue() {
        let first = "x ".repeat(WIDTH / 2 - 1);
        let broken = format!("{}\na b c", first.trim_end());
        assert_eq!(plain(&format!("{first}a{GLUE}b c"), 0), Some(broken));
    }

    #[test]
    fn what_is_not_plain_is_left_to_others() {
        for text in ["größer", " x", "a\nb", &"x".repeat(101)] {
            assert_eq!(plain(text, 0), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn both_break_alike(text in "([a-z]{1,12}[ \u{7f}]{1,2}){0,60}", indent in 0_usize..20) {
            if let Some(plain) = plain(&text, indent) {
                prop_assert_eq!(plain, any(&text, indent));
            }
        }
    }
}
