//! Where a setting stands in the text, by its path.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The line of a byte, from 1.
pub fn line_at(text: &str, offset: usize) -> usize {
    text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
}

/// The line of a setting: `server.listen[1]`, `site[0].limits.max_frames`. Where it is not written, that of the table it
/// belongs in; `None` where there is not even that.
pub fn line_of(text: &str, path: &str) -> Option<usize> {
    let document = DeTable::parse(text).ok()?;
    walk(document.get_ref(), path).map(|offset| line_at(text, offset))
}

fn walk(table: &DeTable<'_>, path: &str) -> Option<usize> {
    let (mut table, mut found) = (table, None);
    for step in path.split('.') {
        let (name, places) = step.split_at(step.find('[').unwrap_or(step.len()));
        let entry = table.iter().find(|(key, _)| key.get_ref() == name);
        let Some((key, mut value)) = entry else { return found };
        found = Some(key.span().start);
        for place in places.split(['[', ']']).filter_map(|place| place.parse::<usize>().ok()) {
            let DeValue::Array(items) = value.get_ref() else { return found };
            let Some(item) = items.get(place) else { return found };
            found = Some(start(item));
            value = item;
        }
        match value.get_ref() {
            DeValue::Table(inner) => table = inner,
            _ => return found,
        }
    }
    found
}

/// Where an item of a list starts. A table of a list of tables starts where its header does.
fn start(item: &Spanned<DeValue<'_>>) -> usize {
    item.span().start
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# a = 1\n\
        a = 1\n\
        [b]\n\
        list = [\n\
          \"x\", # y\n\
          \"y\",\n\
        ]\n\
        [[site]]\n\
        a = 1\n\
        [site.limits]\n\
        a = \"a = 2\"\n\
        [[site]]\n\
        limits.a = 3\n\
        text = \"\"\"\n\
        a = 4\n\
        \"\"\"\n\
        inline = { a = 5 }\n";

    #[test]
    fn a_path_finds_its_line_however_often_its_text_stands_there() {
        for (path, line) in [
            ("a", Some(2)),
            ("b", Some(3)),
            ("b.list", Some(4)),
            ("b.list[0]", Some(5)),
            ("b.list[1]", Some(6)),
            ("b.list[9]", Some(4)),
            ("site[0]", Some(8)),
            ("site[0].a", Some(9)),
            ("site[0].limits", Some(10)),
            ("site[0].limits.a", Some(11)),
            ("site[1]", Some(12)),
            ("site[1].limits.a", Some(13)),
            ("site[1].a", Some(12)),
            ("site[1].inline.a", Some(17)),
            ("b.missing", Some(3)),
            ("missing.a", None),
            ("inline", None),
        ] {
            assert_eq!(line_of(TEXT, path), line, "{path}");
        }
    }
}
