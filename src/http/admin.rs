//! The admin listener: `/metrics`, `/healthz`, `/readyz`, the styles of sites. An address of its own; never public.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use http::{Response, StatusCode, header};
use pingora::apps::http_app::ServeHttp;
use pingora::http::RequestHeader;
use pingora::protocols::http::ServerSession;

use super::front::WatchedRequest;
use super::snapshot::exposed;
use super::{App, incoming, styles};
use crate::access::{self, Query};
use crate::cache::{Depth, Scope};
use crate::dialect;

/// The admin application.
pub struct Admin {
    pub(super) app: Arc<App>,
    /// How many of the public sockets take connections, and of how many. All services start side by side: this one may be
    /// the first.
    pub(super) accepting: Arc<AtomicUsize>,
    pub(super) wanted: usize,
}

fn text(status: StatusCode, media_type: &'static str, body: Vec<u8>) -> Response<Vec<u8>> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let length = response.body().len();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(media_type));
    headers.insert(header::CONTENT_LENGTH, header::HeaderValue::from(length));
    response
}

/// Where a site's settings are, by its name.
const SITES: &str = "/-/sites/";

impl Admin {
    /// The vendors' calls for styles, for a site by its name; nobody else reaches this listener.
    async fn styles(&self, session: &mut ServerSession, name: &str, query: &Query) -> Response<Vec<u8>> {
        let found = self.app.sites.now().named(name).cloned();
        let Some(site) = found.filter(|_| access::is_style_call("/", query)) else {
            let message = b"take /-/sites/NAME/?style, NAME being a site of the configuration\n";
            return text(StatusCode::NOT_FOUND, PLAIN, message.to_vec());
        };
        let (dialect, result) = match styles::StyleCallBody::receive(session).await {
            Err(error) => (None, Err(error)),
            Ok(body) => styles::call(&self.app, &site, session.req_header().method.as_str(), query, &body).await,
        };
        let (status, body) = result.unwrap_or_else(|error| {
            let shaped = dialect::error_body(dialect, &error, "/", name, "-", false);
            (shaped.status, shaped.body)
        });
        text(StatusCode::from_u16(status).unwrap_or_default(), "application/xml", body.into_bytes())
    }
}

impl Admin {
    /// `PURGE /a.jpg` with a host of the site: parts with the object and all that was made of it. After the answer nothing
    /// old is served, whatever the origin says.
    fn purge(&self, head: &RequestHeader) -> Response<Vec<u8>> {
        let refuse = |why: &str| text(StatusCode::BAD_REQUEST, PLAIN, format!("{why}\n").into_bytes());
        let host = match incoming::host(head) {
            Ok(host) => host,
            Err(error) => return refuse(&error.message),
        };
        let Some(site) = self.app.sites.now().find(host).cloned() else {
            return text(StatusCode::NOT_FOUND, PLAIN, b"no site answers to this host name\n".to_vec());
        };
        let Some(object) = incoming::object(&site, head.uri.path()) else {
            return refuse("PURGE takes the path of an object");
        };
        self.app.shield.purge(&Scope::object(&object), Depth::Hard);
        tracing::info!(site = &*site.name, object = &*object.key, "purged");
        text(StatusCode::OK, "application/json", b"{\"purged\":true}\n".to_vec())
    }
}

const PLAIN: &str = "text/plain; charset=utf-8";

#[async_trait]
impl ServeHttp for Admin {
    async fn response(&self, session: &mut ServerSession) -> Response<Vec<u8>> {
        if let Some(request) = WatchedRequest::current() {
            request.begin();
            if !session.is_body_empty() {
                request.body_comes();
            }
        }
        let target = session.req_header().uri.clone();
        if let Some(name) = target.path().strip_prefix(SITES) {
            let query = incoming::target(&target).into_parameters();
            return self.styles(session, name.trim_end_matches('/'), &query).await;
        }
        let head = session.req_header();
        if head.method.as_str() == "PURGE" {
            return self.purge(head);
        }
        if head.method != http::Method::GET && head.method != http::Method::HEAD {
            return text(StatusCode::METHOD_NOT_ALLOWED, PLAIN, b"only GET and PURGE\n".to_vec());
        }
        let shield = &self.app.shield;
        match head.uri.path() {
            "/healthz" => text(StatusCode::OK, PLAIN, b"ok\n".to_vec()),
            "/readyz" => {
                let status = shield.engine().status();
                match status.workers {
                    0 => text(StatusCode::SERVICE_UNAVAILABLE, PLAIN, b"no worker is ready\n".to_vec()),
                    _ if self.accepting.load(Ordering::Acquire) < self.wanted => {
                        text(StatusCode::SERVICE_UNAVAILABLE, PLAIN, b"the site's listeners are not up yet\n".to_vec())
                    }
                    workers => text(StatusCode::OK, PLAIN, format!("ready, {workers} workers\n").into_bytes()),
                }
            }
            "/metrics" => match exposed(&self.app) {
                Ok(body) => text(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", body),
                Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, PLAIN, format!("{error}\n").into_bytes()),
            },
            _ => text(StatusCode::NOT_FOUND, PLAIN, b"/metrics /healthz /readyz /-/sites/NAME/?style\n".to_vec()),
        }
    }
}
