from . import attachment
from . import mailing
from . import oauth
from . import webhook
