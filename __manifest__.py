{
    "name": "Email for CRM",
    "version": "19.0.1.1.0",
    "category": "Sales/CRM",
    "summary": "Every email on the timeline of its contact, lead and opportunity",
    "author": "easycrm_mail contributors",
    "license": "LGPL-3",
    "depends": ["crm", "mass_mailing", "mass_mailing_crm"],
    "external_dependencies": {
        "python": [
            "cryptography",
            "IMAPClient",
        ],
    },
    "data": [
        "security/easycrm_mail_groups.xml",
        "security/ir.model.access.csv",
        "security/easycrm_mail_security.xml",
        "data/ir_cron_data.xml",
        "views/easycrm_email_account_views.xml",
        "views/easycrm_email_copy_views.xml",
        "views/res_partner_views.xml",
        "views/crm_lead_views.xml",
        "views/res_users_views.xml",
        "views/res_config_settings_views.xml",
        "views/easycrm_mail_menus.xml",
    ],
    "demo": ["demo/easycrm_mail_demo.xml"],
    "assets": {
        "web.assets_backend": [
            "easycrm_mail/static/src/**/*",
        ],
        "web.assets_tests": [
            "easycrm_mail/static/tests/tours/**/*",
        ],
        "web.assets_unit_tests": [
            "easycrm_mail/static/tests/**/*",
            ("remove", "easycrm_mail/static/tests/tours/**/*"),
        ],
    },
    "post_init_hook": "post_init_hook",
    "uninstall_hook": "uninstall_hook",
    "application": True,
}
