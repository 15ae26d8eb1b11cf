//! Media types by the ending of a name, for stores that keep none.

/// The media type; `application/octet-stream` for endings that are not known.
pub(super) fn media_type(name: &str) -> &'static str {
    let ending = name.rsplit('/').next().and_then(|file| file.rsplit_once('.')).map(|(_, ending)| ending);
    match ending.unwrap_or_default().to_ascii_lowercase().as_str() {
        "jpg" | "jpeg" | "jpe" | "jfif" => "image/jpeg",
        "png" | "apng" => "image/png",
        "gif" => "image/gif",
        "bmp" => "image/bmp",
        "webp" => "image/webp",
        "avif" | "avifs" => "image/avif",
        "heic" | "heics" => "image/heic",
        "heif" | "hif" => "image/heif",
        "tif" | "tiff" => "image/tiff",
        "ico" => "image/x-icon",
        "jxl" => "image/jxl",
        "svg" => "image/svg+xml",
        "tpg" => "image/tpg",
        "mp4" => "video/mp4",
        "pdf" => "application/pdf",
        "json" => "application/json",
        "xml" => "application/xml",
        "js" => "text/javascript",
        "css" => "text/css",
        "html" | "htm" => "text/html; charset=utf-8",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_decide() {
        assert_eq!(media_type("a/b.JPG"), "image/jpeg");
        assert_eq!(media_type("a.png/b"), "application/octet-stream");
        assert_eq!(media_type(".webp"), "image/webp");
    }
}
