// Receives deliveries in Express, at http://localhost:3000/in where Node starts this file. DESK_SECRET is the secret whsec_… of the destination.
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
if (import.meta.main) app.listen(3000);
export default app;
