//! What links a party to listed ones: the graph, drawn here, and the same as a table.
//!
//! What is asked stands in the address of the page, as for every search; only that somebody asked is
//! kept, not about whom. Nothing here says that anybody did anything.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use tidewaiter_risk::screening::{Network, Question};
use tidewaiter_web::answer::page;
use tidewaiter_web::form::Fields;
use tidewaiter_web::frame::Frame;
use tidewaiter_web::visit::Visit;

use super::failure;
use crate::people::Actor;
use crate::state::AppState;

mod drawing;

use drawing::{Drawing, name_of};

#[derive(Template)]
#[template(path = "desk/network.html")]
struct NetworkPage {
    frame: Frame,
    asked: Fields,
    kinds: Vec<(&'static str, String, bool)>,
    /// What is wrong with the question.
    refused: Option<String>,
    /// `None` before anything was asked.
    shown: Option<Shown>,
}

struct Shown {
    drawing: Drawing,
    /// The kinds of links there are, for the legend.
    links: Vec<(&'static str, String)>,
    rows: Vec<Row>,
    cut: bool,
}

/// A link in the table.
struct Row {
    from: Party,
    to: Party,
    link: String,
    evidence: String,
}

/// A party: its name, and where it is listed.
struct Party {
    name: String,
    listed: Option<String>,
}

const KINDS: [&str; 5] = ["", "organisation", "person", "vessel", "aircraft"];

pub(super) async fn show(
    State(state): State<AppState>,
    actor: Actor,
    RawQuery(query): RawQuery,
    visit: Visit,
) -> Response {
    let asked = Fields::read(query.unwrap_or_default().as_bytes());
    let text = visit.text;
    let mut refused = None;
    let mut shown = None;
    if let Some(question) = question(&asked) {
        if let Err(error) = state.noted(&actor, "network", String::new()).await {
            return failure::failed(&visit, &error);
        }
        match state.network(question).await {
            Ok(network) => shown = Some(Shown::of(&visit, &network)),
            Err(error) => refused = Some(error.to_string()),
        }
    }
    let kinds = KINDS.map(|kind| {
        let words = if kind.is_empty() { text.say("desk-any") } else { text.code("listed", kind) };
        (kind, words.into_owned(), asked.get("kind") == kind)
    });
    let title = text.say("desk-network");
    let frame = super::frame(&visit, state.demonstration(), &title, "/network");
    page(&NetworkPage { frame, asked, kinds: kinds.into(), refused, shown })
}

/// The question of a form; `None` where nothing was typed.
fn question(fields: &Fields) -> Option<Question> {
    let known = ["name", "address", "phone"].iter().any(|name| !fields.get(name).trim().is_empty());
    known.then(|| {
        Question::of_party(
            fields.get("kind"),
            fields.get("name"),
            fields.get("address"),
            fields.get("phone"),
        )
    })
}

impl Shown {
    fn of(visit: &Visit, network: &Network) -> Self {
        let text = visit.text;
        let word = |link: &'static str| text.code("link", link).into_owned();
        let mut links: Vec<&'static str> =
            network.edges.iter().map(|edge| name_of(edge.link)).collect();
        links.sort_unstable();
        links.dedup();
        let party = |id: &str| {
            let node = network.nodes.iter().find(|node| node.id == id);
            Party {
                name: node.map(|node| node.name.clone()).unwrap_or_default(),
                listed: node.filter(|node| node.distance > 0).map(|node| node.id.clone()),
            }
        };
        let rows = network.edges.iter().map(|edge| Row {
            from: party(&edge.from),
            to: party(&edge.to),
            link: word(name_of(edge.link)),
            evidence: edge.evidence.clone(),
        });
        Self {
            drawing: Drawing::of(network),
            links: links.into_iter().map(|link| (link, word(link))).collect(),
            rows: rows.collect(),
            cut: network.cut,
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use crate::http::tests::Desk;

    // The address stands in the built-in lists of the demonstration.
    #[tokio::test]
    async fn links_are_drawn_and_told_and_never_as_guilt() {
        let desk = Desk::open().await;
        let (status, page) = desk.get("/network?name=Rungrado&kind=organisation").await;
        assert_eq!(status, StatusCode::OK, "{page}");
        assert!(page.contains("A link is a reason to ask, not a finding"), "{page}");
        assert!(page.contains("<svg class=\"network-graph\""), "{page}");
        // Every link of the drawing has its evidence, and the table says the same.
        let (drawn, table) = page.split_once("<table").unwrap();
        let lines = drawn.matches("<line class=\"link link-").count();
        let told = drawn.matches("</title></line>").count();
        let rows = table.matches("<th scope=\"row\">").count();
        assert!(told > 0 && rows == told && lines > told, "{lines} {told} {rows}");
        assert!(!page.contains(" style="), "the pages' policy forbids it");
    }

    #[tokio::test]
    async fn what_was_typed_comes_back_as_text() {
        let desk = Desk::open().await;
        let (status, page) = desk.get("/network?name=%3Cscript%3Ealert(1)%3C/script%3E").await;
        assert_eq!(status, StatusCode::OK);
        assert!(page.contains("&#60;script&#62;") && !page.contains("<script>alert"), "{page}");
        assert!(page.contains("Nothing links this party"), "{page}");
        let (_, empty) = desk.get("/network").await;
        assert!(!empty.contains("network-graph") && !empty.contains("Nothing links"), "{empty}");
        let (_, refused) = desk.get("/network?kind=planet&name=x").await;
        assert!(refused.contains("planet"), "{refused}");
    }
}
