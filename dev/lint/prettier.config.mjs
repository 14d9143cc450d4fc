// What OCA sets for Odoo 19.0, and the indent of .editorconfig said here, so that the
// answer is the same wherever the files stand.
import xml from "@prettier/plugin-xml";

export default {
    bracketSpacing: false,
    printWidth: 88,
    tabWidth: 4,
    trailingComma: "es5",
    plugins: [xml],
    xmlWhitespaceSensitivity: "preserve",
};
