//! `Accept` as a list of weighted ranges.

/// Bytes of all header lines that are read; browsers send about 150.
const MAX_BYTES: usize = 4096;

/// Members that are read.
const MAX_MEMBERS: usize = 64;

/// A weight in thousandths, 0..=1000.
pub(super) type Weight = u16;

/// What a client says of media types.
#[derive(Debug, Default)]
pub(super) struct Accept {
    /// Range in lower case without parameters, and its weight.
    members: Vec<(String, Weight)>,
}

impl Accept {
    /// Reads header lines. What lies beyond the limits is not read, and neither is a member that they cut in two.
    pub(super) fn read<'a>(lines: impl IntoIterator<Item = &'a str>) -> Self {
        let mut accept = Self::default();
        let mut left = MAX_BYTES;
        for line in lines {
            let line_members = split(line, b',').peekable();
            for member in line_members {
                let Some(rest) = left.checked_sub(member.len().saturating_add(1)) else { return accept };
                left = rest;
                if accept.members.len() == MAX_MEMBERS {
                    return accept;
                }
                accept.members.extend(read_member(member));
            }
        }
        accept
    }

    /// The weight of exactly this media type, if the client names it. Named twice, the lower one counts: what may have
    /// been excluded is not sent.
    pub(super) fn named(&self, media_type: &str) -> Option<Weight> {
        self.members.iter().filter(|(range, _)| range == media_type).map(|(_, weight)| *weight).min()
    }

    /// The weight of an image type: of the most specific range that covers it, 0 if none does.
    pub(super) fn weight(&self, media_type: &str) -> Weight {
        [media_type, "image/*", "*/*"].into_iter().find_map(|range| self.named(range)).unwrap_or(0)
    }
}

fn read_member(member: &str) -> Option<(String, Weight)> {
    let mut parts = split(member, b';').map(str::trim);
    let range = parts.next().filter(|range| range.contains('/'))?.to_ascii_lowercase();
    // Parameters before `q` narrow the type; nothing here has any, so they are passed over.
    let weight = parts.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then(|| weight(value.trim()))
    });
    // A weight that cannot be read says nothing in favour.
    Some((range, weight.map_or(1000, |weight| weight.unwrap_or(0))))
}

/// `0`, `0.5`, `0.125`, `1`, `1.000`: three decimals at most, not above 1.
fn weight(text: &str) -> Option<Weight> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let thousandths: Weight = format!("{fraction:0<3}").parse().ok()?;
    match (whole, thousandths) {
        ("0", thousandths) => Some(thousandths),
        ("1", 0) => Some(1000),
        _ => None,
    }
}

/// Splits outside of quoted strings.
fn split(text: &str, separator: u8) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |c: char| {
        let was_escaped = std::mem::take(&mut escaped);
        match c {
            '"' if !was_escaped => quoted = !quoted,
            '\\' if quoted && !was_escaped => escaped = true,
            c => return !quoted && c == char::from(separator),
        }
        false
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_have_three_decimals_and_stay_below_one() {
        for (text, want) in [
            ("0", Some(0)),
            ("0.", Some(0)),
            ("0.5", Some(500)),
            ("0.125", Some(125)),
            ("0.001", Some(1)),
            ("1", Some(1000)),
            ("1.", Some(1000)),
            ("1.000", Some(1000)),
            ("1.001", None),
            ("0.1234", None),
            ("2", None),
            (".5", None),
            ("-0.5", None),
            ("0.5e0", None),
            ("", None),
            ("high", None),
            ("01", None),
        ] {
            assert_eq!(weight(text), want, "{text}");
        }
    }

    #[test]
    fn the_most_specific_range_counts() {
        let accept = Accept::read(["image/webp;q=0.2, image/*;q=0.5", "*/*;q=0.8"]);
        assert_eq!(accept.weight("image/webp"), 200);
        assert_eq!(accept.weight("image/png"), 500);
        assert_eq!(Accept::read(["*/*;q=0.8"]).weight("image/png"), 800);
        assert_eq!(Accept::read(["text/html"]).weight("image/png"), 0);
    }

    #[test]
    fn quoted_strings_hide_commas_and_semicolons() {
        let accept = Accept::read([r#"text/x;a="b,image/avif;q=1\",image/avif", image/webp;c="1;q=0";q=0.7"#]);
        assert_eq!(accept.named("image/avif"), None);
        assert_eq!(accept.named("image/webp"), Some(700));
    }

    #[test]
    fn hostile_lengths_are_cut() {
        let many = "text/a,".repeat(70) + "image/avif";
        assert_eq!(Accept::read([many.as_str()]).named("image/avif"), None);
        let long = format!("text/{},image/avif", "a".repeat(5000));
        assert_eq!(Accept::read([long.as_str()]).named("image/avif"), None);
        // Cut in the middle of a member, its weight would be another.
        let edge = format!("text/{},image/avif;q=0.001", "a".repeat(MAX_BYTES - 20));
        assert_eq!(Accept::read([edge.as_str()]).named("image/avif"), None);
    }
}
