//! What the pages of people work with, at the server and at headquarters alike: sign-in, one's own
//! account, accounts, the audit.

use axum::extract::FromRef;
use jiff::Timestamp;
use tidewaiter_people::role::Permission;
use tidewaiter_web::frame::{Frame, Place};
use tidewaiter_web::visit::Visit;

use super::{Actor, People};
use crate::clock::Clock;
use crate::page::headquarters::HeadquartersView;
use crate::state::AppState;
use crate::store::Store;

/// A page of the navigation.
#[derive(Debug)]
pub struct NavigationPage {
    /// Its address.
    pub href: &'static str,
    /// Its name in the languages.
    pub name: &'static str,
    /// The right to go there.
    pub need: Permission,
    /// Whether an open demonstration shows it.
    pub open: bool,
}

/// People with the place where they are met. Clones share it.
#[derive(Clone, Debug)]
pub struct Reception {
    people: People,
    store: Store,
    clock: Clock,
    place: Place,
    pages: &'static [NavigationPage],
}

impl Reception {
    /// The people's pages at a place whose navigation is this.
    pub fn new(
        people: People,
        store: Store,
        clock: Clock,
        place: Place,
        pages: &'static [NavigationPage],
    ) -> Self {
        Self { people, store, clock, place, pages }
    }

    /// Its people.
    pub fn people(&self) -> &People {
        &self.people
    }

    /// Its store.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The time on the demonstration clock; `None` outside demonstrations.
    pub fn demonstration(&self) -> Option<Timestamp> {
        self.clock.is_demonstration().then(|| self.clock.now())
    }

    /// Where somebody may go.
    pub fn pages_of(&self, actor: &Actor) -> Vec<&'static str> {
        let may = |need| !actor.reach(need).is_nothing();
        self.pages.iter().filter(|page| may(page.need)).map(|page| page.href).collect()
    }

    /// A frame without navigation: before sign-in.
    pub fn bare_frame(&self, visit: &Visit, title: impl Into<String>) -> Frame {
        let mut frame = Frame::new(visit, self.place, title);
        frame.demonstration = self.demonstration();
        frame
    }

    /// The frame with the navigation that this reader may use.
    pub fn frame(&self, visit: &Visit, title: impl Into<String>, here: &str) -> Frame {
        let mut frame = self.bare_frame(visit, title);
        for page in self.pages {
            let shown = visit
                .signed_in
                .as_ref()
                .map_or(page.open, |person| person.pages.contains(&page.href));
            if shown {
                let name = visit.text.say(page.name);
                frame = frame.link(page.href, name, page.href == here);
            }
        }
        frame
    }
}

impl FromRef<AppState> for Reception {
    fn from_ref(state: &AppState) -> Self {
        let (people, store, clock) = (state.people(), state.store(), state.clock());
        Self::new(people.clone(), store.clone(), clock.clone(), Place::Desk, crate::page::PAGES)
    }
}

impl FromRef<HeadquartersView> for Reception {
    fn from_ref(view: &HeadquartersView) -> Self {
        let (people, store, clock) = (view.people.clone(), view.store.clone(), view.clock.clone());
        let pages = crate::page::headquarters::PAGES;
        Self::new(people, store, clock, Place::Headquarters, pages)
    }
}
