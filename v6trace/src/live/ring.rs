//! One CPU's perf buffer: what the kernel side of that CPU writes, and userspace
//! reads where it lies.
//!
//! ```text
//! kernel side --writes--> | data ... | --reads--> Entry: a record, or a loss
//!                         tail    head
//! ```
//!
//! The kernel moves the head once a record is whole, the reader the tail once it
//! has taken what is before it. What does not fit in between is refused, and
//! reported where there is room again.
//!
//! The kernel wakes the reader each time that another quarter has been filled.
//! For each record, as aya's buffers have it, that would be an interrupt at
//! whoever is traced, and for the reader far more than the record itself.

use std::{
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd as _, OwnedFd, RawFd},
    slice,
    sync::atomic::{AtomicU64, Ordering},
};

use aya_obj::generated::{
    PERF_FLAG_FD_CLOEXEC, perf_event_attr, perf_event_mmap_page,
    perf_event_sample_format::PERF_SAMPLE_RAW,
    perf_event_type::{PERF_RECORD_LOST, PERF_RECORD_SAMPLE},
    perf_sw_ids::PERF_COUNT_SW_BPF_OUTPUT,
    perf_type_id::PERF_TYPE_SOFTWARE,
};

use super::mapping::Mapping;

/// The part of a buffer after which the reader is woken: it then has three times
/// as long as that took before anything is refused.
const QUARTER: usize = 4;

/// A buffer.
pub(super) struct Ring {
    event: OwnedFd,
    memory: Memory,
    /// Bytes of data: a power of two of pages.
    size: usize,
}

/// What is read from a buffer. Bytes that go around its end come in two parts.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry<'r> {
    /// A record of the kernel side, and a few bytes of padding.
    Record(&'r [u8], &'r [u8]),
    /// So many records did not fit.
    Lost(u64),
}

impl Ring {
    /// Opens the buffer of a CPU, of `size` bytes: a power of two of pages.
    pub(super) fn open(cpu: u32, size: usize) -> io::Result<Self> {
        let event = open_event(cpu, size / QUARTER)?;
        let memory = Memory::map(&event, size)?;
        Ok(Self {
            event,
            memory,
            size,
        })
    }

    /// Hands over what is there. Whether anything was.
    pub(super) fn drain(&mut self, mut take: impl FnMut(Entry<'_>)) -> bool {
        // Pairs with the kernel's barrier ahead of moving the head: all that is
        // before it has been written.
        let head = self.memory.head().load(Ordering::Acquire);
        let tail = self.memory.tail().load(Ordering::Relaxed);
        if head == tail {
            return false;
        }
        let mut unread = self.unread(tail, head);
        while let Some(entry) = unread.next() {
            take(entry);
        }
        // Pairs with the kernel's barrier behind looking at the tail: all of this
        // has been read when it writes there again.
        self.memory.tail().store(head, Ordering::Release);
        true
    }

    /// The data between two positions. These count on where the data begins anew.
    fn unread(&self, tail: u64, head: u64) -> Unread<'_> {
        let from = index(tail, self.size);
        let len = index(head.wrapping_sub(tail), self.size * 2).min(self.size);
        let first = len.min(self.size - from);
        Unread {
            // SAFETY: the kernel has written these bytes and leaves them alone
            // until the tail is moved, for which `drain` has no more use of them.
            first: unsafe { self.memory.data(from, first) },
            // SAFETY: as above.
            second: unsafe { self.memory.data(0, len - first) },
        }
    }
}

/// A position within so many bytes, a power of two.
fn index(position: u64, size: usize) -> usize {
    usize::try_from(position & (size as u64 - 1)).unwrap_or_default()
}

impl AsFd for Ring {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.event.as_fd()
    }
}

impl AsRawFd for Ring {
    fn as_raw_fd(&self) -> RawFd {
        self.event.as_raw_fd()
    }
}

/// Opens the event that a program's output on this CPU goes to.
fn open_event(cpu: u32, watermark: usize) -> io::Result<OwnedFd> {
    // SAFETY: a struct of integers, of which all zeros are a value.
    let mut attr: perf_event_attr = unsafe { std::mem::zeroed() };
    attr.type_ = PERF_TYPE_SOFTWARE as u32;
    attr.size = u32::try_from(size_of_val(&attr)).map_err(io::Error::other)?;
    attr.config = PERF_COUNT_SW_BPF_OUTPUT as u64;
    attr.sample_type = PERF_SAMPLE_RAW as u64;
    attr.__bindgen_anon_1.sample_period = 1;
    attr.set_watermark(1);
    attr.__bindgen_anon_2.wakeup_watermark = u32::try_from(watermark).unwrap_or(u32::MAX);
    let cpu = libc::c_int::try_from(cpu).map_err(io::Error::other)?;
    let (everybody, no_group): (libc::pid_t, libc::c_int) = (-1, -1);
    // SAFETY: the call reads `attr`, which says how long it is.
    let event = unsafe {
        libc::syscall(
            libc::SYS_perf_event_open,
            &raw const attr,
            everybody,
            cpu,
            no_group,
            libc::c_ulong::from(PERF_FLAG_FD_CLOEXEC),
        )
    };
    let event = RawFd::try_from(event).map_err(io::Error::other)?;
    if event < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a descriptor that the kernel has just made, and nobody else has.
    Ok(unsafe { OwnedFd::from_raw_fd(event) })
}

/// An event's memory: a page that says how far both sides are, then the data.
struct Memory {
    mapping: Mapping,
    page: usize,
}

impl Memory {
    fn map(event: &OwnedFd, data: usize) -> io::Result<Self> {
        let page = rustix::param::page_size();
        // Writable, or the kernel would not heed the tail.
        let mapping = Mapping::of(event, page + data)?;
        Ok(Self { mapping, page })
    }

    /// How far the kernel is.
    fn head(&self) -> &AtomicU64 {
        let page = self.mapping.start().cast::<perf_event_mmap_page>().as_ptr();
        // SAFETY: within the first page, which is there as long as `self`.
        let head = unsafe { &raw mut (*page).data_head };
        // SAFETY: aligned, as the page is; both sides access it as a whole.
        unsafe { AtomicU64::from_ptr(head) }
    }

    /// How far the reader is.
    fn tail(&self) -> &AtomicU64 {
        let page = self.mapping.start().cast::<perf_event_mmap_page>().as_ptr();
        // SAFETY: within the first page, which is there as long as `self`.
        let tail = unsafe { &raw mut (*page).data_tail };
        // SAFETY: aligned, as the page is; both sides access it as a whole.
        unsafe { AtomicU64::from_ptr(tail) }
    }

    /// Some of the data.
    ///
    /// # Safety
    /// It is within the data, and the kernel does not write there meanwhile.
    unsafe fn data(&self, from: usize, len: usize) -> &[u8] {
        debug_assert!(self.page + from + len <= self.mapping.len());
        // SAFETY: within the mapping, as the caller sees to.
        let start = unsafe { self.mapping.start().add(self.page + from) };
        // SAFETY: as above; mapped memory is initialised.
        unsafe { slice::from_raw_parts(start.as_ptr(), len) }
    }
}

/// What has not been read yet.
struct Unread<'r> {
    first: &'r [u8],
    /// What follows where the data begins anew.
    second: &'r [u8],
}

impl<'r> Unread<'r> {
    /// The next entry. Others than those two are passed over; the kernel writes
    /// none.
    fn next(&mut self) -> Option<Entry<'r>> {
        loop {
            // All begin at a multiple of eight bytes, so no header is in two parts.
            let header: [u8; 8] = *self.ahead().first_chunk()?;
            let [t0, t1, t2, t3, _, _, s0, s1] = header;
            let kind = u32::from_le_bytes([t0, t1, t2, t3]);
            let size = usize::from(u16::from_le_bytes([s0, s1]));
            let body = size.checked_sub(size_of_val(&header))?;
            self.split(size_of_val(&header));
            let mut body = self.split(body);
            if kind == PERF_RECORD_SAMPLE as u32 {
                let len: [u8; 4] = *body.ahead().first_chunk()?;
                body.split(size_of_val(&len));
                let record = body.split(u32::from_le_bytes(len) as usize);
                return Some(Entry::Record(record.first, record.second));
            }
            if kind == PERF_RECORD_LOST as u32 {
                // Behind the event's number.
                body.split(size_of::<u64>());
                let lost = *body.ahead().first_chunk()?;
                return Some(Entry::Lost(u64::from_le_bytes(lost)));
            }
        }
    }

    /// What comes next, as far as it is in one piece.
    fn ahead(&mut self) -> &'r [u8] {
        if self.first.is_empty() {
            self.first = std::mem::take(&mut self.second);
        }
        self.first
    }

    /// Takes so many bytes from the front, or all there are.
    fn split(&mut self, len: usize) -> Self {
        let (first, rest) = self.ahead().split_at(len.min(self.first.len()));
        self.first = rest;
        let len = (len - first.len()).min(self.second.len());
        let (second, rest) = self.second.split_at(len);
        self.second = rest;
        Self { first, second }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An entry as the kernel writes it.
    fn written(kind: u32, body: &[u8]) -> Vec<u8> {
        let size = (8 + body.len()).next_multiple_of(8);
        let mut entry = Vec::new();
        entry.extend(kind.to_le_bytes());
        entry.extend([0; 2]);
        entry.extend(u16::try_from(size).unwrap().to_le_bytes());
        entry.extend(body);
        entry.resize(size, 0);
        entry
    }

    fn sample(record: &[u8]) -> Vec<u8> {
        let len = u32::try_from(record.len()).unwrap().to_le_bytes();
        written(PERF_RECORD_SAMPLE as u32, &[&len, record].concat())
    }

    fn lost(count: u64) -> Vec<u8> {
        let id = 7_u64.to_le_bytes();
        let body = [id, count.to_le_bytes()].concat();
        written(PERF_RECORD_LOST as u32, &body)
    }

    /// Records joined, and losses as numbers.
    fn read(first: &[u8], second: &[u8]) -> Vec<Result<Vec<u8>, u64>> {
        let mut unread = Unread { first, second };
        let mut entries = Vec::new();
        while let Some(entry) = unread.next() {
            entries.push(match entry {
                Entry::Record(head, tail) => Ok([head, tail].concat()),
                Entry::Lost(count) => Err(count),
            });
        }
        entries
    }

    #[test]
    fn entries_are_read_wherever_the_data_begins_anew() {
        let records = [&b"a record"[..], b"another, longer one", b""];
        let mut data = Vec::new();
        data.extend(sample(records[0]));
        data.extend(lost(5));
        data.extend(sample(records[1]));
        // Of a kind that nobody asked for.
        data.extend(written(3, b"comm"));
        data.extend(sample(records[2]));
        let whole = read(&data, &[]);
        let [first, second, third] = records.map(|record| Ok(record.to_vec()));
        assert_eq!(whole, [first, Err(5), second, third]);
        for end in (0..=data.len()).step_by(8) {
            let (first, second) = data.split_at(end);
            assert_eq!(read(first, second), whole, "anew after {end}");
        }
    }

    #[test]
    fn positions_count_on() {
        let size = 4096;
        assert_eq!(index(4096 * 3 + 8, size), 8);
        assert_eq!(index(u64::MAX, size), 4095);
    }

    proptest! {
        #[test]
        fn any_bytes_end(data in prop::collection::vec(any::<u8>(), 0..300), end in 0_usize..300) {
            let (first, second) = data.split_at(end.min(data.len()));
            read(first, second);
        }
    }
}
