import { createServer } from "node:http";
import { greet } from "@shop/greet";

createServer((_, response) => response.end(greet("web"))).listen(3002);
