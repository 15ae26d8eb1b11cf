//! The vendors' interfaces for styles: on the public listener where a site opens them to anyone, on the admin listener
//! always, under `/-/sites/NAME/`.

use bytes::Bytes;
use http::header;
use pingora::protocols::http::ServerSession;

use super::App;
use super::answer::{self, Response, name_request, set, status_line};
use super::front::WatchedRequest;
use crate::access::Query;
use crate::dialect::{Dialect, style_calls};
use crate::error::{Error, Kind};
use crate::site::Site;

/// A call's body while it comes in.
#[derive(Debug, Default)]
pub struct StyleCallBody(Vec<u8>);

impl StyleCallBody {
    /// Reads all of it, on either listener.
    ///
    /// # Errors
    /// [`Kind::BadRequest`] when there is more than a style can need; [`Kind::Cancelled`] when it ends early.
    pub async fn receive(session: &mut ServerSession) -> Result<Self, Error> {
        let (request, mut body) = (WatchedRequest::current(), Self::default());
        let broken = |_| Error::new(Kind::Cancelled, "the request's body ended early");
        while let Some(piece) = session.read_request_body().await.map_err(broken)? {
            if let Some(request) = &request {
                request.body_taken(piece.len());
            }
            body.add(&piece)?;
        }
        if let Some(request) = &request {
            request.body_done();
        }
        Ok(body)
    }

    fn add(&mut self, piece: &[u8]) -> Result<(), Error> {
        let most = style_calls::MOST_BODY_BYTES;
        if self.0.len() + piece.len() > most {
            let message = format!("the body of a request for styles has at most {most} bytes");
            return Err(Error::new(Kind::BadRequest, message));
        }
        self.0.extend_from_slice(piece);
        Ok(())
    }
}

/// The dialect of a call, and status and body of its answer or what was wrong with it.
pub async fn call(
    app: &App,
    site: &Site,
    method: &str,
    query: &Query,
    body: &StyleCallBody,
) -> (Option<Dialect>, Result<(u16, String), Error>) {
    let dialect = style_calls::dialect(query, &body.0, &site.language.dialects);
    let result = match (&app.styles, dialect) {
        (None, _) => {
            let message = "styles cannot be changed here: the configuration has no state.path";
            Err(Error::new(Kind::UnsupportedRule, message))
        }
        (_, None) => Err(Error::new(Kind::BadRequest, "this site does not speak the dialect of this request")),
        (Some(book), Some(dialect)) => match style_calls::read(dialect, method, query, &body.0) {
            Ok(call) => book.call(&app.sites, site, dialect, &call).await,
            Err(error) => Err(error),
        },
    };
    (dialect, result)
}

/// An answer that is no error.
pub fn response(dialect: Option<Dialect>, status: u16, body: String, request_id: &str) -> Result<Response, Error> {
    let mut head = status_line(answer::status(status)?);
    name_request(&mut head.headers, dialect, request_id);
    if !body.is_empty() {
        set(&mut head.headers, header::CONTENT_TYPE, "application/xml");
    }
    set(&mut head.headers, header::CACHE_CONTROL, "no-store");
    if status != 204 {
        set(&mut head.headers, header::CONTENT_LENGTH, &body.len().to_string());
    }
    Ok(Response { head, body: Bytes::from(body) })
}
