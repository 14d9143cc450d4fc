from . import attachment
from . import oauth
