//! Asking the kernel for lists, over netlink.
//!
//! ```text
//! request -> kernel -> datagrams -> messages -> keep() -> what is wanted
//! ```
//!
//! A list is whole or an error: one that broke off, or that changed while the
//! kernel went through it, is not taken for what there is.

use std::io;

use netlink_packet_core::{
    NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST, NetlinkDeserializable, NetlinkHeader,
    NetlinkMessage, NetlinkPayload, NetlinkSerializable,
};
use netlink_sys::{Socket, SocketAddr};

/// How often a list is asked for that changes all the time.
const TRIES: u32 = 4;

/// Asks for all that `request` describes, in the network namespace of the
/// calling thread, and gives what `keep` makes of the answers, each as it
/// comes: a list may be long, and what is wanted of it short.
///
/// `protocol` is one of `netlink_sys::protocols`.
///
/// # Errors
/// The kernel refuses, breaks off, or the list changed each time it was asked
/// for.
pub(crate) fn dump<M, T>(
    protocol: isize,
    request: &M,
    keep: impl FnMut(M) -> Option<T>,
) -> io::Result<Vec<T>>
where
    M: NetlinkSerializable + NetlinkDeserializable + Clone,
{
    collect(|| Socket::new(protocol), request, keep)
}

/// The same, of a kernel that is told to honour the request's filters.
pub(crate) fn dump_filtered<M, T>(
    protocol: isize,
    request: &M,
    keep: impl FnMut(M) -> Option<T>,
) -> io::Result<Vec<T>>
where
    M: NetlinkSerializable + NetlinkDeserializable + Clone,
{
    let strict = || {
        let socket = Socket::new(protocol)?;
        socket.set_netlink_get_strict_chk(true)?;
        Ok(socket)
    };
    collect(strict, request, keep)
}

fn collect<M, T>(
    open: impl Fn() -> io::Result<Socket>,
    request: &M,
    mut keep: impl FnMut(M) -> Option<T>,
) -> io::Result<Vec<T>>
where
    M: NetlinkSerializable + NetlinkDeserializable + Clone,
{
    for _ in 0..TRIES {
        let mut socket = open()?;
        socket.bind_auto()?;
        socket.connect(&SocketAddr::new(0, 0))?;
        send(&socket, request.clone(), NLM_F_DUMP)?;
        let mut list = List::new(&mut keep);
        while !list.ended {
            let (datagram, _) = socket.recv_from_full()?;
            list.take(&datagram)?;
        }
        if !list.interrupted {
            return Ok(list.kept);
        }
    }
    Err(io::Error::new(
        io::ErrorKind::Interrupted,
        "the list changed each time that it was asked for",
    ))
}

/// Asks for one thing, on a socket of `protocol` in the network namespace of
/// the calling thread.
///
/// # Errors
/// The kernel refuses, or answers nothing that is understood.
pub(crate) fn ask<M>(protocol: isize, request: M) -> io::Result<M>
where
    M: NetlinkSerializable + NetlinkDeserializable,
{
    let mut socket = Socket::new(protocol)?;
    socket.bind_auto()?;
    socket.connect(&SocketAddr::new(0, 0))?;
    send(&socket, request, 0)?;
    let (datagram, _) = socket.recv_from_full()?;
    match NetlinkMessage::<M>::deserialize(&datagram)
        .map_err(malformed)?
        .payload
    {
        NetlinkPayload::InnerMessage(answer) => Ok(answer),
        NetlinkPayload::Error(error) => Err(error.to_io()),
        _ => Err(malformed("an answer of another kind")),
    }
}

fn malformed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

fn send<M: NetlinkSerializable>(socket: &Socket, request: M, flags: u16) -> io::Result<()> {
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST | flags;
    let mut message = NetlinkMessage::new(header, NetlinkPayload::InnerMessage(request));
    message.finalize();
    let mut buffer = vec![0; message.buffer_len()];
    message.serialize(&mut buffer);
    socket.send(&buffer, 0).map(drop)
}

/// The answers to one request, as they come.
struct List<'k, K, T> {
    keep: &'k mut K,
    kept: Vec<T>,
    /// The kernel has said that this was all.
    ended: bool,
    /// The kernel has said that something changed meanwhile, so that entries
    /// may be missing or there twice.
    interrupted: bool,
}

impl<'k, K, T> List<'k, K, T> {
    fn new(keep: &'k mut K) -> Self {
        Self {
            keep,
            kept: Vec::new(),
            ended: false,
            interrupted: false,
        }
    }

    /// Takes the messages of one datagram.
    fn take<M: NetlinkDeserializable>(&mut self, datagram: &[u8]) -> io::Result<()>
    where
        K: FnMut(M) -> Option<T>,
    {
        let mut rest = datagram;
        while !rest.is_empty() && !self.ended {
            let message = NetlinkMessage::<M>::deserialize(rest).map_err(malformed)?;
            let length = (message.header.length as usize).next_multiple_of(4);
            self.interrupted |= message.header.flags & NLM_F_DUMP_INTR != 0;
            match message.payload {
                NetlinkPayload::InnerMessage(answer) => self.kept.extend((self.keep)(answer)),
                NetlinkPayload::Error(error) if error.code.is_some() => {
                    return Err(error.to_io());
                }
                // What a dump fails with after its first datagram.
                NetlinkPayload::Done(done) if done.code < 0 => {
                    return Err(io::Error::from_raw_os_error(-done.code));
                }
                NetlinkPayload::Done(_) => self.ended = true,
                NetlinkPayload::Overrun(_) => {
                    return Err(io::Error::other("the kernel dropped a part of the list"));
                }
                _ => {}
            }
            rest = rest.get(length.max(1)..).unwrap_or_default();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use netlink_packet_core::{DoneMessage, NLM_F_MULTIPART};
    use netlink_packet_route::{RouteNetlinkMessage, link::LinkMessage};

    use super::*;

    type Payload = NetlinkPayload<RouteNetlinkMessage>;

    fn bytes(flags: u16, payload: Payload) -> Vec<u8> {
        let mut header = NetlinkHeader::default();
        header.flags = NLM_F_MULTIPART | flags;
        let mut message = NetlinkMessage::new(header, payload);
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);
        bytes
    }

    fn link(flags: u16, ifindex: u32) -> Vec<u8> {
        let mut link = LinkMessage::default();
        link.header.index = ifindex;
        bytes(
            flags,
            Payload::InnerMessage(RouteNetlinkMessage::NewLink(link)),
        )
    }

    fn done(code: i32) -> Vec<u8> {
        let mut done = DoneMessage::default();
        done.code = code;
        bytes(0, Payload::Done(done))
    }

    /// What a list of these datagrams holds: even indexes, whether it has
    /// ended, and whether it changed meanwhile.
    fn read(datagrams: &[Vec<u8>]) -> io::Result<(Vec<u32>, bool, bool)> {
        let mut keep = |message| match message {
            RouteNetlinkMessage::NewLink(link) => {
                Some(link.header.index).filter(|index| index % 2 == 0)
            }
            _ => None,
        };
        let mut list = List::new(&mut keep);
        for datagram in datagrams {
            list.take(datagram)?;
        }
        Ok((list.kept, list.ended, list.interrupted))
    }

    #[test]
    fn a_list_ends_with_done_and_only_what_is_wanted_is_kept() {
        let first = [link(0, 2), link(0, 3)].concat();
        let whole = read(&[first.clone(), link(0, 4), done(0)]).unwrap();
        assert_eq!(whole, (vec![2, 4], true, false));
        let more_to_come = read(&[first]).unwrap();
        assert_eq!(more_to_come, (vec![2], false, false));
    }

    #[test]
    fn a_list_that_broke_off_is_an_error() {
        let error = read(&[link(0, 2), done(-libc::EMSGSIZE)]).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EMSGSIZE));
        let overrun = bytes(0, Payload::Overrun(vec![0; 4]));
        assert!(read(&[link(0, 2), overrun]).is_err());
        let cut = &link(0, 2)[..20];
        assert!(read(&[cut.to_vec()]).is_err());
    }

    #[test]
    fn a_list_that_changed_meanwhile_says_so() {
        let flagged = [link(0, 2), link(NLM_F_DUMP_INTR, 4)].concat();
        assert!(read(&[flagged, done(0)]).unwrap().2);
        let at_the_end = {
            let mut header = NetlinkHeader::default();
            header.flags = NLM_F_DUMP_INTR;
            bytes(header.flags, Payload::Done(DoneMessage::default()))
        };
        assert!(read(&[link(0, 2), at_the_end]).unwrap().2);
    }
}
