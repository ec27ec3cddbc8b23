//! Recordings: whatever happens while one is made, what is in it replays.
//!
//! That a replay says what live tracing said is checked by nearly every other
//! scenario as well.

mod command;
mod confined;
mod disk;
mod follow;
mod killed;
mod pieces;
mod storm;

use super::Scenario;
use storm::Storm;

/// The family, topic by topic.
pub(super) const SCENARIOS: &[&[Scenario]] = &[
    command::SCENARIOS,
    confined::SCENARIOS,
    disk::SCENARIOS,
    follow::SCENARIOS,
    killed::SCENARIOS,
    pieces::SCENARIOS,
];
