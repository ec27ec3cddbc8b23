//! The `v6trace` command: everything is in the library's `cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    v6trace::cli::main()
}
