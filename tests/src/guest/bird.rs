//! The routing daemon whose session a change of forwarding ends, and which adds and
//! deletes very many routes.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result};
use rustix::process::Signal;

use super::{Netns, command, finish, until};

/// A running BIRD.
pub(crate) struct Bird {
    child: Child,
    control: String,
}

impl Bird {
    /// Starts BIRD in `netns`, to speak BGP with one neighbour; `session` is the body of its one BGP protocol.
    pub(crate) fn start(netns: &Netns, session: &str) -> Result<Self> {
        Self::with(
            netns,
            &format!(
                "protocol bgp session {{\n{session}\nipv6 {{ import all; export none; }};\n}}\n"
            ),
        )
    }

    /// Starts BIRD in `netns` with routes that it gives to the kernel while its
    /// protocol `many` is enabled; each is a line of that protocol.
    pub(crate) fn with_routes(netns: &Netns, routes: &str) -> Result<Self> {
        Self::with(
            netns,
            &format!(
                "protocol kernel {{ ipv6 {{ export all; }}; }}\n\
                 protocol static many {{ ipv6;\n{routes}\n}}\n"
            ),
        )
    }

    /// Starts BIRD in `netns`, to advertise it as a router on an interface every few
    /// seconds.
    pub(crate) fn advertising(netns: &Netns, interface: &str) -> Result<Self> {
        Self::with(
            netns,
            &format!("protocol radv {{ interface \"{interface}\" {{ max ra interval 4; }}; }}\n"),
        )
    }

    fn with(netns: &Netns, protocols: &str) -> Result<Self> {
        let name = netns.name();
        let config = format!("/run/bird-{name}.conf");
        let control = format!("/run/bird-{name}.ctl");
        let text = format!(
            "log stderr all;\nrouter id 10.0.0.{};\nprotocol device {{ }}\n{protocols}",
            name.len()
        );
        fs::write(&config, text).with_context(|| format!("cannot write {config}"))?;
        let mut bird = Command::new("bird");
        bird.args(["-f", "-c", &config, "-s", &control])
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        // A child inherits the namespace of the thread that starts it.
        let child = netns.enter(|| bird.spawn().context("cannot start bird"))?;
        Ok(Self { child, control })
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        command::signal(&self.child, "BIRD", signal)
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Gives the kernel the routes, or takes them back.
    ///
    /// # Errors
    /// BIRD does not answer.
    pub(crate) fn enable_routes(&self, enable: bool) -> Result<()> {
        let verb = if enable { "enable" } else { "disable" };
        until("BIRD should answer", Duration::from_secs(10), || {
            let mut birdc = Command::new("birdc");
            birdc.args(["-s", &self.control, verb, "many"]);
            finish(&mut birdc, Duration::from_secs(5)).is_ok_and(|done| done.status.success())
        })
    }

    /// Waits until the session is established, or no longer is.
    pub(crate) fn wait_for(&self, established: bool) -> Result<()> {
        let what = format!("the BGP session should be established: {established}");
        until(&what, Duration::from_secs(30), || {
            let mut birdc = Command::new("birdc");
            birdc.args(["-s", &self.control, "show", "protocols", "session"]);
            finish(&mut birdc, Duration::from_secs(5)).is_ok_and(|done| {
                done.status.success() && done.stdout.contains("Established") == established
            })
        })
    }
}

impl Drop for Bird {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
