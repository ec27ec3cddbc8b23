//! v6trace-causes(7): the pages of `v6trace explain`, by family. They are
//! Markdown, and are made into what man(1) reads.

use anyhow::{Result, bail};
use clap_mangen::roff::{Inline, Roff, bold, italic, roman};
use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};
use v6trace::catalogue::sections;

use crate::{
    Named,
    manual::{MANUAL, SOURCE},
};

const NAME: &str = "v6trace-causes";

/// Has man(1) make tables.
const TABLES: &[u8] = b"'\\\" t\n";

/// The page.
pub(crate) fn page(date: &str) -> Result<Named> {
    let mut roff = Roff::new();
    roff.control("TH", [NAME, "7", date, SOURCE, MANUAL]);
    // Codes stay whole, to be found.
    roff.control("nh", []).control("ad", ["l"]);
    roff.control("SH", ["NAME"]);
    roff.text([roman(format!(
        "{NAME} - why IPv6 fails, as v6trace names it"
    ))]);
    roff.control("SH", ["DESCRIPTION"]);
    roff.text([roman(
        "v6trace names a cause for each failure of IPv6 that it explains. By family:",
    )]);
    for (family, about, causes) in sections() {
        let codes: Vec<_> = causes.iter().map(|cause| cause.code()).collect();
        roff.control("TP", []);
        roff.text([bold(family), roman(format!(" ({about})"))]);
        roff.text([roman(codes.join(", "))]);
    }
    for (_, _, causes) in sections() {
        for cause in causes {
            Writer::new(&mut roff).write(cause.page())?;
        }
    }
    roff.control("SH", ["SEE ALSO"]);
    roff.text([bold("v6trace"), roman("(1),")]);
    roff.text([bold("v6trace-explain"), roman("(1)")]);
    let text = [TABLES, roff.render().as_bytes()].concat();
    Ok((format!("{NAME}.7"), text))
}

/// Where text goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Font {
    Roman,
    Bold,
    Italic,
}

/// Appends a page.
struct Writer<'r> {
    roff: &'r mut Roff,
    /// The line that is being written.
    line: Vec<Inline>,
    font: Font,
    /// The lists that it is in: the number of the next item, where they have any.
    lists: Vec<Option<u64>>,
    /// Whether the next paragraph begins by itself: below a heading, or beside the mark of
    /// an item.
    is_begun: bool,
    is_code: bool,
}

impl<'r> Writer<'r> {
    fn new(roff: &'r mut Roff) -> Self {
        Self {
            roff,
            line: Vec::new(),
            font: Font::Roman,
            lists: Vec::new(),
            is_begun: false,
            is_code: false,
        }
    }

    fn write(&mut self, markdown: &str) -> Result<()> {
        for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
            match event {
                Event::Start(tag) => self.start(tag)?,
                Event::End(tag) => self.end(tag),
                Event::Text(text) if self.is_code => {
                    for line in text.lines() {
                        self.roff.text([roman(line)]);
                    }
                }
                // HTML is `<` of a page that means no more than that.
                Event::Text(text) | Event::InlineHtml(text) | Event::Html(text) => self.text(&text),
                Event::Code(text) => self.line.push(bold(&*text)),
                Event::SoftBreak => self.end_line(),
                Event::HardBreak => {
                    self.end_line();
                    self.roff.control("br", []);
                }
                other => bail!("a page has what no manual page is made of: {other:?}"),
            }
        }
        self.end_line();
        Ok(())
    }

    fn text(&mut self, text: &str) {
        self.line.push(match self.font {
            Font::Roman => roman(text),
            Font::Bold => bold(text),
            Font::Italic => italic(text),
        });
    }

    fn end_line(&mut self) {
        if !self.line.is_empty() {
            self.roff.text(std::mem::take(&mut self.line));
        }
    }

    /// Begins a paragraph.
    fn begin(&mut self) {
        if std::mem::take(&mut self.is_begun) {
            return;
        }
        if self.lists.is_empty() {
            self.roff.control("PP", []);
        } else {
            self.roff.control("IP", ["\"\"", INDENT]);
        }
    }

    fn start(&mut self, tag: Tag<'_>) -> Result<()> {
        match tag {
            // What heads a section is the line behind.
            Tag::Heading { level, .. } => {
                self.roff.control(heading(level), []);
                self.is_begun = true;
            }
            Tag::Paragraph => self.begin(),
            Tag::List(first) => {
                self.end_line();
                // One in another is indented further.
                if !self.lists.is_empty() {
                    self.roff.control("RS", [INDENT]);
                }
                self.lists.push(first);
            }
            Tag::Item => {
                let mark = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number += 1;
                        format!("{}.", *number - 1)
                    }
                    _ => "\\(bu".to_owned(),
                };
                self.roff.control("IP", [mark.as_str(), INDENT]);
                self.is_begun = true;
            }
            Tag::CodeBlock(_) => {
                self.end_line();
                self.is_code = true;
                self.begin();
                self.roff.control("RS", [INDENT]).control("EX", []);
            }
            Tag::Strong => self.font = Font::Bold,
            Tag::Emphasis => self.font = Font::Italic,
            Tag::Table(columns) => {
                self.begin();
                self.roff.control("TS", []);
                self.roff.text([roman("tab(@);")]);
                let formats = |each| vec![each; columns.len()].join(" ");
                self.roff.text([roman(formats("lb"))]);
                self.roff.text([roman(formats("l") + ".")]);
            }
            Tag::TableHead | Tag::TableRow | Tag::TableCell => {}
            other => bail!("a page has what no manual page is made of: {other:?}"),
        }
        Ok(())
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Strong | TagEnd::Emphasis => self.font = Font::Roman,
            TagEnd::Item => {
                self.end_line();
                self.is_begun = false;
            }
            TagEnd::List(_) => {
                self.lists.pop();
                if !self.lists.is_empty() {
                    self.roff.control("RE", []);
                }
            }
            TagEnd::CodeBlock => {
                self.is_code = false;
                self.roff.control("EE", []).control("RE", []);
            }
            TagEnd::TableCell => self.line.push(roman("@")),
            TagEnd::TableHead | TagEnd::TableRow => {
                self.line.pop();
                self.end_line();
            }
            TagEnd::Table => {
                self.roff.control("TE", []);
            }
            _ => self.end_line(),
        }
    }
}

/// How far what belongs to an item is indented.
const INDENT: &str = "4";

fn heading(level: HeadingLevel) -> &'static str {
    match level {
        HeadingLevel::H1 => "SH",
        _ => "SS",
    }
}

#[cfg(test)]
mod tests {
    use v6trace::catalogue::Cause;

    use super::*;

    #[test]
    fn every_cause_has_its_place() {
        let (_, text) = page("2026-01-02").expect("the pages are what a manual is made of");
        let text = String::from_utf8(text).expect("text");
        for cause in Cause::all() {
            let heading = format!("\n.SH\n{}\n", cause.code().replace('-', "\\-"));
            assert!(text.contains(&heading), "{cause:?}");
        }
    }

    #[test]
    fn markdown_as_roff() {
        let mut roff = Roff::new();
        let markdown = "# a-b\n\nText of `x`:\n- one\n- two\n\n1. First.\n\n       cmd --x\n\n\
                        Then.\n\n| A | B |\n|---|---|\n| 1 | 2 |\n";
        Writer::new(&mut roff)
            .write(markdown)
            .expect("it is all known");
        let expected = ".SH\na\\-b\nText of \\fBx\\fR:\n.IP \\(bu 4\none\n.IP \\(bu 4\ntwo\n\
                        .IP 1. 4\nFirst.\n.IP \"\" 4\n.RS 4\n.EX\ncmd \\-\\-x\n.EE\n.RE\n\
                        .PP\nThen.\n.PP\n.TS\ntab(@);\nlb lb\nl l.\nA@B\n1@2\n.TE\n";
        assert_eq!(roff.to_roff(), expected);
        let mut roff = Roff::new();
        assert!(Writer::new(&mut roff).write("![a](b)").is_err());
    }
}
