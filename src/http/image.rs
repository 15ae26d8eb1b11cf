//! A request for a processed picture: ask the shield while watching whether the client stays, write what comes.

use std::sync::Arc;

use pingora::proxy::Session;

use super::App;
use super::answer::{self, Response};
use super::incoming::Image;
use crate::dialect::Dialect;
use crate::error::{Error, Fault, Kind};
use crate::shield::{CacheStatus, Delivery, Failure, Forward, Question};

/// Asks the shield; gives up when the client goes.
///
/// # Errors
/// What the shield found; [`Kind::Cancelled`] when the client has gone.
pub async fn ask(app: &Arc<App>, session: &mut Session, image: &Image) -> Result<Delivery, Failure> {
    let question = &image.question;
    if let Some(answer) = app.shield.lookup(question) {
        return answer;
    }
    let work = app.shield.get(question.clone());
    tokio::pin!(work);
    // pingora notices a client's leaving only when it reads. A request that carries a body is not watched: its bytes
    // would have to be taken in first.
    if !session.as_downstream_mut().is_body_empty() {
        return work.await;
    }
    tokio::select! {
        answer = &mut work => answer,
        event = session.as_downstream_mut().read_body_or_idle(true) => match event {
            // Bytes of a next request: the client is still there.
            Ok(_) => work.await,
            Err(_) => {
                let error = Error::new(Kind::Cancelled, "the client has gone");
                Err(Failure { error, status: CacheStatus::Forward(Forward::default()) })
            }
        },
    }
}

/// The answer as a response.
pub fn dress(
    session: &Session,
    answer: &Delivery,
    question: &Question,
    dialect: Option<Dialect>,
    request_id: &str,
) -> Result<Response, Error> {
    let head_only = session.req_header().method == http::Method::HEAD;
    answer::result(answer, question, dialect, &answer::conditions(session), head_only, request_id)
}

/// Whether a failure of this kind is answered with the original when the rule says `ignore-error/1` (the picture or a
/// parameter exceeds a limit, or the picture is of a kind that is not processed).
pub fn forgiven(kind: Kind) -> bool {
    use Kind::{AdvancedOff, CropOutside, OutputTooLarge, RotateTooLarge, UnsupportedTarget};
    let of_the_rule = matches!(kind, OutputTooLarge | RotateTooLarge | CropOutside | UnsupportedTarget | AdvancedOff);
    of_the_rule || kind.fault() == Fault::Image
}

/// Whether a plain picture, asked for without a rule, is answered with the original after a failure of this kind: nobody
/// has asked for anything else. Where the origin is in trouble, the original is what cannot be had.
pub fn original_instead(kind: Kind) -> bool {
    match kind {
        Kind::OriginTimeout | Kind::OriginFailed | Kind::OriginShort | Kind::Cancelled => false,
        Kind::NotFound | Kind::Forbidden | Kind::Busy | Kind::Internal => true,
        kind => forgiven(kind) || kind.fault() == Fault::Client,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_fail_on_the_way_to_a_plain_picture_ends_with_the_original() {
        for kind in [Kind::Corrupt, Kind::SourcePixels, Kind::Busy, Kind::Quarantined, Kind::Deadline, Kind::NotFound] {
            assert!(original_instead(kind), "{kind:?}");
        }
        assert!(!original_instead(Kind::OriginTimeout) && !original_instead(Kind::Cancelled));
    }

    #[test]
    fn what_a_rule_forgives_is_the_pictures_fault_or_a_limit() {
        for kind in
            [Kind::Corrupt, Kind::Deadline, Kind::SourceBytes, Kind::Quarantined, Kind::CropOutside, Kind::AdvancedOff]
        {
            assert!(forgiven(kind), "{kind:?}");
        }
        for kind in [
            Kind::BadRule,
            Kind::Protected,
            Kind::Forbidden,
            Kind::NotFound,
            Kind::MarkUnusable,
            Kind::Busy,
            Kind::Internal,
        ] {
            assert!(!forgiven(kind), "{kind:?}");
        }
    }
}
