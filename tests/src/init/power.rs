//! The end of the guest.

use std::io::Write as _;
use std::time::Duration;

use rustix::system::{RebootCommand, reboot};

/// Flushes the console and switches the machine off.
pub(super) fn off() -> ! {
    // Nobody is left to tell if the console is gone.
    let _ = std::io::stdout().flush();
    rustix::fs::sync();
    // A kernel without ACPI halts instead of powering off; QEMU runs with
    // -no-reboot, so there a restart ends the guest just as well.
    for command in [RebootCommand::PowerOff, RebootCommand::Restart] {
        if let Err(errno) = reboot(command) {
            println!("guest: the kernel refuses {command:?}: {errno}");
        }
    }
    loop {
        // Returning would panic the kernel; the host's time limit ends this.
        std::thread::sleep(Duration::from_mins(1));
    }
}
