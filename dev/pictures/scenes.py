"""What each picture shows: who looks, where, and what was clicked before."""

from collections.abc import Callable
from dataclasses import dataclass

from .browser import Browser

ACTION = "/odoo/action-easycrm_mail."
PHONE_BARS = 64  # pixels of what stays on top there
TOGGLE = ".o_easycrm_toggle[aria-expanded='false']"


@dataclass(frozen=True)
class Scene:
    """A picture of `docs/`.

    :ivar name: of the file, without its ending
    :ivar login: of the demo's users
    :ivar play: brings the page there
    """

    name: str
    login: str
    play: Callable[[Browser], None]
    width: int = 1440
    height: int = 900


def _open_anna(browser: Browser) -> None:
    browser.open("/odoo/contacts")
    browser.click(".o_data_row .o_data_cell, .o_kanban_record", "Anna Berg")
    browser.wait(".o_easycrm_conversation .o_easycrm_subject")


def _timeline_phone(browser: Browser) -> None:
    _open_anna(browser)
    browser.scroll_to(".o_notebook_headers", below=PHONE_BARS)


def _private(browser: Browser) -> None:
    _open_anna(browser)
    browser.click(TOGGLE, "Offer for 40 stacking chairs")
    browser.wait(".o_easycrm_frame_loaded")
    browser.scroll_to(".o_notebook_headers")
    browser.click(".o_easycrm_card_head .o_easycrm_privacy")
    browser.wait(".o_easycrm_make_private")


def _compose(browser: Browser) -> None:
    _open_anna(browser)
    browser.click(".o_easycrm_send_email")
    browser.wait(".o_easycrm_compose .o_easycrm_line_row", "From")
    browser.wait(".o_easycrm_compose .odoo-editor-editable")


def _connect(browser: Browser) -> None:
    browser.open(f"{ACTION}easycrm_email_account_action_my")
    browser.click(".o_list_button_add")
    browser.click(".o_easycrm_connect_left button", "Go on")
    browser.wait(".o_easycrm_connect_start:enabled")
    browser.wait(".o_easycrm_connect_sentence", "match")


def _accounts(browser: Browser) -> None:
    browser.open(f"{ACTION}easycrm_email_account_action")
    browser.wait(".o_data_row", "mitchell@")
    browser.click(".o_easycrm_status", "Incomplete")
    browser.wait(".o_easycrm_week", "Compare now")


def _rules(browser: Browser) -> None:
    browser.open(f"{ACTION}easycrm_email_rule_action_my")
    browser.wait(".o_data_row", "elbe-bank.example")


def _settings(browser: Browser) -> None:
    browser.open("/odoo/settings")
    browser.click(".settings_tab .tab", "Email for CRM")
    browser.wait("#easycrm_retention")


def _open_inbox(browser: Browser) -> None:
    browser.open("/odoo/unlinked-emails")
    browser.wait(".o_easycrm_item_group", "Einkauf Kaffeehaus Union")


def _unlinked(browser: Browser) -> None:
    """Three mails in mid air, over the opportunity that they belong to."""
    _open_inbox(browser)
    browser.wait(".o_easycrm_frame_loaded")
    for subject in ("2. Stand", "AW: Bestuhlungspläne", "Liefertermine"):
        mail = (
            f".o_easycrm_item_mail:has([title*='{subject}'], [aria-label*='{subject}'])"
        )
        browser.click(f"{mail} .o_easycrm_check")
    browser.wait(".o_easycrm_selected", "3 selected")
    target = ("[data-drop^='crm.lead,']", "Bestuhlung 6 Filialen")
    browser.wait(*target)
    browser.drag(".o_easycrm_mail", "AW: Bestuhlungspläne", *target)
    browser.wait(".o_easycrm_record_drop", "link 3 mails to")


def _unlinked_question(browser: Browser) -> None:
    """After the drop: what should be linked from now on."""
    _unlinked(browser)
    browser.drop()
    browser.click(".o_easycrm_question input[value='address']")
    browser.wait(".o_easycrm_teach", "Place")


def _unlinked_phone(browser: Browser) -> None:
    """A finger has opened a mail, and the sheet comes from below."""
    _open_inbox(browser)
    browser.click(".o_easycrm_group", "Einkauf Kaffeehaus Union")
    browser.click(".o_easycrm_mail", "AW: Bestuhlungspläne")
    browser.wait(".o_easycrm_frame_loaded")
    browser.click(".o_easycrm_link_this")
    browser.wait(".o_easycrm_sheet .o_easycrm_record", "Bestuhlung 6 Filialen")


def _campaign(browser: Browser) -> None:
    browser.open("/odoo/email-marketing")
    browser.click(".o_data_row .o_data_cell", "Winter catalogue 2027")
    browser.wait(".o_easycrm_results canvas")
    browser.wait(".o_easycrm_tiles", "Opened by machines")


def _campaign_phone(browser: Browser) -> None:
    browser.open("/odoo/email-marketing")
    browser.click(".o_kanban_record, .o_data_row .o_data_cell", "Winter catalogue 2027")
    browser.wait(".o_easycrm_results canvas")
    browser.scroll_to(".o_notebook_headers", below=PHONE_BARS)


SCENES = (
    Scene("timeline", "admin", _open_anna, height=950),
    Scene("timeline-phone", "admin", _timeline_phone, width=390, height=844),
    Scene("private", "admin", _private),
    Scene("connect", "mira", _connect),
    Scene("connect-phone", "mira", _connect, width=390, height=844),
    Scene("compose", "admin", _compose),
    Scene("accounts", "admin", _accounts, height=640),
    Scene("rules", "jonas", _rules, height=480),
    Scene("settings", "admin", _settings, height=810),
    Scene("campaign", "admin", _campaign, height=1240),
    Scene("campaign-phone", "admin", _campaign_phone, width=390, height=844),
    Scene("unlinked", "admin", _unlinked),
    Scene("unlinked-phone", "admin", _unlinked_phone, width=390, height=844),
    # (the last: it links them)
    Scene("unlinked-question", "admin", _unlinked_question),
)
