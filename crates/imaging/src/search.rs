//! Which quality to try next: a search that needs few tries, because it starts from how such pictures usually behave and
//! learns from each try how far this one is off. Pure: it encodes nothing itself.
//!
//! A [`Curve`] says what a typical picture gives at each quality (a score, or the logarithm of its bytes). Another picture
//! lies above or below that curve and is somewhat steeper or flatter, but seldom of another shape. So a first try tells
//! how far above or below, a second one how steep, and the third is usually within a step of the goal.

use std::ops::RangeInclusive;

/// What is measured at each quality, for a typical picture: rising, both ends included.
pub type Curve = [(u8, f64)];

/// Which side of the goal is the right one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GoalSide {
    /// The measure must reach the goal, with as few bytes as possible.
    AtLeast,
    /// The measure must stay below the goal, at a quality as high as possible.
    AtMost,
}

/// What is looked for, in the curve's unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Goal {
    /// The right side.
    pub side: GoalSide,
    /// A measure on the right side of this is accepted.
    pub edge: f64,
    /// What the next try aims at, on the right side of the edge.
    pub aim: f64,
    /// Between the edge and this a further try is not worth its time.
    pub enough: f64,
}

impl Goal {
    fn accepts(&self, value: f64) -> bool {
        match self.side {
            GoalSide::AtLeast => value >= self.edge,
            GoalSide::AtMost => value <= self.edge,
        }
    }

    fn content(&self, value: f64) -> bool {
        let spare = match self.side {
            GoalSide::AtLeast => value <= self.enough,
            GoalSide::AtMost => value >= self.enough,
        };
        self.accepts(value) && spare
    }
}

/// What a try gave.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tried {
    /// The quality.
    pub quality: u8,
    /// What was measured.
    pub value: f64,
    /// Bytes of the file.
    pub bytes: usize,
}

/// A search in progress.
#[derive(Debug, Clone)]
pub struct Search {
    curve: &'static Curve,
    goal: Goal,
    lowest: u8,
    highest: u8,
    first: u8,
    most: usize,
    tried: Vec<Tried>,
}

impl Search {
    /// A search of at most `most` tries that begins at the quality `first` (pulled into the range).
    pub fn new(curve: &'static Curve, goal: Goal, range: RangeInclusive<u8>, first: u8, most: usize) -> Self {
        let (lowest, highest) = (*range.start().min(range.end()), *range.end());
        Self { curve, goal, lowest, highest, first: first.clamp(lowest, highest), most, tried: Vec::new() }
    }

    /// The quality to try next; `None` if the tries are used up or another would not help.
    pub fn propose(&self) -> Option<u8> {
        if self.tried.len() >= self.most || self.tried.iter().any(|tried| self.goal.content(tried.value)) {
            return None;
        }
        if self.tried.is_empty() {
            return Some(self.first);
        }
        // Below `low` the measure is known to be too small, above `high` to be larger than it need be.
        let short = |tried: &&Tried| tried.value < self.goal.aim;
        let low = self.tried.iter().filter(short).map(|tried| tried.quality.saturating_add(1)).max();
        let high = self.tried.iter().filter(|tried| !short(tried)).map(|tried| tried.quality.saturating_sub(1)).min();
        let low = low.unwrap_or(self.lowest).max(self.lowest);
        let high = high.unwrap_or(self.highest).min(self.highest);
        let next = inverse(self.curve, self.expected());
        // Rounded towards the right side.
        let over = self.goal.side == GoalSide::AtMost && at(self.curve, next) > self.expected();
        (low <= high).then(|| next.saturating_sub(over.into()).clamp(low, high))
    }

    /// Takes what a try gave.
    pub fn record(&mut self, tried: Tried) {
        self.tried.push(tried);
    }

    /// The best of what was tried: of those on the right side the smallest file (or the highest quality that fits), else the
    /// one that comes nearest.
    pub fn best(&self) -> Option<Tried> {
        let better = |a: Tried, b: Tried| {
            let first = match (self.goal.side, self.goal.accepts(a.value), self.goal.accepts(b.value)) {
                (_, true, false) => true,
                (_, false, true) => false,
                (GoalSide::AtLeast, true, true) => a.bytes <= b.bytes,
                (GoalSide::AtLeast, false, false) => a.value >= b.value,
                (GoalSide::AtMost, true, true) => a.quality >= b.quality,
                (GoalSide::AtMost, false, false) => a.bytes <= b.bytes,
            };
            if first { a } else { b }
        };
        self.tried.iter().copied().reduce(better)
    }

    /// Where on the typical curve the goal lies for this picture.
    fn expected(&self) -> f64 {
        let aim = self.goal.aim;
        // The two tries that lie nearest to the aim, the nearest first.
        let mut points: Vec<(f64, f64)> =
            self.tried.iter().map(|tried| (at(self.curve, tried.quality), tried.value)).collect();
        points.sort_by(|a, b| (a.1 - aim).abs().total_cmp(&(b.1 - aim).abs()));
        let Some(&(x, y)) = points.first() else { return aim };
        let steepness = match points.get(1) {
            Some(&(other, value)) if (x - other).abs() > 1e-6 => ((y - value) / (x - other)).clamp(0.4, 2.5),
            _ => 1.0,
        };
        x + (aim - y) / steepness
    }
}

/// The measure of a typical picture at a quality.
pub fn at(curve: &Curve, quality: u8) -> f64 {
    let after = curve.iter().find(|(q, _)| *q >= quality).or(curve.last());
    let before = curve.iter().rev().find(|(q, _)| *q <= quality).or(curve.first());
    match (before, after) {
        (Some((from, low)), Some((to, high))) if to > from => {
            low + (high - low) * f64::from(quality.saturating_sub(*from)) / f64::from(to - from)
        }
        (Some((_, value)), _) | (_, Some((_, value))) => *value,
        (None, None) => 0.0,
    }
}

/// The lowest quality, 1 to 100, at which a typical picture measures so much; 100 if none does.
pub fn inverse(curve: &Curve, value: f64) -> u8 {
    (1..=100).find(|quality| at(curve, *quality) >= value).unwrap_or(100)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    const CURVE: &Curve = &[(1, -40.0), (10, -9.0), (20, 33.0), (50, 64.0), (80, 78.5), (90, 88.0), (100, 95.0)];

    fn goal(side: GoalSide, target: f64) -> Goal {
        match side {
            GoalSide::AtLeast => Goal { side, edge: target - 0.5, aim: target + 0.25, enough: target + 1.0 },
            GoalSide::AtMost => Goal { side, edge: target, aim: target - 0.25, enough: target - 1.0 },
        }
    }

    /// Runs a search over a measure to its end.
    fn run(mut search: Search, measure: impl Fn(u8) -> f64) -> Search {
        while let Some(quality) = search.propose() {
            assert!(search.tried.len() < search.most && search.tried.iter().all(|tried| tried.quality != quality));
            let value = measure(quality);
            search.record(Tried { quality, value, bytes: 1000 * usize::from(quality) });
        }
        search
    }

    #[test]
    fn the_curve_is_read_both_ways() {
        assert_eq!((at(CURVE, 10), at(CURVE, 15), at(CURVE, 0), at(CURVE, 255)), (-9.0, 12.0, -40.0, 95.0));
        assert_eq!((inverse(CURVE, 64.0), inverse(CURVE, -90.0), inverse(CURVE, 99.0)), (50, 1, 100));
        for quality in 1..=100 {
            assert_eq!(inverse(CURVE, at(CURVE, quality)), quality);
        }
    }

    #[test]
    fn a_typical_picture_takes_one_try() {
        let search =
            run(Search::new(CURVE, goal(GoalSide::AtLeast, 70.0), 1..=100, inverse(CURVE, 70.25), 3), |q| at(CURVE, q));
        assert_eq!(search.tried.len(), 1);
    }

    #[test]
    fn what_nothing_reaches_ends_at_the_end_of_the_range() {
        let search = run(Search::new(CURVE, goal(GoalSide::AtLeast, 90.0), 1..=60, 50, 3), |q| at(CURVE, q));
        assert_eq!(search.best().unwrap().quality, 60);
        let search = run(Search::new(CURVE, goal(GoalSide::AtMost, -80.0), 10..=60, 50, 4), |q| at(CURVE, q));
        assert_eq!(search.best().unwrap().quality, 10);
        assert!(Search::new(CURVE, goal(GoalSide::AtLeast, 90.0), 1..=60, 50, 0).best().is_none());
    }

    proptest! {
        #[test]
        fn few_tries_find_it(
            shift in -25.0f64..15.0, steep in 0.6f64..1.6, target in 20.0f64..92.0, upper in any::<bool>(), first in 1u8..=100,
        ) {
            let measure = |q: u8| 70.0 + (at(CURVE, q) - 70.0) * steep + shift;
            let side = if upper { GoalSide::AtMost } else { GoalSide::AtLeast };
            let goal = goal(side, target);
            let search = run(Search::new(CURVE, goal, 1..=100, first, 3), measure);
            prop_assert!(search.tried.len() <= 3);
            let best = search.best().unwrap();
            // What was found is on the right side if anything tried was, and nothing tried beats it.
            prop_assert_eq!(goal.accepts(best.value), search.tried.iter().any(|tried| goal.accepts(tried.value)));
            for tried in search.tried.iter().filter(|tried| goal.accepts(tried.value)) {
                let beaten = if upper { best.quality < tried.quality } else { best.bytes > tried.bytes };
                prop_assert!(!beaten);
            }
            // As near as one step of quality allows, or at an end.
            let step = (measure(best.quality.saturating_add(1).min(100)) - measure(best.quality.saturating_sub(1).max(1))).abs();
            let ends = measure(1) > target || measure(100) < target;
            prop_assert!(ends || (best.value - target).abs() <= step + 4.0, "{:?}", search.tried);
        }

        #[test]
        fn a_higher_goal_never_gives_a_lower_quality(shift in -20.0f64..10.0, low in 30.0f64..85.0, more in 4.0f64..20.0) {
            let find = |target: f64| {
                let search = Search::new(CURVE, goal(GoalSide::AtLeast, target), 1..=100, inverse(CURVE, target), 3);
                run(search, |q| at(CURVE, q) + shift).best().unwrap().quality
            };
            prop_assert!(find(low) <= find(low + more));
        }

        #[test]
        fn any_measure_ends(values in proptest::collection::vec(any::<f64>(), 101), first in any::<u8>()) {
            run(Search::new(CURVE, goal(GoalSide::AtLeast, 70.0), 1..=100, first, 4), |q| values[usize::from(q)]);
        }
    }
}
