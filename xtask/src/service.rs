//! The task `service`: what becomes of the service where the package is installed,
//! upgraded, removed and purged.
//!
//! A guest boots into a Debian that systemd runs, which has nothing of v6trace but its
//! package. `packaging/tests/steps` does there what administrators do, and says of each
//! step what is said of a scenario: `runner` follows it.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::architecture::OWN;
use crate::checks::Ready;
use crate::prepare::{self, BootFiles};
use crate::qemu::{Hardware, Job, Machine};
use crate::{kvm, package, paths, runner};

/// The kernel to boot where none is named: that of the Debian.
pub(crate) const KERNEL: &str = "6.1";

/// What systemd is told: it does the steps and nothing else.
const BOOT: &str = "systemd.unit=steps.service systemd.show_status=no systemd.log_level=warning";
/// Several times what all steps take where they are emulated on a busy machine.
const LIMIT: Duration = Duration::from_mins(10);
/// How wide a step's name is shown.
const WIDTH: usize = 24;

/// Boots `kernel` and goes through the steps.
pub(crate) fn task(kernel: &str, refresh: bool) -> Result<ExitCode> {
    let (binaries, files) = prepare::prepare_one(OWN, kernel, refresh)?;
    let hardware = kvm::choose(&files, &binaries);
    go_through(&files, &binaries.v6trace, hardware)?;
    Ok(ExitCode::SUCCESS)
}

/// The same among what a change must pass.
pub(crate) fn check(ready: &Ready) -> Result<()> {
    let series = format!("{KERNEL}.");
    let mut kernels = ready.kernels.iter().flatten();
    let files = kernels.find(|files| files.version.starts_with(&series));
    let files = files.with_context(|| format!("there is no kernel {KERNEL} to boot"))?;
    go_through(files, ready.v6trace, ready.hardware)
}

/// Goes through the steps on a kernel, and prints how each went.
fn go_through(files: &BootFiles, v6trace: &Path, hardware: &'static Hardware) -> Result<()> {
    let files = prepare::with_debian(files)?;
    let version = &files.version;
    let machine = boot(&files, v6trace, hardware)?;
    let boot = runner::follow(machine, version, WIDTH, LIMIT);
    if let Some(death) = boot.death {
        bail!("on {version} {death}");
    }
    for outcome in boot.outcomes {
        if outcome.passed_in.is_none() {
            bail!("on {version} {} failed", outcome.name);
        }
    }
    Ok(())
}

fn boot(files: &BootFiles, v6trace: &Path, hardware: &'static Hardware) -> Result<Machine> {
    let directory = paths::run_file("package")?;
    let deb = package::debian(v6trace, &directory)?;
    let job = Job {
        arguments: &[],
        script: None,
        environment: BOOT,
        interactive: false,
        hardware,
    };
    let log_name = format!("{}-service", files.version);
    let machine = Machine::boot_with(files, &job, &log_name, |root| {
        let tests = paths::root().join("packaging/tests");
        let unit = "steps.service";
        let units = root.join("etc/systemd/system");
        paths::copy(&deb, &root.join("package/v6trace.deb"), 0o644)?;
        paths::copy(&tests.join("steps"), &root.join("package/steps"), 0o755)?;
        paths::copy(&tests.join(unit), &units.join(unit), 0o644)
    })?;
    paths::remove_dir(&directory)?;
    Ok(machine)
}
