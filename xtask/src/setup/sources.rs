//! Finds Debian's main archive in the machine's own apt sources.
//!
//! The address of a mirror and the keys that sign it are the machine's
//! business; the project only asks that mirror for other suites. Both of
//! apt's formats are read, deb822 (`*.sources`) and one line an entry
//! (`*.list`), and reduced to an [`Archive`].

use std::fs;
use std::path::Path;

use anyhow::{Result, bail};

use super::entries::{Entry, Source, parse_deb822, parse_list};

/// Where this machine's Debian comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Archive {
    /// The suite that this machine is installed from.
    pub(crate) release: String,
    main: Source,
    /// The archive of security updates, if the machine uses it.
    security: Option<Source>,
}

impl Archive {
    /// deb822 sources for the given suite, with its security updates if asked
    /// for and if the machine uses that archive at all.
    pub(crate) fn sources(&self, suite: &str, with_security: bool) -> String {
        let mut text = self.main.stanza(suite);
        if let Some(security) = &self.security
            && with_security
        {
            text.push('\n');
            text += &security.stanza(&format!("{suite}-security"));
        }
        text
    }
}

/// The archive that this machine's own release is installed from.
///
/// Fails on machines that are not Debian, or whose apt has no such source.
pub(crate) fn machine_archive() -> Result<Archive> {
    let os_release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let codename = os_release_value(&os_release, "VERSION_CODENAME").unwrap_or_default();
    let mut entries = Vec::new();
    for (path, text) in source_files() {
        if path.ends_with(".sources") {
            entries.extend(parse_deb822(&text));
        } else {
            entries.extend(parse_list(&text));
        }
    }
    if let Some(archive) = choose(&entries, &codename) {
        return Ok(archive);
    }
    bail!(
        "apt on this machine has no source for Debian's main archive (looked for the suite \
         {codename:?} in /etc/apt/sources.list and /etc/apt/sources.list.d); the test \
         kernels come from there, so use a Debian machine or container, or add that source"
    )
}

/// The archives that have the machine's release and its security updates.
fn choose(entries: &[Entry], codename: &str) -> Option<Archive> {
    let releases = [codename, "stable", "testing", "unstable", "sid"];
    let releases = releases.into_iter().filter(|suite| !suite.is_empty());
    releases.into_iter().find_map(|release| {
        Some(Archive {
            release: release.to_owned(),
            main: source_of(entries, release)?,
            security: source_of(entries, &format!("{release}-security")),
        })
    })
}

/// The source that has a suite. Other vendors name their suites after
/// Debian's too, so one that speaks of Debian goes first.
fn source_of(entries: &[Entry], suite: &str) -> Option<Source> {
    let has = |list: &[String], word: &str| list.iter().any(|item| item == word);
    let fits = |entry: &&Entry| has(&entry.suites, suite) && has(&entry.components, "main");
    let is_debian = |entry: &&Entry| {
        let source = &entry.source;
        source.uri.contains("debian") || source.signed_by.contains("debian")
    };
    let fitting = || entries.iter().filter(fits);
    let entry = fitting().find(is_debian).or_else(|| fitting().next())?;
    Some(entry.source.clone())
}

/// The text of all of apt's source files, with their names.
fn source_files() -> Vec<(String, String)> {
    let mut paths = vec![Path::new("/etc/apt/sources.list").to_path_buf()];
    if let Ok(directory) = fs::read_dir("/etc/apt/sources.list.d") {
        let mut more: Vec<_> = directory.flatten().map(|entry| entry.path()).collect();
        more.sort();
        paths.extend(more);
    }
    paths
        .into_iter()
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "list" || extension == "sources")
        })
        .filter_map(|path| {
            let text = fs::read_to_string(&path).ok()?;
            Some((path.to_string_lossy().into_owned(), text))
        })
        .collect()
}

fn os_release_value(text: &str, key: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let (name, value) = line.split_once('=')?;
        (name == key).then(|| value.trim_matches('"').to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deb822_with_comments_and_several_stanzas() {
        let text = "Types: deb\n# a comment\nURIs: http://mirror.example/debian\n\
                    Suites: bookworm bookworm-updates\nComponents: main contrib\n\
                    Signed-By: /usr/share/keyrings/a.gpg\n\n\
                    Types: deb\nURIs: http://mirror.example/security\n\
                    Suites: bookworm-security\nComponents: main\n";
        let entries = parse_deb822(text);
        assert_eq!(entries.len(), 2);
        let archive = choose(&entries, "bookworm").unwrap();
        assert_eq!(archive.main.uri, "http://mirror.example/debian");
        assert_eq!(archive.main.signed_by, "/usr/share/keyrings/a.gpg");
        assert_eq!(archive.release, "bookworm");
        let sources = archive.sources("bookworm", true);
        assert!(
            sources.contains("URIs: http://mirror.example/security\nSuites: bookworm-security")
        );
        assert!(!archive.sources("bookworm", false).contains("security"));
    }

    #[test]
    fn an_embedded_key_keeps_its_lines() {
        let text = "Types: deb\nURIs: http://m.example/debian\nSuites: trixie\nComponents: main\n\
                    Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mQ\n";
        let archive = choose(&parse_deb822(text), "trixie").unwrap();
        assert_eq!(
            archive.sources("sid", true),
            "Types: deb\nURIs: http://m.example/debian\nSuites: sid\nComponents: main\n\
             Signed-By: \n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mQ\n"
        );
    }

    #[test]
    fn one_line_entries() {
        let text = "# deb http://no.example/debian bookworm main\n\
                    deb-src http://src.example/debian bookworm main\n\
                    deb http://other.example/tool bookworm stable\n\
                    deb [arch=amd64 signed-by=/k/a.gpg,/k/b.gpg] http://d.example/debian bookworm main # end\n";
        let archive = choose(&parse_list(text), "bookworm").unwrap();
        assert_eq!(archive.main.uri, "http://d.example/debian");
        assert_eq!(archive.main.signed_by, "/k/a.gpg /k/b.gpg");
    }

    #[test]
    fn other_vendors_with_debians_suite_names() {
        let text = "deb http://tools.example/apt bookworm main\n\
                    deb http://mirror.example/debian bookworm main\n";
        let archive = choose(&parse_list(text), "bookworm").unwrap();
        assert_eq!(archive.main.uri, "http://mirror.example/debian");
    }

    #[test]
    fn machines_that_follow_a_moving_suite() {
        let entries = parse_list("deb http://d.example/debian unstable main\n");
        assert!(choose(&entries, "forky").is_some());
        assert!(choose(&entries, "").is_some());
        let security = parse_list("deb http://d.example/security bookworm-security main\n");
        assert_eq!(choose(&security, "bookworm"), None);
    }

    #[test]
    fn os_release_values_lose_their_quotes() {
        let text = "ID=debian\nVERSION_CODENAME=\"bookworm\"\n";
        assert_eq!(
            os_release_value(text, "VERSION_CODENAME").as_deref(),
            Some("bookworm")
        );
    }
}
