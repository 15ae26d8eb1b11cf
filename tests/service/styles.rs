//! Styles as clients use them, and originals that are given away by them only.

use crate::support::{Act, Origin, Pictor, client, site};

const STYLES: &str = "
separators = \"!_\"
[site.styles.rules]
small = \"imageMogr2/thumbnail/120x/format/jpg\"
oss = \"image/resize,w_90/format,png\"
";

async fn pictor(more: &str) -> Pictor {
    let config = site("kind = \"dir\"\npath = \"DEMO\"");
    Pictor::start(&format!("{config}[site.styles]\n{more}{STYLES}")).await
}

async fn get(pictor: &Pictor, path: &str) -> (u16, String, Vec<u8>) {
    let answer = client().get(pictor.url(path)).send().await.unwrap();
    let kind = answer.headers().get("content-type").map(|value| value.to_str().unwrap().to_owned());
    (answer.status().as_u16(), kind.unwrap_or_default(), answer.bytes().await.unwrap().to_vec())
}

#[tokio::test]
async fn a_style_gives_what_its_rule_gives() {
    let pictor = pictor("").await;
    let rule = get(&pictor, "/chelsea.png?imageMogr2/thumbnail/120x/format/jpg").await;
    assert_eq!((rule.0, &rule.1[..]), (200, "image/jpeg"));
    for path in ["/chelsea.png!small", "/chelsea.png_small", "/chelsea.png%21small", "/chelsea.png?style/small"] {
        assert_eq!(get(&pictor, path).await, rule, "{path}");
    }
    let oss = get(&pictor, "/chelsea.png!oss").await;
    assert_eq!((oss.0, &oss.1[..]), (200, "image/png"));
    assert_eq!(get(&pictor, "/chelsea.png?x-oss-process=style/oss").await, oss);
    // A rule in the query goes on where the style has ended.
    let turned = get(&pictor, "/chelsea.png!small?imageMogr2/rotate/90").await;
    assert_eq!((turned.0, &turned.1[..]), (200, "image/jpeg"));
    assert_ne!(turned.2, rule.2);

    for (path, part) in [
        ("/chelsea.png?style/none", "<Code>NoSuchStyle</Code>"),
        ("/chelsea.png?x-oss-process=style/none", "<Code>NoSuchStyle</Code>"),
        ("/none.png!small", "<Code>NoSuchKey</Code>"),
    ] {
        let (status, _, body) = get(&pictor, path).await;
        assert_eq!(status, 404, "{path}");
        assert!(String::from_utf8_lossy(&body).contains(part), "{path}");
    }
    assert_eq!(get(&pictor, "/chelsea.png!none").await.0, 404, "no style, so a key that is not there");
    assert_eq!(get(&pictor, "/chelsea.png").await.0, 200);
}

#[tokio::test]
async fn protected_originals_are_given_away_by_styles_only() {
    let pictor = pictor("protect = true\n").await;
    for path in ["/chelsea.png!small", "/chelsea.png?style/small", "/chelsea.png?x-oss-process=style/oss"] {
        assert_eq!(get(&pictor, path).await.0, 200, "{path}");
    }
    for path in [
        "/chelsea.png",
        "/chelsea.%70ng",
        "/chelsea%2Epng",
        "/%63helsea.pn%67?x=1",
        "/chelsea.png?versionId=1",
        "/chelsea.png?imageMogr2/rotate/90",
        "/chelsea.png?imageInfo",
        "/chelsea.png?x-oss-process=image/info",
        "/chelsea.png!small?imageMogr2/rotate/90",
        "/chelsea.png?style/small|imageMogr2/rotate/90",
        "/chelsea.png?imageMogr2/ignore-error/1/thumbnail/0x",
    ] {
        let (status, _, body) = get(&pictor, path).await;
        assert_eq!(status, 403, "{path}");
        assert!(String::from_utf8_lossy(&body).contains("<Code>AccessDenied</Code>"), "{path}");
    }
    let head = client().head(pictor.url("/chelsea.%70ng")).send().await.unwrap();
    assert_eq!(head.status(), 403);
    assert_eq!(get(&pictor, "/README.md").await.0, 200, "what is no picture goes through");
    let refused = client().get(pictor.url("/chelsea.png?imageMogr2/rotate/90")).send().await.unwrap();
    assert_eq!(refused.headers()["x-errno"], "-154");
    let refused = client().get(pictor.url("/chelsea.png?x-oss-process=image/info")).send().await.unwrap();
    assert_eq!(refused.headers()["x-oss-ec"], "0040-00000031");
}

#[tokio::test]
async fn a_picture_whose_name_does_not_say_so_is_protected_by_its_type() {
    let origin = Origin::start().await;
    origin.script("/photo", Act::Give(b"picture".to_vec()));
    origin.script("/page", Act::Zeros(9));
    let config = site(&format!("kind = \"http\"\nurl = \"http://{}\"", origin.address));
    let pictor = Pictor::start(&format!("{config}[site.styles]\nprotect = true\n{STYLES}")).await;
    let (status, _, body) = get(&pictor, "/photo").await;
    assert_eq!(status, 403);
    let body = String::from_utf8_lossy(&body);
    assert!(body.contains("by their styles only"), "{body}");
    assert_eq!(get(&pictor, "/page").await.0, 200);
}
