//! Next hops whose interface lost its carrier, of routes with several.

use super::Story;
use crate::{
    explain::Diagnosis,
    families::route::{Cause, Reason},
};

impl Story<'_> {
    /// `ignored`: `ignore_routes_with_linkdown`.
    pub(super) fn hops(&self, ignored: Option<i32>) -> Diagnosis {
        let interface = &self.gone.interface;
        let routes = self.routes();
        let lost =
            format!("{interface} has lost its carrier, and with it one next hop of {routes}");
        let summary = match ignored {
            Some(0) => format!(
                "{lost}. {interface} has ignore_routes_with_linkdown = 0: a share of what goes \
                 there is sent to {interface} all the same, and gets nowhere. A host that forwards \
                 goes on so until the carrier is back, another one until it has found that the \
                 gateway does not answer."
            ),
            Some(_) => format!(
                "{lost}. {interface} has ignore_routes_with_linkdown set: what goes there goes by \
                 the other next hops, as far as these can be used, until the carrier is back."
            ),
            None => format!(
                "{lost}. Whether the kernel passes over it until the carrier is back \
                 (ignore_routes_with_linkdown) could not be read."
            ),
        };
        let mut diagnosis = self.told(Cause::HopLost, summary);
        // It may be any task in whose context the kernel sees to that.
        diagnosis.task = None;
        match ignored {
            Some(0) => {
                let set = self
                    .subject
                    .set(interface, "ignore_routes_with_linkdown", 1);
                diagnosis.fix(set.remark(
                    "counts when the carrier goes the next time, or the routes are set anew",
                ))
            }
            _ => diagnosis,
        }
    }

    /// Whether a next hop is used though nothing gets anywhere by it.
    pub(super) fn is_used_in_vain(&self) -> bool {
        matches!(self.gone.reason, Reason::Hop(ignored) if ignored.is_none_or(|it| it == 0))
    }
}
