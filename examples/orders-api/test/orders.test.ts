import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import pino from "pino";

import { createApp } from "../src/app";
import { OrderBook } from "../src/orders";

const app = createApp(new OrderBook(), pino({ level: "silent" }));
let base: string;
let server: ReturnType<typeof app.listen>;

before((done) => {
  server = app.listen(0, () => {
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    done();
  });
});

after(() => server.close());

const post = (body: unknown) =>
  fetch(`${base}/orders`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });

it("takes an order and finds it again", async () => {
  const taken = await post({ customer: "Ada", items: [{ sku: "tea", quantity: 2 }] });
  assert.equal(taken.status, 201);
  const { id } = (await taken.json()) as { id: string };
  const found = (await (await fetch(`${base}/orders/${id}`)).json()) as { customer: string };
  assert.equal(found.customer, "Ada");
});

it("refuses an order without items", async () => {
  assert.equal((await post({ customer: "Ada", items: [] })).status, 422);
});

it("tells how it is doing", async () => {
  const health = (await (await fetch(`${base}/healthz`)).json()) as { status: string };
  assert.equal(health.status, "ok");
});
