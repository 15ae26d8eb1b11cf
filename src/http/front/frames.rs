//! How much of bodies has come on a connection of HTTP/2, by the heads of its frames (RFC 9113 §4.1). Pure. All else that a
//! client may send, from padding to pings, says nothing of a body's progress.

/// Bytes of a frame's head.
const HEAD: usize = 9;

/// The kind of frames that carry bodies.
const DATA: u8 = 0;

/// The flag of those whose first byte says how much padding there is.
const PADDED: u8 = 8;

/// Follows the frames of a connection.
#[derive(Debug)]
pub struct BodyFrames {
    head: [u8; HEAD],
    /// Bytes of the head that are known.
    known: usize,
    /// What is left of the frame's body, or of the preface: first of what it carries, then of the rest.
    carried: usize,
    rest: usize,
    /// Whether the next byte says how much of what is carried is padding.
    padded: bool,
}

impl BodyFrames {
    /// From a connection's first byte on, whose preface is so long.
    pub fn after(preface: usize) -> Self {
        Self { head: [0; HEAD], known: 0, carried: 0, rest: preface, padded: false }
    }

    /// Takes what came next; gives how many bytes of bodies are in it.
    pub fn take(&mut self, mut bytes: &[u8]) -> u64 {
        let mut taken = 0;
        while let Some(first) = bytes.first() {
            let passed = if self.padded {
                self.padded = false;
                let padding = usize::from(*first).min(self.carried - 1);
                (self.carried, self.rest) = (self.carried - 1 - padding, padding);
                1
            } else if self.carried > 0 {
                let passed = self.carried.min(bytes.len());
                self.carried -= passed;
                taken += passed as u64;
                passed
            } else if self.rest > 0 {
                let passed = self.rest.min(bytes.len());
                self.rest -= passed;
                passed
            } else {
                let passed = (HEAD - self.known).min(bytes.len());
                self.head[self.known..self.known + passed].copy_from_slice(&bytes[..passed]);
                self.known += passed;
                if self.known == HEAD {
                    self.known = 0;
                    self.begin();
                }
                passed
            };
            bytes = &bytes[passed..];
        }
        taken
    }

    fn begin(&mut self) {
        let [a, b, c, kind, flags, ..] = self.head;
        let length = u32::from_be_bytes([0, a, b, c]) as usize;
        if kind == DATA {
            self.carried = length;
            self.padded = flags & PADDED != 0 && length > 0;
        } else {
            self.rest = length;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, length: usize) -> Vec<u8> {
        let mut bytes = (length as u32).to_be_bytes()[1..].to_vec();
        bytes.extend([kind, 0, 0, 0, 0, 1]);
        bytes.resize(HEAD + length, b'x');
        bytes
    }

    fn padded(length: usize, padding: u8) -> Vec<u8> {
        let mut bytes = frame(0, length);
        bytes[4] = PADDED;
        if let Some(first) = bytes.get_mut(HEAD) {
            *first = padding;
        }
        bytes
    }

    #[test]
    fn bodies_are_counted_however_the_bytes_are_cut() {
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        let mut frames =
            vec![frame(4, 18), frame(1, 40), frame(0, 1), frame(6, 8), frame(0, 300), frame(0, 0), frame(8, 4)];
        frames.extend([padded(20, 9), padded(1, 0), padded(5, 200), padded(0, 0), frame(0, 7)]);
        let all = [vec![preface.clone()], frames].concat().concat();
        for cut in 1..=all.len() {
            let mut counted = BodyFrames::after(preface.len());
            let sum: u64 = all.chunks(cut).map(|piece| counted.take(piece)).sum();
            assert_eq!(sum, 318, "cut into pieces of {cut}");
        }
    }

    #[test]
    fn what_is_no_body_counts_for_nothing() {
        let mut counted = BodyFrames::after(0);
        assert_eq!(counted.take(&frame(6, 8).repeat(10_000)), 0);
        assert_eq!(counted.take(&frame(0, 20)[..HEAD + 5]), 5);
        assert_eq!(counted.take(&[b'x'; 15]), 15);
        assert_eq!(counted.take(&frame(9, 70)), 0);
    }
}
