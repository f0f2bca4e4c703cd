const { execFile } = require("node:child_process");
const express = require("express");

const app = express();
app.get("/healthz", (_request, response) => response.send("ok"));
app.get("/version", (_request, response) => {
  execFile("ffmpeg", ["-version"], (error, output) => response.send(error ? "none" : output.split("\n")[0]));
});
const server = app.listen(process.env.PORT || 9000);
process.on("SIGTERM", () => server.close());
