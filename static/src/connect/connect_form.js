/** What is entered of a mailbox that is being connected, by the names of the account's fields. */

/** What the account is asked for when a mailbox is new. */
const EMPTY = {
    provider: "",
    email: "",
    shared_mailbox: false,
    imap_auth: "password",
    imap_host: "",
    imap_port: 993,
    imap_security: "ssl",
    imap_login: "",
    imap_password: "",
    smtp_host: "",
    smtp_port: 465,
    smtp_security: "ssl",
};

/** What a mail server is reached by. */
export const SERVERS = Object.keys(EMPTY).filter((name) => /^(imap|smtp)_/.test(name));

export function newForm() {
    return {...EMPTY};
}

/** What is chosen in the look before the start, until the account tells what it has. */
export function newChoices() {
    return {
        folders: [],
        since: "",
        share_level: "everything",
        ignore_automatic: false,
        ignore_private: false,
        unlinked_keep: "full",
        get ignoreAutomatic() {
            return this.ignore_automatic;
        },
        get ignorePrivate() {
            return this.ignore_private;
        },
    };
}

/** What was chosen, as the server takes it. */
export function choiceValues(choices, names) {
    const {folders, since} = choices;
    const values = {folders: [...folders], since};
    for (const name of names) {
        values[name] = choices[name];
    }
    return values;
}

/** What stands there when nobody has entered a server. */
export const NO_SERVERS = Object.fromEntries(
    Object.entries(EMPTY).filter(([name]) =>
        /^(imap|smtp)_(auth|host|port|security)$/.test(name)
    )
);

/** Takes what the account has; what it does not tell, as a password, stays. */
export function fillForm(form, account, names = Object.keys(EMPTY)) {
    for (const name of names) {
        if (name in account) {
            form[name] = account[name] || EMPTY[name];
        }
    }
}

/** What was entered, to be saved. A password is taken as it is, and not emptied where none was typed. */
export function formValues(form, names) {
    const values = {};
    for (const name of names) {
        const value = form[name];
        values[name] = typeof value === "string" ? value.trim() : value;
    }
    if (!values.imap_password) {
        delete values.imap_password;
    } else {
        values.imap_password = form.imap_password;
    }
    return values;
}
