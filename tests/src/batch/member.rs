//! A scenario of a batch: its process, what it asks for, and what it said.

use std::io::{BufRead as _, BufReader, ErrorKind, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::guest::{Answer, Ask, Lines};
use crate::init::{LIMIT, kill_group};

/// A scenario's process.
pub(super) struct Member {
    name: &'static str,
    child: Child,
    socket: BufReader<UnixStream>,
    said: Lines,
    /// What it waits for; None: it has ended.
    asks: Option<Ask>,
    /// Whether it went on for too long.
    hung: bool,
    /// How long it was its turn.
    time: Duration,
}

impl Member {
    /// Starts it.
    pub(super) fn start(name: &'static str, number: u32) -> Result<Self> {
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
        Ok(Self {
            name,
            child,
            socket: BufReader::new(socket),
            said: Lines::collect(output, |_| ()),
            asks: None,
            hung: false,
            time: Duration::ZERO,
        })
    }

    /// Whether it waits for this.
    pub(super) fn asks(&self, ask: Ask) -> bool {
        self.asks == Some(ask)
    }

    /// Gives it what it waits for, and lets it go on.
    pub(super) fn answer(&mut self, answer: &Answer) -> Result<()> {
        let line = serde_json::to_string(answer)? + "\n";
        // If it is gone, that is seen next.
        let _ = self.socket.get_ref().write_all(line.as_bytes());
        self.go_on()
    }

    /// Lets it go on until it asks for something or has ended.
    pub(super) fn go_on(&mut self) -> Result<()> {
        println!("turn of {}", self.name);
        let since = Instant::now();
        let mut line = String::new();
        let read = self.socket.read_line(&mut line);
        self.time += since.elapsed();
        self.asks = match read {
            Ok(0) => None,
            Ok(_) => Some(serde_json::from_str(&line).with_context(|| line.clone())?),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.hung = true;
                None
            }
            Err(error) => return Err(error).context("a scenario's socket"),
        };
        if self.asks.is_none() {
            // What it may have left behind, or itself.
            if self.hung {
                kill_group(self.child.id())?;
            }
            self.child.wait()?;
            kill_group(self.child.id())?;
        }
        Ok(())
    }

    /// Prints what it said and what became of it: whether it passed.
    pub(super) fn tell(mut self) -> Result<bool> {
        let Self { name, hung, .. } = self;
        let status = self.child.wait()?;
        let seconds = self.time.as_secs_f32();
        println!("::start {name}");
        for line in self.said.finish() {
            println!("  {}", line.trim_end());
        }
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
