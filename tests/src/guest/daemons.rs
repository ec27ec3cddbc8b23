//! Daemons of hosts that use IPv6 because it is there, and go without where it is not.

use std::fs;
use std::io::Read as _;
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use rustix::process::Signal;

use super::{Netns, command, finish, until_some};

/// A running daemon that stays in the foreground.
pub(crate) struct Daemon {
    child: Child,
    name: &'static str,
}

impl Daemon {
    /// Starts it in `netns`, whatever it says.
    pub(super) fn start(netns: &Netns, name: &'static str, command: &mut Command) -> Result<Self> {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        // A child inherits the namespace of the thread that starts it.
        let start = || {
            command
                .spawn()
                .with_context(|| format!("cannot start {name}"))
        };
        let child = netns.enter(start)?;
        Ok(Self { child, name })
    }

    /// An SSH server that listens on every address it finds.
    pub(crate) fn sshd(netns: &Netns) -> Result<Self> {
        const KEY: &str = "/run/ssh_host_key";
        let mut keygen = Command::new("ssh-keygen");
        keygen.args(["-q", "-t", "ed25519", "-N", "", "-f", KEY]);
        if !fs::exists(KEY)? {
            let made = finish(&mut keygen, Duration::from_secs(20))?;
            ensure!(made.status.success(), "{made}");
        }
        // Whoever its unprivileged part changes into.
        fs::create_dir_all("/run/sshd")?;
        let mut sshd = Command::new("/usr/sbin/sshd");
        sshd.args(["-D", "-f", "/dev/null", "-h", KEY, "-o", "UsePAM=no"]);
        Self::start(netns, "sshd", &mut sshd)
    }

    /// A time server of that server's time, which leaves the clock alone.
    pub(crate) fn chronyd(netns: &Netns, server: &str) -> Result<Self> {
        const CONFIG: &str = "/run/chrony.conf";
        fs::write(CONFIG, format!("server {server} iburst\nallow all\n"))?;
        let mut chronyd = Command::new("/usr/sbin/chronyd");
        chronyd.args(["-d", "-x", "-u", "root", "-f", CONFIG]);
        Self::start(netns, "chronyd", &mut chronyd)
    }

    /// Waits until it says `text` to whoever connects.
    pub(crate) fn greets(&self, netns: &Netns, at: SocketAddr, text: &str) -> Result<()> {
        let what = format!("{} should greet at {at}", self.name);
        until_some(&what, Duration::from_secs(20), || {
            netns.enter(|| {
                let Ok(mut stream) = TcpStream::connect(at) else {
                    return Ok(None);
                };
                stream.set_read_timeout(Some(Duration::from_secs(10)))?;
                let mut greeting = [0; 64];
                let length = stream.read(&mut greeting)?;
                let greeting = String::from_utf8_lossy(&greeting[..length]);
                Ok(greeting.starts_with(text).then_some(()))
            })
        })
    }

    /// Has it end, and waits until it has.
    pub(super) fn stop(mut self, limit: Duration) -> Result<()> {
        command::signal(&self.child, self.name, Signal::TERM)?;
        command::wait(&mut self.child, self.name, limit).map(drop)
    }

    /// Checks that it has not given up.
    pub(crate) fn is_running(&mut self) -> Result<()> {
        let ended = self.child.try_wait()?;
        ensure!(ended.is_none(), "{} has ended: {ended:?}", self.name);
        Ok(())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Either fails only if it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
