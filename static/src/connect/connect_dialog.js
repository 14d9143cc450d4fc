import {Component, onWillDestroy, onWillStart, reactive, useState} from "@odoo/owl";

import {Dialog} from "@web/core/dialog/dialog";
import {_t} from "@web/core/l10n/translation";
import {useService} from "@web/core/utils/hooks";
import {ConnectChoices} from "./connect_choices";
import {
    NO_SERVERS,
    SERVERS,
    choiceValues,
    fillForm,
    formValues,
    newChoices,
    newForm,
} from "./connect_form";
import {Look} from "./connect_look";
import {ConnectMailbox, iconOf} from "./connect_mailbox";
import {ConnectResult} from "./connect_result";
import {signInServiceOf} from "./connect_servers";
import {ConnectSignIn} from "./connect_sign_in";
import {SERVICES, STEPS, readsWords} from "./connect_words";

const ACCOUNT = "easycrm.email.account";

/**
 * The window in which a mailbox is connected: which one, signing in, a look at it that stores nothing, and the start.
 * It can be left at any step and gone on with later.
 */
export class ConnectDialog extends Component {
    static template = "easycrm_mail.ConnectDialog";
    static components = {
        ConnectChoices,
        ConnectMailbox,
        ConnectResult,
        ConnectSignIn,
        Dialog,
    };
    static props = {
        accountId: {type: [Number, {value: false}], optional: true},
        provider: {type: String, optional: true},
        isBack: {type: Boolean, optional: true},
        /** The browser is about to leave for another site, and comes back. */
        onAway: Function,
        /** A mailbox was added, changed or started. */
        onChanged: Function,
        close: Function,
    };
    static defaultProps = {accountId: false, provider: "", isBack: false};

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.notification = useService("notification");
        this.ui = useService("ui");
        this.steps = STEPS;
        this.iconOf = iconOf;
        this.state = useState({
            /** Or `resume`: which of those that were left is gone on with? */
            step: "mailbox",
            form: newForm(),
            account: null,
            error: "",
            /** What kind of password a common provider wants. */
            note: "",
            isBusy: false,
        });
        this.choices = useState(newChoices());
        this.look = null;
        // Esc, the cross and "Leave" are the same.
        this.env.dialogData.dismiss = () => this.keep();
        onWillStart(() => this.open());
        onWillDestroy(() => this.look?.close());
    }

    async open() {
        const {accountId, provider, isBack} = this.props;
        this.options = await this.orm.call(ACCOUNT, "connect_get_options", []);
        Object.assign(this.state.form, {provider, email: this.options.email});
        if (accountId) {
            await this.attempt(async () => {
                const account = await this.orm.call(ACCOUNT, "connect_read", [
                    [accountId],
                ]);
                await this.goOn(account);
                this.state.error = (isBack && account.error) || "";
            });
        } else if (this.options.left.length) {
            this.state.step = "resume";
        }
    }

    // --- what is shown ---

    get title() {
        return _t("Connect a mailbox");
    }

    isDone(step) {
        const names = STEPS.map(([name]) => name);
        return names.indexOf(step) < names.indexOf(this.state.step);
    }

    get isLooking() {
        return this.state.step === "look" && this.look;
    }

    /** At which service one signs in; empty where the mailbox has a password. */
    get signInService() {
        return signInServiceOf(this.state.form, this.options.sign_in_hosts);
    }

    get service() {
        return SERVICES[this.signInService] || "";
    }

    /** Is somebody to sign in before it goes on? */
    get lacksSignIn() {
        const {account, form} = this.state;
        const isSaved = account.imap_auth === form.imap_auth;
        return Boolean(this.signInService && !(account.is_signed_in && isSaved));
    }

    get signInIsPossible() {
        return Boolean(this.options.services[this.signInService]);
    }

    get signInWords() {
        return _t("Sign in with %s", this.service);
    }

    get canGoOn() {
        const {provider, email} = this.state.form;
        const isSetUp = provider === "imap" || this.options.services[provider];
        return Boolean(isSetUp && /^[^\s@]+@[^\s@]+$/.test(email.trim()));
    }

    get readsWords() {
        const {status} = this.look;
        const counts = this.look.tally.count(this.choices);
        return status === "done"
            ? readsWords(counts.wanted, this.state.account.provider)
            : _t("You can start before the count is complete.");
    }

    get startIsPossible() {
        return Boolean(this.choices.folders.length);
    }

    // --- steps ---

    take(account) {
        this.takeMailbox(account);
        for (const name of this.options.fields) {
            this.choices[name] = account[name];
        }
        this.choices.since = account.since;
        this.choices.folders = account.folders || [];
    }

    takeMailbox(account, names) {
        this.state.account = account;
        fillForm(this.state.form, account, names);
    }

    async goOn(account) {
        this.take(account);
        const isSignedIn = account.is_signed_in;
        const step = account.provider === "imap" ? account.step : "look";
        if (isSignedIn && step === "look") {
            await this.enterLook();
        } else {
            this.state.step = account.step === "mailbox" ? "mailbox" : "sign_in";
        }
    }

    async startOver(account) {
        this.take(await this.orm.call(ACCOUNT, "connect_restart", [[account.id]]));
        this.state.step = "mailbox";
    }

    /** Does one thing at a time, and says where it failed. */
    async attempt(work) {
        if (this.state.isBusy) {
            return false;
        }
        this.state.isBusy = true;
        this.state.error = "";
        try {
            return await work();
        } catch (error) {
            this.state.error = error.data?.message || error.message;
            return false;
        } finally {
            this.state.isBusy = false;
        }
    }

    async save(names) {
        const ids = this.state.account ? [this.state.account.id] : [];
        const values = formValues(this.state.form, names);
        const account = await this.orm.call(ACCOUNT, "connect_save", [ids, values]);
        if (ids.length) {
            // (what else was entered and chosen is not saved yet, and stays)
            this.takeMailbox(account, names);
        } else {
            this.take(account);
        }
    }

    enterSignIn() {
        return this.attempt(async () => {
            const {account, form} = this.state;
            const before = account?.email || form.email.trim();
            if (before !== form.email.trim()) {
                // (what was typed was another mailbox's)
                form.imap_login = "";
                form.imap_password = "";
            }
            if (form.provider === "imap") {
                await this.findServers(before);
            }
            await this.save(["provider", "email", "shared_mailbox"]);
            this.state.step = "sign_in";
        });
    }

    /** A mailbox on a mail server turns out to be at Google or Microsoft. */
    async chooseService(provider) {
        this.state.form.provider = provider;
        if (!this.canGoOn) {
            // (the first step says what is missing)
            this.state.step = "mailbox";
            return;
        }
        await this.enterSignIn();
        // (where that fails, the mailbox is what it was)
        this.state.form.provider = this.state.account.provider;
    }

    /**
     * The servers of a common provider, unless somebody has entered others.
     *
     * @param {string} before the address so far: what was filled in for it goes
     */
    async findServers(before) {
        const {form} = this.state;
        const find = (email) => this.orm.call(ACCOUNT, "connect_find_servers", [email]);
        const email = form.email.trim();
        const {password_note: note = "", ...found} = (await find(email)) || {};
        this.state.note = note;
        let servers = found;
        if (form.imap_host && before !== email) {
            const old = await find(before);
            const isFilledIn = old && old.imap_host === form.imap_host;
            servers = isFilledIn ? {...NO_SERVERS, ...found} : {};
        } else if (form.imap_host) {
            servers = {};
        }
        if (Object.keys(servers).length) {
            Object.assign(form, servers);
            await this.save(["provider", "email", ...Object.keys(servers)]);
        }
    }

    signIn() {
        return this.attempt(async () => {
            if (this.state.form.provider === "imap") {
                await this.saveServers();
            }
            const {id} = this.state.account;
            const {pathname, search} = window.location;
            const action = await this.orm.call(ACCOUNT, "connect_sign_in", [
                [id],
                pathname + search,
            ]);
            this.props.onAway(id);
            await this.action.doAction(action);
        });
    }

    /** Saves what was entered, and tests one direction. Gives false where that went well, else the words. */
    async test(what) {
        const {account} = this.state;
        return this.orm.call(ACCOUNT, "connect_test", [[account.id], what]);
    }

    async saveServers() {
        await this.save(SERVERS);
    }

    /** From signing in: a mailbox on a mail server is tried first. */
    goLook() {
        return this.attempt(async () => {
            if (this.state.account.provider === "imap") {
                await this.saveServers();
                const words = await this.test("reading");
                if (words) {
                    this.state.error = words;
                    return;
                }
            }
            await this.enterLook();
        });
    }

    async enterLook() {
        const {account} = this.state;
        this.state.step = "look";
        this.look?.close();
        const isOrdered = account.provider !== "imap";
        this.look = reactive(
            new Look(this.orm, account.id, this.choices, isOrdered),
            () => this.render()
        );
        await this.openLook();
    }

    async openLook() {
        const {look} = this;
        look.onWaited = () => this.openLook();
        if (!look.folders.length && !(await look.open())) {
            return;
        }
        const names = look.folders.map(({stream}) => stream);
        const kept = this.choices.folders.filter((stream) => names.includes(stream));
        this.choices.folders = kept.length
            ? kept
            : look.folders.filter((one) => one.default).map(({stream}) => stream);
        look.run();
    }

    choose(values) {
        Object.assign(this.choices, values);
        this.look.update();
    }

    back() {
        this.state.error = "";
        if (this.state.step === "look") {
            this.look.close();
            this.look = null;
            this.state.step = "sign_in";
        } else {
            this.state.step = "mailbox";
        }
    }

    /** What is chosen, as the server takes it. */
    get chosen() {
        return choiceValues(this.choices, this.options.fields);
    }

    async start() {
        await this.attempt(async () => {
            const {id} = this.state.account;
            const words = await this.orm.call(ACCOUNT, "connect_start", [
                [id],
                this.chosen,
            ]);
            if (words) {
                this.state.error = words;
                return;
            }
            this.notification.add(
                _t(
                    "The mailbox is being read, the newest emails first. You can go on working."
                ),
                {type: "success"}
            );
            this.props.close();
            this.props.onChanged();
        });
    }

    /** Keeps what was chosen, for another time. */
    async keep() {
        const {account, step} = this.state;
        if (!account || step === "resume") {
            return;
        }
        const choices = this.isLooking ? this.chosen : {};
        try {
            await this.orm.call(ACCOUNT, "connect_leave", [
                [account.id],
                step,
                choices,
            ]);
        } catch (error) {
            // (whoever wants to leave, leaves)
            const words = error.data?.message || error.message;
            this.notification.add(words, {type: "warning"});
        }
        this.props.onChanged();
    }

    async leave() {
        await this.env.dialogData.dismiss();
        this.props.close();
    }
}
