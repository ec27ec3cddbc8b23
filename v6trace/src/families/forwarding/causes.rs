//! What can be the matter.

use crate::catalogue::causes;

causes! {
    DefaultRoutePurged, "default-route-purged", Hazard,
        "default routes of router advertisements went because forwarding was written";
}
