//! Going through the lines of a symbol table and keeping what is wanted of them.

use std::{
    io::{self, BufRead},
    ops::ControlFlow,
};

/// Longer than any line: a symbol's name has up to 511 bytes, a module's up to 55.
const MAX_LINE: usize = 1024;

/// The symbol behind the kernel's own code: its variables follow, then modules.
const END_OF_CODE: &str = "_etext";

/// Suffixed forms of one function that are kept for the message.
pub(super) const MAX_SUFFIXED: usize = 16;

#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) name: String,
    pub(super) functions: Occurrences,
    pub(super) variables: Occurrences,
    pub(super) suffixed: Vec<String>,
    groups: Vec<usize>,
}

#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Occurrences {
    pub(super) count: u32,
    /// Of the first.
    pub(super) address: u64,
}

impl Occurrences {
    fn add(&mut self, address: u64) {
        if self.count == 0 {
            self.address = address;
        }
        self.count = self.count.saturating_add(1);
    }
}

pub(super) enum Stopped {
    Read(io::Error),
    Format { line: u64 },
}

/// Gives each line without its newline until one breaks it off; returns their
/// number. The callback's None stops at a line that is not of the format.
pub(super) fn for_each_line(
    mut reader: impl BufRead,
    mut line: impl FnMut(&[u8]) -> Option<ControlFlow<()>>,
) -> Result<u64, Stopped> {
    // What the buffer had of a line whose end is not in it.
    let mut begun = Vec::new();
    let mut count = 0;
    loop {
        let buffer = match reader.fill_buf() {
            Ok(buffer) => buffer,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Stopped::Read(error)),
        };
        let at_end = buffer.is_empty();
        let mut rest = buffer;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (whole, after) = rest.split_at(end);
            count += 1;
            let taken = if begun.is_empty() {
                take(whole, &mut line)
            } else {
                begun.extend_from_slice(whole);
                let taken = take(&begun, &mut line);
                begun.clear();
                taken
            };
            if taken.ok_or(Stopped::Format { line: count })?.is_break() {
                return Ok(count);
            }
            rest = &after[1..];
        }
        begun.extend_from_slice(rest);
        let length = buffer.len();
        reader.consume(length);
        // The limit keeps a file without newlines from filling the memory.
        if begun.len() >= MAX_LINE || at_end && !begun.is_empty() {
            count += 1;
            let _ = take(&begun, &mut line).ok_or(Stopped::Format { line: count })?;
        }
        if at_end {
            return Ok(count);
        }
    }
}

fn take(
    whole: &[u8],
    line: &mut impl FnMut(&[u8]) -> Option<ControlFlow<()>>,
) -> Option<ControlFlow<()>> {
    if whole.len() >= MAX_LINE {
        return None;
    }
    line(whole)
}

/// The table while it is read.
pub(super) struct Table {
    pub(super) wanted: Vec<Wanted>,
    /// For each group whether one of its names was seen.
    seen: Vec<bool>,
    code_ended: bool,
    /// Modules have no order, so all of them are read where one matters.
    in_module: bool,
    /// For a first byte, the second bytes of the wanted names that begin with
    /// it (their lower six bits): turns most symbols away at once.
    seconds: [u64; 256],
    /// For a first byte, the lengths of the wanted names that begin with it
    /// (bit 63: 63 or more): turns nearly all others away without a search.
    lengths: [u64; 256],
    pub(super) address_seen: bool,
}

impl Table {
    pub(super) fn new(groups: &[Vec<&str>]) -> Self {
        let mut names: Vec<&str> = groups.iter().flatten().copied().collect();
        names.push(END_OF_CODE);
        names.sort_unstable();
        names.dedup();
        let mut seconds = [0; 256];
        let mut lengths = [0; 256];
        for name in &names {
            if let Some(first) = name.bytes().next() {
                lengths[usize::from(first)] |= length_bit(name.len());
                // A name of one byte has a blank or a dot behind it.
                let second = name.as_bytes().get(1).copied();
                seconds[usize::from(first)] |= second.map_or(u64::MAX, low_bit);
            }
        }
        let wanted = names.iter().map(|name| Wanted {
            name: (*name).to_owned(),
            groups: (0..groups.len())
                .filter(|group| groups[*group].contains(name))
                .collect(),
            ..Wanted::default()
        });
        Self {
            wanted: wanted.collect(),
            seen: vec![false; groups.len()],
            code_ended: false,
            in_module: false,
            seconds,
            lengths,
            address_seen: false,
        }
    }

    /// Takes in one line, such as `ffffffff81000000 T _text` or
    /// `ffffffffc0000000 t init_once\t[ext4]`; breaks off where those to come
    /// have nothing more. None if it is no such line.
    pub(super) fn take(&mut self, line: &[u8]) -> Option<ControlFlow<()>> {
        const MORE: ControlFlow<()> = ControlFlow::Continue(());
        // As the kernel has them: sixteen digits, a letter, and the name.
        if self.address_seen
            && let Some([.., b' ', _, b' ', first, second]) = line.first_chunk::<21>()
            && self.seconds[usize::from(*first)] & low_bit(*second) == 0
        {
            return line[0].is_ascii_hexdigit().then_some(MORE);
        }
        let space = line.iter().take(17).position(|byte| *byte == b' ')?;
        let (address, rest) = line.split_at_checked(space)?;
        let [b' ', kind, b' ', rest @ ..] = rest else {
            return None;
        };
        // Until an address other than 0 shows up; afterwards only where it is needed.
        if !self.address_seen {
            self.address_seen = parse_address(address)? != 0;
        }
        let end = rest.iter().position(|byte| *byte == b'\t' || *byte == b' ');
        let name = end.map_or(Some(rest), |end| rest.get(..end))?;
        let dot = name.iter().position(|byte| *byte == b'.');
        let stem = dot.map_or(Some(name), |dot| name.get(..dot))?;
        let first = *name.first()?;
        if self.lengths[usize::from(first)] & length_bit(stem.len()) == 0 {
            return Some(MORE);
        }
        let found = self
            .wanted
            .binary_search_by(|wanted| wanted.name.as_bytes().cmp(stem));
        let Some(wanted) = found.ok().and_then(|at| self.wanted.get_mut(at)) else {
            return Some(MORE);
        };
        let is_function = matches!(kind, b't' | b'T' | b'w' | b'W');
        match (dot, is_function) {
            (None, true) => wanted.functions.add(parse_address(address)?),
            (None, false) if is_variable(*kind) => wanted.variables.add(parse_address(address)?),
            (Some(_), true) if wanted.suffixed.len() < MAX_SUFFIXED => {
                wanted
                    .suffixed
                    .push(String::from_utf8_lossy(name).into_owned());
            }
            _ => {}
        }
        for group in &wanted.groups {
            self.seen[*group] = true;
        }
        self.code_ended |= wanted.name == END_OF_CODE;
        self.in_module |= end.is_some();
        if self.code_ended && !self.in_module && self.seen.iter().all(|seen| *seen) {
            return Some(ControlFlow::Break(()));
        }
        Some(MORE)
    }
}

fn low_bit(byte: u8) -> u64 {
    1 << (byte & 63)
}

fn length_bit(len: usize) -> u64 {
    1 << len.min(63)
}

/// Data, bss, read-only, absolute (per-CPU variables of older kernels), small
/// and weak objects.
fn is_variable(kind: u8) -> bool {
    matches!(
        kind.to_ascii_lowercase(),
        b'd' | b'b' | b'r' | b'a' | b'g' | b's' | b'v'
    )
}

fn parse_address(digits: &[u8]) -> Option<u64> {
    if !digits.first()?.is_ascii_hexdigit() {
        return None;
    }
    u64::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()
}
