// `node --import ./hooks/register.js`: lets tests import the page's modules as "page/format.js".

import { register } from "node:module";

register("./page.js", import.meta.url);
