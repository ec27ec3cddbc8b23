//! The table of neighbours, which all namespaces share, is full.

use anyhow::{Context as _, Result, bail, ensure};

use super::{COMM, Site, other, shown};
use crate::guest::{Diagnosis, Netns, Report, Tracing};
use crate::scenarios::{Scenario, alone};

/// All of these change what the whole host has.
pub(super) const SCENARIOS: &[Scenario] = &[
    alone("neighbour-table-full-by-hosts", by_hosts),
    alone("neighbour-table-full-by-a-scan", by_a_scan),
    alone("neighbour-table-full-not-where-room-is-made", room),
];

/// Entries that the table may have meanwhile.
const MOST: u16 = 16;

const THRESHOLDS: [&str; 3] = ["gc_thresh1", "gc_thresh2", "gc_thresh3"];

/// The limits of the host's table, which are put back on drop.
struct Limits {
    host: Netns,
    before: Vec<String>,
}

impl Limits {
    fn lower() -> Result<Self> {
        let host = Netns::host()?;
        let read = |name: &&str| host.sysctl(&format!("ipv6/neigh/default/{name}"));
        let before = THRESHOLDS.iter().map(read).collect::<Result<_>>()?;
        let limits = Self { host, before };
        let most = MOST.to_string();
        limits.set(["1", &most, &most])?;
        Ok(limits)
    }

    fn set(&self, values: [&str; 3]) -> Result<()> {
        for (name, value) in THRESHOLDS.iter().zip(values) {
            self.host
                .set_sysctl(&format!("ipv6/neigh/default/{name}"), value)?;
        }
        Ok(())
    }
}

impl Drop for Limits {
    fn drop(&mut self) {
        for (name, value) in THRESHOLDS.iter().zip(&self.before) {
            let _ = self
                .host
                .set_sysctl(&format!("ipv6/neigh/default/{name}"), value);
        }
    }
}

/// Adds neighbours that are known to be there, until the table has no room.
fn fill(site: &Site, first: u16) -> Result<u16> {
    for number in 0..=MOST {
        let address = other(first + number);
        let words = format!(
            "-6 neigh add {address} lladdr 02:00:00:00:01:{number:02x} nud reachable dev v0"
        );
        if site.host.ip(&words).is_err() {
            return Ok(number);
        }
    }
    bail!("the table has room for more than {MOST}")
}

/// The one diagnosis of a host; what other interfaces on this host send to groups
/// fails as well.
fn only<'r>(report: &'r Report, site: &Site) -> Result<&'r Diagnosis> {
    let is_own = |it: &&Diagnosis| {
        it.field("netns") == site.host.inode()
            && !it
                .field("address")
                .as_str()
                .is_some_and(|it| it.starts_with("ff"))
    };
    let own: Vec<_> = report.diagnoses.iter().filter(is_own).collect();
    match own[..] {
        [only] => Ok(only),
        _ => bail!("expected one diagnosis of {}: {own:?}", site.host.name()),
    }
}

/// Two namespaces' neighbours fill it; who has how many is told.
fn by_hosts() -> Result<()> {
    let limits = Limits::lower()?;
    let few = Site::new("few")?;
    for number in 1..=3 {
        few.host.ip(&format!(
            "-6 neigh add {} lladdr 02:00:00:00:02:0{number} nud reachable dev v0",
            other(number + 0x20)
        ))?;
    }
    let many = Site::new("many")?;
    let added = fill(&many, 0x100)?;
    ensure!(added + 3 <= MOST, "{added} and 3 fitted into {MOST}");
    let tracer = Tracing::start()?;
    let away = other(0x99);
    let error = few.send(away)?.err().context("it went")?;
    ensure!(error.raw_os_error() == Some(libc::EINVAL), "{error}");
    // The same is told once.
    let _ = few.send(other(0x98))?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = only(&report, &few)?;
    diagnosis
        .expect()
        .field("cause", "neighbour-table-full")
        .field("severity", "failure")
        .field("confidence", "certain")
        .field("operation", "neighbour-create")
        .field("errno", "ENOBUFS")
        .field("netns", few.host.inode())
        .field("interface", "v0")
        .field("ifindex", few.link.ifindex)
        .field("address", away.to_string())
        .field("comm", COMM)
        .evidence("gc_entries", MOST)
        .evidence("gc_thresh1", 1)
        .evidence("gc_thresh2", MOST)
        .evidence("gc_thresh3", MOST)
        .evidence("namespaces_complete", true)
        .summary_has([COMM, "ENOBUFS", "16", many.host.name()])
        .summary_has_one_of(&["more neighbours than"])
        .no_fix_has("incomplete")
        .check()?;
    let shares = diagnosis
        .evidence("namespaces")
        .cloned()
        .unwrap_or_default();
    ensure!(
        shares[0]["netns"] == many.host.inode()
            && shares[0]["entries"] == added
            && shares[0]["answered"] == added
            && shares[0]["fullest"] == "v0",
        "{added} were added: {diagnosis}"
    );
    let mut own = shares.as_array().into_iter().flatten();
    ensure!(
        own.any(|share| share["netns"] == few.host.inode() && share["entries"] == 3),
        "3 were added: {diagnosis}"
    );
    // With more room the same goes, and nobody has lost an entry.
    let before = many.neighbours()?;
    diagnosis.follow("gc_thresh3=")?;
    few.send(away)??;
    let after = many.neighbours()?;
    ensure!(before == after, "{before:#?} became {after:#?}");
    drop(limits);
    Ok(())
}

/// Addresses that nobody has.
fn by_a_scan() -> Result<()> {
    let _limits = Limits::lower()?;
    let site = Site::new("scanned")?;
    // Until they are all looked for in vain.
    site.host
        .set_sysctl("ipv6/neigh/v0/mcast_solicit", "1000")?;
    let tracer = Tracing::start()?;
    let mut refused = 0;
    for number in 0x100..0x140 {
        refused += u32::from(site.send(other(number))?.is_err());
    }
    let report = tracer.finish()?;
    report.complete()?;
    ensure!(refused > 0, "the table has room for all");
    let diagnosis = only(&report, &site)?;
    let unanswered = diagnosis.evidence_u64("unanswered")?;
    diagnosis
        .expect()
        .field("netns", site.host.inode())
        .field("comm", COMM)
        .evidence("gc_entries", MOST)
        .that(
            unanswered > u64::from(MOST) / 2,
            "most are not looked for in vain",
        )
        .summary_has_one_of(&["a scan of a prefix does that"])
        .summary_has(["this namespace".to_owned(), unanswered.to_string()])
        .check()?;
    let shown = shown(&site.host, "-6 neigh show nud incomplete nud failed dev v0")?;
    ensure!(!shown.is_empty(), "the fix would show nothing");
    diagnosis.follow("nud incomplete")?;
    let raise = diagnosis.fixes();
    ensure!(
        raise
            .last()
            .is_some_and(|fix| fix.contains("gc_thresh3=32")),
        "the limit is to be raised last: {raise:?}"
    );
    Ok(())
}

/// Entries that are not in use make room, and what is set for good takes none.
fn room() -> Result<()> {
    let _limits = Limits::lower()?;
    let site = Site::new("room")?;
    site.give(other(2))?;
    let tracer = Tracing::start()?;
    for number in 0..MOST + 4 {
        site.host.ip(&format!(
            "-6 neigh add {} nud failed dev v0",
            other(0x200 + number)
        ))?;
    }
    site.send(other(2))??;
    site.wait(other(2), "REACHABLE")?;
    for number in 0..MOST + 4 {
        site.host.ip(&format!(
            "-6 neigh add {} lladdr 02:00:00:00:03:{number:02x} nud permanent dev v0",
            other(0x400 + number)
        ))?;
    }
    tracer.finish()?.silent()
}
