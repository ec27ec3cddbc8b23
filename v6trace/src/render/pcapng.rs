//! The frames of neighbour discovery that a session holds, for Wireshark and
//! its like: what v6trace says of a frame is its comment.
//!
//! ```text
//! session   -> section: kernel, host, version
//! event     -> interface if it is a new one; packet, held back until it is
//!              known whether a diagnosis follows
//! diagnosis -> comments of that packet
//! ```
//!
//! Wireshark shows comments where one looks: above the frame's layers, and among its expert
//! information; so it takes no dissector of ours. It cuts each off behind 240 bytes, and
//! shows any number of them: what is longer is several.

use std::{
    borrow::Cow,
    collections::HashMap,
    io::{self, Write},
    time::Duration,
};

use pcap_file::{
    DataLink, Endianness, PcapError,
    pcapng::{
        PcapNgBlock as _, PcapNgWriter,
        blocks::{
            enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption},
            interface_description::{InterfaceDescriptionBlock, InterfaceDescriptionOption},
            section_header::{SectionHeaderBlock, SectionHeaderOption},
        },
    },
};

use super::{Render, values::push_value};
use crate::{
    event::Event,
    explain::{Diagnosis, Value},
    fold::Position,
    frame::Frame,
    record::Lost,
    recording::Missing,
    report::Totals,
    session::Session,
};

/// Exponent of the unit of times: nanoseconds.
const RESOLUTION: u8 = 9;
/// The longest text, in bytes: an option's length has 16 bits.
const MAX_TEXT: usize = 60_000;
/// Columns of a comment: where Wireshark shows it, its own words come first.
const COMMENT: usize = 200;
/// Interfaces of a section: more than a host has, and few enough for a hostile
/// recording.
const MAX_INTERFACES: usize = 1 << 14;

/// Writes pcapng, and to a person what is missing.
pub struct Pcapng<O: Write, E> {
    out: Out<O>,
    err: E,
    /// Interfaces of this section, with their numbers.
    interfaces: HashMap<Interface, u32>,
    held: Option<EnhancedPacketBlock<'static>>,
    /// Packets of this section.
    packets: u64,
}

/// A section has to be open before anything else is written.
enum Out<O: Write> {
    Closed(Option<O>),
    Open(PcapNgWriter<O>),
}

/// An interface of one kind of frames: a name can have both in its life.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Interface {
    netns: u32,
    ifindex: u32,
    name: String,
    ethernet: bool,
}

impl<O: Write, E: Write> Pcapng<O, E> {
    /// Writes to `out`.
    pub fn new(out: O, err: E) -> Self {
        Self {
            out: Out::Closed(Some(out)),
            err,
            interfaces: HashMap::new(),
            held: None,
            packets: 0,
        }
    }

    fn writer(&mut self) -> io::Result<&mut PcapNgWriter<O>> {
        match &mut self.out {
            Out::Open(writer) => Ok(writer),
            Out::Closed(_) => Err(io::Error::other("no session has begun")),
        }
    }

    fn release(&mut self) -> io::Result<()> {
        if let Some(packet) = self.held.take() {
            self.writer()?
                .write_block(&packet.into_block())
                .map_err(error)?;
            self.packets += 1;
        }
        Ok(())
    }

    /// The number of an interface, which is described when it is first met.
    fn interface(&mut self, session: &Session, interface: Interface) -> io::Result<u32> {
        if let Some(&number) = self.interfaces.get(&interface) {
            return Ok(number);
        }
        if self.interfaces.len() >= MAX_INTERFACES {
            return Err(io::Error::other(format!(
                "there are more than {MAX_INTERFACES} interfaces in this session; -i picks one"
            )));
        }
        let mut description = format!("ifindex {}", interface.ifindex);
        if !session.is_own_namespace(interface.netns) {
            let name = session.namespace_name(interface.netns);
            let name = name.map_or_else(|| interface.netns.to_string(), ToOwned::to_owned);
            description = format!("{description}, netns {name}");
        }
        let block = InterfaceDescriptionBlock {
            linktype: if interface.ethernet {
                DataLink::ETHERNET
            } else {
                DataLink::RAW
            },
            snaplen: 0,
            options: vec![
                InterfaceDescriptionOption::IfName(bounded(interface.name.clone())),
                InterfaceDescriptionOption::IfDescription(bounded(description)),
                InterfaceDescriptionOption::IfTsResol(RESOLUTION),
            ],
        };
        self.writer()?
            .write_block(&block.into_block())
            .map_err(error)?;
        let number = u32::try_from(self.interfaces.len()).map_err(io::Error::other)?;
        self.interfaces.insert(interface, number);
        Ok(number)
    }

    /// What has to be said about the packets; nobody may be listening.
    fn say(&mut self, what: std::fmt::Arguments<'_>) {
        let _ = writeln!(self.err, "v6trace: {what}");
    }
}

impl<O: Write, E: Write> Render for Pcapng<O, E> {
    fn session(&mut self, session: &Session) -> io::Result<()> {
        let info = session.info();
        let header = SectionHeaderBlock {
            endianness: Endianness::Little,
            options: vec![
                SectionHeaderOption::Hardware(bounded(info.machine.clone())),
                SectionHeaderOption::OS(bounded(format!("Linux {}", info.kernel))),
                SectionHeaderOption::UserApplication(bounded(format!("v6trace {}", info.version))),
                SectionHeaderOption::Comment(bounded(format!("traced on {}", info.hostname))),
            ],
            ..SectionHeaderBlock::default()
        };
        self.interfaces.clear();
        self.packets = 0;
        match &mut self.out {
            Out::Open(writer) => {
                writer.write_block(&header.into_block()).map_err(error)?;
            }
            Out::Closed(out) => {
                if let Some(out) = out.take() {
                    let writer = PcapNgWriter::with_section_header(out, header);
                    self.out = Out::Open(writer.map_err(error)?);
                }
            }
        }
        Ok(())
    }

    fn diagnosis(
        &mut self,
        _session: &Session,
        diagnosis: &Diagnosis,
        _position: Option<Position>,
    ) -> io::Result<()> {
        if let Some(packet) = &mut self.held {
            let comments = comments(diagnosis).into_iter().map(bounded);
            packet
                .options
                .extend(comments.map(EnhancedPacketOption::Comment));
        }
        Ok(())
    }

    fn event(&mut self, session: &Session, event: &Event) -> io::Result<()> {
        self.release()?;
        let occurrence = event.occurrence();
        let Some(frame) = occurrence.frame() else {
            return Ok(());
        };
        let Some((data, length)) = packet(frame) else {
            return Ok(());
        };
        let interface = Interface {
            netns: event.netns,
            ifindex: occurrence.ifindex().unwrap_or_default(),
            name: occurrence.interface().unwrap_or_default().to_owned(),
            ethernet: frame.is_ethernet(),
        };
        let interface_id = self.interface(session, interface)?;
        let wall = u64::try_from(session.wall_ns(event.boot_ns)).unwrap_or(0);
        self.held = Some(EnhancedPacketBlock {
            interface_id,
            timestamp: Duration::from_nanos(wall),
            original_len: u32::try_from(length).unwrap_or(u32::MAX),
            data: data.to_vec().into(),
            options: Vec::new(),
        });
        Ok(())
    }

    fn lost(&mut self, _session: &Session, _lost: &Lost) -> io::Result<()> {
        // The summary has the sum.
        Ok(())
    }

    fn missing(&mut self, file: &str, missing: &Missing) -> io::Result<()> {
        self.say(format_args!("{file}: {missing}"));
        Ok(())
    }

    fn summary(&mut self, _session: &Session, totals: &Totals, _boot_ns: u64) -> io::Result<()> {
        self.release()?;
        if self.packets == 0 {
            self.say(format_args!(
                "no frames of neighbour discovery were captured in this session"
            ));
        }
        if totals.lost > 0 {
            self.say(format_args!("{} events lost", totals.lost));
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.out {
            Out::Open(writer) => writer.get_mut().flush(),
            Out::Closed(_) => Ok(()),
        }
    }
}

/// What was copied of a frame from its link layer on, if that is Ethernet, else
/// from its IPv6 header on; and how long that part was. `None` where nothing of
/// it was copied.
fn packet(frame: &Frame) -> Option<(&[u8], usize)> {
    let from = if frame.is_ethernet() {
        0
    } else {
        frame.network()
    };
    let data = frame.bytes().get(from..)?;
    let length = frame.length().saturating_sub(from).max(data.len());
    (!data.is_empty()).then_some((data, length))
}

/// `FAILURE dad-loopback: …`, the evidence and what to do, in pieces that can be seen whole.
fn comments(diagnosis: &Diagnosis) -> Vec<String> {
    let (severity, code) = (diagnosis.severity.label(), diagnosis.cause.code());
    let mut evidence = "evidence: ".to_owned();
    let known = diagnosis.evidence.iter();
    let known = known.filter(|evidence| evidence.value != Value::Unknown);
    for (index, known) in known.enumerate() {
        evidence.push_str(if index > 0 { ", " } else { "" });
        evidence.push_str(known.name);
        evidence.push(' ');
        push_value(&mut evidence, &known.value, ' ');
    }
    let fixes = diagnosis.fix.iter().map(|fix| match fix.remark {
        Some(remark) => format!("fix: {}  # {remark}", fix.action),
        None => format!("fix: {}", fix.action),
    });
    let mut texts = vec![
        format!("{severity} {code}: {}", diagnosis.summary),
        evidence,
    ];
    texts.extend(fixes);
    texts.push(format!("more: v6trace explain {code}"));
    let options =
        textwrap::Options::new(COMMENT).word_splitter(textwrap::WordSplitter::NoHyphenation);
    let pieces = texts.iter().flat_map(|text| textwrap::wrap(text, &options));
    pieces.map(Cow::into_owned).collect()
}

/// Text that fits into an option.
fn bounded(mut text: String) -> Cow<'static, str> {
    text.truncate(text.floor_char_boundary(MAX_TEXT));
    text.into()
}

fn error(error: PcapError) -> io::Error {
    match error {
        PcapError::IoError(error) => error,
        other => io::Error::other(other),
    }
}
