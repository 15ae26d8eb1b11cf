//! Every answer that another `Accept` could have changed says so, whatever it is and whoever gives it.

use reqwest::{Method, Response};

use crate::support::{Act, Origin, Pictor, client, demo, signed};

const CHROME: &str = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8";

fn config(origin: &str, plain: bool) -> String {
    format!(
        "[[site]]\nname = \"t\"\nhosts = [\"*\"]\n[site.origin]\n{origin}\n[site.negotiate]\nformats = [\"avif\", \"webp\"]\n\
         plain = {plain}\n[site.limits]\nmax_source_side = 1000\n"
    )
}

async fn ask(pictor: &Pictor, method: &Method, path: &str, accept: &str, more: &[(&str, &str)]) -> Response {
    let mut request = client().request(method.clone(), pictor.url(path)).header("Accept", accept);
    for (name, value) in more {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

/// The statuses that a request is answered with to a browser and to a program, all of which must vary.
async fn varies(pictor: &Pictor, path: &str, statuses: [u16; 2]) {
    for (accept, status) in [CHROME, "*/*"].into_iter().zip(statuses) {
        for method in [Method::GET, Method::HEAD] {
            let answer = ask(pictor, &method, path, accept, &[]).await;
            assert_eq!(answer.status(), status, "{method} {path} for {accept}");
            let vary: Vec<_> = answer.headers().get_all("vary").iter().collect();
            assert_eq!(vary, ["Accept"], "{method} {path} for {accept}: {status}");
            assert_eq!(answer.headers().get_all("cache-status").iter().count(), 1, "{method} {path} for {accept}");
        }
        let Some(tag) = ask(pictor, &Method::GET, path, accept, &[]).await.headers().get("etag").cloned() else {
            continue;
        };
        for (condition, want) in [(("If-None-Match", tag.to_str().unwrap()), 304), (("If-Match", "\"no\""), 412)] {
            let answer = ask(pictor, &Method::GET, path, accept, &[condition]).await;
            // An origin of a test may not know the condition.
            assert!([want, status].contains(&answer.status().as_u16()), "{path}: {}", answer.status());
            assert_eq!(answer.headers()["vary"], "Accept", "{path} for {accept} with {condition:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_to_a_negotiable_question_varies() {
    let origin = Origin::start().await;
    let kind = format!("kind = \"http\"\nurl = \"http://{}\"", origin.address);
    every_answer(&origin, &kind, "", 403).await;
}

/// Most fields of a store that Pictor signs for do not go on; these are Pictor's own.
#[tokio::test(flavor = "multi_thread")]
async fn every_answer_of_a_store_that_is_signed_for_varies_too() {
    let origin = Origin::start().await;
    let (kind, _keys) = signed(origin.address, "pictures");
    // That its own key is refused, a site's clients do not learn.
    every_answer(&origin, &kind, "/pictures", 502).await;
}

async fn every_answer(origin: &Origin, kind: &str, base: &str, refused: u16) {
    let script = |path: &str, act: Act| {
        origin.script(&format!("{base}{path}"), act);
    };
    let sample = std::fs::read(demo().join("chelsea.png")).unwrap();
    let large = std::fs::read(demo().join("sample.jpg")).unwrap();
    script("/a.png", Act::Give(sample.clone()));
    script("/bad.png", Act::Give(sample[..sample.len() / 2].to_vec()));
    script("/text.png", Act::Give(b"no picture".to_vec()));
    script("/large.jpg", Act::Give(large));
    script("/broken.png", Act::Status(500));
    script("/secret.png", Act::Status(403));
    let pictor = Pictor::start(&config(kind, true)).await;
    for (path, status) in [("/a.png", 200), ("/bad.png", 400), ("/text.png", 400), ("/large.jpg", 400)] {
        for rule in ["?imageMogr2/thumbnail/50x", "?x-oss-process=image/resize,w_50"] {
            varies(&pictor, &format!("{path}{rule}"), [status; 2]).await;
        }
        // The same with the original in place of what fails.
        varies(&pictor, &format!("{path}?imageMogr2/thumbnail/50x/ignore-error/1"), [200; 2]).await;
        // Nobody has asked for anything but the picture.
        varies(&pictor, path, [200; 2]).await;
    }
    // Without a rule, whoever reads nothing but the original is answered by the origin.
    for (path, status, plain) in [("/none.png", 404, 404), ("/secret.png", refused, 403)] {
        varies(&pictor, &format!("{path}?imageMogr2/thumbnail/50x"), [status; 2]).await;
        varies(&pictor, path, [status, plain]).await;
    }
    varies(&pictor, "/broken.png?imageMogr2/thumbnail/50x", [502; 2]).await;

    // What no Accept can change does not vary.
    for path in ["/a.png?imageMogr2/thumbnail/50x/format/jpg", "/a.png?imageInfo", "/none.png?imageInfo", "/a.png?v=1"]
    {
        let answer = ask(&pictor, &Method::GET, path, CHROME, &[]).await;
        assert!(!answer.headers().contains_key("vary"), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_pictures_of_a_folder_vary_too() {
    let folder = tempfile::tempdir().unwrap();
    let sample = std::fs::read(demo().join("chelsea.png")).unwrap();
    std::fs::write(folder.path().join("a.png"), &sample).unwrap();
    std::fs::write(folder.path().join("bad.png"), &sample[..sample.len() / 2]).unwrap();
    std::fs::write(folder.path().join("a.txt"), "text").unwrap();
    let kind = format!("kind = \"dir\"\npath = \"{}\"", folder.path().display());
    let pictor = Pictor::start(&config(&kind, true)).await;
    for (path, status) in [("/a.png", 200), ("/bad.png", 200), ("/none.png", 404)] {
        varies(&pictor, path, [status; 2]).await;
    }
    let bad = ask(&pictor, &Method::GET, "/bad.png", CHROME, &[]).await;
    assert_eq!(bad.headers()["cache-status"], "pictor; fwd=bypass");
    assert_eq!(bad.bytes().await.unwrap(), sample[..sample.len() / 2]);
    let avif = ask(&pictor, &Method::GET, "/a.png", CHROME, &[]).await;
    assert_eq!(avif.headers()["content-type"], "image/avif");
    let part = ask(&pictor, &Method::GET, "/a.png", "*/*", &[("Range", "bytes=0-9")]).await;
    assert_eq!((part.status().as_u16(), &part.headers()["vary"]), (206, &"Accept".parse().unwrap()));
    for path in ["/a.txt", "/a.png?v=1"] {
        assert!(!ask(&pictor, &Method::GET, path, CHROME, &[]).await.headers().contains_key("vary"), "{path}");
    }
    // Where nothing is negotiated, nothing varies.
    let pictor = Pictor::start(&config(&kind, false)).await;
    let plain = ask(&pictor, &Method::GET, "/a.png", CHROME, &[]).await;
    assert!(!plain.headers().contains_key("vary"));
    assert_eq!(plain.bytes().await.unwrap(), sample, "untouched");
}

/// Facts are dressed for each dialect; the tag names the bytes that are sent.
#[tokio::test]
async fn the_tag_of_facts_is_that_of_their_bytes() {
    let pictor = Pictor::demo().await;
    let mut tags = Vec::new();
    for path in ["/chelsea.png?imageInfo", "/chelsea.png?x-oss-process=image/info"] {
        let answer = client().get(pictor.url(path)).send().await.unwrap();
        let tag = answer.headers()["etag"].to_str().unwrap().to_owned();
        let again = client().get(pictor.url(path)).header("If-None-Match", &tag).send().await.unwrap();
        assert_eq!(again.status(), 304);
        let bytes = answer.bytes().await.unwrap();
        assert_eq!(tag, pictor::shield::entity_tag(&bytes), "{path}");
        tags.push(tag);
    }
    assert_ne!(tags[0], tags[1]);
}

/// What the caches did, told for errors as for results.
#[tokio::test(flavor = "multi_thread")]
async fn errors_say_what_the_caches_did() {
    let origin = Origin::start().await;
    origin.script("/text.png", Act::Give(b"no picture".to_vec())).script("/secret.png", Act::Status(403));
    let pictor = Pictor::before(&origin).await;
    for (path, told) in [
        ("/none.png?imageInfo", ["pictor; fwd=miss; stored", "pictor; hit"]),
        ("/text.png?imageInfo", ["pictor; fwd=miss; stored", "pictor; hit"]),
        ("/secret.png?imageInfo", ["pictor; fwd=miss", "pictor; fwd=miss"]),
        ("/text.png", ["pictor; fwd=bypass", "pictor; fwd=bypass"]),
    ] {
        for text in told {
            let answer = client().get(pictor.url(path)).send().await.unwrap();
            assert_eq!(answer.headers()["cache-status"], text, "{path}: {}", answer.status());
        }
    }
    let put = client().put(pictor.url("/text.png")).body("x").send().await.unwrap();
    assert_eq!(put.headers()["cache-status"], "pictor; fwd=method");
}
