//! What v6trace exports opens in tshark, which dissects it and shows what is
//! said of each packet.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::progress::Step;
use crate::setup::suites::KERNELS;
use crate::setup::tools;
use crate::{paths, process};

/// The story whose recordings have frames.
const STORY: &str = "dad.v6t";

/// Fields of a packet, as tshark names them.
const FIELDS: [&str; 4] = [
    "icmpv6.type",
    "icmpv6.nd.ns.target_address",
    "frame.comment",
    "_ws.malformed",
];

/// Exports the golden recordings with this `v6trace`, and reads them with
/// tshark.
pub(crate) fn open_in_tshark(v6trace: &Path) -> Result<()> {
    let tools = tools::provide_for_captures()?;
    let step = Step::start("Opening exports in tshark".to_owned());
    for kernel in KERNELS {
        let capture = paths::run_file("export.pcapng")?;
        process::output(
            Command::new(v6trace)
                .args(["export", "--format", "pcapng", "--force", "-o"])
                .arg(&capture)
                .arg(paths::golden(kernel).join(STORY)),
        )?;
        let mut tshark = tools.command("tshark");
        tshark.arg("-n").arg("-r").arg(&capture);
        tshark.args(["-T", "fields", "-E", "separator=|"]);
        tshark.args(FIELDS.iter().flat_map(|field| ["-e", field]));
        let read = process::output(&mut tshark)?;
        let mut tshark = tools.command("tshark");
        tshark.arg("-n").arg("-r").arg(&capture).arg("-V");
        let shown = process::output(&mut tshark)?;
        // It was only made to be read.
        let _ = std::fs::remove_file(&capture);
        let packets: Vec<&str> = read.lines().collect();
        let [packet] = packets[..] else {
            anyhow::bail!(
                "tshark sees {} packets of {kernel}, not 1: {read}",
                packets.len()
            );
        };
        let fields: Vec<&str> = packet.split('|').collect();
        let field = |index: usize| fields.get(index).copied().context("tshark left fields out");
        ensure!(field(0)? == "135", "no neighbour solicitation: {packet}");
        ensure!(
            field(1)?.parse::<std::net::Ipv6Addr>().is_ok(),
            "no target: {packet}"
        );
        ensure!(field(2)?.contains("dad-loopback"), "no diagnosis: {packet}");
        ensure!(field(3)?.is_empty(), "malformed: {packet}");
        ensure!(
            shown.contains("more: v6trace explain") && !shown.contains("[truncated]"),
            "not all that is said is shown: {shown}"
        );
    }
    step.done();
    Ok(())
}
