use super::{Caller, Kprobes, Lockdown, Obstacle, PidNamespace, Privileges, UserNamespace};
use caps::{
    Capability::{
        self, CAP_BPF, CAP_PERFMON, CAP_SYS_ADMIN, CAP_SYS_PTRACE, CAP_SYS_RESOURCE, CAP_SYSLOG,
    },
    CapsHashSet,
};
use std::{fs, os::unix::fs::symlink, path::Path};
use tempfile::TempDir;

fn caller(release: &str, capabilities: &[Capability]) -> Caller {
    Caller {
        capabilities: capabilities.iter().copied().collect::<CapsHashSet>(),
        locked_memory: Some(64 << 10),
        kernel_release: release.to_owned(),
        architecture: "x86_64".to_owned(),
    }
}

fn write(root: &Path, path: &str, content: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// A machine where everything is as it should be.
fn machine() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    write(root, "proc/sys/kernel/unprivileged_bpf_disabled", "2\n");
    write(root, "proc/sys/kernel/perf_event_paranoid", "2\n");
    write(root, "proc/sys/kernel/kptr_restrict", "1\n");
    write(
        root,
        "proc/self/uid_map",
        "         0          0 4294967295\n",
    );
    write(
        root,
        "sys/kernel/security/lockdown",
        "[none] integrity confidentiality\n",
    );
    write(root, "sys/bus/event_source/devices/kprobe/type", "8\n");
    dir
}

fn obstacles(dir: &TempDir, release: &str, capabilities: &[Capability]) -> Vec<Obstacle> {
    Privileges::read_below(dir.path(), caller(release, capabilities)).tracing_obstacles()
}

const FULL: [Capability; 3] = [CAP_BPF, CAP_PERFMON, CAP_SYSLOG];

#[test]
fn nothing_in_the_way() {
    let dir = machine();
    let privileges = Privileges::read_below(dir.path(), caller("6.12.107-cloud", &FULL));
    assert_eq!(privileges.tracing_obstacles(), []);
    assert_eq!(privileges.unprivileged_bpf_disabled, Some(2));
    assert_eq!(privileges.perf_event_paranoid, Some(2));
    assert_eq!(privileges.kptr_restrict, Some(1));
    assert_eq!(privileges.lockdown, Lockdown::None);
    assert_eq!(privileges.kprobes, Kprobes::Available);
    assert_eq!(privileges.user_namespace, UserNamespace::Initial);
    assert_eq!(privileges.kernel_version(), Some((6, 12)));
    assert!(privileges.may_load_programs() && privileges.may_place_probes());
    assert_eq!(obstacles(&dir, "6.12", &[CAP_SYS_ADMIN, CAP_SYSLOG]), []);
}

#[test]
fn names_the_capabilities_missing() {
    let dir = machine();
    for (capabilities, what) in [
        (&[CAP_SYSLOG][..], "CAP_BPF and CAP_PERFMON are missing"),
        (&[CAP_SYSLOG, CAP_PERFMON], "CAP_BPF is missing"),
        (&[CAP_SYSLOG, CAP_BPF], "CAP_PERFMON is missing"),
    ] {
        let found = obstacles(&dir, "6.1.0", capabilities);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].what.starts_with(what) && found[0].blocks,
            "{found:?}"
        );
        assert!(
            found[0].fix.contains("setcap cap_bpf,cap_perfmon"),
            "{found:?}"
        );
    }
    let before = obstacles(
        &dir,
        "5.4.0",
        &[CAP_SYSLOG, CAP_SYS_RESOURCE, CAP_BPF, CAP_PERFMON],
    );
    assert_eq!(before.len(), 1, "{before:?}");
    assert!(
        before[0].what.starts_with("CAP_SYS_ADMIN is missing"),
        "{before:?}"
    );
}

#[test]
fn hidden_addresses_only_limit() {
    let dir = machine();
    let found = obstacles(&dir, "6.1.0", &[CAP_SYS_ADMIN]);
    assert_eq!(found.len(), 1);
    assert!(
        found[0].what.starts_with("CAP_SYSLOG is missing") && !found[0].blocks,
        "{found:?}"
    );
    write(dir.path(), "proc/sys/kernel/kptr_restrict", "2");
    let found = obstacles(&dir, "6.1.0", &FULL);
    assert!(
        found[0].what.starts_with("kernel.kptr_restrict is 2") && !found[0].blocks,
        "{found:?}"
    );
    write(dir.path(), "proc/sys/kernel/kptr_restrict", "0");
    write(dir.path(), "proc/sys/kernel/perf_event_paranoid", "-1");
    assert_eq!(obstacles(&dir, "6.1.0", &[CAP_BPF, CAP_PERFMON]), []);
}

#[test]
fn what_the_kernel_forbids_to_anyone() {
    let dir = machine();
    write(
        dir.path(),
        "sys/kernel/security/lockdown",
        "none integrity [confidentiality]\n",
    );
    let found = obstacles(&dir, "6.1.0", &FULL);
    assert!(
        found[0].what.contains("lockdown") && found[0].blocks,
        "{found:?}"
    );

    write(
        dir.path(),
        "sys/kernel/security/lockdown",
        "none [integrity] confidentiality\n",
    );
    write(dir.path(), "sys/kernel/debug/kprobes/enabled", "0\n");
    let found = obstacles(&dir, "6.1.0", &FULL);
    assert!(
        found.len() == 1 && found[0].what.contains("switched off"),
        "{found:?}"
    );

    fs::remove_dir_all(dir.path().join("sys/bus/event_source/devices/kprobe")).unwrap();
    let found = obstacles(&dir, "6.18.44", &[]);
    assert!(
        found[0]
            .what
            .contains("6.18.44 was built without kprobe events"),
        "{found:?}"
    );
    assert_eq!(
        found.last().map(|obstacle| obstacle.blocks),
        Some(false),
        "gravest first"
    );
}

#[test]
fn a_nested_user_namespace_voids_capabilities() {
    let dir = machine();
    write(dir.path(), "proc/self/uid_map", "0 100000 65536\n");
    let found = obstacles(&dir, "6.1.0", &[]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].what.contains("user namespace"), "{found:?}");

    // The link tells also where all numbers are mapped.
    write(dir.path(), "proc/self/uid_map", "0 0 4294967295\n");
    let namespaces = dir.path().join("proc/self/ns");
    fs::create_dir_all(&namespaces).unwrap();
    symlink("user:[4026532999]", namespaces.join("user")).unwrap();
    assert_eq!(obstacles(&dir, "6.1.0", &FULL).len(), 1);
    fs::remove_file(namespaces.join("user")).unwrap();
    symlink("user:[4026531837]", namespaces.join("user")).unwrap();
    assert_eq!(obstacles(&dir, "6.1.0", &FULL), []);
}

#[test]
fn look_ups_need_more_than_tracing() {
    let dir = machine();
    let found = |capabilities: &[Capability]| {
        let privileges = Privileges::read_below(dir.path(), caller("6.1.0", capabilities));
        let obstacles = privileges.obstacles();
        assert!(obstacles.iter().all(|obstacle| !obstacle.blocks));
        let what = obstacles.into_iter().map(|obstacle| obstacle.what);
        what.collect::<Vec<_>>()
    };
    let all = [CAP_SYS_ADMIN, CAP_SYSLOG, CAP_SYS_PTRACE];
    assert!(found(&all).is_empty());
    assert!(found(&all[..2])[0].starts_with("CAP_SYS_PTRACE is missing"));
    assert!(found(&FULL)[0].starts_with("CAP_SYS_ADMIN is missing"));

    // A container's process ids are not the kernel's.
    let namespaces = dir.path().join("proc/self/ns");
    fs::create_dir_all(&namespaces).unwrap();
    symlink("pid:[4026532999]", namespaces.join("pid")).unwrap();
    assert!(found(&all)[0].contains("process-id namespace"));
    fs::remove_file(namespaces.join("pid")).unwrap();
    symlink("pid:[4026531836]", namespaces.join("pid")).unwrap();
    assert!(found(&all).is_empty());
    assert_eq!(PidNamespace::read_below(dir.path()), PidNamespace::Initial);
}

#[test]
fn distribution_and_age() {
    let dir = machine();
    write(dir.path(), "proc/sys/kernel/perf_event_paranoid", "3\n");
    let found = obstacles(&dir, "6.1.0", &FULL);
    assert!(
        found.len() == 1 && found[0].what.contains("perf_event_paranoid is 3"),
        "{found:?}"
    );
    let found = obstacles(&dir, "5.10.0-30-amd64", &[CAP_SYS_ADMIN, CAP_SYSLOG]);
    assert!(
        found.len() == 1 && found[0].what.starts_with("at most 64 KiB"),
        "{found:?}"
    );
    assert_eq!(
        obstacles(
            &dir,
            "5.10.0",
            &[CAP_SYS_ADMIN, CAP_SYSLOG, CAP_SYS_RESOURCE]
        ),
        []
    );
}

#[test]
fn unknown_is_no_obstacle() {
    let dir = tempfile::tempdir().unwrap();
    let privileges = Privileges::read_below(dir.path(), caller("odd", &FULL));
    assert_eq!(privileges.lockdown, Lockdown::Unknown);
    assert_eq!(privileges.kprobes, Kprobes::Unknown);
    assert_eq!(privileges.user_namespace, UserNamespace::Unknown);
    assert_eq!(privileges.kernel_version(), None);
    assert!(
        privileges
            .obstacles()
            .iter()
            .all(|obstacle| !obstacle.blocks)
    );
}

#[test]
fn this_machine() {
    let privileges = Privileges::read();
    assert!(privileges.kernel_version().is_some());
    assert!(!privileges.caller.architecture.is_empty());
    for obstacle in privileges.obstacles() {
        assert!(!obstacle.what.is_empty() && !obstacle.fix.is_empty());
    }
}
