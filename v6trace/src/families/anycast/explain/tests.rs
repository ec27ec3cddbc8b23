//! What is said of anycast addresses, as far as no guest produces it on demand.

use v6trace_common::{Context, families};

use super::*;
use crate::{
    event::{Event, Task},
    explain::Confidence,
    record::SessionInfo,
    session::Session,
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
        session.learn(found.into());
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
        hook: families::anycast::JOIN,
        payload: change.clone().into(),
    };
    super::explain(
        change,
        Subject {
            event: &event,
            session: &session,
        },
    )
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
        advertised: None,
    }
}

/// The one fix that holds `text`, with its remark.
fn fix_with(change: &AnycastChange, text: &str) -> String {
    fix_around(change, None, text)
}

fn fix_around(change: &AnycastChange, found: Option<AnycastUse>, text: &str) -> String {
    let diagnosis = explain(change, found).unwrap();
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

/// A look that found these things from advertisements.
fn heard(advertised: Option<Advertised>) -> AnycastUse {
    AnycastUse {
        advertised,
        ..found(7, UseKind::Tcp)
    }
}

const HOST: &str = "sysctl -w net/ipv6/conf/eth0.7/forwarding=0  # ";

#[test]
fn what_advertisements_brought_is_never_given_away() {
    let nothing = Advertised::default();
    let address = Advertised {
        addresses: vec![("fd00:4::5".parse().unwrap(), 64)],
        ..Advertised::default()
    };
    let route = Advertised {
        routes: vec!["default via fe80::1".to_owned()],
        ..Advertised::default()
    };
    let gone = Advertised {
        purged: true,
        ..Advertised::default()
    };
    let keep = "sysctl -w net/ipv6/conf/eth0.7/accept_ra=2 net/ipv6/conf/eth0.7/forwarding=0  # ";
    let deaf = "sysctl -w net/ipv6/conf/eth0.7/accept_ra=0 net/ipv6/conf/eth0.7/forwarding=0  # ";
    for (trigger, advertised, begins) in [
        (Trigger::AddressUsable, Some(&address), keep),
        (Trigger::AddressUsable, Some(&route), keep),
        (Trigger::AddressUsable, Some(&gone), keep),
        (Trigger::ForwardingChange, Some(&address), keep),
        (Trigger::AddressUsable, Some(&nothing), deaf),
        // Until the write it was a host, and may have lived on what it heard.
        (Trigger::ForwardingChange, Some(&nothing), HOST),
        // Whether there is anything is not known.
        (Trigger::AddressUsable, None, HOST),
    ] {
        let change = AnycastChange {
            trigger,
            ..change()
        };
        let fix = fix_around(&change, Some(heard(advertised.cloned())), "sysctl -w");
        assert!(fix.starts_with(begins), "{trigger:?} {advertised:?}: {fix}");
    }
}

#[test]
fn what_decides_over_advertisements_already_stays() {
    for accept_ra in [Some(0), Some(2), None] {
        let change = AnycastChange {
            trigger: Trigger::AddressUsable,
            accept_ra,
            all_forwarding: Some(0),
            ..change()
        };
        let fix = fix_around(
            &change,
            Some(heard(Some(Advertised::default()))),
            "sysctl -w",
        );
        assert!(fix.starts_with(HOST), "{fix}");
        assert!(fix.contains("not forwarded anyway"), "{fix}");
    }
}

#[test]
fn an_advertised_address_is_not_to_be_replaced() {
    let fixes = |advertised: Advertised| {
        let diagnosis = explain(&change(), Some(heard(Some(advertised)))).unwrap();
        diagnosis
            .fix
            .into_iter()
            .map(|fix| fix.action)
            .collect::<Vec<_>>()
            .join("; ")
    };
    let with = |address: &str| Advertised {
        addresses: vec![(address.parse().unwrap(), 64)],
        ..Advertised::default()
    };
    assert!(!fixes(with("fd00:4::5")).contains("peer"));
    assert!(fixes(with("fd00:5::5")).contains("peer"));
    assert!(fixes(Advertised::default()).contains("/127"));
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
        let fix = fix_with(&with(all), "force_forwarding instead");
        assert!(!fix.contains("sysctl"), "{fix}");
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
