//! Multicast joins that fail, and those that only look as if they did.

mod concurrent;
mod degraded;
mod ending;
mod exhausted;
mod expected;
mod filters;
mod fixes;
mod healthy;
mod hostile;
mod kernel_sockets;
mod long_lists;
mod losses;
mod namespaces;
mod radvd;
mod refused;
mod repeats;
mod silent;
mod stale;
mod storm;
mod stream;
mod text;

use super::Scenario;
use expected::{Full, OF_A_LEAK, expect_join};

/// The family, topic by topic.
pub(super) const SCENARIOS: &[&[Scenario]] = &[
    exhausted::SCENARIOS,
    long_lists::SCENARIOS,
    concurrent::SCENARIOS,
    stale::SCENARIOS,
    namespaces::SCENARIOS,
    radvd::SCENARIOS,
    kernel_sockets::SCENARIOS,
    refused::SCENARIOS,
    repeats::SCENARIOS,
    fixes::SCENARIOS,
    silent::SCENARIOS,
    filters::SCENARIOS,
    degraded::SCENARIOS,
    losses::SCENARIOS,
    storm::SCENARIOS,
    stream::SCENARIOS,
    text::SCENARIOS,
    hostile::SCENARIOS,
    ending::SCENARIOS,
    healthy::SCENARIOS,
];
