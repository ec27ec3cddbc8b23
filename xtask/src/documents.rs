//! What v6trace writes, read by what others read it with: jq and pandas, as docs/json.md
//! shows, and a browser.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::setup::{host, tools};
use crate::{paths, process};

/// The kernel whose recordings are read.
const KERNEL: &str = "6.1";

/// The one that Debian's pandas is for.
const PYTHON: &str = "/usr/bin/python3";

/// Runs what docs/json.md shows with this `v6trace`.
pub(crate) fn run_examples(v6trace: &Path) -> Result<()> {
    let packages = ["jq", "python3-pandas"].map(str::to_owned);
    host::install(&packages, "what docs/json.md shows")?;
    let directory = paths::run_file("examples")?;
    let recording = paths::golden(KERNEL).join("radvd.v6t");
    paths::copy(&recording, &directory.join("session.v6t"), 0o600)?;
    let programs = v6trace.parent().context("v6trace is in no directory")?;
    let path = process::path_with(&[programs.to_owned()])?;
    let page = fs::read_to_string(paths::root().join("docs/json.md"))?;
    for (interpreter, language) in [("sh", "sh"), (PYTHON, "python")] {
        let mut command = Command::new(interpreter);
        command.args(["-c", example(&page, language)?]);
        command.env("PATH", &path).current_dir(&directory);
        let said = process::output(&mut command)?;
        ensure!(
            said.contains("optmem-exhausted"),
            "{interpreter} finds no diagnosis: {said}"
        );
    }
    paths::remove_dir(&directory)
}

/// The first block of a page that is in this language.
fn example<'a>(page: &'a str, language: &str) -> Result<&'a str> {
    let begin = format!("```{language}\n");
    let rest = page.split_once(&begin).map(|(_, rest)| rest);
    let block = rest.and_then(|rest| rest.split_once("```"));
    let block = block.with_context(|| format!("docs/json.md has no example in {language}"))?;
    Ok(block.0)
}

/// Asks a browser what it makes of a report by this `v6trace`, and whether anything is
/// wrong with it.
pub(crate) fn open_in_browser(v6trace: &Path) -> Result<()> {
    let mut browser = match process::find_program("chromium") {
        Some(chromium) => Command::new(chromium),
        None => tools::provide_for_pages()?.command(tools::BROWSER),
    };
    let directory = paths::run_file("browser")?;
    paths::make_dir(&directory)?;
    let page = directory.join("page.html");
    let files = fs::read_dir(paths::golden(KERNEL))?.flatten();
    let files = files.map(|entry| entry.path());
    let recordings = files.filter(|path| path.extension().is_some_and(|end| end == "v6t"));
    let mut report = Command::new(v6trace);
    report.args(["report", "-o"]).arg(&page);
    report.args(recordings.collect::<BTreeSet<_>>());
    process::output(&mut report)?;

    browser.args(["--headless", "--no-sandbox", "--disable-gpu"]);
    browser.args(["--enable-logging=stderr", "--dump-dom"]);
    browser.arg(format!(
        "--user-data-dir={}",
        directory.join("profile").display()
    ));
    browser.arg(format!("file://{}", page.display()));
    let output = browser.output().context("the browser does not start")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success() && !said.contains("CONSOLE"),
        "{said}"
    );
    let made = String::from_utf8_lossy(&output.stdout);
    let page = fs::read_to_string(&page)?;
    // A button for each command: the script has run.
    let commands = page.matches("<div class=\"fix\">").count();
    ensure!(
        commands > 0 && made.matches("<button").count() == commands,
        "of {commands} commands there are buttons: {made}"
    );
    let articles = |text: &str| text.matches("<article").count();
    ensure!(
        articles(&made) == articles(&page),
        "parts of the page are lost: {made}"
    );
    paths::remove_dir(&directory)
}
