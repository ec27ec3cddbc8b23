//! The kernel function that was the first seen to fail, of those that are watched, and some
//! of what it fails for: the catalogue says that of each.
//!
//! It has reasons for which a function, with what it calls, returns an errno. They are not
//! all: which others there are depends on the kernel, and on what the compiler made a part
//! of what. So they are told as some of its reasons, and not at all where the kernel gave
//! words of its own. Whether a caller lets an errno pass is not seen either.

mod requests;
mod sending;
mod sockets;

use v6trace_common::families::process as wire;

use crate::{
    errno::Errno,
    event::{Name, name},
    explain::{Diagnosis, Value},
    families::Decode,
};

/// A kernel function, with what it returns errnos for.
struct Function {
    name: &'static str,
    /// Some of its reasons for an errno. One without any is watched so that its callers are
    /// not taken for it.
    reasons: &'static [(Errno, &'static [&'static str])],
}

/// What the kernel finds where it looks for a way.
const NO_WAY: &[&str] = &[
    "no route leads there that may be used",
    "a rule of type unreachable has the destination",
];
const REJECTED: &[&str] = &["a route of type unreachable has the destination"];
const DISCARDED: &[&str] = &["a route or rule of type blackhole has the destination"];
const PROHIBITED: &[&str] = &["a route or rule of type prohibit has the destination"];

/// All of them.
fn catalogue() -> impl Iterator<Item = &'static Function> {
    [sockets::FUNCTIONS, sending::FUNCTIONS, requests::FUNCTIONS]
        .into_iter()
        .flatten()
}

/// The names of the kernel functions of which one may be the first to fail.
#[cfg(feature = "live")]
pub fn functions() -> impl Iterator<Item = &'static str> {
    catalogue().map(|function| function.name)
}

/// A function that was the first to return an errno.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Innermost {
    /// Its name.
    pub function: Name,
    /// What it returned.
    pub errno: Errno,
}

impl Decode for Innermost {
    type Wire = wire::Innermost;

    fn from_wire(wire: &Self::Wire) -> Self {
        Self {
            function: name(&wire.function),
            errno: Errno(wire.ret.saturating_neg()),
        }
    }
}

impl Innermost {
    /// Adds it to what is said of what failed so, unless that is certain already.
    pub(crate) fn add_to(&self, diagnosis: &mut Diagnosis) {
        let is_its = diagnosis.errno == Some(self.errno);
        if !is_its || !diagnosis.is_likely() || diagnosis.evidence("function").is_some() {
            return;
        }
        // The kernel's own words say what it was.
        let has_words = diagnosis
            .evidence("extack")
            .is_some_and(|said| *said != Value::Unknown);
        let reasons = self.reasons().filter(|_| !has_words);
        let reasons = reasons.map_or_else(String::new, |reasons| {
            format!(". Among its reasons for that: {}", reasons.join("; or "))
        });
        diagnosis.add("function", self.function.as_str());
        diagnosis.summary += &format!(
            " Of the kernel functions that v6trace watches, {}() was the first seen to return \
             it{reasons}.",
            self.function
        );
    }

    /// Some of what it is returned for, where the catalogue has that.
    pub(super) fn reasons(&self) -> Option<&'static [&'static str]> {
        let mut functions = catalogue();
        let function = functions.find(|function| function.name == self.function)?;
        let mut reasons = function.reasons.iter();
        let (_, reasons) = reasons.find(|(errno, _)| *errno == self.errno)?;
        Some(reasons)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_catalogue_can_be_watched_and_told() {
        let mut names = HashSet::new();
        for Function { name, reasons } in catalogue() {
            assert!(name.len() < wire::FUNCTION_LEN, "{name} is too long");
            assert!(names.insert(name), "{name} is there twice");
            let mut errnos = HashSet::new();
            for (errno, whether) in *reasons {
                assert!(
                    errno.name().is_some() && errnos.insert(errno),
                    "{name}: {errno}"
                );
                assert!(!whether.is_empty(), "{name}: {errno}");
                let is_clause = |text: &&str| !text.ends_with('.') && !text.contains(';');
                assert!(
                    whether.iter().all(|text| text.is_ascii()),
                    "{name}: {errno}"
                );
                assert!(whether.iter().all(is_clause), "{name}: {errno}");
            }
        }
    }

    #[test]
    fn one_that_the_catalogue_lacks_is_told_by_its_name_alone() {
        let innermost = |function: &str, errno| Innermost {
            function: function.into(),
            errno,
        };
        assert_eq!(innermost("of_the_future", Errno::EINVAL).reasons(), None);
        assert_eq!(innermost("fib_nl_delrule", Errno(4095)).reasons(), None);
    }
}
