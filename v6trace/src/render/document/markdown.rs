//! The document as Markdown, to paste into a ticket. What the session has named is
//! escaped, or code: nobody who may name an interface writes the ticket.

use std::fmt::Write as _;

use super::{
    Entry, LIKELY, Part,
    overview::{overview, seconds},
};

/// What must not mean anything.
const SPECIAL: &[char] = &['\\', '`', '*', '_', '[', ']', '<', '>', '|', '~', '#', '&'];

/// All of it.
pub(super) fn text(parts: &[Part], missing: &[String], more_missing: u64) -> String {
    let mut out = String::new();
    // Memory takes whatever is written.
    let _ = write(&mut out, parts, missing, more_missing);
    out
}

fn write(
    out: &mut String,
    parts: &[Part],
    missing: &[String],
    more_missing: u64,
) -> std::fmt::Result {
    for part in parts {
        self::part(out, part)?;
    }
    if parts.is_empty() {
        writeln!(out, "# Nothing recorded\n")?;
    }
    for what in missing {
        writeln!(out, "- {}", escaped(what))?;
    }
    if more_missing > 0 {
        writeln!(out, "- and {more_missing} more")?;
    }
    Ok(())
}

fn part(out: &mut String, part: &Part) -> std::fmt::Result {
    let info = &part.info;
    let overview = overview(part);
    writeln!(
        out,
        "# IPv6 on {}: {}\n",
        escaped(&info.hostname),
        overview.counted
    )?;
    writeln!(out, "{}", escaped(&overview.said))?;
    if let Some(fix) = overview.first {
        writeln!(out, "\nTo do first: {}", code(&fix.action))?;
    }
    writeln!(
        out,
        "\nLinux {}, {}, traced from {} for {} by v6trace {}.\n",
        escaped(&info.kernel),
        escaped(&info.machine),
        escaped(&part.began),
        seconds(part.duration_ns),
        escaped(&info.version)
    )?;
    for said in part.caveats() {
        writeln!(out, "- {}", escaped(&said))?;
    }
    writeln!(out)?;
    for (number, entry) in (1..).zip(&part.entries) {
        self::entry(out, number, entry)?;
    }
    if part.left_out() > 0 {
        writeln!(out, "Not told in full: {} more.\n", part.left_out())?;
        for ((cause, severity), count) in &part.left_out {
            let severity = severity.label().to_lowercase();
            writeln!(out, "- {count} {severity}: {}", code(cause.code()))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn entry(out: &mut String, number: usize, entry: &Entry) -> std::fmt::Result {
    let diagnosis = &entry.diagnosis;
    let place = entry.place().into_iter();
    let place = place.map(|(kind, name)| format!(", {kind}{}{}", blank(kind), code(&name)));
    writeln!(
        out,
        "## {number}. {} {}\n\n{}, {}{}\n\n{}\n",
        diagnosis.severity.label(),
        diagnosis.cause.code(),
        entry.time,
        code(entry.who().as_deref().unwrap_or("kernel")),
        place.collect::<String>(),
        escaped(&diagnosis.summary)
    )?;
    for line in &entry.repeats {
        writeln!(out, "- … {}", escaped(line))?;
    }
    if entry.more_lines > 0 {
        writeln!(out, "- … and {} more such lines", entry.more_lines)?;
    }
    if !entry.repeats.is_empty() {
        writeln!(out)?;
    }
    if !entry.evidence.is_empty() {
        writeln!(out, "| evidence | |\n|---|---|")?;
        for (name, value) in &entry.evidence {
            writeln!(out, "| {} | {} |", code(name), cell(value))?;
        }
        writeln!(out)?;
    }
    if diagnosis.is_likely() {
        writeln!(out, "{LIKELY}\n")?;
    }
    if let Some(frame) = &entry.frame {
        writeln!(out, "| {} | |\n|---|---|", frame.name)?;
        for (name, value) in &frame.fields {
            writeln!(out, "| {name} | {} |", cell(value))?;
        }
        writeln!(out)?;
    }
    for fix in &diagnosis.fix {
        let remark = fix.remark.map(|remark| format!(" ({})", escaped(remark)));
        writeln!(out, "- {}{}", code(&fix.action), remark.unwrap_or_default())?;
    }
    writeln!(out)
}

fn blank(word: &str) -> &'static str {
    if word.is_empty() { "" } else { " " }
}

/// Prose that means nothing but itself: no list, no link that a ticket makes of its own
/// accord, and nobody is called.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let number = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let item = text.len() - number.len();
    for (at, c) in text.char_indices() {
        let before = &text[..at];
        let begins = at == item && matches!(c, '-' | '+' | '=' | '.' | ')');
        let links = match c {
            '.' => before.to_ascii_lowercase().ends_with("www"),
            ':' => text[at..].starts_with("://"),
            _ => false,
        };
        if begins || links || SPECIAL.contains(&c) {
            out.push('\\');
        }
        out.push(if c.is_control() { ' ' } else { c });
        if c == '@' {
            out.push_str("<!-- -->");
        }
    }
    out
}

/// A value in a table: code, where that needs no bar to be escaped in it.
fn cell(value: &str) -> String {
    match value {
        "" => String::new(),
        _ if value.contains('|') => escaped(value),
        _ => code(value),
    }
}

/// Code of one line: between more backticks than it has in a row.
fn code(text: &str) -> String {
    let text = text.replace(char::is_control, " ");
    let rows = text.split(|c| c != '`').map(str::len);
    let fence = "`".repeat(rows.max().unwrap_or(0) + 1);
    if text.starts_with('`') || text.ends_with('`') {
        return format!("{fence} {text} {fence}");
    }
    format!("{fence}{text}{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_mean_nothing_but_themselves() {
        assert_eq!(escaped("a*b_[c](d)<e>|\n"), r"a\*b\_\[c\](d)\<e\>\| ");
        assert_eq!(escaped("1.5 @all"), r"1\.5 @<!-- -->all");
        assert_eq!(escaped("- www.a http://b"), r"\- www\.a http\://b");
        assert_eq!(cell(r"a\|b"), r"a\\\|b");
        assert_eq!(cell(""), "");
        assert_eq!(code("ip link"), "`ip link`");
        assert_eq!(code("a``b"), "```a``b```");
        assert_eq!(code("`"), "`` ` ``");
    }
}
