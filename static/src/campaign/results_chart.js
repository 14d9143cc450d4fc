import {Component, onWillStart, onWillUnmount, useEffect, useRef} from "@odoo/owl";

import {loadBundle} from "@web/core/assets";
import {_t} from "@web/core/l10n/translation";
import {deserializeDateTime} from "@web/core/l10n/dates";
import {formatInteger} from "@web/views/fields/formatters";
import {clockWords, niceStep} from "./campaign_words";

const {DateTime} = luxon;

/** What is drawn, and how; what machines did is dashed and never added to the rest. */
const LINES = [
    {name: "opened", isFilled: true},
    {name: "clicked"},
    {name: "machine", dash: [5, 4]},
];

/** Each hour since the sending: what people did, and, apart from it, machines. */
export class ResultsChart extends Component {
    static template = "easycrm_mail.ResultsChart";
    static props = {hours: Array};

    setup() {
        this.canvas = useRef("canvas");
        this.marks = useRef("marks");
        this.chart = null;
        onWillStart(() => loadBundle("web.chartjs_lib"));
        useEffect(
            () => this.draw(),
            () => [JSON.stringify(this.props.hours)]
        );
        onWillUnmount(() => this.chart?.destroy());
    }

    get legend() {
        return [
            {name: "opened", words: _t("Opened by people")},
            {name: "clicked", words: _t("Clicked")},
            {name: "machine", words: this.machineWords},
        ];
    }

    /** Machines open all at once: their line may leave the picture, and then says how high it is. */
    get machineWords() {
        const most = this.most("machine");
        return most > this.top
            ? _t("Machine opens, shown apart: up to %s an hour", formatInteger(most))
            : _t("Machine opens, shown apart");
    }

    most(name) {
        return Math.max(0, ...this.props.hours.map((hour) => hour[name]));
    }

    /** How high the picture is goes by what people did. */
    get height() {
        const people = Math.max(this.most("opened"), this.most("clicked"));
        return people || Math.max(this.most("machine"), 1);
    }

    get step() {
        return niceStep(this.height);
    }

    get top() {
        return Math.ceil(this.height / this.step) * this.step;
    }

    /** For those who do not see the picture. */
    get label() {
        const {hours} = this.props;
        const sum = (name) =>
            formatInteger(hours.reduce((total, hour) => total + hour[name], 0));
        return _t(
            "In the first %(hours)s hours: %(opened)s opened by people, %(clicked)s clicked, %(machine)s machine opens",
            {
                hours: hours.length,
                opened: sum("opened"),
                clicked: sum("clicked"),
                machine: sum("machine"),
            }
        );
    }

    hourWords(at) {
        return clockWords(deserializeDateTime(this.props.hours[at].hour));
    }

    tooltipTitle(at) {
        const from = deserializeDateTime(this.props.hours[at].hour);
        return `${clockWords(from)} – ${clockWords(from.plus({hours: 1}))}`;
    }

    tooltipWords(name, count) {
        const number = formatInteger(count);
        return {
            opened: _t("%s opened by people", number),
            clicked: _t("%s clicked", number),
            machine: _t("%s machine opens", number),
        }[name];
    }

    /** The colour that the style sheet gives a mark. */
    colourOf(selector) {
        return getComputedStyle(this.marks.el.querySelector(selector)).color;
    }

    get data() {
        const {hours} = this.props;
        const now = DateTime.now();
        // (what is to come is not nothing)
        const past = hours.filter(({hour}) => deserializeDateTime(hour) <= now);
        return {
            labels: hours.map((_hour, at) => this.hourWords(at)),
            datasets: LINES.map(({name, dash, isFilled}) => {
                const colour = this.colourOf(`.o_easycrm_curve_${name}`);
                return {
                    label: name,
                    data: past.map((hour) => hour[name]),
                    borderColor: colour,
                    backgroundColor: isFilled
                        ? this.colourOf(".o_easycrm_curve_fill")
                        : colour,
                    pointBackgroundColor: colour,
                    borderDash: dash || [],
                    borderWidth: dash ? 1.5 : 2,
                    fill: isFilled ? "origin" : false,
                    cubicInterpolationMode: "monotone",
                    pointRadius: past.length === 1 ? 3 : 0,
                    pointHoverRadius: 4,
                    clip: 5,
                };
            }),
        };
    }

    draw() {
        const {data, top, step} = this;
        if (this.chart) {
            this.chart.data = data;
            Object.assign(this.chart.options.scales.y, {max: top});
            this.chart.options.scales.y.ticks.stepSize = step;
            this.chart.update("none");
            return;
        }
        const text = this.colourOf(".o_easycrm_muted");
        const grid = this.colourOf(".o_easycrm_curve_grid");
        const font = {size: 11, family: getComputedStyle(this.marks.el).fontFamily};
        this.chart = new window.Chart(this.canvas.el, {
            type: "line",
            data,
            options: {
                animation: false,
                maintainAspectRatio: false,
                interaction: {mode: "index", intersect: false},
                plugins: {
                    legend: {display: false},
                    tooltip: {
                        callbacks: {
                            title: ([item]) => this.tooltipTitle(item.dataIndex),
                            label: ({dataset, parsed}) =>
                                this.tooltipWords(dataset.label, parsed.y),
                        },
                    },
                },
                scales: {
                    x: {
                        grid: {display: false},
                        border: {color: grid},
                        ticks: {
                            color: text,
                            font,
                            maxRotation: 0,
                            autoSkip: true,
                            maxTicksLimit: 7,
                        },
                    },
                    y: {
                        beginAtZero: true,
                        max: top,
                        grid: {color: grid},
                        border: {display: false},
                        ticks: {
                            color: text,
                            font,
                            stepSize: step,
                            callback: (value) => formatInteger(value),
                        },
                    },
                },
            },
        });
    }
}
