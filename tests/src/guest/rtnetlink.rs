//! Requests for addresses and routes as a program makes them, over rtnetlink: also such as
//! `ip` does not let through; and by the ioctl of `ifconfig`.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv6Addr};
use std::os::fd::AsRawFd as _;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use netlink_packet_core::{NLM_F_ACK, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{LinkAttribute, LinkMessage};
use socket2::{Domain, Protocol, Socket, Type};

use super::{Netns, until};

const RTM_NEWLINK: u16 = 16;
const RTM_NEWADDR: u16 = 20;
const RTM_DELADDR: u16 = 21;
const RTM_NEWROUTE: u16 = 24;
const RTM_DELROUTE: u16 = 25;
const RT_TABLE_MAIN: u8 = 254;
const RTPROT_STATIC: u8 = 4;
const RTN_UNICAST: u8 = 1;
const RT_SCOPE_LINK: u8 = 253;
const RTA_DST: u16 = 1;
const RTA_OIF: u16 = 4;
const NLM_F_EXCL: u16 = 0x200;
const NLM_F_CREATE: u16 = 0x400;
const NLM_F_REPLACE: u16 = 0x100;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_CACHEINFO: u16 = 6;
const IFA_FLAGS: u16 = 8;
const RTM_NEWNEIGH: u16 = 28;
const RTM_DELNEIGH: u16 = 29;
const NDA_DST: u16 = 1;
const NDA_LLADDR: u16 = 2;
const NUD_PERMANENT: u16 = 0x80;

/// A request to add an address.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AddressRequest {
    pub(crate) ifindex: u32,
    pub(crate) address: Ipv6Addr,
    pub(crate) prefix_len: u8,
    /// `IFA_F_*`
    pub(crate) flags: u32,
    /// Preferred and valid, seconds.
    pub(crate) lifetimes: Option<(u32, u32)>,
}

/// `struct in6_ifreq`
#[repr(C)]
struct InterfaceRequest {
    address: [u8; 16],
    prefix_len: u32,
    ifindex: u32,
}

impl AddressRequest {
    /// Sends it in `netns`; the errno of the answer, 0 where it was granted.
    pub(crate) fn send(&self, netns: &Netns) -> Result<i32> {
        self.send_with(netns, 0)
    }

    /// The same, to change the address if it is there.
    pub(crate) fn replacing(&self, netns: &Netns) -> Result<i32> {
        self.send_with(netns, NLM_F_REPLACE)
    }

    /// Has it deleted, likewise.
    pub(crate) fn delete(&self, netlink: &mut Netlink) -> Result<i32> {
        netlink.ask(RTM_DELADDR, 0, &self.body())
    }

    /// Asks by an ioctl instead, which knows neither flags nor lifetimes.
    pub(crate) fn by_ioctl(&self, netns: &Netns) -> Result<i32> {
        self.ioctl(netns, libc::SIOCSIFADDR)
    }

    /// Asks for the address to be deleted, by an ioctl.
    pub(crate) fn delete_by_ioctl(&self, netns: &Netns) -> Result<i32> {
        self.ioctl(netns, libc::SIOCDIFADDR)
    }

    fn ioctl(&self, netns: &Netns, operation: libc::Ioctl) -> Result<i32> {
        let request = InterfaceRequest {
            address: self.address.octets(),
            prefix_len: self.prefix_len.into(),
            ifindex: self.ifindex,
        };
        netns.enter(|| {
            let socket = Socket::new(Domain::IPV6, Type::DGRAM, None)?;
            // SAFETY: SIOCSIFADDR and SIOCDIFADDR of such a socket read one struct
            // in6_ifreq, whose size and layout `request` has; the descriptor is open.
            let done = unsafe { libc::ioctl(socket.as_raw_fd(), operation, &raw const request) };
            let error = std::io::Error::last_os_error();
            Ok(if done == 0 {
                0
            } else {
                error.raw_os_error().unwrap_or_default()
            })
        })
    }

    /// Asks for it by a socket that is there; the errno of the answer.
    pub(crate) fn add(&self, netlink: &mut Netlink) -> Result<i32> {
        netlink.ask(RTM_NEWADDR, 0, &self.body())
    }

    fn send_with(&self, netns: &Netns, flags: u16) -> Result<i32> {
        Netlink::open(netns)?.ask(RTM_NEWADDR, flags, &self.body())
    }

    fn body(&self) -> Vec<u8> {
        let mut message = vec![inet6(), self.prefix_len, 0, 0];
        message.extend(self.ifindex.to_ne_bytes());
        for kind in [IFA_LOCAL, IFA_ADDRESS] {
            attribute(&mut message, kind, &self.address.octets());
        }
        attribute(&mut message, IFA_FLAGS, &self.flags.to_ne_bytes());
        if let Some((preferred, valid)) = self.lifetimes {
            let mut lifetimes = [0; 16];
            lifetimes[..4].copy_from_slice(&preferred.to_ne_bytes());
            lifetimes[4..8].copy_from_slice(&valid.to_ne_bytes());
            attribute(&mut message, IFA_CACHEINFO, &lifetimes);
        }
        message
    }
}

/// A request to add a route by an interface.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RouteRequest {
    pub(crate) destination: IpAddr,
    pub(crate) prefix_len: u8,
    /// 0 names none.
    pub(crate) ifindex: u32,
}

impl RouteRequest {
    /// Asks for it; the errno of the answer, 0 where it was granted.
    pub(crate) fn add(&self, netlink: &mut Netlink) -> Result<i32> {
        netlink.ask(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &self.body())
    }

    /// Has it deleted, likewise.
    pub(crate) fn delete(&self, netlink: &mut Netlink) -> Result<i32> {
        netlink.ask(RTM_DELROUTE, 0, &self.body())
    }

    fn body(&self) -> Vec<u8> {
        let (family, destination) = match self.destination {
            IpAddr::V4(address) => (inet(), address.octets().to_vec()),
            IpAddr::V6(address) => (inet6(), address.octets().to_vec()),
        };
        let scope = match self.destination {
            IpAddr::V4(_) => RT_SCOPE_LINK,
            IpAddr::V6(_) => 0,
        };
        let mut body = vec![family, self.prefix_len, 0, 0];
        body.extend([RT_TABLE_MAIN, RTPROT_STATIC, scope, RTN_UNICAST]);
        body.extend([0; 4]);
        attribute(&mut body, RTA_DST, &destination);
        if self.ifindex != 0 {
            attribute(&mut body, RTA_OIF, &self.ifindex.to_ne_bytes());
        }
        body
    }
}

/// A request for a neighbour's entry that stays.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NeighbourRequest {
    pub(crate) ifindex: u32,
    pub(crate) address: Ipv6Addr,
    pub(crate) link_address: [u8; 6],
}

impl NeighbourRequest {
    /// Asks for it, whatever there is; the errno of the answer, 0 where it was granted.
    pub(crate) fn replace(&self, netlink: &mut Netlink) -> Result<i32> {
        netlink.ask(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, &self.body())
    }

    /// Has it deleted, likewise.
    pub(crate) fn delete(&self, netlink: &mut Netlink) -> Result<i32> {
        netlink.ask(RTM_DELNEIGH, 0, &self.body())
    }

    fn body(&self) -> Vec<u8> {
        let mut body = vec![inet6(), 0, 0, 0];
        body.extend(self.ifindex.to_ne_bytes());
        body.extend(NUD_PERMANENT.to_ne_bytes());
        body.extend([0; 2]);
        attribute(&mut body, NDA_DST, &self.address.octets());
        attribute(&mut body, NDA_LLADDR, &self.link_address);
        body
    }
}

/// Has an interface set up, or down; the errno of the answer, 0 where it was granted.
pub(crate) fn set_up(netlink: &mut Netlink, ifindex: u32, is_up: bool) -> Result<i32> {
    let mut body = vec![0; 4];
    body.extend(ifindex.to_ne_bytes());
    body.extend(u32::from(is_up).to_ne_bytes());
    // Which of its flags are meant: IFF_UP.
    body.extend(1_u32.to_ne_bytes());
    netlink.ask(RTM_NEWLINK, 0, &body)
}

/// A socket for requests.
pub(crate) struct Netlink(Socket);

impl Netlink {
    /// One in `netns`.
    pub(crate) fn open(netns: &Netns) -> Result<Self> {
        netns.enter(|| {
            let route = Protocol::from(libc::NETLINK_ROUTE);
            Socket::new(Domain::from(libc::AF_NETLINK), Type::RAW, Some(route))
                .map(Self)
                .context("cannot open a netlink socket")
        })
    }

    /// Sends a request; the errno of the answer, 0 where it was granted.
    pub(crate) fn ask(&mut self, kind: u16, flags: u16, body: &[u8]) -> Result<i32> {
        let length = u32::try_from(16 + body.len()).unwrap_or(u32::MAX);
        let mut message = Vec::new();
        message.extend(length.to_ne_bytes());
        message.extend(kind.to_ne_bytes());
        message.extend((NLM_F_REQUEST | NLM_F_ACK | flags).to_ne_bytes());
        message.extend([0; 8]);
        message.extend(body);
        self.0.write_all(&message)?;
        let mut answer = [0; 4096];
        let length = self.0.read(&mut answer)?;
        // After the header of the message, NLMSG_ERROR has the errno.
        let errno = answer.get(16..20).filter(|_| length >= 20);
        let errno = errno.context("the kernel's answer is short")?;
        Ok(-i32::from_ne_bytes(errno.try_into()?))
    }

    /// Waits until what the kernel says of an interface fits; `what` says which that is.
    pub(crate) fn wait_for_link(
        &mut self,
        name: &str,
        what: &str,
        limit: Duration,
        fits: impl Fn(&[LinkAttribute]) -> bool,
    ) -> Result<()> {
        let mut last = Ok(());
        let waited = until(what, limit, || {
            let told = self.link(name);
            let fitting = told.as_ref().is_ok_and(|told| fits(told));
            last = told.map(|_| ());
            fitting
        });
        waited.with_context(|| format!("what the kernel says of {name}: {last:?}"))
    }

    /// What the kernel says of an interface.
    ///
    /// # Errors
    /// There is none of that name.
    fn link(&mut self, name: &str) -> Result<Vec<LinkAttribute>> {
        let mut wanted = LinkMessage::default();
        wanted
            .attributes
            .push(LinkAttribute::IfName(name.to_owned()));
        let mut request = NetlinkMessage::from(RouteNetlinkMessage::GetLink(wanted));
        request.header.flags = NLM_F_REQUEST;
        request.finalize();
        let mut message = vec![0; request.buffer_len()];
        request.serialize(&mut message);
        self.0.write_all(&message)?;
        let mut answer = vec![0; 1 << 15];
        let length = self.0.read(&mut answer)?;
        match NetlinkMessage::deserialize(&answer[..length])?.payload {
            NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewLink(link)) => Ok(link.attributes),
            other => bail!("{name}: {other:?}"),
        }
    }
}

/// `AF_INET`, as messages have it.
fn inet() -> u8 {
    u8::try_from(libc::AF_INET).unwrap_or_default()
}

/// `AF_INET6`, as messages have it.
fn inet6() -> u8 {
    u8::try_from(libc::AF_INET6).unwrap_or_default()
}

/// Appends an attribute, and fills its last word up.
pub(crate) fn attribute(message: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let length = u16::try_from(4 + value.len()).unwrap_or(u16::MAX);
    message.extend(length.to_ne_bytes());
    message.extend(kind.to_ne_bytes());
    message.extend(value);
    message.resize(message.len().next_multiple_of(4), 0);
}
