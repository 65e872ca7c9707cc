// Asks the agent. What goes wrong has a name, for the status.

const PATIENCE_MS = 10_000;

/** @typedef {"connecting" | "lost" | "refused"} Trouble */

export class NoAnswer extends Error {
  /**
   * @param {Trouble} status
   * @param {string} message
   */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** @param {number} status of HTTP */
function trouble(status) {
  if (status === 401 || status === 403) return "refused";
  return status === 503 ? "connecting" : "lost";
}

/** @param {Response} response that is no success */
async function complaint(response) {
  try {
    const told = await response.json();
    if (typeof told.error === "string") return told.error;
  } catch {
    // A proxy in between answers in its own words; the number says enough.
  }
  return `the agent answered ${response.status}`;
}

/** @param {unknown} error of `fetch` or of a body that broke off */
function unreachable(error) {
  const late = error instanceof DOMException && error.name === "TimeoutError";
  return new NoAnswer("lost", late ? `no answer within ${PATIENCE_MS / 1000} s` : "the agent does not answer");
}

/**
 * @param {string} path
 * @param {URLSearchParams} [query]
 * @returns {Promise<any>} the document
 * @throws {NoAnswer}
 */
export async function ask(path, query) {
  const url = query && query.size ? `${path}?${query}` : path;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS), credentials: "same-origin" });
    if (!response.ok) throw new NoAnswer(trouble(response.status), await complaint(response));
    return await response.json();
  } catch (error) {
    throw error instanceof NoAnswer ? error : unreachable(error);
  }
}
