//! Files that leave the guest by its console.

use std::io::{self, Write as _};

use anyhow::Result;
use base64::{Engine as _, prelude::BASE64_STANDARD};

/// Bytes in a line; longer ones would be hard on whoever reads the console.
const PART: usize = 600;

/// Prints a file, part by part.
pub(super) fn print(name: &str, content: &[u8]) -> Result<()> {
    let mut out = io::stdout().lock();
    for part in content.chunks(PART) {
        writeln!(out, "::file {name} {}", BASE64_STANDARD.encode(part))?;
    }
    Ok(out.flush()?)
}
