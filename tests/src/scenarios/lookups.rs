//! What v6trace looks up beside the events, where that is not easy: with few
//! capabilities, in namespaces without a name, for many events at once.

use std::net::Ipv6Addr;
use std::process::{Child, Command};
use std::thread;

use anyhow::{Context as _, Result, anyhow, ensure};
use rustix::thread::{
    CapabilitySet, capability_is_in_bounding_set, remove_capability_from_bounding_set,
};
use serde_json::Value;

use super::{Scenario, alone, scenario};
use crate::guest::{AddressState, Netns, Tracer, Tracing, ip};

/// Of two families.
pub(super) const SCENARIOS: &[&[Scenario]] = &[&[
    alone("look-ups-with-few-capabilities", few_capabilities),
    alone("look-ups-are-what-rights-are-left-for", given_up),
]];

/// Of what forwarding takes.
pub(super) const OF_ANYCAST: &[Scenario] = &[
    scenario("look-ups-in-a-nameless-namespace", nameless),
    scenario("look-ups-for-many-interfaces", many),
];

const ADDRESS: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 9, 0, 0, 0, 0xa);

/// Runs `work` on a thread whose programs have no other capabilities.
fn with_only<T: Send>(kept: CapabilitySet, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    thread::scope(|scope| {
        let thread = scope.spawn(|| {
            for capability in CapabilitySet::all().difference(kept).iter() {
                // One that this kernel does not know is none to remove.
                if capability_is_in_bounding_set(capability).unwrap_or(false) {
                    remove_capability_from_bounding_set(capability)?;
                }
            }
            work()
        });
        thread.join().map_err(|_| anyhow!("the thread panicked"))?
    })
}

/// Two ends of a veth, deleted on drop.
struct Veth;

impl Drop for Veth {
    fn drop(&mut self) {
        // PID 1 sweeps what could not be deleted.
        let _ = ip("link del few0");
    }
}

/// What tracing needs is enough for look-ups in v6trace's own namespace.
fn few_capabilities() -> Result<()> {
    let host = Netns::host()?;
    host.ip("link add few0 type veth peer name few1")?;
    let _veth = Veth;
    for end in ["few0", "few1"] {
        host.ip(&format!("link set {end} addrgenmode none"))?;
        let delay = format!("ipv6/conf/{end}/router_solicitation_delay");
        host.set_sysctl(&delay, "0")?;
        host.ip(&format!("link set {end} up"))?;
    }
    host.ip(&format!("addr add {ADDRESS}/64 dev few0 nodad"))?;
    // Above 2, Debian's older kernels ask for more.
    let paranoid = "/proc/sys/kernel/perf_event_paranoid";
    let before = std::fs::read_to_string(paranoid).context("cannot read the sysctl")?;
    std::fs::write(paranoid, "2").context("cannot write the sysctl")?;
    let needed = CapabilitySet::BPF
        | CapabilitySet::PERFMON
        | CapabilitySet::SYSLOG
        // For older kernels, whose maps count as locked memory.
        | CapabilitySet::SYS_RESOURCE;
    let tracer = with_only(needed, Tracing::start);
    std::fs::write(paranoid, before).context("cannot write the sysctl")?;
    let tracer = tracer?;
    host.ip(&format!("addr add {ADDRESS}/64 dev few1"))?;
    AddressState::Failed.wait(&host, "few1", ADDRESS)?;
    let report = tracer.finish()?;
    report.complete()?;
    report
        .only("dad-conflict-same-host")?
        .expect()
        .field("confidence", "certain")
        .evidence("other_interface", "few0")
        .check()
}

/// Once everything is attached, no thread has more rights than looking up takes. That
/// these do, the other scenarios show.
fn given_up() -> Result<()> {
    let kept = CapabilitySet::BPF
        | CapabilitySet::PERFMON
        | CapabilitySet::SYS_ADMIN
        | CapabilitySet::SYS_PTRACE
        | CapabilitySet::DAC_READ_SEARCH;
    // Unlike what records, it makes no file.
    let tracer = Tracer::json(&[])?;
    let threads = std::fs::read_dir(format!("/proc/{}/task", tracer.id()))?;
    for thread in threads {
        let path = thread?.path().join("status");
        let status = match std::fs::read_to_string(path) {
            // A look-up's own is gone when that is done: ENOENT, or ESRCH while it is read.
            Err(error) if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ESRCH)) => {
                continue;
            }
            status => status.context("a thread's status")?,
        };
        let value = |name: &str| {
            let mut lines = status.lines();
            let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(":\t"));
            value.with_context(|| format!("no {name} in {status}"))
        };
        ensure!(value("NoNewPrivs")? == "1", "{status}");
        for (set, allowed) in [
            ("CapInh", 0),
            ("CapPrm", kept.bits()),
            ("CapEff", kept.bits()),
            ("CapBnd", kept.bits()),
            ("CapAmb", 0),
        ] {
            let has = u64::from_str_radix(value(set)?, 16)?;
            ensure!(has & !allowed == 0, "{set} {has:x}: {status}");
        }
    }
    tracer.finish()?.complete()
}

/// Somebody who lives in a namespace, ended on drop.
struct Inhabitant(Child);

impl Inhabitant {
    fn of(netns: &Netns) -> Result<Self> {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", netns.name(), "sleep", "120"]);
        Ok(Self(command.spawn().context("cannot start sleep")?))
    }
}

impl Drop for Inhabitant {
    fn drop(&mut self) {
        // Either fails only if it has ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Who wrote a sysctl is gone by the time that somebody pastes a fix; whoever
/// lives in the namespace is a way into it.
fn nameless() -> Result<()> {
    let netns = Netns::new("quiet")?;
    let inhabitant = Inhabitant::of(&netns)?;
    let interface = netns.dummy("d0")?;
    netns.ip("addr add fd00:4::5/64 dev d0 nodad")?;
    let tracer = Tracing::start()?;
    netns.enter(|| {
        netns.forget_name()?;
        let sysctl = "/proc/sys/net/ipv6/conf/d0/forwarding";
        std::fs::write(sysctl, "1").context("cannot write the sysctl")
    })?;
    let report = tracer.finish()?;
    report.complete()?;
    let way = format!("nsenter -t {} -n ", inhabitant.0.id());
    report
        .only("subnet-router-anycast")?
        .expect()
        .field("netns", netns.inode())
        .field("ifindex", interface.ifindex)
        .some_fix_has(&way)
        .check()
}

/// Forwarding is mostly enabled on all interfaces at once. Each is told with
/// its own neighbour, where it has one.
fn many() -> Result<()> {
    const MANY: u32 = 40;
    let netns = Netns::new("many")?;
    // While all are made, the first would have asked for routers in vain.
    netns.set_sysctl("ipv6/conf/default/router_solicitations", "0")?;
    for index in 0..MANY {
        let interface = format!("d{index}");
        netns.dummy(&interface)?;
        netns.ip(&format!(
            "addr add fd00:{index:x}::5/64 dev {interface} nodad"
        ))?;
        if index.is_multiple_of(2) {
            netns.ip(&format!(
                "neigh add fd00:{index:x}:: lladdr 02:00:00:00:00:{index:02x} dev {interface}"
            ))?;
        }
    }
    let tracer = Tracing::start()?;
    netns.set_sysctl("ipv6/conf/all/forwarding", "1")?;
    let report = tracer.finish()?;
    report.complete()?;
    report.count(usize::try_from(MANY)?)?;
    for diagnosis in &report.diagnoses {
        let name = diagnosis.field("interface").as_str().unwrap_or_default();
        let index: u32 = name.trim_start_matches('d').parse()?;
        let has_neighbour = index.is_multiple_of(2);
        let used_by = diagnosis.evidence("used_by").and_then(Value::as_array);
        let used_by = used_by.context("no used_by")?;
        let details: Vec<&str> = used_by
            .iter()
            .filter_map(|found| found["detail"].as_str())
            .collect();
        if has_neighbour {
            let mac = format!("02:00:00:00:00:{index:02x} on {name}");
            ensure!(
                details.len() == 1 && details[0].starts_with(&mac),
                "not its neighbour: {diagnosis}"
            );
        } else {
            ensure!(details.is_empty(), "nobody uses it: {diagnosis}");
        }
        let severity = if has_neighbour { "hazard" } else { "notice" };
        diagnosis.expect().field("severity", severity).check()?;
    }
    Ok(())
}
