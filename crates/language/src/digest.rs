//! Names of 128 bits for what several fields say together: the same in every process, on every node and in every build.

use sha2::{Digest, Sha256};

/// Fields on their way to one number. What kind of thing they describe goes in first, and every field with its name and its
/// length, so that no two lists of fields run together into the same bytes.
#[derive(Debug, Clone)]
pub struct Fingerprint(Sha256);

impl Fingerprint {
    /// Of a kind of thing.
    pub fn of(kind: &str) -> Self {
        Self(Sha256::new()).part(kind.as_bytes())
    }

    /// And of one field more.
    #[must_use]
    pub fn with(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.part(name.as_bytes()).part(value.as_ref())
    }

    fn part(mut self, bytes: &[u8]) -> Self {
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
        self
    }

    /// The number.
    pub fn finish(self) -> u128 {
        truncated(&self.0.finalize().into())
    }
}

/// SHA-256 of bytes, its first 128 bits.
pub fn of_bytes(bytes: &[u8]) -> u128 {
    truncated(&Sha256::digest(bytes).into())
}

/// The first 128 bits of a SHA-256.
pub fn truncated(hash: &[u8; 32]) -> u128 {
    let mut first = [0; 16];
    first.copy_from_slice(&hash[..16]);
    u128::from_be_bytes(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_do_not_run_together() {
        let all = [
            Fingerprint::of("a"),
            Fingerprint::of("b"),
            Fingerprint::of("a").with("b", "c"),
            Fingerprint::of("ab").with("", "c"),
            Fingerprint::of("a").with("bc", ""),
            Fingerprint::of("a").with("", "bc"),
            Fingerprint::of("a").with("b", "").with("c", ""),
            Fingerprint::of("a").with("c", "").with("b", ""),
        ];
        let mut numbers: Vec<u128> = all.into_iter().map(Fingerprint::finish).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), 8);
    }

    /// What is kept under such a number must be found by every later build. The bytes are told by another program:
    /// `printf '\0\0\0\0\0\0\0\001a\0\0\0\0\0\0\0\001b\0\0\0\0\0\0\0\001c' | sha256sum`.
    #[test]
    fn numbers_never_change() {
        assert_eq!(of_bytes(b"abc"), 0xba78_16bf_8f01_cfea_4141_40de_5dae_2223);
        assert_eq!(Fingerprint::of("a").with("b", "c").finish(), PINNED);
    }

    const PINNED: u128 = 0xbd73_5517_dea8_b04b_ba91_d58e_d956_ea9c;
}
