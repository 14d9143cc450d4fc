/** How one signs in to a mail server: by a password, or at Google or Microsoft. */

/** What is known of a server: `{service, password_note, sending}`, or nothing. */
export function knownOf(host, hosts) {
    return hosts[host.trim().toLowerCase()];
}

/** At which service one signs in to the mailbox; empty where it has a password. */
export function signInServiceOf(form, hosts) {
    if (form.provider !== "imap") {
        return form.provider;
    }
    const known = knownOf(form.imap_host, hosts);
    return (form.imap_auth === "oauth" && known?.service) || "";
}

/** The way in to a server, unless somebody wants another: as the account's `_get_usual_auth`. */
export function usualAuthOf(host, {sign_in_hosts: hosts, services}) {
    const known = knownOf(host, hosts);
    const isPossible = known && (!known.password_note || services[known.service]);
    return isPossible ? "oauth" : "password";
}
