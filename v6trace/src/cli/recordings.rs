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
    event,
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
    /// The number of the frame that the next piece should begin with.
    expected: Option<u32>,
}

/// One file that was read.
#[derive(Debug)]
pub(super) struct Part {
    /// What it is called.
    pub(super) name: String,
    path: PathBuf,
    /// The recordings in it, in their order.
    pub(super) pieces: Vec<Piece>,
    /// What was read.
    pub(super) stats: Stats,
    /// Why no more was read.
    pub(super) error: Option<String>,
}

/// A recording, or a piece of one, within a file.
#[derive(Debug)]
pub(super) struct Piece {
    /// The recording's name.
    pub(super) recording: String,
    /// Which piece it is.
    pub(super) number: u32,
    /// Where in the file it begins.
    pub(super) from: u64,
}

/// Recordings in one file whose places are told apart; the rest counts as the
/// last.
const MAX_PIECES: usize = 64;

impl<'a> Recordings<'a> {
    /// The files, of which none grows.
    pub(super) fn new(files: &'a [PathBuf]) -> Self {
        Self {
            files,
            follow: None,
            expected: None,
        }
    }

    /// Waits for more of the last file, and for pieces that follow it, until
    /// the recording ends or the user ends it.
    pub(super) fn follow(mut self) -> io::Result<Self> {
        self.follow = Some(Following::begin()?);
        Ok(self)
    }

    /// Feeds what they hold, and hands every opening of another recording to
    /// `opened` first. Gives what was read so far even where reading fails. What has to
    /// be open but for these files is so already.
    pub(super) fn feed<R: Render>(
        mut self,
        feed: &mut Replay<R>,
        mut opened: impl FnMut(&Opening) -> io::Result<()>,
    ) -> (Vec<Part>, anyhow::Result<()>) {
        #[cfg(target_os = "linux")]
        crate::confine::to_reading(&self.readable());
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
        while let Some(next) = self.next_piece(feed, parts) {
            self.file(&next, true, feed, opened, parts)?;
        }
        Ok(())
    }

    /// What is to be read, or where it will be.
    #[cfg(target_os = "linux")]
    fn readable(&self) -> Vec<PathBuf> {
        let named = self.files.iter().filter(|path| !is_stdin(path)).cloned();
        let followed = self
            .files
            .last()
            .filter(|path| !is_stdin(path) && self.follow.is_some());
        named
            .chain(followed.map(|path| crate::confine::directory_of(path)))
            .collect()
    }

    /// The piece that follows the last file, once it is there.
    fn next_piece<R: Render>(&self, feed: &Replay<R>, parts: &[Part]) -> Option<PathBuf> {
        let follow = self.follow.as_ref()?;
        let last = parts.last().filter(|last| !is_stdin(&last.path))?;
        let number = last.pieces.last()?.number;
        if !feed.is_continued() || feed.has_enough() {
            return None;
        }
        let next = piece_path(&first_piece(&last.path, number), number + 1);
        follow.wait_for(&next).then_some(next)
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
        let reader = Reader::new(open(path)?).with_context(|| name.clone())?;
        let mut reader = reader.continuing(self.expected);
        feed.begin_file(&name);
        let mut pieces: Vec<Piece> = Vec::new();
        let follow = self.follow.as_ref().filter(|_| grows);
        let read = (|| {
            loop {
                while let Some(item) = reader.next_item().with_context(|| name.clone())? {
                    if let Item::Opening(opening) = &item {
                        let known = pieces
                            .last()
                            .is_some_and(|piece| piece.recording == opening.recording);
                        if !known && pieces.len() < MAX_PIECES {
                            pieces.push(Piece {
                                recording: opening.recording.clone(),
                                number: opening.piece,
                                from: reader.frame_at(),
                            });
                        }
                        if !feed.is_open(opening) {
                            opened(opening)?;
                        }
                    }
                    feed.take(item)?;
                }
                feed.flush()?;
                // A piece is there before anything is in it.
                let continued = feed.is_continued() && reader.stats().frames > 0;
                let more = !feed.has_ended() && !continued && !feed.has_enough();
                if !follow.is_some_and(|follow| more && follow.pause()) {
                    break;
                }
            }
            if follow.is_some() && feed.is_continued() && reader.stats().bytes == 0 {
                // The user did not want to wait for it any more.
                return Ok(());
            }
            while let Some(item) = reader.finish().with_context(|| name.clone())? {
                feed.take(item)?;
            }
            anyhow::Ok(())
        })();
        let error = read.as_ref().err();
        parts.push(Part {
            pieces,
            stats: reader.stats(),
            error: error.map(|error| error.root_cause().to_string()),
            path: path.to_owned(),
            name,
        });
        self.expected = reader.expected();
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
    event::text(path.as_os_str().as_encoded_bytes())
}

/// The name of the first piece of the recording of which `path` is a piece.
fn first_piece(path: &Path, number: u32) -> PathBuf {
    let name = path.to_string_lossy();
    match name.strip_suffix(&format!(".{number}")) {
        Some(first) if number > 0 => first.into(),
        _ => path.to_owned(),
    }
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
