//! Numbers as rules write them: digits only, no sign, no exponent. Too many digits saturate, so that absurd values are
//! out of range and never wrap around.

/// A whole number.
pub(super) fn whole(text: &str) -> Option<u64> {
    decimal(text, 0).filter(|_| !text.contains('.'))
}

/// A whole number inside of a range.
pub(super) fn within<T: TryFrom<u64>>(text: &str, range: std::ops::RangeInclusive<u64>) -> Option<T> {
    whole(text).filter(|number| range.contains(number)).and_then(|number| T::try_from(number).ok())
}

/// A number with an optional fraction, in units of `10^-places`, rounded half up: `decimal("33.3", 2)` is 3330.
pub(super) fn decimal(text: &str, places: usize) -> Option<u64> {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
        Some(_) => return None,
        None => (text, ""),
    };
    if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let shifted = fraction.bytes().chain(std::iter::repeat(b'0')).take(places);
    let mut value = 0u64;
    for digit in whole.bytes().chain(shifted) {
        value = value.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
    }
    let up = fraction.as_bytes().get(places).is_some_and(|digit| *digit >= b'5');
    Some(value.saturating_add(up.into()))
}

/// A text short enough for a message.
pub(super) fn short(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((at, _)) => format!("{}...", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_digits_only() {
        assert_eq!(whole("300"), Some(300));
        assert_eq!(whole("0300"), Some(300));
        for text in ["", "+3", "-3", "3.0", "3e2", "٣", " 3", "0x3"] {
            assert_eq!(whole(text), None, "{text}");
        }
        assert_eq!(whole("99999999999999999999999999"), Some(u64::MAX));
        assert_eq!(within::<u8>("256", 0..=1000), None);
        assert_eq!(within::<u8>("100", 1..=100), Some(100));
    }

    #[test]
    fn rounds_fractions() {
        assert_eq!(decimal("840.0", 0), Some(840));
        assert_eq!(decimal("840.5", 0), Some(841));
        assert_eq!(decimal("33.3", 2), Some(3330));
        assert_eq!(decimal("33.335", 2), Some(3334));
        assert_eq!(decimal("50", 2), Some(5000));
        for text in [".5", "5.", "1.2.3", "."] {
            assert_eq!(decimal(text, 2), None, "{text}");
        }
    }

    #[test]
    fn shortens_between_characters() {
        assert_eq!(short("abc"), "abc");
        assert_eq!(short(&"é".repeat(61)), format!("{}...", "é".repeat(60)));
    }
}
