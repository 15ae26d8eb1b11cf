//! What a write makes stale: what the origin did, and nothing else.

use http::Method;

use crate::support::{Act, Origin, Pictor, client, demo};

const RULE: &str = "?imageMogr2/thumbnail/20x";

/// A plain origin with a picture that has been asked for once.
async fn warm(names: &[&str]) -> (Pictor, Origin) {
    let origin = Origin::start().await;
    let bytes = std::fs::read(demo().join("sample.png")).unwrap();
    for name in names {
        origin.script(name, Act::Give(bytes.clone()));
    }
    let pictor = Pictor::before(&origin).await;
    for name in names {
        assert_eq!(status(&pictor, name).await, "pictor; fwd=miss; stored");
        assert_eq!(status(&pictor, name).await, "pictor; hit");
    }
    (pictor, origin)
}

async fn status(pictor: &Pictor, name: &str) -> String {
    let answer = client().get(pictor.url(&format!("{name}{RULE}"))).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let value = answer.headers()["cache-status"].to_str().unwrap().to_owned();
    answer.bytes().await.unwrap();
    value
}

async fn send(pictor: &Pictor, method: &str, path: &str, kind: &str, body: &str) -> u16 {
    let method: Method = method.parse().unwrap();
    let request = client().request(method, pictor.url(path)).header("content-type", kind).body(body.to_owned());
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_write_that_the_origin_refuses_forgets_nothing() {
    let (pictor, origin) = warm(&["/a.png"]).await;
    let picture = std::fs::read(demo().join("sample.png")).unwrap();
    for refusal in [400, 403, 404, 405, 409, 500, 501, 503] {
        for method in ["PUT", "PATCH", "DELETE", "POST"] {
            origin.script("/a.png", Act::Status(refusal));
            assert_eq!(send(&pictor, method, "/a.png", "", "x").await, refusal);
            origin.script("/a.png", Act::Give(picture.clone()));
            assert_eq!(status(&pictor, "/a.png").await, "pictor; hit", "{method} {refusal}");
        }
    }
    for done in [200, 201, 204, 303] {
        origin.script("/a.png", Act::Status(done));
        assert_eq!(send(&pictor, "PUT", "/a.png", "", "x").await, done);
        origin.script("/a.png", Act::Give(picture.clone()));
        assert_ne!(status(&pictor, "/a.png").await, "pictor; hit", "{done}");
        assert_eq!(status(&pictor, "/a.png").await, "pictor; hit");
    }
}

/// Nobody knows whether a write was done that the origin got whole and did not answer: it is asked again, and what has been
/// made of an object that is the same is used again.
#[tokio::test]
async fn a_write_without_an_answer_makes_the_origin_be_asked_again() {
    let (pictor, origin) = warm(&["/a.png"]).await;
    let picture = std::fs::read(demo().join("sample.png")).unwrap();
    origin.script("/a.png", Act::Gone);
    assert_eq!(send(&pictor, "PUT", "/a.png", "", "x").await, 502);
    origin.script("/a.png", Act::Give(picture));
    let conversions = pictor.metric("pictor_conversions_total").await;
    let asked = origin.seen().len();
    assert_ne!(status(&pictor, "/a.png").await, "pictor; hit");
    assert_eq!(origin.seen().len(), asked + 1);
    assert_eq!(pictor.metric("pictor_conversions_total").await, conversions, "the same object, the same variant");
    assert_eq!(status(&pictor, "/a.png").await, "pictor; hit");
}

#[tokio::test]
async fn what_a_body_names_is_forgotten() {
    let names = ["/b/a.png", "/b/d/c.png", "/b/kept.png"];
    let (pictor, origin) = warm(&names).await;
    let list = "<Delete><Object><Key>a.png</Key></Object><Object><Key>d/c.png</Key></Object></Delete>";
    origin.script("/b/", Act::Status(403));
    assert_eq!(send(&pictor, "POST", "/b/?delete", "application/xml", list).await, 403);
    for name in names {
        assert_eq!(status(&pictor, name).await, "pictor; hit", "{name}: refused");
    }
    origin.script("/b/", Act::Status(200));
    assert_eq!(send(&pictor, "POST", "/b/?%64elete=", "application/xml", list).await, 200);
    for name in &names[..2] {
        assert_ne!(status(&pictor, name).await, "pictor; hit", "{name}");
    }
    assert_eq!(status(&pictor, names[2]).await, "pictor; hit");

    let form = "--b\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nd/c.png\r\n--b\r\nContent-Disposition: form-data; \
                name=\"file\"; filename=\"c.png\"\r\n\r\nbytes\r\n--b--\r\n";
    origin.script("/b", Act::Status(204));
    assert_eq!(send(&pictor, "POST", "/b", "multipart/form-data; boundary=b", form).await, 204);
    assert_eq!(status(&pictor, names[0]).await, "pictor; hit");
    assert_ne!(status(&pictor, names[1]).await, "pictor; hit");
    assert_eq!(status(&pictor, names[2]).await, "pictor; hit");
}

/// A list of more names than any store takes is refused as the stores do it, and nothing is done.
#[tokio::test]
async fn a_list_to_delete_has_a_thousand_names_at_most() {
    let (pictor, origin) = warm(&["/b/a.png"]).await;
    origin.script("/b/", Act::Status(200));
    let list = |count| format!("<Delete>{}</Delete>", "<Object><Key>a.png</Key></Object>".repeat(count));
    let answer = client().post(pictor.url("/b/?delete")).body(list(1001)).send().await.unwrap();
    assert_eq!(answer.status(), 400);
    let body = answer.text().await.unwrap();
    assert!(body.contains("<Code>MalformedXML</Code>"), "{body}");
    assert_eq!(status(&pictor, "/b/a.png").await, "pictor; hit");
    assert_eq!(send(&pictor, "POST", "/b/?delete", "application/xml", &list(1000)).await, 200);
    assert_ne!(status(&pictor, "/b/a.png").await, "pictor; hit");
}

#[tokio::test]
async fn a_head_has_no_ranges() {
    let (pictor, _origin) = warm(&["/a.png"]).await;
    for url in [pictor.url(&format!("/a.png{RULE}")), pictor.url("/a.png")] {
        let head = client().head(&url).header("Range", "bytes=0-9").send().await.unwrap();
        assert_eq!(head.status(), 200, "{url}");
        assert!(!head.headers().contains_key("content-range"), "{url}");
    }
    let folder = Pictor::demo().await;
    for path in ["/sample.png", "/sample.png?imageMogr2/thumbnail/20x"] {
        let head = client().head(folder.url(path)).header("Range", "bytes=0-9").send().await.unwrap();
        assert_eq!(head.status(), 200, "{path}");
        let part = client().get(folder.url(path)).header("Range", "bytes=0-9").send().await.unwrap();
        assert_eq!(part.status(), 206, "{path}");
    }
}

#[tokio::test]
async fn a_style_in_the_path_falls_back_to_its_object() {
    let origin = Origin::start().await;
    origin.script("/bad.jpg", Act::Give(b"no picture".to_vec()));
    let styles = "[site.styles]\nseparators = \"!\"\nrules.big = \"imageMogr2/thumbnail/20x/ignore-error/1\"\n";
    let config = crate::support::site(&format!("kind = \"http\"\nurl = \"http://{}\"\n{styles}", origin.address));
    let pictor = Pictor::start(&config).await;
    for path in ["/bad.jpg!big", "/bad.jpg%21big", "/bad.jpg?style/big"] {
        let answer = client().get(pictor.url(path)).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), &answer.text().await.unwrap()[..]), (200, "no picture"), "{path}");
    }
}
