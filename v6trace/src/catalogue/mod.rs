//! The causes that v6trace can name: code, severity, one line, and the page
//! that `v6trace explain CODE` prints.
//!
//! A new cause is one line in the table and one page beside this file.

use serde::Serialize;

/// How bad an occurrence is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// An operation failed or an address was lost.
    Failure,
    /// It succeeded, but something else breaks because of it.
    Hazard,
    /// Worth knowing.
    Notice,
}

impl Severity {
    /// As it heads a diagnosis.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Failure => "FAILURE",
            Self::Hazard => "HAZARD",
            Self::Notice => "NOTICE",
        }
    }
}

macro_rules! causes {
    ($($cause:ident, $code:literal, $severity:ident, $title:literal;)*) => {
        /// A cause that v6trace can name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Cause {
            $(
                #[doc = $title]
                $cause,
            )*
        }

        impl Cause {
            /// Every cause, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$cause,)*];

            /// Its stable code.
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$cause => $code,)*
                }
            }

            /// How bad it usually is.
            pub const fn severity(self) -> Severity {
                match self {
                    $(Self::$cause => Severity::$severity,)*
                }
            }

            /// What it is, in a line.
            pub const fn title(self) -> &'static str {
                match self {
                    $(Self::$cause => $title,)*
                }
            }

            /// The long explanation, Markdown.
            pub const fn page(self) -> &'static str {
                match self {
                    $(Self::$cause => include_str!(concat!("pages/", $code, ".md")),)*
                }
            }
        }
    };
}

causes! {
    OptmemExhausted, "optmem-exhausted", Failure,
        "a multicast join got ENOMEM: the socket's option memory is full";
    OutOfMemory, "out-of-memory", Failure,
        "a multicast join got ENOMEM although the socket's option memory had room";
    GroupNotMulticast, "group-not-multicast", Failure,
        "a multicast join got EINVAL: the address is no multicast group";
    AlreadyJoined, "already-joined", Failure,
        "a multicast join got EADDRINUSE: the socket is a member of the group already";
    NoSuchDevice, "no-such-device", Failure,
        "a multicast join got ENODEV: no interface to join on";
    Ipv6DisabledOnDevice, "ipv6-disabled-on-device", Failure,
        "a multicast join got EINVAL: the interface has no IPv6, its MTU is below 1280";
    JoinUnexplained, "join-unexplained", Failure,
        "a multicast join failed in a way that the values read do not decide";
    TokenForwarding, "token-forwarding", Failure,
        "a token got EINVAL: the interface forwards and its accept_ra is not 2";
    TokenAcceptRa, "token-accept-ra", Failure,
        "a token got EINVAL: the interface does not accept router advertisements";
    TokenRouterSolicitations, "token-router-solicitations", Failure,
        "a token got EINVAL: the interface sends no router solicitations";
    TokenLoopback, "token-loopback", Failure,
        "a token got EINVAL: the interface is a loopback";
    TokenNoarp, "token-noarp", Failure,
        "a token got EINVAL: the interface does no neighbour discovery";
    TokenUnexplained, "token-unexplained", Failure,
        "a token was refused in a way that the values read do not decide";
    NoSourceAddress, "no-source-address", Failure,
        "an IPv4 packet behind an IPv6 next hop has no source address";
    BorrowedSourceAddress, "borrowed-source-address", Notice,
        "an IPv4 packet behind an IPv6 next hop has another interface's address";
    SourceAddressByGatewayBits, "source-address-by-gateway-bits", Notice,
        "an IPv4 packet has the source that bits of its IPv6 next hop chose";
    SubnetRouterAnycast, "subnet-router-anycast", Hazard,
        "this host now owns prefix::, the anycast address of a subnet's routers";
    SubnetRouterAnycastReleased, "subnet-router-anycast-released", Notice,
        "this host no longer owns prefix::, since an interface ceased to forward";
    DefaultRoutePurged, "default-route-purged", Hazard,
        "default routes of router advertisements went because forwarding was written";
    DadLoopback, "dad-loopback", Failure,
        "an address was found in use, by its own reflected solicitation";
    DadConflict, "dad-conflict", Failure,
        "an address was found in use, by another node";
    DadConflictSameHost, "dad-conflict-same-host", Failure,
        "an address was found in use, by another interface of the same namespace";
    DadConflictClonedMac, "dad-conflict-cloned-mac", Failure,
        "an address was found in use, by another node with this interface's own MAC";
    DadLoopbackIgnored, "dad-loopback-ignored", Notice,
        "an interface's own solicitation came back and was recognised";
    DadUnexplained, "dad-unexplained", Failure,
        "an address was found in use, by a frame that does not tell whose it is";
}

impl Cause {
    /// The cause with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|cause| cause.code() == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_says_what_an_operator_needs() {
        for &cause in Cause::ALL {
            let page = cause.page();
            assert!(
                page.starts_with(&format!("# {}\n", cause.code())),
                "{cause:?}"
            );
            for part in [
                "## What it means",
                "## How it is proved",
                "## What to do",
                "## Kernels",
            ] {
                assert!(page.contains(part), "{cause:?} lacks {part:?}");
            }
            assert_eq!(Cause::from_code(cause.code()), Some(cause));
        }
        assert_eq!(Cause::from_code("no-such-code"), None);
    }
}
