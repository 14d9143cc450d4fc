"""The configuration of the Dovecot that `dovecot` runs, for 2.3 and for 2.4.

`$name` is filled in here; `%u` and `%{user}` are for Dovecot to fill in.
"""

from collections.abc import Iterable, Mapping
from string import Template

# Comes first: Dovecot 2.4 wants its two versions at the head of the file.
CONFIG_2_3 = """\
mail_location = maildir:~/folders:LAYOUT=fs:INBOX=~/INBOX
auth_username_format = %u
disable_plaintext_auth = no
$token_passdb
passdb {
  driver = passwd-file
  args = username_format=%u $root/passwords/%u
}
userdb {
  driver = static
  args = uid=$uid gid=$gid home=$root/mail/%u
}
service imap-login {
  service_count = 0
}
"""

CONFIG_2_4 = """\
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
mail_driver = maildir
mailbox_list_layout = fs
mail_path = ~/folders
mail_inbox_path = ~/INBOX
auth_username_format = %{user}
auth_allow_cleartext = yes
$token_passdb
passdb passwd-file {
  auth_username_format = %{user}
  passwd_file_path = $root/passwords/%{user}
}
userdb static {
  fields {
    uid = $uid
    gid = $gid
    home = $root/mail/%{user}
  }
}
service imap-login {
  restart_request_count = unlimited
}
"""

CONFIG = """\
# Rootless: every process runs as the user that started it.
base_dir = $root/run
state_dir = $root/state
log_path = $root/log
protocols = imap
listen = $host
default_internal_user = $user
default_internal_group = $group
default_login_user = $user
# Tests fail logins on purpose: no delay but the half second built in, no penalty.
auth_failure_delay = 0
auth_cache_size = 0
auth_username_chars =
auth_mechanisms = $mechanisms
mail_max_userip_connections = 0
mail_fsync = never
first_valid_uid = 1
namespace inbox {
  inbox = yes
  separator = /
$mailboxes
}
service anvil {
  chroot =
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service imap-login {
  chroot =
  process_min_avail = 1
  inet_listener imap {
    port = $port
  }
  inet_listener imaps {
    port = $tls_port
    ssl = yes
  }
}
service imap {
  process_limit = 512
}
"""

MAILBOX = """\
  mailbox "$folder" {
    special_use = $use
  }"""

NO_TLS = "ssl = no\n"

TLS_2_3 = """\
ssl = yes
ssl_cert = <$certificate
ssl_key = <$key
"""

TLS_2_4 = """\
ssl = yes
ssl_server_cert_file = $certificate
ssl_server_key_file = $key
"""

# Whose a token is says whoever gave it.
TOKENS_2_3 = """\
passdb {
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = $root/oauth2.conf
}
"""

TOKENS_CONFIG_2_3 = """\
introspection_url = $tokens
introspection_mode = auth
username_attribute = username
active_attribute = active
active_value = true
"""

TOKENS_2_4 = """\
oauth2 {
  introspection_mode = auth
  introspection_url = $tokens
  username_attribute = username
  active_attribute = active
  active_value = true
}
passdb oauth2 {
  mechanisms_filter = xoauth2 oauthbearer
}
"""

# What 2.3.19 announces after login: there `imap_capability` replaces the whole list.
CAPABILITIES_2_3 = """
IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE SORT SORT=DISPLAY THREAD=REFERENCES
THREAD=REFS THREAD=ORDEREDSUBJECT MULTIAPPEND URL-PARTIAL CATENATE UNSELECT CHILDREN
NAMESPACE UIDPLUS LIST-EXTENDED I18NLEVEL=1 CONDSTORE QRESYNC ESEARCH ESORT SEARCHRES
WITHIN CONTEXT=SEARCH LIST-STATUS BINARY MOVE SNIPPET=FUZZY PREVIEW=FUZZY PREVIEW
STATUS=SIZE SAVEDATE LITERAL+ NOTIFY SPECIAL-USE
"""


def configuration(
    version: tuple[int, int],
    capabilities_off: Iterable[str],
    tls: tuple | None,
    folders: Mapping[str, str],
    tokens: str = "",
    **values,
) -> str:
    """The text of `dovecot.conf`.

    :param tls: (certificate chain, key), as Dovecot finds them
    :param folders: folder -> special use (empty for none)
    :param tokens: the address that says whose an access token is; empty: none is taken
    :param values: what else the templates name
    """
    is_2_4 = version >= (2, 4)
    template = (CONFIG_2_4 if is_2_4 else CONFIG_2_3) + CONFIG
    if tls:
        template += TLS_2_4 if is_2_4 else TLS_2_3
        values["certificate"], values["key"] = tls
    else:
        template += NO_TLS
    values["mailboxes"] = "\n".join(
        Template(MAILBOX).substitute(folder=folder, use=use)
        for folder, use in folders.items()
        if use
    )
    values["token_passdb"] = ""
    if tokens:
        passdb = TOKENS_2_4 if is_2_4 else TOKENS_2_3
        values["token_passdb"] = Template(passdb).substitute(values, tokens=tokens)
    capability = _capability_2_4 if is_2_4 else _capability_2_3
    return Template(template).substitute(values) + capability(set(capabilities_off))


def token_configuration(tokens: str) -> str:
    """The text of `oauth2.conf`, which 2.3 has beside the other."""
    return Template(TOKENS_CONFIG_2_3).substitute(tokens=tokens)


def _capability_2_3(off: set[str]) -> str:
    if not off:
        return ""
    kept = [name for name in CAPABILITIES_2_3.split() if name not in off]
    return f"imap_capability = {' '.join(kept)}\n"


def _capability_2_4(off: set[str]) -> str:
    lines = [f'    "{name}" = no\n' for name in sorted(off)]
    return f"imap_capability {{\n{''.join(lines)}}}\n" if lines else ""
