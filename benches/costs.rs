//! What conversions take beside what admission thinks that they take: `cargo bench --bench costs`. CPU time of this process,
//! which converts one after the other as a worker does. Prints a table for each group and, at its end, what took more than
//! twice its estimate. `-- stills moving` runs these groups alone; `-- raw` prints what the rates in `imaging/budget` were
//! fitted to, `-- raw dry` without converting.
//!
//! Photographs are of the corpus (`PICTOR_CORPUS`, or `../shared/corpus` beside the crate), or, without it, drawn.
#![allow(unsafe_code, reason = "asks the system for the CPU time used")]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod studio;

use pictor::engine::lanes::LIGHT_MS;
use pictor::imaging::Effort;
use pictor::imaging::convert::convert;
use pictor::imaging::{Job, Pixels, Policy, budget, probe};
use pictor::plan::{
    Answer, Axes, Box2, Effect, Enlarge, Format, Limits, Mode, Output, Plan, Quality, Resize, Step, Target, geometry,
};
use studio::{Compression, Show, Studio, copy, deep_png, graphic, noise, tiff, write};

/// The longest time that a conversion gets, as in the default configuration.
const DEADLINE_MS: u64 = 30_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let raw = arguments.iter().any(|word| word == "raw");
    let dry = arguments.iter().any(|word| word == "dry");
    let groups: Vec<&str> =
        arguments.iter().map(String::as_str).filter(|word| !["raw", "dry"].contains(word)).collect();
    let mut table = Table { studio: Studio::open(), raw, dry, rows: 0, above: Vec::new(), below: 0 };
    let all: [(&str, fn(&mut Table)); 6] = [
        ("stills", stills),
        ("sources", sources),
        ("moving", moving),
        ("effects", effects),
        ("efforts", efforts),
        ("searches", searches),
    ];
    for (name, group) in all {
        if groups.is_empty() || groups.contains(&name) {
            table.head(name);
            group(&mut table);
        }
    }
    println!(
        "\n{} conversions, {} above twice their estimate, {} below a third of it",
        table.rows,
        table.above.len(),
        table.below
    );
    for line in &table.above {
        println!("{line}");
    }
}

/// What is asked for.
#[derive(Clone)]
struct Ask {
    steps: Vec<Step>,
    output: Output,
    effort: Effort,
}

fn ask(format: Format, quality: Quality) -> Ask {
    let output = Output { target: Target::Fixed(format), quality, ..Output::default() };
    Ask { steps: Vec::new(), output, effort: Effort::Interactive }
}

fn fit(width: u32) -> Step {
    let to = Box2 { w: Some(width), h: None, axes: Axes::WidthHeight };
    Step::Resize(Resize { mode: Mode::Fit(to), enlarge: Enlarge::Skip })
}

struct Table {
    studio: Studio,
    raw: bool,
    dry: bool,
    rows: u32,
    above: Vec<String>,
    below: u32,
}

impl Table {
    fn head(&self, name: &str) {
        if !self.raw {
            println!(
                "\n{name}\n\n| original | to | lane | estimate ms | CPU ms | part |\n| --- | --- | --- | --- | --- | --- |"
            );
        }
    }

    fn row(&mut self, name: &str, source: &[u8], what: &str, ask: &Ask) {
        let Target::Fixed(format) = ask.output.target else { return };
        let job = Job {
            plan: Plan { steps: ask.steps.clone(), answer: Answer::Image(ask.output.clone()), ..Plan::identity() },
            format,
            limits: Limits { output_side: 30_000, ..Limits::default() },
            policy: Policy::default(),
            effort: ask.effort,
            threads: 1,
            budget_ms: DEADLINE_MS as u32,
            full_ms: 0,
        };
        let header = probe(source).unwrap();
        let layout = geometry::lay_out(&job.plan, &header.source, format, &job.limits).unwrap();
        let pace = budget::Pace { effort: ask.effort, budget_ms: DEADLINE_MS };
        let cost = budget::plan_cost(&job.plan, &job.policy, &header, Some(source), &layout, format, pace);
        let mut least = u64::MAX;
        let mut times = [0; 3];
        for _ in 0..if self.dry { 0 } else { 3 } {
            let before = cpu_us();
            let outcome = match convert(source, &job) {
                Ok((_, outcome)) => outcome,
                Err(error) => {
                    println!("| {name} | {what} | | | {error} | |");
                    return;
                }
            };
            let took = cpu_us() - before;
            if took < least {
                least = took;
                times = [outcome.times.decode, outcome.times.transform, outcome.times.encode];
            }
            if took > 100_000 {
                break;
            }
        }
        if self.dry {
            least = source.len() as u64;
        }
        self.rows += 1;
        let part = least as f64 / 1000.0 / cost.cpu_ms as f64;
        if self.raw {
            let [decode, transform, encode] = times;
            println!(
                "{name}\t{what}\t{}\t{}\t{}\t{}\t{least}\t{decode}\t{transform}\t{encode}",
                layout.width, layout.height, layout.frames, cost.cpu_ms
            );
            return;
        }
        let lane = if cost.cpu_ms <= LIGHT_MS { "light" } else { "heavy" };
        let line = format!(
            "| {name} | {what} | {lane} | {} | {:.1} | {:.0} % |",
            cost.cpu_ms,
            least as f64 / 1000.0,
            part * 100.0
        );
        println!("{line}");
        // A millisecond is the least that there is.
        if part > 2.0 {
            self.above.push(line);
        } else if part < 1.0 / 3.0 && cost.cpu_ms > 3 {
            self.below += 1;
        }
    }
}

const QUALITIES: [(&str, Quality); 4] = [
    ("", Quality::Default),
    (", quality 90", Quality::Forced(90)),
    (", quality 100", Quality::Forced(100)),
    (", lossless", Quality::Lossless),
];

fn stills(table: &mut Table) {
    let sizes = [(20, 15), (100, 75), (300, 225), (600, 450), (1000, 750), (2000, 1500), (4000, 3000)];
    for (width, height) in sizes {
        for (show, alpha) in [(Show::Photo, false), (Show::Photo, true), (Show::Graphic, false), (Show::Noise, false)] {
            if (alpha && ![300, 1000].contains(&width)) || (width > 1000 && show == Show::Noise) {
                continue;
            }
            if width > 2000 && show != Show::Photo {
                continue;
            }
            let pixels = table.studio.picture(show, alpha, (width, height), 0);
            let from = if show == Show::Photo && !alpha { Format::Jpeg } else { Format::Png };
            let source = write(from, Some(85), false, false, vec![pixels]);
            let clear = if alpha { ", alpha" } else { "" };
            let name = format!("{show:?} {width}x{height}, {}{clear}", from.name());
            for format in
                [Format::Jpeg, Format::WebP, Format::Avif, Format::Heif, Format::Png, Format::Gif, Format::Bmp]
            {
                for (quality, asked) in QUALITIES {
                    let has = matches!(format, Format::Jpeg | Format::WebP | Format::Avif | Format::Heif);
                    let exact = matches!(format, Format::WebP | Format::Avif);
                    if (!has && asked != Quality::Default) || (asked == Quality::Lossless && !exact) {
                        continue;
                    }
                    table.row(&name, &source, &format!("{}{quality}", format.name()), &ask(format, asked));
                }
            }
        }
    }
}

fn sources(table: &mut Table) {
    let (width, height) = (2400, 1800);
    let photo = |alpha| table.studio.picture(Show::Photo, alpha, (width, height), 0);
    let plain = |format, lossless, progressive| write(format, Some(85), lossless, progressive, vec![photo(false)]);
    let graphic = || vec![graphic(width, height, 0)];
    let noise = || noise(width, height, 0);
    let all: Vec<(&str, Vec<u8>)> = vec![
        ("jpeg", plain(Format::Jpeg, false, false)),
        ("jpeg, progressive", plain(Format::Jpeg, false, true)),
        ("jpeg, noise of quality 100", write(Format::Jpeg, Some(100), false, false, vec![noise()])),
        ("jpeg, progressive noise", write(Format::Jpeg, Some(100), false, true, vec![noise()])),
        ("png", plain(Format::Png, false, false)),
        ("png, alpha", write(Format::Png, None, false, false, vec![photo(true)])),
        ("png, 16 bits", deep_png(&photo(false))),
        ("png, palette", write(Format::Png, None, false, false, graphic())),
        ("gif", plain(Format::Gif, false, false)),
        ("bmp", plain(Format::Bmp, false, false)),
        ("webp", plain(Format::WebP, false, false)),
        ("webp, lossless", plain(Format::WebP, true, false)),
        ("webp, alpha", write(Format::WebP, Some(85), false, false, vec![photo(true)])),
        ("avif", plain(Format::Avif, false, false)),
        ("avif, lossless", plain(Format::Avif, true, false)),
        ("heif", plain(Format::Heif, false, false)),
        ("tiff", tiff(&photo(false), false, Compression::Uncompressed)),
        ("tiff, LZW", tiff(&photo(false), false, Compression::Lzw)),
        ("tiff, LZW, 16 bits", tiff(&photo(false), true, Compression::Lzw)),
        ("tiff, deflate", tiff(&photo(false), false, Compression::Deflate(Default::default()))),
        ("tiff, deflate, 16 bits", tiff(&photo(false), true, Compression::Deflate(Default::default()))),
        ("tiff, packbits", tiff(&photo(false), false, Compression::Packbits)),
        ("tiff, 16 bits", tiff(&photo(false), true, Compression::Uncompressed)),
    ];
    for (name, source) in all {
        let name = format!("{name}, {width}x{height}");
        table.row(
            &name,
            &source,
            "jpeg, 512 wide",
            &Ask { steps: vec![fit(512)], ..ask(Format::Jpeg, Quality::Default) },
        );
        table.row(&name, &source, "jpeg, whole", &ask(Format::Jpeg, Quality::Default));
    }
}

fn moving(table: &mut Table) {
    for (side, counts) in [(17, &[10, 300][..]), (48, &[60]), (100, &[10, 60]), (200, &[30]), (400, &[10])] {
        for (show, alpha) in [(Show::Photo, false), (Show::Photo, true), (Show::Graphic, false), (Show::Noise, false)] {
            for &count in counts {
                let frames = |count| (0..count).map(|frame| table.studio.picture(show, alpha, (side, side), frame));
                let pictures: Vec<Pixels> = frames(count).collect();
                for from in [Format::Gif, Format::WebP] {
                    if from == Format::Gif && show == Show::Photo && count > 60 {
                        continue;
                    }
                    let source = write(from, Some(80), false, false, pictures.iter().map(copy).collect());
                    let clear = if alpha { ", alpha" } else { "" };
                    let name = format!("{show:?} {side}x{side}, {count} frames, {}{clear}", from.name());
                    for format in [Format::Avif, Format::WebP, Format::Gif, Format::Png] {
                        table.row(&name, &source, format.name(), &ask(format, Quality::Default));
                        if format == Format::Avif && from == Format::WebP {
                            table.row(&name, &source, "avif, quality 100", &ask(format, Quality::Forced(100)));
                            table.row(&name, &source, "avif, lossless", &ask(format, Quality::Lossless));
                        }
                        if format == Format::WebP && from == Format::WebP {
                            table.row(&name, &source, "webp, lossless", &ask(format, Quality::Lossless));
                        }
                    }
                }
            }
        }
    }
}

fn effects(table: &mut Table) {
    let size = (2000, 1500);
    for alpha in [false, true] {
        let pixels = table.studio.picture(Show::Photo, alpha, size, 0);
        let from = if alpha { Format::Png } else { Format::Jpeg };
        let source = write(from, Some(85), false, false, vec![pixels]);
        let name = format!("Photo {}x{}, {}", size.0, size.1, from.name());
        let format = from;
        let blur = |radius: u8| Effect::Blur { radius, sigma: u16::from(radius) * 40 };
        let effects = [
            ("blur 3", blur(3)),
            ("blur 10", blur(10)),
            ("blur 25", blur(25)),
            ("blur 50", blur(50)),
            ("sharpen", Effect::Sharpen(100)),
            ("bright", Effect::Bright(20)),
            ("grey", Effect::Grey),
        ];
        for (what, effect) in effects {
            let steps = vec![Step::Effect(effect)];
            table.row(&name, &source, what, &Ask { steps, ..ask(format, Quality::Default) });
        }
        for (what, rule) in [
            ("rotate 33", "turn,deg=33|source"),
            ("rotate 90", "turn,deg=90|source"),
            ("corners", "corners,r=100|source"),
        ] {
            // Rules that this version writes otherwise are left out.
            let Ok(plan) = rule.parse::<Plan>() else { continue };
            table.row(&name, &source, what, &Ask { steps: plan.steps, ..ask(format, Quality::Default) });
        }
        table.row(&name, &source, "700 wide", &Ask { steps: vec![fit(700)], ..ask(format, Quality::Default) });
        table.row(
            &name,
            &source,
            "3000 wide",
            &Ask {
                steps: vec![Step::Resize(Resize {
                    mode: Mode::Fit(Box2 { w: Some(3000), h: None, axes: Axes::WidthHeight }),
                    enlarge: Enlarge::Allow,
                })],
                ..ask(format, Quality::Default)
            },
        );
    }
}

fn efforts(table: &mut Table) {
    for (width, height) in [(300, 225), (1200, 900), (4000, 3000)] {
        let pixels = table.studio.picture(Show::Photo, false, (width, height), 0);
        let source = write(Format::Jpeg, Some(85), false, false, vec![pixels]);
        let name = format!("Photo {width}x{height}, jpeg");
        for format in [Format::Avif, Format::Heif, Format::WebP, Format::Png] {
            for effort in [Effort::Pressed, Effort::Batch] {
                for (quality, asked) in QUALITIES {
                    let exact = matches!(format, Format::WebP | Format::Avif);
                    if (format == Format::Png && asked != Quality::Default) || (asked == Quality::Lossless && !exact) {
                        continue;
                    }
                    if width > 2000 && (effort == Effort::Batch || asked != Quality::Default) {
                        continue;
                    }
                    let what = format!("{}{quality}, {effort:?}", format.name());
                    table.row(&name, &source, &what, &Ask { effort, ..ask(format, asked) });
                }
            }
        }
    }
}

fn searches(table: &mut Table) {
    for (width, height) in [(300, 225), (1000, 750), (2400, 1800)] {
        let pixels = table.studio.picture(Show::Photo, false, (width, height), 0);
        for from in [Format::Jpeg, Format::Png] {
            let source = write(from, Some(95), false, false, vec![copy(&pixels)]);
            let name = format!("Photo {width}x{height}, {}", from.name());
            for format in [Format::Jpeg, Format::WebP, Format::Avif, Format::Heif] {
                let what = format!("{}, score 75", format.name());
                table.row(&name, &source, &what, &ask(format, Quality::Auto(75)));
            }
            let mut slim = ask(from, Quality::Default);
            slim.output.slim = true;
            table.row(&name, &source, "slim", &slim);
        }
    }
}

fn cpu_us() -> u64 {
    // SAFETY: zeroes are a valid value, and the call fills it.
    let usage = unsafe {
        let mut usage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &mut usage);
        usage
    };
    let us = |time: libc::timeval| time.tv_sec as u64 * 1_000_000 + time.tv_usec as u64;
    us(usage.ru_utime) + us(usage.ru_stime)
}
