/* What the words of the page mean, and its keys. */

/** @type {readonly (readonly [string, string])[]} */
export const WORDS = [
  ["W, power", "Of a device: what its sensor says now. Of a process or job: the mean of the newest window of each device, about a second "
    + "for a GPU and some seconds for a CPU. A window's parts sum exactly to its mean."],
  ["J, energy", "What was used since the account began. 3600 J are 1 Wh; 3.6 MJ are 1 kWh."],
  ["± and [low .. high]", "The 95 % interval: in 95 of 100 cases the true value lies in it. After ± stands half its width. It holds the sensor's "
    + "scale, what sensors do not look at, and sampled busy time."],
  ["idle", "What the bare device draws. It is an account of its own, charged to nobody."],
  ["context", "What a process's open context on a GPU adds while it does not work."],
  ["active", "What processes use while they work."],
  ["unattributed", "What cannot be assigned to anybody. It is never spread, and never lost."],
  ["other", "What processes without a row of their own have used."],
  ["ended", "What processes that have ended, and are not listed any more, had used."],
  ["share", "Part of the power of the whole node now, idle power included."],
  ["held, unused", "For how long a job had a GPU, and for how long of that none of its processes was seen at work there."],
  ["counter", "The method: the difference of the hardware's energy counter."],
  ["integrated", "The method: power readings summed over time, where there is no counter or it stands still."],
  ["estimated", "The method: a model, no measurement."],
  ["*", "A device that contains others, such as a whole module or node. It stands beside the total, never in it."],
  ["–", "Not known. That is not zero."],
];

/** @type {readonly (readonly [string, string])[]} */
export const KEYS = [
  ["/", "filter the processes; Escape clears the filter"],
  ["?", "this help"],
  ["Tab", "from one part to the next; a table is one stop, its rows another"],
  ["Up, Down, Home, End", "in a table: from row to row; in its box: scroll"],
  ["Enter, Space", "on a row: show its devices; on a title: sort by it, again for the reverse"],
  ["Left, Right, PgUp, PgDn, Home, End", "on the chart: move the cursor; with Shift in leaps"],
  ["Escape", "the chart without cursor and zoom"],
];
