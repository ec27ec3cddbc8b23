//! How runtimes call the cgroups of their containers.

use crate::container::{Container, Pod};

/// What systemd's scopes of containers begin with, by runtime: Docker, Podman, CRI-O,
/// containerd under Kubernetes, nerdctl. The processes that watch over containers have
/// scopes with more than an id behind that (`crio-conmon-ID.scope`).
const SCOPES: [&str; 5] = ["docker-", "libpod-", "crio-", "cri-containerd-", "nerdctl-"];

/// The container whose cgroup has this path, or one above it. Of containers within
/// containers that is the outermost: this host's runtime knows no other.
pub(super) fn container(path: &str) -> Option<Container> {
    let mut pod = None;
    let mut parent = "";
    for part in path.split('/') {
        pod = pod_of(part).or(pod);
        if let Some((id, name)) = container_of(parent, part) {
            return Some(Container { id, name, pod });
        }
        parent = part;
    }
    None
}

/// The id, and the name where that is part of it, of the container that has this
/// directory.
fn container_of(parent: &str, part: &str) -> Option<(String, Option<String>)> {
    if is_id(part) {
        return Some((part.to_owned(), None));
    }
    if let Some(scope) = part.strip_suffix(".scope") {
        let mut ids = SCOPES.iter().filter_map(|begin| scope.strip_prefix(begin));
        if let Some(id) = ids.find(|id| is_id(id)) {
            return Some((id.to_owned(), None));
        }
    }
    // Of cgroupfs, without systemd.
    if let Some(id) = part.strip_prefix("libpod-").filter(|id| is_id(id)) {
        return Some((id.to_owned(), None));
    }
    let name = match part.strip_prefix("lxc.payload.") {
        Some(name) => Some(name.to_owned()),
        None if parent == "lxc" => Some(part.to_owned()),
        None => nspawn(part),
    };
    name.filter(|name| !name.is_empty())
        .map(|name| (name.clone(), Some(name)))
}

/// The machine of `systemd-nspawn`, in a service of its own or started by hand. Scopes of
/// other machines are called otherwise: those of libvirt begin with `qemu`.
fn nspawn(part: &str) -> Option<String> {
    let service = part.strip_suffix(".service");
    let own = service.and_then(|name| name.strip_prefix("systemd-nspawn@"));
    own.map(unescaped)
}

/// Ids of OCI runtimes' containers: as they make them, 64 hexadecimal digits.
fn is_id(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// `kubepods-burstable-podUID.slice` of systemd, with underscores, or `podUID`.
fn pod_of(part: &str) -> Option<Pod> {
    let uid = match part.strip_suffix(".slice") {
        Some(slice) if slice.starts_with("kubepods") => slice.rsplit_once("-pod")?.1,
        Some(_) => return None,
        None => part.strip_prefix("pod")?,
    };
    let is_digit = |byte: u8| byte.is_ascii_hexdigit() || matches!(byte, b'-' | b'_');
    // Of a static pod it is a hash without hyphens.
    let is_uid = uid.len() >= 32 && uid.bytes().all(is_digit);
    is_uid.then(|| Pod {
        uid: uid.replace('_', "-"),
        named: None,
    })
}

/// What systemd escaped to make the name of a unit (`\x2d` for a hyphen).
fn unescaped(name: &str) -> String {
    let mut parts = name.split(r"\x");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let byte = part
            .get(..2)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (byte, part.get(2..)) {
            (Some(byte), Some(rest)) if byte.is_ascii_graphic() => {
                plain.push(char::from(byte));
                plain.push_str(rest);
            }
            _ => {
                plain.push_str(r"\x");
                plain.push_str(part);
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "3f2504e04f8911d39a0c0305e82c33013f2504e04f8911d39a0c0305e82c3301";
    const INNER: &str = "aa2504e04f8911d39a0c0305e82c33013f2504e04f8911d39a0c0305e82c33aa";

    #[test]
    fn each_runtime_has_its_way() {
        for path in [
            "/system.slice/docker-ID.scope",
            "/docker/ID",
            "/docker/ID/docker/INNER",
            "/machine.slice/libpod-ID.scope/container",
            "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-ID.scope",
            "/libpod_parent/libpod-ID",
            "/system.slice/nerdctl-ID.scope",
            "/default/ID",
            "/kubepods.slice/kubepods-besteffort.slice/cri-containerd-ID.scope",
        ] {
            let path = path.replace("ID", ID).replace("INNER", INNER);
            let found = container(&path).unwrap_or_else(|| panic!("none in {path}"));
            assert_eq!((found.id.as_str(), found.name, found.pod), (ID, None, None));
        }
    }

    #[test]
    fn pods_come_with_their_containers() {
        let uid = "1b4e28ba-2fa1-11d2-883f-0016d3cca427";
        for path in [
            "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podUNDER.slice/crio-ID.scope",
            "/kubepods.slice/kubepods-podUNDER.slice/cri-containerd-ID.scope",
            "/kubepods/besteffort/podUID/ID",
            "/kubelet/kubepods/podUID/ID/leaf",
        ] {
            let path = path.replace("UNDER", &uid.replace('-', "_"));
            let path = path.replace("UID", uid).replace("ID", ID);
            let found = container(&path).unwrap_or_else(|| panic!("none in {path}"));
            assert_eq!(found.pod.map(|pod| pod.uid).as_deref(), Some(uid), "{path}");
            assert_eq!(found.id, ID);
        }
    }

    #[test]
    fn some_have_a_name_for_an_id() {
        for (path, name) in [
            ("/lxc.payload.web/system.slice/nginx.service", "web"),
            ("/lxc/web", "web"),
            ("/machine.slice/systemd-nspawn@web.service/payload", "web"),
            (
                r"/machine.slice/systemd-nspawn@web\x2done.service",
                "web-one",
            ),
        ] {
            let found = container(path).unwrap_or_else(|| panic!("none in {path}"));
            assert_eq!(
                (found.name.as_deref(), found.id.as_str()),
                (Some(name), name)
            );
        }
    }

    #[test]
    fn what_is_no_container() {
        for path in [
            "/",
            "/system.slice/docker.service",
            "/system.slice/docker-proxy.scope",
            "/machine.slice/libpod-conmon-ID.scope",
            "/kubepods.slice/kubepods-podUID.slice/crio-conmon-ID.scope",
            r"/machine.slice/machine-qemu\x2d1\x2dvm.scope",
            "/user.slice/user-0.slice/session-1.scope",
            "/lxc",
            "/lxc.payload.",
            "/system.slice/podman.service",
        ] {
            assert_eq!(container(&path.replace("ID", ID)), None, "{path}");
        }
    }
}
