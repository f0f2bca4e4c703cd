const http = require("node:http");
const ms = require("ms");

const server = http.createServer((request, response) => {
  if (request.url === "/readyz") return response.end("ok");
  response.end(`up for ${ms(Math.round(process.uptime() * 1000))}`);
});
server.listen(8000);
process.on("SIGTERM", () => server.close());
