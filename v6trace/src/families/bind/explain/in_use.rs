//! Whose socket has the port.
//!
//! `inet_csk_get_port` (TCP) and `udp_v6_get_port` go through the sockets of the
//! namespace that have the port. One is in the way where neither is bound to
//! another interface, where one address has the other one in it
//! (`ipv6_rcv_saddr_equal`), and where the two do not share it: by SO_REUSEADDR,
//! both and none that listens, or by SO_REUSEPORT, both and of one user.
//!
//! What the refused socket has set is read in the kernel; of those that have the
//! port nobody lists SO_REUSEADDR and SO_REUSEPORT. That they have them not is
//! inferred where nothing else is in the way.

use std::net::{IpAddr, Ipv6Addr};

use super::{Story, bound::OPERATION};
use crate::{
    catalogue::Severity,
    explain::{Diagnosis, Fix},
    families::bind::{Cause, PortSocket, PortUse},
};

/// `IPPROTO_TCP`
const TCP: u32 = 6;
/// `TCP_*`
const FIN_WAIT2: u8 = 5;
const TIME_WAIT: u8 = 6;
const LISTEN: u8 = 10;

/// Ports below are those of services; from here up to 1023 programs that want
/// any privileged port try one after the other (`bindresvport`).
const TRIED_FROM: u32 = 512;

/// Which address has which in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Overlap {
    /// They are the same.
    Same,
    /// The one that has the port has it for all addresses.
    HolderHasAll,
    /// All addresses are asked for.
    AskedForAll,
    /// All addresses are asked for, those of IPv4 among them.
    AskedForIpv4,
    /// An IPv4 address is asked for, and an IPv6 socket has the port for these too.
    HolderHasIpv4,
}

impl Overlap {
    const fn name(self) -> &'static str {
        match self {
            Self::Same => "same-address",
            Self::HolderHasAll => "holder-has-all",
            Self::AskedForAll => "asked-for-all",
            Self::AskedForIpv4 => "asked-for-ipv4-as-well",
            Self::HolderHasIpv4 => "holder-has-ipv4-as-well",
        }
    }
}

/// Why the two do not share the port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Apart {
    /// The refused socket shares with nobody.
    Shares,
    /// It was not read.
    Unknown,
    /// By SO_REUSEADDR only sockets share that do not listen.
    Listens,
    /// They are of different users.
    Users,
    /// The one that has the port does not share it by this option.
    HolderWithout(&'static str),
}

/// Something that is in the way.
struct Conflict<'a> {
    holder: &'a PortSocket,
    overlap: Overlap,
    apart: Apart,
    is_certain: bool,
    is_own: bool,
}

impl Conflict<'_> {
    /// The end of a connection that is waited out in the kernel.
    fn is_left(&self) -> bool {
        self.holder.process.is_none() && is_left(self.holder)
    }

    /// Who has it, as a part of a sentence.
    fn who(&self) -> String {
        match &self.holder.process {
            Some((pid, comm)) if self.is_own => {
                format!("{comm} (pid {pid}), the same process, unless it took that only then,")
            }
            Some((pid, comm)) => format!("{comm} (pid {pid})"),
            None => "nobody".to_owned(),
        }
    }

    /// Who has what.
    fn story(&self) -> String {
        let holder = self.holder;
        let who = self.who();
        let address = holder.address;
        match self.overlap {
            _ if self.is_left() => {
                let (peer, port) = holder.peer.unwrap_or((address, 0));
                format!(
                    "the end of a connection from {address} to {}, which is closed, keeps the port \
                     for up to a minute more (TIME_WAIT), so that what is still under way is not \
                     taken for something new",
                    place(peer, port)
                )
            }
            Overlap::Same => format!("{who} has this very address and port"),
            Overlap::HolderHasAll => format!("{who} has the port for all addresses ({address})"),
            Overlap::AskedForAll => {
                format!("it asks for all addresses, and {who} has the port for {address}")
            }
            Overlap::AskedForIpv4 => format!(
                "a socket of :: is for IPv4 as well unless it has IPV6_V6ONLY, and {who} has the \
                 port for {address}. A socket for IPv6 alone would not be in its way"
            ),
            Overlap::HolderHasIpv4 => format!(
                "{who} has the port for {address} without IPV6_V6ONLY, and so for IPv4 as well"
            ),
        }
    }
}

/// Nobody has the socket any more: it waits for what is still under way.
fn is_left(holder: &PortSocket) -> bool {
    matches!(holder.state, TIME_WAIT | FIN_WAIT2) && holder.inode == 0
}

impl Story<'_> {
    /// Nothing where nobody can be named that has the port.
    pub(super) fn in_use(&self) -> Option<Diagnosis> {
        let refused = self.refused;
        let conflict = self.conflict()?;
        let holder = conflict.holder;
        let apart = self.apart(&conflict);
        let why = format!("{}{apart}", conflict.story());
        let mut diagnosis = self.told(Cause::AddressInUse, OPERATION, &why);
        if !conflict.is_certain {
            diagnosis = diagnosis.likely();
        }
        if self.is_failure(&conflict) {
            diagnosis.severity = Severity::Failure;
        }
        let reuse = refused.reuse;
        let (pid, comm) = holder.process.clone().unzip();
        let peer = holder.peer.map(|(peer, port)| place(peer, port));
        let diagnosis = diagnosis
            .with("conflict", conflict.overlap.name())
            .with("holder", comm)
            .with("holder_pid", pid)
            .with("holder_address", holder.address.to_string())
            .with("holder_peer", peer)
            .with("holder_state", u32::from(holder.state))
            .with("holder_uid", holder.uid)
            .with("holder_v6only", holder.v6only)
            .with("holder_bound_ifindex", holder.bound)
            .with("holder_socket", u64::from(holder.inode))
            .with("v6only", refused.v6only)
            .with("sk_reuse", reuse.map(|reuse| reuse.address))
            .with("sk_reuseport", reuse.map(|reuse| reuse.port))
            .with("sk_uid", refused.uid);
        Some(self.ways_out(diagnosis, &conflict))
    }

    /// What is in the way: rather another process's, since the same one may have
    /// bound it after it was refused; of its own sockets only those of the other
    /// family count, which it may not know to be in its way.
    fn conflict(&self) -> Option<Conflict<'_>> {
        let found = PortUse::of(self.refused, self.subject)?;
        let nameable = found.sockets.iter().filter(|holder| {
            let is_itself = Some(u64::from(holder.inode)) == self.refused.socket_inode;
            !is_itself && (holder.process.is_some() || is_left(holder))
        });
        let conflicts = nameable.filter_map(|holder| self.conflict_with(holder));
        conflicts.min_by_key(|conflict| (conflict.is_own, conflict.is_left(), !conflict.is_certain))
    }

    fn conflict_with<'h>(&self, holder: &'h PortSocket) -> Option<Conflict<'h>> {
        let refused = self.refused;
        let own = refused.bound_ifindex;
        let is_elsewhere = |bound: u32| own != 0 && bound != 0 && bound != own;
        if holder.bound.is_some_and(is_elsewhere) {
            return None;
        }
        let (overlap, addresses_known) = overlap(refused.address, refused.v6only, holder)?;
        let (apart, is_decided) = self.sharing(holder);
        let culprit = self.subject.event.culprit().map(|task| task.pid);
        let is_own = holder.process.as_ref().map(|(pid, _)| *pid) == culprit && culprit.is_some();
        let is_about_ipv4 = matches!(overlap, Overlap::AskedForIpv4 | Overlap::HolderHasIpv4);
        if is_own && !is_about_ipv4 {
            return None;
        }
        let bound_known = own == 0 || holder.bound.is_some();
        Some(Conflict {
            holder,
            overlap,
            apart,
            is_certain: addresses_known && bound_known && is_decided && !is_own,
            is_own,
        })
    }

    /// Why the two do not share the port, and whether that was read.
    fn sharing(&self, holder: &PortSocket) -> (Apart, bool) {
        let refused = self.refused;
        let Some(reuse) = refused.reuse else {
            return (Apart::Unknown, false);
        };
        let is_tcp = refused.socket.is_some_and(|socket| socket.protocol == TCP);
        let listens = is_tcp && holder.state == LISTEN;
        if reuse.port {
            // What is left of a connection is nobody's.
            let others = refused.uid.is_some_and(|uid| uid != holder.uid) && !is_left(holder);
            if others {
                return (Apart::Users, !reuse.address || listens);
            }
            return (Apart::HolderWithout("SO_REUSEPORT"), false);
        }
        match reuse.address {
            false => (Apart::Shares, true),
            true if listens => (Apart::Listens, true),
            true => (Apart::HolderWithout("SO_REUSEADDR"), false),
        }
    }

    /// Why they do not share it, as another sentence.
    fn apart(&self, conflict: &Conflict<'_>) -> String {
        let holder = conflict.holder;
        match conflict.apart {
            Apart::Shares if conflict.is_left() => {
                ". Where that socket had SO_REUSEADDR, one that has it as well would be given the port"
                    .to_owned()
            }
            Apart::Shares => String::new(),
            Apart::Unknown => ". Whether they may share it could not be read".to_owned(),
            Apart::Listens => {
                ". That the refused socket has SO_REUSEADDR does not help: a port on which somebody \
                 listens is not shared by it"
                    .to_owned()
            }
            Apart::Users => format!(
                ". Only sockets of one user share a port by SO_REUSEPORT, and that one is of user \
                 {}, this one of user {}",
                holder.uid,
                self.refused.uid.unwrap_or(0)
            ),
            Apart::HolderWithout(option) => format!(
                ". The refused socket has {option}; that the other one has not is inferred from the \
                 refusal"
            ),
        }
    }

    /// Programs try one port after the other, or again on another address, and take
    /// the error for an answer. The port of a service that another process has is
    /// none of these.
    fn is_failure(&self, conflict: &Conflict<'_>) -> bool {
        let port = self.refused.port;
        let start = self.refused.unprivileged_port_start.unwrap_or(0);
        let is_of_a_service = port < TRIED_FROM && i64::from(port) < i64::from(start);
        is_of_a_service && !conflict.is_own && !conflict.is_left()
    }

    fn ways_out(&self, diagnosis: Diagnosis, conflict: &Conflict<'_>) -> Diagnosis {
        if conflict.is_left() {
            return diagnosis.fix(Fix::new(
                "have the program always set SO_REUSEADDR before it binds, as servers do; until it \
                 does, wait for a minute",
            ));
        }
        let who = conflict.holder.process.as_ref();
        let who = who.map_or_else(String::new, |(pid, comm)| format!("{comm} (pid {pid})"));
        let diagnosis = match conflict.overlap {
            Overlap::AskedForIpv4 => diagnosis
                .fix(
                    Fix::new("have the program set IPV6_V6ONLY before it binds to ::")
                        .remark("nginx: ipv6only=on; the port stays the other's for IPv4"),
                )
                .fix(
                    self.subject
                        .command("sysctl -w net.ipv6.bindv6only=1")
                        .remark("for all programs of this namespace that set nothing themselves"),
                ),
            Overlap::HolderHasIpv4 => diagnosis.fix(Fix::new(format!(
                "have {who} set IPV6_V6ONLY, or leave IPv4 to it"
            ))),
            Overlap::Same | Overlap::HolderHasAll | Overlap::AskedForAll => diagnosis,
        };
        let diagnosis = match conflict.apart {
            Apart::Users => diagnosis.fix(Fix::new("run both as the same user")),
            Apart::HolderWithout(option) => {
                diagnosis.fix(Fix::new(format!("have both set {option} before they bind")))
            }
            Apart::Shares | Apart::Unknown | Apart::Listens => diagnosis,
        };
        diagnosis.fix(Fix::new(format!(
            "stop {who}, or give one of the two another port or address"
        )))
    }
}

/// Which address has the other in it, as `ipv6_rcv_saddr_equal` compares them, and
/// whether all that it depends on is known; `None` where neither has.
fn overlap(asked: Ipv6Addr, v6only: Option<bool>, holder: &PortSocket) -> Option<(Overlap, bool)> {
    let same = |is_same: bool, asks_all: bool, has_all: bool| {
        if is_same {
            Some((Overlap::Same, true))
        } else if has_all {
            Some((Overlap::HolderHasAll, true))
        } else if asks_all {
            Some((Overlap::AskedForAll, true))
        } else {
            None
        }
    };
    // A socket for both families counts as for IPv4 unless it is known not to.
    let unless =
        |only: Option<bool>, overlap| (only != Some(true)).then_some((overlap, only.is_some()));
    match (asked.to_canonical(), holder.address.to_canonical()) {
        (IpAddr::V4(asked), IpAddr::V4(held)) => {
            same(asked == held, asked.is_unspecified(), held.is_unspecified())
        }
        (IpAddr::V6(asked), IpAddr::V6(held)) => {
            same(asked == held, asked.is_unspecified(), held.is_unspecified())
        }
        (IpAddr::V4(_), IpAddr::V6(held)) if held.is_unspecified() => {
            unless(holder.v6only, Overlap::HolderHasIpv4)
        }
        (IpAddr::V6(asked), IpAddr::V4(_)) if asked.is_unspecified() => {
            unless(v6only, Overlap::AskedForIpv4)
        }
        _ => None,
    }
}

/// "fd00::7 port 80", "[fd00::7]:80" would be read as one address by many.
fn place(address: IpAddr, port: u16) -> String {
    format!("{address} port {port}")
}
