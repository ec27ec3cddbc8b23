//! Commands that are followed, with whatever they start, and nobody else.

use anyhow::{Result, ensure};

use super::{Answered, Other};
use crate::guest::{Netns, finish, v6trace};
use crate::scenarios::{Scenario, alone};

pub(super) const SCENARIOS: &[Scenario] = &[
    alone("why-follows-what-it-starts", descendants),
    alone("why-not-others", others),
    alone("why-nothing-failed", nothing),
];

/// What the kernel refuses, and the cause.
const TOKEN: &str = "ip token set ::1 dev lo";
const TOKEN_CAUSE: &str = "token-loopback";

/// Its child, a child's child, and one that nobody waits for.
fn descendants() -> Result<()> {
    let script = format!("echo to out; echo to err >&2; sh -c '{TOKEN}; :'; exit 7");
    let answered = Answered::of_script(&script)?;
    answered
        .names(&[TOKEN_CAUSE])?
        .says(7, "sh ended with status 7; what failed of IPv6")?;
    ensure!(answered.done.stdout == "to out\n", "{}", answered.done);
    ensure!(
        answered.done.stderr.starts_with("to err\n"),
        "{}",
        answered.done
    );
    ensure!(
        answered.diagnoses[0].field("comm") == "ip",
        "{}",
        answered.diagnoses[0]
    );
    ensure!(answered.answer["processes"] == 3, "{}", answered.answer);

    let answered = Answered::of_script(&format!("({TOKEN} &); sleep 1; kill -9 $$"))?;
    answered.names(&[TOKEN_CAUSE])?;
    let status = answered.done.status.code();
    ensure!(status == Some(128 + 9), "{}", answered.done);
    ensure!(answered.answer["signal"] == 9, "{}", answered.answer);
    Ok(())
}

/// The same happens to somebody else all the while.
fn others() -> Result<()> {
    let _other = Other::begin(TOKEN)?;
    let answered = Answered::of_script("sleep 0.5")?;
    answered.names(&[])?.says(
        0,
        "v6trace: sh ended well, and v6trace saw nothing of IPv6 fail\n",
    )?;
    let answered = Answered::of_script(&format!("sleep 0.2; {TOKEN}"))?;
    answered
        .names(&[TOKEN_CAUSE])?
        .says(2, "sh ended with status 2; ")?;
    Ok(())
}

/// Commands that do what they should, or fail for another reason.
fn nothing() -> Result<()> {
    let netns = Netns::new("well")?;
    let within = format!("ip netns exec {} ", netns.name());
    let script = [
        "ip link set lo up",
        "ping -c 1 ::1",
        "ip link add d0 up type dummy",
        "ip addr add 2001:db8:5::1/64 dev d0 nodad",
        "ip -6 route add 2001:db8:6::/64 via 2001:db8:5::2",
        "ip -6 route get 2001:db8:6::1",
        "ip -6 rule add from 2001:db8:5::/64 table 7",
        "ip -6 neigh add 2001:db8:5::3 lladdr 02:00:00:00:00:03 dev d0",
        "sysctl -w net.ipv6.conf.d0.accept_ra=0",
        "ip addr del 2001:db8:5::1/64 dev d0",
    ]
    .map(|command| [&*within, command].concat())
    .join(" && ");
    let answered = Answered::of_script(&script)?;
    answered.names(&[])?.says(
        0,
        "v6trace: sh ended well, and v6trace saw nothing of IPv6 fail\n",
    )?;

    let answered = Answered::of(&["cat", "/no/such/file"])?;
    answered.names(&[])?.says(
        1,
        "cat ended with status 1, but v6trace saw nothing of IPv6 fail\n",
    )?;

    // It cannot even be started.
    let done = finish(&mut v6trace(&["why", "--", "/no/such"]), super::LIMIT)?;
    ensure!(done.status.code() == Some(127), "{done}");
    ensure!(
        done.stderr.contains("v6trace: cannot start /no/such: "),
        "{done}"
    );
    let done = finish(&mut v6trace(&["why"]), super::LIMIT)?;
    ensure!(done.status.code() == Some(2), "{done}");
    Ok(())
}
