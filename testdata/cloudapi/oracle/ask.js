// Asks fwrule and triton-tags about the texts of a file like verdicts.json.
var tags = require('triton-tags'), fwrule = require('fwrule');
var old = JSON.parse(require('fs').readFileSync(0, 'utf8'));
var out = { rules: {}, services: {} };
Object.keys(old.rules).forEach(function (text) {
  try {
    new fwrule.FwRule({ rule: text, enabled: true, owner_uuid: '930896af-bf8c-48d4-885c-6573a94b1853' });
    out.rules[text] = true;
  } catch (e) { out.rules[text] = false; }
});
Object.keys(old.services).forEach(function (text) {
  out.services[text] = !tags.validateTritonTag('triton.cns.services', text);
});
console.log(JSON.stringify(out, null, 1));
