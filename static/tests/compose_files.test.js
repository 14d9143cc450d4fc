import {describe, expect, test} from "@odoo/hoot";
import {Deferred, advanceTime, animationFrame} from "@odoo/hoot-mock";

import {ComposeModel} from "@easycrm_mail/compose/compose_model";
import {composeWindow} from "./compose_helpers";

describe.current.tags("headless");

const file = (id) => ({id, name: `${id}.pdf`, mimetype: "application/pdf", size: 9});

/** A window with these files; what is saved goes to `saved`, and `answer` gives the files that the server has then. */
async function openFiles(values, answer) {
    const saved = [];
    const answers = {
        easycrm_open: () => composeWindow(values),
        easycrm_save: ([given]) => {
            saved.push(given.attachment_ids);
            return {outgoing_id: 9, saved_at: "2026-11-24 08:41:00"};
        },
        easycrm_take_files: answer,
        easycrm_take_documents: answer,
        easycrm_use_template: answer,
    };
    const call = async (_model, method, [, ...args]) => answers[method](args);
    const model = new ComposeModel({silent: {call}}, {});
    await model.load();
    return {model, saved, files: () => model.attachments.files.map(({id}) => id)};
}

function upload(model, id) {
    const [one] = (model.attachments.uploads = [{id: `upload_${id}`, name: "Plan"}]);
    const answer = JSON.stringify([{id, mimetype: "application/pdf", size: 9}]);
    model.attachments.takeUploaded(one, {status: 200, responseText: answer});
}

for (const isClosed of [false, true]) {
    const when = isClosed ? "after the window was closed" : "meanwhile";
    test(`what is saved holds the file that has come ${when}`, async () => {
        const wait = new Deferred();
        const {model, saved} = await openFiles({forwarded: [file(31)]}, async () => {
            await wait;
            return [file(1)];
        });
        model.setSubject("Chairs");
        const kept = model.save();
        model.isClosed = isClosed;
        wait.resolve();
        await kept;
        expect(saved.at(-1)).toEqual([1]);
    });
}

test("neither does an upload get lost nor a removed file come back", async () => {
    const wait = new Deferred();
    const {model, files} = await openFiles(
        {files: [file(1)], forwarded: [file(31)]},
        async () => {
            await wait;
            return [file(1), file(2)];
        }
    );
    upload(model, 3);
    model.attachments.removeFile(file(1));
    wait.resolve();
    await animationFrame();
    expect(files()).toEqual([3, 2]);
});

test("documents come beside what was uploaded meanwhile", async () => {
    const wait = new Deferred();
    const {model, files} = await openFiles({}, async () => {
        await wait;
        return [file(2)];
    });
    const taken = model.attachments.takeDocuments([7]);
    upload(model, 3);
    wait.resolve();
    await taken;
    expect(files()).toEqual([3, 2]);
});

test("what was uploaded while a template came stays beside its files", async () => {
    const wait = new Deferred();
    const {model, files} = await openFiles({files: [file(1)]}, async () => {
        await wait;
        return composeWindow({files: [file(2)]});
    });
    const used = model.useTemplate({id: 4});
    await animationFrame();
    upload(model, 3);
    wait.resolve();
    await used;
    expect(files()).toEqual([2, 3]);
});

test("a forwarded file that comes after the last pause is saved", async () => {
    const {saved} = await openFiles({outgoing_id: 9, forwarded: [file(31)]}, () => [
        file(1),
    ]);
    await animationFrame();
    await advanceTime(2000);
    expect(saved.at(-1)).toEqual([1]);
});

test("forwarded files alone are not something written", async () => {
    const {saved, files} = await openFiles({forwarded: [file(31)]}, () => [file(1)]);
    await animationFrame();
    await advanceTime(2000);
    expect(files()).toEqual([1]);
    expect(saved).toEqual([]);
});

test("a window that was closed fetches nothing more", async () => {
    const wait = new Deferred();
    const asked = [];
    const {model, saved} = await openFiles(
        {outgoing_id: 9, forwarded: [file(31), file(32)]},
        async ([ids]) => {
            asked.push(...ids);
            await wait;
            return [file(1)];
        }
    );
    model.isClosed = true;
    wait.resolve();
    await animationFrame();
    await advanceTime(2000);
    expect(asked).toEqual([31]);
    expect(saved).toEqual([]);
});

test("a forwarded file that comes while a template is put in is there once", async () => {
    const wait = new Deferred();
    const answers = [[file(1)], composeWindow({files: [file(1), file(2)]})];
    const {model, files} = await openFiles({forwarded: [file(31)]}, async () => {
        await wait;
        return answers.shift();
    });
    const used = model.useTemplate({id: 4});
    wait.resolve();
    await used;
    expect(files()).toEqual([1, 2]);
});
