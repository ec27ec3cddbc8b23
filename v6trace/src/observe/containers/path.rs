//! How runtimes call the cgroups of their containers.

use crate::{
    container::{Container, Pod},
    event,
};

/// What cgroups of containers begin with, by runtime: Docker, Podman, its containers that
/// are systemd services, CRI-O, containerd under Kubernetes, nerdctl. The processes that
/// watch over containers have more than an id behind that (`crio-conmon-ID.scope`).
const BEGINNINGS: [&str; 6] = [
    "docker-",
    "libpod-",
    "libpod-payload-",
    "crio-",
    "cri-containerd-",
    "nerdctl-",
];

/// Where Podman puts its pods, by ids of their own, where systemd has no part in it.
const PODMAN_PODS: &str = "libpod_parent";

/// The container whose cgroup has this path, or one above it. Of containers within
/// containers that is the outermost: this host's runtime knows no other.
pub(super) fn container(path: &str) -> Option<Container> {
    let mut pod = None;
    let mut parent = "";
    let mut parts = path.split('/').peekable();
    while let Some(part) = parts.next() {
        pod = pod_of(part).or(pod);
        let below = parts.peek().copied();
        let found = oci(parent, part).map(|id| (id, None));
        let found = found.or_else(|| chosen(parent, part, below).map(|id| (id.clone(), Some(id))));
        if let Some((id, name)) = found {
            return Some(Container { id, name, pod });
        }
        parent = part;
    }
    None
}

/// Whether a user's own systemd runs it.
pub(super) fn is_of_a_user(path: &str) -> bool {
    path.split('/').any(|part| part.starts_with("user@"))
}

/// The id that an OCI runtime made.
fn oci(parent: &str, part: &str) -> Option<String> {
    if parent == PODMAN_PODS && is_id(part) {
        return None;
    }
    let part = part.strip_suffix(".scope").unwrap_or(part);
    let mut ids = BEGINNINGS
        .iter()
        .filter_map(|begin| part.strip_prefix(begin));
    let id = ids
        .find(|id| is_id(id))
        .or_else(|| is_id(part).then_some(part));
    id.map(str::to_owned)
}

/// The name that somebody chose, which is the id as well: of LXC, and of the machine in a
/// service of `systemd-nspawn`, whose own process is beside the payload.
fn chosen(parent: &str, part: &str, below: Option<&str>) -> Option<String> {
    let machine = |service: &str| {
        let name = service.strip_prefix("systemd-nspawn@")?;
        (below == Some("payload")).then(|| unescaped(name))
    };
    let name = match part.strip_prefix("lxc.payload.") {
        Some(name) => name.to_owned(),
        None if parent == "lxc" => part.to_owned(),
        None => machine(part.strip_suffix(".service")?)?,
    };
    Some(event::text(name.as_bytes())).filter(|name| !name.is_empty())
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
            "/system.slice/web.service/libpod-payload-ID",
            "/libpod_parent/INNER/libpod-ID",
            "/crio/crio-ID",
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
                r"/machine.slice/systemd-nspawn@web\x2done.service/payload/init.scope",
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
    fn users_call_cgroups_what_they_like() {
        assert!(is_of_a_user(
            "/user.slice/user-1000.slice/user@1000.service/app.slice"
        ));
        assert!(!is_of_a_user("/user.slice/user-0.slice/session-1.scope"));
        let named = container("/lxc/a\u{1b}[2Jb").map(|found| found.id);
        assert_eq!(named.as_deref(), Some("a\u{fffd}[2Jb"));
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
            "/libpod_parent/ID",
            "/machine.slice/systemd-nspawn@web.service",
            "/machine.slice/systemd-nspawn@web.service/supervisor",
            "/system.slice/podman.service",
        ] {
            assert_eq!(container(&path.replace("ID", ID)), None, "{path}");
        }
    }
}
