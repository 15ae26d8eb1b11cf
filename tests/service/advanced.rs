//! `advanced_compression = false`: what a bucket refuses that has advanced compression off.

use crate::support::{Pictor, client, site};

async fn with(switch: &str) -> Pictor {
    let config = site("kind = \"dir\"\npath = \"DEMO\"").replace("[site.origin]", &format!("{switch}\n[site.origin]"));
    Pictor::start(&format!("{config}[site.negotiate]\nformats = [\"avif\", \"heif\", \"webp\"]\n")).await
}

async fn get(pictor: &Pictor, path: &str, accept: &str) -> (u16, http::HeaderMap, bytes::Bytes) {
    let answer = client().get(pictor.url(path)).header("Accept", accept).send().await.unwrap();
    (answer.status().as_u16(), answer.headers().clone(), answer.bytes().await.unwrap())
}

#[tokio::test]
async fn off_refuses_by_name_and_offers_nothing() {
    let pictor = with("advanced_compression = false").await;
    for (rule, code, header, number) in [
        ("imageMogr2/format/avif", "UnsupportedFormat", "x-errno", "-163"),
        ("imageMogr2/format/heif", "UnsupportedFormat", "x-errno", "-163"),
        ("imageMogr2/format/heic", "UnsupportedFormat", "x-errno", "-163"),
        ("imageMogr2/format/tpg", "UnsupportedFormat", "x-errno", "-163"),
        ("imageView2/2/w/100/format/avif", "UnsupportedFormat", "x-errno", "-163"),
        ("x-oss-process=image/format,avif", "BadRequest", "x-oss-ec", "0040-00000206"),
        ("x-oss-process=image/resize,w_100/format,heic", "BadRequest", "x-oss-ec", "0040-00000206"),
    ] {
        let (status, headers, body) = get(&pictor, &format!("/sample.png?{rule}"), "image/avif").await;
        let body = String::from_utf8_lossy(&body).into_owned();
        assert_eq!((status, headers[header].to_str().unwrap()), (400, number), "{rule} {body}");
        assert!(body.contains(&format!("<Code>{code}</Code>")), "{rule} {body}");
    }
    // A missing original is still missing.
    assert_eq!(get(&pictor, "/none.png?imageMogr2/format/avif", "").await.0, 404);
    let chrome = "image/avif,image/heif,image/webp,image/*,*/*;q=0.8";
    for (path, accept, media_type) in [
        ("/sample.png?imageMogr2/thumbnail/100x", chrome, "image/webp"),
        ("/sample.png?imageMogr2/thumbnail/100x", "image/avif,image/heif", "image/png"),
        ("/sample.png?imageMogr2/thumbnail/100x/format/webp", "", "image/webp"),
        ("/sample.png?x-oss-process=image/resize,w_100/format,webp", "", "image/webp"),
    ] {
        let (status, headers, _) = get(&pictor, path, accept).await;
        assert_eq!((status, headers["content-type"].to_str().unwrap()), (200, media_type), "{path} {accept}");
    }
}

#[tokio::test]
async fn off_writes_webp_by_the_ordinary_method() {
    let path = "/sample.jpg?imageMogr2/thumbnail/300x/format/webp";
    let ordinary = get(&with("advanced_compression = false").await, path, "").await.2;
    let advanced = get(&with("advanced_compression = true").await, path, "").await.2;
    let default = get(&with("").await, path, "").await.2;
    assert_eq!(default, advanced, "it is on where nothing is said");
    assert_ne!(ordinary, advanced);
}
