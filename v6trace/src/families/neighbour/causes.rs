//! What can be the matter.

use crate::catalogue::causes;

causes! {
    TableFull, "neighbour-table-full", Failure,
        "a neighbour got no entry (ENOBUFS): the table of all namespaces has as many as it may (gc_thresh3)";
    Unreachable, "neighbour-unreachable", Failure,
        "a neighbour left all solicitations unanswered; a failure where it is the gateway of routes";
    ProxyIdle, "ndp-proxy-idle", Failure,
        "a solicitation for an address that a proxy is to answer for: forwarding or proxy_ndp is 0";
}
