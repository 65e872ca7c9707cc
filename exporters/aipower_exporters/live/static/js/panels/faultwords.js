/* What the short words for faults mean. */

/** @type {ReadonlyMap<string, string>} */
const MEANINGS = new Map([
  ["read_failed", "a read of the sensor failed; it is tried again"],
  ["gone", "the device is not there; its counters stay"],
  ["counter_reset", "the energy counter began anew; nothing is counted twice"],
  ["implausible", "more than the device can draw; not counted"],
  ["counter_stuck", "the energy counter stands still; power is integrated instead"],
  ["gap", "nobody looked for too long; the energy of that time is missing"],
  ["hung", "a call into the driver does not come back"],
  ["suspended", "the machine slept; that time is not counted"],
  ["unwatched", "energy is known although nobody watched who used it"],
  ["internal", "an error of the agent; the log has it in full"],
  ["late", "a round of reads began too late"],
  ["reload_failed", "new settings have a mistake; the old ones go on"],
  ["disagreement", "counter and power readings tell different energies"],
  ["alias", "the sensor sees a part of the time only"],
]);

/** @param {string} reason */
export function faultMeaning(reason) {
  const known = MEANINGS.get(reason);
  if (known) return known;
  return reason.startsWith("journal_") ? "the counters on disk cannot be read or written" : "";
}
