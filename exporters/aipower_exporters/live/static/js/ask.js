// Asks the agent. What goes wrong has a name, for the status.

const PATIENCE_MS = 10_000;
/** Where the agent's own paths begin: a proxy may have put one before them. */
const ROOT = rootOf(import.meta.url);

/** @typedef {"connecting" | "lost" | "refused"} Trouble */

export class NoAnswer extends Error {
  /**
   * @param {Trouble} status
   * @param {string} message
   * @param {unknown} [cause]
   */
  constructor(status, message, cause) {
    super(message, { cause });
    this.status = status;
  }
}

/**
 * Without a name and password: browsers ask nothing at an address that has one, though they have it of the page's own.
 * @param {string} module the address of this file
 */
function rootOf(module) {
  const root = new URL("../../../", module);
  root.username = "";
  root.password = "";
  return root;
}

/** @param {number} status of HTTP */
function trouble(status) {
  if (status === 401 || status === 403) return "refused";
  return status === 503 ? "connecting" : "lost";
}

/**
 * What went wrong, in the agent's words where it has some.
 * @param {number} status
 * @param {string} body
 */
function complaint(status, body) {
  try {
    const { error } = JSON.parse(body);
    if (typeof error === "string") return error;
  } catch {
    // A proxy in between answers in its own words; the number says enough.
  }
  return `the agent answered ${status}`;
}

/** @param {unknown} error of `fetch` or of a body that broke off */
function unreachable(error) {
  const late = error instanceof DOMException && error.name === "TimeoutError";
  return new NoAnswer("lost", late ? `no answer within ${PATIENCE_MS / 1000} s` : "the agent does not answer", error);
}

/** @param {string} body */
function parsed(body) {
  try {
    return JSON.parse(body);
  } catch (error) {
    throw new NoAnswer("lost", "the answer is not the agent's", error);
  }
}

/**
 * @param {string} path below the page, such as `api/v1/live`
 * @param {URLSearchParams} [query]
 * @returns {Promise<any>} the document
 * @throws {NoAnswer}
 */
export async function ask(path, query) {
  const url = new URL(query?.size ? `${path}?${query}` : path, ROOT);
  const [response, body] = await fetched(url.href);
  if (!response.ok) throw new NoAnswer(trouble(response.status), complaint(response.status, body));
  return parsed(body);
}

/**
 * @param {string} url
 * @returns {Promise<[Response, string]>} with its body
 */
async function fetched(url) {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS), credentials: "same-origin" });
    return [response, await response.text()];
  } catch (error) {
    throw unreachable(error);
  }
}
