//! The router advertisement daemon whose leak v6trace was made for.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::net::Ipv6Addr;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use rustix::process::Signal;

use super::lines::Lines;
use super::{Link, Netns, command, until_some};

/// One of its files, which this process's radvd has for itself.
fn file(end: &str) -> String {
    format!("/run/radvd-{}.{end}", std::process::id())
}

/// A running radvd that announces a prefix on each of a batch of interfaces,
/// whether they exist yet or not.
///
/// It opens one `ICMPv6` socket for all of them and joins `ff02::2` there for each
/// interface that comes up; it does not leave when an interface disappears.
pub(crate) struct Radvd {
    child: Child,
    log: Lines,
}

impl Radvd {
    /// Starts radvd in `netns` for the interfaces `prefix`0 to `prefix``count`-1.
    pub(crate) fn start(netns: &Netns, prefix: &str, count: u32) -> Result<Self> {
        configure(prefix, count, "", "prefix 2001:db8:0:{n}::/64 { };")?;
        Self::run(netns)
    }

    /// The same for `prefix`0 alone, every few seconds and with lifetimes of
    /// seconds: 2001:db8::/64, unless only the default route is wanted.
    pub(crate) fn start_quick(netns: &Netns, prefix: &str, with_prefix: bool) -> Result<Self> {
        let interface = "MinRtrAdvInterval 3; MaxRtrAdvInterval 4; AdvDefaultLifetime 30;";
        let announced = "prefix 2001:db8:0:{n}::/64 \
                         { AdvValidLifetime 30; AdvPreferredLifetime 29; };";
        let announced = if with_prefix { announced } else { "" };
        configure(prefix, 1, interface, announced)?;
        Self::run(netns)
    }

    fn run(netns: &Netns) -> Result<Self> {
        let mut radvd = Command::new("radvd");
        radvd
            .args(["--nodaemon", "--logmethod", "stderr"])
            .args(["--config", &file("conf"), "--pidfile", &file("pid")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        // A child inherits the namespace of the thread that starts it.
        let mut child = netns.enter(|| radvd.spawn().context("cannot start radvd"))?;
        let stderr = child.stderr.take().context("stderr is piped")?;
        let log = Lines::collect(stderr, |_| ());
        let mut radvd = Self { child, log };
        // Once the timers run, netlink is watched as well.
        let started = until_some("radvd should start", Duration::from_secs(20), || {
            let ended = radvd.child.try_wait()?;
            ensure!(ended.is_none(), "radvd ended: {}", radvd.log());
            Ok(fs::exists(file("pid"))?.then_some(()))
        });
        started.with_context(|| radvd.log())?;
        Ok(radvd)
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Makes it set up all interfaces at once, as `systemctl reload radvd` does.
    pub(crate) fn reload(&self) -> Result<()> {
        self.signal(Signal::HUP)
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        command::signal(&self.child, "radvd", signal)
    }

    /// Has it withdraw 2001:db8::/64 and announce 2001:db8:0:64::/64 instead, on
    /// `prefix`0.
    pub(crate) fn renumber(&self, prefix: &str) -> Result<()> {
        let announced = "prefix 2001:db8:0:{n}::/64 \
                         { AdvValidLifetime 0; AdvPreferredLifetime 0; }; \
                         prefix 2001:db8:0:64::/64 { };";
        configure(
            prefix,
            1,
            "MinRtrAdvInterval 3; MaxRtrAdvInterval 4;",
            announced,
        )?;
        self.reload()
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.so_far().join("\n")
    }

    /// Waits until it has joined on each of the taps, or failed to, and gives
    /// those on which it failed. It logs failures, but not successes.
    pub(crate) fn serve(&self, netns: &Netns, taps: &[Link]) -> Result<Vec<Link>> {
        const ALL_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2);
        let what = format!("radvd should try to join on {} taps", taps.len());
        let refused_on = until_some(&what, Duration::from_secs(30), || {
            let joined = netns.joined_on(ALL_ROUTERS)?;
            let refused = self.refused_on();
            let tried = |tap: &Link| joined.contains(&tap.name) || refused.contains(&tap.name);
            Ok(taps.iter().all(tried).then_some(refused))
        })?;
        let refused = taps.iter().filter(|tap| refused_on.contains(&tap.name));
        Ok(refused.cloned().collect())
    }

    /// The interfaces on which it could not join, by its own account.
    fn refused_on(&self) -> BTreeSet<String> {
        let log = self.log.so_far();
        log.iter()
            .filter_map(|line| line.split_once("can't join ipv6-allrouters on "))
            .map(|(_, interface)| interface.trim().to_owned())
            .collect()
    }
}

impl Drop for Radvd {
    fn drop(&mut self) {
        // Its second process ends when the first one closes the pipe to it.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_file(file("pid"));
    }
}

/// Writes a configuration as a host of virtual machines has it: the taps come
/// and go, so missing ones are ignored. Each announces what `announced` says of
/// its number, `{n}`.
fn configure(prefix: &str, count: u32, interface: &str, announced: &str) -> Result<()> {
    let mut text = String::new();
    for n in 0..count {
        let announced = announced.replace("{n}", &format!("{n:x}"));
        writeln!(
            text,
            "interface {prefix}{n} {{ AdvSendAdvert on; IgnoreIfMissing on; {interface} \
             {announced} }};"
        )?;
    }
    fs::write(file("conf"), text).context("cannot write radvd's configuration")?;
    // radvd refuses a configuration that others may write.
    fs::set_permissions(file("conf"), fs::Permissions::from_mode(0o644))?;
    Ok(())
}
