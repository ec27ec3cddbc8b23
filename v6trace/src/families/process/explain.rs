//! A call that failed, as far as its errno tells.

use super::{Cause, Innermost, SystemCall, call::Call};
use crate::{
    catalogue::Severity,
    errno::Errno,
    explain::{Diagnosis, Subject},
    families::option,
};

/// `IPPROTO_IPV6` and `IPPROTO_ICMPV6`: levels of options.
const LEVELS: [u32; 2] = [41, 58];

/// Explains it; nothing where it went well, or is none of IPv6.
pub(super) fn explain(call: &SystemCall, subject: Subject<'_>) -> Option<Diagnosis> {
    let errno = call.errno.filter(|_| call.is_of_ipv6())?;
    let socket = call.socket?;
    if call
        .option
        .is_some_and(|(level, _)| !LEVELS.contains(&level))
    {
        return None;
    }
    let is_of_connect = call.call == Call::Error && began(call, subject);
    let summary = format!(
        "{} returned {errno} to {}. {}",
        made(call, is_of_connect),
        subject.who("the kernel"),
        reason(call, errno)
    );
    let name = if is_of_connect {
        Call::Connect.name()
    } else {
        call.call.name()
    };
    let mut diagnosis = Diagnosis::new(subject.event, Cause::CallFailed, name, summary)
        .with("call", name)
        .with("sk_family", socket.family)
        .with("sk_type", socket.kind)
        .with("sk_protocol", socket.protocol)
        .with("destination", call.host().map(|host| host.to_string()))
        .with(
            "port",
            call.address.map(|address| u32::from(address.port())),
        )
        .with("option", call.option.map(|(_, option)| option))
        .likely();
    diagnosis.errno = Some(errno);
    diagnosis.address = call.host();
    let followed = subject.session.followed();
    let innermost = followed.and_then(|followed| followed.innermost(subject.event));
    let may_be_usual = match (call.call, errno) {
        // That no port is left is no answer of a host without IPv6.
        (Call::Connect, Errno::EADDRNOTAVAIL)
            if innermost.is_some_and(Innermost::is_about_ports) =>
        {
            false
        }
        // Of what is of this host `outgoing` tells once, as a notice where it is an answer.
        // Else the other end has gone, as clients do.
        (Call::Socket | Call::SetOption, _)
        | (Call::Connect | Call::Send, Errno::ENETUNREACH | Errno::EADDRNOTAVAIL)
        | (Call::Send | Call::Receive, Errno::ECONNRESET | Errno::EPIPE) => true,
        // What a connection that was accepted came to, say.
        (Call::Error, _) => !is_of_connect,
        (Call::Connect, _) => socket.is_datagram(),
        (Call::Send | Call::Receive, Errno::ECONNREFUSED) => !call.is_connected,
        _ => false,
    };
    if may_be_usual {
        diagnosis.severity = Severity::Notice;
    }
    Some(diagnosis)
}

/// Whether the process that asked for the socket's error began to connect to that peer.
fn began(call: &SystemCall, subject: Subject<'_>) -> bool {
    let followed = subject.session.followed();
    let task = subject.event.culprit();
    followed
        .zip(task)
        .is_some_and(|(followed, task)| followed.open().began(task.pid, call))
}

/// The call, as a sentence begins.
fn made(call: &SystemCall, is_of_connect: bool) -> String {
    let on = call.socket.map_or("a socket", |socket| socket.name());
    let at = call.address.map(|address| match (address.port(), address) {
        (0, address) => address.ip().to_canonical().to_string(),
        (_, address) => address.to_string(),
    });
    match (call.call, at, call.option) {
        (Call::SetOption, _, Some((_, option))) => {
            format!("setsockopt() of {} on {on}", option::name(option))
        }
        (Call::Error, Some(at), _) if !is_of_connect => {
            format!("Asked for its error, {on} connected to {at}")
        }
        (Call::Error, None, _) => format!("Asked for its error, {on}"),
        (Call::Connect | Call::Error, Some(at), _) => format!("connect() of {on} to {at}"),
        (Call::Bind, Some(at), _) => format!("bind() of {on} to {at}"),
        (Call::Send, Some(at), _) => format!("Sending from {on} to {at}"),
        (Call::Receive, Some(at), _) => format!("Receiving on {on} from {at}"),
        (Call::Receive, None, _) => format!("Receiving on {on}"),
        (Call::Send, None, _) => format!("Sending from {on}"),
        (other, _, _) => format!("{}() of {on}", other.name()),
    }
}

/// What the errno tells.
fn reason(call: &SystemCall, errno: Errno) -> &'static str {
    match errno {
        Errno::ECONNREFUSED => {
            "Whoever has the address answered, and refused: nothing listens at that port there, or \
             a firewall rejects it."
        }
        Errno::ECONNRESET => "The other end broke the connection off.",
        Errno::ETIMEDOUT => {
            "Nobody answered in time: the packets, or the answers, are dropped on the way, or the \
             host is not there."
        }
        Errno::EHOSTUNREACH => {
            "Neighbour discovery, or a router on the way by ICMPv6, said that it cannot be reached."
        }
        Errno::ENETUNREACH => {
            "This host has no route that may be used, or a router on the way said so."
        }
        Errno::EACCES | Errno::EPERM => {
            "Something forbids it: a firewall, a security module, or a capability is missing."
        }
        Errno::EMSGSIZE => {
            "It is larger than what the way, or the socket, lets through as a whole."
        }
        Errno::ENOPROTOOPT if call.option.is_some() => {
            "The kernel, or such a socket, has no such option."
        }
        _ => "None of the conditions that v6trace knows was seen to be why.",
    }
}
