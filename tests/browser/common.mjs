// What every script here needs: the browser, and a count of what holds and what does not.
import process from "node:process";
import { chromium } from "playwright-core";

let [passed, failed] = [0, 0];

/** Counts what holds; says what does not. */
export function expect(what, holds) {
  if (holds) {
    passed += 1;
  } else {
    failed += 1;
    console.error(`not so: ${what}`);
  }
}

/** The machine's own Chromium, without what it does on the side. */
export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
}

/** Ends the program with what was counted. */
export function finish() {
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed === 0 ? 0 : 1);
}
