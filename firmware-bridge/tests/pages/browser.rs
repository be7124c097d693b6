//! What asks a station's router as a browser or a program would.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode};
use serde_json::Value;
use tidewaiter_bridge::http::router;
use tidewaiter_bridge::officers::{Officers, SignIn};
use tidewaiter_bridge::station::Station;
use tidewaiter_proto::record::Source;
use tidewaiter_proto::signing::Signing;
use tidewaiter_web::guard::Door;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::common::{counted, document, event, pass, station};

/// A station, and an officer's browser before it.
pub(crate) struct Lane {
    _folder: tempfile::TempDir,
    pub(crate) station: Station,
    router: Router,
}

/// An answer, read to its end.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) location: String,
    pub(crate) headers: axum::http::HeaderMap,
    pub(crate) text: String,
}

/// The pages of a station that no accounts have come to.
fn routes(station: &Station, stop: CancellationToken) -> Router {
    let server = Signing::from_seed(&[3; 32]).verifying();
    let officers = Officers::open(station.clone(), server, SignIn::UntilAccounts);
    router(station.clone(), officers, stop, Door::default())
}

impl Lane {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let stop = CancellationToken::new();
        let station = station(folder.path(), &stop);
        Self { _folder: folder, router: routes(&station, stop), station }
    }

    /// A passenger to Pyongyang, with as many hundred-dollar notes counted.
    pub(crate) async fn passenger(&self, pieces: u64) -> String {
        self.station.event("mrz-1", &event("1", &document())).await.unwrap();
        self.station.event("pass-1", &event("1", &pass())).await.unwrap();
        let open = self.station.open_inspection().await.unwrap();
        if pieces > 0 {
            self.station.event("counter-1", &event("1", &counted(pieces))).await.unwrap();
        }
        self.await_alert(&open, if pieces > 100 { "undeclared_cash" } else { "route_high_risk" })
            .await;
        open
    }

    /// Somebody whose way bears no risk.
    pub(crate) async fn harmless(&self) -> String {
        let opened = serde_json::from_value(serde_json::json!({
            "direction": "exit", "role": "passenger",
            "movement": {"mode": "air", "carrier": "KE", "number": "982", "from": "VVO", "to": "ICN"},
        }));
        let officer = Source::Officer("o-11".to_owned());
        self.station.begin(officer, opened.unwrap(), None).await.unwrap()
    }

    pub(crate) async fn await_alert(&self, inspection: &str, code: &str) {
        for _ in 0..500 {
            let alerts = self.station.alerts(inspection);
            if alerts.iter().any(|alert| alert.code.as_str() == code) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("{code} is not raised: {:?}", self.station.alerts(inspection));
    }

    pub(crate) async fn open(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    async fn ask(&self, request: Request<Body>) -> Answer {
        let response = self.open(request).await;
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 1 << 22).await.unwrap();
        let location =
            parts.headers.get("location").map(|value| value.to_str().unwrap().to_owned());
        Answer {
            status: parts.status,
            location: location.unwrap_or_default(),
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        let request = Request::get(path).header("cookie", OFFICER);
        self.ask(request.body(Body::empty()).unwrap()).await
    }

    /// Posts a form as the officer's browser does.
    pub(crate) async fn post(&self, path: &str, form: &str) -> Answer {
        self.post_from(path, form, "same-origin").await
    }

    pub(crate) async fn post_from(&self, path: &str, form: &str, site: &str) -> Answer {
        let request = Request::post(path)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("sec-fetch-site", site)
            .header("cookie", OFFICER);
        self.ask(request.body(Body::from(form.to_owned())).unwrap()).await
    }

    /// Posts JSON as a program does.
    pub(crate) async fn tell(&self, path: &str, body: &Value, key: Option<&str>) -> Answer {
        let mut request = Request::post(path).header("content-type", "application/json");
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        self.ask(request.body(Body::from(body.to_string())).unwrap()).await
    }

    /// The types of an inspection's records.
    pub(crate) fn types(&self, inspection: &str) -> Vec<String> {
        let records = self.station.records(inspection).unwrap();
        records.iter().map(|record| record.body.type_name().to_owned()).collect()
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{}", self.text))
    }

    pub(crate) fn shows(&self, text: &str) -> bool {
        self.text.contains(text)
    }
}

const OFFICER: &str = "tidewaiter-officer=o-11";
