//! Which default routes are left where one went.

use super::{MAIN, Story};
use crate::families::route::{GoneRoute, Known};

/// `RTN_UNICAST`: a route that leads somewhere.
const UNICAST: u8 = 1;

impl Story<'_> {
    /// Default routes that are left in the table of the one that went.
    pub(super) fn others(&self) -> Option<Vec<&Known>> {
        let table = self.gone.default_route()?.table;
        let left = self.left?.iter();
        Some(
            left.filter(|it| {
                Some(it.table) == table
                    && it.kind == UNICAST
                    && it.prefix_len == 0
                    && it.source.is_none()
                    && !it.is_dead
            })
            .collect(),
        )
    }

    /// The routes that are lost for good: not the default route that is there again.
    pub(super) fn lost(&self) -> impl Iterator<Item = &GoneRoute> {
        let is_back = self.is_back();
        let routes = self.gone.routes.iter();
        routes.filter(move |it| !(is_back && it.prefix_len == 0))
    }

    /// Whether the very default route is there again.
    pub(super) fn is_back(&self) -> bool {
        self.others()
            .is_some_and(|left| left.iter().any(|it| self.is_same(it)))
    }

    /// The kernel may make it again with another metric (`ra_defrtr_metric`).
    fn is_same(&self, known: &Known) -> bool {
        known.gateway == self.first.gateway
            && known.protocol == self.first.protocol
            && known.interface.as_deref() == Some(self.gone.interface.as_str())
    }

    /// What is left; a sentence with a blank ahead.
    pub(super) fn outlook(&self) -> String {
        let Some(route) = self.gone.default_route() else {
            return String::new();
        };
        if self.is_of_ipv4() {
            return " Whether another default route of IPv4 is left is not looked up.".to_owned();
        }
        let table = match route.table {
            Some(MAIN) | None => String::new(),
            Some(table) => format!(" in table {table}"),
        };
        match self.others().as_deref() {
            None => " Whether another default route is left could not be looked up.".to_owned(),
            Some([]) => format!(" No default route is left{table}."),
            Some(left) => {
                let (one, is_back) = match left.iter().find(|it| self.is_same(it)) {
                    Some(same) => (same, true),
                    None => (&left[0], false),
                };
                let words = one.words();
                if is_back {
                    format!(" It is there again by now: {words}.")
                } else {
                    format!(" There is another default route{table}: {words}.")
                }
            }
        }
    }
}
