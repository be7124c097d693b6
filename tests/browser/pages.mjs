// Opens the three pages as people do and says what is missing on them.
import process from "node:process";
import { expect, finish, launch } from "./common.mjs";

const [port, pictures] = [Number(process.argv[2]), process.argv[3]];
const desk = `http://127.0.0.1:${port}/`;
const station = `http://127.0.0.1:${port + 1}/`;
const headquarters = `http://127.0.0.1:${port + 2}/`;

const browser = await launch();

async function open(address, name, scheme, width) {
  const context = await browser.newContext({
    viewport: { width, height: 800 }, colorScheme: scheme,
  });
  const page = await context.newPage();
  const problems = [];
  page.on("console", (message) => {
    if (message.type() === "error") problems.push(message.text());
  });
  page.on("pageerror", (error) => problems.push(String(error)));
  const answer = await page.goto(address, { waitUntil: "load" });
  expect(`${address} answers`, answer.ok());
  const text = await page.innerText("body");
  expect(`${name} says that the data is a demonstration`, /demonstration/i.test(text));
  const wide = await page.evaluate(
    () => document.documentElement.scrollWidth > document.documentElement.clientWidth,
  );
  expect(`${name} fits ${width} px`, !wide);
  await page.screenshot({ path: `${pictures}/${name}-${scheme}-${width}.png` });
  expect(`${name} has no errors in its console: ${problems.join("; ")}`, problems.length === 0);
  return page;
}

for (const scheme of ["light", "dark"]) {
  for (const width of [1280, 800]) {
    const queue = await open(desk, "desk", scheme, width);
    const text = await queue.innerText("body");
    expect("the desk shows the shoe box", /192,300|193,/.test(text));
    const first = await queue.getAttribute('a[href*="/alerts/"]', "href");
    await queue.context().close();
    const alert = await open(new URL(first, desk).href, "alert", scheme, width);
    const reasons = await alert.innerText("body");
    expect("an alert names its law", /Art\.|UNSCR|¶|Customs Code/.test(reasons));
    await alert.context().close();
    const officer = await open(station, "station", scheme, width);
    await officer.context().close();
    const national = await open(headquarters, "headquarters", scheme, width);
    const bundles = await national.innerText("body");
    expect("headquarters shows the bundle verified", /verified|accepted/i.test(bundles));
    await national.context().close();
  }
}

// The officer's page while a traveller stands there: the warning is the first thing on it.
async function tell(path, body) {
  const answer = await fetch(new URL(path, station), {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
  });
  expect(`${path} is taken`, answer.ok);
  return answer.json();
}
await tell("/api/v1/next", {});
const opened = await tell("/api/v1/inspections", {
  direction: "exit", role: "passenger", channel: "green",
  movement: { mode: "air", carrier: "JS", number: "272", from: "VVO", to: "FNJ" },
});
await tell(`/api/v1/inspections/${opened.inspection}/counts`, {
  count: 1, blind: true, officer: "o-11", certainty: "exact",
  items: [{ currency: "USD", denomination: "100", pieces: 1923 }],
});
for (const scheme of ["light", "dark"]) {
  for (const width of [1280, 800]) {
    const officer = await open(station, "warning", scheme, width);
    const warned = officer.getByText(/192,300 was carried and not declared/).first();
    await warned.waitFor({ timeout: 5000 });
    const box = await warned.boundingBox();
    expect(`the warning is seen without scrolling at ${width} px`, box && box.y < 700);
    await officer.screenshot({ path: `${pictures}/warning-${scheme}-${width}.png` });
    await officer.context().close();
  }
}

// A supervisor without a mouse reaches an alert.
const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
const page = await context.newPage();
await page.goto(desk);
let reached = false;
for (let presses = 0; presses < 60 && !reached; presses += 1) {
  await page.keyboard.press("Tab");
  reached = await page.evaluate(() => document.activeElement?.href?.includes("/alerts/") ?? false);
}
expect("an alert is reached by Tab alone", reached);
if (reached) {
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/alerts\//);
}
await browser.close();
finish();
