//! Everything a guest can try, one file per property and one directory per
//! family of failures.
//!
//! A scenario is a function that makes something happen and returns an error
//! if v6trace did not say what it should. It runs as root in a process of its
//! own and leaves the machine as it found it.

mod anycast;
mod dad;
mod forwarding;
mod healthy;
mod lookups;
mod multicast_join;
mod recording;
mod set_token;
mod source_selection;
mod ways;

use anyhow::Result;

/// One scenario.
pub(crate) struct Scenario {
    /// Kebab-case, and starting with the cause that it is about.
    pub(crate) name: &'static str,
    /// Does it; an error is the reason why it failed.
    pub(crate) run: fn() -> Result<()>,
}

/// Every family, topic by topic.
const FAMILIES: &[&[&[Scenario]]] = &[
    multicast_join::SCENARIOS,
    set_token::SCENARIOS,
    source_selection::SCENARIOS,
    anycast::SCENARIOS,
    forwarding::SCENARIOS,
    lookups::SCENARIOS,
    dad::SCENARIOS,
    recording::SCENARIOS,
    ways::SCENARIOS,
    healthy::SCENARIOS,
];

/// Every scenario, in the order in which they run.
pub(crate) fn all() -> impl Iterator<Item = &'static Scenario> {
    FAMILIES.iter().copied().flatten().copied().flatten()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::all;

    #[test]
    fn names_are_unique_and_kebab_case() {
        let mut seen = BTreeSet::new();
        for scenario in all() {
            let name = scenario.name;
            assert!(seen.insert(name), "{name} is there twice");
            let kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(name.chars().all(kebab), "{name}");
        }
    }
}
