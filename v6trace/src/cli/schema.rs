//! `v6trace schema`: what lines of JSON have, for programs that read them.

use std::{io::Write as _, process::ExitCode};

use super::options;

/// Made of the lines' types, by a test beside them.
const SCHEMA: &str = include_str!("../../../docs/schema.json");

pub(super) fn run() -> anyhow::Result<ExitCode> {
    let mut out = options::stdout();
    out.write_all(SCHEMA.as_bytes())?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}
