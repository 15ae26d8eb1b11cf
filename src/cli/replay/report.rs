//! What is kept of all pairs: numbers, a line of JSON each, and the pictures of the worst. Memory does not grow with the
//! list.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::judge::{Difference, DifferenceKind, PlaceAnswer};
use super::list::Places;
use super::summary::{LINES, PAGE, PictureFiles, ReplaySettings, Row, Summary};
use super::work::{Comparer, Pair};
use super::{ReplayArguments, page};
use crate::plan::Format;

/// The files of a report.
const JSON: &str = "report.json";
const PICTURES: &str = "pictures";

/// The line of a pair in `report.json`.
#[derive(Serialize)]
struct Line<'a> {
    number: u64,
    url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    against_url: Option<&'a str>,
    same: bool,
    differences: &'a [Difference],
    score: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frame: Option<u32>,
    from: &'a PlaceAnswer,
    against: &'a PlaceAnswer,
}

/// A report while it grows.
pub(super) struct Report {
    folder: Option<Folder>,
    settings: ReplaySettings,
    most: usize,
    summary: Summary,
    /// The worst differences, the mildest of them first.
    worst: BTreeMap<(u64, Reverse<u64>), Row>,
    same: Vec<Row>,
}

struct Folder {
    path: PathBuf,
    json: BufWriter<File>,
    first: bool,
}

impl Report {
    /// Makes the folder, if one is wanted. One that holds anything but an earlier report is left alone.
    pub(super) fn new(arguments: &ReplayArguments, places: &Places) -> Result<Self, String> {
        let (from, against) = places.shown();
        let settings = ReplaySettings {
            from,
            against,
            min_score: arguments.min_score,
            max_growth: arguments.max_growth,
            ignore: arguments.ignore.clone(),
        };
        let folder = arguments.report.as_deref().map(|path| Folder::new(path, &settings)).transpose()?;
        let (most, summary) = (arguments.pictures, Summary::default());
        Ok(Self { folder, settings, most, summary, worst: BTreeMap::new(), same: Vec::new() })
    }

    pub(super) fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Takes a pair in.
    pub(super) async fn add(&mut self, pair: Pair, work: &Comparer) -> Result<(), String> {
        self.summary.count(&pair);
        if let Some(folder) = &mut self.folder {
            folder.line(&pair)?;
        }
        let same = pair.differences.is_empty();
        if same {
            if self.folder.is_some() && self.same.len() < self.most {
                self.same.push(Row::new(pair, Default::default()));
            }
            return Ok(());
        }
        let rank = (gravity(&pair), Reverse(pair.entry.number));
        // A few are kept without a report too, for the text.
        let most = if self.folder.is_some() { self.most } else { LINES };
        let full = self.worst.len() >= most;
        if full && self.worst.first_key_value().is_none_or(|(mildest, _)| *mildest >= rank) {
            return Ok(());
        }
        let pictures = match &self.folder {
            Some(folder) => folder.pictures(&pair, work).await?,
            None => Default::default(),
        };
        self.worst.insert(rank, Row::new(pair, pictures));
        if self.worst.len() > most
            && let (Some((_, row)), Some(folder)) = (self.worst.pop_first(), &self.folder)
        {
            folder.forget(&row);
        }
        Ok(())
    }

    /// Writes what is left.
    pub(super) fn finish(mut self) -> Result<Summary, String> {
        let worst = self.worst.values().rev().take(LINES).map(|row| {
            let words = row.differences.iter().map(|one| format!("{} {}", one.kind.name(), one.detail));
            (words.collect::<Vec<_>>().join(", "), row.url.clone())
        });
        self.summary.worst = worst.collect();
        let Some(mut folder) = self.folder.take() else { return Ok(self.summary) };
        folder.end(&self.summary)?;
        let rows: Vec<&Row> = self.worst.values().rev().chain(&self.same).collect();
        let text = page::page(&self.settings, &self.summary, &rows);
        folder.write(PAGE, text.as_bytes())?;
        Ok(self.summary)
    }
}

/// How bad a difference is: by its gravest kind, then by the score.
fn gravity(pair: &Pair) -> u64 {
    let grave = pair.differences.iter().map(|one| one.kind).min();
    let place = DifferenceKind::ALL.iter().rev().position(|kind| Some(*kind) == grave).unwrap_or(0) as u64;
    let unlike = (100.0 - pair.score.unwrap_or(0.0)).clamp(0.0, 999.0) * 1000.0;
    place * 1_000_000 + unlike as u64
}

impl Row {
    fn new(pair: Pair, pictures: [PictureFiles; 2]) -> Self {
        let Pair { entry, from, against, differences, score, .. } = pair;
        let (number, url, other_url) = (entry.number, entry.shown, entry.shown_against);
        Self { number, url, other_url, from, against, differences, score, pictures }
    }
}

impl Folder {
    fn new(path: &Path, settings: &ReplaySettings) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("{}: {error}", path.display());
        fs::create_dir_all(path).map_err(failed)?;
        let empty = fs::read_dir(path).map_err(failed)?.next().is_none();
        if !empty && !path.join(JSON).is_file() {
            return Err(format!("{} is not empty and holds no report: name another folder", path.display()));
        }
        let pictures = path.join(PICTURES);
        if pictures.is_dir() {
            fs::remove_dir_all(&pictures).map_err(failed)?;
        }
        fs::create_dir(&pictures).map_err(failed)?;
        let json = BufWriter::new(File::create(path.join(JSON)).map_err(failed)?);
        let mut folder = Self { path: path.to_owned(), json, first: true };
        let settings = serde_json::to_string(settings).unwrap_or_default();
        folder.text(&format!("{{\"version\":1,\"settings\":{settings},\"entries\":["))?;
        Ok(folder)
    }

    fn text(&mut self, text: &str) -> Result<(), String> {
        self.json.write_all(text.as_bytes()).map_err(|error| format!("{}: {error}", self.path.join(JSON).display()))
    }

    fn line(&mut self, pair: &Pair) -> Result<(), String> {
        let line = Line {
            number: pair.entry.number,
            url: &pair.entry.shown,
            against_url: pair.entry.shown_against.as_deref(),
            same: pair.differences.is_empty(),
            differences: &pair.differences,
            score: pair.score,
            frame: pair.likeness.as_ref().map(|likeness| likeness.frame),
            from: &pair.from,
            against: &pair.against,
        };
        let comma = if std::mem::take(&mut self.first) { "\n" } else { ",\n" };
        let line = serde_json::to_string(&line).unwrap_or_default();
        self.text(&format!("{comma}{line}"))
    }

    fn end(&mut self, summary: &Summary) -> Result<(), String> {
        let summary = serde_json::to_string(summary).unwrap_or_default();
        self.text(&format!("\n],\"summary\":{summary}}}\n"))?;
        self.json.flush().map_err(|error| format!("{}: {error}", self.path.join(JSON).display()))
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), String> {
        let path = self.path.join(name);
        fs::write(&path, bytes).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Keeps both pictures. Names are numbers: nothing of a URL gets into them.
    async fn pictures(&self, pair: &Pair, work: &Comparer) -> Result<[PictureFiles; 2], String> {
        let mut pictures = <[PictureFiles; 2]>::default();
        let sides = [("from", &pair.from, &pair.bodies[0]), ("against", &pair.against, &pair.bodies[1])];
        for (picture, (name, side, body)) in pictures.iter_mut().zip(sides) {
            let Some(header) = &side.header else { continue };
            let stem = format!("{PICTURES}/{:06}-{name}", pair.entry.number);
            let format = header.source.format;
            // A drawing may hold scripts, which run where it is opened by itself.
            if format != Format::Svg {
                let name = format!("{stem}.{}", if format == Format::Jpeg { "jpg" } else { format.name() });
                self.write(&name, body)?;
                picture.original = Some(name);
            }
            if format.shown_by_browsers() {
                picture.shown = picture.original.take();
            } else if let Some(png) = work.preview(body, header).await {
                let name = format!("{stem}-preview.png");
                self.write(&name, &png)?;
                picture.shown = Some(name);
            }
        }
        Ok(pictures)
    }

    /// Drops the pictures of a row that is no longer among the worst.
    fn forget(&self, row: &Row) {
        for name in row.pictures.iter().flat_map(|picture| [&picture.shown, &picture.original]).flatten() {
            // What is left over is a file too many, not a wrong report.
            let _ = fs::remove_file(self.path.join(name));
        }
    }
}
