//! The routing daemon whose session a change of forwarding ends.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::{Netns, finish, until};

/// A running BIRD that speaks BGP with one neighbour.
pub(crate) struct Bird {
    child: Child,
    control: String,
}

impl Bird {
    /// Starts BIRD in `netns`; `session` is the body of its one BGP protocol.
    pub(crate) fn start(netns: &Netns, session: &str) -> Result<Self> {
        let name = netns.name();
        let config = format!("/run/bird-{name}.conf");
        let control = format!("/run/bird-{name}.ctl");
        let text = format!(
            "log stderr all;\nrouter id 10.0.0.{};\nprotocol device {{ }}\n\
             protocol bgp session {{\n{session}\nipv6 {{ import all; export none; }};\n}}\n",
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

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
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
