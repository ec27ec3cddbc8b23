//! The kernel function that was the first to fail, of those that are watched, and what it
//! tests: the catalogue says that of each.
//!
//! It says what a function, with what it calls that is not watched itself, returns an errno
//! for, by the source of one kernel or another between 5.10 and 7.2, and so no more than as
//! far as is known. Whether a caller lets an errno pass is not seen either: that it was the
//! first is all that is claimed.

mod requests;
mod sending;
mod sockets;

use v6trace_common::families::process as wire;

use crate::{
    errno::Errno,
    event::{Name, name},
    explain::Diagnosis,
    families::Decode,
};

/// A kernel function, with what it returns errnos for.
struct Function {
    name: &'static str,
    /// Of an errno that is not here, it is not known. One without any is watched so that
    /// its callers are not taken for it.
    tests: &'static [(Errno, &'static [&'static str])],
}

/// What the kernel finds where it looks for a way.
const NO_WAY: &[&str] = &[
    "no route leads there that may be used",
    "a rule of type unreachable has the destination",
];
const REJECTED: &[&str] = &["a route of type unreachable has the destination"];
const PROHIBITED: &[&str] = &["a route or rule of type prohibit has the destination"];

/// All of them.
fn catalogue() -> impl Iterator<Item = &'static Function> {
    [sockets::FUNCTIONS, sending::FUNCTIONS, requests::FUNCTIONS]
        .into_iter()
        .flatten()
}

/// Their names.
#[cfg(feature = "live")]
pub(crate) fn functions() -> impl Iterator<Item = &'static str> {
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
        diagnosis.add("function", self.function.as_str());
        diagnosis.summary += &format!(
            " Of the kernel functions that v6trace watches, {}() was the first to return it{}.",
            self.function,
            self.tests()
        );
    }

    /// Whether no port was left, or free, to connect from.
    pub(super) fn is_about_ports(&self) -> bool {
        self.function == sockets::CHOOSING_PORTS
    }

    /// What it is returned for, where the catalogue has that.
    fn tests(&self) -> String {
        let mut functions = catalogue();
        let function = functions.find(|function| function.name == self.function);
        let tests = function.and_then(|function| {
            let mut tests = function.tests.iter();
            tests.find(|(errno, _)| *errno == self.errno)
        });
        match tests {
            Some((_, whether)) => {
                format!(", as far as is known for this: {}", whether.join("; or "))
            }
            None => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_catalogue_can_be_watched_and_told() {
        let mut names = HashSet::new();
        for Function { name, tests } in catalogue() {
            assert!(name.len() < wire::FUNCTION_LEN, "{name} is too long");
            assert!(names.insert(name), "{name} is there twice");
            let mut errnos = HashSet::new();
            for (errno, whether) in *tests {
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
        assert_eq!(innermost("of_the_future", Errno::EINVAL).tests(), "");
        assert_eq!(innermost("fib_nl_delrule", Errno(4095)).tests(), "");
    }
}
