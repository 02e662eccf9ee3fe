// Looks at the monitor's proposals, light and dark, on a desk and on a phone; prints what it found, by topic.

import { Browser, axe, view } from "./browser.mjs";

const asked = JSON.parse(process.argv[2]);
const found = { accessibility: [], width: [], looked: [] };
const browser = await Browser.start(asked);
const page = await browser.page({ origins: [new URL(asked.monitor).origin] });
page.setDefaultTimeout(15_000);

try {
  await view(page, asked.monitor, "proposals");
  await page.locator(".proposal").nth(1).waitFor();
  found.proposals = await page.locator(".proposal").allInnerTexts();
  found.kinds = await page.locator(".diff span").evaluateAll((lines) =>
    lines.filter((one) => ["added", "removed"].includes(one.className)).map((one) => `${one.className} ${one.textContent.trimEnd()}`));
  found.elements = await page.locator(".proposal b, .proposal img, .proposal script").count();
  found.controls = await page.locator("#view-proposals :is(button, input, form)").count();
  for (const [scheme, width, height] of [["light", 1280, 1000], ["dark", 360, 800]]) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize({ width, height });
    found.accessibility.push(...(await axe(page)).map((one) => `${scheme}: ${one}`));
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (wide > 0) found.width.push(`${scheme}: ${wide} px too wide`);
    if (asked.shots && scheme === "light") await page.screenshot({ path: `${asked.shots}/page-proposals.png`, fullPage: true });
    if (asked.looks) await page.screenshot({ path: `${asked.looks}/${scheme}.png`, fullPage: true });
    found.looked.push(scheme);
  }
  found.complaints = browser.complaints;
} finally {
  await browser.close();
}
console.log(JSON.stringify(found));
