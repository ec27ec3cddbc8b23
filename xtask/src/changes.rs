//! Which families of failures a branch changes, by the names of its files.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::Result;

use crate::{paths, process};

/// The branch that others are compared with.
const MAIN: &str = "main";

/// Where files belong to the family that the next part of their path names.
const OF_FAMILIES: [&str; 4] = [
    "v6trace/src/families/",
    "v6trace-common/src/families/",
    "v6trace-ebpf/src/families/",
    "tests/src/scenarios/",
];

/// Files that no scenario depends on.
const UNTESTED: [&str; 4] = ["README.md", "docs/", "v6trace/tests/", "v6trace/fuzz/"];

/// What changed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Changes {
    /// A file that all families share, this one for example.
    Everywhere(String),
    /// The files of these families only.
    Families(BTreeSet<String>),
}

/// What this branch changes, in commits and in files that are in none.
pub(crate) fn of_this_branch() -> Result<Changes> {
    let git = |words: &[&str]| {
        process::output(Command::new("git").current_dir(paths::root()).args(words))
    };
    let base = git(&["merge-base", "HEAD", MAIN])?;
    let committed = git(&["diff", "--name-only", base.trim()])?;
    let new = git(&["ls-files", "--others", "--exclude-standard"])?;
    Ok(judge(committed.lines().chain(new.lines())))
}

fn judge<'a>(files: impl Iterator<Item = &'a str>) -> Changes {
    let mut families = BTreeSet::new();
    for file in files {
        if UNTESTED.iter().any(|place| file.starts_with(place)) {
            continue;
        }
        let Some(family) = OF_FAMILIES.iter().find_map(|place| family(file, place)) else {
            return Changes::Everywhere(file.to_owned());
        };
        families.insert(family);
    }
    Changes::Families(families)
}

/// The family whose folder or file below `place` this is; a table of all
/// families is none's.
fn family(file: &str, place: &str) -> Option<String> {
    let below = file.strip_prefix(place)?;
    let name = below.split('/').next()?.trim_end_matches(".rs");
    (name != "mod").then(|| name.replace('_', "-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn families(names: &[&str]) -> Changes {
        Changes::Families(names.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn files_of_families() {
        let files = [
            "v6trace/src/families/dad/explain/mod.rs",
            "v6trace-common/src/families/set_token.rs",
            "tests/src/scenarios/dad/mod.rs",
            "docs/json.md",
            "README.md",
        ];
        assert_eq!(judge(files.into_iter()), families(&["dad", "set-token"]));
        assert_eq!(judge(std::iter::empty()), families(&[]));
    }

    #[test]
    fn shared_files_concern_all() {
        for shared in [
            "v6trace/src/families/mod.rs",
            "tests/src/guest/tracer.rs",
            "tests/src/scenarios/mod.rs",
            "Cargo.lock",
        ] {
            let files = ["tests/src/scenarios/dad/mod.rs", shared];
            assert_eq!(
                judge(files.into_iter()),
                Changes::Everywhere(shared.to_owned())
            );
        }
    }
}
