//! What a process is part of: a service of systemd, a container.

use std::fs;

use super::{cgroups, containers};
use crate::container::Container;

/// What a process is part of, by its cgroup's path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Belongs {
    /// The service of the host's own systemd.
    pub(crate) unit: Option<String>,
    /// The container.
    pub(crate) container: Option<Container>,
}

/// What a process is part of that did something in this cgroup, whether or not it has
/// ended since.
///
/// Where the process is in another cgroup by now, or its id is another process's, `/proc`
/// tells nothing.
pub(crate) fn did(pid: u32, cgroup_id: u64) -> Belongs {
    let known = cgroups::path_of(cgroup_id);
    let is_it = |path: &str| match &known {
        Some(known) => path == known,
        None => cgroups::has_id(path, cgroup_id),
    };
    let by_proc = by_proc(pid, is_it);
    match &known {
        // Of hosts with both kinds of cgroups, another than cgroup2's may tell more.
        Some(known) if by_proc.container.is_none() => Belongs::of(known),
        _ => by_proc,
    }
}

/// The processes of this machine, as far as `/proc` shows them.
pub(crate) fn all() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// What a process is part of.
pub(crate) fn is_part(pid: u32) -> Belongs {
    by_proc(pid, |_| true)
}

/// The service that a process belongs to.
pub(crate) fn unit(pid: u32) -> Option<String> {
    let cgroups = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    service_of(path_in(&cgroups, |_| true)?)
}

fn by_proc(pid: u32, is_it: impl Fn(&str) -> bool) -> Belongs {
    let cgroups = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
    let Some(path) = path_in(&cgroups, is_it) else {
        return Belongs::default();
    };
    let belongs = Belongs::of(path);
    let mut others = paths(&cgroups).map(|(_, path)| path);
    match belongs.container {
        // A runtime that makes cgroups of cgroup1 alone leaves its processes in its own
        // service's of cgroup2, which is not theirs.
        None => match others.find_map(containers::of) {
            Some(container) => Belongs {
                unit: None,
                container: Some(container),
            },
            None => belongs,
        },
        Some(_) => belongs,
    }
}

impl Belongs {
    fn of(path: &str) -> Self {
        Self {
            unit: service_of(path),
            container: containers::of(path),
        }
    }
}

/// Controllers and paths of cgroups that are not the root.
fn paths(cgroups: &str) -> impl Iterator<Item = (&str, &str)> {
    cgroups.lines().filter_map(|line| {
        let (_, rest) = line.split_once(':')?;
        rest.split_once(':').filter(|(_, path)| *path != "/")
    })
}

/// The path of the cgroup2 line (`0::/system.slice/x.service`), if that is the cgroup in
/// question; where only cgroup1 is in use, whose cgroups the kernel side does not tell
/// apart, that of systemd's own hierarchy, or of any.
fn path_in(cgroups: &str, is_it: impl Fn(&str) -> bool) -> Option<&str> {
    let of = |wanted: &str| paths(cgroups).find(|(controllers, _)| *controllers == wanted);
    match of("") {
        Some((_, path)) => Some(path).filter(|path| is_it(path)),
        None => of("name=systemd")
            .or_else(|| paths(cgroups).next())
            .map(|(_, path)| path),
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
        let unit = |cgroups: &str| path_in(cgroups, |_| true).and_then(service_of);
        let radvd = Some("radvd.service".to_owned());
        assert_eq!(unit("0::/system.slice/radvd.service\n"), radvd);
        assert_eq!(
            unit("3:cpu:/\n1:name=systemd:/system.slice/radvd.service\n0::/\n"),
            radvd
        );
        let template = unit("0::/system.slice/system-frr.slice/frr@blue.service/worker\n");
        assert_eq!(template.as_deref(), Some("frr@blue.service"));
        assert_eq!(unit("garbage"), None);
        let docker = path_in("4:memory:/docker/1f\n3:cpu:/\n0::/\n", |_| true);
        assert_eq!(docker, Some("/docker/1f"));
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
            assert_eq!(service_of(path), None, "{path}");
        }
    }

    #[test]
    fn another_cgroup_is_another_process() {
        let moved = path_in("0::/system.slice/radvd.service\n", |path| {
            assert_eq!(path, "/system.slice/radvd.service");
            false
        });
        assert_eq!(moved, None);
    }
}
