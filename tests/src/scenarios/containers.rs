//! Diagnoses name the container, pod and service that an operator knows: of a real OCI
//! runtime where its cgroups are cgroup2's, of made ones where they are cgroup1's.

use std::fs;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use anyhow::{Context as _, Result, ensure};
use rustix::mount::{MountFlags, UnmountFlags, mount, mount_bind, unmount};
use rustix::system::uname;
use serde_json::{Value, json};

use super::{Scenario, alone};
use crate::guest::{Diagnosis, Netns, Tracer, ip_fails};

/// What is about containers whatever family explains.
pub(super) const SCENARIOS: &[&[Scenario]] = &[&[
    alone("container-of-a-runtime", of_a_runtime),
    alone("container-by-cgroup1", by_cgroup1),
    alone("container-not-a-service", service),
    alone("container-of-another-namespace", of_another),
]];

const ID: &str = "5d9a0f6c1b7e48d2a3c45e6f70819a2b3c4d5e6f708192a3b4c5d6e7f8091a2b";
const POD: &str = "0c6b5b52-94a1-4b6c-9f6e-6d1f6b1c8e11";

/// A token that a loopback interface is refused.
const REFUSED: &str = "token set ::9 dev lo";

/// A file system, taken away on drop.
struct Mounted(PathBuf);

impl Mounted {
    fn cgroup2() -> Result<Self> {
        Self::on("cgroup2", "/sys/fs/cgroup", "")
    }

    fn on(kind: &str, place: &str, options: &str) -> Result<Self> {
        let options = std::ffi::CString::new(options)?;
        mount(kind, place, kind, MountFlags::empty(), options.as_c_str())
            .with_context(|| format!("cannot mount {kind} on {place}"))?;
        Ok(Self(place.into()))
    }

    /// The root of the file system in another place.
    fn root(place: &str) -> Result<Self> {
        fs::create_dir_all(place)?;
        mount_bind("/", place).context("cannot bind the root")?;
        Ok(Self(place.into()))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // What is left in it is of no other scenario.
        let _ = unmount(&self.0, UnmountFlags::DETACH);
    }
}

/// Files of a runtime, taken away on drop.
struct Files(PathBuf);

impl Files {
    fn write(directory: &str, file: &str, what: &Value) -> Result<Self> {
        fs::create_dir_all(directory)?;
        fs::write(Path::new(directory).join(file), what.to_string())?;
        Ok(Self(directory.into()))
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        // Without them nothing has a name, in other scenarios neither.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Somebody in a cgroup, ended on drop with all that it holds.
struct Member {
    child: Child,
    cgroup: PathBuf,
}

impl Member {
    /// A process of a namespace, or of the host's, that sleeps in the cgroup.
    fn of(cgroup: &str, netns: Option<&Netns>) -> Result<Self> {
        fs::create_dir_all(cgroup).with_context(|| format!("cannot make {cgroup}"))?;
        let child = match netns {
            Some(netns) => netns.enter(|| Ok(Command::new("sleep").arg("infinity").spawn()?))?,
            None => Command::new("sleep").arg("infinity").spawn()?,
        };
        fs::write(
            Path::new(cgroup).join("cgroup.procs"),
            child.id().to_string(),
        )?;
        Ok(Self {
            child,
            cgroup: cgroup.into(),
        })
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        // Either fails only if it has ended; a cgroup goes from the leaves on.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir(&self.cgroup);
    }
}

/// A container that runs, ended on drop.
struct Running {
    by: Runtime,
    _root: Mounted,
    _bundle: Files,
}

/// What runs it.
enum Runtime {
    Crun,
    /// Nothing: Debian's crun cannot start itself in an initramfs of 5.10. This puts
    /// processes into the same cgroup, and a namespace of their own.
    Imitated {
        cgroup: String,
        netns: Netns,
        _member: Member,
    },
}

/// What runs containers here: it tells systemd nothing, and leaves the root where it is,
/// for that is the initramfs.
fn crun(words: &[&str]) -> Command {
    let mut crun = Command::new("crun");
    crun.args(["--cgroup-manager", "cgroupfs"]).args(words);
    crun
}

impl Running {
    /// As containerd has it run for Kubernetes.
    fn start() -> Result<Self> {
        let root = "/run/rootfs";
        let bundle = format!("/run/containerd/io.containerd.runtime.v2.task/k8s.io/{ID}");
        let capabilities = ["CAP_NET_ADMIN", "CAP_SYS_ADMIN"];
        let config = json!({
            "ociVersion": "1.0.0",
            "process": {
                "user": { "uid": 0, "gid": 0 },
                "args": ["sleep", "infinity"],
                "cwd": "/",
                "env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
                "capabilities": {
                    "bounding": capabilities,
                    "effective": capabilities,
                    "permitted": capabilities,
                },
            },
            "root": { "path": root },
            "mounts": [{ "destination": "/proc", "type": "proc", "source": "proc" }],
            "linux": {
                "namespaces": [{ "type": "mount" }, { "type": "network" }, { "type": "pid" }],
                "cgroupsPath": format!("/kubepods/burstable/pod{POD}/{ID}"),
            },
            "annotations": {
                "io.kubernetes.cri.container-name": "nginx",
                "io.kubernetes.cri.sandbox-name": "web-0",
                "io.kubernetes.cri.sandbox-namespace": "shop",
            },
        });
        let mut started = Self {
            by: Runtime::Crun,
            _root: Mounted::root(root)?,
            _bundle: Files::write(&bundle, "config.json", &config)?,
        };
        if uname().release().to_bytes().starts_with(b"5.10.") {
            let cgroup = format!("/sys/fs/cgroup/kubepods/burstable/pod{POD}/{ID}");
            let netns = Netns::new("imitated")?;
            started.by = Runtime::Imitated {
                _member: Member::of(&cgroup, Some(&netns))?,
                cgroup,
                netns,
            };
            return Ok(started);
        }
        let run = ["run", "--no-pivot", "--detach", "--bundle", &bundle, ID];
        let status = crun(&run).status().context("cannot run crun")?;
        ensure!(status.success(), "crun started nothing: {status}");
        Ok(started)
    }

    /// What a program in it fails at.
    fn ip_fails(&self, words: &str) -> Result<()> {
        let mut ip = match &self.by {
            Runtime::Crun => {
                let words: Vec<&str> = words.split(' ').collect();
                crun(&[&["exec", ID, "ip"], &*words].concat())
            }
            Runtime::Imitated { cgroup, netns, .. } => {
                let words = netns.ip_words(words);
                let enter = format!("echo $$ > {cgroup}/cgroup.procs && exec ip {words}");
                let mut bash = Command::new("bash");
                bash.args(["-c", &enter]);
                bash
            }
        };
        let status = ip.status().with_context(|| format!("cannot run {ip:?}"))?;
        ensure!(!status.success(), "ip {words} did not fail");
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Runtime::Crun = self.by {
            // Of one that did not start there is nothing to delete.
            let _ = crun(&["delete", "--force", ID]).status();
        }
    }
}

/// A program in a pod fails and is gone; the same outside is nobody's.
fn of_a_runtime() -> Result<()> {
    let _hierarchy = Mounted::cgroup2()?;
    let container = Running::start()?;
    let outside = Netns::new("outside")?;
    let tracer = Tracer::start(&[])?;
    container.ip_fails(REFUSED)?;
    ip_fails(&outside.ip_words(REFUSED))?;
    let (report, recording) = tracer.finish_recorded()?;
    report.complete()?;
    report.count(2)?;
    let is_outside = |found: &&Diagnosis| *found.field("netns") == outside.inode();
    let (host, inside): (Vec<_>, Vec<_>) = report.diagnoses.iter().partition(is_outside);
    let ([host], [inside]) = (&host[..], &inside[..]) else {
        anyhow::bail!("one is of the container, one is not");
    };
    let inside = inside
        .expect()
        .field("container", "nginx")
        .field("pod", "shop/web-0");
    inside
        .field("container_id", ID)
        .field("unit", Value::Null)
        .check()?;
    let host = host.expect().field("container", Value::Null);
    host.field("pod", Value::Null)
        .field("netns_name", outside.name())
        .check()?;
    let recording = recording.context("nothing was recorded")?;
    for (wanted, shown) in [("shop/web-0", 1), (&ID[..12], 1), ("nginx", 1), ("shop", 0)] {
        let text = recording.read("replay", &["--container", wanted])?.stdout;
        let headings = text.matches("  pod shop/web-0\n").count();
        let all = text.matches("  token-loopback  ").count();
        ensure!(
            (headings, all) == (shown, shown),
            "--container {wanted}: {text}"
        );
    }
    Ok(())
}

/// In a namespace without a name, nobody in particular did it: who lives there tells.
fn by_cgroup1() -> Result<()> {
    fs::create_dir_all("/tmp/systemd")?;
    let _hierarchy = Mounted::on("cgroup", "/tmp/systemd", "none,name=systemd")?;
    let config = json!({ "ID": ID, "Name": "/web" });
    let directory = format!("/var/lib/docker/containers/{ID}");
    let _files = Files::write(&directory, "config.v2.json", &config)?;
    let netns = Netns::new("docker")?;
    netns.dummy("d0")?;
    netns.ip("addr add fd00:4::5/64 dev d0 nodad")?;
    let inhabitant = Member::of(&format!("/tmp/systemd/docker/{ID}"), Some(&netns))?;
    let tracer = Tracer::start(&[])?;
    netns.enter(|| {
        netns.forget_name()?;
        fs::write("/proc/sys/net/ipv6/conf/d0/forwarding", "1").context("cannot write the sysctl")
    })?;
    let (report, recording) = tracer.finish_recorded()?;
    report.complete()?;
    let found = report.only("subnet-router-anycast")?.expect();
    found
        .field("container", "web")
        .field("container_id", ID)
        .field("pod", Value::Null)
        .some_fix_has(&format!("nsenter -t {} -n ", inhabitant.child.id()))
        .check()?;
    let text = recording
        .context("nothing was recorded")?
        .read("replay", &[])?
        .stdout;
    ensure!(text.contains("  d0  container web\n"), "{text}");
    Ok(())
}

/// What is said of another namespace names the container that lives there, whether the
/// namespace has a name or not; where nobody lives, or the host is at work as well, and be it
/// with the last of many processes, it has the namespace's.
fn of_another() -> Result<()> {
    fs::create_dir_all("/tmp/systemd")?;
    let _hierarchy = Mounted::on("cgroup", "/tmp/systemd", "none,name=systemd")?;
    let config = json!({ "ID": ID, "Name": "/web" });
    let directory = format!("/var/lib/docker/containers/{ID}");
    let _files = Files::write(&directory, "config.v2.json", &config)?;
    let all = ["cni-5f1c", "plain", "shared", "crowded", "binds"];
    let [web, plain, shared, crowded, host] = all.map(Netns::new);
    let (web, plain, shared, crowded, host) = (web?, plain?, shared?, crowded?, host?);
    host.ip("link set lo up")?;
    for (netns, address) in [
        (&web, "fd00:4::5"),
        (&plain, "fd00:4::6"),
        (&shared, "fd00:4::7"),
        (&crowded, "fd00:4::8"),
    ] {
        netns.dummy("d0")?;
        netns.ip(&format!("addr add {address}/64 dev d0 nodad"))?;
        netns.clear();
    }
    let _hosts = Member::of("/tmp/systemd/frr", Some(&shared))?;
    let tracer = Tracer::start(&[])?;
    // What the session began with does not know of it.
    let contained = |netns| Member::of(&format!("/tmp/systemd/docker/{ID}"), Some(netns));
    let _inhabitants = [contained(&web)?, contained(&web)?, contained(&web)?];
    let _guest = contained(&shared)?;
    let _guests = [contained(&crowded)?, contained(&crowded)?];
    let _last = Member::of("/tmp/systemd/bird", Some(&crowded))?;
    for address in ["fd00:4::5", "fd00:4::6", "fd00:4::7", "fd00:4::8"] {
        let bound = host.enter(|| Ok(UdpSocket::bind((address, 0))))?;
        ensure!(bound.is_err(), "{address} could be bound to");
    }
    let (report, recording) = tracer.finish_recorded()?;
    report.complete()?;
    report.count(4)?;
    let named = |netns: &Netns| format!("d0 in network namespace {} has it", netns.name());
    for (address, place) in [
        ("fd00:4::5", "d0 in container web has it"),
        ("fd00:4::6", &named(&plain)),
        ("fd00:4::7", &named(&shared)),
        ("fd00:4::8", &named(&crowded)),
    ] {
        let mut all = report.diagnoses.iter();
        let found = all.find(|found| found.field("address") == address);
        let found = found.with_context(|| format!("nothing about {address}"))?;
        found
            .expect()
            .field("cause", "bind-address-absent")
            .field("container", Value::Null)
            .summary_has([place])
            .check()?;
    }
    let text = recording
        .context("nothing was recorded")?
        .read("replay", &[])?
        .stdout;
    ensure!(text.contains("d0 in container web has it"), "{text}");
    Ok(())
}

/// A service of the host's is a unit and no container, nor is what watches over one.
fn service() -> Result<()> {
    let _hierarchy = Mounted::cgroup2()?;
    let watched = format!("/sys/fs/cgroup/machine.slice/libpod-conmon-{ID}.scope");
    fs::create_dir_all(&watched)?;
    let unit = "/sys/fs/cgroup/system.slice/radvd.service";
    fs::create_dir_all(unit)?;
    let netns = Netns::new("service")?;
    let tracer = Tracer::start(&[])?;
    for cgroup in [unit, &watched] {
        let enter = format!(
            "echo $$ > {cgroup}/cgroup.procs && exec ip {}",
            netns.ip_words(REFUSED)
        );
        let status = Command::new("bash").args(["-c", &enter]).status()?;
        ensure!(!status.success(), "the token was taken");
    }
    let report = tracer.finish()?;
    report.complete()?;
    report.count(2)?;
    for (diagnosis, unit) in report
        .diagnoses
        .iter()
        .zip([json!("radvd.service"), Value::Null])
    {
        let diagnosis = diagnosis.expect().field("unit", unit);
        diagnosis.field("container", Value::Null).check()?;
    }
    for cgroup in [
        watched.as_str(),
        "/sys/fs/cgroup/machine.slice",
        unit,
        "/sys/fs/cgroup/system.slice",
    ] {
        fs::remove_dir(cgroup).with_context(|| format!("cannot remove {cgroup}"))?;
    }
    Ok(())
}
