//! Whose socket has the port.
//!
//! `inet_csk_get_port` (TCP) and `udp_v6_get_port` go through the sockets of the
//! namespace that have the port. One is in the way where neither is bound to
//! another interface, where one address has the other one in it
//! (`ipv6_rcv_saddr_equal`), and where the two do not share it: by SO_REUSEADDR,
//! both and none that listens, or by SO_REUSEPORT, both and of one user.
//!
//! For TCP only those are compared that are of one VRF, or where
//! net.ipv4.tcp_l3mdev_accept is set: one that is bound to an interface and one that
//! is bound to none may or may not be.
//!
//! What the refused socket has set is read in the kernel; of those that have the
//! port nobody lists SO_REUSEADDR and SO_REUSEPORT. Where only such can be in the
//! way that may share it, the one that was found most likely does not; of several,
//! none is said to be it.

use std::net::IpAddr;

use super::{Story, bound::OPERATION};
use crate::{
    catalogue::Severity,
    explain::{Diagnosis, Fix, Value},
    families::bind::{Cause, PortSocket, PortUse, port::Overlap},
};

/// `IPPROTO_TCP`
const TCP: u32 = 6;
/// `TCP_*`
const FIN_WAIT2: u8 = 5;
const TIME_WAIT: u8 = 6;
const LISTEN: u8 = 10;

/// systemd, where it has a socket for a unit.
const SYSTEMD: (u32, &str) = (1, "systemd");

/// Ports below are those of services; from here up to 1023 programs that want
/// any privileged port try one after the other (`bindresvport`).
const TRIED_FROM: u32 = 512;

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

/// Something that is in the way, or may be.
struct Conflict<'a> {
    holder: &'a PortSocket,
    overlap: Overlap,
    apart: Apart,
    is_certain: bool,
}

/// All that is or may be in the way, and what of it is told.
struct Conflicts<'a> {
    told: Conflict<'a>,
    /// Those that may be it just as well, by name.
    candidates: Vec<String>,
    /// Whether nothing is in the way of a socket for IPv6 alone.
    is_ipv4_alone: bool,
}

impl Conflict<'_> {
    /// The end of a connection that is waited out in the kernel.
    fn is_left(&self) -> bool {
        self.holder.process.is_none() && is_left(self.holder)
    }

    fn is_of_systemd(&self) -> bool {
        let process = self.holder.process.as_ref();
        process.is_some_and(|(pid, comm)| (*pid, comm.as_str()) == SYSTEMD)
    }

    /// Its name, as one of several.
    fn name(&self) -> String {
        match &self.holder.process {
            Some((pid, comm)) => format!("{comm} (pid {pid})"),
            None if self.is_left() => "the end of a closed connection (TIME_WAIT)".to_owned(),
            None => "a socket of no process that was found".to_owned(),
        }
    }

    /// Who has it, as a part of a sentence.
    fn who(&self) -> String {
        let name = self.name();
        if self.holder.own {
            format!("{name}, the same process, unless it took that only then,")
        } else if self.is_of_systemd() {
            format!("{name}, for a .socket unit,")
        } else {
            name
        }
    }

    /// Who has what.
    fn story(&self, is_ipv4_alone: bool) -> String {
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
            Overlap::AskedForIpv4 => {
                let alone = if is_ipv4_alone {
                    ". A socket for IPv6 alone would not be in its way"
                } else {
                    ""
                };
                format!(
                    "a socket of :: is for IPv4 as well unless it has IPV6_V6ONLY, and {who} has \
                     the port for {address}{alone}"
                )
            }
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
        let conflicts = self.conflicts()?;
        if conflicts.candidates.len() > 1 {
            return Some(self.one_of(&conflicts));
        }
        let conflict = &conflicts.told;
        let holder = conflict.holder;
        let apart = self.apart(conflict);
        let why = format!("{}{apart}", conflict.story(conflicts.is_ipv4_alone));
        let mut diagnosis = self.told(Cause::AddressInUse, OPERATION, &why);
        if !conflict.is_certain {
            diagnosis = diagnosis.likely();
        }
        if self.is_failure(conflict) {
            diagnosis.severity = Severity::Failure;
        }
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
            .with("v6only", refused.v6only);
        Some(self.ways_out(self.with_sharing(diagnosis), &conflicts))
    }

    /// What the refused socket shares.
    fn with_sharing(&self, diagnosis: Diagnosis) -> Diagnosis {
        let reuse = self.refused.reuse;
        diagnosis
            .with("sk_reuse", reuse.map(|reuse| reuse.address))
            .with("sk_reuseport", reuse.map(|reuse| reuse.port))
            .with("sk_uid", self.refused.uid)
    }

    /// Any of several sockets may be the one that is in the way.
    fn one_of(&self, conflicts: &Conflicts<'_>) -> Diagnosis {
        let candidates = &conflicts.candidates;
        let why = format!(
            "of several that have the port, one at least is in the way, and which cannot be told: \
             {}",
            candidates.join(", ")
        );
        let mut told = self.told(Cause::AddressInUse, OPERATION, &why).likely();
        if self.is_failure(&conflicts.told) {
            told.severity = Severity::Failure;
        }
        let candidates = candidates.iter().map(|name| name.as_str().into());
        let diagnosis = told
            .with("candidates", Value::List(candidates.collect()))
            .with("v6only", self.refused.v6only);
        self.with_sharing(diagnosis).fix(Fix::new(
            "give the program another port or address, or have all of them share this one \
             (SO_REUSEPORT, as one user)",
        ))
    }

    /// What is in the way: rather another process's, since the same one may have
    /// bound it after it was refused; of its own sockets only those of the other
    /// family count, which it may not know to be in its way.
    fn conflicts(&self) -> Option<Conflicts<'_>> {
        let refused = self.refused;
        let found = PortUse::of(refused, self.subject)?;
        let others = found
            .sockets
            .iter()
            .filter(|holder| Some(u64::from(holder.inode)) != refused.socket_inode);
        let all: Vec<_> = others
            .filter_map(|holder| self.conflict_with(holder))
            .collect();
        let is_ipv4_alone = found.complete
            && all
                .iter()
                .all(|conflict| conflict.overlap == Overlap::AskedForIpv4);
        let candidates = candidates(&all, found.complete);
        let is_own_alone = all
            .iter()
            .all(|conflict| conflict.holder.own && conflict.overlap.is_about_ipv4());
        // By SO_REUSEADDR the ports of ended connections are shared mostly, too.
        let shares_ends = refused.reuse.is_none_or(|reuse| reuse.address);
        let is_certain = all.iter().any(|conflict| conflict.is_certain);
        let nameable = all.into_iter().filter(|conflict| {
            if conflict.holder.own {
                is_own_alone
            } else {
                conflict.holder.process.is_some() || conflict.is_left() && !shares_ends
            }
        });
        let told = nameable.min_by_key(|conflict| {
            (
                conflict.holder.own,
                !conflict.is_certain,
                conflict.is_left(),
                conflict.overlap.is_about_ipv4(),
            )
        })?;
        if !told.is_certain && is_certain {
            // Something else is in the way, whether this one is or not.
            return None;
        }
        Some(Conflicts {
            candidates: if told.is_certain {
                Vec::new()
            } else {
                candidates
            },
            told,
            is_ipv4_alone,
        })
    }

    fn conflict_with<'h>(&self, holder: &'h PortSocket) -> Option<Conflict<'h>> {
        let refused = self.refused;
        let own = refused.bound_ifindex;
        let is_elsewhere = |bound: u32| own != 0 && bound != 0 && bound != own;
        if holder.bound.is_some_and(is_elsewhere) {
            return None;
        }
        let (overlap, addresses_known) = holder.overlap(refused.address, refused.v6only)?;
        let (apart, is_decided) = self.sharing(holder);
        let meets = if self.is_tcp() {
            holder.bound == Some(own)
        } else {
            own == 0 || holder.bound.is_some()
        };
        Some(Conflict {
            holder,
            overlap,
            apart,
            is_certain: addresses_known && meets && is_decided && !holder.own,
        })
    }

    fn is_tcp(&self) -> bool {
        let socket = self.refused.socket.as_ref();
        socket.is_some_and(|socket| socket.protocol == TCP)
    }

    /// Why the two do not share the port, and whether that was read.
    fn sharing(&self, holder: &PortSocket) -> (Apart, bool) {
        let refused = self.refused;
        let Some(reuse) = refused.reuse else {
            return (Apart::Unknown, false);
        };
        let listens = self.is_tcp() && holder.state == LISTEN;
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
                ". The refused socket has {option}; the other one most likely has not, since nothing \
                 else was found in its way"
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
        is_of_a_service && !conflict.holder.own && !conflict.is_left()
    }

    fn ways_out(&self, diagnosis: Diagnosis, conflicts: &Conflicts<'_>) -> Diagnosis {
        let conflict = &conflicts.told;
        if conflict.is_left() {
            return diagnosis.fix(Fix::new(
                "have the program always set SO_REUSEADDR before it binds, as servers do; until it \
                 does, wait for a minute",
            ));
        }
        let who = conflict.name();
        let diagnosis = match conflict.overlap {
            Overlap::AskedForIpv4 if conflicts.is_ipv4_alone => diagnosis
                .fix(
                    Fix::new("have the program set IPV6_V6ONLY before it binds to ::")
                        .remark("nginx: ipv6only=on; the port stays the other's for IPv4"),
                )
                .fix(
                    self.subject
                        .command("sysctl -w net.ipv6.bindv6only=1")
                        .remark("for all programs of this namespace that set nothing themselves"),
                ),
            Overlap::HolderHasIpv4 if conflict.is_of_systemd() => diagnosis.fix(Fix::new(
                "set BindIPv6Only=ipv6-only in the .socket unit, or leave IPv4 to it",
            )),
            Overlap::HolderHasIpv4 => diagnosis.fix(Fix::new(format!(
                "have {who} set IPV6_V6ONLY, or leave IPv4 to it"
            ))),
            Overlap::AskedForIpv4
            | Overlap::Same
            | Overlap::HolderHasAll
            | Overlap::AskedForAll => diagnosis,
        };
        let diagnosis = match conflict.apart {
            Apart::Users => diagnosis.fix(Fix::new(
                "to share the port, both need SO_REUSEPORT and one user",
            )),
            Apart::HolderWithout(option) => {
                diagnosis.fix(Fix::new(format!("have both set {option} before they bind")))
            }
            Apart::Shares | Apart::Unknown | Apart::Listens => diagnosis,
        };
        if conflict.is_of_systemd() {
            return diagnosis.fix(Fix::new("systemctl list-sockets").remark(
                "which .socket unit has the port: stop that, or give one of the two another",
            ));
        }
        diagnosis.fix(Fix::new(format!(
            "stop {who}, or give one of the two another port or address"
        )))
    }
}

/// Those that may be in the way, each process once.
fn candidates(all: &[Conflict<'_>], complete: bool) -> Vec<String> {
    let mut names = Vec::new();
    for conflict in all {
        let name = conflict.name();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if !complete {
        names.push("more that were not looked at".to_owned());
    }
    names
}

/// "fd00::7 port 80", "[fd00::7]:80" would be read as one address by many.
fn place(address: IpAddr, port: u16) -> String {
    format!("{address} port {port}")
}
