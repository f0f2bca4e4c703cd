import { Decimal } from "decimal.js";

const PRICE = new Decimal("19.90");
const DISCOUNT_FROM = 10;

/** The total for a quantity, with a tenth off from ten pieces on. */
export function quote(quantity: number): string {
  const factor = quantity >= DISCOUNT_FROM ? new Decimal("0.9") : new Decimal(1);
  return PRICE.times(quantity).times(factor).toFixed(2);
}
