//! What can be the matter.

use crate::catalogue::causes;

causes! {
    Dadfailed, "address-dadfailed", Failure,
        "an address failed its test for duplicates, and is never used";
    Tentative, "address-tentative", Failure,
        "an address waits to be tested for duplicates, and cannot be used until then";
}
