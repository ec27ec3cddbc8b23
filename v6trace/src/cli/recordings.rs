//! Recordings named on the command line → what consumes their items.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::Context as _;
use signal_hook::{
    consts::{SIGINT, SIGTERM},
    flag,
};

use crate::{
    recording::{Item, Opening, Reader, Replay, Stats, piece_path},
    render::Render,
};

/// How often a file that is followed is looked at.
const POLL: Duration = Duration::from_millis(100);

type Input = Box<dyn Read>;

/// The files of one command line, in their order.
pub(super) struct Recordings<'a> {
    files: &'a [PathBuf],
    follow: Option<Following>,
    previous: Option<Reader<Input>>,
}

/// One file that was read.
#[derive(Debug)]
pub(super) struct Part {
    /// What it is called.
    pub(super) name: String,
    /// The first recording in it, and which piece of that it is.
    pub(super) piece: Option<(String, u32)>,
    /// What was read.
    pub(super) stats: Stats,
}

impl<'a> Recordings<'a> {
    /// The files, of which none grows.
    pub(super) fn new(files: &'a [PathBuf]) -> Self {
        Self {
            files,
            follow: None,
            previous: None,
        }
    }

    /// Waits for more of the last file, and for pieces that follow it, until
    /// the recording ends or the user ends it.
    pub(super) fn follow(mut self) -> io::Result<Self> {
        self.follow = Some(Following::begin()?);
        Ok(self)
    }

    /// Feeds what they hold, and hands every opening of another recording to
    /// `opened` first. Gives what was read so far even where reading fails.
    pub(super) fn feed<R: Render>(
        mut self,
        feed: &mut Replay<R>,
        mut opened: impl FnMut(&Opening) -> io::Result<()>,
    ) -> (Vec<Part>, anyhow::Result<()>) {
        let mut parts = Vec::new();
        let result = self.feed_all(feed, &mut opened, &mut parts);
        (parts, result)
    }

    fn feed_all<R: Render>(
        &mut self,
        feed: &mut Replay<R>,
        opened: &mut impl FnMut(&Opening) -> io::Result<()>,
        parts: &mut Vec<Part>,
    ) -> anyhow::Result<()> {
        for (index, path) in self.files.iter().enumerate() {
            let grows = index + 1 == self.files.len();
            self.file(path, grows, feed, opened, parts)?;
        }
        let Some(last) = self.files.last() else {
            return Ok(());
        };
        let mut piece = 0;
        while let Some(follow) = &self.follow
            && feed.is_continued()
        {
            piece += 1;
            let next = piece_path(last, piece);
            if !follow.wait_for(&next) {
                break;
            }
            self.file(&next, true, feed, opened, parts)?;
        }
        Ok(())
    }

    fn file<R: Render>(
        &mut self,
        path: &Path,
        grows: bool,
        feed: &mut Replay<R>,
        opened: &mut impl FnMut(&Opening) -> io::Result<()>,
        parts: &mut Vec<Part>,
    ) -> anyhow::Result<()> {
        let name = name(path);
        let mut reader = Reader::new(open(path)?).with_context(|| name.clone())?;
        if let Some(previous) = &self.previous {
            reader = reader.continuing(previous);
        }
        feed.begin_file(&name);
        let mut piece = None;
        let follow = self.follow.as_ref().filter(|_| grows);
        let read = (|| {
            loop {
                while let Some(item) = reader.next_item().with_context(|| name.clone())? {
                    if let Item::Opening(opening) = &item {
                        if piece.is_none() {
                            piece = Some((opening.recording.clone(), opening.piece));
                        }
                        if !feed.is_open(opening) {
                            opened(opening)?;
                        }
                    }
                    feed.take(item)?;
                }
                feed.flush()?;
                let more = !feed.has_ended() && !feed.is_continued();
                if !follow.is_some_and(|follow| more && follow.pause()) {
                    break;
                }
            }
            if let Some(item) = reader.finish().with_context(|| name.clone())? {
                feed.take(item)?;
            }
            Ok(())
        })();
        parts.push(Part {
            piece,
            stats: reader.stats(),
            name,
        });
        self.previous = Some(reader);
        read
    }
}

/// Opens a recording; `-` is standard input.
fn open(path: &Path) -> anyhow::Result<Input> {
    if is_stdin(path) {
        return Ok(Box::new(io::stdin().lock()));
    }
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    Ok(Box::new(file))
}

/// What a recording is called in messages.
fn name(path: &Path) -> String {
    if is_stdin(path) {
        return "standard input".to_owned();
    }
    path.display().to_string()
}

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Waiting for a file to grow.
struct Following {
    stop: Arc<AtomicBool>,
}

impl Following {
    /// From now on Ctrl-C ends the waiting; a second one ends the process.
    fn begin() -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            flag::register_conditional_default(signal, Arc::clone(&stop))?;
            flag::register(signal, Arc::clone(&stop))?;
        }
        Ok(Self { stop })
    }

    /// Waits a moment; `false` where nobody wants to any more.
    fn pause(&self) -> bool {
        thread::sleep(POLL);
        !self.stop.load(Ordering::Relaxed)
    }

    /// Waits until a file is there; `false` where nobody wants to any more.
    fn wait_for(&self, path: &Path) -> bool {
        while !path.exists() {
            if !self.pause() {
                return false;
            }
        }
        true
    }
}
