//! Interfaces that are up and lack the IPv6 that they could have.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::guest::{AddressState, Checked, Netns, finish, host_and_router, v6trace};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("interface-mtu-below-ipv6-state", small_mtu),
    scenario("interface-mtu-below-ipv6-state-of-many", many_small_mtus),
    scenario("link-local-not-made-state", without_link_local),
];

const LIMIT: Duration = Duration::from_secs(20);

/// The MTU took IPv6 away. Down, nobody misses it; with 1280 it is there.
fn small_mtu() -> Result<()> {
    let host = Netns::new("mtus")?;
    let others = Netns::new("mtuo")?;
    for netns in [&host, &others] {
        netns.ip("link set lo up")?;
        netns.dummy("d0")?;
    }
    host.ip("link set d0 mtu 1279")?;
    others.ip("link set d0 mtu 1280")?;
    others.ip("link add d1 mtu 1000 type dummy")?;
    let checked = Checked::now()?;
    checked.silent(&others)?;
    let found = checked.only(&host, "interface-mtu-below-ipv6")?;
    found
        .expect()
        .field("severity", "hazard")
        .field("interface", "d0")
        .evidence("mtu", 1279)
        .check()?;
    for family in ["check", "dad,address"] {
        Checked::with(&["--family", family])?.only(&host, "interface-mtu-below-ipv6")?;
    }
    Checked::with(&["--family", "dad,multicast-join"])?.silent(&host)?;
    found.follow("mtu 1280")?;
    Checked::now()?.silent(&host)?;
    host.ip("address add 2001:db8::7/64 dev d0 nodad")
}

/// Of many interfaces that have the same, one is told in full, and a line names the others;
/// what else one of them has is told beside. Each has its own line in JSON, and each may be
/// asked for.
fn many_small_mtus() -> Result<()> {
    let host = Netns::new("mtum")?;
    host.ip("link set lo up")?;
    for number in 1..=35 {
        host.dummy(&format!("swp{number}"))?;
        host.ip(&format!("link set swp{number} mtu 1000"))?;
    }
    let told = |more: &[&str]| -> Result<_> {
        let args = [&["check", "--netns", host.name()], more].concat();
        finish(&mut v6trace(&args), LIMIT)
    };
    let text = told(&[])?;
    let heads = |text: &str| text.matches("  interface-mtu-below-ipv6").count();
    ensure!(heads(&text.stdout) == 2, "{text}");
    ensure!(
        text.stdout.contains("… 34 more like it: swp2 … swp35\n"),
        "{text}"
    );
    ensure!(text.stderr.contains("35 findings"), "{text}");
    let each = told(&["--no-fold"])?;
    ensure!(
        heads(&each.stdout) == 35 && !each.stdout.contains("more like it"),
        "{each}"
    );
    // One whose MTU is another has that told.
    host.ip("link set swp9 mtu 900")?;
    let text = told(&[])?;
    ensure!(
        heads(&text.stdout) == 2 && text.stdout.contains("mtu 900"),
        "{text}"
    );
    let checked = Checked::now()?;
    let found = checked.of(&host);
    let repeats = found.iter().map(|found| found.field("repeat").as_u64());
    let mut repeats: Vec<_> = repeats.collect();
    repeats.sort_unstable();
    let wanted: Vec<_> = (0..35).map(Some).collect();
    ensure!(repeats == wanted, "{repeats:?}");
    Ok(())
}

/// The kernel is not to make one and nobody has; where somebody has, nothing is missing.
fn without_link_local() -> Result<()> {
    let (host, router, _) = host_and_router("llnm")?;
    host.ip("address add 2001:db8::7/64 dev v0 nodad")?;
    host.ip("address del fe80::2/64 dev v0")?;
    let checked = Checked::now()?;
    checked.silent(&router)?;
    let found = checked.only(&host, "link-local-not-made")?;
    found
        .expect()
        .field("severity", "notice")
        .field("interface", "v0")
        .evidence("addr_gen_mode", 1)
        .check()?;
    found.follow("addr_gen_mode=0")?;
    AddressState::wait_for_link_local(&host, "v0")?;
    AddressState::Usable.wait(&host, "v0", "2001:db8::7".parse()?)?;
    Checked::now()?.silent(&host)
}
