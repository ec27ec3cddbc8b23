//! What else the stream promises: events on request only, and the time of
//! what happened.

use anyhow::{Context as _, Result, ensure};
use rustix::time::{ClockId, clock_gettime};

use crate::guest::{MulticastSocket, Netns, Tracer, Tracing, group, join_each};
use crate::scenarios::{Scenario, alone, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    alone("event-of-each-join", events),
    scenario("already-joined-at-its-time", time),
];

/// `--events` shows joins that succeed; without it there are none.
fn events() -> Result<()> {
    let netns = Netns::new("events")?;
    let interface = netns.dummy("d0")?;
    let socket = MulticastSocket::udp(&netns)?;
    let with = Tracer::start(&["--events", "--netns", "events"])?;
    let without = Tracer::json(&["--netns", "events"])?;
    join_each(&socket, interface.ifindex, 0, 20)?;
    without.finish()?.silent().and_then(|()| {
        let report = with.finish()?;
        report.silent()?;
        let own = std::process::id();
        for n in 0..20 {
            let group = group(n).to_string();
            let mut of_group = report
                .events
                .iter()
                .filter(|event| event["hook"] == "multicast-join")
                .filter(|event| event.to_string().contains(&format!("{group:?}")));
            let event = of_group
                .next()
                .with_context(|| format!("no event of {group}: {:?}", report.events))?;
            ensure!(
                of_group.next().is_none(),
                "{group} twice: {:?}",
                report.events
            );
            ensure!(event["pid"] == own, "{event}");
            ensure!(event["netns"] == netns.inode(), "{event}");
        }
        Ok(())
    })?;
    Ok(())
}

/// A diagnosis bears the time of the failure, on both clocks.
fn time() -> Result<()> {
    let netns = Netns::new("time")?;
    let interface = netns.dummy("d0")?;
    let socket = MulticastSocket::udp(&netns)?;
    socket.join(interface.ifindex, group(1))?;
    let tracer = Tracing::start()?;
    let before = now()?;
    ensure!(socket.join(interface.ifindex, group(1)).is_err());
    let after = now()?;
    // A time taken when the line is printed would be too late now.
    std::thread::sleep(std::time::Duration::from_millis(200));
    let report = tracer.finish()?;
    let diagnosis = report.only("already-joined")?;
    let boot = diagnosis.field("boot_ns").as_i64().context("boot_ns")?;
    ensure!(
        (before.boot..=after.boot).contains(&boot),
        "boot_ns {boot} is not between {} and {}",
        before.boot,
        after.boot
    );
    let text = diagnosis.field("time").as_str().context("time")?;
    let wall: jiff::Timestamp = text.parse().with_context(|| format!("time {text}"))?;
    ensure!(text.ends_with('Z'), "{text} is not in UTC");
    // v6trace compares the clocks once, by reading one after the other.
    let slack = 5_000_000;
    let wall = wall.as_nanosecond();
    ensure!(
        (before.wall - slack..=after.wall + slack).contains(&wall),
        "time {wall} is not between {} and {}",
        before.wall,
        after.wall
    );
    Ok(())
}

/// One moment on two clocks, nanoseconds.
struct Moment {
    boot: i64,
    wall: i128,
}

fn now() -> Result<Moment> {
    let boot = clock_gettime(ClockId::Boottime);
    let wall = jiff::Timestamp::now().as_nanosecond();
    let boot = boot
        .tv_sec
        .checked_mul(1_000_000_000)
        .and_then(|ns| ns.checked_add(boot.tv_nsec))
        .context("the boot clock overflows")?;
    Ok(Moment { boot, wall })
}
