// People in front of the pages: each in a browser context of their own, on a desk's screen or on a phone.
//
//     const hotline = await start();
//     const browser = await open(hotline);
//     const operator = await browser.staff('operator1');
//     const citizen = await browser.person('citizen', { on: PHONE });
//
// Whatever a page complains about (an exception, an error on the console, an answer of 5xx) fails the test that asks
// person.isCalm(); person.close() asks, too.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after } from 'node:test';
import { chromium } from 'playwright-core';
import { PASSWORD, until } from '../http/harness.mjs';

export const DESK = { width: 1440, height: 900 };
export const PHONE = { width: 390, height: 844 };
export const SOON = 2000; // what one person does, the others see within this many milliseconds

const PATIENCE = 30_000; // of one who waits for a page on a busy machine
const pictures = join(dirname(process.env.HOTLINE_WEB), 'screenshots');

// Chromium reports each refused request on the console.  Which refusals are right is for the test to say.
const REFUSED = /^Failed to load resource: the server responded with a status of 4\d\d/;
const OFFLINE = /^Failed to load resource: net::ERR_/;

class Person {
    constructor(hotline, name, context, page, folder) {
        Object.assign(this, { hotline, name, context, page, folder, complaints: [], asked: new Set(), mayLoseConnection: false });
        page.on('pageerror', (error) => this.complaints.push(`exception: ${error.stack ?? error}`));
        page.on('console', (message) => {
            const text = message.text();
            if (message.type() !== 'error' || REFUSED.test(text) || (this.mayLoseConnection && OFFLINE.test(text)))
                return;
            this.complaints.push(`console: ${text} (${message.location().url})`);
        });
        page.on('response', (response) => {
            if (response.status() >= 500 && !this.mayLoseConnection)
                this.complaints.push(`${response.status()} ${response.request().method()} ${response.url()}`);
        });
        page.on('request', (request) => request.resourceType() !== 'eventsource' && this.asked.add(request));
        page.on('requestfinished', (request) => this.asked.delete(request));
        page.on('requestfailed', (request) => this.asked.delete(request));
        page.on('dialog', (dialog) => {
            this.complaints.push(`dialog: ${dialog.message()}`);
            dialog.dismiss().catch(() => {});
        });
    }

    isCalm() {
        assert.deepEqual(this.complaints.splice(0), [], `the page of ${this.name} complains`);
    }

    goto(path) {
        return this.page.goto(this.hotline.url + path);
    }

    // By data-testid.
    at(id, options) {
        return this.page.getByTestId(id, options);
    }

    click(id) {
        return this.at(id).click();
    }

    type(id, text) {
        return this.at(id).fill(text);
    }

    press(key) {
        return this.page.keyboard.press(key);
    }

    text(id) {
        return this.at(id).innerText();
    }

    // The page holds one element that matches within `ms`.
    async sees(what, ms = PATIENCE) {
        const place = typeof what === 'string' ? this.page.locator(what) : what;
        await place.first().waitFor({ state: 'visible', timeout: ms });
        return place;
    }

    async seesNo(what, ms = PATIENCE) {
        const place = typeof what === 'string' ? this.page.locator(what) : what;
        await place.first().waitFor({ state: 'hidden', timeout: ms });
    }

    // A word out of a list: radio buttons where there are few, else a list that opens.
    async choose(id, value) {
        const radio = this.at(`${id}-${value}`);
        if (await radio.count()) {
            await radio.click();
            return;
        }
        await this.at(id).click();
        const option = this.page.locator(`.el-popper:visible [data-testid="option-${value}"]`);
        await option.click();
        await option.waitFor({ state: 'hidden', timeout: 500 }).catch(() => this.press('Escape')); // a list of several stays open
    }

    row(number) {
        return this.page.locator(`[data-testid="ticket-row"][data-number="${number}"]`);
    }

    async signIn(login, password = PASSWORD) {
        await this.type('login', login);
        await this.type('password', password);
        await this.click('sign-in-send');
    }

    async signOut() {
        const small = !(await this.at('sign-out').isVisible());
        if (small)
            await this.click('menu');
        await (small ? this.page.locator('.small button').last() : this.at('sign-out')).click();
        await this.sees('[data-testid="sign-in"]');
    }

    // All that was asked has been answered; the stream of events never is.
    rests() {
        return until(`the page of ${this.name} rests`, () => this.asked.size === 0);
    }

    // Nothing sticks out to the right, on the page or in the part of it that scrolls.
    async fits() {
        const over = await this.page.evaluate(() => {
            const wide = document.documentElement.clientWidth;
            const main = document.querySelector('main');
            return {
                page: document.scrollingElement.scrollWidth - wide,
                main: main ? main.scrollWidth - main.clientWidth : 0,
                who: [...document.querySelectorAll('body *')]
                    .filter((e) => e.getBoundingClientRect().right > wide + 1 && getComputedStyle(e).position !== 'fixed')
                    .slice(0, 5)
                    .map((e) => `${e.tagName.toLowerCase()}.${e.className}`),
            };
        });
        assert.ok(over.page <= 0 && over.main <= 0, `${this.name}: wider than the screen by ${JSON.stringify(over)}`);
    }

    // A picture under build/screenshots/<file>/; `whole` shows what one would scroll to, too.
    async shot(name, { whole = false } = {}) {
        const small = this.page.viewportSize();
        const hidden = whole ? await this.page.evaluate(() => {
            const main = document.querySelector('main');
            return Math.max(main ? main.scrollHeight - main.clientHeight : 0, document.documentElement.scrollHeight - innerHeight);
        }) : 0;

        if (hidden > 0)
            await this.page.setViewportSize({ width: small.width, height: small.height + hidden });
        await this.page.screenshot({ path: join(this.folder, `${name}.png`), animations: 'disabled' });
        if (hidden > 0)
            await this.page.setViewportSize(small);
    }

    close() {
        this.isCalm();
        return this.context.close();
    }
}

class Browser {
    constructor(hotline, chromium_, folder) {
        Object.assign(this, { hotline, chromium: chromium_, folder, people: [], entering: Promise.resolve() });
    }

    async person(name, { on = DESK, ...options } = {}) {
        const phone = on === PHONE ? { isMobile: true, hasTouch: true, deviceScaleFactor: 2 } : {};
        const context = await this.chromium.newContext({
            viewport: on, locale: 'zh-CN', timezoneId: 'Asia/Shanghai', reducedMotion: 'reduce', ...phone, ...options,
        });
        context.setDefaultTimeout(PATIENCE);
        return this.inside(name, context, await context.newPage());
    }

    // Another page of a browser that is open already.
    inside(name, context, page) {
        const person = new Person(this.hotline, name, context, page, this.folder);
        this.people.push(person);
        return person;
    }

    // Signed in, on the first page of the desk.  The form itself is used once a file by those who test it.
    async staff(login, options) {
        const person = await this.person(login, options);
        await this.enter(person, login);
        await person.goto('/desk/');
        await person.sees('[data-testid="ticket-table"]');
        return person;
    }

    // One after the other, since a password is dear to check; again where the engine asks to try later.
    enter(person, login) {
        const entered = this.entering.then(() => until(`${login} is signed in`, () => this.isEntered(person, login)));

        this.entering = entered.catch(() => {});
        return entered;
    }

    async isEntered(person, login) {
        const answer = await person.context.request.post(`${this.hotline.url}/v1/session`, { data: { login, password: PASSWORD } });

        return answer.ok();
    }
}

export async function open(hotline, name) {
    const folder = join(pictures, name);
    mkdirSync(folder, { recursive: true });
    const program = await chromium.launch({
        executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
        args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
            '--disable-component-update', '--disable-sync', '--force-color-profile=srgb'],
    });
    after(() => program.close());
    return new Browser(hotline, program, folder);
}
