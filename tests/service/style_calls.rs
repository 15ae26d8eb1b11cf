//! Styles that are set by the vendors' interfaces while the service runs.

use http::Method;

use crate::support::{Pictor, client, site};

/// A service whose state is kept in a folder, and whose styles `manage` may change.
async fn pictor(folder: &tempfile::TempDir, manage: &str) -> Pictor {
    let config = site("kind = \"dir\"\npath = \"DEMO\"");
    let path = folder.path().join("state.db");
    let state = format!("[state]\npath = \"{}\"\n", path.display());
    let styles = format!("[site.styles]\nmanage = \"{manage}\"\nrules.fixed = \"image/resize,w_50\"\n");
    Pictor::start(&format!("{config}{styles}{state}")).await
}

async fn ask(method: &str, url: String, body: &str) -> (u16, String) {
    let method: Method = method.parse().unwrap();
    let answer = client().request(method, url).body(body.to_owned()).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// Status and type of a picture.
async fn picture(pictor: &Pictor, path: &str) -> (u16, String) {
    let answer = client().get(pictor.url(path)).send().await.unwrap();
    let kind = answer.headers().get("content-type").map(|value| value.to_str().unwrap().to_owned());
    (answer.status().as_u16(), kind.unwrap_or_default())
}

fn add(name: &str, rule: &str) -> String {
    format!("<AddStyle><StyleName>{name}</StyleName><StyleBody>{rule}</StyleBody></AddStyle>")
}

fn content(rule: &str) -> String {
    format!("<?xml version=\"1.0\"?><Style><Content>{rule}</Content></Style>")
}

#[tokio::test]
async fn a_style_is_in_force_at_once_and_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let pictor = pictor_with_two_styles(&folder).await;
    assert_eq!(picture(&pictor, "/sample.png?style/cos").await, (200, "image/webp".into()));
    assert_eq!(picture(&pictor, "/sample.png?x-oss-process=style/oss").await, (200, "image/png".into()));

    // The same name, another rule: the next request has it, whatever is cached.
    assert_eq!(ask("PUT", pictor.url("/?style"), &add("cos", "imageMogr2/format/jpg")).await, (200, String::new()));
    assert_eq!(picture(&pictor, "/sample.png?style/cos").await, (200, "image/jpeg".into()));
    drop(pictor);

    let pictor = self::pictor(&folder, "anyone").await;
    assert_eq!(picture(&pictor, "/sample.png?style/cos").await, (200, "image/jpeg".into()));
    assert_eq!(ask("DELETE", pictor.url("/?style&styleName=oss"), "").await, (204, String::new()));
    let delete = "<DeleteStyle><StyleName>cos</StyleName></DeleteStyle>";
    assert_eq!(ask("DELETE", pictor.url("/?style"), delete).await, (200, String::new()));
    assert_eq!(picture(&pictor, "/sample.png?style/cos").await.0, 404);
    drop(pictor);

    let pictor = self::pictor(&folder, "anyone").await;
    assert_eq!(picture(&pictor, "/sample.png?x-oss-process=style/oss").await.0, 404);
}

async fn pictor_with_two_styles(folder: &tempfile::TempDir) -> Pictor {
    let pictor = pictor(folder, "anyone").await;
    let put = ask("PUT", pictor.url("/?style"), &add("cos", "imageMogr2/thumbnail/90x/format/webp")).await;
    assert_eq!(put, (200, String::new()));
    let url = pictor.url("/?style=&styleName=oss&category=image");
    assert_eq!(ask("PUT", url, &content("image/resize,w_90/format,png")).await, (200, String::new()));
    pictor
}

#[tokio::test]
async fn each_vendor_tells_of_styles_in_its_own_words() {
    let folder = tempfile::tempdir().unwrap();
    let pictor = pictor_with_two_styles(&folder).await;
    let rule =
        "<StyleRule><StyleName>cos</StyleName><StyleBody>imageMogr2/thumbnail/90x/format/webp</StyleBody></StyleRule>";
    for body in ["<GetStyle><StyleName>cos</StyleName></GetStyle>", "<GetStyle/>", "<GetStyle><StyleName/></GetStyle>"]
    {
        let (status, text) = ask("GET", pictor.url("/?style"), body).await;
        assert_eq!(status, 200);
        assert!(text.ends_with(&format!("<StyleList>{rule}</StyleList>\n")), "{body}: {text}");
    }
    let (status, one) = ask("GET", pictor.url("/?style&styleName=oss"), "").await;
    assert_eq!(status, 200);
    assert!(one.contains("<Style><Name>oss</Name><Content>image/resize,w_90/format,png</Content>"), "{one}");
    assert!(one.contains(" GMT</CreateTime>"), "{one}");
    let (_, list) = ask("GET", pictor.url("/?style="), "").await;
    let names: Vec<&str> = list.split("<Name>").skip(1).filter_map(|rest| rest.split('<').next()).collect();
    assert_eq!(names, ["fixed", "oss"], "{list}");
}

#[tokio::test]
async fn what_cannot_be_kept_is_refused_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let pictor = pictor_with_two_styles(&folder).await;
    let long = "x".repeat(70_000);
    for (method, query, body, want) in [
        ("PUT", "/?style", add("cos", "imageMogr2/thumbnail/0x"), (400, "thumbnail")),
        ("PUT", "/?style", add("cos", "style/oss"), (400, "")),
        ("PUT", "/?style", add("a b", "imageMogr2/rotate/90"), (400, "letters, digits")),
        ("PUT", "/?style", "<AddStyle><StyleName>x</StyleName></AddStyle>".into(), (400, "StyleBody")),
        ("PUT", "/?style", "<AddStyle><StyleName>".into(), (400, "ends early")),
        ("PUT", "/?style&styleName=x", content("image/resize,w_1;"), (400, "Style content is invalid.")),
        ("PUT", "/?style&styleName=x", content("image/watermark,image_YQ?b"), (400, "<Code>BadRequest</Code>")),
        ("PUT", "/?style&styleName=x", content("image/nosuch,1"), (400, "nosuch")),
        ("PUT", "/?style&styleName=", content("image/resize,w_1"), (400, "styleName")),
        ("PUT", "/?style&styleName=fixed", content("image/resize,w_1"), (403, "configuration")),
        ("DELETE", "/?style&styleName=fixed", String::new(), (403, "configuration")),
        ("DELETE", "/?style&styleName=none", String::new(), (404, "NoSuchStyle")),
        ("GET", "/?style&styleName=none", String::new(), (404, "NoSuchStyle")),
        ("POST", "/?style&styleName=x", content("image/resize,w_1"), (405, "")),
        ("PUT", "/?style", add("x", &long), (400, "at most 65536 bytes")),
    ] {
        let (status, text) = ask(method, pictor.url(query), &body).await;
        assert_eq!(status, want.0, "{method} {query} {text}");
        assert!(text.contains(want.1) && text.contains("<Error><Code>"), "{method} {query} {text}");
    }
    assert_eq!(picture(&pictor, "/sample.png?style/cos").await, (200, "image/webp".into()));
    for number in 0..97 {
        let put = ask("PUT", pictor.url("/?style"), &add(&format!("n{number}"), "imageMogr2/rotate/90")).await;
        assert_eq!(put.0, 200, "{number} {}", put.1);
    }
    let (status, text) = ask("PUT", pictor.url("/?style"), &add("one-more", "imageMogr2/rotate/90")).await;
    assert_eq!(status, 400);
    assert!(text.contains("100 already"), "{text}");
}

#[tokio::test]
async fn by_default_styles_are_changed_on_the_admin_listener_alone() {
    let folder = tempfile::tempdir().unwrap();
    let pictor = pictor(&folder, "admin").await;
    let (status, _) = ask("PUT", pictor.url("/?style&styleName=x"), &content("image/resize,w_90/format,png")).await;
    assert_ne!(status, 200);
    assert_eq!(picture(&pictor, "/sample.png?x-oss-process=style/x").await.0, 404);
    let admin = |path: &str| format!("http://{}{path}", pictor.admin);
    let put = ask("PUT", admin("/-/sites/t/?style&styleName=x"), &content("image/resize,w_90/format,png")).await;
    assert_eq!(put, (200, String::new()));
    assert_eq!(picture(&pictor, "/sample.png?x-oss-process=style/x").await, (200, "image/png".into()));
    assert_eq!(ask("GET", admin("/-/sites/none/?style"), "").await.0, 404);
    assert_eq!(ask("GET", admin("/-/sites/t/"), "").await.0, 404);
    assert_eq!(ask("DELETE", admin("/-/sites/t?style&styleName=none"), "").await.0, 404);
}
