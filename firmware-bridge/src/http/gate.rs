//! The gate of a station: who is signed in here, and whether they may.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tidewaiter_program::problem::Problem;
use tidewaiter_web::entry::{Asked, Gate, Need};
use tidewaiter_web::visit::SignedIn;

use crate::officers::{Officers, Present};

impl Gate for Officers {
    type Who = Present;

    async fn judge(&self, need: Need, asked: &Asked) -> Result<Present, Box<Response>> {
        let present = self.present(asked.token.as_deref(), asked.is_use()).await;
        let Some(present) = present else {
            return Err(Box::new(asked.elsewhere("/sign-in", "nobody is signed in")));
        };
        if let (Need::Right(permission), Some(officer)) = (need, &present.officer)
            && !officer.may(permission)
        {
            self.was_refused(officer, permission).await;
            if asked.is_interface() {
                let why = format!("{} has no right to this: it needs {permission:?}", officer.id);
                let problem = Problem::new(StatusCode::FORBIDDEN, "no right to this", why);
                return Err(Box::new(problem.into_response()));
            }
            return Err(Box::new(crate::page::no_right(&asked.visit)));
        }
        Ok(present)
    }

    fn signed_in(&self, present: &Present) -> Option<SignedIn> {
        present.officer.as_ref().map(|officer| SignedIn {
            id: officer.id.to_string(),
            name: officer.name.clone(),
            pages: Vec::new(),
        })
    }
}
