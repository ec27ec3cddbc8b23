//! A scenario of a batch: its process, what it asks for, and what it said.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, ErrorKind, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::guest::{Answer, Ask, Lines};
use crate::init::{LIMIT, kill_group};

/// How long output may go on after the scenario's processes were killed.
const PATIENCE: Duration = Duration::from_secs(2);

/// A scenario's process.
pub(super) struct Member {
    name: &'static str,
    child: Child,
    socket: BufReader<UnixStream>,
    said: Lines,
    state: State,
    /// How long it was its turn.
    time: Duration,
}

enum State {
    /// It waits for an answer.
    Asks(Ask),
    /// Whether it passed.
    Ended(bool),
}

impl Member {
    /// Starts it, and lets it go on until it asks for something or has ended.
    pub(super) fn start(name: &'static str, number: u8) -> Result<Self> {
        let (socket, its_socket) = UnixStream::pair().context("cannot make a socket")?;
        socket.set_read_timeout(Some(LIMIT))?;
        let (output, input) = std::io::pipe().context("cannot make a pipe")?;
        let child = Command::new("/proc/self/exe")
            .args(["run", name, "--batch", &number.to_string()])
            .process_group(0)
            .stdin(OwnedFd::from(its_socket))
            .stdout(input.try_clone().context("cannot duplicate a pipe")?)
            .stderr(input)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let mut member = Self {
            name,
            child,
            socket: BufReader::new(socket),
            said: Lines::collect(output, |_| ()),
            state: State::Ended(false),
            time: Duration::ZERO,
        };
        member.go_on()?;
        Ok(member)
    }

    /// Whether it passed; None: it has not ended.
    pub(super) fn passed(&self) -> Option<bool> {
        match self.state {
            State::Ended(passed) => Some(passed),
            State::Asks(_) => None,
        }
    }

    /// Whether it was told of a tracer and waits for the report.
    pub(super) fn wants_report(&self) -> bool {
        self.own().is_some()
    }

    /// The namespaces that it says are its own, where it waits for the report.
    pub(super) fn own(&self) -> Option<&BTreeMap<u64, u64>> {
        match &self.state {
            State::Asks(Ask::Finish { own }) => Some(own),
            State::Asks(Ask::Start) | State::Ended(_) => None,
        }
    }

    /// Gives it what it waits for, and lets it go on.
    pub(super) fn answer(&mut self, answer: &Answer) -> Result<()> {
        let line = serde_json::to_string(answer)? + "\n";
        // If it is gone, that is seen next.
        let _ = self.socket.get_ref().write_all(line.as_bytes());
        self.go_on()
    }

    /// Lets it go on until it asks for something or has ended, and tells what became
    /// of it.
    fn go_on(&mut self) -> Result<()> {
        // What the kernel says meanwhile belongs to it.
        println!("::start {}", self.name);
        let since = Instant::now();
        let mut line = String::new();
        let read = self.socket.read_line(&mut line);
        self.time += since.elapsed();
        let hung = match read {
            Ok(0) => false,
            Ok(_) => {
                let ask = serde_json::from_str(&line).with_context(|| line.clone())?;
                self.state = State::Asks(ask);
                return Ok(());
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => true,
            // It was killed with something unread.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => false,
            Err(error) => return Err(error).context("a scenario's socket"),
        };
        self.state = State::Ended(self.end(hung)?);
        Ok(())
    }

    /// Waits for its end, or ends it where it hangs, and prints what it said and
    /// whether it passed.
    fn end(&mut self, hung: bool) -> Result<bool> {
        let name = self.name;
        if hung {
            kill_group(self.child.id())?;
        }
        let status = self.child.wait()?;
        // What it may have left behind.
        kill_group(self.child.id())?;
        let whole = self.said.wait_for_all(PATIENCE);
        for line in self.said.so_far() {
            println!("  {}", line.trim_end());
        }
        if !whole {
            println!("  a process of the scenario left its group and still runs");
        }
        let seconds = self.time.as_secs_f32();
        if hung {
            println!("  still running after {} s", LIMIT.as_secs());
        } else if !status.success() {
            println!("  {status} after {seconds:.1} s");
        }
        let passed = status.success() && !hung;
        if passed {
            println!("::ok {name} {seconds:.1}");
        } else {
            println!("::failed {name}");
        }
        Ok(passed)
    }
}
