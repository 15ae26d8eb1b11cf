#![allow(clippy::unwrap_used, clippy::expect_used)]
use super::*;

/// Numbers without a pattern.
fn noise(seed: u32) -> impl FnMut() -> u32 {
    let mut state = seed;
    move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 8
    }
}

#[test]
fn every_processor_computes_the_same() {
    for (from, to) in [(41, 29), (29, 41), (64, 7), (3, 20), (1, 9), (100, 31)] {
        let mut next = noise(from as u32);
        let pairs = Pairs::new(&Windows::new(from, (0.0, from as f64), to).unwrap()).unwrap();
        let row = from.div_ceil(2) * PAIR;
        let row = row.next_multiple_of(LANES);
        let slots = pairs.most(BESIDE);
        // Light of both rows, from black to twice white.
        let kept: Vec<u32> = (0..row * slots).map(|_| (next() % 32_768) | ((next() % 32_768) << 16)).collect();
        for places in pairs.places.chunks(BESIDE) {
            let (mut one, mut other) = (vec![0i16; row * BESIDE], vec![0i16; row * BESIDE]);
            add_scalar(ScalarToken, &pairs, places, &kept, row, &mut one);
            incant!(add(&pairs, places, &kept, row, &mut other), [v3, scalar]);
            assert!(one == other, "sums of rows, {from} to {to}");
        }
        let sums: Vec<i16> = (0..row * BESIDE).map(|_| (next() % 40_000) as i32 as i16).collect();
        let code: Codes = std::array::from_fn(|step| (step % 251) as u8);
        for rows in [1, 5, BESIDE] {
            let (mut one, mut other) = (vec![0; to * 3 * rows], vec![0; to * 3 * rows]);
            let mut turned = vec![[0; BESIDE]; row / 2];
            across_scalar(ScalarToken, &pairs, &sums, &mut turned, &code, &mut one);
            incant!(across(&pairs, &sums, &mut turned, &code, &mut other), [v3, scalar]);
            assert!(one == other, "sums of neighbours, {from} to {to}, {rows} rows");
        }
    }
}

#[test]
fn weights_are_one_in_sum() {
    for (from, to) in [(768, 500), (500, 768), (2, 9), (9, 2), (4000, 401)] {
        let windows = Windows::new(from, (0.0, from as f64), to).unwrap();
        let pairs = Pairs::new(&windows).unwrap();
        for ((first, weights), (sample, taps)) in pairs.iter().zip(windows.iter()) {
            let sum: i32 = weights.iter().map(|two| halves(*two).iter().sum::<i32>()).sum();
            assert_eq!(sum, 1 << BITS);
            assert!(first == sample / 2 && weights.len() == (sample % 2 + taps.len()).div_ceil(2));
        }
    }
}
