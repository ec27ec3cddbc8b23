//! What can be the matter.

use crate::catalogue::causes;

causes! {
    SubnetRouterAnycast, "subnet-router-anycast", Hazard,
        "this host now owns prefix::, the anycast address of a subnet's routers";
    SubnetRouterAnycastReleased, "subnet-router-anycast-released", Notice,
        "this host no longer owns prefix::, since an interface ceased to forward";
}
