//! Any request, under every policy: what would be sent to a store with the site's own key was opened to everyone. The oracle
//! is the unit tests' own.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use pictor::config::Loaded;
use pictor::http::sent::{SentRequest, sent};
use pictor::site::{Site, Sites};

#[path = "../../tests/support/allowed.rs"]
mod allowed;

use allowed::{Opens, wrong};

const METHODS: [&str; 10] = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "DELETE", "PATCH", "TRACE", "COPY", "PROPFIND"];

/// One byte for the policy, one for the method; then the target, and a field of the head a line.
pub fn check(data: &[u8]) {
    let Some(([policy, method], text)) = data.split_first_chunk::<2>() else { return };
    let text = String::from_utf8_lossy(text);
    let mut lines = text.split('\n');
    let target = format!("/{}", lines.next().unwrap_or_default());
    let fields: Vec<(&str, &str)> = lines.take(8).filter_map(|line| line.split_once(": ")).collect();
    let method = METHODS[usize::from(*method) % METHODS.len()];
    let (opens, site) = &sites()[usize::from(*policy) % 32];
    for one in sent(site, method, &target, &fields).into_iter().flatten() {
        match one {
            SentRequest::Passed(method, target, fields) => {
                assert_eq!(wrong(*opens, &method, &target, &fields, "/hidden/"), None);
            }
            SentRequest::Fetched(key, _) => {
                assert!(opens.anonymous && (method == "GET" || method == "HEAD"));
                assert!(!key.chars().all(|c| c == '/'));
            }
            SentRequest::Styles => panic!("styles are not open"),
        }
    }
}

fn sites() -> &'static [(Opens, Arc<Site>)] {
    static SITES: OnceLock<Vec<(Opens, Arc<Site>)>> = OnceLock::new();
    SITES.get_or_init(|| {
        let folder = std::env::temp_dir().join(format!("pictor-fuzz-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder for keys");
        let file = |name: &str| {
            let path = folder.join(name);
            std::fs::write(&path, name).expect("a key");
            path.display().to_string()
        };
        let (access, secret) = (file("AK"), file("SK"));
        let site = |opens: Opens| {
            let text = format!(
                "[[site]]\nname = \"t\"\nhosts = [\"*\"]\n[site.origin]\nkind = \"s3\"\nendpoint = \"http://127.0.0.1:9\"\n\
                 bucket = \"hidden\"\naccess_key_file = {access:?}\nsecret_key_file = {secret:?}\n{}",
                opens.toml()
            );
            let loaded = Loaded { config: pictor::config::parse(&text).expect("a configuration"), base: PathBuf::from("/") };
            let sites = Sites::build(&loaded).expect("a site");
            (opens, sites.iter().next().expect("one").clone())
        };
        let sites = Opens::all().map(site).collect();
        let _ = std::fs::remove_dir_all(&folder);
        sites
    })
}
