//! The groups of which bridges have heard that somebody listens to them, and whether routers
//! are there, which are handed all groups; in the calling thread's network namespace, over
//! netlink.

use std::{io, net::Ipv6Addr};

use netlink_packet_core::{
    DecodeError, NetlinkDeserializable, NetlinkHeader, NetlinkSerializable, NlaBuffer,
    NlasIterator, parse_u32,
};
use netlink_sys::protocols::NETLINK_ROUTE;

use super::netlink;

/// `RTM_GETMDB`, of the request and of its answers.
const GET: u16 = 86;
/// `AF_BRIDGE`
const BRIDGE: u8 = 7;
/// Bytes of `struct br_port_msg`: the family, and after three of no meaning the index.
const HEADER: usize = 8;
/// `MDBA_MDB`, `MDBA_MDB_ENTRY` and `MDBA_MDB_ENTRY_INFO`, each within the one before.
const TABLE: u16 = 1;
const ENTRY: u16 = 1;
const INFO: u16 = 1;
/// `MDBA_ROUTER`, and within it `MDBA_ROUTER_PORT`.
const ROUTERS: u16 = 2;
const ROUTER: u16 = 1;
/// Where `struct br_mdb_entry` has the index of the port, the group, and the protocol of
/// that in the order of the network.
const PORT: std::ops::Range<usize> = 0..4;
const GROUP: std::ops::Range<usize> = 8..24;
const PROTOCOL: std::ops::Range<usize> = 24..26;
const IPV6: [u8; 2] = [0x86, 0xdd];

/// What a bridge lists; nothing in a request.
#[derive(Clone, Debug, Default)]
struct Message {
    /// The bridge's index.
    bridge: u32,
    /// Groups, and the ports behind which they have members.
    members: Vec<(Ipv6Addr, u32)>,
    /// Whether routers are behind any of its ports.
    has_routers: bool,
}

/// The ports of a bridge behind which a group has members, by index; its own index where
/// the host itself is one. `None` where routers are behind any.
pub(crate) fn ports(bridge: u32, group: Ipv6Addr) -> io::Result<Option<Vec<u32>>> {
    let lists = netlink::dump(NETLINK_ROUTE, &Message::default(), |list: Message| {
        (list.bridge == bridge).then_some(list)
    })?;
    if lists.iter().any(|list| list.has_routers) {
        return Ok(None);
    }
    let members = lists.into_iter().flat_map(|list| list.members);
    let mut ports: Vec<u32> = members
        .filter(|(listed, _)| *listed == group)
        .map(|(_, port)| port)
        .collect();
    // Of several VLANs each has its own.
    ports.sort_unstable();
    ports.dedup();
    Ok(Some(ports))
}

impl NetlinkSerializable for Message {
    fn message_type(&self) -> u16 {
        GET
    }

    fn buffer_len(&self) -> usize {
        HEADER
    }

    fn serialize(&self, buffer: &mut [u8]) {
        buffer.fill(0);
        buffer[0] = BRIDGE;
    }
}

impl NetlinkDeserializable for Message {
    type Error = DecodeError;

    fn deserialize(_: &NetlinkHeader, payload: &[u8]) -> Result<Self, DecodeError> {
        let short = || DecodeError::from("a list of members that is too short");
        let (header, attributes) = payload.split_at_checked(HEADER).ok_or_else(short)?;
        let mut message = Self {
            bridge: parse_u32(&header[4..])?,
            ..Self::default()
        };
        for routers in within(attributes, ROUTERS) {
            message.has_routers |= within(routers?.value(), ROUTER).next().is_some();
        }
        for table in within(attributes, TABLE) {
            for entry in within(table?.value(), ENTRY) {
                for info in within(entry?.value(), INFO) {
                    message.members.extend(member(info?.value()));
                }
            }
        }
        Ok(message)
    }
}

/// The attributes of a sort.
fn within(bytes: &[u8], kind: u16) -> impl Iterator<Item = Result<NlaBuffer<&[u8]>, DecodeError>> {
    let all = NlasIterator::new(bytes);
    all.filter(move |one| one.as_ref().map_or(true, |one| one.kind() == kind))
}

/// A group of IPv6, and the port of a member.
fn member(entry: &[u8]) -> Option<(Ipv6Addr, u32)> {
    if entry.get(PROTOCOL)? != IPV6 {
        return None;
    }
    let group: [u8; 16] = entry.get(GROUP)?.try_into().ok()?;
    let port = u32::from_ne_bytes(entry.get(PORT)?.try_into().ok()?);
    Some((group.into(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let length = u16::try_from(4 + value.len()).unwrap();
        let mut bytes = [length.to_ne_bytes(), kind.to_ne_bytes()].concat();
        bytes.extend(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    fn entry(port: u32, group: [u8; 16], protocol: [u8; 2]) -> Vec<u8> {
        let mut bytes = port.to_ne_bytes().to_vec();
        bytes.extend([0; 4]);
        bytes.extend(group);
        bytes.extend(protocol);
        bytes.extend([0; 2]);
        // With a timer, as the kernel appends one.
        let info = attribute(INFO, &[bytes, attribute(1, &[0; 4])].concat());
        attribute(ENTRY, &info)
    }

    fn read(payload: &[u8]) -> Result<Message, DecodeError> {
        Message::deserialize(&NetlinkHeader::default(), payload)
    }

    #[test]
    fn members_of_ipv6_are_read() {
        let group: Ipv6Addr = "ff02::1:ff00:9".parse().unwrap();
        let entries = [
            entry(7, group.octets(), IPV6),
            entry(8, [224; 16], [0x08, 0x00]),
        ];
        let mut payload = vec![BRIDGE, 0, 0, 0];
        payload.extend(3_u32.to_ne_bytes());
        payload.extend(attribute(TABLE, &entries.concat()));
        let message = read(&payload).unwrap();
        assert!(!message.has_routers);
        assert_eq!(message.bridge, 3);
        assert_eq!(message.members, [(group, 7)]);
        assert!(read(&payload[..7]).is_err());
        // Of what is cut off, nothing is made up.
        for length in HEADER..payload.len() {
            let found = read(&payload[..length]).map_or(0, |cut| cut.members.len());
            assert_eq!(found, 0, "{length} bytes");
        }
        let router = attribute(ROUTER, &[7_u32.to_ne_bytes(), [0; 4]].concat());
        payload.extend(attribute(ROUTERS, &router));
        assert!(read(&payload).unwrap().has_routers);
    }
}
