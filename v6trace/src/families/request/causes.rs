//! What can be the matter.

use crate::catalogue::causes;

causes! {
    Refused, "request-refused", Failure,
        "a request for an address, a rule, a neighbour, a next hop, a label or a setting was refused";
    WayRefused, "route-get-refused", Notice,
        "a program asked which way packets go, and there is none";
}
