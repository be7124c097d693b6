// Keeps a page live: listens to the server's events, fetches the same page again, and replaces
// the regions that changed. Nothing under the pointer or the keyboard is moved or taken away.
"use strict";

const Live = (() => {
  const silenceMs = 35000;
  const page = document.documentElement;
  let source = null;
  let lastHeard = Date.now();
  let fetching = false;
  let again = false;

  function start() {
    if (!page.dataset.live || !window.EventSource) return;
    connect();
    setInterval(watch, 5000);
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) refresh();
    });
  }

  function connect() {
    source = new EventSource(page.dataset.live);
    let opened = false;
    source.onopen = () => {
      heard();
      // After a break the page may have missed events that are no longer kept.
      if (opened) refresh();
      opened = true;
    };
    source.onmessage = changed;
    for (const name of (page.dataset.liveEvents || "record alert inspection device state station bundle change changed policy").split(" ")) {
      source.addEventListener(name, changed);
    }
    source.addEventListener("ping", heard);
    source.onerror = watch;
  }

  function heard() {
    lastHeard = Date.now();
    stale(false);
  }

  function changed() {
    heard();
    refresh();
  }

  function watch() {
    const silent = Date.now() - lastHeard > silenceMs;
    const broken = source && source.readyState === EventSource.CLOSED;
    if (broken) {
      source.close();
      connect();
    }
    if (silent || broken) stale(true);
  }

  function stale(is) {
    const banner = document.getElementById("stale");
    if (banner && banner.hidden === is) banner.hidden = !is;
  }

  // One request at a time; an event that comes meanwhile causes one more.
  async function refresh() {
    if (fetching) {
      again = true;
      return;
    }
    fetching = true;
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" }, cache: "no-store" });
      if (answer.ok) merge(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch (_) {
      watch();
    } finally {
      fetching = false;
      if (again) {
        again = false;
        refresh();
      }
    }
  }

  function merge(fresh) {
    for (const region of document.querySelectorAll("[data-region]")) {
      const other = fresh.getElementById(region.id);
      if (!other) continue;
      if (region.dataset.region === "list") List.merge(region, other);
      else swap(region, other);
    }
    if (fresh.title) document.title = fresh.title;
    document.dispatchEvent(new CustomEvent("tidewaiter:merged"));
  }

  // Replaces a region's content, unless somebody is typing in it or has opened something there.
  function swap(region, other) {
    if (region.innerHTML === other.innerHTML && region.className === other.className) return;
    const active = document.activeElement;
    const inside = region.contains(active) && active !== document.body;
    if (inside && active.matches("input,textarea,select")) return;
    const focusId = inside ? active.id || active.dataset.focus : null;
    const focusHref = inside ? active.getAttribute("href") : null;
    const focusKey = inside ? active.dataset.key : null;
    const focusOpener = inside && active.matches("summary") ? active.parentElement.id : null;
    const open = [...region.querySelectorAll("details[open][id]")].map((d) => d.id);
    const spoken = region.dataset.announce;
    region.replaceChildren(...other.childNodes);
    region.className = other.className;
    if (other.dataset.announce !== undefined) region.dataset.announce = other.dataset.announce;
    open.forEach((id) => document.getElementById(id)?.setAttribute("open", ""));
    if (inside) {
      const target =
        (focusId && document.getElementById(focusId)) ||
        (focusKey && region.querySelector(`[data-key="${CSS.escape(focusKey)}"]`)) ||
        (focusOpener && document.getElementById(focusOpener)?.querySelector("summary")) ||
        (focusHref && region.querySelector(`a[href="${CSS.escape(focusHref)}"]`)) ||
        document.getElementById("content");
      target.focus({ preventScroll: true });
    }
    if (region.dataset.announce && region.dataset.announce !== spoken) say(region.dataset.announce);
  }

  function say(words) {
    const announcer = document.getElementById("announcer");
    if (announcer) announcer.textContent = words;
  }

  // A list changes in place; what is new waits behind a button, so nothing moves under a hand.
  const List = {
    merge(region, other) {
      for (const item of region.querySelectorAll("[data-item]")) {
        const twin = other.querySelector(`[data-item="${CSS.escape(item.dataset.item)}"]`);
        if (!twin) {
          item.classList.add("gone");
          continue;
        }
        const picked = item.querySelector("input[type=checkbox]")?.checked;
        const focused = item.contains(document.activeElement);
        if (!focused && item.innerHTML !== twin.innerHTML) {
          const current = item.getAttribute("aria-current");
          item.replaceChildren(...twin.cloneNode(true).childNodes);
          item.className = twin.className;
          if (current) item.setAttribute("aria-current", current);
          const box = item.querySelector("input[type=checkbox]");
          if (box && picked) box.checked = true;
        }
      }
      const known = new Set([...region.querySelectorAll("[data-item]")].map((i) => i.dataset.item));
      const arrived = [...other.querySelectorAll("[data-item]")].filter((i) => !known.has(i.dataset.item));
      const offer = document.getElementById("offer");
      if (!offer) return;
      if (!arrived.length) {
        offer.hidden = true;
        return;
      }
      const words = offer.dataset.words.replace("%", arrived.length);
      const button = offer.querySelector("button,a");
      if (button.textContent !== words) {
        button.textContent = words;
        say(words);
      }
      offer.hidden = false;
      button.onclick = (event) => {
        event.preventDefault();
        offer.hidden = true;
        region.replaceChildren(...other.childNodes);
        arrived.forEach((i) => document.querySelector(`[data-item="${CSS.escape(i.dataset.item)}"]`)?.classList.add("arrived"));
        const first = region.querySelector("[data-item] a");
        if (first) first.focus();
        document.dispatchEvent(new CustomEvent("tidewaiter:merged"));
      };
      // An empty list has nothing that could move.
      if (!known.size) button.click();
    },
  };

  return { start, refresh };
})();
