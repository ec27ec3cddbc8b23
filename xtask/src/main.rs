//! v6trace's own tasks, run as `cargo xtask COMMAND`.
//!
//! Every command begins with the set-up it needs (`setup`): it finds or
//! installs the eBPF compiler, QEMU, kernels and the guest's userland. Then
//! the two halves of v6trace are built (`ebpf`, `binaries`), packed with the
//! userland into an initramfs (`initramfs`), booted (`qemu`) and the guest's
//! console is read (`console`) by `matrix`, `bench`, `golden`, `service`, `guest` or
//! `demo`.
//!
//! All that is made or downloaded lands in `target/`; beyond it, only Debian
//! packages are installed.

mod architecture;
mod batch;
mod bench;
mod binaries;
mod captures;
mod changes;
mod checks;
mod console;
mod demo;
mod dependencies;
mod documents;
mod ebpf;
mod elsewhere;
mod filter;
mod fuzz;
mod golden;
mod guest;
mod initramfs;
mod interactive;
mod kvm;
mod matrix;
mod modules;
mod package;
mod paths;
mod prepare;
mod process;
mod progress;
mod qemu;
mod report;
mod rootfs;
mod runner;
mod screens;
mod selection;
mod service;
mod setup;
mod terminal;
mod timeline;
mod transcript;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};

use architecture::{Architecture, OWN};
use selection::Selection;
use setup::suites::KERNELS;

/// v6trace's own tasks: build it, show it, test it on real kernels.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build v6trace as one static binary with its eBPF programs inside
    ///
    /// Installs an eBPF compiler first when the machine has none: Debian's
    /// Rust packages, and bpf-linker under target/tools. A nightly toolchain
    /// of rustup with the rust-src component and a bpf-linker in the PATH
    /// are used instead when both are there.
    Build(ArchitectureArgs),

    /// Make packages, in target/package: for Debian, for Fedora, of an archive and a
    /// container's image, with manual pages and what shells complete
    ///
    /// What is made of a commit is the same whenever that happens.
    Package(PackageArgs),

    /// Run the unit tests, then every scenario on each supported kernel
    ///
    /// Boots Debian's kernels 5.10, 6.1, 6.12 and the newest one in QEMU,
    /// several guests at a time, and makes each of them fail in every way
    /// v6trace claims to explain. Ends with a table and one line: N passed, N
    /// failed. What v6trace exports is opened in tshark as well.
    Test(TestArgs),

    /// Measure what v6trace costs, beside bpftrace, trace-cmd and perf
    ///
    /// Boots each kernel once for each part: on one processor whose clock counts
    /// instructions, and on two in real time, for losses. Prints tables in
    /// Markdown; docs/performance.md says how to read them.
    Bench(BenchArgs),

    /// Watch v6trace explain a failure, in a guest booted for it
    Demo(DemoArgs),

    /// Record the stories again, into the files that `cargo test` replays
    ///
    /// Needed when the kernel side's records change; when only the text does,
    /// `SNAPSHOTS=overwrite cargo test --test recordings` is enough.
    Golden(GoldenArgs),

    /// Fuzz what v6trace reads from others: recordings, kernel records, BTF
    ///
    /// Begins with the golden recordings.
    Fuzz(FuzzArgs),

    /// Install v6trace's package on a Debian that systemd runs, and use its service
    ///
    /// Boots a guest that installs, starts, upgrades, stops, removes and purges it, and
    /// looks each time what becomes of the service and of its recordings.
    Service(ServiceArgs),

    /// Boot a guest with v6trace and iproute2 inside
    ///
    /// Runs SCRIPT there with bash and exits with its status; without one,
    /// gives a shell on the guest's console (leave with `exit`; Ctrl-A x
    /// ends a guest that hangs).
    Guest(GuestArgs),
}

#[derive(Args)]
struct TestArgs {
    /// Test on this kernel only: a version (6.1, 6.12.107) or a Debian
    /// suite (bookworm, sid); may be repeated. Leaves out the unit tests
    #[arg(long, value_name = "KERNEL")]
    kernel: Vec<String>,

    /// Run this scenario only; may be repeated. Leaves out the unit tests
    #[arg(long, value_name = "SCENARIO")]
    only: Vec<String>,

    /// Run the scenarios of the families whose files this branch changes: all,
    /// if it changes what families share. Leaves out the unit tests
    #[arg(long, conflicts_with = "only")]
    changed: bool,

    /// Check formatting, lints and packages as well, compile for another system
    /// and fuzz for a while: all that a change must pass
    #[arg(long, conflicts_with_all = ["kernel", "only", "changed", "architecture"])]
    strict: bool,

    #[command(flatten)]
    architecture: ArchitectureArgs,

    #[command(flatten)]
    archive: ArchiveArgs,
}

#[derive(Args)]
struct BenchArgs {
    /// The kernels to boot: versions or Debian suites
    #[arg(long, value_name = "KERNEL", default_values = ["6.1", "6.12"])]
    kernel: Vec<String>,

    /// Measure this only; may be repeated
    #[arg(long, value_name = "PART", value_parser = bench::PARTS)]
    part: Vec<String>,

    /// Measure with this tracer only, beside none; may be repeated
    #[arg(long, value_name = "TRACER")]
    tracer: Vec<String>,

    #[command(flatten)]
    archive: ArchiveArgs,
}

#[derive(Args)]
struct DemoArgs {
    /// The kernel to boot: a version or a Debian suite
    #[arg(long, default_value = "6.1")]
    kernel: String,

    #[command(flatten)]
    architecture: ArchitectureArgs,

    #[command(flatten)]
    archive: ArchiveArgs,
}

#[derive(Args)]
struct GoldenArgs {
    /// The kernels to boot: versions or Debian suites
    #[arg(long, value_name = "KERNEL", default_values = KERNELS)]
    kernel: Vec<String>,

    #[command(flatten)]
    archive: ArchiveArgs,
}

#[derive(Args)]
struct FuzzArgs {
    /// Fuzz this only; may be repeated
    #[arg(value_name = "TARGET", value_parser = fuzz::TARGETS)]
    target: Vec<String>,

    /// How long to fuzz each
    #[arg(long, value_name = "SECONDS", default_value = "60")]
    seconds: u32,
}

#[derive(Args)]
struct ServiceArgs {
    /// The kernel to boot: a version or a Debian suite
    #[arg(long, default_value = service::KERNEL)]
    kernel: String,

    #[command(flatten)]
    archive: ArchiveArgs,
}

#[derive(Args)]
struct GuestArgs {
    /// The kernel to boot: a version (6.1, 6.12) or a Debian suite (sid)
    #[arg(long, default_value = "6.12")]
    kernel: String,

    /// A bash script to run in the guest instead of an interactive shell
    script: Option<PathBuf>,

    /// Have NetworkManager and FRR inside as well
    #[arg(long)]
    daemons: bool,

    #[command(flatten)]
    architecture: ArchitectureArgs,

    #[command(flatten)]
    archive: ArchiveArgs,
}

#[derive(Args)]
struct ArchiveArgs {
    /// Ask the archive for newer kernels even when it was asked today
    #[arg(long)]
    refresh: bool,
}

#[derive(Args)]
struct ArchitectureArgs {
    /// What to build for, and what guests are
    #[arg(
        long = "arch",
        value_name = "ARCHITECTURE",
        default_value = OWN.name,
        value_parser = architecture_parser()
    )]
    architecture: &'static Architecture,
}

#[derive(Args)]
struct PackageArgs {
    /// What to make packages for; may be repeated, and the image is for all of them
    #[arg(
        long = "arch",
        value_name = "ARCHITECTURE",
        default_value = OWN.name,
        value_parser = architecture_parser()
    )]
    architecture: Vec<&'static Architecture>,
}

fn architecture_parser() -> impl TypedValueParser<Value = &'static Architecture> {
    PossibleValuesParser::new(architecture::names()).try_map(|name| architecture::named(&name))
}

impl TestArgs {
    fn run(self) -> Result<ExitCode> {
        let architecture = self.architecture.architecture;
        let whole =
            self.kernel.is_empty() && self.only.is_empty() && !self.changed && architecture == OWN;
        let selection = match self.only {
            _ if self.changed => Selection::Changed,
            only if only.is_empty() => Selection::All,
            only => Selection::Only(only),
        };
        let checks = match whole {
            _ if self.strict => &checks::ALL,
            true => &checks::TESTS,
            false => &checks::NONE,
        };
        let refresh = self.archive.refresh;
        matrix::task(architecture, &self.kernel, &selection, checks, refresh)
    }
}

fn main() -> ExitCode {
    let result = match Cli::parse().task {
        Task::Build(args) => binaries::build_task(args.architecture),
        Task::Package(args) => package::task(&args.architecture),
        Task::Test(args) => args.run(),
        Task::Bench(args) => {
            bench::task(&args.kernel, &args.part, &args.tracer, args.archive.refresh)
        }
        Task::Demo(args) => demo::task(
            args.architecture.architecture,
            &args.kernel,
            args.archive.refresh,
        ),
        Task::Fuzz(args) => fuzz::task(&args.target, args.seconds),
        Task::Golden(args) => golden::task(&args.kernel, args.archive.refresh),
        Task::Service(args) => service::task(&args.kernel, args.archive.refresh),
        Task::Guest(args) => {
            let architecture = args.architecture.architecture;
            let script = args.script.as_deref();
            let refresh = args.archive.refresh;
            guest::task(architecture, &args.kernel, script, args.daemons, refresh)
        }
    };
    progress::clear();
    result.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
