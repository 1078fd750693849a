// What a person does on the page, in Firefox: node --test page_in_firefox.mjs. FALLLINE_PAGE and FALLLINE_RACE are
// the files of a page without anything given, and of one with the runs of a comparison.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { firefox } from "./firefox.mjs";

let browser;
before(async () => {
  browser = await firefox();
});
after(() => browser?.close());

/** Open a page from its file, do something there, and see that it asked for nothing and complained of nothing. */
async function opened(use, { file = process.env.FALLLINE_PAGE, link = "" } = {}) {
  const page = await browser.newPage();
  const asked = [];
  const complaints = [];
  page.on("request", (request) => asked.push(request.url()));
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.setViewport({ width: 1280, height: 800 });
  await page.goto(pathToFileURL(file).href + (link && `#${link}`));
  await page.waitForSelector(".start");
  await settled(page);
  await use(page);
  await page.close();
  assert.deepEqual(
    asked.filter((url) => !/^(file|blob|data):/.test(url)),
    [],
  );
  assert.deepEqual(complaints, []);
}

const settled = (page) =>
  page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
const state = (page) => page.evaluate("fallline.store.now");
const runs = (page) =>
  page.evaluate("fallline.draw(), fallline.race.runs.map(({run}) => ({count: run.count, value: [...run.value]}))");
const named = (label) => `[aria-label="${label}"]`;

async function typed(page, formula) {
  await page.$eval("input.formula", (field) => {
    field.focus();
    field.select();
  });
  await page.keyboard.type(formula);
  await settled(page);
}

async function middle(page, selector) {
  const { x, y, width, height } = await (await page.$(selector)).boundingBox();
  return [x + width / 2, y + height / 2];
}

test("a formula is typed, and its faults are told", () =>
  opened(async (page) => {
    await typed(page, "(x - 1)**2 + 4*(y + 2)**2");
    const { formula, starts } = await state(page);
    assert.equal(formula, "(x - 1)**2 + 4*(y + 2)**2");
    const [x, y] = starts[0];
    for (const { value } of await runs(page))
      assert.ok(Math.abs(value[0] - ((x - 1) ** 2 + 4 * (y + 2) ** 2)) <= 1e-13 * value[0]);
    await typed(page, "x**2 + foo(y)");
    assert.match(await page.$eval("#formula-problem", (told) => told.textContent), /no function foo/);
    // What was read last is still shown, and what was typed is left as it is.
    assert.equal((await state(page)).formula, "x**2 + foo");
    assert.equal(await page.$eval("input.formula", (field) => field.value), "x**2 + foo(y)");
  }));

test("the start is dragged, and the drag undone at once", () =>
  opened(async (page) => {
    const before = await state(page);
    const [x, y] = await middle(page, ".start");
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move(x + 80, y - 40, { steps: 10 });
    await page.mouse.up();
    await settled(page);
    const [now] = (await state(page)).starts;
    assert.ok(now[0] > before.starts[0][0] && now[1] > before.starts[0][1]);
    const after = await middle(page, ".start");
    assert.ok(Math.hypot(after[0] - x - 80, after[1] - y + 40) < 1.5);
    await page.click(named("Undo"));
    assert.deepEqual((await state(page)).starts, before.starts);
    await page.click(named("Redo"));
    assert.deepEqual((await state(page)).starts[0], now);
  }));

test("runs are played, paused, stepped and scrubbed", () =>
  opened(async (page) => {
    await page.click(named("Play"));
    await page.waitForFunction("fallline.store.now.at > 3");
    await page.click(named("Pause"));
    const { at } = await state(page);
    await page.click(named("One step back"));
    assert.equal((await state(page)).at, at - 1);
    await page.click(named("One step on"));
    assert.equal((await state(page)).at, at);
    await page.focus(named("Step"));
    await page.keyboard.press("ArrowRight");
    assert.equal((await state(page)).at, at + 1);
    await page.click(named("To the end"));
    assert.equal((await state(page)).at, null);
  }));

test("a step is explained, and its formula drawn as mathematics", () =>
  opened(
    async (page) => {
      const rows = await page.$$eval(".numbers tbody tr", (all) =>
        all.map((row) => [...row.children].map((cell) => cell.textContent)),
      );
      const { formula, starts } = await state(page);
      assert.equal(formula, "x**2 + 3*y**2");
      assert.deepEqual(starts, [[2, 1]]);
      const numbers = Object.fromEntries(rows.map(([name, ...values]) => [name, values.map(Number)]));
      // After one step of 0.1 along (4, 6) the point is (1.6, 0.4), and the slope there (3.2, 2.4).
      assert.deepEqual(numbers["at step 1"], [1.6, 0.4]);
      assert.deepEqual(numbers.Gradient, [3.2, 2.4]);
      const size = await page.$eval(".card.active .formula-of math", (math) => math.getBoundingClientRect().height);
      assert.ok(size > 12);
    },
    { link: "f=x**2+%2B+3*y**2&start=2,1&at=1&rule=gradient_descent@paper,rate=constant,learning_rate=0.1" },
  ));

test("a cell of the rate map is clicked, and the best set", () =>
  opened(async (page) => {
    const before = (await state(page)).entries[1].rate;
    await page.evaluate("fallline.store.change({panel: 'rates'})");
    await page.waitForFunction("fallline.panels.rates.cells?.across.length === 64", { timeout: 60_000 });
    const { x, y } = await (await page.$(".rate-map")).boundingBox();
    await page.mouse.click(x + 200, y + 200);
    await settled(page);
    const { rate, values } = (await state(page)).entries[1];
    assert.notEqual(rate, before);
    assert.ok(values.momentum > 0 && values.momentum < 1);
    await page.evaluate("[...document.querySelectorAll('button')].find(b => b.textContent === 'Set the best').click()");
    await settled(page);
    assert.ok((await runs(page))[1].value.at(-1) < 1e-6);
  }));

test("basins are computed in workers", () =>
  opened(
    async (page) => {
      await page.waitForFunction("fallline.basins.map?.side === 256", { timeout: 60_000 });
      const minima = await page.evaluate("fallline.basins.map.minima.map(point => [...point].map(Math.round))");
      assert.deepEqual(minima.map(([x, y]) => `${x + 0} ${y + 0}`).sort(), ["-1 0", "1 0"]);
    },
    {
      link: "f=(x**2-1)**2%2By**2&start=0.5,0.5&box=-2,2,-1,1&basins=yes&rule=gradient_descent,learning_rate=0.05",
    },
  ));

test("the map, a curve and a surface are drawn", () =>
  opened(async (page) => {
    const colours = (selector) =>
      page.$eval(selector, (canvas) => {
        const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d");
        copy.drawImage(canvas, 0, 0);
        const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
        return new Set(new Uint32Array(data.buffer)).size;
      });
    assert.ok((await colours("canvas.figure")) > 100);
    await page.evaluate("fallline.store.change({view: 'surface'})");
    await settled(page);
    if (await page.evaluate("fallline.stage.surface.possible")) assert.ok((await colours("canvas.surface")) > 100);
    await page.evaluate("fallline.store.change({view: 'map'})");
    await typed(page, "x**4 - 3*x**2 + x");
    assert.ok((await colours("canvas.figure")) > 20);
  }));

test("a link restores what was shown", async () => {
  let link = "";
  let shown = null;
  await opened(async (page) => {
    await typed(page, "x**2 + 5*y**2 + sin(3*x)");
    await page.evaluate("fallline.store.change({at: 12, noise: 0.5, seed: 3, starts: [[1.5, -2.25], [0.125, 3]]})");
    await page.waitForFunction("location.hash.slice(1) === fallline.fragment");
    link = (await page.url()).split("#")[1];
    shown = [await state(page), await runs(page)];
  });
  await opened(async (page) => assert.deepEqual([await state(page), await runs(page)], shown), { link });
});

test("the page of a comparison plays its runs", () =>
  opened(
    async (page) => {
      assert.deepEqual(
        (await runs(page)).map(({ count }) => count),
        [40, 40],
      );
      await page.click(named("Play"));
      await page.waitForFunction("fallline.store.now.at > 3");
    },
    { file: process.env.FALLLINE_RACE },
  ));
