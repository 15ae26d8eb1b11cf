//! A real S3 server: SeaweedFS, one for each test binary, a bucket for each test.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime};

use pictor::config::OriginConfig;
use pictor::config::origin::Timeouts;

use super::{crate_root, free_port, wire};

/// What the server knows.
pub const ACCESS_KEY: &str = "AKIDEXAMPLE";
/// Its other half.
pub const SECRET_KEY: &str = "SECRETEXAMPLE";

/// `bucket.s3.localhost` names a bucket, too.
const DOMAIN: &str = "s3.localhost";

/// A SeaweedFS.
pub struct Weed {
    port: u16,
    folder: PathBuf,
    /// The shell that waits for the end of `_alive`, and then ends the server.
    _shell: Child,
    /// Closes with the last handle, however this process ends: a static is never dropped.
    _alive: ChildStdin,
}

impl Weed {
    /// The server of this test binary; started at the first call.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Weed> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// A server of its own. Dropping it ends it.
    pub fn start() -> Self {
        // A port may be taken between its choice and its use: once more with others.
        (0..3).find_map(|_| Self::attempt()).expect("SeaweedFS found no free ports in three attempts")
    }

    fn attempt() -> Option<Self> {
        let program = program();
        let folder = tempfile::Builder::new().prefix("pictor-weed-").tempdir().unwrap().keep();
        std::fs::write(folder.join("access_key"), ACCESS_KEY).unwrap();
        std::fs::write(folder.join("secret_key"), SECRET_KEY).unwrap();
        let config = format!(
            r#"{{"identities":[{{"name":"dev","credentials":[{{"accessKey":"{ACCESS_KEY}","secretKey":"{SECRET_KEY}"}}],"actions":["Admin","Read","Write","List","Tagging"]}}]}}"#
        );
        std::fs::write(folder.join("s3.json"), config).unwrap();
        std::fs::create_dir(folder.join("data")).unwrap();
        let [master, master_grpc, volume, volume_grpc, filer, filer_grpc, port, s3_grpc] =
            [(); 8].map(|()| free_port());
        let at = |name: &str| folder.join(name).display().to_string();
        // Ends the server when its input ends, and takes the data along.
        let script = r#"dir=$1; shift; "$@" >"$dir/log" 2>&1 & server=$!; read -r _; kill -9 "$server"; wait "$server"; rm -rf "$dir""#;
        let mut shell = Command::new("sh")
            .args(["-c", script, "sh"])
            .arg(&folder)
            .arg(&program)
            .args(["-logtostderr=true", "server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3"])
            .arg(format!("-dir={}", at("data")))
            .arg(format!("-s3.config={}", at("s3.json")))
            .arg(format!("-s3.domainName={DOMAIN}"))
            .arg(format!("-s3.localSocket={}", at("s3.sock")))
            .arg(format!("-filer.localSocket={}", at("filer.sock")))
            .args([format!("-master.port={master}"), format!("-master.port.grpc={master_grpc}")])
            .args([format!("-volume.port={volume}"), format!("-volume.port.grpc={volume_grpc}")])
            .args([format!("-filer.port={filer}"), format!("-filer.port.grpc={filer_grpc}")])
            .args([format!("-s3.port={port}"), format!("-s3.port.grpc={s3_grpc}")])
            .args(["-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false"])
            // Each bucket grows by seven volumes at a time.
            .args(["-master.volumeSizeLimitMB=64", "-volume.max=1000"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("sh starts");
        let alive = shell.stdin.take().unwrap();
        let weed = Self { port, folder, _shell: shell, _alive: alive };
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            let log = std::fs::read_to_string(weed.folder.join("log")).unwrap_or_default();
            if log.contains("address already in use") {
                return None;
            }
            // Anonymous requests are refused once it has read who it knows.
            if wire::request(&weed.address(), "GET", "/", &[], b"").is_ok_and(|answer| answer.status == 403)
                && weed.create_bucket("ready")
            {
                return Some(weed);
            }
            let tail: String = log.lines().rev().take(20).collect::<Vec<_>>().join("\n");
            assert!(Instant::now() < end, "SeaweedFS ({}) did not start; its last words:\n{tail}", program.display());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// `127.0.0.1:port`
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// `http://127.0.0.1:port`
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address())
    }

    /// `http://s3.localhost:port`, for virtual-host style.
    pub fn domain_endpoint(&self) -> String {
        format!("http://{DOMAIN}:{}", self.port)
    }

    /// A file with the access key, for `access_key_file`.
    pub fn access_key_file(&self) -> PathBuf {
        self.folder.join("access_key")
    }

    /// A file with the secret key, for `secret_key_file`.
    pub fn secret_key_file(&self) -> PathBuf {
        self.folder.join("secret_key")
    }

    /// The configuration of a bucket, which is made if it is not there.
    pub fn bucket(&self, name: &str, path_style: bool) -> OriginConfig {
        assert!(self.create_bucket(name), "the bucket {name} cannot be made");
        self.config(name, path_style)
    }

    /// The configuration of a bucket that may not exist.
    pub fn config(&self, bucket: &str, path_style: bool) -> OriginConfig {
        OriginConfig::S3 {
            endpoint: if path_style { self.endpoint() } else { self.domain_endpoint() },
            bucket: bucket.into(),
            region: "us-east-1".into(),
            path_style,
            access_key_env: None,
            secret_key_env: None,
            access_key_file: Some(self.access_key_file()),
            secret_key_file: Some(self.secret_key_file()),
            timeouts: Timeouts::default(),
        }
    }

    fn create_bucket(&self, name: &str) -> bool {
        let origin = pictor::origin::build(&self.config(name, true), Path::new("/")).unwrap();
        let upstream = origin.upstream().unwrap();
        let head = upstream.request("PUT", "/", None, &http::HeaderMap::new(), SystemTime::now()).unwrap();
        let mut headers = vec![("Host", head.host.as_str())];
        headers.extend(head.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())));
        let answer = wire::request(&self.address(), "PUT", &head.path_and_query, &headers, b"");
        // 409: it was there already.
        answer.is_ok_and(|answer| matches!(answer.status, 200 | 409))
    }
}

impl Drop for Weed {
    fn drop(&mut self) {
        // What the shell waits for; if it is gone, so is the server.
        let _ = self._alive.write_all(b"\n");
        let _ = self._shell.wait();
    }
}

/// Where the server's program is: `PICTOR_WEED`, else what `scripts/setup test` installs, else the path.
fn program() -> PathBuf {
    if let Some(program) = std::env::var_os("PICTOR_WEED") {
        return program.into();
    }
    let installed = crate_root().join(".deps/venv/bin/weed");
    if installed.exists() {
        return installed;
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join("weed"))
        .find(|program| program.exists())
        .expect("no S3 server to test against: run \"scripts/setup test\", or name SeaweedFS's weed in PICTOR_WEED")
}
