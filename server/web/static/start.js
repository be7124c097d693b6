// Starts what a page asks for. Without this script every page and form still works.
"use strict";

document.querySelector("#problems")?.focus();
// A link to a group of choices leads to its first choice.
document.querySelectorAll("#problems a").forEach((link) => {
  link.addEventListener("click", (event) => {
    const target = document.getElementById(link.hash.slice(1));
    if (!target) return;
    event.preventDefault();
    const field = target.matches("fieldset") ? target.querySelector("input") || target : target;
    field.focus();
    target.scrollIntoView({ block: "center" });
  });
});
// What was recorded is said once: a page that is fetched again does not say it again.
if (new URLSearchParams(location.search).has("recorded")) history.replaceState(null, "", location.pathname);
document.querySelectorAll("[data-print]").forEach((button) => {
  button.hidden = false;
  button.addEventListener("click", () => print());
});
// One press is one record.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) event.preventDefault();
  else if (form.method === "post") form.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => document.querySelectorAll("form").forEach((form) => delete form.dataset.sent));
Live.start();
Keys.start();
