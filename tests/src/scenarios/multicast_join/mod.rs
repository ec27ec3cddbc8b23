//! Multicast joins that fail, and those that only look as if they did.

mod degraded;
mod exhausted;
mod expected;
mod filters;
mod fixes;
mod healthy;
mod kernel_sockets;
mod losses;
mod namespaces;
mod radvd;
mod refused;
mod silent;
mod stale;
mod stream;
mod text;

use super::Scenario;
use expected::{FailedJoin, Full, OF_A_LEAK};

/// The family, topic by topic.
pub(super) const SCENARIOS: &[&[Scenario]] = &[
    exhausted::SCENARIOS,
    stale::SCENARIOS,
    namespaces::SCENARIOS,
    radvd::SCENARIOS,
    kernel_sockets::SCENARIOS,
    refused::SCENARIOS,
    fixes::SCENARIOS,
    silent::SCENARIOS,
    filters::SCENARIOS,
    degraded::SCENARIOS,
    losses::SCENARIOS,
    stream::SCENARIOS,
    text::SCENARIOS,
    healthy::SCENARIOS,
];
