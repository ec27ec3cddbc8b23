//! Asking the kernel for lists, over netlink.

use std::io;

use netlink_packet_core::{
    NLM_F_DUMP, NLM_F_REQUEST, NetlinkDeserializable, NetlinkHeader, NetlinkMessage,
    NetlinkPayload, NetlinkSerializable,
};
use netlink_sys::{Socket, SocketAddr};

/// Asks for all that `request` describes, in the network namespace of the
/// calling thread.
///
/// `protocol` is one of `netlink_sys::protocols`. The answer is blocking and
/// complete, or an error.
pub(super) fn dump<M>(protocol: isize, request: M) -> io::Result<Vec<M>>
where
    M: NetlinkSerializable + NetlinkDeserializable,
{
    collect(Socket::new(protocol)?, request)
}

fn collect<M>(mut socket: Socket, request: M) -> io::Result<Vec<M>>
where
    M: NetlinkSerializable + NetlinkDeserializable,
{
    socket.bind_auto()?;
    socket.connect(&SocketAddr::new(0, 0))?;
    send(&socket, request)?;
    let mut answers = Vec::new();
    loop {
        let (datagram, _) = socket.recv_from_full()?;
        if take(&datagram, &mut answers)? {
            return Ok(answers);
        }
    }
}

/// The same, of a kernel that is told to honour the request's filters.
pub(super) fn dump_filtered<M>(protocol: isize, request: M) -> io::Result<Vec<M>>
where
    M: NetlinkSerializable + NetlinkDeserializable,
{
    let socket = Socket::new(protocol)?;
    socket.set_netlink_get_strict_chk(true)?;
    collect(socket, request)
}

fn send<M: NetlinkSerializable>(socket: &Socket, request: M) -> io::Result<()> {
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST | NLM_F_DUMP;
    let mut message = NetlinkMessage::new(header, NetlinkPayload::InnerMessage(request));
    message.finalize();
    let mut buffer = vec![0; message.buffer_len()];
    message.serialize(&mut buffer);
    socket.send(&buffer, 0).map(drop)
}

/// Adds the answers of one datagram; whether it was the last.
fn take<M: NetlinkDeserializable>(datagram: &[u8], answers: &mut Vec<M>) -> io::Result<bool> {
    let malformed = |error| io::Error::new(io::ErrorKind::InvalidData, error);
    let mut rest = datagram;
    while !rest.is_empty() {
        let message = NetlinkMessage::<M>::deserialize(rest).map_err(malformed)?;
        let length = (message.header.length as usize).next_multiple_of(4);
        match message.payload {
            NetlinkPayload::InnerMessage(answer) => answers.push(answer),
            NetlinkPayload::Error(error) => return Err(error.to_io()),
            NetlinkPayload::Done(_) => return Ok(true),
            _ => {}
        }
        rest = rest.get(length.max(1)..).unwrap_or_default();
    }
    Ok(false)
}
