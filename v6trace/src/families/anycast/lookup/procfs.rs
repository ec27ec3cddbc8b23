//! TCP sockets as `/proc/net/tcp6` lists them, for kernels that cannot list them
//! over netlink: that takes the modules `inet_diag` and `tcp_diag`, and a host
//! may forbid to load any.

use std::{
    collections::HashMap,
    fs, io,
    net::{IpAddr, Ipv6Addr},
};

use super::{connections::TcpSocket, vrf_of};
use crate::observe::inside::Inside;

/// Of the calling thread's namespace, not of the process's.
const LIST: &str = "/proc/thread-self/net/tcp6";

/// The sockets in the network namespace of the calling thread. To what they are
/// bound is not listed: it is taken to be the VRF that their own address is in.
pub(super) fn sockets() -> io::Result<Vec<TcpSocket>> {
    let list = fs::read_to_string(LIST)?;
    let vrfs = vrfs()?;
    let sockets = list.lines().skip(1).filter_map(socket);
    Ok(sockets
        .map(|socket| TcpSocket {
            bound: vrfs.get(&socket.from).copied().unwrap_or(0),
            ..socket
        })
        .collect())
}

/// The VRFs that addresses are in.
fn vrfs() -> io::Result<HashMap<Ipv6Addr, u32>> {
    let inside = Inside::look()?;
    let held = inside.addresses.iter().filter_map(|held| {
        let IpAddr::V6(address) = held.address else {
            return None;
        };
        let (vrf, _) = vrf_of(&inside.links, held.ifindex)?;
        Some((address, vrf))
    });
    Ok(held.collect())
}

/// A line: number, own end, other end, state, queues, timer, retransmissions,
/// user, timeouts, inode number and more.
fn socket(line: &str) -> Option<TcpSocket> {
    let mut words = line.split_whitespace().skip(1);
    let (from, from_port) = end(words.next()?)?;
    let (to, to_port) = end(words.next()?)?;
    let state = u8::from_str_radix(words.next()?, 16).ok()?;
    let inode = words.nth(5)?.parse().ok()?;
    Some(TcpSocket {
        from,
        from_port,
        to,
        to_port,
        state,
        bound: 0,
        inode,
    })
}

/// An address and a port. Of the address, each four bytes are a number in the
/// machine's order.
fn end(word: &str) -> Option<(Ipv6Addr, u16)> {
    let (address, port) = word.split_once(':')?;
    let mut bytes = [0; 16];
    for (index, part) in bytes.chunks_exact_mut(4).enumerate() {
        let digits = address.get(index * 8..index * 8 + 8)?;
        let number = u32::from_str_radix(digits, 16).ok()?;
        part.copy_from_slice(&number.to_ne_bytes());
    }
    Some((bytes.into(), u16::from_str_radix(port, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn a_line_is_a_socket() {
        let line = "   1: 040000FD000000000000000005000000:9C40 040000FD000000000000000000000000:143B \
                    01 00000000:00000000 02:000AFC80 00000000     0        0 12345 2 0000000000000000 \
                    20 4 30 10 -1";
        let found = socket(line).unwrap();
        let expected = TcpSocket {
            from: "fd00:4::5".parse().unwrap(),
            from_port: 40000,
            to: "fd00:4::".parse().unwrap(),
            to_port: 5179,
            state: 1,
            bound: 0,
            inode: 12345,
        };
        assert_eq!(found, expected);
        assert_eq!(socket(&line[..60]), None);
        assert_eq!(socket(""), None);
    }
}
