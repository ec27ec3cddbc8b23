//! Recordings → the corpus that fuzzing starts with.
//!
//! `seeds DIRECTORY FILE...` puts each recording into `DIRECTORY/recording`, the
//! content of its frames into `DIRECTORY/entries`, and each of its kernel records
//! into `DIRECTORY/decode`.

use std::{env, error::Error, fs, path::PathBuf};

use v6trace::{record::Record, recording::Item, recording::Reader};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args_os().skip(1).map(PathBuf::from);
    let directory = arguments.next().ok_or("seeds DIRECTORY FILE...")?;
    let names = ["recording", "entries", "decode"];
    let [recordings, entries, records] = names.map(|name| directory.join(name));
    for directory in [&recordings, &entries, &records] {
        fs::create_dir_all(directory)?;
    }
    let mut count = 0;
    for (index, path) in arguments.enumerate() {
        let content = fs::read(path)?;
        fs::write(recordings.join(format!("golden-{index}")), &content)?;
        for (number, frame) in contents(&content)?.into_iter().enumerate() {
            fs::write(entries.join(format!("golden-{index}-{number}")), frame)?;
        }
        let mut reader = Reader::new(content.as_slice())?;
        while let Some(item) = reader.next_item()? {
            if let Item::Record(Record::Kernel(record)) = item {
                fs::write(records.join(format!("golden-{count}")), &record.bytes)?;
                count += 1;
            }
        }
    }
    Ok(())
}

/// The content of each frame of an undamaged recording.
fn contents(mut recording: &[u8]) -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
    let mut contents = Vec::new();
    while let Some((header, rest)) = recording.split_first_chunk::<32>() {
        let [content_len, stored_len] = [16, 20].map(|at| {
            let length = header[at..].first_chunk().copied().unwrap_or_default();
            u32::from_le_bytes(length) as usize
        });
        let (stored, rest) = rest.split_at_checked(stored_len).ok_or("a cut recording")?;
        contents.push(lz4_flex::block::decompress(stored, content_len)?);
        recording = rest;
    }
    Ok(contents)
}
