//! Header fields as OSS and S3 sign them: a line each, by names in order.

use http::HeaderMap;

/// `name:value` lines of the fields whose lower-case names are signed, sorted; values are trimmed, and of a field that stands
/// several times joined with commas in their order. `host`: what stands for the field `host`, where that is signed.
/// `one_space`: runs of blanks within a value become one, which S3 does and OSS does not.
pub(super) fn canonical_fields(
    headers: &HeaderMap,
    host: Option<&str>,
    one_space: bool,
    signed: impl Fn(&str) -> bool,
) -> Vec<u8> {
    let mut names: Vec<&str> =
        headers.keys().map(http::HeaderName::as_str).filter(|name| *name != "host" && signed(name)).collect();
    names.extend(host.map(|_| "host"));
    names.sort_unstable();
    let mut lines = Vec::new();
    for name in names {
        lines.extend_from_slice(name.as_bytes());
        lines.push(b':');
        let start = lines.len();
        let values = headers.get_all(name).iter().map(http::HeaderValue::as_bytes);
        let host = host.filter(|_| name == "host").map(str::as_bytes);
        for value in values.filter(|_| host.is_none()).chain(host) {
            if lines.len() > start {
                lines.push(b',');
            }
            push_value(&mut lines, value, one_space);
        }
        lines.push(b'\n');
    }
    lines
}

fn push_value(lines: &mut Vec<u8>, value: &[u8], one_space: bool) {
    if !one_space {
        return lines.extend_from_slice(value.trim_ascii());
    }
    let blank = |byte: &u8| byte.is_ascii_whitespace();
    for (number, word) in value.split(blank).filter(|word| !word.is_empty()).enumerate() {
        if number > 0 {
            lines.push(b' ');
        }
        lines.extend_from_slice(word);
    }
}

/// The names of a list that is separated by semicolons, in lower case and sorted. `None`: a name stands twice, or there are more
/// than a request may have.
pub(super) fn listed(list: &str) -> Option<Vec<String>> {
    let most = super::message::MOST_FIELDS;
    let mut names: Vec<String> = list
        .split(';')
        .filter(|name| !name.is_empty())
        .take(most + 1)
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    names.sort_unstable();
    (names.len() <= most && names.windows(2).all(|pair| pair[0] != pair[1])).then_some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_lines_in_order() {
        let mut headers = HeaderMap::new();
        for (name, value) in [("x-b", "  two   words\t"), ("x-a", "1"), ("x-b", "again"), ("host", "a"), ("y", "0")] {
            headers.append(name, value.parse().unwrap_or_else(|_| unreachable!()));
        }
        let lines = |host, one| String::from_utf8(canonical_fields(&headers, host, one, |name| name != "y")).ok();
        assert_eq!(lines(None, false).as_deref(), Some("x-a:1\nx-b:two   words,again\n"));
        assert_eq!(lines(Some("b:80"), true).as_deref(), Some("host:b:80\nx-a:1\nx-b:two words,again\n"));
    }

    #[test]
    fn lists_are_sorted_and_have_no_doubles() {
        assert_eq!(listed("b;A;;c"), Some(vec!["a".into(), "b".into(), "c".into()]));
        assert_eq!(listed(""), Some(vec![]));
        assert_eq!(listed("a;b;A"), None);
        assert_eq!(
            listed(&"a".repeat(300).chars().enumerate().map(|(n, _)| format!("{n};")).collect::<String>()),
            None
        );
    }
}
