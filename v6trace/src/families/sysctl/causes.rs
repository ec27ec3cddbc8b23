//! What can be the matter.

use crate::catalogue::causes;

causes! {
    Refused, "sysctl-refused", Failure,
        "a value of a sysctl of IPv6 was refused: out of its bounds, no number, or something it needs is missing";
}
