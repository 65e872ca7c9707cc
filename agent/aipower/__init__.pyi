from aipower.measuring import Measure as Measure
from aipower.measuring import measure as measure
from aipower.phases import log as log
from aipower.phases import metric as metric
from aipower.phases import phase as phase
from aipower.phases import step as step

__version__: str
__all__ = ["Measure", "__version__", "log", "measure", "metric", "phase", "step"]
