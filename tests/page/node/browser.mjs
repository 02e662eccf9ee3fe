// A browser whose complaints are kept: errors of the console, violations of the policy, and requests to elsewhere.

import { chromium } from "playwright-core";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export class Browser {
  static async start({ chromium: executablePath, profile }) {
    const context = await chromium.launchPersistentContext(profile, { executablePath, args: FLAGS, headless: true });
    return new Browser(context);
  }

  constructor(context) {
    this.context = context;
    this.complaints = [];
  }

  /** A page of this look; `origins` are those it may speak to. */
  async page({ width = 1280, height = 800, scheme = "light", origins }) {
    const page = await this.context.newPage();
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme: scheme });
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) this.complaints.push(`console: ${message.text()}`);
    });
    page.on("pageerror", (error) => this.complaints.push(`error: ${error.stack}`));
    page.on("request", (request) => {
      const url = new URL(request.url());
      if (url.protocol !== "data:" && !origins.includes(url.origin)) this.complaints.push(`request: ${request.url()}`);
    });
    await page.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", (event) =>
        console.error(`policy: ${event.violatedDirective} by ${event.blockedURI}`));
    });
    return page;
  }

  close() {
    return this.context.close();
  }
}

/** Go to a view, and wait until it shows what is live. */
export async function view(page, base, name) {
  await page.goto(`${base}/#${name}`);
  await page.locator("#connection", { hasText: /^live$/ }).waitFor();
  await page.locator("#version", { hasText: "version" }).waitFor();
  await page.locator(`#view-${name}`).waitFor();
}

/** Serious violations of axe's rules, as sentences. */
export async function axe(page) {
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document));
  return violations
    .filter((one) => ["serious", "critical"].includes(one.impact))
    .map((one) => `${one.id}: ${one.help}: ${one.nodes.map((node) => node.target.join(" ")).slice(0, 3).join(", ")}`);
}
