//! Datagrams with a source of the sender's choice.

use std::io;
use std::mem::{size_of, zeroed};
use std::net::{Ipv6Addr, SocketAddrV6};
use std::os::fd::{AsFd, AsRawFd as _};

use socket2::SockAddr;

/// Room for one part of control data, aligned as the kernel wants it.
#[repr(C, align(8))]
struct Control([u8; 64]);

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
    let mut control = Control([0; 64]);
    let info = libc::in6_pktinfo {
        ipi6_addr: libc::in6_addr {
            s6_addr: source.octets(),
        },
        ipi6_ifindex: ifindex,
    };
    // A constant of a few bytes; it fits.
    #[expect(clippy::cast_possible_truncation)]
    const LENGTH: u32 = size_of::<libc::in6_pktinfo>() as u32;
    // SAFETY: msghdr is plain old data, for which zeroes are valid.
    let mut message: libc::msghdr = unsafe { zeroed() };
    message.msg_name = to.as_ptr().cast_mut().cast();
    message.msg_namelen = to.len();
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    message.msg_control = control.0.as_mut_ptr().cast();
    // SAFETY: only calculates.
    message.msg_controllen = unsafe { libc::CMSG_SPACE(LENGTH) } as usize;
    // SAFETY: the control data is aligned and has room for a header and the
    // information behind it, so the pointers are into it.
    unsafe {
        let header = libc::CMSG_FIRSTHDR(&raw const message);
        (*header).cmsg_level = libc::IPPROTO_IPV6;
        (*header).cmsg_type = libc::IPV6_PKTINFO;
        (*header).cmsg_len = libc::CMSG_LEN(LENGTH) as usize;
        libc::CMSG_DATA(header)
            .cast::<libc::in6_pktinfo>()
            .write_unaligned(info);
    }
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
