//! Whether guests run on the host's own processors: where a guest really boots
//! that way.
//!
//! `/dev/kvm` alone says little. Where this machine is itself a guest, what
//! stands behind that file may start QEMU and never get a kernel of Debian's
//! up, so one is booted to see.

use std::fs::{self, File};
use std::time::Duration;

use anyhow::Result;

use crate::architecture::OWN;
use crate::binaries::Binaries;
use crate::prepare::BootFiles;
use crate::qemu::{EMULATED, Hardware, Job, Patience, VIRTUAL};
use crate::{batch, paths, process, progress};

const DEVICE: &str = "/dev/kvm";

/// Several times what booting takes under KVM, and no time that anybody who
/// has it not would mind.
const PATIENCE: Patience = Patience {
    silence: Duration::from_secs(6),
    whole: Duration::from_secs(10),
};

/// Names the machine, until it boots anew.
const BOOT: &str = "/proc/sys/kernel/random/boot_id";

/// The machine for guests that may have either, and says which.
pub(crate) fn choose(files: &BootFiles, binaries: &Binaries) -> &'static Hardware {
    match boots(files, binaries) {
        Ok(()) => {
            progress::say("Guests run under KVM");
            &VIRTUAL
        }
        Err(reason) => {
            progress::say(&format!("Guests are emulated: {reason}"));
            &EMULATED
        }
    }
}

/// Whether a guest boots under KVM; else why not.
///
/// What was seen holds until the machine boots again or has another QEMU.
fn boots(files: &BootFiles, binaries: &Binaries) -> Result<(), String> {
    if files.architecture != OWN {
        return Err(format!("this machine is no {}", files.architecture.name));
    }
    if let Err(error) = File::options().read(true).write(true).open(DEVICE) {
        return Err(format!("{DEVICE}: {error}"));
    }
    let stamp = paths::guest("kvm");
    let key = key(files);
    if let (Ok(key), Ok(seen)) = (&key, fs::read_to_string(&stamp))
        && let Some(answer) = seen.strip_prefix(key.as_str())
    {
        return match answer {
            "yes" => Ok(()),
            _ => Err("none booted under KVM when it was tried last".to_owned()),
        };
    }
    let tried = try_to_boot(files, binaries);
    if let Ok(key) = key {
        let answer = if tried.is_ok() { "yes" } else { "no" };
        // Without it, the next task tries again.
        let _ = fs::write(stamp, key + answer);
    }
    tried.map_err(|error| {
        let reason = error.to_string();
        let first = reason.lines().next().unwrap_or_default();
        format!("none boots under KVM, {}", first.trim_end_matches(':'))
    })
}

/// Changes whenever the answer may.
fn key(files: &BootFiles) -> Result<String> {
    let boot = fs::read_to_string(BOOT)?;
    let qemu = process::output(files.tools.qemu(files.architecture).arg("--version"))?;
    let qemu = qemu.lines().next().unwrap_or_default();
    Ok(format!("{boot}{qemu}\n"))
}

/// Boots a guest to a shell that does nothing.
fn try_to_boot(files: &BootFiles, binaries: &Binaries) -> Result<()> {
    let script = paths::run_file("script")?;
    paths::write(&script, "exit 0\n")?;
    let job = Job {
        arguments: &["script".to_owned()],
        script: Some(&script),
        environment: "",
        interactive: false,
        hardware: &VIRTUAL,
    };
    let ended = batch::run(files, binaries, &job, "kvm", PATIENCE, |_| ());
    // The next task tries again.
    let _ = fs::remove_file(script);
    ended
}
