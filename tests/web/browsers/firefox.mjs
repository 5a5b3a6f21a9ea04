// Firefox by WebDriver BiDi, which it speaks itself: orders come as lines of JSON, and each has one line for an answer.

import readline from "node:readline";

import puppeteer from "../../interop/node_modules/puppeteer-core/lib/esm/puppeteer/puppeteer-core.js";

const browser = await puppeteer.launch({ browser: "firefox", executablePath: process.argv[2], headless: true });
const pages = [];

const ORDERS = {
  async open() {
    const context = await browser.createBrowserContext();
    return pages.push(await context.newPage()) - 1;
  },
  cookie: ({ page, url, name, value }) =>
    pages[page].browserContext().setCookie({ name, value, domain: new URL(url).hostname, path: "/", httpOnly: true, sameSite: "Strict" }),
  go: async ({ page, url }) => void (await pages[page].goto(url)),
  evaluate: ({ page, expression }) => pages[page].evaluate(expression),
  type: ({ page, text }) => pages[page].keyboard.type(text),
  press: ({ page, key }) => pages[page].keyboard.press(key),
};

for await (const line of readline.createInterface({ input: process.stdin })) {
  const { order, ...details } = JSON.parse(line);
  let answer;
  try {
    answer = { value: (await ORDERS[order](details)) ?? null };
  } catch (error) {
    answer = { error: String(error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await browser.close();
