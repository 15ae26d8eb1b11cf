//! What came of a comparison: its numbers, and the pairs that are shown.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use super::judge::{Difference, DifferenceKind, PlaceAnswer};
use super::work::Pair;

/// Lines of the worst in the text.
pub(super) const LINES: usize = 8;

/// The page of a report, by its file's name.
pub(super) const PAGE: &str = "index.html";

/// Numbers over all pairs.
#[derive(Debug, Default, Serialize)]
pub(super) struct Summary {
    /// Pairs.
    pub total: u64,
    /// Pairs that agree.
    pub same: u64,
    /// Pairs by kind of difference; one may have several.
    pub kinds: BTreeMap<DifferenceKind, u64>,
    /// Pairs of which pixels were compared, or that hold equal pictures.
    pub scored: u64,
    /// Of these, with 90 and more; 70 and more; 50 and more; less.
    pub scores: [u64; 4],
    /// The lowest score.
    pub lowest: Option<f64>,
    /// Bytes of all bodies where both came with success.
    pub bytes: [u64; 2],
    /// Answers of each place.
    pub answered: [u64; 2],
    /// Milliseconds of all answers together, by place.
    pub ms: [u64; 2],
    /// The first reason why a place did not answer.
    #[serde(skip)]
    failed: [Option<String>; 2],
    #[serde(skip)]
    pub(super) worst: Vec<(String, String)>,
}

/// A pair as the page shows it.
pub(super) struct Row {
    pub number: u64,
    pub url: String,
    pub other_url: Option<String>,
    pub from: PlaceAnswer,
    pub against: PlaceAnswer,
    pub differences: Vec<Difference>,
    pub score: Option<f64>,
    pub pictures: [PictureFiles; 2],
}

/// The files of a picture, by their names.
#[derive(Default)]
pub(super) struct PictureFiles {
    /// What a browser shows.
    pub shown: Option<String>,
    /// The bytes as they came, where they are something else.
    pub original: Option<String>,
}

/// What was asked, for both files.
#[derive(Serialize)]
pub(super) struct ReplaySettings {
    pub from: String,
    pub against: String,
    pub min_score: f64,
    pub max_growth: f64,
    pub ignore: Vec<DifferenceKind>,
}

impl Summary {
    /// Counts a pair.
    pub(super) fn count(&mut self, pair: &Pair) {
        self.total += 1;
        self.same += u64::from(pair.differences.is_empty());
        let mut kinds: Vec<DifferenceKind> = pair.differences.iter().map(|one| one.kind).collect();
        kinds.dedup();
        for kind in kinds {
            *self.kinds.entry(kind).or_default() += 1;
        }
        if let Some(score) = pair.score {
            let bin = [90.0, 70.0, 50.0].iter().position(|least| score >= *least).unwrap_or(3);
            self.scored += 1;
            if let Some(count) = self.scores.get_mut(bin) {
                *count += 1;
            }
            self.lowest = Some(self.lowest.map_or(score, |lowest| lowest.min(score)));
        }
        let sides = [&pair.from, &pair.against];
        let success = sides.iter().all(|side| (200..300).contains(&side.status));
        for (place, side) in sides.into_iter().enumerate() {
            let (Some(bytes), Some(answered), Some(ms), Some(failed)) = (
                self.bytes.get_mut(place),
                self.answered.get_mut(place),
                self.ms.get_mut(place),
                self.failed.get_mut(place),
            ) else {
                continue;
            };
            *bytes += if success { side.bytes } else { 0 };
            match &side.error {
                None => {
                    *answered += 1;
                    *ms += side.ms;
                }
                Some(error) => drop(failed.get_or_insert_with(|| error.clone())),
            }
        }
    }

    /// Pairs that do not agree.
    pub(super) fn different(&self) -> u64 {
        self.total - self.same
    }

    /// Nothing was compared where a place never answered.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.total == 0 {
            return Err("the list holds no URL".into());
        }
        for (place, name) in ["the first place", "the second place"].into_iter().enumerate() {
            if self.answered.get(place) == Some(&0) {
                let why = self.failed.get(place).cloned().flatten().unwrap_or_default();
                return Err(format!("{name} answered nothing: {why}"));
            }
        }
        Ok(())
    }

    /// Milliseconds that an answer of each place took.
    pub(super) fn mean_ms(&self) -> [u64; 2] {
        let [(a, n), (b, m)] = [0, 1].map(|place: usize| {
            (self.ms.get(place).copied().unwrap_or(0), self.answered.get(place).copied().unwrap_or(0))
        });
        [a / n.max(1), b / m.max(1)]
    }

    /// Percent by which the bytes grew.
    pub(super) fn growth(&self) -> f64 {
        let [before, after] = self.bytes;
        if before == 0 { 0.0 } else { (after as f64 / before as f64 - 1.0) * 100.0 }
    }

    /// All of it, on one screen.
    pub(super) fn text(&self, folder: Option<&Path>) -> String {
        let mut text = format!("{} pairs: {} agree, {} differ\n", self.total, self.same, self.different());
        let mut line = |name: &str, what: String| text.push_str(&format!("  {name:<8} {what}\n"));
        for (kind, count) in &self.kinds {
            line(kind.name(), count.to_string());
        }
        if let Some(lowest) = self.lowest {
            let [best, good, fair, poor] = self.scores;
            line("scores", format!("90+: {best}   70+: {good}   50+: {fair}   below: {poor}   lowest: {lowest:.1}"));
        }
        let ([before, after], [first, second]) = (self.bytes, self.mean_ms());
        line("size", format!("{before} bytes became {after} ({:+.1} %)", self.growth()));
        line("time", format!("{first} ms an answer became {second}"));
        for (number, (words, url)) in self.worst.iter().enumerate() {
            if number == 0 {
                text.push_str("the worst:\n");
            }
            text.push_str(&format!("  {url}\n      {words}\n"));
        }
        if let Some(folder) = folder {
            text.push_str(&format!("report: {}\n", folder.join(PAGE).display()));
        }
        // Nothing that came from elsewhere steers a terminal.
        text.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect()
    }
}
