//! `pictor explain`: what a rule means, without a picture; and every operation of both dialects.

mod words;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use crate::billing::Tier;
use crate::config;
use crate::dialect::{self, Dialect, Language, Recognised, RequestQuery};
use crate::imaging::budget::Pace;
use crate::imaging::{Effort, Header, Policy, Preparation, Prepared, Terms, encode, prepare};
use crate::negotiate::{self, Class};
use crate::plan::{Format, Limits, Plan, Source};

/// What to explain.
#[derive(Debug, clap::Args)]
pub struct ExplainArguments {
    /// A URL, a path with a query, or a rule alone.
    #[arg(required_unless_present = "list")]
    url: Option<String>,
    /// Print every operation of both dialects, with what it takes: as Markdown, unless it is to a terminal.
    #[arg(long, conflicts_with = "url")]
    list: bool,
    /// Read the site's limits and dialects from this configuration.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Refuse what would be ignored.
    #[arg(long)]
    strict: bool,
    /// The site's name in the configuration; by default the first.
    #[arg(long, requires = "config")]
    site: Option<String>,
    /// The original's size, as `3924x2550`: tells the size of the result.
    #[arg(long)]
    size: Option<String>,
    /// The original's format.
    #[arg(long, default_value = "jpeg")]
    format: String,
    /// The original's frames.
    #[arg(long, default_value_t = 1)]
    frames: u32,
    /// The original's EXIF orientation.
    #[arg(long, default_value_t = 1)]
    orientation: u8,
    /// What the client sends as Accept.
    #[arg(long)]
    accept: Option<String>,
}

/// Explains on standard output. A rule that is wrong is an explanation too, and a failure.
pub fn run(arguments: &ExplainArguments) -> Result<(), String> {
    let Some(url) = &arguments.url else {
        print!("{}", if std::io::stdout().is_terminal() { listing() } else { reference() });
        return Ok(());
    };
    let SiteSettings { mut language, limits, policy, offered, advanced } =
        settings(arguments.config.as_deref(), arguments.site.as_deref())?;
    language.strict |= arguments.strict;
    let (dialect, plan, ignored) = parse(url, &language)?;
    println!("dialect     {}", dialect.name());
    let plan = plan.map_err(|error| {
        let shaped = dialect::error_body(Some(dialect), &error, "/object", "host", "0", false);
        format!("{}\nstatus      {}\nbody        {}", error.message, shaped.status, shaped.body)
    })?;
    println!("plan        {plan}");
    for sentence in ignored {
        println!("ignored     {sentence}");
    }
    let class = arguments.accept.as_deref().map(|accept| negotiate::class([accept], &offered)).unwrap_or_default();
    if plan.negotiable() && !offered.is_empty() {
        let offered: Vec<_> = offered.iter().map(|format| format.name()).collect();
        println!("negotiable  among {} (this client: {})", offered.join(" "), class.name());
    }
    match &arguments.size {
        Some(size) => {
            let terms = Terms {
                limits,
                policy,
                offered: &offered,
                advanced_compression: advanced,
                writable: encode::writable_formats(),
            };
            result(arguments, size, &plan, class, terms)
        }
        None => {
            println!("result      give --size WxH to see it");
            Ok(())
        }
    }
}

/// Every operation of both dialects to be read on a terminal, from the tables that the parsers run on.
fn listing() -> String {
    let mut text = String::new();
    for dialect in Dialect::ALL {
        text.push_str(&format!("{}\n\n", dialect.name()));
        for entry in dialect.operations() {
            let name = match entry.module == entry.name {
                true => entry.name.to_owned(),
                false => format!("{}/{}", entry.module, entry.name),
            };
            let gap = if entry.accepts.is_empty() { "" } else { "  " };
            let served = if entry.available { "" } else { " (not served yet)" };
            text.push_str(&format!("{name}{gap}{}\n    {}{served}\n", entry.accepts, entry.doc));
        }
        text.push('\n');
    }
    text
}

/// The same as Markdown.
fn reference() -> String {
    let mut text = String::new();
    for dialect in Dialect::ALL {
        text.push_str(&format!("## {}\n\n| | takes | does | |\n| --- | --- | --- | --- |\n", dialect.name()));
        for entry in dialect.operations() {
            let name = match entry.module == entry.name {
                true => format!("**{}**", entry.name),
                false => format!("{}/{}", entry.module, entry.name),
            };
            let served = if entry.available { "" } else { "not served yet" };
            // A bar would end the cell, and what is in angle brackets is a tag to Markdown.
            let plain = |text: &str| text.replace('|', "\\|").replace('<', "&lt;");
            text.push_str(&format!("| {name} | {} | {} | {served} |\n", plain(entry.accepts), plain(entry.doc)));
        }
        text.push('\n');
    }
    text
}

fn result(arguments: &ExplainArguments, size: &str, plan: &Plan, class: Class, terms: Terms<'_>) -> Result<(), String> {
    let header = header(arguments, size)?;
    let asked = Preparation {
        plan,
        class,
        header: &header,
        source: None,
        marks: Ok(&[]),
        terms,
        pace: Pace { effort: Effort::Interactive, budget_ms: 0 },
    };
    let Prepared { job, layout, .. } = prepare(asked).map_err(|error| error.to_string())?;
    if plan.output().is_none() {
        println!("result      facts about the original");
        println!("tier        {}", Tier::Information.name());
        return Ok(());
    }
    println!("result      {} {}x{}, {} frame(s)", job.format.name(), layout.width, layout.height, layout.frames);
    for op in &layout.ops {
        println!("            {}", words::operation(op));
    }
    println!("tier        {}", Tier::of(Some(job.format), layout.width, layout.height).name());
    Ok(())
}

/// The header of an original as the arguments describe it: an ordinary one of its format.
fn header(arguments: &ExplainArguments, size: &str) -> Result<Header, String> {
    let (width, height) = size.split_once('x').ok_or("--size is written as 3924x2550")?;
    let number = |text: &str| text.parse().map_err(|_| format!("--size: \"{text}\" is not a number"));
    let format =
        Format::from_name(&arguments.format).ok_or_else(|| format!("--format {}: no such format", arguments.format))?;
    let alpha = matches!(format, Format::Png | Format::Gif);
    let source = Source {
        format,
        width: number(width)?,
        height: number(height)?,
        orientation: arguments.orientation,
        frames: arguments.frames,
        alpha,
    };
    Ok(Header { source, depth: 8, channels: if alpha { 4 } else { 3 }, progressive: false, quality: None })
}

/// What a site decides.
pub(super) struct SiteSettings {
    pub(super) language: Language,
    limits: Limits,
    policy: Policy,
    offered: Vec<Format>,
    advanced: bool,
}

/// The decisions of a site; without a configuration those that hold by default.
pub(super) fn settings(path: Option<&Path>, site: Option<&str>) -> Result<SiteSettings, String> {
    let Some(path) = path else {
        return Ok(SiteSettings {
            language: Language { dialects: Dialect::ALL.to_vec(), ..Language::default() },
            limits: Limits::default(),
            policy: Policy::default(),
            offered: vec![Format::Avif, Format::WebP],
            advanced: true,
        });
    };
    let loaded = config::load(path)?;
    let sites = &loaded.config.sites;
    let site = match site {
        Some(name) => {
            sites.iter().find(|site| site.name == name).ok_or_else(|| format!("no site is named \"{name}\""))?
        }
        None => sites.first().ok_or("no site")?,
    };
    let language = site.language().map_err(|error| error.message)?;
    Ok(SiteSettings {
        language,
        limits: site.limits.limits(),
        policy: site.policy(),
        offered: site.offered(),
        advanced: site.advanced_compression,
    })
}

type Parsed = (Dialect, Result<Plan, crate::error::Error>, Vec<String>);

fn parse(text: &str, language: &Language) -> Result<Parsed, String> {
    let (path, query) = text.split_once('?').map_or((text, None), |(path, query)| (path, Some(query)));
    // A rule alone is the query of a URL of which nothing else is told.
    let bare = ["image/", "style/", "sys/"].iter().any(|start| text.starts_with(start));
    let alone = if bare { format!("x-oss-process={text}") } else { text.to_owned() };
    for (path, query) in [(path, query.unwrap_or_default()), ("/object", alone.as_str())] {
        if let Recognised::Rule { dialect, plan, ignored, .. } =
            language.read(path, &RequestQuery::of(query), true).recognised
        {
            return Ok((dialect, plan, ignored));
        }
    }
    match query {
        Some(_) => Err("no image rule in the query: the request would be passed through".into()),
        None => dialect::parse_rule(text).map(|(dialect, plan)| (dialect, Ok(plan), Vec::new())).map_err(|e| e.message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_shows_what_the_tables_say_as_it_is() {
        let text = listing();
        for entry in Dialect::ALL.into_iter().flat_map(Dialect::operations) {
            assert!(text.contains(entry.doc) && text.contains(entry.accepts) && text.contains(entry.name), "{entry:?}");
        }
        assert!(!text.contains("&lt;") && !text.contains("\\|") && !text.contains("**"), "{text}");
    }

    #[test]
    fn the_reference_has_every_operation_in_a_row_of_four_cells() {
        let text = reference();
        for entry in Dialect::ALL.into_iter().flat_map(Dialect::operations) {
            assert!(
                text.contains(&format!("| {}/{} |", entry.module, entry.name)) || text.contains(entry.name),
                "{entry:?}"
            );
        }
        let bare = text.replace("\\|", "");
        for row in bare.lines().filter(|line| line.starts_with('|')) {
            assert_eq!(row.matches('|').count(), 5, "{row}");
        }
        for name in ["imageMogr2/cgif", "image/watermark", "**imageView2**", "imageSlim** |  | fewer bytes"] {
            assert!(text.contains(name), "{name}");
        }
    }
}
