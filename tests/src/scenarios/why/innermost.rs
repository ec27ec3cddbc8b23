//! The kernel function that was the first to fail.

use std::net::TcpListener;

use anyhow::{Result, ensure};
use serde_json::Value;

use super::{Answered, Other};
use crate::guest::{Diagnosis, Netns};
use crate::scenarios::{Scenario, alone};

pub(super) const SCENARIOS: &[Scenario] = &[
    alone("why-first-function", first_function),
    alone("why-no-port-left", no_port_left),
];

fn function(diagnosis: &Diagnosis) -> Option<&str> {
    diagnosis.evidence("function").and_then(Value::as_str)
}

/// What is watched fails, then what is not; and something else fails for somebody else.
fn first_function() -> Result<()> {
    let netns = Netns::new("odd.name-7")?;
    netns.ip("link set lo up")?;
    let within = format!("ip netns exec {} ", netns.name());
    let _other = Other::begin(&format!("{within} ip -6 rule del table 78"))?;
    let script = "{ :; } 3<>/dev/tcp/ff05::9/9; { :; } 3<>/dev/tcp/::1/9; exit 4";
    let answered = Answered::of_script(&format!("{within} bash -c '{script}'"))?;
    answered.names(&["call-failed", "call-failed"])?;
    // The failure comes ahead of what a host without IPv6 answers as well.
    let [refused, multicast] = &*answered.diagnoses else {
        unreachable!("there are two")
    };
    refused
        .expect()
        .field("errno", "ECONNREFUSED")
        .summary_has(["::1"])
        .check()?;
    ensure!(function(refused).is_none(), "{refused}");
    multicast
        .expect()
        .field("errno", "ENETUNREACH")
        .summary_has([
            "ff05::9",
            "tcp_v6_connect() was the first",
            "the destination is a multicast group; or",
        ])
        .check()?;
    ensure!(function(multicast) == Some("tcp_v6_connect"), "{multicast}");

    // What is certain needs no function, and what goes well has none.
    let answered = Answered::of_script(&format!(
        "{within} ip token set ::1 dev lo; {within} ip -6 rule add table 7 && \
         {within} ip -6 rule del table 7; exit 5"
    ))?;
    answered.names(&["token-loopback"])?;
    ensure!(
        function(&answered.diagnoses[0]).is_none(),
        "{}",
        answered.done
    );
    Ok(())
}

/// One port to connect from, which has a connection there already; two are enough.
fn no_port_left() -> Result<()> {
    let netns = Netns::new("narrow")?;
    netns.ip("link set lo up")?;
    let _server = netns.enter(|| Ok(TcpListener::bind("[::]:4000")?))?;
    let script = "exec 3<>/dev/tcp/::1/4000 4<>/dev/tcp/::1/4000";
    let within = format!("ip netns exec {} bash -c '{script}'", netns.name());
    netns.set_sysctl("ipv4/ip_local_port_range", "40000 40000")?;
    let answered = Answered::of_script(&within)?;
    answered
        .names(&["call-failed"])?
        .says(1, "what failed of IPv6, the most decisive first:")?;
    let diagnosis = &answered.diagnoses[0];
    diagnosis
        .expect()
        .field("severity", "failure")
        .field("errno", "EADDRNOTAVAIL")
        .summary_has(["[::1]:4000", "no port of net.ipv4.ip_local_port_range"])
        .check()?;
    ensure!(
        function(diagnosis) == Some("__inet_hash_connect"),
        "{diagnosis}"
    );
    netns.set_sysctl("ipv4/ip_local_port_range", "40100 40109")?;
    Answered::of_script(&within)?.names(&[])?;
    Ok(())
}
