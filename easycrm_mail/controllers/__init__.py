from . import attachment
from . import oauth
from . import webhook
