//! Why a local address was refused, or a socket.

mod absent;
mod bound;
mod in_use;
mod off;
mod source;
mod standing;
mod tested;

use std::net::IpAddr;

use v6trace_common::families::bind as wire;

use super::{Cause, LocalAddressRefused};
use crate::{
    explain::{Diagnosis, Fix, Subject, Value},
    families::Occurrence as _,
};

pub(super) use off::off;
pub(crate) use off::off_as_it_is;
#[cfg(feature = "live")]
pub(super) use off::switched_off;
pub(crate) use tested::why_tentative;

/// Explains an address that was refused.
pub(super) fn refused(refused: &LocalAddressRefused, subject: Subject<'_>) -> Option<Diagnosis> {
    let story = Story { refused, subject };
    let decided = if subject.event.hook == wire::SEND_SOURCE {
        story.source()?
    } else {
        story.bound()?
    };
    let holders = refused.holders.iter().map(|holder| {
        Value::Group(vec![
            ("interface", holder.interface.as_str().into()),
            ("ifindex", holder.ifindex.into()),
            ("flags", holder.address_flags.into()),
            ("prefix_len", holder.prefix_len.into()),
            ("anycast", holder.anycast.into()),
        ])
    });
    let mut diagnosis = decided
        .with("held_by", Value::List(holders.collect()))
        .with("scope_id", refused.scope_id)
        .with("bound_ifindex", refused.bound_ifindex)
        .with("socket", refused.socket_inode);
    if refused.suppressed > 0 {
        diagnosis = diagnosis.with("suppressed", refused.suppressed);
    }
    diagnosis.errno = Some(refused.errno);
    diagnosis.address = Some(IpAddr::V6(refused.address));
    Some(diagnosis)
}

/// An address that was refused, with what it is explained by.
pub(super) struct Story<'a> {
    pub(super) refused: &'a LocalAddressRefused,
    pub(super) subject: Subject<'a>,
}

impl Story<'_> {
    /// A diagnosis that begins with what failed.
    pub(super) fn told(&self, cause: Cause, operation: &'static str, why: &str) -> Diagnosis {
        let refused = self.refused;
        let who = self.subject.who("the kernel");
        let address = refused.address;
        let what = if operation == source::OPERATION {
            format!("{who} could not send from {address}")
        } else {
            format!("{who} could not bind to {}", self.place())
        };
        let summary = format!("{what} ({}): {why}.", refused.errno);
        Diagnosis::new(self.subject.event, cause, operation, summary)
    }

    /// "fd00::7, TCP port 53"
    fn place(&self) -> String {
        let address = self.refused.address;
        let protocol = self.refused.socket.map(|socket| socket.protocol);
        let protocol = match protocol {
            Some(6) => "TCP ",
            Some(17) => "UDP ",
            _ => "",
        };
        match self.refused.port {
            0 => address.to_string(),
            port => format!("{address}, {protocol}port {port}"),
        }
    }

    /// The interface by way of which the address was looked for.
    pub(super) fn device(&self) -> String {
        let ifindex = self.refused.ifindex;
        let name = self.refused.interface();
        name.map_or_else(|| format!("interface {ifindex}"), str::to_owned)
    }

    /// What lets any program of the namespace have addresses that are not there.
    pub(super) fn nonlocal(&self) -> Fix {
        self.subject
            .command("sysctl -w net.ipv6.ip_nonlocal_bind=1")
            .remark(
                "lets all programs of this namespace have addresses that it cannot use yet; a \
                 program can do so for itself (IPV6_FREEBIND)",
            )
    }

    pub(super) fn no_such_device(&self) -> String {
        format!(
            "no interface of this network namespace has index {}",
            self.refused.ifindex
        )
    }

    pub(super) fn list_links(&self) -> Fix {
        self.subject
            .command("ip link")
            .remark("the indexes there are; a link that comes back usually has a new one")
    }
}
