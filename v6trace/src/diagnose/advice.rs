//! What fixes of all families have in common.

use std::borrow::Cow;

use crate::{decode::Event, session::Session};

/// `command`, to be run in the network namespace of the event: as it is where
/// v6trace's own is meant, else through whatever names the namespace.
pub(super) fn in_netns(event: &Event, session: &Session, command: &str) -> String {
    if session.is_own_namespace(event.netns) {
        command.to_owned()
    } else if let Some(name) = session.namespace_name(event.netns) {
        format!("ip netns exec {} {command}", quoted(name))
    } else if let Some(task) = event.culprit()
        && session.is_process_in(task.pid, event.netns)
    {
        format!("nsenter --net=/proc/{}/ns/net {command}", task.pid)
    } else {
        // Not a command: pasted as it is, it would run in another namespace.
        format!("in network namespace {}: {command}", event.netns)
    }
}

/// The command that sets `net.ipv6.conf.INTERFACE.SYSCTL`. With slashes, since
/// an interface's name may hold dots.
pub(crate) fn set_interface_sysctl(interface: &str, sysctl: &str, value: i32) -> String {
    let setting = format!("net/ipv6/conf/{interface}/{sysctl}={value}");
    match quoted(interface) {
        // An equals sign needs no quotes, whatever a cautious quoter thinks.
        Cow::Borrowed(_) => format!("sysctl -w {setting}"),
        Cow::Owned(_) => format!("sysctl -w {}", quoted(&setting)),
    }
}

/// A word of a command to paste. Whoever may name interfaces and namespaces,
/// a container's root among others, must not thereby choose what is run.
pub(crate) fn quoted(word: &str) -> Cow<'_, str> {
    // Only a NUL cannot be quoted, and no name that was decoded has one.
    shlex::try_quote(word).unwrap_or(Cow::Borrowed("NAME"))
}
