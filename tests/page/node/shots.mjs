// Screenshots for the documentation.

import { view } from "./browser.mjs";

const SETTLE_MS = 8_000; // until trends have grown beside what was there when the page opened

export async function shoot(asked, open) {
  const shot = (page, name) => page.screenshot({ path: `${asked.shots}/page-${name}.png` });

  const light = await open({ width: 1280, height: 800 });
  await view(light, asked.gateway, "today");
  await light.waitForTimeout(SETTLE_MS);
  await shot(light, "today");
  await light.locator("#experiments").screenshot({ path: `${asked.shots}/page-experiments.png` });

  await view(light, asked.gateway, "decisions");
  await light.click("#decision-pause");
  await light.selectOption("#decision-endpoint", "sim-fast/open-70b");
  if (await light.locator("#decision-more").isVisible()) await light.click("#decision-more");
  const broken = light.locator("tr:has(.trail)").last();
  await broken.locator(".toggle").click();
  await light.locator("tr.below .facts dl").waitFor();
  await broken.evaluate((row) => window.scrollTo(0, window.scrollY + row.getBoundingClientRect().top - 300));
  await shot(light, "decisions");

  await light.setViewportSize({ width: 1280, height: 1000 });
  await view(light, asked.gateway, "why");
  await light.click("#explain-form button[type=submit]");
  await light.locator("#route-table .short").nth(2).waitFor();
  await shot(light, "why");

  await light.setViewportSize({ width: 1280, height: 830 });
  await view(light, asked.monitor, "endpoints");
  await light.waitForTimeout(500);
  await shot(light, "monitor");
  await light.setViewportSize({ width: 1280, height: 480 });
  await view(light, asked.monitor, "certificates");
  await light.locator("#certificate-table .state.ok").waitFor();
  await shot(light, "certificates");
  await light.close();

  const dark = await open({ width: 1280, height: 880, scheme: "dark" });
  await view(dark, asked.gateway, "endpoints");
  await dark.waitForTimeout(SETTLE_MS);
  await shot(dark, "endpoints-dark");
  await dark.close();

  const phone = await open({ width: 390, height: 844 });
  await view(phone, asked.gateway, "today");
  await phone.waitForTimeout(SETTLE_MS);
  await shot(phone, "phone");
  await phone.close();
}
