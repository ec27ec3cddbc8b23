//! What fixes, and sentences, of all families have in common.

use std::borrow::Cow;

use super::Fix;
use crate::session::Session;

/// Smallest MTU with which an interface has IPv6 (RFC 8200 section 5).
pub(crate) const IPV6_MIN_MTU: u32 = 1280;

/// What may have to come before an MTU can be raised.
pub(crate) fn raise_lower_mtu() -> Fix {
    Fix::new("on a VLAN, macvlan or tunnel: raise the MTU of the interface below first")
}

/// `command`, to be run in the network namespace with inode number `netns`: as
/// it is where v6trace's own is meant, else through the namespace's name or a
/// process that was found in it.
///
/// The command must be made of [`quoted`] words.
pub(crate) fn in_netns(session: &Session, netns: u32, command: &str) -> String {
    if session.is_own_namespace(netns) {
        command.to_owned()
    } else if let Some(name) = session.namespace_name(netns) {
        format!("ip netns exec {} {command}", quoted(name))
    } else if let Some(pid) = session.process_in(netns) {
        format!("nsenter -t {pid} -n {command}")
    } else {
        // Not a command: pasted as it is, it would run in another namespace.
        format!("in network namespace {netns}: {command}")
    }
}

/// Having a program start anew.
pub(crate) fn restart(unit: Option<&str>, comm: &str, pid: u32) -> Fix {
    Fix::new(match unit {
        Some(unit) => format!("systemctl restart {}", quoted(unit)),
        None => format!("restart {} (pid {pid})", quoted(comm)),
    })
}

/// The command that sets `net.ipv6.conf.INTERFACE.SYSCTL`.
pub(crate) fn set_interface_sysctl(interface: &str, sysctl: &str, value: i32) -> String {
    format!("sysctl -w {}", interface_sysctl(interface, sysctl, value))
}

/// The word that makes `sysctl -w` set `net.ipv6.conf.INTERFACE.SYSCTL`. With
/// slashes, since an interface's name may hold dots.
pub(crate) fn interface_sysctl(interface: &str, sysctl: &str, value: i32) -> String {
    interface_setting(interface, sysctl, &value.to_string())
}

/// The same for a value that is a word.
pub(crate) fn interface_setting(interface: &str, sysctl: &str, value: &str) -> String {
    let setting = format!("net/ipv6/conf/{interface}/{sysctl}={value}");
    match quoted(interface) {
        // An equals sign needs no quotes, whatever a cautious quoter thinks.
        Cow::Borrowed(_) => setting,
        Cow::Owned(_) => quoted(&setting).into_owned(),
    }
}

/// A word of a command to paste. Whoever may name interfaces and namespaces,
/// a container's root among others, must not thereby choose what is run.
pub(crate) fn quoted(word: &str) -> Cow<'_, str> {
    // Only a NUL cannot be quoted, and no name that was decoded has one.
    shlex::try_quote(word).unwrap_or(Cow::Borrowed("NAME"))
}

/// How long after `then` it is `now`, nanoseconds, in words: "2.5 s".
pub(crate) fn seconds_before(now: u64, then: u64) -> String {
    let tenths = now.saturating_sub(then) / 100_000_000;
    format!("{}.{} s", tenths / 10, tenths % 10)
}

/// "fe80::1, fe80::2 and 3 more", with so many named.
pub(crate) fn named(all: &[String], most: usize) -> String {
    let first = all[..all.len().min(most)].join(", ");
    match all.len().saturating_sub(most) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}
