"""nvitop's exporter at intervals that its command line refuses: nvitop_exporter_fast.py SECONDS PORT."""

import sys

from nvitop import Device  # type: ignore[import-not-found]
from nvitop_exporter.exporter import PrometheusExporter  # type: ignore[import-not-found]
from prometheus_client import start_http_server

start_http_server(int(sys.argv[2]), addr="127.0.0.1")
PrometheusExporter(Device.all(), hostname="node", interval=float(sys.argv[1])).collect()
