//! iproute2, for what administrators do.
//!
//! To start `ip` takes ten times as long as what it is started for, so one that has
//! been started stays, and reads its commands from a pipe, as in `ip -batch -`: one for
//! each namespace and set of options. It remembers interfaces that it did not delete
//! itself. What is to fail, or what its output is wanted of, is an `ip` of its own.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use super::command::{self, Finished, finish};
use super::netns;

/// Runs `ip` with these words, separated by blanks, in the first namespace;
/// start with `-n NAME` to work in another.
///
/// # Errors
/// It fails: its messages.
pub(crate) fn ip(words: &str) -> Result<()> {
    let (options, command) = split(words);
    let enters = matches!(command[..], ["netns" | "vrf", "exec", ..]);
    // In what it reads, these quote, escape and comment.
    let plain = !words.contains(['\'', '"', '\\', '#']);
    if plain && !enters {
        return take(&options, &command.join(" "));
    }
    ip_once(words)
}

/// The same by an `ip` that ends, and so keeps nothing alive.
///
/// # Errors
/// It fails: its messages.
pub(super) fn ip_once(words: &str) -> Result<()> {
    let done = run(words)?;
    if !done.status.success() {
        bail!("ip {words}: {done}");
    }
    Ok(())
}

/// Runs `ip` with these words and gives its error message.
///
/// # Errors
/// It succeeds.
pub(crate) fn ip_fails(words: &str) -> Result<String> {
    let done = run(words)?;
    if done.status.success() {
        bail!("ip {words} should fail here, but it succeeds");
    }
    Ok(done.stderr)
}

fn run(words: &str) -> Result<Finished> {
    let mut ip = Command::new("ip");
    finish(ip.args(words.split_whitespace()), Duration::from_secs(20))
}

/// Starts an `ip` that reads commands, in the namespace that `-n NAME` at the beginning of
/// its options names: by itself it would take a mount namespace as well, and /sys anew.
fn spawn(options: &str, mut ip: Command) -> Result<Child> {
    let mut words = options.split_whitespace().peekable();
    let name = words.next_if_eq(&"-n").and_then(|_| words.next());
    ip.args(words).args(["-force", "-batch", "-"]);
    netns::on_a_thread("guest", || {
        name.map_or(Ok(()), netns::switch)?;
        ip.spawn().context("cannot start ip")
    })
}

/// The options at the beginning, and the command that follows them.
fn split(words: &str) -> (String, Vec<&str>) {
    let words: Vec<&str> = words.split_whitespace().collect();
    let mut options = 0;
    while let Some(option) = words.get(options).filter(|word| word.starts_with('-')) {
        options += if *option == "-n" { 2 } else { 1 };
    }
    let (options, command) = words.split_at(options.min(words.len()));
    (options.join(" "), command.to_vec())
}

/// One that reads commands.
struct Reading {
    child: Child,
    said: BufReader<ChildStderr>,
    /// The lines that it was given.
    lines: usize,
}

/// By their options.
fn reading() -> MutexGuard<'static, BTreeMap<String, Reading>> {
    static READING: Mutex<BTreeMap<String, Reading>> = Mutex::new(BTreeMap::new());
    READING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Has the `ip` with these options run a command. One that fails may have remembered
/// an interface that is another by now, and is ended.
fn take(options: &str, command: &str) -> Result<()> {
    let mut reading = reading();
    let mut ip = match reading.remove(options) {
        Some(ip) => ip,
        None => Reading::start(options)?,
    };
    ip.run(command)
        .with_context(|| format!("ip {options} {command}"))?;
    reading.insert(options.to_owned(), ip);
    Ok(())
}

/// Ends those that keep the namespace `name` alive.
pub(super) fn leave(name: &str) {
    let ending = format!("-n {name}");
    let of_it = |options: &String, _: &mut Reading| {
        let rest = options.strip_prefix(&ending);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    };
    drop(reading().extract_if(.., of_it).collect::<Vec<_>>());
}

impl Reading {
    fn start(options: &str) -> Result<Self> {
        let mut ip = Command::new("ip");
        ip.stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = spawn(options, ip)?;
        let said = child.stderr.take().context("stderr is piped")?;
        Ok(Self {
            child,
            said: BufReader::new(said),
            lines: 0,
        })
    }

    /// Runs a command.
    ///
    /// # Errors
    /// It fails: its messages.
    fn run(&mut self, command: &str) -> Result<()> {
        // It says nothing when all is well. So the command is followed by one that it
        // does not know, and what it says of that is the end.
        let both = format!("{command}\nover\n");
        self.lines += 2;
        let stdin = self.child.stdin.as_mut().context("stdin is piped")?;
        stdin.write_all(both.as_bytes()).context("it has ended")?;
        let failed = |line: usize| format!("Command failed -:{line}");
        let mut said = String::new();
        while self.said.read_line(&mut said)? > 0 {
            if said.trim_end().ends_with(&failed(self.lines)) {
                ensure!(!said.contains(&failed(self.lines - 1)), "{said}");
                return Ok(());
            }
        }
        bail!("it has ended: {said}")
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        // Either fails only if it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs many commands in one `ip`, in the namespace `netns`.
///
/// # Errors
/// The first command that fails: its messages.
pub(crate) fn ip_batch(netns: &str, commands: &[String]) -> Result<()> {
    let mut ip = Command::new("ip");
    if !netns.is_empty() {
        ip.args(["-n", netns]);
    }
    let mut child = ip
        .args(["-batch", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot start ip")?;
    let stderr = child.stderr.take().map(command::gather);
    if let Some(mut stdin) = child.stdin.take() {
        // ip ends early at a failing command; its own message says which.
        let _ = stdin.write_all(commands.join("\n").as_bytes());
    }
    let ended = command::wait(&mut child, "ip -batch", Duration::from_mins(1));
    if ended.is_err() {
        // It must not outlive the scenario; why is already known.
        let _ = child.kill();
        let _ = child.wait();
    }
    let status = ended?;
    if !status.success() {
        let stderr = stderr.and_then(|thread| thread.join().ok());
        bail!("ip -batch: {status}: {}", stderr.unwrap_or_default());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn options_come_first() {
        let parts = |words| {
            let (options, command) = split(words);
            (options, command.join(" "))
        };
        let are = |options: &str, command: &str| (options.to_owned(), command.to_owned());
        assert_eq!(parts("link set lo up"), are("", "link set lo up"));
        assert_eq!(parts("-n a -6 route"), are("-n a -6", "route"));
        assert_eq!(parts("-6 rule add pref 1"), are("-6", "rule add pref 1"));
        assert_eq!(parts("-n"), are("-n", ""));
    }
}
