//! What `v6trace check` finds in the state of a host, and what it leaves alone. No
//! scenario traces, but those that compare a recording's beginning with a check.

mod addresses;
mod advertisements;
mod hazards;
mod healthy;
mod interfaces;
mod joined;
mod neighbours;
mod off;
mod routes;
mod sockets;
mod sources;
mod stream;

use super::Scenario;

/// On a kernel without IPv6.
pub(super) const OFF: &[Scenario] = off::SCENARIOS;

/// Topic by topic.
pub(super) const SCENARIOS: &[&[Scenario]] = &[
    addresses::SCENARIOS,
    advertisements::SCENARIOS,
    interfaces::SCENARIOS,
    neighbours::SCENARIOS,
    routes::SCENARIOS,
    sockets::SCENARIOS,
    joined::SCENARIOS,
    sources::SCENARIOS,
    hazards::SCENARIOS,
    healthy::SCENARIOS,
    stream::SCENARIOS,
];
