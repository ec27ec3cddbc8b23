//! Why this host took an anycast address or gave one up, and whom that hurts.
//!
//! RFC 4291 gives prefix:: to every router of the subnet. The kernel takes it
//! for each usable address with a prefix of up to 126 bits on an interface that
//! forwards, whether or not a neighbour has the address already. It is a hazard
//! where somebody was using it.

mod fixes;

use std::{net::IpAddr, time::Duration};

use super::{Diagnosis, Value};
use crate::{
    catalogue::{Cause, Severity},
    decode::{
        AnycastChange, Event,
        anycast::{Trigger, Written},
    },
    record::anycast_use::{AnycastUse, Gone, Use, UseKind},
    session::Session,
};

/// Explains an anycast address that was taken, or given up.
pub(super) fn diagnose(
    event: &Event,
    change: &AnycastChange,
    session: &Session,
) -> Option<Diagnosis> {
    let found = session.anycast_use(event.boot_ns);
    // Where the host has the address as an ordinary one, nothing changes.
    if change.own_address == Some(true) || found.is_some_and(|found| found.owner.is_some()) {
        return None;
    }
    let story = Story {
        event,
        change,
        session,
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
        diagnosis = diagnosis.with("used_by", self.found.map(used_by));
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
            "{} turned forwarding off{}, so this host no longer owns {address} on {interface}, {}: \
             a neighbour there may have the address again.",
            self.who(),
            self.written(),
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

    /// The task that did it, where it is known.
    fn who(&self) -> &str {
        self.subject.event
            .culprit()
            .map_or("Somebody", |task| task.comm.as_str())
    }

    /// " (net.ipv6.conf.all.forwarding)"; with slashes for an interface, whose
    /// name may hold dots.
    fn written(&self) -> String {
        match &self.change.written {
            Some(Written::All) => " (net.ipv6.conf.all.forwarding)".to_owned(),
            Some(Written::Interface(name)) => format!(" (net/ipv6/conf/{name}/forwarding)"),
            None => String::new(),
        }
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
                "{} turned forwarding on{}, so this host now owns {address}, {role} on {interface},",
                self.who(),
                self.written(),
            ),
            Trigger::AddressUsable => format!(
                "An address became usable on {interface}, which forwards, so this host now owns \
                 {address}, {role} there,"
            ),
            Trigger::Setsockopt => format!(
                "{} asked for {address}, {role} on {interface} (IPV6_JOIN_ANYCAST), so this host \
                 now owns it",
                self.who(),
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

#[cfg(test)]
mod tests {
    use v6trace_common::{Context, Hook};

    use super::*;
    use crate::{
        decode::{Payload, Task},
        diagnose::Confidence,
        record::SessionInfo,
    };

    fn change() -> AnycastChange {
        AnycastChange {
            address: "fd00:4::".parse().unwrap(),
            interface: "eth0.7".into(),
            ifindex: 4,
            joined: true,
            trigger: Trigger::ForwardingChange,
            written: Some(Written::All),
            prefix_len: Some(64),
            own_address: Some(false),
            forwarding: Some(1),
            all_forwarding: Some(1),
            accept_ra: Some(1),
            force_forwarding: None,
        }
    }

    fn explain(change: &AnycastChange, found: Option<AnycastUse>) -> Option<Diagnosis> {
        let mut session = Session::new(SessionInfo {
            own_netns: 1,
            ..SessionInfo::default()
        });
        if let Some(found) = found {
            session.learn_anycast_use(found);
        }
        let event = Event {
            boot_ns: 7,
            cpu: 0,
            context: Context::Task,
            task: Task {
                pid: 12,
                tid: 12,
                comm: "sysctl".into(),
            },
            cgroup_id: 1,
            netns: 1,
            hook: Hook::AnycastJoin,
            payload: Payload::AnycastChange(change.clone()),
        };
        diagnose(&event, change, &session)
    }

    fn found(of: u64, kind: UseKind) -> AnycastUse {
        AnycastUse {
            boot_ns: 8,
            of,
            uses: vec![Use {
                kind,
                detail: "[fd00:4::5]:40000 to port 179 (ESTABLISHED)".to_owned(),
                process: None,
                inode: None,
                gone: None,
                more: 0,
            }],
            complete: true,
            vrf: None,
            owner: None,
        }
    }

    /// The one fix that holds `text`, with its remark.
    fn fix_with(change: &AnycastChange, text: &str) -> String {
        let diagnosis = explain(change, None).unwrap();
        let mut found = diagnosis.fix.iter().filter(|fix| fix.action.contains(text));
        let fix = found.next().unwrap();
        assert_eq!(found.next(), None);
        format!("{}  # {}", fix.action, fix.remark.unwrap_or_default())
    }

    #[test]
    fn an_address_of_the_host_in_any_case_is_neither_taken_nor_given_up() {
        for joined in [true, false] {
            let change = AnycastChange { joined, ..change() };
            let owned = AnycastUse {
                owner: Some("d0".to_owned()),
                ..found(7, UseKind::Tcp)
            };
            assert_eq!(explain(&change, Some(owned)), None);
            assert!(explain(&change, Some(found(7, UseKind::Tcp))).is_some());
        }
    }

    #[test]
    fn where_packets_go_is_asked_in_their_vrf() {
        let given_up = AnycastChange {
            joined: false,
            ..change()
        };
        let in_red = AnycastUse {
            vrf: Some("red".to_owned()),
            ..found(7, UseKind::Tcp)
        };
        for (found, command) in [
            (None, "ip -6 route get fd00:4::"),
            (Some(in_red), "ip -6 route get vrf red fd00:4::"),
        ] {
            assert_eq!(explain(&given_up, found).unwrap().fix[0].action, command);
        }
    }

    #[test]
    fn a_host_keeps_what_it_heard_from_routers() {
        let host = |accept_ra, all, force| {
            let change = AnycastChange {
                trigger: Trigger::AddressUsable,
                accept_ra,
                all_forwarding: Some(all),
                force_forwarding: force,
                ..change()
            };
            fix_with(&change, "sysctl -w")
        };
        let deaf = host(Some(1), 1, None);
        assert!(
            deaf.starts_with(
                "sysctl -w net/ipv6/conf/eth0.7/accept_ra=0 net/ipv6/conf/eth0.7/forwarding=0  # still"
            ),
            "{deaf}"
        );
        for accept_ra in [Some(0), Some(2), None] {
            let fix = host(accept_ra, 0, None);
            assert!(!fix.contains("accept_ra"), "{fix}");
            assert!(fix.contains("not forwarded anyway"), "{fix}");
        }
        // Until the write it was a host, and may have lived on what it heard.
        let fix = fix_with(&change(), "sysctl -w");
        assert!(!fix.contains("accept_ra"), "{fix}");
    }

    #[test]
    fn forced_forwarding_is_not_undone_by_its_own_fix() {
        let with = |all| AnycastChange {
            all_forwarding: all,
            force_forwarding: Some(0),
            ..change()
        };
        let fix = fix_with(&with(Some(0)), "force_forwarding=1");
        assert!(!fix.contains("all"), "{fix}");
        assert!(fix.contains("eth0.7/forwarding=0"), "{fix}");
        for all in [Some(1), None] {
            let fix = fix_with(&with(all), "force_forwarding=1");
            assert!(fix.contains("grep -qx 0 || sysctl -w"), "{fix}");
        }
        let forced = AnycastChange {
            all_forwarding: Some(0),
            force_forwarding: Some(1),
            ..change()
        };
        let host = fix_with(&forced, "sysctl -w");
        assert!(host.contains("still forwards"), "{host}");
    }

    #[test]
    fn what_could_not_be_looked_up_is_said() {
        let diagnosis = explain(&change(), None).unwrap();
        assert_eq!(diagnosis.severity, Severity::Notice);
        assert!(diagnosis.summary.contains("could not be looked up"));
        let used_by = diagnosis.evidence.iter().find(|e| e.name == "used_by");
        assert_eq!(used_by.unwrap().value, Value::Unknown);
    }

    #[test]
    fn uses_belong_to_their_own_event() {
        let own = explain(&change(), Some(found(7, UseKind::Tcp))).unwrap();
        assert_eq!(own.severity, Severity::Hazard);
        let other = explain(&change(), Some(found(6, UseKind::Tcp))).unwrap();
        assert_eq!(other.severity, Severity::Notice);
    }

    #[test]
    fn a_connection_that_is_gone_is_not_said_to_time_out() {
        let ended = Some(Gone {
            before_ns: 4_200_000_000,
            after_ns: 30_000_000,
        });
        let with = |gone: &[Option<Gone>], vrf: Option<&str>| {
            let mut found = found(7, UseKind::Tcp);
            let uses = gone.iter().map(|&gone| Use {
                process: Some("bird[9]".to_owned()),
                gone,
                ..found.uses[0].clone()
            });
            found.uses = uses.collect();
            found.vrf = vrf.map(str::to_owned);
            let diagnosis = explain(&change(), Some(found)).unwrap();
            assert_eq!(diagnosis.severity, Severity::Hazard);
            diagnosis.summary
        };
        let gone = "The TCP connection of bird[9] to it, last seen established 4.2 s before the \
                    change, was gone when v6trace looked 0.0 s after it";
        let there = "The TCP connection of bird[9] to it times out";
        let one = with(&[ended], Some("red"));
        assert!(one.contains(gone) && !one.contains(there), "{one}");
        assert!(one.contains("eth0.7 is in VRF red"), "{one}");
        let both = with(&[None, ended], None);
        assert!(both.contains(gone) && both.contains(there), "{both}");
        assert!(both.contains("why it ended is not known"), "{both}");
        let two = with(&[ended; 2], None);
        assert!(
            two.contains("2 TCP connections to it, the first of bird[9], last seen"),
            "{two}"
        );
    }

    #[test]
    fn connections_that_are_not_listed_count() {
        let mut found = found(7, UseKind::Tcp);
        found.uses.push(Use {
            more: 12,
            ..found.uses[0].clone()
        });
        let diagnosis = explain(&change(), Some(found)).unwrap();
        assert!(
            diagnosis.summary.contains("14 TCP connections to it"),
            "{}",
            diagnosis.summary
        );
        let used_by = diagnosis.evidence.iter().find(|e| e.name == "used_by");
        let used_by = format!("{:?}", used_by.unwrap().value);
        assert!(used_by.contains("(ESTABLISHED), and 12 more"), "{used_by}");
    }

    #[test]
    fn an_incomplete_search_makes_nothing_certain() {
        let unknown = AnycastChange {
            own_address: None,
            ..change()
        };
        let diagnosis = explain(&unknown, Some(found(7, UseKind::Gateway))).unwrap();
        assert_eq!(diagnosis.confidence, Confidence::Likely);
        assert!(diagnosis.summary.contains("more addresses"));
        let own = AnycastChange {
            own_address: Some(true),
            ..change()
        };
        assert_eq!(explain(&own, None), None);
    }
}
