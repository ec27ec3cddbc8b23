//! systemd-networkd, which processes router advertisements itself.

use std::fs;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result};

use super::Netns;
use super::lines::Lines;

const PROGRAM: &str = "/usr/lib/systemd/systemd-networkd";
const CONFIG: &str = "/run/systemd/network";
/// It does not start to configure an interface without.
const MACHINE_ID: (&str, &str) = ("/etc/machine-id", "0123456789abcdef0123456789abcdef\n");

/// A running systemd-networkd, without systemd and D-Bus.
pub(crate) struct Networkd {
    child: Child,
    log: Lines,
}

impl Networkd {
    /// Starts it in `netns`, to manage the interface of that name and no other.
    pub(crate) fn start(netns: &Netns, interface: &str) -> Result<Self> {
        fs::create_dir_all(CONFIG)?;
        fs::write(MACHINE_ID.0, MACHINE_ID.1)?;
        let network = format!(
            "[Match]\nName={interface}\n[Network]\nLinkLocalAddressing=ipv6\nIPv6AcceptRA=yes\n\
             DHCP=no\n[IPv6AcceptRA]\nDHCPv6Client=no\n"
        );
        fs::write(format!("{CONFIG}/10-guest.network"), network)?;
        // `ip` gives it a /sys of its own. Where that is read-only it does not wait
        // for udev, which is not there.
        let run = format!("mount -o remount,ro /sys && exec {PROGRAM}");
        let mut networkd = Command::new("ip");
        networkd
            .args(["netns", "exec", netns.name(), "bash", "-c", &run])
            .env("SYSTEMD_LOG_TARGET", "console")
            .env("SYSTEMD_LOG_LEVEL", "info")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = networkd.spawn().context("cannot start networkd")?;
        let stderr = child.stderr.take().context("stderr is piped")?;
        let log = Lines::collect(stderr, |_| ());
        Ok(Self { child, log })
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.so_far().join("\n")
    }
}

impl Drop for Networkd {
    fn drop(&mut self) {
        // Either fails only if it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all("/run/systemd");
        let _ = fs::remove_file(MACHINE_ID.0);
    }
}
