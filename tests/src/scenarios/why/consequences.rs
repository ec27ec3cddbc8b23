//! What the kernel does afterwards to what a command touched.

use std::net::TcpListener;

use anyhow::{Result, ensure};

use super::{Answered, Other};
use crate::guest::{Netns, Segment, host_and_router};
use crate::scenarios::{Scenario, alone};

pub(super) const SCENARIOS: &[Scenario] = &[
    alone("why-duplicate-address", duplicate),
    alone("why-silent-neighbour", silent_neighbour),
    alone("why-no-answer", no_answer),
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
    // On another interface, and on the very same.
    let others = [(others.name(), "::2"), (its.name(), "::3")].map(|(name, host)| {
        Other::begin(&format!(
            "ip -n {name} addr add 2001:db8:5{host}/64 dev eth0; sleep 1.5; \
             ip -n {name} addr del 2001:db8:5{host}/64 dev eth0"
        ))
    });
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
    for (other, address) in others.into_iter().zip(["2001:db8:5::2", "2001:db8:5::3"]) {
        drop(other?);
        let failed = |line: &str| line.contains("dad-loopback") && line.contains(address);
        let mut lines = answered.everything.lines();
        ensure!(
            lines.any(failed),
            "{address} did not fail: {}",
            answered.everything
        );
    }
    // It touches another interface, and nothing.
    let answered = Answered::of_script("ip link set lo up; sleep 1")?;
    answered.names(&[])?.says(0, "saw nothing of IPv6 fail\n")?;
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

/// Commands that wait for less time than the kernel does. Whether the one that answers
/// neighbour discovery, and nothing else, is why is not said.
fn no_answer() -> Result<()> {
    let (host, router, _) = host_and_router("hasty")?;
    host.ip("addr add 2001:db8:9::2/64 dev v0 nodad")?;
    router.ip("addr add 2001:db8:9::1/64 dev v1 nodad")?;
    router.set_sysctl("ipv6/icmp/echo_ignore_all", "1")?;
    let ping = |address: &str| {
        let name = host.name();
        format!("ip netns exec {name} ping -c 1 -W 1 {address}")
    };
    let answered = Answered::of_script(&ping("2001:db8:9::9"))?;
    answered
        .names(&["neighbour-unreachable"])?
        .says(1, "sh ended with status 1; ")?;
    let answered = Answered::of_script(&ping("2001:db8:9::1"))?;
    answered
        .names(&[])?
        .says(
            1,
            "sh ended with status 1, but v6trace saw nothing of IPv6 fail\n",
        )?
        .says(
            1,
            "whether an answer came is not seen of sending to 2001:db8:9::1\n",
        )?;
    Ok(())
}

/// A connection that cannot be, and can later; and one that only another is made for. The
/// kernel makes an address the host's own a little after `ip` has ended.
fn got_over() -> Result<()> {
    let netns = Netns::new("resourceful")?;
    netns.ip("link set lo up")?;
    netns.dummy("d0")?;
    netns.ip("addr add 2001:db8:5::1/64 dev d0 nodad")?;
    let _server = netns.enter(|| Ok(TcpListener::bind("[::]:4000")?))?;
    let script = "{ :; } 3<>/dev/tcp/2001:db8:7::9/4000; \
                  ip addr add 2001:db8:7::9/128 dev lo nodad; \
                  while [[ $(ip route get 2001:db8:7::9) != local* ]]; do :; done; \
                  { :; } 3<>/dev/tcp/2001:db8:7::9/4000; \
                  ip addr del 2001:db8:7::9/128 dev lo; exit ";
    for (status, text) in [
        ("0", "ip ended well; what failed on the way:"),
        ("5", "status 5; of IPv6 only this is worth knowing:"),
    ] {
        let script = [script, status].concat();
        let words = ["ip", "netns", "exec", netns.name(), "bash", "-c", &script];
        let answered = Answered::of(&words)?;
        answered.names(&["no-route"])?.says(status.parse()?, text)?;
        for diagnosis in &answered.diagnoses {
            ensure!(
                diagnosis.evidence("got_over") == Some(&true.into()),
                "{diagnosis}"
            );
            diagnosis.expect().summary_has(["got over it"]).check()?;
        }
    }
    let script = "{ :; } 3<>/dev/tcp/::1/4001; { :; } 3<>/dev/tcp/::1/4000; exit 5";
    let words = ["ip", "netns", "exec", netns.name(), "bash", "-c", script];
    let answered = Answered::of(&words)?;
    answered
        .names(&["call-failed"])?
        .says(5, "status 5; what failed of IPv6, the most decisive first:")?;
    let got_over = answered.diagnoses[0].evidence("got_over");
    ensure!(got_over.is_none(), "{}", answered.diagnoses[0]);
    Ok(())
}
