//! `v6trace explain`: what a cause means, how it is proved, how to fix it.

use std::{io::Write, process::ExitCode};

use anyhow::bail;
use clap::Args;

use super::options;
use crate::catalogue::{Cause, sections};

/// Arguments of `v6trace explain`.
#[derive(Args, Debug)]
pub(super) struct Explain {
    /// Code of the cause, as a diagnosis shows it
    code: Option<String>,
}

impl Explain {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let mut out = options::stdout();
        if let Some(code) = &self.code {
            let Some(cause) = Cause::from_code(code) else {
                bail!("no cause has the code {code:?}; `v6trace explain` lists them");
            };
            out.write_all(cause.page().as_bytes())?;
        } else {
            let codes = Cause::all().map(|cause| cause.code().len());
            let width = codes.max().unwrap_or(0);
            for (name, about, causes) in sections() {
                writeln!(out, "{name} ({about}):")?;
                for cause in causes {
                    writeln!(out, "  {:<width$}  {}", cause.code(), cause.title())?;
                }
            }
        }
        out.flush()?;
        Ok(ExitCode::SUCCESS)
    }
}
