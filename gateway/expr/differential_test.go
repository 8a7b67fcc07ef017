package expr

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/message"
)

func testExchange() *message.Exchange {
	h := message.NewHeader(4)
	h.Set("X-One", "1")
	h.Set("X-Two", "Grüße 😀")
	h.Add("X-Many", "a")
	h.Add("X-Many", "b")
	x := &message.Exchange{
		Endpoint: &message.Endpoint{Name: "api", Scopes: []string{"read"}, Raw: map[string]any{"paths": "/a/:id"}},
		Context:  map[string]any{"tag": "T", "count": 3.0, "nothing": nil, "list": []any{"a", 2.0, nil}, "when": Date(86400000), "deep": map[string]any{"a": map[string]any{"b": 1.0}}},
	}
	x.Response.Header = message.NewHeader(1)
	x.Request = message.Request{
		Method: "GET", URL: "/gateway/7?q=v&q=w&e=&n=5", OriginalURL: "/gateway/7", Host: "front.test:80", Header: h, Proto: "1.1",
		Remote: netip.MustParseAddrPort("10.1.2.3:99"), Peer: netip.MustParseAddrPort("10.1.2.3:99"),
		Parsed:   map[string]any{"x": "body", "list": []any{1.0, "2", true}},
		Consumer: &consumer.Consumer{Kind: consumer.KindUser, ID: "u1", Username: "alice", IsActive: true, Properties: map[string]any{"age": 7.0}},
	}
	return x
}

// outcome is everything that evaluating an expression does.
type outcome struct {
	Text, URL, Method string
	Threw             bool
	Header, Response  map[string][]string
	Context           map[string]any
}

func outcomeOf(x *message.Exchange, text string, err error) outcome {
	var thrown *ThrownError
	return outcome{
		Text: text, Threw: errors.As(err, &thrown), URL: x.Request.URL, Method: x.Request.Method,
		Header: x.Request.Header.Map(), Response: x.Response.Header.Map(), Context: x.Context,
	}
}

// agree evaluates a source in both forms; false: it has no compiled form, or that one gave up.
func agree(t *testing.T, source string) bool {
	t.Helper()
	eval, err := compile(source)
	if err != nil {
		return false
	}
	compiled := testExchange()
	v, err := eval(compiled)
	if errors.Is(err, errInterpret) || IsLimit(err) {
		return false
	}
	text := ""
	if err == nil {
		text = Text(v)
	}
	got := outcomeOf(compiled, text, err)

	interpreted := testExchange()
	text, err = newScript(source).text(interpreted)
	if IsLimit(err) {
		return false
	}
	want := outcomeOf(interpreted, text, err)
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.EquateNaNs()); diff != "" {
		t.Errorf("%s (-interpreted +compiled):\n%s", source, diff)
	}
	return true
}

// TestFormsAgree: what is compiled gives the same value, throws the same and changes the same as interpreted.
func TestFormsAgree(t *testing.T) {
	t.Parallel()
	for _, source := range []string{
		`req.url = req.url.replace("/gateway","")`, `req.url = req.url.replace(/^\/gateway/, '')`, `req.url = req.url.replace(/\/(\w+)\/(\d+)/g, '/$2-$1')`,
		`req.headers["x-uid"] = req.user.username`, `req.headers["x-uid"] = req.kauth.grant.access_token.content.email`,
		`req.headers.gone = 1; req.headers['x-one'] = undefined`, `res.setHeader('X-A', 'b' + 1)`, `res.setHeader('X-L', req.query.q)`,
		`egContext.tag = 'T-' + req.method`, `egContext.n = null; egContext.u = undefined; tag + n + u`, `egContext.l = req.query.q; l.length`,
		`req.own = 5; req.own + 1`, `req.url = '/x?y=1'; req.query.y + req.path`, `egContext.when2 = 1; when2`,
		`req.url.replace(/b*/g, '-')`, `'aXbx'.replace(/x/i, '')`, `/^\/gate/.test(req.url)`, `/\d+$/.test(req.path)`, `'a.b'.replace(/[./]/g, '$$')`,
		`req.body.x + req.body.list[1]`, `req.body.list.join('-')`, `JSON.stringify(req.body)`, `JSON.stringify(req.user)`, `JSON.stringify(req.query)`,
		`JSON.stringify(list)`, `JSON.stringify(egContext.deep)`, `deep.a.b + count`, `nothing`, `nothing.x`, `unknown`, `list[1] + list.length + list[5]`,
		`req.headers['x-two'].length`, `req.headers['x-two'] < 'H'`, `req.headers['x-two'].toUpperCase()`, `'\u00e9' + '\x41'`, `req.headers['x-two'] + '!'`,
		`req.url.slice(1, -2) + req.url.slice(-3) + req.url.substring(5, 2) + req.url.charAt(1)`, `req.url.split('/')[1]`, `req.url.split('?').join(' ')`,
		`'a-b-a'.replace('a', 'x') + 'a-b-a'.replaceAll('a', 'x')`, `'abc'.replace('b', '$&')`, `req.url.indexOf('g')`, `'é'.indexOf('x')`,
		`'0x1f' * 1 + ' 12 ' * 1`, `'1e3' * 1 + '.5' * 1 + '1_0' * 1 + 'inf' * 1 + 'Infinity' * 1 + '' * 1 + '\u00a0' * 1`, `010`, `0x1F + 0b11 + 0o17 + 1_000 + .5`,
		`req.query.q == 'v,w'`, `req.query.q === req.query.q`, `req.user == '[object Object]'`, `null == 0`, `null >= 0`, `undefined == null`, `true == '1'`,
		`req.query.constructor`, `''.trim`, `req.get`, `req['get']('host')`, `list.map`, `'a'['length'] + 'a'[0] + 'a'['00'] + 'a'[1]`, `req.ip + req.secure`, `req.connection.remoteAddress`,
		`req.user?.none?.deep`, `nothing?.x`, `a ?? b || c`, `1 ?? 2`, `0 || null ?? 1`, `-req.query.n + +req.query.n`, `req.query.n % 3 - 7 % -3`, `1 / 3`, `1e21 + 1e-7`, `-0`, `0 / 0`,
		`typeof req + typeof req.url + typeof nothing + typeof undefined`, `typeof nope`, "`a${req.method}\\n${`${1}`}`", `apiEndpoint.scopes.includes('read')`, `req.egContext.tag`,
		`res.statusCode + res.headersSent`, `egContext.egContext.tag`, `req + ''`, `[1]`, `1, 2`, `when`, `egContext.when`, `JSON.stringify(egContext)`, `JSON.stringify(req)`,
		`req.user = 1`, `req.toString = 1`, `egContext.JSON = 1`, `req.headers.host = 'x'; req.headers.host + req.hostname`, `req.headers['Bad Name'] = 1`, `req.url = ''`,
		`consumer.username.concat('x', 'y')`, `consumer.isActive && consumer.age > 5 ? 'y' : 'n'`, `!consumer || 'x'`, `req.headers['X-One']`, `req.xhr`, `req.ips.length`,
		`"\0"`, `'a\
b'`, `'\u{61}'`, `'\ud83d\ude00'.length`, `'a'.b.c`, `'x' in req`, `void 0`, `"use strict"; egContext.a = 1`,
	} {
		agree(t, source)
	}
}

// grow makes a random expression.
func grow(r *rand.Rand, depth int) string {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	if depth <= 0 {
		return pick(`req.url`, `req.method`, `req.headers['x-one']`, `req.headers['x-two']`, `req.headers.none`, `req.query.q`, `req.query.n`, `req.query.e`, `req.user`,
			`req.user.age`, `consumer.username`, `req.body.x`, `req.body.list`, `req.params`, `tag`, `count`, `nothing`, `list`, `deep`, `when`, `undefined`, `null`, `true`, `false`,
			`0`, `1`, `2.5`, `-1`, `'a'`, `'/'`, `''`, `'10'`, `'é'`, `apiEndpoint.apiEndpointName`, `req`, `egContext`, `res.statusCode`)
	}
	sub := func() string { return grow(r, depth-1) }
	switch r.IntN(16) {
	case 0, 1, 2, 3:
		return "(" + sub() + pick(` + `, ` - `, ` * `, ` / `, ` % `, ` == `, ` != `, ` === `, ` !== `, ` < `, ` > `, ` <= `, ` >= `) + sub() + ")"
	case 4:
		return "(" + sub() + pick(` && `, ` || `, ` ?? `) + sub() + ")"
	case 5:
		return "(" + sub() + " ? " + sub() + " : " + sub() + ")"
	case 6:
		return pick(`!`, `-`, `+`, `typeof `) + "(" + sub() + ")"
	case 7:
		return "(" + sub() + ")" + pick(`.x`, `.length`, `?.x`, `[0]`, `['a']`, `.age`, `[`+sub()+`]`)
	case 8:
		return "(" + sub() + ")." + pick(`trim()`, `toLowerCase()`, `toUpperCase()`, `toString()`)
	case 9:
		return "(" + sub() + ")." + pick(`startsWith`, `endsWith`, `includes`, `indexOf`, `split`, `slice`, `concat`, `join`, `charAt`, `substring`) + "(" + sub() + ")"
	case 10:
		return "(" + sub() + ")." + pick(`replace`, `replaceAll`, `slice`, `substring`) + "(" + sub() + ", " + sub() + ")"
	case 11:
		return "`<${" + sub() + "}|${" + sub() + "}>`"
	case 12:
		return "JSON.stringify(" + sub() + ")"
	case 13:
		return pick(`/[a-f]/`, `/^\/\w+/`, `/(\d)|x/`, `/\b/`, `/$/`) + ".test(" + sub() + ")"
	case 14:
		return "(" + sub() + ").replace(" + pick(`/[a-f]/`, `/\//g`, `/(\d)/g`, `/x*/g`, `/^/`, `/\s|é/gi`) + ", " + pick(`''`, `'-'`, `'$1'`, `'$&'`, sub()) + ")"
	default:
		return sub()
	}
}

// TestGeneratedFormsAgree does the same for generated expressions and statements.
func TestGeneratedFormsAgree(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	const rounds = 800
	compared := 0
	for range rounds {
		source := grow(r, 1+r.IntN(3))
		switch r.IntN(6) {
		case 0:
			source = "req.url = " + source
		case 1:
			source = "req.headers['x-new'] = " + source + "; egContext.made = req.headers['x-new']"
		case 2:
			source = "egContext.made = " + source + "; made"
		}
		if agree(t, source) {
			compared++
		}
		if t.Failed() {
			return
		}
	}
	if compared < rounds/3 {
		t.Errorf("only %d of %d had a compiled form: the test says little", compared, rounds)
	}
}

// TestCompiledForms: the forms that real files use are compiled.
func TestCompiledForms(t *testing.T) {
	t.Parallel()
	for _, source := range []string{
		`req.url = req.url.replace("/gateway","")`, `req.url = req.url.replace(/^\/gateway/, '')`, `req.headers["x-uid"] = req.kauth.grant.access_token.content.email`,
		`req.user.sub`, `'v1'`, `req.headers['x'] + '-' + req.method`, `egContext.tag = 'T-' + req.method`, `JSON.stringify(req.headers)`, `res.setHeader('a', 'b')`,
		`req.body.amount > 10 && req.user.role == 'admin'`, `/^\/v\d+\//.test(req.path)`,
	} {
		e, err := Compile(source)
		if err != nil || e.Slow() != "" {
			t.Errorf("%s: %v, %s", source, err, e.Slow())
		}
	}
	e, err := Compile(`req.url.split('/').map(x => x)`)
	if err != nil || !strings.Contains(e.Slow(), "map") {
		t.Errorf("slow expression: %v, %q", err, e.Slow())
	}
}

func BenchmarkForms(b *testing.B) {
	for name, source := range map[string]string{
		"compiled":    `req.headers['x-one'] == '1' && req.method == 'GET'`,
		"assignment":  `req.url = req.url.replace(/^\/gateway/, '')`,
		"interpreted": `[req.method].map(m => m == 'GET')[0]`,
	} {
		b.Run(name, func(b *testing.B) {
			e, err := Compile(source)
			if err != nil {
				b.Fatal(err)
			}
			x := testExchange()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := e.Eval(x); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
