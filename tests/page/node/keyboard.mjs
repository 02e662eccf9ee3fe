// A walk by keyboard alone: to the content, to another view, into a filter, and into a decision and back.

import { view } from "./browser.mjs";

/** Sentences about what did not work. */
export async function keyboard(page, base) {
  const problems = [];
  const at = () => page.evaluate(() => {
    const element = document.activeElement;
    const style = getComputedStyle(element);
    return { text: (element.innerText ?? "").trim(), id: element.id, kind: element.localName,
      seen: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0 };
  });
  const expect = (holds, words, found) => {
    if (!holds) problems.push(`${words}: ${JSON.stringify(found)}`);
  };
  /** Tab until `reached`, looking that every stop on the way can be seen. */
  const tabTo = async (reached, words) => {
    for (let step = 0; step < 40; step += 1) {
      await page.keyboard.press("Tab");
      const stop = await at();
      expect(stop.seen, "focus cannot be seen", stop);
      if (reached(stop)) return;
    }
    problems.push(`never reached by Tab: ${words}`);
  };

  await view(page, base, "today");
  await page.keyboard.press("Tab");
  const first = await at();
  expect(first.text === "Skip to the content", "the first stop is no way past the header", first);
  await page.keyboard.press("Enter");
  expect((await at()).id === "content", "the way past the header leads elsewhere", await at());

  await view(page, base, "today");
  await page.reload();
  await page.locator("#connection", { hasText: /^live$/ }).waitFor();
  await tabTo((stop) => stop.text === "Decisions", "the link to the decisions");
  await page.keyboard.press("Enter");
  await page.locator("#view-decisions").waitFor();
  await tabTo((stop) => stop.id === "decision-pause", "Pause");
  await page.keyboard.press("Enter"); // what moves on while one reads is held
  await tabTo((stop) => stop.kind === "button" && /^\d\d:\d\d:\d\d/.test(stop.text), "a decision");
  await page.keyboard.press("Enter");
  await page.locator("tr.below").waitFor();
  const open = await page.evaluate(() => document.activeElement.getAttribute("aria-expanded"));
  expect(open === "true", "a decision that is open does not say so", open);
  await page.keyboard.press("Tab");
  const inside = await at();
  expect(inside.kind === "a", "what opened is not next", inside);
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Space");
  expect((await page.locator("tr.below").count()) === 0, "it does not close again", "tr.below");
  await page.close();
  return problems;
}
