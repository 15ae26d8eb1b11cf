//! `pictor translate`: a rule of one vendor in the language of the other.

use std::io::{self, BufRead, BufWriter, Write};
use std::path::PathBuf;

use super::explain;
use crate::dialect::translate::{as_query, translate};
use crate::dialect::{self, Dialect, Recognised, Styles, styles};
use crate::error::Kind;
use crate::plan::Assumption;

/// Bytes of one line of a list. Longer ones are no URLs.
const MAX_LINE: u64 = 64 << 10;

/// What to translate.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
The rule is read into the internal plan, written in the other language, and what was written is read again: unless it
gives the same canonical plan (see `pictor explain`), there is no translation, and every step without a counterpart is
named. Of a URL, host, path and other parameters stay; signatures and tokens go, because they would not be right any
more, and a note says so. The host of a mark's picture is not compared: a mark is of the same bucket.

Many rules mean the same only for the originals that a site really has. Say what you know of them:
  --assume still    no original is an animation (a crop leaves Aliyun one frame of it, Tencent all)
  --assume small    no picture reaches a vendor's limit on size (Aliyun turns at most 4096 pixels a side, ...)
  --assume large    no picture is smaller than a step asks for (else one vendor enlarges, another crops or leaves it)
No more of it is used than has to be, and what was used is told.

style/NAME keeps its name if it is the whole rule: create the style there, with its own rule translated. With --config
the site's styles are looked up and written out.

With `-`, URLs are read from standard input, one a line, and for each a line is written:
  original <TAB> translation, or nothing <TAB> notes, or why there is none

Exit code: 0 if everything was translated, 1 if not.")]
pub struct TranslateArguments {
    /// A URL, a path with a query, or a rule alone; `-` reads a list from standard input.
    #[arg(required_unless_present = "list")]
    url: Option<String>,
    /// The language to write: aliyun or tencent.
    #[arg(long, required_unless_present = "list", value_parser = language)]
    to: Option<Dialect>,
    /// What holds for every original: still, small, large (see --help). Separated by commas.
    #[arg(long, value_delimiter = ',', value_parser = assumption)]
    assume: Vec<Assumption>,
    /// Look styles up in this configuration.
    #[arg(long)]
    config: Option<PathBuf>,
    /// The site's name in the configuration; by default the first.
    #[arg(long, requires = "config")]
    site: Option<String>,
    /// Print what has a counterpart in the other language and what has none, as Markdown.
    #[arg(long, conflicts_with = "url")]
    list: bool,
}

fn language(name: &str) -> Result<Dialect, String> {
    Dialect::from_name(name).ok_or_else(|| "write aliyun or tencent".into())
}

fn assumption(name: &str) -> Result<Assumption, String> {
    Assumption::from_name(name).ok_or_else(|| "write still, small or large".into())
}

/// Translates onto standard output; notes go to standard error.
pub fn run(arguments: &TranslateArguments) -> Result<(), String> {
    let (Some(url), Some(to)) = (&arguments.url, arguments.to) else {
        print!("{}", table());
        return Ok(());
    };
    let styles = explain::settings(arguments.config.as_deref(), arguments.site.as_deref())?.language.styles;
    let given = &arguments.assume;
    if url == "-" {
        return list(io::stdin().lock(), BufWriter::new(io::stdout().lock()), to, given, &styles);
    }
    let done = one(url.trim(), to, given, &styles).map_err(|reasons| {
        let lines: String = reasons.iter().map(|reason| format!("\n  {reason}")).collect();
        format!("there is no counterpart in {}:{lines}", to.name())
    })?;
    println!("{}", done.text);
    for note in done.notes {
        eprintln!("note: {note}");
    }
    Ok(())
}

/// Translates line by line.
fn list(
    input: impl BufRead,
    mut output: impl Write,
    to: Dialect,
    given: &[Assumption],
    styles: &Styles,
) -> Result<(), String> {
    let (mut all, mut failed) = (0u64, 0u64);
    super::lines(input, MAX_LINE, |line| {
        let done = match line {
            Ok(line) => one(line, to, given, styles),
            Err(_) => Err(vec![format!("a line of more than {MAX_LINE} bytes, or not UTF-8")]),
        };
        all += 1;
        failed += u64::from(done.is_err());
        let (text, notes) = match done {
            Ok(done) => (done.text, done.notes),
            Err(reasons) => (String::new(), reasons),
        };
        let original = line.unwrap_or_default();
        writeln!(output, "{}\t{}\t{}", cell(original), cell(&text), cell(&notes.join("; ")))
            .map_err(|error| format!("standard output: {error}"))
    })?;
    output.flush().map_err(|error| format!("standard output: {error}"))?;
    match failed {
        0 => Ok(()),
        failed => Err(format!("{failed} of {all} have no counterpart in {}; the third column says why", to.name())),
    }
}

/// A text that is one cell of one line.
fn cell(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// What came of a text.
struct Done {
    text: String,
    notes: Vec<String>,
}

impl Done {
    fn same(text: &str, note: &str) -> Result<Self, Vec<String>> {
        Ok(Self { text: text.to_owned(), notes: vec![note.to_owned()] })
    }
}

/// Translates a URL or a rule.
fn one(text: &str, to: Dialect, given: &[Assumption], styles: &Styles) -> Result<Done, Vec<String>> {
    let (url, fragment) = match text.split_once('#') {
        Some((url, fragment)) => (url, format!("#{fragment}")),
        None => (text, String::new()),
    };
    let is_path = url.starts_with('/') || url.starts_with("http://") || url.starts_with("https://");
    let (path, query) = match url.split_once('?') {
        // Before the first `?` of a URL there is no rule; a stray one inside of a rule comes after a pipe.
        Some((path, query)) if !path.contains('|') => (Some(path), query.to_owned()),
        _ if is_path => (Some(url), String::new()),
        _ => (None, bare(url)),
    };
    // A style at the end of the path is the rule, where it is known.
    let styled = path.and_then(|path| styles.split(path));
    let by_path = styled.is_some();
    let (path, query) = match styled {
        Some((path, rule)) => (Some(path), if query.is_empty() { rule } else { format!("{rule}&{query}") }),
        None => (path, query),
    };
    let (rule, mut notes) = match dialect::recognise(&query, &Dialect::ALL, styles) {
        Recognised::None if path.is_some() => return Done::same(text, "no rule in it: unchanged"),
        Recognised::None => return Err(vec!["it is no rule: one begins with imageMogr2/, image/, ...".into()]),
        Recognised::Rule { dialect, .. } if dialect == to && !by_path => {
            return Done::same(text, &format!("in the language of {} already: unchanged", to.name()));
        }
        Recognised::Rule { plan: Err(error), .. } if error.kind == Kind::NoSuchStyle => {
            let (from, name) =
                styles::lone(&query).ok_or_else(|| vec![format!("{}; look it up with --config", error.message)])?;
            let note = format!("a style {name} has to exist there: translate the rule of {}'s", from.name());
            (format!("style/{name}"), vec![note])
        }
        Recognised::Rule { plan: Err(error), .. } => return Err(vec![format!("the rule is wrong: {}", error.message)]),
        Recognised::Rule { dialect, plan: Ok(plan), .. } => match translate(&plan, to, given) {
            Ok(done) => (done.rule, done.notes),
            Err(missing) => return Err(missing.iter().map(|missing| missing.told(dialect)).collect()),
        },
    };
    let Some(path) = path else { return Ok(Done { text: rule, notes }) };
    let (query, signed) = dialect::rewrite(&query, Some(&as_query(to, &rule)));
    if signed {
        notes.push("the signature was dropped: sign the URL again".into());
    }
    Ok(Done { text: format!("{path}?{query}{fragment}"), notes })
}

/// A bare rule as a query.
fn bare(rule: &str) -> String {
    let aliyun = ["image/", "style/", "sys/"].iter().any(|start| rule.starts_with(start));
    if aliyun { as_query(Dialect::Aliyun, rule) } else { rule.to_owned() }
}

/// Examples of everything, with what they become. Worked out, not written down.
fn table() -> String {
    let mut text = String::new();
    for (from, to, rules) in [(Dialect::Tencent, Dialect::Aliyun, TENCENT), (Dialect::Aliyun, Dialect::Tencent, ALIYUN)]
    {
        text.push_str(&format!(
            "## {} to {}\n\n| rule | counterpart | holds if |\n| --- | --- | --- |\n",
            from.name(),
            to.name()
        ));
        for rule in rules {
            let (counterpart, holds) = match dialect::parse_rule(rule) {
                Ok((_, plan)) => match translate(&plan, to, &Assumption::ALL) {
                    Ok(done) if done.assumed.is_empty() => (format!("`{}`", done.rule), "always".to_owned()),
                    Ok(done) => {
                        let names: Vec<_> = done.assumed.iter().map(|one| one.name()).collect();
                        (format!("`{}`", done.rule), names.join(", "))
                    }
                    Err(missing) => {
                        let reasons: Vec<_> = missing.iter().map(|missing| missing.why.clone()).collect();
                        ("none".to_owned(), reasons.join("; "))
                    }
                },
                Err(error) => ("none".to_owned(), error.message),
            };
            let plain = |text: &str| text.replace('|', "\\|");
            text.push_str(&format!("| `{}` | {} | {} |\n", plain(rule), plain(&counterpart), plain(&holds)));
        }
        text.push('\n');
    }
    text
}

const TENCENT: &[&str] = &[
    "imageMogr2/thumbnail/300x200",
    "imageMogr2/thumbnail/300x",
    "imageMogr2/thumbnail/300x200>",
    "imageMogr2/thumbnail/300x200<",
    "imageMogr2/thumbnail/300x200!",
    "imageMogr2/thumbnail/!300x200r",
    "imageMogr2/thumbnail/!50p",
    "imageMogr2/thumbnail/!33.3p",
    "imageMogr2/thumbnail/!50px",
    "imageMogr2/thumbnail/20000@",
    "imageMogr2/thumbnail/300x200/pad/1/color/IzNEM0QzRA",
    "imageMogr2/cut/300x200x10x20",
    "imageMogr2/cut/300x200x10x20/gravity/southeast",
    "imageMogr2/crop/300x200",
    "imageMogr2/crop/300x200/gravity/north",
    "imageMogr2/crop/300x",
    "imageMogr2/crop/!300x200a10a20",
    "imageMogr2/crop/300x200/gravity/northwest/dx/10",
    "imageMogr2/rcrop/0.75x1.5",
    "imageMogr2/indexcrop/width/100/index/2",
    "imageMogr2/indexcrop/width/100/height/100/index/2",
    "imageMogr2/iradius/100",
    "imageMogr2/rradius/30",
    "imageMogr2/auto-orient",
    "imageMogr2/rotate/90",
    "imageMogr2/flip/horizontal",
    "imageMogr2/blur/8x5",
    "imageMogr2/blur/8x2.5",
    "imageMogr2/bright/50",
    "imageMogr2/contrast/-50",
    "imageMogr2/sharpen/70",
    "imageMogr2/sharpen/20",
    "imageMogr2/grayscale/1",
    "imageMogr2/format/jpg",
    "imageMogr2/format/webp",
    "imageMogr2/format/avif",
    "imageMogr2/format/heif",
    "imageMogr2/format/gif",
    "imageMogr2/format/tpg",
    "imageMogr2/cgif/10",
    "imageMogr2/frame/1",
    "imageMogr2/quality/80",
    "imageMogr2/quality/80!",
    "imageMogr2/rquality/80",
    "imageMogr2/lquality/80",
    "imageMogr2/interlace/1",
    "imageMogr2/strip",
    "imageMogr2/format/jpg/size-limit/15k",
    "imageMogr2/thumbnail/300x/ignore-error/1",
    "imageView2/0/w/300/h/200",
    "imageView2/1/w/300/h/200",
    "imageView2/2/w/300/h/200",
    "imageView2/3/w/300/h/200",
    "imageView2/4/w/300/h/200",
    "imageView2/5/w/300/h/200",
    "watermark/1/image_key/bWFyay5wbmc/gravity/northwest/dx/5/dy/5",
    "watermark/1/image_key/bWFyay5wbmc/blogo/1/scatype/1/spcent/100",
    "watermark/2/text/SGVsbG8/fontsize/30/dissolve/50/shadow/50",
    "watermark/2/text/SGVsbG8/fill/I0ZGMDAwMA/batch/1/spacing/0",
    "watermark/2/text/SGVsbG8/batch/1/degree/45",
    "imageSlim",
    "imageMogr2/thumbnail/300x200|imageInfo",
    "imageInfo",
    "imageAve",
    "exif",
];

const ALIYUN: &[&str] = &[
    "image/resize,w_300,h_200",
    "image/resize,w_300",
    "image/resize,w_2000",
    "image/resize,w_300,h_200,limit_0",
    "image/resize,l_300,s_200",
    "image/resize,l_300",
    "image/resize,s_200",
    "image/resize,m_mfit,w_300,h_200",
    "image/resize,m_fill,w_300,h_200",
    "image/resize,m_fill,w_300,h_200,limit_0",
    "image/resize,m_pad,w_300,h_200,color_FF0000",
    "image/resize,m_pad,w_300,h_200,limit_0",
    "image/resize,m_fixed,w_300,h_200",
    "image/resize,m_fixed,w_300,h_200,limit_0",
    "image/resize,p_50",
    "image/crop,x_10,y_20,w_300,h_200",
    "image/crop,w_300,h_200,g_center",
    "image/crop,x_10,y_20",
    "image/crop,w_300,h_200,x_10,y_10,g_se",
    "image/circle,r_100",
    "image/rounded-corners,r_30",
    "image/indexcrop,x_100,i_2",
    "image/auto-orient,1",
    "image/rotate,90",
    "image/resize,w_800,h_800/rotate,90",
    "image/blur,r_3,s_2",
    "image/bright,50",
    "image/contrast,-50",
    "image/sharpen,100",
    "image/sharpen,350",
    "image/interlace,1",
    "image/format,jpg",
    "image/format,webp",
    "image/format,avif",
    "image/resize,w_800,h_800/format,avif",
    "image/format,heic",
    "image/format,gif",
    "image/quality,Q_80",
    "image/quality,q_80",
    "image/quality,lossless",
    "image/watermark,text_SGVsbG8",
    "image/watermark,text_SGVsbG8,rotate_30",
    "image/watermark,text_SGVsbG8,g_west,voffset_20",
    "image/watermark,text_SGVsbG8,fill_1,padx_10,pady_10",
    "image/watermark,image_cGFuZGEucG5n,t_90",
    "image/watermark,image_cGFuZGEucG5nP3gtb3NzLXByb2Nlc3M9aW1hZ2UvcmVzaXplLFBfMzA",
    "image/watermark,image_cGFuZGEucG5n,text_SGVsbG8",
    "image/info",
    "image/average-hue",
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    fn to(text: &str, to: Dialect, styles: &Styles) -> (String, String) {
        let done = one(text, to, &[], styles).unwrap_or_else(|reasons| panic!("{text}: {reasons:?}"));
        (done.text, done.notes.join("; "))
    }

    #[test]
    fn a_url_keeps_all_but_its_rule_and_signature() {
        let none = Styles::default();
        let (text, notes) = to(
            "https://b.example/a%20b.jpg?versionId=1&imageMogr2/thumbnail/300x%3E&q-ak=k&q-signature=s&c=d#top",
            Dialect::Aliyun,
            &none,
        );
        assert_eq!(text, "https://b.example/a%20b.jpg?versionId=1&x-oss-process=image/resize,w_300&c=d#top");
        assert!(notes.contains("sign the URL again"), "{notes}");
        let (text, notes) = to("/a.jpg?x-oss-process=image/resize,w_300/auto-orient,1", Dialect::Tencent, &none);
        let rule = "imageMogr2/thumbnail/300x%3E%7CimageMogr2/auto-orient/frame/1";
        assert_eq!((text, notes), (format!("/a.jpg?{rule}"), String::new()));
        assert_eq!(to("image/resize,w_300", Dialect::Tencent, &none).0, "imageMogr2/thumbnail/300x>");
        for same in ["https://b.example/a.jpg", "/a.jpg?a=1", "/a.jpg?x-oss-process=image/resize,w_1"] {
            assert_eq!(to(same, Dialect::Aliyun, &none).0, same);
        }
        for wrong in ["nothing", "imageMogr2/nosuch/1", "/a?imageInfo&x-oss-process=image/info", ""] {
            assert!(one(wrong, Dialect::Aliyun, &[], &none).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_style_keeps_its_name_or_is_written_out() {
        let mut styles = Styles::new("!").unwrap();
        styles.add("small", "imageMogr2/thumbnail/300x>", &Dialect::ALL).unwrap();
        let none = Styles::default();
        let (text, notes) = to("/a.jpg?style/small&v=1", Dialect::Aliyun, &none);
        assert_eq!(text, "/a.jpg?x-oss-process=style/small&v=1");
        assert!(notes.contains("has to exist there"), "{notes}");
        assert_eq!(to("/a.jpg?style/small", Dialect::Aliyun, &styles).0, "/a.jpg?x-oss-process=image/resize,w_300");
        assert_eq!(to("/a.jpg!small", Dialect::Aliyun, &styles).0, "/a.jpg?x-oss-process=image/resize,w_300");
        assert_eq!(to("/a.jpg!small", Dialect::Aliyun, &none).0, "/a.jpg!small", "nobody knows that it is one");
        let mixed = "/a.jpg?style/small|imageMogr2/interlace/1";
        assert!(one(mixed, Dialect::Aliyun, &[], &none).is_err_and(|reasons| reasons[0].contains("--config")));
        let (text, _) = to(mixed, Dialect::Aliyun, &styles);
        assert_eq!(text, "/a.jpg?x-oss-process=image/resize,w_300/interlace,1");
    }

    #[test]
    fn a_list_has_three_columns() {
        let input = "# a site\n\nimageMogr2/thumbnail/300x\n/a\tb?imageInfo\n\u{ff}\n";
        let input = [input.as_bytes(), b"\xff\n", "x".repeat(70_000).as_bytes(), b"\n/last"].concat();
        let mut output = Vec::new();
        let ended = list(input.as_slice(), &mut output, Dialect::Aliyun, &[], &Styles::default());
        let text = String::from_utf8(output).unwrap();
        let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split('\t').collect()).collect();
        assert!(rows.iter().all(|row| row.len() == 3), "{text}");
        assert_eq!(rows[0], ["imageMogr2/thumbnail/300x", "image/resize,w_300,limit_0", ""]);
        assert_eq!(rows[5], ["/last", "/last", "no rule in it: unchanged"]);
        assert_eq!(ended.unwrap_err().split(" have").next(), Some("4 of 6"));
    }

    #[test]
    fn the_table_tells_of_every_operation() {
        let text = table();
        for dialect in Dialect::ALL {
            for entry in dialect.operations().into_iter().filter(|entry| entry.available) {
                let known = text.contains(entry.name) || matches!(entry.name, "style" | "scrop" | "egif");
                assert!(known, "{}/{} is not in the table", entry.module, entry.name);
            }
        }
        for row in text.replace("\\|", "").lines().filter(|line| line.starts_with('|')) {
            assert_eq!(row.matches('|').count(), 4, "{row}");
        }
    }
}
