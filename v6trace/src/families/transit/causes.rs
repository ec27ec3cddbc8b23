//! What can be the matter.

use crate::catalogue::causes;

causes! {
    NotForwarding, "not-forwarding", Failure,
        "a packet for another host was dropped: conf.all.forwarding is 0; a notice where its way leads back";
}
