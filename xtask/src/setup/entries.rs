//! Reads apt's source files, in both of its formats: deb822 (`*.sources`) and
//! one line an entry (`*.list`).

/// An archive's address and keys, as the machine's apt knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Source {
    /// Address, for example `http://deb.debian.org/debian`.
    pub(super) uri: String,
    /// deb822 `Signed-By` value (key files, or an embedded key block with
    /// its continuation lines); empty when apt's trusted keys are used.
    pub(super) signed_by: String,
}

impl Source {
    /// deb822 text that has apt use a suite of this archive.
    pub(super) fn stanza(&self, suite: &str) -> String {
        let uri = &self.uri;
        let mut text = format!("Types: deb\nURIs: {uri}\nSuites: {suite}\nComponents: main\n");
        if !self.signed_by.is_empty() {
            text += &format!("Signed-By: {}\n", self.signed_by);
        }
        text
    }
}

/// One source with its suites and components.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// The archive.
    pub(super) source: Source,
    /// Suites of it that are used.
    pub(super) suites: Vec<String>,
    /// Components of them.
    pub(super) components: Vec<String>,
}

/// deb822: stanzas of `Field: value`, continued by indented lines.
pub(super) fn parse_deb822(text: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in text.lines().chain([""]) {
        if line.starts_with('#') {
            continue;
        }
        if line.trim().is_empty() {
            entries.extend(deb822_entry(&fields));
            fields.clear();
        } else if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = fields.last_mut() {
                value.push('\n');
                value.push_str(line.trim_end());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            fields.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    entries
}

fn deb822_entry(fields: &[(String, String)]) -> Option<Entry> {
    let value = |name: &str| {
        let field = fields.iter().find(|(field, _)| field == name);
        field.map_or("", |(_, value)| value.as_str())
    };
    let words =
        |name: &str| -> Vec<String> { value(name).split_whitespace().map(str::to_owned).collect() };
    let enabled = !matches!(value("enabled"), "no" | "false");
    let binary = words("types").iter().any(|kind| kind == "deb");
    let uri = words("uris").into_iter().next()?;
    (enabled && binary).then(|| Entry {
        source: Source {
            uri,
            signed_by: value("signed-by").to_owned(),
        },
        suites: words("suites"),
        components: words("components"),
    })
}

/// One line an entry: `deb [options] URI SUITE COMPONENT...`.
pub(super) fn parse_list(text: &str) -> Vec<Entry> {
    text.lines().filter_map(list_entry).collect()
}

fn list_entry(line: &str) -> Option<Entry> {
    let line = line.split('#').next()?.trim();
    let rest = line.strip_prefix("deb")?;
    let rest = rest.strip_prefix([' ', '\t'])?.trim_start();
    let (options, rest) = match rest.strip_prefix('[') {
        Some(bracketed) => bracketed.split_once(']')?,
        None => ("", rest),
    };
    let signed_by = options
        .split_whitespace()
        .find_map(|option| option.strip_prefix("signed-by="))
        .unwrap_or_default()
        .replace(',', " ");
    let mut words = rest.split_whitespace().map(str::to_owned);
    Some(Entry {
        source: Source {
            uri: words.next()?,
            signed_by,
        },
        suites: vec![words.next()?],
        components: words.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disabled_or_source_stanza_does_not_count() {
        let text = "Enabled: no\nTypes: deb\nURIs: http://a/\nSuites: sid\nComponents: main\n\n\
                    Types: deb-src\nURIs: http://b/\nSuites: sid\nComponents: main\n";
        assert_eq!(parse_deb822(text), []);
    }
}
