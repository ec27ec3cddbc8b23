//! What runs a process.

use std::fs;

/// The systemd service that a process belongs to, from its cgroup path.
pub(super) fn unit(pid: u32) -> Option<String> {
    unit_in(&fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?)
}

/// The innermost `.service` of the cgroup2 line (`0::/system.slice/x.service`),
/// or of systemd's own hierarchy where cgroup1 is in use.
fn unit_in(cgroups: &str) -> Option<String> {
    let path = cgroups.lines().find_map(|line| {
        let (_, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        matches!(controllers, "" | "name=systemd").then_some(path)
    })?;
    let unit = path.rsplit('/').find(|part| part.ends_with(".service"))?;
    // `user@1000.service` runs the user's own manager, not the process.
    (!unit.starts_with("user@")).then(|| unit.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_found_in_both_hierarchies() {
        let radvd = Some("radvd.service".to_owned());
        assert_eq!(unit_in("0::/system.slice/radvd.service\n"), radvd);
        assert_eq!(
            unit_in("3:cpu:/\n1:name=systemd:/system.slice/radvd.service\n0::/\n"),
            radvd
        );
        let template = unit_in("0::/system.slice/system-frr.slice/frr@blue.service/worker\n");
        assert_eq!(template.as_deref(), Some("frr@blue.service"));
        assert_eq!(
            unit_in("0::/user.slice/user-0.slice/session-1.scope\n"),
            None
        );
        assert_eq!(
            unit_in("0::/user.slice/user-1000.slice/user@1000.service/app.slice\n"),
            None
        );
        assert_eq!(unit_in("garbage"), None);
    }
}
