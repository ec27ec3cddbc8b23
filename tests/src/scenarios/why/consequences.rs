//! What the kernel does afterwards to what a command touched.

use std::net::TcpListener;

use anyhow::{Result, ensure};

use super::{Answered, Other};
use crate::guest::{Netns, Segment, host_and_router};
use crate::scenarios::{Scenario, alone};

pub(super) const SCENARIOS: &[Scenario] = &[
    alone("why-duplicate-address", duplicate),
    alone("why-silent-neighbour", silent_neighbour),
    alone("why-got-over", got_over),
];

/// An interface that hears itself, and takes that for another.
fn forgetful(segment: &Segment, name: &str, mac: &str) -> Result<Netns> {
    let netns = Netns::new(name)?;
    let port = format!("to-{name}");
    segment.plug(&netns, "eth0", &port, mac)?;
    segment.connect(&netns, "eth0", &port)?;
    segment.hairpin(&port)?;
    netns.set_sysctl("ipv6/conf/all/enhanced_dad", "0")?;
    netns.set_sysctl("ipv6/conf/eth0/enhanced_dad", "0")?;
    Ok(netns)
}

/// The command has ended well when its address turns out to be in use. That of somebody
/// else, at the same time, is no answer.
fn duplicate() -> Result<()> {
    let segment = Segment::new()?;
    let its = forgetful(&segment, "its", "02:00:00:00:05:01")?;
    let others = forgetful(&segment, "others", "02:00:00:00:05:02")?;
    let _other = Other::begin(&format!(
        "ip -n {0} addr add 2001:db8:5::2/64 dev eth0; sleep 0.5; \
         ip -n {0} addr del 2001:db8:5::2/64 dev eth0",
        others.name()
    ))?;
    let words = format!("ip -n {} addr add 2001:db8:5::1/64 dev eth0", its.name());
    let answered = Answered::of(&words.split(' ').collect::<Vec<_>>())?;
    answered
        .names(&["dad-loopback"])?
        .says(0, "ip ended well; what failed on the way:")?;
    answered.diagnoses[0]
        .expect()
        .field("netns", its.inode())
        .field("interface", "eth0")
        .field("address", "2001:db8:5::1")
        .check()?;
    // It touches another interface, and nothing.
    let answered = Answered::of_script("ip link set lo up; sleep 1")?;
    answered.names(&[])?.says(0, "nothing of IPv6 failed\n")?;
    Ok(())
}

/// Nobody is there; somebody else, who asks for another, is none of the command's business.
fn silent_neighbour() -> Result<()> {
    let (host, _router, _) = host_and_router("lonely")?;
    host.ip("addr add 2001:db8:9::2/64 dev v0 nodad")?;
    let ping = |address: &str, count: u32| {
        let name = host.name();
        format!("ip netns exec {name} ping -c {count} -w 6 {address}")
    };
    let _other = Other::begin(&ping("2001:db8:9::77", 6))?;
    let answered = Answered::of_script(&ping("2001:db8:9::9", 6))?;
    answered
        .names(&["neighbour-unreachable"])?
        .says(1, "sh ended with status 1; ")?;
    answered.diagnoses[0]
        .expect()
        .field("address", "2001:db8:9::9")
        .check()?;
    Ok(())
}

/// A connection that cannot be, and one to another address that can.
fn got_over() -> Result<()> {
    let netns = Netns::new("resourceful")?;
    netns.ip("link set lo up")?;
    netns.dummy("d0")?;
    netns.ip("addr add 2001:db8:5::1/64 dev d0 nodad")?;
    let _server = netns.enter(|| Ok(TcpListener::bind("[::1]:4000")?))?;
    let script = "{ :; } 3<>/dev/tcp/::1/4001; { :; } 3<>/dev/tcp/2001:db8:7::9/4000; \
                  { :; } 3<>/dev/tcp/::1/4000; exit ";
    for (status, text) in [
        ("0", "ip ended well; what failed on the way:"),
        ("5", "status 5; "),
    ] {
        let script = [script, status].concat();
        let words = ["ip", "netns", "exec", netns.name(), "bash", "-c", &script];
        let answered = Answered::of(&words)?;
        let status = status.parse()?;
        if status == 0 {
            answered.names(&["no-route"])?.says(status, text)?;
        } else {
            answered
                .names(&["no-route", "call-failed"])?
                .says(status, text)?;
        }
        for diagnosis in &answered.diagnoses {
            ensure!(
                diagnosis.evidence("got_over") == Some(&true.into()),
                "{diagnosis}"
            );
            diagnosis.expect().summary_has(["got over it"]).check()?;
        }
    }
    Ok(())
}
