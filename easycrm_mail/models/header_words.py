"""Why a mail cannot be written, in the reader's language."""


def explain_header(env, code, value):
    """Return the words for a `messages.BadHeader`.

    :param env: in the reader's language
    :param str code: see there
    :param str value: what it is about
    """
    if code == "nobody":
        return env._("The email has no recipient.")
    words = {
        "address": env._("“%s” is not an email address.", value),
        "letters": env._(
            "“%s” cannot be written to: in front of the @ it has letters that most "
            "mail servers do not take.",
            value,
        ),
        "break": env._("“%s” has a line break in it, where none may be.", value),
        "control": env._(
            "“%s” has a control character in it, where none may be.", value
        ),
    }
    return words.get(code) or env._(
        "“%s” cannot stand in the header of an email.", value
    )
