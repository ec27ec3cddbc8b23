//! FRR: its daemons as Debian's package starts them, one set in each namespace.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::{Daemon, Netns, finish, until};

/// Its daemons, zebra, which speaks to the kernel, first.
const DAEMONS: [&str; 4] = ["zebra", "staticd", "bgpd", "ospf6d"];
/// How long a daemon may take to answer, or to end.
const LIMIT: Duration = Duration::from_secs(30);

/// A running FRR.
pub(crate) struct Frr {
    netns: String,
    daemons: Vec<Daemon>,
}

impl Frr {
    /// Starts the daemons in `netns`, without configuration, and waits until they answer.
    pub(crate) fn start(netns: &Netns) -> Result<Self> {
        let name = netns.name();
        // Debian lets root ask.
        fs::create_dir_all("/etc/pam.d")?;
        fs::write(
            "/etc/pam.d/frr",
            "auth sufficient pam_permit.so\naccount sufficient pam_permit.so\n",
        )?;
        fs::create_dir_all("/var/tmp")?;
        for directory in ["/etc/frr", "/var/run/frr"] {
            let own = format!("{directory}/{name}");
            fs::create_dir_all(&own)?;
            // Without it vtysh complains of each line.
            fs::write(format!("{own}/vtysh.conf"), "")?;
            let done = finish(
                Command::new("chown").args(["-R", "frr:frr", directory]),
                LIMIT,
            )?;
            ensure!(done.status.success(), "{done}");
        }
        let mut frr = Self {
            netns: name.to_owned(),
            daemons: Vec::new(),
        };
        for daemon in DAEMONS {
            let mut command = Command::new(format!("/usr/lib/frr/{daemon}"));
            command.args(["-F", "traditional", "-A", "127.0.0.1", "-N", name]);
            frr.daemons
                .push(Daemon::start(netns, daemon, &mut command)?);
            let what = format!("{daemon} should answer");
            until(&what, LIMIT, || {
                frr.asked(&["-d", daemon, "-c", "show version"]).is_ok()
            })?;
        }
        Ok(frr)
    }

    /// Has vtysh configure it, line by line.
    pub(crate) fn configure(&self, lines: &[&str]) -> Result<()> {
        let lines = lines.iter().flat_map(|line| ["-c", line]);
        let words: Vec<&str> = ["-c", "configure terminal"]
            .into_iter()
            .chain(lines)
            .collect();
        self.asked(&words).map(drop)
    }

    /// What vtysh shows.
    pub(crate) fn show(&self, what: &str) -> Result<String> {
        self.asked(&["-c", &format!("show {what}")])
    }

    fn asked(&self, words: &[&str]) -> Result<String> {
        let mut vtysh = Command::new("vtysh");
        let done = finish(vtysh.args(["-N", &self.netns]).args(words), LIMIT)?;
        ensure!(done.status.success(), "vtysh {words:?}: {done}");
        Ok(done.stdout)
    }

    /// Stops it, zebra last, and waits until it has.
    pub(crate) fn stop(mut self) -> Result<()> {
        while let Some(daemon) = self.daemons.pop() {
            daemon.stop(LIMIT)?;
        }
        Ok(())
    }
}
