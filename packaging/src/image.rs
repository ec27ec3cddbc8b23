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
};

/// What it does where nothing else is said: JSON, for whoever collects what containers print.
const COMMAND: [&str; 2] = ["live", "--json"];

/// Makes it.
pub(crate) fn of(files: &[File], created: Timestamp, epoch: u64, effort: Effort) -> Result<Named> {
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
        "architecture": "amd64",
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
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": descriptor("application/vnd.oci.image.config.v1+json", &config),
        "layers": [descriptor("application/vnd.oci.image.layer.v1.tar+gzip", &packed)],
    }))?;
    let mut listed = descriptor("application/vnd.oci.image.manifest.v1+json", &manifest);
    listed["annotations"] = json!({
        "org.opencontainers.image.ref.name": VERSION,
        // What containerd and podman call it then.
        "io.containerd.image.name": format!("localhost/{NAME}:{VERSION}"),
    });
    let index = json!({ "schemaVersion": 2, "manifests": [listed] });

    let mut layout = Archive::new(epoch);
    layout.file("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#, 0o644)?;
    layout.file("index.json", &serde_json::to_vec(&index)?, 0o644)?;
    for blob in [&config, &manifest, &packed] {
        layout.file(
            &format!("blobs/{}", digest(blob).replace(':', "/")),
            blob,
            0o644,
        )?;
    }
    Ok((format!("{NAME}-{VERSION}.oci.tar"), layout.finish()?))
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
