//! The kernel modules that the host side packed for this guest.

use std::ffi::CStr;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context as _, Result};
use rustix::io::Errno;
use rustix::system::finit_module;

const DIRECTORY: &str = "/modules";

/// Loads what `/modules/order` lists, in its order; a guest may have none.
///
/// # Errors
/// The first module that the kernel refuses, by name.
pub(super) fn load_all() -> Result<()> {
    let list = format!("{DIRECTORY}/order");
    let order = match fs::read_to_string(&list) {
        Ok(order) => order,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| format!("cannot read {list}")),
    };
    for name in order.split_whitespace() {
        let path = format!("{DIRECTORY}/{name}");
        let module = File::open(&path).with_context(|| format!("cannot open {path}"))?;
        match finit_module(&module, parameters(name), 0) {
            // Already there: built in, or pulled in by another.
            Ok(()) | Err(Errno::EXIST) => {}
            // Tunnels for IPv6, and what is built on them, where it was told to have
            // none.
            Err(_) if !has_ipv6() => {}
            Err(errno) => {
                return Err(errno).with_context(|| format!("the kernel refuses {path}"));
            }
        }
    }
    Ok(())
}

/// Whether the kernel has IPv6.
fn has_ipv6() -> bool {
    Path::new("/proc/net/if_inet6").exists()
}

/// What a module is told when it is loaded.
fn parameters(file: &str) -> &'static CStr {
    match file.split('.').next() {
        // Otherwise it makes a bond that no scenario asked for.
        Some("bonding") => c"max_bonds=0",
        _ => c"",
    }
}
