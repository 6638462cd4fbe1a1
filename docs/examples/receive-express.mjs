// Receives deliveries in Express. DESK_SECRET is the secret whsec_… of the destination. To start it: app.listen(3000).
import express from "express";
import { Webhook } from "standardwebhooks";

const webhook = new Webhook(process.env.DESK_SECRET);
const seen = new Set(); // in production: a table with a unique column

const app = express();
app.post("/in", express.raw({ type: "*/*" }), (request, response) => {
  try {
    webhook.verify(request.body, request.headers); // the raw bytes: they are verified before they are parsed
  } catch {
    return response.status(401).send("not genuine");
  }
  const id = request.get("webhook-id"); // the same on every attempt
  if (!seen.has(id)) console.log(JSON.parse(request.body).data);
  seen.add(id);
  response.sendStatus(204);
});
export default app;
