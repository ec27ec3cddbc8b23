//! The package for Fedora, RHEL, SUSE and their kin.

use anyhow::{Context as _, Result};
use rpm::{BuildConfig, CompressionWithLevel, FileOptions, PackageBuilder};

use crate::{
    Named,
    about::{DESCRIPTION, LICENCE, NAME, SUMMARY, VERSION},
    files::{Effort, File},
    machine::Machine,
};

/// Makes it.
pub(crate) fn of(files: &[File], machine: Machine, epoch: u64, effort: Effort) -> Result<Named> {
    let epoch = u32::try_from(epoch).context("the commit's time is beyond what rpm knows")?;
    // What rpm of 2018 reads as well.
    let config = BuildConfig::v4().compression(CompressionWithLevel::Gzip(effort.level()));
    let mut package = PackageBuilder::new(NAME, VERSION, LICENCE, machine.name, SUMMARY);
    package.using_config(config.source_date(epoch));
    package
        .release("1")
        .description(DESCRIPTION)
        .build_host("localhost");
    package.post_install_script(include_str!("../redhat/post"));
    package.pre_uninstall_script(include_str!("../redhat/preun"));
    package.post_uninstall_script(include_str!("../redhat/postun"));
    for file in files {
        let options = FileOptions::new(format!("/{}", file.path)).permissions(file.mode());
        package.with_file_contents(file.content.clone(), options)?;
    }
    let mut bytes = Vec::new();
    package.build()?.write(&mut bytes)?;
    Ok((format!("{NAME}-{VERSION}-1.{}.rpm", machine.name), bytes))
}
