//! What others wrote and v6trace is made of: its licences, where it comes from, and what
//! there is twice of. The test sees that no older version is asked for than is tested.
//!
//! Advisories change without anything here changing: `cargo deny check advisories` tells
//! them to whoever releases.

use std::process::Command;

use anyhow::Result;

use crate::setup::deny;
use crate::{paths, process};

/// Has cargo-deny look at all of it.
pub(crate) fn check() -> Result<()> {
    let mut deny = Command::new(deny::find_or_install()?);
    process::without_outer_cargo(&mut deny).current_dir(paths::root());
    process::output(deny.args(["check", "bans", "licenses", "sources"]))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use cargo_metadata::semver::{Comparator, Op, Version, VersionReq};
    use cargo_metadata::{Metadata, MetadataCommand};

    use super::*;

    /// Everything is compiled and tested with the locked versions: where these are the
    /// oldest that are asked for, the oldest are known to do.
    #[test]
    fn the_oldest_version_asked_for_is_the_tested_one() {
        // The fuzzers are a workspace of their own.
        for manifest in ["Cargo.toml", "v6trace/fuzz/Cargo.toml"] {
            let metadata = MetadataCommand::new()
                .manifest_path(paths::root().join(manifest))
                .other_options(["--locked".to_owned()])
                .exec()
                .unwrap();
            assert_eq!(untested(&metadata), [""; 0], "of {manifest}");
        }
    }

    #[test]
    fn another_version_than_the_tested_one_is_seen() {
        let locked = Version::new(1, 2, 3);
        let is_oldest = |asked: &str| is_oldest(&asked.parse().unwrap(), &locked);
        assert!(is_oldest("1.2.3"));
        assert!(is_oldest("=1.2.3"));
        for other in ["1", "1.2", "1.2.2", ">=1.2.3", "1.2.3, <2"] {
            assert!(!is_oldest(other), "{other}");
        }
    }

    fn untested(metadata: &Metadata) -> Vec<String> {
        let own = metadata.workspace_packages();
        let asked = own.iter().flat_map(|package| &package.dependencies);
        let of_others = asked.filter(|asked| asked.source.is_some());
        let pairs = of_others.filter_map(|asked| {
            let mut packages = metadata.packages.iter();
            let locked = packages.find(|package| {
                package.name.as_str() == asked.name && asked.req.matches(&package.version)
            });
            Some((asked, &locked?.version))
        });
        pairs
            .filter(|(asked, locked)| !is_oldest(&asked.req, locked))
            .map(|(asked, locked)| format!("{} {} for {locked}", asked.name, asked.req))
            .collect()
    }

    fn is_oldest(asked: &VersionReq, locked: &Version) -> bool {
        match asked.comparators[..] {
            [
                Comparator {
                    op: Op::Caret | Op::Exact,
                    major,
                    minor: Some(minor),
                    patch: Some(patch),
                    ..
                },
            ] => (major, minor, patch) == (locked.major, locked.minor, locked.patch),
            _ => false,
        }
    }
}
