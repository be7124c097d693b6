// Single-key shortcuts: j k, Enter, x, a, e, c, /, ? of the desk, and the letters that stand at a
// page's buttons. They are off while somebody
// types, with any modifier held, and when the reader turned them off.
"use strict";

const Keys = (() => {
  let at = -1;

  function items() {
    return [...document.querySelectorAll("[data-item]")];
  }

  function move(step) {
    const all = items();
    if (!all.length) return;
    const now = all.findIndex((item) => item.hasAttribute("aria-current"));
    at = Math.min(Math.max((now < 0 ? at : now) + step, 0), all.length - 1);
    all.forEach((item) => item.removeAttribute("aria-current"));
    const item = all[at];
    item.setAttribute("aria-current", "true");
    item.querySelector("a")?.focus({ preventScroll: true });
    item.scrollIntoView({ block: "nearest" });
  }

  function current() {
    return items().find((item) => item.hasAttribute("aria-current")) || document.activeElement?.closest("[data-item]");
  }

  function pick() {
    const box = current()?.querySelector("input[type=checkbox]");
    if (box) box.click();
  }

  // The action's button, for the current item when none is picked.
  function press(name) {
    const button = document.querySelector(`[data-key="${name}"]`);
    if (!button) return false;
    if (button.form?.querySelector("[data-item]") && !button.form.querySelector("[data-item] input:checked")) {
      const box = current()?.querySelector("input[type=checkbox]");
      if (!box) return true;
      box.checked = true;
    }
    const details = button.closest("details");
    if (details && !details.open) {
      details.open = true;
      details.querySelector("textarea,input:not([type=hidden]),select")?.focus();
      return true;
    }
    if (button.matches("textarea,input,summary")) button.focus();
    else button.click();
    return true;
  }

  function help() {
    const dialog = document.getElementById("keys-help");
    if (dialog && !dialog.open) dialog.showModal();
  }

  const actions = {
    j: () => move(1),
    k: () => move(-1),
    x: pick,
    a: () => press("a"),
    e: () => press("e"),
    c: () => press("c"),
    "/": () => document.querySelector("[data-key='/']")?.focus(),
    "?": help,
  };

  function start() {
    const opener = document.getElementById("keys-open");
    if (opener && document.getElementById("keys-help")) {
      opener.addEventListener("click", (event) => {
        event.preventDefault();
        help();
      });
    }
    if (document.documentElement.dataset.keys === "off" || !document.body.matches(".with-keys")) return;
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
      if (event.target.closest("input:not([type=checkbox],[type=radio]),textarea,select,dialog")) return;
      // Letters of the page's own stand at its buttons.
      const own = /^[a-z]$/.test(event.key) && document.querySelector(`[data-key="${event.key}"]`);
      const action = own ? () => press(event.key) : actions[event.key];
      if (!action) return;
      event.preventDefault();
      action();
    });
  }

  return { start };
})();
