//! The numbers by which a network namespace knows others (`ip netns
//! list-id`): its interfaces name the namespace of their other end so.

use std::{
    fs::File,
    io,
    os::fd::{AsFd as _, AsRawFd as _},
};

use netlink_packet_route::{
    RouteNetlinkMessage,
    nsid::{NsidAttribute, NsidMessage},
};
use netlink_sys::protocols::NETLINK_ROUTE;

use super::netlink;

/// The number that the namespace of the calling thread has for another; `None`
/// where it has given it none.
pub(crate) fn of(namespace: &File) -> io::Result<Option<i32>> {
    let fd = namespace.as_fd().as_raw_fd();
    let fd = u32::try_from(fd).map_err(|_| io::ErrorKind::InvalidInput)?;
    let mut request = NsidMessage::default();
    request.attributes.push(NsidAttribute::Fd(fd));
    let answer = netlink::ask(NETLINK_ROUTE, RouteNetlinkMessage::GetNsId(request))?;
    let RouteNetlinkMessage::NewNsId(answer) = answer else {
        return Ok(None);
    };
    let mut attributes = answer.attributes.into_iter();
    Ok(attributes.find_map(|attribute| match attribute {
        NsidAttribute::Id(id) if id >= 0 => Some(id),
        _ => None,
    }))
}
