//! What the vendors call formats: one row for each. The older syntax of Aliyun has a list of its own, which nothing is added to.

use crate::plan::Format;

/// The words for a format.
struct Names {
    /// Values of Tencent's `format`; the first is the one to write. Empty: it is not written there.
    tencent: &'static [&'static str],
    /// Values of Aliyun's `format`, likewise.
    aliyun: &'static [&'static str],
    /// What Aliyun's `image/info` says.
    told: &'static str,
}

const fn names(format: Format) -> Names {
    let (tencent, aliyun, told): (&[&str], &[&str], &str) = match format {
        // `yjpeg` is an ordinary JPEG from an encoder that optimises.
        Format::Jpeg => (&["jpg", "jpeg", "yjpeg"], &["jpg", "jpeg"], "jpg"),
        Format::Png => (&["png"], &["png"], "png"),
        // Aliyun's `format,gif` keeps a GIF and converts nothing else to one: it is no target there.
        Format::Gif => (&["gif"], &[], "gif"),
        Format::Bmp => (&["bmp"], &["bmp"], "bmp"),
        Format::WebP => (&["webp"], &["webp"], "webp"),
        Format::Avif => (&["avif"], &["avif"], "avif"),
        Format::Heif => (&["heif", "heic"], &["heic"], "heic"),
        Format::Tiff => (&["tiff"], &["tiff"], "tiff"),
        Format::Ico => (&[], &[], "ico"),
        Format::Jxl => (&[], &[], "jxl"),
        Format::Svg => (&[], &[], "svg"),
        // No encoder of it is public: refused when the format is chosen, where `ignore-error` is heard.
        Format::Tpg => (&["tpg"], &[], "tpg"),
    };
    Names { tencent, aliyun, told }
}

/// The values of Tencent's `format`, for messages.
pub(super) const TENCENT: &str = "jpg, jpeg, yjpeg, png, apng, gif, bmp, webp, avif, heif, heic, tiff or tpg";

/// The values of Aliyun's `format`, likewise.
pub(super) const ALIYUN: &str = "jpg, png, webp, bmp, gif, tiff, heic or avif";

/// The format that a value of Tencent's `format` names; `apng` is not among them.
pub(super) fn of_tencent(text: &str) -> Option<Format> {
    Format::ALL.into_iter().find(|format| names(*format).tencent.contains(&text))
}

/// The value of Tencent's `format` for a format, where there is one.
pub(super) fn in_tencent(format: Format) -> Option<&'static str> {
    names(format).tencent.first().copied()
}

/// The format that a value of Aliyun's `format` names as a target.
pub(super) fn of_aliyun(text: &str) -> Option<Format> {
    Format::ALL.into_iter().find(|format| names(*format).aliyun.contains(&text))
}

/// The value of Aliyun's `format` for a target, where there is one.
pub(super) fn in_aliyun(format: Format) -> Option<&'static str> {
    names(format).aliyun.first().copied()
}

/// What Aliyun's `image/info` calls a format.
pub(super) fn told_by_aliyun(format: Format) -> &'static str {
    names(format).told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again_and_no_word_means_two() {
        for format in Format::ALL {
            let Names { tencent, aliyun, told } = names(format);
            assert!(in_tencent(format).is_none_or(|name| of_tencent(name) == Some(format)), "{format:?}");
            assert!(in_aliyun(format).is_none_or(|name| of_aliyun(name) == Some(format)), "{format:?}");
            assert!(tencent.iter().all(|name| of_tencent(name) == Some(format)), "{format:?}");
            assert!(aliyun.iter().all(|name| of_aliyun(name) == Some(format)), "{format:?}");
            let listed = |list: &str, name: &str| list.split([',', ' ']).any(|word| word == name);
            assert!(tencent.iter().all(|name| listed(TENCENT, name)), "{format:?}");
            assert!(in_aliyun(format).is_none_or(|name| listed(ALIYUN, name)), "{format:?}");
            assert!(!told.is_empty());
        }
        assert_eq!((of_tencent(""), of_aliyun("gif"), of_aliyun("heif")), (None, None, None));
    }
}
