//! Names that someone chose to do harm: v6trace runs as root, and its output
//! is read on terminals and pasted into shells.

use anyhow::{Context as _, Result, ensure};

use crate::guest::{MulticastSocket, Netns, Refused, Tracer, Tracing, group};
use crate::scenarios::{Scenario, alone, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    alone("already-joined-hostile-names", names),
    scenario("ipv6-disabled-on-device-hostile-names", commands),
];

/// A process name that would clear the screen and begin a line of its own.
const COMM: &str = "e\x1b[2J\n\"\\x";

/// An interface name that would colour what follows.
const INTERFACE: &str = "d\x1b[41m";

/// Names reach neither a terminal nor a stream with their control characters.
fn names() -> Result<()> {
    let netns = Netns::new("hostile")?;
    let interface = netns.dummy(INTERFACE)?;
    let socket = MulticastSocket::udp(&netns)?;
    socket.join(interface.ifindex, group(1))?;
    let json = Tracing::start()?;
    let text = Tracer::text(&["--events"])?;
    netns.enter_as(COMM, || {
        let joined = socket.join(interface.ifindex, group(1));
        Refused::expect(group(1), libc::EADDRINUSE, joined)
    })?;
    let report = json.finish()?;
    report
        .only("already-joined")?
        .expect()
        .field("comm", defused(COMM))
        .field("interface", defused(INTERFACE))
        .check()?;
    let done = text.finish_text()?;
    ensure!(done.status.success(), "{done}");
    ensure!(done.stdout.contains("already-joined"), "{done}");
    let escapes = |text: &str| text.contains(|c: char| c.is_control() && c != '\n');
    ensure!(!escapes(&done.stdout), "{:?}", done.stdout);
    ensure!(!escapes(&done.stderr), "{:?}", done.stderr);
    // The newline of the name must not have become one of the output.
    let broken = done.stdout.lines().any(|line| line.starts_with("\"\\x"));
    ensure!(!broken, "{:?}", done.stdout);
    Ok(())
}

/// The name with a replacement character for each control character.
fn defused(name: &str) -> String {
    let defuse = |c: char| {
        if c.is_control() {
            char::REPLACEMENT_CHARACTER
        } else {
            c
        }
    };
    name.chars().map(defuse).collect()
}

/// A fix holds names of interfaces and namespaces; typed in, it must do what
/// it says and nothing else.
fn commands() -> Result<()> {
    let netns = Netns::new("n;echo$IFS'owned")?;
    let interface = netns.dummy("a;exit$(b)`c`&#")?;
    netns.ip(&format!("link set {} mtu 1279", interface.name))?;
    let socket = MulticastSocket::udp(&netns)?;
    let tracer = Tracing::start()?;
    let joined = socket.join(interface.ifindex, group(1));
    Refused::expect(group(1), libc::EINVAL, joined)?;
    let report = tracer.finish()?;
    report.only("ipv6-disabled-on-device")?.follow("mtu")?;
    socket
        .join(interface.ifindex, group(1))
        .context("the join still fails")
}
