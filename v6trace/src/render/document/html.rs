//! The document as one HTML page: its style and script are in it, and it reads without
//! the script. The macro escapes whatever the session has named.

use std::collections::BTreeSet;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::{
    Entry, LIKELY, Part,
    overview::{Overview, overview, seconds},
    picture::picture,
    timeline::timeline,
};
use crate::catalogue::{Cause, Severity};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");
/// Nothing is loaded from anywhere.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

/// All of it.
pub(super) fn page(parts: &[Part], missing: &[String], more_missing: u64) -> String {
    let hosts: BTreeSet<&str> = parts
        .iter()
        .map(|part| part.info.hostname.as_str())
        .collect();
    let hosts = hosts.into_iter().take(4).collect::<Vec<_>>().join(", ");
    let mut explained = BTreeSet::new();
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                title { "IPv6 on " (hosts) " · v6trace" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    @for (index, part) in parts.iter().enumerate() {
                        (session(part, index, &mut explained))
                    }
                    @if parts.is_empty() { h1 { "Nothing recorded" } }
                    @if !missing.is_empty() {
                        section.missing {
                            h2 { "What the recording lacks" }
                            ul {
                                @for what in missing { li { (what) } }
                                @if more_missing > 0 { li { "and " (more_missing) " more" } }
                            }
                        }
                    }
                }
                footer { "Written by v6trace " (env!("CARGO_PKG_VERSION")) "." }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string()
}

fn session(part: &Part, index: usize, explained: &mut BTreeSet<Cause>) -> Markup {
    let info = &part.info;
    let anchor = |number: usize| format!("d{index}-{number}");
    let Overview {
        counted,
        said,
        number,
        first,
    } = overview(part);
    html! {
        header {
            p.what { "IPv6 on" }
            h1 { (info.hostname) }
            dl.facts {
                div { dt { "Began" } dd { (part.began) } }
                div { dt { "Lasted" } dd { (seconds(part.duration_ns)) } }
                div { dt { "Kernel" } dd { "Linux " (info.kernel) ", " (info.machine) } }
                div { dt { "Traced by" } dd { "v6trace " (info.version) } }
            }
        }
        section.overview {
            p.counted { (counted) }
            p {
                (said)
                @if let Some(number) = number { " " a href={ "#" (anchor(number)) } { "Read why." } }
            }
            @if let Some(fix) = first {
                p.first { "To do first" }
                (self::fix(&fix.action, fix.remark))
            }
        }
        @if !part.entries.is_empty() {
            section {
                h2 { "When" }
                div.when { (picture(&timeline(part), &anchor)) }
                @if part.left_out() > 0 {
                    p { "Not drawn: " (part.left_out()) " that are not told in full." }
                }
            }
        }
        @if part.entries.len() > 1 { (contents(part, &anchor)) }
        @for (number, entry) in (1..).zip(&part.entries) {
            (diagnosis(number, entry, &anchor, explained.insert(entry.diagnosis.cause)))
        }
        @if part.left_out() > 0 {
            section {
                h2 { "Not told in full" }
                p { "There were " (part.left_out()) " more:" }
                ul { @for ((cause, severity), count) in &part.left_out {
                    li { (count) " " (badge(*severity)) " " code { (cause.code()) } " " (cause.title()) }
                } }
            }
        }
        section.caveats {
            h2 { "What was watched" }
            ul { @for said in part.caveats() { li { (said) } } }
        }
    }
}

fn contents(part: &Part, anchor: &dyn Fn(usize) -> String) -> Markup {
    html! {
        section {
            h2 { "What" }
            table.contents {
                thead { tr {
                    th { "" } th { "Time" } th { "" } th { "Cause" } th { "Where" } th.number { "Times" }
                } }
                tbody {
                    @for (number, entry) in (1..).zip(&part.entries) {
                        tr {
                            td.number { (number) }
                            td { (entry.time) }
                            td { (badge(entry.diagnosis.severity)) }
                            td { a href={ "#" (anchor(number)) } { (entry.diagnosis.cause.code()) }
                                 " " span.family { (entry.family()) } }
                            td { (place(entry)) }
                            td.number { (1 + entry.repeated) }
                        }
                    }
                }
            }
        }
    }
}

fn diagnosis(
    number: usize,
    entry: &Entry,
    anchor: &dyn Fn(usize) -> String,
    is_first: bool,
) -> Markup {
    let diagnosis = &entry.diagnosis;
    let code = diagnosis.cause.code();
    html! {
        article id=(anchor(number)) class=(class(diagnosis.severity)) {
            h2 {
                span.number { (number) }
                (badge(diagnosis.severity)) " "
                (code)
            }
            p.meta { (entry.time) " · " (entry.who().as_deref().unwrap_or("kernel")) " " (place(entry)) }
            p.summary { (diagnosis.summary) }
            @if !entry.repeats.is_empty() {
                ul.repeats {
                    @for line in &entry.repeats { li { "… " (line) } }
                    @if entry.more_lines > 0 { li { "… and " (entry.more_lines) " more such lines" } }
                }
            }
            @if !diagnosis.fix.is_empty() {
                h3 { "What to do" }
                @for fix in &diagnosis.fix { (self::fix(&fix.action, fix.remark)) }
            }
            @if !entry.evidence.is_empty() {
                h3 { "Evidence" }
                (table(&entry.evidence))
            }
            @if diagnosis.is_likely() { p.likely { (LIKELY) } }
            @if let Some(frame) = &entry.frame {
                h3 { (frame.name) }
                (table(&frame.fields))
            }
            @if is_first {
                details id={ "why-" (code) } {
                    summary { "More about " (code) }
                    div.page { (explained(diagnosis.cause)) }
                }
            } @else {
                p.before { a href={ "#why-" (code) } { "More about " (code) } }
            }
        }
    }
}

fn table(rows: &[(&'static str, String)]) -> Markup {
    html! {
        table.values { tbody { @for (name, value) in rows {
            tr { th scope="row" { (name) } td { (value) } }
        } } }
    }
}

fn fix(action: &str, remark: Option<&str>) -> Markup {
    html! {
        div.fix {
            pre { code { (action) } }
            @if let Some(remark) = remark { p { (remark) } }
        }
    }
}

fn place(entry: &Entry) -> Markup {
    html! {
        @for (kind, name) in entry.place() {
            span.place { @if !kind.is_empty() { span.kind { (kind) " " } } (name) } " "
        }
    }
}

fn badge(severity: Severity) -> Markup {
    html! { span.badge.(class(severity)) { (severity.label().to_lowercase()) } }
}

pub(super) const fn class(severity: Severity) -> &'static str {
    match severity {
        Severity::Failure => "failure",
        Severity::Hazard => "hazard",
        Severity::Notice => "notice",
    }
}

/// A cause's page, with its headings below those of the document.
fn explained(cause: Cause) -> Markup {
    let below = |level| match level {
        HeadingLevel::H1 => HeadingLevel::H4,
        HeadingLevel::H2 => HeadingLevel::H5,
        _ => HeadingLevel::H6,
    };
    let events = Parser::new_ext(cause.page(), Options::ENABLE_TABLES).map(|event| match event {
        Event::Start(Tag::Heading {
            level,
            id,
            classes,
            attrs,
        }) => Event::Start(Tag::Heading {
            level: below(level),
            id,
            classes,
            attrs,
        }),
        Event::End(TagEnd::Heading(level)) => Event::End(TagEnd::Heading(below(level))),
        other => other,
    });
    let mut page = String::new();
    pulldown_cmark::html::push_html(&mut page, events);
    PreEscaped(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_pages_are_tables() {
        for cause in Cause::all() {
            let page = explained(cause).into_string();
            assert!(!page.contains("|--"), "{}: {page}", cause.code());
        }
    }
}
