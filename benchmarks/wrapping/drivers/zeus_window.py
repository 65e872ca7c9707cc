"""`python zeus_window.py COMMAND...` in the rival's own environment: it has no wrapper; this is one."""

import subprocess
import sys

from zeus.monitor import ZeusMonitor  # type: ignore[import-not-found]  # only in the rival's environment

if __name__ == "__main__":
    monitor = ZeusMonitor()
    monitor.begin_window("command", sync_execution=False)
    code = subprocess.run(sys.argv[1:], check=False).returncode
    measured = monitor.end_window("command", sync_execution=False)
    print(f"{measured.time:.3f} s, GPU {measured.gpu_energy}, CPU {measured.cpu_energy}", file=sys.stderr)
    sys.exit(code)
