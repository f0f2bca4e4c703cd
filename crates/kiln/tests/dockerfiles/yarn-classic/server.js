const http = require("http");
const ms = require("ms");
const { nanoid } = require("nanoid");
const settings = require("./config/settings.json");

const server = http.createServer((request, response) => {
  if (request.url === "/ping") return response.end("pong");
  response.end(`${settings.prefix}${nanoid()} lives ${ms(settings.ttl)}`);
});
server.listen(process.env.PORT || 5000);
process.once("SIGTERM", () => server.close());
