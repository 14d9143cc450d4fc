from . import attachment
from . import oauth
from . import opened
from . import webhook
