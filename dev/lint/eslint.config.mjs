// The errors that OCA and Odoo's own test_lint look for in JavaScript, as errors all of
// them: a warning is what nobody reads. How code is set is prettier's part.
import globals from "globals";
import js from "@eslint/js";

// From Odoo's test_lint, which holds every addon to them.
const ODOO = [
    "error",
    "PrivateIdentifier",
    ...["props", "template"].map((name) => ({
        selector:
            "ClassDeclaration[superClass.name='Component']" +
            `:not(:has(ClassBody.body > PropertyDefinition[key.name='${name}'][static='true']))`,
        message: `A component declares its static ${name}.`,
    })),
    {
        selector: "CallExpression[callee.name='_t'] > :first-child[value=/(.*%s){2,}/]",
        message: "Several placeholders of a translated text have names.",
    },
    {
        selector: "CallExpression[callee.name='_t'] > :first-child:not(Literal)",
        message: "Only a literal text is found by the translators' export.",
    },
    {
        selector:
            "CallExpression[callee.property.name='add']" +
            "[callee.object.property.name='notification'] > Literal:first-child",
        message: "What people read is translated: _t().",
    },
];

export default [
    js.configs.recommended,
    {
        files: ["static/**/*.js"],
        languageOptions: {
            ecmaVersion: 2024,
            sourceType: "module",
            globals: {...globals.browser, luxon: "readonly", odoo: "readonly"},
        },
        linterOptions: {reportUnusedDisableDirectives: "error"},
        rules: {
            "array-callback-return": "error",
            complexity: ["error", 15],
            curly: "error",
            "default-case-last": "error",
            "dot-notation": "error",
            eqeqeq: "error",
            "max-depth": "error",
            "max-lines": ["error", 400],
            "max-nested-callbacks": ["error", 4],
            "no-alert": "error",
            "no-array-constructor": "error",
            "no-caller": "error",
            "no-console": "error",
            "no-duplicate-imports": "error",
            "no-else-return": "error",
            "no-empty-function": "error",
            "no-eval": "error",
            "no-extend-native": "error",
            "no-extra-bind": "error",
            "no-implicit-coercion": ["error", {boolean: false}],
            "no-implied-eval": "error",
            "no-labels": "error",
            "no-lone-blocks": "error",
            "no-lonely-if": "error",
            "no-new": "error",
            "no-new-func": "error",
            "no-new-wrappers": "error",
            "no-param-reassign": "error",
            "no-proto": "error",
            "no-restricted-globals": ["error", "event", "self"],
            "no-restricted-syntax": ODOO,
            "no-return-assign": ["error", "except-parens"],
            "no-script-url": "error",
            "no-self-compare": "error",
            "no-sequences": "error",
            "no-shadow": "error",
            "no-throw-literal": "error",
            "no-undef-init": "error",
            "no-unmodified-loop-condition": "error",
            "no-unneeded-ternary": "error",
            "no-unused-expressions": "error",
            "no-unused-vars": ["error", {args: "after-used"}],
            "no-use-before-define": ["error", {functions: false}],
            "no-useless-call": "error",
            "no-useless-computed-key": "error",
            "no-useless-concat": "error",
            "no-useless-constructor": "error",
            "no-useless-rename": "error",
            "no-useless-return": "error",
            "no-var": "error",
            "no-void": "error",
            "object-shorthand": "error",
            "operator-assignment": "error",
            "prefer-const": "error",
            "prefer-template": "error",
            radix: "error",
            "spaced-comment": "error",
            yoda: "error",
        },
    },
];
