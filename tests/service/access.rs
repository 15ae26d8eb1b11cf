//! Who is served: hotlink lists, header fields that clients choose, the older syntax and strictness as a site sets them.

use crate::support::{Pictor, client, site};

async fn pictor(more: &str) -> Pictor {
    Pictor::start(&format!("{}{more}", site("kind = \"dir\"\npath = \"DEMO\""))).await
}

/// Status, content type and body.
async fn get(pictor: &Pictor, path: &str, referer: Option<&str>) -> (u16, String, String) {
    let mut request = client().get(pictor.url(path));
    if let Some(referer) = referer {
        request = request.header("referer", referer);
    }
    let answer = request.send().await.unwrap();
    let kind = answer.headers().get("content-type").map(|value| value.to_str().unwrap().to_owned());
    let status = answer.status().as_u16();
    (status, kind.unwrap_or_default(), String::from_utf8_lossy(&answer.bytes().await.unwrap()).into_owned())
}

#[tokio::test]
async fn pages_of_others_are_shown_nothing() {
    let list = "[site.access.referers]\nmode = \"allow\"\nhosts = [\"*.example.com\"]\nempty = true\n";
    let pictor = pictor(list).await;
    for path in ["/sample.png", "/sample.png?imageMogr2/thumbnail/20x", "/sample.png?x-oss-process=image/resize,w_20"] {
        assert_eq!(get(&pictor, path, None).await.0, 200, "{path}");
        assert_eq!(get(&pictor, path, Some("https://www.example.com/page")).await.0, 200, "{path}");
        let (status, _, body) = get(&pictor, path, Some("https://evil.example.net/")).await;
        assert_eq!(status, 403, "{path}");
        assert!(body.contains("<Code>AccessDenied</Code>"), "{path}: {body}");
    }
}

#[tokio::test]
async fn header_fields_are_chosen_only_where_a_site_allows_it() {
    let path = "/sample.png?response-content-type=image/x-test&response-content-disposition=attachment&imageMogr2/thumbnail/20x";
    assert_eq!(get(&pictor("").await, path, None).await.1, "image/png");
    let open = pictor("[site.access]\nanonymous_overrides = true\n").await;
    let answer = client().get(open.url(path)).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "image/x-test");
    assert_eq!(answer.headers()["content-disposition"], "attachment");
    // What one client chose is no other's.
    assert_eq!(get(&open, "/sample.png?imageMogr2/thumbnail/20x", None).await.1, "image/png");
    assert_eq!(
        get(&open, "/none.png?response-content-type=a/b&imageMogr2/thumbnail/20x", None).await.1,
        "application/xml"
    );
}

#[tokio::test]
async fn the_older_syntax_is_read_where_a_site_says_so() {
    let config = site("kind = \"dir\"\npath = \"DEMO\"").replacen("hosts", "legacy_at = true\nstrict = true\nhosts", 1);
    let old = Pictor::start(&config).await;
    let (status, kind, _) = get(&old, "/sample.png@100w_100h", None).await;
    assert_eq!((status, &kind[..]), (200, "image/jpeg"));
    let (today, _) = (client().get(old.url("/sample.png@100w.png")).send().await.unwrap(), ());
    let same =
        client().get(old.url("/sample.png?x-oss-process=image/resize,w_100,limit_0/format,png")).send().await.unwrap();
    assert_eq!(today.bytes().await.unwrap(), same.bytes().await.unwrap());
    let (status, _, body) = get(&old, "/sample.png@9000w", None).await;
    assert_eq!(status, 400);
    assert!(body.contains("1 to 4096"), "{body}");
    let (status, _, body) = get(&old, "/sample.png?x-oss-process=image/resize,w_100,z_1", None).await;
    assert_eq!(status, 400, "strict");
    assert!(body.contains("resize does not know `z_1`"), "{body}");
    let today = pictor("").await;
    assert_eq!(get(&today, "/sample.png@100w", None).await.0, 404, "a key like any other");
    assert_eq!(get(&today, "/sample.png?x-oss-process=image/resize,w_100,z_1", None).await.0, 200);
}

#[tokio::test]
async fn facts_after_a_stage_are_about_its_result() {
    let pictor = Pictor::demo().await;
    let (status, kind, body) = get(&pictor, "/sample.png?imageMogr2/thumbnail/300x/format/webp|imageInfo", None).await;
    assert_eq!((status, &kind[..]), (200, "application/json"));
    let info: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!((&info["format"], &info["width"], &info["height"]), (&"webp".into(), &"300".into(), &"200".into()));
    let made = client().get(pictor.url("/sample.png?imageMogr2/thumbnail/300x/format/webp")).send().await.unwrap();
    assert_eq!(info["size"], made.bytes().await.unwrap().len().to_string());
    assert_eq!(get(&pictor, "/sample.png?imageMogr2/rotate/90|exif", None).await.2, "{\"error\":\"no exif data\"}");
}

#[tokio::test]
async fn slim_pictures_are_smaller_or_the_original() {
    let pictor = Pictor::demo().await;
    for (name, kind) in [("sample.jpg", "image/jpeg"), ("chelsea.png", "image/png"), ("anim.gif", "image/gif")] {
        let original = client().get(pictor.url(&format!("/{name}"))).send().await.unwrap().bytes().await.unwrap();
        let request =
            client().get(pictor.url(&format!("/{name}?imageSlim"))).header("accept", "image/avif,image/webp,*/*");
        let answer = request.send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], kind, "the format stays whatever the client reads");
        let flag = answer.headers()["x-slimflag"].to_str().unwrap().to_owned();
        let slim = answer.bytes().await.unwrap();
        match flag.as_str() {
            "1" => assert!(slim.len() < original.len(), "{name}"),
            "2" => assert_eq!(slim, original, "{name}"),
            other => panic!("{name}: {other}"),
        }
        println!("{name}: {} to {} bytes, flag {flag}", original.len(), slim.len());
    }
    let again = client().get(pictor.url("/sample.png?imageMogr2/thumbnail/200x|imageSlim")).send().await.unwrap();
    assert_eq!((again.status().as_u16(), &again.headers()["x-slimflag"]), (200, &"1".parse().unwrap()));
}
