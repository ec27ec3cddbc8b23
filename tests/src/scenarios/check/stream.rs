//! That a recording begins with what a check finds.

use anyhow::{Result, ensure};

use crate::guest::{AddressState, Checked, Netns, Tracer};
use crate::scenarios::{Scenario, alone};

pub(super) const SCENARIOS: &[Scenario] = &[alone("check-of-a-recording", recorded)];

/// `replay --check` finds what `check` finds, also when the host is mended by then; and
/// live tracing says how much there is.
fn recorded() -> Result<()> {
    let host = Netns::new("chkrec")?;
    host.ip("link add v0 type veth peer name v1")?;
    host.ip("link set v0 up addrgenmode none")?;
    let address = "2001:db8::9".parse()?;
    host.ip("address add 2001:db8::9/64 dev v0")?;
    AddressState::Tentative.wait(&host, "v0", address)?;
    let checked = Checked::now()?;
    let now = checked.only(&host, "address-tentative")?;
    let tracer = Tracer::start(&[])?;
    host.ip("address del 2001:db8::9/64 dev v0")?;
    let (report, recording) = tracer.finish_recorded()?;
    ensure!(
        report
            .stderr
            .contains("on this host, `v6trace check` shows"),
        "live says nothing of it: {}",
        report.stderr
    );
    ensure!(
        report.summary["findings"].as_u64() > Some(0),
        "{}",
        report.summary
    );
    let recording = recording.ok_or_else(|| anyhow::anyhow!("nothing was recorded"))?;
    let replayed = recording.read("replay", &["--check", "--json"])?;
    let replayed = Checked::parse(&replayed)?;
    let then = replayed.only(&host, "address-tentative")?;
    for field in [
        "cause", "summary", "evidence", "fix", "netns", "ifindex", "address",
    ] {
        ensure!(
            now.field(field) == then.field(field),
            "{field} is another in the recording: {now} {then}"
        );
    }
    let text = recording.read("replay", &["--check"])?;
    ensure!(
        text.stdout.contains("address-tentative"),
        "not as text: {text}"
    );
    Checked::now()?.silent(&host)
}
