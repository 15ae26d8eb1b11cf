//! Numbers for names. They are written down, so they are the same in every process and on every node, for ever.

/// 64 bits for two texts of any length: FxHash's step for each eight bytes, and the length, so that no two pairs run together
/// into the same bytes. Fast, and no secret: who can choose names can find two of one number, so nothing but the price of a
/// conversion may hang on that.
pub(super) fn number(first: &str, second: &str) -> u64 {
    const FACTOR: u64 = 0x517c_c1b7_2722_0a95;
    let step = |hash: u64, word: u64| (hash.rotate_left(5) ^ word).wrapping_mul(FACTOR);
    let text = |hash: u64, text: &str| {
        let (words, rest) = text.as_bytes().as_chunks::<8>();
        let hash = words.iter().fold(step(hash, text.len() as u64), |hash, word| step(hash, u64::from_le_bytes(*word)));
        rest.iter().fold(hash, |hash, byte| step(hash, u64::from(*byte)))
    };
    let hash = text(text(0, first), second);
    // The low bits know little of the last bytes.
    hash ^ (hash >> 32)
}

/// Which of so many places a number has.
pub(super) fn place(number: u64, places: usize) -> usize {
    (number % places as u64) as usize
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// What is stored by them must mean the same in the next process and on the next node.
    #[test]
    fn numbers_never_change() {
        let numbers = [("s", "a.jpg"), ("s", "folder/photo.png"), ("s", ""), ("", "s"), ("photos", "小")];
        assert_eq!(numbers.map(|(first, second)| number(first, second)), PINNED);
    }

    /// As the definition of FxHash gives them, worked out by another program.
    const PINNED: [u64; 5] = [
        0x7da4_ca29_723a_0c82,
        0x84aa_bc73_a499_25b2,
        0x1a77_0c8f_8e8e_16af,
        0x032c_fa8e_743f_48c3,
        0x53cf_9dce_a5db_025d,
    ];

    #[test]
    fn names_are_spread() {
        for ending in ["", ".jpg", "/thumbnail-of-a-picture.webp"] {
            let names = (0..1000).map(|name| number("s", &format!("photos/{name:05}{ending}")));
            let places: HashSet<usize> = names.map(|number| place(number, 1 << 16)).collect();
            assert!(places.len() > 970, "{ending}: {}", places.len());
        }
    }
}
