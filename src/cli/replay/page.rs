//! The report as a page. Everything that came from elsewhere is escaped; and were it not, the page's own policy lets no
//! script run but the one below, and loads nothing but the pictures beside it.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::judge::{DifferenceKind, PlaceAnswer};
use super::summary::{PictureFiles, ReplaySettings, Row, Summary};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The page.
pub(super) fn page(settings: &ReplaySettings, summary: &Summary, rows: &[&Row]) -> String {
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    let policy = format!(
        "default-src 'none'; img-src 'self' file:; style-src {}; script-src {}; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    );
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>Replay</title>\n<style>{STYLE}</style>\n"
    );
    head(&mut out, settings, summary);
    controls(&mut out, summary, rows);
    out.push_str("<main id=\"rows\">\n");
    for (place, row) in rows.iter().enumerate() {
        card(&mut out, place, row);
    }
    out.push_str("</main>\n<p id=\"none\" hidden>Nothing matches.</p>\n");
    out.push_str("<dialog id=\"view\"><p id=\"caption\"></p><img id=\"large\" alt=\"\"></dialog>\n");
    let _ = writeln!(out, "<script>{SCRIPT}</script>\n</html>");
    out
}

fn head(out: &mut String, settings: &ReplaySettings, summary: &Summary) {
    let verdict = match summary.different() {
        0 => "<b class=\"good\">All answers agree</b>".to_owned(),
        different => format!("<b class=\"bad\">{different} of {} differ</b>", summary.total),
    };
    let (from, against) = (escape(&settings.from), escape(&settings.against));
    let _ = write!(
        out,
        "<header>\n<h1>Replay</h1>\n<p><span class=\"from\">{from}</span> compared with \
         <span class=\"against\">{against}</span></p>\n<div class=\"numbers\">\n\
         <div>{verdict}<small>{} pairs, {} agree</small></div>\n",
        summary.total, summary.same
    );
    if let Some(lowest) = summary.lowest {
        let [best, good, fair, poor] = summary.scores;
        let _ = writeln!(
            out,
            "<div><b>{lowest:.1}</b><small>lowest SSIMULACRA2 of {}; 90+: {best}, 70+: {good}, 50+: {fair}, below: {poor}\
             </small></div>",
            summary.scored
        );
    }
    let ([before, after], [first, second]) = (summary.bytes, summary.mean_ms());
    let _ = write!(
        out,
        "<div><b>{:+.1} %</b><small>bytes: {} became {}</small></div>\n\
         <div><b>{second} ms</b><small>an answer; it was {first} ms</small></div>\n</div>\n",
        summary.growth(),
        bytes(before),
        bytes(after)
    );
    let ignored: Vec<_> = settings.ignore.iter().map(|kind| kind.name()).collect();
    let ignored = if ignored.is_empty() { String::new() } else { format!(" Ignored: {}.", ignored.join(", ")) };
    let _ = write!(
        out,
        "<p class=\"fine\">Alike from a score of {} on; a body may grow by {} %.{ignored}</p>\n</header>\n",
        settings.min_score, settings.max_growth
    );
}

fn controls(out: &mut String, summary: &Summary, rows: &[&Row]) {
    out.push_str("<nav>\n<span id=\"kinds\">");
    let different = summary.different();
    let _ = write!(out, "<button data-kind=\"different\" aria-pressed=\"true\">different {different}</button>");
    for (kind, count) in &summary.kinds {
        let name = kind.name();
        let _ = write!(out, "<button data-kind=\"{name}\" aria-pressed=\"false\">{name} {count}</button>");
    }
    let _ = writeln!(out, "<button data-kind=\"same\" aria-pressed=\"false\">agree {}</button></span>", summary.same);
    out.push_str(
        "<input id=\"words\" type=\"search\" placeholder=\"part of a URL\" aria-label=\"part of a URL\">\n\
         <label>order <select id=\"order\"><option value=\"rank\">worst first</option>\
         <option value=\"number\">as in the list</option><option value=\"score\">score</option>\
         <option value=\"growth\">growth</option></select></label>\n",
    );
    let shown = rows.iter().filter(|row| !row.differences.is_empty()).count() as u64;
    let same = rows.len() as u64 - shown;
    if shown < different || same < summary.same {
        let _ = writeln!(
            out,
            "<p class=\"fine\">This page shows the worst {shown} differences and {same} pairs that agree; report.json has \
             all.</p>"
        );
    }
    out.push_str("</nav>\n");
}

fn card(out: &mut String, rank: usize, row: &Row) {
    let mut kinds: Vec<&str> = row.differences.iter().map(|one| one.kind.name()).collect();
    kinds.dedup();
    let words = if kinds.is_empty() { "same".to_owned() } else { format!("different {}", kinds.join(" ")) };
    let growth = row.against.bytes as f64 / row.from.bytes.max(1) as f64;
    let score = row.score.map(|score| format!("{score:.1}")).unwrap_or_default();
    let _ = write!(
        out,
        "<article data-kinds=\"{words}\" data-rank=\"{rank}\" data-number=\"{}\" data-score=\"{score}\" \
         data-growth=\"{growth:.3}\">\n<h2>",
        row.number
    );
    for kind in &kinds {
        let _ = write!(out, "<span class=\"tag {kind}\">{kind}</span> ");
    }
    let _ = writeln!(out, "<small>{}</small> <code>{}</code></h2>", row.number, escape(&row.url));
    if let Some(other) = &row.other_url {
        let _ = writeln!(out, "<p class=\"fine\">with <code>{}</code></p>", escape(other));
    }
    if !row.differences.is_empty() || row.score.is_some() {
        out.push_str("<ul>");
        for one in &row.differences {
            let _ = write!(out, "<li><b>{}</b> {}</li>", one.kind.name(), escape(&one.detail));
        }
        let told = row.differences.iter().any(|one| one.kind == DifferenceKind::Pixels);
        if let (Some(score), false) = (row.score, told) {
            let _ = write!(out, "<li class=\"fine\">SSIMULACRA2 is {score:.1}</li>");
        }
        out.push_str("</ul>\n");
    }
    out.push_str("<div class=\"pair\">\n");
    let [first, second] = &row.pictures;
    let both = row.from.bytes > 0 && row.against.bytes > 0 && row.from.status == row.against.status;
    let percent = both.then(|| format!("{:+.0} %", (growth - 1.0) * 100.0));
    side(out, "from", &row.from, first, None);
    side(out, "against", &row.against, second, percent);
    out.push_str("</div>\n</article>\n");
}

fn side(out: &mut String, name: &str, side: &PlaceAnswer, picture: &PictureFiles, growth: Option<String>) {
    let mut facts = Vec::new();
    match &side.error {
        Some(error) => facts.push(format!("<span class=\"bad\">{}</span>", escape(error))),
        None => {
            facts.push(format!("<b>{}</b>", side.status));
            facts.extend(side.code.as_deref().map(escape));
            facts.push(escape(&side.media));
            if let (Some(w), Some(h)) = (side.width, side.height) {
                facts.push(format!("{w}&times;{h}"));
            }
            if let Some(frames @ 2..) = side.frames {
                facts.push(format!("{frames} frames"));
            }
            facts.push(bytes(side.bytes));
            facts.extend(growth);
        }
    }
    facts.push(format!("{} ms", side.ms));
    facts.retain(|fact| !fact.is_empty());
    let _ = write!(out, "<figure class=\"{name}\"><figcaption>{}", facts.join(" &middot; "));
    // Names are our own.
    if let Some(original) = &picture.original {
        let _ = write!(out, " &middot; <a href=\"{original}\">as it came</a>");
    }
    out.push_str("</figcaption>");
    if let Some(message) = &side.message {
        let _ = write!(out, "<p class=\"fine\">{}</p>", escape(message));
    }
    if let Some(shown) = &picture.shown {
        let _ = write!(out, "<img src=\"{shown}\" alt=\"{name}\" loading=\"lazy\">");
    }
    out.push_str("</figure>\n");
}

/// A number of bytes for people.
fn bytes(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} B"),
        10_000..10_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

/// Text as text, in elements and in quoted attributes.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // Control characters, and those that turn the direction of what follows.
            c if c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') => {
                out.push('\u{fffd}')
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_gets_out_of_its_place() {
        assert_eq!(escape("<a href='x' b=\"y\">&"), "&lt;a href=&#39;x&#39; b=&quot;y&quot;&gt;&amp;");
        assert_eq!(escape("a\u{202e}b\u{1b}[0m"), "a\u{fffd}b\u{fffd}[0m");
        assert!(!STYLE.contains("</") && !SCRIPT.contains("</"), "an end tag would end them");
    }
}
