//! Bodies in chunks, as S3 has them: `STREAMING-AWS4-HMAC-SHA256-PAYLOAD`, the same with a trailer, and
//! `STREAMING-UNSIGNED-PAYLOAD-TRAILER` ("Transferring Payload in Multiple Chunks", "Including Trailing Headers"). Each chunk's
//! signature is made over the one before it, beginning with the request's.
//!
//! A chunk's bytes are given on before its signature has come to its turn at its end. Whoever stores them must give up the whole
//! when an error follows.

use std::fmt;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::hash::{EMPTY_SHA256, same, sha256_hex};
use super::scoped::signature;

/// The longest head of a chunk: 16 digits, and a signature.
const LONGEST_HEAD: usize = 128;

/// The longest trailer.
const LONGEST_TRAILER: usize = 8192;

/// What the next chunk's signature is made with.
#[derive(Clone, PartialEq, Eq)]
pub struct ChunkChain {
    key: Zeroizing<[u8; 32]>,
    date: String,
    scope: String,
    previous: String,
    trailer: bool,
}

impl fmt::Debug for ChunkChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChunkChain").field("scope", &self.scope).finish_non_exhaustive()
    }
}

impl ChunkChain {
    /// `seed`: the request's signature; `trailer`: whether one follows the chunks.
    pub fn new(key: Zeroizing<[u8; 32]>, date: &str, scope: &str, seed: &str, trailer: bool) -> Self {
        Self { key, date: date.to_owned(), scope: scope.to_owned(), previous: seed.to_owned(), trailer }
    }

    /// The string to sign of a chunk with this SHA-256, in hex.
    pub fn chunk_string(&self, hash: &str) -> String {
        let Self { date, scope, previous, .. } = self;
        format!("AWS4-HMAC-SHA256-PAYLOAD\n{date}\n{scope}\n{previous}\n{EMPTY_SHA256}\n{hash}")
    }

    /// The string to sign of a trailer: `name:value` lines, each ended.
    pub fn trailer_string(&self, lines: &[u8]) -> String {
        let Self { date, scope, previous, .. } = self;
        format!("AWS4-HMAC-SHA256-TRAILER\n{date}\n{scope}\n{previous}\n{}", sha256_hex(lines))
    }

    /// Signs the next chunk: its signature.
    pub fn sign_chunk(&mut self, bytes: &[u8]) -> String {
        self.previous = signature(&self.key, &self.chunk_string(&sha256_hex(bytes)));
        self.previous.clone()
    }

    /// Signs the trailer: `name:value` lines, each ended.
    pub fn sign_trailer(&self, lines: &[u8]) -> String {
        signature(&self.key, &self.trailer_string(lines))
    }

    fn check(&mut self, string: &str, provided: &str) -> Result<(), ChunkError> {
        let right = Zeroizing::new(signature(&self.key, string));
        if !same(right.as_bytes(), provided.as_bytes()) {
            return Err(ChunkError::Mismatch);
        }
        provided.clone_into(&mut self.previous);
        Ok(())
    }
}

/// What is wrong with a body in chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChunkError {
    /// It is not in that form.
    #[error("the body is not in chunks: {0}")]
    Malformed(&'static str),
    /// A chunk's or the trailer's signature is not the right one.
    #[error("a chunk's signature is not the right one")]
    Mismatch,
    /// It is longer or shorter than `x-amz-decoded-content-length` says.
    #[error("the body is not as long as x-amz-decoded-content-length says")]
    Length,
    /// It ended early.
    #[error("the body ended within a chunk")]
    Early,
}

/// Reads a body in chunks, piece by piece as it comes.
#[derive(Debug)]
pub struct ChunkReader {
    chain: Option<ChunkChain>,
    trailer: bool,
    /// Decoded bytes that are still to come, where the request said how many there are.
    left: Option<u64>,
    state: State,
    /// A head or a trailer of which not all has come.
    kept: Vec<u8>,
    fields: Vec<(String, Vec<u8>)>,
}

#[derive(Debug)]
enum State {
    Head,
    Data {
        left: u64,
        hash: Sha256,
        signature: String,
    },
    /// The line's end behind a chunk's data, of which so many bytes have come.
    DataEnd(u8),
    /// The line's end behind the last chunk, or a trailer in place of it.
    Trailer,
    /// All has come, and so many bytes of lines' ends behind it.
    Done(usize),
}

impl ChunkReader {
    /// Reads chunks by a chain, or unsigned ones with a trailer. `decoded`: what `x-amz-decoded-content-length` says.
    pub fn new(chain: Option<ChunkChain>, decoded: Option<u64>) -> Self {
        let trailer = chain.as_ref().is_none_or(|chain| chain.trailer);
        Self { chain, trailer, left: decoded, state: State::Head, kept: Vec::new(), fields: Vec::new() }
    }

    /// Takes some of the next bytes of the body: how many, and the decoded ones among them. To be called again with what is left
    /// of them.
    ///
    /// # Errors
    /// [`ChunkError`]; the reader is of no use then.
    pub fn take<'b>(&mut self, input: &'b [u8]) -> Result<(usize, &'b [u8]), ChunkError> {
        match &mut self.state {
            State::Done(behind) => {
                // Clients end the whole with a line or two too many.
                *behind += input.len();
                let ends = *behind <= 4 && input.iter().all(|byte| matches!(byte, b'\r' | b'\n'));
                if !ends {
                    return Err(ChunkError::Malformed("something follows the last chunk"));
                }
                Ok((input.len(), &[]))
            }
            State::Head => self.line(input, LONGEST_HEAD, Self::head).map(|taken| (taken, &[][..])),
            State::Trailer => self.line(input, LONGEST_TRAILER, Self::trailer_line).map(|taken| (taken, &[][..])),
            State::Data { left, hash, .. } => {
                let length = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
                let data = &input[..length];
                hash.update(data);
                *left -= length as u64;
                let done = *left == 0;
                if let Some(total) = &mut self.left {
                    *total = total.checked_sub(length as u64).ok_or(ChunkError::Length)?;
                }
                if done {
                    self.end_of_data(false)?;
                }
                Ok((length, data))
            }
            State::DataEnd(seen) => {
                let taken = input.iter().take(2 - usize::from(*seen)).zip(&b"\r\n"[usize::from(*seen)..]);
                let (mut length, mut right) = (0, true);
                taken.for_each(|(byte, end)| (length, right) = (length + 1, right && byte == end));
                if !right {
                    return Err(ChunkError::Malformed("no line's end follows a chunk"));
                }
                *seen += length;
                if *seen == 2 {
                    self.state = State::Head;
                }
                Ok((usize::from(length), &[]))
            }
        }
    }

    /// Says that the body has ended. Gives the fields of its trailer, names in lower case.
    ///
    /// # Errors
    /// It has ended too early.
    pub fn finish(mut self) -> Result<Vec<(String, Vec<u8>)>, ChunkError> {
        // The last line's end may be missing: all that is signed has come then.
        let ended = match self.state {
            State::Done(_) => true,
            State::Trailer => self.kept.is_empty() && !self.trailer,
            _ => false,
        };
        match ended {
            true => Ok(std::mem::take(&mut self.fields)),
            false => Err(ChunkError::Early),
        }
    }

    /// Takes a line as far as it has come, and reads it once it is there without its end.
    fn line(
        &mut self,
        input: &[u8],
        most: usize,
        read: fn(&mut Self, &[u8]) -> Result<(), ChunkError>,
    ) -> Result<usize, ChunkError> {
        let end = input.iter().position(|byte| *byte == b'\n');
        let taken = end.map_or(input.len(), |end| end + 1);
        if self.kept.len() + taken > most {
            return Err(ChunkError::Malformed("a line is too long"));
        }
        self.kept.extend_from_slice(&input[..taken]);
        if end.is_some() {
            let line = std::mem::take(&mut self.kept);
            let line = line.strip_suffix(b"\n").unwrap_or(&line);
            read(self, line.strip_suffix(b"\r").unwrap_or(line))?;
        }
        Ok(taken)
    }

    fn head(&mut self, line: &[u8]) -> Result<(), ChunkError> {
        let wrong = ChunkError::Malformed("a chunk's head is not SIZE;chunk-signature=HEX");
        let line = std::str::from_utf8(line).map_err(|_| wrong)?;
        let (size, signature) = match line.split_once(';') {
            Some((size, rest)) => (size, rest.strip_prefix("chunk-signature=").ok_or(wrong)?),
            None => (line, ""),
        };
        let digits = (1..=16).contains(&size.len()) && size.bytes().all(|byte| byte.is_ascii_hexdigit());
        let left = u64::from_str_radix(size, 16).ok().filter(|_| digits).ok_or(wrong)?;
        if self.chain.is_some() != (signature.len() == 64) {
            return Err(wrong);
        }
        if self.left.is_some_and(|total| left > total) {
            return Err(ChunkError::Length);
        }
        self.state = State::Data { left, hash: Sha256::new(), signature: signature.to_owned() };
        match left {
            0 => self.end_of_data(true),
            _ => Ok(()),
        }
    }

    /// Verifies the chunk whose data has come. The last has none.
    fn end_of_data(&mut self, last: bool) -> Result<(), ChunkError> {
        let State::Data { hash, signature, .. } = std::mem::replace(&mut self.state, State::DataEnd(0)) else {
            return Ok(());
        };
        if let Some(chain) = &mut self.chain {
            let string = chain.chunk_string(&hex::encode(hash.finalize()));
            chain.check(&string, &signature)?;
        }
        if last {
            if self.left.is_some_and(|left| left > 0) {
                return Err(ChunkError::Length);
            }
            self.state = State::Trailer;
        }
        Ok(())
    }

    /// A line behind the last chunk. The vendor's own example has an empty line before the trailer's signature.
    fn trailer_line(&mut self, line: &[u8]) -> Result<(), ChunkError> {
        if line.is_empty() {
            let signed = self.trailer && self.chain.is_some();
            if !signed {
                self.state = State::Done(0);
            }
            return Ok(());
        }
        let wrong = ChunkError::Malformed("a line of the trailer is not NAME:VALUE");
        if !self.trailer {
            return Err(ChunkError::Malformed("something follows the last chunk"));
        }
        let colon = line.iter().position(|byte| *byte == b':').ok_or(wrong)?;
        let name = std::str::from_utf8(&line[..colon]).map_err(|_| wrong)?.trim().to_ascii_lowercase();
        let value = line[colon + 1..].trim_ascii();
        match (name.as_str(), &mut self.chain) {
            ("x-amz-trailer-signature", Some(chain)) => {
                let mut lines = Vec::new();
                self.fields.sort_unstable();
                for (name, value) in &self.fields {
                    lines.extend([name.as_bytes(), b":", value, b"\n"].concat());
                }
                let provided = std::str::from_utf8(value).map_err(|_| wrong)?;
                let string = chain.trailer_string(&lines);
                chain.check(&string, provided)?;
                self.state = State::Done(0);
            }
            _ => {
                let size = |fields: &[(String, Vec<u8>)]| {
                    fields.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>()
                };
                if self.fields.len() >= 16 || size(&self.fields) > LONGEST_TRAILER {
                    return Err(ChunkError::Malformed("the trailer is too long"));
                }
                self.fields.push((name, value.to_vec()));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "chunks_tests.rs"]
mod tests;
