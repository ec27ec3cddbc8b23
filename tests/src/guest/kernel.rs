//! What a membership costs on the running kernel.

use anyhow::{Context as _, Result, bail};

/// Bytes of option memory that a membership costs: `sizeof(struct
/// ipv6_mc_socklist)`, which lost its lock in Linux 5.13.
pub(crate) fn membership_size() -> Result<u64> {
    let name = rustix::system::uname();
    let release = name.release().to_string_lossy();
    size_on(&release).with_context(|| format!("{release} is no kernel release"))
}

fn size_on(release: &str) -> Option<u64> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    let (major, minor): (u32, u32) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
    Some(if (major, minor) < (5, 13) { 64 } else { 56 })
}

/// Checks [`membership_size`] against what was seen: exactly `joins` fit under
/// `limit` bytes, on a socket with nothing else in its option memory.
///
/// The kernel grants a charge that leaves the sum below the limit.
pub(crate) fn check_membership_size(limit: u64, joins: u64) -> Result<u64> {
    let size = membership_size()?;
    if joins * size < limit && (joins + 1) * size >= limit {
        return Ok(size);
    }
    bail!(
        "{joins} memberships fit into {limit} bytes: a membership of this kernel \
         does not cost the {size} bytes it was thought to"
    )
}

#[cfg(test)]
mod tests {
    use super::size_on;

    #[test]
    fn releases() {
        assert_eq!(size_on("5.10.0-32-cloud-amd64"), Some(64));
        assert_eq!(size_on("5.13.1"), Some(56));
        assert_eq!(size_on("6.1.0-30-cloud-amd64"), Some(56));
        assert_eq!(size_on("7.2.13+deb14-cloud-amd64"), Some(56));
        assert_eq!(size_on("next"), None);
        assert_eq!(size_on(""), None);
    }
}
