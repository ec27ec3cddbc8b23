//! What can be the matter.

use crate::catalogue::causes;

causes! {
    Forwarding, "token-forwarding", Failure,
        "a token got EINVAL: the interface forwards and its accept_ra is not 2";
    AcceptRa, "token-accept-ra", Failure,
        "a token got EINVAL: the interface does not accept router advertisements";
    RouterSolicitations, "token-router-solicitations", Failure,
        "a token got EINVAL: the interface sends no router solicitations";
    Loopback, "token-loopback", Failure,
        "a token got EINVAL: the interface is a loopback";
    Noarp, "token-noarp", Failure,
        "a token got EINVAL: the interface does no neighbour discovery";
    Unexplained, "token-unexplained", Failure,
        "a token was refused in a way that the values read do not decide";
}
