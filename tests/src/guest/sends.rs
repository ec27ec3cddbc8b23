//! Datagrams with a source of the sender's choice.

use std::io;
use std::mem::{size_of, zeroed};
use std::net::{Ipv6Addr, SocketAddrV6};
use std::os::fd::{AsFd, AsRawFd as _};

use socket2::SockAddr;

/// Control data of one part: the source that is asked for.
#[repr(C)]
struct Control {
    header: libc::cmsghdr,
    info: libc::in6_pktinfo,
}

/// Sends a byte from `source`, by way of the interface `ifindex` if not 0
/// (`IPV6_PKTINFO`).
pub(crate) fn send_from(
    socket: impl AsFd,
    source: Ipv6Addr,
    ifindex: u32,
    to: SocketAddrV6,
) -> io::Result<()> {
    let to = SockAddr::from(to);
    let mut byte = [0_u8];
    let mut part = libc::iovec {
        iov_base: byte.as_mut_ptr().cast(),
        iov_len: byte.len(),
    };
    let mut control = Control {
        header: libc::cmsghdr {
            cmsg_len: size_of::<libc::cmsghdr>() + size_of::<libc::in6_pktinfo>(),
            cmsg_level: libc::IPPROTO_IPV6,
            cmsg_type: libc::IPV6_PKTINFO,
        },
        info: libc::in6_pktinfo {
            ipi6_addr: libc::in6_addr {
                s6_addr: source.octets(),
            },
            ipi6_ifindex: ifindex,
        },
    };
    // SAFETY: msghdr is plain old data, for which zeroes are valid.
    let mut message: libc::msghdr = unsafe { zeroed() };
    message.msg_name = to.as_ptr().cast_mut().cast();
    message.msg_namelen = to.len();
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    message.msg_control = (&raw mut control).cast();
    message.msg_controllen = size_of::<Control>();
    let fd = socket.as_fd().as_raw_fd();
    // SAFETY: the descriptor is open while it is borrowed, and all that the
    // message points to outlives the call, which only reads it.
    let sent = unsafe { libc::sendmsg(fd, &raw const message, 0) };
    if sent < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}
