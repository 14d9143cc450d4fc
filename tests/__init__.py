from . import test_access_roads
from . import test_sync
