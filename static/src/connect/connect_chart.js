import {Component, onWillStart, onWillUnmount, useEffect, useRef} from "@odoo/owl";

import {loadBundle} from "@web/core/assets";
import {KINDS} from "./connect_tally";
import {barWords} from "./connect_words";

/**
 * Mails a week, one kind upon the other. The numbers stand beside it in words, so that nobody depends on the colours;
 * these are those of the marks there.
 */
export class ConnectChart extends Component {
    static template = "easycrm_mail.ConnectChart";
    static props = {bars: Array, unit: String, since: String, label: String};

    setup() {
        this.canvas = useRef("canvas");
        this.marks = useRef("marks");
        this.kinds = KINDS;
        this.chart = null;
        onWillStart(() => loadBundle("web.chartjs_lib"));
        useEffect(
            (bars) => this.draw(bars),
            () => [this.props.bars]
        );
        onWillUnmount(() => this.chart?.destroy());
    }

    /** The colour that the style sheet gives a mark. */
    colourOf(selector, property = "backgroundColor") {
        const mark = this.marks.el.querySelector(selector);
        return getComputedStyle(mark)[property];
    }

    draw(bars) {
        const {unit, since} = this.props;
        const data = {
            labels: barWords(bars, unit, since),
            datasets: KINDS.map((kind) => ({
                data: bars.map((bar) => bar[kind]),
                backgroundColor: this.colourOf(`.o_easycrm_kind_${kind}`),
            })),
        };
        if (this.chart) {
            this.chart.data = data;
            this.chart.update("none");
            return;
        }
        const text = this.colourOf(".o_easycrm_muted", "color");
        const grid = this.colourOf(".o_easycrm_connect_line");
        const font = {size: 11, family: getComputedStyle(this.marks.el).fontFamily};
        this.chart = new window.Chart(this.canvas.el, {
            type: "bar",
            data,
            options: {
                animation: false,
                maintainAspectRatio: false,
                events: [],
                plugins: {legend: {display: false}, tooltip: {enabled: false}},
                datasets: {bar: {categoryPercentage: 0.9, barPercentage: 0.85}},
                scales: {
                    x: {
                        stacked: true,
                        grid: {display: false},
                        border: {color: grid},
                        ticks: {color: text, font, autoSkip: false, maxRotation: 0},
                    },
                    y: {
                        stacked: true,
                        position: "right",
                        beginAtZero: true,
                        grid: {color: grid},
                        border: {display: false},
                        ticks: {
                            color: text,
                            font,
                            precision: 0,
                            maxTicksLimit: 3,
                        },
                    },
                },
            },
        });
    }
}
