//! Sockets as `/proc/net/tcp6` and its neighbours list them, for kernels that
//! cannot list them over netlink: that takes the modules `inet_diag` and
//! `tcp_diag` or `udp_diag`, and a host may forbid to load any.

use std::{
    fs::{self, File},
    io::{self, BufRead as _, BufReader},
    net::{IpAddr, Ipv4Addr},
};

use super::{Family, InetSocket, Protocol};

/// The sockets in the network namespace of the calling thread, not of the
/// process.
pub(super) fn sockets(family: Family, protocol: Protocol) -> io::Result<Vec<InetSocket>> {
    let list = fs::read_to_string(path(family, protocol))?;
    Ok(list.lines().skip(1).filter_map(socket).collect())
}

/// Those ahead of the first that is not wanted: the kernel lists sockets that wait for
/// connections ahead of all others, of which there may be very many.
pub(super) fn first(
    family: Family,
    protocol: Protocol,
    wanted: impl Fn(&InetSocket) -> bool,
) -> io::Result<Vec<InetSocket>> {
    let mut found = Vec::new();
    let list = BufReader::new(File::open(path(family, protocol))?);
    for line in list.lines().skip(1) {
        match socket(&line?) {
            Some(socket) if wanted(&socket) => found.push(socket),
            _ => break,
        }
    }
    Ok(found)
}

/// Where they are listed for the calling thread.
fn path(family: Family, protocol: Protocol) -> String {
    let name = match (protocol, family) {
        (Protocol::Tcp, Family::V4) => "tcp",
        (Protocol::Tcp, Family::V6) => "tcp6",
        (Protocol::Udp, Family::V4) => "udp",
        (Protocol::Udp, Family::V6) => "udp6",
    };
    format!("/proc/thread-self/net/{name}")
}

/// A line: number, own end, other end, state, queues, timer, retransmissions,
/// user, timeouts, inode number and more.
fn socket(line: &str) -> Option<InetSocket> {
    let mut words = line.split_whitespace().skip(1);
    let (from, from_port) = end(words.next()?)?;
    let (to, to_port) = end(words.next()?)?;
    let state = u8::from_str_radix(words.next()?, 16).ok()?;
    let uid = words.nth(3)?.parse().ok()?;
    let inode = words.nth(1)?.parse().ok()?;
    Some(InetSocket {
        from,
        from_port,
        to,
        to_port,
        state,
        bound: None,
        uid,
        inode,
        v6only: None,
    })
}

/// An address and a port. Of the address, each four bytes are a number in the
/// machine's order.
fn end(word: &str) -> Option<(IpAddr, u16)> {
    let (address, port) = word.split_once(':')?;
    let mut bytes = [0; 16];
    let is_v4 = address.len() == 8;
    for (index, part) in bytes.chunks_exact_mut(4).enumerate() {
        if is_v4 && index > 0 {
            break;
        }
        let digits = address.get(index * 8..index * 8 + 8)?;
        let number = u32::from_str_radix(digits, 16).ok()?;
        part.copy_from_slice(&number.to_ne_bytes());
    }
    let address = if is_v4 {
        let [a, b, c, d, ..] = bytes;
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    } else {
        IpAddr::V6(bytes.into())
    };
    Some((address, u16::from_str_radix(port, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn a_line_is_a_socket() {
        let line = "   1: 040000FD000000000000000005000000:9C40 040000FD000000000000000000000000:143B \
                    01 00000000:00000000 02:000AFC80 00000000   107        0 12345 2 0000000000000000 \
                    20 4 30 10 -1";
        let found = socket(line).unwrap();
        let expected = InetSocket {
            from: "fd00:4::5".parse().unwrap(),
            from_port: 40000,
            to: "fd00:4::".parse().unwrap(),
            to_port: 5179,
            state: 1,
            bound: None,
            uid: 107,
            inode: 12345,
            v6only: None,
        };
        assert_eq!(found, expected);
        assert_eq!(socket(&line[..60]), None);
        assert_eq!(socket(""), None);
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn ipv4_has_shorter_addresses() {
        let line = "  0: 0100007F:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0  \
                          0 777 1 0000000000000000 100 0 0 10 0";
        let found = socket(line).unwrap();
        assert_eq!(found.from, "127.0.0.1".parse::<IpAddr>().unwrap());
        assert_eq!((found.from_port, found.inode), (80, 777));
    }
}
