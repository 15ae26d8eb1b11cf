//! Listeners, threads, and the way down.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use pingora::apps::HttpServerOptions;
use pingora::listeners::tls::TlsSettings;
use pingora::proxy::ProxyServiceBuilder;
use pingora::server::configuration::ServerConf;
use pingora::server::{ExecutionPhase, RunArgs, Server};
use pingora::services::listening::Service;

use super::App;
use super::admin::Admin;
use super::pass::Resolver;
use super::proxy::Proxy;
use crate::config::ServerConfig;
use crate::error::{Error, Kind};

/// Serves until a signal says stop: SIGTERM lets requests in flight finish within the grace, SIGINT does not.
///
/// # Errors
/// A certificate that cannot be used. An address that cannot be bound ends the process, with pingora's message.
pub fn run(app: Arc<App>, config: &ServerConfig) -> Result<(), Error> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = if config.threads == 0 { cores } else { config.threads };
    let conf = ServerConf {
        threads,
        work_stealing: true,
        grace_period_seconds: Some(config.grace.as_secs().max(1)),
        graceful_shutdown_timeout_seconds: Some(1),
        // pingora tries sixteen times by default: an origin in trouble needs less of us, not more.
        max_retries: 1,
        upstream_keepalive_pool_size: 256,
        ..ServerConf::default()
    };
    let mut server = Server::new_with_opt_and_conf(None, conf);
    server.bootstrap();

    let proxy = Proxy { app: app.clone(), resolver: Resolver::default() };
    let mut options = HttpServerOptions::default();
    options.h2c = true;
    options.h2_idle_timeout = Some(Duration::from_secs(300));
    let mut public =
        ProxyServiceBuilder::new(&server.configuration, proxy).name("pictor").server_options(options).build();
    public.threads = Some(threads);
    for address in &config.listen {
        public.add_tcp(address);
    }
    for address in &config.listen_tls {
        public.add_tls_with_settings(address, None, tls(config)?);
    }
    server.add_service(public);

    let answers = Admin {
        app: app.clone(),
        listen: config.listen.iter().chain(&config.listen_tls).cloned().collect(),
        up: AtomicBool::new(false),
    };
    let mut admin = Service::new("admin".into(), answers);
    admin.threads = Some(1);
    admin.add_tcp(&config.admin);
    server.add_service(admin);

    leave_early(&server, app, config.grace);
    server.run(RunArgs::default());
    Ok(())
}

fn tls(config: &ServerConfig) -> Result<TlsSettings, Error> {
    let path = |path: &Option<std::path::PathBuf>, name: &str| {
        let path = path.as_ref().and_then(|path| path.to_str()).map(str::to_owned);
        path.ok_or_else(|| Error::new(Kind::Internal, format!("server.listen_tls needs server.{name}")))
    };
    let (certificate, key) = (path(&config.certificate, "certificate")?, path(&config.private_key, "private_key")?);
    let mut settings = TlsSettings::intermediate(&certificate, &key)
        .map_err(|error| Error::new(Kind::Internal, format!("{certificate}, {key}: {}", error.etype().as_str())))?;
    settings.enable_h2();
    Ok(settings)
}

/// pingora sleeps through the whole grace even when nothing is in flight; this thread ends the process as soon as the
/// last request has been answered.
fn leave_early(server: &Server, app: Arc<App>, grace: Duration) {
    let mut phases = server.watch_execution_phase();
    std::thread::spawn(move || {
        loop {
            match phases.blocking_recv() {
                Ok(ExecutionPhase::GracefulTerminate) => break,
                Ok(_) => {}
                Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {}
                Err(tokio::sync::broadcast::error::RecvError::Closed) => return,
            }
        }
        let started = Instant::now();
        tracing::info!(in_flight = app.in_flight.load(Ordering::Acquire), "stopping");
        // Requests whose bytes were on their way when the signal came still get in.
        let mut quiet_since = Instant::now();
        while started.elapsed() < grace && quiet_since.elapsed() < Duration::from_millis(300) {
            if app.in_flight.load(Ordering::Acquire) > 0 {
                quiet_since = Instant::now();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        tracing::info!(left = app.in_flight.load(Ordering::Acquire), "stopped");
        std::process::exit(0);
    });
}
