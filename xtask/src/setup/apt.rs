//! A private apt root for one suite and architecture: packages of any Debian release can be
//! looked up and downloaded with their signatures checked, and the machine's
//! own apt never learns of it.
//!
//! `target/guest/ARCHITECTURE/apt/SUITE/` holds a configuration with its own state, cache
//! and source; the `Acquire` settings (proxies, certificates, time-outs) are
//! the machine's. [`PrivateApt`] runs apt's tools with that configuration.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::sources::{self, Archive};
use crate::architecture::Architecture;
use crate::{paths, process, progress};

/// apt, confined to one suite and one directory.
pub(crate) struct PrivateApt {
    directory: PathBuf,
    suite: String,
    architecture: &'static Architecture,
    archive: Archive,
    security: bool,
}

impl PrivateApt {
    /// Writes the configuration for `suite`, with or without its security
    /// updates; asks the network nothing.
    pub(crate) fn new(
        architecture: &'static Architecture,
        suite: &str,
        security: bool,
    ) -> Result<Self> {
        let archive = sources::machine_archive()?;
        let directory = architecture.guest("apt").join(suite);
        for part in [
            "lists/partial",
            "cache/archives/partial",
            "sources",
            "empty",
        ] {
            paths::make_dir(&directory.join(part))?;
        }
        let apt = Self {
            directory,
            suite: suite.to_owned(),
            architecture,
            archive,
            security,
        };
        apt.write_sources(security)?;
        // No package counts as installed, so dependencies come out in full.
        paths::write(&apt.directory.join("status"), "")?;
        paths::write(&apt.configuration(), apt.settings()?)?;
        Ok(apt)
    }

    /// Fetches the suite's package lists.
    pub(crate) fn update(&self) -> Result<()> {
        let Err(error) = self.try_update() else {
            return Ok(());
        };
        if !self.security {
            return Err(error);
        }
        // Old suites move to another archive, security updates first.
        self.write_sources(false)?;
        self.try_update().map_err(|_| error)?;
        progress::say(&format!(
            "The archive has no security updates for {}; going on without",
            self.suite
        ));
        Ok(())
    }

    fn try_update(&self) -> Result<()> {
        // By itself, apt-get update reports an unreachable archive as a mere
        // warning.
        let mut command = self.command("apt-get");
        command.args(["-q", "-o", "APT::Update::Error-Mode=any", "update"]);
        process::output(&mut command).map(drop)
    }

    fn write_sources(&self, with_security: bool) -> Result<()> {
        paths::write(
            &self.directory.join("sources/debian.sources"),
            self.archive.sources(&self.suite, with_security),
        )
    }

    /// The version of a package in this suite.
    pub(crate) fn version(&self, package: &str) -> Result<String> {
        let mut command = self.command("apt-cache");
        let text = process::output(command.args(["show", "--no-all-versions", package]))?;
        text.lines()
            .find_map(|line| line.strip_prefix("Version: "))
            .map(str::to_owned)
            .with_context(|| format!("apt names no version of {package}"))
    }

    /// The names of the packages that `package` directly needs.
    pub(crate) fn dependencies(&self, package: &str) -> Result<Vec<String>> {
        let mut command = self.command("apt-cache");
        let text = process::output(command.args(["depends", "--important", package]))?;
        Ok(parse_dependencies(&text))
    }

    /// Downloads just these packages; returns the paths of their files.
    pub(crate) fn download(&self, packages: &[String]) -> Result<Vec<PathBuf>> {
        let directory = self.directory.join("download");
        paths::make_empty_dir(&directory)?;
        process::output(
            self.command("apt-get")
                .current_dir(&directory)
                .args(["-q", "download"])
                .args(packages),
        )?;
        debs(&directory)
    }

    /// Downloads these packages and all that they depend on.
    pub(crate) fn download_with_dependencies(&self, packages: &[&str]) -> Result<Vec<PathBuf>> {
        process::output(
            self.command("apt-get")
                .args(["-q", "-y", "--no-install-recommends", "--download-only"])
                .arg("install")
                .args(packages),
        )?;
        debs(&self.directory.join("cache/archives"))
    }

    /// Removes downloaded package files.
    pub(crate) fn clean(&self) -> Result<()> {
        paths::remove_dir(&self.directory.join("download"))?;
        process::output(self.command("apt-get").arg("clean")).map(drop)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env("APT_CONFIG", self.configuration())
            .env("DEBIAN_FRONTEND", "noninteractive")
            .env("LC_ALL", "C.UTF-8");
        command
    }

    fn configuration(&self) -> PathBuf {
        self.directory.join("apt.conf")
    }

    fn settings(&self) -> Result<String> {
        let machine =
            process::output(Command::new("apt-config").args(["dump", "--format", "%F \"%v\";%n"]))?;
        let own = self.directory.display();
        let architecture = self.architecture.debian;
        Ok(format!(
            "{}\
             Dir::Etc::main \"/dev/null\";\n\
             Dir::Etc::parts \"{own}/empty\";\n\
             Dir::Etc::sourcelist \"/dev/null\";\n\
             Dir::Etc::sourceparts \"{own}/sources\";\n\
             Dir::Etc::preferences \"/dev/null\";\n\
             Dir::Etc::preferencesparts \"{own}/empty\";\n\
             Dir::State \"{own}\";\n\
             Dir::State::status \"{own}/status\";\n\
             Dir::Cache \"{own}/cache\";\n\
             Dir::Log \"{own}\";\n\
             Acquire::Languages \"none\";\n\
             Acquire::Retries \"3\";\n\
             APT::Architecture \"{architecture}\";\n\
             APT::Architectures {{ \"{architecture}\"; }};\n\
             APT::Sandbox::User \"root\";\n",
            acquire_settings(&machine)
        ))
    }
}

/// The settings about fetching that hold for any root: not the lists of
/// further files to fetch, which desktop packages add to.
fn acquire_settings(dump: &str) -> String {
    dump.lines()
        .filter(|line| line.starts_with("Acquire::"))
        .filter(|line| {
            ![
                "IndexTargets",
                "Languages",
                "Changelogs",
                "CompressionTypes",
            ]
            .iter()
            .any(|name| line["Acquire::".len()..].starts_with(name))
        })
        .flat_map(|line| [line, "\n"])
        .collect()
}

fn parse_dependencies(text: &str) -> Vec<String> {
    text.lines()
        .filter_map(|line| {
            // A leading `|` marks an alternative; virtual ones are in <>.
            let line = line.trim().trim_start_matches('|');
            let name = line
                .strip_prefix("Depends: ")
                .or_else(|| line.strip_prefix("PreDepends: "))?;
            (!name.starts_with('<')).then(|| name.to_owned())
        })
        .collect()
}

/// The package files in a directory, in the order of their names.
fn debs(directory: &Path) -> Result<Vec<PathBuf>> {
    let entries =
        fs::read_dir(directory).with_context(|| format!("cannot list {}", directory.display()))?;
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "deb"))
        .collect();
    files.sort();
    Ok(files)
}

/// The package that a file (`NAME_VERSION_ARCHITECTURE.deb`) is of.
pub(crate) fn package_name(deb: &Path) -> Option<&str> {
    deb.file_name()?.to_str()?.split('_').next()
}

/// Unpacks a package file into a directory, without installing it.
pub(crate) fn unpack(deb: &Path, directory: &Path) -> Result<()> {
    process::output(Command::new("dpkg-deb").arg("-x").arg(deb).arg(directory)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_with_alternatives() {
        let text = "linux-image-7.2\n  PreDepends: linux-base\n |Depends: dracut\n  \
                    Depends: <linux-initramfs-tool>\n    dracut\n  \
                    Depends: linux-binary-7.2\n  Breaks: initramfs-tools\n";
        assert_eq!(
            parse_dependencies(text),
            ["linux-base", "dracut", "linux-binary-7.2"]
        );
    }

    #[test]
    fn only_settings_about_fetching_are_taken_over() {
        let dump = "APT \"\";\nAcquire::http::Proxy \"http://p.example:3128\";\n\
                    Acquire::IndexTargets::deb::DEP-11::MetaKey \"x\";\n\
                    DPkg::Post-Invoke:: \"rm x\";\n";
        assert_eq!(
            acquire_settings(dump),
            "Acquire::http::Proxy \"http://p.example:3128\";\n"
        );
    }
}
