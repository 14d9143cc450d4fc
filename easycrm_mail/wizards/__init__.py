from . import base_partner_merge_automatic_wizard
from . import easycrm_email_rule_add
from . import easycrm_email_rule_remove
from . import easycrm_email_erase
from . import easycrm_email_hand_over
from . import easycrm_email_sign_in
from . import mail_compose_message
