//! What a command that changes the route must know beside its prefix, next hop
//! and metric: whether there is more to it, and whether it is the only one.

use v6trace_common::families::source_selection::{NO_OPTIONS, ONLY_ROUTE};

use super::globals;
use crate::{
    pointer::{Pointer, Reading},
    search::functions,
};

/// Routes of one leaf of the table that are looked at: those of its prefix, of
/// whichever length and metric.
const ROUTES: u32 = 16;
/// Words of `dst_metrics.metrics` (`RTAX_MAX`).
const METRICS: usize = 17;
/// Bits of an IPv4 address.
const BITS: u8 = 32;

/// [`NO_OPTIONS`] where a route has none, else 0. Those of its nexthop object, if
/// that is not null, are not the route's.
#[inline(always)]
pub(super) fn options(fib_info: Pointer, next_hop: Pointer, object: Pointer) -> u32 {
    let mut reading = Reading::new();
    let mut of_next_hop: u64 = reading.get(next_hop, &globals::NHC_LWTSTATE);
    // A route's own next hop is a `fib_nh`, which begins with what is common.
    let realm: u32 = next_hop.or_zero(&globals::FIB_NH_REALM);
    of_next_hop |= u64::from(realm);
    if object.0 != 0 {
        of_next_hop = 0;
    }
    let scope: u8 = reading.get(fib_info, &globals::FIB_INFO_SCOPE);
    let metrics = Pointer(reading.get(fib_info, &globals::FIB_INFO_METRICS));
    let metrics: [u32; METRICS] = reading.get(metrics, &globals::DST_METRICS);
    let set = metrics.iter().fold(0, |set, metric| set | metric);
    let any = of_next_hop | u64::from(scope) | u64::from(set);
    if any == 0 {
        NO_OPTIONS & reading.mask()
    } else {
        0
    }
}

functions! {
    /// [`ONLY_ROUTE`] where no other route has the prefix, table and metric of the
    /// one that a `fib_result` is, else 0.
    pub(super) fn source_route_only(result: u64) -> u32 {
        let result = Pointer(result);
        let mut reading = Reading::new();
        let prefix_len: u8 = reading.get(result, &globals::FIB_RESULT_PREFIXLEN);
        let own = Pointer(reading.get(result, &globals::FIB_RESULT_FI));
        let metric: u32 = reading.get(own, &globals::FIB_INFO_PRIORITY);
        let table: u32 = reading.get(own, &globals::FIB_INFO_TB_ID);
        let head = Pointer(reading.get(result, &globals::FIB_RESULT_FA_HEAD));
        let mut node: u64 = head.read().unwrap_or(0);
        if !reading.is_complete() || node == 0 {
            return 0;
        }
        for _ in 0..ROUTES {
            let alias = Pointer(node.wrapping_sub(globals::FIB_ALIAS_NEXT.load().into()));
            let mut reading = Reading::new();
            let info = Pointer(reading.get(alias, &globals::FIB_ALIAS_INFO));
            let suffix_len: u8 = reading.get(alias, &globals::FIB_ALIAS_SLEN);
            let of_table: u32 = reading.get(alias, &globals::FIB_ALIAS_TB_ID);
            let of_metric: u32 = reading.get(info, &globals::FIB_INFO_PRIORITY);
            node = reading.get(alias, &globals::FIB_ALIAS_NEXT);
            let same_length = suffix_len == BITS.wrapping_sub(prefix_len);
            let same = same_length & (of_table == table) & (of_metric == metric);
            if !reading.is_complete() | (same & (info.0 != own.0)) {
                return 0;
            }
            if node == 0 {
                return ONLY_ROUTE;
            }
        }
        0
    }
}
