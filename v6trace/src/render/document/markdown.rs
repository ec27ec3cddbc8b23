//! The document as Markdown, to paste into a ticket. What the session has named is
//! escaped, or code: nobody who may name an interface writes the ticket.

use std::fmt::Write as _;

use super::{
    Part,
    entry::Entry,
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
        for (cause, count) in &part.left_out {
            writeln!(out, "- {count} {}", code(cause.code()))?;
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
            writeln!(
                out,
                "| {} | {} |",
                code(name),
                code(value).replace('|', "\\|")
            )?;
        }
        writeln!(out)?;
    }
    if let Some(frame) = &entry.frame {
        writeln!(out, "| {} | |\n|---|---|", frame.name)?;
        for (name, value) in &frame.fields {
            writeln!(out, "| {name} | {} |", code(value))?;
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

/// Prose that means nothing but itself.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if SPECIAL.contains(&c) {
            out.push('\\');
        }
        out.push(if c.is_control() { ' ' } else { c });
    }
    out
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
        assert_eq!(code("ip link"), "`ip link`");
        assert_eq!(code("a``b"), "```a``b```");
        assert_eq!(code("`"), "`` ` ``");
    }
}
