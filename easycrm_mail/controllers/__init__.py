from . import attachment
from . import mailing
from . import oauth
from . import opened
from . import webhook
