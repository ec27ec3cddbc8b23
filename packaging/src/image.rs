//! A container's image of nothing but the program: an OCI layout in an archive,
//! which `podman load`, `skopeo copy oci-archive:` and `ctr image import` read.

use anyhow::Result;
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{
    Named,
    about::{LICENCE, NAME, SUMMARY, VERSION},
    archive::Archive,
    files::{Effort, File, gzip},
    machine::Machine,
};

/// What it does where nothing else is said: JSON, for whoever collects what containers print.
const COMMAND: [&str; 2] = ["live", "--json"];

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// Makes it of the files for each machine: who runs it takes that of the own one.
pub(crate) fn of(
    machines: &[(Machine, Vec<File>)],
    created: Timestamp,
    epoch: u64,
    effort: Effort,
) -> Result<Named> {
    let mut layout = Archive::new(epoch);
    layout.file("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#, 0o644)?;
    let mut put = |blob: &[u8]| {
        let path = format!("blobs/{}", digest(blob).replace(':', "/"));
        layout.file(&path, blob, 0o644)
    };
    let mut manifests = Vec::new();
    for (machine, files) in machines {
        let blobs = blobs(*machine, files, created, epoch, effort)?;
        for blob in &blobs {
            put(blob)?;
        }
        let mut listed = descriptor(MANIFEST, &blobs[0]);
        listed["platform"] = json!({ "architecture": machine.debian, "os": "linux" });
        manifests.push(listed);
    }
    let all = index(&manifests)?;
    put(&all)?;
    let mut listed = descriptor(INDEX, &all);
    listed["annotations"] = json!({
        "org.opencontainers.image.ref.name": VERSION,
        // What containerd and podman call it then.
        "io.containerd.image.name": format!("localhost/{NAME}:{VERSION}"),
    });
    layout.file("index.json", &index(&[listed])?, 0o644)?;
    Ok((format!("{NAME}-{VERSION}.oci.tar"), layout.finish()?))
}

fn index(manifests: &[Value]) -> Result<Vec<u8>> {
    Ok(serde_json::to_vec(&json!({
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": manifests,
    }))?)
}

/// What is stored of the image for one machine, its manifest first.
fn blobs(
    machine: Machine,
    files: &[File],
    created: Timestamp,
    epoch: u64,
    effort: Effort,
) -> Result<[Vec<u8>; 3]> {
    let mut layer = Archive::new(epoch);
    // What is mounted into it.
    for directory in ["proc", "run", "sys"] {
        layer.directory(directory, 0o755)?;
    }
    for file in files.iter().filter(|file| file.is_program) {
        layer.file(NAME, &file.content, file.mode().into())?;
    }
    let layer = layer.finish()?;
    let packed = gzip(&layer, effort)?;
    let config = json!({
        "created": created.to_string(),
        "architecture": machine.debian,
        "os": "linux",
        "config": {
            "Entrypoint": [format!("/{NAME}")],
            "Cmd": COMMAND,
            "Labels": {
                "org.opencontainers.image.title": NAME,
                "org.opencontainers.image.description": SUMMARY,
                "org.opencontainers.image.version": VERSION,
                "org.opencontainers.image.licenses": LICENCE,
            },
        },
        "rootfs": { "type": "layers", "diff_ids": [digest(&layer)] },
    });
    let config = serde_json::to_vec(&config)?;
    let manifest = serde_json::to_vec(&json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": descriptor("application/vnd.oci.image.config.v1+json", &config),
        "layers": [descriptor("application/vnd.oci.image.layer.v1.tar+gzip", &packed)],
    }))?;
    Ok([manifest, config, packed])
}

fn descriptor(media_type: &str, blob: &[u8]) -> Value {
    json!({ "mediaType": media_type, "digest": digest(blob), "size": blob.len() })
}

fn digest(blob: &[u8]) -> String {
    format!("sha256:{}", hexadecimal(blob))
}

/// The SHA-256 of bytes.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}
