//! Everything a guest can try, one file per property and one directory per
//! family of failures.
//!
//! A scenario is a function that makes something happen and returns an error
//! if v6trace did not say what it should. It runs as root in a process of its
//! own and leaves the machine as it found it.

mod address;
mod advertisement;
mod anycast;
mod bind;
mod check;
mod containers;
mod dad;
mod forwarding;
mod healthy;
mod lookups;
mod multicast_join;
mod neighbour;
mod option;
mod outgoing;
mod recording;
mod request;
mod route;
mod set_token;
mod source_selection;
mod sysctl;
mod top;
mod transit;
mod ways;
mod why;

use std::collections::BTreeSet;
use std::fmt::Debug;

use anyhow::{Context as _, Result};

/// One scenario.
pub(crate) struct Scenario {
    /// Kebab-case, and starting with the cause that it is about.
    pub(crate) name: &'static str,
    /// Does it; an error is the reason why it failed.
    pub(crate) run: fn() -> Result<()>,
    /// Whether others of its group may have prepared what they want to try, and
    /// have the same tracer.
    shares: bool,
}

/// One line of a family's table.
const fn scenario(name: &'static str, run: fn() -> Result<()>) -> Scenario {
    Scenario {
        name,
        run,
        shares: true,
    }
}

/// The same for what is not to be mixed with other scenarios: it has tracers of its
/// own, changes what namespaces share, waits for what a tracer says, or is about what
/// else there is on the host, the time that passes or the session as a whole.
const fn alone(name: &'static str, run: fn() -> Result<()>) -> Scenario {
    Scenario {
        name,
        run,
        shares: false,
    }
}

/// Scenarios that belong together.
struct Group {
    /// The families of failures that their tracers watch; none stands for all.
    families: &'static [&'static str],
    /// The scenario that has all families watched nevertheless, so that another
    /// one which disturbs this one, or speaks up, is noticed. To start that is
    /// most of what it takes, so one that starts v6trace once; none where other
    /// groups are about the same families.
    among_all: &'static str,
    /// What the kernel must have been told at boot, if anything.
    boot: Option<&'static str>,
    /// Whether its guest has the daemons that are too large for every guest.
    daemons: bool,
    /// Topic by topic.
    scenarios: &'static [&'static [Scenario]],
}

/// Scenarios that are about no single family: all are watched.
const fn of_all(scenarios: &'static [&'static [Scenario]]) -> Group {
    of_those(&[], scenarios)
}

/// The same where these are enough.
const fn of_those(
    families: &'static [&'static str],
    scenarios: &'static [&'static [Scenario]],
) -> Group {
    Group {
        families,
        among_all: "",
        boot: None,
        daemons: false,
        scenarios,
    }
}

/// Everything, in the order in which it runs.
const GROUPS: &[Group] = &[
    Group {
        families: &["multicast-join"],
        among_all: "optmem-exhausted-autojoin",
        boot: None,
        daemons: false,
        scenarios: multicast_join::SCENARIOS,
    },
    Group {
        families: &["set-token"],
        among_all: "token-forwarding",
        boot: None,
        daemons: false,
        scenarios: set_token::SCENARIOS,
    },
    Group {
        families: &["source-selection"],
        among_all: "no-source-address-once",
        boot: None,
        daemons: false,
        scenarios: source_selection::SCENARIOS,
    },
    Group {
        families: &["anycast", "forwarding"],
        among_all: "subnet-router-anycast-neighbour",
        boot: None,
        daemons: false,
        scenarios: anycast::SCENARIOS,
    },
    Group {
        families: &["forwarding", "anycast"],
        among_all: "default-route-purged-by-all",
        boot: None,
        daemons: false,
        scenarios: forwarding::SCENARIOS,
    },
    of_those(&["anycast", "dad"], lookups::SCENARIOS),
    Group {
        families: &["dad"],
        among_all: "dad-loopback-static",
        boot: None,
        daemons: false,
        scenarios: dad::SCENARIOS,
    },
    Group {
        families: &["address"],
        among_all: "addresses-lost-not-by-namespace",
        boot: None,
        daemons: false,
        scenarios: address::SCENARIOS,
    },
    Group {
        families: &["advertisement"],
        among_all: "ra-ignored-forwarding-written",
        boot: None,
        daemons: false,
        scenarios: advertisement::SCENARIOS,
    },
    // A dadfailed address is explained by the failure that made it so.
    Group {
        families: &["bind", "dad"],
        among_all: "bind-address-tentative",
        boot: None,
        daemons: false,
        scenarios: bind::SCENARIOS,
    },
    Group {
        families: &["outgoing"],
        among_all: "no-route-after-forwarding",
        boot: None,
        daemons: false,
        scenarios: outgoing::SCENARIOS,
    },
    Group {
        families: &["option"],
        among_all: "multicast-interface-refused",
        boot: None,
        daemons: false,
        scenarios: option::SCENARIOS,
    },
    Group {
        families: &["sysctl"],
        among_all: "sysctl-refused-bounds",
        boot: None,
        daemons: false,
        scenarios: sysctl::SCENARIOS,
    },
    Group {
        families: &["route"],
        among_all: "route-gateway-not-on-link",
        boot: None,
        daemons: false,
        scenarios: route::SCENARIOS,
    },
    of_those(&["advertisement", "route"], &[advertisement::FAREWELLS]),
    Group {
        families: &["bind", "route"],
        among_all: "route-ipv6-off",
        boot: Some("ipv6.disable=1"),
        daemons: false,
        scenarios: &[bind::OFF, route::OFF, check::OFF],
    },
    Group {
        families: &["request"],
        among_all: "request-refused-not-twice",
        boot: None,
        daemons: false,
        scenarios: request::SCENARIOS,
    },
    Group {
        families: &["neighbour"],
        among_all: "neighbour-unreachable-host",
        boot: None,
        daemons: false,
        scenarios: neighbour::SCENARIOS,
    },
    // One of these traces, and no failure.
    of_those(&["set-token"], check::SCENARIOS),
    // Of all families that are traced unasked, this is none.
    Group {
        families: &["transit"],
        among_all: "not-forwarding-not-unasked",
        boot: None,
        daemons: false,
        scenarios: transit::SCENARIOS,
    },
    of_those(&["set-token", "anycast", "bind"], containers::SCENARIOS),
    // What is recorded is joins, and a token that is refused.
    of_those(&["multicast-join", "set-token"], recording::SCENARIOS),
    of_those(&["set-token"], top::SCENARIOS),
    of_all(ways::SCENARIOS),
    of_all(why::SCENARIOS),
    Group {
        families: &["process"],
        among_all: "why-each-in-the-table",
        boot: None,
        daemons: false,
        scenarios: why::PROCESS,
    },
    of_all(healthy::SCENARIOS),
    Group {
        families: &[],
        among_all: "",
        boot: None,
        daemons: true,
        scenarios: healthy::MANAGERS,
    },
];

/// A scenario, and what the place where it is defined says about it.
#[derive(Clone, Copy)]
pub(crate) struct Placed {
    pub(crate) scenario: &'static Scenario,
    /// The families that its tracers watch; none stands for all.
    pub(crate) watched: &'static [&'static str],
    /// The family that it is about, if it is about one.
    pub(crate) family: Option<&'static str>,
    /// What the kernel must have been told at boot, if anything.
    pub(crate) boot: Option<&'static str>,
    /// Whether its guest has the daemons that are too large for every guest.
    pub(crate) daemons: bool,
}

/// Every scenario, in the order in which they run.
pub(crate) fn all() -> impl Iterator<Item = Placed> {
    GROUPS.iter().flat_map(|group| {
        let scenarios = group.scenarios.iter().copied().flatten();
        scenarios.map(|scenario| Placed {
            scenario,
            watched: if scenario.name == group.among_all {
                &[]
            } else {
                group.families
            },
            family: group.families.first().copied(),
            boot: group.boot,
            daemons: group.daemons,
        })
    })
}

/// The scenario of that name.
pub(crate) fn find(name: &str) -> Result<Placed> {
    all()
        .find(|placed| placed.scenario.name == name)
        .with_context(|| format!("no scenario is called {name}: see `guest list`"))
}

/// Scenarios that share a tracer at most: more would wait for each other for longer
/// than what they prepare is good for.
const BATCH: usize = 19;

impl Placed {
    /// What those must have in common that share a tracer. Healthy hosts, which are of no
    /// family, do not share one with what fails.
    fn traced(&self) -> impl Ord + Debug + use<> {
        let watched: BTreeSet<_> = self.watched.iter().copied().collect();
        let is_of_none = self.family.is_none();
        let guest = (self.boot, self.daemons);
        (!self.scenario.shares, guest, watched, is_of_none)
    }
}

/// These scenarios in batches that share their tracers, most of one scenario: first
/// those that share, by what their tracers watch, in batches of about the same size.
pub(crate) fn batches(mut scenarios: Vec<Placed>) -> Vec<Vec<Placed>> {
    scenarios.sort_by_cached_key(Placed::traced);
    let alike = scenarios.chunk_by(|one, next| one.traced() == next.traced());
    let batches = alike.flat_map(|alike| {
        let size = if alike[0].scenario.shares {
            alike.len().div_ceil(alike.len().div_ceil(BATCH))
        } else {
            1
        };
        alike.chunks(size)
    });
    batches.map(<[Placed]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{BATCH, GROUPS, all, batches};

    #[test]
    fn names_are_unique_and_kebab_case() {
        let mut seen = BTreeSet::new();
        for placed in all() {
            let name = placed.scenario.name;
            assert!(seen.insert(name), "{name} is there twice");
            let kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(name.chars().all(kebab), "{name}");
        }
    }

    #[test]
    fn batches_hold_every_scenario_once_with_what_may_share_its_tracer() {
        let mut seen = BTreeSet::new();
        let mut shared = 0;
        for batch in batches(all().collect()) {
            assert!((1..=BATCH).contains(&batch.len()));
            let first = &batch[0];
            for placed in &batch {
                assert!(seen.insert(placed.scenario.name));
                assert_eq!(placed.traced(), first.traced());
                assert!(placed.scenario.shares || batch.len() == 1);
                shared += usize::from(batch.len() > 1);
            }
        }
        assert_eq!(seen.len(), all().count());
        assert!(shared > seen.len() / 2, "only {shared} share a tracer");
    }

    #[test]
    fn each_family_is_watched_among_all_once() {
        let mut among_all: BTreeSet<&str> = BTreeSet::new();
        for group in GROUPS.iter().filter(|group| !group.among_all.is_empty()) {
            let scenarios = group.scenarios.iter().copied().flatten();
            let named = scenarios.filter(|scenario| scenario.name == group.among_all);
            assert_eq!(named.count(), 1, "{}", group.among_all);
            among_all.extend(group.families);
        }
        for group in GROUPS {
            assert!(group.families.iter().all(|name| among_all.contains(name)));
        }
    }
}
