//! A rule in words: `fib_rule_hdr` and `FRA_*`.

use std::{borrow::Cow, fmt::Write as _, net::IpAddr};

use super::{Asked, prefix, words::byte};
use crate::{
    event::text,
    explain::quoted,
    rtnetlink::{Attributes, address, number},
};

/// `RT_TABLE_MAIN` and `RT_TABLE_LOCAL`
const MAIN: u32 = 254;
const LOCAL: u32 = 255;
/// `FIB_RULE_INVERT`
const INVERT: u32 = 2;

impl Asked {
    /// "pref 77 from 2001:db8::/32 iif eth0 lookup 100"
    pub(super) fn rule(&mut self, header: &[u8], attributes: Attributes<'_>) {
        let mut rule = Rule {
            table: byte(header, 4).into(),
            action: byte(header, 7),
            ..Rule::default()
        };
        let flags = header.get(8..).and_then(number).unwrap_or(0);
        let mut selectors = Vec::new();
        for (kind, value) in attributes {
            let word = match kind {
                1 => Some(("to", address(value).map(|to| prefix(to, byte(header, 1))))),
                3 => Some(("iif", Some(name(value).into_owned()))),
                17 => Some(("oif", Some(name(value).into_owned()))),
                22 => Some(("ipproto", value.first().map(u8::to_string))),
                20 => Some(("uidrange", uids(value))),
                23 => Some(("sport", ports(value))),
                24 => Some(("dport", ports(value))),
                _ => {
                    self.is_whole &= rule.take(kind, value, byte(header, 2));
                    None
                }
            };
            if let Some((name, value)) = word {
                self.is_whole &= value.is_some();
                selectors.extend(value.map(|value| format!(" {name} {value}")));
            }
        }
        self.priority = rule.priority;
        if let Some(priority) = rule.priority {
            self.add("pref", priority);
        }
        if flags & INVERT != 0 {
            self.words += " not";
        }
        self.address = rule.source.map(|(source, _)| source);
        let from = rule
            .source
            .map_or_else(|| "all".to_owned(), |(source, bits)| prefix(source, bits));
        self.add("from", from);
        self.words.extend(selectors);
        if let Some(mark) = rule.mark {
            let mask = rule.mask.filter(|&mask| mask != u32::MAX);
            let mask = mask.map_or_else(String::new, |mask| format!("/{mask:#x}"));
            self.add("fwmark", format_args!("{mark:#x}{mask}"));
        }
        if byte(header, 3) != 0 {
            self.add("tos", format_args!("{:#x}", byte(header, 3)));
        }
        self.words += &rule.action();
    }
}

/// What a rule has beside selectors.
#[derive(Default)]
struct Rule {
    source: Option<(IpAddr, u8)>,
    priority: Option<u32>,
    mark: Option<u32>,
    mask: Option<u32>,
    table: u32,
    action: u8,
    goto: Option<u32>,
    by_vrf: bool,
    suppress_bits: Option<u32>,
}

impl Rule {
    /// Takes an attribute; `false` where it is another, or protocol's.
    fn take(&mut self, kind: u16, value: &[u8], source_bits: u8) -> bool {
        match kind {
            2 => self.source = address(value).map(|source| (source, source_bits)),
            4 => self.goto = number(value),
            6 => self.priority = number(value),
            10 => self.mark = number(value),
            14 => self.suppress_bits = number(value).filter(|&bits| bits != u32::MAX),
            15 => self.table = number(value).unwrap_or(self.table),
            16 => self.mask = number(value),
            19 => self.by_vrf = value.first().is_some_and(|&it| it != 0),
            // `FRA_PROTOCOL`: who made it.
            21 => {}
            _ => return false,
        }
        true
    }

    /// What it says to do (`FR_ACT_*`).
    fn action(&self) -> String {
        let mut words = match self.action {
            1 if self.by_vrf => " lookup [l3mdev-table]".to_owned(),
            1 if self.table == MAIN => " lookup main".to_owned(),
            1 if self.table == LOCAL => " lookup local".to_owned(),
            1 => format!(" lookup {}", self.table),
            2 => match self.goto {
                Some(goto) => format!(" goto {goto}"),
                None => " goto".to_owned(),
            },
            3 => " nop".to_owned(),
            6 => " blackhole".to_owned(),
            7 => " unreachable".to_owned(),
            8 => " prohibit".to_owned(),
            _ if self.table != 0 => format!(" lookup {}", self.table),
            _ => String::new(),
        };
        if let Some(bits) = self.suppress_bits {
            let _ = write!(words, " suppress_prefixlength {bits}");
        }
        words
    }
}

/// A name that some program sent, as one word.
fn name(value: &[u8]) -> Cow<'static, str> {
    let name = text(value);
    Cow::Owned(quoted(&name).into_owned())
}

/// `struct fib_rule_uid_range`
fn uids(value: &[u8]) -> Option<String> {
    let (start, end) = (number(value)?, number(value.get(4..)?)?);
    Some(format!("{start}-{end}"))
}

/// `struct fib_rule_port_range`
fn ports(value: &[u8]) -> Option<String> {
    let &[low, high, end_low, end_high] = value.get(..4)? else {
        return None;
    };
    let (start, end) = (
        u16::from_le_bytes([low, high]),
        u16::from_le_bytes([end_low, end_high]),
    );
    Some(if start == end {
        start.to_string()
    } else {
        format!("{start}-{end}")
    })
}
