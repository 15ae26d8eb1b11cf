//! Styles as clients use them, and originals that are given away by them only.

use crate::support::{Act, Origin, Pictor, client, demo, site};

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
    assert!(body.contains("served by style only"), "{body}");
    assert_eq!(get(&pictor, "/page").await.0, 200);
    let asked = origin.seen().len();
    assert_eq!(get(&pictor, "/photo?response-content-type=text/plain").await.0, 403);
    assert_eq!(origin.seen().len(), asked, "what would choose its type is not asked for");
}

/// Stores keep a picture as any bytes where nobody has said what it is.
#[tokio::test]
async fn a_picture_without_a_type_is_protected_by_its_bytes() {
    let origin = Origin::start().await;
    let gif = "GIF89a\u{1}\0\u{1}\0 and more";
    let drawing = "<?xml version=\"1.0\"?><!-- a comment --><svg xmlns=\"http://www.w3.org/2000/svg\"/>";
    for (name, lines) in [
        ("octets", "Content-Type: application/octet-stream\r\nETag: \"a\"\r\n"),
        ("binary", "Content-Type: Binary/Octet-Stream; x=y\r\n"),
        ("none", ""),
        ("twice", "Content-Type: text/html\r\nContent-Type: text/css\r\n"),
    ] {
        for (what, body) in [("gif", gif), ("svg", drawing), ("text", "GIF, said he, is no picture")] {
            origin.script(&format!("/{what}/{name}"), Act::Say(200, lines, body.to_owned()));
        }
    }
    origin.script("/gif/part", Act::Say(206, "Content-Range: bytes 6-7/900\r\n", "zz".to_owned()));
    let config = site(&format!("kind = \"http\"\nurl = \"http://{}\"", origin.address));
    let pictor = Pictor::start(&format!("{config}[site.styles]\nprotect = true\n{STYLES}")).await;
    for name in ["octets", "binary", "none", "twice"] {
        for (what, status) in [("gif", 403), ("svg", 403), ("text", 200)] {
            let url = pictor.url(&format!("/{what}/{name}?token=t"));
            assert_eq!(client().get(&url).send().await.unwrap().status(), status, "{what} {name}");
            assert_eq!(client().head(&url).send().await.unwrap().status(), status, "HEAD {what} {name}");
        }
    }
    // A request of its own, as the client's is: for the beginning alone.
    let seen = origin.seen();
    let looks: Vec<_> = seen.iter().filter(|head| head.contains("range: bytes=0-16383")).collect();
    assert_eq!(looks.len(), 4 * 3 * 2);
    assert!(looks.iter().all(|head| head.starts_with("get /") && head.contains("?token=t ")), "{looks:?}");
    // A part that does not begin at the beginning, of what cannot be looked at.
    let part = client().get(pictor.url("/gif/part")).header("Range", "bytes=6-7").send().await.unwrap();
    assert_eq!(part.status(), 502);
    // Where nothing is protected, nothing is looked at.
    let pictor = Pictor::before(&origin).await;
    let asked = origin.seen().len();
    assert_eq!(get(&pictor, "/gif/octets").await.0, 200);
    assert_eq!(origin.seen().len(), asked + 1);
}

#[tokio::test]
async fn a_file_is_protected_by_its_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let picture = std::fs::read(demo().join("sample.png")).unwrap();
    for (name, bytes) in [("photo", &picture[..]), ("page.html", &picture), ("note", b"a note"), ("empty", b"")] {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    let config = site(&format!("kind = \"dir\"\npath = \"{}\"", folder.path().display()));
    let pictor = Pictor::start(&format!("{config}[site.styles]\nprotect = true\n{STYLES}")).await;
    for (path, status, part) in
        [("/photo", 403, 403), ("/page.html", 403, 403), ("/note", 200, 206), ("/empty", 200, 416)]
    {
        assert_eq!(get(&pictor, path).await.0, status, "{path}");
        assert_eq!(client().head(pictor.url(path)).send().await.unwrap().status(), status, "HEAD {path}");
        let ranged = client().get(pictor.url(path)).header("Range", "bytes=2-3").send().await.unwrap();
        assert_eq!(ranged.status(), part, "{path}");
    }
    assert_eq!(get(&pictor, "/photo!small").await.0, 200);
}
