// A small web app: app.js starts it, server.js serves and stops, handlers.js answers.
import { handle } from "./handlers.js";
import { serve } from "./server.js";

serve(handle);
