//! What can be the matter.

use crate::catalogue::causes;

causes! {
    NoSourceAddress, "no-source-address", Failure,
        "an IPv4 packet behind an IPv6 next hop has no source address";
    BorrowedSourceAddress, "borrowed-source-address", Notice,
        "an IPv4 packet behind an IPv6 next hop has another interface's address";
    SourceAddressByGatewayBits, "source-address-by-gateway-bits", Notice,
        "an IPv4 packet has the source that bits of its IPv6 next hop chose";
}
