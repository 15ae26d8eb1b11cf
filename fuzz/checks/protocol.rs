//! What a captured worker could say to the supervisor, and the reverse: read without a panic and without a large
//! allocation (`-malloc_limit_mb`), and what can be read is written and read again as the same.

use pictor::engine::protocol::{FromWorker, LONGEST, ToWorker, body_length, frame, parse, read};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Bytes from a pipe.
pub fn check(data: &[u8]) {
    let Some((first, _)) = data.split_first_chunk::<4>() else { return };
    assert!(body_length(*first).is_err() || u32::from_le_bytes(*first) as usize <= LONGEST);
    let _ = read::<FromWorker>(data);
    let _ = read::<ToWorker>(data);
    same::<FromWorker>(data);
    same::<ToWorker>(data);
}

fn same<T: Serialize + DeserializeOwned + std::fmt::Debug>(data: &[u8]) {
    let Ok(message) = parse::<T>(data) else { return };
    let Ok(bytes) = frame(&message, LONGEST) else { return };
    let again = read::<T>(&bytes[..]).expect("what was written").expect("a message");
    assert_eq!(format!("{message:?}"), format!("{again:?}"));
}
