// osls loads CommonJS only; the deployment itself is typed.
const { dirname } = require('node:path');
const { stackOf } = require('./stack.ts');

const of = (stage) => stackOf(dirname(__dirname), {}, stage);
module.exports = Object.assign(async ({ resolveVariable }) => of(await resolveVariable('sls:stage')), { of });
