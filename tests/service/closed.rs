//! What is closed stays closed, whatever way in is tried; and no answer names the inside.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use pictor::origin::{ObjectKey, PutOptions};

use crate::shared::weed::Weed;
use crate::support::{Act, Origin, Pictor, client, demo, signed, site, until};

/// Words of the inside that no answer may hold.
const BUCKET: &str = "kept-inside";

struct Got {
    status: u16,
    headers: http::HeaderMap,
    body: String,
}

impl Got {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// All that a client reads.
    fn all(&self) -> String {
        let mut text = format!("{:?}\n{}", self.headers, self.body);
        if let Ok(inner) = STANDARD.decode(self.header("x-oss-err")) {
            text.push_str(&String::from_utf8_lossy(&inner));
        }
        text
    }
}

async fn ask(pictor: &Pictor, method: &str, path: &str, fields: &[(&str, &str)]) -> Got {
    // Written by hand: no library normalises the path.
    let mut request = client().request(method.parse::<Method>().unwrap(), pictor.url("/"));
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    let mut request = request.build().unwrap();
    *request.url_mut() = reqwest::Url::parse(&pictor.url(path)).unwrap();
    let answer = client().execute(request).await.unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    // A body that breaks off is what some origins give.
    let body = answer.bytes().await.unwrap_or_default();
    Got { status, headers, body: String::from_utf8_lossy(&body).into_owned() }
}

/// An answer says no in the vendor's shape, and nothing of the inside.
fn refused(got: &Got, what: &str, inside: &[&str]) {
    assert_eq!(got.status, 403, "{what}: {}", got.all());
    if what.starts_with("HEAD") {
        assert!(got.body.is_empty());
    } else {
        assert!(got.body.contains("<Error><Code>AccessDenied</Code><Message>"), "{what}: {}", got.body);
        assert!(got.body.contains(&format!("<RequestId>{}</RequestId>", got.header("x-cos-request-id"))), "{what}");
    }
    nothing_of(got, what, inside);
}

fn nothing_of(got: &Got, what: &str, inside: &[&str]) {
    let all = got.all();
    for word in inside.iter().chain(&[BUCKET, "SeaweedFS"]) {
        assert!(!all.contains(word), "{what} says {word}: {all}");
    }
    let foreign = |name: &http::HeaderName| name == "server" || name.as_str().contains("seaweed");
    assert!(!got.headers.keys().any(foreign), "{what}: {:?}", got.headers);
}

async fn private(name: &str, access: &str) -> (Pictor, String) {
    let weed = tokio::task::spawn_blocking(Weed::shared).await.unwrap();
    let bucket = format!("{BUCKET}-{name}");
    let config = {
        let bucket = bucket.clone();
        tokio::task::spawn_blocking(move || weed.bucket(&bucket, true)).await.unwrap()
    };
    let origin = pictor::origin::build(&config, Path::new("/")).unwrap();
    let picture = std::fs::read(demo().join("sample.png")).unwrap();
    for (name, content_type, bytes) in [
        ("a.png", "image/png", &picture[..]),
        ("photo", "image/png", &picture),
        ("note.txt", "text/plain", b"a note that is no picture"),
        ("bytes", "application/octet-stream", &picture),
        ("archive", "application/octet-stream", b"PK\x03\x04 and so on"),
    ] {
        let options = PutOptions { content_type: content_type.into(), ..PutOptions::default() };
        origin.put(&ObjectKey::from_text(name).unwrap(), bytes.to_vec().into(), &options).await.unwrap();
    }
    let text = format!(
        "kind = \"s3\"\nendpoint = \"{}\"\nbucket = \"{bucket}\"\naccess_key_file = \"{}\"\nsecret_key_file = \"{}\"\n{access}",
        weed.endpoint(),
        weed.access_key_file().display(),
        weed.secret_key_file().display()
    );
    (Pictor::start(&site(&text)).await, weed.address())
}

const WAYS_AROUND: &[(&str, &str)] = &[
    ("GET", "/?imageMogr2/rotate/400/ignore-error/1&list-type=2"),
    ("GET", "/?imageMogr2/rotate/400/ignore-error/1"),
    ("GET", "/%2F?imageMogr2/rotate/400/ignore-error/1&list-type=2"),
    ("GET", "/a.png?acl&imageMogr2/rotate/400/ignore-error/1"),
    ("GET", "/a.png?acl=&imageMogr2/rotate/400/ignore-error/1"),
    ("GET", "/note.txt?acl&imageMogr2/rotate/90/ignore-error/1"),
    ("GET", "/note.txt?%61cl=&imageMogr2/rotate/90/ignore-error/1"),
    ("GET", "/a.png?%61cl="),
    ("GET", "/a.png?%74agging="),
    ("GET", "/a.png??acl="),
    ("HEAD", "/a.png?%61cl="),
    ("GET", "/a.png?x=1&%61%63%6C"),
    ("GET", "/?%6cist-type=2"),
    ("GET", "/"),
    ("GET", "//"),
    ("GET", "/%2F"),
    ("GET", "/%2f%2F"),
    ("HEAD", "/"),
    ("OPTIONS", "/"),
    ("GET", "/?policy"),
    ("GET", "/?versions"),
    ("GET", "/?uploads"),
];

#[tokio::test]
async fn a_private_bucket_has_no_way_around() {
    let (pictor, address) = private("read", "").await;
    for (method, path) in WAYS_AROUND.iter().chain(&[
        ("PUT", "/x.png"),
        ("PUT", "/?policy"),
        ("POST", "/?delete"),
        ("POST", "/a.png?uploads"),
        ("DELETE", "/a.png"),
        ("DELETE", "/a.png?versionId=old"),
        ("DELETE", "/"),
        ("PATCH", "/a.png"),
    ]) {
        refused(&ask(&pictor, method, path, &[]).await, &format!("{method} {path}"), &[&address]);
    }
    // What is open is served, with nothing of the store's own.
    for path in [
        "/a.png",
        "/a.png?v=1",
        "/a.png?imageMogr2/rotate/400/ignore-error/1",
        "/note.txt?imageMogr2/rotate/90/ignore-error/1",
    ] {
        let got = ask(&pictor, "GET", path, &[]).await;
        assert_eq!(got.status, 200, "{path}");
        nothing_of(&got, path, &[&address]);
        assert!(!got.header("x-cos-request-id").is_empty(), "{path}");
    }
    assert_eq!(ask(&pictor, "GET", "/a.png?imageMogr2/rotate/90", &[]).await.status, 200);
}

#[tokio::test]
async fn a_site_without_anonymous_reads_gives_nothing_away() {
    let (pictor, address) =
        private("closed", "[site.access]\nanonymous = false\nanonymous_list = true\nanonymous_write = true\n").await;
    let ways = [
        ("GET", "/a.png"),
        ("HEAD", "/a.png"),
        ("GET", "/a.png?imageMogr2/rotate/90"),
        ("GET", "/a.png?imageMogr2/rotate/400/ignore-error/1"),
        ("GET", "/a.png?imageMogr2/rotate/90/ignore-error/1"),
        ("GET", "/note.txt?imageMogr2/rotate/90/ignore-error/1"),
        ("PUT", "/x.png"),
        ("OPTIONS", "/a.png"),
    ];
    for (method, path) in WAYS_AROUND.iter().chain(&ways) {
        refused(&ask(&pictor, method, path, &[]).await, &format!("{method} {path}"), &[&address]);
    }
    let folder = site("kind = \"dir\"\npath = \"DEMO\"\n[site.access]\nanonymous = false\n");
    let folder = Pictor::start(&folder).await;
    for path in [
        "/sample.png",
        "/sample.png?imageMogr2/rotate/400/ignore-error/1",
        "/README.md?imageMogr2/rotate/90/ignore-error/1",
    ] {
        refused(&ask(&folder, "GET", path, &[]).await, &format!("GET {path}"), &["conf/demo"]);
    }
}

/// An origin that knows its clients is not asked by who may not ask.
#[tokio::test]
async fn nor_does_one_whose_origin_decides() {
    let origin = Origin::start().await;
    origin.script("/a.png", Act::Give(std::fs::read(demo().join("sample.png")).unwrap()));
    let http = format!("kind = \"http\"\nurl = \"http://{}\"\n[site.access]\nanonymous = false\n", origin.address);
    let plain = "[site.negotiate]\nformats = [\"webp\"]\nplain = true\n";
    let pictor = Pictor::start(&site(&format!("{http}{plain}"))).await;
    for (method, path) in [
        ("GET", "/a.png"),
        ("HEAD", "/a.png"),
        ("GET", "/a.png?imageMogr2/rotate/90"),
        ("GET", "/a.png?imageMogr2/rotate/400/ignore-error/1"),
        ("PUT", "/x.png"),
        ("OPTIONS", "/a.png"),
    ] {
        let answer = ask(&pictor, method, path, &[("accept", "image/webp,*/*")]).await;
        refused(&answer, &format!("{method} {path}"), &[&origin.address.to_string()]);
    }
    assert!(origin.seen().is_empty());
}

#[tokio::test]
async fn writes_that_are_open_are_of_objects_alone() {
    let (pictor, address) = private("write", "[site.access]\nanonymous_write = true\n").await;
    for (method, path) in [
        ("PUT", "/?policy"),
        ("PUT", "/?%70olicy="),
        ("PUT", "/"),
        ("PUT", "//"),
        ("DELETE", "/"),
        ("DELETE", "/?policy"),
        ("PUT", "/a.png?acl"),
        ("PUT", "/a.png?%61cl="),
        ("PUT", "/a.png?tagging"),
        ("POST", "/"),
        ("GET", "/"),
        ("GET", "/?policy"),
    ] {
        refused(&ask(&pictor, method, path, &[]).await, &format!("{method} {path}"), &[&address]);
    }
    let got = ask(&pictor, "PUT", "/a.png", &[("x-amz-acl", "public-read-write")]).await;
    refused(&got, "PUT with x-amz-acl", &[&address]);
    let put = client().put(pictor.url("/new.txt")).body("new").send().await.unwrap();
    assert_eq!(put.status(), 200);
    assert_eq!(ask(&pictor, "GET", "/new.txt", &[]).await.body, "new");
    assert_eq!(ask(&pictor, "DELETE", "/new.txt", &[]).await.status, 204);
    assert_eq!(ask(&pictor, "GET", "/new.txt", &[]).await.status, 404);
    // Codes that SDKs decide by come through; the store's sentences do not.
    let gone = ask(&pictor, "DELETE", "/a.png?uploadId=0123456789abcdef0123456789abcdef", &[]).await;
    nothing_of(&gone, "an upload that is not there", &[&address]);
    if gone.status >= 400 {
        assert!(gone.body.contains("<Code>NoSuchUpload</Code>"), "{}", gone.body);
    }
}

#[tokio::test]
async fn several_ranges_do_not_pass_protection() {
    let (pictor, address) = private("protect", "[site.styles]\nprotect = true\n").await;
    for fields in [
        &[][..],
        &[("Range", "bytes=0-99")],
        &[("Range", "bytes=0-99,200-299")],
        &[("Range", "bytes=0-99"), ("Range", "bytes=200-299")],
        &[("Range", "bytes=0-0, -1")],
    ] {
        let got = ask(&pictor, "GET", "/photo", fields).await;
        refused(&got, &format!("GET /photo {fields:?}"), &[&address]);
        assert_eq!(got.header("x-errno"), "-154");
    }
    refused(&ask(&pictor, "HEAD", "/photo", &[]).await, "HEAD /photo", &[&address]);
    let part = ask(&pictor, "GET", "/note.txt", &[("Range", "bytes=2-5")]).await;
    assert_eq!((part.status, &part.body[..]), (206, "note"));
}

#[tokio::test]
async fn neither_a_chosen_type_nor_none_passes_protection() {
    let access = "[site.access]\nanonymous_overrides = true\n[site.styles]\nprotect = true\n";
    let (pictor, address) = private("types", access).await;
    for path in [
        "/photo?response-content-type=text/plain",
        "/photo?%72esponse-content-type=text%2Fplain",
        "/bytes",
        "/bytes?response-content-type=text/plain",
        "/bytes?partNumber=1",
    ] {
        for (method, fields) in [("GET", &[][..]), ("HEAD", &[]), ("GET", &[("Range", "bytes=100-199")])] {
            let got = ask(&pictor, method, path, fields).await;
            refused(&got, &format!("{method} {path} {fields:?}"), &[&address]);
            assert_eq!(got.header("x-errno"), "-154");
        }
    }
    for path in ["/note.txt?response-content-type=image/png", "/archive", "/archive?response-content-type=image/png"] {
        let got = ask(&pictor, "GET", path, &[]).await;
        assert_eq!((got.status, got.header("content-type") == "image/png"), (200, false), "{path}");
    }
    let part = ask(&pictor, "GET", "/archive", &[("Range", "bytes=5-7")]).await;
    assert_eq!((part.status, &part.body[..]), (206, "and"));
    let chosen = ask(&pictor, "GET", "/note.txt?response-content-language=de", &[]).await;
    assert_eq!((chosen.status, chosen.header("content-language")), (200, "de"));
}

#[tokio::test]
async fn errors_of_the_store_are_said_in_the_sites_words() {
    let (pictor, address) = private("errors", "").await;
    for path in ["/none.png", "/none.png?imageMogr2/rotate/90", "/none.png?imageMogr2/rotate/400/ignore-error/1"] {
        let got = ask(&pictor, "GET", path, &[]).await;
        assert_eq!((got.status, got.header("content-type")), (404, "application/xml"), "{path}");
        assert!(got.body.contains("<Code>NoSuchKey</Code>"), "{path}: {}", got.body);
        assert!(got.body.contains(&format!("<TraceId>{}</TraceId>", got.header("x-cos-request-id"))), "{path}");
        nothing_of(&got, path, &[&address]);
    }
    let aliyun = [("Authorization", "OSS id:signature")];
    let got = ask(&pictor, "HEAD", "/none.png", &aliyun).await;
    assert_eq!(got.status, 404);
    assert!(got.all().contains("<Code>NoSuchKey</Code>"), "{}", got.all());
    assert_eq!(got.header("x-oss-request-id").len(), 24);
    nothing_of(&got, "HEAD", &[&address]);
    // A connection lives on after it.
    let http10 = ask(&pictor, "GET", "/a.png", &[("Range", "bytes=99999999-")]).await;
    assert_eq!(http10.status, 416);
    assert!(http10.body.contains("<Code>InvalidRange</Code>"), "{}", http10.body);
    let version = ask(&pictor, "GET", "/a.png?versionId=0123456789abcdef0123456789abcdef", &[]).await;
    nothing_of(&version, "a version that is not there", &[&address]);
}

/// A scripted store that Pictor signs for; what the store was asked.
async fn scripted(access: &str) -> (Pictor, Origin, tempfile::TempDir) {
    let store = Origin::start().await;
    let (origin, folder) = signed(store.address, BUCKET);
    (Pictor::start(&site(&format!("{origin}{access}"))).await, store, folder)
}

#[tokio::test]
async fn versions_reach_the_store() {
    let (pictor, store, _folder) =
        scripted("[site.access]\nanonymous_write = true\nanonymous_overrides = true\n").await;
    store.script(&format!("/{BUCKET}/a.txt"), Act::Give(b"text".to_vec()));
    for (method, path, want) in [
        ("GET", "/a.txt?versionId=old", "get /kept-inside/a.txt?versionid=old http"),
        ("DELETE", "/a.txt?versionId=old", "delete /kept-inside/a.txt?versionid=old http"),
        ("GET", "/a.txt?response-content-type=a%2Fb", "get /kept-inside/a.txt?response-content-type=a%2fb http"),
        ("HEAD", "/a.txt", "head /kept-inside/a.txt http"),
    ] {
        let got = ask(&pictor, method, path, &[("Range", "bytes=0-1")]).await;
        let seen = store.seen();
        let last = seen.last().unwrap();
        assert!(last.starts_with(want), "{method} {path}: {last}");
        assert_eq!(last.contains("\r\nrange:"), method == "GET", "{last}");
        nothing_of(&got, path, &[&store.address.to_string()]);
    }
}

#[tokio::test]
async fn whatever_a_store_says_its_clients_read_nothing_of_it() {
    let (pictor, store, _folder) = scripted("[site.access]\nanonymous_list = true\nanonymous_write = true\n").await;
    let path = format!("/{BUCKET}/a.png");
    let says = |code: &str| {
        format!(
            "<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>of {BUCKET} at {}</Message><BucketName>{BUCKET}</BucketName></Error>",
            store.address
        )
    };
    let lines = "Server: SeaweedFS 4.0\r\nX-Amz-Request-Id: of-the-store\r\nX-Amz-Id-2: x\r\nContent-Type: application/xml\r\n\
                 Location: http://kept-inside.example/\r\nVia: kept-inside\r\nX-Amz-Bucket-Region: kept-inside\r\n";
    let address = store.address.to_string();
    for (status, code, want) in [
        (400, "EntityTooSmall", "EntityTooSmall"),
        (400, "kept-inside", "InvalidRequest"),
        (403, "SignatureDoesNotMatch", "AccessDenied"),
        (404, "NoSuchUpload", "NoSuchUpload"),
        (404, "NoSuchBucket", "NoSuchBucket"),
        (409, "OperationAborted", "OperationAborted"),
        (412, "PreconditionFailed", "PreconditionFailed"),
        (500, "InternalError", "InternalError"),
        (503, "SlowDown", "SlowDown"),
        (301, "PermanentRedirect", "BadGateway"),
        (307, "TemporaryRedirect", "BadGateway"),
    ] {
        for body in [says(code), format!("{}<html>{BUCKET}", says(code)), "x".repeat(200_000), String::new()] {
            let exact = body == says(code);
            store.script(&path, Act::Say(status, lines, body));
            for (method, target) in [
                ("GET", "/a.png"),
                ("HEAD", "/a.png"),
                ("PUT", "/a.png"),
                ("GET", "/a.png?acl"),
                ("GET", "/a.png?imageMogr2/rotate/90"),
            ] {
                let got = ask(&pictor, method, target, &[]).await;
                assert!(got.status >= 400, "{status} {method} {target}: {}", got.status);
                nothing_of(&got, &format!("{status} {code} {method} {target}"), &[&address, "of-the-store"]);
                assert!(!got.header("x-cos-request-id").is_empty(), "{status} {method} {target}");
                if exact && method == "GET" && target == "/a.png" {
                    assert!(got.body.contains(&format!("<Code>{want}</Code>")), "{status} {code}: {}", got.body);
                }
            }
        }
    }
}

#[tokio::test]
async fn an_upload_in_parts_is_where_the_client_put_it() {
    let (pictor, store, _folder) = scripted("[site.access]\nanonymous_write = true\n").await;
    let body = format!("  <R><Location>http://{}/{BUCKET}/a.png</Location><Key>a.png</Key></R>", store.address);
    store.script(&format!("/{BUCKET}/a.png"), Act::Say(200, "Content-Type: application/xml\r\n", body));
    let got = ask(&pictor, "POST", "/a.png?uploadId=u", &[]).await;
    let place = pictor.url("/a.png");
    assert_eq!((got.status, got.body), (200, format!("  <R><Location>{place}</Location><Key>a.png</Key></R>")));
}

/// Why a store could not be reached is in the log, down to the system's own words, and in no answer.
#[tokio::test]
async fn the_log_alone_says_what_caused_an_error() {
    let gone = crate::support::free();
    let (origin, _folder) = signed(gone, BUCKET);
    let pictor = Pictor::start(&site(&origin)).await;
    let picture = "/a.png?imageMogr2/rotate/90&q-signature=hush";
    for method in ["GET", "HEAD"] {
        let got = ask(&pictor, method, picture, &[]).await;
        assert_eq!(got.status, 502, "{}", got.all());
        nothing_of(&got, method, &[&gone.to_string(), "caused by", "no connection", "refused"]);
    }
    until("the operator reads why", || pictor.logged("Connection refused")).await;
    let log = pictor.log.lock().unwrap();
    let line = log.iter().find(|line| line.contains("Connection refused")).unwrap();
    for part in ["origin_failed: ", BUCKET, &gone.to_string(), "no connection; caused by: "] {
        assert!(line.contains(part), "{part}: {line}");
    }
    for secret in ["hush", "Credential", "a.png", "AWS4"] {
        assert!(!line.contains(secret), "{secret}: {line}");
    }
}

#[tokio::test]
async fn errors_name_nothing_of_the_inside_whatever_the_origin() {
    let inside = crate::support::free().to_string();
    let folder = tempfile::Builder::new().prefix("hidden-folder-").tempdir().unwrap();
    std::fs::create_dir(folder.path().join("d")).unwrap();
    let store = Origin::start().await;
    let address = store.address.to_string();
    store.script("/hidden-prefix/short.png", Act::Short(vec![0; 10], 10));
    store.script("/hidden-prefix/gone.png", Act::Gone);
    for status in [300, 301, 400, 401, 403, 404, 405, 408, 410, 416, 429, 500, 501, 502, 503, 504] {
        store.script(&format!("/hidden-prefix/{status}.png"), Act::Status(status));
    }
    let origins = [
        (format!("kind = \"dir\"\npath = \"{}\"", folder.path().display()), vec!["d", "none.png", "d%2f", "%D6.png"]),
        (format!("kind = \"http\"\nurl = \"http://{inside}/hidden-prefix\""), vec!["none.png"]),
        ("kind = \"http\"\nurl = \"http://hidden.invalid/hidden-prefix\"".to_owned(), vec!["none.png"]),
        (
            format!("kind = \"http\"\nurl = \"http://{address}/hidden-prefix\"\ntimeouts = {{ total = \"1s\" }}"),
            "short gone 300 301 400 401 403 404 405 408 410 416 429 500 501 502 503 504 none".split(' ').collect(),
        ),
        (format!("kind = \"s3\"\nendpoint = \"http://{inside}\"\nbucket = \"{BUCKET}\""), vec!["none.png", "%D6.png"]),
    ];
    for (origin, names) in origins {
        let pictor = Pictor::start(&site(&origin)).await;
        for name in names {
            let name = if name.contains('.') || name.contains('%') { name.to_owned() } else { format!("{name}.png") };
            for query in [
                "?imageMogr2/rotate/90",
                "?x-oss-process=image/resize,w_9",
                "?imageInfo&versionId=1",
                "?imageMogr2/rotate/400/ignore-error/1",
            ] {
                let got = ask(&pictor, "GET", &format!("/{name}{query}"), &[]).await;
                if query.contains("ignore-error") && got.status < 500 {
                    // What a plain HTTP server answers itself is its own.
                    continue;
                }
                assert!(got.status >= 400, "{name}{query}");
                let all = got.all();
                for word in [inside.as_str(), &address, BUCKET, "hidden-", "hidden.invalid", "127.0.0.1:", "/tmp"] {
                    assert!(
                        !all.replace(&pictor.public.to_string(), "").contains(word),
                        "{origin} {name}{query} says {word}: {all}"
                    );
                }
            }
        }
    }
}
