"""Where the agent's time goes: by thread and function (py-spy), and instructions of a driver call (callgrind)."""
