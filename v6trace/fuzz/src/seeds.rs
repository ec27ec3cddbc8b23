//! Recordings → the corpus that fuzzing starts with.
//!
//! `seeds DIRECTORY FILE...` puts each recording into `DIRECTORY/recording` and
//! each of its kernel records into `DIRECTORY/decode`.

use std::{env, error::Error, fs, path::PathBuf};

use v6trace::{
    record::Record,
    recording::{Item, Reader},
};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args_os().skip(1).map(PathBuf::from);
    let directory = arguments.next().ok_or("seeds DIRECTORY FILE...")?;
    let [recordings, records] = ["recording", "decode"].map(|name| directory.join(name));
    fs::create_dir_all(&recordings)?;
    fs::create_dir_all(&records)?;
    let mut count = 0;
    for (index, path) in arguments.enumerate() {
        let content = fs::read(path)?;
        fs::write(recordings.join(format!("golden-{index}")), &content)?;
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
