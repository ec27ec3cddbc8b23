//! Boots a guest in QEMU and hands over what its serial console prints.
//!
//! [`Machine::boot`] starts the emulator; a thread copies the console into a
//! log file and a channel, from which [`Machine::read`] takes it as it comes
//! and [`Machine::follow`] line by line.

use std::collections::VecDeque;
use std::fmt;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::binaries::Binaries;
use crate::console::Lines;
use crate::prepare::BootFiles;
use crate::{initramfs, paths};

/// The machine that QEMU plays.
pub(crate) struct Hardware {
    /// What runs instructions: QEMU's `-accel` and what belongs to it.
    acceleration: &'static [&'static str],
    /// QEMU's `-cpu`; else the one that is the quickest to emulate.
    processor: Option<&'static str>,
    /// How many; else as many as the kernel is tested with.
    cpus: Option<&'static str>,
    /// MiB.
    memory: &'static str,
    /// Whether the kernel is told what makes it quicker.
    is_quicker: bool,
}

/// All that QEMU can emulate, but for an instruction after which its parallel
/// emulation crashes guests.
const MEASURED_PROCESSOR: &str = "max,-cx16";

/// What makes a guest quicker and the kernel no different, on every architecture: no
/// measures against flaws of real processors, programs at the same addresses each time,
/// where translated code is found again, and no waiting for others to wait for RCU along
/// with a tracer that ends.
const QUICKER: &str = "mitigations=off norandmaps rcupdate.rcu_expedited=1";

/// An emulated machine. One emulating thread: QEMU's parallel emulation has
/// races that crash guests, and the matrix runs several guests anyway.
pub(crate) const EMULATED: Hardware = Hardware {
    acceleration: &["-accel", "tcg,thread=single"],
    processor: None,
    cpus: None,
    memory: "1024",
    is_quicker: true,
};

/// The same on the host's own processors.
pub(crate) const VIRTUAL: Hardware = Hardware {
    acceleration: &["-accel", "kvm"],
    processor: Some("host"),
    cpus: None,
    memory: "1024",
    is_quicker: true,
};

/// A machine whose clock counts instructions while it is busy: one takes one
/// nanosecond, so that times repeat.
pub(crate) const COUNTING: Hardware = Hardware {
    acceleration: &["-accel", "tcg,thread=single", "-icount", "shift=0,sleep=on"],
    processor: Some(MEASURED_PROCESSOR),
    cpus: Some("1"),
    memory: "3072",
    is_quicker: false,
};

/// A machine whose processors really run at the same time.
pub(crate) const PARALLEL: Hardware = Hardware {
    acceleration: &["-accel", "tcg,thread=multi"],
    processor: Some(MEASURED_PROCESSOR),
    cpus: Some("2"),
    memory: "3072",
    is_quicker: false,
};

/// What a guest does once it is up.
pub(crate) struct Job<'a> {
    /// Arguments for PID 1.
    pub(crate) arguments: &'a [String],
    /// The script for the job `script`.
    pub(crate) script: Option<&'a Path>,
    /// Environment for PID 1, or parameters for the kernel: the end of its command
    /// line.
    pub(crate) environment: &'a str,
    /// Whether something will be typed on the console.
    pub(crate) interactive: bool,
    /// What it runs on.
    pub(crate) hardware: &'static Hardware,
}

/// What the console had to say within a time.
pub(crate) enum Output {
    /// More output.
    Bytes(Vec<u8>),
    /// Nothing so far.
    Silence,
    /// Nothing any more: the guest is off.
    End,
}

/// How long to wait for a guest.
#[derive(Clone, Copy)]
pub(crate) struct Patience {
    /// For a line on its console.
    pub(crate) silence: Duration,
    /// For all of it.
    pub(crate) whole: Duration,
}

/// Why a guest's console says no more of what was waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// It has been silent for so long.
    Hung(Duration),
    /// It has gone on for so long.
    Late(Duration),
    /// It is off.
    Off,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hung(silence) => write!(f, "it hung: no output for {} s", silence.as_secs()),
            Self::Late(whole) => write!(f, "it took longer than {} s", whole.as_secs()),
            Self::Off => f.write_str("it ended early"),
        }
    }
}

/// A running guest; dropped, it is killed and its initramfs removed.
pub(crate) struct Machine {
    child: Child,
    output: Receiver<Vec<u8>>,
    lines: Lines,
    /// Lines that came together with one that somebody waited for.
    pending: VecDeque<String>,
    initramfs: PathBuf,
    /// Where the console is logged.
    pub(crate) log: PathBuf,
}

impl Machine {
    /// Starts a guest that does the job.
    ///
    /// The console is also logged to `target/guest/ARCHITECTURE/logs/LOG_NAME.log`.
    pub(crate) fn boot(
        files: &BootFiles,
        binaries: &Binaries,
        job: &Job,
        log_name: &str,
    ) -> Result<Self> {
        Self::boot_with(files, job, log_name, |root| {
            initramfs::fill_own(root, binaries, job.arguments, job.script)
        })
    }

    /// The same with what `own` adds to its layers, and none of ours.
    pub(crate) fn boot_with(
        files: &BootFiles,
        job: &Job,
        log_name: &str,
        own: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<Self> {
        let initramfs = paths::run_file("initramfs.cpio")?;
        initramfs::assemble(&files.tools, &initramfs, &files.layers, own)?;
        let logs = files.architecture.guest("logs");
        paths::make_dir(&logs)?;
        let log = logs.join(format!("{log_name}.log"));
        let file = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;

        let mut child = command(files, &initramfs, job)
            .stdin(if job.interactive {
                Stdio::piped()
            } else {
                Stdio::null()
            })
            .stdout(Stdio::piped())
            .stderr(file.try_clone()?)
            .spawn()
            .context("cannot run QEMU")?;
        let (sender, output) = mpsc::channel();
        if let Some(console) = child.stdout.take() {
            thread::spawn(move || copy_console(console, file, &sender));
        }
        Ok(Self {
            child,
            output,
            lines: Lines::default(),
            pending: VecDeque::new(),
            initramfs,
            log,
        })
    }

    /// Waits up to `limit` for output.
    pub(crate) fn read(&self, limit: Duration) -> Output {
        match self.output.recv_timeout(limit) {
            Ok(bytes) => Output::Bytes(bytes),
            Err(RecvTimeoutError::Timeout) => Output::Silence,
            Err(RecvTimeoutError::Disconnected) => Output::End,
        }
    }

    /// Hands over the console's lines until one of them gives a result.
    ///
    /// # Errors
    /// The guest ended, or patience did.
    pub(crate) fn follow<T>(
        &mut self,
        patience: Patience,
        mut take: impl FnMut(&str) -> Option<T>,
    ) -> Result<T, Lost> {
        let since = Instant::now();
        loop {
            while let Some(line) = self.pending.pop_front() {
                if let Some(result) = take(&line) {
                    return Ok(result);
                }
            }
            let left = patience.whole.saturating_sub(since.elapsed());
            match self.read(patience.silence.min(left)) {
                Output::Bytes(bytes) => self.pending.extend(self.lines.push(&bytes)),
                Output::Silence if patience.silence < left => {
                    return Err(Lost::Hung(patience.silence));
                }
                Output::Silence => return Err(Lost::Late(patience.whole)),
                Output::End => return Err(Lost::Off),
            }
            if since.elapsed() > patience.whole {
                return Err(Lost::Late(patience.whole));
            }
        }
    }

    /// The keyboard of an interactive guest; can be taken once.
    pub(crate) fn take_keyboard(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// Gives the guest a moment to switch itself off, or to finish telling
    /// how it crashed.
    pub(crate) fn wait_for_end(&self, limit: Duration) {
        let until = Instant::now() + limit;
        while let left = until.saturating_duration_since(Instant::now())
            && !left.is_zero()
            && let Output::Bytes(_) = self.read(left)
        {}
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // It may have ended by itself; either way nothing is left to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_file(&self.initramfs);
    }
}

fn command(files: &BootFiles, initramfs: &Path, job: &Job) -> Command {
    let (hardware, environment) = (job.hardware, job.environment);
    let architecture = files.architecture;
    let (console, quicker) = (architecture.console, architecture.quicker);
    let processor = hardware.processor.unwrap_or(architecture.processor);
    let quicker = if hardware.is_quicker {
        format!("{QUICKER} {quicker}")
    } else {
        String::new()
    };
    let mut command = files.tools.qemu(architecture);
    command
        .args(hardware.acceleration)
        .args(["-machine", architecture.machine, "-cpu", processor])
        .arg("-nodefaults")
        .args([
            "-m",
            hardware.memory,
            "-smp",
            hardware.cpus.unwrap_or(files.processors),
        ])
        .args(["-display", "none", "-no-reboot"])
        .args([
            "-chardev",
            "stdio,id=console,signal=off",
            "-serial",
            "chardev:console",
        ])
        .arg("-kernel")
        .arg(&files.image)
        .arg("-initrd")
        .arg(initramfs)
        .arg("-append")
        .arg(format!(
            "console={console} quiet loglevel=4 oops=panic panic=-1 {quicker} {environment}"
        ));
    command
}

fn copy_console(mut console: ChildStdout, mut log: File, sender: &Sender<Vec<u8>>) {
    let mut buffer = [0; 4096];
    while let Ok(length) = console.read(&mut buffer) {
        let bytes = &buffer[..length];
        // A full disk must not lose the results as well.
        let _ = log.write_all(bytes);
        if length == 0 || sender.send(bytes.to_vec()).is_err() {
            return;
        }
    }
}
