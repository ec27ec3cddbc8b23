//! The causes that v6trace can name: code, severity, one line, and the page
//! that `v6trace explain CODE` prints.
//!
//! Each family declares its own, with [`causes!`], and has their pages beside
//! them; here they are one list.

use std::cmp::Ordering;

use serde::Serialize;

use crate::{check, families::FAMILIES};

/// How bad an occurrence is, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// An operation failed or an address was lost.
    Failure,
    /// It succeeded, but something else breaks because of it.
    Hazard,
    /// Worth knowing.
    Notice,
}

impl Severity {
    /// As it heads a diagnosis.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Failure => "FAILURE",
            Self::Hazard => "HAZARD",
            Self::Notice => "NOTICE",
        }
    }
}

/// What is known of a cause.
#[derive(Debug)]
pub struct CauseInfo {
    /// Its stable code.
    pub code: &'static str,
    /// How bad it usually is.
    pub severity: Severity,
    /// What it is, in a line.
    pub title: &'static str,
    /// The long explanation, Markdown.
    pub page: &'static str,
}

/// A cause that v6trace can name, of whichever family. Ordered by code.
#[derive(Clone, Copy, Debug)]
pub struct Cause(&'static CauseInfo);

impl Cause {
    /// The cause that a family declares.
    pub const fn new(info: &'static CauseInfo) -> Self {
        Self(info)
    }

    /// Every cause, by family, then those of states.
    pub fn all() -> impl Iterator<Item = Self> {
        sections().flat_map(|(_, _, causes)| causes)
    }

    /// The cause with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::all().find(|cause| cause.code() == code)
    }

    /// Whether it is of the family with this name in the catalogue; or of a state, and
    /// about what that family is.
    pub fn is_of(self, family: &str) -> bool {
        let mut own = sections().filter(|(_, _, causes)| causes.contains(&self));
        let mut states = check::Cause::ALL.iter().filter(|&&one| self == one.into());
        own.any(|(name, ..)| name == family) || states.any(|state| state.about() == family)
    }

    /// Its stable code.
    pub const fn code(self) -> &'static str {
        self.0.code
    }

    /// How bad it usually is.
    pub const fn severity(self) -> Severity {
        self.0.severity
    }

    /// What it is, in a line.
    pub const fn title(self) -> &'static str {
        self.0.title
    }

    /// The long explanation, Markdown.
    pub const fn page(self) -> &'static str {
        self.0.page
    }
}

/// The catalogue as it is listed: a name, what that is about, and its causes.
pub fn sections() -> impl Iterator<Item = (&'static str, &'static str, Vec<Cause>)> {
    let families = FAMILIES.iter();
    let families = families.map(|family| (family.wire.name, family.wire.about, family.causes()));
    let states = check::Cause::ALL.iter().map(|&cause| cause.into());
    families.chain([(check::NAME, check::ABOUT, states.collect())])
}

impl PartialEq for Cause {
    fn eq(&self, other: &Self) -> bool {
        self.code() == other.code()
    }
}

impl Eq for Cause {}

impl PartialOrd for Cause {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Cause {
    fn cmp(&self, other: &Self) -> Ordering {
        self.code().cmp(other.code())
    }
}

/// Declares the causes of a family: an enum of its own, whose every variant a
/// match must name, and their line in the catalogue. The pages are in `pages/`
/// beside the file that declares them.
macro_rules! causes {
    ($($cause:ident, $code:literal, $severity:ident, $title:literal;)*) => {
        /// A cause of this family.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Cause {
            $(
                #[doc = $title]
                $cause,
            )*
        }

        impl Cause {
            /// Every cause of this family.
            pub const ALL: &[Self] = &[$(Self::$cause,)*];

            /// Its line in the catalogue.
            pub const fn info(self) -> &'static $crate::catalogue::CauseInfo {
                match self {
                    $(Self::$cause => &$crate::catalogue::CauseInfo {
                        code: $code,
                        severity: $crate::catalogue::Severity::$severity,
                        title: $title,
                        page: include_str!(concat!("pages/", $code, ".md")),
                    },)*
                }
            }
        }

        impl From<Cause> for $crate::catalogue::Cause {
            fn from(cause: Cause) -> Self {
                Self::new(cause.info())
            }
        }
    };
}
pub(crate) use causes;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_page_says_what_an_operator_needs() {
        let mut codes = BTreeSet::new();
        for cause in Cause::all() {
            let page = cause.page();
            assert!(codes.insert(cause.code()), "{cause:?} is there twice");
            assert!(
                page.starts_with(&format!("# {}\n", cause.code())),
                "{cause:?}"
            );
            for part in [
                "## What it means",
                "## How it is proved",
                "## What to do",
                "## Kernels",
            ] {
                assert!(page.contains(part), "{cause:?} lacks {part:?}");
            }
            assert_eq!(Cause::from_code(cause.code()), Some(cause));
        }
        assert_eq!(Cause::from_code("no-such-code"), None);
    }
}
