//! Why this host took an anycast address or gave one up, and whom that hurts.
//!
//! RFC 4291 gives prefix:: to every router of the subnet. The kernel takes it
//! for each usable address with a prefix of up to 126 bits on an interface that
//! forwards, whether or not a neighbour has the address already. It is a hazard
//! where somebody was using it.

mod fixes;
pub(super) mod request;

use std::{net::IpAddr, time::Duration};

use crate::{
    catalogue::Severity,
    explain::{Diagnosis, Subject, Value},
    families::anycast::{
        Advertised, AnycastChange, AnycastUse, Cause, Gone, Trigger, Use, UseKind, Written,
    },
};

/// Whoever did what nobody is known to have done.
pub(in crate::families) const SOMEBODY: &str = "Somebody";
/// What an interface had from advertisements, among what it has.
pub(in crate::families) const PURGED: &str = "a default route, until forwarding was written";

/// Explains an anycast address that was taken, or given up.
pub(super) fn explain(change: &AnycastChange, subject: Subject<'_>) -> Option<Diagnosis> {
    let Subject { event, session } = subject;
    let mut uses = session.found::<AnycastUse>();
    let found = uses.find(|found| found.of == event.boot_ns);
    // Where the host has the address as an ordinary one, nothing changes.
    if change.own_address == Some(true) || found.is_some_and(|found| found.owner.is_some()) {
        return None;
    }
    let story = Story {
        subject,
        change,
        found,
    };
    Some(if change.joined {
        story.joined()
    } else {
        story.released()
    })
}

/// One change and what is known around it.
struct Story<'a> {
    subject: Subject<'a>,
    change: &'a AnycastChange,
    found: Option<&'a AnycastUse>,
}

impl Story<'_> {
    fn joined(&self) -> Diagnosis {
        let uses = self.found.map_or(&[][..], |found| &found.uses);
        let deliberate = self.change.trigger == Trigger::Setsockopt;
        let summary = format!(
            "{} and answers for it. {}",
            self.opening(),
            self.consequences(uses)
        );
        let mut diagnosis = self.start(Cause::SubnetRouterAnycast, "anycast-join", summary);
        diagnosis.severity = if uses.is_empty() || deliberate {
            Severity::Notice
        } else {
            Severity::Hazard
        };
        let advertised = self.found.and_then(|found| found.advertised.as_ref());
        diagnosis = diagnosis
            .with("used_by", self.found.map(used_by))
            .with("advertised", advertised.map(listed));
        if self.change.own_address.is_none() {
            diagnosis = diagnosis.likely();
        }
        let fixes = if deliberate {
            fixes::deliberate()
        } else {
            self.fixes(uses)
        };
        fixes.into_iter().fold(diagnosis, Diagnosis::fix)
    }

    fn released(&self) -> Diagnosis {
        let AnycastChange {
            address, interface, ..
        } = self.change;
        let summary = format!(
            "{}{address} on {interface}, {}: a neighbour there may have the address again.",
            given_up(self.subject.who(SOMEBODY), self.change.written.as_ref()),
            self.role(),
        );
        self.start(
            Cause::SubnetRouterAnycastReleased,
            "forwarding-change",
            summary,
        )
        .fix(self.where_it_goes())
    }

    fn start(&self, cause: Cause, operation: &'static str, summary: String) -> Diagnosis {
        let change = self.change;
        let written = change.written.as_ref();
        let mut diagnosis = Diagnosis::new(self.subject.event, cause, operation, summary)
            .with("prefix_len", change.prefix_len)
            .with("trigger", change.trigger.name())
            .with("written", written.map(Written::name))
            .with("forwarding", change.forwarding)
            .with("all_forwarding", change.all_forwarding)
            .with("accept_ra", change.accept_ra)
            .with("force_forwarding", change.force_forwarding)
            .with("vrf", self.found.and_then(|found| found.vrf.as_deref()));
        diagnosis.ifindex = Some(change.ifindex);
        diagnosis.address = Some(IpAddr::V6(change.address));
        diagnosis
    }

    /// What the address is.
    fn role(&self) -> String {
        let address = self.change.address;
        match self.change.prefix_len {
            Some(prefix_len) => {
                format!("the subnet-router anycast address of {address}/{prefix_len}")
            }
            None => "an anycast address".to_owned(),
        }
    }

    fn opening(&self) -> String {
        let AnycastChange {
            address, interface, ..
        } = self.change;
        let role = self.role();
        match self.change.trigger {
            Trigger::ForwardingChange => format!(
                "{}{address}, {role} on {interface},",
                taken(self.subject.who(SOMEBODY), self.change.written.as_ref()),
            ),
            Trigger::AddressUsable => format!(
                "An address became usable on {interface}, which forwards, so this host now owns \
                 {address}, {role} there,"
            ),
            Trigger::Setsockopt => format!(
                "{} asked for {address}, {role} on {interface} (IPV6_JOIN_ANYCAST), so this host \
                 now owns it",
                self.subject.who(SOMEBODY),
            ),
            Trigger::Unknown => {
                format!("This host now owns {address}, {role} on {interface},")
            }
        }
    }

    /// What that means for those who use the address.
    fn consequences(&self, uses: &[Use]) -> String {
        let mut sentences = Vec::new();
        if let Some(neighbour) = of_kind(uses, UseKind::Neighbour).next() {
            sentences.push(format!(
                "A neighbour was known to have it so far, {}: what this host newly sends to it stays \
                 here, and if that neighbour adds it as its own address again, that is a duplicate.",
                neighbour.detail
            ));
        }
        let (there, gone): (Vec<_>, Vec<_>) =
            of_kind(uses, UseKind::Tcp).partition(|found| found.gone.is_none());
        if let Some(connection) = there.first() {
            sentences.push(self.about_tcp(connection, count(&there)));
        }
        if let Some((connection, ended)) = gone.first().and_then(|one| Some((one, one.gone?))) {
            sentences.push(self.about_gone(connection, ended, count(&gone)));
        }
        if let Some(route) = of_kind(uses, UseKind::Gateway).next() {
            sentences.push(format!(
                "Routes by way of it ({}) keep forwarding, so only traffic to the address itself is \
                 lost.",
                route.detail
            ));
        }
        match self.found {
            None => sentences.push("Who uses it could not be looked up.".to_owned()),
            Some(found) if !found.complete => {
                sentences.push("Not all that may use it could be looked up.".to_owned());
            }
            Some(_) if uses.is_empty() => {
                sentences.push("Nothing was found that uses it.".to_owned());
            }
            Some(_) => {}
        }
        if self.change.own_address.is_none() {
            sentences.push(format!(
                "{} has more addresses than were looked at; if this is one of them, nothing has \
                 changed.",
                self.change.interface
            ));
        }
        sentences.join(" ")
    }

    fn about_tcp(&self, connection: &Use, count: u32) -> String {
        let whose = whose(connection);
        let what = if count == 1 {
            format!("The TCP connection{whose} to it times out")
        } else {
            format!("{count} TCP connections to it, the first{whose}, time out")
        };
        let when = match self.in_vrf() {
            Some(vrf) => format!("from now on, since {vrf}"),
            None => {
                "though an established one may go on until some route or address changes".to_owned()
            }
        };
        format!("{what} without a reset (unless this host listens on that port itself), {when}.")
    }

    /// What was there before and ended too soon to be seen doing so.
    fn about_gone(&self, connection: &Use, ended: Gone, count: u32) -> String {
        let whose = whose(connection);
        let seconds = |ns| Duration::from_nanos(ns).as_secs_f64();
        let seen = format!(
            "last seen established {:.1} s before the change,",
            seconds(ended.before_ns)
        );
        let looked = format!(
            "gone when v6trace looked {:.1} s after it",
            seconds(ended.after_ns)
        );
        let what = if count == 1 {
            format!("The TCP connection{whose} to it, {seen} was {looked}")
        } else {
            format!("{count} TCP connections to it, the first{whose}, {seen} were {looked}")
        };
        match self.in_vrf() {
            Some(vrf) => format!(
                "{what}: {vrf}, and where this host listens on the port that one leads to, its own \
                 reset ends it at once; or it ended for another reason."
            ),
            None => format!("{what}; why it ended is not known."),
        }
    }

    /// "eth0 is in VRF red"
    fn in_vrf(&self) -> Option<String> {
        let vrf = self.found?.vrf.as_ref()?;
        Some(format!("{} is in VRF {vrf}", self.change.interface))
    }
}

/// How a sentence about what forwarding has this host own begins.
pub(in crate::families) fn taken(who: &str, written: Option<&Written>) -> String {
    let written = in_brackets(written);
    format!("{who} turned forwarding on{written}, so this host now owns ")
}

/// The same about what it gives up.
pub(in crate::families) fn given_up(who: &str, written: Option<&Written>) -> String {
    let written = in_brackets(written);
    format!("{who} turned forwarding off{written}, so this host no longer owns ")
}

/// " (net.ipv6.conf.all.forwarding)"
fn in_brackets(written: Option<&Written>) -> String {
    written.map_or_else(String::new, |written| format!(" ({})", written.sysctl()))
}

/// How many there are, listed or not.
fn count(uses: &[&Use]) -> u32 {
    uses.iter().map(|found| 1 + found.more).sum()
}

/// " of bird[7]"
fn whose(connection: &Use) -> String {
    let process = connection.process.as_ref();
    process.map_or_else(String::new, |process| format!(" of {process}"))
}

fn of_kind(uses: &[Use], kind: UseKind) -> impl Iterator<Item = &Use> {
    uses.iter().filter(move |found| found.kind == kind)
}

fn used_by(found: &AnycastUse) -> Value {
    let uses = found.uses.iter().map(|found| {
        let detail = match found.more {
            0 => found.detail.clone(),
            more => format!("{}, and {more} more", found.detail),
        };
        Value::Group(vec![
            ("kind", found.kind.name().into()),
            ("detail", detail.into()),
        ])
    });
    Value::List(uses.collect())
}

/// What an interface has from advertisements.
fn listed(advertised: &Advertised) -> Value {
    let addresses = advertised.addresses.iter();
    let addresses = addresses.map(|(address, prefix_len)| format!("{address}/{prefix_len}"));
    let purged = advertised.purged.then(|| PURGED.to_owned());
    let all = addresses
        .chain(advertised.routes.iter().cloned())
        .chain(purged);
    Value::List(all.map(Value::from).collect())
}

#[cfg(test)]
mod tests;
