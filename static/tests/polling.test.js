import {defineMailModels} from "@mail/../tests/mail_test_helpers";
import {describe, expect, test} from "@odoo/hoot";
import {advanceTime, animationFrame} from "@odoo/hoot-mock";
import {Component, onWillStart, useState, xml} from "@odoo/owl";

import {mountWithCleanup} from "@web/../tests/web_test_helpers";

import {usePolling} from "@easycrm_mail/campaign/polling";

describe.current.tags("desktop");
defineMailModels();

test("a widget that is dropped before it was ever shown asks no more", async () => {
    class Asking extends Component {
        static template = xml`<div/>`;
        static props = {};
        setup() {
            const polling = usePolling(
                () => expect.step("asks"),
                () => 1000
            );
            polling.start();
            onWillStart(() => new Promise((resolve) => (this.resolve = resolve)));
        }
    }
    class Form extends Component {
        static template = xml`<Asking t-if="state.isAsking"/>`;
        static components = {Asking};
        static props = {};
        setup() {
            this.state = useState({isAsking: false});
        }
    }
    const form = await mountWithCleanup(Form);
    form.state.isAsking = true;
    await animationFrame();
    await advanceTime(1000);
    expect.verifySteps(["asks"]);
    form.state.isAsking = false;
    await animationFrame();
    await advanceTime(5000);
    expect.verifySteps([]);
});
