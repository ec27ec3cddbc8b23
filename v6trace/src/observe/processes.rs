//! What runs a process.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

/// Where systemd mounts the cgroup2 hierarchy: alone, or beside cgroup1's.
const HIERARCHIES: [&str; 2] = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];

/// The systemd service that a process belongs to, from its cgroup path.
///
/// `cgroup_id` is the cgroup of the event: where the process is in another one
/// by now, or its id is another process's, it tells nothing.
pub(crate) fn unit(pid: u32, cgroup_id: u64) -> Option<String> {
    let cgroups = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    let inode = |path: &Path| fs::metadata(path).ok().map(|found| found.ino());
    unit_in(&cgroups, |path| {
        let hierarchies = HIERARCHIES.iter().map(PathBuf::from);
        hierarchies
            .map(|root| root.join(path.trim_start_matches('/')))
            .any(|path| inode(&path) == Some(cgroup_id))
    })
}

/// The service that a process belongs to now.
pub(crate) fn unit_of(pid: u32) -> Option<String> {
    let cgroups = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    unit_in(&cgroups, |_| true)
}

/// The service of the cgroup2 line (`0::/system.slice/x.service`), if that is
/// the cgroup in question, or of systemd's own hierarchy where only cgroup1 is
/// in use, whose cgroups the kernel side does not tell apart.
fn unit_in(cgroups: &str, is_it: impl Fn(&str) -> bool) -> Option<String> {
    let path_of = |wanted: &str| {
        cgroups.lines().find_map(|line| {
            let (_, rest) = line.split_once(':')?;
            let (controllers, path) = rest.split_once(':')?;
            (controllers == wanted).then_some(path)
        })
    };
    match path_of("").filter(|path| *path != "/") {
        Some(path) => service_of(path).filter(|_| is_it(path)),
        None => service_of(path_of("name=systemd")?),
    }
}

/// The service that the host's own systemd runs below this path: slices lead
/// to it. What is below anything else is not its own: a container's service
/// (`docker-….scope/…`), or a user's (`user@1000.service/…`).
fn service_of(path: &str) -> Option<String> {
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    let is_slice = |part: &str| matches!(part.rsplit_once('.'), Some((_, "slice")));
    let unit = parts.find(|part| !is_slice(part))?;
    match unit.rsplit_once('.') {
        Some((name, "service")) if !name.starts_with("user@") => Some(unit.to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_found_in_both_hierarchies() {
        let unit = |cgroups: &str| unit_in(cgroups, |_| true);
        let radvd = Some("radvd.service".to_owned());
        assert_eq!(unit("0::/system.slice/radvd.service\n"), radvd);
        assert_eq!(
            unit("3:cpu:/\n1:name=systemd:/system.slice/radvd.service\n0::/\n"),
            radvd
        );
        let template = unit("0::/system.slice/system-frr.slice/frr@blue.service/worker\n");
        assert_eq!(template.as_deref(), Some("frr@blue.service"));
        assert_eq!(unit("garbage"), None);
    }

    #[test]
    fn services_of_other_managers_are_not_the_hosts() {
        for path in [
            "/user.slice/user-0.slice/session-1.scope",
            "/user.slice/user-1000.slice/user@1000.service/app.slice/radvd.service",
            "/system.slice/docker-1f.scope/system.slice/radvd.service",
            "/lxc.payload.c1/system.slice/radvd.service",
            "/system.slice",
        ] {
            assert_eq!(unit_in(&format!("0::{path}\n"), |_| true), None, "{path}");
        }
    }

    #[test]
    fn another_cgroup_is_another_process() {
        let moved = unit_in("0::/system.slice/radvd.service\n", |path| {
            assert_eq!(path, "/system.slice/radvd.service");
            false
        });
        assert_eq!(moved, None);
    }
}
