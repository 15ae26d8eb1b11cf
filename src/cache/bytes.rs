//! Keys and metadata as bytes, for what outlives the process or goes to another node. What is read back was written by some
//! build, maybe another one, and may have been damaged since: it is refused rather than guessed at.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Why bytes are not what they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Of another kind, or of a form that this build does not know.
    #[error("of a form that this build does not know")]
    Unknown,
    /// Cut off, too long, or something that is never written.
    #[error("damaged")]
    Damaged,
}

/// What a form begins with: what kind of thing it is, and the form's number.
pub(super) type Tag = [u8; 4];

/// Bytes that are being written. There is one way to write every value, and none is the beginning of another.
#[derive(Debug)]
pub(super) struct ByteWriter(Vec<u8>);

impl ByteWriter {
    pub fn new(tag: Tag) -> Self {
        Self(tag.to_vec())
    }

    pub fn number(&mut self, number: u64) {
        self.0.extend(number.to_be_bytes());
    }

    pub fn digest(&mut self, digest: u128) {
        self.0.extend(digest.to_be_bytes());
    }

    pub fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    pub fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.raw(bytes);
    }

    /// Without their length: the last that is written.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.0.extend(bytes);
    }

    pub fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.0.push(value.is_some().into());
        if let Some(value) = value {
            write(self, value);
        }
    }

    pub fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// Bytes that are being read.
#[derive(Debug)]
pub(super) struct ByteReader<'a>(&'a [u8]);

impl<'a> ByteReader<'a> {
    pub fn new(tag: Tag, bytes: &'a [u8]) -> Result<Self, Unreadable> {
        bytes.strip_prefix(&tag).map(Self).ok_or(Unreadable::Unknown)
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Unreadable> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(Unreadable::Damaged)?;
        self.0 = rest;
        Ok(*taken)
    }

    pub fn number(&mut self) -> Result<u64, Unreadable> {
        self.take().map(u64::from_be_bytes)
    }

    pub fn digest(&mut self) -> Result<u128, Unreadable> {
        self.take().map(u128::from_be_bytes)
    }

    pub fn text(&mut self) -> Result<&'a str, Unreadable> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Unreadable::Damaged)
    }

    pub fn bytes(&mut self) -> Result<&'a [u8], Unreadable> {
        let length = usize::try_from(self.number()?).map_err(|_| Unreadable::Damaged)?;
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(Unreadable::Damaged)?;
        self.0 = rest;
        Ok(bytes)
    }

    /// All that has not been read.
    pub fn rest(&self) -> &'a [u8] {
        self.0
    }

    pub fn option<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Unreadable>,
    ) -> Result<Option<T>, Unreadable> {
        match self.take()? {
            [0] => Ok(None),
            [1] => read(self).map(Some),
            [_] => Err(Unreadable::Damaged),
        }
    }

    /// Nothing may be left.
    pub fn end(self) -> Result<(), Unreadable> {
        self.0.is_empty().then_some(()).ok_or(Unreadable::Damaged)
    }
}

/// A struct as JSON behind a tag; `None` where it has no such form.
pub(super) fn tagged(tag: Tag, value: &impl Serialize) -> Option<Vec<u8>> {
    let mut bytes = tag.to_vec();
    serde_json::to_writer(&mut bytes, value).ok()?;
    Some(bytes)
}

/// From such bytes.
pub(super) fn untagged<T: DeserializeOwned>(tag: Tag, bytes: &[u8]) -> Result<T, Unreadable> {
    let json = bytes.strip_prefix(&tag).ok_or(Unreadable::Unknown)?;
    serde_json::from_slice(json).map_err(|_| Unreadable::Damaged)
}
