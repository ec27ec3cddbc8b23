//! What can be the matter.

use crate::catalogue::causes;

causes! {
    NotForwarding, "not-forwarding", Failure,
        "a packet for another host was dropped: conf.all.forwarding is 0; a notice where its way leads back";
    TooBigUntold, "too-big-untold", Failure,
        "a packet was too big to go on, and the ICMPv6 error that would tell its sender did not leave";
    HopLimitExceeded, "hop-limit-exceeded", Notice,
        "a packet for another host had no hops left: traceroute, a long way, or one that goes round";
    NoWayBack, "no-way-back", Notice,
        "a packet was dropped, and there is no route or source for the ICMPv6 error to its sender";
}
