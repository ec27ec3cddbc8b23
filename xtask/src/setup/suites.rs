//! The Debian suites whose kernels v6trace is tested on, and how a user names
//! one of them.

use anyhow::{Result, bail};

/// A Debian suite and the kernel series that it carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Suite {
    /// Codename, as in the archive.
    pub(crate) name: &'static str,
    /// Version prefix of its kernels; none where it moves on.
    pub(crate) series: Option<&'static str>,
    /// Whether to take its security updates, as machines in use do. Without
    /// them bullseye's kernel stays at its last release, 5.10.223, the only one
    /// here whose memberships (`ipv6_mc_socklist`) still take 64 bytes.
    pub(crate) security: bool,
    /// Processors of its guests. One is what many a virtual machine has, and the emulator
    /// needs a fifth less for it; races take two.
    pub(crate) processors: &'static str,
}

/// What v6trace is tested on, oldest first.
pub(crate) const SUITES: [Suite; 4] = [
    Suite {
        name: "bullseye",
        series: Some("5.10"),
        security: false,
        processors: "1",
    },
    Suite {
        name: "bookworm",
        series: Some("6.1"),
        security: true,
        processors: "1",
    },
    Suite {
        name: "trixie",
        series: Some("6.12"),
        security: true,
        processors: "1",
    },
    Suite {
        name: "sid",
        series: None,
        security: false,
        processors: "2",
    },
];

/// What users and directories call their kernels.
pub(crate) const KERNELS: [&str; SUITES.len()] = {
    let mut names = [""; SUITES.len()];
    let mut place = 0;
    while place < SUITES.len() {
        names[place] = match SUITES[place].series {
            Some(series) => series,
            None => SUITES[place].name,
        };
        place += 1;
    }
    names
};

impl Suite {
    /// How to call its kernel before its exact version is known.
    pub(crate) fn label(self) -> String {
        match self.series {
            Some(series) => format!("{series} ({})", self.name),
            None => format!("newest ({})", self.name),
        }
    }
}

/// The suites that `wanted` names: a suite's own name, or a version that
/// could be of its kernel. Whether it really is shows only in `kernels::provide`.
pub(crate) fn suites_for(wanted: &str) -> Result<Vec<Suite>> {
    let named =
        |suite: &&Suite| suite.name == wanted || wanted == "newest" && suite.series.is_none();
    if let Some(suite) = SUITES.iter().find(named) {
        return Ok(vec![*suite]);
    }
    let looks_like_version = wanted.starts_with(|first: char| first.is_ascii_digit())
        && wanted.chars().all(|c| c.is_ascii_digit() || c == '.');
    if looks_like_version {
        let fits = |suite: &&Suite| {
            suite.series.is_some_and(|series| {
                is_version_prefix(wanted, series) || is_version_prefix(series, wanted)
            })
        };
        let suites: Vec<Suite> = SUITES.iter().filter(fits).copied().collect();
        // A version of no known series can only be the newest kernel's.
        return Ok(if suites.is_empty() {
            SUITES
                .iter()
                .filter(|suite| suite.series.is_none())
                .copied()
                .collect()
        } else {
            suites
        });
    }
    let known: Vec<String> = SUITES.iter().map(|suite| suite.label()).collect();
    bail!(
        "{wanted:?} is no kernel to test on; there are {}",
        known.join(", ")
    )
}

/// Whether `prefix` names `version` or a series that it belongs to, compared
/// number by number: 6.1 is not a prefix of 6.12.
pub(crate) fn is_version_prefix(prefix: &str, version: &str) -> bool {
    let mut numbers = version.split('.');
    prefix
        .split('.')
        .all(|number| numbers.next() == Some(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(wanted: &str) -> Vec<&'static str> {
        let suites = suites_for(wanted).unwrap();
        suites.iter().map(|suite| suite.name).collect()
    }

    #[test]
    fn versions_are_compared_number_by_number() {
        assert!(is_version_prefix("6.1", "6.1.192"));
        assert!(!is_version_prefix("6.1", "6.12.107"));
        assert!(is_version_prefix("6.12.107", "6.12.107"));
        assert!(!is_version_prefix("6.12.107", "6.12"));
    }

    #[test]
    fn kernels_by_version_or_suite() {
        assert_eq!(names("6.1"), ["bookworm"]);
        assert_eq!(names("6.1.192"), ["bookworm"]);
        assert_eq!(names("6"), ["bookworm", "trixie"]);
        assert_eq!(names("7.2"), ["sid"]);
        assert_eq!(names("newest"), ["sid"]);
        assert_eq!(names("bullseye"), ["bullseye"]);
        assert!(suites_for("buster").is_err());
        assert!(suites_for("").is_err());
    }
}
