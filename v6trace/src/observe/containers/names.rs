//! What a container is called, by the files that runtimes and kubelet keep.
//!
//! Each is asked for the same id: who runs a container shows by who knows it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::files;
use crate::{
    container::{Container, Pod},
    event,
};

/// Where kubelet links the logs of containers: `POD_NAMESPACE_CONTAINER-ID.log`.
const CONTAINER_LOGS: &str = "/var/log/containers";
/// Where it keeps those of pods: `NAMESPACE_POD_UID`.
const POD_LOGS: &str = "/var/log/pods";

const DOCKER: &str = "/var/lib/docker";
const DOCKER_SETTINGS: &str = "/etc/docker/daemon.json";

/// Where containerd, its own and k3s's, has what it runs, by its namespaces.
const CONTAINERD: [&str; 2] = [
    "/run/containerd/io.containerd.runtime.v2.task",
    "/run/k3s/containerd/io.containerd.runtime.v2.task",
];
/// Annotations with a container's name: of containerd under Kubernetes, of nerdctl.
const NAMES: [&str; 2] = ["io.kubernetes.cri.container-name", "nerdctl/name"];
/// With a pod's namespace and name.
const POD: [&str; 2] = [
    "io.kubernetes.cri.sandbox-namespace",
    "io.kubernetes.cri.sandbox-name",
];

/// Where Podman and CRI-O keep containers, from root's storage or a user's home on.
const STORAGE: &str = "/var/lib/containers/storage";
const USERS_STORAGE: &str = ".local/share/containers/storage";

/// The container with its names.
pub(super) fn named(mut container: Container, cgroup: &str) -> Container {
    let id = container.id.clone();
    let bundle = bundle(&id);
    let annotation = |name: &str| {
        let annotations = bundle.as_ref()?.get("annotations")?;
        text(annotations.get(name))
    };
    if let Some(pod) = &mut container.pod {
        pod.named = pod_of(pod).or_else(|| Some((annotation(POD[0])?, annotation(POD[1])?)));
        container.name = of_log(&id).or_else(|| annotation(NAMES[0]));
        return container;
    }
    if container.name.is_none() {
        container.name = docker(&id)
            .or_else(|| NAMES.iter().find_map(|name| annotation(name)))
            .or_else(|| storage(Path::new(STORAGE), &id))
            .or_else(|| storage(&home(cgroup)?.join(USERS_STORAGE), &id));
    }
    container
}

/// A word of a runtime's, as it may be shown.
fn text(value: Option<&Value>) -> Option<String> {
    let text = event::text(value?.as_str()?.as_bytes());
    Some(text).filter(|text| !text.is_empty())
}

/// A pod's namespace and name; neither has an underscore.
fn pod_of(pod: &Pod) -> Option<(String, String)> {
    files::names(Path::new(POD_LOGS)).find_map(|directory| {
        let mut parts = directory.rsplitn(3, '_');
        let (uid, name, namespace) = (parts.next()?, parts.next()?, parts.next()?);
        let shown = |text: &str| event::text(text.as_bytes());
        (uid == pod.uid).then(|| (shown(namespace), shown(name)))
    })
}

/// A container's name among logs.
fn of_log(id: &str) -> Option<String> {
    files::names(Path::new(CONTAINER_LOGS)).find_map(|log| {
        let (named, of) = log.strip_suffix(".log")?.rsplit_once('-')?;
        let (_, name) = named.rsplit_once('_')?;
        (of == id).then(|| event::text(name.as_bytes()))
    })
}

/// What Docker calls it.
fn docker(id: &str) -> Option<String> {
    let moved = || text(files::json(Path::new(DOCKER_SETTINGS))?.get("data-root"));
    let of = |root: &str| {
        let config = Path::new(root).join("containers").join(id);
        let config = files::json(&config.join("config.v2.json"))?;
        let name = text(config.get("Name"))?;
        Some(name.trim_start_matches('/').to_owned())
    };
    of(DOCKER).or_else(|| of(&moved()?))
}

/// What containerd was given to run (the OCI runtime specification's `config.json`).
fn bundle(id: &str) -> Option<Value> {
    CONTAINERD.iter().map(Path::new).find_map(|tasks| {
        files::names(tasks).find_map(|namespace| {
            let bundle = tasks.join(namespace).join(id);
            files::json(&bundle.join("config.json"))
        })
    })
}

/// What Podman or CRI-O calls it.
fn storage(storage: &Path, id: &str) -> Option<String> {
    files::names(storage)
        // By the driver that keeps the layers: `overlay-containers`.
        .filter(|directory| directory.ends_with("-containers"))
        .find_map(|directory| {
            let all = files::json(&storage.join(directory).join("containers.json"))?;
            let all = all.as_array()?;
            let of = |one: &&Value| one.get("id").and_then(Value::as_str) == Some(id);
            text(all.iter().find(of)?.get("names")?.get(0))
        })
}

/// The home of the user whose own systemd runs the cgroup.
fn home(cgroup: &str) -> Option<PathBuf> {
    let user = cgroup.split('/').find_map(|part| {
        let uid = part.strip_prefix("user@")?.strip_suffix(".service")?;
        uid.parse::<u32>().ok()
    })?;
    let users = fs::read_to_string("/etc/passwd").ok()?;
    users.lines().find_map(|line| {
        let columns: Vec<_> = line.split(':').collect();
        let [_, _, uid, _, _, home, ..] = columns[..] else {
            return None;
        };
        (uid.parse() == Ok(user)).then(|| PathBuf::from(home))
    })
}
