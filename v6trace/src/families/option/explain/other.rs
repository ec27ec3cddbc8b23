//! All other options.
//!
//! `do_ipv6_setsockopt` tests a privilege first where an option takes one (EPERM),
//! then the length, then the value or the socket's state (EINVAL). What it does not
//! know, or sockets of that type have not, is ENOPROTOOPT: programs ask for what
//! later kernels have and do without.

use super::{NUMBER, RAW, STREAM, Story, Verdict, unexplained};
use crate::{
    errno::Errno,
    explain::Fix,
    families::option::{
        Cause,
        names::{
            self, IPV6_ADDRFORM, IPV6_DSTOPTS, IPV6_HOPOPTS, IPV6_IPSEC_POLICY, IPV6_MTU,
            IPV6_MULTICAST_HOPS, IPV6_PKTINFO, IPV6_ROUTER_ALERT, IPV6_RTHDRDSTOPTS,
            IPV6_TRANSPARENT, IPV6_V6ONLY, IPV6_XFRM_POLICY,
        },
    },
};

const CAUSE: Cause = Cause::Option;

/// Capabilities, by name and number.
const NET_ADMIN: (&str, u32) = ("CAP_NET_ADMIN", 12);
const NET_RAW: (&str, u32) = ("CAP_NET_RAW", 13);

/// `AF_INET`
const INET: i32 = 2;
/// `IPPROTO_RAW`
const IPPROTO_RAW: u32 = 255;
/// `TCP_ESTABLISHED`: connected.
const CONNECTED: u32 = 1;
/// `IPV6_MIN_MTU`
const LEAST_MTU: i32 = 1280;
/// Bytes of `struct in6_pktinfo`.
const PACKET_INFO: u32 = 20;

impl Story<'_> {
    pub(super) fn other(&self) -> Verdict {
        let refused = self.refused;
        let found = match refused.errno {
            Errno::ENOPROTOOPT => return self.not_known().notice(),
            Errno::EPERM => self.privilege(),
            Errno::EINVAL => self.length().or_else(|| self.invalid()),
            _ => None,
        };
        let found = found.or_else(|| self.address_form());
        found.unwrap_or_else(|| unexplained(CAUSE))
    }

    fn not_known(&self) -> Verdict {
        let option = self.refused.option;
        if option == IPV6_MULTICAST_HOPS && self.is_of_type(STREAM) {
            return Verdict::certain(CAUSE, "the socket is of TCP, which sends no multicasts");
        }
        let is_for_others =
            |socket: &super::SocketState| socket.kind != RAW || socket.number != IPPROTO_RAW;
        if option == IPV6_ROUTER_ALERT && self.socket().is_some_and(is_for_others) {
            return Verdict::certain(
                CAUSE,
                "packets with the router alert are given to raw sockets of IPPROTO_RAW alone, and \
                 this is none",
            );
        }
        Verdict::likely(
            CAUSE,
            "this kernel has no such option, or none for sockets of this type; programs that ask for \
             what later kernels have go on without",
        )
    }

    fn privilege(&self) -> Option<Verdict> {
        let wanted: &[_] = match self.refused.option {
            IPV6_TRANSPARENT => &[NET_RAW, NET_ADMIN],
            IPV6_HOPOPTS | IPV6_RTHDRDSTOPTS | IPV6_DSTOPTS => &[NET_RAW],
            IPV6_IPSEC_POLICY | IPV6_XFRM_POLICY => &[NET_ADMIN],
            _ => return None,
        };
        Some(self.without(CAUSE, wanted))
    }

    fn length(&self) -> Option<Verdict> {
        let needed = match self.refused.option {
            IPV6_PKTINFO => PACKET_INFO,
            option if names::takes_a_number(option) => NUMBER,
            _ => return None,
        };
        self.too_short(CAUSE, needed)
    }

    fn invalid(&self) -> Option<Verdict> {
        let refused = self.refused;
        let option = refused.option;
        if option == IPV6_V6ONLY {
            return self.bound_already();
        }
        if option == IPV6_PKTINFO {
            let bound = self.bound()?;
            let why = format!(
                "the socket is bound to {bound}, and the source is to be of another interface"
            );
            return Some(Verdict::likely(CAUSE, why));
        }
        let value = refused.value?;
        if option == IPV6_MTU && value != 0 && value < LEAST_MTU {
            let why =
                format!("an IPv6 packet may have {LEAST_MTU} bytes anywhere, and this is less");
            return Some(Verdict::certain(CAUSE, why));
        }
        if option == IPV6_ADDRFORM && value != INET {
            let why = "a socket can be made one of IPv4 (2, AF_INET) alone";
            return Some(Verdict::certain(CAUSE, why));
        }
        let (least, greatest) = names::range(option)?;
        (value < least || value > greatest).then(|| {
            let why = format!("it takes {least} to {greatest}");
            Verdict::certain(CAUSE, why)
        })
    }

    /// IPV6_V6ONLY of a socket that has a port.
    fn bound_already(&self) -> Option<Verdict> {
        let socket = self.socket().filter(|socket| socket.number != 0)?;
        let wanted = self.refused.value? != 0;
        let is = self.refused.v6only;
        let verdict = if socket.kind == RAW {
            let why = "a raw socket has no ports, and is for IPv6 alone in any case";
            Verdict::certain(CAUSE, why).notice()
        } else {
            let now = match is {
                Some(true) => ". It is for IPv6 alone, and stays so",
                Some(false) => ". It is for IPv4 as well, and stays so",
                None => "",
            };
            let why = format!(
                "the socket has port {} already, and whether it is for IPv6 alone is settled with \
                 that{now}",
                socket.number
            );
            Verdict::certain(CAUSE, why).fix(Fix::new(
                "have the program set IPV6_V6ONLY between socket() and bind()",
            ))
        };
        // Sockets that are passed on (systemd's) are set once more.
        Some(if is == Some(wanted) {
            verdict.notice()
        } else {
            verdict
        })
    }

    /// A socket that is to become one of IPv4.
    fn address_form(&self) -> Option<Verdict> {
        let refused = self.refused;
        if refused.option != IPV6_ADDRFORM {
            return None;
        }
        let is_connected = self.socket()?.state == CONNECTED;
        match refused.errno {
            Errno::ENOTCONN if !is_connected => Some(Verdict::certain(
                CAUSE,
                "only a connected socket can be made one of IPv4, and it is not",
            )),
            Errno::EADDRNOTAVAIL if refused.v6only == Some(true) => Some(Verdict::certain(
                CAUSE,
                "the socket is for IPv6 alone (IPV6_V6ONLY)",
            )),
            Errno::EADDRNOTAVAIL => Some(Verdict::likely(
                CAUSE,
                "a socket can be made one of IPv4 where it is connected to an IPv4 address \
                 (::ffff:…), so most likely this one is not",
            )),
            Errno::EBUSY => Some(Verdict::likely(
                CAUSE,
                "the socket still has a datagram to send (MSG_MORE), or another protocol on top of \
                 TCP (TLS, MPTCP)",
            )),
            _ => None,
        }
    }
}
