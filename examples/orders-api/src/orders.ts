import { randomUUID } from "node:crypto";
import { z } from "zod";

export const newOrder = z.object({
  customer: z.string().min(1).max(100),
  items: z.array(z.object({ sku: z.string().min(1), quantity: z.number().int().positive() })).min(1),
});

export type NewOrder = z.infer<typeof newOrder>;
export type Order = NewOrder & { id: string; takenAt: string };

export class OrderBook {
  readonly #orders = new Map<string, Order>();

  get size(): number {
    return this.#orders.size;
  }

  add(order: NewOrder): Order {
    const taken = { ...order, id: randomUUID(), takenAt: new Date().toISOString() };
    this.#orders.set(taken.id, taken);
    return taken;
  }

  find(id: string): Order | undefined {
    return this.#orders.get(id);
  }

  list(): Order[] {
    return [...this.#orders.values()];
  }
}
