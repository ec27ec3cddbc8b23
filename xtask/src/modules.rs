//! Picks the kernel modules that the scenarios use and the order in which
//! they can be loaded, from a kernel's own files.
//!
//! Each module names in its `.modinfo` section what must be loaded before
//! it; [`ordered`] puts those first.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::setup::tools::Tools;
use crate::{process, progress};

/// What the scenarios and the guest's tools need from the kernel. To use
/// another kind of device in a scenario, add its module.
pub(crate) const WANTED: &[&str] = &[
    "8021q",
    "bonding",
    "bridge",
    "dummy",
    "inet_diag",
    "ip6_gre",
    "ip6_tunnel",
    "ip_gre",
    "macvlan",
    "sit",
    "tcp_diag",
    "tun",
    "udp_diag",
    "veth",
    "vrf",
    "vxlan",
    "wireguard",
];

/// A module as the guest loads it.
pub(crate) struct Module {
    /// Name with underscores, as the kernel calls it.
    pub(crate) name: String,
    /// Its content, decompressed.
    pub(crate) content: Vec<u8>,
}

/// `lib/modules/RELEASE` below an unpacked kernel, under `usr` or not.
pub(crate) fn directory(kernel: &Path) -> Result<PathBuf> {
    for parent in ["usr/lib/modules", "lib/modules"] {
        let mut releases = fs::read_dir(kernel.join(parent))
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path());
        if let Some(release) = releases.find(|path| path.join("kernel").is_dir()) {
            return Ok(release);
        }
    }
    bail!("{} holds no kernel modules", kernel.display())
}

/// The wanted modules and those they depend on, in loading order.
///
/// What is built into the kernel is left out; what the kernel does not have
/// at all is left out with a notice, since only some scenarios would miss it.
pub(crate) fn load(tools: &Tools, kernel_version: &str, directory: &Path) -> Result<Vec<Module>> {
    let mut files = BTreeMap::new();
    index(&directory.join("kernel"), &mut files)?;
    let builtin = fs::read_to_string(directory.join("modules.builtin")).unwrap_or_default();
    let builtin: Vec<String> = builtin
        .lines()
        .map(|line| module_name(line.as_ref()))
        .collect();

    let mut contents = BTreeMap::new();
    let mut needs = BTreeMap::new();
    let mut open: Vec<String> = WANTED.iter().map(|name| (*name).to_owned()).collect();
    while let Some(name) = open.pop() {
        if contents.contains_key(&name) || builtin.contains(&name) {
            continue;
        }
        let Some(file) = files.get(&name) else {
            progress::say(&format!("Linux {kernel_version} has no module {name}"));
            continue;
        };
        let content = read_module(tools, file)?;
        let depends = depends(&content);
        open.extend(depends.iter().cloned());
        needs.insert(name.clone(), depends);
        contents.insert(name, content);
    }
    Ok(ordered(&needs)
        .into_iter()
        .filter_map(|name| {
            let content = contents.remove(&name)?;
            Some(Module { name, content })
        })
        .collect())
}

/// Notes every `*.ko*` file below a directory by its module's name.
fn index(directory: &Path, files: &mut BTreeMap<String, PathBuf>) -> Result<()> {
    let entries =
        fs::read_dir(directory).with_context(|| format!("cannot list {}", directory.display()))?;
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            index(&path, files)?;
        } else if path.to_string_lossy().contains(".ko") {
            files.insert(module_name(&path), path);
        }
    }
    Ok(())
}

/// `…/ip6_tunnel.ko.xz` → `ip6_tunnel`; hyphens count as underscores.
fn module_name(path: &Path) -> String {
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let name = file.split(".ko").next().unwrap_or_default();
    name.replace('-', "_")
}

fn read_module(tools: &Tools, file: &Path) -> Result<Vec<u8>> {
    if file.extension().is_some_and(|extension| extension == "xz") {
        return process::bytes(tools.command("xz").args(["-d", "-c"]).arg(file));
    }
    ensure!(
        file.extension().is_some_and(|extension| extension == "ko"),
        "{} is compressed in an unknown way",
        file.display()
    );
    fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}

/// The modules that a module's `.modinfo` asks for. The section is a list of
/// NUL-terminated `key=value` strings, so the key is found by scanning.
fn depends(content: &[u8]) -> Vec<String> {
    const KEY: &[u8] = b"\0depends=";
    let Some(at) = content.windows(KEY.len()).position(|window| window == KEY) else {
        return Vec::new();
    };
    let value = content[at + KEY.len()..].split(|byte| *byte == 0).next();
    String::from_utf8_lossy(value.unwrap_or_default())
        .split(',')
        .filter(|name| !name.is_empty())
        .map(|name| name.replace('-', "_"))
        .collect()
}

/// All keys of `needs`, each after everything it needs.
fn ordered(needs: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    fn visit(
        name: &str,
        needs: &BTreeMap<String, Vec<String>>,
        seen: &mut Vec<String>,
        order: &mut Vec<String>,
    ) {
        if seen.iter().any(|other| other == name) {
            return;
        }
        seen.push(name.to_owned());
        let Some(before) = needs.get(name) else {
            return;
        };
        for other in before {
            visit(other, needs, seen, order);
        }
        order.push(name.to_owned());
    }
    let (mut seen, mut order) = (Vec::new(), Vec::new());
    for name in needs.keys() {
        visit(name, needs, &mut seen, &mut order);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_come_after_what_they_need() {
        let needs = [
            ("bridge", vec!["stp", "llc"]),
            ("llc", vec![]),
            ("stp", vec!["llc"]),
        ];
        let needs: BTreeMap<String, Vec<String>> = needs
            .into_iter()
            .map(|(name, before)| (name.into(), before.into_iter().map(Into::into).collect()))
            .collect();
        assert_eq!(ordered(&needs), ["llc", "stp", "bridge"]);
    }

    #[test]
    fn a_circle_ends() {
        let needs = BTreeMap::from([
            ("a".to_owned(), vec!["b".to_owned()]),
            ("b".to_owned(), vec!["a".to_owned()]),
        ]);
        assert_eq!(ordered(&needs), ["b", "a"]);
    }

    #[test]
    fn depends_is_found_among_other_keys() {
        let modinfo = b"\x01\x02\0license=GPL\0depends=stp,llc-x\0retpoline=Y\0";
        assert_eq!(depends(modinfo), ["stp", "llc_x"]);
        assert!(depends(b"\0depends=\0name=veth\0").is_empty());
        assert!(depends(b"").is_empty());
    }

    #[test]
    fn names_of_module_files() {
        assert_eq!(module_name(Path::new("kernel/net/8021q/8021q.ko")), "8021q");
        assert_eq!(module_name(Path::new("a/nf-log.ko.xz")), "nf_log");
    }
}
