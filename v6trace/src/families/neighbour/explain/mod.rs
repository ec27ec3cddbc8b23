//! Why a neighbour got no entry, why a proxy does not answer, and what is known of a
//! neighbour that does not.

mod answer;
mod full;
mod proxy;
mod reason;
mod silent;
mod snooping;

pub(super) use full::full;
pub(crate) use proxy::Idle;
pub(super) use proxy::proxy;
pub(super) use silent::silent;

/// "1 packet", "2 packets"
fn number(count: u32, what: &str) -> String {
    let several = if count == 1 { "" } else { "s" };
    format!("{count} {what}{several}")
}
