//! What can be the matter.

use crate::catalogue::causes;

causes! {
    CallFailed, "call-failed", Failure,
        "a system call on an IPv6 socket failed, and no other family explains it";
}
