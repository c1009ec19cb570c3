// osls loads CommonJS only; the deployment itself is typed.
const { dirname } = require('node:path');
const { stackOf } = require('./stack.ts');

module.exports = stackOf(dirname(__dirname));
