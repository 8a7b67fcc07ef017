// What Express Gateway does with a Redis, by its own services: `write` fills it and prints what it made; `read` says
// what it makes of what was written by somebody else (facts.json). EG_DIR is a folder with express-gateway in
// node_modules, EG_CONFIG_DIR its configuration.
'use strict';
process.env.EG_DISABLE_CONFIG_WATCH = '1';
const lib = process.env.EG_DIR + '/node_modules/express-gateway/lib/';
const config = require(lib + 'config');
try { config.loadGatewayConfig(); } catch (e) { /* only the system file counts here */ }
const s = require(lib + 'services');

async function write () {
  await s.credential.insertScopes(['read', 'write']);
  const user = await s.user.insert({ username: 'alice', firstname: 'A', lastname: 'L', email: 'a@example.com' });
  const app = await s.application.insert({ name: 'shop', redirectUri: 'http://localhost/cb' }, user.id);
  await s.credential.insertCredential(user.id, 'key-auth', { keyId: 'k1', keySecret: 's1', scopes: ['read'] });
  await s.credential.insertCredential(app.id, 'key-auth', {});
  await s.credential.insertCredential(user.id, 'jwt', { keyId: 'j1', keySecret: 'js' });
  await s.credential.insertCredential(user.id, 'basic-auth', { password: 'password1' });
  await s.credential.insertCredential(app.id, 'oauth2', { secret: 'secret1', scopes: ['read'] });
  const token = await s.token.findOrSave({ consumerId: app.id, authType: 'oauth2', scopes: ['read'] }, { includeRefreshToken: true });
  const byPassword = await s.token.findOrSave({ consumerId: app.id, authenticatedUser: user.id });
  const code = await s.authorizationCode.save({ consumerId: app.id, userId: user.id, redirectUri: 'http://localhost/cb', scopes: ['read'] });
  return {
    user: user.id, app: app.id, access: token.access_token, refresh: token.refresh_token,
    byPassword: byPassword.access_token, code: code.id
  };
}

async function read () {
  const facts = JSON.parse(require('fs').readFileSync('facts.json'));
  const bob = await s.user.find('bob');
  const same = await s.token.findOrSave({ consumerId: facts.app, authType: 'oauth2', scopes: ['write'] });
  return {
    user: !!bob,
    key: !!(await s.auth.authenticateCredential('ours', 'oursecret', 'key-auth')),
    wrongKey: !(await s.auth.authenticateCredential('ours', 'x', 'key-auth')),
    password: !!(await s.auth.authenticateCredential('bob', 'password2', 'basic-auth')),
    credentials: (await s.credential.getCredentials(bob.id)).length === 2,
    oldKey: !!(await s.auth.authenticateCredential('k1', 's1', 'key-auth')),
    scopes: (await s.credential.getAllScopes()).sort().join() === 'read,write',
    token: !!(await s.auth.authenticateToken(facts.token)),
    sameToken: same.access_token === facts.token,
    code: !!(await s.authorizationCode.find({ id: facts.code, consumerId: facts.app, redirectUri: 'http://localhost/cb' })),
    revoked: !(await s.auth.authenticateToken(facts.revoked))
  };
}

(process.argv[2] === 'write' ? write() : read())
  .then(result => { console.log('RESULT ' + JSON.stringify(result)); process.exit(0); })
  .catch(err => { console.error(err); process.exit(1); });
