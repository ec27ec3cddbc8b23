//! NetworkManager, with a D-Bus of its own.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use rustix::process::Signal;

use super::lines::Lines;
use super::{Netns, command, finish, until};

/// What it keeps and is told lies here, but for what it is asked to keep.
const DIRECTORIES: [&str; 3] = [
    "/run/NetworkManager",
    "/var/lib/NetworkManager",
    "/etc/NetworkManager/system-connections",
];
const NAME: &str = "NetworkManager";
const BUS: &str = "/run/bus";
/// How long it may take to start, to do what it is asked, or to end.
const LIMIT: Duration = Duration::from_secs(40);

/// A bus on which everybody may do everything.
const BUS_CONFIG: &str = "<busconfig><type>system</type><listen>unix:path=/run/bus</listen>\
    <auth>EXTERNAL</auth><policy context=\"default\"><allow user=\"*\"/><allow own=\"*\"/>\
    <allow send_type=\"method_call\"/><allow send_type=\"signal\"/>\
    <allow send_requested_reply=\"true\" send_type=\"method_return\"/>\
    <allow send_requested_reply=\"true\" send_type=\"error\"/>\
    <allow receive_type=\"method_call\"/><allow receive_type=\"signal\"/>\
    <allow receive_type=\"method_return\"/><allow receive_type=\"error\"/></policy></busconfig>";
/// As Debian has it, but that nobody is there to ask whether something is allowed.
const CONFIG: &str = "[main]\nplugins=ifupdown,keyfile\nauth-polkit=false\nhostname-mode=none\n\
    [ifupdown]\nmanaged=false\n";

/// A running NetworkManager.
pub(crate) struct NetworkManager {
    manager: Child,
    bus: Child,
    /// Where programs find the bus.
    address: String,
    log: Lines,
}

impl NetworkManager {
    /// Starts it in `netns`, and waits until it answers.
    pub(crate) fn start(netns: &Netns) -> Result<Self> {
        for directory in DIRECTORIES {
            fs::create_dir_all(directory)?;
        }
        fs::write("/run/bus.conf", BUS_CONFIG)?;
        fs::write("/run/NetworkManager.conf", CONFIG)?;
        let bus = Command::new("dbus-daemon")
            .args(["--config-file=/run/bus.conf", "--nofork", "--nopidfile"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start dbus-daemon")?;
        until("D-Bus should start", LIMIT, || {
            fs::exists(BUS).unwrap_or(false)
        })?;
        let address = format!("unix:path={BUS}");
        // As networkd: it then waits for no udev, which is not there.
        let run = "mount -o remount,ro /sys && exec NetworkManager --no-daemon \
                   --config=/run/NetworkManager.conf";
        let mut manager = Command::new("ip");
        manager
            .args(["netns", "exec", netns.name(), "bash", "-c", run])
            .env("DBUS_SYSTEM_BUS_ADDRESS", &address)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut manager = manager.spawn().context("cannot start NetworkManager")?;
        let stderr = manager.stderr.take().context("stderr is piped")?;
        let started = Self {
            manager,
            bus,
            address,
            log: Lines::collect(stderr, |_| ()),
        };
        until("NetworkManager should answer", LIMIT, || {
            started.asked("general status").is_ok()
        })
        .with_context(|| started.log())?;
        Ok(started)
    }

    /// Has nmcli do this, and waits until it is done.
    pub(crate) fn asked(&self, words: &str) -> Result<String> {
        let mut nmcli = Command::new("nmcli");
        nmcli
            .args(["--wait", "30"])
            .args(words.split_whitespace())
            .env("DBUS_SYSTEM_BUS_ADDRESS", &self.address);
        let done = finish(&mut nmcli, LIMIT)?;
        ensure!(done.status.success(), "nmcli {words}: {done}");
        Ok(done.stdout)
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.so_far().join("\n")
    }

    /// Stops it, and waits until it has.
    pub(crate) fn stop(mut self) -> Result<()> {
        command::signal(&self.manager, NAME, Signal::TERM)?;
        command::wait(&mut self.manager, NAME, LIMIT).map(drop)
    }
}

impl Drop for NetworkManager {
    fn drop(&mut self) {
        for child in [&mut self.manager, &mut self.bus] {
            // Either fails only if it has ended.
            let _ = child.kill();
            let _ = child.wait();
        }
        for directory in DIRECTORIES {
            let _ = fs::remove_dir_all(directory);
        }
        let _ = fs::remove_file(BUS);
    }
}
